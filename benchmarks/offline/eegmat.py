"""The EEG encoder on real EEG of unknown people, beside a linear model."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter1d

from benchmarks.offline.contest import (
    Answers,
    add_array,
    compare,
    encoder_answers,
    joined,
    linear_answers,
)
from eav_offline.config import Config
from eav_offline.core.window import EEG_RATE, EEG_SAMPLES
from eav_offline.data.eegmat import TASKS, read_people
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.models.baselines.features import EEG_BANDS, log_band_power
from eav_offline.versions import package_versions

SEEDS = tuple(range(5))
OURS, BASELINE = "EEG encoder", "log band power + logistic regression"
PLAIN, STANDARDISED = "plain", "standardised by person"
_SMOOTHED = EEG_SAMPLES // EEG_RATE  # bins of the spectrum in 1 Hz


def bench_eegmat(
    folder: Path, config: Config, seeds: Sequence[int] = SEEDS
) -> dict[str, Any]:
    """Tell rest from arithmetic in people left out one by one; figures for JSON.

    Under `standardised` what is a person's own is taken out first, without labels but
    with all of that person's windows: for the linear model each feature's mean and
    deviation, for the encoder each electrode's spectrum. Rest has three times the
    windows: balanced accuracy counts, of which 0.5 is chance. The encoder's head
    has five outputs; the first two stand for the two tasks, the others do not count.
    """
    began = time.perf_counter()
    windows = window_set(read_people(folder))
    eeg_uv = windows.array("eeg", np.arange(len(windows)))
    features = log_band_power(eeg_uv).reshape(len(windows), -1)
    scaled = add_array(windows, "eeg", even_spectrum(eeg_uv, windows.subject))
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


def even_spectrum(eeg_uv: np.ndarray, person: np.ndarray) -> np.ndarray:
    """(n, 30, 500) in which all of a person's windows together have a flat spectrum.

    Each electrode's amplitudes are divided by the root of the person's mean power at
    that frequency, smoothed over 1 Hz, so that what a window has more or less of than
    the person's others is left. Nothing is left outside the bands of the features.
    """
    edges = [edge for band in EEG_BANDS.values() for edge in band]
    frequency = np.fft.rfftfreq(EEG_SAMPLES, 1 / EEG_RATE)
    kept = (frequency >= min(edges)) & (frequency <= max(edges))
    spectrum = np.fft.rfft(eeg_uv, axis=-1)
    for one in np.unique(person):
        rows = person == one
        power = np.square(np.abs(spectrum[rows])).mean(0)  # (30, 251)
        power = uniform_filter1d(power, _SMOOTHED, axis=-1)
        spectrum[rows] *= kept / np.sqrt(np.maximum(power, 1e-12))
    flat = np.fft.irfft(spectrum, EEG_SAMPLES, axis=-1)
    return (flat / flat.std()).astype(np.float32)


def _by_feature(features: np.ndarray, person: np.ndarray) -> np.ndarray:
    """(n, k) with each feature's mean 0 and deviation 1 over a person's windows."""
    scaled = np.empty_like(features)
    for one in np.unique(person):
        theirs = features[person == one]
        scaled[person == one] = (theirs - theirs.mean(0)) / np.maximum(
            theirs.std(0), 1e-6
        )
    return scaled
