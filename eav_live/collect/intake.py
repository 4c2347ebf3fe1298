"""The streams of a collecting session: what comes in, recorded but not recognised.

No estimate is made or shown: what a person sees of a model would become part of how
they act.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from eav_live.recognition.predictions import (
    Prediction,
    Quality,
    StreamHealth,
    StreamState,
)
from eav_live.session import STOP_SECONDS, Truth
from eav_live.streams import Source
from eav_live.windows.cut import Rings
from eav_live.windows.quality import QualityWatch, faults_text
from eav_offline.core.labels import MODALITIES

log = logging.getLogger(__name__)

THERE = {StreamState.LIVE, StreamState.RETURNED}
_QUALITY_SECONDS = 1.0  # between looks at the electrodes


class Intake:
    """Owns the sources; what they bring is for those that listen.

    markers: a stream of markers beside the EEG, such as triggers, to be recorded too.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        clock: Callable[[], float],
        markers: Truth | None = None,
        watch: QualityWatch | None = None,
    ) -> None:
        self.sources = dict(sources)
        self.markers = markers
        self._clock = clock
        self._watch = watch
        self._quality: dict[str, Quality] = {}
        self._judged = -float("inf")
        self._stopped = threading.Event()

    def clock(self) -> float:
        """Seconds on the clock of all stamps."""
        return self._clock()

    def start(self) -> None:
        """Start all sources. Returns at once."""
        for source in self.sources.values():
            source.start()
        if self.markers is not None:
            self.markers.start()

    def stop(self) -> None:
        """End all threads, in 1.5 s at most. May be called twice."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        parts: list[Source | Truth] = list(self.sources.values())
        if self.markers is not None:
            parts.append(self.markers)
        # Side by side: each may have to wait for a driver or for the network.
        ending = [threading.Thread(target=p.stop, name="stop") for p in parts]
        for thread in ending:
            thread.daemon = True
            thread.start()
        deadline = time.monotonic() + STOP_SECONDS
        for thread in ending:
            thread.join(max(0.0, deadline - time.monotonic()))

    def health(self) -> dict[str, StreamHealth]:
        """How each stream is doing now; "off" for those not asked for."""
        now = self._clock()
        return {
            m: replace(self.sources[m].health(now), quality=self._quality.get(m))
            if m in self.sources
            else StreamHealth(StreamState.OFF)
            for m in MODALITIES
        }

    def subscribe(self, callback: Callable[[Prediction], None]) -> None:
        """Nothing is predicted, so nobody is called."""

    def judge(self) -> None:
        """Look at the quality of the signals, once a second at most."""
        now = self._clock()
        if self._watch is None or now - self._judged < _QUALITY_SECONDS:
            return
        self._judged = now
        missing = tuple(getattr(self.sources.get("eeg"), "interpolated", ()))
        rings = {m: getattr(self.sources.get(m), "ring", None) for m in MODALITIES}
        ends = [r.newest for r in rings.values() if r is not None and r.newest]
        if ends:
            self._quality = self._watch.judge(Rings(**rings), min(ends), missing)


def absent(health: Mapping[str, StreamHealth]) -> str:
    """Which streams that were asked for do not come now, and why; empty if all do."""
    parts = []
    for modality, stream in health.items():
        if stream.state is StreamState.OFF:
            continue
        if stream.state not in THERE:
            parts.append(f"{_NAMES[modality]} is {stream.state}. {stream.detail}")
        elif stream.fault:
            parts.append(f"{_NAMES[modality]}: {stream.fault}")
    return "\n".join(part.strip() for part in parts)


def doubts(health: Mapping[str, StreamHealth]) -> str:
    """What the operator should see to before a trial, in a line; empty if nothing."""
    parts = []
    for modality, stream in health.items():
        quality = stream.quality
        if quality is None or stream.state not in THERE:
            continue
        if quality.electrodes:
            parts.append(f"electrodes {faults_text(quality.electrodes)}")
        # Nobody speaks while listening, and that is as it should be.
        if not quality.good and modality != "audio":
            parts.append(f"{_NAMES[modality]}: {quality.why}")
    return "; ".join(parts)


_NAMES = {"eeg": "EEG", "audio": "Voice", "video": "Face"}
