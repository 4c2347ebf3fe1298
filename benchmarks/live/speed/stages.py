"""Windows slid through a session's rings by hand, recognized in many ways each.

Nothing waits here: what is measured is how long the work of one hop takes, stage by
stage. All ways take turns at every window, so that their ratios are of one run.
"""

import logging
import math
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.live.simulated import Feeder
from benchmarks.live.speed.figures import (
    MOST_DIFFERENCE,
    difference,
    follow_figures,
    followed_after,
    queue,
)
from benchmarks.live.speed.material import Material
from benchmarks.measure import Stopwatch, percentiles
from eav_live.recognition.predictions import Quality
from eav_live.recognition.recognizer import Recognizer
from eav_live.windows.cut import cut_window, newest_end
from eav_live.windows.quality import QualityWatch
from eav_offline.backends import Backend
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.core.electrodes import mend_electrodes
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.core.sureness import Smoother
from eav_offline.core.window import FRAME_RATE, WINDOW_SECONDS, RawWindow
from eav_offline.models import predict
from eav_offline.models.sliding import FrameStates
from eav_offline.preprocess import PreparationMemory, prepare
from eav_offline.preprocess.memory import CropMemory, LogMelMemory

log = logging.getLogger(__name__)
WARM_UP = 2  # windows: the first of a cached way is a whole one
_SETTLED = 2 * WINDOW_SECONDS  # of material before the first window, for the filter
PLAIN = "plain"
# What a session keeps from window to window: log-mel columns, crops, pictures' states.
CACHES = ("columns", "crops", "frames")


@dataclass(frozen=True)
class Hop:
    """What one hop brought. All seconds but `now` and `raw` are of work.

    acquisition: of each chunk. faces: of each kept frame. window: judging the streams,
    mending electrodes and cutting.
    """

    now: float
    raw: RawWindow
    acquisition: list[float]
    faces: list[float]
    window: float


def slide(feeder: Feeder, hop: float, n: int, first: float = _SETTLED) -> Iterator[Hop]:
    """The next `n` windows of a material, each `hop` seconds after the one before."""
    judge = QualityWatch(max_bad=max(4, len(feeder.material.interpolated)))
    for i in range(n):
        now = first + i * hop
        begun_faces = len(feeder.tracker.seconds)
        acquisition = feeder.feed(now)
        faces = feeder.tracker.seconds[begun_faces:]
        begun = time.perf_counter()
        raw = _cut(feeder, judge, now)
        if i == 0:  # the past of the first window is no hop's work
            acquisition, faces = acquisition[-round(hop / 0.02) :], faces[-1:]
        yield Hop(now, raw, acquisition, faces, time.perf_counter() - begun)


class Way(ABC):
    """One way to recognize the windows of a session, and what came of it.

    without: which of `CACHES` are off. most: of how many windows it is enough. stages:
    seconds of each window, by stage. busy: seconds of each window from the sound,
    pictures and EEG in it to probabilities. cpu: of processor time likewise. fused:
    (5,) probabilities of each window, NaN where there are none.
    """

    most: float = math.inf

    def __init__(self, size: str, backend: str, without: Sequence[str] = ()) -> None:
        self.size = size
        self.backend = backend
        self.without = tuple(without)
        self.stages: list[dict[str, float]] = []
        self.busy: list[float] = []
        self.cpu: list[float] = []
        self.fused: list[np.ndarray] = []
        self._watch = Stopwatch()

    @property
    def name(self) -> str:
        """Such as "onnx", "eager, no crops" or "eager, no caches"."""
        off = "caches" if self.without == CACHES else " and ".join(self.without)
        return f"{self.backend}, no {off}" if off else self.backend

    def recognize(self, raw: RawWindow) -> None:
        """Recognize one window, and note it."""
        self._watch.seconds.clear()
        begun, cpu = time.perf_counter(), time.process_time()
        fused = self._recognize(raw)
        self.busy.append(time.perf_counter() - begun)
        self.cpu.append(time.process_time() - cpu)
        self.stages.append(dict(self._watch.seconds))
        self.fused.append(np.full(5, np.nan) if fused is None else fused)

    @abstractmethod
    def _recognize(self, raw: RawWindow) -> np.ndarray | None:
        """Fused probabilities (5,) or None."""


class PlainWay(Way):
    """The yardstick: the whole model on the whole window, PyTorch as it is, fp32."""

    def __init__(self, size: str, checkpoint: Checkpoint) -> None:
        super().__init__(size, PLAIN)
        self._checkpoint = checkpoint

    def _recognize(self, raw: RawWindow) -> np.ndarray | None:
        settings = self._checkpoint.preprocess
        inputs = timed_prepare(raw, settings, PreparationMemory(), self._watch)
        with self._watch.of("model"):
            said = predict(self._checkpoint.model, [inputs])
        return said.fused[0].astype(np.float64)


class SlidingWay(Way):
    """As a session does it: a recognizer on a backend, with its caches or without."""

    def __init__(
        self,
        size: str,
        checkpoint: Checkpoint,
        backend: Backend,
        without: Sequence[str] = (),
    ) -> None:
        super().__init__(size, backend.name, without)
        self._settings = checkpoint.preprocess
        timed = TimedBackend(backend, self._watch)
        self._recognizer = Recognizer(checkpoint, size, timed, "frames" not in without)
        self._memory = PreparationMemory()

    def _recognize(self, raw: RawWindow) -> np.ndarray | None:
        if "columns" in self.without:
            self._memory.sound = LogMelMemory()
        if "crops" in self.without:
            self._memory.faces = CropMemory()
        inputs = timed_prepare(raw, self._settings, self._memory, self._watch)
        return self._recognizer.recognize_inputs(inputs).fused


def time_stages(
    material: Material, ways: Sequence[Way], hop: float, n: int
) -> dict[str, Any]:
    """Recognize `n` windows in all ways."""
    feeder = Feeder(material)
    hops: list[Hop] = []
    for i, one in enumerate(slide(feeder, hop, n + WARM_UP)):
        if not all_three(one.raw):
            log.warning("Window %d lacks a modality", i)
        for way in ways:
            if i < way.most + WARM_UP:
                way.recognize(one.raw)
        hops.append(replace(one, raw=_EMPTY))  # pictures are large
        if (i + 1) % 20 == 0:
            log.info("%s, hop %g s: %d of %d windows", ways[0].size, hop, i + 1, n)
    hops = hops[WARM_UP:]
    plain = next((way for way in ways if way.backend == PLAIN), None)
    return {
        "material": material.name,
        "size": ways[0].size,
        "hop_s": hop,
        "windows": n,
        "threads": torch.get_num_threads(),
        "shared": _shared_figures(hops),
        "ways": {way.name: _way_figures(way, plain, hops, hop) for way in ways},
    }


def follow(material: Material, way: SlidingWay, hop: float = 0.5) -> dict[str, Any]:
    """How fast decisions follow a change of emotion when nothing pauses between.

    Seconds of the material from the change to the end of the first window that is
    right and stays so, and the time to recognize it on top.
    """
    smoother, changes = Smoother(), material.changes
    if not changes:
        return {}
    ends = [at for at, _ in changes[1:]] + [material.seconds]
    out, raw, smoothed = [], [], []
    n = int((material.seconds - _SETTLED) / hop)
    for one in slide(Feeder(material), hop, n):
        way.recognize(one.raw)
        fused = way.fused[-1]
        if np.isnan(fused).all():
            continue
        out.append(one.now + one.window + way.busy[-1])
        raw.append(int(np.nanargmax(fused)))
        smoothed.append(EMOTIONS.index(smoother.update(fused, one.raw.t_end)[1]))
    figures = {}
    for name, said in (("raw", raw), ("smoothed", smoothed)):
        figures[name] = follow_figures(
            [
                followed_after(np.array(out), np.array(said), at, end, emotion)
                for (at, emotion), end in zip(changes, ends, strict=True)
            ]
        )
    return {"hop_s": hop, **figures}


def _cut(feeder: Feeder, judge: QualityWatch, now: float) -> RawWindow:
    """As `eav_live.session.inference` cuts the newest window at `now`."""
    t_end, missing = newest_end(feeder.rings, now), feeder.material.interpolated
    assert t_end is not None
    found = judge.judge(feeder.rings, t_end, missing).get("eeg", Quality())
    most, bad = judge.max_bad, tuple(found.electrodes)
    mend = partial(mend_electrodes, bad=bad, missing=missing, max_bad=most)
    return cut_window(feeder.rings, t_end, now, mend).raw


_EMPTY = RawWindow(0.0, None, 0.0, None, 0.0, None)


def _shared_figures(hops: Sequence[Hop]) -> dict[str, Any]:
    faces = [s for one in hops for s in one.faces]
    share = FRAME_RATE * float(np.mean(faces)) if faces else None
    chunks = [s for one in hops for s in one.acquisition]
    return {
        "acquisition_chunk_ms": percentiles(chunks, 1e3),
        "acquisition_ms": percentiles([sum(one.acquisition) for one in hops], 1e3),
        "window_ms": percentiles([one.window for one in hops], 1e3),
        "face_frame_ms": percentiles(faces, 1e3),
        "face_share_of_a_core": None if share is None else round(share, 4),
    }


def _way_figures(
    way: Way, plain: Way | None, hops: Sequence[Hop], hop: float
) -> dict[str, Any]:
    busy, cpu = np.array(way.busy[WARM_UP:]), np.array(way.cpu[WARM_UP:])
    hops = hops[: len(busy)]
    window = np.array([one.window for one in hops])
    around = window + [sum(one.acquisition) + sum(one.faces) for one in hops]
    names = dict.fromkeys(name for one in way.stages[WARM_UP:] for name in one)
    stages = {
        name: np.array([one.get(name, 0.0) for one in way.stages[WARM_UP:]])
        for name in ("filter", "mel", *names)
    }
    n_due, dropped = queue((busy + window).tolist(), hop)
    p95 = percentiles(busy + window)["p95"]
    cores = os.cpu_count() or 1
    mel = stages["filter"] + stages["mel"] + window
    figures: dict[str, Any] = {
        "backend": way.backend,
        "caches": way.backend != PLAIN and not way.without,
        "windows": len(busy),
        "stages_ms": {name: percentiles(stages[name], 1e3) for name in names},
        "filter_window_mel_ms": percentiles(mel, 1e3),
        "recognize_ms": percentiles(busy, 1e3),
        "total_ms": percentiles(busy + around, 1e3),
        "infer_p95_s": p95,
        "age_p95_s": p95,
        "real_time_factor": round(float((busy + around).mean()) / hop, 4),
        "cpu_share": round(float((cpu + around).mean()) / hop / cores, 4),
        "windows_due": n_due,
        "windows_dropped": dropped,
        "measured": "stage by stage",  # ages and dropped windows follow from them
    }
    if plain is not None:
        n = len(way.busy)
        apart = difference(np.array(way.fused), np.array(plain.fused[:n]))
        figures |= {
            "speedup": round(float(np.mean(plain.busy[WARM_UP:n]) / busy.mean()), 3),
            "max_probability_difference": apart,
            "within": apart <= MOST_DIFFERENCE,
        }
    return figures


def best_way(run: dict[str, Any]) -> str | None:
    """The quickest way of a run within 0.02 of the plain one."""
    good = {
        name: way["speedup"]
        for name, way in run["ways"].items()
        if way.get("within") and way["backend"] != PLAIN
    }
    return max(good, key=lambda name: good[name]) if good else None


def all_three(raw: RawWindow) -> bool:
    """Whether the window has every modality."""
    parts = (raw.eeg_uv, raw.audio, raw.frames)
    return sum(part is not None for part in parts) == len(MODALITIES)


class TimedBackend:
    """A backend whose every call counts as a stage."""

    def __init__(self, backend: Backend, watch: Stopwatch) -> None:
        self.name, self.fusing = backend.name, backend.fusing
        self._backend = backend
        self._watch = watch

    def encode(self, modality: str, frames: np.ndarray) -> FrameStates:
        with self._watch.of(modality):
            return self._backend.encode(modality, frames)

    def fuse(
        self, states: Mapping[str, FrameStates], present: tuple[str, ...]
    ) -> Tensor:
        with self._watch.of("fusion"):
            return self._backend.fuse(states, present)


def timed_prepare(
    raw: RawWindow, settings: Any, memory: PreparationMemory, watch: Stopwatch
) -> Any:
    """`prepare`, its time divided between filter, mel and crop."""
    sound, faces = memory.sound.log_mel, memory.faces.crop
    memory.sound.log_mel = watch.of("mel")(sound)  # type: ignore[method-assign]
    memory.faces.crop = watch.of("crop")(faces)  # type: ignore[method-assign]
    try:
        with watch.of("filter"):
            inputs = prepare(raw, settings, memory)
    finally:
        memory.sound.log_mel = sound  # type: ignore[method-assign]
        memory.faces.crop = faces  # type: ignore[method-assign]
    # Besides the filter only the stacking of crops is left.
    watch.seconds["filter"] -= watch.seconds["mel"] + watch.seconds["crop"]
    return inputs
