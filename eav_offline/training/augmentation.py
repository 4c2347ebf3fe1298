"""Small random changes of training windows that leave the emotion as it is."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from eav_offline.models import Batch

EEG_SHIFT = 100  # samples, 1 s
EEG_GAIN = 0.1  # standard deviation of the log gain of a window
ELECTRODE_DROPOUT = 0.1
MEL_GAIN = 0.2  # standard deviation of an offset to natural-log energies
MEL_BAND_MASK = 12  # widest mask, of 128 bands
MEL_TIME_MASK = 40  # widest mask, of 498 frames of 10 ms
N_TIME_MASKS = 2
_MEL_SHIFT = 0.3  # of the mel axis, for each unit of stretch
FACE_SHIFT = 0.02  # largest, as a share of the side
BRIGHTNESS = 0.15
CONTRAST = 0.15


def augment(batch: Batch, random: torch.Generator, warp: float = 0.0) -> Batch:
    """The batch with every modality changed at random; `random` alone decides how.

    Sound features stay as they are. warp: see `warp_mel`; 0 leaves both axes as they
    are.
    """
    parts = dict(batch.parts)
    if warp and "audio" in parts:
        parts["audio"] = warp_mel(parts["audio"], random, warp)
    for m, change in _CHANGES.items():
        if m in parts:
            parts[m] = change(parts[m], random)
    return Batch(parts, batch.present)


def mix(
    x: Tensor, truth: Tensor, alpha: float, n_classes: int, random: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Mixup (Zhang et al. 2018): each window and its class with those of another.

    x: (B, ...); truth: (B,) int64. alpha: of the Beta(alpha, alpha) that draws the
    batch's share. Returns x of the same type and the classes' shares (B, n_classes).
    """
    drawn = int(torch.randint(2**31, (), generator=random))
    share = float(np.random.default_rng(drawn).beta(alpha, alpha))
    other = torch.randperm(len(x), generator=random)
    mixed = torch.lerp(x[other].float(), x.float(), share).to(x.dtype)
    shares = F.one_hot(truth, n_classes).float()
    return mixed, torch.lerp(shares[other], shares, share)


def augment_eeg(x: Tensor, random: torch.Generator) -> Tensor:
    """(B, 30, 500): rotate in time, change the gain, silence some electrodes."""
    b, n_channels, _ = x.shape
    shift = torch.randint(-EEG_SHIFT, EEG_SHIFT + 1, (b,), generator=random)
    gain = torch.exp(EEG_GAIN * torch.randn((b, 1, 1), generator=random))
    kept = torch.rand((b, n_channels, 1), generator=random) >= ELECTRODE_DROPOUT
    return _rotate(x, shift, dim=1) * gain * kept


def augment_mel(x: Tensor, random: torch.Generator) -> Tensor:
    """(B, 498, 128): rotate in time, change the level, mask bands and times.

    The masks follow SpecAugment (Park et al. 2019), filled with the window's mean.
    """
    b, n_frames, n_bands = x.shape
    shift = torch.randint(0, n_frames, (b,), generator=random)
    x = _rotate(x, shift, dim=0)
    x = x + MEL_GAIN * torch.randn((b, 1, 1), generator=random)
    mask = _stripes(b, n_bands, MEL_BAND_MASK, random)[:, None, :]
    for _ in range(N_TIME_MASKS):
        mask = mask | _stripes(b, n_frames, MEL_TIME_MASK, random)[:, :, None]
    return torch.where(mask, x.mean((1, 2), keepdim=True), x)


def warp_mel(x: Tensor, random: torch.Generator, most: float) -> Tensor:
    """(B, 498, 128): stretch the mel axis and time, as another speaker would.

    The mel axis stretches by up to `most` from its low end, after vocal tract length
    perturbation (Jaitly & Hinton 2013), and shifts by up to 0.3 times `most` of its
    length; time stretches by up to twice `most` about the middle. What comes in from
    beyond an edge repeats it.
    """
    b, n_frames, n_bands = x.shape

    def drawn(reach: float) -> Tensor:
        return reach * (2 * torch.rand((b, 1), generator=random) - 1)

    # Coordinates of `grid_sample` run from -1 to 1.
    time = torch.linspace(-1, 1, n_frames) * torch.exp(drawn(2 * most))
    band = (torch.linspace(-1, 1, n_bands) + 1) * torch.exp(drawn(most)) - 1
    band = band + drawn(2 * most * _MEL_SHIFT)
    grid = torch.stack(
        torch.broadcast_tensors(band[:, None, :], time[:, :, None]), dim=-1
    )
    return F.grid_sample(
        x[:, None], grid, padding_mode="border", align_corners=True
    ).squeeze(1)


def augment_faces(x: Tensor, random: torch.Generator) -> Tensor:
    """(B, frames, side, side, 3) uint8: mirror, shift, change the light.

    All frames of a window are changed alike.
    """
    b, _, side = x.shape[:3]
    reach = round(FACE_SHIFT * side)
    mirrored = torch.rand(b, generator=random) < 0.5
    shift = torch.randint(-reach, reach + 1, (b, 2), generator=random).tolist()
    light = 255 * BRIGHTNESS * (2 * torch.rand(b, generator=random) - 1)
    contrast = 1 + CONTRAST * (2 * torch.rand(b, generator=random) - 1)
    changed = []
    for i, (down, right) in enumerate(shift):
        faces = x[i].permute(0, 3, 1, 2).float()
        faces = F.pad(faces, (reach, reach, reach, reach), mode="replicate")
        top, left = reach + down, reach + right
        faces = faces[:, :, top : top + side, left : left + side]
        if mirrored[i]:
            faces = faces.flip(-1)
        faces = (faces - 127.5) * contrast[i] + 127.5 + light[i]
        changed.append(faces.clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1))
    return torch.stack(changed)


def _rotate(x: Tensor, shift: Tensor, dim: int) -> Tensor:
    rows = zip(x, shift.tolist(), strict=True)
    return torch.stack([row.roll(by, dims=dim) for row, by in rows])


def _stripes(b: int, n: int, widest: int, random: torch.Generator) -> Tensor:
    """(b, n) bool: in each row one run of at most `widest` is True."""
    width = torch.randint(0, widest + 1, (b, 1), generator=random)
    start = (torch.rand((b, 1), generator=random) * (n - width)).long()
    place = torch.arange(n)
    return (place >= start) & (place < start + width)


_CHANGES: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "eeg": augment_eeg,
    "audio": augment_mel,
    "video": augment_faces,
}
