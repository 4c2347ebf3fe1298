"""A session under random faults for minutes or hours: does it hold?

Three processes send a synthetic person's EEG, sound and picture over LSL, with marks
that are visible in all three. Each is killed, paused and spoiled at random, from a
seed, while the session that `eav-live` would run recognizes what comes.
"""

import logging
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.live.soak.faults import FaultRecord, TroubledStream
from benchmarks.live.soak.figures import (
    Observed,
    clock_figures,
    judge,
    memory_figures,
    recovery_figures,
    window_figures,
)
from benchmarks.live.soak.marks import (
    find_clicks,
    find_flash,
    find_pulses,
    nearest_event,
)
from eav_live.recognition.assets import DEMO_MODEL, asset
from eav_live.recognition.predictions import Prediction
from eav_live.replay.demo import demo_subject
from eav_live.session.inference import Session
from eav_live.session.opening import open_session
from eav_live.streams import Arrival
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import package_versions
from eav_offline.core.labels import MODALITIES

log = logging.getLogger(__name__)

POLL_SECONDS = 0.05
START_SECONDS = 120.0  # for all three streams to be in one window
_QUIET_END = 25.0  # seconds before the end in which no fault begins
_LOOK_SECONDS = 1.0  # between looks at the rings for marks
_SEEN_SECONDS = 4.0  # of the rings at each look
_MEMORY_SECONDS = 2.0


def bench_soak(
    minutes: float, seed: int, model: Path | None, hop: float, simulated: bool
) -> dict[str, Any]:
    """Run a session on faulty streams for `minutes` after all three were seen.

    model: None takes the demo's. simulated: without faults, on a clock moved by hand.

    Returns figures ready for JSON, see docs/benchmarks.md; `passed` says whether all
    faults were recovered from and the clocks agree. Raises InputRefused if the time
    is too short.
    """
    if simulated:
        from benchmarks.live.soak.simulated import bench_simulated  # a window

        return bench_simulated(minutes, hop)
    if minutes * 60 <= _QUIET_END + 5:
        raise InputRefused(
            f"--minutes {minutes:g} is too short to recover from a fault in; give 1 "
            "or more"
        )
    name = f"EAV-Soak-{os.getpid()}"
    session = open_session(
        eeg_stream=name,
        audio=f"lsl:{name}-Audio",
        video=f"lsl:{name}-Video",
        hop=hop,
        model=model or asset(DEMO_MODEL),
    )
    rng, subject = np.random.default_rng(seed), demo_subject()
    streams = {
        m: TroubledStream(m, name, subject, child)
        for m, child in zip(MODALITIES, rng.spawn(len(MODALITIES)), strict=True)
    }
    watch = _Watch(session, streams)
    try:
        session.start()
        watch.wait_for_all()
        log.info("All three streams are in the window; the soak begins")
        watch.run(minutes * 60)
        faults = [f for s in streams.values() for f in s.records]
        return _figures(session, watch, faults, seed, minutes)
    finally:
        session.stop()
        for stream in streams.values():
            stream.stop()


class _Watch:
    """Drives the faults and notes what the session does."""

    def __init__(self, session: Session, streams: dict[str, TroubledStream]) -> None:
        self.session = session
        self.streams = streams
        now = session.clock()
        self.seen = Observed(now, now, session.hop)
        self.seen.onsets = {m: {} for m in streams}
        self._fresh: list[tuple[float, Prediction]] = []
        self._lock = threading.Lock()
        self._pause = threading.Event()
        self._complete = threading.Event()
        self._looked = self._weighed = -np.inf
        self._process = psutil.Process()
        session.subscribe(self._note)
        session.sources["video"].listen(self._see)

    def wait_for_all(self) -> None:
        """Until one window holds all three. Raises RuntimeError after two minutes."""
        if not self._complete.wait(START_SECONDS):
            health = self.session.health()
            said = "; ".join(f"{m}: {h.state} {h.detail}" for m, h in health.items())
            raise RuntimeError(f"the three streams never came together: {said}")

    def run(self, seconds: float) -> None:
        """Let faults happen for so long."""
        self.seen.begun = now = self.session.clock()
        end = now + seconds
        while now < end and self.session.error is None:
            self._take_windows()
            health = self.session.health()
            for modality, stream in self.streams.items():
                stream.step(now, more=now < end - _QUIET_END)
                stream.note_health(health[modality], self.session.clock())
            if now - self._looked >= _LOOK_SECONDS:
                self._looked = now
                self._look()
            if now - self._weighed >= _MEMORY_SECONDS:
                self._weighed = now
                self.seen.memory.append((now, float(self._process.memory_info().rss)))
            self._pause.wait(POLL_SECONDS)
            now = self.session.clock()
        self._take_windows()
        self.seen.ended = now

    def _note(self, prediction: Prediction) -> None:
        with self._lock:
            self._fresh.append((self.session.clock(), prediction))
        if len(prediction.present) == len(self.streams):
            self._complete.set()

    def _see(self, arrival: Arrival) -> None:
        if arrival.face is not None:
            begun = find_flash(arrival.face)
            if begun is not None:
                self._found("video", [begun])

    def _take_windows(self) -> None:
        with self._lock:
            fresh, self._fresh = self._fresh, []
        for at, prediction in fresh:
            if prediction.fused is not None:
                self.seen.windows.append((at, prediction.age_s))
            for modality, stream in self.streams.items():
                stream.note_window(prediction.t, modality in prediction.present, at)

    def _look(self) -> None:
        """Find the marks that have come into the rings."""
        for modality, find in (("eeg", find_pulses), ("audio", find_clicks)):
            ring = getattr(self.session.sources[modality], "ring", None)
            if ring is not None:
                self._found(modality, find(*ring.latest(_SEEN_SECONDS)))

    def _found(self, stream: str, stamps: list[float]) -> None:
        onsets = self.seen.onsets[stream]
        for stamp in stamps:
            event = nearest_event(stamp)
            if event is not None:
                onsets.setdefault(event, stamp)


def _figures(
    session: Session,
    watch: _Watch,
    faults: list[FaultRecord],
    seed: int,
    minutes: float,
) -> dict[str, Any]:
    health = session.health()
    seen = watch.seen
    faults = sorted(faults, key=lambda fault: fault.begun)
    figures: dict[str, Any] = {
        "minutes": minutes,
        "seed": seed,
        "hop_s": session.hop,
        "model": session.model_name,
        **window_figures(seen, faults),
        **memory_figures(seen.memory),
        **recovery_figures(faults),
        "gaps": {m: health[m].gaps for m in watch.streams},
        "returns": {m: health[m].returns for m in watch.streams},
        "clock_steps": {m: health[m].clock_steps for m in watch.streams},
        **clock_figures(seen.onsets, faults),
        "error": None if session.error is None else str(session.error),
        "threads": threading.active_count(),
        "versions": package_versions(),
    }
    failures = judge(figures)
    return figures | {"failures": failures, "passed": not failures}
