"""The numbers of a report: rows for the page, and CSV files with all digits."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from eav_offline.evaluation.results import OUTPUTS
from eav_offline.evaluation.statistics import Comparison, compare_models, holm
from eav_offline.report.groups import Model, protocol_key
from eav_offline.report.measures import (
    MEASURES,
    Calibration,
    Over,
    accuracy_without_first,
    calibration,
    measure,
    nll_without_first,
    smoothed_accuracy,
    subset_accuracy,
    subsets_of,
    trial_accuracy,
)

ABSENT = "–"
OVER_SUBJECTS = (
    *MEASURES,
    "trial_accuracy",
    "smoothed_accuracy",
    "accuracy_without_first",
)

Cell = str | int | float | None


@dataclass(frozen=True)
class OutputRow:
    """What one output of one model reaches. over: by `OVER_SUBJECTS`.

    nll_without_first: over windows that do not begin a trial, None if there are none.
    """

    model: Model
    output: str
    over: dict[str, Over | None]
    calibration: Calibration
    nll_without_first: float | None

    @property
    def accuracy(self) -> Over:
        """Over subjects; every output that was scored has it."""
        accuracy = self.over["accuracy"]
        assert accuracy is not None
        return accuracy


@dataclass(frozen=True)
class Compared:
    """A paired comparison of accuracies, and the protocol or model it is within."""

    within: str
    comparison: Comparison


def output_rows(models: Sequence[Model]) -> list[OutputRow]:
    """A row for every output of every model."""
    return [
        OutputRow(
            model,
            output,
            {name: measure(model, output, name) for name in MEASURES}
            | {
                "trial_accuracy": trial_accuracy(model, output),
                "smoothed_accuracy": smoothed_accuracy(model, output),
                "accuracy_without_first": accuracy_without_first(model, output),
            },
            calibration(model, output),
            nll_without_first(model, output),
        )
        for model in models
        for output in model.outputs
    ]


def subset_table(models: Sequence[Model]) -> dict[str, dict[str, Over]]:
    """Fused accuracy by model and by the modalities present."""
    table = {}
    for model in models:
        found = {name: subset_accuracy(model, name) for name in subsets_of(model)}
        known = {name: over for name, over in found.items() if over is not None}
        if len(known) > 1:
            table[model.name] = known
    return table


def compare_across(rows: Sequence[OutputRow]) -> list[Compared]:
    """The models of each protocol against each other, by their main output.

    Of the same people: subject 1 of a synthetic set is not subject 1 of EAV.
    """
    protocols: dict[tuple[object, ...], dict[str, dict[int, float]]] = {}
    told: dict[tuple[object, ...], str] = {}
    for row in rows:
        if row.output == row.model.main_output:
            model = row.model
            key = (protocol_key(model.runs[0]), model.is_synthetic)
            told.setdefault(key, model.protocol)
            scores = protocols.setdefault(key, {})
            scores[row.model.name] = row.accuracy.by_subject
    return [
        Compared(told[key], comparison)
        for key, scores in protocols.items()
        for comparison in compare_models(scores)
    ]


def compare_outputs(rows: Sequence[OutputRow]) -> list[Compared]:
    """Each model's fused output against its others, corrected together."""
    found = []
    for model in {row.model.name: row.model for row in rows}.values():
        scores = {
            row.output: row.accuracy.by_subject
            for row in rows
            if row.model.name == model.name
        }
        if "fused" not in scores:
            continue
        pairs = compare_to(scores, "fused")
        found += [Compared(model.name, comparison) for comparison in pairs]
    return found


def compare_to(
    scores: Mapping[str, Mapping[int, float]], first: str
) -> list[Comparison]:
    """One against each of the others, Holm-corrected over these pairs alone."""
    pairs = [
        comparison
        for name in OUTPUTS
        if name in scores and name != first
        for comparison in compare_models({first: scores[first], name: scores[name]})
    ]
    corrected = holm([pair.p for pair in pairs])
    return [replace(pair, p_holm=p) for pair, p in zip(pairs, corrected, strict=True)]


def models_csv(rows: Sequence[OutputRow]) -> str:
    """A line for every output of every model, shares from 0 to 1."""
    header = ["model", "protocol", "synthetic", "output", "n_subjects", "n_runs"]
    for name in OVER_SUBJECTS:
        header += [f"{name}_{part}" for part in ("mean", "sd", "low", "high")]
    header += ["nll", "nll_scaled", "ece", "ece_scaled", "nll_without_first"]
    lines: list[list[Cell]] = []
    for row in rows:
        model, measured = row.model, row.calibration
        line: list[Cell] = [model.name, model.protocol, int(model.is_synthetic)]
        line += [row.output, row.accuracy.n, len(model.runs)]
        for name in OVER_SUBJECTS:
            line += _parts(row.over[name])
        line += [measured.nll, measured.nll_scaled, measured.ece, measured.ece_scaled]
        line += [row.nll_without_first]
        lines.append(line)
    return _csv(header, lines)


def subjects_csv(models: Sequence[Model]) -> str:
    """A line for every subject, output and model, seeds averaged."""
    scores = (*MEASURES, "nll", "ece")
    lines: list[list[Cell]] = []
    for model in models:
        for output in model.outputs:
            found = {name: measure(model, output, name) for name in scores}
            for subject in model.subjects:
                tested = [
                    run
                    for run in model.runs
                    if subject in run.results.by_subject
                    and output in run.results.by_subject[subject].modalities
                ]
                if not tested:
                    continue
                line: list[Cell] = [model.name, model.protocol, output, subject]
                line += [len(tested)]
                line += [
                    over.by_subject.get(subject) if over else None
                    for over in found.values()
                ]
                lines.append(line)
    return _csv(["model", "protocol", "output", "subject", "n_runs", *scores], lines)


def subsets_csv(models: Sequence[Model]) -> str:
    """A line for every subset of modalities and model: the fused output's accuracy."""
    lines: list[list[Cell]] = []
    for model in models:
        for subset in subsets_of(model):
            over = subset_accuracy(model, subset)
            n = over.n if over else 0
            lines.append([model.name, model.protocol, subset, n, *_parts(over)])
    parts = [f"accuracy_{part}" for part in ("mean", "sd", "low", "high")]
    return _csv(["model", "protocol", "modalities", "n_subjects", *parts], lines)


def percent(share: float | None, digits: int = 1) -> str:
    """0.7312 as 73.1."""
    return ABSENT if share is None else f"{100 * share:.{digits}f}"


def mean_and_sd(over: Over | None) -> str:
    """Percent, with the spread over subjects where there are several."""
    if over is None:
        return ABSENT
    if over.sd is None:
        return percent(over.mean)
    return f"{percent(over.mean)} ± {percent(over.sd)}"


def interval(over: Over | None) -> str:
    """The 95 % interval in percent."""
    if over is None or over.interval is None:
        return ABSENT
    low, high = over.interval
    return f"{percent(low)} to {percent(high)}"


def p_value(p: float) -> str:
    """A p-value with as many digits as matter."""
    if p < 0.001:
        return "< 0.001"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def _parts(over: Over | None) -> list[Cell]:
    if over is None:
        return [None] * 4
    low, high = over.interval or (None, None)
    return [over.mean, over.sd, low, high]


def _csv(header: Sequence[str], lines: Iterable[Sequence[Cell]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for line in lines:
        writer.writerow(["" if cell is None else cell for cell in line])
    return text.getvalue()
