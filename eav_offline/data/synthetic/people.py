"""Synthetic people, written to disk in the layout of EAV.

What the recordings show is decided in `plan`: evidence in EEG, audio and video is
independent given the trial's emotion unless an `Evidence` says otherwise, and
`attainable` states the best accuracy that any classifier can expect from it.
Everything drawn for a person depends on the seed and the person's number alone, not on
how many people are written or how.

These people are not real and nothing learned from them holds for real ones: a marker
file in every subject's folder says so, and `is_synthetic` reads it.
"""

import io
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.io import savemat

from eav_offline.common.files import write_atomically
from eav_offline.common.opencv import cv2
from eav_offline.common.pool import Workers
from eav_offline.core.labels import encode_label_rows, media_name
from eav_offline.data.dataset import MARKER_NAME, is_synthetic, read_marker
from eav_offline.data.synthetic import GENERATOR_VERSION
from eav_offline.data.synthetic.eeg import session_eeg
from eav_offline.data.synthetic.plan import (
    DEFAULT_EFFECT,
    ORDINARY,
    Attainable,
    Evidence,
    SessionPlan,
    attainable,
    check_trials,
    plan_session,
)
from eav_offline.data.synthetic.video import write_clip
from eav_offline.data.synthetic.voice import write_wav

log = logging.getLogger(__name__)
_FOLDERS = ("Video", "Audio", "EEG")
_OWN = ("subject", "attainable")  # of a marker: one's own, and what follows from others

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Job:
    """One file to write: kind is eeg, audio or video; trial is 1-based, 0 for EEG."""

    folder: Path
    seed: int
    subject: int
    n_trials: int
    effect: float
    evidence: Evidence
    strangeness: float
    kind: str = "eeg"
    trial: int = 0


def write_subjects(
    root: Path,
    n_subjects: int,
    n_trials: int,
    seed: int,
    effect: float = DEFAULT_EFFECT,
    listening: bool = False,
    progress: Progress | None = None,
    jobs: int = 1,
    evidence: Evidence = ORDINARY,
    strangeness: float = 0.0,
) -> Attainable:
    """Write subject1 ... subjectN under `root` and say what is attainable from them.

    n_trials: a multiple of 10; 200 is EAV's. listening: film listening trials too
        (they never have sound). progress: called with files written and files in all.
    jobs: processes; the files are the same for any number. evidence: of people whom
        only the modalities together give away. strangeness: 0 or more, how much more
        than by default they differ; 1 is as much as EAV's people do.
    Files that are there already, of these same people, stay as they are: what was
    killed goes on, and more people come beside those that are there. Raises ValueError
    for trials, effect or counts out of range, and FileExistsError if `root` holds a
    subject that is not synthetic, or one of other settings.
    """
    if n_subjects < 1 or jobs < 1 or seed < 0:
        raise ValueError(
            f"{n_subjects} subjects, {jobs} jobs and seed {seed} were asked for; at "
            "least one subject and one job and a seed of zero or more are needed"
        )
    work: list[_Job] = []
    for subject in range(1, n_subjects + 1):
        how = (seed, subject, n_trials, effect, evidence, strangeness)
        who = _Job(root / f"subject{subject}", *how)
        if subject == 1:
            _refuse_others(root, _marker(who, listening))
        work += _start_subject(who, listening)
    left = [job for job in work if not _file(job).exists()]
    if len(left) < len(work):
        log.info("%d of %d files are there already", len(work) - len(left), len(work))
    if left:
        _write_all(left, jobs, progress)
    return attainable(effect, evidence)


def _refuse_others(root: Path, marker: Mapping[str, object]) -> None:
    """Raise FileExistsError if subjects are there that this marker does not fit."""
    # Real and made-up people must never share a folder that is trained on as one.
    if not root.is_dir():
        return
    for folder in sorted(root.iterdir()):
        if not folder.name.lower().startswith("subject") or not folder.is_dir():
            continue
        if not is_synthetic(folder):
            raise FileExistsError(
                f"{folder} is not a synthetic subject (no {MARKER_NAME}); choose a "
                "folder without recordings of people"
            )
        there = read_marker(folder)
        differing = ", ".join(
            f"{name} {there.get(name)} there and {marker.get(name)} now"
            for name in sorted(there.keys() | marker.keys())
            if name not in _OWN and there.get(name) != marker.get(name)
        )
        if differing:
            raise FileExistsError(
                f"{folder} is a synthetic person of other settings ({differing}); give "
                f"another folder, or delete {root} to make its people anew"
            )


def _marker(who: _Job, listening: bool) -> dict[str, object]:
    """What a person's marker says. Raises ValueError for settings out of range."""
    check_trials(who.n_trials)
    if not 0.0 <= who.strangeness < np.inf:
        raise ValueError(
            f"strangeness is {who.strangeness:g}, expected 0 (people differ as by "
            "default) or more; 1 is as much as EAV's people do"
        )
    marker: dict[str, object] = {
        "synthetic": True,
        "generator_version": GENERATOR_VERSION,
        "subject": who.subject,
        "seed": who.seed,
        "trials": who.n_trials,
        "effect": who.effect,
        "listening_videos": listening,
        "attainable": attainable(who.effect, who.evidence).as_json(),
    }
    if who.evidence.kind != "ordinary":
        marker["evidence"] = asdict(who.evidence)
    if who.strangeness:
        marker["strangeness"] = who.strangeness
    return marker


def _start_subject(who: _Job, listening: bool) -> list[_Job]:
    """Make the folders and the marker; return the files that are to be there."""
    # Before anything else: a subject left unfinished must not pass for a real one.
    text = json.dumps(_marker(who, listening), indent=2) + "\n"
    write_atomically(who.folder / MARKER_NAME, text)
    for name in _FOLDERS:
        (who.folder / name).mkdir(exist_ok=True)
    work = [who]
    for trial in range(1, who.n_trials + 1):
        speaking = trial % 2 == 0
        if speaking:
            work.append(replace(who, kind="audio", trial=trial))
        if speaking or listening:
            work.append(replace(who, kind="video", trial=trial))
    return work


def _write_all(work: list[_Job], jobs: int, progress: Progress | None) -> None:
    """Write the files; another call goes on where this one breaks off."""
    start = _single_thread if jobs > 1 else lambda: None
    with Workers(min(jobs, len(work)), start, _write_file) as workers:
        for done, _ in enumerate(workers.map(work), start=1):
            if progress is not None:
                progress(done, len(work))


def _single_thread() -> None:
    cv2.setNumThreads(1)  # the processes share the cores already


def _write_file(state: object, job: _Job) -> Path:
    """Write one file in a worker; returns the subject's folder."""
    plan, path = _plan(job), _file(job)
    if job.kind == "eeg":
        _write_eeg(job, plan, path)
        return job.folder
    i = job.trial - 1
    expressed, cue = plan.expressed[job.kind][i], plan.cue[job.kind][i]
    who = (job.seed, job.subject, job.trial)
    if job.kind == "audio":
        write_wav(path, *who, expressed, cue, job.strangeness)
    else:
        write_clip(path, *who, expressed, plan.task[i] == 1, cue, job.strangeness)
    return job.folder


def _file(job: _Job) -> Path:
    """The file that a job writes; of the EEG, the one that is written last."""
    if job.kind == "eeg":
        return job.folder / "EEG" / f"subject{job.subject:02d}_eeg_label.mat"
    plan, i = _plan(job), job.trial - 1
    name = media_name(job.trial, int(plan.task[i]), int(plan.emotion[i]), job.kind)
    return job.folder / job.kind.capitalize() / name


def _plan(job: _Job) -> SessionPlan:
    return _planned(job.seed, job.subject, job.n_trials, job.effect, job.evidence)


_planned = lru_cache(maxsize=1)(plan_session)  # else once for each file of a person


def _write_eeg(job: _Job, plan: SessionPlan, path: Path) -> None:
    shown, cue = plan.expressed["eeg"], plan.cue["eeg"]
    eeg = session_eeg(job.seed, job.subject, shown, cue, job.strangeness)
    signals = path.with_stem(path.stem.removesuffix("_label"))
    _write_mat(signals, {"seg1": eeg}, do_compression=True)
    label: np.ndarray = encode_label_rows(plan.emotion, plan.task)
    _write_mat(path, {"label": label.astype(np.float64)})


def _write_mat(path: Path, variables: dict[str, np.ndarray], **how: bool) -> None:
    content = io.BytesIO()
    savemat(content, variables, **how)
    write_atomically(path, content.getbuffer())
