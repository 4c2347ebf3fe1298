"""Many runs of one protocol: a model for each person, fold and seed, and their mean.

    OUT/subject01/seed0/   within: one model for each person, as published
    OUT/fold3of7/seed0/    kfold: a seventh of the people are tested, the others train
    OUT/loso05/seed0/      loso: person 5 is tested, everybody else trains
    OUT/cross-subject/seed0/  cross-subject: one model for new people, for all others
    OUT/pooled/seed0/      pooled: one model for all, each with trials of their own
    OUT/study.json         what became of each run, and the figures over people

A `Job` is a plain value and `run_job` a plain function, so that a study's runs can be
made, and scored again, wherever somebody works: here or elsewhere (`jobs.run_tasks`).
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from eav_offline.common.errors import InputRefused
from eav_offline.config import Config
from eav_offline.core.model_names import STAGES
from eav_offline.data.people import open_person
from eav_offline.data.splits import SplitError, SubjectFold, leave_subjects_out
from eav_offline.evaluation.results import NO_SIGNAL_NAMES, SYNTHETIC, Results
from eav_offline.evaluation.statistics import over_no_signal, summarize
from eav_offline.runs.jobs import Cluster, Watch, ignore, outcome_lines, run_tasks
from eav_offline.runs.split import held_out_data, training_data
from eav_offline.runs.task import DONE, KEPT, JobSettings, Task, Work, locked
from eav_offline.training.journal import interrupted
from eav_offline.training.run_folder import MadeFrom, RunFolder
from eav_offline.training.runtime import Progress
from eav_offline.training.train import TrainingData, train

R = TypeVar("R")
log = logging.getLogger(__name__)
STUDY_FILE = "study.json"
CROSS_SUBJECT = "cross-subject"
PROTOCOLS = ("pooled", "within", "kfold", "loso", CROSS_SUBJECT)
DEFAULT_FOLDS = 7  # six of EAV's 42 people are tested at a time


@dataclass(frozen=True)
class RunSettings(JobSettings):
    """What all jobs share that make runs of prepared subjects.

    caches: prepared subjects, see `people.open_person`. out: the study's folder.
    train_windows: see `split.training_data`.
    """

    caches: Sequence[Path]
    out: Path
    config: Config
    train_windows: int | None = field(default=None, kw_only=True)

    def absolute(self) -> Self:
        """The same wherever a worker's own folder is."""
        caches = tuple(cache.resolve() for cache in self.caches)
        return replace(self, caches=caches, out=self.out.resolve())


@dataclass(frozen=True)
class StudySettings(RunSettings):
    """What all jobs of a study share.

    validation: set a part of the training material aside even if nothing is chosen on
    it, for temperatures. options: more keyword arguments of `training.train`, such as
    public weights.
    """

    stages: tuple[str, ...] = STAGES
    validation: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def validates(self) -> bool:
        """Whether runs have a validation part."""
        return self.validation or self.config.train.select == "validation"

    def absolute(self) -> Self:
        """The same wherever a worker's own folder is, that of frozen states as well."""
        options = dict(self.options)
        if options.get("states") is not None:
            options["states"] = Path(options["states"]).resolve()
        return replace(super().absolute(), options=options)


@dataclass(frozen=True)
class Job:
    """One run of a study.

    name: its folder below the study's. subjects: all whose windows it needs. fold:
    whom it leaves out, None within subjects. seed: of training. balanced: whether
    everybody who trains counts alike.
    """

    name: str
    subjects: tuple[int, ...]
    fold: SubjectFold | None
    seed: int
    balanced: bool = False

    @property
    def about(self) -> dict[str, Any]:
        return {"seed": self.seed}


def job_data(job: Job, settings: StudySettings) -> TrainingData:
    """The windows of a job, split by its protocol. Raises InputRefused, SplitError."""
    subjects = [open_person(settings.caches, number) for number in job.subjects]
    run = settings.out / job.name
    if job.fold is None:
        return training_data(
            subjects, settings.caches, settings.train_windows, settings.validates, run
        )
    fold = job.fold
    if settings.validates and not fold.validation:
        fold = fold.with_validation(job.seed)
    data = held_out_data(subjects, settings.caches, fold, run)
    return replace(data, train=data.train.balanced()) if job.balanced else data


def run_job(
    job: Job, settings: StudySettings, progress: Progress | None = None
) -> dict[str, Any]:
    """Train and score one run, unless that was done; the answer is ready for JSON.

    A run of other data, finished or interrupted, is made anew. Keys: `name`, `seed`,
    `status` ("done" or "kept"), `seconds`, `demo`, `by_subject` of its results and, if
    it was made anew, `changed`: how the data differ. Raises InputRefused if its folder
    holds a run of another configuration or split, and whatever training raises.
    """
    began = time.perf_counter()
    run = RunFolder(settings.out / job.name)
    config = settings.config.with_seed(job.seed)
    data = job_data(job, settings)
    return keep_or_make(
        job.name,
        began,
        lambda: _finished(run, config, settings.stages, data),
        lambda: train(
            settings.stages,
            data,
            config,
            run.path,
            progress,
            settings.device,
            anew=True,
            **settings.options,
        ),
        lambda results: {"seed": job.seed, **scored(results)},
    )


def keep_or_make(
    name: str,
    began: float,
    finished: Callable[[], tuple[R | None, str]],
    make: Callable[[], R],
    told: Callable[[R], dict[str, Any]],
) -> dict[str, Any]:
    """The answer of a job whose results may be there already.

    began: of `time.perf_counter`. finished: the results, None if they are to be made;
    and how the data have changed. told: what the answer says of results.
    """
    results, changed = finished()
    status = DONE if results is None else KEPT
    if changed:
        log.warning("%s is made anew, its data have changed: %s", name, changed)
    results = make() if results is None else results
    return {
        "name": name,
        "status": status,
        **({"changed": changed} if changed else {}),
        "seconds": round(time.perf_counter() - began, 1),
        **told(results),
    }


def scored(results: Results) -> dict[str, Any]:
    """What a study wants to know of a run, as plain values."""
    whole = results.as_json()
    wanted = {key: whole[key] for key in ("demo", "by_subject")}
    return {**wanted, "no_signal": whole.get("no_signal", {})}


def begin_study(settings: StudySettings) -> None:
    """Raise InputRefused if OUT holds a study with other options of training.

    Its finished runs would be taken for this study's. Other configurations and splits
    are found out by `run_job`.
    """
    path = settings.out / STUDY_FILE
    try:
        before = json.loads(path.read_text(encoding="utf-8"))["options"]
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputRefused(
            f"{path} cannot be read ({error}); delete it or give another --out"
        ) from error
    now = _plain_options(settings)
    if before != now:
        raise InputRefused(
            f"{settings.out} holds a study trained with {before or 'no options'}, now "
            f"it is {now or 'none'}; give another --out"
        )


def write_study(
    outcomes: Sequence[Mapping[str, Any]], settings: StudySettings
) -> dict[str, Any]:
    """Write OUT/study.json from the answers of jobs, and return what is in it.

    Keys: `jobs`: name, seed, status, and seconds or error of each, and how its data
    have `changed`; `options`: of the settings; `demo`: whether any run is of synthetic
    people; and those of `summarize`.
    """
    study = {"options": _plain_options(settings), **figures(outcomes)}
    RunFolder(settings.out).write_json(STUDY_FILE, study)
    return study


def figures(outcomes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Those of a study, but for its options, from the answers of jobs."""
    keys = ("by_subject", "no_signal")
    return study_figures(
        outcomes,
        keys,
        lambda runs: {
            **summarize([run["by_subject"] for run in runs]),
            "no_signal": {
                name: over.as_json()
                for name, over in over_no_signal(r["no_signal"] for r in runs).items()
            },
        },
    )


def study_figures(
    outcomes: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    summary: Callable[[Sequence[Mapping[str, Any]]], dict[str, Any]],
) -> dict[str, Any]:
    """`jobs`: the answers without what stands under `keys`; `demo`; and the summary."""
    return {
        "jobs": [{k: x for k, x in one.items() if k not in keys} for one in outcomes],
        "demo": any(one.get("demo") for one in outcomes),
        **summary([one for one in outcomes if keys[0] in one]),
    }


def study_table(study: Mapping[str, Any]) -> str:
    """A study's figures as lines of text: mean ± sd over people, then what failed."""
    lines = [SYNTHETIC] if study["demo"] else []
    for name, found in study["modalities"].items():
        accuracy = _spread(found["accuracy"])
        lines.append(
            f"{name:<9} accuracy {accuracy}, balanced "
            f"{_spread(found['balanced_accuracy'])}, macro-F1 "
            f"{_spread(found['macro_f1'])}, {study['n_subjects']} people"
        )
    if gain := study.get("primary"):
        lines.append(
            f"fused less the plain mean, asked beforehand: "
            f"{100 * gain['difference']:+.1f} points, p {gain['p']:.3f}"
        )
    for name, figure in study.get("no_signal", {}).items():
        lines.append(f"{NO_SIGNAL_NAMES[name]}: {_spread(figure)}")
    lines += outcome_lines(study["jobs"])
    return "\n".join(lines) + "\n"


def _spread(figure: Mapping[str, Any]) -> str:
    if figure["sd"] is None:
        return f"{figure['mean']:.1%}"
    text = f"{100 * figure['mean']:.1f} ± {100 * figure['sd']:.1f} %"
    if figure["interval"] is None:  # over so few people there is none
        return text
    low, high = figure["interval"]
    return f"{text} [{100 * low:.1f}, {100 * high:.1f}]"


def _plain_options(settings: StudySettings) -> dict[str, Any]:
    """The options that decide what is learned, as JSON has them."""
    chosen = {
        name: value
        for name, value in settings.options.items()
        if name != "states" and value  # where states are kept decides nothing
    }
    plain: dict[str, Any] = json.loads(json.dumps(chosen, default=str))
    return plain


def _finished(
    run: RunFolder, config: Config, stages: Sequence[str], data: TrainingData
) -> tuple[Results | None, str]:
    """The results in `run` if these stages are through; None if there is work left.

    Also how the data have changed since, "" if they have not: then there is all of it.
    """
    now = MadeFrom.run(config, data.split)
    if not run.finished:
        begun = interrupted(run.path)
        return None, "" if begun is None else begun.changed(now)
    changed = run.made_from().check(now, run.path)
    results = run.results()
    if changed or not set(stages) <= results.timings.keys():
        return None, changed
    return results, ""


def jobs(
    subjects: Sequence[int],
    protocol: str,
    folds: int | None = None,
    seeds: Sequence[int] = (0,),
) -> list[Job]:
    """The runs of a protocol, one of `PROTOCOLS`, all of one seed before the next.

    folds: of kfold, 7 if None; each seed draws them anew, for who is tested together
    matters as much as the seed. Raises SplitError if the subjects are too few.
    """
    everybody = tuple(sorted(set(subjects)))
    if not everybody:
        raise SplitError("a study needs at least one subject; prepare some")
    return [
        Job(f"{name}/seed{seed}", needed, fold, seed, protocol == CROSS_SUBJECT)
        for seed in seeds
        for name, needed, fold in _parts(everybody, protocol, folds, seed)
    ]


def _parts(
    everybody: tuple[int, ...], protocol: str, folds: int | None, seed: int
) -> list[tuple[str, tuple[int, ...], SubjectFold | None]]:
    """The runs of one seed: name, whose windows, and whom it leaves out."""
    if protocol == "pooled":
        return [("pooled", everybody, None)]
    if protocol == "within":
        return [(f"subject{number:02d}", (number,), None) for number in everybody]
    if protocol == "kfold":
        n = DEFAULT_FOLDS if folds is None else folds
        drawn = leave_subjects_out(everybody, n, seed)
        return [
            (f"fold{i}of{n}", everybody, fold) for i, fold in enumerate(drawn, start=1)
        ]
    if protocol == "loso":
        drawn = leave_subjects_out(everybody, len(everybody), seed)
        return [(f"loso{fold.test[0]:02d}", everybody, fold) for fold in drawn]
    if protocol == CROSS_SUBJECT:
        n = min(DEFAULT_FOLDS if folds is None else folds, len(everybody))
        fold = leave_subjects_out(everybody, n, seed)[0]
        return [(CROSS_SUBJECT, everybody, fold.with_validation(seed))]
    raise SplitError(
        f"unknown protocol {protocol!r}; expected one of {', '.join(PROTOCOLS)}"
    )


def study_tasks(
    work: Sequence[Any], settings: RunSettings, function: Work = run_job
) -> list[Task]:
    """Jobs as tasks that can be done wherever their folders are seen.

    work: jobs with a `name`, and what an answer says `about` them. function: see
    `Task`.
    """
    there = settings.absolute()
    return [
        Task(job.name, function, job, there, settings.out, job.about) for job in work
    ]


def run_study(
    work: Sequence[Job],
    settings: StudySettings,
    cluster: Cluster | None = None,
    watch: Watch = ignore,
) -> dict[str, Any]:
    """Run jobs and write study.json; see `write_study`.

    Finished runs are kept, interrupted ones go on and those of other data are made
    anew; failed ones do not stop the rest. cluster: None runs one after another in this
    process. Raises InputRefused if the folder holds another study, or if another
    command is at work on it.
    """
    with only_command(settings.out):
        begin_study(settings)
        return gather(
            study_tasks(work, settings),
            lambda outcomes: write_study(outcomes, settings),
            cluster,
            watch,
        )


@contextmanager
def only_command(out: Path) -> Iterator[None]:
    """Keep other commands off a study's folder; raises InputRefused if one is there."""
    with locked(
        out / ".study.lock",
        1.0,
        f"another command is at work on the study in {out}; wait for it, end it, or "
        "give another --out",
    ):
        yield


def gather(
    tasks: Sequence[Task],
    keep: Callable[[list[dict[str, Any]]], dict[str, Any]],
    cluster: Cluster | None = None,
    watch: Watch = ignore,
) -> dict[str, Any]:
    """Do tasks; return what `keep` returned last.

    keep: called at first, and whenever an answer has come, with all there are in the
    order of the tasks. cluster, watch: see `run_tasks`.
    """
    answers: dict[str, dict[str, Any]] = {}
    kept = keep([])
    with closing(run_tasks(tasks, cluster, watch)) as ended:
        for outcome in ended:
            answers[outcome["name"]] = outcome
            kept = keep([answers[t.name] for t in tasks if t.name in answers])
    return kept
