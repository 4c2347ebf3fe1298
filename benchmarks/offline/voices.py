"""Acted speech as live sound, and the voice of the model of real people fitted to it.

EmoDB (Burkhardt et al. 2005) is German, eight actors, CC0: what is fitted to it may be
shipped. RAVDESS, English, is there to be tested on.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from benchmarks.offline.contest import by_person
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.config import BaselineConfig, Config, load_config
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.window import AUDIO_RATE, AUDIO_SAMPLES
from eav_offline.data.clips import ClipFolder, centered
from eav_offline.data.corpora import RAVDESS
from eav_offline.data.media import read_audio
from eav_offline.models import EmotionModel
from eav_offline.models.baselines.classifiers import Linear
from eav_offline.models.baselines.features import N_SPEECH_FEATURES, speech_statistics
from eav_offline.models.mini_xception import SIDE
from eav_offline.models.personal import Population, affine_head
from eav_offline.personal.reading import spread_of
from eav_offline.preprocess import PreprocessSettings
from eav_offline.preprocess.audio import log_mel, resample
from eav_offline.training.classifiers import fit_linear

KNOWS = EMOTIONS[:4]  # calmness has no data that may be used
WINDOWS = 60  # drawn of each speaker's clips of an emotion
STRENGTH = 3e-3  # inverse regularization; 1e-3 and 1e-2 do as well
_BATCH = 64

# How live sound is drawn.
_ALONE = 0.5  # share of windows with one clip, others have two to four
_WHOLE = 0.7  # of those with one: the clip is not cut by the window's edge
_PAUSES = (0.1, 1.0)  # seconds between clips
_LOUDER = (-2.0, 2.0)  # dB, one clip against the next
_LEVEL = (-45.0, -15.0)  # dB of full scale, of the speech
_NEARER = (-3.0, 3.0)  # dB, of the level in one room
_TONE = 2.0  # dB, deviation of the microphone's and the room's response
_TONE_HZ = np.geomspace(60, 8000, 6)
_SILENT = 0.3  # share of windows without noise
_NOISE = (12.0, 45.0)  # dB, speech to noise
_SLOPE = (0.0, 2.0)  # of the noise's power over frequency: white to brown


@dataclass(frozen=True)
class Utterances:
    """Clips without the silence at their ends, at 16 kHz; person, emotion: (n,)."""

    waves: list[np.ndarray]
    person: np.ndarray
    emotion: np.ndarray


@dataclass(frozen=True)
class Heard:
    """`speech_statistics` (n, 207) of windows; person, emotion: (n,)."""

    features: np.ndarray
    person: np.ndarray
    emotion: np.ndarray

    def of(self, rows: np.ndarray) -> "Heard":
        """Some of the windows."""
        return Heard(self.features[rows], self.person[rows], self.emotion[rows])

    def standardized(self) -> "Heard":
        """Each feature less its mean over a person's windows, over its deviation."""
        features = by_person(self.features, self.person)
        return replace(self, features=features)


def read_emodb(folder: Path) -> Utterances:
    """The clips of `KNOWS` in a folder with EmoDB's manifest.csv.

    Of a clip that is there whole and cut at two seconds the whole one is read. Raises
    InputRefused if there is no manifest, MediaError if a file is damaged.
    """
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        raise InputRefused(
            f"{manifest} is missing; give a folder with EmoDB's clips and their "
            "manifest.csv (file, speaker, emotion, kind)"
        )
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["emotion"] in KNOWS]
    whole = {row["speaker"] for row in rows if row["kind"] == "full"}
    rows = [r for r in rows if r["kind"] == "full" or r["speaker"] not in whole]
    return Utterances(
        [_trimmed(*read_audio(folder / row["file"])) for row in rows],
        np.array([int(row["speaker"]) for row in rows]),
        np.array([EMOTIONS.index(row["emotion"]) for row in rows]),
    )


def read_ravdess(folder: Path, emotions: Sequence[str] = KNOWS) -> Utterances:
    """RAVDESS's speech of these emotions. Raises as `ClipFolder` does."""
    wanted = [EMOTIONS.index(name) for name in emotions]
    clips = ClipFolder(folder, RAVDESS)
    waves, person, emotion = [], [], []
    for number in clips.subjects():
        actor = clips.open_subject(number)
        for trial in actor.trials("speaking"):
            spoken = actor.recording(trial)
            if spoken.audio is None or spoken.emotion not in wanted:
                continue
            waves.append(np.trim_zeros(spoken.audio))
            person.append(number)
            emotion.append(spoken.emotion)
    return Utterances(waves, np.array(person), np.array(emotion))


def _trimmed(wave: np.ndarray, rate: float) -> np.ndarray:
    return np.trim_zeros(centered(resample(wave, rate))[0])


def clips(said: Utterances) -> Heard:
    """Each clip by itself, centered in silence."""
    windows = (centered(wave)[0] for wave in said.waves)
    return Heard(_features(windows), said.person, said.emotion)


def live(said: Utterances, n: int = WINDOWS, seed: int = 1) -> Heard:
    """Windows as a session has them, `n` of each person's clips of an emotion.

    One clip at a random place, or several in a row, cut where the window ends; gain,
    frequency response and noise are drawn.
    """
    groups = sorted({*zip(said.person.tolist(), said.emotion.tolist(), strict=True)})
    windows = (
        window
        for person, emotion in groups
        for window in _drawn(said, person, emotion, n, seed)
    )
    of = np.repeat(np.array(groups), n, axis=0)
    return Heard(_features(windows), of[:, 0], of[:, 1])


def fit_voice(heard: Heard) -> Linear:
    """Logistic regression of the features, standardized."""
    classifier = Linear(N_SPEECH_FEATURES)
    asked = (heard.features, heard.emotion, heard.person)
    fit_linear(classifier, *asked, strengths=(STRENGTH,))
    return classifier


def model_of(heard: Heard, temperature: float = 1.0) -> Checkpoint:
    """A model of these people's voices, and what they sound like.

    temperature: its logits are divided by it, for good.
    """
    state = fit_voice(heard).state_dict()
    for name in ("weight", "bias"):
        state[name] = state[name] / temperature
    tensors = {f"head.0.{name}": tensor for name, tensor in state.items()}
    knows = tuple(EMOTIONS[i] for i in np.unique(heard.emotion))
    model = filled_model("audio-speech", tensors, knows)
    labeled = (heard.features, heard.person, heard.emotion)
    spread = spread_of(*labeled, *affine_head(model.heads()["audio"]), knows)
    return Checkpoint(
        model,
        baseline_config("audio-speech"),
        PreprocessSettings(),
        demo=False,
        population=Population({"audio": spread}),
    )


def filled_model(
    name: str, tensors: dict[str, torch.Tensor], knows: Sequence[str] = KNOWS
) -> EmotionModel:
    """The baseline of this name with the weights of its encoder."""
    config = baseline_config(name)
    assert config.baseline is not None
    of = (config.model, [config.baseline.modality], False, config.baseline)
    model = EmotionModel(*of, knows)
    (encoder,) = model.by_modality.values()
    encoder.load_state_dict(tensors)
    return model.eval()


def baseline_config(name: str) -> Config:
    """That of a baseline at the compact size; faces are as mini-Xception reads them."""
    config = load_config("compact")
    video = config.model.video.model_copy(update={"side": SIDE})
    model = config.model.model_copy(update={"video": video})
    baseline = BaselineConfig(name=name)
    return config.model_copy(update={"model": model, "baseline": baseline})


def left_out(train: Heard, test: Heard) -> np.ndarray:
    """Probabilities (n, 5) of the test windows by fits without their speaker."""
    chances = np.empty((len(test.emotion), len(EMOTIONS)))
    for one in np.unique(test.person):
        rows = test.person == one
        voice = fit_voice(train.of(train.person != one))
        chances[rows] = voice_chances(voice, test.features[rows])
    return chances


@torch.inference_mode()
def voice_chances(voice: Linear, features: np.ndarray) -> np.ndarray:
    """Probabilities (n, 5) of features (n, 207)."""
    return voice(torch.from_numpy(features)).softmax(1).numpy()


def _features(windows: Iterable[np.ndarray]) -> np.ndarray:
    windows, parts = iter(windows), []
    while batch := list(islice(windows, _BATCH)):
        parts.append(
            speech_statistics(np.stack([log_mel(w, AUDIO_RATE) for w in batch]))
        )
    return np.concatenate(parts)


def _drawn(
    said: Utterances, person: int, emotion: int, n: int, seed: int
) -> Iterable[np.ndarray]:
    rows = np.flatnonzero((said.person == person) & (said.emotion == emotion))
    rng = np.random.default_rng([seed, person, emotion])
    for _ in range(n):
        yield live_window([said.waves[i] for i in rng.permutation(rows)], rng)


@dataclass(frozen=True)
class Room:
    """A microphone and where it stands, for a day.

    bends: (6,) dB. noise_db: against the speech, None without; slope: of its power.
    """

    bends: np.ndarray
    level_db: float
    noise_db: float | None
    slope: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Room":
        """As `live_window` draws one for each window."""
        bends, level = rng.normal(0, _TONE, len(_TONE_HZ)), rng.uniform(*_LEVEL)
        noisy = rng.random() >= _SILENT
        slope, noise = rng.uniform(*_SLOPE), -rng.uniform(*_NOISE)
        return cls(bends, level, noise if noisy else None, slope)

    def heard(self, sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Sound of an even number of samples, speech of about rms 1, as it comes in."""
        sound, hertz = _toned(sound, self.bends)
        if self.noise_db is not None:
            sound = sound + amplitude(self.noise_db) * _noise(hertz, self.slope, rng)
        sound = sound * amplitude(self.level_db + rng.uniform(*_NEARER))
        return np.asarray(sound.clip(-1, 1), np.float32)


def live_window(
    waves: Sequence[np.ndarray], rng: np.random.Generator, room: Room | None = None
) -> np.ndarray:
    """Five seconds (80000,) float32 in which the first or more of some clips lie.

    room: None draws another one for this window.
    """
    several = rng.random() >= _ALONE
    sound = np.zeros(AUDIO_SAMPLES)
    place = _place(len(waves[0]), several, rng)
    for wave in waves[: int(rng.integers(2, 5)) if several else 1]:
        first, stop = max(0, place), min(AUDIO_SAMPLES, place + len(wave))
        if stop > first:
            gain = amplitude(rng.uniform(*_LOUDER))
            sound[first:stop] += gain * wave[first - place : stop - place]
        place += len(wave) + int(AUDIO_RATE * rng.uniform(*_PAUSES))
    spoken = sound[sound != 0]
    sound /= np.sqrt(np.square(spoken).mean()) if len(spoken) else 1.0
    if room is not None:
        return room.heard(sound, rng)
    sound, hertz = _toned(sound, rng.normal(0, _TONE, len(_TONE_HZ)))
    if rng.random() >= _SILENT:
        noise = _noise(hertz, rng.uniform(*_SLOPE), rng)
        sound += amplitude(-rng.uniform(*_NOISE)) * noise
    sound *= amplitude(rng.uniform(*_LEVEL))
    return sound.clip(-1, 1).astype(np.float32)


def _toned(sound: np.ndarray, bends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sound by a response of so many dB at `_TONE_HZ`, and its frequencies."""
    hertz = np.fft.rfftfreq(len(sound), 1 / AUDIO_RATE)
    hertz[0] = hertz[1]
    response = np.interp(np.log(hertz), np.log(_TONE_HZ), bends)
    return np.fft.irfft(np.fft.rfft(sound) * 10 ** (response / 20), len(sound)), hertz


def _noise(hertz: np.ndarray, slope: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of deviation one whose power falls with this slope."""
    n = 2 * (len(hertz) - 1)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * hertz ** (-slope / 2))
    return np.asarray(noise / noise.std())


def _place(length: int, several: bool, rng: np.random.Generator) -> int:
    """The sample at which the first clip, of so many samples, begins."""
    if several:
        return int(rng.integers(-3 * AUDIO_RATE // 2, AUDIO_RATE))
    room = AUDIO_SAMPLES - length
    if rng.random() < _WHOLE:
        return int(rng.integers(min(0, room), max(1, room)))
    return int(rng.integers(-length // 2, AUDIO_SAMPLES - length // 2))


def amplitude(decibels: float) -> float:
    """How large a sound is against full scale, or against another one."""
    return float(10 ** (decibels / 20))
