"""Split-conformal thresholds of a model: how likely an emotion must be to be in a set.

The least ambiguous set-valued classifier (LAC; Sadinle, Lei and Wasserman 2019): an
emotion is in if its probability reaches a threshold, the same one for every window. Of
all sets of one coverage these hold the fewest emotions on average. Adaptive sets (APS;
Romano, Sesia and Candes 2020) need a random number in every window to hold their
coverage, which no recording could be predicted again with, and cover too much without.
"""

from collections.abc import Mapping

import numpy as np

from eav_offline.checkpoint.file import Checkpoint
from eav_offline.core.labels import N_EMOTIONS
from eav_offline.core.sureness import (
    Source,
    Sureness,
    Thresholds,
    modalities_key,
    thresholds,
)
from eav_offline.data.window_set import WindowSet
from eav_offline.evaluation.assess import SUBSETS, subset_probabilities
from eav_offline.personal.adapting import adapted_chances


def calibrate(
    checkpoint: Checkpoint, windows: WindowSet | None, source: Source
) -> Sureness | None:
    """Thresholds of every subset of the modalities, by windows the model never saw.

    windows: of trials left out of the fit, or of people left out of it; each person's
    in the order in which they were recorded. Where the checkpoint says what windows of
    its training people look like, they are also put through the adaptation without
    labels that is there live. None if there are too few, or if the model's own encoders
    do not decide.
    """
    model = checkpoint.model
    if windows is None or not model.decides_alone:
        return None
    windows = windows.of_emotions(model.knows)
    if len(windows) == 0:
        return None
    found = _thresholds(windows.emotion, subset_probabilities(model, windows))
    if not found:
        return None
    return Sureness(
        source=source,
        people=len(np.unique(windows.subject)),
        by_modalities=found,
        adapting=_thresholds(windows.emotion, _while_adapting(checkpoint, windows)),
    )


def _while_adapting(
    checkpoint: Checkpoint, windows: WindowSet
) -> dict[str, np.ndarray]:
    """Fused probabilities (n, 5) by subset; NaN where no layer was in force."""
    if checkpoint.population is None:
        return {}
    known = checkpoint.population.by_modality
    subsets = [some for some in SUBSETS if set(some) <= set(known)]
    shape = (len(windows), N_EMOTIONS)
    found = {modalities_key(some): np.full(shape, np.nan) for some in subsets}
    for one in np.unique(windows.subject):
        rows = np.flatnonzero(windows.subject == one)
        theirs = adapted_chances(checkpoint, windows.subset(rows), subsets)
        for some, chances in theirs.items():
            found[modalities_key(some)][rows] = chances
    return found


def _thresholds(
    truth: np.ndarray, by_subset: Mapping[str, np.ndarray]
) -> dict[str, Thresholds]:
    found = {name: thresholds(truth, chances) for name, chances in by_subset.items()}
    return {name: one for name, one in found.items() if one is not None}


def source_of(train: WindowSet, calibration: WindowSet) -> Source:
    """Whom calibration windows are of, beside those trained on."""
    learned = set(train.subject.tolist())
    others = set(calibration.subject.tolist())
    if not learned & others:
        return "other people"
    return "this person" if len(learned | others) == 1 else "training people"
