"""Runs that are finished, scored again on their test windows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eav_offline.common.errors import InputRefused
from eav_offline.runs.jobs import Cluster, Watch, ignore
from eav_offline.runs.split import evaluate_run
from eav_offline.runs.study import figures, gather, scored
from eav_offline.runs.task import DONE, JobSettings, Task
from eav_offline.training.run_folder import RunFolder
from eav_offline.training.runtime import Progress


@dataclass(frozen=True)
class Rescoring:
    """A run to be scored again. caches: none takes the windows where they were."""

    name: str
    run: Path
    caches: tuple[Path, ...]
    seed: int


def find_runs(
    folder: Path,
    subjects: Collection[int] | None = None,
    seeds: Collection[int] | None = None,
    caches: Sequence[Path] = (),
) -> list[Rescoring]:
    """Finished runs in and below a folder, in order of their names.

    subjects: only runs that test one of them. seeds: only runs of these. Raises
    InputRefused if there is none.
    """
    found = []
    for run in RunFolder.below(folder):
        splits, seed = run.split().subjects, run.results().seed
        tested = {number for number, split in splits.items() if split.test}
        if subjects is not None and not tested & set(subjects):
            continue
        if seeds is not None and seed not in seeds:
            continue
        name = run.path.relative_to(folder).as_posix()
        path = run.path.resolve()
        there = tuple(cache.resolve() for cache in caches)
        found.append(Rescoring(name, path, there, seed))
    if not found:
        raise InputRefused(
            f"{folder} holds no finished run of these subjects and seeds; give the "
            "folder that eav-offline train --out wrote"
        )
    return found


def rescore(
    job: Rescoring, settings: JobSettings, progress: Progress | None = None
) -> dict[str, Any]:
    """Score a run's checkpoint on its test windows again; writes nothing."""
    results = evaluate_run(job.run, job.caches, settings.device)
    about = {"name": job.name, "seed": job.seed, "status": DONE}
    return about | scored(results)


def rescore_runs(
    work: Sequence[Rescoring],
    settings: JobSettings,
    cluster: Cluster | None = None,
    watch: Watch = ignore,
) -> dict[str, Any]:
    """Score runs again; the answer has the keys of study.json but `options`."""
    tasks = [
        Task(job.name, rescore, job, settings, about={"seed": job.seed}) for job in work
    ]
    return gather(tasks, figures, cluster, watch)
