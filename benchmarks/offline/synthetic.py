"""Acceptance on synthetic people: what is learned where there is something to learn."""

import dataclasses
import hashlib
import logging
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import logged, side_by_side, working_folder
from eav_offline.checkpoint.file import load
from eav_offline.config import Config, to_toml
from eav_offline.core.labels import MODALITIES
from eav_offline.core.model_names import STAGES
from eav_offline.data.cache import open_prepared
from eav_offline.data.prepared import prepare_root
from eav_offline.data.synthetic.people import write_subjects
from eav_offline.data.synthetic.plan import DEFAULT_EFFECT, attainable
from eav_offline.evaluation.assess import window_probabilities
from eav_offline.evaluation.statistics import clustered_interval
from eav_offline.runs.split import training_data
from eav_offline.training.train import train

log = logging.getLogger(__name__)

NAMES = (*MODALITIES, "fused")
LEAST_MODALITY, LEAST_FUSED = 0.60, 0.80  # of test windows, at the default effect
CHANCE = 0.20
# Nobody here is a person that the settings of configs/compact.toml were tuned on, nor
# one of the demo model's.
_EFFECT_SEED, _NULL_SEED = 23, 11


def bench_synthetic(
    config: Config,
    work: Path | None = None,
    n_trials: int = 200,
    null_subjects: int = 3,
    null_seeds: int = 5,
    effect: float | None = None,
    jobs: int = 2,
) -> dict[str, Any]:
    """Train on a person with an effect, and on people without one.

    work: folder to keep people, windows and runs in, and to resume from; None: a
    temporary one. Returns, ready for JSON, `accuracy` and `attainable` of each of
    eeg, audio, video and fused on untouched test trials at `effect`; `null_accuracy`
    and `null_interval` (95 %, by trial, pooled over people and seeds) at effect 0;
    and `passed`.
    """
    effect = DEFAULT_EFFECT if effect is None else effect
    best = attainable(effect).as_json()
    with working_folder(work) as folder:
        cache = _people(folder / f"effect-{effect:g}", 1, n_trials, effect, jobs)
        null = _people(folder / "null", null_subjects, n_trials, 0.0, jobs)
        work_list = [_Job(cache, 1, config)]
        for subject in range(1, null_subjects + 1):
            for seed in range(null_seeds):
                work_list.append(_Job(null, subject, config.with_seed(seed)))
        (right, _), *without = side_by_side(_score, work_list, jobs, logged("runs"))
    accuracy = {name: float(hits.mean()) for name, hits in right.items()}
    pooled = {name: [right[name] for right, _ in without] for name in NAMES}
    # The same trial under another seed is no new evidence: it keeps its key.
    trials = [keys for _, keys in without]
    hits = {name: np.concatenate(parts) for name, parts in pooled.items()}
    keys = np.concatenate(trials)
    intervals = {n: clustered_interval(hits[n], keys, _NULL_SEED) for n in NAMES}
    learned = all(accuracy[m] > LEAST_MODALITY for m in MODALITIES)
    honest = all(low <= CHANCE <= high for low, high in intervals.values())
    return {
        "synthetic": True,
        "effect": effect,
        "accuracy": accuracy,
        "attainable": best,
        "null_accuracy": {name: float(hits[name].mean()) for name in NAMES},
        "null_interval": {name: list(pair) for name, pair in intervals.items()},
        "passed": learned and accuracy["fused"] > LEAST_FUSED and honest,
        "n_trials": n_trials,
        "null_subjects": null_subjects,
        "null_seeds": null_seeds,
        "environment": {"jobs": jobs},
    }


def _people(root: Path, n: int, n_trials: int, effect: float, jobs: int) -> Path:
    """Write and prepare `n` people; returns the cache. Finished steps are kept."""
    cache, written = root / f"cache-{n_trials}", root / f"written-{n}-{n_trials}"
    people = root / f"people-{n_trials}"
    if not written.exists():
        seed = _EFFECT_SEED if effect else _NULL_SEED
        log.info("Writing %d synthetic people at effect %g", n, effect)
        write_subjects(people, n, n_trials, seed, effect=effect, jobs=jobs)
        written.touch()
    prepare_root(people, cache, subjects=range(1, n + 1), jobs=jobs)
    return cache


@dataclasses.dataclass(frozen=True)
class _Job:
    """One run: a person of a cache, and the configuration with its seed."""

    cache: Path
    subject: int
    config: Config

    @property
    def out(self) -> Path:
        """Where the run is kept; another configuration is another run."""
        about = hashlib.sha256(to_toml(self.config).encode()).hexdigest()[:8]
        return self.cache.parent / f"run-{self.cache.name}-{self.subject}-{about}"


# Which test windows are right, by name, and the trial of each.
_Score = tuple[dict[str, np.ndarray], np.ndarray]


def _score(job: _Job) -> _Score:
    """Train, unless that was done, and score on the test trials."""
    data = training_data([open_prepared(job.cache, job.subject)], [job.cache])
    assert data.test is not None
    if not (job.out / "results.json").is_file():
        train(STAGES, data, job.config, job.out)
    chances = window_probabilities(load(job.out).model, data.test)
    right = {n: chances[n].argmax(1) == data.test.emotion for n in NAMES}
    return right, data.test.trial_keys
