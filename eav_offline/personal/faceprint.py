"""Whose face is it? A face as 128 numbers, near each other for one person.

The network is dlib's of 2017 (Davis King; released into the public domain), a ResNet of
29 convolutions that was trained to leave 0.6 between one person and another, as it does
for 99.38 % of LFW's pairs (http://dlib.net/face_recognition.py.html). It reads faces
whose eyes stand where dlib's landmarks put them; here the face detector's do.
docs/new-person.md has what it is worth.
"""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d, pad

from eav_offline.common.opencv import cv2
from eav_offline.core.window import FaceFrame
from eav_offline.models.personal import N_FACE
from eav_offline.preprocess.mtcnn import OUTPUT, load_network

SIDE = 150  # pixels of the picture that the network reads
# Where dlib's landmarks bring the eyes to, as the detector finds them in such pictures.
EYES = (48.5 + 46.0j, 102.0 + 46.0j)
_MARKS_SIDE = 48
# Of the nose, from the middle of the eyes, over their distance: some 40 degrees. What
# the network makes of profiles is not known: LFW's faces were found as frontal ones.
_TURNED = 0.3
_MEAN, _SCALE = (122.782, 117.001, 104.298), 256.0  # of RGB, 0 to 255
_LEVELS = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))  # channels, blocks


class _Block(nn.Module):
    """Two convolutions beside what comes in; `halving` both ways of the picture."""

    def __init__(self, before: int, after: int, halving: bool) -> None:
        super().__init__()
        stride, edge = (2, 0) if halving else (1, 1)
        self.first = nn.Conv2d(before, after, 3, stride, edge)
        self.second = nn.Conv2d(after, after, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(self.first(x).relu())
        if self.first.stride[0] == 2:
            x = avg_pool2d(x, 2)
        # As dlib adds what is not of one shape: there are zeros where nothing is.
        more, wider = y.shape[1] - x.shape[1], x.shape[2] - y.shape[2]
        return (pad(x, (0, 0, 0, 0, 0, more)) + pad(y, (0, wider, 0, wider))).relu()


class FaceNetwork(nn.Module):
    """RGB pictures (n, 3, 150, 150), 0 to 255, of aligned faces -> (n, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 32, 7, 2)
        blocks, before = [], 32
        for level, (channels, n) in enumerate(_LEVELS):
            for i in range(n):
                blocks.append(_Block(before, channels, level > 0 and i == 0))
                before = channels
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Linear(before, N_FACE, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = (x - torch.tensor(_MEAN).to(x)[:, None, None]) / _SCALE
        x = self.blocks(max_pool2d(self.first(x).relu(), 3, 2))
        numbers: Tensor = self.last(x.mean(dim=(2, 3)))
        return numbers


class FacePrints:
    """Says of faces whose they are, in numbers. weights: assets/faces.safetensors."""

    def __init__(self, weights: Path) -> None:
        self._marks = load_network(OUTPUT)
        self._network = FaceNetwork().eval()
        state = {name: tensor.float() for name, tensor in load_file(weights).items()}
        self._network.load_state_dict(state)
        self._network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def of(self, frame: FaceFrame) -> np.ndarray | None:
        """(128,) float32 of the face in the frame's box; None if it is turned away."""
        face = self.aligned(frame.image, frame.box)
        if face is None:
            return None
        return self._network(_tensor(face)).numpy()[0]

    @torch.inference_mode()
    def aligned(self, image: np.ndarray, box: np.ndarray) -> np.ndarray | None:
        """The face upright as the network reads it, (150, 150, 3) uint8 RGB.

        image: (height, width, 3) uint8 RGB. box: (4,) in it. None if it is turned away.
        """
        x1, y1, x2, y2 = (float(x) for x in box)
        side = max(x2 - x1, y2 - y1)
        middle = complex(x1 + x2, y1 + y2) / 2
        # Twice the face and no more: what a large camera sees around it takes time.
        left, top = (max(0, int(x - side)) for x in (middle.real, middle.imag))
        right, bottom = (int(x + side) + 1 for x in (middle.real, middle.imag))
        part, middle = image[top:bottom, left:right], middle - complex(left, top)
        scale, corner = _MARKS_SIDE / side, middle - (side + side * 1j) / 2
        seen = _moved(part, scale, -scale * corner, _MARKS_SIDE)
        marks = self._marks.landmarks((_tensor(seen) - 127.5) / 128)[0].numpy() * side
        eye, other, nose = (complex(*mark) + corner for mark in marks[:3].tolist())
        if turned_away(eye, other, nose):
            return None
        turn = (EYES[1] - EYES[0]) / (other - eye)
        return _moved(part, turn, EYES[0] - turn * eye, SIDE)


def turned_away(eye: complex, other: complex, nose: complex) -> bool:
    """Whether a face looks so far aside that its nose stands before an eye."""
    if eye == other:
        return True
    return abs(((nose - eye) / (other - eye)).real - 0.5) > _TURNED


def _tensor(picture: np.ndarray) -> Tensor:
    """(1, 3, side, side) float32, as it lies in memory."""
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float()


def _moved(image: np.ndarray, turn: complex, shift: complex, side: int) -> np.ndarray:
    """The picture (side, side, 3) to which the pixel p of `image` goes: turn p + shift.

    What lies beyond the image is as its edge.
    """
    scale = abs(turn)
    if scale < 1:  # many pixels to one: their mean, and not one of them
        image = cv2.resize(
            image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
        )
        turn /= scale
    matrix = np.array(
        [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
    )
    edge = cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(image, matrix, (side, side), borderMode=edge))
