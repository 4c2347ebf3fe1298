"""Field-standard features of a window, for linear models to be measured against."""

from functools import lru_cache

import numpy as np
import scipy

from eav_offline.core.window import EEG_BANDS, EEG_CHANNELS, EEG_RATE

_SEGMENT = 2 * EEG_RATE  # samples; 2 s give steps of 0.5 Hz
_LEAST_POWER = 1e-6  # µV²/Hz; keeps the logarithm finite on a flat electrode
_LEAST_VARIANCE = 1e-2  # µV²; likewise, and a covariance keeps its logarithm
_FILTER_ORDER = 2  # of each edge, twice over: forwards and backwards

# Electrodes of the left and their mirror images on the right.
MIRRORED = (
    *(("Fp1", "Fp2"), ("F7", "F8"), ("F3", "F4"), ("FC5", "FC6"), ("FC1", "FC2")),
    *(("T7", "T8"), ("C3", "C4"), ("CP5", "CP6"), ("CP1", "CP2"), ("P7", "P8")),
    *(("P3", "P4"), ("PO9", "PO10"), ("O1", "O2")),
)

N_MFCC = 20
_DELTA_FRAMES = 9  # over which a slope is fitted, 90 ms

_EMPTY_BAND = 3  # of the mel bands; no FFT bin lies in it, so it is always as silent
_SPEECH_BANDS = 32  # of four mel bands each
N_SPEECH_FEATURES = 4 * (_SPEECH_BANDS + N_MFCC) - 1
_SPEECH_FLOOR = 13.0  # nats below the loud frames, 56 dB: softer counts as this
_LOUD, _QUIET = 95, 10  # percentiles of a window's frames: speech, and what is behind
_SPEECH_RANGE = 8.1  # nats of power, 35 dB: softer frames are none of the speech
_ABOVE_QUIET, _BELOW_LOUD = 1.4, 1.0  # nats: where the edge lies at least and at most
_EDGE = 0.5  # nats, width
_FAR_FRAMES = 5  # 50 ms, about half a syllable
_LEAST_CHANGE = 1e-4  # nats²


def log_mel_statistics(log_mel: np.ndarray) -> np.ndarray:
    """How loud each mel band is, and how much it changes, over a window.

    log_mel: (n, frames, bands), natural log. Returns (n, 3 * bands) float32: mean over
    time, standard deviation over time, standard deviation of the difference between
    one frame and the next.
    """
    change = np.diff(log_mel, axis=1)
    parts = [log_mel.mean(axis=1), log_mel.std(axis=1), change.std(axis=1)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def speech_statistics(log_mel: np.ndarray) -> np.ndarray:
    """How speech sounds, whatever its loudness, over the frames that hold some.

    log_mel: (n, frames, 128), natural log. Returns (n, 207) float32: of 32 bands and
    of 20 cepstral coefficients the mean over frames, less the general loudness, and
    the logarithm of the deviation, of the change in 10 ms and of that in 50 ms. Frames
    count by how clearly they stand out of the window's quietest, so that pauses, the
    silence around a word and steady noise count little.
    """
    spoken = log_mel.astype(np.float32)
    beside = spoken[..., [_EMPTY_BAND - 1, _EMPTY_BAND + 1]]
    spoken[..., _EMPTY_BAND] = beside.mean(-1)
    level = np.log(np.exp(spoken).sum(-1))
    quiet, loud = np.percentile(level, [_QUIET, _LOUD], axis=1)[..., None]
    edge = np.maximum(loud - _SPEECH_RANGE, quiet + _ABOVE_QUIET)
    edge = np.minimum(edge, loud - _BELOW_LOUD)
    weight = 1 / (1 + np.exp((edge - level) / _EDGE))  # (n, frames)
    spoken = np.maximum(spoken, (loud - _SPEECH_FLOOR)[..., None])
    bands = spoken.reshape(*spoken.shape[:2], _SPEECH_BANDS, -1).mean(-1)
    of_bands, of_cepstrum = (_weighted(x, weight) for x in (bands, mfcc(spoken)))
    of_bands[0] -= of_bands[0].mean(axis=1, keepdims=True)
    of_cepstrum[0] = of_cepstrum[0][:, 1:]  # the first is the loudness
    return np.concatenate([*of_bands, *of_cepstrum], axis=1).astype(np.float32)


def _weighted(x: np.ndarray, weight: np.ndarray) -> list[np.ndarray]:
    """Mean, log deviation and log changes of (n, frames, k), each (n, k)."""

    def mean(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return (values * weight[..., None]).sum(1) / weight.sum(1)[:, None]

    center = mean(x, weight)
    squares = [mean((x - center[:, None]) ** 2, weight)]
    for step in (1, _FAR_FRAMES):
        both = np.sqrt(weight[:, step:] * weight[:, :-step])
        squares.append(mean((x[:, step:] - x[:, :-step]) ** 2, both))
    return [center, *(np.log(square + _LEAST_CHANGE) / 2 for square in squares)]


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
    frequency, density = scipy.signal.welch(eeg_uv, rate, nperseg=segment, axis=-1)
    powers = [
        density[..., (frequency >= low) & (frequency < high)].mean(-1)
        for low, high in EEG_BANDS.values()
    ]
    power = np.maximum(np.stack(powers, axis=-1), _LEAST_POWER)
    return np.log(power).astype(np.float32)


def band_signals(eeg_uv: np.ndarray) -> np.ndarray:
    """The signals of the five `EEG_BANDS`, without delay.

    eeg_uv: (n, channels, samples) µV at 100 Hz. Returns (n, 5, channels, samples)
    float64 µV.
    """
    eeg = np.asarray(eeg_uv, dtype=np.float64)
    bands = [scipy.signal.sosfiltfilt(sos, eeg, axis=-1) for sos in _band_filters()]
    return np.stack(bands, axis=1)


def differential_entropy(eeg_uv: np.ndarray) -> np.ndarray:
    """Entropy of each electrode's signal in each band, if it were Gaussian.

    eeg_uv: (n, channels, samples) µV at 100 Hz, whole seconds. Returns (n, channels, 5)
    float32, nats: of each second apart, then averaged, as is usual for emotions (Shi et
    al. 2013; Zheng and Lu 2015).
    """
    bands = band_signals(eeg_uv)
    seconds = bands.reshape(*bands.shape[:-1], -1, EEG_RATE)
    variance = np.maximum(seconds.var(axis=-1), _LEAST_VARIANCE)
    entropy = 0.5 * np.log(2 * np.pi * np.e * variance).mean(axis=-1)
    return entropy.transpose(0, 2, 1).astype(np.float32)


def asymmetry(by_electrode: np.ndarray) -> np.ndarray:
    """Left minus right, of 13 pairs of electrodes.

    by_electrode: (n, 30, k) in `EEG_CHANNELS` order. Returns (n, 13, k).
    """
    index = EEG_CHANNELS.index
    left = [index(name) for name, _ in MIRRORED]
    right = [index(name) for _, name in MIRRORED]
    return by_electrode[:, left] - by_electrode[:, right]


def eeg_band_features(eeg_uv: np.ndarray) -> np.ndarray:
    """Differential entropy, log band power and the entropy's asymmetry.

    eeg_uv: (n, 30, 500) µV. Returns (n, 365) float32: 150, 150 and 65.
    """
    entropy = differential_entropy(eeg_uv)
    parts = [entropy, log_band_power(eeg_uv), asymmetry(entropy)]
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


def band_covariances(eeg_uv: np.ndarray) -> np.ndarray:
    """Covariance of the electrodes in each band, shrunk so that it can be inverted.

    eeg_uv: (n, 30, 500) µV. Returns (n, 5, 30, 30) float64 µV², by Ledoit and Wolf's
    estimate: an average reference leaves one dimension empty.
    """
    from pyriemann.geometry.covariance import covariances

    bands = band_signals(eeg_uv)
    n_channels = bands.shape[2]
    found = covariances(bands.reshape(-1, *bands.shape[2:]), estimator="lwf")
    found = found + _LEAST_VARIANCE * np.eye(n_channels)
    return found.reshape(*bands.shape[:2], n_channels, n_channels)


def riemannian_mean(covariances: np.ndarray) -> np.ndarray:
    """Each band's mean on the manifold: (n, 5, k, k) -> (5, k, k)."""
    from pyriemann.geometry.mean import mean_riemann

    return np.stack([mean_riemann(band) for band in covariances.swapaxes(0, 1)])


def tangent_vectors(covariances: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Covariances as vectors of the tangent space at a reference (Barachant 2012).

    covariances: (n, 5, k, k); reference: (5, k, k), such as `riemannian_mean` of the
    training windows. Returns (n, 5 * k * (k + 1) / 2) float32.
    """
    from pyriemann.geometry.tangentspace import tangent_space

    parts = [
        tangent_space(band, center)
        for band, center in zip(covariances.swapaxes(0, 1), reference, strict=True)
    ]
    return np.concatenate(parts, axis=1).astype(np.float32)


def mfcc(log_mel: np.ndarray) -> np.ndarray:
    """Cepstrum of each frame: (n, frames, bands) -> (n, frames, 20)."""
    return scipy.fft.dct(log_mel, norm="ortho", axis=-1)[..., :N_MFCC]


def delta_mfcc_statistics(log_mel: np.ndarray) -> np.ndarray:
    """Mean and deviation over time of MFCC, their slopes and the slopes' slopes.

    log_mel: (n, frames, bands), natural log. Returns (n, 120) float32.
    """
    cepstrum = mfcc(log_mel)
    tracks = [cepstrum]
    for order in (1, 2):
        tracks.append(
            scipy.signal.savgol_filter(
                cepstrum, _DELTA_FRAMES, order, deriv=order, axis=1
            )
        )
    parts = [f(track, axis=1) for track in tracks for f in (np.mean, np.std)]
    return np.concatenate(parts, axis=1).astype(np.float32)


@lru_cache(maxsize=1)
def _band_filters() -> tuple[np.ndarray, ...]:
    return tuple(
        scipy.signal.butter(_FILTER_ORDER, band, "bandpass", fs=EEG_RATE, output="sos")
        for band in EEG_BANDS.values()
    )
