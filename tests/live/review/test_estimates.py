"""Lines of estimates: means between edges, decisions, and where two differ."""

from dataclasses import replace

import numpy as np
import pytest
from reviewed import estimate

from eav_live.recognition.predictions import StreamState
from eav_live.review.estimates import Lane, as_prediction, differences
from eav_offline.core.labels import EMOTIONS
from eav_offline.data.sessions.session import RecordedPrediction

HOP = 0.5


def lane(*times: float) -> Lane:
    return Lane([estimate(t, number) for number, t in enumerate(times)], HOP)


def test_between_two_edges_stands_the_mean_of_what_ends_there() -> None:
    three = lane(1.0, 1.5, 2.0)
    first, second, third = (one.fused for one in three.estimates)
    shares = three.shares(np.array([0.9, 1.9, 2.9]))
    assert first is not None
    assert second is not None
    np.testing.assert_allclose(shares[0], (first + second) / 2)
    np.testing.assert_allclose(shares[1], third)


def test_between_estimates_the_last_one_holds_and_then_none() -> None:
    one = lane(1.0)
    edges = np.array([0.0, 0.5, 2.5, 3.2, 4.0, 9.0])
    shares = one.shares(edges)
    there = ~np.isnan(shares).any(axis=1)
    assert there.tolist() == [False, True, True, False, False]
    np.testing.assert_array_equal(one.decisions(edges) >= 0, there)


def test_what_could_not_be_estimated_leaves_a_hole() -> None:
    empty = replace(estimate(2.0, 1), fused=None, smoothed=None, label=None)
    both = Lane([estimate(1.0, 0), empty], HOP)
    edges = np.array([0.9, 1.1, 1.9, 2.1])
    assert np.isnan(both.shares(edges)).all(axis=1).tolist() == [False, False, True]
    assert both.decisions(edges)[-1] == -1


def test_an_emotion_that_is_not_known_stays_unknown() -> None:
    p = np.array([0.4, 0.3, 0.2, 0.1, np.nan])
    known = replace(estimate(1.0, 0), fused=p, smoothed=p)
    shares = Lane([known], HOP).shares(np.array([0.9, 1.1]))
    np.testing.assert_allclose(shares[0], p)


def test_decisions_and_truth_are_numbers_of_emotions() -> None:
    angry = replace(estimate(1.0, 0), label="anger", truth="calmness")
    one = Lane([angry], HOP)
    edges = np.array([1.0, 1.2])
    assert one.decisions(edges).tolist() == [EMOTIONS.index("anger")]
    assert one.truths(edges).tolist() == [EMOTIONS.index("calmness")]


def test_stretches_that_differ_are_one_each() -> None:
    six = lane(1.0, 1.5, 2.0, 2.5, 3.0, 9.0)
    a = ["anger"] * 6
    b = ["anger", "sadness", "neutral", "anger", None, "sadness"]
    assert differences(six, a, b) == [(1.5, 2.0), (9.0, 9.0)]


def test_a_difference_does_not_reach_over_a_pause() -> None:
    two = lane(1.0, 9.0)
    spans = differences(two, ["anger"] * 2, ["sadness"] * 2)
    assert spans == [(1.0, 1.0), (9.0, 9.0)]


def test_an_old_recording_that_says_little_is_shown_all_the_same() -> None:
    past = RecordedPrediction(3.0, {"fused": np.full(5, 0.2)}, ("eeg",), {})
    shown = as_prediction(past, HOP, demo=False)
    assert shown.label is None
    assert shown.states["eeg"] is StreamState.OFF
    assert np.isnan(shown.age_s)
    assert shown.t == pytest.approx(3.0)
