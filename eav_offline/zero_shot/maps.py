"""Test windows on a plane (t-SNE), before the joint space and in it."""

from collections.abc import Mapping

import numpy as np
from sklearn.manifold import TSNE

from eav_offline.zero_shot.vectors import Vectors

_PERPLEXITY = 30.0
_LEAST_WINDOWS = 5


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
    # A fixed seed and a start from the principal components: the same vectors always
    # give the same map.
    perplexity = min(_PERPLEXITY, (len(x) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed)
    return np.asarray(tsne.fit_transform(x), dtype=np.float32)


def _scaled(x: np.ndarray) -> np.ndarray:
    return np.asarray((x - x.mean(0)) / np.maximum(x.std(0), 1e-3))
