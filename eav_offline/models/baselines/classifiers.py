"""Features with a logistic regression on them, as arrays.

They are fitted with scikit-learn (`baseline_fitting`) and answer without it, so that a
checkpoint holds numbers and nothing that could run.
"""

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from eav_offline.config import VideoConfig
from eav_offline.core.labels import N_EMOTIONS
from eav_offline.core.window import EEG_BANDS, N_CHANNELS
from eav_offline.models.baselines.features import (
    N_MFCC,
    N_SPEECH_FEATURES,
    band_covariances,
    delta_mfcc_statistics,
    eeg_band_features,
    log_mel_statistics,
    riemannian_mean,
    speech_statistics,
    tangent_vectors,
)
from eav_offline.models.baselines.networks import PlainEncoder
from eav_offline.models.encoders import VideoEncoder
from eav_offline.preprocess.audio import N_MELS

_N_BAND_FEATURES = 365
_MOST_REFERENCE_WINDOWS = 2000  # for a mean of covariances; more would not move it
_N_TANGENT = len(EEG_BANDS) * N_CHANNELS * (N_CHANNELS + 1) // 2  # 2325


class FeatureEncoder(PlainEncoder):
    """What a modality's windows look like in numbers, and a classifier of those."""

    differentiable = False

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.dim = self.n_features = n_features
        self.head = nn.Sequential(Linear(n_features))

    @property
    def classifier(self) -> "Linear":
        """What makes logits of the features."""
        return self.head[0]  # type: ignore[return-value]

    def fit_reference(self, sample: Callable[[int], np.ndarray]) -> None:
        """Take from training windows what the features are relative to, if anything.

        sample: returns about as many windows as asked for, taken evenly from all, as
        the model reads them.
        """

    @abstractmethod
    def vectors(self, x: Tensor) -> Tensor:
        """What the model reads, (B, ...) -> features (B, n_features) float32."""

    def below_fusion(self, x: Tensor) -> Tensor:
        """What the model reads, (B, ...) -> (B, 1, 1, n_features)."""
        return self.vectors(x)[:, None, None]


class NumpyFeatures(FeatureEncoder):
    """Features by a function of arrays (n, ...) -> (n, n_features) float32."""

    def __init__(
        self, function: Callable[[np.ndarray], np.ndarray], n_features: int
    ) -> None:
        super().__init__(n_features)
        self.function = function

    def vectors(self, x: Tensor) -> Tensor:
        return torch.from_numpy(self.function(_array(x))).to(x.device)


class TangentSpace(FeatureEncoder):
    """Electrode covariances in five bands, in the tangent space at their mean."""

    reference: Tensor

    def __init__(self) -> None:
        super().__init__(_N_TANGENT)
        start = torch.eye(N_CHANNELS).repeat(len(EEG_BANDS), 1, 1)
        self.register_buffer("reference", start)

    def fit_reference(self, sample: Callable[[int], np.ndarray]) -> None:
        """Take the mean of the training windows' `band_covariances`."""
        covariances = band_covariances(sample(_MOST_REFERENCE_WINDOWS))
        mean = torch.from_numpy(riemannian_mean(covariances))
        self.reference.copy_((mean + mean.mT) / 2)

    def vectors(self, x: Tensor) -> Tensor:
        reference = _array(self.reference).astype(np.float64)
        vectors = tangent_vectors(band_covariances(_array(x)), reference)
        return torch.from_numpy(vectors).to(x.device)


class FaceEmbeddings(FeatureEncoder):
    """What a published ViT makes of faces: mean and deviation over a window."""

    def __init__(self, config: VideoConfig, layers: int) -> None:
        vit = VideoEncoder(config, layers)
        super().__init__(2 * vit.n_features)
        self.vit = vit
        # It is used as published: its own classifier has no say.
        self.vit.head = nn.Sequential()
        self.vit.requires_grad_(False)

    @property
    def n_tokens(self) -> int:
        return self.vit.n_tokens

    def embeddings(self, x: Tensor) -> Tensor:
        """(B, frames, side, side, 3), 0-255 -> (B, frames, n), each of its frame."""
        return self.vit.frame_features(self.vit.below_fusion(x)).float()

    def over_frames(self, embeddings: Tensor) -> Tensor:
        """(B, frames, n) -> features (B, 2 n)."""
        spread = embeddings.std(1, unbiased=False)
        return torch.cat([embeddings.mean(1), spread], dim=1)

    def vectors(self, x: Tensor) -> Tensor:
        return self.over_frames(self.embeddings(x))


class Linear(nn.Module):
    """Logistic regression of standardized features: (..., n) -> logits (..., 5)."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("deviation", torch.ones(n_features))
        self.weight = _fitted(torch.zeros(N_EMOTIONS, n_features))
        self.bias = _fitted(torch.zeros(N_EMOTIONS))

    def forward(self, x: Tensor) -> Tensor:
        x = (x - self.mean) / self.deviation
        return x @ self.weight.T + self.bias


def feature_encoder(name: str, video: VideoConfig, layers: int) -> FeatureEncoder:
    """The feature model of that name. video, layers: of the ViT, if it is one."""
    if name == "eeg-riemann":
        return TangentSpace()
    if name == "video-vit":
        return FaceEmbeddings(video, layers)
    function, n = {
        "eeg-bands": (eeg_band_features, _N_BAND_FEATURES),
        "audio-mfcc": (delta_mfcc_statistics, 2 * 3 * N_MFCC),
        "audio-logmel": (log_mel_statistics, 3 * N_MELS),
        "audio-speech": (speech_statistics, N_SPEECH_FEATURES),
    }[name]
    return NumpyFeatures(function, n)


def _fitted(start: Tensor) -> nn.Parameter:
    """A tensor that scikit-learn decides, not an optimizer."""
    return nn.Parameter(start, requires_grad=False)


def _array(x: Tensor) -> np.ndarray:
    return x.detach().cpu().numpy()
