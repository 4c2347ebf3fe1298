"""EEG over LSL: 30 electrodes by label, in µV, with smoothed stamps, in one ring."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pylsl

from eav_live.streams.lsl import LslInlet
from eav_live.streams.source import LslSource, ReferenceCheck, SampleSource
from eav_offline.common.errors import SourceRefused
from eav_offline.core.electrodes import CONFIG_HINT, Channel, ChannelMap, map_channels
from eav_offline.core.window import MIN_EEG_RATE, N_CHANNELS

log = logging.getLogger(__name__)

RING_SECONDS = 30.0  # a window, what precedes it, what is shown: 36 MB at 5 kHz
MAX_EEG_RATE = 10_000.0  # Hz


def require_rate(rate: float, label: str, config_hint: str) -> None:
    """Raise SourceRefused for a rate, Hz, that no EEG can be read at."""
    if rate == pylsl.IRREGULAR_RATE:
        raise SourceRefused(
            f"{label} states no sampling rate; an even rate of {MIN_EEG_RATE:g} Hz "
            "or more is needed. Set the nominal rate in the amplifier's program, "
            f"or give `rate` under [eeg] in {config_hint}."
        )
    if rate < MIN_EEG_RATE:
        raise SourceRefused(
            f"{label} runs at {rate:g} Hz; {MIN_EEG_RATE:g} Hz or more are needed "
            "for the band of 0.5-50 Hz. Raise the rate at the amplifier."
        )
    if rate > MAX_EEG_RATE:
        raise SourceRefused(
            f"{label} runs at {rate:g} Hz; up to {MAX_EEG_RATE:g} Hz are read, and "
            "nothing above 50 Hz is used. Lower the rate at the amplifier."
        )


class LslEeg(LslSource, SampleSource):
    """The EEG stream whose name is, or begins with, `name`."""

    kind, modality, ring_seconds = "EEG", "eeg", RING_SECONDS

    def __init__(
        self,
        name: str,
        *,
        max_missing: int | None = None,
        rename: Mapping[str, str] | None = None,
        labels: Sequence[str] | None = None,
        bad: Sequence[str] = (),
        rate: float | None = None,
        delay_s: float = 0.0,
        clock: Callable[[], float] = pylsl.local_clock,
        config_hint: str = CONFIG_HINT,
    ) -> None:
        """max_missing, rename: see `map_channels`. labels: of all channels in order,
        for an amplifier whose header has none. bad: electrodes to compute from the
        others though they are there. rate: Hz, where the header's is wrong. delay_s:
        from an event to its stamp. config_hint: the file that messages tell the user to
        edit.
        """
        super().__init__(name, clock)
        self._max_missing = max_missing
        self._rename = dict(rename or {})
        self._labels = tuple(labels) if labels else None
        self._bad = tuple(bad)
        self._stated_rate = rate
        self._reference: ReferenceCheck | None = None
        self._compared = False
        self._reference_note = ""
        self._config_hint = config_hint
        self._inlet = LslInlet("EEG", name, clock, delay_s=delay_s)
        self._map: ChannelMap | None = None
        self.header_labels: tuple[str, ...] = ()  # once known, also if it is refused
        self.detail = self._inlet.waiting_for()

    @property
    def interpolated(self) -> tuple[str, ...]:
        """Electrodes computed from their neighbors."""
        return self._map.interpolated if self._map is not None else ()

    def compare_reference(self, check: ReferenceCheck) -> None:
        """See `SampleSource.compare_reference`. Any thread may call."""
        self._reference, self._compared = check, False

    def pull(self) -> bool:
        """Connect if need be, and take what has arrived."""
        received = self._receive()
        if received is None:
            return False
        values, stamps = received
        assert self._map is not None
        eeg_uv = self._map.apply(values)
        self._store(values, stamps, eeg_uv)
        n_bad = int(np.count_nonzero(~np.isfinite(eeg_uv).all(axis=0)))
        self.detail = self._describe()
        if n_bad:
            self.detail += f"; {n_bad} electrodes send values that are not numbers"
        if not self._compared:
            self._compare_reference()
        return True

    def _accept(self) -> None:
        """Check the stream that was opened and prepare the ring for it."""
        header = self._inlet.header
        assert header is not None
        label = self._inlet.label()
        rate = self._stated_rate or header.nominal_srate()
        if header.channel_format() == pylsl.cf_string:
            raise SourceRefused(f"{label} sends text; numbers were expected.")
        require_rate(rate, label, self._config_hint)
        found = self._inlet.channels() or [Channel("")] * header.channel_count()
        self.header_labels = tuple(channel.label for channel in found)
        channels = self._named_channels(label)
        self._map = map_channels(
            channels,
            rename=self._rename,
            bad=self._bad,
            max_missing=self._max_missing,
            stream=label,
            config_hint=self._config_hint,
        )
        origin = replace(self._inlet.origin(channels, self._map), rate=rate)
        self._prepare_ring(origin, N_CHANNELS)
        self._compared = False
        self._compare_reference()
        self.detail = self._describe()

    def _named_channels(self, label: str) -> list[Channel]:
        header = self._inlet.header
        assert header is not None
        channels = self._inlet.channels()
        n = header.channel_count()
        if self._labels is not None:
            if len(self._labels) != n:
                raise SourceRefused(
                    f"{label} has {n} channels and [eeg] labels in "
                    f"{self._config_hint} names {len(self._labels)}; they must agree."
                )
            channels = channels or [Channel("")] * n
            return [
                Channel(name, c.kind, c.unit, c.scaling)
                for name, c in zip(self._labels, channels, strict=True)
            ]
        if not any(c.label for c in channels):
            raise SourceRefused(
                f"{label} names none of its {n} channels, and electrodes are never "
                "chosen by position. Have the amplifier's LSL program write labels "
                "into the header, or list all of them, in order, as `labels` under "
                f"[eeg] in {self._config_hint}."
            )
        return channels

    def _describe(self) -> str:
        assert self._ring is not None
        text = f"{self._inlet.label()} at {self._ring.rate:g} Hz"
        if self.interpolated:
            text += f"; interpolated: {', '.join(self.interpolated)}"
        return text

    def _compare_reference(self) -> None:
        if self._reference is None:
            return  # the model is still being read
        self._compared = True
        # A replay shows what was recorded; nobody can change its reference.
        if self._inlet.header_text("eav_replay"):
            return
        label = self._inlet.label()
        note = self._reference(self._inlet.header_text("reference/label"))
        if note and note != self._reference_note:
            log.warning("%s: %s", label, note)
        self._reference_note = note

    def _fault(self) -> str:
        if self._ring is None or not self._inlet.is_open:
            return ""
        fault = self._stamp_rate.fault(self._ring.rate)
        cure = f" (set it there, or `rate` under [eeg] in {self._config_hint})"
        return fault + cure if fault else ""

    def _notice(self) -> str:
        return "; ".join(filter(None, (super()._notice(), self._reference_note)))
