"""Studies whose runs are made, or scored again, by whoever works: here or elsewhere."""

import dataclasses
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from eav_offline.cluster_task import Work
from eav_offline.common.errors import InputRefused
from eav_offline.data.splits import Split
from eav_offline.runs.jobs import Cluster, Task, Watch, run_tasks
from eav_offline.runs.split import SPLIT_FILE, evaluate_run
from eav_offline.runs.study import (
    Job,
    StudySettings,
    attempt,
    begin_study,
    summarise,
    write_study,
)
from eav_offline.training.runtime import Progress


def study_tasks(
    work: Sequence[Any], settings: Any, function: Work = attempt
) -> list[Task]:
    """Jobs as tasks that can be done wherever their folders are seen.

    work: jobs with a `name`. settings: a dataclass with `cache` and `out`, and perhaps
    `options`. function: see `Task`.
    """
    absolute = {"cache": settings.cache.resolve(), "out": settings.out.resolve()}
    options = dict(getattr(settings, "options", {}))
    if options.get("states") is not None:
        options["states"] = Path(options["states"]).resolve()
    if options:
        absolute["options"] = options
    settings = dataclasses.replace(settings, **absolute)
    return [Task(job.name, function, job, settings, settings.out) for job in work]


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
    with only_command(settings.out):
        begin_study(settings)
        return gather(
            study_tasks(work, settings),
            cluster,
            watch,
            lambda outcomes: write_study(outcomes, settings),
        )


@contextmanager
def only_command(out: Path) -> Iterator[None]:
    """Keep other commands off a study's folder; raises InputRefused if one is there."""
    out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / ".study.lock")
    try:
        lock.acquire(timeout=1)
    except Timeout as error:
        raise InputRefused(
            f"another command is at work on the study in {out}; wait for it, end it, "
            "or give another --out"
        ) from error
    try:
        yield
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
    return gather(tasks, cluster, watch, _figures)


def _figures(outcomes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "jobs": [
            {key: value for key, value in one.items() if key != "by_subject"}
            for one in outcomes
        ],
        "demo": any(one.get("demo") for one in outcomes),
        **summarise([one["by_subject"] for one in outcomes if "by_subject" in one]),
    }


def gather(
    tasks: Sequence[Task],
    cluster: Cluster | None,
    watch: Watch,
    keep: Callable[[list[dict[str, Any]]], dict[str, Any]],
) -> dict[str, Any]:
    """Do tasks; return what `keep` returned last.

    keep: called at first, and whenever an answer has come, with all there are in the
    order of the tasks.
    """
    answers: dict[str, dict[str, Any]] = {}
    kept = keep([])
    with closing(run_tasks(tasks, cluster, watch)) as ended:
        for outcome in ended:
            answers[outcome["name"]] = outcome
            kept = keep([answers[t.name] for t in tasks if t.name in answers])
    return kept
