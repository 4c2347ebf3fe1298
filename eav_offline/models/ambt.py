"""AMBT: frozen encoders that exchange a few bottleneck tokens in their last layers.

After the published figures (Adaptive Multimodal Bottleneck Transformer): in each fusion
layer every modality's block runs on its own tokens and its bottleneck tokens; what
comes out of the latter, beside what the modality's head would read, is reduced to a
small width and mixed into the new state, and
from the state every modality's next bottleneck tokens are expanded, in parallel.

`Ambt.begin` is what depends on one frame alone, `Ambt.finish` the rest. Training, the
sliding window and every backend go through these two.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eav_offline.config import FusionConfig
from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.core.model_names import FUSINGS
from eav_offline.models.layers import Encoder

N_MODALITIES = len(MODALITIES)
_LEAST_SPREAD = 1e-6  # variance over frames; of one frame there is none
_LEAST_DEVIATION = 1e-3  # of what a message reads; what never moves says nothing
_LOG_GAINS = (-4.0, 2.0)  # a branch is all but silenced, or heard seven times
_READOUT_WIDTH = 32


class Standardize(nn.Module):
    """(..., n) less the mean, over the deviation, both of the training windows."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, n: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n))
        self.register_buffer("deviation", torch.ones(n))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.deviation

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """Take the statistics of rows (N, n)."""
        self.mean.copy_(x.mean(0))
        self.deviation.copy_(x.std(0).clamp_min(_LEAST_DEVIATION))


class FusionLayer(nn.Module):
    """The adapters of one fusion layer.

    `expand` goes from the state to a modality's bottleneck tokens, `reduce` back, from
    those and from what the modality's head would read, averaged over frames, and from
    how much both vary over frames where there are several; `absent` stands for the
    reduced tokens of a modality that is not there. The last layer has no reader of its
    state, hence neither of the two.
    """

    def __init__(
        self, config: FusionConfig, encoders: Mapping[str, Encoder], number: int
    ) -> None:
        super().__init__()
        concat = config.variant == "concat"
        self.concat = concat
        self.number = number
        self.last = number == config.layers - 1
        self.modalities = tuple(m for m in MODALITIES if m in encoders)
        self.moving = tuple(m for m in self.modalities if encoders[m].by_frame)
        state_width = config.width * (len(encoders) if concat else 1)
        self.expand = nn.ModuleDict(
            {m: nn.Linear(state_width, encoders[m].dim) for m in self.modalities}
        )
        self.scale = nn.ModuleDict()
        self.reduce = nn.ModuleDict()
        self.absent = nn.ParameterDict()
        if not self.last:
            for m in self.modalities:
                n = encoders[m].dim + encoders[m].n_features
                n *= 2 if m in self.moving else 1
                self.scale[m] = Standardize(n)
                self.reduce[m] = nn.Linear(n, config.width)
                absent = torch.empty(config.tokens, config.width)
                self.absent[m] = nn.Parameter(nn.init.trunc_normal_(absent, std=0.02))

    def attend(
        self, modality: str, encoder: Encoder, tokens: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Run a modality's block over its frames and their bottleneck tokens.

        tokens: (n, tokens, dim), the frames of one window after those of another.
        state: (windows, bottleneck tokens, width), or (1, ...) for all alike.
        Returns the frames' own tokens and what they say to the other modalities, (n,
        bottleneck tokens, dim + features). In the last layer only what the head reads,
        and nothing.
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
        own, bottleneck = x[:, :n_own], x[:, n_own:]
        if self.last:
            return own, bottleneck
        features = encoder.features(own)[:, None].expand(-1, bottleneck.shape[1], -1)
        return own, torch.cat([bottleneck, features], dim=-1)

    def next_state(self, messages: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """What all modalities say together.

        messages: by modality, what `attend` returned of the frames of all windows; one
        may be left out. present: (windows, 3) bool.
        Returns the state (windows, bottleneck tokens, width), see `mix`.
        """
        reduced = []
        for m in self.modalities:
            i = MODALITIES.index(m)
            part = torch.relu(self.absent[m]).expand(len(present), -1, -1)
            if m in messages:
                heard = torch.relu(self.reduce[m](self.read(m, messages[m], present)))
                part = torch.where(present[:, i, None, None], heard, part)
            reduced.append(part)
        return self.mix(reduced)

    def read(self, modality: str, messages: Tensor, present: Tensor) -> Tensor:
        """What `reduce` reads of a modality: (windows, bottleneck tokens, n)."""
        x = over_frames(messages, len(present))
        if modality in self.moving:
            x = torch.cat([x, log_spread(messages, len(present))], dim=-1)
        return self.scale[modality](x)

    def mix(self, reduced: list[Tensor]) -> Tensor:
        """Reduced tokens of every modality, each (B, tokens, width) -> the new state.

        Mean: (B, tokens, width). Concat: (B, tokens, 3 * width), where token k holds
        token k of EEG, audio and video in this order; of two, 2 * width.
        """
        if self.concat:
            return torch.cat(reduced, dim=-1)
        return torch.stack(reduced).mean(0)


class Readout(nn.Module):
    """How far each branch is to be believed, and what it says of itself, given a state.

    It says nothing at first: the branches' logits are then left as they are.
    """

    def __init__(self, state_width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(state_width, _READOUT_WIDTH)
        self.gain = nn.Linear(_READOUT_WIDTH, N_MODALITIES)
        self.shift = nn.Linear(_READOUT_WIDTH, N_MODALITIES * N_EMOTIONS)
        for part in (self.gain, self.shift):
            nn.init.zeros_(part.weight)
            nn.init.zeros_(part.bias)

    def forward(self, logits: Mapping[str, Tensor], state: Tensor) -> dict[str, Tensor]:
        """Logits (B, 5) by modality, given the state (B, tokens, width)."""
        x = F.gelu(self.hidden(state.flatten(1)))
        gains = self.gain(x).clamp(*_LOG_GAINS).exp()
        shifts = self.shift(x).unflatten(1, (N_MODALITIES, N_EMOTIONS))
        return {
            m: logits[m] * gains[:, i, None] + shifts[:, i]
            for i, m in enumerate(MODALITIES)
            if m in logits
        }


class Ambt(nn.Module):
    """Bottleneck state, adapters, absent states, heads, readout: what fusion may train.

    The encoders' blocks are handed in, not owned, so that one checkpoint holds each of
    them once. encoders: two or three, by modality; nothing is fused of others.
    """

    def __init__(self, config: FusionConfig, encoders: Mapping[str, Encoder]) -> None:
        super().__init__()
        width = config.width * (len(encoders) if config.variant == "concat" else 1)
        self.state = nn.Parameter(torch.empty(1, config.tokens, width))
        nn.init.trunc_normal_(self.state, std=0.02)
        self.exchanges = nn.ModuleList(
            FusionLayer(config, encoders, number) for number in range(config.layers)
        )
        self.heads = nn.ModuleDict(
            {m: copy.deepcopy(encoders[m].head) for m in MODALITIES if m in encoders}
        )
        self.readout = Readout(config.tokens * width)

    @property
    def layers(self) -> list[FusionLayer]:
        """The fusion layers, first to last."""
        return list(self.exchanges)  # type: ignore[arg-type]

    def copy_heads(self, encoders: Mapping[str, Encoder]) -> None:
        """Begin with the heads the encoders were trained with."""
        for m, head in self.heads.items():
            head.load_state_dict(encoders[m].head.state_dict())

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
        messages = {m: said for m, (_, said) in begun.items()}
        return self.finish(encoders, tokens, messages, present)

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
        messages: Mapping[str, Tensor],
        present: Tensor,
        complete: Callable[[dict[str, Tensor]], dict[str, Tensor]] = dict,
    ) -> dict[str, Tensor]:
        """The state that the first layer made, and all later layers.

        tokens, messages: of all frames of B windows after the first layer, as `begin`
        returns them; present: (B, 3) bool. complete: adds, to what a later layer and at
        last the heads say of the frames in `tokens`, what is known of others.
        Returns logits (B, 5) by modality, as `forward`.
        """
        own, said = dict(tokens), dict(messages)
        state = self.layers[0].next_state(said, present)
        for layer in self.layers[1:]:
            for m in own:
                own[m], said[m] = layer.attend(m, encoders[m], own[m], state)
            if not layer.last:
                said = complete(said)
                state = layer.next_state(said, present)
        logits = {m: self.heads[m](encoders[m].features(x)) for m, x in own.items()}
        logits = {m: over_frames(x, len(present)) for m, x in complete(logits).items()}
        return self.readout(logits, state)


def log_spread(x: Tensor, windows: int) -> Tensor:
    """(windows * frames, ...) -> (windows, ...), log of the deviation over frames."""
    x = x.reshape(windows, -1, *x.shape[1:])
    square = (x - x.mean(1, keepdim=True)).square()
    return (square.mean(1) + _LEAST_SPREAD).log() / 2


def over_frames(x: Tensor, windows: int) -> Tensor:
    """(windows * frames, ...) -> (windows, ...), the mean over each one's frames."""
    # Not `unflatten`, for which the export to ONNX fixes the number of frames.
    return x.reshape(windows, -1, *x.shape[1:]).mean(1)


@dataclass(frozen=True)
class Fusing:
    """How the fused answer is made, and why so.

    how: "ambt"; "mean", the plain mean of the encoders' probabilities; "calibrated",
    the same with each encoder's logits divided by its temperature.
    """

    how: str = "mean"
    temperatures: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""

    def __post_init__(self) -> None:
        if self.how not in FUSINGS:
            raise ValueError(f"fusing is {self.how!r}, expected {', '.join(FUSINGS)}")
        if self.how == "calibrated" and not self.temperatures:
            raise ValueError(
                "a calibrated mean needs temperatures, which training fits on "
                "validation trials; take the plain mean"
            )

    def average(self, alone: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """Log of the mean of the encoders' probabilities, (B, 5).

        alone: each one's logits (B, 5). present: (B, 3) bool; rows in which nothing is
        present are NaN.
        """
        calibrated = self.how == "calibrated"
        parts = []
        for i, m in enumerate(MODALITIES):
            if m in alone:
                by = self.temperatures.get(m, 1.0) if calibrated else 1.0
                chances = (alone[m].float() / by).softmax(1)
                here = present[:, i, None].to(chances.device)
                parts.append(torch.where(here, chances, torch.nan))
        return torch.stack(parts).nanmean(0).log()


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
