"""The figures of a session's page, drawn as those of a report are."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from eav_live.recognition.predictions import STREAM_NAMES, Prediction
from eav_live.review.reader import SessionReader
from eav_offline.core.labels import EMOTION_COLOR_LIST, EMOTIONS, MODALITIES
from eav_offline.report.drawing import (
    CRIMSON,
    INK,
    MUTED,
    SLATE,
    Drawing,
    draw,
    percent_axis,
)

_COLUMNS = 600  # of the line of time
_WIDTH = 10.0  # inches


def estimates_figure(reader: SessionReader) -> Drawing | None:
    """Probabilities and decisions over time; None if nothing was recognized."""
    lane = reader.recorded
    if not lane.estimates:
        return None
    edges = np.linspace(reader.begin, reader.end, _COLUMNS + 1)

    def paint(figure: Figure) -> None:
        ratios = {"height_ratios": (6, 1 + reader.has_truth)}
        above, below = figure.subplots(2, 1, sharex=True, gridspec_kw=ratios)
        _stack(above, edges - reader.begin, lane.shares(edges), reader.knows)
        _strip(below, edges - reader.begin, lane.decisions(edges), 0)
        names = ["decision"]
        if reader.has_truth:
            _strip(below, edges - reader.begin, reader.truths(edges), 1)
            names.append("truth")
        below.set_yticks(range(len(names)), names)
        below.set_ylim(len(names) - 0.5, -0.5)
        _time_axis(below, reader.seconds)

    return draw(
        (_WIDTH, 3.6),
        paint,
        "Smoothed probabilities of each emotion over the session, stacked, above the "
        "decision at each moment.",
        "Smoothed probabilities as recorded, stacked, and what was decided on. Where "
        "nothing is drawn, nothing was estimated.",
    )


def streams_figure(reader: SessionReader) -> Drawing:
    """When each stream brought something, with markers and notes."""
    there = [m for m in MODALITIES if reader.spans[m]]
    marks = [mark.t for mark in reader.marks]
    notes = [note.t for note in reader.annotations]

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        for row, modality in enumerate(there):
            bars = [
                (first - reader.begin, max(last - first, 0.02))
                for first, last in reader.spans[modality]
            ]
            axes.broken_barh(bars, (row - 0.3, 0.6), color=MUTED)
        for row, (times, color) in enumerate(
            ((marks, INK), (notes, EMOTION_COLOR_LIST[-1])), start=len(there)
        ):
            axes.vlines(
                np.array(times) - reader.begin, row - 0.3, row + 0.3, color=color
            )
        names = [STREAM_NAMES[m] for m in there] + ["markers", "notes"]
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        _time_axis(axes, reader.seconds)

    return draw(
        (_WIDTH, 0.6 + 0.34 * (len(there) + 2)),
        paint,
        "When each stream brought data, and when there were markers and notes.",
        "When each stream brought something. Gaps after its beginning are losses.",
    )


def latency_figure(reader: SessionReader) -> Drawing | None:
    """How old each estimate was when it was put out; None if that is not known."""
    said = timed(reader)
    if not said:
        return None
    times = np.array([one.t for one in said]) - reader.begin

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        ages, taken = [one.age_s for one in said], [one.infer_s for one in said]
        axes.plot(times, ages, "o", color=SLATE, markersize=3, label="age")
        axes.plot(times, taken, "x", color=CRIMSON, markersize=3, label="computation")
        axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
        axes.set_ylim(bottom=0)
        axes.set_ylabel("seconds")
        _time_axis(axes, reader.seconds)

    return draw(
        (_WIDTH, 2.2),
        paint,
        "Age of each estimate when it was put out, and the time its computation took.",
        "Of each estimate: its age when it was put out, counted from the end of its "
        "window, and the computation alone.",
    )


def timed(reader: SessionReader) -> list[Prediction]:
    """The estimates whose age is known."""
    said = reader.recorded.estimates
    return [one for one in said if one.fused is not None and np.isfinite(one.age_s)]


def _stack(
    axes: Axes, edges: np.ndarray, shares: np.ndarray, knows: tuple[str, ...]
) -> None:
    there = ~np.isnan(shares).all(axis=1)
    tops = np.nancumsum(shares, axis=1)
    tops[~there] = np.nan
    below = np.where(there, 0.0, np.nan)
    for i, emotion in enumerate(EMOTIONS):
        upper = tops[:, i]
        if emotion in knows:
            axes.stairs(
                upper,
                edges,
                baseline=below,
                fill=True,
                color=EMOTION_COLOR_LIST[i],
                label=emotion.capitalize(),
            )
        below = upper
    axes.set_ylim(0, 1)
    percent_axis(axes.yaxis)
    axes.legend(ncols=5, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)


def _strip(axes: Axes, edges: np.ndarray, emotions: np.ndarray, row: int) -> None:
    changes = np.flatnonzero(np.diff(emotions, prepend=-2, append=-2))
    for start, stop in zip(changes[:-1], changes[1:], strict=True):
        emotion = int(emotions[start])
        if emotion >= 0:
            bar = (edges[start], edges[stop] - edges[start])
            color = EMOTION_COLOR_LIST[emotion]
            axes.broken_barh([bar], (row - 0.4, 0.8), color=color)
    axes.grid(visible=False)


def _time_axis(axes: Axes, seconds: float) -> None:
    axes.set_xlim(0, max(seconds, 1.0))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda t, _: f"{int(t) // 60}:{int(t) % 60:02d}")
    )
    axes.set_xlabel("minutes and seconds")
