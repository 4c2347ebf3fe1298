"""Is anyone speaking? The share of a stretch of sound that is voice."""

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

FRAME_SECONDS = 0.04  # two periods of the deepest voice
HOP_SECONDS = 0.02
PITCH = (70.0, 400.0)  # Hz, of voices from bass to child
VOICED = 0.5  # autocorrelation at the pitch period; noise stays below 0.4
QUIETEST_DB = -60.0  # below full scale; a microphone's own noise is about there
ABOVE_FLOOR_DB = 6.0  # hum and fans are voiced too, but their level is even
_REACH_FRAMES = 5  # consonants within 0.1 s of a vowel belong to it
_RATE = 8000.0  # Hz, about, at which pitch is looked for


def speech_share(audio: np.ndarray, rate: float) -> float:
    """How much of the sound is speech, 0 to 1.

    audio: (samples,) in [-1, 1], a second or more; rate: Hz.
    A frame counts if it repeats itself at a voice's pitch and stands 6 dB above the
    quietest tenth of the stretch, or is within 0.1 s of such a frame.
    """
    step = max(1, int(rate // _RATE))
    rate /= step
    sound = audio[: len(audio) // step * step].reshape(-1, step).mean(axis=1)
    size, hop = round(FRAME_SECONDS * rate), round(HOP_SECONDS * rate)
    if len(sound) < size:
        return 0.0
    frames = np.lib.stride_tricks.sliding_window_view(sound, size)[::hop]
    frames = frames - frames.mean(axis=1, keepdims=True)
    level = 10 * np.log10(np.maximum((frames**2).mean(axis=1), 1e-12))
    floor = np.percentile(level, 10)
    loud = level > max(QUIETEST_DB, floor + ABOVE_FLOOR_DB)
    voiced = np.zeros(len(frames), dtype=bool)
    if loud.any():
        voiced[loud] = _periodicity(frames[loud], rate) > VOICED
    near = np.convolve(voiced, np.ones(2 * _REACH_FRAMES + 1), mode="same") > 0.5
    # A lone click may resemble a period; a syllable lasts.
    if voiced.sum() < _REACH_FRAMES:
        return 0.0
    return float(near.mean())


def _periodicity(frames: np.ndarray, rate: float) -> np.ndarray:
    """Highest normalised autocorrelation at a voice's periods, for each frame."""
    size = frames.shape[1]
    shortest, longest = round(rate / PITCH[1]), round(rate / PITCH[0])
    length = next_fast_len(2 * size, real=True)
    spectrum = rfft(frames, length, axis=1)
    correlation = irfft(np.abs(spectrum) ** 2, length, axis=1)[:, : longest + 1]
    # A lag of k compares size - k samples only.
    overlap = size / (size - np.arange(longest + 1))
    correlation *= overlap / np.maximum(correlation[:, :1], 1e-12)
    # Only a peak is a period: smooth noise correlates at short lags, falling.
    middle = correlation[:, shortest:longest]
    left = correlation[:, shortest - 1 : longest - 1]
    right = correlation[:, shortest + 1 : longest + 1]
    peaks = np.where((middle >= left) & (middle >= right), middle, 0.0)
    return peaks.max(axis=1)
