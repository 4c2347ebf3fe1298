"""A stream of a recording, pushed as its time comes: samples, frames, markers."""

import logging
import math
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pylsl

from eav_offline.data.media import MediaError, iter_frames, packet_times, rgb

log = logging.getLogger(__name__)

TICK_SECONDS = 0.02  # EEG and sound are sent in chunks of this length
REPEAT_SECONDS = 1.0  # a running trial's marker, for readers that come in late
_LAG_SECONDS = 0.5  # a replay further behind its stamps says so
_LAG_REPORT_SECONDS = 60.0
_FRAMES_AHEAD = 12  # decoded and waiting: 0.4 s, 11 MB of 640x480
_ROUNDING = 1e-6  # samples: what a difference of clock readings may be short of whole


class Track(ABC):
    """Part of a recording on its way to an outlet."""

    @abstractmethod
    def push_until(self, now: float) -> None:
        """Push everything whose time has come by `now`, seconds."""

    def close(self) -> None:  # noqa: B027
        """Nothing more will be pushed."""


class Player:
    """Pushes tracks side by side at their true pace. clock: seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lag_reported = -math.inf

    def play(
        self, tracks: Sequence[Track], begin: float, end: float, stop: threading.Event
    ) -> None:
        """Push until `end` or until `stop` is set; ticks count from `begin`."""
        try:
            while not stop.is_set():
                now = self._clock()
                for track in tracks:
                    track.push_until(now)
                if now >= end:
                    break
                # On a grid, so that the time a push takes does not add up.
                ticks = math.floor((now - begin) / TICK_SECONDS) + 1
                tick = min(begin + ticks * TICK_SECONDS, end)
                stop.wait(max(0.0, tick - self._clock()))
                self._report_lag(self._clock() - tick)
        finally:
            for track in tracks:
                track.close()

    def _report_lag(self, lag: float) -> None:
        now = self._clock()
        if lag > _LAG_SECONDS and now - self._lag_reported > _LAG_REPORT_SECONDS:
            log.warning("The replay is %.1f s behind; the computer is busy", lag)
            self._lag_reported = now


class SampleTrack(Track):
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


class StampedTrack(Track):
    """Values (n, channels) with a stamp each, (n,) seconds."""

    def __init__(
        self, outlet: pylsl.StreamOutlet, values: np.ndarray, stamps: np.ndarray
    ) -> None:
        self._outlet = outlet
        self._values = values
        self._stamps = stamps
        # A clock that jumped back does not hold up what follows.
        self._due = np.maximum.accumulate(stamps)
        self._next = 0

    def push_until(self, now: float) -> None:
        due = int(np.searchsorted(self._due, now, side="right"))
        if due > self._next:
            part = slice(self._next, due)
            values = np.ascontiguousarray(self._values[part])
            self._outlet.push_chunk(values, self._stamps[part].tolist())
            self._next = due


class MarkerTrack(Track):
    """Markers; that of a running trial again each second, with the stamp it had.

    LSL keeps nothing for who comes in mid-trial, and does not say who reads.
    """

    def __init__(
        self, outlet: pylsl.StreamOutlet, markers: Sequence[tuple[float, str, float]]
    ) -> None:
        """markers: stamp, text, and the end of the trial that it begins, seconds; -inf
        if it begins none.
        """
        self._outlet = outlet
        self._markers = list(markers)
        self._running: tuple[float, str, float] | None = None
        self._repeat_at = math.inf

    def push_until(self, now: float) -> None:
        while self._markers and self._markers[0][0] <= now:
            marker = self._markers.pop(0)
            self._push(marker)
            if marker[2] > now:
                self._running, self._repeat_at = marker, now + REPEAT_SECONDS
        if self._running is None or now >= self._running[2]:
            return
        if not self._outlet.have_consumers():
            self._repeat_at = now  # for the first that comes, at once
        elif now >= self._repeat_at:
            self._push(self._running)
            self._repeat_at = now + REPEAT_SECONDS

    def _push(self, marker: tuple[float, str, float]) -> None:
        self._outlet.push_sample([marker[1]], marker[0])


class VideoTrack(Track):
    """Frames with a stamp each, decoded a little ahead by a thread of their own."""

    def __init__(
        self, outlet: pylsl.StreamOutlet, frames: Iterator[tuple[float, np.ndarray]]
    ) -> None:
        """frames: stamp, seconds, and image (height, width, 3) uint8 RGB, in order."""
        self._outlet = outlet
        self._frames = frames
        self._decoded: queue.Queue[tuple[float, np.ndarray]] = queue.Queue(
            _FRAMES_AHEAD
        )
        self._next: tuple[float, np.ndarray] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._decode, name="decode frames", daemon=True
        )
        self._thread.start()

    def push_until(self, now: float) -> None:
        while True:
            if self._next is None:
                try:
                    self._next = self._decoded.get_nowait()
                except queue.Empty:
                    return
            stamp, image = self._next
            if stamp > now:
                return
            row = np.ascontiguousarray(image).reshape(1, -1).view(np.int8)
            self._outlet.push_chunk(row, [stamp])
            self._next = None

    def close(self) -> None:
        """End the decoding thread."""
        self._stop.set()
        self._thread.join(timeout=2.0)

    def _decode(self) -> None:
        try:
            for frame in self._frames:
                while not self._stop.is_set():
                    try:
                        self._decoded.put(frame, timeout=0.1)
                        break
                    except queue.Full:
                        continue
                if self._stop.is_set():
                    return
        except MediaError as error:
            log.warning("Video ends early: %s", error)
        except Exception:  # the thread's last line of defense
            log.exception("Video ends early")


def file_frames(
    path: Path,
    t0: float,
    offset: float = 0.0,
    wrap: bool = False,
    seconds: float = math.inf,
) -> Iterator[tuple[float, np.ndarray]]:
    """Frames of a video file for `VideoTrack`; the file begins at t0, seconds.

    offset, wrap, seconds: see `SampleTrack`. Raises MediaError on the way.
    """
    period = video_seconds(path) if wrap else math.inf
    turn = int(offset // period)
    while True:
        for time, frame in iter_frames(path):
            since = turn * period + time if turn else time
            if since >= seconds:
                return
            if since >= offset:
                yield t0 + since, rgb(frame)
        if not wrap:
            return
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
