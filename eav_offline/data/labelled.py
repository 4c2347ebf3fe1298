"""Windows of one person from a data set that is not EAV and has one modality."""

from dataclasses import dataclass

import numpy as np

from eav_offline.core.labels import MODALITIES
from eav_offline.core.window import EEG_SAMPLES, N_CHANNELS, N_FRAMES
from eav_offline.preprocess.audio import N_MEL_FRAMES, N_MELS


@dataclass(frozen=True)
class LabelledWindows:
    """What training reads of a person; modalities that were not recorded are zero.

    The fields are those of `data.window_set.PreparedWindows`; `emotion` is a class
    number, whatever the classes of the data set mean.
    """

    subject: int
    eeg: np.ndarray
    log_mel: np.ndarray
    faces: np.ndarray
    trial: np.ndarray
    position: np.ndarray
    emotion: np.ndarray
    present: np.ndarray
    synthetic: bool = False


def speech_windows(
    subject: int, log_mel: np.ndarray, emotion: np.ndarray
) -> LabelledWindows:
    """Sound alone: log_mel (n, 498, 128), emotion (n,); each window its own trial."""
    n = len(log_mel)
    return LabelledWindows(
        subject=subject,
        eeg=_nothing(n, N_CHANNELS, EEG_SAMPLES),
        log_mel=log_mel,
        faces=_no_faces(n),
        trial=np.arange(1, n + 1),
        position=np.zeros(n, dtype=np.int64),
        emotion=emotion,
        present=_only("audio", n),
    )


def eeg_windows(
    subject: int,
    eeg_uv: np.ndarray,
    trial: np.ndarray,
    position: np.ndarray,
    emotion: np.ndarray,
) -> LabelledWindows:
    """EEG alone: eeg_uv (n, 30, 500) µV; trial, position and emotion (n,)."""
    n = len(eeg_uv)
    return LabelledWindows(
        subject=subject,
        eeg=eeg_uv,
        log_mel=_nothing(n, N_MEL_FRAMES, N_MELS),
        faces=_no_faces(n),
        trial=trial,
        position=position,
        emotion=emotion,
        present=_only("eeg", n),
    )


def _nothing(*shape: int) -> np.ndarray:
    return np.broadcast_to(np.float32(0), shape)  # takes no memory


def _no_faces(n: int) -> np.ndarray:
    return np.broadcast_to(np.uint8(0), (n, N_FRAMES, 1, 1, 3))


def _only(modality: str, n: int) -> np.ndarray:
    return np.tile(np.array([m == modality for m in MODALITIES]), (n, 1))
