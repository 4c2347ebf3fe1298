"""Split-conformal thresholds of a model: how likely an emotion must be to be in a set.

The least ambiguous set-valued classifier (LAC; Sadinle, Lei and Wasserman 2019): an
emotion is in if its probability reaches a threshold, the same one for every window. Of
all sets of one coverage these hold the fewest emotions on average. Adaptive sets (APS;
Romano, Sesia and Candes 2020) need a random number in every window to hold their
coverage, which no recording could be predicted again with, and cover too much without.
"""

import numpy as np

from eav_offline.data.window_set import WindowSet
from eav_offline.evaluation.assess import subset_probabilities
from eav_offline.models import EmotionModel
from eav_offline.sureness import Source, Sureness, thresholds


def calibrate(
    model: EmotionModel, windows: WindowSet | None, source: Source
) -> Sureness | None:
    """Thresholds of every subset of the modalities, by windows the model never saw.

    windows: of trials left out of the fit, or of people left out of it. None if there
    are too few, or if the model's own encoders do not decide.
    """
    if windows is None or not model.decides_alone:
        return None
    windows = windows.of_emotions(model.knows)
    if len(windows) == 0:
        return None
    found = {
        subset: thresholds(windows.emotion, chances)
        for subset, chances in subset_probabilities(model, windows).items()
    }
    kept = {subset: one for subset, one in found.items() if one is not None}
    if not kept:
        return None
    people = len(np.unique(windows.subject))
    return Sureness(source=source, people=people, by_modalities=kept)


def source_of(train: WindowSet, calibration: WindowSet) -> Source:
    """Whom calibration windows are of, beside those trained on."""
    learned = set(train.subject.tolist())
    others = set(calibration.subject.tolist())
    if not learned & others:
        return "other people"
    return "this person" if len(learned | others) == 1 else "training people"
