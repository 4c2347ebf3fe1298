"""Speech-like sound whose prosody shows an emotion: no words, but a voice.

A train of glottal pulses follows a pitch contour, runs through four formants that
glide within each syllable, and is joined by fricative noise, breath and room noise.
Pitch, range, slope, rate, loudness, brightness and pauses differ by emotion in the
directions reported for acted speech (Juslin & Laukka 2003). A cue is the gain of it
all, the room's noise too, so that the spectrum keeps its shape (but for the loudest
voices, which come close to full scale).
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy
import soundfile

from eav_offline.common.files import write_atomically
from eav_offline.data.synthetic.plan import (
    NO_CUE,
    PERSON,
    STRANGE,
    TRIAL_SECONDS,
    VOICE,
    emotion_table,
    emotion_weights,
    own_table,
    random_stream,
    window_track,
)

SOUND_RATE = 44_100  # Hz
MAX_EXTRA_SECONDS = 1.0  # EAV's files run 20 to 21 s
_CUE_DB = 10.0  # up or down

_PROSODY = (
    *("pitch", "range", "slope", "rate", "loudness", "brightness", "breath"),
    *("pause", "attack"),
)
# pitch: factor on the person's own; range and slope: semitones; rate: syllables a
# second; loudness: dB; brightness: dB an octave; breath: dB of noise in the voice;
# pause: share of time silent; attack: seconds a syllable takes to rise.
_EMOTIONS = emotion_table(
    {
        "neutral": (1.00, 2.0, -0.5, 4.2, 0.0, 0.0, -26, 0.18, 0.040),
        "sadness": (0.92, 1.2, -2.2, 2.9, -6.0, -2.0, -13, 0.36, 0.070),
        "anger": (1.25, 3.6, -0.5, 5.3, 7.0, 3.0, -28, 0.09, 0.018),
        "happiness": (1.42, 5.5, 1.8, 4.9, 3.5, 1.4, -26, 0.14, 0.030),
        "calmness": (0.84, 1.0, 0.2, 3.3, -3.0, -3.0, -30, 0.24, 0.060),
    }
)
# Of a person of strangeness 1, deviations: of pitch and of syllables a second (log), of
# gain (dB), of the response (dB) of microphone and room at some frequencies, and see
# `own_table`.
_OWN_PITCH, _OWN_RATE, _OWN_GAIN_DB, _OWN_TONE_DB = 0.24, 0.2, 6.0, 12.0
_OWN_EFFECT = 1.0
_TONE_HZ = np.geomspace(60, 8000, 6)
_LEAST_RATE = 1.5
# First three formants of vowels, Hz (Peterson & Barney 1952, men).
_VOWELS = np.array(
    [
        (270, 2290, 3010), (390, 1990, 2550), (530, 1840, 2480), (660, 1720, 2410),
        (730, 1090, 2440), (570, 840, 2410), (440, 1020, 2240), (300, 870, 2240),
        (640, 1190, 2390), (490, 1350, 1690),
    ],
    dtype=np.float64,
)  # fmt: skip
_BANDWIDTHS = (70.0, 100.0, 140.0, 220.0)  # Hz
_JOIN_SECONDS = 0.02  # syllables overlap by this


@dataclass(frozen=True)
class _Speaker:
    """pitch: Hz; formants, liveliness, pace: factors; gain, room: dB; brightness:
    dB/oct; emotions: (5, 9), see `_PROSODY`; tone: (6,) dB at `_TONE_HZ`."""

    pitch: float
    formants: float
    liveliness: float
    gain: float
    brightness: float
    room: float
    emotions: np.ndarray
    pace: float
    tone: np.ndarray


@dataclass(frozen=True)
class _Syllable:
    """start, seconds: when it sounds; a row of `_PROSODY` and its glide of vowels."""

    start: float
    seconds: float
    prosody: dict[str, float]
    phrase: float  # position in the phrase, 0-1
    vowels: np.ndarray  # (2, 3) Hz
    fricative: float  # seconds of noise before the vowel, 0 for none


def voice(
    seed: int,
    subject: int,
    trial: int,
    expressed: np.ndarray,
    cue: np.ndarray = NO_CUE,
    strangeness: float = 0.0,
) -> np.ndarray:
    """The sound of one speaking trial.

    trial: 1-based. expressed: (4,) classes that the windows show. cue: (4,) -1 to 1,
        how loud all of the sound is. strangeness: see `plan`.
    Returns (samples,) float32 in [-1, 1] at 44.1 kHz, 20 to 21 s.
    """
    speaker = _speaker(seed, subject, strangeness)
    rng = random_stream(seed, subject, VOICE, trial)
    seconds = TRIAL_SECONDS + rng.uniform(0.0, MAX_EXTRA_SECONDS)
    n = round(seconds * SOUND_RATE)
    sound = np.zeros(n + SOUND_RATE)
    for syllable in _speech(rng, speaker, expressed, seconds):
        piece = _sing(rng, speaker, syllable)
        start = round(syllable.start * SOUND_RATE)
        sound[start : start + len(piece)] += piece
    sound = sound[:n] * 10 ** ((speaker.gain + rng.normal(0, 0.7)) / 20)
    sound += 10 ** (speaker.room / 20) * _room_noise(rng, n)
    if speaker.tone.any():
        sound = _toned(sound, speaker.tone)
    sound *= 10 ** (_CUE_DB / 20 * window_track(cue, np.arange(n) / SOUND_RATE))
    return np.tanh(sound).astype(np.float32)


def write_wav(
    path: Path,
    seed: int,
    subject: int,
    trial: int,
    expressed: np.ndarray,
    cue: np.ndarray = NO_CUE,
    strangeness: float = 0.0,
) -> None:
    """Write `voice` as 16-bit PCM."""
    sound = voice(seed, subject, trial, expressed, cue, strangeness)
    content = io.BytesIO()
    soundfile.write(content, sound, SOUND_RATE, subtype="PCM_16", format="WAV")
    write_atomically(path, content.getbuffer())


def _speaker(seed: int, subject: int, strangeness: float) -> _Speaker:
    rng = random_stream(seed, subject, PERSON, VOICE)
    own = random_stream(seed, subject, STRANGE, VOICE)
    pitch, pace = np.exp(strangeness * own.normal(0, (_OWN_PITCH, _OWN_RATE))).tolist()
    gain = strangeness * own.normal(0, _OWN_GAIN_DB)
    high = rng.random() < 0.5  # a higher voice goes with a shorter vocal tract
    return _Speaker(
        pitch=pitch * (rng.normal(200, 16) if high else rng.normal(118, 11)),
        formants=rng.normal(1.16, 0.03) if high else rng.normal(1.0, 0.03),
        liveliness=min(1.3, max(0.75, rng.normal(1.0, 0.12))),
        gain=rng.normal(-16.0, 1.5) + gain,
        brightness=rng.normal(0.0, 0.6),
        room=rng.normal(-58.0, 2.0),
        emotions=own_table(_EMOTIONS, own, strangeness * _OWN_EFFECT),
        pace=pace,
        tone=strangeness * own.normal(0, _OWN_TONE_DB, len(_TONE_HZ)),
    )


def _speech(
    rng: np.random.Generator, speaker: _Speaker, expressed: np.ndarray, seconds: float
) -> list[_Syllable]:
    """Phrases of syllables with pauses between, each in the manner of its moment."""
    grid = np.arange(0.0, seconds + 1.0, 0.02)
    neutral = speaker.emotions[0]
    shown = emotion_weights(expressed, grid) @ (speaker.emotions - neutral)
    manner = neutral + speaker.liveliness * shown
    rate = _PROSODY.index("rate")
    manner[:, rate] = np.maximum(manner[:, rate] * speaker.pace, _LEAST_RATE)
    spread = 1 + 0.10 * rng.standard_normal()  # the day's tempo

    def prosody_at(moment: float) -> dict[str, float]:
        row = manner[min(len(grid) - 1, int(moment / 0.02))]
        return dict(zip(_PROSODY, row.tolist(), strict=True))

    said = []
    now = rng.uniform(0.05, 0.3)
    while now < seconds - 0.3:
        count = int(rng.integers(5, 12))
        for i in range(count):
            prosody = prosody_at(now)
            length = spread / prosody["rate"] * rng.uniform(0.75, 1.25)
            vowels = _VOWELS[rng.integers(len(_VOWELS), size=2)] * speaker.formants
            vowels[1] = 0.6 * vowels[0] + 0.4 * vowels[1]
            fricative = rng.uniform(0.05, 0.10) if rng.random() < 0.4 else 0.0
            said.append(_Syllable(now, length, prosody, i / count, vowels, fricative))
            now += length
            if now >= seconds - 0.2:
                return said
        share = min(0.6, max(0.04, prosody_at(now)["pause"]))
        spoken = count * spread / prosody_at(now)["rate"]
        now += spoken * share / (1 - share) * rng.uniform(0.7, 1.3)
    return said


def _sing(
    rng: np.random.Generator, speaker: _Speaker, syllable: _Syllable
) -> np.ndarray:
    """One syllable, (samples,) float64, about 0.3 rms for a neutral voice."""
    p = syllable.prosody
    n = round((syllable.seconds + _JOIN_SECONDS) * SOUND_RATE)
    t = np.arange(n) / SOUND_RATE
    position = t / t[-1]
    semitones = (
        0.5 * p["range"] * (rng.standard_normal() + 0.8 * (0.5 - syllable.phrase))
        + p["slope"] * (position - 0.5)
        + 0.12 * np.sin(2 * np.pi * rng.uniform(4.5, 6) * t + rng.uniform(0, 6))
    )
    pitch = speaker.pitch * p["pitch"] * 2 ** (semitones / 12)
    pitch = pitch.clip(60, 520)
    phase = np.cumsum(pitch / SOUND_RATE) + rng.random()
    flow = _glottal_flow(phase % 1.0)
    source = np.diff(flow, prepend=flow[0]) * (SOUND_RATE / pitch) * 0.06
    breath = 10 ** (p["breath"] / 20) * rng.standard_normal(n) * (0.4 + flow)
    source = _tilt(source + 0.6 * breath, p["brightness"] + speaker.brightness)
    glide = position * position * (3 - 2 * position)
    sound = (1 - glide) * _formants(source, syllable.vowels[0], speaker)
    sound += glide * _formants(source, syllable.vowels[1], speaker)

    attack = max(0.012, p["attack"])
    rise = (t / attack).clip(0, 1)
    fall = ((t[-1] - t) / (_JOIN_SECONDS + 0.05)).clip(0, 1)
    shape = np.sin(0.5 * np.pi * rise) * np.sin(0.5 * np.pi * fall)
    sound *= shape * (0.85 + 0.3 * rng.random())
    if syllable.fricative:
        m = min(n, round(syllable.fricative * SOUND_RATE))
        hiss = _hiss(rng, m) * np.hanning(m)
        sound[:m] = sound[:m] * np.linspace(0, 1, m) + 0.12 * hiss
    return 10 ** (p["loudness"] / 20) * sound


def _glottal_flow(phase: np.ndarray) -> np.ndarray:
    """Rosenberg's pulse: air rises for 0.4 of a period, is cut off by 0.56."""
    opening = 0.5 * (1 - np.cos(np.pi * phase / 0.40))
    closing = np.cos(0.5 * np.pi * (phase - 0.40) / 0.16)
    return np.where(phase < 0.40, opening, np.where(phase < 0.56, closing, 0.0))


def _tilt(source: np.ndarray, db_per_octave: float) -> np.ndarray:
    """Lean the spectrum about 500 Hz, three octaves each way."""
    gain = 10 ** (3 * db_per_octave / 20)
    corner = 2 * np.pi * 1400.0
    # First-order shelf: unit gain below, `gain` above.
    b, a = scipy.signal.bilinear([gain, corner], [1.0, corner], fs=SOUND_RATE)
    return scipy.signal.lfilter(b, a, source)


def _formants(source: np.ndarray, vowel: np.ndarray, speaker: _Speaker) -> np.ndarray:
    """Run the source through four resonators in a row, each of unit gain at 0 Hz."""
    centers = (*vowel.tolist(), 3500.0 * speaker.formants)
    sections = np.zeros((4, 6))
    for section, center, width in zip(sections, centers, _BANDWIDTHS, strict=True):
        radius = np.exp(-np.pi * width / SOUND_RATE)
        a1 = -2 * radius * np.cos(2 * np.pi * center / SOUND_RATE)
        section[:] = 1 + a1 + radius**2, 0, 0, 1, a1, radius**2
    return scipy.signal.sosfilt(sections, source)


def _toned(sound: np.ndarray, tone_db: np.ndarray) -> np.ndarray:
    """The sound through a microphone and a room of this response at `_TONE_HZ`."""
    n = scipy.fft.next_fast_len(len(sound), real=True)
    hertz = scipy.fft.rfftfreq(n, 1 / SOUND_RATE).clip(1.0)
    bend = np.interp(np.log(hertz), np.log(_TONE_HZ), tone_db)
    toned = scipy.fft.irfft(scipy.fft.rfft(sound, n) * 10 ** (bend / 20), n)
    return np.asarray(toned[: len(sound)])


def _hiss(rng: np.random.Generator, n: int) -> np.ndarray:
    center = rng.uniform(3500, 6500)
    b, a = scipy.signal.butter(
        2, [0.7 * center, 1.4 * center], "bandpass", fs=SOUND_RATE
    )
    return scipy.signal.lfilter(b, a, rng.standard_normal(n))


def _room_noise(rng: np.random.Generator, n: int) -> np.ndarray:
    """Ventilation and hum: noise that falls with frequency, unit scale."""
    b, a = scipy.signal.butter(1, 400, fs=SOUND_RATE)
    white = rng.standard_normal(n)
    noise = 3.0 * scipy.signal.lfilter(b, a, white) + 0.15 * white
    hum = 0.2 * np.sin(2 * np.pi * 50 * np.arange(n) / SOUND_RATE)
    return noise + hum
