"""How late microphone, camera and amplifier are, found from clicks and flashes.

`find_delay` holds when an event was to when a signal shows it; what follows makes the
signals: one channel of a stream, the brightness of frames.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pylsl

from eav_live.streams.frames import FrameKeeper
from eav_live.streams.lsl import LslInlet
from eav_live.streams.source import LslSource
from eav_offline.common.errors import SourceRefused

EARLIEST, LATEST = -0.2, 0.8  # seconds from an event to where it is looked for
_BASELINE_SECONDS = 0.5  # of signal before that, to know how it is without an event
_SIGNAL_TO_NOISE = 8.0  # peak over noise; the largest of 1e5 random samples reaches 5
_LEAST_SHARE = 0.4  # of a usual event's peak: what is smaller is none
_LEAST_EVENTS = 3
_MAX_STEP = 0.25  # seconds between samples: over a longer one nothing is known
_EVERY = 8  # of a picture's rows and columns: the mean needs no more


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


class Signal:
    """Stamps and values as they come in, from any thread, to be read at the end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stamps: list[np.ndarray] = []
        self._values: list[np.ndarray] = []

    def add(self, stamps: np.ndarray, values: np.ndarray) -> None:
        """Append (n,) seconds and (n,) values."""
        with self._lock:
            self._stamps.append(np.array(stamps, dtype=np.float64))
            self._values.append(np.array(values, dtype=np.float32))

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """All stamps (n,), ascending, and values (n,)."""
        with self._lock:
            if not self._stamps:
                return np.zeros(0), np.zeros(0, np.float32)
            stamps, values = np.concatenate(self._stamps), np.concatenate(self._values)
        order = np.argsort(stamps, kind="stable")
        return stamps[order], values[order]


class BrightnessMeter(FrameKeeper):
    """Takes the mean brightness of every frame; keeps no picture, looks for no face."""

    def __init__(self, signal: Signal) -> None:
        super().__init__()
        self._signal = signal

    def prepare(self) -> None:
        """Nothing is needed."""

    def take(self, time: float, read: Callable[[], np.ndarray]) -> None:
        """The next frame was captured at `time`; see `FrameKeeper.take`."""
        brightness = read()[::_EVERY, ::_EVERY].mean()
        self._signal.add(np.array([time]), np.array([brightness]))
        self.ring.note_capture(time)


class ChannelReader(LslSource):
    """One channel, such as a photodiode's, of the EEG stream `name`; it has no ring.

    channel: its label, or its number from 1 on. signal: gets its samples.
    """

    kind = "EEG"

    def __init__(
        self,
        name: str,
        channel: str,
        signal: Signal,
        clock: Callable[[], float] = pylsl.local_clock,
    ) -> None:
        super().__init__(name, clock)
        self._signal = signal
        self._last: float | None = None
        self._channel = channel
        self._inlet = LslInlet("EEG", name, clock)
        self._column = 0
        self.detail = self._inlet.waiting_for()

    def pull(self) -> bool:
        """Connect if need be, and take what has arrived."""
        received = self._receive()
        if received is None:
            return False
        values, stamps = received
        self._signal.add(stamps, values[:, self._column])
        self._last = float(stamps[-1])
        self._arrived(len(stamps))
        return True

    def _newest(self) -> float | None:
        return self._last

    def _accept(self) -> None:
        assert self._inlet.header is not None
        n = self._inlet.header.channel_count()
        labels = [c.label for c in self._inlet.channels()]
        wanted = self._channel.casefold()
        found = [i for i, label in enumerate(labels) if label.casefold() == wanted]
        if not found and wanted.isdigit() and 1 <= int(wanted) <= n:
            found = [int(wanted) - 1]
        if len(found) != 1:
            raise SourceRefused(
                f"{self._inlet.label()} has {len(found)} channels called "
                f"{self._channel!r}; it has {', '.join(labels) or 'no labels'}. Give "
                f"one of them, or a number from 1 to {n}, as --eeg-channel."
            )
        self._column = found[0]
        self.detail = f"{self._inlet.label()}, channel {found[0] + 1}"
