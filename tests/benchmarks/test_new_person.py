"""The bench of synthetic people who are new: who is in which part, and what is told."""

from dataclasses import replace

import numpy as np
import pytest
from planted import planted_subject, tiny_config

from benchmarks.offline.new_person import synthetic
from benchmarks.offline.new_person.synthetic import (
    WHOLE,
    bench_synthetic_people,
)
from benchmarks.offline.new_person.trial import NOTHING, UNLABELED
from eav_offline.config import Config
from eav_offline.data.dataset import LabeledWindows

N_TRIALS, N_NEW_TRIALS = 15, 40  # of two windows


def planted(person: synthetic._Person) -> LabeledWindows:
    """New people show the same by other electrodes and other bands of the voice."""
    n_known = synthetic.N_LEARNED + synthetic.N_CHOSEN_ON
    new = person.number > n_known
    found = planted_subject(N_NEW_TRIALS if new else N_TRIALS, person.number)
    one = LabeledWindows(**vars(found))
    if new:
        mel = np.roll(one.log_mel, 10, axis=2)
        one = replace(one, eeg=np.roll(one.eeg, 3, axis=1), log_mel=mel)
    return replace(one, faces=one.faces[:, :: synthetic._HELD])


def tiny(seed: int) -> Config:
    """Instead of the compact model."""
    return tiny_config().with_seed(seed)


@pytest.fixture(scope="module")
def figures() -> dict:
    """Of one seed and one new person."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic._Person, "windows", planted)
        patch.setattr(
            synthetic._Person, "shown", lambda p, w: np.stack([w.emotion] * 3, axis=1)
        )
        for name, value in (("N_LEARNED", 2), ("N_CHOSEN_ON", 2), ("N_NEW", 1)):
            patch.setattr(synthetic, name, value)
        patch.setattr(synthetic, "_DRAWS", 1)
        patch.setattr(synthetic, "_config", tiny)
        patch.setattr(synthetic, "LABELS", (20, 50))
        return bench_synthetic_people(seeds=1, jobs=1)


def test_every_way_is_told_of_every_subset_and_labels_bring_new_people_back(
    figures: dict,
) -> None:
    new = figures["new people"]
    assert len(new) == 7
    names = [NOTHING, *(f"{NOTHING}, {how}" for how in ("mean", "calibrated", "ambt"))]
    for of in new.values():
        labels = ["20 labels", "50 labels"]
        alone = [f"{n} alone" for n in labels]
        assert list(of["ways"]) == [*names, UNLABELED, *labels, *alone]
        assert of["n_people"] == 1
    for modality in ("eeg", "audio"):  # that the new ones show by other features
        ways = new[modality]["ways"]
        assert ways["50 labels"]["accuracy"] > ways[NOTHING]["accuracy"] + 0.15
        assert ways["50 labels alone"]["accuracy"] > 0.5  # which chance is far from
    lost = figures["known"]["audio"] - new["audio"]["ways"][NOTHING]["accuracy"]
    assert lost > 0.2
    assert new["video"]["ways"][NOTHING]["accuracy"] > 0.8  # as everybody shows it


def test_labels_that_say_nothing_leave_decisions_open_and_one_emotion_waits(
    figures: dict,
) -> None:
    assert figures["open"]["50 labels"] > 0.5
    assert set(figures["sets"]) == {NOTHING, UNLABELED, "50 labels"}
    assert 0.5 < figures["sets"]["50 labels"]["coverage"] <= 1.0
    assert figures["waits"]["neutral"] == 1.0
    assert figures["new people"][WHOLE]["ways"][UNLABELED]["accuracy"] > 0.2
