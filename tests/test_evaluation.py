"""Scores against counts made by hand."""

import numpy as np
import pytest
from planted import planted_subject, tiny_config

from eav_offline.config import ModelConfig
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.evaluation import (
    SUBSETS,
    clustered_interval,
    evaluate,
    score,
    window_probabilities,
)
from eav_offline.labels import MODALITIES
from eav_offline.models import Recogniser


def windows_of(n_trials: int) -> WindowSet:
    return window_set([planted_subject(n_trials)])


def saying(classes: list[int]) -> np.ndarray:
    """Probabilities that name these classes."""
    return np.eye(5, dtype=np.float32)[classes] * 0.6 + 0.08


def model_config() -> ModelConfig:
    return tiny_config().model


def test_accuracy_f1_and_confusion_are_those_counted_by_hand() -> None:
    windows = windows_of(5)  # trials 1-5: emotions 1 1 2 2 3 3 4 4 0 0
    found = score(saying([1, 1, 2, 1, 3, 3, 4, 4, 0, 2]), windows)
    assert found["accuracy"] == 0.8
    assert found["confusion"] == [
        [1, 0, 1, 0, 0],
        [0, 2, 0, 0, 0],
        [0, 1, 1, 0, 0],
        [0, 0, 0, 2, 0],
        [0, 0, 0, 0, 2],
    ]
    # F1: 2/3, 4/5, 1/2, 1, 1.
    assert found["macro_f1"] == pytest.approx((2 / 3 + 0.8 + 0.5 + 2) / 5)
    assert found["n_windows"] == 10


def test_a_trial_is_right_when_its_mean_probability_is() -> None:
    windows = windows_of(2)  # emotions 1 1 2 2
    chances = saying([1, 0, 0, 3])
    chances[0] = [0, 1, 0, 0, 0]  # surer than its neighbour is of neutral
    found = score(chances, windows)
    assert found["accuracy"] == 0.25
    assert found["trial_accuracy"] == 0.5


def test_interval_of_whole_trials_is_wider_than_of_windows() -> None:
    right = np.repeat(np.arange(40) % 2 == 0, 4)  # whole trials right or wrong
    by_trial = clustered_interval(right, np.repeat(np.arange(40), 4), seed=0)
    by_window = clustered_interval(right, np.arange(160), seed=0)
    assert by_trial[1] - by_trial[0] > 1.5 * (by_window[1] - by_window[0])
    # Binomial over 40 trials: 0.5 -+ 1.96 * sqrt(0.25 / 40) = 0.345, 0.655.
    np.testing.assert_allclose(by_trial, [0.345, 0.655], atol=0.03)


def test_interval_is_the_same_for_the_same_seed() -> None:
    right = np.random.default_rng(0).random(60) < 0.6
    trials = np.arange(60) // 4
    assert clustered_interval(right, trials, 1) == clustered_interval(right, trials, 1)


def test_all_seven_subsets_are_scored() -> None:
    found = evaluate(
        Recogniser(model_config(), MODALITIES, fusion=True).eval(), windows_of(5)
    )
    assert len(SUBSETS) == 7
    assert set(found["subsets"]) == {"+".join(subset) for subset in SUBSETS}
    assert all(entry["n_windows"] == 10 for entry in found["subsets"].values())
    whole = found["modalities"]["fused"]["accuracy"]
    assert found["subsets"]["eeg+audio+video"]["accuracy"] == whole


def test_a_subset_counts_only_windows_that_have_all_of_it() -> None:
    subject = planted_subject(5)
    subject.present[:4, 1] = False
    found = evaluate(
        Recogniser(model_config(), MODALITIES, fusion=True).eval(),
        window_set([subject]),
    )
    counts = {name: entry["n_windows"] for name, entry in found["subsets"].items()}
    assert counts == {
        "eeg": 10,
        "audio": 6,
        "video": 10,
        "eeg+audio": 6,
        "eeg+video": 10,
        "audio+video": 6,
        "eeg+audio+video": 6,
    }
    assert found["modalities"]["audio"]["n_windows"] == 6


def test_accuracy_is_told_by_position_in_the_trial() -> None:
    model = Recogniser(model_config(), MODALITIES, fusion=False).eval()
    windows = windows_of(5)
    found = evaluate(model, windows)["by_position"]
    right = window_probabilities(model, windows)["eeg"].argmax(1) == windows.emotion
    assert found["eeg"] == {"0": right[::2].mean(), "1": right[1::2].mean()}
    assert set(found) == {*MODALITIES, "fused"}


def test_a_model_of_one_modality_is_scored_on_it_alone() -> None:
    model = Recogniser(model_config(), ["video"], fusion=False).eval()
    found = evaluate(model, windows_of(5))
    assert set(found["modalities"]) == {"video", "fused"}
    assert set(found["subsets"]) == {"video"}


def test_no_windows_are_refused() -> None:
    model = Recogniser(model_config(), ["video"], fusion=False).eval()
    with pytest.raises(ValueError, match="no windows to evaluate"):
        evaluate(model, windows_of(5).subset(np.arange(0)))


def test_a_window_set_finds_its_windows_in_their_subjects() -> None:
    one, other = planted_subject(4), planted_subject(4, subject=2)
    windows = window_set([one, other], {1: [2], 2: [1, 3]})
    assert windows.subject.tolist() == [1, 1, 2, 2, 2, 2]
    assert windows.trial.tolist() == [2, 2, 1, 1, 3, 3]
    np.testing.assert_array_equal(
        windows.array("eeg", np.array([5, 0])), np.stack([other.eeg[5], one.eeg[2]])
    )
    faces = windows.array("video", np.array([2]), frames=np.array([3, 24]))
    np.testing.assert_array_equal(faces[0], other.faces[0, [3, 24]])
