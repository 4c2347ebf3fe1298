"""Which frames are kept, where their face is, and the crop."""

from typing import TYPE_CHECKING

import numpy as np

from eav_offline.common.opencv import cv2
from eav_offline.core.window import FRAME_PERIOD, FaceFrame

if TYPE_CHECKING:
    import torch

MIN_FACE = 40  # pixels in a frame 640 wide; smaller faces carry no expression
MIN_CONFIDENCE = 0.9  # from which a face is followed; below, it may be none
SEARCH_FRAMES = 25  # at most so many from one search of the whole frame to the next
FOLLOWED_SIZES = (0.65, 1.4)  # of a followed face against the last, in its sides
NEIGHBORHOOD = 2.0  # side of the region searched around the last box, in box sides

CHOSEN_FRAMES = 50  # ten seconds that a chosen face out of sight is waited for

FRAME_GAP_SECONDS = 0.5  # a longer silence between frames starts the tracker anew

_SAME_FACE_IOU = 0.3
_LESS_THAN_LARGEST = 0.5  # of the largest face's area: such a face is left for it


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

    The whole frame is searched until a face is found; then only the neighborhood of
    the last box, for a face of about its size, which costs a tenth and follows one
    person. The whole frame is searched again where that fails, after a doubtful find
    and every five seconds, so that nothing is followed for long by mistake.

    A face that was chosen is never left for a larger one, and waited for a while when
    it is out of sight.
    """

    def __init__(self, device: "str | torch.device" = "cpu") -> None:
        # With PyTorch: a session's streams come in while it is still being imported.
        from eav_offline.preprocess.mtcnn import FaceDetector, face_sizes

        self._detector, self._sizes = FaceDetector(device), face_sizes
        self.reset()

    def reset(self) -> None:
        """Forget the face: the next frame begins a trial or follows a gap."""
        self._seen: FaceFrame | None = None
        self._followed = 0  # frames since the whole frame was searched
        self._sure = False
        self._confidence = 0.0
        self._wanted: tuple[float, float] | None = None
        self._patience = 0  # frames that a chosen face out of sight is waited for

    def choose(self, x: float, y: float) -> None:
        """Follow the face at, or nearest to, this pixel of the next frame."""
        self._wanted = (x, y)

    def update(self, image: np.ndarray, time: float) -> FaceFrame:
        """Locate the face of the next kept frame.

        image: (height, width, 3) uint8 RGB, kept by reference. time: seconds.
        """
        box = None
        self._followed += 1
        known = self._seen is not None and self._wanted is None
        if known and self._sure and self._followed < SEARCH_FRAMES:
            assert self._seen is not None
            box = self._look_around(image, self._seen.box)
        if box is None:
            box = self._look_everywhere(image)
        if box is not None:
            self._seen = FaceFrame(time, image, box, True, self._confidence)
            return self._seen
        self._sure = False
        if self._seen is not None:  # repeat the last crop
            return FaceFrame(time, self._seen.image, self._seen.box, False, 0.0)
        return FaceFrame(time, image, center_box(image), False, 0.0)

    def _look_everywhere(self, image: np.ndarray) -> np.ndarray | None:
        self._followed = 0
        height, width = image.shape[:2]
        smallest = MIN_FACE * max(1.0, width / 640)
        sizes = self._sizes(smallest, min(height, width))
        boxes, confidences = self._detector.detect(image, (0, 0, width, height), sizes)
        if len(boxes) == 0:
            return None
        chosen = self._pick(boxes)
        if chosen is None:
            return None
        self._note(confidences[chosen])
        return _tidy(boxes[chosen])

    def _pick(self, boxes: np.ndarray) -> int | None:
        """Which of the faces to follow; None to wait for the chosen one."""
        if self._wanted is not None:
            self._patience = CHOSEN_FRAMES
            wanted, self._wanted = np.array(self._wanted), None
            away = (boxes[:, :2] + boxes[:, 2:]) / 2 - wanted
            return int((away**2).sum(axis=1).argmin())
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        same = None if self._seen is None else _most_like(boxes, self._seen.box)
        if self._patience > 0:
            if same is None:
                self._patience -= 1
                return None
            self._patience = CHOSEN_FRAMES
            return same
        if same is not None and areas[same] >= areas.max() * _LESS_THAN_LARGEST:
            return same
        return int(areas.argmax())

    def _note(self, confidence: float) -> None:
        self._confidence = float(confidence)
        self._sure = self._confidence >= MIN_CONFIDENCE

    def _look_around(self, image: np.ndarray, last: np.ndarray) -> np.ndarray | None:
        height, width = image.shape[:2]
        size = float(max(last[2] - last[0], last[3] - last[1]))
        half = size * NEIGHBORHOOD / 2
        x, y = float(last[0] + last[2]) / 2, float(last[1] + last[3]) / 2
        left, top = max(0, round(x - half)), max(0, round(y - half))
        right, bottom = min(width, round(x + half)), min(height, round(y + half))
        if right - left < 20 or bottom - top < 20:
            return None
        sizes = self._sizes(*(size * factor for factor in FOLLOWED_SIZES))
        boxes, confidences = self._detector.detect(
            image, (left, top, right, bottom), sizes
        )
        same = _most_like(boxes, last)
        if same is None:
            return None
        self._note(confidences[same])
        return _tidy(boxes[same])


def crop_face(image: np.ndarray, box: np.ndarray | None, side: int) -> np.ndarray:
    """Cut `box` (or the whole frame, if None) to (side, side, 3) uint8, margin 0."""
    height, width = image.shape[:2]
    if box is not None:
        left, top = max(0, int(box[0])), max(0, int(box[1]))
        right, bottom = min(width, int(box[2])), min(height, int(box[3]))
        if right - left >= 1 and bottom - top >= 1:
            image = image[top:bottom, left:right]
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)


def center_box(image: np.ndarray) -> np.ndarray:
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


def _most_like(boxes: np.ndarray, last: np.ndarray) -> int | None:
    """Which of `boxes` is the same face as `last`, if any is."""
    overlaps = [box_iou(box, last) for box in boxes]
    if not overlaps or max(overlaps) <= _SAME_FACE_IOU:
        return None
    return int(np.argmax(overlaps))


def _tidy(box: np.ndarray) -> np.ndarray:
    # Eighths of a pixel: thread counts move MTCNN's boxes in the seventh digit, and
    # such a difference should not reach the crop.
    return (np.round(box * 8) / 8).astype(np.float32)
