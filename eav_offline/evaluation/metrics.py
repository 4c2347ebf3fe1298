"""How good probabilities are: pure functions of (n, 5) probabilities and the truth.

Throughout, `chances` is (n, 5) float over `EMOTIONS`, each row a distribution, and
`truth` (n,) int. An accuracy counts the likeliest class. What a model does not know has
no chance in any row, and is not in the truth.
"""

from typing import Any

import numpy as np
import scipy

from eav_offline.core.labels import N_EMOTIONS

N_BINS = 15  # of confidence, as in Guo et al. 2017
LEAST_CHANCE = 1e-7  # float32 rounds below it; an outright zero would cost infinity
TEMPERATURES = (0.05, 20.0)  # searched; at an end the validation part is too small


def decision_scores(truth: np.ndarray, said: np.ndarray) -> dict[str, float]:
    """Accuracy, balanced accuracy and macro-F1 of decisions (n,) int.

    The latter two are means over the classes that the truth has. One that is only said
    costs the classes it was said of; it has no recall or F1 of its own.
    """
    counts = _counts(truth, said)
    hits, of_class, as_class = counts.diagonal(), counts.sum(1), counts.sum(0)
    there = of_class > 0
    return {
        "accuracy": float(hits.sum() / counts.sum()),
        "balanced_accuracy": float((hits[there] / of_class[there]).mean()),
        "macro_f1": float((2 * hits / (of_class + as_class).clip(1))[there].mean()),
    }


def probability_scores(truth: np.ndarray, chances: np.ndarray) -> dict[str, Any]:
    """Those of `decision_scores`, and auc, nll and ece."""
    return {
        **decision_scores(truth, chances.argmax(1)),
        "auc": auc(truth, chances),
        "nll": nll(truth, chances),
        "ece": ece(truth, chances),
    }


def confusion(truth: np.ndarray, said: np.ndarray) -> list[list[int]]:
    """5 x 5 counts; a row is what is true, a column what was said."""
    counts: list[list[int]] = _counts(truth, said).tolist()
    return counts


def auc(truth: np.ndarray, chances: np.ndarray) -> float | None:
    """Area under the ROC curve, each class against the rest, averaged over classes.

    None if a class is missing from the truth: its curve would not exist.
    """
    there = np.unique(truth)
    if len(there) < 2 or set(np.flatnonzero(_known(chances))) - set(there):
        return None
    # As Mann and Whitney count it: how often one of the class ranks above one of the
    # rest. All classes at once, since it is asked for thousands of resamples.
    of_class = truth[:, None] == there
    n = of_class.sum(0)
    ranks = scipy.stats.rankdata(chances[:, there], axis=0)
    below = (ranks * of_class).sum(0) - n * (n + 1) / 2
    return float((below / (n * (len(truth) - n))).mean())


def nll(truth: np.ndarray, chances: np.ndarray) -> float:
    """Mean negative log-likelihood in nats; five even chances cost log 5 = 1.609."""
    hit = chances[np.arange(len(truth)), truth].astype(np.float64)
    return float(-np.log(hit.clip(LEAST_CHANCE)).mean())


def reliability(truth: np.ndarray, chances: np.ndarray) -> dict[str, list[Any]]:
    """Windows in 15 equal bins of the likeliest class's probability.

    confidence, accuracy: means in each bin, None where it is empty; count. A bin has
    its upper edge, as in Guo et al. 2017.
    """
    top = chances.max(1).astype(np.float64)
    right = chances.argmax(1) == truth
    bins = np.clip(np.ceil(top * N_BINS).astype(int) - 1, 0, N_BINS - 1)
    count = np.bincount(bins, minlength=N_BINS)
    sure = np.bincount(bins, weights=top, minlength=N_BINS)
    hits = np.bincount(bins, weights=right, minlength=N_BINS)

    def means(sums: np.ndarray) -> list[float | None]:
        return [float(s / n) if n else None for s, n in zip(sums, count, strict=True)]

    return {"confidence": means(sure), "accuracy": means(hits), "count": count.tolist()}


def ece(truth: np.ndarray, chances: np.ndarray) -> float:
    """Expected calibration error: how far confidence is from accuracy, over bins."""
    bins = reliability(truth, chances)
    gaps = [
        n * abs(sure - right)
        for sure, right, n in zip(
            bins["confidence"], bins["accuracy"], bins["count"], strict=True
        )
        if n
    ]
    return float(sum(gaps) / len(truth))


def fit_temperature(truth: np.ndarray, chances: np.ndarray) -> float:
    """The temperature under which `scaled` probabilities have the least nll.

    Give it validation windows; fitted on test ones it would flatter them.
    """

    def cost(log_temperature: float) -> float:
        return nll(truth, scaled(chances, float(np.exp(log_temperature))))

    low, high = np.log(TEMPERATURES)
    found = scipy.optimize.minimize_scalar(cost, bounds=(low, high), method="bounded")
    return float(np.exp(found.x))


def scaled(chances: np.ndarray, temperature: float) -> np.ndarray:
    """Softmax of the logits over `temperature`, (n, 5) float64.

    The logarithm of a probability is its logit but for a constant of the row, so the
    logits themselves need not be known.
    """
    logits = np.log(chances.astype(np.float64).clip(LEAST_CHANCE)) / temperature
    weights = np.exp(logits - logits.max(1, keepdims=True)) * _known(chances)
    return np.asarray(weights / weights.sum(1, keepdims=True))


def _counts(truth: np.ndarray, said: np.ndarray) -> np.ndarray:
    pairs = np.asarray(truth).astype(int) * N_EMOTIONS + said
    return np.bincount(pairs, minlength=N_EMOTIONS**2).reshape(N_EMOTIONS, N_EMOTIONS)


def _known(chances: np.ndarray) -> np.ndarray:
    """Which classes (5,) have a chance in some row; rows may be NaN."""
    return np.asarray((chances > 0).any(0))
