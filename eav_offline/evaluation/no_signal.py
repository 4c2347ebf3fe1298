"""What is right without any signal: how much the time of a recording gives away.

Classes follow one another in an order, in EAV the same for everybody, and electrodes
drift; a model that knows when a window was recorded may seem to know the emotion. What
EEG adds is what it has above these rows (compare Gerster et al. 2026 on FACED).
"""

from collections.abc import Callable

import numpy as np

from eav_offline.core.labels import N_EMOTIONS
from eav_offline.data.window_set import WindowSet
from eav_offline.evaluation.results import NoSignal

NEAREST_TRIAL, DRIFT = "nearest_trial", "drift"


def no_signal(
    train: WindowSet, test: WindowSet, offset: Callable[[WindowSet], np.ndarray]
) -> dict[str, NoSignal]:
    """How many test windows are right by the time of recording alone.

    offset: windows -> (n, 30) µV, each electrode's unfiltered mean over the window, NaN
    where it was not kept. Keys: `NEAREST_TRIAL`, the class of the training trial
    nearest in number, the person's own where there are some; `DRIFT`, a logistic
    regression of the offsets, over windows that have them. Empty if either set is.
    """
    if len(train) == 0 or len(test) == 0:
        return {}
    rows = {NEAREST_TRIAL: _scored(test, nearest_trials(train, test))}
    there, here = offset(train), offset(test)
    seen, tested = np.isfinite(there).all(1), np.isfinite(here).all(1)
    if len(np.unique(train.emotion[seen])) > 1 and tested.any():
        # Seconds, which a program that does not come here need not wait.
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        regression.fit(there[seen], train.emotion[seen])
        said = regression.predict(here[tested])
        rows[DRIFT] = _scored(test.subset(tested), said)
    return rows


def nearest_trials(train: WindowSet, test: WindowSet) -> np.ndarray:
    """(n,) classes: each test window's is that of the nearest training trial.

    Of several as near, most of them decide, and of as many the lower class.
    """
    own = np.unique(train.subject)
    said = np.zeros(len(test), dtype=np.int64)
    for key in np.unique(test.trial_keys):
        rows = np.flatnonzero(test.trial_keys == key)
        person, trial = test.subject[rows[0]], test.trial[rows[0]]
        known = train.subject == person if person in own else np.full(len(train), True)
        away = np.where(known, np.abs(train.trial - trial), np.iinfo(np.int64).max)
        votes = train.emotion[away == away.min()]
        said[rows] = np.bincount(votes, minlength=N_EMOTIONS).argmax()
    return said


def _scored(test: WindowSet, said: np.ndarray) -> NoSignal:
    right = said == test.emotion
    return NoSignal(
        accuracy=float(right.mean()),
        by_subject={
            int(n): float(right[test.subject == n].mean())
            for n in np.unique(test.subject)
        },
    )
