"""From a raw window to probabilities: `prepare`, the models, and nothing else."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eav_offline import checkpoint as checkpoints
from eav_offline.labels import MODALITIES
from eav_offline.models import predict
from eav_offline.preprocess import Inputs, prepare
from eav_offline.window import RawWindow


@dataclass(frozen=True)
class Recognised:
    """Probabilities (5,) of one window; None where a modality was absent.

    present: the modalities that took part.
    """

    fused: np.ndarray | None
    by_modality: dict[str, np.ndarray | None]
    present: tuple[str, ...]


class Recognizer:
    """A loaded checkpoint that recognises one window at a time."""

    def __init__(self, checkpoint: checkpoints.Checkpoint, name: str) -> None:
        self.checkpoint = checkpoint
        self.name = name

    @classmethod
    def load(cls, path: Path, device: str = "cpu") -> "Recognizer":
        """Read a checkpoint. Raises CheckpointError if it does not fit this program."""
        return cls(checkpoints.load(path, device), path.stem)

    @property
    def demo(self) -> bool:
        """Whether the checkpoint knows synthetic people only."""
        return self.checkpoint.demo

    def recognise(self, raw: RawWindow) -> Recognised:
        """Prepare and recognise one window."""
        return self.recognise_inputs(prepare(raw, self.checkpoint.preprocess))

    def recognise_inputs(self, inputs: Inputs) -> Recognised:
        """Recognise what `prepare` returned."""
        if not inputs.present:
            return Recognised(None, dict.fromkeys(MODALITIES), ())
        answer = predict(self.checkpoint.model, [inputs])
        alone = {m: _row(answer.by_modality.get(m)) for m in MODALITIES}
        fused = _row(answer.fused)
        known = tuple(m for m in inputs.present if alone[m] is not None)
        return Recognised(fused, alone, known)


def _row(probabilities: np.ndarray | None) -> np.ndarray | None:
    """The only row, or None if it is missing or empty of numbers."""
    if probabilities is None or not np.isfinite(probabilities[0]).all():
        return None
    return probabilities[0].astype(np.float64)
