"""SCNN's 180 numbers of five seconds of sound: MFCC, chroma and mel powers.

They are those of the published notebook, which takes librosa's defaults at 22,050 Hz.
librosa itself would bring numba and llvmlite, 193 MB, and compile for seconds at its
first window.
"""

from fractions import Fraction
from functools import lru_cache

import numpy as np
import scipy

from eav_offline.core.window import AUDIO_RATE
from eav_offline.preprocess.audio import five_seconds

RATE = 22_050  # Hz
FFT_SAMPLES = 2048
HOP_SAMPLES = 512
N_MFCC, N_CHROMA, N_MELS = 40, 12, 128
N_SOUND_FEATURES = N_MFCC + N_CHROMA + N_MELS  # 180

_LEAST_POWER = 1e-10
_DECIBELS = 80.0  # below the window's loudest; softer counts as this
_LINEAR_MEL = 200.0 / 3  # Hz a mel of Slaney's, below 1 kHz
_LOG_FROM = 1000.0  # Hz
_LOG_STEP = np.log(6.4) / 27.0  # a mel, above
_LOWEST_A = 27.5  # Hz; A4 is 440
_PITCHES = (150.0, 4000.0)  # Hz, from which the tuning is estimated
_PITCH_LEAST = 0.1  # of the frame's strongest bin
_TUNINGS = 100  # steps of a semitone
_CHROMA_CENTER, _CHROMA_WIDTH = 5.0, 2.0  # octaves
_A_ABOVE_C = 9  # semitones


def sound_features(wave: np.ndarray) -> np.ndarray:
    """Means over time of 40 MFCC, 12 chroma and 128 mel powers.

    wave: (80000,) float32 in [-1, 1], the window at 16 kHz; what lacks at its end
    counts as silence, as in `preprocess.audio.log_mel`. Returns (180,) float32. There
    is nothing above 8 kHz in such sound, so the upper mel bands hold next to nothing.
    Raises ValueError if the sound is not five seconds long.
    """
    wave = five_seconds(wave)
    ratio = Fraction(RATE, AUDIO_RATE)
    resampled = scipy.signal.resample_poly(wave, ratio.numerator, ratio.denominator)
    return librosa_means(resampled.astype(np.float32))


def librosa_means(wave: np.ndarray) -> np.ndarray:
    """The 180 numbers of sound at 22,050 Hz, as librosa 0.11 gives them.

    wave: (samples,) float32, any length of a frame (2048 samples) or more. Returns
    (180,) float32: means over time of `feature.mfcc(n_mfcc=40)`, of
    `feature.chroma_stft(S=abs(stft))`, which sums magnitudes as the notebook does and
    not powers, and of `feature.melspectrogram`.
    """
    magnitude = np.abs(_stft(wave))  # (frames, 1025)
    mel = magnitude**2 @ _mel_bank()
    decibels = 10 * np.log10(np.maximum(mel, _LEAST_POWER))
    decibels = np.maximum(decibels, decibels.max() - _DECIBELS)
    mfcc = scipy.fft.dct(decibels, norm="ortho", axis=1)[:, :N_MFCC]
    chroma = magnitude @ _chroma_bank(_tuning(magnitude))
    strongest = chroma.max(axis=1, keepdims=True)
    # A silent frame has no pitch, and is left as it is.
    chroma = chroma / np.where(strongest < np.finfo(np.float32).tiny, 1, strongest)
    means = [part.mean(axis=0) for part in (mfcc, chroma, mel)]
    return np.concatenate(means).astype(np.float32)


def _stft(wave: np.ndarray) -> np.ndarray:
    """(frames, 1025) complex; frames are centered on their times, silence around."""
    padded = np.pad(wave, FFT_SAMPLES // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT_SAMPLES)
    return scipy.fft.rfft(frames[::HOP_SAMPLES] * _hann(), axis=1)


def _tuning(magnitude: np.ndarray) -> int:
    """How far the sound's pitches lie from A4 = 440 Hz, in hundredths of a semitone.

    magnitude: (frames, 1025). Returns -50 to 49: the commonest deviation among the
    stronger half of the spectrum's peaks, each placed by a parabola; 0 if there are
    none.
    """
    hertz = RATE / FFT_SAMPLES
    first, last = (int(np.ceil(edge / hertz)) for edge in _PITCHES)
    before, here, after = (
        magnitude[:, first + step : last + step] for step in (-1, 0, 1)
    )
    enough = _PITCH_LEAST * magnitude.max(axis=1, keepdims=True)
    lower = np.where(before > enough, before, 0)
    peak = (here > enough) & (here > lower) & (here >= after)
    bend = (before + after - 2 * here)[peak]
    slope = (0.5 * (after - before))[peak]
    inside = np.abs(slope) < np.abs(bend)  # else the parabola's top is elsewhere
    shift = np.where(inside, -slope / np.where(inside, bend, 1), 0)
    height = here[peak] + 0.5 * slope * shift
    if not len(height):
        return 0
    frequency = (first + np.nonzero(peak)[1] + shift) * hertz
    frequency = frequency[height >= np.median(height)]
    deviation = np.mod(12 * np.log2(frequency / _LOWEST_A), 1.0)
    deviation[deviation >= 0.5] -= 1.0
    edges = np.linspace(-0.5, 0.5, _TUNINGS + 1)
    return int(np.histogram(deviation, edges)[0].argmax()) - _TUNINGS // 2


@lru_cache(maxsize=1)
def _hann() -> np.ndarray:
    return scipy.signal.get_window("hann", FFT_SAMPLES).astype(np.float32)


@lru_cache(maxsize=1)
def _mel_bank() -> np.ndarray:
    """(1025, 128) float32: Slaney's triangles up to 11,025 Hz, each of area one."""
    top = _LOG_FROM / _LINEAR_MEL + np.log(RATE / 2 / _LOG_FROM) / _LOG_STEP
    mels = np.linspace(0, top, N_MELS + 2)
    above = mels - _LOG_FROM / _LINEAR_MEL
    log_part = _LOG_FROM * np.exp(_LOG_STEP * np.maximum(above, 0))
    corners = np.where(above < 0, _LINEAR_MEL * mels, log_part)
    bins = np.arange(FFT_SAMPLES // 2 + 1)[:, None] * (RATE / FFT_SAMPLES)
    rise = (bins - corners[:-2]) / (corners[1:-1] - corners[:-2])
    fall = (corners[2:] - bins) / (corners[2:] - corners[1:-1])
    bank = np.maximum(0, np.minimum(rise, fall)) * (2 / (corners[2:] - corners[:-2]))
    return bank.astype(np.float32)


@lru_cache(maxsize=_TUNINGS)
def _chroma_bank(tuning: int) -> np.ndarray:
    """(1025, 12) float32: how far each bin belongs to each pitch class, C first.

    tuning: hundredths of a semitone. A bump about each pitch, of unit norm over the
    classes, and less the further a bin is from the fifth octave.
    """
    lowest = _LOWEST_A * 2 ** (tuning / _TUNINGS / N_CHROMA)
    hertz = np.arange(1, FFT_SAMPLES) * (RATE / FFT_SAMPLES)
    pitch = N_CHROMA * np.log2(hertz / lowest)  # semitones above the lowest A
    # The bin at 0 Hz has no pitch; librosa puts it one octave and a half lower.
    pitch = np.concatenate([[pitch[0] - 1.5 * N_CHROMA], pitch])
    width = np.concatenate([np.maximum(np.diff(pitch), 1), [1]])
    half = N_CHROMA // 2
    away = pitch[:, None] - np.arange(N_CHROMA)
    away = np.remainder(away + half + 10 * N_CHROMA, N_CHROMA) - half
    bank = np.exp(-0.5 * (2 * away / width[:, None]) ** 2)
    bank /= np.sqrt((bank**2).sum(axis=1, keepdims=True))
    octaves = (pitch / N_CHROMA - _CHROMA_CENTER) / _CHROMA_WIDTH
    bank *= np.exp(-0.5 * octaves**2)[:, None]
    bank = np.roll(bank, _A_ABOVE_C, axis=1)  # from A first to C first
    return bank[: FFT_SAMPLES // 2 + 1].astype(np.float32)
