"""A head for one person: the model's own, and how far a few labeled clips move it.

Heads of several stiffness are fitted, and the model's own stands among them. Each is
judged by the clips that were left out while it was fitted; their mean, weighted by
that, is the head. Where the clips say little it stays near the model's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from eav_offline.core.labels import EMOTIONS, N_EMOTIONS

FOLDS = 5
# Chosen on RAVDESS's actors 1 to 6 and on synthetic people of other seeds than the
# reported ones (docs/new-person.md).
PENALTIES = (
    1.0,
    0.1,
)  # on the squared weights by which a head departs from the model's
TRUST = 0.5  # in likelihoods of few clips: the power they are taken to
_TEMPERATURES = np.geomspace(0.3, 6.0, 40)
_GAIN_PENALTY = 0.1  # on departing from the model's own logits, 1, as a whole


@dataclass(frozen=True)
class Head:
    """A departure from the base: gain * base + delta @ z + shift, over temperature."""

    gain: float
    delta: np.ndarray
    shift: np.ndarray
    temperature: float = 1.0

    def logits(self, base: np.ndarray, z: np.ndarray) -> np.ndarray:
        """(n, 5) of the base's logits (n, 5) and features z (n, features)."""
        return (self.gain * base + z @ self.delta.T + self.shift) / self.temperature


@dataclass(frozen=True)
class _Windows:
    """base: (n, 5). z: (n, features). emotion, clip, weights: (n,)."""

    base: np.ndarray
    z: np.ndarray
    emotion: np.ndarray
    clip: np.ndarray
    weights: np.ndarray

    def of(self, rows: np.ndarray) -> "_Windows":
        return _Windows(*(part[rows] for part in vars(self).values()))


def fit_head(
    base: np.ndarray,
    z: np.ndarray,
    emotion: np.ndarray,
    clip: np.ndarray,
    weights: np.ndarray,
    knows: Sequence[str] = EMOTIONS,
) -> tuple[Head, np.ndarray]:
    """The head, and logits (n, 5) of every window by heads that never saw its clip.

    base: (n, 5), the model's own logits. z: (n, features), of unit spread over the
    training people. emotion, clip, weights: (n,). knows: emotions that the head is to
    tell; of others the logits are minus infinity. How the heads are weighed and their
    temperature follow from all clips, the left-out ones too.
    """
    windows = _Windows(base, z, emotion, clip, weights)
    out = np.stack([_left_out(windows, knows, each) for each in _ways()])
    known = np.array([name in knows for name in EMOTIONS])
    shares = _shares(np.where(known, out, -np.inf), windows)
    mixed = np.where(known, np.tensordot(shares, out, 1), -np.inf)
    temperature, _ = _best_temperature(mixed, windows)
    whole = [_penalized(windows, knows, each) for each in _ways()]
    return _mean(whole, shares, temperature), mixed / temperature


def _ways() -> tuple[float | None, ...]:
    """Penalties; None is the model's own head as it is."""
    return (None, *PENALTIES)


def _left_out(
    windows: _Windows, knows: Sequence[str], penalty: float | None
) -> np.ndarray:
    out = np.zeros((len(windows.emotion), N_EMOTIONS))
    for fold in _folds(windows.emotion, windows.clip):
        train = np.setdiff1d(np.arange(len(out)), fold)
        head = _penalized(windows.of(train), knows, penalty)
        out[fold] = head.logits(windows.base[fold], windows.z[fold])
    return out


def _folds(emotion: np.ndarray, clip: np.ndarray) -> list[np.ndarray]:
    """Rows of each fold: whole clips, every emotion spread over the folds."""
    _, first = np.unique(clip, return_index=True)
    order = first[np.argsort(emotion[first], kind="stable")]
    return [np.flatnonzero(np.isin(clip, clip[order[i::FOLDS]])) for i in range(FOLDS)]


def _shares(out: np.ndarray, windows: _Windows) -> np.ndarray:
    """Of each way (ways,), by the likelihood of the clips it did not see: sum 1.

    Windows of one clip are as alike as one: a clip counts once.
    """
    n_clips = len(np.unique(windows.clip))
    costs = np.array([_best_temperature(logits, windows)[1] for logits in out])
    return np.asarray(scipy.special.softmax(-TRUST * n_clips * costs))


def _best_temperature(logits: np.ndarray, windows: _Windows) -> tuple[float, float]:
    """The one with the least mean cross-entropy of these windows, and that."""
    truth = logits[np.arange(len(logits)), windows.emotion]
    scaled = logits / _TEMPERATURES[:, None, None]
    losses = scipy.special.logsumexp(scaled, axis=2) - truth / _TEMPERATURES[:, None]
    costs = losses @ windows.weights / windows.weights.sum()
    best = int(np.argmin(costs))
    return float(_TEMPERATURES[best]), float(costs[best])


def _mean(heads: Sequence[Head], shares: np.ndarray, temperature: float) -> Head:
    """The head whose logits are the weighted mean of theirs."""
    gain = sum(s * head.gain for s, head in zip(shares, heads, strict=True))
    delta = sum(s * head.delta for s, head in zip(shares, heads, strict=True))
    shift = sum(s * head.shift for s, head in zip(shares, heads, strict=True))
    return Head(float(gain), np.asarray(delta), np.asarray(shift), temperature)


def _penalized(windows: _Windows, knows: Sequence[str], penalty: float | None) -> Head:
    """The head with the least cross-entropy and departure from the base's logits.

    Convex, so that where the search begins does not matter.
    """
    n_features = windows.z.shape[1]
    if penalty is None:
        return Head(1.0, np.zeros((N_EMOTIONS, n_features)), np.zeros(N_EMOTIONS))
    known = np.flatnonzero([name in knows for name in EMOTIONS])
    x, b = windows.z.astype(np.float64), windows.base[:, known].astype(np.float64)
    w = windows.weights / windows.weights.sum()
    wanted = known[None] == windows.emotion[:, None]  # one-hot
    shape = (len(known), n_features)

    def cost(values: np.ndarray) -> tuple[float, np.ndarray]:
        gain, delta, shift = _parts(values, shape)
        logits = gain * b + x @ delta.T + shift
        losses = scipy.special.logsumexp(logits, axis=1) - logits[wanted]
        slope = w[:, None] * (scipy.special.softmax(logits, axis=1) - wanted)
        total = losses @ w + _GAIN_PENALTY * (gain - 1) ** 2
        total += penalty * (np.square(delta).sum() + np.square(shift).sum())
        slopes = (
            [(slope * b).sum() + 2 * _GAIN_PENALTY * (gain - 1)],
            (slope.T @ x + 2 * penalty * delta).ravel(),
            slope.sum(0) + 2 * penalty * shift,
        )
        return float(total), np.concatenate(slopes)

    start = np.zeros(1 + shape[0] * (shape[1] + 1))
    start[0] = 1.0
    bounds = [(0.0, None), *[(None, None)] * (len(start) - 1)]
    found = scipy.optimize.minimize(
        cost, start, jac=True, method="L-BFGS-B", bounds=bounds
    )
    gain, delta, shift = _parts(found.x, shape)
    all_deltas, all_shifts = np.zeros((N_EMOTIONS, n_features)), np.zeros(N_EMOTIONS)
    all_deltas[known], all_shifts[known] = delta, shift
    return Head(gain, all_deltas, all_shifts)


def _parts(
    values: np.ndarray, shape: tuple[int, int]
) -> tuple[float, np.ndarray, np.ndarray]:
    """Gain, weights and shifts of what the search changes."""
    return float(values[0]), values[1 : -shape[0]].reshape(shape), values[-shape[0] :]
