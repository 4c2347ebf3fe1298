"""MTCNN (Zhang et al. 2016) on part of a picture, at the face sizes worth a look.

Networks and weights are facenet-pytorch's, thresholds the dataset release's. Around
them only what costs time differs: a caller says where to look and for faces of which
size, pictures are shrunk once and not once a candidate, and pixels stay in the order
(height, width, channel), for which PyTorch's pooling is several times faster.

The three networks of MTCNN (Zhang et al. 2016), with facenet-pytorch's weights.

facenet-pytorch's own classes compute the same (tests hold them together). Importing
them brings torchvision and with it torch's compiler: four seconds that a session would
wait at every start.
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from eav_offline.common.errors import InputRefused
from eav_offline.common.opencv import cv2

# The dataset's release.
MTCNN_THRESHOLDS = (0.6, 0.7, 0.7)  # of its three networks
MTCNN_FACTOR = 0.709  # from one size searched for to the next
MTCNN_MIN_FACE = 20  # pixels, the smallest of those sizes
_CELL = 12  # side of what the first network judges, pixels; it does so at every second
_STRIDE = 2
_COARSE = 36  # pixels left of the smallest face for the first two networks
_SAME_LEVEL, _SAME_FACE = 0.5, 0.7  # overlap above which two boxes are one


class FaceDetector:
    """Boxes of the faces in a region of a picture, with their probabilities."""

    def __init__(self, device: str | torch.device = "cpu") -> None:
        self._device = torch.device(device)
        self._propose, self._refine, self._output = (
            load_network(layout).to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            for layout in (PROPOSE, REFINE, OUTPUT)
        )

    @torch.inference_mode()
    def detect(
        self,
        image: np.ndarray,
        region: tuple[int, int, int, int],
        sizes: Sequence[float],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find faces whose sides are about `sizes`, pixels (see `face_sizes`).

        image: (height, width, 3) uint8 RGB. region: left, top, right, bottom in it.
        Returns boxes (n, 4) x1, y1, x2, y2 in pixels of `image`, which may reach
        beyond it, and probabilities (n,), both float64.
        """
        if not sizes:
            return np.zeros((0, 4)), np.zeros(0)
        left, top, right, bottom = region
        part = image[top:bottom, left:right]
        coarse = _shrink(part, min(1.0, _COARSE / min(sizes)))
        scale = np.array([coarse.shape[1], coarse.shape[0]] * 2) / (
            [right - left, bottom - top] * 2
        )
        boxes = self._proposals(coarse, part.shape, sizes)
        boxes, probabilities, shifts = self._judge(
            self._refine, 24, MTCNN_THRESHOLDS[1], coarse, boxes, scale
        )
        keep = suppress(boxes, probabilities, _SAME_FACE)
        boxes = _squares(_shifted(boxes[keep], shifts[keep]))
        boxes += np.array([left, top, left, top])
        boxes, probabilities, shifts = self._judge(
            self._output, 48, MTCNN_THRESHOLDS[2], image, boxes, np.ones(4)
        )
        boxes = _shifted(boxes, shifts)
        keep = suppress(boxes, probabilities, _SAME_FACE, of_smaller=True)
        return boxes[keep], probabilities[keep]

    def _proposals(
        self, coarse: np.ndarray, shape: tuple[int, ...], sizes: Sequence[float]
    ) -> np.ndarray:
        """Squares (n, 4) that the first network takes for faces."""
        height, width = shape[:2]
        levels = []  # rows of x1, y1, x2, y2, probability and four shifts
        for size in sizes:
            scale = _CELL / size
            rows, columns = int(height * scale + 1), int(width * scale + 1)
            if min(rows, columns) < _CELL:
                continue
            level = _resized(coarse, columns, rows)
            shifts, probabilities = self._run(self._propose, level[None])
            face = probabilities[0, 1]
            y, x = np.nonzero(face >= MTCNN_THRESHOLDS[0])
            corner = np.stack([x, y], axis=1) * _STRIDE
            cells = np.concatenate([corner + 1, corner + _CELL], axis=1)
            boxes = np.floor(cells / scale)
            found = np.concatenate([boxes, face[y, x, None], shifts[0, :, y, x]], 1)
            levels.append(found[suppress(boxes, found[:, 4], _SAME_LEVEL)])
        if not levels:
            return np.zeros((0, 4))
        found = np.concatenate(levels)
        found = found[suppress(found[:, :4], found[:, 4], _SAME_FACE)]
        boxes, shifts = found[:, :4], found[:, 5:]
        sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
        return _squares(boxes + shifts * sides)

    def _judge(
        self,
        net: torch.nn.Module,
        side: int,
        threshold: float,
        image: np.ndarray,
        boxes: np.ndarray,
        scale: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes, probabilities and shifts of those that `net` takes for faces.

        scale: (4,) from `boxes` to pixels of `image`.
        """
        height, width = image.shape[:2]
        corners = np.trunc(boxes * scale).astype(int)
        # Counted from 1 and inclusive, as in the Matlab original.
        corners[:, :2] = corners[:, :2].clip(min=1) - 1
        corners[:, 2:] = corners[:, 2:].clip(max=[width, height])
        inside = (corners[:, 2:] > corners[:, :2]).all(axis=1)
        boxes = boxes[inside]
        if len(boxes) == 0:
            return boxes, np.zeros(0), np.zeros((0, 4))
        crops = [
            _resized(image[top:bottom, left:right], side, side)
            for left, top, right, bottom in corners[inside].tolist()
        ]
        shifts, chances = self._run(net, np.stack(crops))
        probabilities = chances[:, 1]
        good = probabilities > threshold
        return boxes[good], probabilities[good].astype(np.float64), shifts[good]

    def _run(self, net: torch.nn.Module, pictures: np.ndarray) -> list[np.ndarray]:
        """What `net` answers to (n, height, width, 3) uint8."""
        values = (pictures.astype(np.float32) - 127.5) / 128
        x = torch.from_numpy(values).permute(0, 3, 1, 2)  # (n, 3, height, width)
        return [answer.cpu().numpy() for answer in net(x.to(self._device))]


def face_sizes(smallest: float, largest: float) -> list[float]:
    """The sizes from `smallest` to `largest` that the release's search steps through.

    Taking its very steps makes the boxes agree with its own.
    """
    sizes, size = [], float(MTCNN_MIN_FACE)
    while size <= largest:
        if size >= smallest:
            sizes.append(size)
        size /= MTCNN_FACTOR
    return sizes


def suppress(
    boxes: np.ndarray,
    probabilities: np.ndarray,
    threshold: float,
    of_smaller: bool = False,
) -> np.ndarray:
    """Indices of the boxes that no more probable one overlaps, most probable first.

    boxes: (n, 4). threshold: shared area, over that of the union, or of the smaller box
    if `of_smaller`.
    """
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = np.argsort(-probabilities, kind="stable")
    keep = []
    while len(order):
        best, order = order[0], order[1:]
        keep.append(best)
        low = np.maximum(boxes[best, :2], boxes[order, :2])
        high = np.minimum(boxes[best, 2:], boxes[order, 2:])
        shared = (high - low).clip(min=0).prod(axis=1)
        if of_smaller:
            whole = np.minimum(areas[best], areas[order])
        else:
            whole = areas[best] + areas[order] - shared
        order = order[shared <= threshold * whole]
    return np.array(keep, dtype=int)


def _shifted(boxes: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    return boxes + shifts * np.tile(sides, 2)


def _squares(boxes: np.ndarray) -> np.ndarray:
    sides = boxes[:, 2:] - boxes[:, :2]
    half = sides.max(axis=1, keepdims=True) / 2
    centers = boxes[:, :2] + sides / 2
    return np.concatenate([centers - half, centers + half], axis=1)


def _shrink(image: np.ndarray, scale: float) -> np.ndarray:
    height, width = image.shape[:2]
    if scale >= 1:
        return image
    return _resized(image, max(1, round(width * scale)), max(1, round(height * scale)))


def _resized(image: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))


@dataclass(frozen=True)
class Layout:
    """A network's layers, in the order of their names in the weights' file.

    convolutions: (channels out, kernel, pooling kernel or 0). hidden: (in, out) of the
    dense layer; None for a network that judges every cell of a picture. marks: whether
    it finds landmarks too.
    """

    file: str
    convolutions: tuple[tuple[int, int, int], ...]
    hidden: tuple[int, int] | None
    marks: bool = False


PROPOSE = Layout("pnet.pt", ((10, 3, 2), (16, 3, 0), (32, 3, 0)), None)
REFINE = Layout("rnet.pt", ((28, 3, 3), (48, 3, 3), (64, 2, 0)), (576, 128))
OUTPUT = Layout(
    "onet.pt",
    ((32, 3, 3), (64, 3, 3), (64, 3, 2), (128, 2, 0)),
    (1152, 256),
    marks=True,
)


class MtcnnNetwork(nn.Module):
    """Pictures (n, 3, height, width), -1 to 1, -> box shifts and probabilities.

    Shifts are (n, 4), probabilities (n, 2) of no face and a face; with the height and
    width of the cells behind where there is no dense layer.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        steps: list[nn.Module] = []
        channels = 3
        for width, kernel, pool in layout.convolutions:
            steps += [nn.Conv2d(channels, width, kernel), nn.PReLU(width)]
            if pool:
                steps.append(nn.MaxPool2d(pool, 2, ceil_mode=True))
            channels = width
        self.steps = nn.Sequential(*steps)
        self.hidden: nn.Sequential | None = None
        if layout.hidden is None:
            self.face: nn.Module = nn.Conv2d(channels, 2, 1)
            self.box: nn.Module = nn.Conv2d(channels, 4, 1)
        else:
            wide, narrow = layout.hidden
            self.hidden = nn.Sequential(nn.Linear(wide, narrow), nn.PReLU(narrow))
            self.face, self.box = nn.Linear(narrow, 2), nn.Linear(narrow, 4)
            if layout.marks:
                self.marks = nn.Linear(narrow, 10)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self._features(x)
        return self.box(x), self.face(x).softmax(1)

    def landmarks(self, x: Tensor) -> Tensor:
        """(n, 5, 2): x and y of eyes, nose and corners of the mouth, left ones first.

        In sides of the pictures (n, 3, 48, 48), from their upper left corner.
        """
        return self.marks(self._features(x)).unflatten(1, (2, 5)).transpose(1, 2)

    def _features(self, x: Tensor) -> Tensor:
        x = self.steps(x)
        if self.hidden is not None:
            # The weights were made for Matlab's order: columns before rows.
            x = self.hidden(x.permute(0, 3, 2, 1).flatten(1))
        return x


def load_network(layout: Layout) -> MtcnnNetwork:
    """The network with its weights, in eval mode.

    Raises InputRefused if facenet-pytorch's files are not there or are others.
    """
    network = MtcnnNetwork(layout).eval()
    path = _weights_folder() / layout.file
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
        # Layers come in the same order.
        ours = network.state_dict()
        named = dict(zip(_order(ours), weights.values(), strict=True))
        network.load_state_dict(named)
    except (OSError, RuntimeError, ValueError) as error:
        raise InputRefused(
            f"the face detector's weights {path} cannot be used ({error}); install "
            "facenet-pytorch again"
        ) from error
    return network


def _order(names: dict[str, Tensor]) -> Sequence[str]:
    """Our tensors' names as theirs follow in the file."""
    parts = ["steps", "hidden", "face", "box", "marks"]
    return sorted(names, key=lambda name: parts.index(name.split(".")[0]))


def _weights_folder() -> Path:
    # Found, not imported: see above.
    spec = importlib.util.find_spec("facenet_pytorch")
    if spec is None or not spec.submodule_search_locations:
        raise InputRefused(
            "the face detector needs facenet-pytorch's weights, which are not "
            "installed; run ./dev setup, or install facenet-pytorch"
        )
    return Path(spec.submodule_search_locations[0]) / "data"
