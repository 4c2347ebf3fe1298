"""The log-mel picture of five seconds of sound, with the settings of AST."""

from fractions import Fraction
from functools import lru_cache

import numpy as np
import scipy

from eav_offline.core.window import AUDIO_RATE, AUDIO_SAMPLES

N_MELS = 128
FRAME_SAMPLES = 400  # 25 ms
HOP_SAMPLES = 160  # 10 ms
FFT_SAMPLES = 512
MEL_RANGE = (20.0, 8000.0)  # Hz
PRE_EMPHASIS = 0.97
LOG_FLOOR = 1.192092955078125e-07  # float32 epsilon, Kaldi's floor
N_MEL_FRAMES = 1 + (AUDIO_SAMPLES - FRAME_SAMPLES) // HOP_SAMPLES  # 498


def resample(audio: np.ndarray, rate: float) -> np.ndarray:
    """Bring (samples,) float32 at `rate` Hz to 16 kHz."""
    ratio = Fraction(AUDIO_RATE) / Fraction(rate).limit_denominator(1000)
    if ratio == 1:
        return audio.astype(np.float32, copy=False)
    return scipy.signal.resample_poly(audio, ratio.numerator, ratio.denominator).astype(
        np.float32
    )


def log_mel(audio: np.ndarray, rate: float) -> np.ndarray:
    """Kaldi's log-mel filter bank of one window.

    audio: (samples,) float32 in [-1, 1], the window's five seconds at `rate` Hz.
    Returns (498, 128) float32, natural log, not normalized: 25 ms Hann frames every
    10 ms, mean removed, pre-emphasis 0.97, power, 128 mel bands over 20-8000 Hz, no
    padding. The settings are those of AST (Gong et al. 2021).
    Raises ValueError if the sound is not five seconds long.
    """
    try:
        wave = five_seconds(resample(audio, rate))
    except ValueError as error:
        raise ValueError(
            f"{len(audio)} samples at {rate:g} Hz are not the window's "
            f"{AUDIO_SAMPLES / AUDIO_RATE:g} s"
        ) from error
    return log_mel_frames(wave)


def five_seconds(wave: np.ndarray) -> np.ndarray:
    """A window at 16 kHz, (80000,); what lacks at its end counts as silence.

    wave: that, or one or two samples more or less, which resampling may leave. Raises
    ValueError if the sound is not five seconds long.
    """
    if abs(len(wave) - AUDIO_SAMPLES) > 2:
        raise ValueError(
            f"{len(wave)} samples at 16 kHz are not the window's "
            f"{AUDIO_SAMPLES / AUDIO_RATE:g} s"
        )
    return np.pad(wave, (0, max(0, AUDIO_SAMPLES - len(wave))))[:AUDIO_SAMPLES]


def log_mel_frames(wave: np.ndarray) -> np.ndarray:
    """Log-mel of any length of 16 kHz sound: (samples,) -> (frames, 128) float32."""
    frames = np.lib.stride_tricks.sliding_window_view(
        wave.astype(np.float32), FRAME_SAMPLES
    )[::HOP_SAMPLES]
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    frames = (frames - np.float32(PRE_EMPHASIS) * before) * _hann()
    power = np.abs(np.fft.rfft(frames, FFT_SAMPLES, axis=1)) ** 2
    return np.log(np.maximum(power @ _mel_bank(), LOG_FLOOR)).astype(np.float32)


@lru_cache(maxsize=1)
def _hann() -> np.ndarray:
    return np.hanning(FRAME_SAMPLES).astype(np.float32)


def mel_scale(hertz: np.ndarray) -> np.ndarray:
    """Frequencies, Hz, on Kaldi's mel axis."""
    return 1127.0 * np.log1p(hertz / 700.0)


@lru_cache(maxsize=1)
def _mel_bank() -> np.ndarray:
    """(257, 128): triangles on Kaldi's mel axis, the Nyquist bin without weight."""
    low, high = mel_scale(np.array(MEL_RANGE))
    corners = np.linspace(low, high, N_MELS + 2)
    bins = mel_scale(np.arange(FFT_SAMPLES // 2) * AUDIO_RATE / FFT_SAMPLES)[:, None]
    rise = (bins - corners[:-2]) / (corners[1:-1] - corners[:-2])
    fall = (corners[2:] - bins) / (corners[2:] - corners[1:-1])
    bank = np.maximum(0.0, np.minimum(rise, fall))
    return np.vstack([bank, np.zeros((1, N_MELS))])
