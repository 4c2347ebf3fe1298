"""What a backend is; PyTorch as it is, the reference of all others, and compiled."""

import logging
import time
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from eav_offline.backends.reference_windows import reference_windows
from eav_offline.config import Config
from eav_offline.core.labels import MODALITIES
from eav_offline.core.window import N_FRAMES
from eav_offline.models import EmotionModel
from eav_offline.models.ambt import Fusing
from eav_offline.models.sliding import (
    FrameEncoder,
    FrameStates,
    Fusion,
    fused_logits,
    mean_logits,
)

log = logging.getLogger(__name__)

# Modalities that are there: all, each pair, each alone.
SUBSETS = (
    MODALITIES,
    *(tuple(m for m in MODALITIES if m != left_out) for left_out in MODALITIES),
    *((m,) for m in MODALITIES),
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
        x = torch.from_numpy(frames).to(self.device)
        return FrameStates(*self.encoders[modality](x))

    @torch.inference_mode()
    def fuse(
        self, states: Mapping[str, FrameStates], present: tuple[str, ...]
    ) -> Tensor:
        return fused_logits(self.fusion, self.fusing, states, present)


class CompiledBackend(EagerBackend):
    """PyTorch compiled for the shapes of a session; others are computed as they are.

    Compiled: one window of EEG and of sound, any number of pictures, and the fusion of
    full windows that have all modalities.
    """

    def __init__(self, model: EmotionModel, name: str, config: Config) -> None:
        super().__init__(model, name)
        begun = time.monotonic()
        log.info("Compiling the model; this takes a minute or more the first time")
        self._compiled = {
            m: torch.compile(encoder, dynamic=m == "video", fullgraph=True)
            for m, encoder in self.encoders.items()
        }
        self._all = None
        if self.fusion is not None:
            self._all = torch.compile(self.fusion, dynamic=False, fullgraph=True)
        window = reference_windows(config, 1)[0]
        answers(self, window, tuple(model.by_modality))
        if "video" in self._compiled:  # another number, so that any will do later
            self.encode("video", np.repeat(window["video"], 2, axis=0))
            self.encode("video", window["video"][:1])
        log.info("Compiled in %.0f s", time.monotonic() - begun)

    @torch.inference_mode()
    def encode(self, modality: str, frames: np.ndarray) -> FrameStates:
        # One picture would be compiled once more: it is computed twice instead.
        single = modality == "video" and len(frames) == 1
        if single:
            frames = np.repeat(frames, 2, axis=0)
        x = torch.from_numpy(frames).to(self.device)
        if modality == "video":
            torch._dynamo.mark_dynamic(x, 0, min=2, max=10 * N_FRAMES)
        parts = self._compiled[modality](x)
        return FrameStates(*(part[:1] if single else part for part in parts))

    @torch.inference_mode()
    def fuse(
        self, states: Mapping[str, FrameStates], present: tuple[str, ...]
    ) -> Tensor:
        full = present == MODALITIES and len(states["video"].logits) == N_FRAMES
        if self._all is None or not full or self.fusing.how != "ambt":
            return super().fuse(states, present)
        here = torch.ones(1, len(MODALITIES), dtype=torch.bool, device=self.device)
        logits = self._all(
            *(states[m].tokens for m in MODALITIES),
            *(states[m].message for m in MODALITIES),
            here,
        )
        return mean_logits(dict(zip(MODALITIES, logits[:, None], strict=True)))


def answers(
    backend: Backend, window: Mapping[str, np.ndarray], modalities: tuple[str, ...]
) -> np.ndarray:
    """Probabilities (rows, 5) that a way to compute gives for a reference window.

    Rows: fused for every subset of modalities, then each modality by itself. The
    window's pictures are repeated until it is full.
    """
    states = full_window({m: backend.encode(m, window[m]) for m in modalities})
    rows = []
    for subset in SUBSETS:
        if set(subset) <= set(modalities):
            rows.append(backend.fuse(states, subset))
    rows += [states[m].logits.mean(0) for m in modalities]
    return torch.stack([row.float().cpu().softmax(0) for row in rows]).numpy()


def full_window(states: Mapping[str, FrameStates]) -> dict[str, FrameStates]:
    """The same with the pictures repeated until there are as many as in a window."""
    if "video" not in states:
        return dict(states)
    video = states["video"]
    take = torch.arange(N_FRAMES, device=video.logits.device) % len(video.logits)
    full = FrameStates(*(part[take] for part in vars(video).values()))
    return {**states, "video": full}
