"""Figures that set side by side: models, modality subsets, electrodes, fusions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from eav_offline.common.console import counted
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.evaluation.ablation import WAYS
from eav_offline.evaluation.results import OUTPUT_NAMES, FusionAblation
from eav_offline.evaluation.statistics import Over
from eav_offline.report.drawing import (
    CARD,
    INK,
    RANGE,
    SHARES,
    Drawing,
    chance_label,
    chance_line,
    color_of,
    draw,
    listing,
    marker_of,
    note,
    percent_axis,
    wrapped,
)
from eav_offline.report.groups import Model

_MAPS_PER_ROW = 4
_MONTAGE = "colin27_1005"
_CENTER = (
    0.0,
    0.016,
    0.02,
)  # meters: where the montage has the middle of its electrodes
_HEAD_RADIUS = 0.115  # meters from there: encloses them all
WAY_NAMES = {
    "ambt": "AMBT",
    "exchange_off": "exchange\noff",
    "mean": "plain\nmean",
    "calibrated": "calibrated\nmean",
}


def subject_figure(
    accuracy: Mapping[str, Over], order: Sequence[str], knows: Sequence[str] = EMOTIONS
) -> Drawing:
    """Accuracy of every subject, and the mean over them.

    accuracy: by model. order: all models, which decides the colors. knows: of the model
    that knows least, which decides the line of chance.
    """
    subjects = sorted({s for over in accuracy.values() for s in over.by_subject})
    place = {subject: i for i, subject in enumerate(subjects)}

    def paint(figure: Figure) -> None:
        width = max(1.1, 0.75 * len(accuracy))
        ratio = [max(4.0, 0.22 * len(subjects)), width]
        points, means = figure.subplots(1, 2, sharey=True, width_ratios=ratio)
        for subject, x in place.items():
            theirs = [o.by_subject.get(subject, np.nan) for o in accuracy.values()]
            points.vlines(x, np.nanmin(theirs), np.nanmax(theirs), RANGE, lw=2)
        for i, (name, over) in enumerate(accuracy.items()):
            # Beside each other, so that equal accuracies do not hide one another.
            beside = 0.24 * (i - (len(accuracy) - 1) / 2) / max(1, len(accuracy) - 1)
            there = [place[subject] + beside for subject in over.by_subject]
            y = list(over.by_subject.values())
            style = {"linestyle": "none", **_look(name, order)}
            points.plot(
                there, y, markersize=5, label=wrapped(name, 44), zorder=3, **style
            )
            jitter = np.linspace(-0.18, 0.18, len(y)) if len(y) > 1 else [0.0]
            means.plot(i + np.array(jitter), y, markersize=3, alpha=0.35, **style)
            _mean_bar(means, i, over)
        for axes in (points, means):
            chance_line(axes, knows)
        chance_label(points, knows)
        points.set_xticks(range(len(subjects)), [str(s) for s in subjects])
        points.set_xlim(-0.8, len(subjects) - 0.2)
        points.tick_params(axis="x", labelsize=9 if len(subjects) < 30 else 8)
        points.grid(axis="x", visible=False)
        points.set_xlabel("subject")
        points.set_ylabel("accuracy")
        points.set_ylim(0, 1.02)
        percent_axis(points.yaxis)
        means.set_xticks([])
        means.set_xlim(-0.6, len(accuracy) - 0.4)
        means.set_xlabel("mean")
        figure.legend(loc="outside upper left", ncols=2)

    summary = "; ".join(
        f"{name}: mean {over.mean:.1%}, lowest {min(over.by_subject.values()):.1%}, "
        f"highest {max(over.by_subject.values()):.1%} over {over.n} subjects"
        for name, over in accuracy.items()
    )
    return draw(
        (max(8.0, min(13.0, 4 + 0.2 * len(subjects))), 4.4),
        paint,
        alt=f"Accuracy by subject. {summary}.",
        caption="Windows, seeds averaged within a subject. Right: all subjects, their "
        f"mean{_with_interval(accuracy.values())}.",
    )


def _with_interval(shown: Iterable[Over]) -> str:
    """What the caption says of the vertical lines, if there are any."""
    if any(over.interval is not None for over in shown):
        return " and its 95 % bootstrap interval by subject"
    return ""


def _look(name: str, order: Sequence[str]) -> dict[str, str]:
    i = order.index(name)
    return {"color": color_of(i), "marker": marker_of(i)}


def _mean_bar(axes: Axes, x: float, over: Over) -> None:
    axes.plot([x - 0.28, x + 0.28], [over.mean] * 2, color=INK, linewidth=2.2)
    if over.interval is not None:
        axes.vlines(x, *over.interval, color=INK, linewidth=1.4)
    top = over.interval[1] if over.interval else over.mean
    ground = {"facecolor": CARD, "edgecolor": "none", "alpha": 0.8, "pad": 1}
    how = {"ha": "center", "fontweight": "bold", "bbox": ground}
    note(axes, f"{100 * over.mean:.1f}", (x, top), (0, 4), **how)


def subset_figure(
    accuracy: Mapping[str, Mapping[str, Over]],
    order: Sequence[str],
    knows: Sequence[str] = EMOTIONS,
) -> Drawing:
    """Fused accuracy with some modalities only.

    accuracy: by model, by subset. The others: see `subject_figure`.
    """
    subsets = list(
        dict.fromkeys(subset for found in accuracy.values() for subset in found)
    )
    subsets.sort(key=lambda name: name.count("+"))
    width = 0.82 / len(accuracy)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        for i, (name, found) in enumerate(accuracy.items()):
            shift = (i - (len(accuracy) - 1) / 2) * width
            color = color_of(order.index(name))
            for subset, over in found.items():
                label = wrapped(name, 44) if subset == next(iter(found)) else None
                x = subsets.index(subset) + shift
                _bar(axes, x, over, width, color, label)
        chance_line(axes, knows)
        chance_label(axes, knows)
        labels = [subset_name(subset).replace(" + ", "\n+ ") for subset in subsets]
        axes.set_xticks(range(len(subsets)), labels)
        axes.tick_params(axis="x", length=0)
        axes.grid(axis="x", visible=False)
        axes.set_xlim(-0.6, len(subsets) + 0.1)  # room for the name of the line
        axes.set_ylim(0, 1.08)  # room for the number above a whole bar
        axes.set_ylabel("accuracy of the fused output")
        percent_axis(axes.yaxis)
        figure.legend(loc="outside upper left", ncols=2)

    summary = "; ".join(
        f"{name}: "
        + ", ".join(f"{subset_name(s)} {over.mean:.1%}" for s, over in found.items())
        for name, found in accuracy.items()
    )
    return draw(
        (10.5, 4.2),
        paint,
        alt=f"Accuracy by the modalities present. {summary}.",
        caption="Mean over subjects"
        + _with_interval(o for found in accuracy.values() for o in found.values())
        + ". With all modalities it is the fused output of the results.",
    )


def _bar(
    axes: Axes, x: float, over: Over, width: float, color: str, label: str | None
) -> None:
    axes.bar(x, over.mean, width * 0.94, color=color, label=label)
    top = over.mean
    if over.interval is not None:
        axes.vlines(x, *over.interval, color=INK, linewidth=1.3)
        top = over.interval[1]
    wide = width > 0.25  # with room for the digit that the tables have
    how = {"ha": "center", "fontsize": 9 if width > 0.15 else 7.5}
    note(axes, f"{100 * over.mean:.{int(wide)}f}", (x, top), (0, 3), **how)


def subset_name(subset: str) -> str:
    """`eeg+audio` as people read it."""
    return " + ".join(OUTPUT_NAMES[part] for part in subset.split("+"))


def scalp_figure(saliency: Mapping[str, Mapping[str, float]]) -> Drawing:
    """Where on the scalp the EEG logits hang. saliency: by model, by electrode."""
    rows = -(-len(saliency) // _MAPS_PER_ROW)
    columns = min(len(saliency), _MAPS_PER_ROW)
    # In even shares, so that 1 is what every electrode would have.
    ratios = {name: even_shares(shares) for name, shares in saliency.items()}
    most = max(abs(x - 1) for found in ratios.values() for x in found.values())

    def paint(figure: Figure) -> None:
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in panels[len(saliency) :]:
            axes.set_axis_off()
        for axes, (name, found) in zip(panels, ratios.items(), strict=False):
            image = _scalp(axes, found, most)
            axes.set_title(wrapped(name, 28), loc="center")
        bar = figure.colorbar(image, ax=list(panels), shrink=0.7, pad=0.03)
        bar.set_label("times an even share of the saliency")
        bar.outline.set_visible(False)

    strongest = "; ".join(
        f"{name}: {listing(sorted(shares, key=lambda c: -shares[c])[:3])}"
        for name, shares in saliency.items()
    )
    return draw(
        (1.4 + 3.7 * columns, 0.4 + 3.7 * rows),
        paint,
        alt=f"Scalp maps of EEG saliency, seen from above. Strongest: {strongest}.",
        caption="Mean of |input x gradient| of the true emotion's EEG logit, summed "
        "over time, against an even share among all electrodes; seen from above, nose "
        "up. It shows what the model uses, not where in the brain an emotion arises.",
    )


def even_shares(shares: Mapping[str, float]) -> dict[str, float]:
    """Each share as a multiple of the mean share."""
    even = sum(shares.values()) / len(shares)
    return {name: share / even for name, share in shares.items()}


def _scalp(axes: Axes, ratios: Mapping[str, float], most: float) -> Any:
    import mne  # a second of import that only this figure needs

    names = list(ratios)
    info = mne.create_info(names, sfreq=100, ch_types="eeg", verbose="error")
    info.set_montage(_MONTAGE, verbose="error")
    # MNE's circle stands at the origin, the electrodes before and above it.
    places = {ch["ch_name"]: ch["loc"][:3] - np.array(_CENTER) for ch in info["chs"]}
    info.set_montage(mne.channels.make_dig_montage(places, coord_frame="head"))
    image, _ = mne.viz.plot_topomap(
        np.array(list(ratios.values())),
        info,
        axes=axes,
        show=False,
        names=names,
        contours=4,
        extrapolate="head",
        sphere=(0.0, 0.0, 0.0, _HEAD_RADIUS),
        cmap="RdBu_r",
        vlim=(1 - most, 1 + most),
    )
    for line in axes.lines:
        line.set_color(INK)
    for name in axes.texts:
        # On the map's own colors, which are the same in the dark.
        name.set(va="bottom", fontsize=8, color="black")
        name.set_path_effects([withStroke(linewidth=2, foreground="white")])
    return image


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
