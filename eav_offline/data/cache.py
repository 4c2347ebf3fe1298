"""The prepared cache on disk: its recipe, its arrays, and reading a subject's windows.

    CACHE/subject01/meta.json   recipe and its key, task, versions, where it came from
                    index.npy   trial, position, emotion, task, modalities present
                    eeg.npy log_mel.npy faces.npy face_found.npy wave.npy

One cache holds one recipe; another recipe is refused and wants another folder. A
subject's folder appears under its name only when it is complete.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from eav_offline.errors import InputRefused
from eav_offline.files import ARRAY_ERRORS
from eav_offline.labels import EMOTIONS, MODALITIES
from eav_offline.preprocess import Inputs, PreprocessSettings
from eav_offline.preprocess import audio as log_mel_settings
from eav_offline.preprocess import eeg as eeg_settings
from eav_offline.preprocess import face as face_settings
from eav_offline.preprocess import mtcnn as detector_settings
from eav_offline.preprocess.sound_features import N_SOUND_FEATURES, sound_features
from eav_offline.window import (
    AUDIO_SAMPLES,
    CONTEXT_SECONDS,
    EEG_BAND,
    EEG_CHANNELS,
    EEG_RATE,
    EEG_SAMPLES,
    FRAME_RATE,
    N_CHANNELS,
    N_FRAMES,
    WINDOW_SECONDS,
)

FORMAT = 1  # raise it when preprocessing changes in a way the recipe does not show
META_FILE = "meta.json"
EAV = "eav"  # the dataset whose name is not written
INDEX_DTYPE = np.dtype(
    [
        ("trial", np.int32),
        ("position", np.int32),
        ("emotion", np.int32),
        ("task", np.int32),
        ("present", np.bool_, (len(MODALITIES),)),
    ]
)

_SUBJECT = re.compile(r"^subject(\d{2,})$")


class PreparedError(InputRefused):
    """A cache that cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class PreparedSubject:
    """One subject's windows, mapped from disk, in order of trial and position.

    eeg (n, 30, 500) float32 µV; log_mel (n, 498, 128) float32; faces (n, 25, side,
    side, 3) uint8; face_found (n, 25) bool; wave (n, 80000) float32 at 16 kHz. Rows of
    an absent modality are zeros.
    trial (1-based), position (of the window in its trial, from 0), emotion, task (0
    Listening, 1 Speaking): (n,) int64. present: (n, 3) bool by `MODALITIES`.
    synthetic: made by the generator, not by a person. meta: what meta.json holds.
    """

    subject: int
    synthetic: bool
    settings: PreprocessSettings
    meta: dict[str, Any]
    eeg: np.ndarray
    log_mel: np.ndarray
    faces: np.ndarray
    face_found: np.ndarray
    wave: np.ndarray
    trial: np.ndarray
    position: np.ndarray
    emotion: np.ndarray
    task: np.ndarray
    present: np.ndarray

    def __len__(self) -> int:
        return len(self.trial)

    @cached_property
    def sound_features(self) -> np.ndarray:
        """SCNN's numbers of each window, (n, 180) float32; zeros without sound.

        Computed when first asked for, which takes about 10 ms a window, and kept.
        """
        features = np.zeros((len(self), N_SOUND_FEATURES), dtype=np.float32)
        for i in np.flatnonzero(self.present[:, MODALITIES.index("audio")]):
            features[i] = sound_features(np.array(self.wave[i]))
        return features

    def inputs(self, i: int) -> Inputs:
        """What `prepare` gave for window `i`, copied from disk."""
        eeg, audio, video = self.present[i]
        return Inputs(
            eeg=np.array(self.eeg[i]) if eeg else None,
            log_mel=np.array(self.log_mel[i]) if audio else None,
            faces=np.array(self.faces[i]) if video else None,
            face_found=np.array(self.face_found[i]) if video else None,
        )


def array_layout(
    settings: PreprocessSettings,
) -> dict[str, tuple[tuple[int, ...], Any]]:
    """Shape of one window and dtype of each array of the cache."""
    side = settings.face_size
    n_mel_frames, n_mels = log_mel_settings.N_MEL_FRAMES, log_mel_settings.N_MELS
    return {
        "eeg": ((N_CHANNELS, EEG_SAMPLES), np.float32),
        "log_mel": ((n_mel_frames, n_mels), np.float32),
        "faces": ((N_FRAMES, side, side, 3), np.uint8),
        "face_found": ((N_FRAMES,), np.bool_),
        "wave": ((AUDIO_SAMPLES,), np.float32),
    }


def make_recipe(
    settings: PreprocessSettings, task: str, dataset: str = EAV
) -> dict[str, Any]:
    """Everything that decides a cache's numbers, as plain values.

    dataset: of another than EAV the name is part of it, so that its subjects cannot
    get among those of EAV.
    """
    recipe: dict[str, Any] = {
        "format": FORMAT,
        "task": task,
        "settings": settings.as_values(),
        "emotions": EMOTIONS,
        "channels": EEG_CHANNELS,
        "window_s": WINDOW_SECONDS,
        "context_s": CONTEXT_SECONDS,
        "eeg": [EEG_RATE, EEG_BAND, eeg_settings.FILTER_ORDER],
        "log_mel": [
            log_mel_settings.FRAME_SAMPLES,
            log_mel_settings.HOP_SAMPLES,
            log_mel_settings.N_MELS,
            log_mel_settings.MEL_RANGE,
            log_mel_settings.PRE_EMPHASIS,
        ],
        "video": [
            FRAME_RATE,
            detector_settings.MTCNN_THRESHOLDS,
            detector_settings.MTCNN_FACTOR,
            face_settings.MIN_FACE,
            face_settings.MIN_CONFIDENCE,
            face_settings.SEARCH_FRAMES,
            face_settings.FOLLOWED_SIZES,
            face_settings.NEIGHBOURHOOD,
        ],
    }
    if dataset != EAV:
        recipe["dataset"] = dataset
    plain: dict[str, Any] = json.loads(json.dumps(recipe))  # tuples become lists
    return plain


def recipe_key(recipe: dict[str, Any]) -> str:
    """A short hash of a recipe."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]


def require_recipe(cache: Path, recipe: dict[str, Any]) -> None:
    """Raise PreparedError if the cache holds subjects of another recipe."""
    for number in list_prepared(cache) if cache.is_dir() else []:
        stored = read_meta(subject_folder(cache, number))
        if stored["key"] == recipe_key(recipe):
            continue
        before, now = _flat(stored["recipe"]), _flat(recipe)
        differing = ", ".join(
            f"{name} {before.get(name)} there and {now.get(name)} now"
            for name in sorted(before.keys() | now.keys())
            if before.get(name) != now.get(name)
        )
        raise PreparedError(
            f"{cache} was prepared with other settings ({differing}); give another "
            "--out, or delete the folder to prepare it anew"
        )


def list_prepared(cache: Path) -> list[int]:
    """Numbers of the subjects that are complete in a cache, ascending."""
    if not cache.is_dir():
        raise PreparedError(
            f"{cache} is not a folder; make it with `eav-offline prepare ROOT --out "
            f"{cache}`"
        )
    matches = [
        _SUBJECT.match(path.name)
        for path in cache.iterdir()
        if (path / META_FILE).is_file()
    ]
    return sorted(int(match[1]) for match in matches if match)


def open_prepared(cache: Path, subject: int) -> PreparedSubject:
    """Map one subject's windows into memory; nothing is read until it is used.

    Raises PreparedError if the subject is not there, or damaged.
    """
    there = list_prepared(cache)
    if subject not in there:
        raise PreparedError(
            f"{cache} has no subject {subject}; it has "
            f"{', '.join(map(str, there)) or 'none'}. Prepare it with `eav-offline "
            f"prepare ROOT --out {cache} --subjects {subject}`"
        )
    folder = subject_folder(cache, subject)
    meta = read_meta(folder)
    if meta["recipe"].get("format") != FORMAT:
        raise PreparedError(
            f"{folder} is of cache format {meta['recipe'].get('format')}, expected "
            f"{FORMAT}; delete {cache} and prepare it anew"
        )
    try:
        settings = PreprocessSettings(**meta["recipe"]["settings"])
        layout = array_layout(settings)
    except (TypeError, ValueError, LookupError) as error:
        raise _damaged(folder / META_FILE, error) from error
    index = _load(folder, "index", None)
    arrays = {
        name: _load(folder, name, ((len(index), *shape), np.dtype(dtype)))
        for name, (shape, dtype) in layout.items()
    }
    return PreparedSubject(
        subject=subject,
        synthetic=meta["synthetic"],
        settings=settings,
        meta=meta,
        **arrays,
        **{
            name: np.array(index[name], dtype=np.int64)
            for name in ("trial", "position", "emotion", "task")
        },
        present=np.array(index["present"]),
    )


def subject_folder(cache: Path, subject: int) -> Path:
    """Where a complete subject lies."""
    return cache / f"subject{subject:02d}"


def read_meta(folder: Path) -> dict[str, Any]:
    """A prepared subject's meta.json, with the keys that reading relies on."""
    try:
        meta = json.loads((folder / META_FILE).read_text(encoding="utf-8"))
        for name in ("key", "recipe", "source", "synthetic"):
            meta[name]
        if not isinstance(meta["recipe"], dict):
            raise TypeError(f"its recipe is {meta['recipe']!r}")
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise _damaged(folder / META_FILE, error) from error
    return dict(meta)


def _load(
    folder: Path, name: str, expected: tuple[tuple[int, ...], np.dtype] | None
) -> np.ndarray:
    path = folder / f"{name}.npy"
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        found = (array.shape, array.dtype)
        if expected is None and (array.ndim != 1 or array.dtype != INDEX_DTYPE):
            raise ValueError(f"found {found}, expected one row a window")
        if expected is not None and found != expected:
            raise ValueError(f"found {found}, expected {expected}")
    except ARRAY_ERRORS as error:
        raise _damaged(path, error) from error
    return array


def _damaged(path: Path, error: Exception) -> PreparedError:
    return PreparedError(
        f"{path} is damaged ({error}); delete {path.parent} and prepare the subject "
        "again"
    )


def _flat(recipe: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in recipe.items() if name != "settings"}
    return rest | dict(recipe.get("settings", {}))
