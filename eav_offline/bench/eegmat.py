"""The EEG encoder on real EEG of unknown people, beside a linear model."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eav_offline.bench.contest import (
    Answers,
    add_array,
    compare,
    encoder_answers,
    joined,
    linear_answers,
)
from eav_offline.config import Config
from eav_offline.data.eegmat import TASKS, read_people
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.features import log_band_power
from eav_offline.versions import package_versions

SEEDS = tuple(range(5))
OURS, BASELINE = "EEG encoder", "log band power + logistic regression"
PLAIN, STANDARDISED = "plain", "standardised by person"


def bench_eegmat(
    folder: Path, config: Config, seeds: Sequence[int] = SEEDS
) -> dict[str, Any]:
    """Tell rest from arithmetic in people left out one by one; figures for JSON.

    Under `standardised` both contenders have each person's own mean and deviation
    taken out first, without labels but with all of that person's windows: the encoder
    of each electrode's signal, the linear model of each feature. Rest has three times
    the windows: balanced accuracy counts, of which 0.5 is chance. The encoder's head
    has five outputs; the first two stand for the two tasks, the others do not count.
    """
    began = time.perf_counter()
    windows = window_set(read_people(folder))
    eeg_uv = windows.array("eeg", np.arange(len(windows)))
    features = log_band_power(eeg_uv).reshape(len(windows), -1)
    scaled = add_array(windows, "eeg", _by_electrode(eeg_uv, windows.subject))
    own = _by_feature(features, windows.subject)
    settings = {PLAIN: (windows, features), STANDARDISED: (scaled, own)}
    figures: dict[str, Any] = {
        "synthetic": False,
        "n_people": len(windows.sources),
        "n_windows": len(windows),
        "majority_share": float(np.bincount(windows.emotion).max() / len(windows)),
        "seeds": list(seeds),
    }
    for name, (these, theirs) in settings.items():
        answers = _leave_one_out(these, theirs, config, seeds)
        figures[name.split()[0]] = {
            "contenders": {who: one.scores() for who, one in answers.items()},
            "encoder_minus_baseline": compare(
                answers[OURS], answers[BASELINE], "balanced_accuracy"
            ),
        }
    figures["versions"] = package_versions()
    figures["seconds"] = round(time.perf_counter() - began, 1)
    return figures


def _leave_one_out(
    windows: WindowSet, features: np.ndarray, config: Config, seeds: Sequence[int]
) -> dict[str, Answers]:
    found: dict[str, list[Answers]] = {OURS: [], BASELINE: []}
    for person in np.unique(windows.subject):
        test = windows.subject == person
        found[OURS].append(
            encoder_answers("eeg", windows, ~test, test, config, seeds, len(TASKS))
        )
        found[BASELINE].append(
            linear_answers(features, windows, ~test, test, balanced=True)
        )
    return {name: joined(parts) for name, parts in found.items()}


def _by_electrode(eeg_uv: np.ndarray, person: np.ndarray) -> np.ndarray:
    """(n, 30, 500) with each electrode's mean 0 and deviation 1 over a person."""
    scaled = np.empty_like(eeg_uv)
    for one in np.unique(person):
        theirs = eeg_uv[person == one]
        mean = theirs.mean((0, 2), keepdims=True)
        deviation = theirs.std((0, 2), keepdims=True)
        scaled[person == one] = (theirs - mean) / np.maximum(deviation, 1e-3)
    return scaled


def _by_feature(features: np.ndarray, person: np.ndarray) -> np.ndarray:
    """(n, k) with each feature's mean 0 and deviation 1 over a person's windows."""
    scaled = np.empty_like(features)
    for one in np.unique(person):
        theirs = features[person == one]
        scaled[person == one] = (theirs - theirs.mean(0)) / np.maximum(
            theirs.std(0), 1e-6
        )
    return scaled
