"""One stream of a recording, pushed as its time comes: samples, and frames."""

import logging
import math
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import av
import numpy as np
import pylsl

from eav_offline.data.media import MediaError, iter_frames, packet_times, rgb

log = logging.getLogger(__name__)

_FRAMES_AHEAD = 12  # decoded and waiting: 0.4 s, 11 MB of 640x480
_ROUNDING = 1e-6  # samples: what a difference of clock readings may be short of whole


class Track(Protocol):
    """Part of a recording on its way to an outlet."""

    def push_until(self, now: float) -> None:
        """Push everything whose time has come by `now`, seconds."""

    def close(self) -> None:
        """Nothing more will be pushed."""


class SampleTrack:
    """Evenly sampled values (n, channels), sample i at t0 + i / rate."""

    def __init__(
        self,
        outlet: pylsl.StreamOutlet,
        values: np.ndarray,
        rate: float,
        t0: float,
        offset: float = 0.0,
        wrap: bool = False,
        seconds: float = math.inf,
    ) -> None:
        """offset: seconds to skip. wrap: repeat without a break. seconds: push no
        sample at or after t0 + seconds.
        """
        self._outlet = outlet
        self._values = values
        self._rate = rate
        self._t0 = t0
        self._wrap = wrap
        self._next = math.ceil(offset * rate - _ROUNDING)
        self._end = math.inf if wrap else float(len(values))
        if math.isfinite(seconds):
            self._end = min(self._end, math.ceil(seconds * rate - _ROUNDING))

    def push_until(self, now: float) -> None:
        """Push the samples that are complete: no stamp ever lies in the future."""
        elapsed = math.floor((now - self._t0) * self._rate + _ROUNDING)
        due = int(min(elapsed, self._end))
        if due <= self._next:
            return
        indices = np.arange(self._next, due)
        rows = indices % len(self._values) if self._wrap else indices
        stamps = self._t0 + indices / self._rate
        self._outlet.push_chunk(
            np.ascontiguousarray(self._values[rows], dtype=np.float32), stamps.tolist()
        )
        self._next = due

    def close(self) -> None:
        """Nothing to let go of."""


class VideoTrack:
    """The frames of a file, decoded a little ahead by a thread of their own."""

    def __init__(
        self,
        outlet: pylsl.StreamOutlet,
        path: Path,
        t0: float,
        offset: float = 0.0,
        wrap: bool = False,
        seconds: float = math.inf,
    ) -> None:
        """offset: seconds to skip. wrap: repeat without a break. seconds: push no
        frame at or after t0 + seconds.
        """
        self._outlet = outlet
        self._path = path
        self._t0 = t0
        self._offset = offset
        self._wrap = wrap
        self._seconds = seconds
        self._frames: queue.Queue[tuple[float, np.ndarray]] = queue.Queue(_FRAMES_AHEAD)
        self._next: tuple[float, np.ndarray] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._decode, name=f"decode {path.name}", daemon=True
        )
        self._thread.start()

    def push_until(self, now: float) -> None:
        """Push the frames whose time has come, each with its own stamp."""
        while True:
            if self._next is None:
                try:
                    self._next = self._frames.get_nowait()
                except queue.Empty:
                    return
            time, image = self._next
            if self._t0 + time > now:
                return
            self._outlet.push_chunk(
                image.reshape(1, -1).view(np.int8), [self._t0 + time]
            )
            self._next = None

    def close(self) -> None:
        """End the decoding thread."""
        self._stop.set()
        self._thread.join(timeout=2.0)

    def _decode(self) -> None:
        try:
            for time, frame in self._timed_frames():
                if self._stop.is_set() or time >= self._seconds:
                    return
                if time < self._offset:
                    continue
                image = rgb(frame)
                while not self._stop.is_set():
                    try:
                        self._frames.put((time, image), timeout=0.1)
                        break
                    except queue.Full:
                        continue
        except MediaError as error:
            log.warning("Video ends early: %s", error)
        except Exception:  # the thread's last line of defense
            log.exception("Video of %s ends early", self._path.name)

    def _timed_frames(self) -> Iterator[tuple[float, av.VideoFrame]]:
        if not self._wrap:
            yield from iter_frames(self._path)
            return
        period = video_seconds(self._path)
        turn = int(self._offset // period)
        while True:
            for time, frame in iter_frames(self._path):
                yield turn * period + time, frame
            turn += 1


def video_seconds(path: Path) -> float:
    """From the first frame to the end of the last: the period of a repeated video.

    A container's own length often includes sound that outlasts the picture. Raises
    MediaError.
    """
    times, rate = packet_times(path)
    if not times:
        raise MediaError(f"{path} holds no video frames")
    return times[-1] - times[0] + 1.0 / rate
