"""What a person's few labels are worth by themselves, without a model of others.

A logistic regression of each modality on statistics that know nobody is fitted to the
same clips and judged on the same others as `ways`; those that are there are averaged.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from benchmarks.offline.contest import fitted_linear
from benchmarks.offline.new_person.trial import balanced, draws_of
from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.data.window_set import WindowSet
from eav_offline.models.baselines.features import log_band_power, log_mel_statistics

_PIXELS = 14  # side of the pictures that are left of faces


def statistics(windows: WindowSet) -> dict[str, np.ndarray]:
    """(n, numbers) of each modality: band power, log-mel statistics, small pictures.

    Of pictures there are the mean over a window and the deviation.
    """
    rows = np.arange(len(windows))
    eeg, sound, faces = (windows.array(m, rows) for m in MODALITIES)
    small = _shrunk(faces)
    return {
        "eeg": log_band_power(eeg).reshape(len(eeg), -1),
        "audio": log_mel_statistics(sound),
        "video": np.concatenate([small.mean(1), small.std(1)], axis=1),
    }


def by_labels_alone(
    windows: WindowSet,
    person: int,
    labels: Sequence[int],
    draws: int,
    subsets: Mapping[str, np.ndarray],
) -> Iterator[tuple[str, str, float]]:
    """Subset, way and accuracy, balanced over emotions, of each draw.

    subsets: (3,) bool by name, which modalities there are.
    """
    numbers, trial = statistics(windows), windows.trial_keys
    clip = np.arange(len(windows))
    for pool, test in draws_of(windows.emotion, clip, trial, person, draws):
        for n in labels:
            if n > len(pool):
                continue
            few, truth = pool[:n], windows.emotion[pool[:n]]
            said = np.zeros((len(MODALITIES), len(test), N_EMOTIONS))
            for i, x in enumerate(numbers.values()):
                fitted = fitted_linear(x[few], truth, trial[few])
                said[i][:, fitted.classes_] = fitted.predict_proba(x[test])
            for name, there in subsets.items():
                score = balanced(windows.emotion[test], said[there].mean(axis=0))
                yield name, f"{n} labels alone", score


def _shrunk(faces: np.ndarray) -> np.ndarray:
    """(n, frames, side, side, 3) -> (n, frames, numbers), gray in [0, 1]."""
    n, frames, side = faces.shape[:3]
    step = max(1, side // _PIXELS)
    gray = faces[:, :, : side - side % step, : side - side % step].mean(axis=-1) / 255
    shape = (n, frames, side // step, step, side // step, step)
    return gray.reshape(shape).mean(axis=(3, 5)).reshape(n, frames, -1)
