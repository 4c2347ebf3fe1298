"""Zero-shot runs over people and seeds, as plain values and plain functions.

    OUT/subject01/seed0/zero_shot.json   figures of every held-out set
                        maps.npz         the t-SNE of the test windows
                        config.toml      what the encoders were trained with
    OUT/zero_shot_study.json             what became of each run, figures over people

`ZeroShotJob` and `ZeroShotSettings` can be pickled, so that whatever can call
`run_zero_shot` elsewhere can run the same study.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from typing import Any

import numpy as np

from eav_offline.common.files import package_versions
from eav_offline.core.labels import EMOTIONS, N_EMOTIONS
from eav_offline.data.people import open_person
from eav_offline.evaluation.results import SYNTHETIC
from eav_offline.evaluation.statistics import over_subjects
from eav_offline.runs.jobs import Cluster, Watch, ignore, outcome_lines
from eav_offline.runs.split import training_data
from eav_offline.runs.study import (
    RunSettings,
    gather,
    keep_or_make,
    only_command,
    study_figures,
    study_tasks,
)
from eav_offline.training.run_folder import MadeFrom, RunFolder
from eav_offline.training.runtime import Progress
from eav_offline.training.train import wanted
from eav_offline.zero_shot.engine import (
    STRICT,
    TRANSFER,
    Unseen,
    held_out_name,
    learn_zero_shot,
)
from eav_offline.zero_shot.space import SpaceSettings

FORMAT = 1  # of zero_shot.json
ZERO_SHOT_FILE, MAPS_FILE = "zero_shot.json", "maps.npz"
STUDY_FILE = "zero_shot_study.json"
RULES = ("nearest", "classifier")
METRICS = ("seen", "unseen", "harmonic", "seen_unseen_area", "conventional")


@dataclass(frozen=True)
class ZeroShotJob:
    """One person and seed. name: its folder below the study's, the job's key.

    unseen: sets of classes held out of EEG, one after another; () is all classes.
    """

    name: str
    subject: int
    unseen: tuple[Unseen, ...]
    seed: int

    @property
    def about(self) -> dict[str, Any]:
        return {"subject": self.subject, "seed": self.seed}


@dataclass(frozen=True)
class ZeroShotSettings(RunSettings):
    """What all jobs of a study share.

    strict: sound and face do not train on the held-out class either. maps: compute the
    t-SNE for figures.
    """

    strict: bool = False
    maps: bool = True
    space: SpaceSettings = field(default_factory=SpaceSettings)

    @property
    def mode(self) -> str:
        """What results call it."""
        return STRICT if self.strict else TRANSFER


def zero_shot_jobs(
    subjects: Sequence[int], unseen: Sequence[Unseen], seeds: Sequence[int] = (0,)
) -> list[ZeroShotJob]:
    """A run for each person and seed, all of one seed before the next."""
    return [
        ZeroShotJob(f"subject{number:02d}/seed{seed}", number, tuple(unseen), seed)
        for seed in seeds
        for number in sorted(set(subjects))
    ]


def run_zero_shot(
    job: ZeroShotJob, settings: ZeroShotSettings, progress: Progress | None = None
) -> dict[str, Any]:
    """Train and score one run, unless that was done; the answer is ready for JSON.

    A run of other data is made anew. Keys: `name`, `subject`, `seed`, `status` ("done"
    or "kept"), `seconds`, `demo`, `mode`, `held_out` (`engine`) and, if it was made
    anew, `changed`: how the data differ. Raises InputRefused if its folder holds a run
    of other settings, and whatever training raises.
    """
    began = time.perf_counter()
    folder = RunFolder(settings.out / job.name)
    config = settings.config.with_seed(job.seed)
    data = training_data(
        [open_person(settings.caches, job.subject)],
        settings.caches,
        settings.train_windows,
        config.train.select == "validation",
        folder.path,
    )
    now = MadeFrom.run(
        config,
        data.split,
        {
            "mode": settings.mode,
            "joint space": asdict(settings.space),
            "set of held-out classes": list(map(held_out_name, job.unseen)),
        },
    )

    def finished() -> tuple[dict[str, Any] | None, str]:
        if not (folder.path / ZERO_SHOT_FILE).is_file():
            return None, ""
        results = folder.read_json(ZERO_SHOT_FILE)
        changed = _made_from(results, folder).check(now, folder.path)
        return None if changed else results, changed

    def make() -> dict[str, Any]:
        learned = learn_zero_shot(
            wanted(data, config),
            job.unseen,
            config,
            settings.strict,
            settings.space,
            settings.maps,
            settings.device,
            progress,
        )
        results = {
            "format": FORMAT,
            "subject": job.subject,
            "seed": job.seed,
            "demo": data.train.synthetic,
            "split": data.split,
            **learned.results,
            "device": settings.device,
            "versions": package_versions(),
        }
        folder.write_config(config)
        folder.write_arrays(MAPS_FILE, learned.maps)
        # Last: whoever finds it finds the rest.
        folder.write_json(ZERO_SHOT_FILE, results)
        return results

    told = ("subject", "seed", "demo", "mode", "held_out")
    return keep_or_make(
        job.name, began, finished, make, lambda found: {key: found[key] for key in told}
    )


def _made_from(results: Mapping[str, Any], folder: RunFolder) -> MadeFrom:
    """What decided a finished run."""
    try:
        return MadeFrom.run(
            folder.config(),
            results["split"],
            {
                "mode": results["mode"],
                "joint space": results["space"],
                "set of held-out classes": list(results["held_out"]),
            },
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise folder.unreadable(f"{ZERO_SHOT_FILE} is damaged: {error}") from error


def run_zero_shot_study(
    work: Sequence[ZeroShotJob],
    settings: ZeroShotSettings,
    cluster: Cluster | None = None,
    watch: Watch = ignore,
) -> dict[str, Any]:
    """`runs.study.run_study` of these jobs; writes zero_shot_study.json.

    Keys: `mode`, `demo`, `jobs`: each outcome without its figures; and those of
    `summarize_zero_shot`.
    """

    def keep(outcomes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        figures = study_figures(outcomes, ("held_out",), summarize_zero_shot)
        study = {"mode": settings.mode, **figures}
        RunFolder(settings.out).write_json(STUDY_FILE, study)
        return study

    with only_command(settings.out):
        tasks = study_tasks(work, settings, run_zero_shot)
        return gather(tasks, keep, cluster, watch)


def summarize_zero_shot(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Figures over people from the `held_out` of each run.

    Seeds are averaged within each person first. Keys: `n_subjects`; `held_out`: by set
    of classes, rule and metric, `mean`, `sd`, `interval` (95 %, bootstrap by subject)
    and `n_subjects`; `average`: the same, each person's mean over single held-out
    classes, if all five were held out.
    """
    found: dict[tuple[str, str, str], list[tuple[int, float | None]]] = {}
    for run in runs:
        for name, figures in run["held_out"].items():
            for rule, metric in product(RULES, METRICS):
                pair = (run["subject"], figures["rules"][rule][metric])
                found.setdefault((name, rule, metric), []).append(pair)
    summary: dict[str, Any] = {"held_out": {}, "average": {}}
    people: dict[tuple[str, str], list[dict[int, float]]] = {}
    for (name, rule, metric), pairs in found.items():
        over = over_subjects(pairs)
        if over is not None:
            rules = summary["held_out"].setdefault(name, {})
            rules.setdefault(rule, {})[metric] = over.as_json()
            if name in EMOTIONS:
                people.setdefault((rule, metric), []).append(over.by_subject)
    for (rule, metric), each in people.items():
        if len(each) == N_EMOTIONS:
            both = set.intersection(*map(set, each))
            over = over_subjects(
                (s, float(np.mean([one[s] for one in each]))) for s in both
            )
            if over is not None:
                summary["average"].setdefault(rule, {})[metric] = over.as_json()
    return {"n_subjects": len({run["subject"] for run in runs}), **summary}


def zero_shot_table(study: Mapping[str, Any]) -> str:
    """A study's figures as lines of text."""
    lines = [SYNTHETIC] if study["demo"] else []
    lines.append(f"{study['mode']}, EEG, {study['n_subjects']} people")
    sets = dict(study["held_out"])
    if study["average"]:
        sets["average of five"] = study["average"]
    lines.append(f"{'unseen':<20} {'rule':<10}     seen   unseen harmonic conventional")
    for name, rules in sets.items():
        for rule, figures in rules.items():
            cells = [
                f"{figures[metric]['mean']:.1%}" if metric in figures else "-"
                for metric in ("seen", "unseen", "harmonic", "conventional")
            ]
            text = "{:>8} {:>8} {:>8} {:>12}".format(*cells)
            lines.append(f"{name:<20} {rule:<10} {text}")
    lines += outcome_lines(study["jobs"])
    return "\n".join(lines) + "\n"
