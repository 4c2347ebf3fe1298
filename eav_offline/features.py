"""Field-standard features of a window, for linear models to be measured against."""

import numpy as np
from scipy import signal

from eav_offline.window import EEG_RATE

# Hz; the usual division of the EEG, ending below the mains.
EEG_BANDS = {
    "delta": (1.0, 4.0),
    "theta": (4.0, 8.0),
    "alpha": (8.0, 13.0),
    "beta": (13.0, 30.0),
    "gamma": (30.0, 45.0),
}
_SEGMENT = 2 * EEG_RATE  # samples; 2 s give steps of 0.5 Hz
_LEAST_POWER = 1e-6  # µV²/Hz; keeps the logarithm finite on a flat electrode


def log_mel_statistics(log_mel: np.ndarray) -> np.ndarray:
    """How loud each mel band is, and how much it changes, over a window.

    log_mel: (n, frames, bands), natural log. Returns (n, 3 * bands) float32: mean over
    time, standard deviation over time, standard deviation of the difference between
    one frame and the next.
    """
    change = np.diff(log_mel, axis=1)
    parts = [log_mel.mean(axis=1), log_mel.std(axis=1), change.std(axis=1)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def log_band_power(eeg_uv: np.ndarray, rate: float = EEG_RATE) -> np.ndarray:
    """Logarithm of each electrode's mean power density in the five `EEG_BANDS`.

    eeg_uv: (n, channels, samples) µV at `rate` Hz, two seconds or more. Returns (n,
    channels, 5) float32, natural log of µV²/Hz, by Welch's method: Hann segments of
    two seconds that overlap by half. Raises ValueError if the signal is shorter than
    that.
    """
    segment = round(_SEGMENT * rate / EEG_RATE)
    if eeg_uv.shape[-1] < segment:
        raise ValueError(
            f"{eeg_uv.shape[-1]} samples at {rate:g} Hz are less than the "
            f"{segment / rate:g} s of one segment"
        )
    frequency, density = signal.welch(eeg_uv, rate, nperseg=segment, axis=-1)
    powers = [
        density[..., (frequency >= low) & (frequency < high)].mean(-1)
        for low, high in EEG_BANDS.values()
    ]
    power = np.maximum(np.stack(powers, axis=-1), _LEAST_POWER)
    return np.log(power).astype(np.float32)
