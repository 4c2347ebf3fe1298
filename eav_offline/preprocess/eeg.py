"""The EEG filter: 0.5-50 Hz at the source rate, then 100 Hz, without kept state."""

from fractions import Fraction
from functools import lru_cache

import numpy as np
import scipy

from eav_offline.core.window import EEG_BAND, EEG_RATE, EEG_SAMPLES, MIN_EEG_RATE

FILTER_ORDER = 5
NOTCH_Q = 25.0  # 2 Hz wide at 50 Hz: the mains drift by less, and it settles in 0.2 s
_RESAMPLER_REACH = 10  # output periods on each side of the anti-alias kernel
_RESAMPLER_WINDOW = ("kaiser", 5.0)


def band_limit(
    eeg_uv: np.ndarray, rate: float, notch_hz: float | None = None
) -> np.ndarray:
    """Keep 0.5-50 Hz (designed at `rate`) and return the newest five seconds at 100 Hz.

    eeg_uv: (channels, samples) µV, oldest first; what precedes the window settles the
        filter (10 s leave 0.1 %, see tests).
    rate: Hz, 125 or more.
    notch_hz: mains frequency to take out; the band's edge leaves 35 % of 50 Hz.
    Returns (channels, 500) float32 µV.

    A causal fifth-order Butterworth band-pass (the filter of the EAV paper, Lee et al.
    2024) starts at steady state on the first sample. The anti-alias kernel runs
    causally too, so that the newest samples are final and not bent by the window's
    end; it delays by 0.1 s at every rate.
    Raises ValueError if there is less than the window or the rate is too low.
    """
    if rate < MIN_EEG_RATE:
        raise ValueError(
            f"EEG rate is {rate:g} Hz; at least {MIN_EEG_RATE:g} Hz are needed for the "
            f"{EEG_BAND[1]:g} Hz band edge"
        )
    up, down, kernel = _resampler(rate)
    usable = eeg_uv.shape[1] - eeg_uv.shape[1] % down
    if usable * up < EEG_SAMPLES * down:
        raise ValueError(
            f"{eeg_uv.shape[1]} samples at {rate:g} Hz are less than the window of "
            f"{EEG_SAMPLES / EEG_RATE:g} s"
        )
    # Whole output periods, counted back from the newest sample.
    x = eeg_uv[:, eeg_uv.shape[1] - usable :].astype(np.float64)
    sections, settled = _filter(rate, notch_hz)
    x, _ = scipy.signal.sosfilt(sections, x, axis=1, zi=settled[:, None, :] * x[:, :1])
    x = scipy.signal.upfirdn(kernel, x, up, down, axis=1)
    newest = usable * up // down
    return x[:, newest - EEG_SAMPLES : newest].astype(np.float32)


def rereference(eeg_uv: np.ndarray) -> np.ndarray:
    """Subtract the mean over electrodes; (channels, samples) in and out."""
    return eeg_uv - eeg_uv.mean(axis=0, keepdims=True)


@lru_cache(maxsize=8)
def _filter(rate: float, notch_hz: float | None) -> tuple[np.ndarray, np.ndarray]:
    sections = scipy.signal.butter(
        FILTER_ORDER, EEG_BAND, btype="bandpass", fs=rate, output="sos"
    )
    if notch_hz is not None:
        notch = scipy.signal.tf2sos(*scipy.signal.iirnotch(notch_hz, NOTCH_Q, fs=rate))
        sections = np.concatenate([notch, sections])
    settled = scipy.signal.sosfilt_zi(sections)[:, :]  # (sections, 2)
    return sections, settled


@lru_cache(maxsize=8)
def _resampler(rate: float) -> tuple[int, int, np.ndarray]:
    ratio = Fraction(EEG_RATE) / Fraction(rate).limit_denominator(1000)
    up, down = ratio.numerator, ratio.denominator
    widest = max(up, down)
    kernel = up * scipy.signal.firwin(
        2 * _RESAMPLER_REACH * widest + 1, 1.0 / widest, window=_RESAMPLER_WINDOW
    )
    return up, down, kernel
