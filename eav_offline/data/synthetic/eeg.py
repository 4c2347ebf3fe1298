"""Scalp EEG of a synthetic session, as an amplifier would store it.

Background of 1/f noise shared by neighboring electrodes, rhythms of the usual bands
over their usual regions, blinks, muscle, mains hum, slow drift and electrode offsets.
An emotion scales the rhythms: band power by region and the asymmetry of frontal alpha
(less of it on the left for happiness and calmness, on the right for sadness and
anger). The direction is the same for everybody; its size, the person's resting
powers and the alpha frequency are not. A cue scales all brain waves and muscle alike.
"""

from dataclasses import dataclass

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter1d
from scipy.special import expit

from eav_offline.core.window import N_CHANNELS
from eav_offline.data.synthetic.plan import (
    EEG,
    NO_CUE,
    PERSON,
    STRANGE,
    TRIAL_SECONDS,
    emotion_table,
    emotion_weights,
    own_table,
    random_stream,
    window_track,
)

RECORDED_RATE = 500  # Hz
TRIAL_SAMPLES = round(TRIAL_SECONDS * RECORDED_RATE)  # 10,000
MAINS = 50.0  # Hz
RESOLUTION_UV = 1 / 16  # near the amplifier's 0.1 µV; a power of two compresses well

# Where the electrodes of `EEG_CHANNELS` sit, -1 to 1: x to the right ear, y to the
# nose.
_PLACES = np.array(
    [
        (-0.31, 0.95), (0.31, 0.95), (-0.81, 0.59), (-0.40, 0.54), (0.0, 0.50),
        (0.40, 0.54), (0.81, 0.59), (-0.70, 0.29), (-0.24, 0.26), (0.24, 0.26),
        (0.70, 0.29), (-1.0, 0.0), (-0.50, 0.0), (0.0, 0.0), (0.50, 0.0),
        (1.0, 0.0), (-0.70, -0.29), (-0.24, -0.26), (0.24, -0.26), (0.70, -0.29),
        (-0.81, -0.59), (-0.40, -0.54), (0.0, -0.50), (0.40, -0.54), (0.81, -0.59),
        (-0.55, -0.86), (-0.31, -0.95), (0.0, -1.0), (0.31, -0.95), (0.55, -0.86),
    ]
)  # fmt: skip

# Rhythms: band in Hz (None: the person's alpha), place, reach, resting µV.
_RHYTHMS: tuple[tuple[tuple[float, float] | None, float, float, float, float], ...] = (
    ((4.0, 7.5), 0.0, 0.55, 0.40, 6.0),  # frontal midline theta
    (None, -0.45, 0.60, 0.32, 4.5),  # left frontal alpha
    (None, 0.45, 0.60, 0.32, 4.5),  # right frontal alpha
    (None, 0.0, -0.85, 0.50, 11.0),  # posterior alpha
    ((14.0, 28.0), -0.50, 0.05, 0.45, 4.0),  # left central beta
    ((14.0, 28.0), 0.50, 0.05, 0.45, 4.0),  # right central beta
    ((14.0, 28.0), 0.0, 0.70, 0.40, 3.5),  # frontal beta
    ((31.0, 44.0), -0.90, 0.0, 0.35, 2.6),  # left temporal gamma
    ((31.0, 44.0), 0.90, 0.0, 0.35, 2.6),  # right temporal gamma
)
# Change of log amplitude of each rhythm above, in its order.
_EMOTIONS = emotion_table(
    {
        "neutral": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        "sadness": (0.65, 0.50, -0.40, 0.35, -0.50, -0.50, -0.35, -0.35, -0.35),
        "anger": (-0.15, 0.35, -0.55, -0.60, 0.30, 0.50, 0.75, 0.60, 0.90),
        "happiness": (-0.20, -0.65, 0.40, -0.30, 0.45, 0.20, 0.10, 0.85, 0.60),
        "calmness": (0.25, -0.35, 0.60, 0.85, -0.50, -0.40, -0.60, -0.60, -0.60),
    }
)
# Of a person of strangeness 1, deviations: of an electrode's log gain and offset (µV),
# of a rhythm's log amplitude, and see `own_table`.
_OWN_GAIN, _OWN_OFFSET_UV, _OWN_POWER, _OWN_EFFECT = 0.5, 12_000.0, 0.6, 1.0
_CUE = 0.5  # of log amplitude: 8.7 dB from low to high
_BACKGROUND_UV = 7.0
_N_SOURCES = 14  # of shared background
_OWN_UV = 2.5  # background of each electrode alone
_DRIFT_UV = 110.0
_BLINK_UV = 1500.0  # at Fp1 and Fp2: with 0.3 s every 3-4 s an sd of about 300 µV


@dataclass(frozen=True)
class _Brain:
    """A person: gains (9,) on rhythms, effects (5, 9) and strength (9,) of emotions,
    alpha Hz, fields."""

    alpha: float
    emotions: np.ndarray
    rest: np.ndarray
    strength: np.ndarray
    rhythm_map: np.ndarray  # (30, 9)
    source_map: np.ndarray  # (30, sources)
    blink_map: np.ndarray  # (30,)
    drift_uv: np.ndarray  # (30,)
    mains_uv: np.ndarray  # (30,)
    muscle_uv: np.ndarray  # (30,)
    offset_uv: np.ndarray  # (30,)
    gain: np.ndarray  # (30,) of the electrodes


def trial_eeg(
    seed: int,
    subject: int,
    trial: int,
    expressed: np.ndarray,
    cue: np.ndarray = NO_CUE,
    strangeness: float = 0.0,
) -> np.ndarray:
    """The EEG of one trial.

    trial: 1-based. expressed: (4,) classes that the windows show. cue: (4,) -1 to 1,
        how strong all of the EEG is. strangeness: see `plan`.
    Returns (30, 10000) float32 µV at 500 Hz in `EEG_CHANNELS` order.
    """
    brain = _brain(seed, subject, strangeness)
    rng = random_stream(seed, subject, EEG, trial)
    n = TRIAL_SAMPLES
    times = np.arange(n) / RECORDED_RATE
    shown = emotion_weights(expressed, times) @ brain.emotions  # (n, 9)
    mood = rng.normal(0, 0.06, len(_RHYTHMS))  # trials differ on their own account
    gain = np.exp(shown.T * brain.strength[:, None] + (brain.rest + mood)[:, None])

    uv = brain.rhythm_map @ (gain * _rhythms(rng, brain))
    uv += _BACKGROUND_UV * (brain.source_map @ _colored(rng, _N_SOURCES, 1.0, 0.6))
    uv += _OWN_UV * _colored(rng, N_CHANNELS, 0.8, 0.6)
    arousal = np.exp(_CUE * window_track(cue, times))
    uv *= arousal
    uv += brain.drift_uv[:, None] * _colored(rng, N_CHANNELS, 2.4, 0.0, high=0.4)
    uv += brain.blink_map[:, None] * _blinks(rng, times)
    uv += brain.muscle_uv[:, None] * _muscle(rng) * arousal
    hum = 2 * np.pi * MAINS * times + rng.uniform(0, 2 * np.pi)
    uv += brain.mains_uv[:, None] * (np.sin(hum) + 0.2 * np.sin(3 * hum))
    uv *= brain.gain[:, None]
    uv += (brain.offset_uv + rng.normal(0, 40, N_CHANNELS))[:, None]
    return (np.rint(uv / RESOLUTION_UV) * RESOLUTION_UV).astype(np.float32)


def session_eeg(
    seed: int,
    subject: int,
    expressed: np.ndarray,
    cue: np.ndarray,
    strangeness: float = 0.0,
) -> np.ndarray:
    """The EEG of all trials: both (trials, 4) -> (10000, 30, trials) float32 µV.

    The array is laid out as MATLAB wants it, so that saving copies nothing.
    """
    trials = np.empty((len(expressed), N_CHANNELS, TRIAL_SAMPLES), dtype=np.float32)
    for i, (shown, heard) in enumerate(zip(expressed, cue, strict=True)):
        trials[i] = trial_eeg(seed, subject, i + 1, shown, heard, strangeness)
    return trials.transpose(2, 1, 0)


def _brain(seed: int, subject: int, strangeness: float) -> _Brain:
    rng = random_stream(seed, subject, PERSON, EEG)
    n = len(_RHYTHMS)
    rhythm_map = np.stack(
        [_spread(x, y, reach) * level for _, x, y, reach, level in _RHYTHMS], axis=1
    )
    sources = rng.uniform(-1, 1, (_N_SOURCES, 2))
    source_map = np.stack([_spread(x, y, 0.55) for x, y in sources], axis=1)
    source_map *= rng.choice([-1, 1], _N_SOURCES)
    source_map /= np.sqrt((source_map**2).sum(axis=1).mean())
    from_eyes = np.exp(-(((1.0 - _PLACES[:, 1]) / 0.42) ** 2))
    at_temples = 0.3 + np.abs(_PLACES[:, 0]) ** 2
    own = random_stream(seed, subject, STRANGE, EEG)
    gain = np.exp(strangeness * own.normal(0, _OWN_GAIN, N_CHANNELS))
    offset_uv = strangeness * own.normal(0, _OWN_OFFSET_UV, N_CHANNELS)
    power = strangeness * own.normal(0, _OWN_POWER, n)
    return _Brain(
        alpha=min(11.5, max(8.6, rng.normal(10.0, 0.7))),
        emotions=own_table(_EMOTIONS, own, strangeness * _OWN_EFFECT),
        rest=rng.normal(0, 0.22, n) + power,
        strength=np.exp(rng.normal(0, 0.25, n)),
        rhythm_map=rhythm_map * np.exp(rng.normal(0, 0.08, rhythm_map.shape)),
        source_map=source_map,
        blink_map=_BLINK_UV * rng.normal(1, 0.08) * from_eyes,
        drift_uv=_DRIFT_UV * np.exp(rng.normal(0.1, 0.18, N_CHANNELS)),
        mains_uv=np.exp(rng.normal(1.2, 0.5, N_CHANNELS)),
        muscle_uv=2.2 * at_temples * np.exp(rng.normal(0, 0.2, N_CHANNELS)),
        offset_uv=rng.normal(0, 6000, N_CHANNELS) + offset_uv,
        gain=gain,
    )


def _spread(x: float, y: float, reach: float) -> np.ndarray:
    """Share (30,) of a source's field that each electrode sees."""
    distance = np.hypot(_PLACES[:, 0] - x, _PLACES[:, 1] - y)
    return np.exp(-((distance / reach) ** 2) / 2)


def _shaped(rng: np.random.Generator, amplitude: np.ndarray) -> np.ndarray:
    """Gaussian noise (rows, n) of unit scale with these (rows, n // 2 + 1) spectra."""
    shape = amplitude.shape
    spectrum = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    waves = fft.irfft(spectrum * amplitude, TRIAL_SAMPLES, axis=1)
    return waves / waves.std(axis=1, keepdims=True)


def _colored(
    rng: np.random.Generator, rows: int, exponent: float, knee: float, high: float = 0.0
) -> np.ndarray:
    """Noise of power 1 / f^exponent, flat below `knee` Hz, cut at `high` if given."""
    f = fft.rfftfreq(TRIAL_SAMPLES, 1 / RECORDED_RATE)
    amplitude = np.maximum(f, max(knee, f[1])) ** (-exponent / 2)
    amplitude[0] = 0.0
    if high:
        amplitude *= f <= high
    return _shaped(rng, np.broadcast_to(amplitude, (rows, len(f))))


def _rhythms(rng: np.random.Generator, brain: _Brain) -> np.ndarray:
    """(9, n) band-limited noise of unit scale, one row a rhythm."""
    f = fft.rfftfreq(TRIAL_SAMPLES, 1 / RECORDED_RATE)
    rows = []
    for band, *_ in _RHYTHMS:
        if band is None:
            rows.append(np.exp(-(((f - brain.alpha) / 1.1) ** 2) / 2))
        else:
            rows.append(expit((f - band[0]) * 3) * expit((band[1] - f) * 3))
    return _shaped(rng, np.stack(rows))


def _blinks(rng: np.random.Generator, times: np.ndarray) -> np.ndarray:
    """A rise of about 0.3 s at each blink, unit height."""
    wave = np.zeros(len(times))
    now = rng.uniform(0.3, 3.0)
    while now < times[-1]:
        width = rng.uniform(0.07, 0.10)
        wave += rng.uniform(0.7, 1.2) * np.exp(-(((times - now) / width) ** 2))
        now += rng.uniform(1.8, 5.0)
    return wave


def _muscle(rng: np.random.Generator) -> np.ndarray:
    """(30, n) noise above 20 Hz that comes and goes."""
    f = fft.rfftfreq(TRIAL_SAMPLES, 1 / RECORDED_RATE)
    amplitude = (f > 20) * (f < 180) * np.sqrt(f / 60)
    bursts = gaussian_filter1d(rng.standard_normal(TRIAL_SAMPLES), 0.4 * RECORDED_RATE)
    bursts = np.exp(0.4 * bursts / bursts.std())
    return _shaped(rng, np.broadcast_to(amplitude, (N_CHANNELS, len(f)))) * bursts
