"""Acted speech (RAVDESS, Livingstone & Russo 2018) as five-second windows.

RAVDESS (Livingstone & Russo 2018) as a dataset: each actor a subject, each
utterance a trial of five seconds.

A file is called 03-01-05-02-01-02-07: modality (01 picture and sound, 02 picture, 03
sound), 01 for speech, emotion, intensity, statement, repetition, actor. Files that
differ in the modality alone are one utterance.

Utterances of three to four seconds are shorter than a window. The silence at both ends
goes, the rest is centered in digital silence (`ravdess.centered`); the picture keeps
its place to the sound, and its first and last frame stand still where it does not
reach.
"""

import csv
import logging
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.window import (
    AUDIO_RATE,
    AUDIO_SAMPLES,
    EEG_CHANNELS,
    WINDOW_SECONDS,
)
from eav_offline.data.dataset import LabeledWindows, speech_windows
from eav_offline.data.eav.files import DatasetError, TrialError
from eav_offline.data.media import has_audio, read_audio, video_info
from eav_offline.data.recording import Recording
from eav_offline.preprocess.audio import HOP_SAMPLES, log_mel, resample

MANIFEST = "manifest.csv"
_COLUMNS = {"file", "actor", "eav_class"}
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


class RavdessError(InputRefused):
    """The folder does not hold the clips that its manifest lists."""


def read_speakers(
    folder: Path, actors: Sequence[int] | None = None
) -> list[LabeledWindows]:
    """One set of windows for each actor, in the order of their numbers.

    folder: has manifest.csv, whose columns file, actor and eav_class are read. actors:
    those wanted, all if None. Every clip becomes one window, trimmed and centered (see
    `five_seconds`). Raises RavdessError if a file or a column is missing.
    """
    clips = _clips(folder)
    wanted = sorted(clips) if actors is None else sorted(actors)
    missing = [actor for actor in wanted if actor not in clips]
    if missing or not wanted:
        raise RavdessError(
            f"{folder / MANIFEST} lists no clip of actors "
            f"{', '.join(map(str, missing)) or '(none at all)'}; give the folder that "
            "holds all actors"
        )
    return [_speaker(actor, clips[actor]) for actor in wanted]


def five_seconds(wave: np.ndarray) -> np.ndarray:
    """Trim the silence at both ends and center the rest in five seconds of zeros.

    wave: (samples,) float32 at 16 kHz; of a longer one the middle is kept. Returns
    (80000,) float32.
    """
    return centered(wave)[0]


def centered(wave: np.ndarray) -> tuple[np.ndarray, float]:
    """`five_seconds`, and when in them the clip began, seconds; negative if before."""
    first, stop = _speech(wave)
    surplus = max(0, stop - first - AUDIO_SAMPLES)
    first += surplus // 2
    speech = wave[first : min(stop, first + AUDIO_SAMPLES)]
    lacking = AUDIO_SAMPLES - len(speech)
    before = lacking // 2
    padded = np.pad(speech, (before, lacking - before)).astype(np.float32)
    return padded, (before - first) / AUDIO_RATE


def _speaker(actor: int, clips: list[tuple[Path, int]]) -> LabeledWindows:
    mels = []
    for path, _ in clips:
        wave, rate = read_audio(path)
        mels.append(log_mel(five_seconds(resample(wave, rate)), AUDIO_RATE))
    emotion = np.array([number for _, number in clips], dtype=np.int64)
    return speech_windows(actor, np.stack(mels), emotion)


def _clips(folder: Path) -> dict[int, list[tuple[Path, int]]]:
    """By actor: the clips and their classes."""
    manifest = folder / MANIFEST
    names = {name.casefold(): number for number, name in enumerate(EMOTIONS)}
    clips: dict[int, list[tuple[Path, int]]] = {}
    try:
        with manifest.open(encoding="utf-8", newline="") as lines:
            table = csv.DictReader(lines)
            lacking = _COLUMNS - set(table.fieldnames or ())
            if lacking:
                raise RavdessError(
                    f"{manifest} has no column {', '.join(sorted(lacking))}; it needs "
                    f"{', '.join(sorted(_COLUMNS))}"
                )
            for row in table:
                path, emotion = folder / row["file"], row["eav_class"].casefold()
                if emotion not in names:
                    raise RavdessError(
                        f"{manifest} calls {row['file']} {row['eav_class']!r}; the "
                        f"classes are {', '.join(EMOTIONS)}"
                    )
                clips.setdefault(int(row["actor"]), []).append((path, names[emotion]))
    except OSError as error:
        raise RavdessError(
            f"{manifest} cannot be read ({error.strerror}); give the folder with the "
            "clips of RAVDESS and their manifest.csv"
        ) from error
    return clips


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
