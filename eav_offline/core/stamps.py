"""Time stamps of an evenly sampled stream: smoothed, and restarted at a gap."""

import numpy as np
import scipy

SAMPLE_GAP_SECONDS = 0.05  # a larger step between stamps is a gap, never glued

# Of the loop below. A tenth of a hertz averages over ten seconds of chunks, and still
# follows an amplifier whose crystal drifts.
BANDWIDTH = 0.1  # Hz


class StampSmoother:
    """Take the jitter out of stamps: a second-order delay-locked loop per sample.

    LSL's own dejitter keeps one line through everything it has seen, so a pause of
    two seconds vanishes and stamps stay wrong for ten. This loop restarts at any step
    of more than 50 ms, forward or backward, and leaves exact stamps as they are.

    It is the loop of Adriaensen, "Using a DLL to filter time" (2005), written as a
    linear filter of the deviation from the nominal line, so that the size of chunks
    does not matter.
    """

    def __init__(self, rate: float) -> None:
        omega = 2 * np.pi * BANDWIDTH / rate
        b, c = np.sqrt(2) * omega, omega**2
        self._numerator = np.array([0.0, b, c - b])
        self._denominator = np.array([1.0, b - 2.0, 1.0 - b + c])
        self._rate = rate
        self._filter = scipy.signal.lfilter  # imported now, not with the first samples
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next stamp is taken as it is."""
        self._last: float | None = None
        self._origin = 0.0
        self._count = 0
        self._state = np.zeros(2)

    def smooth(self, stamps: np.ndarray) -> tuple[np.ndarray, list[int]]:
        """Smooth the next stamps of the stream.

        stamps: (n,) float64 seconds, as the sender gave them.
        Returns stamps (n,) and the indices at which a new stretch begins; the very
        first sample is one.
        """
        if len(stamps) == 0:
            return stamps, []
        before = -np.inf if self._last is None else self._last
        steps = np.diff(stamps, prepend=before)
        starts = np.flatnonzero(np.abs(steps) > SAMPLE_GAP_SECONDS).tolist()
        self._last = float(stamps[-1])
        smoothed = np.empty(len(stamps))
        edges = sorted({0, *starts, len(stamps)})
        for start, stop in zip(edges[:-1], edges[1:], strict=True):
            if start in starts:
                self._origin, self._count = float(stamps[start]), 0
                self._state = np.zeros(2)
            line = (
                self._origin
                + np.arange(self._count, self._count + stop - start) / self._rate
            )
            deviation, self._state = self._filter(
                self._numerator,
                self._denominator,
                stamps[start:stop] - line,
                zi=self._state,
            )
            smoothed[start:stop] = line + deviation
            self._count += stop - start
        return smoothed, starts
