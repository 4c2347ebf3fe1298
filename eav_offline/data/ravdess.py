"""Acted speech (RAVDESS, Livingstone & Russo 2018) as five-second windows."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.window import AUDIO_RATE, AUDIO_SAMPLES
from eav_offline.data.labelled import LabelledWindows, speech_windows
from eav_offline.data.media import read_audio
from eav_offline.preprocess.audio import HOP_SAMPLES, log_mel, resample

MANIFEST = "manifest.csv"
_COLUMNS = {"file", "actor", "eav_class"}
# The studio's clips begin and end with about a second of silence, which says nothing
# of the emotion: what lies 40 dB below the loudest frame goes.
_SILENCE_DB = 40.0
_FRAME = 2 * HOP_SAMPLES + HOP_SAMPLES // 2  # 25 ms
_LEAD, _TAIL = 5, 10  # frames of 10 ms kept before and after


class RavdessError(InputRefused):
    """The folder does not hold the clips that its manifest lists."""


def read_speakers(
    folder: Path, actors: Sequence[int] | None = None
) -> list[LabelledWindows]:
    """One set of windows for each actor, in the order of their numbers.

    folder: has manifest.csv, whose columns file, actor and eav_class are read. actors:
    those wanted, all if None. Every clip becomes one window, trimmed and centred (see
    `five_seconds`). Raises RavdessError if a file or a column is missing.
    """
    clips = _clips(folder)
    wanted = sorted(clips) if actors is None else sorted(actors)
    missing = [actor for actor in wanted if actor not in clips]
    if missing or not wanted:
        raise RavdessError(
            f"{folder / MANIFEST} lists no clip of actors "
            f"{', '.join(map(str, missing)) or '(none at all)'}; give the folder that "
            "holds all actors"
        )
    return [_speaker(actor, clips[actor]) for actor in wanted]


def five_seconds(wave: np.ndarray) -> np.ndarray:
    """Trim the silence at both ends and centre the rest in five seconds of zeros.

    wave: (samples,) float32 at 16 kHz; of a longer one the middle is kept. Returns
    (80000,) float32.
    """
    return centred(wave)[0]


def centred(wave: np.ndarray) -> tuple[np.ndarray, float]:
    """`five_seconds`, and when in them the clip began, seconds; negative if before."""
    first, stop = _speech(wave)
    surplus = max(0, stop - first - AUDIO_SAMPLES)
    first += surplus // 2
    speech = wave[first : min(stop, first + AUDIO_SAMPLES)]
    lacking = AUDIO_SAMPLES - len(speech)
    before = lacking // 2
    padded = np.pad(speech, (before, lacking - before)).astype(np.float32)
    return padded, (before - first) / AUDIO_RATE


def _speaker(actor: int, clips: list[tuple[Path, int]]) -> LabelledWindows:
    mels = []
    for path, _ in clips:
        wave, rate = read_audio(path)
        mels.append(log_mel(five_seconds(resample(wave, rate)), AUDIO_RATE))
    emotion = np.array([number for _, number in clips], dtype=np.int64)
    return speech_windows(actor, np.stack(mels), emotion)


def _clips(folder: Path) -> dict[int, list[tuple[Path, int]]]:
    """By actor: the clips and their classes."""
    manifest = folder / MANIFEST
    names = {name.casefold(): number for number, name in enumerate(EMOTIONS)}
    clips: dict[int, list[tuple[Path, int]]] = {}
    try:
        with manifest.open(encoding="utf-8", newline="") as lines:
            table = csv.DictReader(lines)
            lacking = _COLUMNS - set(table.fieldnames or ())
            if lacking:
                raise RavdessError(
                    f"{manifest} has no column {', '.join(sorted(lacking))}; it needs "
                    f"{', '.join(sorted(_COLUMNS))}"
                )
            for row in table:
                path, emotion = folder / row["file"], row["eav_class"].casefold()
                if emotion not in names:
                    raise RavdessError(
                        f"{manifest} calls {row['file']} {row['eav_class']!r}; the "
                        f"classes are {', '.join(EMOTIONS)}"
                    )
                clips.setdefault(int(row["actor"]), []).append((path, names[emotion]))
    except OSError as error:
        raise RavdessError(
            f"{manifest} cannot be read ({error.strerror}); give the folder with the "
            "clips of RAVDESS and their manifest.csv"
        ) from error
    return clips


def _speech(wave: np.ndarray) -> tuple[int, int]:
    """The first sample of what is not silence at the ends, and the one after it."""
    if len(wave) < _FRAME:
        return 0, len(wave)
    frames = np.lib.stride_tricks.sliding_window_view(wave, _FRAME)[::HOP_SAMPLES]
    power = np.square(frames, dtype=np.float64).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (-_SILENCE_DB / 10))
    if len(loud) == 0:  # digital silence throughout
        return 0, len(wave)
    first = max(0, int(loud[0]) - _LEAD) * HOP_SAMPLES
    return first, min(len(wave), (int(loud[-1]) + _TAIL) * HOP_SAMPLES)
