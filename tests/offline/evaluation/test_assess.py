"""Scores against counts made by hand."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from agreement import assert_figures_agree
from planted import planted_subject, tiny_config

from eav_offline.config import ModelConfig
from eav_offline.core.labels import MODALITIES
from eav_offline.core.sureness import Smoother
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.evaluation.assess import (
    SUBSETS,
    assess,
    electrode_saliency,
    score,
    window_probabilities,
)
from eav_offline.evaluation.metrics import nll, scaled
from eav_offline.evaluation.statistics import accuracy_interval, clustered_interval
from eav_offline.models import EmotionModel
from eav_offline.models.layers import KnownOnly

pytestmark = pytest.mark.numeric


def windows_of(n_trials: int) -> WindowSet:
    return window_set([planted_subject(n_trials)])


def saying(classes: list[int]) -> np.ndarray:
    """Probabilities that name these classes."""
    return np.eye(5, dtype=np.float32)[classes] * 0.6 + 0.08


def model_config() -> ModelConfig:
    return tiny_config().model


def opinionated(fusion: bool = True) -> EmotionModel:
    """An untrained model whose heads, which start at zero, say something."""
    torch.manual_seed(3)
    model = EmotionModel(model_config(), MODALITIES, fusion).eval()
    for name, weight in model.named_parameters():
        if "head" in name and weight.ndim == 2:
            torch.nn.init.normal_(weight, std=0.3)
    return model


def evaluate(
    model: EmotionModel, windows: WindowSet, validation: WindowSet | None = None
) -> dict[str, Any]:
    """Figures as results.json has them."""
    return assess(model, windows, validation).results.as_json()


def test_accuracy_f1_and_confusion_are_those_counted_by_hand() -> None:
    windows = windows_of(5)  # trials 1-5: emotions 1 1 2 2 3 3 4 4 0 0
    found = score(saying([1, 1, 2, 1, 3, 3, 4, 4, 0, 2]), windows).as_json()
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
    chances[0] = [0, 1, 0, 0, 0]  # surer than its neighbor is of neutral
    found = score(chances, windows).as_json()
    assert found["accuracy"] == 0.25
    assert found["trial_accuracy"] == 0.5


def test_interval_of_whole_trials_is_wider_than_of_windows() -> None:
    right = np.repeat(np.arange(40) % 2 == 0, 4)  # whole trials right or wrong
    by_trial = clustered_interval(right, np.repeat(np.arange(40), 4), seed=0)
    by_window = clustered_interval(right, np.arange(160), seed=0)
    assert by_trial[1] - by_trial[0] > 1.5 * (by_window[1] - by_window[0])
    # Binomial over 40 trials: 0.5 -+ 1.96 * sqrt(0.25 / 40) = 0.345, 0.655.
    np.testing.assert_allclose(by_trial, [0.345, 0.655], atol=0.03)


@pytest.mark.parametrize("right", [True, False])
def test_no_interval_claims_certainty(right: bool) -> None:
    low, high = clustered_interval(np.full(80, right), np.arange(80) // 4, seed=0)
    # 20 trials: a chance of 0.832 is all right once in forty times, 0.832 ** 20.
    bound = 0.832 if right else 1 - 0.832
    found = (low, 1.0) if right else (high, 0.0)
    np.testing.assert_allclose(found, (bound, float(right)), atol=5e-4)


def test_interval_is_the_same_for_the_same_seed() -> None:
    right = np.random.default_rng(0).random(60) < 0.6
    trials = np.arange(60) // 4
    again = clustered_interval(right, trials, 1)
    assert clustered_interval(right, trials, 1) == pytest.approx(again)


def test_people_are_drawn_where_several_were_tested() -> None:
    people = window_set([planted_subject(10, subject=n) for n in range(1, 9)])
    right = people.subject % 2 == 0  # whole people right or wrong
    interval, unit = accuracy_interval(right, people)
    assert unit == "subject"
    # Binomial over 8 people: 0.5 -+ 1.96 * sqrt(0.25 / 8) = 0.15, 0.85.
    np.testing.assert_allclose(interval, [0.15, 0.85], atol=0.03)


@pytest.mark.parametrize(
    ("n_people", "unit"), [(1, "trial"), (2, None), (4, None), (5, "subject")]
)
def test_an_interval_says_what_was_drawn_and_few_people_have_none(
    n_people: int, unit: str | None
) -> None:
    people = window_set([planted_subject(5, subject=n + 1) for n in range(n_people)])
    found = score(saying([1, 1, 2, 1, 3, 3, 4, 4, 0, 2] * n_people), people).as_json()
    assert found["interval_unit"] == unit
    assert (found["interval"] is None) == (unit is None)


def test_all_seven_subsets_are_scored() -> None:
    found = evaluate(
        EmotionModel(model_config(), MODALITIES, fusion=True).eval(), windows_of(5)
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
        EmotionModel(model_config(), MODALITIES, fusion=True).eval(),
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
    model = EmotionModel(model_config(), MODALITIES, fusion=False).eval()
    windows = windows_of(5)
    found = evaluate(model, windows)["by_position"]
    right = window_probabilities(model, windows)["eeg"].argmax(1) == windows.emotion
    assert found["eeg"] == {"0": right[::2].mean(), "1": right[1::2].mean()}
    assert set(found) == {*MODALITIES, "fused", "averaged"}


def test_first_windows_of_trials_are_scored_apart() -> None:
    model = opinionated()
    windows = windows_of(10)
    assessed = assess(model, windows)
    chances = assessed.predictions["p_eeg"]
    right = chances.argmax(1) == windows.emotion
    found = assessed.results.as_json()["first_windows"]
    assert set(found) == {*MODALITIES, "fused", "averaged"}
    for part, rows in (("only", slice(0, None, 2)), ("without", slice(1, None, 2))):
        assert found["eeg"][part]["n_windows"] == 10
        assert found["eeg"][part]["accuracy"] == right[rows].mean()
        expected = nll(windows.emotion[rows], chances[rows])
        assert found["eeg"][part]["nll"] == pytest.approx(expected)


def test_trials_of_one_window_have_no_others() -> None:
    windows = windows_of(5)
    found = evaluate(opinionated(), windows.subset(windows.position == 0))
    without = found["first_windows"]["fused"]["without"]
    assert without["n_windows"] == 0
    assert without["accuracy"] is None


def test_a_model_of_one_modality_is_scored_on_it_alone() -> None:
    model = EmotionModel(model_config(), ["video"], fusion=False).eval()
    found = evaluate(model, windows_of(5))
    assert set(found["modalities"]) == {"video", "fused"}
    assert set(found["subsets"]) == {"video"}


def test_trial_scores_are_of_probabilities_averaged_over_trials() -> None:
    windows = windows_of(10)
    chances = np.random.default_rng(0).dirichlet(np.ones(5), 20).astype(np.float32)
    found = score(chances, windows).as_json()["trial"]
    mean = chances.reshape(10, 2, 5).mean(1)  # two windows a trial, in order
    truth = windows.emotion[::2]
    assert found["accuracy"] == pytest.approx((mean.argmax(1) == truth).mean())
    hit = mean[np.arange(10), truth].astype(float)
    assert found["nll"] == pytest.approx(-np.log(hit).mean())
    assert found["auc"] is not None


def test_order_of_windows_changes_no_score() -> None:
    windows = windows_of(10)
    chances = np.random.default_rng(0).dirichlet(np.ones(5), 20).astype(np.float32)
    shuffled = np.random.default_rng(1).permutation(20)
    one, other = (
        score(chances, windows).as_json(),
        score(chances[shuffled], windows.subset(shuffled)).as_json(),
    )
    assert other["trial"] == pytest.approx(one["trial"])
    assert other["smoothed"] == pytest.approx(one["smoothed"])
    assert other["interval"] == pytest.approx(one["interval"])


def test_smoothed_decisions_are_those_of_the_live_smoother_within_a_trial() -> None:
    windows = windows_of(2)  # emotions 1 1 2 2
    # In the second window sadness (1) is just likelier: too little to change over.
    chances = np.array(
        [
            [0.0, 0.0, 0.9, 0.1, 0.0],
            [0.0, 0.5, 0.48, 0.0, 0.02],
            [0.0, 0.52, 0.48, 0.0, 0.0],  # a new trial begins: nothing is kept
            [0.0, 0.0, 0.9, 0.1, 0.0],
        ]
    )
    smoother = Smoother()
    smoother.update(chances[0], 0.0)
    assert smoother.update(chances[1], 5.0)[1] == "anger"
    found = score(chances, windows).as_json()
    assert found["accuracy"] == 0.5
    assert found["smoothed"]["accuracy"] == 0.25


def test_trials_of_one_window_are_decided_each_by_itself() -> None:
    windows = windows_of(2).subset(np.array([0, 2]))  # emotions 1 2, position 0 both
    chances = np.array([[0.0, 0.6, 0.4, 0.0, 0.0], [0.0, 0.49, 0.51, 0.0, 0.0]])
    assert score(chances, windows).as_json()["smoothed"]["accuracy"] == 1.0


def test_average_is_the_mean_of_the_modalities_that_are_there() -> None:
    subject = planted_subject(5)
    subject.present[2] = [True, False, False]
    subject.present[3] = False
    said = assess(opinionated(), window_set([subject])).predictions
    alone = np.stack([said[f"p_{m}"] for m in MODALITIES])
    np.testing.assert_allclose(said["p_averaged"][0], alone[:, 0].mean(0), rtol=1e-6)
    np.testing.assert_allclose(said["p_averaged"][2], said["p_eeg"][2], rtol=1e-6)
    assert np.isnan(said["p_averaged"][3]).all()
    assert np.isnan(said["p_fused"][3]).all()
    assert np.isnan(said["p_audio"][2]).all()


@pytest.mark.parametrize("fusion", [True, False])
def test_a_subset_is_what_the_model_says_when_the_rest_is_absent(fusion: bool) -> None:
    model = opinionated(fusion)
    said = assess(model, windows_of(5)).predictions
    lacking = planted_subject(5)
    lacking.present[:, 1] = False
    expected = window_probabilities(model, window_set([lacking]))["fused"]
    np.testing.assert_allclose(said["p_subset_eeg+video"], expected, atol=1e-6)
    assert np.abs(said["p_fused"] - expected).max() > 1e-3
    np.testing.assert_allclose(
        said["p_subset_eeg+audio+video"], said["p_fused"], atol=1e-6
    )


def test_windows_that_lack_a_modality_have_no_answer_of_its_subsets() -> None:
    subject = planted_subject(5)
    subject.present[4:, 0] = False
    said = assess(opinionated(), window_set([subject])).predictions
    for subset in SUBSETS:
        there = ~np.isnan(said[f"p_subset_{'+'.join(subset)}"]).any(1)
        assert there.tolist() == [True] * 4 + ["eeg" not in subset] * 6
    assert not np.isnan(said["p_fused"]).any()


def test_predictions_are_a_row_for_each_window() -> None:
    windows = window_set([planted_subject(5), planted_subject(5, subject=2)])
    said = assess(opinionated(), windows).predictions
    assert said["subject"].tolist() == [1] * 10 + [2] * 10
    np.testing.assert_array_equal(said["emotion"], windows.emotion)
    names = {"p_eeg", "p_audio", "p_video", "p_fused", "p_averaged"}
    names |= {f"p_subset_{'+'.join(subset)}" for subset in SUBSETS}
    assert said.keys() - {"subject", "trial", "position", "emotion"} == names
    for name in names:
        assert said[name].shape == (20, 5)
        assert said[name].dtype == np.float32
        np.testing.assert_allclose(said[name].sum(1), 1, atol=1e-5)


def test_each_subject_is_scored_on_their_own_windows() -> None:
    people = [planted_subject(5), planted_subject(10, subject=2)]
    model = opinionated()
    both = evaluate(model, window_set(people))
    assert (both["n_windows"], both["n_trials"]) == (30, 15)
    assert set(both["by_subject"]) == {"1", "2"}
    for person in people:
        alone = evaluate(model, window_set([person]))
        mine = both["by_subject"][str(person.subject)]
        assert mine["n_windows"] == alone["n_windows"]
        for name, figures in mine["modalities"].items():
            assert set(figures) == {
                *("accuracy", "balanced_accuracy", "macro_f1", "auc", "nll", "ece")
            }
            same = {key: alone["modalities"][name][key] for key in figures}
            assert figures == pytest.approx(same, rel=1e-5)
        assert set(mine["subsets"]) == {"+".join(subset) for subset in SUBSETS}
        whole = mine["subsets"]["eeg+audio+video"]["accuracy"]
        assert whole == alone["modalities"]["fused"]["accuracy"]


def test_the_temperature_is_fitted_on_validation_windows_alone() -> None:
    model, test = opinionated(), windows_of(10)
    person = planted_subject(20, subject=2)
    tried = window_probabilities(model, window_set([person]))["fused"]
    person.emotion = np.where(  # right in three windows of four
        np.arange(40) % 4 < 3, tried.argmax(1), (tried.argmax(1) + 1) % 5
    )
    validation = window_set([person])
    found = evaluate(model, test, validation=validation)
    temperature = found["calibration"]["fused"]["temperature"]
    assert found["calibration"]["fused"]["fitted_on"] == "validation"
    assert 0.05 < temperature < 20
    best = nll(validation.emotion, scaled(tried, temperature))
    for other in (0.8, 0.95, 1.05, 1.25):
        cost = nll(validation.emotion, scaled(tried, other * temperature))
        assert cost >= best - 1e-7
    said = window_probabilities(model, test)["fused"]
    figures = found["modalities"]["fused"]
    assert figures["nll_scaled"] == pytest.approx(
        nll(test.emotion, scaled(said, temperature))
    )
    # Other test windows, the same temperature.
    again = evaluate(model, windows_of(5), validation=validation)
    assert_figures_agree(again["calibration"], found["calibration"])


def test_windows_of_what_the_model_does_not_know_are_counted_and_left_out() -> None:
    model, windows = opinionated(), windows_of(10)
    model.known = KnownOnly(["neutral", "sadness", "anger", "happiness"])
    there = windows.emotion != 4
    found = evaluate(model, windows, validation=windows)
    assert found["knows"] == ["neutral", "sadness", "anger", "happiness"]
    assert found["n_left_out"] == 4
    assert found["n_windows"] == 16
    assert assess(model, windows).predictions["emotion"].tolist() == (
        windows.emotion[there].tolist()
    )
    chances = window_probabilities(model, windows)
    for name in (*MODALITIES, "fused"):
        figures, rows = found["modalities"][name], chances[name]
        assert (rows[:, 4] == 0).all()
        hits = rows[there].argmax(1) == windows.emotion[there]
        assert figures["accuracy"] == pytest.approx(hits.mean())
        assert figures["auc"] is not None
        matrix = np.array(figures["confusion"])
        assert matrix.sum() == 16
        assert matrix[4].sum() == matrix[:, 4].sum() == 0
        # Whatever the temperature, nothing goes to what is not known.
        cooled = scaled(rows, found["calibration"][name]["temperature"])
        np.testing.assert_allclose(cooled[:, :4].sum(1), 1)
    fused = found["modalities"]["fused"]["accuracy"]
    assert found["fusion"]["ways"]["ambt"]["accuracy"] == fused
    with pytest.raises(ValueError, match="no windows to evaluate"):
        assess(model, windows.subset(~there))


def test_without_validation_windows_nothing_is_scaled() -> None:
    found = evaluate(opinionated(), windows_of(5))
    assert found["calibration"]["eeg"] == {"temperature": None, "fitted_on": None}
    assert found["modalities"]["eeg"]["nll_scaled"] is None
    assert found["modalities"]["eeg"]["ece_scaled"] is None


def test_results_are_plain_json_without_nan() -> None:
    subject = planted_subject(6)
    subject.present[:, 1] = False
    found = evaluate(opinionated(), window_set([subject], {1: [1, 2, 3]}))
    assert found["format"] == 2
    assert found["modalities"]["fused"]["auc"] is None  # two classes are missing
    assert found["subsets"]["audio"] == {
        "accuracy": None,
        "balanced_accuracy": None,
        "macro_f1": None,
        "nll": None,
        "n_windows": 0,
    }
    assert "audio" not in found["modalities"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_saliency_shows_the_electrodes_the_decision_hangs_on() -> None:
    model = opinionated()
    with torch.no_grad():
        spatial = model.encoders["eeg"].spatial.weight  # type: ignore[union-attr]
        spatial[:, 10:] = 0  # nothing but the first ten electrodes is heard
    shares = electrode_saliency(model, windows_of(10))
    assert shares is not None
    assert shares.shape == (30,)
    assert shares.sum() == pytest.approx(1)
    assert (shares[:10] > 0.01).all()
    np.testing.assert_array_equal(shares[10:], 0)


def test_saliency_is_the_mean_of_input_times_gradient() -> None:
    model, windows = opinionated(), windows_of(3)
    total = np.zeros(30)
    for i in range(len(windows)):
        x = torch.from_numpy(windows.array("eeg", np.array([i]))).requires_grad_(True)
        model.encoders["eeg"](x)[0, windows.emotion[i]].backward()
        assert x.grad is not None
        total += (x * x.grad).abs().sum((0, 2)).detach().numpy()
    expected = total / total.sum()
    found = electrode_saliency(model, windows)
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    shares = evaluate(model, windows)["saliency"]["electrodes"]
    np.testing.assert_allclose(shares, expected, rtol=1e-3)


def test_without_eeg_there_is_no_saliency() -> None:
    model = EmotionModel(model_config(), ["video"], fusion=False).eval()
    assert electrode_saliency(model, windows_of(5)) is None
    assert "saliency" not in evaluate(model, windows_of(5))


def test_an_undecided_head_has_no_saliency() -> None:
    model = EmotionModel(model_config(), ["eeg"], fusion=False).eval()
    assert electrode_saliency(model, windows_of(5)) is None


def test_no_windows_are_refused() -> None:
    model = EmotionModel(model_config(), ["video"], fusion=False).eval()
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
