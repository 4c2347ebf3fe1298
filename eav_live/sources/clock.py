"""Smoothed stamps into a ring, and samples counted."""

from collections import deque

import numpy as np

from eav_live.buffers import SampleRing
from eav_offline.stamps import StampSmoother

__all__ = ["RateMeter", "StampSmoother", "feed"]

_RATE_SECONDS = 5.0


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
