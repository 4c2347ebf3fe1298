"""A run's data: prepared subjects split by protocol, and the split found again."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eav_offline.checkpoint.card import DataSet
from eav_offline.common.errors import InputRefused
from eav_offline.config import Config
from eav_offline.data.cache import (
    PreparedSubject,
    changed_data,
    data_identity,
    verify,
)
from eav_offline.data.corpora import CORPORA
from eav_offline.data.people import open_person, require_alike
from eav_offline.data.recipe import EAV
from eav_offline.data.splits import HELD_OUT, WITHIN, Split, SubjectFold, within_subject
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.evaluation.assess import assess
from eav_offline.evaluation.no_signal import no_signal
from eav_offline.evaluation.results import Results
from eav_offline.training.run_folder import PARTS, RunFolder
from eav_offline.training.train import TrainingData, train

_TEXTS = {
    WITHIN: "within subjects: the first trials of each class train, the last test; "
    "whole trials only",
    HELD_OUT: "leave subjects out: nobody who trains or validates is tested",
}
_LANGUAGES = {"ravdess": "English", "cremad": "English", "emodb": "German"}
# What is known of data sets beside their people, for cards.
_KNOWN: dict[str, dict[str, Any]] = {
    corpus.name.upper(): {
        "languages": (_LANGUAGES[corpus.name],),
        "license": corpus.license,
    }
    for corpus in CORPORA.values()
} | {"synthetic people": {"synthetic": True}}


def training_data(
    subjects: Sequence[PreparedSubject],
    caches: Sequence[Path],
    train_windows: int | None = None,
    validation: bool = False,
    run: Path | None = None,
) -> TrainingData:
    """Split every subject by whole trials, in order within each class, and pool them.

    train_windows: of 80 a class, 56 or 40 in the papers; None: 70 % of the trials.
    validation: set trials aside, for choosing the epoch or fitting temperatures.
    caches: where they lie. run: the folder the run will be in; their paths are then
    stored relative to it.
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
    return _data(WITHIN, subjects, splits, caches, run)


def held_out_data(
    subjects: Sequence[PreparedSubject],
    caches: Sequence[Path],
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
    return _data(HELD_OUT, subjects, splits, caches, run, fold)


def train_pooled(
    subjects: Sequence[PreparedSubject],
    caches: Sequence[Path],
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
    data = training_data(subjects, caches, train_windows, validation, out)
    return train(stages, data, config, out, **means)


def evaluate_run(
    run: Path, caches: Sequence[Path] = (), device: str = "cpu"
) -> Results:
    """Score a run's checkpoint again on its own test windows.

    caches: where the prepared subjects are, none: where they were. Raises InputRefused
    if the run is incomplete, if its split is not that of its results, or if the
    prepared windows are not those it was trained on, number by number.
    """
    stored = RunFolder(run).split()
    caches = caches or stored.caches
    cache = " and ".join(map(str, caches))
    checkpoint = RunFolder(run).checkpoint(device)
    subjects = [open_person(caches, number) for number in stored.subjects]
    for subject in subjects:
        verify(subject)
        checkpoint.check_preparation(subject.settings, str(run), cache)
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
    return assessed.results.with_run(
        split=stored.about,
        demo=checkpoint.demo,
        no_signal=no_signal(parts["train"], parts["test"], _offset_of(subjects)),
    )


def _data(
    kind: str,
    subjects: Sequence[PreparedSubject],
    splits: Mapping[int, Split],
    caches: Sequence[Path],
    run: Path | None,
    fold: SubjectFold | None = None,
) -> TrainingData:
    if not subjects:
        raise InputRefused("no subjects were given; prepare some with eav-offline")
    require_alike(subjects)
    parts = {part: _part(subjects, splits, part) for part in PARTS}
    about = {
        "protocol": _TEXTS[kind],
        "kind": kind,
        "caches": [stored_path(cache, run) for cache in caches],
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
        preprocess=subjects[0].settings,
        split=about,
        no_signal=no_signal(parts["train"], parts["test"], _offset_of(subjects)),
        data_sets=_data_sets([one for one in subjects if splits[one.subject].train]),
    )


def _data_sets(people: Sequence[PreparedSubject]) -> tuple[DataSet, ...]:
    """Which data sets these people are of, and what is known of those."""
    n_of: dict[str, int] = {}
    for one in people:
        name = one.meta.get("dataset", EAV).upper()
        if one.synthetic:
            name = "synthetic people"
        elif one.meta.get("person"):
            name = "recorded sessions"
        n_of[name] = n_of.get(name, 0) + 1
    return tuple(
        DataSet(name=name, people=n, **_KNOWN.get(name, {})) for name, n in n_of.items()
    )


def _offset_of(
    subjects: Sequence[PreparedSubject],
) -> Callable[[WindowSet], np.ndarray]:
    """The offsets (n, 30) of windows of these subjects, in their order."""

    def offset(windows: WindowSet) -> np.ndarray:
        pairs = zip(windows.source, windows.row, strict=True)
        return np.stack([subjects[source].offset[row] for source, row in pairs])

    return offset


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
