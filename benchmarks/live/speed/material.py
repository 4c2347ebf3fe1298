"""What a speed bench recognizes: the demo's person without pauses.

Everything is held in memory and fed to the rings of a session by hand, so that the same
windows can be recognized in several ways, one after another.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.offline.prepare import kept_frames
from eav_live.streams.audio import RING_SECONDS as AUDIO_RING_SECONDS
from eav_live.streams.clock import feed
from eav_live.streams.eeg import RING_SECONDS as EEG_RING_SECONDS
from eav_live.streams.frames import FrameKeeper
from eav_live.windows.cut import Rings
from eav_live.windows.rings import SampleRing
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS, N_EMOTIONS
from eav_offline.core.stamps import StampSmoother
from eav_offline.core.window import N_CHANNELS, FaceFrame
from eav_offline.data.recording import Recording
from eav_offline.preprocess.face import FaceTracker

SEGMENT_SECONDS = 12.0  # of each trial: a window, the change, and time to follow it
CHUNK_SECONDS = 0.02  # in which samples come, as from most amplifiers


@dataclass(frozen=True)
class Material:
    """Streams without a gap that begin together; times count from there, seconds.

    eeg_uv: (30, samples) float32 µV. audio: (samples,) float32. frames: time and
    (height, width, 3) uint8 RGB of the frames that a session keeps, five a second.
    course: when each emotion begins, and which (an index into `EMOTIONS`). All repeat
    after `seconds`.
    """

    name: str
    seconds: float
    eeg_uv: np.ndarray
    eeg_rate: float
    audio: np.ndarray
    audio_rate: float
    frames: tuple[tuple[float, np.ndarray], ...]
    course: tuple[tuple[float, int], ...] = ()

    @property
    def changes(self) -> tuple[tuple[float, int], ...]:
        """When another emotion begins, and which."""
        return self.course[1:]


def demo_material(subject: Path) -> Material:
    """The Speaking trials of the demo's person, one of each emotion, without pauses.

    12 s of each at a time, in an order in which every emotion follows every other once:
    20 changes in 252 s.
    """
    from eav_offline.data.eav.subject import open_subject

    person = open_subject(subject)
    parts: dict[int, Recording] = {}
    for trial in person.trials("speaking"):
        recording = person.recording(trial)
        if recording.emotion is not None:
            parts.setdefault(recording.emotion, recording)
    if len(parts) < N_EMOTIONS:
        raise InputRefused(
            f"{subject} has Speaking trials of {len(parts)} emotions; one of each of "
            f"{', '.join(EMOTIONS)} is needed"
        )
    pictures = {emotion: _kept_frames(part) for emotion, part in parts.items()}
    order = every_change(sorted(parts))
    frames = [
        (i * SEGMENT_SECONDS + at, image)
        for i, emotion in enumerate(order)
        for at, image in pictures[emotion]
    ]
    return Material(
        name="the demo's synthetic person, without pauses",
        seconds=len(order) * SEGMENT_SECONDS,
        eeg_uv=np.concatenate([_cut(parts[e]).eeg_uv for e in order], axis=1),
        eeg_rate=parts[order[0]].eeg_rate,
        audio=np.concatenate([_cut(parts[e]).audio for e in order]),
        audio_rate=parts[order[0]].audio_rate,
        frames=tuple(frames),
        course=tuple((i * SEGMENT_SECONDS, e) for i, e in enumerate(order)),
    )


def every_change(emotions: Sequence[int]) -> list[int]:
    """An order in which each of `emotions` follows each other exactly once.

    An Eulerian circuit (Hierholzer) of the graph whose edges are the changes.
    """
    ways = {a: [b for b in emotions if b != a] for a in emotions}
    path, order = [emotions[0]], []
    while path:
        if ways[path[-1]]:
            path.append(ways[path[-1]].pop())
        else:
            order.append(path.pop())
    return order[::-1]


class TimedTracker(FaceTracker):
    """A face tracker that notes how long every frame took, seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def update(self, image: np.ndarray, time: float) -> FaceFrame:
        begun = perf_counter()
        face = super().update(image, time)
        self.seconds.append(perf_counter() - begun)
        return face


class Feeder:
    """Feeds a material into rings as the sources do, chunk by chunk."""

    def __init__(self, material: Material) -> None:
        self.material = material
        self.tracker = TimedTracker()
        self._keeper = FrameKeeper(self.tracker)
        self._eeg = SampleRing(material.eeg_rate, N_CHANNELS, EEG_RING_SECONDS)
        self._audio = SampleRing(material.audio_rate, 1, AUDIO_RING_SECONDS)
        self._smoothers = (
            StampSmoother(material.eeg_rate),
            StampSmoother(material.audio_rate),
        )
        self._frames = self._repeated()
        self._frame = next(self._frames)
        self._sent = [0, 0]  # samples
        self._chunks = 0
        self.rings = Rings(self._eeg, self._audio, self._keeper.ring)

    def feed(self, until: float) -> list[float]:
        """Bring everything up to `until`, seconds, into the rings.

        Returns the seconds that EEG and sound of each chunk took together.
        """
        spent = []
        while (now := (self._chunks + 1) * CHUNK_SECONDS) <= until + 1e-9:
            self._chunks += 1
            spent.append(self._feed_samples(now))
            while self._frame[0] < now:
                at, image = self._frame
                self._keeper.take(at, partial(np.asarray, image))
                self._frame = next(self._frames)
        return spent

    def _feed_samples(self, now: float) -> float:
        m = self.material
        begun = perf_counter()
        streams = (
            (self._eeg, m.eeg_uv.T, m.eeg_rate),
            (self._audio, m.audio[:, None], m.audio_rate),
        )
        for i, (ring, values, rate) in enumerate(streams):
            rows = np.arange(self._sent[i], int(now * rate + 1e-6))
            self._sent[i] += len(rows)
            feed(ring, self._smoothers[i], rows / rate, values[rows % len(values)])
        return perf_counter() - begun

    def _repeated(self) -> Iterator[tuple[float, np.ndarray]]:
        turn = 0
        while True:
            for at, image in self.material.frames:
                yield turn * self.material.seconds + at, image
            turn += 1


def _cut(recording: Recording) -> Recording:
    """The first 12 s; every trial of EAV has 20."""
    assert recording.eeg_uv is not None
    assert recording.audio is not None
    return replace(
        recording,
        eeg_uv=recording.eeg_uv[:, : round(SEGMENT_SECONDS * recording.eeg_rate)],
        audio=recording.audio[: round(SEGMENT_SECONDS * recording.audio_rate)],
    )


def _kept_frames(recording: Recording) -> list[tuple[float, np.ndarray]]:
    assert recording.video is not None
    timed = ((at, image) for at, image, _ in kept_frames(recording.video))
    return list(takewhile(lambda one: one[0] < SEGMENT_SECONDS - 1e-6, timed))
