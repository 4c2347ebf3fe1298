"""Somebody else's voice or face, real ones, and what the fused answer loses by it.

Each person has the EEG of somebody drawn, the voice of an actor of RAVDESS and the face
of somebody in a clip, and a model that four minutes made theirs: the embedded one of
voice and face, with the demo's encoder of EEG beside them. In whole sessions another
voice is heard, in another mood, or another face is seen.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Any

import numpy as np

from benchmarks.measure import real_data
from benchmarks.offline.faces import CLIPS, tracked_frames
from benchmarks.offline.gated import Trial, gated_windows, there
from benchmarks.offline.voices import Room, read_ravdess
from eav_live.recognition.assets import DEMO_MODEL, PEOPLE_MODEL, asset
from eav_live.windows.quality import QualityWatch
from eav_live.windows.whose_face import face_prints
from eav_offline.checkpoint.file import Checkpoint, load
from eav_offline.core.labels import EMOTIONS, MODALITIES, N_EMOTIONS
from eav_offline.core.window import (
    AUDIO_RATE,
    EEG_CHANNELS,
    FRAME_PERIOD,
    FRAME_RATE,
    WINDOW_SECONDS,
    FaceFrame,
)
from eav_offline.data.recording import Recording, cut
from eav_offline.data.synthetic.eeg import RECORDED_RATE, trial_eeg
from eav_offline.data.synthetic.plan import (
    N_WINDOWS,
    TRIAL_SECONDS,
    plan_session,
)
from eav_offline.models import EmotionModel, predict
from eav_offline.models.average import Average
from eav_offline.personal.calibration import calibrate
from eav_offline.preprocess import prepare

_SEED = 1508  # the demo model's people are of others
_PAUSES = (0.2, 0.8)  # seconds between two sentences
# Of each window whether the answer is right, and by which modalities it was given.
_Said = list[tuple[bool, tuple[str, ...]]]
_WITHOUT_FACE = ("eeg", "audio")  # nobody says what mood the faces are of
_KEPT = 12  # pictures of a face that it is known by


@dataclass(frozen=True)
class Person:
    """Who they are, how they are known, and a session of five spoken trials.

    number: of the actor; odd ones are men. known: their own model.
    """

    number: int
    known: Checkpoint
    trials: list[Trial]


def bench_someone_else() -> dict[str, Any]:
    """By what is wrong: shares of right windows. Raises InputRefused without the data.

    `clean`: of EEG and voice with all gates, where nothing is wrong.
    """
    people = list(_people())
    own = [one.trials for one in people]
    alone: dict[tuple[str, ...], _Said] = {
        only: _said(people, own, True, only)
        for only in (("eeg",), _WITHOUT_FACE, MODALITIES)
    }
    wrong = {
        "another voice, same sex": ("audio", _voices(people, 2)),
        "another voice, other sex": ("audio", _voices(people, 1)),
        "another face": ("video", _faces(people)),
    }
    return {
        "people": len(people),
        "windows": len(alone[MODALITIES]),
        "clean": _right(alone[_WITHOUT_FACE]),
        "faults": {name: _row(people, alone, *of) for name, of in wrong.items()},
    }


def _row(
    people: Sequence[Person],
    alone: Mapping[tuple[str, ...], _Said],
    modality: str,
    wrong: Sequence[list[Trial]],
) -> dict[str, Any]:
    """Figures of one fault.

    wrong: each person's session as it then comes in. alone: what is said where nothing
    is wrong, by the modalities that there are.
    """
    only = MODALITIES if modality == "video" else _WITHOUT_FACE
    left = tuple(m for m in _WITHOUT_FACE if m != modality)
    gated = _said(people, wrong, True, only)
    return {
        "plain": _right(_said(people, wrong, False, only)),
        "gated": _right(gated),
        "caught": _lacking(gated, modality),
        "own_left_out": _lacking(alone[only], modality),
        "others": _right(alone[left]),
        "of": "+".join(left),
    }


def _right(said: _Said) -> float:
    return float(np.mean([right for right, _ in said]))


def _lacking(said: _Said, modality: str) -> float:
    return float(np.mean([modality not in by for _, by in said]))


def _said(
    people: Sequence[Person],
    sessions: Sequence[list[Trial]],
    gated: bool,
    only: tuple[str, ...],
) -> _Said:
    found: _Said = []
    for one, trials in zip(people, sessions, strict=True):
        layer = one.known.model.personal
        assert layer is not None
        watch = QualityWatch(voice=layer.voice, face=layer.face) if gated else None
        begin = 0.0
        for trial in trials:
            windows = list(gated_windows(trial, one.known, watch, begin, only))
            begin += trial.recording.seconds
            for window, chances in zip(
                windows, predict(one.known.model, windows).fused, strict=True
            ):
                right = np.isfinite(chances).any() and (
                    int(np.nanargmax(chances)) == trial.emotion
                )
                found.append((bool(right), there(window)))
    return found


def _voices(people: Sequence[Person], away: int) -> list[list[Trial]]:
    """Each person's session with the voice of the one so far on, in other moods."""
    return [
        _with_another(one.trials, people[(i + away) % len(people)].trials, _heard)
        for i, one in enumerate(people)
    ]


def _faces(people: Sequence[Person]) -> list[list[Trial]]:
    """With the face of the next person."""
    return [
        _with_another(one.trials, people[(i + 1) % len(people)].trials, _seen)
        for i, one in enumerate(people)
    ]


def _with_another(
    own: Sequence[Trial],
    others: Sequence[Trial],
    replaced: Callable[[Trial, Trial], Trial],
) -> list[Trial]:
    moods = {trial.emotion: trial for trial in others}
    return [replaced(x, moods[(x.emotion + 1 + i % 4) % 5]) for i, x in enumerate(own)]


def _heard(trial: Trial, other: Trial) -> Trial:
    audio = other.recording.audio
    return replace(trial, recording=replace(trial.recording, audio=audio))


def _seen(trial: Trial, other: Trial) -> Trial:
    return replace(trial, faces=other.faces)


def _people() -> Sequence[Person]:
    said = read_ravdess(real_data("ravdess_speech_16k"), EMOTIONS)
    root = real_data("face_clips").parent
    shown = [[f for n in names for f in tracked_frames(root / n)] for names in CLIPS]
    base, found = composed(), []
    for i, number in enumerate(np.unique(said.person).tolist()):
        rng = np.random.default_rng([_SEED, number])
        rows = rng.permutation(np.flatnonzero(said.person == number))
        clips = {
            e: [said.waves[k] for k in rows if said.emotion[k] == e] for e in range(5)
        }
        first = {e: of[: len(of) // 2] for e, of in clips.items()}
        rest = {e: of[len(of) // 2 :] for e, of in clips.items()}
        faces = shown[i % len(shown)]
        half = len(faces) // 2
        room = Room.drawn(rng)

        learned = _session(number, 0, first, faces[:half], rng, room)
        known = _known(base, learned, faces[:half])
        later = _session(number, 1, rest, faces[half:], rng, room)
        found.append(Person(number, known, later))
    return found


def _session(
    number: int,
    block: int,
    waves: Mapping[int, list[np.ndarray]],
    frames: Sequence[FaceFrame],
    rng: np.random.Generator,
    room: Room,
) -> list[Trial]:
    """A trial of each emotion, in any order. waves: by emotion. block: 0 or 1."""
    return [
        _trial(number, block * N_EMOTIONS + e, e, waves[e], frames, rng, room)
        for e in rng.permutation(N_EMOTIONS).tolist()
    ]


def composed() -> Checkpoint:
    """The embedded model of voice and face, with the demo's EEG beside them."""
    people, demo = load(asset(PEOPLE_MODEL)), load(asset(DEMO_MODEL))
    eeg = EmotionModel(demo.config.model, ("eeg",), False, knows=people.knows)
    eeg.encoders["eeg"].load_state_dict(demo.model.by_modality["eeg"].state_dict())
    members = [eeg, *people.model.recognizers]
    model = Average(members, list(MODALITIES)).eval()
    return replace(people, model=model, card=None)


def _known(
    base: Checkpoint, trials: Sequence[Trial], faces: Sequence[FaceFrame]
) -> Checkpoint:
    """A model for the person, by four windows of each emotion.

    The face is known, but nothing is learned of it: nobody says what it shows.
    """
    windows, emotion = [], []
    for trial in trials:
        for end in WINDOW_SECONDS * np.arange(1, N_WINDOWS + 1):
            raw = replace(cut(trial.recording, trial.faces, float(end)), frames=None)
            windows.append(prepare(raw, base.preprocess))
            emotion.append(trial.emotion)
    n = len(windows)
    chosen = [
        faces[k] for k in np.linspace(0, len(faces) - 1, _KEPT).round().astype(int)
    ]
    numbers = [x for x in map(face_prints().of, chosen) if x is not None]
    made = calibrate(
        *(base, windows, np.array(emotion), np.arange(n), "P01"),
        faces=np.array(numbers, np.float32),
    )
    return made.checkpoint


def _trial(
    number: int,
    place: int,
    emotion: int,
    waves: Sequence[np.ndarray],
    frames: Sequence[FaceFrame],
    rng: np.random.Generator,
    room: Room,
) -> Trial:
    """Twenty seconds: a drawn EEG of this emotion, sentences in a row, and a face."""
    plan = plan_session(_SEED, number, 2 * 2 * N_EMOTIONS)
    shown = plan.expressed["eeg"][plan.emotion == emotion][place // N_EMOTIONS]
    recording = Recording(
        name=f"actor {number}, {EMOTIONS[emotion]}",
        seconds=TRIAL_SECONDS,
        eeg_uv=trial_eeg(_SEED, number, 1 + place, shown),
        eeg_rate=float(RECORDED_RATE),
        channels=EEG_CHANNELS,
        audio=_spoken(waves, rng, room),
        audio_rate=float(AUDIO_RATE),
        video=None,
        emotion=emotion,
    )
    n = round(TRIAL_SECONDS * FRAME_RATE)
    faces = [
        replace(frame, time=i * FRAME_PERIOD)
        for i, frame in enumerate(islice(cycle(frames), n))
    ]
    return Trial(recording, faces, number)


def _spoken(
    waves: Sequence[np.ndarray], rng: np.random.Generator, room: Room
) -> np.ndarray:
    """Sentences with pauses, over and over for twenty seconds, in a room."""
    n, parts, length = round(TRIAL_SECONDS * AUDIO_RATE), [], 0
    for wave in cycle(waves):
        pause = np.zeros(round(AUDIO_RATE * rng.uniform(*_PAUSES)))
        parts += [wave, pause]
        length += len(wave) + len(pause)
        if length >= n:
            break
    sound = np.concatenate(parts)[:n].astype(np.float64)
    sound /= np.sqrt(np.square(sound[sound != 0]).mean())
    return room.heard(sound, rng)
