"""From captured pictures to the five a second that are kept, with their faces."""

import logging
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import numpy as np

from eav_live.windows.rings import FrameRing
from eav_offline.core.window import FaceFrame
from eav_offline.preprocess.face import FaceTracker, FrameThinner, center_box

log = logging.getLogger(__name__)
RING_SECONDS = 10.0  # a window, and as much again: 46 MB at 640 x 480
MAX_BACKLOG = 2.0  # seconds; what waits longer is skipped, and that is a gap
# Image (height, width, 3) uint8 RGB, its face, whether it follows a gap.
OnKept = Callable[[np.ndarray, FaceFrame, bool], None]


class Tracker(Protocol):
    """What is asked of `FaceTracker`."""

    def reset(self) -> None: ...

    def update(self, image: np.ndarray, time: float) -> FaceFrame: ...

    def choose(self, x: float, y: float) -> None: ...


class FrameKeeper:
    """Keeps five frames a second, in order, as `track_faces` does for a file."""

    def __init__(
        self, tracker: Tracker | None = None, on_kept: OnKept | None = None
    ) -> None:
        """tracker: made by `prepare`, or for the first frame, if None (a network).
        on_kept: called with a frame that was kept, before the ring has it.
        """
        self.ring = FrameRing(RING_SECONDS)
        self._tracker = tracker
        self._thinner = FrameThinner()
        self.seeks = True  # faces; else frames are kept without, and say so
        self._failed = False
        self._wanted: tuple[float, float] | None = None
        self.chosen: tuple[float, float] | None = None  # with the newest frame
        self._seen: FaceFrame | None = None  # the last in which the face was found
        self.changes = 0  # times another person was followed
        self.changed_at: float | None = None  # capture time of the last of them
        self._on_kept = on_kept

    def prepare(self) -> None:
        """Load the tracker, in seconds if PyTorch has not been imported yet."""
        with suppress(Exception):  # which the first frame will meet, and say
            self._loaded()

    def take(self, time: float, read: Callable[[], np.ndarray]) -> None:
        """The next frame was captured at `time`, seconds.

        read: gives it as (height, width, 3) uint8 RGB, memory that nobody overwrites;
        called only if the frame is kept.
        """
        if self._thinner.keep(time):
            begins = self._thinner.restarted
            image = read()
            face = self._track(image, time, begins)
            if self._on_kept is not None:
                self._on_kept(image, face, begins)
            self.ring.append(face, begins)
            self._compare(face, begins)
        # Only now: a window may not end at a frame whose face is still being found.
        self.ring.note_capture(time)

    def choose(self, x: float, y: float) -> None:
        """Follow the face at this pixel from the next frame on. Any thread may call."""
        self._wanted = (x, y)

    def _compare(self, face: FaceFrame, begins: bool) -> None:
        """Notice that the face is another one than before."""
        if begins:
            self._seen = None  # who knows who came and went
        if not face.found:
            return
        seen, self._seen = self._seen, face
        if seen is not None and is_elsewhere(seen.box, face.box):
            self.changes += 1
            self.changed_at = face.time
            log.warning(
                "video: the face is elsewhere all at once; another person may be "
                "followed now"
            )

    def _loaded(self) -> Tracker:
        if self._tracker is None:
            self._tracker = FaceTracker()
        return self._tracker

    def _track(self, image: np.ndarray, time: float, begins: bool) -> FaceFrame:
        if not self.seeks:
            return FaceFrame(time, image, center_box(image), False, math.nan)
        try:
            tracker = self._loaded()
            if begins:
                tracker.reset()
            self.chosen, self._wanted = self._wanted, None
            if self.chosen is not None:
                tracker.choose(*self.chosen)
            return tracker.update(image, time)
        except Exception:  # a face less must not cost the picture
            if not self._failed:
                log.exception("the face tracker failed; frames go on without faces")
                self._failed = True
            return FaceFrame(time, image, center_box(image), False, 0.0)


def is_elsewhere(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether two boxes (x1, y1, x2, y2) of successive finds are of two people.

    In 0.2 s nobody moves by more than a face's width, or grows to twice the size.
    """
    sides = np.array([before[2] - before[0], after[2] - after[0]])
    ways = (before[:2] + before[2:] - after[:2] - after[2:]) / 2
    far = float(np.hypot(*ways)) > float(sides.max())
    return far or float(sides.max()) > 2 * float(sides.min())


class BacklogGuard:
    """Decides which frames to skip when the tracker is slower than the camera."""

    def __init__(self) -> None:
        self._skipped = 0

    def skip(self, behind_s: float) -> bool:
        """Whether to skip a frame that is `behind_s` seconds behind the newest.

        Once two seconds behind, everything is skipped until the newest is reached: one
        long gap, which restarts the tracker, instead of a frame lost here and there.
        """
        if self._skipped == 0 and behind_s <= MAX_BACKLOG:
            return False
        if behind_s > 0.1:
            self._skipped += 1
            return True
        log.warning("video: %d frames skipped to catch up", self._skipped)
        self._skipped = 0
        return False
