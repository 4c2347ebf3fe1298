"""Zero-shot runs in the report: a table, confusion matrices, maps of both spaces."""

import base64
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from eav_offline.common.console import counted
from eav_offline.common.files import write_atomically
from eav_offline.core.labels import EMOTION_COLOR_LIST, EMOTIONS, N_EMOTIONS
from eav_offline.report.drawing import INK, Drawing, draw, emotion_labels, matrix
from eav_offline.report.runs import Unreadable
from eav_offline.training.run_folder import RunFolder, RunUnreadable
from eav_offline.zero_shot.study import (
    FORMAT,
    MAPS_FILE,
    RULES,
    ZERO_SHOT_FILE,
    summarize_zero_shot,
)

log = logging.getLogger(__name__)

_RULE_NAMES = {"nearest": "nearest centroid", "classifier": "classifier"}
_METRICS = ("seen", "unseen", "harmonic", "seen_unseen_area", "conventional")
_PANELS = (
    ("eeg_before", "EEG, before"),
    ("av_before", "Sound and face, before"),
    ("eeg_after", "EEG, joint space"),
    ("av_after", "Sound and face, joint space"),
)
_CIRCLE, _STAR = 14, 70  # points², of seen and unseen classes' windows
_MOST_DRAWN = 10  # figures of each kind and group: the page stays readable


@dataclass(frozen=True)
class ZeroShotRun:
    """One run as it lies on disk. maps: see `zero_shot.maps`; empty if not computed."""

    name: str
    results: Mapping[str, Any]
    maps: Mapping[str, np.ndarray]


def read_zero_shot(
    places: Sequence[Path],
) -> tuple[list[ZeroShotRun], list[Unreadable]]:
    """All zero-shot runs in these folders and below, in the order of their names."""
    folders = {f.parent.resolve() for p in places for f in p.rglob(ZERO_SHOT_FILE)}
    runs, unreadable = [], []
    for folder in sorted(folders):
        name = "/".join(folder.parts[-3:])
        try:
            runs.append(_read(name, RunFolder(folder)))
        except RunUnreadable as error:
            log.warning("%s is left out: %s", folder, error.reason)
            unreadable.append(Unreadable(name, error.reason))
    return runs, unreadable


def zero_shot_section(
    runs: Sequence[ZeroShotRun], unreadable: Sequence[Unreadable] = ()
) -> dict[str, Any] | None:
    """What its section of the page tells; None if there is nothing."""
    if not runs and not unreadable:
        return None
    groups = [_group(mode, demo, some) for (mode, demo), some in _grouped(runs)]
    return {"groups": groups, "unreadable": unreadable}


def write_figures(folder: Path) -> list[Path]:
    """Draw the figures of one run into its folder as SVG; returns their paths."""
    run = _read(folder.name, RunFolder(folder))
    written = []
    for name, drawing in _drawings([run]):
        path = folder / f"{name}.svg"
        write_atomically(path, base64.b64decode(drawing.uri.split(",", 1)[1]))
        written.append(path)
    return written


def zero_shot_confusions(runs: Sequence[ZeroShotRun], held_out: str) -> Drawing:
    """Both rules' matrices, summed over runs; unseen classes have a star."""
    counts = {
        rule: np.sum(
            [r.results["held_out"][held_out]["rules"][rule]["confusion"] for r in runs],
            axis=0,
        )
        for rule in RULES
    }
    unseen = runs[0].results["held_out"][held_out]["unseen"]
    labels = _starred(unseen)

    def paint(figure: Figure) -> None:
        panels = figure.subplots(1, len(RULES), squeeze=False)[0]
        for axes, rule in zip(panels, RULES, strict=True):
            shares = counts[rule] / np.maximum(counts[rule].sum(1, keepdims=True), 1)
            rows = labels if rule == RULES[0] else []
            matrix(axes, shares, _starred(unseen, 3), rows)
            axes.set_title(_RULE_NAMES[rule].capitalize())
        panels[0].set_ylabel("true emotion")
        figure.supxlabel("recognized emotion", fontsize=9.5)

    recalls = "; ".join(
        f"{_RULE_NAMES[rule]}: "
        + ", ".join(
            f"{EMOTIONS[k]} {counts[rule][k, k] / max(1, counts[rule][k].sum()):.0%}"
            for k in range(N_EMOTIONS)
        )
        for rule in RULES
    )
    return draw(
        (6.6, 3.4),
        paint,
        alt=f"Confusion matrices of EEG without {held_out}. Recognized rightly, by "
        f"true emotion: {recalls}.",
        caption=f"EEG, unseen: {_told(held_out)}. Percent of the true emotion's test "
        f"windows, {counted(len(runs), 'run')}; a star marks what "
        "EEG never saw.",
    )


def zero_shot_map(run: ZeroShotRun, held_out: str) -> Drawing | None:
    """t-SNE of the test windows before and in the joint space; None without maps."""
    if f"{held_out}.eeg_before" not in run.maps:
        return None
    unseen = run.results["held_out"][held_out]["unseen"]

    def paint(figure: Figure) -> None:
        panels = figure.subplots(2, 2).ravel()
        for axes, (key, title) in zip(panels, _PANELS, strict=True):
            places = run.maps[f"{held_out}.{key}"]
            _scatter(axes, places, run.maps[f"{held_out}.{key}_emotion"], unseen)
            axes.set_title(title)
        both = [panel.dataLim for panel in panels[2:]]
        low = np.min([limits.min for limits in both], axis=0)
        high = np.max([limits.max for limits in both], axis=0)
        margin = 0.05 * (high - low)
        for axes in panels[2:]:  # one map in two panels
            axes.set_xlim(low[0] - margin[0], high[0] + margin[0])
            axes.set_ylim(low[1] - margin[1], high[1] + margin[1])
        handles = [
            Line2D(
                [],
                [],
                linestyle="",
                marker="*" if k in unseen else "o",
                markersize=9 if k in unseen else 5,
                markerfacecolor=color,
                markeredgecolor=INK,
                markeredgewidth=0.4,
                label=label,
            )
            for k, (color, label) in enumerate(
                zip(EMOTION_COLOR_LIST, emotion_labels(), strict=True)
            )
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=N_EMOTIONS)

    return draw(
        (7.2, 6.8),
        paint,
        alt="t-SNE of test windows, EEG and sound with face, before and in the joint "
        f"space; stars are windows of {_told(held_out)}, which EEG training never saw.",
        caption=f"t-SNE of {run.name}'s test windows, unseen: {_told(held_out)} "
        "(stars). Before, each side has a map of its own; the lower two are one map. "
        "Distances between far groups mean little in such maps.",
    )


def _scatter(
    axes: Axes, places: np.ndarray, emotion: np.ndarray, unseen: Sequence[int]
) -> None:
    for k, color in enumerate(EMOTION_COLOR_LIST):
        here = places[emotion == k]
        star = k in unseen
        axes.scatter(
            here[:, 0],
            here[:, 1],
            s=_STAR if star else _CIRCLE,
            marker="*" if star else "o",
            color=color,
            edgecolors=INK,
            linewidths=0.4,
            zorder=3 if star else 2,
        )
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)


def _read(name: str, folder: RunFolder) -> ZeroShotRun:
    results = folder.read_json(ZERO_SHOT_FILE)
    if results.get("format") != FORMAT:
        raise folder.unreadable(
            f"{ZERO_SHOT_FILE} is of format {results.get('format', 'unnumbered')}, "
            f"expected {FORMAT}: run it again with this version"
        )
    try:
        summarize_zero_shot([results])  # raises if a figure is missing
        for figures in results["held_out"].values():
            for rule in RULES:
                if np.shape(figures["rules"][rule]["confusion"]) != (N_EMOTIONS,) * 2:
                    raise ValueError("a confusion matrix is not 5 x 5")
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise folder.unreadable(f"{ZERO_SHOT_FILE}: {error}") from error
    there = (folder.path / MAPS_FILE).is_file()
    return ZeroShotRun(name, results, folder.read_arrays(MAPS_FILE) if there else {})


def _grouped(
    runs: Sequence[ZeroShotRun],
) -> list[tuple[tuple[str, bool], list[ZeroShotRun]]]:
    """Runs of one mode, real and synthetic people apart."""
    groups: dict[tuple[str, bool], list[ZeroShotRun]] = {}
    for run in runs:
        key = (str(run.results["mode"]), bool(run.results["demo"]))
        groups.setdefault(key, []).append(run)
    return sorted(groups.items())


def _group(mode: str, demo: bool, runs: Sequence[ZeroShotRun]) -> dict[str, Any]:
    summary = summarize_zero_shot([run.results for run in runs])
    sets = [(name, rules, False) for name, rules in summary["held_out"].items()]
    if summary["average"]:
        sets.append(("average of five", summary["average"], True))
    people, n = summary["n_subjects"], len(runs)
    return {
        "title": f"{mode.capitalize()}: {counted(people, 'subject')}, "
        f"{counted(n, 'run')}",
        "demo": demo,
        "rows": [
            {
                "name": _told(name),
                "rule": _RULE_NAMES[rule],
                "cells": [_cell(figures.get(metric)) for metric in _METRICS],
                "people": figures["seen"]["n_subjects"],
                "main": main,
            }
            for name, rules, main in sets
            for rule, figures in rules.items()
        ],
        "drawings": [drawing for _, drawing in _drawings(runs)],
    }


def _drawings(runs: Sequence[ZeroShotRun]) -> list[tuple[str, Drawing]]:
    """By file name: matrices over the runs that have a set, and the first one's map."""
    names = list(dict.fromkeys(n for run in runs for n in run.results["held_out"]))
    drawn = []
    for name in names[:_MOST_DRAWN]:
        some = [run for run in runs if name in run.results["held_out"]]
        drawn.append((f"confusion_{name}", zero_shot_confusions(some, name)))
        spaces = zero_shot_map(some[0], name)
        if spaces is not None:
            drawn.append((f"spaces_{name}", spaces))
    return drawn


def _starred(unseen: Sequence[int], letters: int | None = None) -> list[str]:
    return [
        f"★ {label[:letters]}" if k in unseen else label[:letters]
        for k, label in enumerate(emotion_labels())
    ]


def _told(held_out: str) -> str:
    """anger+happiness -> anger and happiness."""
    return held_out.replace("+", " and ")


def _cell(figure: Mapping[str, Any] | None) -> str:
    if figure is None:
        return "–"
    text = f"{100 * figure['mean']:.1f}"
    return text if figure["sd"] is None else f"{text} ± {100 * figure['sd']:.1f}"
