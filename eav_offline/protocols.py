"""Which runs a study consists of, by protocol.

subject01/seed0    within: one model for each person, as published
fold3of7/seed0     kfold: a seventh of the people are tested, the others train
loso05/seed0       loso: person 5 is tested, everybody else trains
pooled/seed0       pooled: one model for everybody, each with trials of their own
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eav_offline.data.splits import SplitError, SubjectFold, leave_subjects_out

PROTOCOLS = ("pooled", "within", "kfold", "loso")
DEFAULT_FOLDS = 7  # six of EAV's 42 people are tested at a time
FOLD_SEED = 0  # folds are the same for every seed of training


@dataclass(frozen=True)
class Job:
    """One run of a study.

    name: its folder below the study's. subjects: all whose windows it needs. fold:
    whom it leaves out, None within subjects. seed: of training.
    """

    name: str
    subjects: tuple[int, ...]
    fold: SubjectFold | None
    seed: int


def jobs(
    subjects: Sequence[int],
    protocol: str,
    folds: int | None = None,
    seeds: Sequence[int] = (0,),
) -> list[Job]:
    """The runs of a protocol, one of `PROTOCOLS`, all of one seed before the next.

    folds: of kfold, 7 if None. Raises SplitError if the subjects are too few.
    """
    everybody = tuple(sorted(set(subjects)))
    if not everybody:
        raise SplitError("a study needs at least one subject; prepare some")
    parts: list[tuple[str, tuple[int, ...], SubjectFold | None]]
    if protocol == "pooled":
        parts = [("pooled", everybody, None)]
    elif protocol == "within":
        parts = [(f"subject{number:02d}", (number,), None) for number in everybody]
    elif protocol == "kfold":
        n = DEFAULT_FOLDS if folds is None else folds
        drawn = leave_subjects_out(everybody, n, FOLD_SEED)
        parts = [
            (f"fold{i}of{n}", everybody, fold) for i, fold in enumerate(drawn, start=1)
        ]
    elif protocol == "loso":
        drawn = leave_subjects_out(everybody, len(everybody), FOLD_SEED)
        parts = [(f"loso{fold.test[0]:02d}", everybody, fold) for fold in drawn]
    else:
        raise SplitError(
            f"unknown protocol {protocol!r}; expected one of {', '.join(PROTOCOLS)}"
        )
    return [
        Job(f"{name}/seed{seed}", needed, fold, seed)
        for seed in seeds
        for name, needed, fold in parts
    ]
