"""The five emotions in class order, and how EAV writes them in names and labels."""

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

EMOTIONS = ("neutral", "sadness", "anger", "happiness", "calmness")
N_EMOTIONS = len(EMOTIONS)
TASKS = ("listening", "speaking")
MODALITIES = ("eeg", "audio", "video")
# EAV numbers its label rows 2 * emotion + task, so the odd rows are Speaking.
N_LABEL_ROWS = N_EMOTIONS * len(TASKS)
_MEDIA_NAME = re.compile(
    r"^(?P<trial>\d{3})_Trial_(?P<block>\d+)_(?P<task>Listening|Speaking)_"
    r"(?P<emotion>Neutral|Sadness|Anger|Happiness|Calmness)(?:_aud)?$",
    re.IGNORECASE,
)
# Okabe and Ito's colors, told apart with any color vision. Their black is invisible
# on the dashboard's dark ground and is replaced by a light gray.
EMOTION_COLORS = {
    "neutral": "#b9c2ce",
    "sadness": "#56b4e9",
    "anger": "#d55e00",
    "happiness": "#f0e442",
    "calmness": "#009e73",
}
EMOTION_COLOR_LIST = tuple(EMOTION_COLORS[name] for name in EMOTIONS)


def known_emotions(names: Collection[str]) -> tuple[str, ...]:
    """The emotions that a model can tell, in class order.

    Raises ValueError unless they are two or more of `EMOTIONS`, each named once.
    """
    known = tuple(name for name in EMOTIONS if name in names)
    if len(known) < 2 or len(known) != len(names):
        raise ValueError(
            f"a model knows {', '.join(map(str, names)) or 'no emotion'}; expected two "
            f"or more of {', '.join(EMOTIONS)}, each once"
        )
    return known


def mark_unknown(chances: np.ndarray, knows: Collection[str]) -> np.ndarray:
    """Probabilities (..., 5) with NaN for what a model does not know, not 0."""
    return np.where([name in knows for name in EMOTIONS], chances, np.nan).astype(
        chances.dtype
    )


@dataclass(frozen=True)
class TrialName:
    """What an EAV media file name states.

    trial: 1-based index, the only key that joins EEG, audio and video. The second
        number of the name is counted differently in video and audio and is dropped.
    """

    trial: int
    task: str
    emotion: int


def parse_media_name(stem: str) -> TrialName | None:
    """Read `002_Trial_02_Speaking_Neutral_aud`; None if the name is of another form."""
    match = _MEDIA_NAME.match(stem)
    if match is None:
        return None
    return TrialName(
        trial=int(match["trial"]),
        task=match["task"].lower(),
        emotion=EMOTIONS.index(match["emotion"].lower()),
    )


def decode_label_rows(one_hot: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn EAV's one-hot rows into classes.

    one_hot: (10, trials); row = 2 * emotion + task.
    Returns emotion (trials,) int64 and task (trials,) int64 (0 Listening, 1 Speaking).
    Raises ValueError unless every column is one-hot over ten rows.
    """
    if one_hot.ndim != 2 or one_hot.shape[0] != N_LABEL_ROWS:
        raise ValueError(
            f"labels have shape {one_hot.shape}, expected ({N_LABEL_ROWS}, trials)"
        )
    ones = np.isclose(one_hot, 1.0)
    if not (np.all(ones.sum(axis=0) == 1) and np.all(ones | np.isclose(one_hot, 0.0))):
        raise ValueError("labels are not one-hot: each trial must mark exactly one row")
    row = ones.argmax(axis=0).astype(np.int64)
    return row // 2, row % 2


def encode_label_rows(emotion: np.ndarray, task: np.ndarray) -> np.ndarray:
    """The (10, trials) one-hot matrix, uint8, of `decode_label_rows`' answer."""
    one_hot = np.zeros((N_LABEL_ROWS, len(emotion)), dtype=np.uint8)
    one_hot[2 * np.asarray(emotion) + np.asarray(task), np.arange(len(emotion))] = 1
    return one_hot


def media_name(trial: int, task: int, emotion: int, kind: str) -> str:
    """EAV's name of a medium, such as 002_Trial_02_Speaking_Neutral.mp4.

    trial: 1-based. kind: "video" or "audio". The second number counts within blocks of
    20 in video and of 10 in audio, and is no key.
    """
    block = 20 if kind == "video" else 10
    stem = (
        f"{trial:03d}_Trial_{(trial - 1) % block + 1:02d}_"
        f"{TASKS[task].capitalize()}_{EMOTIONS[emotion].capitalize()}"
    )
    return f"{stem}.mp4" if kind == "video" else f"{stem}_aud.wav"
