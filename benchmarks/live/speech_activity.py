"""Who finds speech where there is some, and only there: Silero's detector or pitch.

Windows of five seconds as a session judges them. The rival is what this program did
before: frames that repeat themselves at a voice's pitch and stand above the background.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from benchmarks.measure import percentiles, real_data, timed
from benchmarks.offline.voices import amplitude, read_emodb, read_ravdess
from eav_live.options.config import QualitySettings
from eav_live.windows.speech import SpeechDetector
from eav_offline.core.window import AUDIO_RATE, AUDIO_SAMPLES
from eav_offline.data.media import read_audio
from eav_offline.preprocess.audio import resample

MOST_MISSED = 0.1  # share of the windows of a kind of speech, or less than by pitch
DRAWN = 40  # windows of each kind of sound that is made here
_FLOOR_DB = -70.0  # of full scale: a microphone's own noise, in every window
_SOFTER_DB = -20.0
_SEED = 1
_TIMED = 60  # hops of half a second
_HOP = AUDIO_RATE // 2
_SENTENCES = (
    "The train to the city leaves at a quarter past nine.",
    "I cannot find the key, and nobody knows where it is.",
    "We walked along the river until it was dark.",
    "Please put the cup on the table beside the window.",
)
_VOICES = ("en-us", "en-gb", "de", "fr", "es")
_TIME = np.arange(AUDIO_SAMPLES) / AUDIO_RATE
Sound = Callable[[np.random.Generator], np.ndarray]


def bench_speech_activity() -> dict[str, Any]:
    """Shares of windows in which either finds speech, for JSON.

    `speech` and `other`: by kind of sound, its `windows` and what `detector` and
    `pitch` are wrong about: misses of speech, false alarms of other sounds.
    `milliseconds_per_hop`: of each, for half a second of new sound. Raises InputRefused
    if recordings are missing.
    """
    rng = np.random.default_rng(_SEED)
    speech = {name: list(sounds) for name, sounds in _speech().items()}
    speech["RAVDESS, 20 dB softer"] = [
        amplitude(_SOFTER_DB) * wave for wave in speech["RAVDESS"][::2]
    ]
    figures: dict[str, Any] = {
        "speech": {
            name: _wrong([_window(wave, rng) for wave in waves], speech=True)
            for name, waves in speech.items()
            if waves
        },
        "other": {
            name: _wrong([_window(draw(rng), rng) for _ in range(DRAWN)], speech=False)
            for name, draw in OTHER.items()
        },
        "espeak": bool(speech["espeak-ng"]),
        "milliseconds_per_hop": _times(speech["RAVDESS"]),
    }
    heard = all(
        one["detector"] <= max(MOST_MISSED, one["pitch"])
        for one in figures["speech"].values()
    )
    fewer = all(one["detector"] <= one["pitch"] for one in figures["other"].values())
    return figures | {"passed": heard and fewer}


def _wrong(windows: Sequence[np.ndarray], speech: bool) -> dict[str, Any]:
    least = QualitySettings().min_speech
    judges: dict[str, Callable[[np.ndarray], float]]
    judges = {"detector": _detected, "pitch": pitched_share}
    found = {
        name: [share(window) >= least for window in windows]
        for name, share in judges.items()
    }
    wrong = {name: float(np.mean(np.array(f) != speech)) for name, f in found.items()}
    return {"windows": len(windows), **wrong}


def _detected(window: np.ndarray) -> float:
    return float(np.mean(SpeechDetector(AUDIO_RATE).hear(window)))


def _times(waves: Sequence[np.ndarray]) -> dict[str, dict[str, float | None]]:
    """Milliseconds of each hop: the detector hears what is new, pitch the window."""
    sound = np.resize(np.concatenate(waves[:20]), AUDIO_SAMPLES + _TIMED * _HOP)
    detector = SpeechDetector(AUDIO_RATE)
    detector.hear(sound[:AUDIO_SAMPLES])
    hops = range(AUDIO_SAMPLES, len(sound), _HOP)
    ways: dict[str, Callable[[int], object]] = {
        "pitch": lambda at: pitched_share(sound[at + _HOP - AUDIO_SAMPLES : at + _HOP]),
        "detector": lambda at: detector.hear(sound[at : at + _HOP]),
    }
    return {name: percentiles(timed(way, hops), 1e3) for name, way in ways.items()}


def _speech() -> dict[str, Iterable[np.ndarray]]:
    """Utterances by kind, each (samples,) at 16 kHz."""
    faces = real_data("face_clips")
    return {
        "RAVDESS": read_ravdess(real_data("ravdess_speech_16k")).waves,
        "EmoDB": read_emodb(real_data("emodb_16k")).waves,
        "GRID": [resample(*read_audio(path)) for path in sorted(faces.glob("*.mpg"))],
        "espeak-ng": _espeak(),
    }


def _espeak() -> Iterator[np.ndarray]:
    """Sentences by a formant synthesizer, if there is one."""
    program = shutil.which("espeak-ng")
    if program is None:
        return
    with tempfile.TemporaryDirectory(prefix="eav-espeak-") as folder:
        path = Path(folder) / "said.wav"
        for voice in _VOICES:
            for sentence in _SENTENCES:
                asked = [program, "-v", voice, "-w", str(path), sentence]
                subprocess.run(asked, check=True, capture_output=True)
                yield resample(*read_audio(path))


def _window(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Five seconds with the sound in their middle, over a microphone's noise."""
    window = amplitude(_FLOOR_DB) * rng.standard_normal(AUDIO_SAMPLES)
    sound = sound[:AUDIO_SAMPLES]
    begin = (AUDIO_SAMPLES - len(sound)) // 2
    window[begin : begin + len(sound)] += sound
    return window.clip(-1, 1).astype(np.float32)


def _silence(rng: np.random.Generator) -> np.ndarray:
    return np.zeros(AUDIO_SAMPLES)


def _noise(rng: np.random.Generator) -> np.ndarray:
    """White to brown."""
    hertz = np.fft.rfftfreq(AUDIO_SAMPLES, 1 / AUDIO_RATE)
    hertz[0] = hertz[1]
    slope = hertz ** (-rng.uniform(0, 2) / 2)
    white = np.fft.rfft(rng.standard_normal(AUDIO_SAMPLES))
    return _leveled(np.fft.irfft(white * slope), rng)


def _bursts(rng: np.random.Generator) -> np.ndarray:
    """Noise that comes and goes, as of keys, cloth and steps."""
    loud = np.repeat(rng.random(50) < 0.4, AUDIO_SAMPLES // 50)
    return _leveled(_noise(rng) * loud, rng)


def _hum(rng: np.random.Generator) -> np.ndarray:
    """A steady tone of 50 to 250 Hz and its harmonics, as of mains and motors."""
    return _leveled(_harmonics(rng.uniform(50, 250), _TIME, rng), rng)


def _pulsed_hum(rng: np.random.Generator) -> np.ndarray:
    """Hum in pulses, one to five a second, as of a telephone or a pump."""
    pulses = np.sin(2 * np.pi * rng.uniform(1, 5) * _TIME) > 0
    return _leveled(_hum(rng) * pulses, rng)


def _music(rng: np.random.Generator) -> np.ndarray:
    """Plucked notes of a scale, two to six a second, sometimes two at once."""
    sound, at = np.zeros(AUDIO_SAMPLES), 0.0
    beat = 1 / rng.uniform(2, 6)
    while at < _TIME[-1]:
        for _ in range(rng.integers(1, 3)):
            note = 110 * 2 ** (rng.choice((0, 2, 4, 5, 7, 9, 11, 12, 16)) / 12)
            after = np.maximum(_TIME - at, 0)
            decay = np.exp(-after / rng.uniform(0.15, 0.6)) * (_TIME >= at)
            sound += _harmonics(note * rng.choice((1, 2)), after, rng) * decay
        at += beat
    return _leveled(sound, rng)


OTHER: Mapping[str, Sound] = {
    "silence": _silence,
    "noise": _noise,
    "bursts of noise": _bursts,
    "hum": _hum,
    "hum in pulses": _pulsed_hum,
    "plucked notes": _music,
}


def _harmonics(
    hertz: float, time: np.ndarray, rng: np.random.Generator, n: int = 8
) -> np.ndarray:
    fall = rng.uniform(0.5, 1.5)
    turns = 2 * np.pi * hertz * time
    return sum((np.sin(k * turns) / k**fall for k in range(1, n + 1)), 0 * time)


def _leveled(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The sound at -45 to -20 dB of full scale, root mean square."""
    power = np.sqrt(np.square(sound).mean())
    return sound * amplitude(rng.uniform(-45, -20)) / max(power, 1e-12)


# What the detector is compared with.
_RATE = 8000.0  # Hz, about, at which pitch is looked for
_PITCH = (70.0, 400.0)  # Hz, of voices from bass to child
_VOICED = 0.5  # autocorrelation at the pitch period; noise stays below 0.4
_REACH_FRAMES = 5  # consonants within 0.1 s of a vowel belong to it


def pitched_share(audio: np.ndarray, rate: float = AUDIO_RATE) -> float:
    """Share of frames that repeat themselves at a voice's pitch, or are near such ones.

    audio: (samples,) in [-1, 1]. They must stand 6 dB above the quietest tenth.
    """
    step = max(1, int(rate // _RATE))
    rate /= step
    sound = audio[: len(audio) // step * step].reshape(-1, step).mean(axis=1)
    size, hop = round(0.04 * rate), round(0.02 * rate)
    frames = np.lib.stride_tricks.sliding_window_view(sound, size)[::hop]
    frames = frames - frames.mean(axis=1, keepdims=True)
    level = 10 * np.log10(np.maximum((frames**2).mean(axis=1), 1e-12))
    loud = level > max(-60.0, np.percentile(level, 10) + 6.0)
    voiced = np.zeros(len(frames), dtype=bool)
    if loud.any():
        voiced[loud] = _periodicity(frames[loud], rate) > _VOICED
    near = np.convolve(voiced, np.ones(2 * _REACH_FRAMES + 1), mode="same") > 0.5
    return 0.0 if voiced.sum() < _REACH_FRAMES else float(near.mean())


def _periodicity(frames: np.ndarray, rate: float) -> np.ndarray:
    """Highest normalized autocorrelation at a voice's periods, for each frame."""
    size = frames.shape[1]
    shortest, longest = round(rate / _PITCH[1]), round(rate / _PITCH[0])
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
