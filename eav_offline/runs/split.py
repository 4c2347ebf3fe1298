"""A run's data: prepared subjects split by protocol, and the split found again."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eav_offline.checkpoint import load
from eav_offline.common.errors import InputRefused
from eav_offline.config import Config
from eav_offline.data.cache import (
    PreparedSubject,
    changed_data,
    data_identity,
    open_prepared,
    verify,
)
from eav_offline.data.splits import Split, SplitError, SubjectFold, within_subject
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.evaluation.assess import assess
from eav_offline.evaluation.results import Results
from eav_offline.training.train import (
    MODEL_FILE,
    RESULTS_FILE,
    SPLIT_FILE,
    TrainingData,
    train,
)

PARTS = ("train", "validation", "test")
WITHIN, HELD_OUT = "within-subject", "leave-subjects-out"
_TEXTS = {
    WITHIN: "within subjects: the first trials of each class train, the last test; "
    "whole trials only",
    HELD_OUT: "leave subjects out: nobody who trains or validates is tested",
}


@dataclass(frozen=True)
class StoredSplit:
    """What split.json says, checked: nothing is in two parts.

    about: as it is written. cache: where the prepared subjects were. subjects: the
    trials of each. fold: whom it leaves out, None within subjects. data: what the
    windows were, as `cache.data_identity` says.
    """

    about: dict[str, Any]
    data: dict[str, Any]
    cache: Path
    subjects: dict[int, Split]
    fold: SubjectFold | None


def training_data(
    subjects: Sequence[PreparedSubject],
    cache: Path,
    train_windows: int | None = None,
    validation: bool = False,
    run: Path | None = None,
) -> TrainingData:
    """Split every subject by whole trials, in order within each class, and pool them.

    train_windows: of 80 a class, 56 or 40 in the papers; None: 70 % of the trials.
    validation: set trials aside, for choosing the epoch or fitting temperatures.
    run: the folder the run will be in; the cache's path is then stored relative to it.
    Raises SplitError if a subject has too few trials, InputRefused if the subjects
    were prepared differently or one is damaged.
    """
    for subject in subjects:
        verify(subject)
    splits = {
        subject.subject: within_subject(
            subject.trial,
            subject.emotion,
            train_windows=train_windows,
            validation=validation,
        )
        for subject in subjects
    }
    return _data(WITHIN, subjects, splits, cache, run)


def held_out_data(
    subjects: Sequence[PreparedSubject],
    cache: Path,
    fold: SubjectFold,
    run: Path | None = None,
) -> TrainingData:
    """All windows of some people train, all of others test.

    fold: whom; its validation part as well is of whole people. subjects: those of the
    fold, others are left out. run: see `training_data`. Raises InputRefused if one of
    the fold is not there, or the subjects were prepared differently or one is damaged.
    """
    part_of = {n: part for part in PARTS for n in getattr(fold, part)}
    lacking = sorted(part_of.keys() - {one.subject for one in subjects})
    if lacking:
        raise InputRefused(
            f"subjects {lacking} of the fold are not among those given; prepare them"
        )
    subjects = [one for one in subjects if one.subject in part_of]
    splits = {}
    for one in subjects:
        verify(one)
        trials = tuple(sorted({int(trial) for trial in one.trial}))
        parts: dict[str, tuple[int, ...]] = dict.fromkeys(PARTS, ())
        splits[one.subject] = Split(**{**parts, part_of[one.subject]: trials})
    return _data(HELD_OUT, subjects, splits, cache, run, fold)


def read_split(run: Path) -> StoredSplit:
    """The split a run was made with. Raises InputRefused if it cannot be trusted.

    That is, if a trial is in two parts of it, or if somebody both trains and tests
    though the protocol is to leave subjects out.
    """
    try:
        about = json.loads((run / SPLIT_FILE).read_text(encoding="utf-8"))
        cache = (run / about["cache"]).resolve()
        stored = {int(n): parts for n, parts in about["subjects"].items()}
        people = about.get("fold")
        data = about.get("data")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputRefused(
            f"{run} is no finished run: {SPLIT_FILE} cannot be read ({error}); give "
            "the folder that eav-offline train --out wrote"
        ) from error
    if not isinstance(data, dict):
        raise InputRefused(
            f"{run / SPLIT_FILE} does not say which data it is of, as it does since "
            "their content is compared; train the run again"
        )
    try:
        splits = {n: Split.from_json(parts) for n, parts in stored.items()}
        fold = None if people is None else SubjectFold.from_json(people)
        if (about.get("kind") == HELD_OUT) != (fold is not None):
            raise SplitError("its kind and its fold contradict each other")
        if fold is not None:
            _check_fold(fold, splits)
    except SplitError as error:
        raise SplitError(
            f"{run / SPLIT_FILE} is not to be trusted: {error}; train the run again"
        ) from error
    return StoredSplit(about, data, cache, splits, fold)


def train_pooled(
    subjects: Sequence[PreparedSubject],
    cache: Path,
    out: Path,
    config: Config,
    stages: Sequence[str],
    train_windows: int | None = None,
    validation: bool = False,
    **means: Any,
) -> Results:
    """Train one model for everybody on their first trials, and score it on their last.

    train_windows, validation: see `training_data`; a configuration that selects by
    validation has it anyway. means: keyword arguments of `training.train.train`, which
    writes the run. Raises what both raise.
    """
    validation = validation or config.train.select == "validation"
    data = training_data(subjects, cache, train_windows, validation, out)
    return train(stages, data, config, out, **means)


def evaluate_run(run: Path, cache: Path | None, device: str = "cpu") -> Results:
    """Score a run's checkpoint again on its own test windows.

    cache: where the prepared subjects are, None: where they were. Raises InputRefused
    if the run is incomplete, if its split is not that of its results, or if the
    prepared windows are not those it was trained on, number by number.
    """
    stored = read_split(run)
    _check_results(run, stored.about)
    cache = cache or stored.cache
    checkpoint = load(run / MODEL_FILE, device)
    subjects = [open_prepared(cache, number) for number in stored.subjects]
    for subject in subjects:
        verify(subject)
        checkpoint.check_preparation(subject.settings, str(run), str(cache))
        split = stored.subjects[subject.subject]
        wanted = {*split.train, *split.validation, *split.test}
        lacking = sorted(wanted - set(subject.trial.tolist()))
        if lacking:
            raise InputRefused(
                f"{cache} lacks trials {lacking} of subject {subject.subject}, which "
                f"{run} was split on; prepare the same files again"
            )
    parts = {part: _part(subjects, stored.subjects, part) for part in PARTS}
    counted = {part: len(windows) for part, windows in parts.items()}
    if counted != stored.about.get("windows", counted):
        raise InputRefused(
            f"{cache} has {counted} windows for {run}, which was made with "
            f"{stored.about['windows']}; prepare the same files again"
        )
    changed = changed_data(stored.data, data_identity(subjects))
    if changed:
        raise InputRefused(
            f"{cache} holds other data than {run} was trained on ({changed}); give the "
            "cache it was trained on (--data), or train it again on this one"
        )
    if not checkpoint.config.train.first_windows:
        parts = {part: windows.without_first() for part, windows in parts.items()}
    seed = checkpoint.config.train.seed
    assessed = assess(checkpoint.model, parts["test"], parts["validation"], seed)
    return assessed.results.with_run(split=stored.about, demo=checkpoint.demo)


def _data(
    kind: str,
    subjects: Sequence[PreparedSubject],
    splits: Mapping[int, Split],
    cache: Path,
    run: Path | None,
    fold: SubjectFold | None = None,
) -> TrainingData:
    if not subjects:
        raise InputRefused("no subjects were given; prepare some with eav-offline")
    settings = subjects[0].settings
    if any(subject.settings != settings for subject in subjects):
        raise InputRefused("the subjects were prepared with different settings")
    parts = {part: _part(subjects, splits, part) for part in PARTS}
    about = {
        "protocol": _TEXTS[kind],
        "kind": kind,
        "cache": stored_path(cache, run),
        "data": data_identity(subjects),
        "subjects": {str(n): split.as_json() for n, split in splits.items()},
        "windows": {part: len(windows) for part, windows in parts.items()},
    }
    if fold is not None:
        about["fold"] = fold.as_json()
    # Codes of recorded people, so that what was learned from them can be forgotten.
    people = {str(s.subject): s.meta.get("person") for s in subjects}
    if any(people.values()):
        about["people"] = {n: person for n, person in people.items() if person}
    return TrainingData(
        train=parts["train"],
        validation=parts["validation"] if len(parts["validation"]) else None,
        test=parts["test"],
        preprocess=settings,
        split=about,
    )


def _part(
    subjects: Sequence[PreparedSubject], splits: Mapping[int, Split], part: str
) -> WindowSet:
    return window_set(subjects, {n: getattr(s, part) for n, s in splits.items()})


def stored_path(cache: Path, run: Path | None) -> str:
    """Relative to the run, so that both may move together; absolute if it cannot be."""
    if run is not None:
        try:
            return Path(os.path.relpath(cache.resolve(), run.resolve())).as_posix()
        except ValueError:  # on another drive of Windows
            pass
    return str(cache.resolve())


def _check_fold(fold: SubjectFold, splits: Mapping[int, Split]) -> None:
    """Raise SplitError unless each subject's trials are where the fold has them."""
    members: dict[str, Collection[int]] = {p: getattr(fold, p) for p in PARTS}
    listed = {n for numbers in members.values() for n in numbers}
    if listed != splits.keys():
        raise SplitError(
            f"its fold is of subjects {sorted(listed)}, its trials are of "
            f"{sorted(splits)}"
        )
    for number, split in splits.items():
        for part in PARTS:
            if getattr(split, part) and number not in members[part]:
                raise SplitError(
                    f"subject {number} has trials in the {part} part, which the fold "
                    "does not put there"
                )


def _check_results(run: Path, about: dict[str, Any]) -> None:
    """Raise InputRefused if the run's results were obtained on another split."""
    path = run / RESULTS_FILE
    if not path.is_file():
        return
    try:
        reported = json.loads(path.read_text(encoding="utf-8"))["split"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputRefused(f"{path} cannot be read ({error}); train again") from error
    if reported != about:
        raise SplitError(
            f"{run}: {SPLIT_FILE} is not the split of {RESULTS_FILE}; one of them was "
            "changed. Train the run again"
        )
