"""A small amplifier and microphone for tests, whose faults are made on demand."""

import threading

import numpy as np
import pylsl
from source_helpers import RATE, open_eeg

from benchmarks.live.soak.sender import Trouble

TICK_SECONDS = 0.02
BACKLOG_SECONDS = 6.0  # sent at once, so that a window is full without waiting for it
AUDIO_RATE = 8000.0


class FaultySender:
    """Sends EEG of 30 electrodes, or sound, at true pace from a thread of its own."""

    def __init__(self, name: str, kind: str = "eeg") -> None:
        self.name = name
        self.kind = kind
        self.rate = RATE if kind == "eeg" else AUDIO_RATE
        self.sent = 0
        self._trouble = Trouble(np.random.default_rng(3))
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, lost_share: float = 0.0, **header: object) -> None:
        """Open the outlet and send six seconds at once, then go on.

        header: what the stream's header says differently, see `open_eeg`.
        lost_share: of the six seconds.
        """
        self._stop.clear()
        outlet = self._open(header)
        self._thread = threading.Thread(
            target=self._run, args=(outlet, lost_share), daemon=True
        )
        self._thread.start()

    def begin(self, fault: str, seconds: float) -> None:
        """Let something go wrong for a while, see `Trouble`."""
        self._trouble.begin(fault, seconds, pylsl.local_clock())

    def kill(self) -> None:
        """Close the outlet at once."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5)

    def _open(self, header: dict[str, object]) -> pylsl.StreamOutlet:
        if self.kind == "eeg":
            return open_eeg(self.name, **header)  # type: ignore[arg-type]
        info = pylsl.StreamInfo(
            self.name, "Audio", 1, self.rate, "float32", f"id {self.name}"
        )
        return pylsl.StreamOutlet(info)

    def _run(self, outlet: pylsl.StreamOutlet, lost_share: float) -> None:
        width = outlet.channel_count
        random = np.random.default_rng(5)
        while not outlet.have_consumers():
            if self._stop.wait(0.005):
                return
        first, last = pylsl.local_clock() - BACKLOG_SECONDS, 0
        while not self._stop.is_set():
            now = pylsl.local_clock()
            due = int((now - first) * self.rate)
            indices = np.arange(last, due)
            if last == 0:
                indices = indices[random.random(due) >= lost_share]
            last = due
            stamps = first + indices / self.rate
            size = 20.0 if self.kind == "eeg" else 0.1  # µV, of full scale
            values = random.normal(0, size, (len(indices), width)).astype(np.float32)
            self._trouble.ends(now)
            for part, times in self._trouble.spoil(values, stamps):
                if len(times):
                    outlet.push_chunk(part, times.tolist())
                    self.sent += len(times)
            self._stop.wait(TICK_SECONDS)
