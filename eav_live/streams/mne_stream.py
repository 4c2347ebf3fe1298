"""EEG from a stream of mne-lsl that a script has connected, filtered, re-referenced."""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pylsl

from eav_live.streams import Origin
from eav_live.streams.clock import ClockGuard
from eav_live.streams.eeg import RING_SECONDS, require_rate
from eav_live.streams.source import SampleSource
from eav_offline.core.electrodes import (
    CONFIG_HINT,
    Channel,
    ChannelMap,
    electrode_name,
    map_channels,
)
from eav_offline.core.window import EEG_CHANNELS, N_CHANNELS

if TYPE_CHECKING:
    import mne
    import mne_lsl

log = logging.getLogger(__name__)

_CHUNKS = 4096  # that wait at most: four seconds where each holds one sample at 1 kHz


class _Tap:
    """What mne-lsl calls with each chunk, after its filters; passes it on unchanged."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=_CHUNKS)
        self.closed = False  # callbacks cannot be taken back

    def __call__(
        self, data: np.ndarray, timestamps: np.ndarray, info: "mne.Info"
    ) -> tuple[np.ndarray, np.ndarray]:
        """data: (n, channels); timestamps: (n,) seconds."""
        if not self.closed:
            self.waiting.append((data.copy(), timestamps.copy()))
        return data, timestamps


class MneLslEeg(SampleSource):
    """The EEG of a `StreamLSL`, which stays its owner's: it is never disconnected.

    Samples are taken where mne-lsl has applied reference and filters. If its owner
    connects it anew, they are taken up again.
    """

    kind, modality, ring_seconds = "EEG", "eeg", RING_SECONDS
    idle_s = 0.02

    def __init__(
        self,
        stream: "mne_lsl.stream.StreamLSL",
        *,
        max_missing: int | None = None,
        rename: Mapping[str, str] | None = None,
        bad: Sequence[str] = (),
        delay_s: float = 0.0,
        clock: Callable[[], float] = pylsl.local_clock,
    ) -> None:
        """stream: its bad channels count as `bad`. The others: see `LslEeg`."""
        super().__init__(stream.name or "mne-lsl", clock)
        self._stream = stream
        self._max_missing, self._rename = max_missing, dict(rename or {})
        self._bad, self._delay_s = tuple(bad), delay_s
        self._guard = ClockGuard()
        self._tap: _Tap | None = None
        self._names: tuple[str, ...] = ()
        self._map: ChannelMap | None = None

    @property
    def stream_name(self) -> str | None:
        """The full name of the stream."""
        return self._stream.name

    @property
    def stream_host(self) -> str | None:
        """The computer that it comes from; None if it is not connected."""
        header = self._stream.sinfo
        return None if header is None else header.hostname

    @property
    def interpolated(self) -> tuple[str, ...]:
        """Electrodes computed from their neighbors."""
        return self._map.interpolated if self._map is not None else ()

    def pull(self) -> bool:
        """Listen if need be, and take what has come since."""
        try:
            if self._connected():
                return self._listen()
        except RuntimeError:  # of mne-lsl, where its owner disconnects it meanwhile
            if self._connected():
                raise
        self._lost(f"{self._label()} is not connected; stream.connect() does it")
        return False

    def _listen(self) -> bool:
        if self._tap is None or self._tap not in self._stream.callbacks:
            self._begin()
        assert self._tap is not None
        arrived = False
        while self._tap.waiting:
            values, sent = self._tap.waiting.popleft()
            if tuple(self._stream.ch_names) != self._names:  # picked or renamed since
                self._accept()
            if values.shape[1] == len(self._names):
                self._take(values, sent)
                arrived = True
        return arrived

    def close(self) -> None:
        """Listen no more; the stream goes on."""
        if self._tap is not None:
            self._tap.closed = True
            self._tap.waiting.clear()
            self._tap = None

    def _begin(self) -> None:
        self.close()
        self._accept()
        self._tap = _Tap()
        self._stream.add_callback(self._tap)

    def _take(self, values: np.ndarray, sent: np.ndarray) -> None:
        assert self._map is not None
        stamps = self._guard.place(sent, self.clock()) - self._delay_s
        self._store(values, stamps, self._map.apply(values))
        self.detail = self._describe()

    def _accept(self) -> None:
        """Find the electrodes and prepare the ring; or SourceRefused."""
        rate = float(self._stream.info["sfreq"])
        require_rate(rate, self._label(), CONFIG_HINT)
        channels = self._channels()
        noted = (electrode_name(name) for name in self._stream.info["bads"])
        self._map = map_channels(
            channels,
            rename=self._rename,
            bad=[*self._bad, *(name for name in noted if name in EEG_CHANNELS)],
            max_missing=self._max_missing,
            stream=self._label(),
        )
        self._names = tuple(channel.label for channel in channels)
        self._guard.reset(rate)
        origin = Origin(
            kind="EEG",
            name=self.name,
            rate=rate,
            channels=tuple(channels),
            source_id=self._stream.source_id or "",
            hostname=self.stream_host or "",
            montage=self._map,
        )
        self._prepare_ring(origin, N_CHANNELS)
        self.detail = self._describe()

    def _channels(self) -> list[Channel]:
        """Units as powers of ten of a volt, as MNE has them."""
        stream = self._stream
        kinds = stream.get_channel_types()
        units = stream.get_channel_units(picks=stream.ch_names)  # else not of bad ones
        return [
            Channel(name, kind, str(int(power)) if kind == "eeg" else "")
            for name, kind, (_, power) in zip(
                stream.ch_names, kinds, units, strict=True
            )
        ]

    def _label(self) -> str:
        return f"mne-lsl's stream {self.name!r}"

    def _describe(self) -> str:
        assert self._ring is not None
        text = f"{self._label()} at {self._ring.rate:g} Hz"
        filters = len(self._stream.filters)
        text += f", {filters} filters" if filters else ""
        if self.interpolated:
            text += f"; interpolated: {', '.join(self.interpolated)}"
        return text

    def _connected(self) -> bool:
        try:
            return bool(self._stream.connected)
        except AssertionError:  # mne-lsl's own check, while it connects or disconnects
            return False

    def _fault(self) -> str:
        return "" if self._ring is None else self._stamp_rate.fault(self._ring.rate)

    def _clock_steps(self) -> int:
        return self._guard.steps

    def _notice(self) -> str:
        return self._guard.said
