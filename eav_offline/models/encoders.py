"""The encoders: EEG, voice and face, each a transformer up to logits of its own."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eav_offline.config import AudioConfig, EegConfig, VideoConfig
from eav_offline.core.window import EEG_RATE, EEG_SAMPLES, N_CHANNELS
from eav_offline.models.layers import Encoder, VisionTransformer, blocks_of, make_head
from eav_offline.preprocess.audio import N_MEL_FRAMES, N_MELS

POOL_SAMPLES = 35  # 350 ms, as in ShallowConvNet (Schirrmeister et al. 2017)
POOL_STRIDE = 7
_POWER_RANGE = (1e-6, 1e6)  # keeps the logarithm finite on flat or broken channels
_TEMPORAL_BAND = (3.0, 42.0)  # Hz, over which the first temporal filters are spread

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

_LEAST_CONTRAST = 8.0  # gray levels: an even picture stays even


class EegEncoder(Encoder):
    """(B, 30, 500) µV -> tokens of log band power, one for each 70 ms -> logits.

    Spatial filters run before the temporal ones: the same function as the published
    order at a sixtieth of its cost. Power is taken below the attention, not above it as
    published: the exchange then hears of it, which it cannot from oscillations that
    average to nothing, the head reads 40 numbers instead of 2600 and learns less by
    heart, and attention runs over 65 tokens instead of 488. Scaling is one mean and
    deviation for each channel of the training data (`fit_scale`), so that power keeps
    its relative size over windows, which is what the head reads.
    """

    exportable = True
    mean: Tensor
    deviation: Tensor

    def __init__(self, config: EegConfig, fusion_layers: int) -> None:
        super().__init__()
        n_steps = EEG_SAMPLES - config.kernel + 1  # 488
        n_tokens = (n_steps - POOL_SAMPLES) // POOL_STRIDE + 1  # 65
        self.scale_axes = (0, 2)
        self.dim = self.n_features = config.dim
        self.n_before = config.layers_before
        self.register_buffer("mean", torch.zeros(N_CHANNELS))
        self.register_buffer("deviation", torch.ones(N_CHANNELS))
        self.spatial = nn.Linear(N_CHANNELS, config.dim, bias=False)
        self.temporal = nn.Conv1d(
            config.dim, config.dim, config.kernel, groups=config.dim, bias=False
        )
        self.norm = nn.BatchNorm1d(config.dim)
        self.positions = nn.Parameter(torch.empty(1, n_tokens, config.dim))
        self.blocks = blocks_of(config, fusion_layers)
        self.head = make_head(self.n_features, config.head_dropout)
        nn.init.orthogonal_(self.spatial.weight)
        nn.init.trunc_normal_(self.positions, std=0.02)
        if not self.temporal.weight.is_meta:  # of sizes alone, see `build_empty`
            self._spread_temporal_filters()

    def fit_scale(self, mean: Tensor, deviation: Tensor) -> None:
        """Take each electrode's statistics, (30,) µV, of the training data."""
        self.mean.copy_(mean)
        self.deviation.copy_(deviation.clamp_min(1e-3))

    def below_fusion(self, x: Tensor) -> Tensor:
        """(B, 30, 500) µV -> (B, 1, 65, dim)."""
        x = (x - self.mean[:, None]) / self.deviation[:, None]
        x = self.spatial(x.transpose(1, 2)).transpose(1, 2)  # (B, dim, 500)
        x = self.norm(self.temporal(x)).square()  # (B, dim, 488)
        x = F.avg_pool1d(x, POOL_SAMPLES, POOL_STRIDE)  # (B, dim, 65)
        x = x.clamp(*_POWER_RANGE).log().transpose(1, 2) + self.positions
        for block in list(self.blocks)[: self.n_before]:
            x = block(x)
        return x.unsqueeze(1)

    def features(self, tokens: Tensor) -> Tensor:
        """(N, 65, dim) -> (N, dim): log power of each filter, averaged over time."""
        return tokens.mean(1)

    @torch.no_grad()
    def _spread_temporal_filters(self) -> None:
        # Windowed sinusoids over the EEG bands: from random taps, 280 windows are too
        # few to find the bands and the mixtures of electrodes at once.
        dim, _, kernel = self.temporal.weight.shape
        low, high = _TEMPORAL_BAND
        frequency = low * (high / low) ** torch.linspace(0, 1, dim)
        frequency = frequency[torch.randperm(dim)]
        phase = 2 * math.pi * torch.rand(dim)
        time = (torch.arange(kernel) - (kernel - 1) / 2) / EEG_RATE
        taps = torch.cos(2 * math.pi * frequency[:, None] * time + phase[:, None])
        taps = taps * torch.hann_window(kernel + 2, periodic=False)[1:-1]
        taps = taps / taps.square().sum(1, keepdim=True).sqrt().clamp_min(0.1)
        self.temporal.weight.copy_(taps[:, None])


class AudioEncoder(VisionTransformer):
    """(B, 498, 128) log-mel -> logits: a ViT, as the AST is, rows are mel bands.

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


class VideoEncoder(VisionTransformer):
    """(B, frames, side, side, 3) uint8 RGB -> logits of a ViT, averaged over frames.

    Frames do not see each other, so each frame's states below fusion can be kept while
    the window slides. The final layers being linear in the frame's logits, any number
    of frames will do.
    """

    by_frame = True

    def __init__(self, config: VideoConfig, fusion_layers: int) -> None:
        super().__init__(config, fusion_layers, (config.side,) * 2, in_channels=3)
        self.normalization = config.normalization

    def below_fusion(self, x: Tensor) -> Tensor:
        """(B, frames, side, side, 3), 0-255 -> (B, frames, tokens, dim)."""
        pictures = x.flatten(0, 1).permute(0, 3, 1, 2)
        pictures = pictures.to(self.patches.weight.dtype)
        if self.normalization == "frame":
            mean = pictures.mean((1, 2, 3), keepdim=True)
            deviation = pictures.std((1, 2, 3), keepdim=True)
            pictures = (pictures - mean) / deviation.clamp_min(_LEAST_CONTRAST)
        else:
            pictures = pictures / 127.5 - 1.0  # mean and sd 0.5, as ViT was trained
        tokens = self.tokens(pictures)
        # Not `unflatten`, for which the export to ONNX fixes the number of frames.
        return tokens.reshape(-1, x.shape[1], *tokens.shape[1:])

    def fit_scale(self, mean: Tensor, deviation: Tensor) -> None:
        """Nothing to take: the scale of pictures is given."""
