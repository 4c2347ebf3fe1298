"""From a raw window to probabilities, computing only what the last windows did not.

Exact: crops by picture, log-mel columns by the sound itself, and everything of a frame
that does not depend on the other frames (`eav_offline.models.sliding`) are kept; all
else is computed anew in every window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from eav_offline import checkpoint as checkpoints
from eav_offline.backends import Backend, EagerBackend
from eav_offline.core.labels import MODALITIES
from eav_offline.core.window import RawWindow
from eav_offline.models.sliding import FrameStates
from eav_offline.preprocess import RECORDINGS, Inputs, PreparationMemory, prepare


@dataclass(frozen=True)
class Recognised:
    """Probabilities (5,) of one window; None where a modality was absent.

    present: the modalities that took part.
    """

    fused: np.ndarray | None
    by_modality: dict[str, np.ndarray | None]
    present: tuple[str, ...]


class Recognizer:
    """A loaded checkpoint that recognises one window at a time.

    One session's windows belong to one recognizer. backend: computes the model, by
    default PyTorch as it is. remember: keep what the next window may need; without,
    every window is computed from nothing.
    """

    def __init__(
        self,
        checkpoint: checkpoints.Checkpoint,
        name: str,
        backend: Backend | None = None,
        remember: bool = True,
    ) -> None:
        self.checkpoint = checkpoint
        self.name = name
        self.backend = backend or EagerBackend(checkpoint.model)
        self.remember = remember
        self._memory = PreparationMemory()
        self._frames = _FrameMemory()
        self._next: Backend | None = None

    @classmethod
    def load(cls, path: Path, device: str = "cpu") -> "Recognizer":
        """Read a checkpoint. Raises CheckpointError if it does not fit this program.

        One that was trained on the dataset's released features does not: live windows
        cannot be filtered and cropped as those were.
        """
        checkpoint = checkpoints.load(path, device)
        if checkpoint.preprocess.origin != RECORDINGS:
            raise checkpoints.CheckpointError(
                f"{path} was trained on features as EAV's authors released them (EEG "
                "filtered to 0.5-45 Hz over whole sessions, faces cropped by another "
                "tracker), and live windows are made otherwise; train on a cache that "
                "`eav-offline prepare` makes of recordings"
            )
        return cls(checkpoint, path.stem)

    def use(self, backend: Backend) -> None:
        """Compute with another backend from the next window on; from any thread."""
        self._next = backend

    @property
    def demo(self) -> bool:
        """Whether the checkpoint knows synthetic people only."""
        return self.checkpoint.demo

    def recognise(self, raw: RawWindow) -> Recognised:
        """Prepare and recognise one window."""
        memory = self._memory if self.remember else None
        return self.recognise_inputs(prepare(raw, self.checkpoint.preprocess, memory))

    def recognise_inputs(self, inputs: Inputs) -> Recognised:
        """Recognise what `prepare` returned."""
        if self._next is not None:
            self.backend, self._next = self._next, None
            self._frames = _FrameMemory()
        encoders = self.checkpoint.model.by_modality
        states = {
            m: self._video(part) if m == "video" else self._encode(m, part[None])
            for m, encoder in encoders.items()
            if (part := inputs.part(encoder.part(m))) is not None
        }
        alone = {
            m: _probabilities(states[m].alone.mean(0)) if m in states else None
            for m in MODALITIES
        }
        present = tuple(m for m in MODALITIES if alone[m] is not None)
        if not present:
            return Recognised(None, alone, ())
        return Recognised(
            _probabilities(self.backend.fuse(states, present)), alone, present
        )

    def _encode(self, modality: str, window: np.ndarray) -> FrameStates:
        return self.backend.encode(modality, window)

    def _video(self, faces: np.ndarray) -> FrameStates:
        if not self.remember:
            return self.backend.encode("video", faces)
        return self._frames.encode(faces, self.backend)


class _FrameMemory:
    """States of the last window's face crops, found again by the crops' content."""

    def __init__(self) -> None:
        self._rows: dict[bytes, tuple[torch.Tensor, ...]] = {}

    def encode(self, faces: np.ndarray, backend: Backend) -> FrameStates:
        """faces: (n, side, side, 3) uint8. Only those not known are computed."""
        keys = [face.tobytes() for face in faces]
        new = {key: i for i, key in enumerate(keys) if key not in self._rows}
        if new:
            states = backend.encode("video", faces[list(new.values())])
            parts = (states.tokens, states.told, states.alone)
            for row, key in enumerate(new):
                # Copies: a row must not keep the whole batch it came with.
                self._rows[key] = tuple(part[row].clone() for part in parts)
        self._rows = {key: self._rows[key] for key in keys}
        rows: Sequence[tuple[torch.Tensor, ...]] = [self._rows[key] for key in keys]
        return FrameStates(*(torch.stack(part) for part in zip(*rows, strict=True)))


def _probabilities(logits: torch.Tensor) -> np.ndarray | None:
    """(5,) float64, or None if they are no numbers."""
    chances = logits.float().softmax(0).cpu().numpy()
    return chances.astype(np.float64) if np.isfinite(chances).all() else None
