"""What the tests of the sources share: streams to send, clocks, patience."""

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
import pylsl

from eav_live.streams.audio import LslAudio
from eav_live.streams.eeg import LslEeg
from eav_live.streams.source import Source
from eav_live.streams.video import LslVideo
from eav_offline.core.window import EEG_CHANNELS, FaceFrame
from eav_offline.preprocess.face import center_box

RATE = 500.0  # Hz


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class NoFaces:
    """A tracker that finds none, and counts."""

    def __init__(self) -> None:
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1

    def choose(self, x: float, y: float) -> None:
        self.chosen = (x, y)

    def update(self, image: np.ndarray, time: float) -> FaceFrame:
        return FaceFrame(time, image, center_box(image), False)


def open_eeg(
    name: str,
    labels: Sequence[str] | None = EEG_CHANNELS,
    units: str | Sequence[str] = "microvolts",
    kinds: str | Sequence[str] = "EEG",
    rate: float = RATE,
    stream_type: str = "EEG",
    n_channels: int | None = None,
    scaling: str = "1",
    sample_format: str = "float32",
    reference: str = "",
) -> pylsl.StreamOutlet:
    n = n_channels or len(labels or EEG_CHANNELS)
    info = pylsl.StreamInfo(name, stream_type, n, rate, sample_format, f"id {name}")
    if labels is not None:
        channels = info.desc().append_child("channels")
        for i, label in enumerate(labels):
            channel = channels.append_child("channel")
            channel.append_child_value("label", label)
            kind = kinds if isinstance(kinds, str) else kinds[i]
            unit = units if isinstance(units, str) else units[i]
            channel.append_child_value("type", kind)
            if unit:
                channel.append_child_value("unit", unit)
            channel.append_child_value("scaling_factor", scaling)
    if reference:
        info.desc().append_child("reference").append_child_value("label", reference)
    return pylsl.StreamOutlet(info)


def eeg_like(n: int = 400, seed: int = 0) -> np.ndarray:
    """(n, 30) float32 µV."""
    rng = np.random.default_rng(seed)
    return (40 * rng.standard_normal((n, 30))).astype(np.float32)


def pull_until(source: Source, done: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"nothing came: {source.detail}"
        source.pull()


def wait_for(done: Callable[[], bool], seconds: float = 10.0) -> None:
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        pause.wait(0.02)


def connect(source: LslEeg | LslAudio | LslVideo) -> None:
    pull_until(source, lambda: source._inlet.is_open)
