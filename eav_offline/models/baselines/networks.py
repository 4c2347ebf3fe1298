"""Published networks to be measured against: EEGNet, ShallowConvNet, SCNN, ResNet-50.

Each stands in the place of its modality's transformer. They return logits; where the
published code ends in a softmax, its loss took that softmax as logits.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eav_offline.core.labels import N_EMOTIONS
from eav_offline.core.window import N_CHANNELS
from eav_offline.models.layers import Encoder
from eav_offline.preprocess import SOUND_FEATURES
from eav_offline.preprocess.sound_features import N_SOUND_FEATURES

_POWER_RANGE = (1e-6, 1e6)  # as the EEG transformer's
_PICTURE_SIDE = 224  # pixels that ResNet-50 was made for
_PICTURES_AT_ONCE = 50  # two windows; more would not be faster
_LEAST_DEVIATION = 1e-3  # µV


class PlainEncoder(Encoder):
    """An encoder that no fusion enters: its states are its features, of each frame.

    `below_fusion` returns (B, frames, 1, n_features).
    """

    n_before = 0

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList()

    def features(self, tokens: Tensor) -> Tensor:
        """(N, 1, n_features) -> (N, n_features)."""
        return tokens[:, 0]

    def frame_features(self, states: Tensor) -> Tensor:
        return states.squeeze(2)

    def fit_scale(self, mean: Tensor, deviation: Tensor) -> None:
        """Nothing to take."""


class ScaledEegEncoder(PlainEncoder):
    """(B, 30, 500) µV, each electrode scaled by the training data's statistics."""

    mean: Tensor
    deviation: Tensor
    scale_axes = (0, 2)

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(N_CHANNELS))
        self.register_buffer("deviation", torch.ones(N_CHANNELS))

    def fit_scale(self, mean: Tensor, deviation: Tensor) -> None:
        """Take each electrode's statistics, (30,) µV, of the training data."""
        self.mean.copy_(mean)
        self.deviation.copy_(deviation.clamp_min(_LEAST_DEVIATION))

    def scaled(self, x: Tensor) -> Tensor:
        """(B, 30, 500) µV -> (B, 1, 30, 500)."""
        return ((x - self.mean[:, None]) / self.deviation[:, None]).unsqueeze(1)


class EegNet(ScaledEegEncoder):
    """EEGNet (Lawhern et al. 2018) with F1 8, D 8, F2 64 and a filter of 300 samples.

    14,517 parameters. The limits on the norms of the spatial filters (1) and of the
    classifier's rows (0.25) are those of its authors.
    """

    n_features = 64 * 15

    def __init__(self) -> None:
        super().__init__()
        self.dim = self.n_features
        self.temporal = nn.Conv2d(1, 8, (1, 300), bias=False)
        self.norm1 = nn.BatchNorm2d(8)
        self.spatial = LimitedConv2d(1.0, 8, 64, (N_CHANNELS, 1), groups=8, bias=False)
        self.norm2 = nn.BatchNorm2d(64)
        self.depthwise = nn.Conv2d(64, 64, (1, 16), groups=64, bias=False)
        self.pointwise = nn.Conv2d(64, 64, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(64)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Sequential(LimitedLinear(0.25, self.n_features, N_EMOTIONS))

    def below_fusion(self, x: Tensor) -> Tensor:
        """(B, 30, 500) µV -> (B, 1, 1, 960)."""
        x = self.norm1(self.temporal(_padded(self.scaled(x), 300)))  # (B, 8, 30, 500)
        x = F.elu(self.norm2(self.spatial(x)))  # (B, 64, 1, 500)
        x = self.drop(F.avg_pool2d(x, (1, 4)))  # (B, 64, 1, 125)
        x = self.pointwise(self.depthwise(_padded(x, 16)))
        x = F.elu(self.norm3(x))
        x = self.drop(F.avg_pool2d(x, (1, 8)))  # (B, 64, 1, 15)
        return x.flatten(1)[:, None, None]


class ShallowConvNet(ScaledEegEncoder):
    """ShallowConvNet (Schirrmeister et al. 2017) with 40 filters of 13 samples.

    61,645 parameters; the norms of the filters and of the classifier's rows are held
    to 2 and 0.5.
    """

    n_features = 40 * 65

    def __init__(self) -> None:
        super().__init__()
        self.dim = self.n_features
        self.temporal = LimitedConv2d(2.0, 1, 40, (1, 13))
        self.spatial = LimitedConv2d(2.0, 40, 40, (N_CHANNELS, 1), bias=False)
        self.norm = nn.BatchNorm2d(40)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Sequential(LimitedLinear(0.5, self.n_features, N_EMOTIONS))

    def below_fusion(self, x: Tensor) -> Tensor:
        """(B, 30, 500) µV -> (B, 1, 1, 2600)."""
        x = self.norm(self.spatial(self.temporal(self.scaled(x))))  # (B, 40, 1, 488)
        x = F.avg_pool2d(x.square(), (1, 35), (1, 7))  # (B, 40, 1, 65)
        x = self.drop(x.clamp(*_POWER_RANGE).log())
        return x.flatten(1)[:, None, None]


class Scnn(PlainEncoder):
    """SCNN of the dataset's authors: convolutions along 180 features of the sound.

    343,685 parameters. Each feature is brought to the training data's mean and
    deviation first, which costs no parameter.
    """

    n_features = 128 * 22
    reads = SOUND_FEATURES

    def __init__(self) -> None:
        super().__init__()
        self.dim = self.n_features
        # A plain mean over all steps: a run may have few of them.
        self.scale = nn.BatchNorm1d(N_SOUND_FEATURES, affine=False, momentum=None)
        self.layers = nn.Sequential(
            *(nn.Conv1d(1, 256, 5, padding="same"), nn.ReLU()),
            *(nn.Conv1d(256, 128, 5, padding="same"), nn.ReLU()),
            *(nn.Dropout(0.1), nn.MaxPool1d(8)),
            *(nn.Conv1d(128, 128, 5, padding="same"), nn.ReLU()),
            *(nn.Conv1d(128, 128, 5, padding="same"), nn.ReLU()),
            nn.Dropout(0.5),
        )
        self.head = nn.Sequential(nn.Linear(self.n_features, N_EMOTIONS))

    def below_fusion(self, x: Tensor) -> Tensor:
        """(B, 180) -> (B, 1, 1, 2816)."""
        return self.layers(self.scale(x).unsqueeze(1)).flatten(1)[:, None, None]


class ResNet50(PlainEncoder):
    """ResNet-50 on each face by itself, with channel attention before the classifier.

    34,004,037 parameters, begun from torchvision's ImageNet weights if a file of them
    is given, else at random.
    """

    n_features = 2 * 2048
    n_tokens = 28 * 28  # the places of its second stage

    def __init__(self) -> None:
        super().__init__()
        from torchvision.models import resnet50

        self.dim = self.n_features
        self.trunk = resnet50(weights=None)
        self.trunk.fc = nn.Identity()
        self.trunk.avgpool = _MeanAndMost()
        self.head = nn.Sequential(_ChannelAttention(2048), _two_layers(2048, 1024))

    def below_fusion(self, x: Tensor) -> Tensor:
        """(B, frames, side, side, 3), 0-255 -> (B, frames, 1, 4096)."""
        faces = x.flatten(0, 1).permute(0, 3, 1, 2)
        parts = [self._pooled(some) for some in faces.split(_PICTURES_AT_ONCE)]
        return torch.cat(parts).unflatten(0, x.shape[:2]).unsqueeze(2)

    def _pooled(self, faces: Tensor) -> Tensor:
        faces = faces.float() / 127.5 - 1.0  # mean and sd 0.5, as published
        side = (_PICTURE_SIDE, _PICTURE_SIDE)
        return self.trunk(F.interpolate(faces, side, mode="bilinear", antialias=True))


class LimitedConv2d(nn.Conv2d):
    """A convolution whose filters are scaled down to a norm where they exceed it."""

    def __init__(self, most: float, *sizes: object, **options: object) -> None:
        super().__init__(*sizes, **options)  # type: ignore[arg-type]
        self.most = most

    def forward(self, x: Tensor) -> Tensor:
        weight = torch.renorm(self.weight, 2, 0, self.most)
        return self._conv_forward(x, weight, self.bias)


class LimitedLinear(nn.Linear):
    """A linear map whose rows are scaled down to a norm where they exceed it."""

    def __init__(self, most: float, n_in: int, n_out: int) -> None:
        super().__init__(n_in, n_out)
        self.most = most

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, torch.renorm(self.weight, 2, 0, self.most), self.bias)


class _MeanAndMost(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, rows, columns) -> (N, 2 * channels): mean, then maximum."""
        return torch.cat([x.mean((2, 3)), x.amax((2, 3))], dim=1)


class _ChannelAttention(nn.Module):
    """Weighs a picture's mean channels by what their means and maxima say.

    Linear throughout, as in the published code. The weights do not depend on the
    place in the picture, so weighing the mean equals averaging the weighed picture.
    """

    def __init__(self, n: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(n, n)
        self.fc2 = nn.Linear(n, n)

    def forward(self, x: Tensor) -> Tensor:
        """(..., 2 n) -> (..., n)."""
        mean, most = x.chunk(2, dim=-1)
        return mean * (self.fc2(self.fc1(mean)) + self.fc2(self.fc1(most)))


def _padded(x: Tensor, kernel: int) -> Tensor:
    """Zeros around the samples, so that a filter returns as many as it reads."""
    return F.pad(x, ((kernel - 1) // 2, kernel // 2))


def _two_layers(n_in: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, N_EMOTIONS)
    )


BUILD: dict[str, Callable[[], PlainEncoder]] = {
    "eegnet": EegNet,
    "shallowconvnet": ShallowConvNet,
    "scnn": Scnn,
    "resnet50": ResNet50,
}
