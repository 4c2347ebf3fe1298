"""The model in two parts, so that a sliding window costs only what is new.

`FrameEncoder` is everything that depends on one frame alone: the blocks below fusion,
the modality's own opinion, and the first fusion layer, whose bottleneck tokens come
from AMBT's initial state and are the same for every window. `Fusion` is what is left:
the later fusion layers over all frames of a window. Nothing is approximated.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.models import EmotionModel
from eav_offline.models.ambt import Ambt, Fusing, fuse_logits


@dataclass(frozen=True)
class FrameStates:
    """What is known of some frames of one modality, however the window moves.

    tokens: (frames, tokens, dim) after the first fusion layer; (frames, 0, 0) without
        AMBT.
    message: (frames, bottleneck tokens, dim + features), what the frames say to the
        other modalities; (frames, 0, 0) likewise.
    logits: (frames, 5) of the modality by itself, to be averaged over frames.
    features: (frames, n_features), what these are made of, likewise.
    """

    tokens: Tensor
    message: Tensor
    logits: Tensor
    features: Tensor


class FrameEncoder(nn.Module):
    """One modality's frames, as the models read them, -> `FrameStates`.

    Frames are (frames, ...): (1, 30, 500) EEG, (1, 498, 128) log-mel, or any number of
    pictures (frames, side, side, 3) uint8.
    """

    def __init__(self, model: EmotionModel, modality: str) -> None:
        super().__init__()
        self.modality = modality
        self.encoder = model.by_modality[modality]
        self.ambt = model.ambt
        self.known = model.known

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The parts of `FrameStates`, in its order."""
        # A picture is a window of one frame here, as EEG and sound are.
        video = self.modality == "video"
        states = self.encoder.below_fusion(x.unsqueeze(1) if video else x)
        own = states.squeeze(1)  # (frames, tokens, dim)
        features = self.encoder.frame_features(own.unsqueeze(1))
        logits = self.known(self.encoder.head(features).squeeze(1))  # (frames, 5)
        features = features.squeeze(1)
        if self.ambt is None:
            return own[:, :0, :0], own[:, :0, :0], logits, features
        tokens, message = self.ambt.begin(self.modality, self.encoder, own)
        return tokens, message, logits, features


class Fusion(nn.Module):
    """The frames of one window -> logits of each modality inside AMBT.

    As a module, for export and compilation, it takes in the order of `MODALITIES` the
    `tokens` and then the `message` of each, and `present` (1, 3) bool. An absent
    modality's may hold anything finite. It returns (3, 5): each modality's logits;
    those of an absent one mean nothing. Of a model without one of the three only
    `branches` can be asked.
    """

    def __init__(self, model: EmotionModel) -> None:
        super().__init__()
        if model.ambt is None:
            raise ValueError("the model has no AMBT; average the modalities instead")
        self.ambt: Ambt = model.ambt
        self.encoders = nn.ModuleDict(dict(model.by_modality))
        self.known = model.known

    def forward(
        self,
        eeg: Tensor,
        audio: Tensor,
        video: Tensor,
        eeg_message: Tensor,
        audio_message: Tensor,
        video_message: Tensor,
        present: Tensor,
    ) -> Tensor:
        tokens = dict(zip(MODALITIES, (eeg, audio, video), strict=True))
        told = (eeg_message, audio_message, video_message)
        messages = dict(zip(MODALITIES, told, strict=True))
        logits = self.ambt.finish(self.encoders, tokens, messages, present)  # type: ignore[arg-type]
        return self.known(torch.cat([logits[m] for m in MODALITIES]))

    def branches(
        self,
        states: Mapping[str, FrameStates],
        present: tuple[str, ...],
        complete: Callable[[dict[str, Tensor]], dict[str, Tensor]] = dict,
    ) -> dict[str, Tensor]:
        """Logits (1, 5) of the modalities present. complete: see `Ambt.finish`."""
        logits = self.ambt.finish(
            self.encoders,  # type: ignore[arg-type]
            {m: states[m].tokens for m in present},
            {m: states[m].message for m in present},
            _mask(present, self.ambt.state.device),
            complete,
        )
        return {m: self.known(x) for m, x in logits.items()}


def fused_logits(
    fusion: Fusion | None,
    fusing: Fusing,
    states: Mapping[str, FrameStates],
    present: tuple[str, ...],
) -> Tensor:
    """Fused logits (5,) of one window from its frames' states.

    fusion: asked only if `fusing` wants AMBT. present: the modalities in `states` that
    count. NaN if there are none.
    """
    if not present:
        return torch.full((N_EMOTIONS,), torch.nan)
    if fusion is not None and fusing.how == "ambt":
        return mean_logits(fusion.branches(states, present))
    alone = {m: states[m].logits.mean(0, keepdim=True) for m in present}
    device = next(iter(alone.values())).device
    return fusing.average(alone, _mask(present, device))[0]


def mean_logits(branches: Mapping[str, Tensor]) -> Tensor:
    """Fused logits (5,) of one window's branches, (1, 5) each, all of them present."""
    device = next(iter(branches.values())).device
    return fuse_logits(branches, _mask(tuple(branches), device))[0]


def _mask(present: tuple[str, ...], device: torch.device) -> Tensor:
    return torch.tensor([[m in present for m in MODALITIES]], device=device)
