"""Windows made of seeded noise, on which two ways to compute a model are compared.

No participant's data is in them: EEG-like noise, tones and noise through the real
log-mel, smooth random pictures. They are loud and quiet, even and structured, so that
a model's answers differ between them.
"""

import numpy as np
from scipy.ndimage import zoom

from eav_offline.config import Config
from eav_offline.core.window import (
    AUDIO_RATE,
    EEG_BAND,
    EEG_RATE,
    EEG_SAMPLES,
    N_CHANNELS,
    WINDOW_SECONDS,
)
from eav_offline.preprocess.audio import log_mel

NEW_FRAMES = 3  # pictures of a window that are computed; the others repeat them
_SEED = 20
_SYLLABLES = (3.0, 7.0)  # Hz


def reference_windows(config: Config, n: int) -> list[dict[str, np.ndarray]]:
    """n windows, by modality as frame encoders read them; always the same ones.

    eeg (1, 30, 500) float32 µV, audio (1, 498, 128) float32, video (3, side, side, 3)
    uint8.
    """
    rng = np.random.default_rng(_SEED)
    side = config.model.video.side
    return [
        {"eeg": _eeg(rng)[None], "audio": _sound(rng)[None], "video": _faces(rng, side)}
        for _ in range(n)
    ]


def _eeg(rng: np.random.Generator) -> np.ndarray:
    frequency = np.fft.rfftfreq(EEG_SAMPLES, 1 / EEG_RATE)
    spectrum = 1 / np.maximum(frequency, 1) ** rng.uniform(0.2, 1.2)
    center, width = rng.uniform(4, 35), rng.uniform(1, 4)
    spectrum += rng.uniform(0, 1) * np.exp(-(((frequency - center) / width) ** 2))
    spectrum[(frequency < EEG_BAND[0]) | (frequency > EEG_BAND[1])] = 0
    sources = rng.standard_normal((8, EEG_SAMPLES))
    mixed = rng.standard_normal((N_CHANNELS, 8)) @ sources
    mixed += rng.standard_normal((N_CHANNELS, EEG_SAMPLES))
    eeg = np.fft.irfft(np.fft.rfft(mixed) * spectrum, EEG_SAMPLES)
    return (eeg / eeg.std() * rng.uniform(5, 40)).astype(np.float32)


def _sound(rng: np.random.Generator) -> np.ndarray:
    n = round(WINDOW_SECONDS * AUDIO_RATE)
    time = np.arange(n) / AUDIO_RATE
    pitch = rng.uniform(80, 350) * (
        1 + 0.1 * np.sin(2 * np.pi * rng.uniform(0, 2) * time)
    )
    phase = 2 * np.pi * np.cumsum(pitch) / AUDIO_RATE
    voice = sum(
        rng.uniform(0, 1) / k * np.sin(k * phase) for k in range(1, 12)
    ) * np.maximum(0, np.sin(2 * np.pi * rng.uniform(*_SYLLABLES) * time))
    noise = rng.uniform(0.001, 0.1) * rng.standard_normal(n)
    loud = 10 ** rng.uniform(-2.5, -0.5)
    return log_mel((loud * (voice + noise)).astype(np.float32), AUDIO_RATE)


def _faces(rng: np.random.Generator, side: int) -> np.ndarray:
    cells = int(rng.integers(2, 8))
    coarse = rng.uniform(0, 255, (NEW_FRAMES, cells, cells, 3))
    coarse = 0.7 * coarse[:1] + 0.3 * coarse  # pictures of a window are alike
    ratio = side / cells
    smooth = zoom(coarse, (1, ratio, ratio, 1), order=1)[:, :side, :side]
    contrast = rng.uniform(0.3, 1)
    return np.clip(127 + contrast * (smooth - 127), 0, 255).astype(np.uint8)
