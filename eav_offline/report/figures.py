"""Figures of one model: confusion matrices, reliability, learning curves."""

import math
from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from eav_offline.common.console import counted
from eav_offline.core.labels import EMOTION_COLORS, EMOTIONS
from eav_offline.evaluation.metrics import N_BINS
from eav_offline.evaluation.results import OUTPUT_NAMES
from eav_offline.report.drawing import (
    CRIMSON,
    GRID,
    MUTED,
    QUIET,
    SLATE,
    Drawing,
    chance_line,
    draw,
    emotion_labels,
    matrix,
    note,
    percent_axis,
)
from eav_offline.report.groups import Model
from eav_offline.report.runs import Epoch
from eav_offline.report.tables import Calibration, calibration, confusion

STAGE_NAMES = {**OUTPUT_NAMES, "ambt": "AMBT"}
_FEW_RUNS = 8  # more are drawn as a band
_LEAST_SHARE = 0.01  # of the windows: the accuracy of a smaller bin is mostly chance


def confusion_figure(model: Model) -> Drawing:
    """A matrix of each output, as shares of the true emotion, of what it knows."""
    known = [EMOTIONS.index(name) for name in model.knows]
    outputs = [name for name in model.outputs if name != "averaged"]
    counts = {name: confusion(model, name)[known][:, known] for name in outputs}
    shares = {
        name: c / np.maximum(c.sum(1, keepdims=True), 1) for name, c in counts.items()
    }

    def paint(figure: Figure) -> None:
        panels = figure.subplots(1, len(outputs), squeeze=False)[0]
        for i, (axes, name) in enumerate(zip(panels, outputs, strict=True)):
            _matrix(axes, shares[name], model.knows, with_rows=i == 0)
            axes.set_title(OUTPUT_NAMES[name])
        panels[0].set_ylabel("true emotion")
        figure.supxlabel("recognized emotion", fontsize=9.5)

    recalls = [
        f"{OUTPUT_NAMES[name]}: "
        + ", ".join(f"{e} {rows[k, k]:.0%}" for k, e in enumerate(model.knows))
        for name, rows in shares.items()
    ]
    return draw(
        (1.5 + 2.45 * len(outputs), 3.5),
        paint,
        alt=f"Confusion matrices of {model.name}. Recognized rightly, by true emotion: "
        + "; ".join(recalls)
        + ".",
        caption="Percent of the true emotion's windows, summed over "
        f"{counted(len(model.runs), 'run')}; every row adds up to 100.",
    )


def _matrix(
    axes: Axes, shares: np.ndarray, knows: Sequence[str], with_rows: bool
) -> None:
    labels = emotion_labels(knows)
    matrix(
        axes, shares, [label[:3] for label in labels], labels if with_rows else [], True
    )
    axes.tick_params(pad=11)
    axes.spines[:].set_visible(False)
    for k, emotion in enumerate(knows):
        for corner, width, height in (
            ((-0.72, k - 0.5), 0.14, 1),
            ((k - 0.5, len(knows) - 0.42), 1, 0.14),
        ):
            axes.add_patch(
                Rectangle(
                    corner,
                    width,
                    height,
                    color=EMOTION_COLORS[emotion],
                    lw=0,
                    clip_on=False,
                )
            )


def reliability_figure(model: Model) -> Drawing:
    """Accuracy against confidence, before and after temperature scaling."""
    found = {name: calibration(model, name) for name in model.outputs}

    def paint(figure: Figure) -> None:
        panels = figure.subplots(1, len(found), squeeze=False, sharey=True)[0]
        for axes, (name, measured) in zip(panels, found.items(), strict=True):
            _reliability(axes, measured)
            axes.set_title(OUTPUT_NAMES[name])
        panels[0].set_ylabel("accuracy")
        figure.supxlabel("confidence: probability of the likeliest", fontsize=9.5)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=3)

    errors = "; ".join(
        f"{OUTPUT_NAMES[name]} {_errors(measured)}" for name, measured in found.items()
    )
    scaled = all(measured.ece_scaled is not None for measured in found.values())
    return draw(
        (max(5.0, 1.1 + 2.15 * len(found)), 3.5),  # room for the legend
        paint,
        alt=f"Reliability diagrams of {model.name}. Expected calibration error: "
        f"{errors}.",
        caption="On the diagonal confidence is accuracy; below it the model is too "
        "sure. Bars: share of windows; bins of less than 1 % of them have no point. "
        + (
            "The temperature was fitted on validation windows, never on test ones."
            if scaled
            else "Without validation trials no temperature could be fitted."
        ),
    )


def _reliability(axes: Axes, measured: Calibration) -> None:
    edges = np.arange(N_BINS) / N_BINS
    count = np.array(measured.bins["count"], dtype=float)
    axes.bar(edges, count / count.sum(), 1 / N_BINS, align="edge", color=GRID)
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (2, 3)))
    for bins, label, color, marker in (
        (measured.bins, "as the model says", SLATE, "o"),
        (measured.bins_scaled, "after temperature scaling", CRIMSON, "s"),
    ):
        if bins is None:
            continue
        n = np.array(bins["count"], dtype=float)
        enough = n >= _LEAST_SHARE * n.sum()
        x = np.array(bins["confidence"], dtype=float)[enough]
        y = np.array(bins["accuracy"], dtype=float)[enough]
        axes.plot(x, y, color=color, marker=marker, markersize=4, label=label)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.03)
    axes.set_xticks([0, 0.5, 1])
    percent_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    first, *_, last = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    axes.set_xlabel(f"ECE {_errors(measured)}", fontsize=9)


def _errors(measured: Calibration) -> str:
    before = f"{100 * measured.ece:.1f} %"
    if measured.ece_scaled is None:
        return before
    return f"{before} → {100 * measured.ece_scaled:.1f} %"


def learned_in_words(model: Model) -> str:
    """What `learning_figure` would show as a single dot."""
    told = []
    for stage, histories in _histories(model).items():
        loss, accuracy = _mean_last(histories)
        told.append(
            f"{STAGE_NAMES[stage]}: training loss "
            f"{loss:.2f}, accuracy {100 * accuracy:.1f} %"
        )
    where = "at the only epoch, mean over " + counted(len(model.runs), "run")
    return f"{'; '.join(told)} ({where})."


def _histories(model: Model) -> dict[str, list[list[Epoch]]]:
    return {
        stage: [
            [epoch for epoch in run.history if epoch.stage == stage]
            for run in model.runs
        ]
        for stage in model.stages
    }


def learning_figure(model: Model) -> Drawing | None:
    """Loss and accuracy over epochs, of stages that have several; None for none."""
    histories = _histories(model)
    stages = [s for s in model.stages if any(len(h) > 1 for h in histories[s])]
    if not stages:
        return None

    def paint(figure: Figure) -> None:
        panels = figure.subplots(2, len(stages), squeeze=False, sharex="col")
        for column, stage in enumerate(stages):
            loss, accuracy = panels[:, column]
            _curves(loss, histories[stage], "loss")
            _curves(accuracy, histories[stage], "accuracy")
            chance_line(accuracy, model.knows)
            percent_axis(accuracy.yaxis)
            accuracy.set_ylim(0, 1.03)
            accuracy.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            _mark_phases((loss, accuracy), histories[stage])
            loss.set_title(STAGE_NAMES[stage])
            accuracy.set_xlabel("epoch")
        panels[0, 0].set_ylabel("loss")
        panels[1, 0].set_ylabel("accuracy")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=2)

    last = "; ".join(
        f"{STAGE_NAMES[stage]} {_mean_last(histories[stage])[0]:.2f}"
        for stage in stages
    )
    many = len(model.runs) > _FEW_RUNS
    return draw(
        (1 + 2.6 * len(stages), 4.8),
        paint,
        alt=f"Learning curves of {model.name}. Training loss at the end: {last}.",
        caption=f"Mean over {counted(len(model.runs), 'run')}; "
        + ("the band holds 80 % of them." if many else "thin lines are single runs."),
    )


def _curves(axes: Axes, histories: Sequence[Sequence[Epoch]], what: str) -> None:
    for part, color, style in (("train", SLATE, "-"), ("validation", CRIMSON, "--")):
        found = [[epoch.figures[f"{part}_{what}"] for epoch in h] for h in histories]
        # (runs, epochs), NaN behind the end of the shorter runs.
        rows = np.array(list(zip_longest(*found, fillvalue=math.nan))).T
        there = ~np.isnan(rows).all(0)
        if not there.any():
            continue
        x = np.flatnonzero(there) + 1
        rows = rows[:, there]
        label = "training" if part == "train" else part
        marker = "o" if len(x) == 1 else None
        axes.plot(
            x, np.nanmean(rows, axis=0), style, color=color, label=label, marker=marker
        )
        if len(rows) > _FEW_RUNS:
            low, high = np.nanquantile(rows, [0.1, 0.9], axis=0)
            axes.fill_between(x, low, high, color=color, alpha=0.15, lw=0)
        elif len(rows) > 1:
            axes.plot(x, rows.T, style, color=color, alpha=0.3, linewidth=0.7)


def _mark_phases(panels: Sequence[Axes], histories: Sequence[Sequence[Epoch]]) -> None:
    """A line where a phase of training begins, and its name."""
    phases = [epoch.phase for epoch in max(histories, key=len)]
    begins = [i for i, name in enumerate(phases) if i == 0 or name != phases[i - 1]]
    if len(begins) < 2:
        return
    for i in begins:
        for axes in panels:
            if i:
                axes.axvline(i + 0.5, color=MUTED, linewidth=1, zorder=1)
        place = ("data" if i else "axes fraction", "axes fraction")
        note(panels[-1], phases[i], (i + 0.5 if i else 0, 0), (3, 3), place, **QUIET)


def _mean_last(histories: Sequence[Sequence[Epoch]]) -> tuple[float, float]:
    """Training loss and accuracy of the last epochs."""
    last = [history[-1] for history in histories if history]
    if not last:
        return math.nan, math.nan
    loss, accuracy = (
        float(np.mean([epoch.figures[f"train_{what}"] for epoch in last]))
        for what in ("loss", "accuracy")
    )
    return loss, accuracy
