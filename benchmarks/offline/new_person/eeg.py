"""Real EEG of people who are new to a linear model of others: rest or arithmetic.

A person's windows are seen without labels, in any order, before they are judged.
"""

from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.measure import real_data
from benchmarks.offline.eegmat import read_people
from benchmarks.offline.new_person.trial import (
    Found,
    accuracy,
    linear_checkpoint,
    one_modality,
    summary,
    unlabeled,
)
from eav_offline.core.labels import EMOTIONS
from eav_offline.data.dataset import LabeledWindows
from eav_offline.models.baselines.classifiers import Linear
from eav_offline.models.baselines.features import log_band_power
from eav_offline.models.personal import Population, aligning, covariance
from eav_offline.personal.calibration import Clips

STRENGTH = 1e-3  # inverse regularization, as inner cross-validation of `eegmat` takes
KNOWS = EMOTIONS[:2]  # they stand for rest and arithmetic
PLAIN, ALIGNED, BOTH = "plain", "aligned", "aligned, standardized"
LIKEWISE = "aligned, standardized, so in training"


def bench_real_eeg() -> dict[str, Any]:
    """Each person of EEGMAT by a model of the others."""
    people = read_people(real_data("eegmat_edf"))
    covariances = [covariance(one.eeg) for one in people]
    features = [_features(one.eeg) for one in people]
    found: Found = {PLAIN: {}, ALIGNED: {}, BOTH: {}, LIKEWISE: {}}
    for i, one in enumerate(people):
        others = [j for j in range(len(people)) if j != i]
        x = np.concatenate([features[j] for j in others])
        truth = np.concatenate([people[j].emotion for j in others])
        person = np.concatenate([np.full(len(features[j]), j) for j in others])
        heads = {"eeg": _fitted(x, truth)}
        read = one_modality("eeg", x)
        checkpoint = linear_checkpoint(heads, read, truth, person, KNOWS)
        mean = torch.from_numpy(np.mean([covariances[j] for j in others], axis=0))
        all_aligned = [
            _features(_aligned(p.eeg, mean.float(), c))
            for p, c in zip(people, covariances, strict=True)
        ]
        aligned = _clips(one, all_aligned[i])
        order = np.random.default_rng(i).permutation(len(one.emotion))
        seen = one_modality("eeg", aligned.features.by_modality["eeg"][order])
        layer = unlabeled(checkpoint, seen)
        theirs = _standardized([all_aligned[j] for j in others])
        trained = linear_checkpoint(
            {"eeg": _fitted(theirs, truth)},
            one_modality("eeg", theirs),
            truth,
            person,
            KNOWS,
        )
        scores = {
            LIKEWISE: accuracy(trained, unlabeled(trained, seen), aligned),
            PLAIN: accuracy(checkpoint, None, _clips(one, features[i])),
            ALIGNED: accuracy(checkpoint, None, aligned),
            BOTH: accuracy(checkpoint, layer, aligned),
        }
        for way, score in scores.items():
            found[way][i] = [score]
    return {"eegmat": summary(found, PLAIN)}


def _aligned(eeg_uv: np.ndarray, mean: torch.Tensor, own: np.ndarray) -> np.ndarray:
    matrix = aligning(Population({}, mean), own).numpy()
    return np.einsum("cd,ndt->nct", matrix, eeg_uv)


def _standardized(people: list[np.ndarray]) -> np.ndarray:
    """Everybody's features with the mean and deviation that people have on average."""
    mean = np.mean([x.mean(0) for x in people], axis=0)
    deviation = np.sqrt(np.mean([x.var(0) for x in people], axis=0))
    own = [(x - x.mean(0)) / x.std(0) for x in people]
    return np.concatenate(own) * deviation + mean


def _features(eeg_uv: np.ndarray) -> np.ndarray:
    return log_band_power(eeg_uv.astype(np.float32)).reshape(len(eeg_uv), -1)


def _clips(one: LabeledWindows, features: np.ndarray) -> Clips:
    read = one_modality("eeg", features)
    return Clips(read, one.emotion, np.arange(len(features)))


def _fitted(x: np.ndarray, truth: np.ndarray) -> Linear:
    """Balanced, as rest has three times the windows."""
    regression = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=2000)
    scaler, line = make_pipeline(StandardScaler(), regression).fit(x, truth)
    head = Linear(x.shape[1])
    with torch.no_grad():
        head.mean.copy_(torch.from_numpy(scaler.mean_))
        head.deviation.copy_(torch.from_numpy(scaler.scale_))
        head.weight[1].copy_(torch.from_numpy(line.coef_[0]))
        head.bias[1] = float(line.intercept_[0])
    return head
