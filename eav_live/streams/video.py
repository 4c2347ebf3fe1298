"""Video from a camera, from LSL or from a file; kept frames with faces in one ring."""

import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pylsl

from eav_live.streams import Arrival, Origin
from eav_live.streams.frames import BacklogGuard, FrameKeeper, Tracker
from eav_live.streams.lsl import LslInlet
from eav_live.streams.source import RETRY_SECONDS, FileSource, LslSource, Source
from eav_live.windows.rings import FrameRing
from eav_offline.common.errors import SourceRefused
from eav_offline.common.opencv import cv2
from eav_offline.core.window import FaceFrame
from eav_offline.data.media import MediaError, iter_frames, rgb

log = logging.getLogger(__name__)
_BATCH_BYTES = 8_000_000  # of frames pulled at once: about nine of 640x480
CHANGE_SECONDS = 5.0  # that a change of person is shown: while it is in the window
_BUFFER_SECONDS = 3  # in LSL: more than the backlog that is allowed
CHANGED = "is this another person now?"


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

    def prepare(self) -> None:
        """Load the face tracker, for which the first frames would wait."""
        self._keeper.prepare()

    def give_frames_to(self, keeper: FrameKeeper) -> None:
        """Hand every frame to `keeper` instead, before the source is started."""
        self._keeper = keeper

    @property
    def seeks_faces(self) -> bool:
        """Whether faces are looked for in the frames."""
        return self._keeper.seeks

    def spare_faces(self) -> None:
        """Look for no face from now on, unless somebody listens: no model reads any."""
        self._keeper.seeks = bool(self._listeners)

    def listen(self, listener: Callable[[Arrival], None]) -> None:
        """As any source; and look for faces, which may be read of what is recorded."""
        self._keeper.seeks = True
        super().listen(listener)

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


class FileVideo(FileSource, Video):
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

    def pull(self) -> bool:
        """Take the next frame if it is due."""
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
            behind = self.clock() - (self.begin + offset)
            if behind < 0:
                self.idle_s = min(-behind, 0.1)
                return False
            if not self._guard.skip(behind):
                self._keeper.take(self.begin + offset, lambda: rgb(frame))
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
                "(on Linux: membership of the group video), or use --video "
                "camera:INDEX (`eav-live devices` lists them), lsl:NAME, file:PATH or "
                "none."
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
