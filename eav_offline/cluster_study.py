"""Studies whose runs are made, or scored again, by whoever works: here or elsewhere."""

import dataclasses
import json
import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eav_offline.cluster import Cluster, Task, Watch, run_tasks
from eav_offline.data.splits import Split
from eav_offline.errors import InputRefused
from eav_offline.runs import SPLIT_FILE, evaluate_run
from eav_offline.runtime import Progress
from eav_offline.study import (
    Job,
    StudySettings,
    attempt,
    begin_study,
    summarise,
    write_study,
)

log = logging.getLogger(__name__)


def study_tasks(work: Sequence[Job], settings: StudySettings) -> list[Task]:
    """The runs of a study as tasks that can be done anywhere the folders are seen."""
    options = dict(settings.options)
    if options.get("states") is not None:
        options["states"] = Path(options["states"]).resolve()
    settings = dataclasses.replace(
        settings,
        cache=settings.cache.resolve(),
        out=settings.out.resolve(),
        options=options,
    )
    return [Task(job.name, attempt, job, settings, settings.out) for job in work]


def run_study_on(
    work: Sequence[Job],
    settings: StudySettings,
    cluster: Cluster | None,
    watch: Watch,
) -> dict[str, Any]:
    """`study.run_study` with many workers: the same runs, the same study.json.

    cluster: None runs one after another in this process. Raises InputRefused if
    another command is at work on the same study.
    """
    from filelock import FileLock, Timeout

    settings.out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.out / ".study.lock")
    try:
        lock.acquire(timeout=1)
    except Timeout as error:
        raise InputRefused(
            f"another command is at work on the study in {settings.out}; wait for it, "
            "end it, or give another --out"
        ) from error
    try:
        begin_study(settings)
        order = [job.name for job in work]

        def keep(outcomes: list[dict[str, Any]]) -> dict[str, Any]:
            return write_study(outcomes, settings)

        return _gather(study_tasks(work, settings), order, cluster, watch, keep)
    finally:
        lock.release()


@dataclass(frozen=True)
class Rescoring:
    """A run to be scored again. cache: None takes the windows where they were."""

    name: str
    run: Path
    cache: Path | None
    seed: int


@dataclass(frozen=True)
class RescoringSettings:
    """What all rescorings share."""

    device: str = "cpu"


def find_runs(
    folder: Path,
    subjects: Collection[int] | None = None,
    seeds: Collection[int] | None = None,
    cache: Path | None = None,
) -> list[Rescoring]:
    """Finished runs in and below a folder, in order of their names.

    subjects: only runs that test one of them. seeds: only runs of these. Raises
    InputRefused if there is none.
    """
    found = []
    for path in sorted(folder.rglob(SPLIT_FILE)):
        run = path.parent
        try:
            split = json.loads(path.read_text(encoding="utf-8"))
            tested = {
                int(number)
                for number, parts in split["subjects"].items()
                if Split.from_json(parts).test
            }
            results = json.loads((run / "results.json").read_text(encoding="utf-8"))
            seed = int(results["seed"])
        except FileNotFoundError:
            continue  # at work, or interrupted
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputRefused(
                f"{run} is no finished run: {error}; train it again or delete it"
            ) from error
        if subjects is not None and not tested & set(subjects):
            continue
        if seeds is not None and seed not in seeds:
            continue
        name = run.relative_to(folder).as_posix()
        found.append(Rescoring(name, run.resolve(), cache and cache.resolve(), seed))
    if not found:
        raise InputRefused(
            f"{folder} holds no finished run of these subjects and seeds; give the "
            "folder that eav-offline train --out wrote"
        )
    return found


def rescore(
    job: Rescoring, settings: RescoringSettings, progress: Progress | None = None
) -> dict[str, Any]:
    """Score a run's checkpoint on its test windows again; writes nothing."""
    results = evaluate_run(job.run, job.cache, settings.device)
    return {
        "name": job.name,
        "seed": job.seed,
        "status": "done",
        "demo": results["demo"],
        "by_subject": results["by_subject"],
    }


def rescore_runs(
    work: Sequence[Rescoring],
    settings: RescoringSettings,
    cluster: Cluster | None,
    watch: Watch,
) -> dict[str, Any]:
    """Score runs again; the answer has the keys of study.json but `options`."""
    tasks = [Task(job.name, rescore, job, settings) for job in work]
    return _gather(tasks, [job.name for job in work], cluster, watch, _figures)


def _figures(outcomes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "jobs": [
            {key: value for key, value in one.items() if key != "by_subject"}
            for one in outcomes
        ],
        "demo": any(one.get("demo") for one in outcomes),
        **summarise([one["by_subject"] for one in outcomes if "by_subject" in one]),
    }


def _gather(
    tasks: Sequence[Task],
    order: Sequence[str],
    cluster: Cluster | None,
    watch: Watch,
    keep: Callable[[list[dict[str, Any]]], dict[str, Any]],
) -> dict[str, Any]:
    """Do tasks; `keep` has all answers so far, in order, whenever one has come."""
    answers: dict[str, dict[str, Any]] = {}
    kept = keep([])
    with closing(run_tasks(tasks, cluster, watch)) as ended:
        for outcome in ended:
            answers[outcome["name"]] = outcome
            kept = keep([answers[name] for name in order if name in answers])
    return kept
