"""Adaptation and labels on real speakers and people, who are new to a linear model.

Speakers are answered by a model of others' voices. Of EEG, at rest or at arithmetic, a
person's windows are seen without labels, in any order, before they are judged. Every
constant was chosen on RAVDESS's actors 1 to 6 and on synthetic people of other seeds,
who are not reported on; docs/new-person.md names the one exception.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.measure import real_data
from benchmarks.offline.eegmat import read_people
from benchmarks.offline.new_person.synthetic import bench_synthetic_people
from benchmarks.offline.new_person.trial import (
    NOTHING,
    UNLABELED,
    Found,
    accuracy,
    add_person,
    gain_by_group,
    linear_checkpoint,
    one_modality,
    one_modality_clips,
    summary,
    unlabeled,
)
from benchmarks.offline.voices import Heard, clips, model_of, read_emodb, read_ravdess
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.common.files import package_versions
from eav_offline.core.labels import EMOTIONS
from eav_offline.models.baselines.classifiers import Linear
from eav_offline.models.baselines.features import log_band_power
from eav_offline.models.personal import Population, aligning, covariance
from eav_offline.personal.calibration import Clips

EMODB_WOMEN = (8, 9, 13, 14, 16)
LABELS = (10, 20)  # RAVDESS has 36 clips a speaker in our emotions, EmoDB 21 to 42
CHOSEN_ON = tuple(range(1, 7))  # actors of RAVDESS; constants were chosen on them
REPORTED = (tuple(range(7, 13)), tuple(range(13, 19)))
STRENGTH = 1e-3  # inverse regularization, as inner cross-validation of `eegmat` takes
PLAIN, ALIGNED, BOTH = "plain", "aligned", "aligned, standardized"
LIKEWISE = "aligned, standardized, so in training"


def bench_new_person(
    parts: Sequence[str], seeds: int = 5, work: Path | None = None, jobs: int = 2
) -> dict[str, Any]:
    """Figures for JSON by part. seeds, work, jobs: of the synthetic people."""
    figures: dict[str, Any] = {}
    if "real_voices" in parts:
        figures["real_voices"] = bench_real_voices()
    if "real_eeg" in parts:
        figures["real_eeg"] = bench_real_eeg()
    if "synthetic" in parts:
        figures["synthetic"] = bench_synthetic_people(seeds, work, jobs)
    return figures | {"versions": package_versions()}


def bench_real_voices() -> dict[str, Any]:
    """Actors 7 to 18 of RAVDESS by models of 12 others, EmoDB's speakers by 7."""
    ravdess = clips(read_ravdess(real_data("ravdess_speech_16k"), EMOTIONS))
    emodb = clips(read_emodb(real_data("emodb_16k")))
    english: Found = {}
    one_emotion = []
    for group in REPORTED:
        new = np.isin(ravdess.person, group)
        checkpoint = model_of(ravdess.of(~new))
        for person in group:
            mine = ravdess.of(ravdess.person == person)
            add_person(english, checkpoint, _heard(mine), person, LABELS)
            one_emotion += refused(checkpoint, mine)
    german: Found = {}
    for person in np.unique(emodb.person).tolist():
        checkpoint = model_of(emodb.of(emodb.person != person))
        theirs = emodb.of(emodb.person == person)
        add_person(german, checkpoint, _heard(theirs), person, LABELS)
    even = [person for person in english[NOTHING] if person % 2 == 0]
    return {
        "ravdess": _by_sex(english, even),
        "emodb": _by_sex(german, EMODB_WOMEN),
        "one_emotion_waits": float(np.mean(one_emotion)),
    }


def _by_sex(found: Found, women: Sequence[int]) -> dict[str, Any]:
    men = [person for person in found[NOTHING] if person not in women]
    gains = gain_by_group(found, UNLABELED, {"women": women, "men": men})
    return summary(found) | {"unlabeled_gain_by_group": gains}


def _heard(heard: Heard) -> Clips:
    return one_modality_clips("audio", heard.features, heard.emotion)


def refused(checkpoint: Checkpoint, heard: Heard) -> list[bool]:
    """Whether adaptation waits while a person shows one emotion only, of each."""
    found = []
    for emotion in np.unique(heard.emotion):
        rows = np.flatnonzero(heard.emotion == emotion)
        many = np.resize(rows, 24)  # two minutes: some clips come again
        layer = unlabeled(checkpoint, one_modality("audio", heard.features[many]))
        found.append(layer is None)
    return found


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
        checkpoint = linear_checkpoint("eeg", _fitted(x, truth), x, truth, person)
        mean = torch.from_numpy(np.mean([covariances[j] for j in others], axis=0))
        all_aligned = [
            _features(_aligned(p.eeg, mean.float(), c))
            for p, c in zip(people, covariances, strict=True)
        ]
        aligned = one_modality_clips("eeg", all_aligned[i], one.emotion)
        order = np.random.default_rng(i).permutation(len(one.emotion))
        seen = one_modality("eeg", all_aligned[i][order])
        x = _standardized([all_aligned[j] for j in others])
        trained = linear_checkpoint("eeg", _fitted(x, truth), x, truth, person)
        plain = one_modality_clips("eeg", features[i], one.emotion)
        scores = {
            LIKEWISE: accuracy(trained, unlabeled(trained, seen), aligned),
            PLAIN: accuracy(checkpoint, None, plain),
            ALIGNED: accuracy(checkpoint, None, aligned),
            BOTH: accuracy(checkpoint, unlabeled(checkpoint, seen), aligned),
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
