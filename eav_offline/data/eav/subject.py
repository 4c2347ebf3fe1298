"""The EAV dataset: finding subjects, and reading each trial as a `Recording`."""

import logging
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from eav_offline.core.labels import TASKS
from eav_offline.core.window import EEG_CHANNELS
from eav_offline.data.dataset import imported_person, is_synthetic
from eav_offline.data.eav.files import (
    TRIAL_EEG_RATE,
    TRIAL_SECONDS,
    VIDEO_NEEDED,
    DatasetError,
    SubjectFiles,
    TrialError,
    contradictions,
    eeg_shape_faults,
    find_eeg,
    only_file,
    read_eeg,
    read_labels,
    read_trial_audio,
    require_video,
    scan_subject,
    single_file,
)
from eav_offline.data.recording import Recording

TASK_CHOICES = (*TASKS, "both")

_SUBJECT_FOLDER = re.compile(r"^subject0*([1-9]\d*)$", re.IGNORECASE)
_LIKE_A_SUBJECT = re.compile(r"^sub(?:j|ject)?[\W_]*0*([1-9]\d*)$", re.IGNORECASE)

log = logging.getLogger(__name__)


class Subject:
    """One EAV subject; `open_subject` makes it. EEG is read when first asked for.

    emotions: (trials,) int64 class of each trial; tasks: (trials,) int64, 0 Listening,
    1 Speaking. Trials are numbered from 1 everywhere. synthetic, person: what the
    folder's files say of who this is (see `DatasetSubject`).
    """

    def __init__(
        self,
        path: Path,
        files: SubjectFiles,
        eeg_path: Path,
        eeg_variable: str,
        emotions: np.ndarray,
        tasks: np.ndarray,
    ) -> None:
        self.path = path
        self.files = files
        self.emotions = emotions
        self.tasks = tasks
        self.synthetic = is_synthetic(path)
        self.person = imported_person(path)
        self._eeg_path = eeg_path
        self._eeg_variable = eeg_variable
        self._eeg: np.ndarray | None = None

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.path.name

    def sources(self) -> list[Path]:
        """EEG, labels, and every clip."""
        clips = (path for path, _ in self.files.media())
        return [*self.files.eeg, *self.files.labels, *clips]

    @property
    def n_trials(self) -> int:
        """Trials in EEG and labels: 200 in EAV."""
        return len(self.emotions)

    def trials(self, task: str = "speaking") -> list[int]:
        """Trial numbers of a task ("speaking", "listening" or "both"), in order."""
        if task not in TASK_CHOICES:
            raise ValueError(f"task {task!r} is none of {', '.join(TASK_CHOICES)}")
        return [
            trial
            for trial in range(1, self.n_trials + 1)
            if task == "both" or TASKS[self.tasks[trial - 1]] == task
        ]

    def recording(self, trial: int) -> Recording:
        """One trial: EEG (30, 10000) float32 µV at 500 Hz, sound and video if present.

        Sound is cut to 20 s; a listening trial has none. A media file that is not
        there leaves its modality out; one that is damaged raises TrialError.
        """
        if not 1 <= trial <= self.n_trials:
            raise TrialError(
                "unknown-trial",
                f"{self.path} has no trial {trial}; it has 1 to {self.n_trials}",
            )
        eeg = self.eeg()[trial - 1]
        if not np.isfinite(eeg).all():
            raise TrialError("nan-eeg", f"{self._eeg_path}: trial {trial} holds NaN")
        task = TASKS[self.tasks[trial - 1]]
        audio, audio_rate = None, 44_100.0
        wav = only_file(self.files.audio, trial)
        if wav is not None and task == "speaking":
            audio, audio_rate = read_trial_audio(wav)
        video = only_file(self.files.video, trial)
        if video is not None:
            require_video(video, VIDEO_NEEDED)
        return Recording(
            name=f"{self.path.name} trial {trial:03d}",
            seconds=TRIAL_SECONDS,
            eeg_uv=eeg,
            eeg_rate=TRIAL_EEG_RATE,
            channels=EEG_CHANNELS,
            audio=audio,
            audio_rate=audio_rate,
            video=video,
            emotion=int(self.emotions[trial - 1]),
            task=task,
            trial=trial,
        )

    def eeg(self) -> np.ndarray:
        """All trials, (trials, 30, 10000) float32 µV, read once and kept.

        Raises DatasetError if the file's data cannot be read.
        """
        if self._eeg is None:
            self._eeg = read_eeg(self._eeg_path, self._eeg_variable)
        return self._eeg


@dataclass
class LookedOver:
    """What a subject's folder was found to hold, and what is wrong with all of it.

    eeg, labels: None where they cannot be read. shape: of the EEG, (time, channels,
    trials). faults: as a reader would meet them; `contradictions` are apart.
    """

    files: SubjectFiles
    eeg: tuple[Path, str] | None = None
    shape: tuple[int, ...] = ()
    labels: tuple[np.ndarray, np.ndarray] | None = None
    faults: list[DatasetError] = field(default_factory=list)
    contradictions: list[tuple[int, str]] = field(default_factory=list)


def look_over(path: Path) -> LookedOver:
    """Read a subject's headers and labels. Raises DatasetError for no folder."""
    found = LookedOver(scan_subject(path))
    try:
        file = single_file(found.files.eeg, path, "EEG file", "subjectN_eeg.mat")
        variable, found.shape = find_eeg(file)
        found.eeg = (file, variable)
        found.faults += eeg_shape_faults(file, variable, found.shape)
    except DatasetError as error:
        found.faults.append(error)
    try:
        file = single_file(
            found.files.labels, path, "label file", "subjectN_eeg_label.mat"
        )
        found.labels = read_labels(file, found.files)
        found.contradictions = contradictions(found.files, *found.labels)
    except DatasetError as error:
        found.faults.append(error)
    if found.eeg is not None and found.labels is not None:
        n_eeg, n_labels = found.shape[2], len(found.labels[0])
        if n_eeg != n_labels:
            found.faults.append(
                DatasetError(
                    "trial-count",
                    f"{found.eeg[0]} has {n_eeg} trials but there are labels for "
                    f"{n_labels}; they must be of one session, so copy both files "
                    "again from the dataset",
                )
            )
    return found


def open_subject(path: Path) -> Subject:
    """Look a subject over and refuse it with DatasetError if it is inconsistent."""
    found = look_over(path)
    if found.faults:
        raise found.faults[0]
    if found.contradictions:
        raise DatasetError(
            "label-contradiction",
            f"{path}: {len(found.contradictions)} file names contradict the labels, "
            f"first {found.contradictions[0][1]}. Emotions would be mixed up, so the "
            "subject is refused; copy its folder again from the dataset.",
        )
    assert found.eeg is not None
    assert found.labels is not None
    return Subject(path, found.files, *found.eeg, *found.labels)


def subject_folders(root: Path) -> list[tuple[int, Path]]:
    """Every `subject1`, `subject01`, `Subject9` of a root, by number and name."""
    if not root.is_dir():
        raise DatasetError("no-root", f"{root} is not a folder; give EAV's root folder")
    found = []
    for path in root.iterdir():
        match = _SUBJECT_FOLDER.match(path.name)
        if match and path.is_dir():
            found.append((int(match[1]), path))
    if not found:
        near = "".join(f" {hint}." for hint in misnamed_folders(root).values())
        raise DatasetError(
            "no-subjects",
            f"{root} holds no subject folders; expected subject1, subject2, ... in it."
            f"{near} `eav-offline data` says how EAV is laid out.",
        )
    return sorted(found, key=lambda item: (item[0], item[1].name))


def misnamed_folders(root: Path) -> dict[int, str]:
    """By number: what to say of folders that are called almost as a subject's is."""
    names = sorted(path.name for path in root.iterdir() if path.is_dir())
    hints = {
        int(match[1]): f"`{name}` looks like a subject; rename it to subject{match[1]}"
        for name in names
        if not _SUBJECT_FOLDER.match(name) and (match := _LIKE_A_SUBJECT.match(name))
    }
    return dict(sorted(hints.items()))


def find_subjects(root: Path) -> dict[int, Path]:
    """Subject folders by number, ascending; two folders of one number are refused."""
    subjects: dict[int, Path] = {}
    for number, path in subject_folders(root):
        if number in subjects:
            raise DatasetError(
                "duplicate-subject",
                f"{root}: {subjects[number].name} and {path.name} are both subject "
                f"{number}; keep one, move or rename the other",
            )
        subjects[number] = path
    for hint in misnamed_folders(root).values():
        log.warning("%s: %s", root, hint)
    return subjects
