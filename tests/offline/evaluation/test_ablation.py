"""The comparison of AMBT with what would do without its exchange, against the model."""

import numpy as np
import pytest
import torch
from planted import planted_subject, tiny_config

from eav_offline.core.labels import MODALITIES
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.evaluation.ablation import BranchLogits, ablate, mean_probabilities
from eav_offline.evaluation.assess import assess, choose_fusing
from eav_offline.evaluation.metrics import scaled
from eav_offline.models import EmotionModel
from eav_offline.models.ambt import Fusing

pytestmark = pytest.mark.numeric
# What differs is the order of float32 sums.
SAME = {"atol": 1e-5, "rtol": 1e-4}


@pytest.fixture(scope="module")
def windows() -> WindowSet:
    return window_set([planted_subject(4)])


@pytest.fixture(scope="module")
def model() -> EmotionModel:
    """Untrained, with an exchange loud enough to turn decisions."""
    torch.manual_seed(3)
    model = EmotionModel(tiny_config().model, MODALITIES, True).eval()
    for name, weight in model.named_parameters():
        if "ambt" in name and weight.ndim > 1:
            torch.nn.init.normal_(weight, std=0.5)
        elif "head" in name and weight.ndim == 2:
            torch.nn.init.normal_(weight, std=0.3)
    return model


def deaf(model: EmotionModel) -> EmotionModel:
    """The same weights, but what a modality says to the others is always nothing."""
    for layer in model.ambt.layers:
        for m in layer.reduce:
            torch.nn.init.zeros_(layer.reduce[m].weight)
            torch.nn.init.zeros_(layer.reduce[m].bias)
            torch.nn.init.zeros_(layer.absent[m])
    return model


def branches_by_hand(
    model: EmotionModel, windows: WindowSet, row: int, swapped: dict[str, int]
) -> torch.Tensor:
    """Logits (3, 5) of one window, some of its modalities taken from other windows."""
    states = {}
    for m in MODALITIES:
        one = windows.batch(np.array([swapped.get(m, row)]))
        states[m] = model.states(one)[m]
    with torch.no_grad():
        branches = model.ambt(
            model.by_modality, states, torch.ones(1, 3, dtype=torch.bool)
        )
    return torch.cat([branches[m] for m in MODALITIES])


def test_each_way_is_what_its_name_says(
    model: EmotionModel, windows: WindowSet
) -> None:
    branches = BranchLogits.of(model, windows)
    shift = len(windows) // 2
    with torch.no_grad():
        for row in (0, 3):
            by_hand = branches_by_hand(model, windows, row, {})
            torch.testing.assert_close(branches.heard[row], by_hand, **SAME)
            other = (row - shift) % len(windows)
            for m in MODALITIES:
                by_hand = branches_by_hand(model, windows, row, {m: other})
                torch.testing.assert_close(branches.swapped[m][row], by_hand, **SAME)
            for i, m in enumerate(MODALITIES):
                only = torch.tensor([[k == m for k in MODALITIES]])
                states = model.states(windows.batch(np.array([row])))
                unheard = model.ambt(model.by_modality, {m: states[m]}, only)[m][0]
                torch.testing.assert_close(branches.deaf[row, i], unheard, **SAME)
    results = assess(model, windows).results
    fused = branches.fused(branches.deaf).argmax(1) == windows.emotion
    assert results.fusion.ways["exchange_off"].accuracy == fused.mean()
    ways = results.fusion.ways
    assert ways["mean"].accuracy == results.modalities["averaged"].accuracy
    assert ways["ambt"].accuracy == results.modalities["fused"].accuracy


def test_a_cut_exchange_shows_as_nothing(windows: WindowSet) -> None:
    torch.manual_seed(3)
    model = EmotionModel(tiny_config().model, MODALITIES, True).eval()
    for name, weight in model.named_parameters():
        if "head" in name and weight.ndim == 2:
            torch.nn.init.normal_(weight, std=0.3)
    fusion = assess(deaf(model), windows).results.fusion
    for heard in fusion.exchange_matrix.values():
        for effect in heard.values():
            assert effect.logits < 1e-4  # nothing but the order of sums
            assert effect.decisions == 0
    assert fusion.ways["exchange_off"].ambt_gains == 0
    assert fusion.sentence.startswith("The exchange adds nothing here")


def test_an_exchange_shows_in_the_matrix(
    model: EmotionModel, windows: WindowSet
) -> None:
    matrix = assess(model, windows).results.fusion.exchange_matrix
    assert set(matrix) == set(MODALITIES)
    for m, heard in matrix.items():
        assert set(heard) == set(MODALITIES) - {m}
        assert all(effect.logits > 1e-3 for effect in heard.values())


def test_the_calibrated_mean_is_of_scaled_probabilities() -> None:
    rng = np.random.default_rng(0)
    chances = {m: rng.dirichlet(np.ones(5), 6).astype(np.float32) for m in MODALITIES}
    chances["video"][2] = np.nan
    temperatures = {"eeg": 2.0, "audio": 0.7, "video": 1.3}
    mean = mean_probabilities(chances, temperatures)
    parts = [scaled(chances[m][:1], t) for m, t in temperatures.items()]
    np.testing.assert_allclose(mean[:1], np.mean(parts, axis=0), rtol=1e-6)
    parts = [scaled(chances[m][2:3], temperatures[m]) for m in ("eeg", "audio")]
    np.testing.assert_allclose(mean[2:3], np.mean(parts, axis=0), rtol=1e-6)


def test_without_validation_there_is_no_calibrated_mean(
    model: EmotionModel, windows: WindowSet
) -> None:
    assert "calibrated" not in assess(model, windows).results.fusion.ways
    watched = assess(model, windows, validation=windows).results.fusion.ways
    assert set(watched) == {"ambt", "exchange_off", "mean", "calibrated"}


def test_a_model_without_fusion_has_no_comparison(windows: WindowSet) -> None:
    torch.manual_seed(3)
    model = EmotionModel(tiny_config().model, MODALITIES, False).eval()
    assert assess(model, windows).results.fusion is None
    alone = dict.fromkeys(MODALITIES, np.full((len(windows), 5), 0.2, np.float32))
    assert ablate(model, windows, alone, {}) is None


def deciding(windows: WindowSet, right: dict[str, float]) -> EmotionModel:
    """A model whose branches say the truth of these windows as loudly as asked."""
    torch.manual_seed(3)
    model = EmotionModel(tiny_config().model, MODALITIES, True).eval()
    truth = torch.nn.functional.one_hot(torch.from_numpy(windows.emotion), 5)

    def alone(states: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {m: right[m] * truth.float() for m in MODALITIES}

    model.alone = alone
    model.ambt.forward = lambda *_: {
        m: right["ambt"] * truth.float() for m in MODALITIES
    }
    return model


@pytest.mark.parametrize(
    ("loudness", "chosen"),
    [
        ({"eeg": 0.5, "audio": 0.5, "video": 0.5, "ambt": 5.0}, "ambt"),
        ({"eeg": 0.0, "audio": 0.0, "video": 3.0, "ambt": -1.0}, "calibrated"),
    ],
)
def test_what_is_best_on_validation_windows_is_chosen(
    windows: WindowSet, loudness: dict[str, float], chosen: str
) -> None:
    fusing = choose_fusing(deciding(windows, loudness), windows)
    assert fusing.how == chosen
    assert set(fusing.temperatures) == set(MODALITIES)
    assert f"on {len(windows)} validation windows" in fusing.reason


def test_nothing_is_chosen_without_validation_windows(windows: WindowSet) -> None:
    model = EmotionModel(tiny_config().model, MODALITIES, True)
    fusing = choose_fusing(model, None)
    assert (fusing.how, fusing.temperatures) == ("ambt", {})
    assert "no validation trials" in fusing.reason
    only = EmotionModel(tiny_config().model, ("audio",), False)
    assert choose_fusing(only, windows).how == "mean"


def test_the_mean_is_of_probabilities_under_their_temperatures() -> None:
    rng = np.random.default_rng(1)
    logits = {m: torch.from_numpy(rng.normal(0, 2, (3, 5))).float() for m in MODALITIES}
    present = torch.tensor([[True] * 3, [True, False, True], [False] * 3])
    temperatures = {"eeg": 2.0, "audio": 0.5, "video": 1.0}
    found = Fusing("calibrated", temperatures).average(logits, present).exp()
    parts = [(logits[m] / temperatures[m]).softmax(1) for m in MODALITIES]
    torch.testing.assert_close(found[0], sum(p[0] for p in parts) / 3)
    torch.testing.assert_close(found[1], (parts[0][1] + parts[2][1]) / 2)
    assert found[2].isnan().all()
    plain = Fusing("mean", temperatures).average(logits, present).exp()
    expected = sum(logits[m][0].softmax(0) for m in MODALITIES) / 3
    torch.testing.assert_close(plain[0], expected)


def test_ways_to_fuse_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="expected ambt, mean, calibrated"):
        Fusing("vote")
    with pytest.raises(ValueError, match="needs temperatures"):
        Fusing("calibrated")
