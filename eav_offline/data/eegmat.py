"""Rest and mental arithmetic (EEGMAT, Zyma et al. 2019) as five-second windows."""

import re
from pathlib import Path

import numpy as np

from eav_offline.common.errors import InputRefused
from eav_offline.core.window import EEG_CHANNELS, N_CHANNELS, WINDOW_SECONDS
from eav_offline.data.labelled import LabelledWindows, eeg_windows
from eav_offline.preprocess.eeg import band_limit

TASKS = ("rest", "arithmetic")  # class 0 and 1; recording _1 and _2 of a person
CONTEXT_SECONDS = 10.0  # settles the filter, as in recorded and live windows of EAV
_OLD_NAMES = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}
_LEAST_ELECTRODES = 4  # splines through fewer mean nothing
_NAME = re.compile(r"^Subject(\d+)_([12])\.edf$", re.IGNORECASE)


class EegmatError(InputRefused):
    """The folder does not hold both recordings of every person, or one is damaged."""


def read_people(folder: Path) -> list[LabelledWindows]:
    """One set of windows for each person, in the order of their numbers.

    folder: has Subject00_1.edf (rest) and Subject00_2.edf (arithmetic) and so on.
    Windows follow each other without overlap; `trial` is 1 or 2, for the recording.
    Raises EegmatError.
    """
    recordings: dict[int, dict[int, Path]] = {}
    for path in sorted(folder.glob("*.edf")):
        match = _NAME.match(path.name)
        if match:
            recordings.setdefault(int(match[1]), {})[int(match[2])] = path
    torn = [person for person, both in recordings.items() if len(both) < len(TASKS)]
    if torn or not recordings:
        raise EegmatError(
            f"{folder} has no pair of recordings SubjectNN_1.edf (rest) and "
            f"SubjectNN_2.edf (arithmetic) of "
            f"{', '.join(f'Subject{p:02}' for p in torn) or 'anybody'}"
        )
    return [_person(person, both) for person, both in sorted(recordings.items())]


def read_recording(path: Path) -> tuple[np.ndarray, float]:
    """All 30 electrodes of an EDF file: (30, samples) float32 µV, and the rate in Hz.

    Old electrode names are understood, channels that are no electrode of EAV left out.
    Missing electrodes are interpolated with spherical splines. Raises EegmatError if
    the file cannot be read or has fewer than four of the electrodes.
    """
    import mne  # a second of import

    try:
        recorded = mne.io.read_raw_edf(path, preload=True, verbose="error")
    except (OSError, ValueError, RuntimeError) as error:
        raise EegmatError(f"{path} cannot be read as EDF: {error}") from error
    names = [_electrode(label) for label in recorded.ch_names]
    present = [name for name in EEG_CHANNELS if name in names]
    if len(present) < _LEAST_ELECTRODES:
        raise EegmatError(
            f"{path} has {len(present)} of the {N_CHANNELS} electrodes "
            f"({', '.join(recorded.ch_names)}); at least {_LEAST_ELECTRODES} are needed"
        )
    volts = np.zeros((N_CHANNELS, recorded.n_times))
    volts[[EEG_CHANNELS.index(name) for name in present]] = recorded.get_data(
        picks=[names.index(name) for name in present]
    )
    rate = float(recorded.info["sfreq"])
    info = mne.create_info(list(EEG_CHANNELS), rate, ch_types="eeg")
    full = mne.io.RawArray(volts, info, verbose="error")
    full.set_montage("standard_1005", verbose="error")
    full.info["bads"] = [name for name in EEG_CHANNELS if name not in present]
    if full.info["bads"]:
        full.interpolate_bads(verbose="error")
    return (full.get_data() * 1e6).astype(np.float32), rate


def cut_windows(eeg_uv: np.ndarray, rate: float) -> np.ndarray:
    """Filtered windows that follow each other: (n, 30, 500) float32 µV at 100 Hz.

    eeg_uv: (30, samples) at `rate` Hz. Each window is filtered from up to ten seconds
    before it; what is left over at the end is dropped.
    """
    step, context = round(WINDOW_SECONDS * rate), round(CONTEXT_SECONDS * rate)
    ends = range(step, eeg_uv.shape[1] + 1, step)
    windows = [
        band_limit(eeg_uv[:, max(0, end - step - context) : end], rate) for end in ends
    ]
    return np.stack(windows)


def _person(person: int, both: dict[int, Path]) -> LabelledWindows:
    eeg, trial, position = [], [], []
    for number in sorted(both):
        windows = cut_windows(*read_recording(both[number]))
        eeg.append(windows)
        trial.append(np.full(len(windows), number))
        position.append(np.arange(len(windows)))
    trials = np.concatenate(trial)
    return eeg_windows(
        person, np.concatenate(eeg), trials, np.concatenate(position), trials - 1
    )


def _electrode(label: str) -> str:
    name = re.sub(r"^EEG\s+", "", label.strip(), flags=re.IGNORECASE)
    name = _OLD_NAMES.get(name, name)
    return name
