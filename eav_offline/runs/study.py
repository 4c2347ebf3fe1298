"""Many runs of one protocol: a model for each person, fold and seed, and their mean.

    OUT/subject01/seed0/   a run, see `protocols` for the names
    OUT/study.json         what became of each run, and the figures over people

A `Job` is a plain value and `run_job` a plain function, so that whatever can call a
function elsewhere can run the same study.
"""

import json
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from eav_offline.checkpoint import write_atomically
from eav_offline.common.errors import InputRefused
from eav_offline.config import STAGES, Config, to_toml
from eav_offline.data.cache import changed_data, open_prepared
from eav_offline.data.splits import split_alone
from eav_offline.evaluation.statistics import (
    average_seeds,
    bootstrap_by_subject,
    compare_models,
    mean_sd,
)
from eav_offline.outcomes import DONE, FAILED, KEPT, changed_lines, failure
from eav_offline.protocols import FOLD_SEED, PROTOCOLS, Job, jobs
from eav_offline.runs.split import held_out_data, training_data
from eav_offline.training.journal import interrupted
from eav_offline.training.train import RESULTS_FILE, Progress, TrainingData, train

__all__ = [
    "PROTOCOLS",
    "Job",
    "StudySettings",
    "attempt",
    "begin_study",
    "job_data",
    "jobs",
    "run_job",
    "run_study",
    "study_table",
    "summarise",
    "write_study",
]

log = logging.getLogger(__name__)

STUDY_FILE = "study.json"
METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "auc", "nll", "ece")
SUBSET_METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "nll")


@dataclass(frozen=True)
class StudySettings:
    """What all jobs of a study share.

    cache: prepared subjects. out: the study's folder. train_windows: see
    `runs.training_data`. validation: set a part of the training material aside even if
    nothing is chosen on it, for temperatures. options: more keyword arguments of
    `training.train`, such as public weights.
    """

    cache: Path
    out: Path
    config: Config
    stages: tuple[str, ...] = STAGES
    train_windows: int | None = None
    validation: bool = False
    device: str = "cpu"
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def validates(self) -> bool:
        """Whether runs have a validation part."""
        return self.validation or self.config.train.select == "validation"


def job_data(job: Job, settings: StudySettings) -> TrainingData:
    """The windows of a job, split by its protocol. Raises InputRefused, SplitError."""
    subjects = [open_prepared(settings.cache, number) for number in job.subjects]
    run = settings.out / job.name
    if job.fold is None:
        return training_data(
            subjects, settings.cache, settings.train_windows, settings.validates, run
        )
    fold = job.fold
    if settings.validates:
        fold = fold.with_validation(FOLD_SEED)
    return held_out_data(subjects, settings.cache, fold, run)


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
    run = settings.out / job.name
    config = settings.config.with_seed(job.seed)
    data = job_data(job, settings)
    results, changed = _finished(run, config, settings.stages, data)
    status = DONE if results is None else KEPT
    if changed:
        log.warning("%s is made anew, its data have changed: %s", job.name, changed)
    if results is None:
        results = train(
            settings.stages,
            data,
            config,
            run,
            progress,
            settings.device,
            anew=True,
            **settings.options,
        )
    return {
        "name": job.name,
        "seed": job.seed,
        "status": status,
        **({"changed": changed} if changed else {}),
        "seconds": round(time.perf_counter() - began, 1),
        "demo": results["demo"],
        "by_subject": results["by_subject"],
    }


def attempt(
    job: Job, settings: StudySettings, progress: Progress | None = None
) -> dict[str, Any]:
    """`run_job`, but a failure is an answer: `status` "failed" and `error`."""
    try:
        return run_job(job, settings, progress)
    except Exception as error:  # one run's misfortune is not the others'
        return failure(job.name, error, seed=job.seed)


def run_study(
    work: Sequence[Job], settings: StudySettings, progress: Progress | None = None
) -> dict[str, Any]:
    """Run jobs one after another and write study.json; see `write_study`.

    Finished runs are kept, interrupted ones go on and those of other data are made
    anew; failed ones do not stop the rest.
    """
    begin_study(settings)
    outcomes: list[dict[str, Any]] = []
    study = write_study(outcomes, settings)
    for number, job in enumerate(work, start=1):
        log.info("Run %d of %d: %s", number, len(work), job.name)
        outcomes.append(attempt(job, settings, progress))
        study = write_study(outcomes, settings)
    return study


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
    outcomes: Iterable[Mapping[str, Any]], settings: StudySettings
) -> dict[str, Any]:
    """Write OUT/study.json from the answers of `attempt`, and return what is in it.

    Keys: `jobs`: name, seed, status, and seconds or error of each, and how its data
    have `changed`; `options`: of the settings; `demo`: whether any run is of synthetic
    people; and those of `summarise`.
    """
    outcomes = list(outcomes)
    study = {
        "options": _plain_options(settings),
        "jobs": [
            {key: value for key, value in one.items() if key != "by_subject"}
            for one in outcomes
        ],
        "demo": any(one.get("demo") for one in outcomes),
        **summarise([one["by_subject"] for one in outcomes if "by_subject" in one]),
    }
    write_atomically(settings.out / STUDY_FILE, json.dumps(study, indent=1))
    return study


def summarise(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Figures over people from the `by_subject` of each run's results.

    Seeds are averaged within each person first. Keys: `n_subjects`; `modalities` and
    `subsets`: of each output or subset and metric, `mean`, `sd`, `interval` (95 %,
    bootstrap by subject, None for fewer than five) and `n_subjects`;
    `comparisons`: of the outputs' accuracies, two by two (`statistics.Comparison`).
    """
    scores: dict[tuple[str, str, str], list[tuple[int, float]]] = {}
    for run in runs:
        for number, figures in run.items():
            for group, metrics in (
                ("modalities", METRICS),
                ("subsets", SUBSET_METRICS),
            ):
                for name, found in figures[group].items():
                    for metric in metrics:
                        if found.get(metric) is not None:
                            key = (group, name, metric)
                            scores.setdefault(key, []).append(
                                (int(number), found[metric])
                            )
    summary: dict[str, Any] = {"modalities": {}, "subsets": {}}
    accuracies = {}
    for (group, name, metric), pairs in scores.items():
        by_subject = average_seeds(pairs)
        values = list(by_subject.values())
        mean, sd = mean_sd(values)
        interval = bootstrap_by_subject(values)
        summary[group].setdefault(name, {})[metric] = {
            "mean": mean,
            "sd": sd,
            "interval": None if interval is None else list(interval),
            "n_subjects": len(values),
        }
        if group == "modalities" and metric == "accuracy":
            accuracies[name] = by_subject
    return {
        "n_subjects": len({number for run in runs for number in run}),
        **summary,
        "comparisons": [asdict(pair) for pair in compare_models(accuracies)],
    }


def study_table(study: Mapping[str, Any]) -> str:
    """A study's figures as lines of text: mean ± sd over people, then what failed."""
    lines = []
    if study["demo"]:
        lines.append("Synthetic people: these figures say nothing of real ones.")
    for name, figures in study["modalities"].items():
        accuracy = _spread(figures["accuracy"])
        lines.append(
            f"{name:<9} accuracy {accuracy}, balanced "
            f"{_spread(figures['balanced_accuracy'])}, macro-F1 "
            f"{_spread(figures['macro_f1'])}, {study['n_subjects']} people"
        )
    failed = [job for job in study["jobs"] if job["status"] == FAILED]
    if failed:
        lines.append(f"{len(failed)} of {len(study['jobs'])} runs failed:")
        lines += [f"  {job['name']}: {job['error']}" for job in failed]
    lines += changed_lines(study["jobs"])
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
    run: Path, config: Config, stages: Sequence[str], data: TrainingData
) -> tuple[dict[str, Any] | None, str]:
    """The results in `run` if these stages are through; None if there is work left.

    Also how the data have changed since, "" if they have not: then there is all of it.
    """
    now = data.split.get("data", {})
    try:
        results = json.loads((run / RESULTS_FILE).read_text(encoding="utf-8"))
        settings = (run / "config.toml").read_text(encoding="utf-8")
        split = results["split"]
        before = dict(split.get("data", {}))
    except FileNotFoundError:
        begun = interrupted(run)
        return None, "" if begun is None else changed_data(begun["data"], now)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputRefused(
            f"the run in {run} cannot be read ({error}); delete it to train it again"
        ) from error
    if settings != to_toml(config):
        raise InputRefused(
            f"{run} holds a run of another configuration; give another --out"
        )
    if split_alone(split) != split_alone(data.split):
        raise InputRefused(f"{run} holds a run of another split; give another --out")
    changed = changed_data(before, now)
    if changed or not set(stages) <= results.get("timings", {}).keys():
        return None, changed
    return dict(results), ""
