"""What a backend is, and PyTorch as it is: the reference of all others."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from eav_offline.models import EmotionModel
from eav_offline.models.ambt import Fusing
from eav_offline.models.sliding import (
    FrameEncoder,
    FrameStates,
    Fusion,
    fused_logits,
)


class Backend(Protocol):
    """Computes one checkpoint on one device. Used by one thread at a time.

    fusing: how the fused answer is made; the model's, but it may be replaced.
    """

    name: str
    fusing: Fusing

    def encode(self, modality: str, frames: np.ndarray) -> FrameStates:
        """frames: (n, ...) as the models read them: (1, 30, 500) float32 µV,
        (1, 498, 128) float32 log-mel, or (n, side, side, 3) uint8."""

    def fuse(
        self, states: Mapping[str, FrameStates], present: tuple[str, ...]
    ) -> Tensor:
        """Fused logits (5,) of the modalities present, from all frames of a window."""


class EagerBackend:
    """PyTorch, operation by operation, on the model's device.

    encoders: by modality; fusion: None without AMBT.
    """

    def __init__(self, model: EmotionModel, name: str = "eager") -> None:
        self.name = name
        self.device = next(model.parameters()).device
        self.encoders = {m: FrameEncoder(model, m).eval() for m in model.by_modality}
        self.fusion = None if model.ambt is None else Fusion(model).eval()
        self.fusing = model.fusing

    @torch.inference_mode()
    def encode(self, modality: str, frames: np.ndarray) -> FrameStates:
        """See `Backend`."""
        x = torch.from_numpy(frames).to(self.device)
        return FrameStates(*self.encoders[modality](x))

    @torch.inference_mode()
    def fuse(
        self, states: Mapping[str, FrameStates], present: tuple[str, ...]
    ) -> Tensor:
        """See `Backend`."""
        return fused_logits(self.fusion, self.fusing, states, present)
