"""Preparing subjects of a dataset into a cache, over processes, and resuming it.

While a subject is being prepared its finished trials lie in `subject01.partial`; a
later run goes on from them. The arrays are joined at the end and moved to `subject01`
in one step.
"""

import io
import json
import logging
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from eav_offline.common.console import counted
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import naming, package_versions, write_atomically
from eav_offline.common.opencv import cv2
from eav_offline.common.pool import Workers
from eav_offline.core.labels import MODALITIES, TASKS
from eav_offline.core.window import (
    AUDIO_RATE,
    AUDIO_SAMPLES,
    FRAME_RATE,
    N_CHANNELS,
    WINDOW_SECONDS,
)
from eav_offline.data.cache import (
    INDEX_DTYPE,
    array_layout,
    require_recipe,
    subject_folder,
    why_prepare,
    write_meta,
)
from eav_offline.data.dataset import (
    Dataset,
    DatasetSubject,
    fingerprint,
    require_subjects,
)
from eav_offline.data.datasets import open_dataset
from eav_offline.data.eav.files import DatasetError, TrialError
from eav_offline.data.media import MediaError
from eav_offline.data.recipe import make_recipe, recipe_key
from eav_offline.data.recording import Recording, cut, track_faces, window_ends
from eav_offline.preprocess import PreprocessSettings, prepare
from eav_offline.preprocess.audio import resample
from eav_offline.preprocess.face import FaceTracker

log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]  # trials done, trials in all


@dataclass
class PrepareSummary:
    """What became of each subject.

    windows: number of windows of each subject prepared now. again: why one that was
    there did not stay as it was. unchanged: subjects that were complete before.
    refused: why a subject could not be used. skipped: trials left out of a prepared
    subject, and why.
    """

    windows: dict[int, int] = field(default_factory=dict)
    again: dict[int, str] = field(default_factory=dict)
    unchanged: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    skipped: dict[int, dict[int, str]] = field(default_factory=dict)

    def needs(self, cache: Path, number: int, source: str) -> bool:
        """Whether a subject is to be prepared; noted and logged if not, or why again.

        source: what its files are now.
        """
        why = why_prepare(cache, number, source)
        if why is None:
            log.info("Subject %d is prepared already", number)
            self.unchanged.append(number)
        elif why:
            log.warning("Subject %d is prepared again: %s", number, why)
            self.again[number] = why
        return why is not None

    @property
    def usable(self) -> bool:
        """Whether some subject can be trained on now."""
        return bool(self.windows or self.unchanged)

    @property
    def failed(self) -> bool:
        """Whether some subject could not be prepared."""
        return bool(self.refused)

    def __str__(self) -> str:
        lines = [f"subject {n}: prepared again: {why}" for n, why in self.again.items()]
        lines += [
            f"subject {n}: {counted(count, 'window')}"
            for n, count in self.windows.items()
        ]
        lines += [f"subject {n}: prepared already" for n in self.unchanged]
        lines += [
            f"subject {n}: trial {trial} left out: {reason}"
            for n, trials in self.skipped.items()
            for trial, reason in trials.items()
        ]
        lines += [f"subject {n}: refused: {why}" for n, why in self.refused.items()]
        if not self.usable:
            lines.append("No subject was prepared: nothing to train on")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def prepare_root(
    root: Path,
    out: Path,
    subjects: Collection[int] | None = None,
    settings: PreprocessSettings = PreprocessSettings(),
    task: str = "speaking",
    jobs: int = 2,
    progress: Progress | None = None,
    dataset: str | None = None,
) -> PrepareSummary:
    """Prepare subjects of a folder (all, if None) into the cache `out`.

    task: "speaking", "listening" or "both". jobs: processes that share the trials; 1
    works in this process. dataset: what the folder holds, see
    `open_dataset`; None to look which it is. A subject already there, from
    the same files, is left as it is, unless it is damaged. Subjects and trials that
    cannot be used are logged and left out. Raises InputRefused for faces under 16 or
    over 512 pixels, DatasetError if the folder is unusable or lacks a subject asked
    for, and PreparedError if the cache was made with other settings or of another
    dataset.
    """
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}, expected 1 or more")
    if not 16 <= settings.face_size <= 512:
        raise InputRefused(f"--face-size is {settings.face_size}; give 16 to 512")
    opened = open_dataset(root, dataset)
    there = opened.subjects()
    require_subjects(subjects, there, opened.root)
    recipe = make_recipe(settings, task, opened.name)
    require_recipe(out, recipe)
    summary = PrepareSummary()
    plan: list[_Job] = []
    for number in there:
        if subjects is not None and number not in subjects:
            continue
        try:
            subject = opened.open_subject(number)
        except DatasetError as error:
            _refuse(summary, number, error)
            continue
        source = fingerprint(subject.sources())
        job = _Job(number, opened, subject, subject.trials(task), source)
        if summary.needs(out, number, source):
            plan.append(job)
        else:
            shutil.rmtree(_partial_folder(out, number), ignore_errors=True)

    total, done = sum(len(job.trials) for job in plan), 0
    start = FaceTracker if jobs == 1 else start_face_worker
    with Workers(jobs, start, partial(_write_piece, settings)) as workers:
        while plan:
            job = plan.pop(0)  # its EEG is freed before the next one's is read
            try:
                for finished in _prepare_subject(out, job, recipe, workers, summary):
                    if progress is not None:
                        progress(done + finished, total)
            except DatasetError as error:
                _refuse(summary, job.number, error)
            done += len(job.trials)
    if progress is not None:
        progress(total, total)
    return summary


@dataclass(frozen=True)
class _Job:
    number: int
    dataset: Dataset
    subject: DatasetSubject
    trials: list[int]
    source: str  # fingerprint of its files


def _prepare_subject(
    out: Path,
    job: _Job,
    recipe: dict[str, Any],
    workers: "Workers[tuple[Recording, Path], tuple[int, str | None]]",
    summary: PrepareSummary,
) -> Iterator[int]:
    """Prepare what is left of a subject; yields how many trials are finished."""
    folder = _begin_partial(out, job, recipe)
    skipped: dict[int, str] = {}

    def skip(trial: int, reason: str) -> None:
        skipped[trial] = reason
        log.warning("Subject %d: trial %d is left out: %s", job.number, trial, reason)

    def recordings() -> Iterator[tuple[Recording, Path]]:
        for trial in left:
            try:
                yield job.subject.recording(trial), _piece(folder, trial)
            except TrialError as error:
                skip(trial, str(error))

    left = [trial for trial in job.trials if not _piece(folder, trial).is_file()]
    finished = len(job.trials) - len(left)
    yield finished
    for trial, reason in workers.map(recordings()):
        if reason is not None:
            skip(trial, reason)
        else:
            finished += 1
        yield finished + len(skipped)
    summary.skipped |= {job.number: dict(sorted(skipped.items()))} if skipped else {}
    pieces = [_piece(folder, t) for t in job.trials if t not in skipped]
    if not pieces:
        shutil.rmtree(folder)
        raise DatasetError(
            "no-trials",
            f"{job.subject.name} has no usable trial for this task; of EAV, "
            "`eav-offline check` lists what is wrong",
        )
    summary.windows[job.number] = _assemble(out, job, recipe, folder, pieces)


def start_face_worker() -> FaceTracker:
    """What each of several processes begins with: few threads and a tracker."""
    import torch  # not above: what is refused does not wait for it

    torch.set_num_threads(1)  # the processes share the cores already
    cv2.setNumThreads(1)
    return FaceTracker()


def _write_piece(
    settings: PreprocessSettings, tracker: FaceTracker, item: tuple[Recording, Path]
) -> tuple[int, str | None]:
    """Prepare one trial in a worker; returns it and, if it is damaged, why."""
    recording, piece = item
    assert recording.trial is not None
    try:
        arrays = prepare_trial(recording, settings, tracker)
    except (TrialError, MediaError) as error:
        return recording.trial, str(error)
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]  # numpy's stub
    write_atomically(piece, content.getbuffer())
    return recording.trial, None


def _assemble(
    out: Path, job: _Job, recipe: dict[str, Any], folder: Path, pieces: list[Path]
) -> int:
    """Join the pieces, move the result to its place; returns the number of windows."""
    joined = folder / "joined"
    shutil.rmtree(joined, ignore_errors=True)
    joined.mkdir()
    settings = PreprocessSettings(**recipe["settings"])
    index = np.concatenate([_read_piece(piece, "index") for piece in pieces])
    _log_missing(job, index)
    _join(joined, "index", INDEX_DTYPE, (len(index),), [index])
    for name, (shape, dtype) in array_layout(settings).items():
        parts = (_read_piece(piece, name) for piece in pieces)
        _join(joined, name, np.dtype(dtype), (len(index), *shape), parts)
    meta = {
        "key": recipe_key(recipe),
        "recipe": recipe,
        "subject": job.number,
        "synthetic": job.subject.synthetic,
        "person": job.subject.person,
        "source": job.source,
        "root": job.dataset.root.resolve().name,
        "n_trials": len(job.subject.trials("both")),
        "dataset": job.dataset.name,
        "labels": dict(job.dataset.labels),
        "versions": package_versions(),
    }
    write_meta(joined, meta)
    final = subject_folder(out, job.number)
    shutil.rmtree(final, ignore_errors=True)  # of files that have changed since
    os.replace(joined, final)
    shutil.rmtree(folder)
    return len(index)


def _join(
    folder: Path,
    name: str,
    dtype: np.dtype,
    shape: tuple[int, ...],
    parts: Iterable[np.ndarray],
) -> None:
    """Write NAME.npy part by part. A full disk is an error then; a mapped file's kills.

    Zeros, of an absent modality, take no room on disk.
    """
    header = np.lib.format.header_data_from_array_1_0(np.empty(0, dtype))
    path = folder / f"{name}.npy"
    with naming(path), path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {**header, "shape": shape})
        for part in parts:
            part = np.ascontiguousarray(part, dtype)
            if part.dtype.fields or part.any():
                file.write(part.data)
            else:
                file.seek(part.nbytes, os.SEEK_CUR)
        file.truncate(file.tell())


def _begin_partial(out: Path, job: _Job, recipe: dict[str, Any]) -> Path:
    """The folder of finished trials, emptied if they are of other files or settings."""
    folder = _partial_folder(out, job.number)
    begun = folder / "begun.json"
    wanted = json.dumps(
        {"key": recipe_key(recipe), "source": job.source, "person": job.subject.person}
    )
    if not begun.is_file() or begun.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        write_atomically(begun, wanted)
    return folder


def _log_missing(job: _Job, index: np.ndarray) -> None:
    """Say which modalities some spoken trials lack that the others have."""
    spoken = index[index["task"] == TASKS.index("speaking")]
    for i, modality in enumerate(MODALITIES):
        lacking = sorted(set(spoken["trial"][~spoken["present"][:, i]].tolist()))
        if lacking and spoken["present"][:, i].any():
            log.warning(
                "Subject %d: no %s in %d speaking trials (%s); their windows lack it",
                job.number,
                modality,
                len(lacking),
                ", ".join(map(str, lacking)),
            )
        elif lacking:
            log.info("Subject %d: no %s at all", job.number, modality)


def _refuse(summary: PrepareSummary, number: int, error: Exception) -> None:
    summary.refused[number] = str(error)
    log.error("Subject %d is refused: %s", number, error)


def _partial_folder(out: Path, number: int) -> Path:
    return out / f"{subject_folder(out, number).name}.partial"


def _piece(folder: Path, trial: int) -> Path:
    return folder / f"trial_{trial:03d}.npz"


def _read_piece(piece: Path, name: str) -> np.ndarray:
    with np.load(piece, allow_pickle=False) as arrays:
        part: np.ndarray = arrays[name]
    return part


def prepare_trial(
    recording: Recording, settings: PreprocessSettings, tracker: FaceTracker
) -> dict[str, np.ndarray]:
    """All windows of one trial as arrays of the cache, with "index".

    Raises TrialError or MediaError if the video breaks off.
    """
    faces = track_faces(recording, tracker)
    wanted = round(recording.seconds * FRAME_RATE)
    whole = recording.video_start is None
    if faces is not None and whole and len(faces) < wanted:
        raise TrialError(
            "truncated-video",
            f"{recording.video} gives {len(faces)} frames at {FRAME_RATE} a second, "
            f"expected {wanted}; it is damaged, so copy it again from the dataset",
        )
    ends = list(window_ends(recording.seconds))
    arrays = {
        name: np.zeros((len(ends), *shape), dtype)
        for name, (shape, dtype) in array_layout(settings).items()
    }
    index = np.zeros(len(ends), INDEX_DTYPE)
    for i, t_end in enumerate(ends):
        raw = cut(recording, faces, t_end)
        if raw.audio is not None:  # once, for the log-mel and for the kept wave
            wave = resample(raw.audio, raw.audio_rate)
            raw = replace(raw, audio=wave, audio_rate=AUDIO_RATE)
            arrays["wave"][i, : len(wave)] = wave[:AUDIO_SAMPLES]
        inputs = prepare(raw, settings)
        for name in ("eeg", "log_mel", "faces", "face_found"):
            value = getattr(inputs, name)
            if value is not None:
                arrays[name][i] = value
        present = [modality in inputs.present for modality in MODALITIES]
        assert recording.task is not None
        task = TASKS.index(recording.task)
        offset = np.full(N_CHANNELS, np.nan, np.float32)
        if raw.eeg_uv is not None:
            window = raw.eeg_uv[:, -round(WINDOW_SECONDS * raw.eeg_rate) :]
            offset = window.mean(1)
        index[i] = (recording.trial, i, recording.emotion, task, present, offset)
    return {**arrays, "index": index}
