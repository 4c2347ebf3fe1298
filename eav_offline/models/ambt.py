"""AMBT: frozen encoders that exchange a few bottleneck tokens in their last layers.

After the published figures (Adaptive Multimodal Bottleneck Transformer): in each fusion
layer every modality's block runs on its own tokens and its bottleneck tokens; what
comes out of the latter is reduced to a small width and mixed into the new state, and
from the state every modality's next bottleneck tokens are expanded, in parallel.

`Ambt.begin` is what depends on one frame alone, `Ambt.finish` the rest. Training, the
sliding window and every backend go through these two.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from eav_offline.config import FusionConfig
from eav_offline.core.labels import MODALITIES
from eav_offline.models.layers import Encoder

N_MODALITIES = len(MODALITIES)


class FusionLayer(nn.Module):
    """The adapters of one fusion layer.

    `expand` goes from the state to a modality's bottleneck tokens, `reduce` back;
    `absent` stands for the reduced tokens of a modality that is not there. The last
    layer has no reader of its state, hence neither of the two.
    """

    def __init__(self, config: FusionConfig, dims: Mapping[str, int], number: int):
        super().__init__()
        concat = config.variant == "concat"
        self.concat = concat
        self.number = number
        self.last = number == config.layers - 1
        state_width = config.width * (N_MODALITIES if concat else 1)
        self.expand = nn.ModuleDict(
            {m: nn.Linear(state_width, dims[m]) for m in MODALITIES}
        )
        self.reduce = nn.ModuleDict()
        self.absent = nn.ParameterDict()
        if not self.last:
            for m in MODALITIES:
                self.reduce[m] = nn.Linear(dims[m], config.width)
                absent = torch.empty(config.tokens, config.width)
                self.absent[m] = nn.Parameter(nn.init.trunc_normal_(absent, std=0.02))

    def attend(
        self, modality: str, encoder: Encoder, tokens: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Run a modality's block over its frames and their bottleneck tokens.

        tokens: (n, tokens, dim), the frames of one window after those of another.
        state: (windows, bottleneck tokens, width), or (1, ...) for all alike.
        Returns the frames' own tokens and bottleneck tokens, (n, bottleneck tokens,
        dim). In the last layer only what the head reads.
        """
        told = torch.relu(self.expand[modality](state))
        if len(state) == 1:
            told = told.expand(tokens.shape[0], -1, -1)
        else:
            told = told.repeat_interleave(tokens.shape[0] // len(state), dim=0)
        n_own = tokens.shape[1]
        x = encoder.fusion_blocks[self.number](
            torch.cat([tokens, told], dim=1), encoder.n_read if self.last else None
        )
        return x[:, :n_own], x[:, n_own:]

    def next_state(self, bottleneck: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """What all modalities' bottleneck tokens say together.

        bottleneck: by modality, (n, bottleneck tokens, dim) of the frames of all
        windows; one may be left out. present: (windows, 3) bool.
        Returns the state (windows, bottleneck tokens, width), see `mix`.
        """
        reduced = []
        for i, m in enumerate(MODALITIES):
            part = torch.relu(self.absent[m]).expand(len(present), -1, -1)
            if m in bottleneck:
                heard = over_frames(bottleneck[m], len(present))
                heard = torch.relu(self.reduce[m](heard))
                part = torch.where(present[:, i, None, None], heard, part)
            reduced.append(part)
        return self.mix(reduced)

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
            FusionLayer(config, dims, number) for number in range(config.layers)
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

    @property
    def layers(self) -> list[FusionLayer]:
        """The fusion layers, first to last."""
        return list(self.exchanges)  # type: ignore[arg-type]

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
        begun = {
            m: self.begin(m, encoders[m], states[m].flatten(0, 1))
            for m in MODALITIES
            if m in states
        }
        tokens = {m: own for m, (own, _) in begun.items()}
        bottleneck = {m: told for m, (_, told) in begun.items()}
        return self.finish(encoders, tokens, bottleneck, present)

    def begin(
        self, modality: str, encoder: Encoder, tokens: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The first fusion layer, in which no frame has heard of another.

        tokens: (n, tokens, dim) of frames below fusion. Returns what `finish` takes.
        """
        return self.layers[0].attend(modality, encoder, tokens, self.state)

    def finish(
        self,
        encoders: Mapping[str, Encoder],
        tokens: Mapping[str, Tensor],
        bottleneck: Mapping[str, Tensor],
        present: Tensor,
        complete: Callable[[dict[str, Tensor]], dict[str, Tensor]] = dict,
    ) -> dict[str, Tensor]:
        """The state that the first layer made, and all later layers.

        tokens, bottleneck: of all frames of B windows after the first layer, (n,
        tokens, dim) each; present: (B, 3) bool. complete: adds, to what a later layer
        and at last the heads say of the frames in `tokens`, what is known of others.
        Returns logits (B, 5) by modality, as `forward`.
        """
        own, heard = dict(tokens), dict(bottleneck)
        state = self.layers[0].next_state(heard, present)
        for layer in self.layers[1:]:
            for m in own:
                own[m], heard[m] = layer.attend(m, encoders[m], own[m], state)
            if not layer.last:
                heard = complete(heard)
                state = layer.next_state(heard, present)
        logits = {m: self.heads[m](encoders[m].features(x)) for m, x in own.items()}
        return {m: over_frames(x, len(present)) for m, x in complete(logits).items()}


def over_frames(x: Tensor, windows: int) -> Tensor:
    """(windows * frames, ...) -> (windows, ...), the mean over each one's frames."""
    # Not `unflatten`, for which the export to ONNX fixes the number of frames.
    return x.reshape(windows, -1, *x.shape[1:]).mean(1)


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
