"""Is anyone speaking? Silero's detector, fed with the sound that each hop brings.

Silero VAD 6.2 (Silero Team, github.com/snakers4/silero-vad; MIT, see NOTICE) says of
each 32 ms how probably it is speech, from the 4 ms before and a recurrent state. The
file holds its network for 16 kHz, which takes any number of such chunks in one call.
"""

from collections import deque
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import scipy

from eav_live.recognition.assets import asset
from eav_live.windows.rings import SampleRing, Stretch
from eav_offline.core.window import AUDIO_RATE, WINDOW_SECONDS

if TYPE_CHECKING:
    import onnxruntime

SPEECH_MODEL = "silero_vad.onnx"
CHUNK_SAMPLES, CONTEXT_SAMPLES = 512, 64  # at 16 kHz, what the network was trained on
BEGINS, ENDS = 0.5, 0.35  # probabilities, as the detector's authors advise
_STATE = (1, 1, 128)
_WINDOW_CHUNKS = int(WINDOW_SECONDS * AUDIO_RATE) // CHUNK_SAMPLES
_LONGEST_GRID = 1000  # samples at the source after which one falls on one at 16 kHz


class SpeechShare:
    """How much of a sliding window is speech. Hears only what is new in each window."""

    def __init__(self) -> None:
        self._ring: SampleRing | None = None
        self._stop = 0
        self._detector = SpeechDetector(AUDIO_RATE)
        self._spoken: deque[bool] = deque(maxlen=_WINDOW_CHUNKS)

    def of(self, ring: SampleRing, sound: Stretch) -> float:
        """The share of `sound` that is speech, 0 to 1.

        sound: what `ring` holds of a window, all numbers. Where it does not go on from
        the window before, as after a gap, the detector begins anew.
        """
        new = sound.stop - self._stop
        if ring is not self._ring or not 0 <= new < len(sound.values):
            self._detector = SpeechDetector(sound.rate)
            self._spoken.clear()
            new = len(sound.values)
        self._ring, self._stop = ring, sound.stop
        audio = sound.values[len(sound.values) - new :, 0]
        self._spoken.extend(self._detector.hear(audio))
        return float(np.mean(self._spoken)) if self._spoken else 0.0


class SpeechDetector:
    """Says of a stream of sound, piece by piece, which 32 ms of it are speech.

    rate: of the sound, Hz. How the sound is divided into pieces changes nothing.
    """

    def __init__(self, rate: float) -> None:
        self._resampler = _Resampler(rate)
        self._sound = np.zeros(CONTEXT_SAMPLES, dtype=np.float32)
        self._states = np.zeros(_STATE, np.float32), np.zeros(_STATE, np.float32)
        self._speaking = False

    def hear(self, sound: np.ndarray) -> list[bool]:
        """Of each 32 ms that the sound completes, whether it is speech.

        sound: what follows on the piece before, (samples,) float32 in [-1, 1].
        """
        return [self._decided(chance) for chance in self.chances(sound)]

    def chances(self, sound: np.ndarray) -> np.ndarray:
        """As `hear`, the probabilities of speech (chunks,) float32."""
        self._sound = np.concatenate([self._sound, self._resampler.resample(sound)])
        n = (len(self._sound) - CONTEXT_SAMPLES) // CHUNK_SAMPLES
        if n == 0:
            return np.zeros(0, dtype=np.float32)
        chunks = np.lib.stride_tricks.sliding_window_view(
            self._sound, CONTEXT_SAMPLES + CHUNK_SAMPLES
        )[::CHUNK_SAMPLES]
        h, c = self._states
        asked = {"input": np.ascontiguousarray(chunks), "h": h, "c": c}
        chances, *states = _network().run(["speech_probs", "hn", "cn"], asked)
        self._states = states[0], states[1]
        self._sound = self._sound[n * CHUNK_SAMPLES :].copy()
        return chances

    def _decided(self, chance: float) -> bool:
        self._speaking = chance >= (ENDS if self._speaking else BEGINS)
        return self._speaking


class _Resampler:
    """Brings sound to 16 kHz piece by piece, as all of it at once would be."""

    def __init__(self, rate: float) -> None:
        ratio = Fraction(AUDIO_RATE / rate).limit_denominator(_LONGEST_GRID)
        self._up, self._down = ratio.numerator, ratio.denominator
        # SciPy's kernel: ten periods of the lower rate on each side.
        self._reach = 1 + ceil(10 * max(self._up, self._down) / self._up)
        self._kept = np.zeros(0, dtype=np.float32)
        self._given = 0  # samples at 16 kHz of what is kept that were returned

    def resample(self, sound: np.ndarray) -> np.ndarray:
        """All samples (n,) float32 that no later sound can change."""
        if self._up == self._down:
            return sound.astype(np.float32, copy=False)
        up, down = self._up, self._down
        self._kept = np.concatenate([self._kept, sound.astype(np.float32, copy=False)])
        ready = max(self._given, (len(self._kept) - self._reach) * up // down)
        new = scipy.signal.resample_poly(self._kept, up, down)[self._given : ready]
        # From a sample that falls on one at 16 kHz, and that the kernel needs no more.
        grid = max(0, ready * down // up - self._reach) // down
        self._kept = self._kept[grid * down :]
        self._given = ready - grid * up
        return new.astype(np.float32, copy=False)


@lru_cache(maxsize=1)
def _network() -> "onnxruntime.InferenceSession":
    """Silero's network, on the thread that asks: a hop of it takes about 1 ms."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        asset(SPEECH_MODEL), options, providers=["CPUExecutionProvider"]
    )
