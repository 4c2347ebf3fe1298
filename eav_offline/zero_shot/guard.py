"""The one door through which EEG comes to training: no window of a held-out class.

Scaling statistics, the encoder, the joint space and its classifier all read EEG from
`GuardedWindows`, or check the classes of EEG vectors they are given with `Guard.check`.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from eav_offline.core.labels import EMOTIONS
from eav_offline.data.window_set import WindowSet


class UnseenClassLeak(AssertionError):
    """EEG of a class that is to be unseen was about to be learned from: a bug."""


@dataclass(frozen=True)
class Guard:
    """Classes of which no EEG may be learned from; empty: nothing is held out."""

    unseen: frozenset[int]

    def check(self, emotion: np.ndarray, stage: str) -> None:
        """Raise UnseenClassLeak if EEG of these classes may not be learned from.

        emotion: (n,) int. stage: who wants to learn, for the message.
        """
        # No `assert` statement: python -O must not open the door.
        leaked = sorted(self.unseen & {int(e) for e in np.unique(emotion)})
        if leaked:
            names = ", ".join(EMOTIONS[e] for e in leaked)
            n = int(np.isin(emotion, leaked).sum())
            raise UnseenClassLeak(
                f"{stage}: {n} EEG windows of {names}, which EEG training must not "
                "see; leave them out with seen_only()"
            )


@dataclass(frozen=True)
class GuardedWindows(WindowSet):
    """Windows whose EEG cannot be read if it is of a held-out class."""

    guard: Guard

    def subset(self, rows: np.ndarray) -> "GuardedWindows":
        """The windows of these indices, or of a mask (n,), behind the same guard."""
        return guarded(super().subset(rows), self.guard)

    def array(
        self, modality: str, rows: np.ndarray, frames: np.ndarray | None = None
    ) -> np.ndarray:
        """As of any WindowSet. Raises UnseenClassLeak for EEG of a held-out class."""
        if modality == "eeg":
            self.guard.check(self.emotion[rows], "reading EEG to learn from")
        return super().array(modality, rows, frames)


def guarded(windows: WindowSet, guard: Guard) -> GuardedWindows:
    """The same windows behind a guard, those of held-out classes among them."""
    return GuardedWindows(
        windows.sources,
        windows.source,
        windows.row,
        windows.subject,
        windows.trial,
        windows.position,
        windows.emotion,
        windows.present,
        guard,
    )


def seen_only(windows: WindowSet, unseen: Collection[int]) -> GuardedWindows:
    """The windows of all other classes, behind a guard."""
    guard = Guard(frozenset(int(e) for e in unseen))
    kept = windows.subset(~np.isin(windows.emotion, sorted(guard.unseen)))
    return guarded(kept, guard)
