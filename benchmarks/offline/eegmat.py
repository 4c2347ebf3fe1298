"""The EEG encoder on real EEG of unknown people, beside a linear model.

Rest and mental arithmetic (EEGMAT, Zyma et al. 2019) as five-second windows.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter1d

from benchmarks.offline.contest import (
    Answers,
    add_array,
    by_person,
    encoder_answers,
    joined,
    linear_answers,
    summary,
)
from eav_offline.common.errors import InputRefused, SourceRefused
from eav_offline.common.files import package_versions
from eav_offline.config import Config
from eav_offline.core.electrodes import Channel, map_channels
from eav_offline.core.window import (
    EEG_BANDS,
    EEG_RATE,
    EEG_SAMPLES,
    N_CHANNELS,
    WINDOW_SECONDS,
)
from eav_offline.data.dataset import LabeledWindows, eeg_windows
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.models.baselines.features import log_band_power
from eav_offline.preprocess.eeg import band_limit

OURS, BASELINE = "EEG encoder", "log band power + logistic regression"
PLAIN, STANDARDIZED = "plain", "standardized"
_SMOOTHED = EEG_SAMPLES // EEG_RATE  # bins of the spectrum in 1 Hz
TASKS = ("rest", "arithmetic")  # class 0 and 1; recording _1 and _2 of a person
CONTEXT_SECONDS = 10.0  # settles the filter, as in recorded and live windows of EAV
_NAME = re.compile(r"^Subject(\d+)_([12])\.edf$", re.IGNORECASE)


def bench_eegmat(data: Path, config: Config, seeds: int = 5) -> dict[str, Any]:
    """Tell rest from arithmetic in people left out one by one; figures for JSON.

    Under `standardized` what is a person's own is taken out first, without labels but
    with all of that person's windows: for the linear model each feature's mean and
    deviation, for the encoder each electrode's spectrum. Rest has three times the
    windows: balanced accuracy counts, of which 0.5 is chance. The encoder's head
    has five outputs; the first two stand for the two tasks, the others do not count.
    """
    windows = window_set(read_people(data))
    eeg_uv = windows.array("eeg", np.arange(len(windows)))
    features = log_band_power(eeg_uv).reshape(len(windows), -1)
    scaled = add_array(windows, "eeg", even_spectrum(eeg_uv, windows.subject))
    own = by_person(features, windows.subject)
    settings = {PLAIN: (windows, features), STANDARDIZED: (scaled, own)}
    figures: dict[str, Any] = {
        "synthetic": False,
        "n_people": len(windows.sources),
        "n_windows": len(windows),
        "majority_share": float(np.bincount(windows.emotion).max() / len(windows)),
        "seeds": list(range(seeds)),
    }
    for name, (these, theirs) in settings.items():
        answers = _leave_one_out(these, theirs, config, range(seeds))
        figures[name] = summary(answers, OURS, BASELINE, "balanced_accuracy")
    return figures | {"versions": package_versions()}


def _leave_one_out(
    windows: WindowSet, features: np.ndarray, config: Config, seeds: Sequence[int]
) -> dict[str, Answers]:
    found: dict[str, list[Answers]] = {OURS: [], BASELINE: []}
    for person in np.unique(windows.subject):
        test = windows.subject == person
        found[OURS].append(
            encoder_answers("eeg", windows, ~test, test, config, seeds, len(TASKS))
        )
        found[BASELINE].append(
            linear_answers(features, windows, ~test, test, balanced=True)
        )
    return {name: joined(parts) for name, parts in found.items()}


def even_spectrum(eeg_uv: np.ndarray, person: np.ndarray) -> np.ndarray:
    """(n, 30, 500) in which all of a person's windows together have a flat spectrum.

    Each electrode's amplitudes are divided by the root of the person's mean power at
    that frequency, smoothed over 1 Hz, so that what a window has more or less of than
    the person's others is left. Nothing is left outside the bands of the features.
    """
    edges = [edge for band in EEG_BANDS.values() for edge in band]
    frequency = np.fft.rfftfreq(EEG_SAMPLES, 1 / EEG_RATE)
    kept = (frequency >= min(edges)) & (frequency <= max(edges))
    spectrum = np.fft.rfft(eeg_uv, axis=-1)
    for one in np.unique(person):
        rows = person == one
        power = np.square(np.abs(spectrum[rows])).mean(0)  # (30, 251)
        power = uniform_filter1d(power, _SMOOTHED, axis=-1)
        spectrum[rows] *= kept / np.sqrt(np.maximum(power, 1e-12))
    flat = np.fft.irfft(spectrum, EEG_SAMPLES, axis=-1)
    return (flat / flat.std()).astype(np.float32)


class EegmatError(InputRefused):
    """The folder does not hold both recordings of every person, or one is damaged."""


def read_people(folder: Path) -> list[LabeledWindows]:
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
    channels = [Channel(label, unit="volts") for label in recorded.ch_names]
    try:
        montage = map_channels(channels, max_missing=N_CHANNELS, stream=str(path))
    except SourceRefused as error:
        raise EegmatError(str(error)) from error
    eeg_uv = montage.apply(recorded.get_data().T).T
    return np.ascontiguousarray(eeg_uv), float(recorded.info["sfreq"])


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


def _person(person: int, both: dict[int, Path]) -> LabeledWindows:
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
