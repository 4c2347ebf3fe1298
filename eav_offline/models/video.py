"""The video transformer: a ViT on each face crop by itself."""

from torch import Tensor

from eav_offline.config import VideoConfig
from eav_offline.models.layers import VisionTransformer

_LEAST_CONTRAST = 8.0  # gray levels: an even picture stays even


class VideoEncoder(VisionTransformer):
    """(B, frames, side, side, 3) uint8 RGB -> logits, averaged over frames.

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
