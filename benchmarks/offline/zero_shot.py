"""Zero-shot EEG where EEG, sound and face share their classes' structure, and not.

The sharpest question is put with two classes held out together and only those two as
candidates. Nothing that was learned tells them apart except by where sound and face
have them, so without a shared structure the two are exchangeable and guessing is
right one time in two, whatever a model's leanings. See docs/zero-shot.md.
"""

import logging
import multiprocessing
import platform
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from eav_offline.config import Config
from eav_offline.core.labels import N_EMOTIONS
from eav_offline.data.synthetic_shared import (
    SIDE,
    WINDOWS_PER_TRIAL,
    shared_windows,
)
from eav_offline.data.window_set import window_set
from eav_offline.evaluation.statistics import bootstrap_by_subject, mean_sd
from eav_offline.preprocess import PreprocessSettings
from eav_offline.training.train import TrainingData
from eav_offline.zero_shot.engine import learn_zero_shot
from eav_offline.zero_shot.study import RULES, parse_unseen

log = logging.getLogger(__name__)

PAIR_CHANCE, FIVE_CHANCE = 1 / 2, 1 / N_EMOTIONS
TRAIN_FRACTION = 0.7
SINGLE = ("seen", "unseen", "harmonic", "seen_unseen_area", "false_alarms")
PAIRED = ("conventional",)
ARMS = {"shared": True, "not_shared": False}
_STAGE = {"batch": 20, "learning_rate": 3e-3, "augment": False}
_VIT = {"dim": 16, "heads": 2, "layers_before": 1, "mlp_ratio": 2.0}


@dataclass(frozen=True)
class _Person:
    """One synthetic person of one kind."""

    seed: int
    shared: bool
    strict: bool
    trials_per_class: int


def bench_zero_shot(
    people: int = 8, strict: bool = False, trials_per_class: int = 10, jobs: int = 1
) -> dict[str, Any]:
    """Hold out each class, and each two, for people of both kinds.

    A person has the same sounds and faces in both kinds; only EEG's arrangement of the
    classes differs. Returns, ready for JSON, for `shared` and `not_shared` and each
    rule `single` (five held-out classes, all five are candidates) and `pair` (ten
    pairs, the two are candidates): mean, sd and 95 % interval (bootstrap by person) of
    each metric over people; `difference` of the two kinds, paired by person; and
    `passed`: pairs above 50 % where shared, 50 % within the interval where not, and
    more unseen windows recognised among five where shared.
    """
    began = time.perf_counter()
    work = [
        _Person(seed, shared, strict, trials_per_class)
        for seed in range(people)
        for shared in ARMS.values()
    ]
    found = _measure_all(work, jobs)
    arms: dict[str, Any] = {}
    each: dict[str, dict[str, dict[str, list[float]]]] = {}
    for arm, shared in ARMS.items():
        both = zip(work, found, strict=True)
        mine = [figures for one, figures in both if one.shared is shared]
        each[arm] = {
            rule: {m: [person[rule][m] for person in mine] for m in (*SINGLE, *PAIRED)}
            for rule in RULES
        }
        arms[arm] = {
            rule: {
                "single": {m: _over(values[m]) for m in SINGLE},
                "pair": {m: _over(values[m]) for m in PAIRED},
            }
            for rule, values in each[arm].items()
        }
    difference = {
        rule: {
            m: _over(np.subtract(each["shared"][rule][m], each["not_shared"][rule][m]))
            for m in (*SINGLE, *PAIRED)
        }
        for rule in RULES
    }
    return {
        "synthetic": True,
        "mode": "strict" if strict else "cross-modal transfer",
        **arms,
        "difference": difference,
        "chance": {"pair": PAIR_CHANCE, "unseen_of_five": FIVE_CHANCE},
        "passed": _passed(arms, difference),
        "people": people,
        "trials_per_class": trials_per_class,
        "seconds": round(time.perf_counter() - began, 1),
        "environment": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "jobs": jobs,
            "machine": platform.machine(),
        },
    }


def small_config(epochs: int = 6) -> Config:
    """Encoders as small as the synthetic windows allow."""
    stage = {**_STAGE, "epochs": epochs}
    return Config.model_validate(
        {
            "model": {
                "eeg": {"dim": 10, "heads": 1, "dropout": 0.0, "head_dropout": 0.1},
                "audio": {**_VIT, "patch": [128, 83], "stride": [128, 83]},
                "video": {**_VIT, "patch": [8, 8], "stride": [8, 8], "side": SIDE},
                "fusion": {"width": 12},
            },
            "train": {
                "eeg": stage,
                "audio": stage,
                "video": {**stage, "frames": 2},
                "ambt": {**stage, "frames": 5},
            },
        }
    )


def shared_data(seed: int, shared: bool, trials_per_class: int) -> TrainingData:
    """A synthetic person's windows; of each class the first 70 % of trials train."""
    windows = window_set([shared_windows(seed, shared, trials_per_class)])
    n_train = round(TRAIN_FRACTION * trials_per_class) * N_EMOTIONS
    first = windows.trial <= n_train
    about = {
        "protocol": "the first trials of each class train, the last test",
        "windows_per_trial": WINDOWS_PER_TRIAL,
    }
    return TrainingData(
        windows.subset(first),
        None,
        windows.subset(~first),
        PreprocessSettings(face_size=SIDE),
        about,
    )


def zero_shot_bench_table(figures: Mapping[str, Any]) -> str:
    """The figures as lines of text."""
    lines = [
        "Synthetic people: these figures say nothing of real ones.",
        f"{figures['mode']}, {figures['people']} people; 95 % intervals by person",
    ]
    for arm in ARMS:
        for rule in RULES:
            one = figures[arm][rule]
            lines.append(
                f"{arm:<10} {rule:<10} pairs {_text(one['pair']['conventional'])}; "
                f"of five: unseen {_text(one['single']['unseen'])}, seen "
                f"{_text(one['single']['seen'])}, harmonic "
                f"{_text(one['single']['harmonic'])}"
            )
    lines.append("guessing: pairs 50.0 %, of five 20.0 %")
    return "\n".join(lines) + "\n"


def _measure_all(work: Sequence[_Person], jobs: int) -> list[dict[str, Any]]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        jobs, context, initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:
        try:
            found = []
            for done, figures in enumerate(pool.map(_measure, work), 1):
                found.append(figures)
                log.info("%d of %d people", done, len(work))
            return found
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _measure(person: _Person) -> dict[str, dict[str, float]]:
    """By rule: means over held-out classes, and over pairs."""
    data = shared_data(person.seed, person.shared, person.trials_per_class)
    single, pairs = parse_unseen("all"), parse_unseen("pairs")
    config = small_config().with_seed(person.seed)
    held_out = learn_zero_shot(
        data, (*single, *pairs), config, person.strict, maps=False
    ).results["held_out"]
    means = {}
    for rule in RULES:
        ones = [f["rules"][rule] for f in held_out.values() if len(f["unseen"]) == 1]
        twos = [f["rules"][rule] for f in held_out.values() if len(f["unseen"]) == 2]
        means[rule] = {m: float(np.mean([f[m] for f in ones])) for m in SINGLE}
        means[rule] |= {m: float(np.mean([f[m] for f in twos])) for m in PAIRED}
    return means


def _passed(arms: Mapping[str, Any], difference: Mapping[str, Any]) -> bool:
    """Of the nearest centroid, the rule that needs no examples to lean on."""
    shared, apart = (arms[a]["nearest"]["pair"]["conventional"] for a in ARMS)
    more = difference["nearest"]["unseen"]["interval"]
    if shared["interval"] is None:  # of so few people there is none
        return False
    low, high = apart["interval"]
    above = shared["interval"][0] > PAIR_CHANCE
    return bool(above and low <= PAIR_CHANCE <= high and more[0] > 0)


def _over(values: Sequence[float] | np.ndarray) -> dict[str, Any]:
    mean, sd = mean_sd(values)
    interval = bootstrap_by_subject(values)
    return {
        "mean": mean,
        "sd": sd,
        "interval": None if interval is None else list(interval),
    }


def _text(figure: Mapping[str, Any]) -> str:
    if figure["interval"] is None:
        return f"{figure['mean']:.1%}"
    low, high = figure["interval"]
    return f"{100 * figure['mean']:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
