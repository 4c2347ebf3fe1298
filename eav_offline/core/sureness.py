"""How sure a model may be: sets of emotions at a stated coverage, and decisions.

`Sureness` holds what calibration found (`eav_offline.evaluation.conformal`) and travels
in the checkpoint; `Decider` decides over time, live and in repeated predictions.
docs/sureness.md has the formulas and what they promise.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.core.model_names import COVERAGE, COVERAGES
from eav_offline.core.window import WINDOW_SECONDS

# On whom thresholds were calibrated, from the strongest to the weakest that is said of
# a new window. "training people" are those the model learned from, in other trials:
# nothing is said of anybody else.
Source = Literal["this person", "other people", "training people"]


_NO_THRESHOLDS = "the model has no thresholds for how it fuses"
_ROUNDING = 1e-9  # 10 * 0.9 is 9 windows, not the next whole number above 9.000...01
_SHARES_NOTHING = WINDOW_SECONDS + 1e-6  # seconds; windows that just meet go on


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Thresholds(_Part):
    """Of one set of modalities: the least probability with which an emotion is in.

    n: windows it was calibrated on. least: by coverage; without those that so few
    windows cannot promise.
    """

    n: int = Field(ge=1)
    least: dict[float, float]


class Sureness(_Part):
    """Thresholds of a checkpoint. A personal checkpoint brings its own in their place.

    people: how many were calibrated on. by_modalities: by what a window has, such as
    "audio+video"; the fused answers to other windows have no threshold. adapting: the
    same of answers by a layer that follows a person without labels, found with people
    whom such a layer followed; empty if nobody was.
    """

    source: Source
    people: int = Field(ge=1)
    by_modalities: dict[str, Thresholds]
    adapting: dict[str, Thresholds] = Field(default_factory=dict)

    def label_set(
        self,
        chances: np.ndarray,
        present: Collection[str],
        coverage: float,
        adapted: bool = False,
    ) -> tuple[str, ...] | None:
        """The emotions that are in at a coverage, in class order.

        chances: (5,), NaN of what is not known. present: the modalities they are of.
        adapted: a layer that follows the person without labels made them. None if there
        is no threshold: `lacking` says which.
        """
        by = self.adapting if adapted else self.by_modalities
        found = by.get(modalities_key(present))
        least = None if found is None else found.least.get(coverage)
        if least is None:
            return None
        inside = label_sets(chances[None], least)[0]
        return tuple(name for name, one in zip(EMOTIONS, inside, strict=True) if one)

    def lacking(
        self, present: Collection[str], coverage: float, adapted: bool = False
    ) -> str:
        """Why there is no set, in words."""
        by, key = (self.adapting if adapted else self.by_modalities), modalities_key
        while_adapted = " while it is adapted without labels" if adapted else ""
        if not by:
            return f"the model has no thresholds{while_adapted}"
        if key(present) not in by:
            return f"the model has no thresholds for {key(present)}{while_adapted}"
        n = by[key(present)].n
        return f"{n} windows were calibrated on, too few for {coverage:.0%}"

    def line(self, coverage: float) -> str:
        """Whose windows speak for the sets, and with which modalities there are any."""
        has = [
            name for name, one in self.by_modalities.items() if coverage in one.least
        ]
        several = self.source != "this person"
        of = f"{self.people} {self.source}" if several else self.source
        return (
            f"Sets of emotions at {coverage:.0%}, calibrated on {of}, for windows of "
            f"{', '.join(has) or 'no modalities: too few were there'}"
        )

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def threshold(hit: np.ndarray, coverage: float) -> float | None:
    """The least probability at which so many windows' true emotions are in.

    hit: (n,) probabilities of the true emotion, in windows that the model was not
    fitted to. A new window that is exchangeable with them has its true emotion at or
    above the threshold with probability `coverage` or more, and, without ties, less
    than 1 / (n + 1) more. It is the k-th largest, k = ceil((n + 1) coverage). Equal
    probabilities are in together, which can only raise the coverage. None if k > n: so
    few windows cannot promise it.
    """
    n = len(hit)
    k = int(np.ceil((n + 1) * coverage - _ROUNDING))
    if k > n:
        return None
    return float(np.partition(hit.astype(np.float64), n - k)[n - k])


def thresholds(
    truth: np.ndarray, chances: np.ndarray, coverages: Sequence[float] = COVERAGES
) -> Thresholds | None:
    """Those of windows of one kind; None if they are too few for any coverage.

    truth: (n,) int. chances: (n, 5); rows that are NaN are left out.
    """
    there = np.isfinite(chances).any(1)
    hit = chances[there, truth[there]]
    found = {coverage: threshold(hit, coverage) for coverage in coverages}
    least = {coverage: p for coverage, p in found.items() if p is not None}
    return Thresholds(n=len(hit), least=least) if least else None


def label_sets(chances: np.ndarray, least: float) -> np.ndarray:
    """Which emotions are in, (n, 5) bool: those that reach `least`, and the likeliest.

    chances: (n, 5), NaN of what is not known, which is never in. The likeliest costs no
    coverage, and an empty set would say nothing.
    """
    return np.asarray(chances >= np.minimum(least, np.nanmax(chances, 1))[:, None])


def modalities_key(present: Collection[str]) -> str:
    """Such as "audio+video", in the order of `MODALITIES`."""
    return "+".join(m for m in MODALITIES if m in present)


def leaves_open(n_in: int, n_known: int) -> bool:
    """Whether a set of `n_in` emotions is no decision: more than half are in it.

    Such a set keeps more than it excludes. With "more than one" a model of strangers'
    voices would hardly ever decide, and a set of all emotions is so rare even where
    nothing can be known that guessing would go on (docs/sureness.md has the figures).
    """
    return 2 * n_in > n_known


class State(StrEnum):
    """What a decision is."""

    DECIDED = "decided"  # the likeliest emotion
    HELD = "held"  # decided before; another is likelier now, by less than the margin
    UNDECIDED = "undecided"  # the set at the coverage asked for leaves it open


@dataclass(frozen=True)
class Decision:
    """smoothed: (5,) probabilities. label: None while undecided.

    label_set: the emotions that are in at `coverage`; both None without thresholds,
    and `set_reason` then says why. anew: smoothing began with this window.
    """

    smoothed: np.ndarray
    label: str | None
    state: State
    label_set: tuple[str, ...] | None = None
    coverage: float | None = None
    anew: bool = False
    set_reason: str | None = None


class Decider:
    """Smooths fused probabilities, decides with reluctance, or leaves it open.

    time_constant: seconds; 0 switches smoothing off. sureness: None leaves nothing
    open. coverage: one of `COVERAGES`.
    """

    def __init__(
        self,
        time_constant: float = 1.5,
        sureness: Sureness | None = None,
        coverage: float = COVERAGE,
    ) -> None:
        self._smoother = Smoother(time_constant)
        self._sureness = sureness
        self._coverage = coverage

    def reset(self) -> None:
        """Begin anew, as with a new trial."""
        self._smoother.reset()

    def update(
        self,
        fused: np.ndarray,
        t: float,
        present: Collection[str],
        adapted: bool = False,
    ) -> Decision:
        """Take the probabilities (5,) of the window that ends at `t`, seconds.

        present: the modalities that the window has. adapted: as for
        `Sureness.label_set`. Begins anew after a gap, as `Smoother.update` says. The
        set is of the smoothed probabilities, as is all that is shown.
        """
        smoothed, label = self._smoother.update(fused, t)
        anew = self._smoother.n_taken == 1
        best = EMOTIONS[int(np.nanargmax(smoothed))]
        sure, asked = self._sureness, (present, self._coverage, adapted)
        inside = None if sure is None else sure.label_set(smoothed, *asked)
        if inside is None:
            state = State.DECIDED if label == best else State.HELD
            why = _NO_THRESHOLDS if sure is None else sure.lacking(*asked)
            return Decision(smoothed, label, state, anew=anew, set_reason=why)
        if leaves_open(len(inside), int(np.isfinite(smoothed).sum())):
            # What is not shown any more is not held on to either.
            self._smoother.hold(None)
            open_ = State.UNDECIDED
            return Decision(smoothed, None, open_, inside, self._coverage, anew)
        if label not in inside:
            self._smoother.hold(best)
            label = best
        state = State.DECIDED if label == best else State.HELD
        return Decision(smoothed, label, state, inside, self._coverage, anew)


class Smoother:
    """Average fused probabilities over time and change the decision with reluctance.

    time_constant: seconds; 0 switches smoothing off. margin: how much likelier another
    emotion must be than the one shown before the decision changes.
    """

    def __init__(self, time_constant: float = 1.5, margin: float = 0.05) -> None:
        self._time_constant = time_constant
        self._margin = margin
        self.reset()

    def reset(self) -> None:
        """Begin anew, as with a new trial: what was before says nothing of it."""
        self._average: np.ndarray | None = None
        self._t = 0.0
        self._decision: int | None = None
        self.n_taken = 0  # windows since it began

    def hold(self, emotion: str | None) -> None:
        """Hold on to another decision from now on; None: to none."""
        self._decision = None if emotion is None else EMOTIONS.index(emotion)

    def update(self, fused: np.ndarray, t: float) -> tuple[np.ndarray, str]:
        """Take the probabilities (5,) of the window that ends at `t`, seconds.

        NaN for an emotion that the model does not know, in every window or in none; it
        stays NaN and is never decided on.
        After a gap, where the window shares nothing with the one before and does not
        even follow it, or where the clock went back, smoothing begins anew.
        Returns the smoothed probabilities and the emotion decided on.
        """
        if not 0 <= t - self._t <= _SHARES_NOTHING:
            self.reset()
        if self._average is None or self._time_constant <= 0:
            self._average = fused.astype(np.float64)
        else:
            keep = float(np.exp(-(t - self._t) / self._time_constant))
            self._average = keep * self._average + (1 - keep) * fused
        self._t = t
        self.n_taken += 1
        margin = self._margin if self._time_constant > 0 else 0.0
        best = int(np.nanargmax(self._average))
        if (
            self._decision is None
            or self._average[best] > self._average[self._decision] + margin
        ):
            self._decision = best
        return self._average.copy(), EMOTIONS[self._decision]
