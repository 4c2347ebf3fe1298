"""Smoothing, the decision's reluctance, and what is written as JSON."""

import json

import numpy as np
import pytest

from eav_live.recognition.predictions import Prediction, StreamState, named
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.sureness import Smoother


def certain(emotion: str, share: float = 1.0) -> np.ndarray:
    p = np.full(5, (1 - share) / 4)
    p[EMOTIONS.index(emotion)] = share
    return p


def test_smoothing_approaches_a_new_emotion_with_its_time_constant() -> None:
    smoother = Smoother(time_constant=2.0)
    smoother.update(certain("anger"), 0.0)
    smoothed, _ = smoother.update(certain("calmness"), 2.0)
    np.testing.assert_allclose(smoothed[4], 1 - np.exp(-1), atol=1e-12)
    np.testing.assert_allclose(smoothed.sum(), 1.0)


def test_the_hop_does_not_change_the_smoothing() -> None:
    answers = []
    for hop in (0.1, 0.5):
        smoother = Smoother(time_constant=1.5)
        smoother.update(certain("anger"), 0.0)
        for i in range(1, round(2 / hop) + 1):
            smoothed, _ = smoother.update(certain("neutral"), i * hop)
        answers.append(smoothed)
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-9)


def test_a_slightly_likelier_emotion_does_not_change_the_decision() -> None:
    smoother = Smoother(time_constant=1e-9, margin=0.1)
    assert smoother.update(np.array([0.4, 0.3, 0.3, 0, 0]), 0.0)[1] == "neutral"
    assert smoother.update(np.array([0.4, 0.45, 0.15, 0, 0]), 1.0)[1] == "neutral"
    assert smoother.update(np.array([0.3, 0.55, 0.15, 0, 0]), 2.0)[1] == "sadness"


@pytest.mark.parametrize("t", [5.5, -1.0])
def test_smoothing_begins_anew_after_a_gap_and_when_the_clock_goes_back(
    t: float,
) -> None:
    smoother = Smoother(time_constant=60.0, margin=0.5)
    smoother.update(certain("anger"), 0.0)
    # So slow and so reluctant that anger would stand, were it not for the gap.
    smoothed, label = smoother.update(certain("calmness", 0.4), t)
    assert label == "calmness"
    np.testing.assert_allclose(smoothed, certain("calmness", 0.4))


def test_windows_that_follow_each_other_are_smoothed_though_they_share_nothing() -> (
    None
):
    smoother = Smoother(time_constant=60.0)
    for t in (5.0, 10.0, 15.0):  # as the evaluation has them
        smoothed, _ = smoother.update(certain("anger" if t == 5 else "calmness"), t)
    assert smoothed[EMOTIONS.index("anger")] > 0.5


def test_without_smoothing_the_decision_is_the_likeliest() -> None:
    smoother = Smoother(time_constant=0.0)
    smoother.update(certain("anger"), 0.0)
    smoothed, label = smoother.update(np.array([0.3, 0.31, 0.29, 0.05, 0.05]), 0.5)
    assert label == "sadness"
    np.testing.assert_allclose(smoothed[1], 0.31)


def test_what_is_not_known_stays_so_and_is_never_decided_on() -> None:
    unknown = np.array([0.3, 0.2, 0.5, 0, np.nan])
    for time_constant in (0.0, 1.5):
        smoother = Smoother(time_constant)
        _, label = smoother.update(unknown, 0.0)
        assert label == "anger"
        for t in (0.5, 1.0, 9.0):  # the last one after a gap
            smoothed, label = smoother.update(unknown[[2, 1, 0, 3, 4]], t)
            assert np.isnan(smoothed).tolist() == [False] * 4 + [True]
            np.testing.assert_allclose(smoothed[:4].sum(), 1.0)
        assert label == "neutral"


def test_json_says_null_of_what_is_not_known() -> None:
    assert named(np.array([0.25, 0.25, np.nan, 0.5, 0.0])) == {
        "neutral": 0.25,
        "sadness": 0.25,
        "anger": None,
        "happiness": 0.5,
        "calmness": 0.0,
    }


def test_json_names_every_class_and_leaves_absent_modalities_null() -> None:
    prediction = Prediction(
        t=12.5,
        fused=certain("anger", 0.6),
        smoothed=certain("anger", 0.6),
        by_modality={"eeg": certain("anger"), "audio": None, "video": None},
        present=("eeg",),
        states={"eeg": StreamState.LIVE, "audio": StreamState.LOST},
        label="anger",
        truth=None,
        age_s=0.1,
        infer_s=0.02,
        hop_s=0.5,
        interpolated=("Fp1",),
        demo=True,
    )
    line = json.loads(json.dumps(prediction.as_json()))
    assert list(line["fused"]) == list(EMOTIONS)
    assert line["audio"] is None
    assert line["states"] == {"eeg": "live", "audio": "lost"}
    assert line["interpolated"] == ["Fp1"]
    assert line["demo"] is True
