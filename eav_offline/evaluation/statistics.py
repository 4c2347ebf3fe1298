"""Figures over people: spread, bootstrap by subject, and paired tests between models.

People are the unit. What one person's windows, trials or seeds say is averaged first,
because they are no new evidence about other people.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
import scipy

from eav_offline.data.window_set import WindowSet

N_RESAMPLES = 10_000
_RESAMPLES_BY_TRIAL = 2000
_LEAST_PAIRS = 6  # subjects of a paired test
CONFIDENCE = 0.95
LEAST_SUBJECTS = 5  # drawing among fewer gives an interval that is far too narrow
# Over which people are summed up, of outputs and of subsets of the modalities.
METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "auc", "nll", "ece")
SUBSET_METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "nll")


@dataclass(frozen=True)
class Comparison:
    """Two models on the subjects that both were scored on.

    difference: mean of first minus second. p: of the two-sided Wilcoxon signed-rank
    test over subjects; p_holm: corrected for all comparisons made together.
    """

    first: str
    second: str
    n_subjects: int
    difference: float
    p: float
    p_holm: float


@dataclass(frozen=True)
class Over:
    """A figure over people. by_subject: seeds averaged. interval: 95 %, by subject."""

    by_subject: dict[int, float]
    mean: float
    sd: float | None
    interval: tuple[float, float] | None

    @property
    def n(self) -> int:
        """How many people have the figure."""
        return len(self.by_subject)

    def as_json(self) -> dict[str, Any]:
        """`mean`, `sd`, `interval` and `n_subjects`, as plain values."""
        return {
            "mean": self.mean,
            "sd": self.sd,
            "interval": None if self.interval is None else list(self.interval),
            "n_subjects": self.n,
        }


def over_subjects(scores: Iterable[tuple[int, float | None]]) -> Over | None:
    """Summarize (subject, score) pairs, one for each seed; None if there are none."""
    known = [(s, x) for s, x in scores if x is not None and np.isfinite(x)]
    if not known:
        return None
    by_subject = average_seeds(known)
    values = list(by_subject.values())
    return Over(by_subject, *mean_sd(values), bootstrap_by_subject(values))


def average_seeds(scores: Iterable[tuple[int, float]]) -> dict[int, float]:
    """(subject, score) pairs, one for each seed, -> the mean score of each subject."""
    by_subject: dict[int, list[float]] = {}
    for subject, score in scores:
        by_subject.setdefault(subject, []).append(score)
    return {s: float(np.mean(by_subject[s])) for s in sorted(by_subject)}


def mean_sd(values: Sequence[float] | np.ndarray) -> tuple[float, float | None]:
    """Mean and sample standard deviation (n - 1); None for the latter of one value."""
    values = np.asarray(values, dtype=np.float64)
    return float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else None


def bootstrap_by_subject(
    values: Sequence[float] | np.ndarray,
) -> tuple[float, float] | None:
    """95 % percentile interval of the mean, drawing whole subjects.

    values: one for each subject. None for fewer than five: an interval over two or
    three people would be none.
    """
    values = np.asarray(values, dtype=np.float64)
    if len(values) < LEAST_SUBJECTS:
        return None
    random = np.random.default_rng(0)
    drawn = random.integers(0, len(values), (N_RESAMPLES, len(values)))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values[drawn].mean(1), [tail, 1 - tail])
    return float(low), float(high)


def signed_rank(first: np.ndarray, second: np.ndarray) -> float:
    """p of the two-sided Wilcoxon signed-rank test of paired scores, each (n,).

    Pairs that tie are left out, as Wilcoxon did; 1 if all of them do.
    """
    differences = np.asarray(first, dtype=np.float64) - np.asarray(second)
    # Accuracies are ratios: what is equal may differ in the last bit.
    differences = differences.round(12)
    if not differences.any():
        return 1.0
    return float(scipy.stats.wilcoxon(differences).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction, in the order given."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    factors = len(p) - np.arange(len(p))
    corrected = np.empty_like(p)
    corrected[order] = np.maximum.accumulate(p[order] * factors).clip(max=1.0)
    return corrected.tolist()


def compare_models(models: Mapping[str, Mapping[int, float]]) -> list[Comparison]:
    """Every pair of models over the subjects they share, with Holm's correction.

    models: by name, each subject's score (seeds averaged, see `average_seeds`).
    Pairs that share fewer than 6 are left out: of those the test cannot reach p < 0.05
    whatever the scores.
    """
    found = []
    for first, second in combinations(models, 2):
        shared = sorted(models[first].keys() & models[second].keys())
        if len(shared) < _LEAST_PAIRS:
            continue
        a = np.array([models[first][s] for s in shared])
        b = np.array([models[second][s] for s in shared])
        difference = float((a - b).mean())
        found.append((first, second, len(shared), difference, signed_rank(a, b)))
    corrected = holm([pair[-1] for pair in found])
    return [Comparison(*pair, p) for pair, p in zip(found, corrected, strict=True)]


def fusion_gain(accuracies: Mapping[str, Mapping[int, float]]) -> Comparison | None:
    """The one comparison that is named beforehand: fused less the plain mean.

    accuracies: by output, each subject's. It stands alone, hence uncorrected; None if
    an output is missing or too few people have both.
    """
    pair = {name: accuracies.get(name, {}) for name in ("fused", "averaged")}
    return next(iter(compare_models(pair)), None)


def accuracy_interval(
    correct: np.ndarray, windows: WindowSet, seed: int = 0
) -> tuple[list[float] | None, str | None]:
    """95 % bootstrap interval of a mean over windows, and the unit that was drawn.

    correct: (n,) bool, or numbers such as differences. "subject" where several people
    were tested: what is said of people must draw people, with all their trials. "trial"
    of a single person, whom alone it is then about. (None, None) for two to four
    people: too few to draw from, and drawing their trials would pass for an interval
    over people.
    """
    n_people = len(np.unique(windows.subject))
    if 1 < n_people < LEAST_SUBJECTS:
        return None, None
    if n_people == 1:
        return list(clustered_interval(correct, windows.trial_keys, seed)), "trial"
    return list(clustered_interval(correct, windows.subject, seed)), "subject"


def clustered_interval(
    correct: np.ndarray, cluster_ids: np.ndarray, seed: int
) -> tuple[float, float]:
    """95 % bootstrap interval of a mean, drawing whole clusters: trials or people.

    correct: (n,) bool or numbers; cluster_ids: (n,). Windows of one trial resemble each
    other, so drawing single windows would make the interval too narrow. Where all
    windows are right, or none, drawing would claim certainty: then the other bound is
    the exact one for as many clusters (Clopper and Pearson 1934).
    """
    _, cluster = np.unique(cluster_ids, return_inverse=True)
    right = np.bincount(cluster, weights=np.asarray(correct, dtype=np.float64))
    size = np.bincount(cluster)
    random = np.random.default_rng(seed)
    drawn = random.integers(0, len(size), (_RESAMPLES_BY_TRIAL, len(size)))
    mean = right[drawn].sum(1) / size[drawn].sum(1)
    low, high = np.quantile(mean, [0.025, 0.975])
    if np.asarray(correct).dtype == bool and low == high:
        bound = 0.025 ** (1 / len(size))
        return (bound, 1.0) if low == 1.0 else (0.0, 1.0 - bound)
    return float(low), float(high)


def over_no_signal(runs: Iterable[Mapping[str, Mapping[str, Any]]]) -> dict[str, Over]:
    """Accuracies without any signal over people, from the `no_signal` of each run."""
    pairs: dict[str, list[tuple[int, float | None]]] = {}
    for run in runs:
        for name, scores in run.items():
            by_subject = scores["by_subject"].items()
            pairs.setdefault(name, []).extend((int(n), float(x)) for n, x in by_subject)
    found = {name: over_subjects(scores) for name, scores in pairs.items()}
    return {name: over for name, over in found.items() if over is not None}


def summarize(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Figures over people from the `by_subject` of each run's results.

    Seeds are averaged within each person first. Keys: `n_subjects`; `modalities` and
    `subsets`: of each output or subset and metric, `mean`, `sd`, `interval` (95 %,
    bootstrap by subject, None for fewer than five) and `n_subjects`;
    `primary`: the fused output less the plain mean, which is asked beforehand;
    `comparisons`: of the outputs' accuracies, two by two (`statistics.Comparison`);
    `no_signal`: accuracies by the time of recording alone.
    """
    scores: dict[tuple[str, str, str], list[tuple[int, float | None]]] = {}
    for run in runs:
        for number, figures in run.items():
            for group, metrics in (
                ("modalities", METRICS),
                ("subsets", SUBSET_METRICS),
            ):
                for name, metric in product(figures[group], metrics):
                    pair = (int(number), figures[group][name].get(metric))
                    scores.setdefault((group, name, metric), []).append(pair)
    summary: dict[str, Any] = {"modalities": {}, "subsets": {}}
    accuracies = {}
    for (group, name, metric), pairs in scores.items():
        over = over_subjects(pairs)
        if over is None:
            continue
        summary[group].setdefault(name, {})[metric] = over.as_json()
        if group == "modalities" and metric == "accuracy":
            accuracies[name] = over.by_subject
    return {
        "n_subjects": len({number for run in runs for number in run}),
        **summary,
        "primary": None if (gain := fusion_gain(accuracies)) is None else asdict(gain),
        "comparisons": [asdict(pair) for pair in compare_models(accuracies)],
    }
