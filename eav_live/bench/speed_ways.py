"""Ways to recognise a window, each with the seconds that its stages take."""

import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from eav_live.recognition.recognizer import Recognizer
from eav_offline.backends import Backend
from eav_offline.checkpoint import Checkpoint
from eav_offline.core.window import RawWindow
from eav_offline.models import predict
from eav_offline.models.sliding import FrameStates
from eav_offline.preprocess import PreparationMemory, prepare
from eav_offline.preprocess.memory import CropMemory, LogMelMemory

PLAIN = "plain"
# What a session keeps from window to window: log-mel columns, crops, pictures' states.
CACHES = ("columns", "crops", "frames")
MODEL_STAGES = ("eeg", "audio", "video", "fusion")  # encoders, then what joins them
STAGES = ("filter", "mel", "crop", *MODEL_STAGES)


class Stopwatch:
    """Seconds by stage of one window."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, whose time counts as `stage`."""

        def run(*arguments: Any) -> Any:
            begun = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                self.seconds[stage] += time.perf_counter() - begun

        return run


class TimedBackend:
    """A backend whose every call counts as a stage."""

    def __init__(self, backend: Backend, watch: Stopwatch) -> None:
        self.name = backend.name
        self._backend = backend
        self._watch = watch

    def encode(self, modality: str, frames: np.ndarray) -> FrameStates:
        """See `Backend`."""
        return self._watch.timed(modality, self._backend.encode)(modality, frames)

    def fuse(
        self, states: Mapping[str, FrameStates], present: tuple[str, ...]
    ) -> Tensor:
        """See `Backend`."""
        return self._watch.timed("fusion", self._backend.fuse)(states, present)


class Way(ABC):
    """One way to recognise the windows of a session, and what came of it.

    without: which of `CACHES` are off. stages: seconds of each window, by stage. busy:
    seconds of each window from the sound, pictures and EEG in it to probabilities. cpu:
    of processor time likewise.
    fused: (5,) probabilities of each window, NaN where there are none.
    """

    def __init__(self, size: str, backend: str, without: Sequence[str] = ()) -> None:
        self.size = size
        self.backend = backend
        self.without = tuple(without)
        self.stages: list[dict[str, float]] = []
        self.busy: list[float] = []
        self.cpu: list[float] = []
        self.fused: list[np.ndarray] = []

    @property
    def name(self) -> str:
        """Such as "onnx", "eager, no crops" or "eager, no caches"."""
        if self.backend == PLAIN or not self.without:
            return self.backend
        off = "caches" if self.without == CACHES else " and ".join(self.without)
        return f"{self.backend}, no {off}"

    def recognise(self, raw: RawWindow) -> None:
        """Recognise one window, and note it."""
        begun, cpu = time.perf_counter(), time.process_time()
        seconds, fused = self._recognise(raw)
        self.busy.append(time.perf_counter() - begun)
        self.cpu.append(time.process_time() - cpu)
        self.stages.append(seconds)
        self.fused.append(np.full(5, np.nan) if fused is None else fused)

    @abstractmethod
    def _recognise(self, raw: RawWindow) -> tuple[dict[str, float], np.ndarray | None]:
        """Seconds by stage, and fused probabilities (5,) or None."""


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
        self._watch = Stopwatch()
        timed = TimedBackend(backend, self._watch)
        self._recognizer = Recognizer(checkpoint, size, timed, "frames" not in without)
        self._memory = PreparationMemory()

    def _recognise(self, raw: RawWindow) -> tuple[dict[str, float], np.ndarray | None]:
        self._watch.seconds.clear()
        if "columns" in self.without:
            self._memory.sound = LogMelMemory()
        if "crops" in self.without:
            self._memory.faces = CropMemory()
        inputs = timed_prepare(raw, self._settings, self._memory, self._watch)
        fused = self._recognizer.recognise_inputs(inputs).fused
        return dict(self._watch.seconds), fused


class PlainWay(Way):
    """The yardstick: the whole model on the whole window, PyTorch as it is, fp32."""

    def __init__(self, size: str, checkpoint: Checkpoint) -> None:
        super().__init__(size, PLAIN, CACHES)
        self._checkpoint = checkpoint

    def _recognise(self, raw: RawWindow) -> tuple[dict[str, float], np.ndarray | None]:
        watch = Stopwatch()
        settings = self._checkpoint.preprocess
        inputs = timed_prepare(raw, settings, PreparationMemory(), watch)
        said = watch.timed("model", predict)(self._checkpoint.model, [inputs])
        return dict(watch.seconds), said.fused[0].astype(np.float64)


def timed_prepare(
    raw: RawWindow, settings: Any, memory: PreparationMemory, watch: Stopwatch
) -> Any:
    """`prepare`, its time divided between filter, mel and crop."""
    sound, faces = memory.sound.log_mel, memory.faces.crop
    memory.sound.log_mel = watch.timed("mel", sound)  # type: ignore[method-assign]
    memory.faces.crop = watch.timed("crop", faces)  # type: ignore[method-assign]
    try:
        begun = time.perf_counter()
        inputs = prepare(raw, settings, memory)
        rest = time.perf_counter() - begun
    finally:
        memory.sound.log_mel = sound  # type: ignore[method-assign]
        memory.faces.crop = faces  # type: ignore[method-assign]
    # Besides the filter only the stacking of crops is left.
    watch.seconds["filter"] = rest - watch.seconds["mel"] - watch.seconds["crop"]
    return inputs
