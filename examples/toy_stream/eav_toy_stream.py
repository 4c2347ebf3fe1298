"""A source of EEG of one's own: a tone, `eav-live --eeg-stream toy:10` for 10 Hz.

A real one talks to an amplifier's own library in `pull`, and lets go of it in `close`.
"""

import numpy as np
from pylsl import local_clock

from eav_live.streams import Origin
from eav_live.streams.source import SampleSource
from eav_offline.common.errors import InputRefused
from eav_offline.core.electrodes import Channel, map_channels
from eav_offline.core.window import EEG_CHANNELS

RATE = 250.0  # Hz


class ToyEeg(SampleSource):
    kind, modality, ring_seconds, idle_s = "EEG", "eeg", 30.0, 0.02

    def __init__(self, modality: str, argument: str) -> None:
        if modality != "eeg" or not argument.isdecimal():
            raise InputRefused(f"toy:{argument} is no EEG; give toy:HERTZ")
        super().__init__(f"a tone of {argument} Hz", local_clock)
        self._hertz = int(argument)

    def pull(self) -> bool:
        if self.ring is None:
            channels = tuple(
                Channel(name, "EEG", "microvolts") for name in EEG_CHANNELS
            )
            electrodes = map_channels(channels)
            origin = Origin("EEG", self.name, RATE, channels, montage=electrodes)
            self._prepare_ring(origin, len(EEG_CHANNELS))
            self._next = self.clock()
        stamps = np.arange(self._next, self.clock(), 1 / RATE)
        if len(stamps) == 0:
            return False
        self._next = stamps[-1] + 1 / RATE
        tone = 20 * np.sin(2 * np.pi * self._hertz * stamps)[:, None]
        noise = np.random.default_rng().normal(0, 5, (len(stamps), len(EEG_CHANNELS)))
        eeg_uv = (tone + noise).astype(np.float32)  # (samples, 30)
        self._store(eeg_uv, stamps, eeg_uv)
        return True

    def close(self) -> None:
        """Nothing to let go of."""

    def _connected(self) -> bool:
        return True
