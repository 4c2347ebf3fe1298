"""What a personal layer is worth, on clips that were left out while it was fitted.

Beside the model as it was, of each subset of the modalities, and how sure it may be.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import scipy

from eav_offline.checkpoint.card import Gained
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.core.model_names import COVERAGE
from eav_offline.core.sureness import Sureness, modalities_key, thresholds
from eav_offline.models.personal import KeptClips

MARGIN = 0.05  # of the accuracy on earlier days' clips that another day may cost
_RESAMPLES = 2000


@dataclass(frozen=True)
class Accuracy:
    """Share of clips that are named rightly, or a gain of it; interval: 95 %.

    A share's is Wilson's, as drawing clips that are all right says nothing of others;
    a gain's is by drawing clips.
    """

    value: float
    interval: tuple[float, float]

    @classmethod
    def of(cls, right: np.ndarray) -> "Accuracy":
        """right: (clips,) 0 or 1."""
        share = scipy.stats.binomtest(int(right.sum()), len(right)).proportion_ci(
            0.95, "wilson"
        )
        return cls(float(right.mean()), (float(share.low), float(share.high)))

    @classmethod
    def gained(cls, more: np.ndarray) -> "Accuracy":
        """more: (clips,) differences of two such."""
        random = np.random.default_rng(0)
        drawn = random.integers(0, len(more), (_RESAMPLES, len(more)))
        low, high = np.quantile(more[drawn].mean(1), [0.025, 0.975])
        return cls(float(more.mean()), (float(low), float(high)))

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.1%} ({low:.1%} to {high:.1%})"


@dataclass(frozen=True)
class Calibrated:
    """A model with a personal layer, and what that is worth.

    before, after, gain: on the new clips, each left out of the fit that names it; a
    clip of an emotion that the model did not know counts as wrong before. by_modality:
    before and after of each alone. by_subset: of every subset of what is there, such as
    "eeg+video", over the clips that have all of it. forgotten: how much less of earlier
    days' clips is right than before these came; None on the first day. taken: False if
    that was more than `MARGIN` whatever was tried, and the checkpoint is the one given.
    """

    checkpoint: Checkpoint
    n_clips: int
    before: Accuracy
    after: Accuracy
    gain: Accuracy
    by_modality: Mapping[str, tuple[Accuracy, Accuracy]]
    by_subset: Mapping[str, Gained]
    learned: tuple[str, ...] = ()
    forgotten: float | None = None
    taken: bool = True

    def as_json(self) -> dict[str, Any]:
        return {
            "n_clips": self.n_clips,
            "before": vars(self.before),
            "after": vars(self.after),
            "gain": vars(self.gain),
            "by_modality": {
                m: {"before": vars(a), "after": vars(b)}
                for m, (a, b) in self.by_modality.items()
            },
            "by_subset": {
                name: one.model_dump(mode="json", exclude={"modalities"})
                for name, one in self.by_subset.items()
            },
            "learned": list(self.learned),
            "forgotten": self.forgotten,
            "taken": self.taken,
        }

    def lines(self) -> list[str]:
        """What it is worth, line by line."""
        lines = [
            f"{self.n_clips} clips, each named by a fit without it (95 % by clip)",
            f"before {self.before}",
            f"after  {self.after}",
            f"gain   {self.gain}",
        ]
        if self.learned:
            lines.append(f"learned: {', '.join(self.learned)}")
        if self.forgotten is not None:
            lines.append(f"of earlier days' clips {-self.forgotten:+.1%}")
        return lines


def worth(
    made: Checkpoint,
    before: Mapping[str, np.ndarray],
    left_out: Mapping[str, np.ndarray],
    data: KeptClips,
    new: np.ndarray,
    learned: tuple[str, ...],
    forgotten: float | None,
) -> Calibrated:
    """What the new clips say of the model that was made.

    before: by modality, logits (n_new, 5) of the new clips by the model as it was;
    left_out: (n, 5) of all clips, by heads without the clip. new: (n,) bool, which are
    today's. learned, forgotten: see `Calibrated`.
    """
    taken = kept_enough(forgotten)
    after = {m: x[new] for m, x in left_out.items()}
    today = replace(
        data,
        features={},
        **{
            name: getattr(data, name)[new]
            for name in ("present", "emotion", "clip", "session", "right")
        },
    )
    _, first = np.unique(today.clip, return_index=True)

    def right(logits: Mapping[str, np.ndarray]) -> np.ndarray:
        return right_clips(logits, today)[first]

    was, now = right(before), right(after)
    alone = {
        m: (Accuracy.of(right({m: before[m]})), Accuracy.of(right({m: after[m]})))
        for m in after
        if m in before
    }
    gained = _by_subset(before, after, today)
    if taken and made.card is not None:
        card = made.card.model_copy(update={"gained": tuple(gained.values())})
        made = replace(made, card=card)
    return Calibrated(
        made,
        len(first),
        Accuracy.of(was),
        Accuracy.of(now),
        Accuracy.gained(now - was),
        alone,
        gained,
        learned,
        forgotten,
        taken,
    )


def kept_enough(forgotten: float | None) -> bool:
    """Whether no more than `MARGIN` of what earlier days' clips say is forgotten."""
    return forgotten is None or forgotten <= MARGIN


def _by_subset(
    before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray], clips: KeptClips
) -> dict[str, Gained]:
    """What was gained where a subset of the modalities is all there is, by its name."""
    there = [m for m in MODALITIES if m in before and m in after]
    return {
        "+".join(some): _gained(some, before, after, clips, whole)
        for some, whole in _subsets(there, clips.present)
        if whole.any()
    }


def _subsets(
    modalities: Sequence[str], present: np.ndarray
) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
    """Every subset, and which windows have all of it, (n,) bool."""
    for n in range(1, len(modalities) + 1):
        for some in combinations(modalities, n):
            asked = [MODALITIES.index(m) for m in some]
            yield some, np.asarray(present[:, asked].all(axis=1))


def _gained(
    some: tuple[str, ...],
    before: Mapping[str, np.ndarray],
    after: Mapping[str, np.ndarray],
    clips: KeptClips,
    rows: np.ndarray,
) -> Gained:
    present, emotion, clip = clips.present[rows], clips.emotion[rows], clips.clip[rows]
    part = replace(clips, present=present, emotion=emotion, clip=clip)
    _, first = np.unique(clip, return_index=True)
    was, now = (
        right_clips({m: logits[m][rows] for m in some}, part)[first]
        for logits in (before, after)
    )
    return Gained(
        modalities=some,
        clips=len(first),
        before=was.mean(),
        after=now.mean(),
        interval=Accuracy.gained(now - was).interval,
    )


def right_clips(logits: Mapping[str, np.ndarray], data: KeptClips) -> np.ndarray:
    """(n,) float32, whether the fused answer to each window's clip is right."""
    chances = fused_mean(logits, data.present)
    right = np.zeros(len(data.clip), dtype=np.float32)
    for one in np.unique(data.clip):
        rows = data.clip == one
        said = chances[rows & np.isfinite(chances[:, 0])]
        if len(said):
            right[rows] = float(said.mean(0).argmax() == data.emotion[rows][0])
    return right


def fused_mean(logits: Mapping[str, np.ndarray], present: np.ndarray) -> np.ndarray:
    """Mean probabilities (n, 5) over modalities, NaN where none is."""
    total = np.zeros((len(present), N_EMOTIONS))
    count = np.zeros((len(present), 1))
    for m, x in logits.items():
        here = present[:, MODALITIES.index(m)] & np.isfinite(x).any(1)
        chances = np.exp(x[here] - x[here].max(axis=1, keepdims=True))
        total[here] += chances / chances.sum(axis=1, keepdims=True)
        count[here] += 1
    with np.errstate(invalid="ignore"):
        return total / count


def sureness_of(left_out: Mapping[str, np.ndarray], data: KeptClips) -> Sureness | None:
    """Thresholds of every set of modalities, by the middle window of each clip.

    None if there are too few clips to promise the usual coverage of what there is most.
    """
    rows = np.array([_middle(data.clip == one) for one in np.unique(data.clip)])
    present, found = data.present[rows], {}
    for some, whole in _subsets(list(left_out), present):
        chances = fused_mean({m: left_out[m][rows] for m in some}, present)
        one = thresholds(data.emotion[rows][whole], chances[whole])
        if one is not None and COVERAGE in one.least:
            found[modalities_key(some)] = one
    if modalities_key(left_out) not in found:
        return None
    return Sureness(source="this person", people=1, by_modalities=found)


def unfollowed(sureness: Sureness | None) -> Sureness | None:
    """Thresholds of a general model, for the answers of one that is calibrated.

    A layer that follows the person further has answers like nobody's it was tried on.
    """
    return sureness and sureness.model_copy(update={"adapting": {}})


def _middle(rows: np.ndarray) -> int:
    places = np.flatnonzero(rows)
    return int(places[len(places) // 2])
