"""What the exchange between modalities is worth: AMBT beside what it must beat."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eav_offline.common.console import counted
from eav_offline.core.labels import MODALITIES
from eav_offline.evaluation.ablation import WAYS
from eav_offline.evaluation.results import OUTPUT_NAMES, FusionAblation
from eav_offline.report.drawing import (
    INK,
    RANGE,
    SHARES,
    Drawing,
    chance_label,
    chance_line,
    color_of,
    draw,
    percent_axis,
)
from eav_offline.report.groups import Model

WAY_NAMES = {
    "ambt": "AMBT",
    "exchange_off": "exchange\noff",
    "mean": "plain\nmean",
    "calibrated": "calibrated\nmean",
}


def ablations(model: Model) -> list[FusionAblation]:
    """Of the runs that have AMBT."""
    return [r.results.fusion for r in model.runs if r.results.fusion is not None]


def exchange_in_words(model: Model) -> str:
    """What the comparison shows; empty without AMBT."""
    found = ablations(model)
    if len(found) < 2:
        return found[0].sentence if found else ""
    means = {way: _accuracies(found, way).mean() for way in WAYS[:3]}
    gains = [one.ways["exchange_off"].ambt_gains for one in found]
    return (
        f"Over {len(found)} runs AMBT reaches {means['ambt']:.1%}, "
        f"{means['exchange_off']:.1%} with its exchange off; the plain mean of the "
        f"encoders reaches {means['mean']:.1%}. The exchange gains in "
        f"{sum(gain > 0 for gain in gains)} runs and costs in "
        f"{sum(gain < 0 for gain in gains)}."
    )


def fusion_figure(model: Model) -> Drawing | None:
    """Accuracy of each way to fuse, and who hears whom; None without AMBT."""
    found = ablations(model)
    if not found:
        return None
    ways = [way for way in WAYS if all(way in one.ways for one in found)]
    accuracies = {way: _accuracies(found, way) for way in ways}
    heard = _heard(found)

    def paint(figure: Figure) -> None:
        bars, matrix = figure.subplots(1, 2, width_ratios=(1.5, 1))
        _bars(bars, accuracies, model.knows)
        _matrix(matrix, heard)

    told = ", ".join(
        f"{WAY_NAMES[w].replace(chr(10), ' ')} {a.mean():.1%}"
        for w, a in accuracies.items()
    )
    return draw(
        (7.6, 3.4),
        paint,
        alt=f"Ways to fuse in {model.name}: {told}.",
        caption=f"Left: accuracy on test windows, mean of {counted(len(found), 'run')}"
        f"{' (points: each)' if len(found) > 1 else ''}. Right: how far a branch's "
        "logits move when another modality is swapped between windows, in units of "
        "their standard deviation; 0 would be deaf.",
    )


def _accuracies(found: list[FusionAblation], way: str) -> np.ndarray:
    return np.array([one.ways[way].accuracy for one in found if way in one.ways])


def _heard(found: list[FusionAblation]) -> np.ndarray:
    """Mean (swapped, branch) of the exchange matrices; NaN where unknown."""
    matrices = np.full((len(found), len(MODALITIES), len(MODALITIES)), np.nan)
    for n, one in enumerate(found):
        for i, m in enumerate(MODALITIES):
            for j, b in enumerate(MODALITIES):
                effect = one.exchange_matrix.get(m, {}).get(b)
                if effect is not None:
                    matrices[n, i, j] = effect.logits
    known = ~np.isnan(matrices).all(0)
    mean = np.full(matrices.shape[1:], np.nan)
    mean[known] = np.nanmean(matrices[:, known], axis=0)
    return mean


def _bars(axes: Axes, accuracies: dict[str, np.ndarray], knows: Sequence[str]) -> None:
    for x, (way, values) in enumerate(accuracies.items()):
        axes.bar(x, values.mean(), 0.62, color=color_of(0) if way == "ambt" else RANGE)
        if len(values) > 1:
            axes.plot(np.full(len(values), x), values, ".", color=INK, alpha=0.6)
        axes.text(
            x, values.mean() / 2, f"{100 * values.mean():.1f}", ha="center", color=INK
        )
    axes.set_xticks(range(len(accuracies)), [WAY_NAMES[way] for way in accuracies])
    axes.grid(visible=False, axis="x")
    axes.set_ylim(0, 1)
    axes.set_title("accuracy")
    percent_axis(axes.yaxis)
    chance_line(axes, knows)
    chance_label(axes, knows)


def _matrix(axes: Axes, heard: np.ndarray) -> None:
    names = [OUTPUT_NAMES[m] for m in MODALITIES]
    axes.imshow(np.nan_to_num(heard), cmap=SHARES, vmin=0, vmax=1.2)
    for (i, j), effect in np.ndenumerate(heard):
        said = "" if np.isnan(effect) else f"{effect:.2f}"
        axes.text(j, i, said, ha="center", va="center", color=INK)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("branch that hears")
    axes.set_ylabel("swapped")
    axes.set_title("exchange")
    axes.tick_params(length=0)
    axes.grid(visible=False)
