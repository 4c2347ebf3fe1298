"""What the head and the spectrum show of a ring: band power, and power over frequency.

Nothing here knows of Qt.
"""

from dataclasses import dataclass

import numpy as np
import scipy

from eav_live.windows.quality import LINE_FREQUENCIES
from eav_live.windows.rings import SampleRing
from eav_offline.core.window import CONTEXT_SECONDS, EEG_BANDS, EEG_RATE, WINDOW_SECONDS
from eav_offline.preprocess.eeg import band_limit

BAND_NAMES = ("theta", "alpha", "beta", "gamma")
SHOWN_HZ = (0.5, 62.0)  # the model's band, and beyond it both mains frequencies
SPECTRUM_SECONDS = 8.0
_SEGMENT_SECONDS = 2.0  # steps of 0.5 Hz
_LEAST_POWER = 1e-6  # µV²/Hz; keeps the logarithm finite on a flat electrode
_PROMINENT_DB = 6.0  # above its neighborhood, to be marked as hum


@dataclass(frozen=True)
class Spectrum:
    """Power of one electrode: hertz (n,), level (n,) dB of 1 µV²/Hz.

    hum: mains frequencies that stand out, Hz. seconds: of EEG that it is made of.
    """

    hertz: np.ndarray
    level: np.ndarray
    hum: tuple[float, ...]
    seconds: float


def band_power(ring: SampleRing) -> dict[str, np.ndarray] | None:
    """Power of each of `BAND_NAMES` in the newest window, filtered as for the model.

    Returns (30,) dB of 1 µV² by band; NaN where samples are no numbers; None until
    there is a whole window since the last gap.
    """
    newest = ring.newest
    if newest is None:
        return None
    end = newest + 1 / ring.rate
    stretch = ring.until(end, WINDOW_SECONDS + CONTEXT_SECONDS)
    if stretch is None or len(stretch.values) < round(WINDOW_SECONDS * ring.rate):
        return None
    try:
        window = band_limit(stretch.values.T, ring.rate)
    except ValueError:  # a rate that the models do not take: its lamp says so
        return None
    hertz, power = _welch(window, EEG_RATE)
    step = hertz[1] - hertz[0]
    found = {}
    for name in BAND_NAMES:
        low, high = EEG_BANDS[name]
        inside = (hertz >= low) & (hertz < high)
        found[name] = _decibel(power[:, inside].sum(axis=1) * step)
    return found


def spectrum(ring: SampleRing, electrode: int) -> Spectrum | None:
    """The spectrum of the newest stretch of an electrode (its row), as it was recorded.

    Returns None until there are two seconds since the last gap, and while the
    electrode delivers no numbers.
    """
    newest = ring.newest
    if newest is None:
        return None
    stretch = ring.until(newest + 1 / ring.rate, SPECTRUM_SECONDS)
    if stretch is None or len(stretch.values) < round(_SEGMENT_SECONDS * ring.rate):
        return None
    values = stretch.values[:, electrode].astype(np.float64)
    if not np.isfinite(values).all():
        return None
    hertz, power = _welch(values, ring.rate)
    shown = (hertz >= SHOWN_HZ[0]) & (hertz <= SHOWN_HZ[1])
    hertz, level = hertz[shown], _decibel(power[shown])
    hum = tuple(line for line in LINE_FREQUENCIES if _stands_out(hertz, level, line))
    return Spectrum(hertz, level, hum, len(values) / ring.rate)


def _welch(values: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    size = round(_SEGMENT_SECONDS * rate)
    return scipy.signal.welch(values, rate, nperseg=size, detrend="linear", axis=-1)


def _decibel(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, _LEAST_POWER))


def _stands_out(hertz: np.ndarray, level: np.ndarray, line: float) -> bool:
    away = np.abs(hertz - line)
    at, around = level[away <= 0.5], level[(away > 1.5) & (away < 5.0)]
    if len(at) == 0 or len(around) == 0 or hertz[-1] < line:
        return False
    return float(at.max() - np.median(around)) > _PROMINENT_DB
