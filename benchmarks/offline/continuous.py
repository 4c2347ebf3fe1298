"""The shipped model as it is used: windows that slide over long streams.

Of single utterances: some of one emotion, then some of another, with pauses between
them. Of faces: clips as they are; those shorter than a window are played over and over.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.offline.contest import Answers
from benchmarks.offline.voices import Heard, Utterances, fit_voice
from eav_live.recognition.predictions import Prediction, StreamHealth, StreamState
from eav_live.recognition.recognizer import Recognizer
from eav_live.session.inference import Session
from eav_live.streams.audio import RING_SECONDS as AUDIO_RING_SECONDS
from eav_live.streams.frames import RING_SECONDS as FRAME_RING_SECONDS
from eav_live.streams.source import Source
from eav_live.windows.quality import QualityWatch
from eav_live.windows.rings import FrameRing, SampleRing
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.window import AUDIO_RATE, WINDOW_SECONDS, FaceFrame
from eav_offline.data.media import read_audio, video_info
from eav_offline.data.recording import Recording, track_faces
from eav_offline.models.average import Average
from eav_offline.models.baselines.classifiers import Linear
from eav_offline.preprocess.face import FaceTracker

HOP = 1  # second
IN_A_ROW = 4  # utterances of one emotion
PAUSES = (0.2, 1.2)  # seconds between utterances
LONG_PAUSES = (1.0, 8.0)  # seconds before another emotion
_FLOOR = 10 ** (-65 / 20)  # of full scale: the noise of a microphone in a quiet room
_SEED = 4
_SHORTEST = 12.0  # seconds; shorter clips are repeated
_TOLERANCE = 1e-6  # seconds
_DRAWS = 1000  # of an order; if one emotion has most of the clips, it follows itself
NOBODY = -1  # emotion of a window in which nothing is shown
Course = tuple[tuple[float, float, int], ...]
NamedCourse = Iterable[tuple[float, float, str]]


@dataclass(frozen=True)
class Life:
    """One person's stream, and what they show in it.

    sound: (samples,) float32 in [-1, 1] at `rate` Hz. frames: those that a session
    keeps, with their faces; None without a camera. course: from when to when, seconds,
    which emotion is shown; what lies between is a pause or a change.
    """

    person: int
    sound: np.ndarray
    rate: float
    course: Course
    frames: tuple[FaceFrame, ...] | None = None


@dataclass(frozen=True)
class Seen:
    """One window. truth: the emotion that fills most of it, or `NOBODY`.

    settled: the window lies within one emotion. raw, smoothed: the likeliest emotion
    and the decision; None where the program abstains. speech: whether it heard some.
    """

    person: int
    truth: int
    settled: bool
    raw: int | None
    smoothed: int | None
    speech: bool


def bench_continuous(
    model: Path,
    german: Utterances,
    english: Utterances,
    fitted: Heard,
    clips: Mapping[Path, NamedCourse],
) -> dict[str, Any]:
    """Figures of the shipped model on long streams, for JSON; see `figures_of`.

    `ravdess`: the file as it is on the English utterances. `emodb`: on each speaker of
    the German ones with the voice fitted to `fitted` without them. `faces`: of clips.
    """

    def shipped(life: Life) -> Iterator[Seen]:
        return watched(life, Recognizer.load(model))

    def left_out(life: Life) -> Iterator[Seen]:
        return watched(life, without_speaker(model, fitted, life.person))

    return {
        "hop_s": HOP,
        "ravdess": figures_of([*chain.from_iterable(map(shipped, lives(english)))]),
        "emodb": figures_of([*chain.from_iterable(map(left_out, lives(german)))]),
        "faces": {
            path.name: figures_of([*shipped(face_life(path, course))])
            for path, course in clips.items()
        },
    }


def lives(said: Utterances) -> list[Life]:
    """Each person's utterances as one stream."""
    found = []
    for person in np.unique(said.person):
        rows = np.flatnonzero(said.person == person)
        rng = np.random.default_rng([_SEED, int(person)])
        sound, course = strung(
            [said.waves[i] for i in rows], said.emotion[rows].tolist(), rng
        )
        found.append(Life(int(person), sound, AUDIO_RATE, course))
    return found


def strung(
    waves: Sequence[np.ndarray], emotions: Sequence[int], rng: np.random.Generator
) -> tuple[np.ndarray, Course]:
    """Utterances one after another, at 16 kHz: the sound, and when shows what.

    Four of an emotion in a row, then another one, as long as there are any; the noise
    of a microphone is everywhere. A course's part lasts from the beginning of its first
    utterance to the end of its last one.
    """
    places, course, at = [], [], 0
    for emotion, block in _blocks(emotions, rng):
        at += _samples(rng.uniform(*LONG_PAUSES))
        begin = at
        for row in block:
            places.append((at, waves[row]))
            at += len(waves[row])
            end = at
            at += _samples(rng.uniform(*PAUSES))
        course.append((begin / AUDIO_RATE, end / AUDIO_RATE, emotion))
    sound = _FLOOR * rng.standard_normal(at + _samples(LONG_PAUSES[0]))
    for place, wave in places:
        sound[place : place + len(wave)] += wave
    return sound.clip(-1, 1).astype(np.float32), tuple(course)


def _blocks(
    emotions: Sequence[int], rng: np.random.Generator
) -> Iterator[tuple[int, list[int]]]:
    """Rows of one emotion at a time, in an order in which each block changes it."""
    blocks = []
    for emotion in sorted(set(emotions)):
        rows = rng.permutation(np.flatnonzero(np.equal(emotions, emotion))).tolist()
        blocks += [
            (emotion, rows[i : i + IN_A_ROW]) for i in range(0, len(rows), IN_A_ROW)
        ]
    for _ in range(_DRAWS):
        order = [blocks[i] for i in rng.permutation(len(blocks))]
        if all(a[0] != b[0] for a, b in pairwise(order)):
            break
    yield from order


def face_life(path: Path, course: NamedCourse) -> Life:
    """A clip with its sound, played over and over if it is short."""
    seconds = video_info(path).seconds
    recording = Recording(path.stem, seconds, None, 0.0, (), None, 0.0, path)
    frames = track_faces(recording, FaceTracker()) or []
    sound, rate = read_audio(path)
    sound = np.resize(sound, round(seconds * rate))  # a few samples more or less
    begins = seconds * np.arange(np.ceil(_SHORTEST / seconds))
    parts = [(a, min(b, seconds), EMOTIONS.index(name)) for a, b, name in course]
    return Life(
        person=0,
        sound=np.tile(sound, len(begins)),
        rate=rate,
        course=_joined((t + a, t + b, shows) for t in begins for a, b, shows in parts),
        frames=tuple(replace(one, time=t + one.time) for t in begins for one in frames),
    )


def _joined(parts: Iterable[tuple[float, float, int]]) -> Course:
    """Parts of one emotion that follow each other without a break, as one."""
    course: list[tuple[float, float, int]] = []
    for begin, end, emotion in parts:
        before = course[-1] if course else (0.0, -np.inf, NOBODY)
        if emotion == before[2] and begin - before[1] < _TOLERANCE:
            course[-1] = (before[0], end, emotion)
        else:
            course.append((begin, end, emotion))
    return tuple(course)


def shown(course: Course, t_end: float) -> tuple[int, bool]:
    """What fills most of the window that ends then, and whether it fills all of it."""
    parts: dict[int, float] = {}
    longest = 0.0
    for begin, end, emotion in course:
        lasts = min(end, t_end) - max(begin, t_end - WINDOW_SECONDS)
        if lasts > _TOLERANCE:
            parts[emotion] = parts.get(emotion, 0.0) + lasts
            longest = max(longest, lasts)
    if not parts:
        return NOBODY, False
    return max(parts, key=parts.__getitem__), longest > WINDOW_SECONDS - _TOLERANCE


def watched(life: Life, recognizer: Recognizer) -> Iterator[Seen]:
    """Every window of a session that is fed with the stream."""
    for said in _predictions(life, recognizer):
        truth, settled = shown(life.course, said.t)
        yield Seen(
            person=life.person,
            truth=truth,
            settled=settled,
            raw=None if said.fused is None else int(np.nanargmax(said.fused)),
            smoothed=None if said.label is None else EMOTIONS.index(said.label),
            speech="audio" in said.present,
        )


def _predictions(life: Life, recognizer: Recognizer) -> Iterator[Prediction]:
    audio = SampleRing(life.rate, 1, AUDIO_RING_SECONDS)
    sources: dict[str, Source] = {"audio": _Fed(audio)}
    video = FrameRing(FRAME_RING_SECONDS)
    if life.frames is not None:
        sources["video"] = _Fed(video)
    now = 0.0
    watch = QualityWatch(faces=recognizer.checkpoint.preprocess.faces)
    session = Session(sources, recognizer, lambda: now, watch=watch)
    fed, frames = 0, list(life.frames or ())
    for second in range(HOP, int(len(life.sound) / life.rate) + 1, HOP):
        now, stop = float(second), round(second * life.rate)
        audio.extend(np.arange(fed, stop) / life.rate, life.sound[fed:stop, None])
        fed = stop
        while frames and frames[0].time < now:
            video.append(frames.pop(0), begins=video.newest is None)
        video.note_capture(now)
        said = session.step()
        if said is not None and said.t >= WINDOW_SECONDS - _TOLERANCE:
            yield said


class _Fed(Source):
    """A stream whose ring is filled by hand, and which is always well."""

    def __init__(self, ring: SampleRing | FrameRing) -> None:
        super().__init__("by hand", lambda: 0.0)
        self._filled = ring

    @property
    def ring(self) -> SampleRing | FrameRing:
        return self._filled

    def health(self, now: float) -> StreamHealth:
        return StreamHealth(StreamState.LIVE)

    def pull(self) -> bool:
        return False

    def close(self) -> None: ...

    def _connected(self) -> bool:
        return True


def figures_of(seen: Sequence[Seen]) -> dict[str, Any]:
    """What windows of several people come to.

    `all`, `settled`: `windows` in which an emotion is shown and one was said, and the
    scores of that `raw` and `smoothed`, intervals by person. `abstains`: share of all
    windows of which nothing is said, `abstains_settled` of the settled ones.
    `without_speech`: share of all windows. `groundless`: share of the windows in which
    nothing is shown of which something is said all the same; None if there are none.
    """
    asked = [one for one in seen if one.truth != NOBODY]
    nothing = [one for one in seen if one.truth == NOBODY]
    settled = [one for one in asked if one.settled]
    return {
        "windows": len(seen),
        "people": len({one.person for one in seen}),
        "all": _scores(asked),
        "settled": _scores(settled),
        "abstains": _share(one.raw is None for one in seen),
        "abstains_settled": _share(one.raw is None for one in settled),
        "without_speech": _share(not one.speech for one in seen),
        "groundless": _share(one.raw is not None for one in nothing),
    }


def _scores(seen: Sequence[Seen]) -> dict[str, Any]:
    said = [one for one in seen if one.raw is not None]
    if not said:
        return {"windows": 0}
    truth = np.array([one.truth for one in said])
    person = np.array([one.person for one in said])
    ways = {
        "raw": np.array([one.raw for one in said]),
        "smoothed": np.array([one.smoothed for one in said]),
    }
    found = {way: Answers(s[None], truth, person).scores() for way, s in ways.items()}
    return {"windows": len(said), **found}


def _share(which: Iterable[bool]) -> float | None:
    found = list(which)
    return float(np.mean(found)) if found else None


def without_speaker(model: Path, fitted: Heard, person: int) -> Recognizer:
    """The shipped model with its voice fitted anew, to windows of all but one."""
    recognizer = Recognizer.load(model)
    state = fit_voice(fitted.of(fitted.person != person)).state_dict()
    temperature = recognizer.checkpoint.meta["training"]["voice"]["temperature"]
    for name in ("weight", "bias"):
        state[name] = state[name] / temperature
    voice_of(recognizer).load_state_dict(state)
    return recognizer


def voice_of(recognizer: Recognizer) -> Linear:
    """The voice of the shipped model."""
    model = recognizer.checkpoint.model
    assert isinstance(model, Average)
    encoder = model.by_modality["audio"]
    return encoder.head[0]  # type: ignore[return-value]


def _samples(seconds: float) -> int:
    return round(seconds * AUDIO_RATE)
