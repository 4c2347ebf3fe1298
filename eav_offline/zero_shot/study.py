"""Zero-shot runs over people and seeds, as plain values and plain functions.

    OUT/subject01/seed0/zero_shot.json   figures of every held-out set
                        maps.npz         the t-SNE of the test windows
                        config.toml      what the encoders were trained with
    OUT/zero_shot_study.json             what became of each run, figures over people

`ZeroShotJob` and `ZeroShotSettings` can be pickled, so that whatever can call
`run_zero_shot` elsewhere can run the same study.
"""

import io
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from eav_offline.common.errors import InputRefused
from eav_offline.common.files import package_versions, write_atomically
from eav_offline.config import Config, to_toml
from eav_offline.core.labels import EMOTIONS, N_EMOTIONS
from eav_offline.data.cache import changed_data, open_prepared
from eav_offline.data.splits import split_alone
from eav_offline.evaluation.statistics import average_seeds
from eav_offline.runs.jobs import DONE, KEPT, Cluster, Watch, ignore, outcome_lines
from eav_offline.runs.split import training_data
from eav_offline.runs.study import (
    RunSettings,
    gather,
    only_command,
    over_people,
    study_tasks,
)
from eav_offline.training.runtime import Progress
from eav_offline.training.train import TrainingData, wanted
from eav_offline.zero_shot.engine import (
    STRICT,
    TRANSFER,
    Unseen,
    held_out_name,
    learn_zero_shot,
)
from eav_offline.zero_shot.space import SpaceSettings

log = logging.getLogger(__name__)

FORMAT = 1  # of zero_shot.json
ZERO_SHOT_FILE, MAPS_FILE, CONFIG_FILE = "zero_shot.json", "maps.npz", "config.toml"
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
        """What its answer says of it if it fails."""
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


def parse_unseen(text: str) -> tuple[Unseen, ...]:
    """`Happiness`, `Anger,Happiness` (together), `all`, `pairs` or `none`.

    all: each class by itself; pairs: each two. Raises InputRefused for anything else.
    """
    words = [word.strip().lower() for word in text.split(",")]
    if words == ["none"]:
        return ((),)
    if words == ["all"]:
        return tuple((c,) for c in range(N_EMOTIONS))
    if words == ["pairs"]:
        return tuple(combinations(range(N_EMOTIONS), 2))
    unknown = [word for word in words if word not in EMOTIONS]
    if unknown:
        raise InputRefused(
            f"--unseen {text}: {', '.join(map(repr, unknown))} is no emotion; give "
            f"some of {', '.join(EMOTIONS)}, or all, pairs or none"
        )
    return (tuple(sorted({EMOTIONS.index(word) for word in words})),)


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
    folder = settings.out / job.name
    config = settings.config.with_seed(job.seed)
    data = training_data(
        [open_prepared(settings.cache, job.subject)],
        settings.cache,
        settings.train_windows,
        config.train.select == "validation",
        folder,
    )
    results, changed = _finished(folder, job, settings, config, data)
    status = DONE if results is None else KEPT
    if changed:
        log.warning("%s is made anew, its data have changed: %s", job.name, changed)
    if results is None:
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
        write_atomically(folder / CONFIG_FILE, to_toml(config))
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **learned.maps)  # type: ignore[arg-type]
        write_atomically(folder / MAPS_FILE, buffer.getvalue())
        # Last: whoever finds it finds the rest.
        write_atomically(folder / ZERO_SHOT_FILE, json.dumps(results, indent=1))
    return {
        "name": job.name,
        "status": status,
        "seconds": round(time.perf_counter() - began, 1),
        **({"changed": changed} if changed else {}),
        **{
            key: results[key] for key in ("subject", "seed", "demo", "mode", "held_out")
        },
    }


def run_zero_shot_study(
    work: Sequence[ZeroShotJob],
    settings: ZeroShotSettings,
    cluster: Cluster | None = None,
    watch: Watch = ignore,
) -> dict[str, Any]:
    """`runs.study.run_study` of these jobs; writes zero_shot_study.json."""
    with only_command(settings.out):
        return gather(
            study_tasks(work, settings, run_zero_shot),
            lambda outcomes: write_zero_shot_study(outcomes, settings),
            cluster,
            watch,
        )


def write_zero_shot_study(
    outcomes: Sequence[Mapping[str, Any]], settings: ZeroShotSettings
) -> dict[str, Any]:
    """Write OUT/zero_shot_study.json from the answers of jobs.

    Keys: `mode`, `demo`, `jobs`: each outcome without its figures; and those of
    `summarize_zero_shot`.
    """
    study = {
        "mode": STRICT if settings.strict else TRANSFER,
        "demo": any(one.get("demo") for one in outcomes),
        "jobs": [
            {key: value for key, value in one.items() if key != "held_out"}
            for one in outcomes
        ],
        **summarize_zero_shot([one for one in outcomes if "held_out" in one]),
    }
    write_atomically(settings.out / STUDY_FILE, json.dumps(study, indent=1))
    return study


def summarize_zero_shot(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Figures over people from the `held_out` of each run.

    Seeds are averaged within each person first. Keys: `n_subjects`; `held_out`: by set
    of classes, rule and metric, `mean`, `sd`, `interval` (95 %, bootstrap by subject)
    and `n_subjects`; `average`: the same, each person's mean over single held-out
    classes, if all five were held out.
    """
    found: dict[tuple[str, str, str], list[tuple[int, float]]] = {}
    for run in runs:
        for name, figures in run["held_out"].items():
            for rule in RULES:
                for metric in METRICS:
                    value = figures["rules"][rule][metric]
                    if value is not None:
                        key = (name, rule, metric)
                        found.setdefault(key, []).append((run["subject"], value))
    by_subject = {key: average_seeds(pairs) for key, pairs in found.items()}
    summary: dict[str, Any] = {"held_out": {}, "average": {}}
    for (name, rule, metric), values in by_subject.items():
        rules = summary["held_out"].setdefault(name, {})
        rules.setdefault(rule, {})[metric] = over_people(values)
    for rule in RULES:
        for metric in METRICS:
            each = [by_subject.get((name, rule, metric), {}) for name in EMOTIONS]
            people = set.intersection(*(set(one) for one in each))
            if people:
                means = {s: float(np.mean([one[s] for one in each])) for s in people}
                summary["average"].setdefault(rule, {})[metric] = over_people(means)
    return {"n_subjects": len({run["subject"] for run in runs}), **summary}


def zero_shot_table(study: Mapping[str, Any]) -> str:
    """A study's figures as lines of text."""
    lines = []
    if study["demo"]:
        lines.append("Synthetic people: these figures say nothing of real ones.")
    lines.append(f"{study['mode']}, EEG, {study['n_subjects']} people")
    sets = dict(study["held_out"])
    if study["average"]:
        sets["average of five"] = study["average"]
    lines.append(f"{'unseen':<20} {'rule':<10}     seen   unseen harmonic conventional")
    for name, rules in sets.items():
        for rule, figures in rules.items():
            cells = (
                _cell(figures, metric, width)
                for metric, width in (
                    ("seen", 8),
                    ("unseen", 8),
                    ("harmonic", 8),
                    ("conventional", 12),
                )
            )
            lines.append(f"{name:<20} {rule:<10} {' '.join(cells)}")
    lines += outcome_lines(study["jobs"])
    return "\n".join(lines) + "\n"


def _cell(figures: Mapping[str, Any], metric: str, width: int) -> str:
    text = f"{figures[metric]['mean']:.1%}" if metric in figures else "-"
    return text.rjust(width)


def _finished(
    folder: Path,
    job: ZeroShotJob,
    settings: ZeroShotSettings,
    config: Config,
    data: TrainingData,
) -> tuple[dict[str, Any] | None, str]:
    """The results in `folder`; None if there are none, or of other data.

    Also how the data have changed since, "" if they have not.
    """
    try:
        results = json.loads((folder / ZERO_SHOT_FILE).read_text(encoding="utf-8"))
        before = (folder / CONFIG_FILE).read_text(encoding="utf-8")
        same = {
            "configuration": before == to_toml(config),
            "split": split_alone(results["split"]) == split_alone(data.split),
            "mode": results["mode"] == (STRICT if settings.strict else TRANSFER),
            "joint space": results["space"] == asdict(settings.space),
            "set of held-out classes": list(results["held_out"])
            == [held_out_name(classes) for classes in job.unseen],
        }
        known = dict(results["split"].get("data", {}))
    except FileNotFoundError:
        return None, ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputRefused(
            f"the run in {folder} cannot be read ({error}); delete it to run it again"
        ) from error
    other = [what for what, equal in same.items() if not equal]
    if other:
        raise InputRefused(
            f"{folder} holds a run of another {' and '.join(other)}; give another --out"
        )
    changed = changed_data(known, data.split["data"])
    return (None, changed) if changed else (dict(results), "")
