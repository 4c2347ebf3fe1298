"""Figures of a speed bench: what is dropped, followed, aimed at; and all by size."""

import math
import operator
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import percentiles
from eav_live.logs.timings import MADE, PAINTED, SCREEN, SESSION, TRIAL
from eav_offline.core.labels import EMOTIONS

HOLD_SECONDS = 2.0  # that a decision must stay to count as having followed
MOST_DIFFERENCE = 0.02  # of fused probabilities from the plain way


def queue(busy_s: Sequence[float], hop: float) -> tuple[int, int]:
    """Windows due and dropped if each takes so long and the newest always wins.

    What a session's inference thread would do with nothing else on the computer.
    """
    now = due = 0.0
    for busy in busy_s:
        now = max(now, due) + busy
        due = max(due + hop, now)
    # The last window's own hop counts as its time even if it was quicker.
    n_due = max(len(busy_s), round(max(now, due) / hop))
    return n_due, n_due - len(busy_s)


def followed_after(
    out: np.ndarray, said: np.ndarray, changed: float, ends: float, emotion: int
) -> float | None:
    """Seconds from a change of emotion to the first window that says so and stays.

    out: (n,) when each window was put out; said: (n,) class of each; changed, ends:
    of the new emotion. It stays if all windows of the next two seconds, or to the end,
    say the same. None if that never happens.
    """
    here = (out > changed) & (out <= ends)
    for at in out[here]:
        stays = here & (out >= at) & (out <= at + HOLD_SECONDS)
        if np.all(said[stays] == emotion):
            return float(at - changed)
    return None


def follow_figures(times: Sequence[float | None]) -> dict[str, Any]:
    """Of the changes, how many were followed, and how fast."""
    known = [t for t in times if t is not None]
    return {
        "changes": len(times),
        "followed": len(known),
        "median_s": round(float(np.median(known)), 3) if known else None,
        "p95_s": round(float(np.percentile(known, 95)), 3) if known else None,
    }


def live_figures(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Figures of the lines that `eav-live --timings` wrote.

    A window is due every hop from the first estimate on. Across a pause of the streams
    themselves, as between two replayed trials, none is due: there is nothing new.
    """
    session = next(line for line in lines if line["what"] == SESSION)
    hop = float(session["hop"])
    made = [line for line in lines if line["what"] == MADE]
    first = next((i for i, m in enumerate(made) if m["fused"] is not None), None)
    if first is None:
        raise RuntimeError("the session made no estimate; give it more --seconds")
    made = made[first:]
    steps = [
        after["t"] - before["t"]
        for before, after in zip(made[:-1], made[1:], strict=True)
        if after["present"] or not before["present"]
    ]
    dropped = sum(max(0, round(step / hop) - 1) for step in steps)
    whole = [m for m in made if m["fused"] is not None]
    painted = {p["t"]: p["at"] for p in lines if p["what"] == PAINTED}
    shown = [m for m in whole if m["t"] in painted]
    screens = [line for line in lines if line["what"] == SCREEN]
    screens = [s for s in screens if s["at"] >= made[0]["at"]]
    raw, smoothed = _live_follow(lines, whole)
    backends = Counter(m["backend"] for m in whole)
    return {
        "model": session["model"],
        "backend": max(backends, key=lambda name: backends[name]),
        "backends": dict(backends),
        "hop_s": hop,
        "seconds": round(made[-1]["at"] - made[0]["at"], 2),
        "windows_due": len(made) + dropped,
        "windows_made": len(made),
        "windows_dropped": dropped,
        "windows_with_all_three": sum(len(m["present"]) == 3 for m in whole),
        "age_s": percentiles([m["age_s"] for m in whole]),
        "age_painted_s": percentiles([painted[m["t"]] - m["t"] for m in shown]),
        "screen_s": percentiles([painted[m["t"]] - m["at"] for m in shown]),
        "painted": len(shown),
        "infer_s": percentiles([m["infer_s"] for m in whole]),
        "hop_jitter_s": percentiles(np.abs(np.array(steps) - hop)),
        "real_time_factor": round(
            float(np.mean([m["infer_s"] for m in whole])) / hop, 4
        ),
        "frames_per_second_p5": _low([s["refreshes"] for s in screens]),
        "frames_per_second_p50": percentiles([s["refreshes"] for s in screens])["p50"],
        "longest_pause_of_screen_s": max((s["longest_s"] for s in screens), default=0),
        "follow_raw": raw,
        "follow_smoothed": smoothed,
    }


def _live_follow(
    lines: Sequence[Mapping[str, Any]], made: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    trials = sorted(
        (line for line in lines if line["what"] == TRIAL), key=lambda line: line["at"]
    )
    out = np.array([m["at"] for m in made])
    raw = np.array([int(np.nanargmax(np.array(m["fused"], float))) for m in made])
    told = [m["label"] for m in made]  # none where it was left open
    label = np.array([EMOTIONS.index(name) if name else -1 for name in told])
    last = made[-1]["at"]
    times: tuple[list[float | None], list[float | None]] = ([], [])
    for before, trial in zip(trials[:-1], trials[1:], strict=True):
        ends = trial["at"] + trial["seconds"]
        if trial["emotion"] == before["emotion"] or ends > last:
            continue
        emotion = EMOTIONS.index(trial["emotion"])
        for said, into in zip((raw, label), times, strict=True):
            into.append(followed_after(out, said, trial["at"], ends, emotion))
    return follow_figures(times[0]), follow_figures(times[1])


def _low(values: Sequence[float]) -> float | None:
    return round(float(np.percentile(values, 5)), 2) if len(values) else None


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference between probabilities (n, 5); NaN are left out."""
    there = np.isfinite(a) & np.isfinite(b)
    return float(np.abs(a[there] - b[there]).max()) if there.any() else math.nan


def targets(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was aimed at, what was measured, and whether it was met (None: not known).

    For two cores, the demo's model at a hop of 0.5 s unless said otherwise.
    """
    live = {(one["size"], one["hop_s"]): one for one in figures.get("live", ())}
    usual = live.get(("compact", 0.5), {})
    runs = {(run["size"], run["hop_s"]): run for run in figures.get("runs", ())}
    quick = live.get(("compact", 0.2)) or _best(runs.get(("compact", 0.2)))
    mel_ms = _best(runs.get(("compact", 0.5))).get("filter_window_mel_ms", {})
    shared = [run["shared"] for run in figures.get("runs", ())]
    face_share = shared[0]["face_share_of_a_core"] if shared else None
    difference = figures.get("paper_max_probability_difference")
    rows: list[tuple[str, float | None, str, float]] = [
        *_of_program(usual),
        ("real-time factor at hop 0.2 s", quick.get("real_time_factor"), "<", 1),
        ("filter + window + log-mel p95, ms", mel_ms.get("p95"), "<", 30),
        ("faces, share of a core", face_share, "<", 0.25),  # at five frames a second
        ("command to window, s", usual.get("window_s"), "<=", 2.5),
        ("command to first estimate, s", usual.get("first_prediction_s"), "<", 9),
        ("paper speedup against plain", figures.get("paper_speedup"), ">=", 2.5),
        ("paper probability difference", difference, "<=", 0.02),
    ]
    if "all_panels" in figures:
        every = _of_program(figures["all_panels"])
        rows += [(f"every panel open: {what}", *rest) for what, *rest in every]
    holds = {"<=": operator.le, "<": operator.lt, ">=": operator.ge}
    return [
        {"what": what, "target": f"{sign} {limit:g}", "measured": value}
        | {"met": None if value is None else holds[sign](value, limit)}
        for what, value, sign, limit in rows
    ]


def _of_program(live: Mapping[str, Any]) -> list[tuple[str, Any, str, float]]:
    """The targets of the running program."""
    seconds, dropped = live.get("seconds", 0.0), live.get("windows_dropped")
    return [
        ("decision age p95, s", live.get("age_s", {}).get("p95"), "<=", 0.35),
        ("processor, share of all cores", live.get("cpu_share"), "<", 0.60),
        (f"windows dropped in {seconds:.0f} s", dropped, "<=", 0),
        ("window, frames a second p5", live.get("frames_per_second_p5"), ">=", 20),
    ]


def by_size(
    runs: Sequence[dict[str, Any]], live: Sequence[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Per size and backend, with caches: what was measured live, else by stages."""
    sizes: dict[str, dict[str, Any]] = {}
    keys = (
        *("age_p95_s", "infer_p95_s", "real_time_factor", "cpu_share"),
        *("windows_dropped", "speedup", "max_probability_difference", "measured"),
    )
    for run in runs:
        of_size = sizes.setdefault(run["size"], {})
        for way in run["ways"].values():
            if way["caches"] and way["backend"] not in of_size:
                figures = {key: way[key] for key in keys if key in way}
                of_size[way["backend"]] = {"hop_s": run["hop_s"], **figures}
    taken = set()
    for one in live:
        key = (one["size"], one["backend"])
        if key in taken:
            continue  # the first hop is the one that counts
        taken.add(key)
        sizes.setdefault(one["size"], {}).setdefault(one["backend"], {}).update(
            hop_s=one["hop_s"],
            age_p95_s=one["age_s"]["p95"],
            infer_p95_s=one["infer_s"]["p95"],
            real_time_factor=one["real_time_factor"],
            cpu_share=one.get("cpu_share"),
            windows_dropped=one["windows_dropped"],
            measured="live",
        )
    return sizes


def _best(run: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The quickest cached way of a run within the tolerance; {} if there is none."""
    ways = run["ways"].values() if run else ()
    good = [way for way in ways if way["caches"] and way.get("within")]
    return min(good, key=lambda way: way["real_time_factor"], default={})


def draw(path: Path, runs: Sequence[Mapping[str, Any]]) -> None:
    """Where the time of a hop goes, a bar for each way; matplotlib knows the suffix."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 1 + 3.4 * len(runs)), layout="constrained")
    axes = figure.subplots(max(1, len(runs)), 1, squeeze=False)[:, 0]
    for axis, run in zip(axes, runs, strict=False):
        ways = run["ways"]
        told = [way["stages_ms"] for way in ways.values()]
        left = np.zeros(len(ways))
        for stage in dict.fromkeys(name for stages in told for name in stages):
            ms = np.array([stages.get(stage, {}).get("mean", 0) for stages in told])
            axis.barh(list(ways), ms, left=left, label=stage)
            left += ms
        axis.axvline(1e3 * run["hop_s"], color="black", linestyle="--", label="the hop")
        axis.invert_yaxis()
        axis.set_xlabel(f"{run['size']}: mean ms a window, by stage")
        axis.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
