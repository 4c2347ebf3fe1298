"""A checkpoint and a person's recordings -> a checkpoint for this person.

And, before there is one, what other people's windows say while a model follows them.
"""

import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from eav_offline.checkpoint.file import Checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.data.cache import PreparedSubject
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.models.personal import Personal, affine_head, covariance
from eav_offline.personal.adaptation import LEAST_WINDOWS, Adaptation
from eav_offline.personal.calibration import (
    calibrate,
    with_alignment,
    with_personal,
)
from eav_offline.personal.reading import Features, read_features
from eav_offline.personal.worth import Calibrated

RECORDING = ".xdf"


def adapt_to(
    checkpoint: Checkpoint, data: Path, person: str, subject: int | None = None
) -> Calibrated:
    """Calibrate by the trials of one prepared person, or of a recorded session.

    data: a cache, or FILE.xdf with trials, which is prepared first. subject: whom of a
    cache of several. Raises InputRefused, see `calibrate`.
    """
    with _windows(checkpoint, data, subject) as windows:
        clips = windows.trial
        return calibrate(checkpoint, windows, windows.emotion, clips, person)


def adapt_without_labels(
    checkpoint: Checkpoint, data: Path, person: str, subject: int | None = None
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


def layers_over(
    checkpoint: Checkpoint, features: Features, begin: int = 0
) -> Iterator[Personal | None]:
    """The layer in force at each of a person's windows, as live: by those before it.

    begin: the window with which EEG counts; those before it were aligned by.
    """
    adaptation = Adaptation(checkpoint)
    aligned = checkpoint.model.personal if begin else None
    for row in range(len(features)):
        yield (adaptation.personal or aligned) if row >= begin else None
        seen = _row(features, row)
        if row < begin:
            seen.pop("eeg", None)
        adaptation.feed(seen)


def adapted_chances(
    checkpoint: Checkpoint, windows: WindowSet, subsets: Collection[tuple[str, ...]]
) -> dict[tuple[str, ...], np.ndarray]:
    """Probabilities (n, 5) of one person's windows, each by the layer in force then.

    By subset of the modalities that can be adapted; NaN where no layer was in force or
    a modality is missing. EEG is aligned by its first `LEAST_WINDOWS` windows.
    """
    begin, with_eeg = 0, MODALITIES.index("eeg")
    rows = np.flatnonzero(windows.present[:, with_eeg])[:LEAST_WINDOWS]
    population = checkpoint.population
    assert population is not None
    aligns = population.eeg_covariance is not None
    if aligns and len(rows) == LEAST_WINDOWS:
        first = covariance(windows.array("eeg", rows))
        none = np.zeros((0, len(MODALITIES)), dtype=bool)
        checkpoint = with_alignment(checkpoint, Features({}, none, first))
        begin = int(rows[-1]) + 1
    features = read_features(checkpoint.model, windows)
    if aligns and len(rows) < LEAST_WINDOWS:  # none of it is taken in
        features.present[:, with_eeg] = False
    layers = list(layers_over(checkpoint, features, begin))
    return {some: fused_by(checkpoint, features, layers, some) for some in subsets}


def fused_by(
    checkpoint: Checkpoint,
    features: Features,
    layers: Sequence[Personal | None],
    subset: Collection[str],
) -> np.ndarray:
    """Fused probabilities (n, 5) of windows, each by its layer; NaN without one.

    subset: of modalities with heads; windows that lack one of them are NaN too.
    """
    model = checkpoint.model
    heads = {m: affine_head(model.heads()[m]) for m in subset}
    here = torch.tensor([[m in subset for m in MODALITIES]])
    found = np.full((len(features), N_EMOTIONS), np.nan)
    for row, layer in enumerate(layers):
        if layer is None or not all(features.has(m, row) for m in subset):
            continue
        logits = {}
        for m, (weight, bias) in heads.items():
            x = torch.from_numpy(features.by_modality[m][row : row + 1])
            own = m in layer.heads
            logits[m] = layer.logits(m, x) if own else model.known(x @ weight.T + bias)
        fusing = layer.fusing(model.fusing)
        found[row] = fusing.average(logits, here)[0].exp().numpy()
    return found


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
