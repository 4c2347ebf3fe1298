"""Seen, unseen and harmonic-mean accuracy of one held-out set of classes.

Generalized: all five classes are candidates. Conventional: the unseen ones only, which
means something from two unseen classes on; guessing then reaches 1 / unseen.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eav_offline.core.labels import N_EMOTIONS
from eav_offline.evaluation.metrics import confusion
from eav_offline.zero_shot.space import Vectors

_PERPLEXITY = 30.0
_LEAST_WINDOWS = 5


def rule_scores(
    scores: np.ndarray, truth: np.ndarray, unseen: Sequence[int]
) -> dict[str, Any]:
    """Figures of one rule on test windows, ready for JSON; None where undefined.

    scores: (n, 5), the larger the likelier. `seen`, `unseen`: mean recall of the
    classes; `harmonic`: their harmonic mean; `false_alarms`: share of the seen
    classes' windows said to be unseen; `seen_unseen_area`: see there; `conventional`:
    mean recall of the unseen classes among themselves; `seen_alone`: of the seen ones
    among themselves; `recall` of each class there is; `confusion`: 5 x 5 counts.
    """
    unseen = sorted(unseen)
    seen = [c for c in range(N_EMOTIONS) if c not in unseen]
    said = scores.argmax(1)
    on_seen = mean_recall(said, truth, seen)
    on_unseen = mean_recall(said, truth, unseen)
    of_seen = np.isin(truth, seen)
    several = len(unseen) > 1
    return {
        "seen": on_seen,
        "unseen": on_unseen,
        "harmonic": harmonic(on_seen, on_unseen),
        "false_alarms": (
            float(np.isin(said[of_seen], unseen).mean()) if of_seen.any() else None
        ),
        "seen_unseen_area": seen_unseen_area(scores, truth, unseen),
        "conventional": (
            mean_recall(among(scores, unseen), truth, unseen) if several else None
        ),
        "conventional_chance": 1 / len(unseen) if several else None,
        "seen_alone": mean_recall(among(scores, seen), truth, seen),
        "recall": {
            str(c): float((said[truth == c] == c).mean())
            for c in range(N_EMOTIONS)
            if (truth == c).any()
        },
        "confusion": confusion(truth, said),
    }


def among(scores: np.ndarray, candidates: Sequence[int]) -> np.ndarray:
    """The likeliest of some classes, (n,)."""
    return np.asarray(candidates)[scores[:, list(candidates)].argmax(1)]


def mean_recall(
    said: np.ndarray, truth: np.ndarray, classes: Sequence[int]
) -> float | None:
    """Mean over those of the classes that there are; None if there is none."""
    recalls = [float((said[truth == c] == c).mean()) for c in classes if c in truth]
    return float(np.mean(recalls)) if recalls else None


def harmonic(seen: float | None, unseen: float | None) -> float | None:
    """2ab / (a + b): high only if both are; 0 if both are 0."""
    if seen is None or unseen is None:
        return None
    return 2 * seen * unseen / (seen + unseen) if seen + unseen else 0.0


def seen_unseen_area(
    scores: np.ndarray, truth: np.ndarray, unseen: Sequence[int]
) -> float | None:
    """Area under unseen against seen accuracy as a bonus for unseen classes grows.

    Chao et al. 2016. What a model knows, whatever its leaning towards the classes it
    was trained on; 1 at best. None if either kind is missing.
    """
    seen = [c for c in range(N_EMOTIONS) if c not in unseen]
    if not unseen or not np.isin(truth, unseen).any() or not np.isin(truth, seen).any():
        return None
    best_seen, best_unseen = scores[:, seen].max(1), scores[:, list(unseen)].max(1)
    right_seen = among(scores, seen) == truth
    right_unseen = among(scores, unseen) == truth
    bonus = best_seen - best_unseen  # from which on a window is said to be unseen
    weight = _class_weight(truth, seen), _class_weight(truth, unseen)
    order = np.argsort(bonus, kind="stable")
    # At step k the k windows with the least bonus are said to be unseen.
    lost = np.cumsum((weight[0] * right_seen)[order])
    won = np.cumsum((weight[1] * right_unseen)[order])
    x = np.concatenate([[lost[-1]], lost[-1] - lost])
    y = np.concatenate([[0.0], won])
    return float(-np.trapezoid(y, x))


def _class_weight(truth: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """(n,): weights under which hits add up to the mean recall of the classes."""
    there = [c for c in classes if c in truth]
    weight = np.zeros(len(truth))
    for c in there:
        weight[truth == c] = 1 / (len(there) * (truth == c).sum())
    return weight


def plane_maps(vectors: Mapping[str, Vectors], seed: int) -> dict[str, np.ndarray]:
    """(n, 2) float32 of eeg_before, av_before, eeg_after, av_after, and their classes.

    vectors: by those names. Before, each side has a map of its own, of its scaled
    features; after, both share one. Empty if there are too few windows for a map.
    """
    if min(len(v) for v in vectors.values()) < _LEAST_WINDOWS:
        return {}
    before = {
        name: _plane(_scaled(vectors[name].values.numpy()), seed)
        for name in ("eeg_before", "av_before")
    }
    eeg, av = vectors["eeg_after"], vectors["av_after"]
    both = _plane(np.concatenate([eeg.values.numpy(), av.values.numpy()]), seed)
    places = {**before, "eeg_after": both[: len(eeg)], "av_after": both[len(eeg) :]}
    classes = {f"{name}_emotion": v.emotion for name, v in vectors.items()}
    return {**places, **classes}


def _plane(x: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.manifold import TSNE

    # A fixed seed and a start from the principal components: the same vectors always
    # give the same map.
    perplexity = min(_PERPLEXITY, (len(x) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed)
    return np.asarray(tsne.fit_transform(x), dtype=np.float32)


def _scaled(x: np.ndarray) -> np.ndarray:
    return np.asarray((x - x.mean(0)) / np.maximum(x.std(0), 1e-3))
