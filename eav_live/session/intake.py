"""The streams of a session: what comes in, and how each is doing.

A collecting session has no more, so that no estimate is made or shown: what a person
sees of a model would become part of how they act.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, cast

from eav_live.recognition.predictions import (
    STREAM_NAMES,
    STREAMING,
    Quality,
    StreamHealth,
    StreamState,
)
from eav_live.streams import Arrival
from eav_live.streams.source import SampleSource, Source
from eav_live.streams.video import Video
from eav_live.windows.cut import Rings
from eav_live.windows.quality import QualityWatch, faults_text
from eav_offline.core.labels import MODALITIES

log = logging.getLogger(__name__)
STOP_SECONDS = 1.5  # so that Ctrl-C ends everything within two
_POLL_SECONDS = 0.05
_QUALITY_SECONDS = 1.0  # between looks at the electrodes


class Stoppable(Protocol):
    """What runs beside a session and ends with it, such as the replay of the demo."""

    def stop(self) -> None: ...


class Markers(Stoppable, Protocol):
    """Markers beside the EEG; of a replay, which emotion each trial carries.

    connected: whether their sender is there now.
    """

    @property
    def connected(self) -> bool: ...

    def start(self) -> None: ...

    def at(self, t: float) -> str | None: ...

    def trial_at(self, t: float) -> float | None: ...

    def listen(self, listener: Callable[[Arrival], None]) -> None: ...


class Intake:
    """The streams of a session, what they bring, and whether that is any good.

    sources: by modality; a modality without one is off. clock: seconds, the clock of
    all stamps. markers: a stream of them beside the EEG. watch: judges what the streams
    carry; without one everything that comes is taken for good.

    first_live: when the first stream was live, seconds; None before.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        clock: Callable[[], float],
        markers: Markers | None = None,
        watch: QualityWatch | None = None,
    ) -> None:
        self.sources = dict(sources)
        self.clock = clock
        self.markers = markers
        self.first_live: float | None = None
        self.watch = watch
        self._quality: dict[str, Quality] = {}
        self._judged_at = -float("inf")

    @property
    def eeg(self) -> SampleSource | None:
        """The source of EEG; None if it is off."""
        return cast(SampleSource | None, self.sources.get("eeg"))

    @property
    def audio(self) -> SampleSource | None:
        """The source of sound; None if it is off."""
        return cast(SampleSource | None, self.sources.get("audio"))

    @property
    def video(self) -> Video | None:
        """The source of frames; None if it is off."""
        return cast(Video | None, self.sources.get("video"))

    @property
    def rings(self) -> Rings:
        """What came in of late."""
        return Rings(
            None if self.eeg is None else self.eeg.ring,
            None if self.audio is None else self.audio.ring,
            None if self.video is None else self.video.ring,
        )

    @property
    def interpolated(self) -> tuple[str, ...]:
        """Electrodes that the amplifier lacks and that are computed."""
        return () if self.eeg is None else self.eeg.interpolated

    def start(self) -> None:
        """Start all sources that were not. Returns at once."""
        self._start(list(self.sources.values()))

    def start_early(self) -> None:
        """Start those alone of which nothing waits: streams and devices, not files."""
        self._start([source for source in self.sources.values() if source.passes])

    def _start(self, sources: Sequence[Source]) -> None:
        for source in sources:
            source.start()
        if self.markers is not None:
            self.markers.start()

    def stop(self) -> None:
        """End all threads at once, in 1.5 s at most. May be called twice."""
        self._end()

    def health(self) -> dict[str, StreamHealth]:
        """How each stream is doing now; "off" for those not asked for."""
        now = self.clock()
        health = {
            m: replace(self.sources[m].health(now), quality=self._quality.get(m))
            if m in self.sources
            else StreamHealth(StreamState.OFF)
            for m in MODALITIES
        }
        if self.first_live is None and any(
            h.state in STREAMING for h in health.values()
        ):
            self.first_live = now
        return health

    def wait_until(
        self, settled: Callable[[StreamHealth], bool], seconds: float
    ) -> dict[str, StreamHealth]:
        """Wait until every stream is `settled`, for `seconds` at most.

        Returns how those that were asked for are doing then.
        """
        pause, deadline = threading.Event(), time.monotonic() + seconds
        while True:
            health = {m: h for m, h in self.health().items() if m in self.sources}
            if all(map(settled, health.values())) or time.monotonic() > deadline:
                return health
            pause.wait(_POLL_SECONDS)

    def judge(self) -> None:
        """Look at the quality of the signals, once a second at most."""
        now, rings = self.clock(), self.rings
        if self.watch is None or now - self._judged_at < _QUALITY_SECONDS:
            return
        self._judged_at = now
        there = (ring for ring in (rings.eeg, rings.audio, rings.video) if ring)
        ends = [ring.newest for ring in there if ring.newest]
        if ends:
            self._quality = self.watch.judge(rings, min(ends), self.interpolated)

    def _end(self, *threads: threading.Thread) -> None:
        """Stop the sources. threads: others that are ending, to be waited for too."""
        parts: list[Stoppable] = list(self.sources.values())
        if self.markers is not None:
            parts.append(self.markers)
        # Side by side: each may have to wait for a driver or for the network.
        ending = [
            threading.Thread(target=part.stop, name="stop", daemon=True)
            for part in parts
        ]
        for thread in ending:
            thread.start()
        deadline = time.monotonic() + STOP_SECONDS
        ending += threads
        for thread in ending:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in ending):
            log.warning(
                "Something did not end in %g s and is left behind", STOP_SECONDS
            )


def absent(health: Mapping[str, StreamHealth]) -> str:
    """Which streams that were asked for do not come now, and why; empty if all do."""
    parts = []
    for modality, stream in health.items():
        if stream.state is StreamState.OFF:
            continue
        if stream.state not in STREAMING:
            parts.append(f"{STREAM_NAMES[modality]} is {stream.state}. {stream.detail}")
        elif stream.fault:
            parts.append(f"{STREAM_NAMES[modality]}: {stream.fault}")
    return "\n".join(part.strip() for part in parts)


def doubts(health: Mapping[str, StreamHealth]) -> str:
    """What the operator should see to before a trial, in a line; empty if nothing."""
    parts = []
    for modality, stream in health.items():
        quality = stream.quality
        if quality is None or stream.state not in STREAMING:
            continue
        if quality.electrodes:
            parts.append(f"electrodes {faults_text(quality.electrodes)}")
        # Nobody speaks while listening, and that is as it should be.
        if not quality.good and modality != "audio":
            parts.append(f"{STREAM_NAMES[modality]}: {quality.why}")
    return "; ".join(parts)
