"""Whose voice is it? A window of speech as 192 numbers that point alike for one person.

The network is CAM++ (Wang et al. 2023, arXiv 2303.00332) as 3D-Speaker published it,
trained on some 200,000 Chinese and English speakers. It reads 80 mel bands; those are
made of the 128 that every model here reads, so that a cache has them too.
docs/new-person.md has what it is worth.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from eav_offline.common.files import asset
from eav_offline.core.window import AUDIO_RATE
from eav_offline.preprocess.audio import HOP_SAMPLES, LOG_FLOOR, MEL_RANGE, mel_scale

VOICES = "voices.onnx"
STRETCH = 3  # windows that do not overlap, of which the mean is judged at most: 15 s
# Trained on it, and with the mean over time taken out of each band.
_BANDS = 80
# What lies so far under the loudest is a pause, of which the network is not to hear.
_PAUSE_DB, _LOUDEST = 30.0, 0.95
_BESIDE = 15  # frames: so much around what is loud belongs to it
_LEAST_FRAMES = AUDIO_RATE // HOP_SAMPLES  # of a window that says anything: one second


class VoicePrints:
    """Says of windows of speech whose they are. network: assets/voices.onnx."""

    def __init__(self, network: Path) -> None:
        import onnxruntime  # only where somebody's voice is asked for

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._network = onnxruntime.InferenceSession(
            str(network), options, providers=["CPUExecutionProvider"]
        )

    def of(self, log_mel: np.ndarray) -> np.ndarray | None:
        """(192,) float32 of length one; None where there is less than a second of it.

        log_mel: (frames, 128), see `preprocess.audio.log_mel`.
        """
        bands = spoken_bands(log_mel)
        if len(bands) < _LEAST_FRAMES:
            return None
        (numbers,) = self._network.run(None, {"bands": bands[None]})[0]
        return np.asarray(numbers / np.linalg.norm(numbers))


@lru_cache(maxsize=1)
def voice_prints() -> VoicePrints:
    """What says whose a voice is, read once."""
    return VoicePrints(asset(VOICES))


def spoken_bands(log_mel: np.ndarray) -> np.ndarray:
    """What the network reads: (frames, 80) float32 of the frames that are no pause.

    log_mel: (frames, 128), natural logarithms of power.
    """
    power = np.exp(log_mel.astype(np.float64))
    loudness = power.sum(axis=1)
    least = np.quantile(loudness, _LOUDEST) * 10 ** (-_PAUSE_DB / 10)
    least = max(least, 2 * LOG_FLOOR * log_mel.shape[1])  # of sound, not of its lack
    spoken = np.convolve(loudness > least, np.ones(_BESIDE), "same") > 0
    if not spoken.any():
        return np.zeros((0, _BANDS), np.float32)
    bands = np.log(np.maximum(power[spoken] @ _coarser(log_mel.shape[1]), LOG_FLOOR))
    return (bands - bands.mean(axis=0)).astype(np.float32)


def likeness(known: np.ndarray, heard: Sequence[np.ndarray]) -> float:
    """Cosine, -1 to 1, of the mean of what was heard and the day that is likest.

    known: (days, 192); heard: windows of one voice, (192,) each.
    """
    mean = np.mean(heard, axis=0)
    lengths = np.linalg.norm(known, axis=1) * np.linalg.norm(mean)
    return float((known @ mean / lengths).max())


@lru_cache(maxsize=1)
def _coarser(n: int) -> np.ndarray:
    """(n, 80): power in n mel bands to 80 triangles over the same range.

    Each is a line between the centers of n finer bands, which sum up to it.
    """
    low, high = mel_scale(np.array(MEL_RANGE))
    centers = np.linspace(low, high, n + 2)[1:-1, None]
    corners = np.linspace(low, high, _BANDS + 2)
    rise = (centers - corners[:-2]) / (corners[1:-1] - corners[:-2])
    fall = (corners[2:] - centers) / (corners[2:] - corners[1:-1])
    return np.maximum(0.0, np.minimum(rise, fall))
