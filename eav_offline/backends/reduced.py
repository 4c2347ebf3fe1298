"""A model whose blocks compute with smaller numbers than 32-bit floats.

Attention and the layers after it are converted: at the paper size they are nearly all
of the work. Each encoder's first block, norms, sums and everything outside the blocks
stay as they are: tokens differ little before the first block has made them, so that
most of the error would arise there (two thirds at the paper size, for a twelfth of the
work). The weights that are not converted are shared with the model given.
"""

import copy
import warnings

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eav_offline.models import Recogniser
from eav_offline.models.layers import Attention, Block


def with_blocks_in(model: Recogniser, dtype: torch.dtype) -> Recogniser:
    """The model with attention and MLP of every block but the first."""
    model = shared_copy(model)
    for block in later_blocks(model):
        block.attention = _Cast(copy.deepcopy(block.attention), dtype)  # type: ignore[assignment]
        block.mlp = _Cast(copy.deepcopy(block.mlp), dtype)  # type: ignore[assignment]
    return model.eval()


def with_blocks_in_int8(model: Recogniser, attend_in: torch.dtype) -> Recogniser:
    """The model with 8-bit linear layers, scaled while computing, in the same blocks.

    attend_in: the numbers in which attention itself is computed.
    """
    model = shared_copy(model)
    for block in later_blocks(model):
        block.attention = _Int8Attention(block.attention, attend_in)  # type: ignore[assignment]
        block.mlp = _quantised(block.mlp)  # type: ignore[assignment]
    return model.eval()


def shared_copy(model: Recogniser) -> Recogniser:
    """A copy whose modules may be replaced, with the weights of the original."""
    tensors = [*model.parameters(), *model.buffers()]
    return copy.deepcopy(model, {id(tensor): tensor for tensor in tensors})


def later_blocks(model: Recogniser) -> list[Block]:
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
        self.q, self.kv = _quantised(parts[0]), _quantised(parts[1])
        self.proj = _quantised(attention.proj)

    def forward(self, x: Tensor, n_read: int | None = None) -> Tensor:
        b, n, dim = x.shape
        q = self.q(x[:, :n_read]).unflatten(2, (self.heads, -1)).transpose(1, 2)
        kv = self.kv(x).reshape(b, n, 2, self.heads, dim // self.heads)
        k, v = kv.permute(2, 0, 3, 1, 4)
        q, k, v = (part.to(self.attend_in) for part in (q, k, v))
        heard = F.scaled_dot_product_attention(q, k, v).float()
        return self.proj(heard.transpose(1, 2).flatten(2))


def _quantised(module: nn.Module) -> nn.Module:
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
