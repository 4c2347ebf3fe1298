"""A model whose blocks compute with smaller numbers than 32-bit floats.

Attention and the layers after it are converted: at the paper size they are nearly all
of the work. Each encoder's first block, norms, sums and everything outside the blocks
stay as they are: tokens differ little before the first block has made them, so that
most of the error would arise there (two thirds at the paper size, for a twelfth of the
work). The weights that are not converted are shared with the model given.

Ways to compute less than the model asks for; each has a name, none is exact.

"running": a picture's later fusion layers are computed once, with the bottleneck state
as it was when the picture came. "merge": tokens that are alike become one below fusion
(token merging, Bolya et al. 2023). "small": smaller pictures of the face, with
interpolated positions. None of them needs training; what each costs in agreement is
measured, not assumed (docs/backends.md).
"""

import copy
import itertools
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eav_offline.backends.base import EagerBackend
from eav_offline.models import EmotionModel
from eav_offline.models.encoders import VideoEncoder
from eav_offline.models.layers import Attention, Block, VisionTransformer
from eav_offline.models.sliding import FrameStates, mean_logits

WAYS = ("running", "merge", "small")
MERGED = 1 / 15  # share of a picture's patches that one layer merges: 13 of 196
SMALLER = 5 / 7  # of the side: 160 of 224 pixels


def with_blocks_in(model: EmotionModel, dtype: torch.dtype) -> EmotionModel:
    """The model with attention and MLP of every block but the first."""
    model = shared_copy(model)
    for block in later_blocks(model):
        block.attention = _Cast(copy.deepcopy(block.attention), dtype)  # type: ignore[assignment]
        block.mlp = _Cast(copy.deepcopy(block.mlp), dtype)  # type: ignore[assignment]
    return model.eval()


def with_blocks_in_int8(model: EmotionModel, attend_in: torch.dtype) -> EmotionModel:
    """The model with 8-bit linear layers, scaled while computing, in the same blocks.

    attend_in: the numbers in which attention itself is computed.
    """
    model = shared_copy(model)
    for block in later_blocks(model):
        block.attention = _Int8Attention(block.attention, attend_in)  # type: ignore[assignment]
        block.mlp = _quantized(block.mlp)  # type: ignore[assignment]
    return model.eval()


def shared_copy(model: EmotionModel) -> EmotionModel:
    """A copy whose modules may be replaced, with the weights of the original."""
    tensors = [*model.parameters(), *model.buffers()]
    return copy.deepcopy(model, {id(tensor): tensor for tensor in tensors})


def later_blocks(model: EmotionModel) -> list[Block]:
    """Every transformer layer of the model but the encoders' first."""
    return [
        module
        for encoder in model.by_modality.values()
        for layer in list(encoder.blocks)[1:]
        for module in layer.modules()  # it may be inside one that merges tokens
        if isinstance(module, Block)
    ]


class _Cast(nn.Module):
    """A module that computes in another dtype; float32 in and out."""

    def __init__(self, inner: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.inner = inner.to(dtype)
        self.dtype = dtype

    def forward(self, x: Tensor, *arguments: int | None) -> Tensor:
        return self.inner(x.to(self.dtype), *arguments).float()


class _Int8Attention(nn.Module):
    """`Attention` with 8-bit linear layers."""

    def __init__(self, attention: Attention, attend_in: torch.dtype) -> None:
        super().__init__()
        self.heads = attention.heads
        self.attend_in = attend_in
        dim = attention.proj.in_features
        parts = []
        for rows in (slice(None, dim), slice(dim, None)):
            weight = attention.qkv.weight[rows].detach()
            part = nn.Linear(dim, len(weight))
            part.weight = nn.Parameter(weight.clone())
            part.bias = nn.Parameter(attention.qkv.bias[rows].detach().clone())
            parts.append(part)
        self.q, self.kv = _quantized(parts[0]), _quantized(parts[1])
        self.proj = _quantized(attention.proj)

    def forward(self, x: Tensor, n_read: int | None = None) -> Tensor:
        b, n, dim = x.shape
        q = self.q(x[:, :n_read]).unflatten(2, (self.heads, -1)).transpose(1, 2)
        kv = self.kv(x).reshape(b, n, 2, self.heads, dim // self.heads)
        k, v = kv.permute(2, 0, 3, 1, 4)
        q, k, v = (part.to(self.attend_in) for part in (q, k, v))
        heard = F.scaled_dot_product_attention(q, k, v).float()
        return self.proj(heard.transpose(1, 2).flatten(2))


def _quantized(module: nn.Module) -> nn.Module:
    from torch.ao.quantization import per_channel_dynamic_qconfig, quantize_dynamic

    # oneDNN is the engine with AMX: twice as fast as "x86" where measured.
    before = torch.backends.quantized.engine
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # announced for removal; the version is pinned
        torch.backends.quantized.engine = "onednn"
        try:
            wrapped = nn.Sequential(copy.deepcopy(module).cpu()).eval()
            kinds = {nn.Linear: per_channel_dynamic_qconfig}
            return quantize_dynamic(wrapped, kinds, dtype=torch.qint8)[0]
        finally:
            torch.backends.quantized.engine = before


def changed(model: EmotionModel, ways: Sequence[str]) -> EmotionModel:
    """The model with "small" and "merge" where they are among `ways`."""
    if not {"small", "merge"} & set(ways):
        return model
    model = shared_copy(model)
    for encoder in model.by_modality.values():
        if "small" in ways and isinstance(encoder, VideoEncoder):
            _shrink(encoder)
        if "merge" in ways and isinstance(encoder, VisionTransformer):
            _merge_tokens(encoder)
    return model.eval()


class RunningBackend(EagerBackend):
    """Computes later fusion layers for the pictures that it has not seen.

    Pictures are known again by their states. All are computed anew when another
    modality comes or goes.
    """

    def __init__(self, model: EmotionModel, name: str) -> None:
        super().__init__(model, name)
        self._present: tuple[str, ...] = ()
        # A picture's messages of each later layer, and its logits at last.
        self._rows: dict[bytes, list[Tensor]] = {}

    @torch.inference_mode()
    def fuse(
        self, states: Mapping[str, FrameStates], present: tuple[str, ...]
    ) -> Tensor:
        exchange = self.fusion is not None and self.fusing.how == "ambt"
        if self.fusion is None or not exchange or "video" not in present:
            return super().fuse(states, present)
        if present != self._present:
            self._present, self._rows = present, {}
        video = states["video"]
        keys = [row.cpu().numpy().tobytes() for row in video.message]
        new = {key: i for i, key in enumerate(keys) if key not in self._rows}
        self._rows = {key: self._rows.get(key, []) for key in keys}
        steps = itertools.count()

        def complete(computed: dict[str, Tensor]) -> dict[str, Tensor]:
            for row, key in zip(computed["video"], new, strict=True):
                self._rows[key].append(row.clone())
            step = next(steps)
            known = torch.stack([self._rows[key][step] for key in keys])
            return {**computed, "video": known}

        tokens = video.tokens[list(new.values())]
        states = {**states, "video": replace(video, tokens=tokens)}
        return mean_logits(self.fusion.branches(states, present, complete))


class _MergingBlock(nn.Module):
    """A transformer layer that merges tokens between attention and MLP.

    sizes: how many patches each token stands for, shared by the layers of an encoder.
    """

    def __init__(
        self,
        block: Block,
        n_merged: int,
        n_class: int,
        sizes: list[Tensor],
        first: bool,
    ) -> None:
        super().__init__()
        self.block = block
        self.n_merged = n_merged
        self.n_class = n_class
        self.first = first
        self._sizes = sizes

    def forward(self, x: Tensor, n_read: int | None = None) -> Tensor:
        block = self.block
        x = x[:, :n_read] + block._scaled(
            block.attention(block.norm1(x), n_read), block.scale1
        )
        if n_read is None:
            x = self._merge(x)
        return x + block._scaled(block.mlp(block.norm2(x)), block.scale2)

    def _merge(self, x: Tensor) -> Tensor:
        """(N, tokens, dim) -> (N, tokens - n_merged, dim)."""
        kept, patches = x[:, : self.n_class], x[:, self.n_class :]
        n, _, dim = patches.shape
        sizes = patches.new_ones(patches.shape[:2]) if self.first else self._sizes[0]
        a, b = patches[:, ::2], patches[:, 1::2]
        alike = F.normalize(a, dim=-1) @ F.normalize(b, dim=-1).transpose(1, 2)
        best, partner = alike.max(-1)  # of each in a, that in b which it goes into
        order = best.argsort(dim=-1, descending=True)
        go, stay = order[:, : self.n_merged], order[:, self.n_merged :]
        size_a, size_b = sizes[:, ::2], sizes[:, 1::2]
        goes_to = partner.gather(1, go)
        total = size_b.scatter_add(1, goes_to, size_a.gather(1, go))
        weighed = (a * size_a[..., None]).gather(1, go[..., None].expand(n, -1, dim))
        b = (b * size_b[..., None]).scatter_add(
            1, goes_to[..., None].expand(n, -1, dim), weighed
        ) / total[..., None]
        a = a.gather(1, stay[..., None].expand(n, -1, dim))
        self._sizes[:] = [torch.cat([size_a.gather(1, stay), total], dim=1)]
        return torch.cat([kept, a, b], dim=1)


def _merge_tokens(encoder: VisionTransformer) -> None:
    n_patches = encoder.positions.shape[1] - encoder.n_class
    n_merged = max(1, round(MERGED * n_patches))
    sizes: list[Tensor] = []
    for i in range(encoder.n_before):
        block = encoder.blocks[i]
        encoder.blocks[i] = _MergingBlock(
            block,  # type: ignore[arg-type]
            n_merged,
            encoder.n_class,
            sizes,
            first=i == 0,
        )


class _ShrinkingPatches(nn.Module):
    """Patches of pictures made smaller first."""

    def __init__(self, patches: nn.Conv2d, shape: tuple[int, int]) -> None:
        super().__init__()
        self.patches = patches
        self.shape = shape

    @property
    def weight(self) -> Tensor:
        """Of the patches."""
        return self.patches.weight

    def forward(self, x: Tensor) -> Tensor:
        shape = list(self.shape)
        return self.patches(F.interpolate(x, shape, mode="bilinear", antialias=True))


@torch.no_grad()
def _shrink(encoder: VideoEncoder) -> None:
    conv, grid = encoder.patches, encoder.grid
    smaller = (round(grid[0] * SMALLER), round(grid[1] * SMALLER))
    sides = [
        (n - 1) * stride + patch
        for n, stride, patch in zip(smaller, conv.stride, conv.kernel_size, strict=True)
    ]
    positions = encoder.positions[:, encoder.n_class :]
    field = positions.unflatten(1, grid).permute(0, 3, 1, 2)  # (1, dim, rows, columns)
    field = F.interpolate(field, list(smaller), mode="bicubic", antialias=True)
    flat = torch.cat(
        [encoder.positions[:, : encoder.n_class], field.flatten(2).transpose(1, 2)], 1
    )
    encoder.positions = nn.Parameter(flat)
    encoder.grid = smaller
    encoder.patches = _ShrinkingPatches(conv, (sides[0], sides[1]))  # type: ignore[assignment]
