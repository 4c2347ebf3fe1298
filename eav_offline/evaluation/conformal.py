"""Split-conformal thresholds: how likely an emotion must be to be in the set.

The least ambiguous set-valued classifier (LAC; Sadinle, Lei and Wasserman 2019): an
emotion is in if its probability reaches a threshold, the same one for every window. Of
all sets of one coverage these hold the fewest emotions on average. Adaptive sets (APS;
Romano, Sesia and Candes 2020) need a random number in every window to hold their
coverage, which no recording could be predicted again with, and cover too much without.
"""

from collections.abc import Sequence

import numpy as np

from eav_offline.core.model_names import COVERAGES
from eav_offline.data.window_set import WindowSet
from eav_offline.evaluation.assess import subset_probabilities
from eav_offline.models import EmotionModel
from eav_offline.sureness import Source, Sureness, Thresholds

_ROUNDING = 1e-9  # 10 * 0.9 is 9 windows, not the next whole number above 9.000...01


def threshold(hit: np.ndarray, coverage: float) -> float | None:
    """The least probability at which so many windows' true emotions are in.

    hit: (n,) probabilities of the true emotion, in windows that the model was not
    fitted to. A new window that is exchangeable with them has its true emotion at or
    above the threshold with probability `coverage` or more, and, without ties, less
    than 1 / (n + 1) more. It is the k-th largest, k = ceil((n + 1) coverage). Equal
    probabilities are in together, which can only raise the coverage. None if k > n: so
    few windows cannot promise it.
    """
    n = len(hit)
    k = int(np.ceil((n + 1) * coverage - _ROUNDING))
    if k > n:
        return None
    return float(np.partition(hit.astype(np.float64), n - k)[n - k])


def thresholds(
    truth: np.ndarray, chances: np.ndarray, coverages: Sequence[float] = COVERAGES
) -> Thresholds | None:
    """Those of windows of one kind; None if they are too few for any coverage.

    truth: (n,) int. chances: (n, 5); rows that are NaN are left out.
    """
    there = np.isfinite(chances).any(1)
    hit = chances[there, truth[there]]
    found = {coverage: threshold(hit, coverage) for coverage in coverages}
    least = {coverage: p for coverage, p in found.items() if p is not None}
    return Thresholds(n=len(hit), least=least) if least else None


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
