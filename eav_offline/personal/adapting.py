"""A checkpoint and a person's recordings -> a checkpoint for this person."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from eav_offline.checkpoint import Checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.data.cache import PreparedSubject
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.models.personal import Personal
from eav_offline.personal.adaptation import Adaptation
from eav_offline.personal.calibration import (
    Calibrated,
    calibrate,
    with_alignment,
    with_personal,
)
from eav_offline.personal.reading import Features, read_features

RECORDING = ".xdf"


def adapt_to(
    checkpoint: Checkpoint,
    data: Path,
    person: str,
    subject: int | None = None,
) -> Calibrated:
    """Calibrate by the trials of one prepared person, or of a recorded session.

    data: a cache, or FILE.xdf with trials, which is prepared first. subject: whom of a
    cache of several. Raises InputRefused, see `calibrate`.
    """
    with _windows(checkpoint, data, subject) as windows:
        clips = windows.trial
        return calibrate(checkpoint, windows, windows.emotion, clips, person)


def adapt_without_labels(
    checkpoint: Checkpoint,
    data: Path,
    person: str,
    subject: int | None = None,
) -> Checkpoint:
    """The same without looking at the trials' emotions.

    Raises InputRefused if no modality was seen long enough and varied enough.
    """
    with _windows(checkpoint, data, subject) as windows:
        return follow(checkpoint, windows, person)


def follow(checkpoint: Checkpoint, windows: WindowSet, person: str) -> Checkpoint:
    """The checkpoint after `Adaptation` has seen these windows, one after another."""
    plain = checkpoint
    if checkpoint.population is not None:
        before = read_features(checkpoint.model, windows)
        plain = with_alignment(checkpoint, before)
    adaptation = Adaptation(plain)
    features = read_features(plain.model, windows)
    for row in range(len(windows)):
        adaptation.feed(_row(features, row))
    layer = adaptation.personal
    if layer is None or not layer.heads:
        why = adaptation.waiting or "nothing of it can be adapted"
        raise InputRefused(
            f"the model is not adapted to {person}: {why}; give a longer recording of "
            "several emotions"
        )
    told = f"{len(windows)} windows without labels"
    named = Personal(person, layer.heads, layer.knows, layer.alignment, told)
    return with_personal(checkpoint, named)


def _row(features: Features, row: int) -> dict[str, np.ndarray]:
    return {m: x[row] for m, x in features.by_modality.items() if features.has(m, row)}


@contextmanager
def _windows(
    checkpoint: Checkpoint, data: Path, subject: int | None
) -> Iterator[WindowSet]:
    if data.suffix.lower() != RECORDING:
        yield _of_cache(checkpoint, data, subject)
        return
    from eav_offline.data.prepared import prepare_root
    from eav_offline.data.sessions.importing import import_sessions

    with tempfile.TemporaryDirectory(prefix="eav-adapt-") as scratch:
        root, cache = Path(scratch, "people"), Path(scratch, "cache")
        import_sessions([data], root, 1)
        prepare_root(root, cache, settings=checkpoint.preprocess, jobs=1)
        yield _of_cache(checkpoint, cache, 1)


def _of_cache(checkpoint: Checkpoint, cache: Path, subject: int | None) -> WindowSet:
    from eav_offline.data.people import open_subjects

    found = open_subjects([cache], None if subject is None else [subject])
    if len(found) > 1:
        numbers = ", ".join(str(one.subject) for one in found)
        raise InputRefused(
            f"{cache} has several people ({numbers}); say with --subject whom to adapt "
            "to"
        )
    (person,) = found
    assert isinstance(person, PreparedSubject)
    checkpoint.check_preparation(person.settings, "the model", str(person.folder))
    return window_set([person])
