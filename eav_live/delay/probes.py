"""What delays are measured from: one channel, the brightness of frames."""

import threading
from collections.abc import Callable

import numpy as np
import pylsl

from eav_live.streams.frames import FrameKeeper
from eav_live.streams.lsl import LslInlet
from eav_live.streams.source import LslSource
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
