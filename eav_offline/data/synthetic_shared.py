"""Synthetic windows whose classes are places in a plane of two attributes.

In every modality the strength of a few rhythms, mel bands or patches of the face is
linear in the two attributes (think of valence and arousal). Shared: a class has the
same place in EEG as in sound and face, so that what is learned of some classes says
where another must be. Not shared: EEG has places of its own, drawn the same way, and
says as much about the classes it knows, but nothing about where a new one is.
"""

from dataclasses import dataclass

import numpy as np

from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.core.window import EEG_RATE, EEG_SAMPLES, N_CHANNELS, N_FRAMES
from eav_offline.preprocess.audio import N_MEL_FRAMES, N_MELS

SIDE = 16  # pixels of the faces
N_ATTRIBUTES = 2
WINDOWS_PER_TRIAL = 2
_N_SIGNS = 8  # rhythms, bands and patches that follow the attributes
_LEAST_DISTANCE = 1.2  # between places of classes, which have a deviation of 1
_RHYTHMS_HZ = (4.0, 34.0)
_EEG_NOISE_UV = 10.0
_GAIN = {"eeg": 0.5, "audio": 0.8, "video": 14.0}  # nepers, nepers, grey levels
_PATCH = SIDE // 4


@dataclass(frozen=True)
class SharedWindows:
    """One synthetic person, with the fields of a prepared subject.

    places, eeg_places: (5, 2) attributes of the classes in sound and face, and in EEG.
    """

    subject: int
    synthetic: bool
    eeg: np.ndarray
    log_mel: np.ndarray
    faces: np.ndarray
    trial: np.ndarray
    position: np.ndarray
    emotion: np.ndarray
    present: np.ndarray
    places: np.ndarray
    eeg_places: np.ndarray


def shared_windows(
    seed: int,
    shared: bool,
    trials_per_class: int = 10,
    spread: float = 0.35,
    subject: int = 1,
) -> SharedWindows:
    """Windows of a synthetic person; trials take turns through the classes.

    shared: EEG arranges the classes as sound and face do. spread: deviation of a
    trial's and of a window's attributes about its class, drawn for each modality by
    itself: no window's EEG tells of its own sound. With the same seed, both kinds of
    person have the same sounds and faces.
    """
    media = np.random.default_rng([seed, subject, 0])
    brain = np.random.default_rng([seed, subject, 1])
    places = _places(media)
    elsewhere = _places(brain)  # drawn either way, so that what follows is the same
    eeg_places = places if shared else elsewhere
    trial = np.repeat(np.arange(trials_per_class * N_EMOTIONS), WINDOWS_PER_TRIAL)
    emotion = trial % N_EMOTIONS
    return SharedWindows(
        subject=subject,
        synthetic=True,
        eeg=_eeg(brain, _attributes(brain, eeg_places, emotion, spread)),
        log_mel=_log_mel(media, _attributes(media, places, emotion, spread)),
        faces=_faces(media, _attributes(media, places, emotion, spread)),
        trial=trial + 1,
        position=np.tile(np.arange(WINDOWS_PER_TRIAL), len(trial) // WINDOWS_PER_TRIAL),
        emotion=emotion,
        present=np.ones((len(trial), len(MODALITIES)), dtype=bool),
        places=places,
        eeg_places=eeg_places,
    )


def _places(random: np.random.Generator) -> np.ndarray:
    """(5, 2), no two of them close together."""
    while True:
        places = random.standard_normal((N_EMOTIONS, N_ATTRIBUTES))
        apart = np.linalg.norm(places[:, None] - places, axis=2)
        if (apart + np.eye(N_EMOTIONS) * _LEAST_DISTANCE >= _LEAST_DISTANCE).all():
            return places


def _attributes(
    random: np.random.Generator, places: np.ndarray, emotion: np.ndarray, spread: float
) -> np.ndarray:
    """(n, 2): the class's place, and what differs between its trials and windows."""
    noise = random.standard_normal((2, len(emotion), N_ATTRIBUTES)) * spread
    noise[0] = noise[0, ::WINDOWS_PER_TRIAL].repeat(WINDOWS_PER_TRIAL, axis=0)
    return np.asarray(places[emotion] + noise.sum(0) / np.sqrt(2))


def _strengths(
    random: np.random.Generator, attributes: np.ndarray, gain: float
) -> np.ndarray:
    """(n, signs): how strongly each follows the attributes, all directions alike."""
    angle = np.arange(_N_SIGNS) * np.pi / _N_SIGNS + random.uniform(0, np.pi)
    directions = np.stack([np.cos(angle), np.sin(angle)])
    return np.asarray(gain * attributes @ directions[:, random.permutation(_N_SIGNS)])


def _eeg(random: np.random.Generator, attributes: np.ndarray) -> np.ndarray:
    """(n, 30, 500) float32 µV: rhythms over noise, each with electrodes of its own."""
    n = len(attributes)
    amplitude = _EEG_NOISE_UV * np.exp(_strengths(random, attributes, _GAIN["eeg"]))
    low, high = _RHYTHMS_HZ
    hertz = low * (high / low) ** np.linspace(0, 1, _N_SIGNS)
    hertz = hertz[random.permutation(_N_SIGNS)]
    topography = np.abs(random.standard_normal((_N_SIGNS, N_CHANNELS)))
    topography *= random.random(topography.shape) < 0.3
    time = np.arange(EEG_SAMPLES) / EEG_RATE
    eeg = _EEG_NOISE_UV * random.standard_normal((n, N_CHANNELS, EEG_SAMPLES))
    for sign in range(_N_SIGNS):
        phase = 2 * np.pi * random.random((n, 1))
        wave = np.sin(2 * np.pi * hertz[sign] * time + phase)
        eeg += (amplitude[:, sign, None] * wave)[:, None] * topography[sign][:, None]
    return eeg.astype(np.float32)


def _log_mel(random: np.random.Generator, attributes: np.ndarray) -> np.ndarray:
    """(n, 498, 128) float32: the level of eight groups of mel bands."""
    level = _strengths(random, attributes, _GAIN["audio"]) - 6.0
    picture = random.standard_normal((len(level), N_MEL_FRAMES, N_MELS))
    picture += level.repeat(N_MELS // _N_SIGNS, axis=1)[:, None]
    return picture.astype(np.float32)


def _faces(random: np.random.Generator, attributes: np.ndarray) -> np.ndarray:
    """(n, 25, side, side, 3) uint8: the brightness of eight patches of sixteen."""
    grey = _strengths(random, attributes, _GAIN["video"])
    n = len(grey)
    pictures = random.normal(120, 10, (n, N_FRAMES, SIDE, SIDE, 3))
    for sign in range(_N_SIGNS):
        row, column = divmod(2 * sign + (sign // 2) % 2, SIDE // _PATCH)
        rows = slice(row * _PATCH, (row + 1) * _PATCH)
        columns = slice(column * _PATCH, (column + 1) * _PATCH)
        pictures[:, :, rows, columns] += grey[:, sign, None, None, None, None]
    return pictures.clip(0, 255).astype(np.uint8)
