"""Windows chosen from prepared subjects, and batches of them for the models."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.models import Batch
from eav_offline.preprocess import OF_SOUND

_COLUMNS = ("source", "row", "subject", "trial", "position", "emotion", "present")


class PreparedWindows(Protocol):
    """One subject's windows, as `data.prepared` maps them into memory.

    eeg: (n, 30, 500) float32 µV. log_mel: (n, 498, 128) float32. faces: (n, 25, side,
    side, 3) uint8. trial, position, emotion: (n,) integers; position counts the
    windows of a trial from 0. present: (n, 3) bool in the order of `MODALITIES`.
    Windows whose waveform was kept also have `wave`, (n, 80000) float32 at 16 kHz, and
    `sound_features`, (n, 180) float32.
    """

    @property
    def subject(self) -> int: ...
    @property
    def synthetic(self) -> bool: ...
    @property
    def eeg(self) -> np.ndarray: ...
    @property
    def log_mel(self) -> np.ndarray: ...
    @property
    def faces(self) -> np.ndarray: ...
    @property
    def trial(self) -> np.ndarray: ...
    @property
    def position(self) -> np.ndarray: ...
    @property
    def emotion(self) -> np.ndarray: ...
    @property
    def present(self) -> np.ndarray: ...


@dataclass(frozen=True)
class WindowSet:
    """Windows of one or more subjects; arrays stay where they are until asked for.

    sources: the subjects; source, row: (n,) where each window lies. subject, trial,
    position, emotion: (n,) int64. present: (n, 3) bool.
    """

    sources: tuple[PreparedWindows, ...]
    source: np.ndarray
    row: np.ndarray
    subject: np.ndarray
    trial: np.ndarray
    position: np.ndarray
    emotion: np.ndarray
    present: np.ndarray

    def __len__(self) -> int:
        return len(self.row)

    @property
    def synthetic(self) -> bool:
        """Whether every subject is a synthetic one."""
        return bool(self.sources) and all(s.synthetic for s in self.sources)

    @property
    def trial_keys(self) -> np.ndarray:
        """(n,) int64, alike for windows of one trial of one subject only."""
        return self.subject * 10_000 + self.trial

    @property
    def emotions(self) -> tuple[str, ...]:
        """Names of the emotions that some window shows, in the order of `EMOTIONS`."""
        return tuple(EMOTIONS[i] for i in np.unique(self.emotion))

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those that some window has, in the order of `MODALITIES`."""
        return tuple(m for i, m in enumerate(MODALITIES) if self.present[:, i].any())

    def of_emotions(self, names: Collection[str]) -> "WindowSet":
        """The windows that show one of these emotions."""
        wanted = [i for i, name in enumerate(EMOTIONS) if name in names]
        return self.subset(np.isin(self.emotion, wanted))

    def subset(self, rows: np.ndarray) -> "WindowSet":
        """The windows of these indices, or of a mask (n,)."""
        columns = (vars(self)[name][rows] for name in _COLUMNS)
        return WindowSet(self.sources, *columns)

    def balanced(self) -> "WindowSet":
        """Everybody with as many windows as the one with the most: some come again."""
        of = [np.flatnonzero(self.subject == one) for one in np.unique(self.subject)]
        most = max(map(len, of), default=0)
        if all(len(rows) == most for rows in of):
            return self
        return self.subset(np.concatenate([np.resize(rows, most) for rows in of]))

    def without_first(self) -> "WindowSet":
        """Those that do not begin a trial, where the EEG filter has no context yet."""
        return self.subset(self.position > 0)

    def with_modality(self, modality: str) -> "WindowSet":
        """The windows in which a modality is present."""
        return self.subset(self.present[:, MODALITIES.index(modality)])

    def array(
        self, modality: str, rows: np.ndarray, frames: np.ndarray | None = None
    ) -> np.ndarray:
        """What the models read of a modality, (len(rows), ...), copied.

        modality: or one of `OF_SOUND`. frames: indices of the face crops wanted, all 25
        if None. Raises InputRefused for such a part of windows without a waveform.
        """
        parts = []
        for source, row in zip(self.source[rows], self.row[rows], strict=True):
            one = self.sources[source]
            if modality == "eeg":
                parts.append(one.eeg[row])
            elif modality == "audio":
                parts.append(one.log_mel[row])
            elif modality in OF_SOUND:
                parts.append(_of_sound(one, modality)[row])
            else:
                faces = one.faces[row]
                parts.append(faces if frames is None else faces[frames])
        return np.stack(parts)

    def batch(
        self,
        rows: np.ndarray,
        parts: Sequence[str] = MODALITIES,
        frames: np.ndarray | None = None,
    ) -> Batch:
        """Stack windows for the models; see `array`.

        parts: such as a model's `parts_read`.
        """
        here = self.present[rows]
        wanted = {m: here[:, i].any() for i, m in enumerate(MODALITIES)}
        wanted |= dict.fromkeys(OF_SOUND, wanted["audio"])
        tensors = {
            name: torch.from_numpy(self.array(name, rows, frames))
            for name, there in wanted.items()
            if name in parts and there
        }
        return Batch(tensors, torch.from_numpy(here))


def window_set(
    subjects: Sequence[PreparedWindows],
    trials: Mapping[int, Sequence[int]] | None = None,
) -> WindowSet:
    """Pool the windows of subjects.

    trials: by subject number, the trials wanted; None for all.
    """
    source, row = [], []
    for number, one in enumerate(subjects):
        wanted = np.ones(len(one.trial), dtype=bool)
        if trials is not None:
            wanted = np.isin(one.trial, list(trials.get(one.subject, ())))
        rows = np.flatnonzero(wanted)
        source.append(np.full(len(rows), number, dtype=np.int64))
        row.append(rows)

    def gather(name: str) -> np.ndarray:
        parts = [
            np.asarray(getattr(one, name))[rows]
            for one, rows in zip(subjects, row, strict=True)
        ]
        return np.concatenate(parts)

    numbers = [np.full(len(r), s.subject) for s, r in zip(subjects, row, strict=True)]
    return WindowSet(
        tuple(subjects),
        np.concatenate(source),
        np.concatenate(row),
        np.concatenate(numbers).astype(np.int64),
        gather("trial").astype(np.int64),
        gather("position").astype(np.int64),
        gather("emotion").astype(np.int64),
        gather("present").astype(bool),
    )


def _of_sound(subject: PreparedWindows, part: str) -> np.ndarray:
    found: np.ndarray | None = getattr(subject, part, None)
    if found is None:
        raise InputRefused(
            f"the windows of subject {subject.subject} keep no waveform, which the "
            "model reads; take a cache that eav-offline prepare makes"
        )
    return found
