"""The files of the features that EAV's authors gave out: found, read and checked."""

import re
from pathlib import Path

import numpy as np

from eav_offline.data.restricted_pickle import load_arrays
from eav_offline.errors import InputRefused
from eav_offline.labels import EMOTIONS, N_EMOTIONS
from eav_offline.window import AUDIO_SAMPLES, EEG_SAMPLES, N_CHANNELS, N_FRAMES

FACE_SIZE = 56  # pixels
PARTS = ("train", "test")

_ENDINGS = {"eeg": "eeg", "aud": "audio", "vis": "video"}
_FILE = re.compile(r"^subject_0*([1-9]\d*)_(eeg|aud|vis)\.pkl$", re.IGNORECASE)
_SHAPES = {
    "eeg": (N_CHANNELS, EEG_SAMPLES),
    "audio": (AUDIO_SAMPLES,),
    "video": (N_FRAMES, FACE_SIZE, FACE_SIZE, 3),
}
_LOUDEST = (
    4.0  # sound in [-1, 1]; resampling may overshoot, whole numbers go far beyond
)


class ReleasedError(InputRefused):
    """Files that are not the released features; the message says what was expected."""


def find_released(folder: Path) -> dict[int, dict[str, Path]]:
    """The released files by subject and modality, ascending.

    Raises ReleasedError if there are none, or two of one subject and modality.
    """
    found: dict[int, dict[str, Path]] = {}
    for path in sorted([*folder.glob("*.pkl"), *folder.glob("*/*.pkl")]):
        match = _FILE.match(path.name)
        if match is None:
            continue
        modality = _ENDINGS[match[2].lower()]
        before = found.setdefault(int(match[1]), {}).setdefault(modality, path)
        if before != path:
            raise ReleasedError(
                f"{before} and {path} are both {modality} of subject {match[1]}; keep "
                "one of them"
            )
    if not found:
        raise ReleasedError(
            f"{folder} holds no released features; expected subject_01_eeg.pkl, "
            "subject_01_aud.pkl and subject_01_vis.pkl, and so on, in it or in folders "
            "of it"
        )
    return dict(sorted(found.items()))


def read_released(
    path: Path, modality: str
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Windows and classes by part, checked. Raises ReleasedError, PickleRefused."""
    items = load_arrays(path)
    if len(items) != 4:
        raise ReleasedError(
            f"{path} holds {len(items)} arrays, expected train_x, train_y, test_x and "
            "test_y"
        )
    values = {"train": items[0], "test": items[2]}
    labels = {"train": items[1], "test": items[3]}
    for part in PARTS:
        _check_windows(path, part, modality, values[part])
        labels[part] = _checked_labels(path, part, labels[part], len(values[part]))
    return values, labels


def _check_windows(path: Path, part: str, modality: str, x: np.ndarray) -> None:
    expected = _SHAPES[modality]
    kinds = "u" if modality == "video" else "f"
    right = x.dtype.kind in kinds and (modality != "video" or x.dtype == np.uint8)
    if x.ndim == 0 or x.shape[1:] != expected or not right or len(x) == 0:
        raise ReleasedError(
            f"{path}: the {part} windows are {x.dtype} {x.shape}, expected "
            f"{'uint8' if modality == 'video' else 'float'} (windows, "
            f"{', '.join(map(str, expected))})"
        )
    if modality == "video":
        return
    if not np.isfinite(x).all():
        raise ReleasedError(
            f"{path}: the {part} windows hold values that are no number"
        )
    if modality == "audio" and np.abs(x).max() > _LOUDEST:
        raise ReleasedError(
            f"{path}: the sound reaches {np.abs(x).max():g}, expected about 1 at most; "
            "divide by the full scale of its numbers"
        )


def _checked_labels(path: Path, part: str, y: np.ndarray, n: int) -> np.ndarray:
    if y.shape != (n,):
        raise ReleasedError(
            f"{path}: {part}_y has shape {y.shape}, expected one class for each of the "
            f"{n} windows"
        )
    emotion = y.astype(np.int64)
    found = sorted(set(emotion.tolist()))
    if not np.array_equal(emotion, y) or found[0] < 0 or found[-1] >= N_EMOTIONS:
        raise ReleasedError(
            f"{path}: {part}_y holds the classes {found}, expected 0 to 4 "
            f"({', '.join(EMOTIONS)}). Odd numbers up to 9 are EAV's label rows; a "
            "loader that leaves them so drops three classes of five"
        )
    return emotion
