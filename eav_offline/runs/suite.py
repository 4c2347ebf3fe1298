"""All runs of the published tables, from one cache: planned, timed, made.

    OUT/within/ambt-mean/subject01/seed0/    each person's own model
    OUT/kfold/eegnet/fold3of7/seed1/         new people; each seed draws folds anew

A `Block` is one model under one protocol, a study of its own (`runs.study`).
"""

import logging
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from eav_offline.common.console import counted
from eav_offline.common.errors import InputRefused
from eav_offline.config import Config
from eav_offline.core.model_names import (
    FUSIONS,
    NETWORKS,
    STAGES,
    STUDIED,
    STUDY_PROTOCOLS,
)
from eav_offline.data.people import open_person
from eav_offline.data.splits import TRAIN_FRACTION
from eav_offline.models.baselines.settings import choose_stages
from eav_offline.runs.study import Job, StudySettings, job_data, jobs
from eav_offline.training.run_folder import RunFolder
from eav_offline.training.train import TrainingData, train

log = logging.getLogger(__name__)
_NEEDS_WEIGHTS = "video-vit"  # reads faces with a published ViT
_TRIED_STEPS = 3  # of each phase, to tell how long a step takes
_TRIED_WINDOWS = 64
_BESIDES = 1.2  # scoring, frozen states and keeping epochs, in terms of training


@dataclass(frozen=True)
class Block:
    """One model under one protocol. settings: with the block's own folder."""

    name: str
    settings: StudySettings
    work: tuple[Job, ...]


@dataclass(frozen=True)
class Estimate:
    """What the runs that are left will take.

    seconds: of one worker. n_bytes: that stay on disk. scratch: bytes of frozen states
    that a worker keeps during the largest run.
    """

    seconds: float
    n_bytes: float
    n_runs: int
    scratch: float = 0.0


@dataclass(frozen=True)
class _Tried:
    """Seconds of all training and bytes of states, a window; bytes of a run."""

    seconds: float
    scratch: float
    run_bytes: float


def plan_blocks(
    subjects: Sequence[int],
    settings: StudySettings,
    models: Sequence[str] = (),
    protocols: Sequence[str] = STUDY_PROTOCOLS,
    seeds: Sequence[int] = (0,),
    folds: int | None = None,
) -> list[Block]:
    """The runs of a suite, quick models first.

    settings: of all; `config` is that of AMBT, and `options["weights"]` are given to
    the models that take them. models: of `STUDIED`, none for all that can be made.
    protocols: of `STUDY_PROTOCOLS`. Raises SplitError for too few people.
    """
    weights: Mapping[str, str] = settings.options.get("weights", {})
    wanted = models or [m for m in STUDIED if m != _NEEDS_WEIGHTS or "video" in weights]
    blocks = []
    for protocol in protocols:
        work = tuple(jobs(subjects, protocol, folds, seeds))
        for job in work:
            if settings.validates and job.fold is not None:
                job.fold.with_validation(job.seed)  # else each run would find out
        for model in sorted(wanted, key=_cost):
            mine = _settings(settings, model, weights)
            out = settings.out / protocol / model
            blocks.append(Block(f"{protocol}/{model}", replace(mine, out=out), work))
    return blocks


def estimate(blocks: Sequence[Block]) -> Estimate:
    """Time a few steps of every model on this computer; what is finished costs nothing.

    The first steps of a process take longer, so the first model is tried twice.
    """
    seconds = n_bytes = scratch = 0.0
    n_runs = 0
    tried: dict[str, _Tried] = {}
    for block in blocks:
        left = [
            job
            for job in block.work
            if not RunFolder(block.settings.out / job.name).finished
        ]
        if not left:
            continue
        model = block.name.rpartition("/")[2]
        if model not in tried:
            log.info("timing a few steps of %s", model)
            if not tried:
                _try_out(block)
            tried[model] = _try_out(block)
        found = tried[model]
        sizes = {n: len(open_person(block.settings.caches, n)) for n in _people(left)}
        windows = [_trained(job, sizes) for job in left]
        seconds += found.seconds * sum(windows)
        scratch = max(scratch, found.scratch * max(windows))
        n_bytes += found.run_bytes * len(left)
        n_runs += len(left)
    return Estimate(_BESIDES * seconds, n_bytes, n_runs, scratch)


def spoken(blocks: Sequence[Block], costs: Estimate, workers: int, out: Path) -> str:
    """What is going to be made, in lines; and whether the disk holds it."""
    there = next(path for path in (out, *out.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    hours = costs.seconds / 3600 / workers
    took = f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.0f} minutes"
    lines = [f"{block.name}: {counted(len(block.work), 'run')}" for block in blocks]
    scratch = workers * costs.scratch
    lines.append(
        f"{counted(costs.n_runs, 'run')} to make: about {took} with "
        f"{counted(workers, 'worker')} on this computer, {costs.n_bytes / 1e9:.2f} GB "
        f"on disk and {scratch / 1e9:.2f} GB of frozen states meanwhile "
        f"({free / 1e9:.1f} GB are free)"
    )
    if costs.n_bytes + scratch > free:
        raise InputRefused("\n".join([*lines, "give --out on a larger disk"]))
    return "".join(f"{line}\n" for line in lines)


def _people(work: Sequence[Job]) -> set[int]:
    return {number for job in work for number in job.subjects}


def _trained(job: Job, windows: Mapping[int, int]) -> float:
    """About how many windows a job trains on."""
    if job.fold is not None:
        return sum(windows[n] for n in job.fold.train)
    return TRAIN_FRACTION * sum(windows[n] for n in job.subjects)


def _try_out(block: Block) -> _Tried:
    """Train a model for a few steps on a few windows of its smallest run."""
    settings = block.settings
    job = min(block.work, key=lambda one: len(one.subjects))
    whole = job_data(job, settings)
    rows = np.unique(np.linspace(0, len(whole.train) - 1, _TRIED_WINDOWS).astype(int))
    data = TrainingData(whole.train.subset(rows), None, None, whole.preprocess)
    config = settings.config
    config = config.model_copy(
        update={"train": config.train.model_copy(update={"select": "fixed"})}
    )
    with tempfile.TemporaryDirectory(prefix="eav-tried-") as folder:
        out, states = Path(folder) / "run", Path(folder) / "states"
        began = time.perf_counter()
        options = {**settings.options, "states": states, "max_steps": _TRIED_STEPS}
        train(settings.stages, data, config, out, None, settings.device, **options)
        took = time.perf_counter() - began
        run_bytes, scratch = _bytes_in(out), _bytes_in(states) / len(rows)
        history = RunFolder(out).history()
    if all(row.get("strength") for row in history):  # fitted at once, not in epochs
        return _Tried(took / len(rows), scratch, run_bytes)
    seconds = 0.0
    for row in history:
        stage = config.train.stage(row["stage"])
        epochs = stage.head_epochs if row["phase"] == "head" else stage.epochs
        seen = min(len(rows), _TRIED_STEPS * stage.batch)
        seconds += float(row["seconds"]) / seen * epochs
    return _Tried(seconds, scratch, run_bytes)


def _bytes_in(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _cost(model: str) -> tuple[bool, bool]:
    return model in FUSIONS, model in NETWORKS


def _settings(
    settings: StudySettings, model: str, weights: Mapping[str, str]
) -> StudySettings:
    """The settings of one model, with the public weights that it takes."""
    if model in FUSIONS:
        config: Config = settings.config.with_variant(FUSIONS[model])  # type: ignore[arg-type]
        return replace(settings, config=config, stages=STAGES)
    stages, config = choose_stages(model, settings.config)
    options: dict[str, Any] = {**settings.options, "weights": {}}
    if model == _NEEDS_WEIGHTS:
        options["weights"] = {"video": weights["video"]}
    return replace(settings, config=config, stages=stages, options=options)
