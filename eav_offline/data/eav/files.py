"""The files of one EAV subject: which are there, and reading or refusing each kind.

    subject1/Video/001_Trial_01_Listening_Neutral.mp4
             Audio/002_Trial_02_Speaking_Neutral_aud.wav
             EEG/subject1_eeg.mat  EEG/subject1_eeg_label.mat

The three leading digits of a media name are the trial, and nothing else joins the
modalities. A fault of the whole subject raises DatasetError; one of a single trial
raises TrialError.

Reading MATLAB files of both kinds: v5 through scipy, v7.3 through HDF5.
"""

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from scipy import io
from scipy.io.matlab import MatReadError

from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import (
    EMOTIONS,
    N_LABEL_ROWS,
    TASKS,
    TrialName,
    decode_label_rows,
    parse_media_name,
)
from eav_offline.core.window import EEG_CHANNELS, FRAME_RATE, N_CHANNELS
from eav_offline.data.media import MediaError, packet_times, read_audio

TRIAL_SECONDS = 20.0
TRIAL_EEG_RATE = 500.0  # Hz
TRIAL_EEG_SAMPLES = round(TRIAL_SECONDS * TRIAL_EEG_RATE)  # 10,000
TRIAL_VIDEO_RATE = 30.0  # frames a second, as released; others are read as well
# Five frames a second are kept; what comes after the last of them is not looked at.
VIDEO_NEEDED = TRIAL_SECONDS - 1 / FRAME_RATE + 1 / TRIAL_VIDEO_RATE
KEPT_FRAMES = round(TRIAL_SECONDS * FRAME_RATE)  # 100
EEG_VARIABLES = ("seg1", "seg")  # 31 and 11 subjects of the release
LABEL_VARIABLE = "label"


class DatasetError(InputRefused):
    """A subject that cannot be used; `code` names the kind of fault.

    The message says what was found, what was expected and what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)  # both, so that it survives pickling
        self.code = code

    def __str__(self) -> str:
        return str(self.args[1])


class TrialError(DatasetError):
    """One trial that cannot be used; the subject's others can."""


@dataclass(frozen=True)
class SubjectFiles:
    """What lies in a subject's folders, not yet opened.

    video, audio: files by trial number; more than one for a trial is a fault.
    eeg, labels: candidates for the two MATLAB files. unknown: files of other names.
    missing: those of the folders Video, Audio and EEG that are not there.
    """

    video: dict[int, list[Path]]
    audio: dict[int, list[Path]]
    eeg: list[Path]
    labels: list[Path]
    unknown: list[Path]
    missing: tuple[str, ...]

    def media(self) -> Iterator[tuple[Path, TrialName]]:
        """Every well-named media file with what its name states, by trial."""
        for by_trial in (self.video, self.audio):
            for trial in sorted(by_trial):
                for path in by_trial[trial]:
                    stated = parse_media_name(path.stem)
                    assert stated is not None
                    yield path, stated


def scan_subject(path: Path) -> SubjectFiles:
    """List a subject's files by folder and trial, without opening any."""
    folders: dict[str, list[Path]] = {"video": [], "audio": [], "eeg": []}
    if not path.is_dir():
        raise DatasetError("no-folder", f"{path} is not a folder; give a subject's")
    for folder in sorted(path.iterdir()):
        if folder.is_dir() and folder.name.lower() in folders:
            folders[folder.name.lower()] += sorted(
                p for p in folder.iterdir() if p.is_file() and not _is_clutter(p.name)
            )
    present = {p.name.lower() for p in path.iterdir() if p.is_dir()}
    unknown: list[Path] = []
    mats = [p for p in folders["eeg"] if p.suffix.lower() == ".mat"]
    labels = [p for p in mats if p.stem.lower().endswith("label")]
    eeg = [p for p in mats if p.stem.lower().endswith("eeg")]
    unknown += [p for p in mats if p not in labels and p not in eeg]
    return SubjectFiles(
        video=_by_trial(folders["video"], ".mp4", unknown),
        audio=_by_trial(folders["audio"], ".wav", unknown),
        eeg=eeg,
        labels=labels,
        unknown=unknown,
        missing=tuple(n for n in ("Video", "Audio", "EEG") if n.lower() not in present),
    )


def single_file(found: list[Path], path: Path, kind: str, expected: str) -> Path:
    """The one candidate there must be, or DatasetError."""
    if len(found) == 1:
        return found[0]
    if not found:
        raise DatasetError(
            "missing-file",
            f"{path} has no {kind}; expected EEG/{expected}. Copy it from the dataset.",
        )
    names = ", ".join(p.name for p in found)
    raise DatasetError(
        "ambiguous-file",
        f"{path} has {len(found)} candidates for the {kind} ({names}); keep one",
    )


def find_eeg(path: Path) -> tuple[str, tuple[int, ...]]:
    """Name and shape (time, channels, trials) of the EEG array in its file."""
    shapes = variable_shapes(path)
    there = [name for name in EEG_VARIABLES if name in shapes]
    found = [name for name in there if len(shapes[name]) == 3]
    if len(found) > 1:
        both = " and ".join(f"{name} {shapes[name]}" for name in found)
        raise DatasetError(
            "ambiguous-variable",
            f"{path} holds {both}, either of which could be the EEG; expected one with "
            "three dimensions. Remove the other, or take the file from the dataset.",
        )
    if found:
        return found[0], shapes[found[0]]
    if there:
        listed = ", ".join(f"{name} {shapes[name]}" for name in there)
        raise DatasetError(
            "wrong-shape",
            f"{path}: {listed}; expected three dimensions (time, channels, trials)",
        )
    raise DatasetError(
        "missing-variable",
        f"{path} holds {', '.join(shapes) or 'no variable'}; expected "
        f"{' or '.join(EEG_VARIABLES)}. Is it the EEG file of the dataset?",
    )


def eeg_shape_faults(
    path: Path, variable: str, shape: tuple[int, ...]
) -> list[DatasetError]:
    """What is wrong with each axis of (time, channels, trials) that is not EAV's."""
    where = f"{path}: {variable} {shape} has"
    faults = []
    if shape[1] != N_CHANNELS:
        message = (
            f"{where} {shape[1]} channels, expected {N_CHANNELS} in the order "
            f"{EEG_CHANNELS[0]} ... {EEG_CHANNELS[-1]}. Electrodes cannot be told "
            "apart, so the subject is refused; take the file from the dataset."
        )
        faults.append(DatasetError("wrong-channels", message))
    if shape[0] != TRIAL_EEG_SAMPLES:
        message = (
            f"{where} {shape[0]} samples a trial, expected {TRIAL_EEG_SAMPLES} "
            f"({TRIAL_SECONDS:g} s at {TRIAL_EEG_RATE:g} Hz); was it resampled?"
        )
        faults.append(DatasetError("wrong-samples", message))
    return faults


def read_eeg(path: Path, variable: str) -> np.ndarray:
    """The EEG array as (trials, channels, samples) float32 µV."""
    return np.ascontiguousarray(read_variable(path, variable).T, dtype=np.float32)


def read_labels(path: Path, files: SubjectFiles) -> tuple[np.ndarray, np.ndarray]:
    """Emotion and task (trials,) int64 of each trial, from (10, T) or (T, 10) one-hot.

    Ten trials make both readings possible; then the one that agrees with the file
    names is taken.
    """
    shapes = variable_shapes(path)
    if LABEL_VARIABLE not in shapes:
        raise DatasetError(
            "missing-variable",
            f"{path} holds {', '.join(shapes) or 'no variable'}; expected "
            f"{LABEL_VARIABLE}. Is it the label file of the dataset?",
        )
    stored = read_variable(path, LABEL_VARIABLE)
    readings, cause = [], f"shape {stored.shape}, expected ({N_LABEL_ROWS}, trials)"
    for one_hot in (stored, stored.T):
        if one_hot.ndim == 2 and one_hot.shape[0] == N_LABEL_ROWS:
            try:
                readings.append(decode_label_rows(one_hot))
            except ValueError as error:
                cause = str(error)
    if not readings:
        raise DatasetError(
            "bad-labels", f"{path}: {cause}; copy the file again from the dataset"
        )
    return min(readings, key=lambda r: len(contradictions(files, *r)))


def contradictions(
    files: SubjectFiles, emotions: np.ndarray, tasks: np.ndarray
) -> list[tuple[int, str]]:
    """Trial and message for each media file whose name disagrees with its label."""
    wrong = []
    for path, stated in files.media():
        if not 1 <= stated.trial <= len(emotions):
            continue
        emotion = EMOTIONS[emotions[stated.trial - 1]]
        task = TASKS[tasks[stated.trial - 1]]
        if (EMOTIONS[stated.emotion], stated.task) != (emotion, task):
            wrong.append(
                (
                    stated.trial,
                    f"{path.parent.name}/{path.name}, where the label of trial "
                    f"{stated.trial} says {task} {emotion}",
                )
            )
    return sorted(wrong)


def read_trial_audio(path: Path) -> tuple[np.ndarray, float]:
    """The first 20 s of a trial's sound, (samples,) float32, and its rate in Hz.

    Raises TrialError if it is damaged or shorter.
    """
    try:
        audio, rate = read_audio(path)
    except MediaError as error:
        raise TrialError("unreadable-audio", str(error)) from error
    wanted = round(TRIAL_SECONDS * rate)
    if len(audio) < wanted:
        raise TrialError(
            "truncated-audio",
            f"{path} is {len(audio) / rate:.2f} s long, expected {TRIAL_SECONDS:g} s "
            "or more; it was cut off, so copy it again from the dataset",
        )
    return audio[:wanted], rate


def require_video(path: Path, seconds: float) -> None:
    """Raise TrialError unless whole video frames last for `seconds`, at any rate."""
    try:
        found, step = video_span(path)
    except MediaError as error:
        raise TrialError("unreadable-video", str(error)) from error
    if found < seconds - step / 2:
        raise TrialError(
            "truncated-video",
            f"{path} has frames for {found:.2f} s, expected {TRIAL_SECONDS:g} s; it "
            "was cut off, so copy it again from the dataset",
        )


def video_span(path: Path) -> tuple[float, float]:
    """How long the coded frames really in the file last, and one of them, seconds.

    Whatever its header claims; takes 2 ms. Damaged frames at the end do not count.
    """
    times, _ = packet_times(path)
    if len(times) < 2:
        return 0.0, 0.0
    step = float(np.median(np.diff(times)))
    return times[-1] - times[0] + step, step


def only_file(by_trial: dict[int, list[Path]], trial: int) -> Path | None:
    """The trial's file, None if there is none; TrialError if there are several."""
    paths = by_trial.get(trial, [])
    if len(paths) > 1:
        names = ", ".join(p.name for p in paths)
        raise TrialError(
            "duplicate-trial",
            f"{paths[0].parent} has {len(paths)} files for trial {trial} ({names}); "
            "keep one",
        )
    return paths[0] if paths else None


def _by_trial(
    paths: list[Path], suffix: str, unknown: list[Path]
) -> dict[int, list[Path]]:
    by_trial: dict[int, list[Path]] = {}
    for path in paths:
        stated = parse_media_name(path.stem)
        if stated is None or path.suffix.lower() != suffix:
            unknown.append(path)
        else:
            by_trial.setdefault(stated.trial, []).append(path)
    return by_trial


def _is_clutter(name: str) -> bool:
    # What file managers leave behind on copied disks.
    return name.startswith(".") or name.lower() in ("thumbs.db", "desktop.ini")


# What scipy and h5py were seen to raise on files cut off or with flipped bytes.
_READ_ERRORS = (
    MatReadError,
    OSError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    MemoryError,
    zlib.error,
)
# Bytes that a value of each of MATLAB's classes takes; others are not read.
_VALUE_BYTES = {
    **dict.fromkeys(("double", "int64", "uint64"), 8),
    **dict.fromkeys(("single", "int32", "uint32"), 4),
    **dict.fromkeys(("int16", "uint16", "char"), 2),
}
_MAX_PACKED = 1032  # deflate, which both kinds use, packs no more into a byte
_MAX_BYTES = 16e9  # EAV's largest array has 0.5


def variable_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Name and shape of every array in the file, in MATLAB's order of axes.

    Reads headers only. Raises DatasetError if the file is damaged or none of MATLAB's.
    """
    try:
        if h5py.is_hdf5(path):
            with h5py.File(path, "r") as file:
                return {
                    name: tuple(reversed(item.shape))
                    for name, item in file.items()
                    if isinstance(item, h5py.Dataset)
                }
        return {
            name: tuple(int(n) for n in shape)
            for name, shape, _ in io.whosmat(str(path), appendmat=False)
        }
    except _READ_ERRORS as error:
        raise _damaged(path, error) from error


def read_variable(path: Path, name: str) -> np.ndarray:
    """One numeric array, in MATLAB's order of axes.

    HDF5 lists axes the other way round, so a v7.3 array comes transposed into memory.
    Raises DatasetError if the file is damaged, or the variable missing or not numeric.
    """
    try:
        if h5py.is_hdf5(path):
            with h5py.File(path, "r") as file:
                item = file.get(name)
                if isinstance(item, h5py.Dataset):
                    _check_size(path, name, item.nbytes)
                array = item[...].T if isinstance(item, h5py.Dataset) else None
        else:
            for found, shape, kind in io.whosmat(str(path), appendmat=False):
                if found == name:
                    n_values = math.prod(int(n) for n in shape)
                    _check_size(path, name, n_values * _VALUE_BYTES.get(kind, 1))
            array = io.loadmat(str(path), variable_names=[name], appendmat=False).get(
                name
            )
    except _READ_ERRORS as error:
        raise _damaged(path, error) from error
    if array is None:
        raise _unreadable(f"{path} has no variable {name!r}")
    array = np.asarray(array)
    if array.dtype.kind not in "fiub":
        raise _unreadable(
            f"{path}: variable {name!r} holds {array.dtype} values, expected numbers"
        )
    return array


def _check_size(path: Path, name: str, n_bytes: int) -> None:
    """Refuse an array that cannot be in the file, before memory is taken for it."""
    size = path.stat().st_size
    if n_bytes > min(_MAX_PACKED * size, _MAX_BYTES):
        raise _unreadable(
            f"{path}: variable {name!r} declares {n_bytes:,} bytes in a file of "
            f"{size:,}; the file is damaged or made to do harm, so copy it "
            "again from the dataset"
        )


def _damaged(path: Path, error: Exception) -> DatasetError:
    return _unreadable(
        f"{path} cannot be read as a MATLAB file ({type(error).__name__}: {error}); "
        "it is damaged or cut off, so copy it again from the dataset"
    )


def _unreadable(message: str) -> DatasetError:
    return DatasetError("unreadable-mat", message)
