"""The prepared cache on disk: its arrays, and reading a subject's windows.

    CACHE/subject01/meta.json   recipe and its key, task, versions, where it came from,
                                size and checksum of each array
                    index.npy   trial, position, emotion, task, modalities present
                    eeg.npy log_mel.npy faces.npy face_found.npy wave.npy

One cache holds one recipe; another recipe is refused and wants another folder. A
subject's folder appears under its name only when it is complete. Sizes are compared
whenever a subject is opened, checksums (`verify`) before anything is learned or scored.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from eav_offline.common.errors import InputRefused
from eav_offline.common.files import ARRAY_ERRORS, write_atomically
from eav_offline.core.labels import MODALITIES
from eav_offline.core.window import AUDIO_SAMPLES, EEG_SAMPLES, N_CHANNELS, N_FRAMES
from eav_offline.data.recipe import EAV, FORMAT, differing_settings, recipe_key
from eav_offline.preprocess import Inputs, PreprocessSettings
from eav_offline.preprocess import audio as log_mel_settings
from eav_offline.preprocess.sound_features import N_SOUND_FEATURES, sound_features

META_FILE = "meta.json"
INDEX_DTYPE = np.dtype(
    [
        ("trial", np.int32),
        ("position", np.int32),
        ("emotion", np.int32),
        ("task", np.int32),
        ("present", np.bool_, (len(MODALITIES),)),
        ("offset", np.float32, (N_CHANNELS,)),
    ]
)

_SUBJECT = re.compile(r"^subject(\d{2,})$")
_READ_BYTES = 1 << 22  # hashed at a time
_MOST_TOLD = 3  # subjects whose change is worded


class PreparedError(InputRefused):
    """A cache that cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class PreparedSubject:
    """One subject's windows, mapped from disk, in order of trial and position.

    eeg (n, 30, 500) float32 µV; log_mel (n, 498, 128) float32; faces (n, 25, side,
    side, 3) uint8; face_found (n, 25) bool; wave (n, 80000) float32 at 16 kHz. Rows of
    an absent modality are zeros.
    trial (1-based), position (of the window in its trial, from 0), emotion, task (0
    Listening, 1 Speaking): (n,) int64. present: (n, 3) bool by `MODALITIES`. offset:
    (n, 30) float32 µV, the electrodes' means before the filter took them away, NaN
    where only filtered EEG was to be had.
    synthetic: made by the generator, not by a person. folder: where it lies. meta: what
    its meta.json holds.
    """

    subject: int
    synthetic: bool
    settings: PreprocessSettings
    folder: Path
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
    offset: np.ndarray

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


def require_recipe(cache: Path, recipe: dict[str, Any]) -> None:
    """Raise PreparedError if the cache holds subjects of another recipe."""
    for number in list_prepared(cache) if cache.is_dir() else []:
        try:
            stored = read_meta(subject_folder(cache, number))
        except PreparedError:  # whoever prepares this subject replaces it
            continue
        if stored["key"] == recipe_key(recipe):
            continue
        differing = ", ".join(
            f"{name} {there} there and {now} now"
            for name, (there, now) in differing_settings(
                stored["recipe"], recipe
            ).items()
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


def list_unfinished(cache: Path) -> list[int]:
    """Numbers of the subjects whose preparation was begun and not finished."""
    names = (path.name for path in cache.glob("subject*.partial"))
    numbers = (name.removeprefix("subject").removesuffix(".partial") for name in names)
    return sorted(int(number) for number in numbers if number.isdecimal())


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
    _check_sizes(folder, meta, [*layout, "index"])
    index = _load(folder, "index", None)
    arrays = {
        name: _load(folder, name, ((len(index), *shape), np.dtype(dtype)))
        for name, (shape, dtype) in layout.items()
    }
    return PreparedSubject(
        subject=subject,
        synthetic=meta["synthetic"],
        settings=settings,
        folder=folder,
        meta=meta,
        **arrays,
        **{
            name: np.array(index[name], dtype=np.int64)
            for name in ("trial", "position", "emotion", "task")
        },
        present=np.array(index["present"]),
        offset=np.array(index["offset"]),
    )


def dataset_of(meta: Mapping[str, Any]) -> str:
    """The dataset that a prepared subject is of."""
    return str(meta.get("dataset", EAV))


def verify(subject: PreparedSubject) -> None:
    """Raise PreparedError unless every array holds the numbers that were prepared.

    Reads all of the files, as opening does not: of a subject of EAV, 400 windows or 348
    MB, in about a second. A file that was verified is not read again in this process
    until its size or time of change is another.
    """
    for name in (*array_layout(subject.settings), "index"):
        path = subject.folder / f"{name}.npy"
        try:
            found = _checksum_unless_known(path.resolve(), *_stamp(path))
        except ARRAY_ERRORS as error:
            raise _damaged(path, error) from error
        expected = subject.meta["files"][name]["checksum"]
        if found != expected:
            raise _damaged(path, f"checksum {found} found, {expected} expected")


def why_prepare(cache: Path, subject: int, source: object) -> str | None:
    """Why a subject has to be prepared; None if it lies in the cache, whole.

    source: what its files are now. "" if it is not there. Reads all of its arrays.
    """
    if not (subject_folder(cache, subject) / META_FILE).is_file():
        return ""
    try:
        there = open_prepared(cache, subject)
        if there.meta["source"] != source:
            return "its files have changed"
        verify(there)
    except PreparedError as error:
        return str(error)
    return None


def content_key(meta: Mapping[str, Any]) -> str:
    """A short hash of a subject's numbers, from what its meta.json says of the arrays.

    The same wherever, whenever and with whatever versions they were prepared.
    """
    sums = {name: file["checksum"] for name, file in meta["files"].items()}
    return hashlib.sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()[:16]


def data_identity(subjects: Iterable[PreparedSubject]) -> dict[str, dict[str, Any]]:
    """What the windows are, for split.json: by subject, `source` and `content` key.

    And `dataset`, of another than EAV.
    """
    return {
        str(one.subject): {
            "source": one.meta["source"],
            "content": content_key(one.meta),
            **({"dataset": name} if (name := dataset_of(one.meta)) != EAV else {}),
        }
        for one in subjects
    }


def changed_data(
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    there: str = "expected",
    here: str = "found",
) -> str:
    """How two answers of `data_identity` differ, in words; "" if they do not.

    there, here: what the values of `before` and of `now` are called.
    """
    told = []
    for number in sorted(before.keys() | now.keys(), key=lambda n: (len(n), n)):
        known, new = before.get(number) or {}, now.get(number) or {}
        parts = [
            f"{part} {known.get(part, 'none')} {there}, {new.get(part, 'none')} {here}"
            for part in ("dataset", "content", "source")
            if known.get(part) != new.get(part)
        ]
        told += [f"subject {number}: {' and '.join(parts)}"] if parts else []
    more = f"; and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
    return "; ".join(told[:_MOST_TOLD]) + more


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


def write_meta(folder: Path, about: Mapping[str, Any]) -> None:
    """End a subject's folder: meta.json, with size and checksum of the arrays in it."""
    files = {
        path.stem: {"bytes": path.stat().st_size, "checksum": _checksum(path)}
        for path in sorted(folder.glob("*.npy"))
    }
    text = json.dumps({**about, "files": files}, indent=2)
    write_atomically(folder / META_FILE, text)


def _checksum(path: Path) -> str:
    """Of the numbers, their type and shape; not of how NumPy heads the file."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    digest = hashlib.sha256(repr([array.shape, array.dtype.descr]).encode())
    rows = max(1, _READ_BYTES // max(1, array[:1].nbytes))
    for row in range(0, len(array), rows):
        digest.update(array[row : row + rows].tobytes())
    return digest.hexdigest()[:32]


@lru_cache(maxsize=4096)  # files
def _checksum_unless_known(path: Path, size: int, changed_ns: int, inode: int) -> str:
    return _checksum(path)


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


def _check_sizes(folder: Path, meta: Mapping[str, Any], names: Iterable[str]) -> None:
    for name in names:
        path = folder / f"{name}.npy"
        try:
            file = meta["files"][name]
            expected, _ = int(file["bytes"]), str(file["checksum"])
        except (LookupError, TypeError, ValueError) as error:
            raise _damaged(folder / META_FILE, error) from error
        try:
            found = path.stat().st_size
        except OSError as error:
            raise _damaged(path, error) from error
        if found != expected:
            raise _damaged(path, f"{found} bytes found, {expected} expected")


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


def _damaged(path: Path, error: object) -> PreparedError:
    return PreparedError(
        f"{path} is damaged ({error}); prepare the subject again, which replaces it"
    )
