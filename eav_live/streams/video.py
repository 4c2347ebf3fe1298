"""Video from a camera, from LSL or from a file; kept frames with faces in one ring.

From captured pictures to kept frames with their faces, in a ring.
"""

import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pylsl

from eav_live.streams.arrivals import Arrival, Origin
from eav_live.streams.lsl import LslInlet
from eav_live.streams.source import RETRY_SECONDS, LslSource, Source
from eav_live.windows.rings import FrameRing
from eav_offline.common.errors import SourceRefused
from eav_offline.common.opencv import cv2
from eav_offline.core.window import FaceFrame
from eav_offline.data.media import MediaError, iter_frames, rgb
from eav_offline.preprocess.face import FaceTracker, FrameThinner, center_box

log = logging.getLogger(__name__)
_BATCH_BYTES = 8_000_000  # of frames pulled at once: about nine of 640x480
CHANGE_SECONDS = 5.0  # that a change of person is shown: while it is in the window
_BUFFER_SECONDS = 3  # in LSL: more than the backlog that is allowed
RING_SECONDS = 10.0  # a window, and as much again: 46 MB at 640 x 480
CHANGED = "is this another person now?"
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
        """tracker: made when the first frame comes if None (it loads a network).
        on_kept: called with a frame that was kept, before the ring has it.
        """
        self.ring = FrameRing(RING_SECONDS)
        self._tracker = tracker
        self._thinner = FrameThinner()
        self._failed = False
        self._wanted: tuple[float, float] | None = None
        self.chosen: tuple[float, float] | None = None  # with the newest frame
        self._seen: FaceFrame | None = None  # the last in which the face was found
        self.changes = 0  # times another person was followed
        self.changed_at: float | None = None  # capture time of the last of them
        self._on_kept = on_kept

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

    def _track(self, image: np.ndarray, time: float, begins: bool) -> FaceFrame:
        try:
            if self._tracker is None:
                self._tracker = FaceTracker()
            if begins:
                self._tracker.reset()
            self.chosen, self._wanted = self._wanted, None
            if self.chosen is not None:
                self._tracker.choose(*self.chosen)
            return self._tracker.update(image, time)
        except Exception:  # a face less must not cost the picture
            if not self._failed:
                log.exception("the face tracker failed; frames go on without faces")
                self._failed = True
            return FaceFrame(time, image, center_box(image), False, 0.0)


class Video(Source):
    """What the three kinds of video share: the keeper and its ring."""

    kind = "video"

    def __init__(
        self, name: str, clock: Callable[[], float], tracker: Tracker | None
    ) -> None:
        super().__init__(name, clock)
        self._keeper = FrameKeeper(tracker, self._kept)
        self._origin: Origin | None = None
        self._guard = BacklogGuard()

    @property
    def ring(self) -> FrameRing:
        """Kept frames with their faces."""
        return self._keeper.ring

    def give_frames_to(self, keeper: FrameKeeper) -> None:
        """Hand every frame to `keeper` instead, before the source is started."""
        self._keeper = keeper

    def choose(self, x: float, y: float) -> None:
        """Follow the face at this pixel of the picture. Any thread may call."""
        self._keeper.choose(x, y)

    def _notice(self) -> str:
        changed, newest = self._keeper.changed_at, self.ring.newest
        if changed is None or newest is None or newest - changed > CHANGE_SECONDS:
            return ""
        return CHANGED

    def _opened(self, origin: Origin | None = None) -> None:
        """A stream or device was opened. origin: None makes one of the first frame."""
        self._origin = origin
        self.opening += 1

    def _kept(self, image: np.ndarray, face: FaceFrame, begins: bool) -> None:
        height, width = image.shape[:2]
        origin = self._origin
        if origin is None or origin.size != (width, height):
            origin = Origin("VideoRaw", self.name, 0.0, (), size=(width, height))
            self._origin = origin
        self._offer(
            Arrival(
                "video",
                origin,
                self.opening,
                image,
                np.array([face.time]),
                face,
                begins,
                self._keeper.chosen,
            )
        )


class LslVideo(LslSource, Video):
    """The stream of type VideoRaw (int8, H·W·3 RGB) whose name is or begins so."""

    def __init__(
        self,
        name: str,
        clock: Callable[[], float] = pylsl.local_clock,
        tracker: Tracker | None = None,
        delay_s: float = 0.0,
    ) -> None:
        """delay_s: from an event to its frame's stamp."""
        super().__init__(name, clock, tracker)
        self._inlet = LslInlet(
            "VideoRaw", name, clock, _BUFFER_SECONDS, max_chunk=1, delay_s=delay_s
        )
        self._memory = np.zeros((0, 0), dtype=np.int8)
        self._shape = (0, 0, 3)
        self._rate = 0.0
        self.detail = self._inlet.waiting_for()

    def pull(self) -> bool:
        """Connect if need be, and take the frames that have arrived."""
        received = self._receive(into=lambda: self._memory)
        if received is None:
            return False
        frames, times = received
        for i, time in enumerate(times.tolist()):
            waiting = self._inlet.available() + len(times) - 1 - i
            if not self._guard.skip(waiting / self._rate):
                self._keeper.take(time, partial(self._copy, frames[i]))
        if len(times):
            self._arrived(len(times))
        return len(times) > 0

    def _copy(self, frame: np.ndarray) -> np.ndarray:
        return frame.view(np.uint8).reshape(self._shape).copy()

    def _accept(self) -> None:
        header = self._inlet.header
        assert header is not None
        label, n = self._inlet.label(), header.channel_count()
        desc = header.desc()
        width = _whole(desc.child_value("width"))
        height = _whole(desc.child_value("height"))
        colors = desc.child_value("format").upper()
        if header.channel_format() != pylsl.cf_int8:
            raise SourceRefused(f"{label} is not of format int8; raw RGB bytes are.")
        if width <= 0 or height <= 0 or width * height * 3 != n:
            raise SourceRefused(
                f"{label} sends {n} values a frame and states width "
                f"{width} and height {height}; width x height x 3 was expected, both "
                "in the header's desc."
            )
        if colors not in ("", "RGB", "RGB24"):
            raise SourceRefused(f"{label} states format {colors}; RGB was expected.")
        self._shape = (height, width, 3)
        self._rate = header.nominal_srate() or 30.0
        self._opened(self._inlet.origin((), size=(width, height)))
        self._memory = np.zeros((max(2, _BATCH_BYTES // n), n), dtype=np.int8)
        self.detail = f"{label}, {width}x{height} at {self._rate:g} Hz"


class FileVideo(Video):
    """A video file, played at its true pace; it ends with the file."""

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] = pylsl.local_clock,
        tracker: Tracker | None = None,
    ) -> None:
        super().__init__(str(path), clock, tracker)
        self._path = path
        self._frames: Iterator[tuple[float, Any]] | None = None
        self._next: tuple[float, Any] | None = None
        self._begin: float | None = None

    def start(self) -> None:
        """Begin to play: the first frame gets the time of this call."""
        self._begin = self.clock()
        super().start()

    def pull(self) -> bool:
        """Take the next frame if it is due."""
        if self._begin is None:
            self._begin = self.clock()
        try:
            if self._frames is None:
                self._opened()
                self._frames = iter_frames(self._path)
                self._next = next(self._frames, None)
                self.detail = f"file {self._path.name}"
            if self._next is None:
                self.idle_s = RETRY_SECONDS
                return False
            offset, frame = self._next
            behind = self.clock() - (self._begin + offset)
            if behind < 0:
                self.idle_s = min(-behind, 0.1)
                return False
            if not self._guard.skip(behind):
                self._keeper.take(self._begin + offset, lambda: rgb(frame))
            self._arrived(1)
            self._next = next(self._frames, None)
        except MediaError as error:
            if self._ever:
                log.warning("%s", error)
                self._next = None
            else:
                self._frames = None
                raise SourceRefused(str(error)) from error
        if self._next is None:
            self.detail = "file ended"
        return True

    def close(self) -> None:
        """Let go of the file."""
        self._frames = None

    def _connected(self) -> bool:
        return self._next is not None


class Camera(Video):
    """A camera through OpenCV; comes back when it was unplugged."""

    def __init__(
        self,
        device: int | str = 0,
        width: int = 640,
        height: int = 480,
        clock: Callable[[], float] = pylsl.local_clock,
        tracker: Tracker | None = None,
        delay_s: float = 0.0,
        open_device: Callable[..., Any] = cv2.VideoCapture,
    ) -> None:
        """device: OpenCV's number or a path such as /dev/video2. width, height:
        pixels to ask for; the camera may give others. delay_s: from an event to its
        frame's stamp. open_device: what stands in for OpenCV's VideoCapture.
        """
        super().__init__(f"camera {device}", clock, tracker)
        self._device = device
        self._size = (width, height)
        self._delay_s = delay_s
        self._open_device = open_device
        self._capture: Any = None

    def pull(self) -> bool:
        """Open the camera if need be, and take its next frame."""
        if self._capture is None and not self._open():
            self.idle_s = RETRY_SECONDS
            return False
        self.idle_s = 0.0
        if not self._capture.grab():
            self._lost("the camera gives no more frames; is it still connected?")
            self.close()
            return False
        now = self.clock()
        time = frame_time(now, self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3)
        time -= self._delay_s
        try:
            self._keeper.take(time, lambda: self._read())
        except OSError as error:
            self._lost(str(error))
            self.close()
            return False
        self._arrived(1)
        return True

    def close(self) -> None:
        """Let go of the camera."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def _open(self) -> bool:
        capture = self._open_device(self._device)
        if not capture.isOpened():
            capture.release()
            self.detail = (
                f"{self.name} does not open. Connect one, allow this program to use it "
                "(on Linux: membership of the group video), or use --video lsl:NAME, "
                "file:PATH or none."
            )
            return False
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._size[1])
        self._capture = capture
        self._opened()
        width = capture.get(cv2.CAP_PROP_FRAME_WIDTH)
        height = capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        self.detail = f"{self.name}, {width:g}x{height:g}"
        return True

    def _read(self) -> np.ndarray:
        ok, image = self._capture.retrieve()
        if not ok or image is None:
            raise OSError(f"{self.name} gave a frame that cannot be decoded")
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

    def _connected(self) -> bool:
        return self._capture is not None


def frame_time(now: float, driver_time: float) -> float:
    """When a frame was captured: the driver's stamp if it is on this clock, else now.

    Video4Linux stamps frames with the monotonic clock, which LSL's is on Linux too,
    and a frame may have waited while the one before was searched for a face.
    """
    return driver_time if 0 <= now - driver_time < 0.5 else now


def _whole(text: str) -> int:
    return int(text) if text.isdigit() else 0


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
