"""A model's figures over subjects, and its calibration over all windows together."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from eav_offline.core.labels import EMOTIONS, N_EMOTIONS
from eav_offline.core.smoothing import Smoother
from eav_offline.core.window import WINDOW_SECONDS
from eav_offline.evaluation.metrics import ece, nll, reliability, scaled
from eav_offline.evaluation.results import SubjectScores
from eav_offline.evaluation.statistics import (
    average_seeds,
    bootstrap_by_subject,
    mean_sd,
)
from eav_offline.report.groups import Model
from eav_offline.runs.folder import Predictions, Run

MEASURES = ("accuracy", "balanced_accuracy", "macro_f1", "auc")  # by subject


@dataclass(frozen=True)
class Over:
    """A figure over subjects. by_subject: seeds averaged. interval: 95 %."""

    by_subject: dict[int, float]
    mean: float
    sd: float | None
    interval: tuple[float, float] | None

    @property
    def n(self) -> int:
        """How many subjects have the figure."""
        return len(self.by_subject)


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


def over_subjects(scores: Iterable[tuple[int, float | None]]) -> Over | None:
    """Summarise (subject, score) pairs, one for each seed; None if there are none."""
    known = [(s, x) for s, x in scores if x is not None and math.isfinite(x)]
    if not known:
        return None
    by_subject = average_seeds(known)
    values = list(by_subject.values())
    mean, sd = mean_sd(values)
    return Over(by_subject, mean, sd, bootstrap_by_subject(values))


def measure(model: Model, output: str, name: str) -> Over | None:
    """One of `MEASURES` of one output."""
    return over_subjects(
        (subject, getattr(scores.modalities[output], name))
        for subject, scores in _tested(model)
        if output in scores.modalities
    )


def run_accuracy(run: Run, output: str) -> float | None:
    """Mean accuracy over the people that one run tested, as models are summarised."""
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


def trial_accuracy(model: Model, output: str) -> Over | None:
    """Accuracy over whole trials: their windows' probabilities averaged."""
    return over_subjects(_by_subject(model, output, _trials_right))


def smoothed_accuracy(model: Model, output: str) -> Over | None:
    """Accuracy over windows of the live program's smoothed decision."""
    return over_subjects(_by_subject(model, output, _smoothed_right))


def accuracy_without_first(model: Model, output: str) -> Over | None:
    """Accuracy over the windows that do not begin a trial."""
    return over_subjects(_by_subject(model, output, _later_right))


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


def _by_subject(
    model: Model,
    output: str,
    right: Callable[[Predictions, np.ndarray, Sequence[np.ndarray]], float],
) -> Iterable[tuple[int, float]]:
    """What `right` makes of each subject's trials, each the rows of its windows."""
    for run in _with(model, output):
        said = run.predictions
        chances = said.probabilities[output]
        there = ~np.isnan(chances[:, 0])
        for subject in np.unique(said.subject[there]):
            order = np.flatnonzero(there & (said.subject == subject))
            order = order[np.lexsort((said.position[order], said.trial[order]))]
            starts = np.flatnonzero(np.diff(said.trial[order])) + 1
            trials = np.split(order, starts)
            yield int(subject), right(said, chances, trials)


def _trials_right(
    said: Predictions, chances: np.ndarray, trials: Sequence[np.ndarray]
) -> float:
    right = [chances[rows].mean(0).argmax() == said.emotion[rows[0]] for rows in trials]
    return float(np.mean(right))


def _later_right(
    said: Predictions, chances: np.ndarray, trials: Sequence[np.ndarray]
) -> float:
    rows = np.concatenate(trials)
    rows = rows[said.position[rows] > 0]
    right = chances[rows].argmax(1) == said.emotion[rows]
    return float(right.mean()) if len(rows) else math.nan


def _smoothed_right(
    said: Predictions, chances: np.ndarray, trials: Sequence[np.ndarray]
) -> float:
    right = []
    smoother = Smoother()
    for rows in trials:
        smoother.reset()
        for row in rows:
            t = float(said.position[row]) * WINDOW_SECONDS
            _, decision = smoother.update(chances[row], t)
            right.append(EMOTIONS.index(decision) == said.emotion[row])
    return float(np.mean(right))
