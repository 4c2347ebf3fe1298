"""Short acted clips as a dataset: an actor is a subject, an utterance a trial.

How a collection names its files is told by its `Corpus`. Files of one utterance, such
as its sound alone and its video, are one trial, and a video's own sound is taken.

Utterances of two to four seconds are shorter than a window. The silence at both ends
goes, the rest is centered in digital silence (`centered`); the picture keeps
its place to the sound, and its first and last frame stand still where it does not
reach.
"""

import logging
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from eav_offline.common.console import counted
from eav_offline.core.window import (
    AUDIO_RATE,
    AUDIO_SAMPLES,
    EEG_CHANNELS,
    WINDOW_SECONDS,
)
from eav_offline.data.corpora import BOTH, COPY, PICTURE, SOUND, ClipNameError, Corpus
from eav_offline.data.dataset import (
    Fault,
    require_subjects,
)
from eav_offline.data.eav.files import DatasetError, TrialError, video_span
from eav_offline.data.media import MediaError, has_audio, read_audio, video_info
from eav_offline.data.recording import Recording
from eav_offline.preprocess.audio import HOP_SAMPLES, resample

# A studio's clips begin and end with up to a second of silence, which says nothing
# of the emotion: what lies 40 dB below the loudest frame goes.
_SILENCE_DB = 40.0
_FRAME = 2 * HOP_SAMPLES + HOP_SAMPLES // 2  # 25 ms
_LEAD, _TAIL = 5, 10  # frames of 10 ms kept before and after
_VIDEO, _AUDIO = (BOTH, PICTURE), (BOTH, SOUND, COPY)
log = logging.getLogger(__name__)


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
class ClipActor:
    """One actor's utterances by trial number: the files of each by what they hold."""

    corpus: Corpus
    number: int
    utterances: dict[int, dict[str, Path]] = field(default_factory=dict)
    synthetic: bool = False
    person: str | None = None

    @property
    def name(self) -> str:
        """As the corpus calls its people."""
        return self.corpus.actor.format(self.number)

    def sources(self) -> list[Path]:
        """Every file of a kept emotion."""
        return [path for files in self.utterances.values() for path in files.values()]

    def trials(self, task: str) -> list[int]:
        """All for "speaking" and "both"; nobody listens in these collections."""
        return [] if task == "listening" else sorted(self.utterances)

    def recording(self, trial: int) -> Recording:
        """Five seconds of sound, picture or both.

        The sound of a file with both is taken where there is one: it belongs to the
        picture. Raises TrialError if there is no such utterance, or a file is damaged.
        """
        files = self.utterances.get(trial)
        if files is None:
            raise TrialError("unknown-trial", f"{self.name} has no trial {trial}")
        video = _first(files, _VIDEO)
        audio = start = None
        try:
            sound = _sound(files)
            if sound is not None:
                wave, rate = read_audio(sound)
                audio, start = centered(resample(wave, rate))
            elif video is not None:
                start = (WINDOW_SECONDS - video_info(video).seconds) / 2
        except MediaError as error:
            raise TrialError("unreadable-clip", str(error)) from error
        return Recording(
            name=f"{self.name} {next(iter(files.values())).stem}",
            seconds=WINDOW_SECONDS,
            eeg_uv=None,
            eeg_rate=0.0,
            channels=EEG_CHANNELS,
            audio=audio,
            audio_rate=float(AUDIO_RATE),
            video=video,
            emotion=self.corpus.class_of(trial),
            task="speaking",
            trial=trial,
            video_start=start,
        )


def _first(files: Mapping[str, Path], media: Sequence[str]) -> Path | None:
    return next((files[medium] for medium in media if medium in files), None)


def _sound(files: Mapping[str, Path]) -> Path | None:
    """The file whose sound is taken. Raises MediaError if a video cannot be opened."""
    video = files.get(BOTH)
    if video is not None and has_audio(video):
        return video
    return _first(files, (SOUND, COPY))


class ClipFolder:
    """The clips of a corpus in a folder or below it.

    Raises DatasetError if it holds none, or one clip twice.
    """

    def __init__(self, root: Path, corpus: Corpus) -> None:
        self.root = root
        self.corpus = corpus
        self.name = corpus.name
        self.labels: Mapping[str, str | None] = corpus.labels
        found = _scan(root, corpus)
        self._actors = found.actors
        if found.twice:
            raise DatasetError("duplicate-clip", found.twice[0].message)
        if found.left_out:
            log.warning(
                "Left out of %s, for want of such a class in EAV: %s",
                corpus.title,
                ", ".join(f"{n} clips of {what}" for what, n in found.left_out.items()),
            )
        if found.misnamed:
            log.warning(
                "%s in %s not named as the clips of %s are and not used, such as: %s",
                counted(len(found.misnamed), "file"),
                root,
                corpus.title,
                found.misnamed[0],
            )

    def subjects(self) -> list[int]:
        """Numbers of the actors."""
        return sorted(self._actors)

    def open_subject(self, number: int) -> ClipActor:
        """Nothing is opened before its trials are."""
        return self._actors[number]


@dataclass
class _Found:
    """What a folder holds: of left out clips their number, by what they show."""

    actors: dict[int, ClipActor] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    misnamed: list[str] = field(default_factory=list)
    twice: list[Fault] = field(default_factory=list)


def _scan(root: Path, corpus: Corpus) -> _Found:
    found = _Found()
    for path in sorted(_files(root)):
        if path.suffix.lower() not in corpus.suffixes:
            continue
        try:
            actor, trial, medium, left_out = corpus.read_name(path)
        except ClipNameError as error:
            found.misnamed.append(str(error))
            continue
        if left_out is not None:
            found.left_out[left_out] += 1
            continue
        one = found.actors.setdefault(actor, ClipActor(corpus, actor))
        before = one.utterances.setdefault(trial, {}).setdefault(medium, path)
        if before != path:
            message = f"{before} and {path} are one clip; keep one of them"
            found.twice.append(Fault(actor, trial, "duplicate-clip", message))
    if not found.actors:
        wrong = f"; {found.misnamed[0]}" if found.misnamed else ""
        raise DatasetError(
            "no-subjects",
            f"{root} holds no clip of {corpus.title}'s speech in one of the five "
            f"emotions; expected {corpus.example} and so on{wrong}",
        )
    return found


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


def has_clips(root: Path, corpus: Corpus) -> bool:
    """Whether a folder holds clips of a corpus, itself or two folders deeper."""
    return any(
        path.suffix.lower() in corpus.suffixes and corpus.pattern.match(path.stem)
        for places in ("*", "*/*", "*/*/*")
        for path in root.glob(places)
    )


def check_clips(
    corpus: Corpus, root: Path, subjects: Collection[int] | None = None
) -> list[Fault]:
    """All faults of the clips of all actors (or those given); none is [].

    Misnamed files, one clip twice, a sound or picture that an utterance lacks and the
    actor's others have, and files that cannot be decoded. Raises DatasetError if there
    is no clip, or no such actor.
    """
    found = _scan(root, corpus)
    require_subjects(subjects, list(found.actors), root)
    faults = [Fault(None, None, "unknown-file", text) for text in found.misnamed]
    chosen = sorted(found.actors if subjects is None else set(subjects))
    faults += [fault for fault in found.twice if fault.subject in chosen]
    for number in chosen:
        faults += _actor_faults(found.actors[number])
    return faults


def _actor_faults(actor: ClipActor) -> Iterator[Fault]:
    everything = {m for files in actor.utterances.values() for m in files}
    for trial, files in sorted(actor.utterances.items()):
        stem = next(iter(files.values())).stem
        for kind, media in (("video", _VIDEO), ("audio", _AUDIO)):
            if everything.intersection(media) and _first(files, media) is None:
                yield Fault(
                    actor.number,
                    trial,
                    f"missing-{kind}",
                    f"{stem} has no {kind}, which other utterances of {actor.name} "
                    "have; copy it from the dataset",
                )
        for medium, path in files.items():
            try:
                if medium in _VIDEO and not video_span(path)[0]:
                    raise MediaError(f"{path} holds no two frames; copy it again")
                if medium not in _VIDEO or (medium == BOTH and has_audio(path)):
                    read_audio(path)
            except MediaError as error:
                yield Fault(actor.number, trial, "unreadable-clip", str(error))
