"""The figures of a speed bench to read: targets, a table, one picture."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.live.speed.stages import PLAIN, STAGES
from benchmarks.measure import columns
from eav_offline.common.errors import InputRefused

_FACE_SHARE = 0.25  # of a core, at five frames a second
_PICTURES = (".png", ".html")


def targets(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was aimed at, what was measured, and whether it was met (None: not known).

    For two cores, the demo's model at a hop of 0.5 s unless said otherwise.
    """
    live = {(one["size"], one["hop_s"]): one for one in figures.get("live", ())}
    usual = live.get(("compact", 0.5), {})
    runs = {(run["size"], run["hop_s"]): run for run in figures.get("runs", ())}
    quick = live.get(("compact", 0.2)) or _best(runs.get(("compact", 0.2)))
    stages = _best(runs.get(("compact", 0.5))) or {}
    seconds = usual.get("seconds", 0.0)
    rows: list[tuple[str, float | None, float, str]] = [
        ("decision age p95, s", usual.get("age_s", {}).get("p95"), 0.35, "<="),
        ("processor, share of all cores", usual.get("cpu_share"), 0.60, "<"),
        (f"windows dropped in {seconds:.0f} s", usual.get("windows_dropped"), 0, "<="),
        (
            "real-time factor at hop 0.2 s",
            (quick or {}).get("real_time_factor"),
            1.0,
            "<",
        ),
        (
            "filter + window + log-mel p95, ms",
            stages.get("filter_window_mel_ms", {}).get("p95"),
            30,
            "<",
        ),
        ("faces, share of a core", _face_share(figures), _FACE_SHARE, "<"),
        ("window, frames a second p5", usual.get("frames_per_second_p5"), 20, ">="),
        ("command to window, s", usual.get("window_s"), 2.5, "<="),
        ("command to first estimate, s", usual.get("first_prediction_s"), 9, "<"),
        ("paper speedup against plain", figures.get("paper_speedup"), 2.5, ">="),
        (
            "paper probability difference",
            figures.get("paper_max_probability_difference"),
            0.02,
            "<=",
        ),
    ]
    rows += _all_open(figures.get("all_panels"))
    faces = figures.get("faces")
    if faces:
        missed = faces["found_plain"] - faces["found"]
        rows.append(("faces found less than by MTCNN", missed, 0, "<="))
    return [
        {"what": what, "target": f"{sign} {limit:g}", "measured": value}
        | {"met": None if value is None else _holds(value, sign, limit)}
        for what, value, limit, sign in rows
    ]


def _all_open(
    live: Mapping[str, Any] | None,
) -> list[tuple[str, float | None, float, str]]:
    """The targets of the running program, with every panel open."""
    if live is None:
        return []
    parts = (
        ("decision age p95, s", live["age_s"]["p95"], 0.35, "<="),
        ("processor, share of all cores", live.get("cpu_share"), 0.60, "<"),
        (f"windows dropped in {live['seconds']:.0f} s", live["windows_dropped"], 0)
        + ("<=",),
        ("window, frames a second p5", live["frames_per_second_p5"], 20, ">="),
    )
    return [(f"every panel open: {what}", *rest) for what, *rest in parts]


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
            measured="live, with window and replay",
        )
    return sizes


def table(figures: Mapping[str, Any]) -> list[str]:
    runs = [*figures.get("runs", ()), *filter(None, [figures.get("recorded")])]
    parts = [_run_lines(run) for run in runs]
    if "paper_spread" in figures:
        spread = figures["paper_spread"]
        parts.append(
            [
                f"paper: {figures['paper_note']}; fused probabilities over "
                f"{spread['windows']} windows have a mean deviation of "
                f"{spread['mean_deviation']:.3f}, each class wins in "
                f"{', '.join(f'{share:.0%}' for share in spread['winners'])}"
            ]
        )
    if figures.get("follow"):
        parts.append([_follow_line(figures["follow"], "no pause between them")])
    parts += [_live_lines(one) for one in figures.get("live", ())]
    if "all_panels" in figures:
        parts.append(["every panel open:", *_live_lines(figures["all_panels"])])
    if figures.get("faces"):
        faces = figures["faces"]
        parts.append(
            [
                f"faces   {faces['found']} of {faces['frames']} frames, MTCNN on each "
                f"{faces['found_plain']}; {faces['frame_ms']['mean']:.1f} ms a frame, "
                f"MTCNN {faces['frame_plain_ms']['mean']:.1f} ms"
            ]
        )
    words = {True: "met", False: "MISSED", None: "not measured"}
    rows = [
        (
            row["what"],
            row["target"],
            "" if row["measured"] is None else f"{row['measured']:.4g}",
            words[row["met"]],
        )
        for row in figures.get("targets", ())
    ]
    parts.append(columns(rows))
    return [line for part in parts for line in (*part, "")][:-1]


def write_chart(path: Path, figures: Mapping[str, Any]) -> None:
    """One picture of where the time of a hop goes and how old decisions are.

    A .png, or an .html that holds it and the table. Raises InputRefused for others.
    """
    check_chart(path)
    picture = _picture(figures)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        path.write_bytes(picture)
        return
    encoded = base64.b64encode(picture).decode()
    lines = html.escape("\n".join(table(figures)))
    path.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        "<title>./dev bench live-speed</title>"
        "<style>body{font-family:sans-serif;margin:2rem}img{max-width:100%}</style>"
        "<h1>Speed of a live session</h1>"
        f'<img alt="Time of a hop by stage; ages of decisions; the table below has '
        f'the figures" src="data:image/png;base64,{encoded}"><pre>{lines}</pre></html>',
        encoding="utf-8",
    )


def check_chart(path: Path) -> None:
    """Raises InputRefused if `path` is no name for a picture."""
    if path.suffix not in _PICTURES:
        raise InputRefused(f"--chart {path}: give a name ending in .png or .html")


def _picture(figures: Mapping[str, Any]) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    runs, live = figures.get("runs", ()), figures.get("live", ())
    n = len(runs) + bool(live)
    figure = Figure(figsize=(11, 1.0 + 3.4 * max(1, n)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(max(1, n), 1, squeeze=False)[:, 0])
    for axis, run in zip(axes, runs, strict=False):
        _draw_run(axis, run)
    if live:
        _draw_live(axes[-1], live)
    figure.suptitle(f"./dev bench live-speed, {figures['environment']['processor']}")
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110)
    return out.getvalue()


def _draw_run(axis: Any, run: Mapping[str, Any]) -> None:
    from matplotlib import colormaps

    ways = run["ways"]
    colors = colormaps["tab10"]
    names = (*STAGES, "model")
    left = [0.0] * len(ways)
    for i, stage in enumerate(names):
        widths = [
            way["stages_ms"].get(stage, {}).get("mean", 0) for way in ways.values()
        ]
        if any(widths):
            axis.barh(list(ways), widths, left=left, color=colors(i), label=stage)
            left = [a + b for a, b in zip(left, widths, strict=True)]
    hop_ms = 1e3 * run["hop_s"]
    if max(left) > 0.5 * hop_ms:
        axis.axvline(hop_ms, color="black", linestyle="--", label="the hop")
    axis.invert_yaxis()
    axis.set_xlabel(
        f"{run['size']}, hop {run['hop_s']:g} s: mean ms a window, by stage"
    )
    axis.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))


def _draw_live(axis: Any, live: Sequence[Mapping[str, Any]]) -> None:
    names = [f"{one['size']}, hop {one['hop_s']:g} s, {one['backend']}" for one in live]
    for key, label, marker in (
        ("age_s", "put out", "o"),
        ("age_painted_s", "painted", "s"),
    ):
        for part, filled in (("p50", "none"), ("p95", "full")):
            axis.plot(
                [one[key][part] for one in live],
                names,
                linestyle="none",
                marker=marker,
                fillstyle=filled,
                markersize=9,
                color="tab:blue" if key == "age_s" else "tab:orange",
                label=f"{label}, {part}",
            )
    axis.set_xlim(left=0)
    axis.invert_yaxis()
    axis.margins(y=0.4)
    axis.set_xlabel("age of a decision in the running program, s")
    axis.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))


def _run_lines(run: Mapping[str, Any]) -> list[str]:
    shared, ways = run["shared"], run["ways"]
    used = [
        stage
        for stage in (*STAGES, "model")
        if any(stage in way["stages_ms"] for way in ways.values())
    ]
    rows = [("way", *used, "all", "")]
    for name, way in ways.items():
        cells = [_three(way["stages_ms"].get(stage)) for stage in used]
        told = f"real-time factor {way['real_time_factor']:.3f}"
        if way["backend"] != PLAIN and "speedup" in way:
            told += (
                f", {way['speedup']:.2f} times plain, off by "
                f"{way['max_probability_difference']:.1e}"
            )
        rows.append((name, *cells, _three(way["recognize_ms"]), told))
    return [
        f"{run['size']}, hop {run['hop_s']:g} s, {run['windows']} windows of "
        f"{run['material']}, {run['threads']} threads; p50/p95/p99 ms",
        f"  acquisition {_three(shared['acquisition_ms'])} a hop, window "
        f"{_three(shared['window_ms'])}, face {_three(shared['face_frame_ms'])} a "
        f"frame ({shared['face_share_of_a_core'] or 0:.0%} of a core)",
        *columns(rows, indent="  "),
        *(
            f"  {name}: left out: {reason}"
            for name, reason in run.get("left_out", {}).items()
        ),
    ]


def _live_lines(one: Mapping[str, Any]) -> list[str]:
    age, painted, screen = one["age_s"], one["age_painted_s"], one["screen_s"]
    jitter, infer = _three(one["hop_jitter_s"], 3), _three(one["infer_s"], 3)
    return [
        f"live, {one['size']}, hop {one['hop_s']:g} s, {one['backend']}, "
        f"{one['seconds']:.0f} s",
        f"  decision age p50/p95/p99 {_three(age, 3)} s, painted "
        f"{_three(painted, 3)} s (screen {_three(screen, 3)})",
        f"  windows {one['windows_due']} due, {one['windows_made']} made, "
        f"{one['windows_dropped']} dropped; hop off by {jitter} s; infer {infer} s",
        f"  window {one['frames_per_second_p50']} frames/s (p5 "
        f"{one['frames_per_second_p5']}); {one.get('cpu_share', 0):.0%} of the cores, "
        f"{one.get('memory_mb', 0)} MB; first estimate after "
        f"{one['first_prediction_s']:.1f} s",
        "  " + _follow_line(one, "trials apart, so a window begins anew", "follow_"),
    ]


def _follow_line(figures: Mapping[str, Any], how: str, prefix: str = "") -> str:
    parts = []
    for name in ("raw", "smoothed"):
        one = figures[prefix + name]
        times = "-" if one["median_s"] is None else f"{one['median_s']:.2f} s"
        late = "-" if one["p95_s"] is None else f"{one['p95_s']:.2f} s"
        parts.append(
            f"{name} {times} (p95 {late}; {one['followed']} of {one['changes']})"
        )
    return f"change of emotion followed ({how}): {', '.join(parts)}"


def _three(values: Mapping[str, float | None] | None, digits: int = 1) -> str:
    if values is None or values["p50"] is None:
        return "-"
    if values["p50"] >= 100:  # ms of the paper size, where a tenth means nothing
        digits = 0
    return "/".join(f"{values[p]:.{digits}f}" for p in ("p50", "p95", "p99"))


def _best(run: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The quickest cached way of a run within the tolerance."""
    if run is None:
        return None
    ways = [way for way in run["ways"].values() if way["caches"] and way.get("within")]
    return min(ways, key=lambda way: way["real_time_factor"]) if ways else None


def _face_share(figures: Mapping[str, Any]) -> float | None:
    runs = figures.get("runs", ())
    return runs[0]["shared"]["face_share_of_a_core"] if runs else None


def _holds(value: float, sign: str, limit: float) -> bool:
    return {"<=": value <= limit, "<": value < limit, ">=": value >= limit}[sign]
