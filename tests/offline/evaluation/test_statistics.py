"""Statistics over people against values worked out by hand or in textbooks."""

import numpy as np
import pytest

from eav_offline.evaluation.statistics import (
    average_seeds,
    bootstrap_by_subject,
    compare_models,
    holm,
    mean_sd,
    signed_rank,
)

pytestmark = pytest.mark.numeric


def test_seeds_are_averaged_within_each_subject() -> None:
    pairs = [(2, 0.5), (1, 0.2), (2, 0.7), (1, 0.4), (3, 1.0)]
    assert average_seeds(pairs) == pytest.approx({1: 0.3, 2: 0.6, 3: 1.0})


def test_the_deviation_is_that_of_a_sample() -> None:
    mean, sd = mean_sd([2, 4, 4, 4, 5, 5, 7, 9])
    assert mean == 5
    assert sd == pytest.approx(np.sqrt(32 / 7))


def test_one_person_has_no_deviation_and_few_have_no_interval() -> None:
    assert mean_sd([0.5]) == (0.5, None)
    assert bootstrap_by_subject([0.5]) is None
    assert bootstrap_by_subject([0.4, 0.5, 0.6, 0.7]) is None
    assert bootstrap_by_subject([0.4, 0.5, 0.6, 0.7, 0.8]) is not None


def test_the_bootstrap_interval_is_that_of_the_mean() -> None:
    values = np.random.default_rng(0).normal(0.6, 0.1, 42)
    found = bootstrap_by_subject(values)
    assert found is not None
    error = values.std() / np.sqrt(42)
    expected = values.mean() + 1.96 * error * np.array([-1, 1])
    np.testing.assert_allclose(found, expected, atol=0.004)
    assert bootstrap_by_subject(values) == pytest.approx(found)  # the same seed


def test_the_interval_of_equal_people_has_no_width() -> None:
    assert bootstrap_by_subject([0.7] * 5) == pytest.approx((0.7, 0.7))


def test_signed_rank_has_the_exact_value_of_the_tables() -> None:
    # Of the 2^6 signs only all alike, both ways, are as extreme.
    first = np.array([0.61, 0.62, 0.63, 0.64, 0.65, 0.66])
    second = first - np.array([0.01, 0.02, 0.03, 0.04, 0.05, 0.06])
    assert signed_rank(first, second) == pytest.approx(2 / 64)
    assert signed_rank(second, first) == pytest.approx(2 / 64)


def test_signed_rank_of_wilcoxons_own_example() -> None:
    # Darwin's maize (Wilcoxon 1945 after Fisher), eighths of an inch: W- = 24.
    differences = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48])
    assert signed_rank(differences, np.zeros(15)) == pytest.approx(0.0413, abs=5e-4)


def test_models_that_tie_everywhere_do_not_differ() -> None:
    scores = np.array([0.3, 0.1 + 0.2])
    assert signed_rank(scores, np.array([0.1 + 0.2, 0.3])) == 1.0


def test_holm_multiplies_by_the_tests_that_are_left() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_never_exceeds_one_nor_loses_the_order() -> None:
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


def test_models_are_compared_on_the_people_they_share() -> None:
    better = {s: 0.6 + 0.01 * s for s in range(1, 9)}
    worse = {s: 0.5 + 0.005 * s for s in range(3, 12)}  # shares 3 to 8
    (found,) = compare_models({"a": better, "b": worse})
    assert (found.first, found.second, found.n_subjects) == ("a", "b", 6)
    assert found.difference == pytest.approx(0.1 + 0.005 * 5.5)
    assert found.p == found.p_holm == pytest.approx(2 / 64)


def test_all_pairs_are_corrected_together() -> None:
    models = {
        name: {s: base + 0.001 * s * (1 + i) for s in range(8)}
        for i, (name, base) in enumerate([("a", 0.5), ("b", 0.6), ("c", 0.7)])
    }
    found = compare_models(models)
    assert [(c.first, c.second) for c in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [c.p for c in found] == pytest.approx([2 / 256] * 3)
    assert [c.p_holm for c in found] == pytest.approx([6 / 256] * 3)


def test_too_few_shared_people_are_not_compared() -> None:
    scores = {s: 0.1 * s for s in range(5)}
    assert compare_models({"a": scores, "b": scores}) == []
