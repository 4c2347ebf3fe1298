"""The recognizer in two parts, so that a sliding window costs only what is new.

`FrameEncoder` is everything that depends on one frame alone: the blocks below fusion,
the modality's own opinion, and the first fusion layer, whose bottleneck tokens come
from AMBT's initial state and are the same for every window. `FusionRest` is what is
left: the later fusion layers over all frames of a window. Nothing is approximated.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.models import EmotionModel
from eav_offline.models.ambt import Ambt, Exchange, fuse_logits


@dataclass(frozen=True)
class FrameStates:
    """What is known of some frames of one modality, however the window moves.

    tokens: (frames, tokens, dim) after the first fusion layer; (frames, 0, 0) without
        AMBT.
    told: (frames, bottleneck tokens, dim), what the frames tell the other modalities;
        (frames, 0, 0) likewise.
    alone: (frames, 5) logits of the modality by itself, to be averaged over frames.
    """

    tokens: Tensor
    told: Tensor
    alone: Tensor


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

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`tokens`, `told` and `alone` of `FrameStates`."""
        # A picture is a window of one frame here, as EEG and sound are.
        video = self.modality == "video"
        states = self.encoder.below_fusion(x.unsqueeze(1) if video else x)
        own = states.squeeze(1)  # (frames, tokens, dim)
        alone = self.encoder.head(self.encoder.frame_features(own.unsqueeze(1)))
        alone = alone.squeeze(1)  # (frames, 5)
        if self.ambt is None:
            return own[:, :0, :0], own[:, :0, :0], alone
        exchange: Exchange = self.ambt.exchanges[0]  # type: ignore[assignment]
        x = tell(exchange, self.modality, self.ambt.state, own)
        x = self.encoder.fusion_blocks[0](x)
        return x[:, : own.shape[1]], x[:, own.shape[1] :], alone


class FusionRest(nn.Module):
    """The window's frames of all three modalities -> logits of each inside AMBT.

    Takes, in the order of `MODALITIES`, the `tokens` and then the `told` of each, and
    `present` (1, 3) bool. An absent modality's may hold anything finite.
    Returns (3, 5): each modality's logits; those of an absent one mean nothing.
    """

    def __init__(self, model: EmotionModel) -> None:
        super().__init__()
        if model.ambt is None:
            raise ValueError("the model has no AMBT; average the modalities instead")
        self.ambt: Ambt = model.ambt
        self.encoders = nn.ModuleDict(dict(model.by_modality))

    def forward(
        self,
        eeg: Tensor,
        audio: Tensor,
        video: Tensor,
        eeg_told: Tensor,
        audio_told: Tensor,
        video_told: Tensor,
        present: Tensor,
    ) -> Tensor:
        """See the class."""
        tokens = dict(zip(MODALITIES, (eeg, audio, video), strict=True))
        told = dict(zip(MODALITIES, (eeg_told, audio_told, video_told), strict=True))
        logits = self.rest(tokens, told, present)
        return torch.stack([logits[m] for m in MODALITIES])

    def rest(
        self, tokens: Mapping[str, Tensor], told: Mapping[str, Tensor], present: Tensor
    ) -> dict[str, Tensor]:
        """The same by modality; only those in `tokens` are computed. Each (5,)."""
        tokens, told = dict(tokens), dict(told)
        state: Tensor = self.ambt.state
        for layer, module in enumerate(self.ambt.exchanges):
            exchange: Exchange = module  # type: ignore[assignment]
            if layer:
                for m, own in tokens.items():
                    encoder = self.encoders[m]
                    x = encoder.fusion_blocks[layer](  # type: ignore[operator,index]
                        tell(exchange, m, state, own),
                        encoder.n_read if exchange.last else None,
                    )
                    tokens[m] = x[:, : own.shape[1]]
                    told[m] = x[:, own.shape[1] :]
            if not exchange.last:
                state = exchange.mix(
                    [
                        self.ambt.reduced(
                            exchange,
                            m,
                            told[m].mean(0, keepdim=True) if m in told else None,
                            present[:, i, None, None],
                        )
                        for i, m in enumerate(MODALITIES)
                    ]
                )
        return {
            m: self.ambt.heads[m](self.encoders[m].features(x)).mean(0)  # type: ignore[operator]
            for m, x in tokens.items()
        }


def tell(exchange: Exchange, modality: str, state: Tensor, own: Tensor) -> Tensor:
    """Frames' own tokens (frames, tokens, dim), followed by the bottleneck tokens.

    state: (1, bottleneck tokens, width), which is expanded for the modality.
    """
    told = torch.relu(exchange.expand[modality](state))
    return torch.cat([own, told.expand(own.shape[0], -1, -1)], dim=1)


def fused_logits(
    rest: FusionRest | None,
    states: Mapping[str, FrameStates],
    present: tuple[str, ...],
) -> Tensor:
    """Fused logits (5,) of one window from its frames' states.

    rest: None without AMBT: the mean of the modalities. present: the modalities in
    `states` that count. NaN if there are none.
    """
    here = torch.tensor([[m in present for m in MODALITIES]])
    if not present:
        return torch.full((N_EMOTIONS,), torch.nan)
    if rest is None:
        branches = {m: states[m].alone.mean(0) for m in present}
    else:
        branches = rest.rest(
            {m: states[m].tokens for m in present},
            {m: states[m].told for m in present},
            here.to(states[present[0]].tokens.device),
        )
    rows = {m: x[None] for m, x in branches.items()}
    device = next(iter(rows.values())).device
    return fuse_logits(rows, here.to(device))[0]
