"""Which frames are kept, where their face is, and the crop."""

import numpy as np
import torch

from eav_offline.errors import InputRefused
from eav_offline.opencv import cv2
from eav_offline.window import FRAME_PERIOD, FaceFrame

try:
    from facenet_pytorch import MTCNN
except RuntimeError as error:  # "operator torchvision::nms does not exist"
    raise InputRefused(
        f"torchvision does not fit torch {torch.__version__} ({error}). A CPU-only "
        "build of torch needs torchvision's CPU-only build; or install both from PyPI, "
        "as ./dev setup does."
    ) from error

# The dataset's release: thresholds and factor of its MTCNN.
MTCNN_THRESHOLDS = (0.6, 0.7, 0.7)
MTCNN_FACTOR = 0.709
MIN_FACE = 40  # pixels in a frame 640 wide; smaller faces carry no expression
MIN_CONFIDENCE = 0.9

FRAME_GAP_SECONDS = 0.5  # a longer silence between frames starts the tracker anew

_SEARCH_WIDTH = 640  # a whole frame is shrunk to this width before it is searched
_NEIGHBOURHOOD = 2.0  # side of the region searched around the last box, in box sides
_REGION_SIDE = 112  # pixels to which that region is scaled: the face covers about 56
_SAME_FACE_IOU = 0.3


class FrameThinner:
    """Choose five frames a second by capture time, the same live and from a file.

    The first frame after a gap is kept, then the first at or after each 0.2 s step
    from it (within half a millisecond, for stamps that carry rounding noise).
    """

    def __init__(self) -> None:
        self._origin = 0.0
        self._step = 0
        self._last: float | None = None
        self.restarted = False

    def keep(self, time: float) -> bool:
        """Whether to keep the frame captured at `time`, seconds."""
        self.restarted = (
            self._last is None
            or time <= self._last
            or time - self._last > FRAME_GAP_SECONDS
        )
        self._last = time
        if self.restarted:
            self._origin, self._step = time, 1
            return True
        steps = (time - self._origin + 5e-4) / FRAME_PERIOD
        if steps < self._step:
            return False
        self._step = int(steps) + 1
        return True


class FaceTracker:
    """Find one face in each kept frame, fed in order since the trial's start or a gap.

    The whole frame is searched until a face is found; then MTCNN looks only around
    the last box, scaled to one size, which costs a fraction and follows one person.
    """

    def __init__(self, device: str | torch.device = "cpu") -> None:
        settings = dict(
            thresholds=list(MTCNN_THRESHOLDS),
            factor=MTCNN_FACTOR,
            select_largest=True,
            post_process=False,
            device=device,
        )
        self._search = MTCNN(min_face_size=MIN_FACE, keep_all=False, **settings)
        self._follow = MTCNN(min_face_size=36, keep_all=True, **settings)
        self._seen: FaceFrame | None = None

    def reset(self) -> None:
        """Forget the face: the next frame begins a trial or follows a gap."""
        self._seen = None

    def update(self, image: np.ndarray, time: float) -> FaceFrame:
        """Locate the face of the next kept frame.

        image: (height, width, 3) uint8 RGB, kept by reference. time: seconds.
        """
        box = None
        if self._seen is not None:
            box = self._look_around(image, self._seen.box)
        if box is None:
            box = self._look_everywhere(image)
        if box is not None:
            self._seen = FaceFrame(time, image, box, True)
            return self._seen
        if self._seen is not None:  # repeat the last crop
            return FaceFrame(time, self._seen.image, self._seen.box, False)
        return FaceFrame(time, image, centre_box(image), False)

    def _look_everywhere(self, image: np.ndarray) -> np.ndarray | None:
        height, width = image.shape[:2]
        scale = min(1.0, _SEARCH_WIDTH / width)
        if scale < 1.0:
            size = (round(width * scale), round(height * scale))
            small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        else:
            small = image
        boxes, confidences = _detect(self._search, small)
        for box, confidence in zip(boxes, confidences, strict=True):
            if confidence >= MIN_CONFIDENCE:
                return _tidy(box / scale)
        return None

    def _look_around(self, image: np.ndarray, last: np.ndarray) -> np.ndarray | None:
        height, width = image.shape[:2]
        side = max(last[2] - last[0], last[3] - last[1]) * _NEIGHBOURHOOD
        x, y = (last[0] + last[2]) / 2 - side / 2, (last[1] + last[3]) / 2 - side / 2
        left, top = max(0, round(float(x))), max(0, round(float(y)))
        right = min(width, round(float(x + side)))
        bottom = min(height, round(float(y + side)))
        if right - left < 20 or bottom - top < 20:
            return None
        scale = _REGION_SIDE / side
        size = (
            max(1, round(float((right - left) * scale))),
            max(1, round(float((bottom - top) * scale))),
        )
        shrinking = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        region = cv2.resize(
            image[top:bottom, left:right], size, interpolation=shrinking
        )
        boxes, confidences = _detect(self._follow, region)
        best, best_overlap = None, _SAME_FACE_IOU
        for box, confidence in zip(boxes, confidences, strict=True):
            candidate = _tidy(box / scale + np.array([left, top, left, top]))
            overlap = box_iou(candidate, last)
            if confidence >= MIN_CONFIDENCE and overlap > best_overlap:
                best, best_overlap = candidate, overlap
        return best


def crop_face(image: np.ndarray, box: np.ndarray | None, side: int) -> np.ndarray:
    """Cut `box` (or the whole frame, if None) to (side, side, 3) uint8, margin 0."""
    height, width = image.shape[:2]
    if box is not None:
        left, top = max(0, int(box[0])), max(0, int(box[1]))
        right, bottom = min(width, int(box[2])), min(height, int(box[3]))
        if right - left >= 1 and bottom - top >= 1:
            image = image[top:bottom, left:right]
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)


def centre_box(image: np.ndarray) -> np.ndarray:
    """The middle square of half the frame's height, where a face would be."""
    height, width = image.shape[:2]
    half = height / 4
    return np.array(
        [width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half],
        dtype=np.float32,
    )


def box_iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two (x1, y1, x2, y2) boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    area_a = (a[2] - a[0]) * (a[3] - a[1])
    area_b = (b[2] - b[0]) * (b[3] - b[1])
    return float(shared / (area_a + area_b - shared))


def _detect(detector: MTCNN, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    boxes, confidences = detector.detect(np.ascontiguousarray(image))
    if boxes is None:
        return np.zeros((0, 4)), np.zeros(0)
    return np.asarray(boxes, dtype=np.float64), np.asarray(confidences)


def _tidy(box: np.ndarray) -> np.ndarray:
    # Eighths of a pixel: thread counts move MTCNN's boxes in the seventh digit, and
    # such a difference should not reach the crop.
    return (np.round(box * 8) / 8).astype(np.float32)
