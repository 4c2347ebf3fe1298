"""What is shown of an EEG ring: traces, power of bands, power over frequency.

Nothing here knows of Qt.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy

from eav_live.windows.quality import LINE_FREQUENCIES
from eav_live.windows.rings import SampleRing, new_stretches
from eav_offline.core.stamps import SAMPLE_GAP_SECONDS
from eav_offline.core.window import (
    CONTEXT_SECONDS,
    EEG_BANDS,
    EEG_RATE,
    N_CHANNELS,
    WINDOW_SECONDS,
)
from eav_offline.preprocess.eeg import band_limit

if TYPE_CHECKING:
    from eav_offline.preprocess import PreprocessSettings

SHOWN_SECONDS = 8.0
SHOWN_BAND = (0.5, 40.0)  # Hz; the upper edge keeps mains hum out of the picture
POINT_RATE = 100.0  # Hz, about one point a pixel; the filter leaves nothing above
SCALES_UV = (5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000)  # µV a row
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


@dataclass(frozen=True)
class Points:
    """What is drawn: times (n,), seconds; values (n, 30), µV; breaks (n,), whether a
    point is not joined to the next."""

    times: np.ndarray
    values: np.ndarray
    breaks: np.ndarray


def for_the_eye(ring: SampleRing, until: float) -> Points:
    """The picture's seconds up to `until`, as `TraceBuffer` filters them."""
    buffer = TraceBuffer(seconds=np.inf)
    buffer.update(ring)
    begin, end = np.searchsorted(buffer.times, (until - SHOWN_SECONDS, until))
    part = slice(begin, end + 1)
    return Points(buffer.times[part], buffer.values[part], buffer.breaks[part])


def as_recorded(ring: SampleRing, until: float = np.inf) -> Points:
    """The ring's last seconds, or those up to `until`, without a filter, each
    electrode about its mean.

    Thinned to the least and the greatest of every few samples, so that no peak is lost.
    """
    times, values = ring.latest(SHOWN_SECONDS if until == np.inf else np.inf)
    if until != np.inf:
        part = slice(*np.searchsorted(times, (until - SHOWN_SECONDS, until)))
        times, values = times[part], values[part]
    half = max(1, round(ring.rate / POINT_RATE))
    size, step = 2 * half, 2 * half / ring.rate
    # On a grid of time, so that points stay put as they scroll.
    first = int(np.searchsorted(times, step * np.ceil(times[:1] / step)).sum())
    n = (len(times) - first) // size
    within = slice(first, first + n * size)
    counts = np.isfinite(values)  # one that is no number must not move all others
    total = np.where(counts, values, 0.0).sum(axis=0, dtype=np.float64)
    centered = values[within] - total / np.maximum(counts.sum(axis=0), 1)
    groups = centered.reshape(n, size, N_CHANNELS)
    shown = np.stack([groups.min(axis=1), groups.max(axis=1)], axis=1)
    at = times[within][::half]
    breaks = np.diff(at, append=np.inf) > SAMPLE_GAP_SECONDS
    return Points(at, shown.reshape(2 * n, N_CHANNELS), breaks)


def as_the_model(
    ring: SampleRing, settings: "PreprocessSettings | None", until: float = np.inf
) -> Points:
    """The ring's newest window as it is prepared for a model; empty if there is none.

    settings: of the model; None for those of most. until: its end, if not the newest.
    """
    from eav_live.windows.cut import Rings, cut_window
    from eav_offline.preprocess import PreprocessSettings, prepare

    newest, eeg = ring.newest, None
    if newest is not None:
        end = min(newest, until) + 1 / ring.rate  # of the last sample
        raw = cut_window(Rings(ring, None, None), end, end).raw
        eeg = prepare(raw, settings or PreprocessSettings()).eeg
    if eeg is None:
        return Points(np.zeros(0), np.zeros((0, N_CHANNELS)), np.zeros(0, dtype=bool))
    times = end - WINDOW_SECONDS + np.arange(eeg.shape[1]) / EEG_RATE
    return Points(times, eeg.T, np.zeros(len(times), dtype=bool))


class TraceBuffer:
    """The last seconds of a sample ring, filtered for the eye and thinned.

    Each sample is filtered once, when it is new; a gap starts the filter anew and
    leaves a break in the traces.
    """

    def __init__(self, seconds: float = SHOWN_SECONDS) -> None:
        self.seconds = seconds
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._ring: SampleRing | None = None
        self._last = -np.inf  # stamp of the newest sample taken
        self._count = 0  # samples since the last gap
        self._state: np.ndarray | None = None
        self.times = np.zeros(0)  # (points,) seconds
        self.values = np.zeros((0, N_CHANNELS), dtype=np.float32)  # (points, 30) µV
        self.breaks = np.zeros(0, dtype=bool)  # (points,): not joined to the next

    def update(self, ring: SampleRing) -> None:
        """Take what the ring has had since the last call."""
        newest = ring.newest
        if ring is not self._ring or (newest is not None and newest < self._last):
            self.reset()
            self._ring = ring
            self._stride = max(1, round(ring.rate / POINT_RATE))
            upper = min(SHOWN_BAND[1], 0.45 * ring.rate)
            self._sections = np.vstack(
                [
                    scipy.signal.butter(
                        2, SHOWN_BAND[0], "highpass", fs=ring.rate, output="sos"
                    ),
                    scipy.signal.butter(
                        4, upper, "lowpass", fs=ring.rate, output="sos"
                    ),
                ]
            )
        stretches = new_stretches(ring, self._last, self.seconds)
        for times, values in stretches:
            self._append(times, values)
        if not stretches:
            return
        keep = int(np.searchsorted(self.times, self.times[-1] - self.seconds))
        if keep:
            self.times = self.times[keep:]
            self.values = self.values[keep:]
            self.breaks = self.breaks[keep:]

    def _append(self, times: np.ndarray, values: np.ndarray) -> None:
        if times[0] - self._last > SAMPLE_GAP_SECONDS:
            self._state = None
            self._count = 0
            if len(self.breaks):
                self.breaks[-1] = True
        self._last = float(times[-1])
        # A filter that has seen one number that is none gives nothing else for ever.
        values = np.where(np.isfinite(values), values, 0.0)
        if self._state is None:
            settled = scipy.signal.sosfilt_zi(self._sections)  # (sections, 2)
            self._state = settled[:, :, None] * values[0].astype(np.float64)
        shown, self._state = scipy.signal.sosfilt(
            self._sections, values, axis=0, zi=self._state
        )
        # Every stride-th sample since the gap, so that points stay put as they scroll.
        first = -self._count % self._stride
        self._count += len(times)
        picked = slice(first, None, self._stride)
        self.times = np.concatenate([self.times, times[picked]])
        self.values = np.concatenate([self.values, shown[picked].astype(np.float32)])
        self.breaks = np.concatenate(
            [self.breaks, np.zeros(len(times[picked]), dtype=bool)]
        )


def suitable_scale(values_uv: np.ndarray) -> int:
    """µV a row at which most of the traces (points, 30) stay clear of each other."""
    spread = np.median(np.percentile(np.abs(values_uv), 90, axis=0))
    return next((s for s in SCALES_UV if s >= 2.0 * spread), SCALES_UV[-1])
