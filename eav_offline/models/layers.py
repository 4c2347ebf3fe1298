"""Transformer parts the three encoders share, and what an encoder is to the fusion."""

from abc import ABC, abstractmethod
from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eav_offline.config import EegConfig, VitConfig
from eav_offline.core.labels import EMOTIONS, N_EMOTIONS, known_emotions

_LEAST_VARIANCE = 1e-4  # of a token's feature over a picture; its root has a slope


class Attention(nn.Module):
    """Multi-head self-attention over tokens, (B, tokens, dim) in and out."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, n_read: int | None = None) -> Tensor:
        """n_read: how many of the first tokens are wanted; None for all."""
        b, n, dim = x.shape
        if n_read is None:
            qkv = self.qkv(x).reshape(b, n, 3, self.heads, dim // self.heads)
            q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B, heads, tokens, dim / heads)
        else:
            weight, bias = self.qkv.weight, self.qkv.bias
            kv = F.linear(x, weight[dim:], bias[dim:])
            kv = kv.reshape(b, n, 2, self.heads, dim // self.heads)
            k, v = kv.permute(2, 0, 3, 1, 4)
            q = F.linear(x[:, :n_read], weight[:dim], bias[:dim])
            q = q.unflatten(2, (self.heads, -1)).transpose(1, 2)
        # No dropout here: with it torch leaves its fused kernel, five times slower
        # over the 488 EEG tokens.
        x = F.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Pre-norm transformer layer. layer_scale: see the configuration; 0 for none."""

    def __init__(
        self,
        dim: int,
        heads: int,
        mlp_ratio: float,
        dropout: float,
        layer_scale: float,
        norm_eps: float,
    ) -> None:
        super().__init__()
        hidden = round(dim * mlp_ratio)
        self.norm1 = nn.LayerNorm(dim, eps=norm_eps)
        self.attention = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=norm_eps)
        self.mlp = nn.Sequential(
            nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim)
        )
        self.drop = nn.Dropout(dropout)
        self.scale1: nn.Parameter | None = None
        self.scale2: nn.Parameter | None = None
        if layer_scale:
            self.scale1 = nn.Parameter(torch.full((dim,), layer_scale))
            self.scale2 = nn.Parameter(torch.full((dim,), layer_scale))

    def forward(self, x: Tensor, n_read: int | None = None) -> Tensor:
        """(B, tokens, dim) -> (B, n_read, dim): the first of them, None for all."""
        heard = self._scaled(self.attention(self.norm1(x), n_read), self.scale1)
        x = x[:, :n_read] + heard
        return x + self._scaled(self.mlp(self.norm2(x)), self.scale2)

    def _scaled(self, branch: Tensor, scale: Tensor | None) -> Tensor:
        branch = self.drop(branch)
        return branch if scale is None else branch * scale


def blocks_of(config: EegConfig | VitConfig, fusion_layers: int) -> nn.ModuleList:
    """The layers of a branch: those below fusion, and as many more as fuse."""
    return nn.ModuleList(
        Block(
            config.dim,
            config.heads,
            config.mlp_ratio,
            config.dropout,
            config.layer_scale,
            config.norm_eps,
        )
        for _ in range(config.layers_before + fusion_layers)
    )


def make_head(n_features: int, dropout: float) -> nn.Sequential:
    """Dropout and a linear map to logits; starts at zero, so undecided."""
    linear = nn.Linear(n_features, N_EMOTIONS)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    return nn.Sequential(nn.Dropout(dropout), linear)


class KnownOnly(nn.Module):
    """Logits (..., 5) of what a model knows; minus infinity of the other emotions.

    Their probabilities are then exactly 0, and the others' sum to 1. It holds no
    weights, and training does without it.
    """

    unknown: Tensor

    def __init__(self, knows: Collection[str] = EMOTIONS) -> None:
        super().__init__()
        self.knows = known_emotions(knows)
        unknown = [0.0 if name in knows else -torch.inf for name in EMOTIONS]
        self.register_buffer("unknown", torch.tensor(unknown), persistent=False)

    def forward(self, logits: Tensor) -> Tensor:
        return logits if self.knows == EMOTIONS else logits + self.unknown


class Encoder(nn.Module, ABC):
    """One modality's transformer, open at the layer where fusion begins.

    States are (B, frames, tokens, dim); EEG and sound count as one frame.
    `below_fusion` depends on nothing but its own frame, so live may keep it per frame.
    """

    dim: int
    n_features: int
    n_before: int
    blocks: nn.ModuleList
    head: nn.Sequential
    # How many of the first tokens `features` reads; None for all. The last block need
    # not compute the others: at the paper size that saves three quarters of it.
    n_read: int | None = None
    # Axes of a batch over which the training data's mean and deviation are taken for
    # `fit_scale`; None if the scale is given.
    scale_axes: tuple[int, ...] | None = None
    # The part of a batch it reads, if that is not its modality's own.
    reads: str = ""
    # Whether logits have a slope over what the model reads.
    differentiable: bool = True
    # Whether a window is many frames, as pictures are.
    by_frame: bool = False
    # Whether other runtimes can compute it: see `backends.onnx`.
    exportable: bool = False

    @property
    def n_tokens(self) -> int:
        """Tokens of a frame, or what takes as much memory."""
        return 1

    def part(self, modality: str) -> str:
        """The name of the part of a batch that it reads, standing for a modality."""
        return self.reads or modality

    @abstractmethod
    def below_fusion(self, x: Tensor) -> Tensor:
        """What the model reads -> states (B, frames, tokens, dim) below fusion."""

    @abstractmethod
    def features(self, tokens: Tensor) -> Tensor:
        """Tokens after the last block, (N, tokens, dim), -> (N, n_features).

        The first `n_read` tokens are enough.
        """

    @abstractmethod
    def fit_scale(self, mean: Tensor, deviation: Tensor) -> None:
        """Take the training data's statistics over `scale_axes`."""

    @property
    def fusion_blocks(self) -> list[nn.Module]:
        """The blocks that exchange bottleneck tokens inside AMBT."""
        return list(self.blocks)[self.n_before :]

    def frame_features(self, states: Tensor) -> Tensor:
        """States below fusion -> what the head reads, (B, frames, n_features)."""
        tokens = states.flatten(0, 1)  # (B * frames, tokens, dim)
        *blocks, last = self.fusion_blocks
        for block in blocks:
            tokens = block(tokens)
        tokens = last(tokens, self.n_read)
        return self.features(tokens).unflatten(0, (-1, states.shape[1]))

    def from_states(self, states: Tensor) -> Tensor:
        """States below fusion -> logits (B, 5) of this modality alone."""
        return self.head(self.frame_features(states)).mean(1)

    def forward(self, x: Tensor) -> Tensor:
        """What the model reads -> logits (B, 5)."""
        return self.from_states(self.below_fusion(x))


class VisionTransformer(Encoder):
    """ViT over the patches of pictures (N, in_channels, rows, columns).

    Patches run row by row; class tokens come first. Overlapping patches (a stride
    below the patch) as in AST are allowed.
    """

    exportable = True

    def __init__(
        self,
        config: VitConfig,
        fusion_layers: int,
        picture: tuple[int, int],
        in_channels: int,
    ) -> None:
        super().__init__()
        self.dim = config.dim
        self.spread = config.pool == "statistics"
        self.n_features = config.dim * (2 if self.spread else 1)
        self.n_before = config.layers_before
        self.n_class = config.class_tokens
        self.n_read = config.class_tokens if config.pool == "class" else None
        rows, columns = (
            (side - patch) // stride + 1
            for side, patch, stride in zip(
                picture, config.patch, config.stride, strict=True
            )
        )
        self.grid = (rows, columns)  # patches
        self.patches = nn.Conv2d(in_channels, config.dim, config.patch, config.stride)
        self.stem = nn.GELU() if config.stem == "gelu" else nn.Identity()
        self.class_tokens = nn.Parameter(torch.zeros(1, self.n_class, config.dim))
        self.positions = nn.Parameter(
            torch.zeros(1, self.n_class + rows * columns, config.dim)
        )
        self.drop = nn.Dropout(config.dropout)
        self.blocks = blocks_of(config, fusion_layers)
        self.norm = nn.LayerNorm(config.dim, eps=config.norm_eps)
        if self.spread:
            # Means and deviations differ in size; the head wants them alike.
            self.statistics_norm = nn.BatchNorm1d(self.n_features, affine=False)
        self.head = make_head(self.n_features, config.head_dropout)
        nn.init.trunc_normal_(self.class_tokens, std=0.02)
        nn.init.trunc_normal_(self.positions, std=0.02)
        self.apply(_init_linear)
        nn.init.zeros_(self.head[-1].weight)  # type: ignore[arg-type]

    @property
    def n_tokens(self) -> int:
        return self.positions.shape[1]

    def tokens(self, pictures: Tensor) -> Tensor:
        """(N, in_channels, rows, columns) -> (N, tokens, dim) below fusion."""
        x = self.stem(self.patches(pictures)).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_tokens.expand(x.shape[0], -1, -1), x], dim=1)
        x = self.drop(x + self.positions)
        for block in list(self.blocks)[: self.n_before]:
            x = block(x)
        return x

    def features(self, tokens: Tensor) -> Tensor:
        if self.n_read is not None:
            return self.norm(tokens[:, : self.n_read]).mean(1)
        # Bottleneck tokens never get here; what follows the class tokens are patches.
        patches = self.norm(tokens)[:, self.n_class :]
        if not self.spread:
            return patches.mean(1)
        deviation = (patches.var(1) + _LEAST_VARIANCE).sqrt()
        return self.statistics_norm(torch.cat([patches.mean(1), deviation], dim=1))


def _init_linear(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        # ViT's usual 0.02 suits a width of 768; at 96 it hardly moves for many epochs.
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
