"""AMBT: frozen encoders that exchange a few bottleneck tokens in their last layers.

After the published figures (Adaptive Multimodal Bottleneck Transformer): in each fusion
layer every modality's block runs on its own tokens and its bottleneck tokens; what
comes out of the latter is reduced to a small width and mixed into the new state, and
from the state every modality's next bottleneck tokens are expanded, in parallel.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from eav_offline.config import FusionConfig
from eav_offline.core.labels import MODALITIES
from eav_offline.models.layers import Encoder

N_MODALITIES = len(MODALITIES)


class Exchange(nn.Module):
    """The adapters of one fusion layer.

    `expand` goes from the state to a modality's bottleneck tokens, `reduce` back;
    `absent` stands for the reduced tokens of a modality that is not there. The last
    layer has no reader of its state, hence neither of the two.
    """

    def __init__(self, config: FusionConfig, dims: Mapping[str, int], last: bool):
        super().__init__()
        concat = config.variant == "concat"
        self.concat = concat
        self.last = last
        state_width = config.width * (N_MODALITIES if concat else 1)
        self.expand = nn.ModuleDict(
            {m: nn.Linear(state_width, dims[m]) for m in MODALITIES}
        )
        self.reduce = nn.ModuleDict()
        self.absent = nn.ParameterDict()
        if not last:
            for m in MODALITIES:
                self.reduce[m] = nn.Linear(dims[m], config.width)
                absent = torch.empty(config.tokens, config.width)
                self.absent[m] = nn.Parameter(nn.init.trunc_normal_(absent, std=0.02))

    def mix(self, reduced: list[Tensor]) -> Tensor:
        """Reduced tokens of every modality, each (B, tokens, width) -> the new state.

        Mean: (B, tokens, width). Concat: (B, tokens, 3 * width), where token k holds
        token k of EEG, audio and video in this order.
        """
        if self.concat:
            return torch.cat(reduced, dim=-1)
        return torch.stack(reduced).mean(0)


class Ambt(nn.Module):
    """Bottleneck state, adapters, absent states and heads: all that fusion trains.

    The encoders' blocks are handed in, not owned, so that one checkpoint holds each of
    them once.
    """

    def __init__(self, config: FusionConfig, encoders: Mapping[str, Encoder]) -> None:
        super().__init__()
        dims = {m: encoders[m].dim for m in MODALITIES}
        width = config.width * (N_MODALITIES if config.variant == "concat" else 1)
        self.state = nn.Parameter(torch.empty(1, config.tokens, width))
        nn.init.trunc_normal_(self.state, std=0.02)
        self.exchanges = nn.ModuleList(
            Exchange(config, dims, last=i == config.layers - 1)
            for i in range(config.layers)
        )
        self.heads = nn.ModuleDict(
            {
                m: nn.Sequential(
                    nn.Dropout(encoders[m].head[0].p),  # type: ignore[arg-type]
                    nn.Linear(encoders[m].n_features, encoders[m].head[1].out_features),  # type: ignore[arg-type]
                )
                for m in MODALITIES
            }
        )
        self.copy_heads(encoders)

    def copy_heads(self, encoders: Mapping[str, Encoder]) -> None:
        """Begin with the heads the encoders were trained with."""
        for m in MODALITIES:
            self.heads[m].load_state_dict(encoders[m].head.state_dict())

    def forward(
        self,
        encoders: Mapping[str, Encoder],
        states: Mapping[str, Tensor],
        present: Tensor,
    ) -> dict[str, Tensor]:
        """Logits (B, 5) of each modality in `states`, having heard of the others.

        states: below fusion, (B, frames, tokens, dim); a modality that is absent from
        the whole batch may be left out. present: (B, 3) bool in the order of
        `MODALITIES`; where False, the states' content has no influence on the others
        and the modality's own logits mean nothing.
        """
        tokens = {m: states[m].flatten(0, 1) for m in MODALITIES if m in states}
        frames = {m: states[m].shape[1] for m in tokens}
        b = len(present)
        state = self.state.expand(b, -1, -1)
        for layer, module in enumerate(self.exchanges):
            exchange: Exchange = module  # type: ignore[assignment]
            reduced = []
            for i, m in enumerate(MODALITIES):
                heard = None
                if m in tokens:
                    told = torch.relu(exchange.expand[m](state))  # (B, tokens, dim)
                    told = told.repeat_interleave(frames[m], dim=0)
                    n_own = tokens[m].shape[1]
                    x = torch.cat([tokens[m], told], dim=1)
                    x = encoders[m].fusion_blocks[layer](
                        x, encoders[m].n_read if exchange.last else None
                    )
                    tokens[m] = x[:, :n_own]
                    if not exchange.last:
                        heard = x[:, n_own:].unflatten(0, (b, frames[m])).mean(1)
                if not exchange.last:
                    reduced.append(
                        self.reduced(exchange, m, heard, present[:, i, None, None])
                    )
            if not exchange.last:
                state = exchange.mix(reduced)
        return {
            m: self.heads[m](encoders[m].features(x))
            .unflatten(0, (b, frames[m]))
            .mean(1)
            for m, x in tokens.items()
        }

    @staticmethod
    def reduced(
        exchange: Exchange, m: str, heard: Tensor | None, present: Tensor
    ) -> Tensor:
        absent = torch.relu(exchange.absent[m]).expand(len(present), -1, -1)
        if heard is None:
            return absent
        return torch.where(present, torch.relu(exchange.reduce[m](heard)), absent)


def fuse_logits(branches: Mapping[str, Tensor], present: Tensor) -> Tensor:
    """Mean (B, 5) of the branches' logits over the modalities present.

    present: (B, 3) bool. Rows in which nothing is present are NaN.
    """
    total = torch.zeros(())
    for i, m in enumerate(MODALITIES):
        if m in branches:
            total = total + torch.where(present[:, i, None], branches[m], 0.0)
    here = torch.stack(
        [present[:, i] & (m in branches) for i, m in enumerate(MODALITIES)], dim=1
    )
    return total / here.sum(1, keepdim=True)  # 0 / 0 = NaN where nothing is there
