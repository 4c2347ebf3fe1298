"""RAVDESS (Livingstone & Russo 2018): an actor is a subject, an utterance a trial.

A file is called 03-01-05-02-01-02-07: modality (01 picture and sound, 02 picture, 03
sound), 01 for speech, emotion, intensity, statement, repetition, actor. Files that
differ in the modality alone are one utterance.

Utterances of three to four seconds are shorter than a window. The silence at both ends
goes, the rest is centered in digital silence (`centered`); the picture keeps
its place to the sound, and its first and last frame stand still where it does not
reach.
"""

import logging
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from eav_offline.core.labels import EMOTIONS
from eav_offline.core.window import (
    AUDIO_RATE,
    AUDIO_SAMPLES,
    EEG_CHANNELS,
    WINDOW_SECONDS,
)
from eav_offline.data.dataset import (
    LabeledWindows,
    require_subjects,
    speech_windows,
)
from eav_offline.data.eav.files import DatasetError, TrialError
from eav_offline.data.media import has_audio, read_audio, video_info
from eav_offline.data.recording import Recording
from eav_offline.preprocess.audio import HOP_SAMPLES, log_mel, resample

# The studio's clips begin and end with about a second of silence, which says nothing
# of the emotion: what lies 40 dB below the loudest frame goes.
_SILENCE_DB = 40.0
_FRAME = 2 * HOP_SAMPLES + HOP_SAMPLES // 2  # 25 ms
_LEAD, _TAIL = 5, 10  # frames of 10 ms kept before and after
log = logging.getLogger(__name__)
AUDIO_VIDEO, VIDEO_ONLY, AUDIO_ONLY = "01", "02", "03"
_SPEECH = "01"
_EMOTIONS: dict[str, tuple[str, str | None]] = {  # its code: its word, ours
    "01": ("neutral", "neutral"),
    "02": ("calm", "calmness"),
    "03": ("happy", "happiness"),
    "04": ("sad", "sadness"),
    "05": ("angry", "anger"),
    "06": ("fearful", None),
    "07": ("disgust", None),
    "08": ("surprised", None),
}
_SUFFIXES = frozenset({".wav", ".flac", ".mp4"})
_NAME = re.compile(
    r"^(?P<modality>0[123])-(?P<channel>0[12])-(?P<emotion>0[1-8])"
    r"-(?P<intensity>0[12])-(?P<statement>0[12])-(?P<repetition>0[12])"
    r"-(?P<actor>\d\d)$"
)
_ACTOR = re.compile(r"^Actor_\d\d$", re.IGNORECASE)


def read_speakers(
    folder: Path, actors: Sequence[int] | None = None
) -> list[LabeledWindows]:
    """The sound of each actor (None: of all), in the order of their numbers.

    folder: see `RavdessClips`. Every utterance becomes one window, trimmed and centered
    (see `centered`), in the order of the files. Raises DatasetError if an actor has no
    clip, MediaError if one is damaged.
    """
    clips = RavdessClips(folder)
    require_subjects(actors, clips.subjects(), folder)
    return [_speaker(clips.open_subject(n)) for n in sorted(actors or clips.subjects())]


def _speaker(actor: "RavdessActor") -> LabeledWindows:
    spoken = [actor.recording(trial) for trial in actor.utterances]
    spoken = [one for one in spoken if one.audio is not None]
    mels = [log_mel(one.audio, AUDIO_RATE) for one in spoken if one.audio is not None]
    emotion = np.array([one.emotion for one in spoken], dtype=np.int64)
    return speech_windows(actor.number, np.stack(mels), emotion)


def centered(wave: np.ndarray) -> tuple[np.ndarray, float]:
    """Trim the silence at both ends and center the rest in five seconds of zeros.

    wave: (samples,) float32 at 16 kHz; of a longer one the middle is kept. Returns
    (80000,) float32, and when in them the clip began, seconds; negative if before.
    """
    first, stop = _speech(wave)
    surplus = max(0, stop - first - AUDIO_SAMPLES)
    first += surplus // 2
    speech = wave[first : min(stop, first + AUDIO_SAMPLES)]
    lacking = AUDIO_SAMPLES - len(speech)
    before = lacking // 2
    padded = np.pad(speech, (before, lacking - before)).astype(np.float32)
    return padded, (before - first) / AUDIO_RATE


def _speech(wave: np.ndarray) -> tuple[int, int]:
    """The first sample of what is not silence at the ends, and the one after it."""
    if len(wave) < _FRAME:
        return 0, len(wave)
    frames = np.lib.stride_tricks.sliding_window_view(wave, _FRAME)[::HOP_SAMPLES]
    power = np.square(frames, dtype=np.float64).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (-_SILENCE_DB / 10))
    if len(loud) == 0:  # digital silence throughout
        return 0, len(wave)
    first = max(0, int(loud[0]) - _LEAD) * HOP_SAMPLES
    return first, min(len(wave), (int(loud[-1]) + _TAIL) * HOP_SAMPLES)


@dataclass(frozen=True)
class RavdessActor:
    """One actor's utterances by trial number: the files of each by modality code.

    A trial's number is made of what was said how, so that it does not depend on which
    files are there: 8 for each class, 4 for the strong intensity, 2 for the second
    statement, 1 for the repetition, from 1 on.
    """

    number: int
    utterances: dict[int, dict[str, Path]] = field(default_factory=dict)
    synthetic: bool = False
    person: str | None = None

    @property
    def name(self) -> str:
        """As its folder is called."""
        return f"Actor_{self.number:02d}"

    def sources(self) -> list[Path]:
        """Every file of a kept emotion."""
        return [path for files in self.utterances.values() for path in files.values()]

    def trials(self, task: str) -> list[int]:
        """All for "speaking" and "both"; nobody listens in RAVDESS."""
        return [] if task == "listening" else sorted(self.utterances)

    def recording(self, trial: int) -> Recording:
        """Five seconds of sound, picture or both.

        The sound of a file with both is taken where there is one: it belongs to the
        picture. Raises TrialError if there is no such utterance, MediaError if a file
        is damaged.
        """
        files = self.utterances.get(trial)
        if files is None:
            raise TrialError("unknown-trial", f"{self.name} has no trial {trial}")
        video = files.get(AUDIO_VIDEO, files.get(VIDEO_ONLY))
        sound = files.get(AUDIO_VIDEO)
        if sound is None or not has_audio(sound):
            sound = files.get(AUDIO_ONLY)
        audio = start = None
        if sound is not None:
            wave, rate = read_audio(sound)
            audio, start = centered(resample(wave, rate))
        elif video is not None:
            start = (WINDOW_SECONDS - video_info(video).seconds) / 2
        return Recording(
            name=f"{self.name} {next(iter(files.values())).stem[3:]}",
            seconds=WINDOW_SECONDS,
            eeg_uv=None,
            eeg_rate=0.0,
            channels=EEG_CHANNELS,
            audio=audio,
            audio_rate=float(AUDIO_RATE),
            video=video,
            emotion=(trial - 1) // 8,
            task="speaking",
            trial=trial,
            video_start=start,
        )


class RavdessClips:
    """A folder of RAVDESS: Actor_01, Actor_02, ..., itself or in folders of it.

    Raises DatasetError if it holds no clip, or one clip twice.
    """

    name = "ravdess"
    labels: Mapping[str, str | None] = dict(_EMOTIONS.values())

    def __init__(self, root: Path) -> None:
        self.root = root
        self._actors: dict[int, RavdessActor] = {}
        left_out: Counter[str] = Counter()
        for path in sorted(_files(root)):
            match = _NAME.match(path.stem)
            if match is None or path.suffix.lower() not in _SUFFIXES:
                continue
            word, ours = _EMOTIONS[match["emotion"]]
            if match["channel"] != _SPEECH:
                left_out["song"] += 1
            elif ours is None:
                left_out[word] += 1
            else:
                self._keep(path, match, EMOTIONS.index(ours))
        if not self._actors:
            raise DatasetError(
                "no-subjects",
                f"{root} holds no clip of RAVDESS's speech; expected "
                "Actor_01/03-01-01-01-01-01-01.wav (or .flac, .mp4) and so on",
            )
        if left_out:
            log.warning(
                "Left out of RAVDESS, for want of such a class in EAV: %s",
                ", ".join(f"{n} clips of {what}" for what, n in left_out.items()),
            )

    def subjects(self) -> list[int]:
        """Numbers of the actors."""
        return sorted(self._actors)

    def open_subject(self, number: int) -> RavdessActor:
        """Nothing is opened before its trials are."""
        return self._actors[number]

    def _keep(self, path: Path, match: re.Match[str], emotion: int) -> None:
        number = int(match["actor"])
        actor = self._actors.setdefault(number, RavdessActor(number))
        places = ("intensity", "statement", "repetition")
        code = sum(
            step
            for step, key in zip((4, 2, 1), places, strict=True)
            if match[key] == "02"
        )
        files = actor.utterances.setdefault(8 * emotion + code + 1, {})
        before = files.setdefault(match["modality"], path)
        if before != path:
            raise DatasetError(
                "duplicate-clip", f"{before} and {path} are one clip; keep one of them"
            )


def _files(root: Path) -> Iterator[Path]:
    """Every file below a folder, also behind symbolic links, each folder once."""
    seen = set()
    for folder, below, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        yield from (Path(folder, name) for name in names)


def has_actors(root: Path) -> bool:
    """Whether a folder holds RAVDESS's folders of actors, or folders with them."""
    return any(
        path.is_dir() and _ACTOR.match(path.name)
        for pattern in ("Actor_*", "*/Actor_*")
        for path in root.glob(pattern)
    )
