"""The audio transformer: a ViT over the log-mel picture, as the AST is."""

import math

import torch
from torch import Tensor

from eav_offline.config import AudioConfig
from eav_offline.models.layers import VisionTransformer
from eav_offline.preprocess.audio import N_MEL_FRAMES, N_MELS

# AST's normalization of natural-log mel energies (Gong et al. 2021): (x - mean) / 2 sd.
AST_MEAN = -4.2677393
AST_DEVIATION = 4.5689974
# Of natural-log energies. The lowest mel bands are narrower than an FFT bin; some hold
# nothing but the logarithm's floor.
_LEAST_DEVIATION = 0.3
_GABOR_WIDTH = (1.5, 10.0)  # mel bands, standard deviation of a filter's bump
_GABOR_RATE = (0.03, 0.12)  # cycles in a frame of 10 ms: 3-12 Hz, a speech's syllables
_MODULATED, _RIPPLED = 0.5, 0.4  # shares of filters that follow time, and the mel axis
_GABOR_NORM = 0.5  # keeps what the filters give near the size of a token


class AudioEncoder(VisionTransformer):
    """(B, 498, 128) log-mel -> logits; rows of the picture are mel bands.

    No padding is attended: the picture is exactly the window.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: AudioConfig, fusion_layers: int) -> None:
        super().__init__(config, fusion_layers, (N_MELS, N_MEL_FRAMES), in_channels=1)
        if config.normalization == "training":
            self.scale_axes = (0, 1, 2)
        elif config.normalization == "band":
            self.scale_axes = (0, 1)
        shape = (N_MELS,) if config.normalization == "band" else ()
        self.register_buffer("mean", torch.full(shape, AST_MEAN))
        self.register_buffer("deviation", torch.full(shape, AST_DEVIATION))
        if config.filters == "gabor":
            self._spread_gabor_filters()

    def fit_scale(self, mean: Tensor, deviation: Tensor) -> None:
        """Take the training log-mels' mean and standard deviation, () or (128,)."""
        self.mean.copy_(mean)
        self.deviation.copy_(deviation.clamp_min(_LEAST_DEVIATION))

    def below_fusion(self, x: Tensor) -> Tensor:
        """(B, 498, 128) -> (B, 1, tokens, dim)."""
        x = (x - self.mean) / (2 * self.deviation)
        return self.tokens(x.transpose(1, 2).unsqueeze(1)).unsqueeze(1)

    @torch.no_grad()
    def _spread_gabor_filters(self) -> None:
        # Spectro-temporal Gabor filters, as features of speech recognition (Schädler et
        # al. 2012): bumps over the mel axis, half of them with a modulation in time. A
        # few hundred clips are too few to find such filters from random weights.
        n, _, n_bands, n_frames = self.patches.weight.shape
        center = torch.linspace(0.03, 0.97, n) * (n_bands - 1)
        center = center[torch.randperm(n)][:, None, None]
        width = _log_uniform(n, *_GABOR_WIDTH)
        ripple = torch.empty(n, 1, 1).uniform_(0.5, 1) / (4 * width)
        ripple = ripple * (torch.rand(n, 1, 1) < _RIPPLED)
        rate = torch.empty(n, 1, 1).uniform_(*_GABOR_RATE)
        rate = rate * (torch.rand(n, 1, 1) < _MODULATED)
        phase = math.pi * torch.rand(n, 1, 1) * ((ripple > 0) | (rate > 0))
        band = torch.arange(n_bands)[:, None] - center
        frame = torch.arange(n_frames) - (n_frames - 1) / 2
        wave = torch.cos(2 * math.pi * (rate * frame + ripple * band) + phase)
        taps = torch.exp(-0.5 * (band / width) ** 2) * wave
        norm = taps.square().sum((1, 2), keepdim=True).sqrt().clamp_min(1e-3)
        self.patches.weight.copy_((_GABOR_NORM * taps / norm)[:, None])
        self.patches.bias.zero_()  # type: ignore[union-attr]


def _log_uniform(n: int, low: float, high: float) -> Tensor:
    """(n, 1, 1) between the two, evenly on a logarithmic scale."""
    return low * (high / low) ** torch.rand(n, 1, 1)
