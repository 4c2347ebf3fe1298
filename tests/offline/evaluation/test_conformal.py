"""Thresholds keep their coverage on exchangeable windows, however few."""

import numpy as np
import pytest
import torch
from planted import planted_subject, tiny_config

from eav_offline.checkpoint.file import Checkpoint
from eav_offline.core.labels import MODALITIES
from eav_offline.core.sureness import threshold, thresholds
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.evaluation.conformal import calibrate, source_of
from eav_offline.models import EmotionModel
from eav_offline.preprocess import PreprocessSettings

pytestmark = pytest.mark.numeric


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("n", [19, 20, 57])
def test_a_new_window_is_covered_as_often_as_promised(n: int, coverage: float) -> None:
    rng = np.random.default_rng(1)
    draws = rng.random((4000, n + 1)) ** 3  # of any distribution without ties
    least = np.array([threshold(row[:-1], coverage) for row in draws])
    covered = float((draws[:, -1] >= least).mean())
    sd = np.sqrt(0.25 / len(draws))
    assert covered >= coverage - 3 * sd
    assert covered <= coverage + 1 / (n + 1) + 3 * sd


def test_the_threshold_is_a_probability_that_was_seen() -> None:
    hit = np.arange(1, 20) / 20  # nineteen: 18 of 20 places are 90 %
    assert threshold(hit[::-1], 0.9) == pytest.approx(hit[1])
    assert threshold(hit, 0.8) == pytest.approx(hit[3])


def test_too_few_windows_promise_nothing() -> None:
    nine = np.linspace(0.1, 0.9, 9)
    assert threshold(nine, 0.9) == pytest.approx(0.1)  # 9 of 10, whatever 0.9 rounds to
    assert threshold(nine[1:], 0.9) is None
    found = thresholds(np.zeros(9, int), np.repeat(nine[:, None], 5, 1))
    assert found is not None
    assert sorted(found.least) == [0.8, 0.9]
    assert thresholds(np.zeros(2, int), np.ones((2, 5))) is None


def test_ties_are_in_together() -> None:
    hit = np.array([0.5] * 15 + [0.9] * 5)
    least = threshold(hit, 0.9)
    assert least == 0.5
    assert (hit >= least).mean() >= 0.9


def test_windows_that_were_not_answered_do_not_count() -> None:
    chances = np.full((30, 5), 0.2)
    chances[10:] = np.nan
    found = thresholds(np.zeros(30, int), chances)
    assert found is not None
    assert found.n == 10


def of_people(*people: int, trials: range = range(1, 11)) -> WindowSet:
    subjects = [planted_subject(10, subject=person) for person in people]
    return window_set(subjects, dict.fromkeys(people, tuple(trials)))


def test_every_subset_of_the_modalities_has_thresholds_of_its_own() -> None:
    torch.manual_seed(3)
    model = EmotionModel(tiny_config().model, MODALITIES, False).eval()
    for name, weight in model.named_parameters():
        if "head" in name and weight.ndim == 2:
            torch.nn.init.normal_(weight, std=0.3)
    checkpoint = Checkpoint(model, tiny_config(), PreprocessSettings(), demo=True)
    found = calibrate(checkpoint, of_people(1), "this person")
    assert found is not None
    assert (found.source, found.people) == ("this person", 1)
    assert set(found.by_modalities) == {
        *("eeg", "audio", "video", "eeg+audio", "eeg+video", "audio+video"),
        "eeg+audio+video",
    }
    assert {one.n for one in found.by_modalities.values()} == {20}
    assert len({one.least[0.9] for one in found.by_modalities.values()}) == 7
    assert found.adapting == {}  # of its training people nothing is known
    assert calibrate(checkpoint, None, "this person") is None


def test_whom_thresholds_are_of() -> None:
    early, late = range(1, 6), range(6, 11)
    one = of_people(1, trials=early)
    assert source_of(one, of_people(2, 3)) == "other people"
    assert source_of(one, of_people(1, trials=late)) == "this person"
    assert source_of(of_people(1, 2, trials=early), of_people(1, trials=late)) == (
        "training people"
    )
