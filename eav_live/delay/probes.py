"""What delays are measured from: one channel, markers, the brightness of frames."""

import threading
from collections.abc import Callable

import numpy as np
import pylsl

from eav_live.streams.frames import FrameKeeper
from eav_live.streams.lsl import RESOLVE_SECONDS, LslInlet, of_type, until_answered
from eav_live.streams.markers import marker_inlet, valid_stamp
from eav_live.streams.source import LslSource, Source
from eav_offline.common.errors import SourceRefused

_EVERY = 8  # of a picture's rows and columns: the mean needs no more


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

    def take(self, time: float, read: Callable[[], np.ndarray]) -> None:
        """The next frame was captured at `time`; see `FrameKeeper.take`."""
        brightness = read()[::_EVERY, ::_EVERY].mean()
        self._signal.add(np.array([time]), np.array([brightness]))
        self.ring.note_capture(time)


class _Probe(Source):
    """A stream that is only measured: it has no ring."""

    def __init__(self, name: str, clock: Callable[[], float], signal: Signal) -> None:
        super().__init__(name, clock)
        self._signal = signal
        self._last: float | None = None

    def _newest(self) -> float | None:
        return self._last

    def _measured(self, stamps: np.ndarray, values: np.ndarray) -> None:
        self._signal.add(stamps, values)
        self._last = float(stamps[-1])
        self._arrived(len(stamps))


class ChannelReader(LslSource, _Probe):
    """One channel, such as a photodiode's, of the EEG stream `name`.

    channel: its label, or its number from 1 on.
    """

    kind = "EEG"

    def __init__(
        self,
        name: str,
        channel: str,
        signal: Signal,
        clock: Callable[[], float] = pylsl.local_clock,
    ) -> None:
        super().__init__(name, clock, signal)
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
        self._measured(stamps, values[:, self._column])
        return True

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


class MarkerReader(_Probe):
    """The stamps of the markers that the stream `name` sends.

    text: of those markers that count; None takes all. signal: gets a 1 for each.
    """

    kind = "Markers"

    def __init__(
        self,
        name: str,
        text: str | None,
        signal: Signal,
        clock: Callable[[], float] = pylsl.local_clock,
    ) -> None:
        super().__init__(name, clock, signal)
        self._text = text
        self._inlet: pylsl.StreamInlet | None = None
        self.detail = f"looking for markers of the stream {name}"

    def pull(self) -> bool:
        """Connect if need be, and take the next marker."""
        if self._inlet is None and not self._open():
            return False
        assert self._inlet is not None
        try:
            sample, stamp = self._inlet.pull_sample(timeout=0.1)
        except pylsl.util.LostError:
            self._lost("the sender is gone")
            self.close()
            return False
        if sample is None or self._text not in (None, str(sample[0])):
            return False
        self._measured(np.array([valid_stamp(stamp, self.name)]), np.ones(1))
        return True

    def close(self) -> None:
        """Let go of the stream."""
        inlet, self._inlet = self._inlet, None
        if inlet is not None:
            inlet.close_stream()

    def _open(self) -> bool:
        found = pylsl.resolve_bypred(
            f"{of_type('Markers')} and name='{self.name}'",
            minimum=1,
            timeout=RESOLVE_SECONDS,
        )
        if not found:
            return False
        inlet = marker_inlet(found[0])
        try:
            until_answered(inlet.open_stream, self._stop)
        except (pylsl.util.TimeoutError, pylsl.util.LostError):
            return False
        self._inlet = inlet
        self.detail = f"markers of {self.name}"
        return True

    def _connected(self) -> bool:
        return self._inlet is not None
