"""Smoothed stamps into a ring, samples counted, clocks that jump or run wrong."""

from collections import deque

import numpy as np

from eav_live.windows.rings import SampleRing
from eav_offline.core.stamps import SAMPLE_GAP_SECONDS, StampSmoother

__all__ = ["ClockGuard", "RateMeter", "StampRate", "StampSmoother", "feed", "is_time"]

RATE_TOLERANCE = 0.02  # of the stated rate; crystals are a thousand times better
MAX_AHEAD = 0.5  # seconds; no sample is captured after it arrived
MAX_BEHIND = 60.0  # seconds; twice what LSL keeps for a slow reader
_MAX_TIME = 1e11  # seconds, three thousand years: no clock shows that
TRUST_SECONDS = 10.0  # LSL compares the clocks anew every five
_SAID_SECONDS = 10.0  # that a step which did no harm is spoken of
_RATE_SECONDS = 5.0
_RATE_LEAST_SECONDS = 3.0  # before a rate is judged
_PIECE_SECONDS = 0.25  # a long chunk counts as several
_PAUSE_SECONDS = 0.3  # a longer step between stamps is a pause, not a slow clock


def feed(
    ring: SampleRing, smoother: StampSmoother, stamps: np.ndarray, values: np.ndarray
) -> None:
    """Smooth stamps (n,), seconds, and append values (n, width) to the ring.

    Stretches that the smoother keeps apart stay apart in the ring.
    """
    times, starts = smoother.smooth(stamps)
    edges = sorted({0, *starts, len(times)})
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        if start in starts:
            ring.mark_gap()
        ring.extend(times[start:stop], values[start:stop])


def is_time(stamps: np.ndarray) -> np.ndarray:
    """Which of the stamps, seconds, can be a time: not NaN, infinite or absurd."""
    return np.abs(stamps) < _MAX_TIME


class RateMeter:
    """Samples a second over the last five seconds of arrivals."""

    def __init__(self) -> None:
        self._arrivals: deque[tuple[float, int]] = deque()

    def count(self, now: float, n: int) -> None:
        """`n` samples arrived at `now`, seconds."""
        self._arrivals.append((now, n))
        while now - self._arrivals[0][0] > _RATE_SECONDS:
            self._arrivals.popleft()

    def rate(self, now: float) -> float | None:
        """Samples a second; None before a second of them, 0 when they ceased."""
        recent = [(t, n) for t, n in tuple(self._arrivals) if now - t <= _RATE_SECONDS]
        if not self._arrivals:
            return None
        if not recent:
            return 0.0
        span = recent[-1][0] - recent[0][0]
        if span < 1.0:
            return None
        # The first arrival's samples were captured before the span begins.
        return sum(n for _, n in recent[1:]) / span


class StampRate:
    """The rate that stamps show over the last five seconds, whatever is declared."""

    def __init__(self) -> None:
        self._chunks: deque[tuple[float, int]] = deque()  # last stamp, samples

    def update(self, stamps: np.ndarray) -> None:
        """Take the next stamps (n,), seconds, before smoothing."""
        if len(stamps) == 0:
            return
        if self._chunks:
            steps = np.diff(stamps, prepend=self._chunks[-1][0])
            if steps.max() > _PAUSE_SECONDS or steps.min() < -SAMPLE_GAP_SECONDS:
                self._chunks.clear()
        pieces = 1 + int(abs(stamps[-1] - stamps[0]) / _PIECE_SECONDS)
        for piece in np.array_split(stamps, min(pieces, len(stamps))):
            self._chunks.append((float(piece[-1]), len(piece)))
        while stamps[-1] - self._chunks[0][0] > _RATE_SECONDS:
            self._chunks.popleft()

    @property
    def rate(self) -> float | None:
        """Samples a second; None before three seconds of them."""
        if len(self._chunks) < 2:
            return None
        span = self._chunks[-1][0] - self._chunks[0][0]
        if span < _RATE_LEAST_SECONDS:
            return None
        return sum(n for _, n in list(self._chunks)[1:]) / span

    def differs_from(self, rate: float) -> bool:
        """Whether it is known and more than 2 % off `rate`."""
        found = self.rate
        return found is not None and abs(found / rate - 1) > RATE_TOLERANCE

    def fault(self, rate: float) -> str:
        """What is wrong if it is not `rate`, Hz, as stated; empty if nothing is."""
        if not self.differs_from(rate):
            return ""
        return (
            f"{self.rate:.0f} samples a second instead of {rate:g}: samples are lost, "
            "or the sender states a wrong rate"
        )


class ClockGuard:
    """Notices when a sender's clock jumps, and keeps its samples on this clock.

    Stamps that step backward, or lie in the future, or an hour in the past, cannot be
    right. Such samples are placed by their arrival, after a gap, until the stamps make
    sense again: as well as can be done, and said in `said`. Stamps that have made sense
    for ten seconds are believed whatever came before: the other streams' are, and a
    shift that stayed would put them apart.

    A stamp that is no time (NaN, infinite) says nothing of the clock: its sample is
    placed beside those that it arrived with, and that is said too.

    steps: how often the clock jumped. unstamped: samples without a time. said: what is
    wrong now, empty if nothing is.
    """

    def __init__(self) -> None:
        self.steps = self.unstamped = 0
        self.reset()

    def reset(self, rate: float = 0.0) -> None:
        """Begin anew with another stream. rate: Hz as stated, 0 if it states none."""
        self._period = 1 / rate if rate > 0 else 0.0
        self.said = ""
        self._said_until = np.inf
        self._shift = 0.0
        self._by_arrival = False
        self._fit_since: float | None = None  # while shifted
        self._last_sent: float | None = None
        self._last_placed = -np.inf

    def place(self, stamps: np.ndarray, now: float) -> np.ndarray:
        """Stamps (n,), seconds on this clock if the sender's is right, as they should
        be. now: when they arrived.
        """
        if len(stamps) == 0:
            return stamps
        if now > self._said_until:
            self.said, self._said_until = "", np.inf
        stamps = self._with_times(stamps, now)
        self._trust_again(float(stamps[-1]), now)
        before = stamps[0] if self._last_sent is None else self._last_sent
        steps = np.diff(stamps, prepend=before)
        back = steps < -SAMPLE_GAP_SECONDS
        placed = np.empty(len(stamps))
        apart = np.flatnonzero(back | (steps > MAX_AHEAD)).tolist()
        edges = sorted({0, *apart, len(stamps)})
        for start, stop in zip(edges[:-1], edges[1:], strict=True):
            part = stamps[start:stop]
            newest = float(part[-1]) + self._shift
            # A step forward may be a pause, unless it leads into the future.
            off = not now - MAX_BEHIND <= newest <= now + MAX_AHEAD
            if back[start] or off:
                self._step(part, float(steps[start]), now)
            placed[start:stop] = part + self._shift
            self._last_placed = float(placed[stop - 1])
        self._last_sent = float(stamps[-1])
        return placed

    def _with_times(self, stamps: np.ndarray, now: float) -> np.ndarray:
        """The stamps (n,) with those that are no time put in line with the others."""
        good = is_time(stamps)
        if good.all():
            return stamps
        n = len(stamps)
        self.unstamped += int(np.count_nonzero(~good))
        if not self.said or self._said_until < np.inf:  # a wrong clock is said first
            self.said = (
                "samples come without a valid time stamp and are placed by when they "
                "arrive; restart the sender's program"
            )
            self._said_until = now + _SAID_SECONDS
        index = np.arange(n)
        if good.any():
            first, last = np.flatnonzero(good)[[0, -1]]
            line = np.interp(index, index[good], stamps[good])
            line[:first] = stamps[first] - (first - index[:first]) * self._period
            line[last:] = stamps[last] + (index[last:] - last) * self._period
            return np.where(good, stamps, line)
        arrived = now - self._shift  # as the sender's clock, such as it is, counts
        newest = -np.inf if self._last_sent is None else self._last_sent
        newest += n * self._period
        if not (self._period and arrived - 1 <= newest <= arrived + MAX_AHEAD):
            newest = arrived
        return newest - (n - 1 - index) * self._period

    def _trust_again(self, newest: float, now: float) -> None:
        """Give the shift up once the stamps have long been right without it."""
        if not self._shift or abs(newest - now) > MAX_AHEAD:
            self._fit_since = None
        elif self._fit_since is None:
            self._fit_since = now
        elif now - self._fit_since >= TRUST_SECONDS:
            self._shift, self.said, self._by_arrival = 0.0, "", False
            self._fit_since = None

    def _step(self, part: np.ndarray, step: float, now: float) -> None:
        self.steps += 1
        away = float(part[-1]) - now
        self._said_until = np.inf
        believed = part[0] > self._last_placed and -MAX_BEHIND <= away <= MAX_AHEAD
        if believed or (self._by_arrival and abs(away) <= MAX_AHEAD):
            # What was placed by arrival lies a little late, so these may begin before
            # its end; rings then begin anew. To stay late for ever would be worse.
            self._shift, self.said, self._by_arrival = 0.0, "", False
            return
        self._by_arrival = abs(away) > MAX_AHEAD
        # More than a gap after what was there: it is not known what is missing.
        earliest = self._last_placed + 2 * SAMPLE_GAP_SECONDS
        self._shift = max(now - float(part[-1]), earliest - float(part[0]))
        if self._by_arrival:
            side = "ahead of" if away > 0 else "behind"
            self.said = (
                f"the sender's clock is {abs(away):.0f} s {side} this computer's; its "
                "samples are placed by when they arrive. Restart the amplifier's "
                "program"
            )
        else:
            self.said = f"the sender's clock stepped by {step:+.2f} s"
            self._said_until = now + _SAID_SECONDS
