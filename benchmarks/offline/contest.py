"""Models against linear models on people that neither was fitted to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from eav_offline.config import Config
from eav_offline.data.window_set import WindowSet
from eav_offline.evaluation.assess import window_probabilities
from eav_offline.evaluation.metrics import decision_scores
from eav_offline.evaluation.statistics import bootstrap_by_subject, mean_sd, signed_rank
from eav_offline.training.stages import fit_encoder
from eav_offline.training.train import new_model

# Inverse strengths of the linear models' regularization, of which inner
# cross-validation over the training people chooses.
STRENGTHS = (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
_INNER_FOLDS = 5
_LEAST_DEVIATION = 1e-6
_LEAST_PEOPLE = 6  # below it a signed-rank test cannot reach p < 0.05


@dataclass(frozen=True)
class Answers:
    """What a contender said of test windows.

    said: (seeds, n) class numbers; one row for a contender without chance in it.
    """

    said: np.ndarray
    truth: np.ndarray
    person: np.ndarray

    def scores(self) -> dict[str, Any]:
        """Accuracy and balanced accuracy, averaged over seeds; ready for JSON.

        `by_person` and `interval` (95 %, drawing whole people) are of the balanced
        accuracy; `by_seed` gives the seeds' accuracies.
        """
        by_seed = [decision_scores(self.truth, said) for said in self.said]
        accuracy, spread = mean_sd([one["accuracy"] for one in by_seed])
        people = self.by_person()
        return {
            "accuracy": accuracy,
            "accuracy_sd_over_seeds": spread,
            "balanced_accuracy": float(
                np.mean([one["balanced_accuracy"] for one in by_seed])
            ),
            **{
                f"{key}_interval": bootstrap_by_subject(list(values.values()))
                for key, values in people.items()
            },
            "by_seed": [one["accuracy"] for one in by_seed],
            "by_person": {
                key: {str(person): value for person, value in values.items()}
                for key, values in people.items()
            },
        }

    def by_person(self) -> dict[str, dict[int, float]]:
        """Each person's accuracy and balanced accuracy, averaged over seeds."""
        found: dict[str, dict[int, float]] = {"accuracy": {}, "balanced_accuracy": {}}
        for person in np.unique(self.person):
            rows = self.person == person
            scores = [decision_scores(self.truth[rows], s[rows]) for s in self.said]
            for key, values in found.items():
                values[int(person)] = float(np.mean([one[key] for one in scores]))
        return found


def joined(parts: Sequence[Answers]) -> Answers:
    """The folds of a cross-validation as one."""
    return Answers(
        np.concatenate([part.said for part in parts], axis=1),
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.person for part in parts]),
    )


def compare(first: Answers, second: Answers, key: str) -> dict[str, Any]:
    """First minus second, person by person: mean, 95 % interval, Wilcoxon's p.

    key: accuracy or balanced_accuracy. p is None below six people.
    """
    one, other = (
        np.array(list(answers.by_person()[key].values())) for answers in (first, second)
    )
    return {
        "difference": float((one - other).mean()),
        "interval": bootstrap_by_subject(one - other),
        "people_better": int((one > other).sum()),
        "people": len(one),
        "p": signed_rank(one, other) if len(one) >= _LEAST_PEOPLE else None,
    }


def linear_answers(
    features: np.ndarray,
    windows: WindowSet,
    train: np.ndarray,
    test: np.ndarray,
    balanced: bool = False,
) -> Answers:
    """A `fitted_linear` on features (n, k) of the windows. train, test: (n,) bool."""
    truth, person = windows.emotion, windows.subject
    fitted = fitted_linear(features[train], truth[train], person[train], balanced)
    said = fitted.predict(features[test])
    return Answers(said[None], truth[test], person[test])


def fitted_linear(
    features: np.ndarray, truth: np.ndarray, person: np.ndarray, balanced: bool = False
) -> Pipeline:
    """Standardized logistic regression on features (n, k) of people to learn from.

    Its strength is chosen by inner cross-validation over them. balanced: weigh rare
    classes up, and choose by balanced accuracy.
    """
    weight = "balanced" if balanced else None
    key = "balanced_accuracy" if balanced else "accuracy"
    folds = GroupKFold(min(_INNER_FOLDS, len(np.unique(person))))

    def linear(strength: float) -> Pipeline:
        regression = LogisticRegression(C=strength, class_weight=weight, max_iter=5000)
        return make_pipeline(StandardScaler(), regression)

    def score(strength: float) -> float:
        said = cross_val_predict(
            linear(strength), features, truth, groups=person, cv=folds
        )
        return decision_scores(truth, said)[key]

    return linear(max(STRENGTHS, key=score)).fit(features, truth)


def encoder_answers(
    modality: str,
    windows: WindowSet,
    train: np.ndarray,
    test: np.ndarray,
    config: Config,
    seeds: Sequence[int],
    n_classes: int,
) -> Answers:
    """The project's encoder of a modality, trained anew for each seed.

    train, test: (n,) bool. n_classes: only the first so many outputs have a meaning,
    and one of them is taken.
    """
    held_out = windows.subset(test)
    said = []
    for seed in seeds:
        seeded = config.with_seed(seed)
        model = new_model(seeded, [modality], fusion=False)
        fit_encoder(model, modality, windows.subset(train), None, seeded)
        model.eval()
        chances = window_probabilities(model, held_out)[modality]
        said.append(chances[:, :n_classes].argmax(1))
    return Answers(np.stack(said), held_out.emotion, held_out.subject)


def add_array(windows: WindowSet, modality: str, change: np.ndarray) -> WindowSet:
    """The same windows with another array of a modality, (n, ...) in their order."""
    sources = []
    for number, source in enumerate(windows.sources):
        rows = np.flatnonzero(windows.source == number)
        array = np.empty((len(rows), *change.shape[1:]), change.dtype)
        array[windows.row[rows]] = change[rows]
        sources.append(replace(source, **{modality: array}))  # type: ignore[type-var]
    return replace(windows, sources=tuple(sources))


def by_person(features: np.ndarray, person: np.ndarray) -> np.ndarray:
    """(n, k) less each feature's mean over a person's rows, over its deviation.

    person: (n,). What is NaN stays so, and counts in neither.
    """
    scaled = np.empty_like(features)
    for one in np.unique(person):
        theirs = features[person == one]
        deviation = np.maximum(np.nanstd(theirs, axis=0), _LEAST_DEVIATION)
        scaled[person == one] = (theirs - np.nanmean(theirs, axis=0)) / deviation
    return scaled


def summary(
    answers: dict[str, Answers], ours: str, baseline: str, key: str
) -> dict[str, Any]:
    """Scores of all, and ours against the baseline by `key`; ready for JSON."""
    return {
        "contenders": {name: one.scores() for name, one in answers.items()},
        "encoder_minus_baseline": compare(answers[ours], answers[baseline], key),
    }
