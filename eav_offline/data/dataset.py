"""What preparing asks of a dataset, whatever its files look like.

A reader of another dataset implements the two protocols here and is given to
`data.prepared.prepare_root`; `data.clips` is one. Nothing after the cache knows
which dataset it was.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from eav_offline.core.labels import MODALITIES
from eav_offline.core.window import EEG_SAMPLES, N_CHANNELS, N_FRAMES
from eav_offline.data.eav.files import DatasetError
from eav_offline.data.recording import Recording
from eav_offline.preprocess.audio import N_MEL_FRAMES, N_MELS

IMPORTED_FILE = "IMPORTED.json"
MARKER_NAME = "SYNTHETIC.json"
EXPORTED_FILE = "EXPORTED.json"  # of a person in a BIDS dataset


class DatasetSubject(Protocol):
    """One person's recordings; trials are numbered from 1, in their order in time."""

    @property
    def name(self) -> str:
        """For messages, such as "subject1"."""

    @property
    def synthetic(self) -> bool:
        """Whether the person does not exist; figures say so then."""

    @property
    def person(self) -> str | None:
        """A code by which everything of this person can be found and forgotten."""

    def sources(self) -> list[Path]:
        """The files read; once they change, the subject is prepared again."""

    def trials(self, task: str) -> list[int]:
        """Trial numbers of a task ("speaking", "listening" or "both"), ascending."""

    def recording(self, trial: int) -> Recording:
        """One trial, at least five seconds long, with its emotion, task and number.

        Raises TrialError if this trial cannot be used, DatasetError or MediaError.
        """


class Dataset(Protocol):
    """Subjects by number, and what the dataset's words for emotions mean here."""

    @property
    def name(self) -> str:
        """One word; caches of datasets with different names are kept apart."""

    @property
    def root(self) -> Path:
        """The folder it lies in."""

    @property
    def labels(self) -> Mapping[str, str | None]:
        """From its words to one of `labels.EMOTIONS`; None for what is left out."""

    def subjects(self) -> list[int]:
        """Their numbers, from 1 to 9999, ascending."""

    def open_subject(self, number: int) -> DatasetSubject:
        """Look a subject over. Raises DatasetError if it cannot be used."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a dataset.

    subject: whose, None if it cannot be told. trial: 1-based, or None if it concerns
    the whole subject. code: the kind of fault, stable for machines. message: found,
    expected, what to do.
    """

    subject: int | None
    trial: int | None
    code: str
    message: str

    def __str__(self) -> str:
        trial = "" if self.trial is None else f" trial {self.trial}"
        whose = "" if self.subject is None else f"subject {self.subject}{trial}: "
        return f"{whose}{self.code}: {self.message}"

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def require_subjects(
    wanted: Collection[int] | None, there: Collection[int], root: Path
) -> None:
    """Raise DatasetError if some of the subjects wanted (None: all) are not there."""
    absent = sorted(set(wanted or ()) - set(there))
    if absent:
        raise DatasetError(
            "no-subjects",
            f"{root} has no subject {', '.join(map(str, absent))}; it has "
            f"{', '.join(map(str, sorted(set(there))))}",
        )


def fingerprint(paths: Iterable[Path]) -> str:
    """A hash of files' names and sizes, the same for any copy of them."""
    listing = sorted((path.name, path.stat().st_size) for path in paths)
    return hashlib.sha256(json.dumps(listing).encode()).hexdigest()[:16]


def imported_person(folder: Path) -> str | None:
    """The code of the person that an imported subject is of, None if it is none."""
    try:
        about = json.loads((folder / IMPORTED_FILE).read_text(encoding="utf-8"))
        person = about["person"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None if person is None else str(person)


def is_synthetic(subject_dir: Path) -> bool:
    """Whether a subject's folder carries the marker of a synthetic person."""
    return read_marker(subject_dir).get("synthetic") is True


def read_marker(subject_dir: Path) -> dict[str, object]:
    """The marker's content (seed, effect, attainable, ...); empty without a marker.

    Raises DatasetError if there is a marker but it is damaged: whether the person is
    real cannot be told then.
    """
    path = Path(subject_dir) / MARKER_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it holds no JSON object")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DatasetError(
            "damaged-mark",
            f"{path} cannot be read as JSON ({error}); write the subject again",
        ) from error
    return content


@dataclass(frozen=True)
class LabeledWindows:
    """What training reads of a person; modalities that were not recorded are zero.

    The fields are those of `data.window_set.PreparedWindows`; `emotion` is a class
    number, whatever the classes of the data set mean.
    """

    subject: int
    eeg: np.ndarray
    log_mel: np.ndarray
    faces: np.ndarray
    trial: np.ndarray
    position: np.ndarray
    emotion: np.ndarray
    present: np.ndarray
    synthetic: bool = False


def speech_windows(
    subject: int, log_mel: np.ndarray, emotion: np.ndarray
) -> LabeledWindows:
    """Sound alone: log_mel (n, 498, 128), emotion (n,); each window its own trial."""
    n = len(log_mel)
    position = np.zeros(n, dtype=np.int64)
    alone = _alone("audio", subject, np.arange(1, n + 1), position, emotion)
    return replace(alone, log_mel=log_mel)


def eeg_windows(
    subject: int,
    eeg_uv: np.ndarray,
    trial: np.ndarray,
    position: np.ndarray,
    emotion: np.ndarray,
) -> LabeledWindows:
    """EEG alone: eeg_uv (n, 30, 500) µV; trial, position and emotion (n,)."""
    return replace(_alone("eeg", subject, trial, position, emotion), eeg=eeg_uv)


def _alone(
    modality: str,
    subject: int,
    trial: np.ndarray,
    position: np.ndarray,
    emotion: np.ndarray,
) -> LabeledWindows:
    """Windows of one modality before its array is there; the zeros take no memory."""
    n, zero = len(emotion), np.float32(0)
    return LabeledWindows(
        subject=subject,
        eeg=np.broadcast_to(zero, (n, N_CHANNELS, EEG_SAMPLES)),
        log_mel=np.broadcast_to(zero, (n, N_MEL_FRAMES, N_MELS)),
        faces=np.broadcast_to(np.uint8(0), (n, N_FRAMES, 1, 1, 3)),
        trial=trial,
        position=position,
        emotion=emotion,
        present=np.tile([m == modality for m in MODALITIES], (n, 1)),
    )
