"""Every fault of every subject of an EAV root, found by looking at every file.

What follows from a fault is decided by the reader (`eav_offline.data.eav.subject`):
faults without a trial number refuse the subject, except unknown files, a missing media
folder and a flat electrode; faults of one trial cost that trial, except that missing
media leave out one modality, and a video that lacks only its very last frames is used.
"""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import numpy as np

from eav_offline.core.labels import N_LABEL_ROWS
from eav_offline.core.window import EEG_CHANNELS
from eav_offline.data.dataset import IMPORTED_FILE, Fault, require_subjects
from eav_offline.data.eav.files import (
    TRIAL_SECONDS,
    DatasetError,
    SubjectFiles,
    only_file,
    read_eeg,
    read_trial_audio,
    require_video,
)
from eav_offline.data.eav.subject import look_over, misnamed_folders, subject_folders

FLAT_UV = 1e-3  # an electrode that moves less than this in 20 s is not connected


def check_root(
    root: Path,
    subjects: Collection[int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Fault]:
    """All faults of all subjects (or those given), by subject and trial; none is [].

    progress: called with (subjects done, subjects in all).
    Raises DatasetError if the root is no folder, or holds no subject or not those
    asked for.
    """
    folders = subject_folders(root)
    require_subjects(subjects, [number for number, _ in folders], root)
    if subjects is not None:
        folders = [(n, path) for n, path in folders if n in subjects]
    faults = [
        Fault(number, None, "misnamed-folder", f"{root}: {hint}")
        for number, hint in misnamed_folders(root).items()
    ]
    for done, (number, path) in enumerate(folders):
        if progress is not None:
            progress(done, len(folders))
        twins = [other.name for n, other in folders if n == number and other != path]
        if twins:
            faults.append(
                Fault(
                    number,
                    None,
                    "duplicate-subject",
                    f"{path}: {', '.join(twins)} is subject {number} too; keep one, "
                    "move or rename the other",
                )
            )
        faults += check_subject(path, number)
    if progress is not None:
        progress(len(folders), len(folders))
    return faults


def check_subject(path: Path, number: int) -> list[Fault]:
    """All faults of one subject's folder, those of the whole subject first."""
    faults = [Fault(number, *fault) for fault in _subject_faults(path)]
    return sorted(faults, key=lambda fault: (fault.trial or 0, fault.code))


_Found = tuple[int | None, str, str]  # trial, code, message


def _subject_faults(path: Path) -> Iterator[_Found]:
    found = look_over(path)
    files, labels = found.files, found.labels
    for folder in files.missing:
        yield None, "missing-folder", f"{path} has no folder {folder}; copy it"
    for file in files.unknown:
        yield (
            None,
            "unknown-file",
            f"{file} is not named as EAV names its files, so it is not used",
        )
    for fault in found.faults:
        if "EEG" not in files.missing:
            yield None, fault.code, str(fault)
    if found.eeg is not None:
        try:
            yield from _signal_faults(found.eeg[0], read_eeg(*found.eeg))
        except DatasetError as error:
            yield None, error.code, str(error)
    for trial, message in found.contradictions:
        yield trial, "label-contradiction", f"{path.name}/{message}"

    counts = [found.shape[2]] if found.shape else []
    counts += [] if labels is None else [len(labels[0])]
    n_trials = min(counts, default=0) or None
    # A recorded session may have any number of trials.
    if (
        n_trials is not None
        and len(set(counts)) == 1
        and n_trials % N_LABEL_ROWS
        and not (path / IMPORTED_FILE).is_file()
    ):
        yield (
            None,
            "trial-count",
            f"{path} has {n_trials} trials, expected 200 or another multiple of "
            f"{N_LABEL_ROWS} (five emotions, two tasks); part of it is missing",
        )
    yield from _missing_media(path, files, n_trials, labels)
    yield from _damaged_media(files)


def _signal_faults(path: Path, eeg: np.ndarray) -> Iterator[_Found]:
    """NaN by trial; flat electrodes by trial, or once if flat throughout."""
    broken = np.stack([~np.isfinite(trial).all(axis=1) for trial in eeg])
    flat = np.stack([np.ptp(trial, axis=1) < FLAT_UV for trial in eeg])
    for trial, channels in enumerate(broken, start=1):
        if channels.any():
            yield (
                trial,
                "nan-eeg",
                f"{path}: trial {trial} holds values that are not numbers in "
                f"{_channel_names(channels)}",
            )
    always: np.ndarray = np.asarray(flat.all(axis=0))
    if always.any():
        yield (
            None,
            "flat-eeg",
            f"{path}: {_channel_names(always)} is constant in every trial; the "
            "electrode recorded nothing",
        )
    for trial, channels in enumerate(flat & ~always, start=1):
        if channels.any():
            yield (
                trial,
                "flat-eeg",
                f"{path}: {_channel_names(channels)} is constant in trial {trial}",
            )


def _missing_media(
    path: Path,
    files: SubjectFiles,
    n_trials: int | None,
    labels: tuple[np.ndarray, np.ndarray] | None,
) -> Iterator[_Found]:
    """Speaking trials without sound or video, and media of trials that do not exist.

    Listening videos are wanted only where the subject has some: a set without any is
    complete for speaking.
    """
    stated = {name.trial: name.task for _, name in files.media()}
    if labels is not None:
        tasks = labels[1][:n_trials]
        speaking = {int(t) + 1 for t in np.flatnonzero(tasks == 1)}
        listening = {int(t) + 1 for t in np.flatnonzero(tasks == 0)}
    elif n_trials is not None:  # no labels: EAV's even trials are Speaking
        speaking = set(range(2, n_trials + 1, 2))
        listening = set(range(1, n_trials + 1, 2))
    else:
        speaking = {trial for trial, task in stated.items() if task == "speaking"}
        listening = set()
    wanted_video = speaking | (listening if listening & files.video.keys() else set())
    for kind, wanted, there in (
        ("Video", wanted_video, files.video),
        ("Audio", speaking, files.audio),
    ):
        if kind in files.missing:
            continue
        for trial in sorted(wanted - there.keys()):
            yield (
                trial,
                f"missing-{kind.lower()}",
                f"{path}/{kind} has no file for trial {trial} (a name that begins with "
                f"{trial:03d}); copy it from the dataset",
            )
    if n_trials is not None:
        for trial in sorted(t for t in stated if not 1 <= t <= n_trials):
            yield (
                trial,
                "trial-without-eeg",
                f"{path} has media of trial {trial}, but EEG or labels end at "
                f"{n_trials}",
            )


def _damaged_media(files: SubjectFiles) -> Iterator[_Found]:
    for by_trial in (files.video, files.audio):
        for trial, paths in by_trial.items():
            try:
                only_file(by_trial, trial)
            except DatasetError as error:
                yield trial, error.code, str(error)
            for path in paths:
                try:
                    if by_trial is files.video:
                        require_video(path, TRIAL_SECONDS)
                    else:
                        read_trial_audio(path)
                except DatasetError as error:
                    yield trial, error.code, str(error)


def _channel_names(chosen: np.ndarray) -> str:
    numbers = np.flatnonzero(chosen)
    if len(chosen) != len(EEG_CHANNELS):  # reported as wrong-channels already
        return "channel " + ", ".join(str(i + 1) for i in numbers)
    return ", ".join(EEG_CHANNELS[i] for i in numbers)
