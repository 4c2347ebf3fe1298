"""Adaptation without labels: a person's features are brought onto the population's.

Each modality by itself, from the windows as they come. Content that shows one emotion
alone must not be subtracted away: until what was seen is varied enough, nothing changes
and `waiting` says so.
"""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import torch

from eav_offline.checkpoint.file import Checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS, MODALITIES, N_EMOTIONS
from eav_offline.core.window import WINDOW_SECONDS
from eav_offline.models.personal import (
    Personal,
    PersonalHead,
    Spread,
    affine_head,
    aligning,
    covariance,
    standardizing,
)

# Chosen on RAVDESS's actors 1 to 6 and on synthetic people (docs/new-person.md).
LEAST_WINDOWS = 12  # a minute of windows that do not overlap
PRIOR_WINDOWS = 6.0  # so many windows does the population count for in a variance
CAUTION_WINDOWS = 48.0  # so many does the model count for as it was
LEAST_VARIETY = 0.3  # of what emotions add to the spread of the training people
_LEAST_SQUARE = 1e-12  # of a shift; keeps a division defined
_SAYS_ALL = 1e-3  # seconds by which a window may begin before the last one's end


class Adaptation:
    """A person's statistics so far, and the layer that follows from them.

    frozen: no window changes anything while it is set. Feeding the same windows in the
    same order gives the same layer. Raises InputRefused if the checkpoint does not say
    what its training people's windows look like.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        if checkpoint.population is None:
            raise InputRefused(
                "this model cannot be adapted without labels: its checkpoint does not "
                "say what the windows of its training people look like; train it again "
                "with this version"
            )
        model = checkpoint.model
        self.frozen = False
        self.resets = 0
        self.n_taken = 0
        self._population = checkpoint.population
        self._mine = model.personal
        self._knows = model.knows
        self._last: float | None = None
        self._in_force: dict[str, Statistics] = {}
        self._layer: Personal | None = None
        self._base_knows = model.known.knows
        self._base, self._heads = {}, {}
        for m in self._population.by_modality:
            self._base[m] = weight, bias = affine_head(model.heads()[m])
            by = model.fusing.temperatures.get(m, 1.0)
            self._heads[m] = (weight / by, bias / by)
            if self._mine is not None and m in self._mine.heads:
                head = self._mine.heads[m]
                self._heads[m] = (head.weight.cpu(), head.bias.cpu())
        self._begin()

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those that can be adapted."""
        return tuple(m for m in MODALITIES if m in self._heads)

    @property
    def personal(self) -> Personal | None:
        """The layer that is in force; None while there is none."""
        return self._layer

    def as_json(self) -> dict[str, Any]:
        """What an estimate that is made now says of it: enough to follow it again.

        n: windows learned from. applies: whether a layer of it is in force. waiting:
        why it learns nothing, a sentence or null.
        """
        return {
            "n": self.n_taken,
            "resets": self.resets,
            "frozen": self.frozen,
            "applies": self._layer is not None,
            "waiting": self.waiting,
        }

    @property
    def waiting(self) -> str | None:
        """Why not every modality that was seen is adapted, as a sentence; else None."""
        if self.frozen:
            return "Adaptation is frozen"
        seen = [m for m, one in self._seen.items() if one.n]
        few = [m for m in seen if not self._enough(m)]
        if not seen or few:
            n = min((self._seen[m].n for m in few), default=0)
            return (
                f"Adapting to this person: {n} of {LEAST_WINDOWS} windows seen"
                f"{_of(few)}"
            )
        dull = [m for m in seen if not self._varied(m)]
        if dull:
            return (
                f"Adapting to this person: waiting for more varied expressions"
                f"{_of(dull)}"
            )
        return None

    def feed(
        self,
        features: Mapping[str, np.ndarray],
        eeg_uv: np.ndarray | None = None,
        t: float | None = None,
    ) -> bool:
        """Take a window in; returns whether the layer changed.

        features: by modality, (n,), what the model's heads read, of EEG that is aligned
        by the layer in force. eeg_uv: (30, samples) as prepared, not aligned. t: the
        window's end, seconds; windows that overlap the last one taken are left out.
        """
        if self.frozen or self._overlaps(t):
            return False
        finite = {m: x for m, x in features.items() if np.isfinite(x).all()}
        mine = {m: x for m, x in finite.items() if m in self._heads}
        if not mine:
            return False
        self._last = t
        self.n_taken += 1
        aligns = self._aligns and self._alignment is None
        if "eeg" in mine and eeg_uv is not None and aligns:
            del mine["eeg"]  # of EEG that will be another
            self._take_eeg(eeg_uv)
        for m, x in mine.items():
            self._seen[m].add(x, self._logits(m, x))
        return self._renew(mine)

    def freeze(self, frozen: bool = True) -> None:
        """Keep the layer as it is, or go on."""
        self.frozen = frozen

    def reset(self) -> None:
        """Undo all of it: the model answers as it was loaded, and adapts anew."""
        self.resets += 1
        self._begin()

    def state(self) -> dict[str, Any]:
        """All that later layers depend on, as plain values for JSON."""
        return {
            "frozen": self.frozen,
            "resets": self.resets,
            "n_taken": self.n_taken,
            "last": self._last,
            "covariance": self._covariance.tolist(),
            "n_covariance": self._n_covariance,
            "seen": {m: one.as_json() for m, one in self._seen.items()},
            "in_force": {m: one.as_json() for m, one in self._in_force.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave; LookupError or ValueError if it is not that."""
        self.frozen, self.resets = bool(state["frozen"]), int(state["resets"])
        self.n_taken, self._last = int(state["n_taken"]), state["last"]
        self._covariance = np.array(state["covariance"], dtype=np.float64)
        self._n_covariance = int(state["n_covariance"])
        self._alignment = None if self._mine is None else self._mine.alignment
        self._align()
        self._seen = {m: Statistics.of(one) for m, one in state["seen"].items()}
        self._in_force = {m: Statistics.of(one) for m, one in state["in_force"].items()}
        self._layer = self._made()

    def _begin(self) -> None:
        self.n_taken = 0
        self._last = None
        self._covariance = np.zeros((0, 0))
        self._n_covariance = 0
        self._alignment = None if self._mine is None else self._mine.alignment
        by = self._population.by_modality
        self._seen = {m: Statistics.empty(len(by[m].mean)) for m in self._heads}
        self._in_force = {}
        self._layer = None

    @property
    def _aligns(self) -> bool:
        return self._population.eeg_covariance is not None

    def _overlaps(self, t: float | None) -> bool:
        if t is None or self._last is None:
            return False
        return abs(t - self._last) < WINDOW_SECONDS - _SAYS_ALL

    def _take_eeg(self, eeg_uv: np.ndarray) -> None:
        new = covariance(eeg_uv[None])
        if np.isfinite(new).all():
            self._n_covariance += 1
            before = self._covariance if self._covariance.size else np.zeros_like(new)
            self._covariance = before + (new - before) / self._n_covariance
            self._align()

    def _align(self) -> None:
        """From the first windows once: later ones would change what features mean."""
        if self._n_covariance >= LEAST_WINDOWS:
            self._alignment = aligning(self._population, self._covariance)

    def _logits(self, modality: str, features: np.ndarray) -> np.ndarray:
        """The base head's (5,), as the population's were taken; less their mean."""
        spread = self._population.by_modality[modality]
        weight, bias = self._base[modality]
        mean, deviation = self._prior(modality, spread)
        scale, shift = standardizing(spread, mean, deviation)
        x = features * scale.numpy() + shift.numpy()
        return centered(x @ weight.numpy().T + bias.numpy(), self._base_knows)

    def _prior(self, modality: str, spread: Spread) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation (n,) that are believed of a person not seen so far."""
        mean, deviation = spread.mean.cpu().numpy(), spread.spread.cpu().numpy()
        if self._mine is None or modality not in self._mine.heads:
            return mean, deviation
        head = self._mine.heads[modality]
        scale = head.scale.cpu().numpy()
        return (mean - head.shift.cpu().numpy()) / scale, deviation / scale

    def _enough(self, modality: str) -> bool:
        return self._seen[modality].n >= LEAST_WINDOWS

    def _varied(self, modality: str) -> bool:
        spread = self._population.by_modality[modality]
        wanted = 1 + LEAST_VARIETY * (float(spread.variety) - 1)
        within = spread.within.cpu().numpy()
        return variety(self._seen[modality].logit_covariance, within) >= wanted

    def _renew(self, modalities: Mapping[str, object]) -> bool:
        ready = [m for m in modalities if self._enough(m) and self._varied(m)]
        for m in ready:
            self._in_force[m] = self._seen[m].copy()
        in_force = None if self._layer is None else self._layer.alignment
        if not ready and in_force is self._alignment:
            return False
        self._layer = self._made()
        return True

    def _made(self) -> Personal | None:
        heads = {m: self._head(m, one) for m, one in self._in_force.items()}
        if not heads and self._alignment is None:
            return None
        base = {} if self._mine is None else dict(self._mine.heads)
        person = "" if self._mine is None else self._mine.person
        most = max((one.n for one in self._in_force.values()), default=0)
        told = f"{most} windows without labels"
        return Personal(person, base | heads, self._knows, self._alignment, told)

    def _head(self, modality: str, seen: "Statistics") -> PersonalHead:
        spread = self._population.by_modality[modality]
        prior = self._prior(modality, spread)
        found = believed(seen.n, seen.mean, seen.variance, *prior)
        weight, bias = self._heads[modality]
        return PersonalHead(*_part_way(spread, seen.n, found, prior), weight, bias)


class Statistics:
    """Running mean and variance (n,) of features, and sums of their logits (5,)."""

    def __init__(
        self,
        n: int,
        mean: np.ndarray,
        squares: np.ndarray,
        logits: np.ndarray,
        products: np.ndarray,
    ) -> None:
        self.n, self.mean, self._squares = n, mean, squares
        self._logits, self._products = logits, products

    @classmethod
    def empty(cls, n_features: int) -> "Statistics":
        """Of no window."""
        zeros = np.zeros(n_features)
        square = np.zeros((N_EMOTIONS, N_EMOTIONS))
        return cls(0, zeros, zeros.copy(), np.zeros(N_EMOTIONS), square)

    def add(self, features: np.ndarray, logits: np.ndarray) -> None:
        """One more window; Welford's recurrence."""
        self.n += 1
        apart = features - self.mean
        self.mean = self.mean + apart / self.n
        self._squares = self._squares + apart * (features - self.mean)
        off = logits - self._logits
        self._logits = self._logits + off / self.n
        self._products = self._products + np.outer(off, logits - self._logits)

    @property
    def variance(self) -> np.ndarray:
        """(n,)"""
        return self._squares / max(self.n, 1)

    @property
    def logit_covariance(self) -> np.ndarray:
        """(5, 5)"""
        return self._products / max(self.n - 1, 1)

    def copy(self) -> "Statistics":
        """As it is now; arrays are never changed in place."""
        return Statistics(
            self.n, self.mean, self._squares, self._logits, self._products
        )

    def as_json(self) -> dict[str, Any]:
        arrays = (self.mean, self._squares, self._logits, self._products)
        return {"n": self.n, "sums": [x.tolist() for x in arrays]}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Statistics":
        """What `as_json` gave."""
        sums = [np.array(x, dtype=np.float64) for x in values["sums"]]
        mean, squares, logits, products = sums
        return cls(int(values["n"]), mean, squares, logits, products)


def _part_way(
    spread: Spread,
    n: int,
    found: tuple[np.ndarray, np.ndarray],
    prior: tuple[np.ndarray, np.ndarray],
) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and shift (features,) between what the prior says and what was found.

    The head is linear, so that this is the mean of two answers, with and without
    adaptation, of which the latter counts for `CAUTION_WINDOWS`: whom adaptation does
    not help it harms less.
    """
    share = n / (n + CAUTION_WINDOWS)
    with_it, without = standardizing(spread, *found), standardizing(spread, *prior)
    scale, shift = (
        share * a + (1 - share) * b for a, b in zip(with_it, without, strict=True)
    )
    return scale, shift


def believed(
    n: int,
    mean: np.ndarray,
    variance: np.ndarray,
    prior_mean: np.ndarray,
    prior_deviation: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of a person's features, each moved as far as `n` windows say.

    All arrays (features,). mean, variance: of the windows. prior_mean, prior_deviation:
    what is believed of a person not seen. A mean that lies within its own standard
    error of the prior's stays there; one beyond moves the more the further it lies
    (James and Stein's positive part, of each feature alone). A deviation, which as few
    windows say less of, goes half of the way in its logarithm.
    """
    off = mean - prior_mean
    sure = 1.0 - variance / n / np.maximum(np.square(off), _LEAST_SQUARE)
    moved = off * np.maximum(sure, 0.0)
    share = n / (n + PRIOR_WINDOWS)
    own = np.sqrt(share * variance + (1 - share) * np.square(prior_deviation))
    return prior_mean + moved, np.sqrt(own * prior_deviation)


def centered(logits: np.ndarray, knows: Collection[str]) -> np.ndarray:
    """Logits (..., 5) less their mean over the emotions that are known; others 0."""
    known = np.array([name in knows for name in EMOTIONS])
    mean = logits[..., known].mean(-1, keepdims=True)
    return np.where(known, logits - mean, 0.0)


def variety(found: np.ndarray, within: np.ndarray) -> float:
    """How much larger a covariance (5, 5) of logits is than another, over directions.

    within: of one emotion of one person. Directions in which it is next to nothing are
    left out.
    """
    values, vectors = np.linalg.eigh(within.astype(np.float64))
    there = values > 1e-3 * max(float(values.max()), 1e-12)
    if not there.any():  # nothing that it could be larger than
        return 0.0
    axes = vectors[:, there] / np.sqrt(values[there])
    return float(np.einsum("ik,ij,jk->k", axes, found, axes).mean())


def _of(modalities: list[str]) -> str:
    from eav_offline.checkpoint.card import NAMES

    names = [NAMES[m] for m in MODALITIES if m in modalities]
    return f" ({', '.join(names)})" if names else ""
