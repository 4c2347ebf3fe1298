"""The page of a report: what it says, in which order, filled into its template."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata, resources
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from eav_offline.common.console import counted
from eav_offline.config import to_toml
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.model_names import STAGES
from eav_offline.evaluation.results import OUTPUT_NAMES
from eav_offline.report.comparing import (
    exchange_in_words,
    fusion_figure,
    scalp_figure,
    subject_figure,
    subset_figure,
    subset_name,
)
from eav_offline.report.drawing import color_of, dark_color, listing
from eav_offline.report.figures import (
    STAGE_NAMES,
    confusion_figure,
    learned_in_words,
    learning_figure,
    reliability_figure,
)
from eav_offline.report.groups import Model, flat
from eav_offline.report.runs import Unreadable
from eav_offline.report.tables import (
    ABSENT,
    OutputRow,
    compare_across,
    compare_outputs,
    fusion_gains,
    interval,
    mean_and_sd,
    mean_saliency,
    no_signal_rows,
    p_value,
    percent,
    run_accuracy,
    subset_table,
)

TITLE = "Emotion recognition from EEG, audio and video"
_CONTENTS = (
    ("results", "Results"),
    ("fusion", "Fusion"),
    ("comparisons", "Comparisons"),
    ("published", "Published by others"),
    ("subjects", "Subjects"),
    ("modalities", "Modalities"),
    ("confusion", "Confusion"),
    ("calibration", "Calibration"),
    ("learning", "Learning"),
    ("electrodes", "Electrodes"),
    ("zero-shot", "Zero-shot EEG"),
    ("settings", "Settings, versions, timings"),
    ("runs", "Runs"),
    ("method", "How to read this"),
)
_SUMMED_UP = 3  # models that the summary names one by one
_FEW_SUBJECTS = 6


def page(
    models: Sequence[Model],
    rows: Sequence[OutputRow],
    unreadable: Sequence[Unreadable],
    tables: Sequence[str],
    zero_shot: Mapping[str, Any] | None = None,
) -> str:
    """The whole page, which needs nothing from outside it.

    rows: of `output_rows`. tables: names of the CSV files that lie beside the page.
    zero_shot: of `zero_shot_section`.
    """
    figures = _figures(models, rows)
    left_out = {
        key
        for key, drawing in (
            ("fusion", figures["fusions"] or None),
            ("modalities", figures["subset_figure"]),
            ("electrodes", figures["scalp_figure"]),
            ("zero-shot", zero_shot),
        )
        if drawing is None
    }
    subsets = subset_table(models)
    return _render(
        "page.html",
        synthetic=synthetic_notice(models),
        notices=_notices(models, unreadable),
        summary=_summary(models, rows),
        contents=[(k, heading) for k, heading in _CONTENTS if k not in left_out],
        models=models,
        colors={
            model.name: f"{color_of(i)}, {dark_color(color_of(i))}"
            for i, model in enumerate(models)
        },
        only_subject="; ".join(_said(row, with_protocol=False) for row in _main(rows)),
        exchanged={model.name: exchange_in_words(model) for model in models},
        learned={model.name: learned_in_words(model) for model in models},
        run_accuracy=run_accuracy,
        counted=counted,
        results=[(m, [r for r in rows if r.model.name == m.name]) for m in models],
        across=compare_across(rows),
        within=compare_outputs(rows),
        gains=fusion_gains(rows),
        no_signal=no_signal_rows(models),
        published=PUBLISHED,
        published_warning=WARNING,
        subsets=subsets,
        subset_names={
            key: subset_name(key)
            for key in sorted(
                {key for found in subsets.values() for key in found},
                key=lambda key: (key.count("+"), _rank(key)),
            )
        },
        settings={model.name: _settings(model) for model in models},
        versions=_versions(models),
        **_timings(models),
        unreadable=unreadable,
        n_runs=sum(len(model.runs) for model in models),
        tables=tables,
        output_names=OUTPUT_NAMES,
        absent=ABSENT,
        zero_shot=zero_shot,
        **figures,
    )


def zero_shot_page(synthetic: bool, section: Mapping[str, Any] | None) -> str:
    """A page of zero-shot runs alone; section: of `zero_shot_section`."""
    return _render("zero_shot_page.html", synthetic=synthetic, zero_shot=section)


def _render(name: str, **values: Any) -> str:
    """Fill a template of this package in."""
    environment = Environment(
        loader=PackageLoader("eav_offline.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "mean_and_sd": mean_and_sd,
        "interval": interval,
        "percent": percent,
        "p_value": p_value,
        "mean": lambda over: percent(None if over is None else over.mean),
        "nats": lambda value: ABSENT if value is None else f"{value:.2f}",
    }
    css = resources.files("eav_offline.report").joinpath("style.css").read_text("utf-8")
    return environment.get_template(name).render(
        title=TITLE,
        css=Markup(css),  # the project's own, so safe; everything else is escaped
        version=metadata.version("eav-live"),
        made=time.strftime("%d %B %Y, %H:%M").lstrip("0"),
        **values,
    )


def _rank(subset: str) -> list[int]:
    order = list(OUTPUT_NAMES)
    return [order.index(part) for part in subset.split("+")]


def _figures(models: Sequence[Model], rows: Sequence[OutputRow]) -> dict[str, Any]:
    names = [model.name for model in models]
    main = {row.model.name: row.accuracy for row in _main(rows)}
    people = {subject for model in models for subject in model.subjects}
    subsets = subset_table(models)
    knows = min((model.knows for model in models), key=len)
    found = {model.name: mean_saliency(model) for model in models}
    saliency = {name: shares for name, shares in found.items() if shares is not None}
    return {
        # Of one person the numbers say it all.
        "subject_figure": subject_figure(main, names, knows)
        if len(people) > 1
        else None,
        "subset_figure": subset_figure(subsets, names, knows) if subsets else None,
        "scalp_figure": scalp_figure(saliency) if saliency else None,
        "fusions": {
            model.name: figure
            for model in models
            if (figure := fusion_figure(model)) is not None
        },
        "confusions": {model.name: confusion_figure(model) for model in models},
        "reliabilities": {model.name: reliability_figure(model) for model in models},
        "learnings": {
            model.name: learning_figure(model) for model in models if model.stages
        },
    }


def synthetic_notice(models: Sequence[Model]) -> str:
    """Which figures come from synthetic people; empty if none does."""
    names = [model.name for model in models if model.is_synthetic]
    if not names:
        return ""
    if len(names) == len(models):
        return "All runs of this report were trained on synthetic people."
    verb = "was" if len(names) == 1 else "were"
    return f"{listing(names)} {verb} trained on synthetic people."


def _notices(models: Sequence[Model], unreadable: Sequence[Unreadable]) -> list[str]:
    notices = []
    if unreadable:
        n = len(unreadable)
        notices.append(
            f"{counted(n, 'run')} could not be read or had failed; the reasons are "
            "under Runs."
        )
    few = {m.name: len(m.subjects) for m in models if len(m.subjects) < _FEW_SUBJECTS}
    if few:
        low, high = min(few.values()), max(few.values())
        told = counted(high, "subject") if low == high else f"{low} to {high} subjects"
        who = "All models were" if len(few) > 1 else f"{next(iter(few))} was"
        if 1 < len(few) < len(models):
            who = f"{listing(list(few))} were"
        notices.append(
            f"{who} tested on {told} only: too few to say anything about people in "
            "general."
        )
    for model in models:
        if model.knows != EMOTIONS:
            notices.append(
                f"{model.name} knows {listing(model.knows)} only: guessing reaches "
                f"{100 / len(model.knows):.0f}\u00a0%."
            )
        if n := sum(run.results.n_left_out for run in model.runs):
            notices.append(
                f"{counted(n, 'test window')} {'is' if n == 1 else 'are'} left out of "
                f"the figures of {model.name}: no training trial showed their emotion."
            )
    repeated = [name for model in models for name in model.repeated]
    if repeated:
        verb = "tests" if len(repeated) == 1 else "test"
        named = [*repeated[:5], *(["others"] if len(repeated) > 5 else [])]
        notices.append(
            f"{listing(named)} {verb} subjects under a seed that another run of the "
            "same model already has; they are averaged as if they were further seeds."
        )
    return notices


def _main(rows: Sequence[OutputRow]) -> list[OutputRow]:
    """The row that stands for each model: the one figure of summary and charts."""
    return [row for row in rows if row.output == row.model.main_output]


def _summary(models: Sequence[Model], rows: Sequence[OutputRow]) -> str:
    n_runs = sum(len(model.runs) for model in models)
    subjects = {subject for model in models for subject in model.subjects}
    seeds = {seed for model in models for seed in model.seeds}
    numbers = ", ".join(
        counted(n, what)
        for n, what in (
            (n_runs, "training run"),
            (len(models), "model"),
            (len(subjects), "subject"),
            (len(seeds), "seed"),
        )
    )
    protocols = {model.protocol for model in models}
    apart = len(protocols) > 1
    where = "" if apart else f" ({models[0].protocol})"
    main = _main(rows)
    if len(main) > _SUMMED_UP:
        main.sort(key=lambda row: row.accuracy.mean)
        told = f"from {_said(main[0], apart)} to {_said(main[-1], apart)}"
    else:
        told = "; ".join(_said(row, apart) for row in main)
    return (
        f"{numbers}. Accuracy on test windows that nothing was chosen on{where}: "
        f"{told}. {_guessing(models)}"
    )


def _guessing(models: Sequence[Model]) -> str:
    numbers = sorted({len(model.knows) for model in models})
    words = " or ".join(("two", "three", "four", "five")[n - 2] for n in numbers)
    reached = " or ".join(f"{100 / n:.0f}\u00a0%" for n in numbers)
    return f"Guessing among {words} emotions reaches {reached}."


def _said(row: OutputRow, with_protocol: bool) -> str:
    over = row.accuracy
    alone = len(row.model.modalities) == 1
    output = "" if alone or row.output == "fused" else f" {OUTPUT_NAMES[row.output]}"
    synthetic = " on synthetic people" if row.model.is_synthetic else ""
    protocol = f" ({row.model.protocol})" if with_protocol else ""
    known = f"{row.model.name}{output}{protocol}{synthetic} {percent(over.mean)}\u00a0%"
    if over.interval is not None:
        known += f" (95\u00a0% interval by subject {interval(over)})"
    return known


def _settings(model: Model) -> str:
    """The configuration as a file would have it, and what else made the model."""
    also = [f"{key} = {value!r}" for key, value in flat(model.made_with).items()]
    return "\n".join([to_toml(model.config), *also]).rstrip()


def _versions(models: Sequence[Model]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for model in models:
        for run in model.runs:
            for name, version in run.results.versions.items():
                found.setdefault(name, set()).add(version)
    return {name: sorted(versions) for name, versions in sorted(found.items())}


def _timings(models: Sequence[Model]) -> dict[str, Any]:
    """Seconds of each stage by model, as text, and where they were spent."""
    timings: dict[str, dict[str, str]] = {}
    devices: dict[str, str] = {}
    for model in models:
        taken = [run.results.timings for run in model.runs if run.results.timings]
        if not taken:
            continue
        told = {}
        for stage in {name for seconds in taken for name in seconds}:
            seconds = [times[stage] for times in taken if stage in times]
            told[stage] = f"{np.mean(seconds):.1f}"
            if len(seconds) > 1:
                told[stage] += f" ({min(seconds):.1f} to {max(seconds):.1f})"
        timings[model.name] = told
        named = {run.results.device for run in model.runs if run.results.device}
        devices[model.name] = ", ".join(sorted(named)) or ABSENT
    stages = {name for told in timings.values() for name in told}
    order = [*STAGES, *sorted(stages - set(STAGES))]
    return {
        "timings": timings,
        "timing_stages": {
            stage: STAGE_NAMES.get(stage, stage) for stage in order if stage in stages
        },
        "devices": devices,
    }


@dataclass(frozen=True)
class Published:
    """One line of the table: percent of five classes, as text; empty if not given.

    address: where the figures can be read; what has none is no reference.
    """

    source: str
    address: str
    protocol: str
    eeg: str = ""
    audio: str = ""
    video: str = ""
    fused: str = ""
    note: str = ""


WARNING = (
    "Most published accuracies are those of the best epoch on the test set, which "
    "inflates them by 5.3 to 7.5 points. Figures of this report come from models whose "
    "epoch was fixed beforehand or chosen on validation trials."
)
_WITHIN = "within subject, 280 / 120 windows"
PUBLISHED = (
    Published(
        "Lee et al., Scientific Data 11:1026 (2024)",
        "https://doi.org/10.1038/s41597-024-03838-4",
        _WITHIN,
        eeg="60.0",
        audio="61.9",
        video="71.4",
        note="video with ViViT: 74.5",
    ),
    Published(
        "arXiv 2411.00822 (per-subject table)",
        "https://arxiv.org/abs/2411.00822",
        _WITHIN,
        eeg="53.5 ± 10.9",
        audio="58.2 ± 10.2",
        video="67.2 ± 8.5",
        fused="70.9 ± 8.9",
    ),
    Published(
        "arXiv 2601.22161",
        "https://arxiv.org/abs/2601.22161",
        _WITHIN,
        eeg="67.6",
        audio="65.6",
        video="75.3",
        note="frequency features; delta MFCC; ViT pretrained on faces",
    ),
    Published(
        "AMBT, README of its repository BCI_software (2026)",
        "https://github.com/minholee2087/BCI_software",
        _WITHIN,
        fused="85.1",
        note="how the epoch was chosen is not known",
    ),
    Published(
        "Audit of EAV, MSE-CAPSTONE-PROJECT at 4d0e050 (not peer-reviewed)",
        "https://github.com/ttuan8600/MSE-CAPSTONE-PROJECT/blob/4d0e050/docs/"
        "CHANGELOG.md",
        "new person, whole 20 s trials, 7 folds x 3 seeds",
        eeg="45.3 ± 0.9",
        audio="62.8 ± 1.5",
        fused="67.0 ± 1.1",
        note="plain mean; the spread is over seeds",
    ),
)
