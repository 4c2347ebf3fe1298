"""What a trained model gets right on windows it has never seen."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from eav_offline.data.window_set import WindowSet
from eav_offline.labels import MODALITIES, N_EMOTIONS
from eav_offline.models import Recogniser, read_out

SUBSETS = tuple(
    subset
    for size in range(1, len(MODALITIES) + 1)
    for subset in combinations(MODALITIES, size)
)
BATCH = 32
N_RESAMPLES = 2000


def evaluate(model: Recogniser, windows: WindowSet, seed: int = 0) -> dict[str, Any]:
    """Score a model in eval mode; the answer is ready for JSON.

    Keys: `n_windows`; `modalities`: for eeg, audio, video (each alone) and fused, of
    the windows that have it: `accuracy`, `macro_f1`, `confusion` (rows are the truth),
    `interval` (95 %, by trial), `trial_accuracy` (the windows' probabilities averaged
    over a trial), `n_windows`; `by_position`: accuracy by the window's position in its
    trial, counted from 0, of each of them; `subsets`: fused accuracy for every subset
    of modalities the model knows, such as "eeg+audio", of the windows that have them.
    Raises ValueError if there are no windows.
    """
    if len(windows) == 0:
        raise ValueError("there are no windows to evaluate on; choose more test trials")
    known_subsets = [s for s in SUBSETS if set(s) <= set(model.by_modality)]
    chances, by_subset = _predict(model, windows, known_subsets)
    modalities: dict[str, Any] = {}
    by_position: dict[str, Any] = {}
    for name, rows in chances.items():
        known = ~np.isnan(rows[:, 0])
        if known.any():
            these = windows.subset(known)
            modalities[name] = score(rows[known], these, seed)
            by_position[name] = _by_position(rows[known], these)
    return {
        "n_windows": len(windows),
        "modalities": modalities,
        "by_position": by_position,
        "subsets": {
            "+".join(subset): _subset_score(rows, windows)
            for subset, rows in by_subset.items()
        },
    }


def score(chances: np.ndarray, windows: WindowSet, seed: int = 0) -> dict[str, Any]:
    """Accuracy and what goes with it for probabilities (n, 5) of these windows."""
    said, truth = chances.argmax(1), windows.emotion
    low, high = clustered_interval(said == truth, windows.trial_keys, seed)
    classes = list(range(N_EMOTIONS))
    return {
        "accuracy": float(accuracy_score(truth, said)),
        "macro_f1": float(
            f1_score(truth, said, labels=classes, average="macro", zero_division=0)
        ),
        "confusion": confusion_matrix(truth, said, labels=classes).tolist(),
        "interval": [low, high],
        "trial_accuracy": _trial_accuracy(chances, windows),
        "n_windows": len(windows),
    }


def clustered_interval(
    correct: np.ndarray, trial_ids: np.ndarray, seed: int
) -> tuple[float, float]:
    """95 % bootstrap interval of accuracy, drawing whole trials.

    correct: (n,) bool; trial_ids: (n,). Windows of one trial resemble each other, so
    drawing single windows would make the interval too narrow.
    """
    _, trial = np.unique(trial_ids, return_inverse=True)
    right = np.bincount(trial, weights=np.asarray(correct, dtype=np.float64))
    size = np.bincount(trial)
    random = np.random.default_rng(seed)
    drawn = random.integers(0, len(size), (N_RESAMPLES, len(size)))
    accuracy = right[drawn].sum(1) / size[drawn].sum(1)
    low, high = np.quantile(accuracy, [0.025, 0.975])
    return float(low), float(high)


def window_probabilities(
    model: Recogniser, windows: WindowSet
) -> dict[str, np.ndarray]:
    """Probabilities (n, 5) of each modality alone and "fused"; NaN where absent."""
    return _predict(model, windows, subsets=())[0]


@torch.inference_mode()
def _predict(
    model: Recogniser, windows: WindowSet, subsets: Sequence[tuple[str, ...]]
) -> tuple[dict[str, np.ndarray], dict[tuple[str, ...], np.ndarray]]:
    """Probabilities by modality and fused, and fused ones by subset, (n, 5) each."""
    device = next(model.parameters()).device
    known = tuple(model.by_modality)
    named: dict[str, list[np.ndarray]] = {m: [] for m in (*known, "fused")}
    by_subset: dict[tuple[str, ...], list[np.ndarray]] = {s: [] for s in subsets}
    for start in range(0, len(windows), BATCH):
        rows = np.arange(start, min(start + BATCH, len(windows)))
        batch = windows.batch(rows, known).to(device)
        states = model.states(batch)
        said = read_out(model, states, batch.present)
        for m in known:
            named[m].append(said.by_modality[m])
        named["fused"].append(said.fused)
        for subset in subsets:
            asked = torch.tensor([m in subset for m in MODALITIES], device=device)
            present = batch.present & asked
            # A window that lacks one of the subset does not count for it.
            present = present & (present == asked).all(1, keepdim=True)
            kept = {m: x for m, x in states.items() if m in subset}
            fused, _ = model.fused(kept, present)
            by_subset[subset].append(fused.softmax(1).float().cpu().numpy())
    return (
        {name: np.concatenate(parts) for name, parts in named.items()},
        {subset: np.concatenate(parts) for subset, parts in by_subset.items()},
    )


def _subset_score(chances: np.ndarray, windows: WindowSet) -> Mapping[str, Any]:
    known = ~np.isnan(chances[:, 0])
    right = chances[known].argmax(1) == windows.emotion[known]
    return {
        "accuracy": float(right.mean()) if len(right) else None,
        "n_windows": int(known.sum()),
    }


def _by_position(chances: np.ndarray, windows: WindowSet) -> dict[str, float]:
    right = chances.argmax(1) == windows.emotion
    return {
        str(position): float(right[windows.position == position].mean())
        for position in np.unique(windows.position)
    }


def _trial_accuracy(chances: np.ndarray, windows: WindowSet) -> float:
    right = []
    for trial in np.unique(windows.trial_keys):
        rows = windows.trial_keys == trial
        right.append(chances[rows].mean(0).argmax() == windows.emotion[rows][0])
    return float(np.mean(right))
