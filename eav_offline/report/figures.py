"""Figures of one model: confusion matrices, reliability, learning curves.

Figures that set models side by side: subjects, modality subsets, the scalp.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from eav_offline.common.console import counted
from eav_offline.core.labels import EMOTION_COLORS, EMOTIONS
from eav_offline.evaluation.metrics import N_BINS
from eav_offline.evaluation.results import OUTPUT_NAMES
from eav_offline.report.drawing import (
    CARD,
    CRIMSON,
    GRID,
    INK,
    MUTED,
    QUIET,
    RANGE,
    SLATE,
    Drawing,
    chance_label,
    chance_line,
    color_of,
    draw,
    emotion_labels,
    listing,
    marker_of,
    matrix,
    note,
    percent_axis,
    wrapped,
)
from eav_offline.report.groups import Model
from eav_offline.report.runs import Epoch
from eav_offline.report.tables import Calibration, Over, calibration, confusion

STAGE_NAMES = {**OUTPUT_NAMES, "ambt": "AMBT"}
_FEW_RUNS = 8  # more are drawn as a band
_LEAST_SHARE = 0.01  # of the windows: the accuracy of a smaller bin is mostly chance
_MAPS_PER_ROW = 4
_MONTAGE = "colin27_1005"
_CENTER = (
    0.0,
    0.016,
    0.02,
)  # meters: where the montage has the middle of its electrodes
_HEAD_RADIUS = 0.115  # meters from there: encloses them all


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
    for part, color, style in (
        ("train", SLATE, "-"),
        ("validation", CRIMSON, "--"),
    ):
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
