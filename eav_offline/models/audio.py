"""The audio transformer: a ViT over the log-mel picture, as the AST is."""

import torch
from torch import Tensor

from eav_offline.config import AudioConfig
from eav_offline.models.layers import VisionTransformer
from eav_offline.preprocess.audio import N_MEL_FRAMES, N_MELS

# AST's normalisation of natural-log mel energies (Gong et al. 2021): (x - mean) / 2 sd.
AST_MEAN = -4.2677393
AST_DEVIATION = 4.5689974
# Of natural-log energies. The lowest mel bands are narrower than an FFT bin; some hold
# nothing but the logarithm's floor.
_LEAST_DEVIATION = 0.3


class AudioEncoder(VisionTransformer):
    """(B, 498, 128) log-mel -> logits; rows of the picture are mel bands.

    No padding is attended: the picture is exactly the window.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: AudioConfig, fusion_layers: int) -> None:
        super().__init__(config, fusion_layers, (N_MELS, N_MEL_FRAMES), in_channels=1)
        if config.normalisation == "training":
            self.scale_axes = (0, 1, 2)
        elif config.normalisation == "band":
            self.scale_axes = (0, 1)
        shape = (N_MELS,) if config.normalisation == "band" else ()
        self.register_buffer("mean", torch.full(shape, AST_MEAN))
        self.register_buffer("deviation", torch.full(shape, AST_DEVIATION))

    def fit_scale(self, mean: Tensor, deviation: Tensor) -> None:
        """Take the training log-mels' mean and standard deviation, () or (128,)."""
        self.mean.copy_(mean)
        self.deviation.copy_(deviation.clamp_min(_LEAST_DEVIATION))

    def below_fusion(self, x: Tensor) -> Tensor:
        """(B, 498, 128) -> (B, 1, tokens, dim)."""
        x = (x - self.mean) / (2 * self.deviation)
        return self.tokens(x.transpose(1, 2).unsqueeze(1)).unsqueeze(1)
