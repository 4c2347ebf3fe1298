"""A run's data: prepared subjects split by whole trials, and the split found again."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eav_offline.checkpoint import CheckpointError, load
from eav_offline.data.cache import PreparedSubject, open_prepared
from eav_offline.data.splits import Split, within_subject
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.errors import InputRefused
from eav_offline.evaluation import evaluate
from eav_offline.training import MODEL_FILE, TrainingData

SPLIT_FILE = "split.json"


def training_data(
    subjects: Sequence[PreparedSubject],
    cache: Path,
    train_windows: int | None = None,
    validation: bool = False,
) -> TrainingData:
    """Split every subject by whole trials, in order within each class, and pool them.

    train_windows: of 80 a class, 56 or 40 in the papers; None: 70 % of the trials.
    validation: set trials aside for choosing the epoch. Raises SplitError if a subject
    has too few trials, InputRefused if the subjects were prepared differently.
    """
    settings = subjects[0].settings
    if any(subject.settings != settings for subject in subjects):
        raise InputRefused("the subjects were prepared with different settings")
    splits = {
        subject.subject: within_subject(
            subject.trial,
            subject.emotion,
            train_windows=train_windows,
            validation=validation,
        )
        for subject in subjects
    }
    about = {
        "protocol": "within subjects: the first trials of each class train, the last "
        "test; whole trials only",
        "cache": str(cache.resolve()),
        "subjects": {str(n): split.as_json() for n, split in splits.items()},
    }
    return TrainingData(
        train=_part(subjects, splits, "train"),
        validation=_part(subjects, splits, "validation") if validation else None,
        test=_part(subjects, splits, "test"),
        preprocess=settings,
        split=about,
    )


def evaluate_run(run: Path, cache: Path | None, device: str = "cpu") -> dict[str, Any]:
    """Score a run's checkpoint again on its own test trials.

    cache: where the prepared subjects are, None: where they were. Raises InputRefused
    if the run is incomplete or the prepared windows are not those it was trained on.
    """
    try:
        about = json.loads((run / SPLIT_FILE).read_text(encoding="utf-8"))
        cache = cache or Path(about["cache"])
        splits = {
            int(n): Split.from_json(stored) for n, stored in about["subjects"].items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputRefused(
            f"{run} is no finished run: {SPLIT_FILE} cannot be read ({error}); give "
            "the folder that eav-offline train --out wrote"
        ) from error
    checkpoint = load(run / MODEL_FILE, device)
    subjects = [open_prepared(cache, number) for number in splits]
    for subject in subjects:
        if subject.settings != checkpoint.preprocess:
            raise CheckpointError(
                f"{run} was trained on windows prepared with {checkpoint.preprocess}, "
                f"{cache} has {subject.settings}; prepare the data that way"
            )
        there = set(subject.trial.tolist())
        split = splits[subject.subject]
        lacking = sorted({*split.train, *split.validation, *split.test} - there)
        if lacking:
            raise InputRefused(
                f"{cache} lacks trials {lacking} of subject {subject.subject}, which "
                f"{run} was split on; prepare the same files again"
            )
    windows = _part(subjects, splits, "test")
    seed = checkpoint.config.train.seed
    return {
        "split": about,
        "seed": seed,
        "demo": checkpoint.demo,
        **evaluate(checkpoint.model, windows, seed),
    }


def _part(
    subjects: Sequence[PreparedSubject], splits: dict[int, Split], part: str
) -> WindowSet:
    return window_set(subjects, {n: getattr(s, part) for n, s in splits.items()})
