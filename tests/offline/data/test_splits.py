import json

import numpy as np
import pytest

from eav_offline.data.splits import (
    Split,
    SplitError,
    SubjectFold,
    leave_subjects_out,
    within_subject,
)

# A session like EAV's: 100 speaking trials (even numbers), classes in mixed order.
TRIALS = np.arange(2, 201, 2)
EMOTIONS = np.random.default_rng(0).permutation(np.repeat(np.arange(5), 20))


def by_class(trials):
    emotion_of = dict(zip(TRIALS.tolist(), EMOTIONS.tolist(), strict=True))
    return np.bincount([emotion_of[t] for t in trials], minlength=5).tolist()


def test_seventy_percent_of_eav_are_14_and_6_trials_a_class():
    split = within_subject(TRIALS, EMOTIONS)
    assert by_class(split.train) == [14] * 5
    assert by_class(split.test) == [6] * 5
    assert split.validation == ()


def test_every_trial_is_in_exactly_one_part():
    split = within_subject(TRIALS, EMOTIONS, validation=True)
    parts = [*split.train, *split.validation, *split.test]
    assert sorted(parts) == TRIALS.tolist()


def test_within_a_class_training_precedes_validation_precedes_test():
    split = within_subject(TRIALS, EMOTIONS, validation=True)
    for emotion in range(5):
        session = TRIALS[emotion == EMOTIONS].tolist()
        order = [
            0 if t in split.train else 1 if t in split.validation else 2
            for t in session
        ]
        assert order == sorted(order)


def test_validation_is_the_last_fifth_of_the_training_trials():
    plain = within_subject(TRIALS, EMOTIONS)
    split = within_subject(TRIALS, EMOTIONS, validation=True)
    assert by_class(split.validation) == [3] * 5  # 20 % of 14
    assert split.test == plain.test
    assert sorted(split.train + split.validation) == list(plain.train)


def test_validation_has_a_trial_of_each_class_even_of_few():
    split = within_subject(range(10), np.arange(10) % 2, validation=True)
    assert len(split.validation) == 2
    assert (len(split.train), len(split.test)) == (6, 2)


@pytest.mark.parametrize(("windows", "n_train"), [(56, 14), (40, 10)])
def test_the_papers_window_counts_are_whole_trials(windows, n_train):
    split = within_subject(TRIALS, EMOTIONS, train_windows=windows)
    assert by_class(split.train) == [n_train] * 5
    assert by_class(split.test) == [20 - n_train] * 5


@pytest.mark.parametrize("windows", [55, 41, 2])
def test_a_window_count_that_tears_a_trial_is_refused(windows):
    with pytest.raises(ValueError, match="multiple of 4"):
        within_subject(TRIALS, EMOTIONS, train_windows=windows)


@pytest.mark.parametrize("windows", [0, -4, 80, 84])
def test_a_window_count_that_leaves_a_part_empty_is_refused(windows):
    with pytest.raises(ValueError, match="has 20 trials, expected .* to test"):
        within_subject(TRIALS, EMOTIONS, train_windows=windows)


def test_a_class_of_one_trial_cannot_be_split():
    with pytest.raises(
        ValueError, match="sadness has 1 trial, expected 2 or more: to train"
    ):
        within_subject([1, 2, 3], [0, 0, 1])


def test_a_class_of_two_trials_trains_on_one_and_tests_the_other():
    split = within_subject([2, 4, 6, 8], [0, 1, 0, 1])
    assert (split.train, split.test) == ((2, 4), (6, 8))


def test_windows_may_be_given_in_place_of_trials():
    per_trial = within_subject(TRIALS, EMOTIONS, validation=True)
    shuffled = np.random.default_rng(1).permutation(np.repeat(np.arange(100), 4))
    per_window = within_subject(TRIALS[shuffled], EMOTIONS[shuffled], validation=True)
    assert per_window == per_trial


def test_trials_of_two_subjects_mixed_up_are_refused():
    with pytest.raises(ValueError, match="one subject at a time"):
        within_subject([2, 4, 2, 4], [0, 0, 1, 1])


def test_overlapping_parts_are_refused():
    with pytest.raises(ValueError, match=r"\[4\] are in more than one"):
        Split((2, 4), (), (4, 6))


def test_a_split_survives_json():
    split = within_subject(TRIALS, EMOTIONS, validation=True)
    assert Split.from_json(json.loads(json.dumps(split.as_json()))) == split
    with pytest.raises(ValueError, match="train, validation and test"):
        Split.from_json({"train": [1]})


def test_everyone_is_tested_once_and_never_while_training():
    folds = leave_subjects_out(range(1, 43), 7, seed=0)
    assert sorted(s for fold in folds for s in fold.test) == list(range(1, 43))
    for fold in folds:
        assert len(fold.test) == 6
        assert not set(fold.train) & set(fold.test)
        assert sorted(fold.train + fold.test) == list(range(1, 43))


def test_folds_depend_on_the_seed_alone():
    assert leave_subjects_out([3, 1, 2, 9], 2, 5) == leave_subjects_out(
        {9, 3, 2, 1}, 2, 5
    )
    drawn = {tuple(leave_subjects_out(range(1, 43), 7, seed)) for seed in range(5)}
    assert len(drawn) == 5


@pytest.mark.parametrize("n_folds", [1, 0, 5])
def test_impossible_fold_counts_are_refused(n_folds):
    with pytest.raises(ValueError, match="over 4 subjects; give --folds 2 to 4 or"):
        leave_subjects_out([1, 2, 3, 4], n_folds, seed=0)


def test_leaving_one_out_takes_the_people_in_order():
    folds = leave_subjects_out([4, 1, 7], 3, seed=0)
    assert [fold.test for fold in folds] == [(1,), (4,), (7,)]


@pytest.mark.parametrize(("n_folds", "n"), [(7, 4), (42, 4), (2, 2)])
def test_a_tenth_of_the_training_people_validates(n_folds, n):
    for fold in leave_subjects_out(range(1, 43), n_folds, seed=0):
        watched = fold.with_validation(seed=0)
        assert len(watched.validation) == n
        assert watched.test == fold.test
        assert sorted(watched.train + watched.validation) == list(fold.train)
        assert watched == fold.with_validation(seed=0)


def test_at_least_one_person_validates():
    fold = SubjectFold(train=(1, 2), test=(3,)).with_validation(seed=0)
    assert len(fold.validation) == len(fold.train) == 1


def test_who_validates_depends_on_the_seed():
    fold = SubjectFold(train=tuple(range(2, 43)), test=(1,))
    assert len({fold.with_validation(seed).validation for seed in range(5)}) == 5


def test_the_only_training_person_cannot_validate():
    with pytest.raises(SplitError, match="too few to set one aside"):
        SubjectFold(train=(1,), test=(2,)).with_validation(seed=0)


@pytest.mark.parametrize(
    "parts",
    [
        {"train": (1, 2), "test": (2, 3)},
        {"train": (1, 2), "test": (3,), "validation": (3,)},
        {"train": (1, 2), "test": (3,), "validation": (1,)},
    ],
)
def test_nobody_is_in_two_parts_of_a_fold(parts):
    with pytest.raises(SplitError, match="in more than one part"):
        SubjectFold(**parts)


def test_a_fold_survives_json():
    fold = SubjectFold((1, 2), (3,), (4,))
    assert SubjectFold.from_json(json.loads(json.dumps(fold.as_json()))) == fold
    with pytest.raises(SplitError, match="train, validation and test"):
        SubjectFold.from_json({"train": [1], "test": [2]})
