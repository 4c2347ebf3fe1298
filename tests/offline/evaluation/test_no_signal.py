"""What the time of a recording gives away by itself."""

from dataclasses import replace

import numpy as np
import pytest
from planted import planted_subject

from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.evaluation.no_signal import DRIFT, NEAREST_TRIAL, no_signal

TRAIN, TEST = range(1, 21), range(21, 31)


def no_offset(windows: WindowSet) -> np.ndarray:
    return np.full((len(windows), 30), np.nan)


def parts(emotion: np.ndarray, people: int = 1) -> tuple[WindowSet, WindowSet]:
    """The first 20 trials of people with these emotions train, the last ten test."""
    planted = [planted_subject(30, subject=n + 1) for n in range(people)]
    subjects = [replace(one, emotion=emotion[one.trial - 1]) for one in planted]
    every = [one.subject for one in subjects]
    return tuple(  # type: ignore[return-value]
        window_set(subjects, dict.fromkeys(every, part)) for part in (TRAIN, TEST)
    )


def test_the_nearest_training_trial_names_the_class() -> None:
    emotion = np.arange(30) % 5
    emotion[20:] = emotion[19]  # all after the last trial that trains
    train, test = parts(emotion)
    found = no_signal(train, test, no_offset)
    assert found.keys() == {NEAREST_TRIAL}
    assert found[NEAREST_TRIAL].accuracy == 1.0
    emotion[20:] = (emotion[19] + np.arange(10)) % 5
    found = no_signal(*parts(emotion), no_offset)
    assert found[NEAREST_TRIAL].accuracy == pytest.approx(0.2)


def test_new_people_are_known_by_the_order_that_all_share() -> None:
    emotion = np.random.default_rng(3).integers(0, 5, 30)
    subjects = [
        replace(one, emotion=emotion[one.trial - 1])
        for one in (planted_subject(30, subject=n) for n in (1, 2, 3))
    ]
    found = no_signal(window_set(subjects[:2]), window_set(subjects[2:]), no_offset)
    assert found[NEAREST_TRIAL].by_subject == {3: 1.0}


def test_drift_is_found_where_it_tells_and_not_where_it_does_not() -> None:
    emotion = np.arange(30) % 5
    train, test = parts(emotion, people=2)
    random = np.random.default_rng(0)

    def drifting(windows: WindowSet) -> np.ndarray:
        by_class = 50.0 * np.eye(5)[windows.emotion].repeat(6, axis=1)
        return by_class + random.normal(0, 1, by_class.shape)

    def still(windows: WindowSet) -> np.ndarray:
        return random.normal(0, 1, (len(windows), 30))

    told = no_signal(train, test, drifting)[DRIFT]
    assert told.accuracy == 1.0
    assert told.by_subject == {1: 1.0, 2: 1.0}
    assert no_signal(train, test, still)[DRIFT].accuracy < 0.5


def test_without_training_windows_there_is_no_row() -> None:
    train, test = parts(np.arange(30) % 5)
    assert no_signal(train.subset(np.arange(0)), test, no_offset) == {}
