"""Rings of samples and of frames: bounded, locked, copying, and aware of gaps."""

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np

from eav_offline.core.stamps import SAMPLE_GAP_SECONDS
from eav_offline.core.window import FRAME_RATE, FaceFrame


@dataclass(frozen=True)
class Stretch:
    """Samples without a gap: stamp of the first (s), rate (Hz), values (n, width).

    stop: samples that its ring has taken up to its end, in all.
    """

    first: float
    rate: float
    values: np.ndarray
    stop: int


class SampleRing:
    """The last `seconds` of an evenly sampled stream of `width` channels.

    Stamps must already be smoothed; a step of more than 50 ms starts a new stretch, a
    step backward empties the ring.
    """

    def __init__(self, rate: float, width: int, seconds: float) -> None:
        self.rate = rate
        self.width = width
        self._capacity = max(1, round(rate * seconds))
        # Twice the room: samples are moved to the front once per `capacity`, not at
        # every chunk, and every stretch stays contiguous.
        self._values = np.zeros((2 * self._capacity, width), dtype=np.float32)
        self._times = np.zeros(2 * self._capacity)
        self._stop = 0
        self._starts: deque[int] = deque()  # where stretches begin, ascending
        self._removed = 0  # samples that are no longer there
        self._lock = threading.Lock()
        self.gaps = 0

    def extend(self, times: np.ndarray, values: np.ndarray) -> None:
        """Append samples. times: (n,) seconds, ascending; values: (n, width)."""
        if len(times) == 0:
            return
        times, values = times[-self._capacity :], values[-self._capacity :]
        with self._lock:
            if self._stop and times[0] <= self._times[self._stop - 1]:
                self._removed += self._stop
                self._stop = 0
                self._starts.clear()
                self.gaps += 1
            if self._stop + len(times) > len(self._times):
                self._move_to_front(self._capacity - len(times))
            start = self._stop
            self._stop += len(times)
            self._times[start : self._stop] = times
            self._values[start : self._stop] = values
            if start == 0:
                self._starts.append(0)
                steps = np.diff(times)
                offset = 1
            else:
                steps = np.diff(self._times[start - 1 : self._stop])
                offset = start
            for i in np.flatnonzero(steps > SAMPLE_GAP_SECONDS):
                self._starts.append(offset + int(i))
                self.gaps += 1

    def follow(self, before: "SampleRing | None") -> None:
        """Take the place of another ring: the stream came back at another rate."""
        if before is not None:
            self.gaps = before.gaps + 1

    def mark_gap(self) -> None:
        """The stream was reopened: join nothing that comes to what is there."""
        with self._lock:
            if self._stop and (not self._starts or self._starts[-1] != self._stop):
                self._starts.append(self._stop)

    @property
    def newest(self) -> float | None:
        """Stamp of the newest sample, seconds."""
        with self._lock:
            return float(self._times[self._stop - 1]) if self._stop else None

    @property
    def filled(self) -> float:
        """Seconds of unbroken samples up to the newest."""
        with self._lock:
            if not self._stop:
                return 0.0
            start = self._start_of(self._stop - 1)
            return (self._stop - start) / self.rate

    def until(self, t_end: float, seconds: float) -> Stretch | None:
        """The samples of the `seconds` before `t_end`, since the last gap before it.

        They are counted, not timed: at a crystal's true rate, a little off the stated
        one, five seconds would hold a few samples more or less.
        Returns None if the ring does not reach `t_end` or holds nothing before it.
        """
        half = 0.5 / self.rate
        with self._lock:
            times = self._times[: self._stop]
            stop = int(np.searchsorted(times, t_end - half))
            if stop == 0:
                return None
            if times[stop - 1] < t_end - 3 * half - 1e-9:
                return None  # not there yet, or `t_end` lies in a gap
            start = max(self._start_of(stop - 1), stop - round(seconds * self.rate))
            # The first stamp that fits the last one: smoothing may have moved the
            # earlier ones by a fraction of a sample.
            first = float(times[stop - 1]) - (stop - 1 - start) / self.rate
            values = self._values[start:stop].copy()
            return Stretch(first, self.rate, values, self._removed + stop)

    def grid_end(self, t_end: float, samples: int) -> float:
        """The last moment up to `t_end` that is a multiple of `samples` samples away
        from the windows that ended on this grid before.

        Returns `t_end` itself if the ring does not reach it or no such moment follows
        the last gap.
        """
        half = 0.5 / self.rate
        with self._lock:
            stop = int(np.searchsorted(self._times[: self._stop], t_end - half))
            if stop == 0 or self._times[stop - 1] < t_end - 3 * half - 1e-9:
                return t_end
            earlier = stop - (self._removed + stop) % samples
            if earlier <= self._start_of(stop - 1):
                return t_end
            return float(self._times[earlier - 1]) + 1 / self.rate

    def latest(self, seconds: float) -> tuple[np.ndarray, np.ndarray]:
        """Times (n,) and values (n, width) of the last seconds, gaps too, to show."""
        with self._lock:
            if not self._stop:
                return np.zeros(0), np.zeros((0, self.width), dtype=np.float32)
            times = self._times[: self._stop]
            start = int(np.searchsorted(times, times[-1] - seconds))
            return times[start:].copy(), self._values[start : self._stop].copy()

    def _start_of(self, index: int) -> int:
        for start in reversed(self._starts):
            if start <= index:
                return start
        return 0

    def _move_to_front(self, keep: int) -> None:
        keep = max(0, min(keep, self._stop))
        shift = self._stop - keep
        self._times[:keep] = self._times[shift : self._stop].copy()
        self._values[:keep] = self._values[shift : self._stop].copy()
        self._stop = keep
        self._removed += shift
        # Stretches that began before the first sample kept now begin with it.
        self._starts = deque(sorted({max(0, i - shift) for i in self._starts}))


def new_stretches(
    ring: SampleRing, since: float, most_s: float
) -> list[tuple[np.ndarray, np.ndarray]]:
    """What came after the stamp `since`, seconds, -inf for all; at most `most_s` of it.

    Returns times (n,) and values (n, width) of each stretch without a gap.
    """
    newest = ring.newest
    if newest is None or newest <= since:
        return []
    times, values = ring.latest(min(newest - since + 0.1, most_s))
    new = times > since
    times, values = times[new], values[new]
    edges = np.flatnonzero(np.diff(times) > SAMPLE_GAP_SECONDS) + 1
    bounds = [0, *edges.tolist(), len(times)]
    return [
        (times[start:stop], values[start:stop])
        for start, stop in zip(bounds[:-1], bounds[1:], strict=True)
    ]


class FrameRing:
    """The kept frames of the last `seconds`, by reference, with their faces."""

    def __init__(self, seconds: float) -> None:
        self._frames: deque[tuple[FaceFrame, bool]] = deque()
        self._captured: float | None = None
        self._lock = threading.Lock()
        self.gaps = 0
        self.keep(seconds)

    def keep(self, seconds: float) -> None:
        """Hold so many seconds from now on."""
        with self._lock:
            length = max(1, round(seconds * FRAME_RATE))
            self._frames = deque(self._frames, maxlen=length)

    def append(self, frame: FaceFrame, begins: bool) -> None:
        """Add the next kept frame; `begins`: it is the first since a gap."""
        with self._lock:
            if self._frames:
                self.gaps += begins
                if frame.time <= self._frames[-1][0].time:
                    self._frames.clear()
                    self._captured = None
            self._frames.append((frame, begins))
            self._captured = max(self._captured or frame.time, frame.time)

    def note_capture(self, time: float) -> None:
        """A frame was captured at `time`; all kept frames up to it are in the ring."""
        with self._lock:
            self._captured = time

    @property
    def newest(self) -> float | None:
        """Capture time of the newest frame, kept or not, seconds."""
        with self._lock:
            return self._captured

    @property
    def newest_frame(self) -> FaceFrame | None:
        """The newest kept frame, to show."""
        with self._lock:
            return self._frames[-1][0] if self._frames else None

    @property
    def filled(self) -> float:
        """Seconds of frames without a gap up to the newest."""
        frames = self.until(float("inf"))
        newest = self.newest
        return newest - frames[0].time if frames and newest is not None else 0.0

    def until(self, t_end: float) -> list[FaceFrame]:
        """Kept frames before `t_end` since the last gap before it, oldest first."""
        since_gap: list[FaceFrame] = []
        with self._lock:
            for frame, begins in reversed(self._frames):
                if frame.time >= t_end:
                    continue
                since_gap.append(frame)
                if begins:
                    break
        return since_gap[::-1]
