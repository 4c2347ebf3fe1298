"""Scores of probabilities against numbers made by hand or by an independent formula."""

import numpy as np
import pytest
from sklearn.metrics import (
    balanced_accuracy_score,
    f1_score,
    log_loss,
    roc_auc_score,
)

from eav_offline.evaluation.metrics import (
    auc,
    confusion,
    decision_scores,
    ece,
    fit_temperature,
    nll,
    probability_scores,
    reliability,
    scaled,
)

pytestmark = pytest.mark.numeric

TRUTH = np.array([0, 0, 0, 0, 1, 1, 2, 3, 4, 4])
SAID = np.array([0, 0, 0, 1, 1, 2, 2, 3, 4, 0])


def drawn(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Truth and probabilities that know something of it."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 5, n)
    logits = random.normal(size=(n, 5)) + 1.5 * np.eye(5)[truth]
    chances = np.exp(logits)
    return truth, (chances / chances.sum(1, keepdims=True)).astype(np.float32)


def test_decision_scores_are_those_counted_by_hand() -> None:
    found = decision_scores(TRUTH, SAID)
    assert found["accuracy"] == pytest.approx(7 / 10)
    # Recalls 3/4, 1/2, 1, 1, 1/2.
    assert found["balanced_accuracy"] == pytest.approx(3.75 / 5)
    # F1 = 2 hits / (true + said): 6/8, 2/4, 2/3, 1, 2/3.
    assert found["macro_f1"] == pytest.approx((6 / 8 + 2 / 4 + 2 / 3 + 1 + 2 / 3) / 5)


def test_a_class_missing_from_the_truth_does_not_count_in_balanced_accuracy() -> None:
    truth, said = np.array([0, 0, 1]), np.array([0, 3, 1])
    assert decision_scores(truth, said)["balanced_accuracy"] == 0.75


def test_balanced_accuracy_is_that_of_scikit_learn() -> None:
    truth, chances = drawn()
    said = chances.argmax(1)
    assert decision_scores(truth, said)["balanced_accuracy"] == pytest.approx(
        balanced_accuracy_score(truth, said)
    )


def test_macro_f1_is_scikit_learns_over_the_classes_that_the_truth_has() -> None:
    truth, chances = drawn()
    there = truth != 4  # of a dataset where nobody is calm, though the model says so
    truth, said = truth[there], chances[there].argmax(1)
    assert (said == 4).any()
    found = decision_scores(truth, said)["macro_f1"]
    assert found == pytest.approx(
        f1_score(truth, said, labels=[0, 1, 2, 3], average="macro")
    )
    never_said = said != 4
    assert decision_scores(truth[never_said], said[never_said])[
        "macro_f1"
    ] == pytest.approx(f1_score(truth[never_said], said[never_said], average="macro"))


def test_all_right_is_one_whatever_classes_there_are() -> None:
    truth = np.array([0, 0, 3])
    assert decision_scores(truth, truth)["macro_f1"] == 1.0


def test_confusion_has_the_truth_in_rows() -> None:
    counts = np.array(confusion(TRUTH, SAID))
    assert counts[0].tolist() == [3, 1, 0, 0, 0]
    assert counts[4].tolist() == [1, 0, 0, 0, 1]
    assert counts.sum() == len(TRUTH)


def test_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    truth, chances = drawn(60)
    areas = []
    for c in range(5):
        ours, others = chances[truth == c, c], chances[truth != c, c]
        areas.append(np.mean(ours[:, None] > others[None]))
    assert auc(truth, chances) == pytest.approx(np.mean(areas))
    wide = chances.astype(np.float64)
    wide /= wide.sum(1, keepdims=True)
    assert auc(truth, chances) == pytest.approx(
        roc_auc_score(truth, wide, multi_class="ovr", average="macro")
    )


def test_auc_is_none_where_a_class_is_missing() -> None:
    truth, chances = drawn()
    there = truth != 3
    assert auc(truth[there], chances[there]) is None
    assert probability_scores(truth[there], chances[there])["auc"] is None


def test_five_even_chances_cost_log_five() -> None:
    assert nll(TRUTH, np.full((10, 5), 0.2)) == pytest.approx(np.log(5))


def test_nll_is_the_log_loss_of_scikit_learn() -> None:
    truth, chances = drawn()
    wide = chances.astype(np.float64)
    wide /= wide.sum(1, keepdims=True)
    assert nll(truth, chances) == pytest.approx(log_loss(truth, wide), rel=1e-5)


def test_an_outright_zero_costs_much_but_not_infinity() -> None:
    cost = nll(np.array([1]), np.array([[1.0, 0, 0, 0, 0]], dtype=np.float32))
    assert 15 < cost < 20


def test_reliability_and_ece_are_those_counted_by_hand() -> None:
    # Confidence 0.9 four times, right three times; 0.5 twice, never right.
    chances = np.array([[0.9, 0.1, 0, 0, 0]] * 4 + [[0.5, 0.2, 0.1, 0.1, 0.1]] * 2)
    truth = np.array([0, 0, 0, 1, 1, 2])
    bins = reliability(truth, chances)
    assert bins["count"][13] == 4  # (13/15, 14/15] holds 0.9
    assert bins["count"][7] == 2  # (7/15, 8/15] holds 0.5
    assert sum(bins["count"]) == 6
    assert bins["confidence"][13] == pytest.approx(0.9)
    assert bins["accuracy"][13] == 0.75
    assert bins["accuracy"][7] == 0.0
    assert bins["accuracy"][0] is None
    assert bins["confidence"][0] is None
    assert ece(truth, chances) == pytest.approx(4 / 6 * 0.15 + 2 / 6 * 0.5)


def test_a_bin_has_its_upper_edge() -> None:
    for edge in (6, 9, 12):  # of 15: exact in binary when multiplied
        top = edge / 15
        chances = np.array([[top, *[(1 - top) / 4] * 4]])
        assert reliability(np.array([0]), chances)["count"][edge - 1] == 1


def test_certainty_falls_into_the_last_bin() -> None:
    assert reliability(np.array([0]), np.eye(5)[:1])["count"][-1] == 1


def test_scaling_divides_the_logits() -> None:
    logits = np.random.default_rng(0).normal(size=(20, 5))

    def softmax(x: np.ndarray) -> np.ndarray:
        return np.exp(x) / np.exp(x).sum(1, keepdims=True)

    np.testing.assert_allclose(scaled(softmax(logits), 2.5), softmax(logits / 2.5))
    np.testing.assert_allclose(scaled(softmax(logits), 1.0), softmax(logits))


def test_what_no_row_gives_a_chance_keeps_none() -> None:
    truth, chances = drawn()
    chances[:, 4] = 0
    chances /= chances.sum(1, keepdims=True)
    absent = np.vstack([chances, np.full((1, 5), np.nan)])
    for rows in (chances, absent):
        found = scaled(rows, 20.0)[: len(chances)]
        assert (found[:, 4] == 0).all()
        np.testing.assert_allclose(found.sum(1), 1)
    there = truth != 4
    four = [roc_auc_score(truth[there] == c, chances[there, c]) for c in range(4)]
    assert auc(truth[there], chances[there]) == pytest.approx(np.mean(four))


def test_the_temperature_undoes_an_overconfidence_of_three() -> None:
    random = np.random.default_rng(1)
    chances = scaled(random.dirichlet(np.ones(5), 20_000), 1.0)
    truth = (chances.cumsum(1) > random.random((len(chances), 1))).argmax(1)
    overconfident = scaled(chances, 1 / 3)
    found = fit_temperature(truth, overconfident)
    assert found == pytest.approx(3.0, rel=0.05)
    assert ece(truth, scaled(overconfident, found)) < 0.02 < ece(truth, overconfident)


def test_no_other_temperature_has_less_nll() -> None:
    truth, chances = drawn()
    best = nll(truth, scaled(chances, fit_temperature(truth, chances)))
    others = [nll(truth, scaled(chances, t)) for t in np.geomspace(0.1, 10, 60)]
    assert best <= min(others) + 1e-6


def test_temperature_leaves_decisions_alone() -> None:
    _, chances = drawn()
    np.testing.assert_array_equal(scaled(chances, 4.0).argmax(1), chances.argmax(1))
