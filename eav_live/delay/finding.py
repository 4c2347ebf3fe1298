"""Device delays from known events: when an event was, and when a signal shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

EARLIEST, LATEST = -0.2, 0.8  # seconds from an event to where it is looked for
_BASELINE_SECONDS = 0.5  # of signal before that, to know how it is without an event
_SIGNAL_TO_NOISE = 8.0  # peak over noise; the largest of 1e5 random samples reaches 5
_LEAST_SHARE = 0.4  # of a usual event's peak: what is smaller is none
_LEAST_EVENTS = 3
_MAX_STEP = 0.25  # seconds between samples: over a longer one nothing is known


@dataclass(frozen=True)
class Delay:
    """From events to the stamps of the samples that show them, seconds.

    delays: (found,) of each event that was found and is no outlier. n_events: events
    there were.
    """

    delays: np.ndarray
    n_events: int

    @property
    def n_found(self) -> int:
        """Events that the signal shows."""
        return len(self.delays)

    @property
    def median_s(self) -> float:
        """The delay to put into the settings."""
        return float(np.median(self.delays))

    @property
    def spread_s(self) -> float:
        """How much single events differ: standard deviation, robustly."""
        return _spread(self.delays)

    @property
    def uncertainty_s(self) -> float:
        """Standard error of the median (as for normally distributed delays)."""
        return float(1.25 * np.std(self.delays) / np.sqrt(self.n_found))

    @property
    def is_reliable(self) -> bool:
        """Whether enough events were found and they agree."""
        enough = self.n_found >= max(5, self.n_events / 2)
        return enough and self.uncertainty_s <= 0.02


def find_delay(
    events: Sequence[float] | np.ndarray, stamps: np.ndarray, values: np.ndarray
) -> Delay | None:
    """How long after `events` (seconds) a signal departs from its rest.

    stamps: (n,) seconds, ascending; values: (n,) of any unit and sign, such as the
    brightness of frames, sound, or a trigger channel. Events must lie 1.5 s apart, at
    uneven intervals, so that nothing periodic is taken for them.
    An event that is not there, and one that something else came before, are left out.
    Returns None if there is no signal above the noise.
    """
    stamps = np.asarray(stamps, dtype=np.float64)
    values = np.asarray(values, dtype=np.float64)
    responses = [r for e in events if (r := _response(float(e), stamps, values))]
    if len(responses) < _LEAST_EVENTS:
        return None
    # Well above the median: some of the events may be missing from the signal.
    usual = float(np.percentile([r.peak for r in responses], 75))
    noise = float(np.median([r.noise for r in responses]))
    if usual <= _SIGNAL_TO_NOISE * noise or usual <= 0:
        return None
    shown = [r for r in responses if r.peak >= _LEAST_SHARE * usual]
    found = np.array([d for r in shown if (d := r.onset(noise)) is not None])
    if len(found) < _LEAST_EVENTS:
        return None
    # Sampling alone spreads the onsets over one step, evenly.
    step = float(np.median(np.diff(stamps)))
    allowed = max(3 * _spread(found), 1.5 * step, 0.002)
    kept = found[np.abs(found - np.median(found)) <= allowed]
    return Delay(kept, len(events)) if len(kept) >= _LEAST_EVENTS else None


@dataclass(frozen=True)
class _Response:
    """A signal around one event: times since it (n,) and distance from rest (n,)."""

    since: np.ndarray
    distance: np.ndarray
    noise: float

    @property
    def peak(self) -> float:
        return float(self.distance.max())

    def onset(self, noise: float) -> float | None:
        """When half of the peak is crossed first, between samples; None if unknown.

        A step between two frames is thus put half-way between them, which is right on
        average.
        """
        level = max(0.5 * self.peak, 5 * noise)
        above = np.flatnonzero(self.distance >= level)
        if len(above) == 0 or above[0] == 0:
            return None
        i = int(above[0])
        step = self.since[i] - self.since[i - 1]
        if step > _MAX_STEP:
            return None
        before, after = self.distance[i - 1], self.distance[i]
        return float(self.since[i - 1] + step * (level - before) / (after - before))


def _response(event: float, stamps: np.ndarray, values: np.ndarray) -> _Response | None:
    """The signal around an event; None if it was not recorded there."""
    begin, start, stop = np.searchsorted(
        stamps, (event + EARLIEST - _BASELINE_SECONDS, event + EARLIEST, event + LATEST)
    ).tolist()
    if start - begin < 2 or stop - start < 3:
        return None
    rest = float(np.median(values[begin:start]))
    noise = 1.4826 * float(np.median(np.abs(values[begin:start] - rest)))
    around = slice(start, stop)
    return _Response(stamps[around] - event, np.abs(values[around] - rest), noise)


def _spread(delays: np.ndarray) -> float:
    return 1.4826 * float(np.median(np.abs(delays - np.median(delays))))
