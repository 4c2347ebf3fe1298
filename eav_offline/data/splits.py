"""Which trials train and which test; a trial's windows always stay together."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from eav_offline.common.console import counted
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS, N_EMOTIONS

TRAIN_FRACTION = 0.7  # 14 of EAV's 20 speaking trials a class: 280 and 120 windows
VALIDATION_FRACTION = 0.2  # of the training trials
VALIDATION_SUBJECTS = 0.1  # of the training subjects
WINDOWS_PER_TRIAL = 4
WITHIN, HELD_OUT = "within-subject", "leave-subjects-out"  # kinds of splits


class SplitError(InputRefused, ValueError):
    """A division that the trials or subjects at hand do not allow."""


def split_alone(about: Mapping[str, Any]) -> dict[str, Any]:
    """What split.json says of the split: all but which data it is of, and where.

    Those are compared by themselves (`cache.changed_data`), or may change.
    """
    alone = {key: x for key, x in about.items() if key not in ("caches", "data")}
    plain: dict[str, Any] = json.loads(json.dumps(alone))  # tuples become lists
    return plain


class _Parts:
    """Numbers, ascending, each in one part only."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]
    _of: ClassVar[str]  # what is numbered, and what is divided

    def __post_init__(self) -> None:
        parts = (*self.train, *self.validation, *self.test)
        if len(set(parts)) != len(parts):
            twice = sorted({n for n in parts if parts.count(n) > 1})
            what, whole = self._of.split()
            raise SplitError(f"{what} {twice} are in more than one part of the {whole}")

    def as_json(self) -> dict[str, list[int]]:
        """Plain lists, for split.json and results.json."""
        return {part: list(numbers) for part, numbers in vars(self).items()}

    @classmethod
    def from_json(cls, stored: dict[str, list[int]]) -> Self:
        """What `as_json` gave. Raises SplitError if it is not one."""
        return cls(**_parts(stored))


@dataclass(frozen=True)
class Split(_Parts):
    """Trial numbers of one subject, ascending, each in one part only."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]
    _of = "trials split"


@dataclass(frozen=True)
class SubjectFold(_Parts):
    """Subject numbers of one fold, ascending, each in one part only."""

    train: tuple[int, ...]
    test: tuple[int, ...]
    validation: tuple[int, ...] = ()
    _of = "subjects fold"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.train or not self.test:
            raise SplitError("a fold needs somebody to train on and somebody to test")

    def with_validation(self, seed: int) -> "SubjectFold":
        """Set a tenth of the training subjects aside, at least one, drawn with a seed.

        Raises SplitError if nobody would be left to train on.
        """
        n = max(1, round(len(self.train) * VALIDATION_SUBJECTS))
        if n >= len(self.train):
            raise SplitError(
                f"{counted(len(self.train), 'subject')} to train on: too few to set "
                "one aside for validation; prepare more people, give more --folds, or "
                "do without validation (study: --protocols within)"
            )
        # With the tested ones in the seed, every fold draws for itself.
        random = np.random.default_rng([seed, *self.test])
        drawn = {int(s) for s in random.choice(self.train, n, replace=False)}
        train = tuple(s for s in self.train if s not in drawn)
        return SubjectFold(train, self.test, tuple(sorted(drawn)))


def within_subject(
    trial_ids: Sequence[int] | np.ndarray,
    emotions: Sequence[int] | np.ndarray,
    train_windows: int | None = None,
    validation: bool = False,
) -> Split:
    """The protocol of the EAV papers: the session's first trials of each class train.

    trial_ids, emotions: of each trial, or of each window with its trial repeated.
    train_windows: of each class (56 or 40 of 80 in the papers), a multiple of a
        trial's windows; instead of the usual share of whole trials, rounded, but at
        least one trial on either side.
    validation: set the last fifth (at least one) of each class's training trials
        aside for choosing the epoch.
    Raises SplitError if a class cannot be divided so.
    """
    by_class = _trials_by_class(trial_ids, emotions)
    if train_windows is not None and train_windows % WINDOWS_PER_TRIAL:
        raise SplitError(
            f"{train_windows} training windows a class would tear a trial: give a "
            f"multiple of {WINDOWS_PER_TRIAL}, such as 56 or 40"
        )
    train: list[int] = []
    held_out: list[int] = []
    test: list[int] = []
    for emotion, trials in by_class.items():
        if train_windows is not None:
            n_train = train_windows // WINDOWS_PER_TRIAL
        else:
            # The tiny term keeps binary fractions from rounding a half down.
            n_train = int(len(trials) * TRAIN_FRACTION + 0.5 + 1e-9)
            n_train = max(1, min(n_train, len(trials) - 1))
        n_validation = (
            max(1, int(n_train * VALIDATION_FRACTION + 0.5 + 1e-9)) if validation else 0
        )
        if not n_validation < n_train < len(trials):
            n_needed = max(n_train, n_validation + 1) + 1
            raise SplitError(
                f"{EMOTIONS[emotion]} has {counted(len(trials), 'trial')}, expected "
                f"{n_needed} or more: to train{', to validate' if validation else ''} "
                "and to test on different ones; prepare more trials"
                f"{' or ask for fewer --train-windows' if train_windows else ''}"
            )
        train += trials[: n_train - n_validation]
        held_out += trials[n_train - n_validation : n_train]
        test += trials[n_train:]
    return Split(tuple(sorted(train)), tuple(sorted(held_out)), tuple(sorted(test)))


def leave_subjects_out(
    subjects: Collection[int], n_folds: int, seed: int
) -> list[SubjectFold]:
    """Folds over subjects, drawn with a seed; everyone is tested exactly once.

    Fold sizes differ by one at most. As many folds as subjects leave one out each, in
    ascending order. Raises SplitError unless 2 <= n_folds <= subjects.
    """
    ordered = sorted(set(subjects))
    if len(ordered) < 2:
        raise SplitError(
            "leaving people out needs 2 subjects or more, and there is "
            f"{len(ordered)}; prepare more, or give --protocol within (study: "
            "--protocols within)"
        )
    if not 2 <= n_folds <= len(ordered):
        raise SplitError(
            f"{n_folds} folds over {counted(len(ordered), 'subject')}; give --folds 2 "
            f"{f'to {len(ordered)} ' if len(ordered) > 2 else ''}or prepare more people"
        )
    drawn = np.array(ordered)
    if n_folds < len(ordered):
        drawn = np.random.default_rng(seed).permutation(ordered)
    folds = []
    for part in np.array_split(drawn, n_folds):
        test = {int(subject) for subject in part}
        train = tuple(subject for subject in ordered if subject not in test)
        folds.append(SubjectFold(train, tuple(sorted(test))))
    return folds


def _parts(stored: dict[str, list[int]]) -> dict[str, tuple[int, ...]]:
    try:
        return {
            part: tuple(int(n) for n in stored[part])
            for part in ("train", "validation", "test")
        }
    except (KeyError, TypeError, ValueError) as error:
        raise SplitError(
            f"not a split: {stored!r}; expected lists train, validation and test"
        ) from error


def _trials_by_class(
    trial_ids: Sequence[int] | np.ndarray, emotions: Sequence[int] | np.ndarray
) -> dict[int, list[int]]:
    """Trials of each emotion in session order."""
    emotion_of: dict[int, int] = {}
    for trial, emotion in zip(trial_ids, emotions, strict=True):
        if not 0 <= emotion < N_EMOTIONS:
            raise SplitError(f"emotion {emotion} is none of 0 to {N_EMOTIONS - 1}")
        if emotion_of.setdefault(int(trial), int(emotion)) != emotion:
            raise SplitError(
                f"trial {trial} has two emotions, {EMOTIONS[emotion_of[int(trial)]]} "
                f"and {EMOTIONS[emotion]}; split one subject at a time"
            )
    by_class: dict[int, list[int]] = {}
    for trial in sorted(emotion_of):
        by_class.setdefault(emotion_of[trial], []).append(trial)
    return dict(sorted(by_class.items()))
