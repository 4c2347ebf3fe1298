"""mini-Xception (Arriaga et al. 2017, arXiv 1710.07557): expressions of a gray face.

The networks that go by that name were trained on FER2013's seven classes; what of
those is one of ours, a linear layer over their logits says, which a checkpoint stores.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eav_offline.core.labels import N_EMOTIONS
from eav_offline.models.baselines.networks import PlainEncoder

SIDE = 64  # pixels of the gray picture
EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
_STEM = 8  # filters
_WIDTHS = (16, 32, 64, 128)  # filters of the residual modules
_LUMA = (0.299, 0.587, 0.114)  # of red, green and blue, as OpenCV makes gray pictures
_NORM_EPS = 1e-3  # Keras's


class MiniXception(PlainEncoder):
    """(B, frames, side, side, 3) uint8 RGB -> logits, averaged over frames.

    56,951 parameters, and 1,472 statistics of norms, below the head, whose seven inputs
    are the logits of `EXPRESSIONS`. Frames do not see each other. Crops of another side
    are scaled.
    """

    by_frame = True
    dim = n_features = len(EXPRESSIONS)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *_convolved(1, _STEM, padding=0), *_convolved(_STEM, _STEM, padding=0)
        )
        widths = (_STEM, *_WIDTHS)
        self.steps = nn.Sequential(
            *(_Residual(a, b) for a, b in zip(widths, _WIDTHS, strict=False))
        )
        self.expressions = nn.Conv2d(_WIDTHS[-1], len(EXPRESSIONS), 3, padding=1)
        self.head = nn.Sequential(nn.Linear(len(EXPRESSIONS), N_EMOTIONS))

    def expression_logits(self, gray: Tensor) -> Tensor:
        """Gray pictures (N, 1, 64, 64), -1 to 1, -> logits (N, 7)."""
        return self.expressions(self.steps(self.stem(gray))).mean((2, 3))

    def below_fusion(self, x: Tensor) -> Tensor:
        """(B, frames, side, side, 3), 0-255 -> (B, frames, 1, 7)."""
        luma = torch.tensor(_LUMA, device=x.device)
        gray = (x.flatten(0, 1).float() @ luma)[:, None]  # (N, 1, side, side)
        if gray.shape[-1] != SIDE:
            gray = F.interpolate(gray, (SIDE, SIDE), mode="bilinear", antialias=True)
        logits = self.expression_logits(gray / 127.5 - 1)
        return logits.reshape(-1, x.shape[1], 1, self.n_features)


class _Residual(nn.Module):
    """Two separable convolutions that halve the picture, beside a plain one."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.beside = nn.Sequential(
            nn.Conv2d(n_in, n_out, 1, stride=2, bias=False),
            nn.BatchNorm2d(n_out, eps=_NORM_EPS),
        )
        self.inner = nn.Sequential(
            *_separable(n_in, n_out), nn.ReLU(), *_separable(n_out, n_out)
        )

    def forward(self, x: Tensor) -> Tensor:
        return _halved(self.inner(x)) + self.beside(x)


def _convolved(n_in: int, n_out: int, padding: int) -> list[nn.Module]:
    convolution = nn.Conv2d(n_in, n_out, 3, padding=padding, bias=False)
    return [convolution, nn.BatchNorm2d(n_out, eps=_NORM_EPS), nn.ReLU()]


def _separable(n_in: int, n_out: int) -> list[nn.Module]:
    return [
        nn.Conv2d(n_in, n_in, 3, padding=1, groups=n_in, bias=False),
        nn.Conv2d(n_in, n_out, 1, bias=False),
        nn.BatchNorm2d(n_out, eps=_NORM_EPS),
    ]


def _halved(x: Tensor) -> Tensor:
    """Largest of 3 x 3, every other one, with Keras's "same" padding.

    An even side is padded at its end alone, an odd one at both.
    """
    rows, columns = (n % 2 for n in x.shape[-2:])
    x = F.pad(x, (columns, 1, rows, 1), value=-torch.inf)
    return F.max_pool2d(x, 3, stride=2)
