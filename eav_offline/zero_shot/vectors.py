"""What the trained encoders say of windows, as vectors: EEG, and sound with face."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from eav_offline.core.labels import MODALITIES
from eav_offline.data.window_set import WindowSet
from eav_offline.models import Recogniser
from eav_offline.training.loop import EVALUATION_BATCH, split


@dataclass(frozen=True)
class Vectors:
    """values: (n, features) float32, emotion: (n,) int64, trial: (n,) keys."""

    values: Tensor
    emotion: np.ndarray
    trial: np.ndarray

    def __len__(self) -> int:
        return len(self.emotion)

    def of(self, classes: Sequence[int]) -> "Vectors":
        """Those of some classes."""
        return self.subset(np.isin(self.emotion, list(classes)))

    def subset(self, keep: np.ndarray) -> "Vectors":
        """Those of a mask (n,)."""
        rows = np.flatnonzero(keep)
        return Vectors(self.values[rows], self.emotion[rows], self.trial[rows])


@torch.no_grad()
def encoder_vectors(
    model: Recogniser,
    windows: WindowSet,
    modalities: Sequence[str],
    frames: int | None = None,
) -> Vectors:
    """What the heads of these encoders read, side by side, averaged over frames.

    Only windows that have all of the modalities. frames: faces of a window that are
    looked at, evenly spaced, None for all. The encoders are put into eval mode: batch
    statistics and dropout belong to their own training.
    """
    for m in modalities:
        windows = windows.with_modality(m)
        model.by_modality[m].eval()
    device = next(model.parameters()).device
    chosen = None
    if frames is not None:
        n_frames = windows.sources[0].faces.shape[1]
        chosen = np.linspace(0, n_frames - 1, frames).round().astype(int)
    ordered = [m for m in MODALITIES if m in modalities]
    read = [model.by_modality[m].part(m) for m in ordered]
    parts = []
    for rows in (
        split(np.arange(len(windows)), EVALUATION_BATCH) if len(windows) else ()
    ):
        batch = windows.batch(rows, read, chosen).to(device)
        features = []
        for m in ordered:
            encoder = model.by_modality[m]
            states = encoder.below_fusion(batch.parts[encoder.part(m)])
            features.append(encoder.frame_features(states).mean(1))
        parts.append(torch.cat(features, 1).float().cpu())
    n_features = sum(model.by_modality[m].n_features for m in ordered)
    values = torch.cat(parts) if parts else torch.zeros(0, n_features)
    return Vectors(values, windows.emotion, windows.trial_keys)
