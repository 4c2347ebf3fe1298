"""Planted subjects on disk, as `eav-offline prepare` would have left them."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from planted import SIDE, Planted, planted_subject, tiny_config

from eav_offline.config import Config
from eav_offline.data.cache import (
    INDEX_DTYPE,
    array_layout,
    subject_folder,
    write_meta,
)
from eav_offline.data.recipe import FORMAT
from eav_offline.preprocess import PreprocessSettings

SETTINGS = PreprocessSettings(face_size=SIDE)
N_TRIALS = 15  # three of each emotion: one each to train, to validate and to test


def write_cache(cache: Path, subjects: Sequence[int], n_trials: int = N_TRIALS) -> Path:
    """A cache of planted subjects with these numbers."""
    for number in subjects:
        write_planted(cache, planted_subject(n_trials, number))
    return cache


def write_planted(cache: Path, subject: Planted) -> None:
    """One subject's folder."""
    folder = subject_folder(cache, subject.subject)
    folder.mkdir(parents=True)
    n = len(subject.trial)
    for name, (shape, dtype) in array_layout(SETTINGS).items():
        # What planted subjects lack stays a hole in the file: zeros on reading.
        array = np.lib.format.open_memmap(
            folder / f"{name}.npy", "w+", dtype, (n, *shape)
        )
        if hasattr(subject, name):
            array[:] = getattr(subject, name)
    index = np.zeros(n, dtype=INDEX_DTYPE)
    for name in ("trial", "position", "emotion", "present"):
        index[name] = getattr(subject, name)
    np.save(folder / "index.npy", index)
    meta = {
        "key": "planted",
        "recipe": {"format": FORMAT, "settings": asdict(SETTINGS)},
        "source": {"planted": subject.subject},
        "synthetic": subject.synthetic,
    }
    write_meta(folder, meta)


def quick_config(**train: object) -> Config:
    """One epoch on few windows."""
    stage = {"epochs": 1, "batch": 10, "learning_rate": 3e-3, "augment": False}
    seen = {**stage, "frames": 2}
    stages = {"eeg": stage, "audio": stage, "video": seen, "ambt": seen}
    return tiny_config(**{**stages, **train})
