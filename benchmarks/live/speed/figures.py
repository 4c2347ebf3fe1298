"""Figures of a speed bench: percentiles, what is dropped, how changes are followed."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
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
