"""Windows in which each emotion is written plainly, and a configuration for them."""

from copy import deepcopy
from dataclasses import dataclass
from functools import cache

import numpy as np

from eav_offline.config import Config
from eav_offline.core.labels import N_EMOTIONS
from eav_offline.core.window import EEG_RATE, EEG_SAMPLES

SIDE = 16  # pixels of the planted faces
WINDOWS_PER_TRIAL = 2

_VIT = {"dim": 16, "heads": 2, "layers_before": 1, "mlp_ratio": 2.0}
_STAGE = {"epochs": 6, "batch": 20, "learning_rate": 3e-3, "augment": False}


def tiny_config(variant: str = "mean", **train: object) -> Config:
    """All the parts at the least size; `train` replaces keys of its section."""
    return Config.model_validate(
        {
            "model": {
                "eeg": {"dim": 10, "heads": 1, "dropout": 0.0, "head_dropout": 0.1},
                "audio": {**_VIT, "patch": [128, 83], "stride": [128, 83]},
                "video": {**_VIT, "patch": [8, 8], "stride": [8, 8], "side": SIDE},
                "fusion": {"variant": variant, "width": 12},
            },
            "train": {
                "eeg": _STAGE,
                "audio": _STAGE,
                "video": {**_STAGE, "frames": 2},
                "ambt": {**_STAGE, "epochs": 2, "frames": 2},
                **train,
            },
        }
    )


@dataclass
class Planted:
    """One subject with the fields of a prepared one."""

    subject: int
    synthetic: bool
    eeg: np.ndarray
    log_mel: np.ndarray
    faces: np.ndarray
    trial: np.ndarray
    position: np.ndarray
    emotion: np.ndarray
    present: np.ndarray


def planted_subject(
    n_trials: int = 30, subject: int = 1, seed: int = 0, synthetic: bool = True
) -> Planted:
    """Each emotion has a rhythm at four electrodes, a mel band, a place in the face."""
    return deepcopy(_drawn(n_trials, subject, seed, synthetic))  # tests change theirs


@cache
def _drawn(n_trials: int, subject: int, seed: int, synthetic: bool) -> Planted:
    random = np.random.default_rng([seed, subject])
    trial = np.repeat(np.arange(1, n_trials + 1), WINDOWS_PER_TRIAL)
    emotion = trial % N_EMOTIONS
    n = len(trial)
    eeg = random.normal(0, 10, (n, 30, EEG_SAMPLES)).astype(np.float32)
    log_mel = random.normal(-6, 1, (n, 498, 128)).astype(np.float32)
    faces = random.normal(120, 10, (n, 25, SIDE, SIDE, 3))
    time = np.arange(EEG_SAMPLES) / EEG_RATE
    for i, e in enumerate(emotion):
        rhythm = np.sin(2 * np.pi * ((6 + 5 * e) * time + random.random()))
        eeg[i, 6 * e : 6 * e + 4] += (20 * rhythm).astype(np.float32)
        log_mel[i, :, 20 * e : 20 * e + 20] += 1.5
        faces[i, :, 3 * e : 3 * e + 3, 4:12] += 60
    return Planted(
        subject=subject,
        synthetic=synthetic,
        eeg=eeg,
        log_mel=log_mel,
        faces=faces.clip(0, 255).astype(np.uint8),
        trial=trial,
        position=np.tile(np.arange(WINDOWS_PER_TRIAL), n_trials),
        emotion=emotion,
        present=np.ones((n, 3), dtype=bool),
    )
