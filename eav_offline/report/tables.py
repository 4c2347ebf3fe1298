"""The numbers of a report: rows for the page, and CSV files with all digits."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eav_offline.core.labels import N_EMOTIONS
from eav_offline.evaluation.assess import over_trials, smoothed
from eav_offline.evaluation.metrics import ece, nll, reliability, scaled
from eav_offline.evaluation.results import NO_SIGNAL_NAMES, OUTPUTS, SubjectScores
from eav_offline.evaluation.statistics import (
    Comparison,
    Over,
    compare_models,
    fusion_gain,
    holm,
    over_no_signal,
    over_subjects,
)
from eav_offline.report.groups import Model, protocol_key
from eav_offline.report.runs import Run
from eav_offline.training.run_folder import Predictions

ABSENT = "–"
MEASURES = ("accuracy", "balanced_accuracy", "macro_f1", "auc")  # by subject
OVER_SUBJECTS = (
    *MEASURES,
    "trial_accuracy",
    "smoothed_accuracy",
    "accuracy_without_first",
)
Cell = str | int | float | None


@dataclass(frozen=True)
class Calibration:
    """How far an output's confidence is to be believed, over all windows of all runs.

    bins: of `metrics.reliability`; the scaled ones are None if a run has no
    temperature. temperatures: of the runs that have one.
    """

    nll: float
    ece: float
    bins: dict[str, list[float | None]]
    nll_scaled: float | None
    ece_scaled: float | None
    bins_scaled: dict[str, list[float | None]] | None
    temperatures: tuple[float, ...]


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
            {name: measure(model, output, name) for name in OVER_SUBJECTS},
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
        if "fused" in scores:
            found += [Compared(model.name, pair) for pair in fused_to(scores)]
    return found


def fusion_gains(rows: Sequence[OutputRow]) -> dict[str, Comparison]:
    """By model, the comparison that is named beforehand; see `fusion_gain`."""
    found = {}
    for model in {row.model.name for row in rows}:
        mine = [row for row in rows if row.model.name == model]
        gain = fusion_gain({row.output: row.accuracy.by_subject for row in mine})
        if gain is not None:
            found[model] = gain
    return found


def no_signal_rows(models: Sequence[Model]) -> list[tuple[str, str, Over]]:
    """Protocol, row and accuracy of what needs no signal, once for each protocol."""
    rows = []
    for protocol in dict.fromkeys(model.protocol for model in models):
        runs = [r for m in models if m.protocol == protocol for r in m.runs]
        stored = [run.results.as_json().get("no_signal", {}) for run in runs]
        rows += [
            (protocol, NO_SIGNAL_NAMES[name], over)
            for name, over in over_no_signal(stored).items()
        ]
    return rows


def fused_to(scores: Mapping[str, Mapping[int, float]]) -> list[Comparison]:
    """Fused against each of the others, Holm-corrected over these pairs alone."""
    pairs = [
        comparison
        for name in OUTPUTS
        if name in scores and name != "fused"
        for comparison in compare_models({n: scores[n] for n in ("fused", name)})
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


def percent(share: float | None) -> str:
    """0.7312 as 73.1."""
    return ABSENT if share is None else f"{100 * share:.1f}"


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


def measure(model: Model, output: str, name: str) -> Over | None:
    """One of `OVER_SUBJECTS` of one output, or its nll or ece.

    trial_accuracy: of the windows' probabilities averaged over each trial.
    smoothed_accuracy: of the live program's smoothed decision.
    accuracy_without_first: over the windows that do not begin a trial.
    """
    if name in OVER_SUBJECTS and name not in MEASURES:
        return over_subjects(
            (int(subject), _right(name, run.predictions, output, subject))
            for run in _with(model, output)
            for subject in np.unique(run.predictions.subject)
        )
    return over_subjects(
        (subject, getattr(scores.modalities[output], name))
        for subject, scores in _tested(model)
        if output in scores.modalities
    )


def _right(name: str, said: Predictions, output: str, subject: int) -> float:
    """The share of a person's trials or windows that is right; NaN of none."""
    chances = said.probabilities[output]
    mine = (said.subject == subject) & ~np.isnan(chances[:, 0])
    if name == "accuracy_without_first":
        mine &= said.position > 0
    if not mine.any():
        return math.nan
    chances, truth, trial = chances[mine], said.emotion[mine], said.trial[mine]
    if name == "trial_accuracy":
        chances, truth = over_trials(chances, truth, trial)
    if name == "smoothed_accuracy":
        return float((smoothed(chances, trial, said.position[mine]) == truth).mean())
    return float((chances.argmax(1) == truth).mean())


def run_accuracy(run: Run, output: str) -> float | None:
    """Mean accuracy over the people that one run tested, as models are summarized."""
    over = over_subjects(
        (subject, scores.modalities[output].accuracy)
        for subject, scores in run.results.by_subject.items()
        if output in scores.modalities
    )
    return None if over is None else over.mean


def subset_accuracy(model: Model, subset: str) -> Over | None:
    """Accuracy of the fused output with some modalities only, such as "eeg+audio".

    A subset counts over the windows that have all of it. With everything the model
    knows it is the fused output itself, over all windows, so that it is the figure
    that the tables and the summary name.
    """
    if "fused" in model.outputs and subset.count("+") == len(model.modalities) - 1:
        return measure(model, "fused", "accuracy")
    return over_subjects(
        (subject, scores.subsets[subset].accuracy)
        for subject, scores in _tested(model)
        if subset in scores.subsets
    )


def subsets_of(model: Model) -> tuple[str, ...]:
    """The subsets that the model was scored on, the smaller first."""
    found = {name: None for _, scores in _tested(model) for name in scores.subsets}
    return tuple(sorted(found, key=lambda name: name.count("+")))


def nll_without_first(model: Model, output: str) -> float | None:
    """NLL over all such windows of all runs, None if there are none."""
    truths, chances = [], []
    for run in _with(model, output):
        truth, rows = _known(run.predictions, output, later=True)
        truths.append(truth)
        chances.append(rows)
    truth = np.concatenate(truths)
    return nll(truth, np.concatenate(chances)) if len(truth) else None


def calibration(model: Model, output: str) -> Calibration:
    """Calibration over all test windows of all runs that have the output."""
    truths, raw, corrected, temperatures = [], [], [], []
    for run in _with(model, output):
        truth, chances = _known(run.predictions, output)
        truths.append(truth)
        raw.append(chances)
        stored = run.results.calibration.get(output)
        if stored is not None and stored.temperature is not None:
            temperatures.append(stored.temperature)
            corrected.append(scaled(chances, stored.temperature))
    truth, chances = np.concatenate(truths), np.concatenate(raw)
    complete = len(corrected) == len(raw)
    after = np.concatenate(corrected) if complete else None
    return Calibration(
        nll=nll(truth, chances),
        ece=ece(truth, chances),
        bins=reliability(truth, chances),
        nll_scaled=None if after is None else nll(truth, after),
        ece_scaled=None if after is None else ece(truth, after),
        bins_scaled=None if after is None else reliability(truth, after),
        temperatures=tuple(temperatures),
    )


def confusion(model: Model, output: str) -> np.ndarray:
    """Counts (5, 5) summed over all runs; rows are the truth."""
    total = np.zeros((N_EMOTIONS, N_EMOTIONS), dtype=np.int64)
    for run in _with(model, output):
        total += np.array(run.results.modalities[output].confusion, dtype=np.int64)
    return total


def mean_saliency(model: Model) -> dict[str, float] | None:
    """Share of each electrode, averaged over runs; None if no run has EEG."""
    found = [run.results.saliency for run in model.runs if run.results.saliency]
    if not found:
        return None
    channels = found[0].channels
    alike = [s.electrodes for s in found if s.channels == channels]
    return dict(zip(channels, np.mean(alike, axis=0).tolist(), strict=True))


def _tested(model: Model) -> Iterable[tuple[int, SubjectScores]]:
    for run in model.runs:
        yield from run.results.by_subject.items()


def _with(model: Model, output: str) -> list[Run]:
    return [run for run in model.runs if output in run.results.modalities]


def _known(
    predictions: Predictions, output: str, later: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Truth and probabilities of the windows that have the output.

    later: without the first of each trial.
    """
    chances = predictions.probabilities[output]
    there = ~np.isnan(chances[:, 0])
    if later:
        there &= predictions.position > 0
    return predictions.emotion[there], chances[there]
