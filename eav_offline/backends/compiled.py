"""The model compiled by `torch.compile`, all of it before the first window."""

import logging
import time
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from eav_offline.backends.base import EagerBackend
from eav_offline.backends.onnx import answers
from eav_offline.backends.reference_windows import reference_windows
from eav_offline.config import Config
from eav_offline.core.labels import MODALITIES
from eav_offline.core.window import N_FRAMES
from eav_offline.models import EmotionModel
from eav_offline.models.sliding import FrameStates, mean_logits

log = logging.getLogger(__name__)


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
        """See `Backend`."""
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
        """See `Backend`."""
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
