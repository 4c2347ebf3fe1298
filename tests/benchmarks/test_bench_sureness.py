"""What the bench of sets compares, and the thresholds that are shipped."""

import numpy as np
import pytest

from benchmarks.offline.sureness import (
    Tried,
    halves,
    permuted,
    set_scores,
    while_adapting,
)
from benchmarks.offline.timelines import StickyFilter
from benchmarks.offline.voices import KNOWS, Heard, model_of
from eav_live.recognition.assets import DEMO_MODEL, PEOPLE_MODEL, asset
from eav_offline.checkpoint.file import Checkpoint, load
from eav_offline.core.model_names import COVERAGES
from eav_offline.models.baselines.features import N_SPEECH_FEATURES
from eav_offline.personal.adaptation import LEAST_WINDOWS

pytestmark = pytest.mark.numeric


def test_nobody_is_calibrated_and_reported_on() -> None:
    for n, expected in ((8, 70), (18, 50)):
        found = halves(list(range(n)))
        assert len(found) == expected
        assert all(sorted(a + b) == list(range(n)) for a, b in found)


def test_permuting_keeps_each_persons_labels() -> None:
    person, emotion = np.repeat([1, 2], 40), np.tile(np.arange(4), 20)
    heard = Heard(np.zeros((80, 1)), person, emotion)
    found = permuted(heard, np.random.default_rng(0)).emotion
    assert (found != emotion).any()
    for one in (1, 2):
        counts = np.bincount(found[person == one])
        np.testing.assert_array_equal(counts, np.bincount(emotion[person == one]))


def test_scores_of_sets_are_those_counted_by_hand() -> None:
    chances = np.array([[0.9, 0.05, 0.03, 0.02, 0], [0.3, 0.3, 0.25, 0.15, 0]])
    tried = Tried(chances, np.array([0, 3]), np.array([1, 2]))
    scores = set_scores(tried, 0.2)
    assert scores["coverage"] == 0.5
    assert scores["coverage_least"] == 0.0
    assert scores["size"] == 2.0
    assert scores["undecided"] == 0.5
    assert scores["accuracy_decided"] == 1.0


def test_the_sticky_filter_waits_for_as_long_as_emotions_last() -> None:
    first, other = [0.7, 0.1, 0.1, 0.1, 0], [0.1, 0.7, 0.1, 0.1, 0]
    chances = np.array([first] * 10 + [other] * 10)
    changed = [
        int(np.argmax(StickyFilter(dwell, 5.0).decided(chances) == 1))
        for dwell in (5.0, 5_000.0)
    ]
    assert 10 <= changed[0] < changed[1] < 20


@pytest.mark.parametrize(
    ("name", "source"),
    [(PEOPLE_MODEL, "other people"), (DEMO_MODEL, "training people")],
)
def test_the_shipped_models_say_how_sure_they_may_be(name: str, source: str) -> None:
    sureness = load(asset(name)).sureness
    assert sureness is not None
    assert (sureness.source, sureness.people) == (source, 8)
    for one in (*sureness.by_modalities.values(), *sureness.adapting.values()):
        assert tuple(sorted(one.least)) == COVERAGES
        assert one.least[0.8] > one.least[0.9] > one.least[0.95] > 0


def test_voice_and_face_together_keep_the_coverage_of_the_voice() -> None:
    """Their mean is at least half of the voice's, whatever the face says."""
    sureness = load(asset(PEOPLE_MODEL)).sureness
    assert sureness is not None
    for by in (sureness.by_modalities, sureness.adapting):
        assert set(by) == {"audio", "audio+video"}
        voice, both = (by[m].least for m in ("audio", "audio+video"))
        rng = np.random.default_rng(2)
        heard, seen = (rng.dirichlet(np.ones(4), 500) for _ in range(2))
        for coverage, least in both.items():
            within = heard >= voice[coverage]
            assert ((heard + seen) / 2 >= least)[within].all()


def test_thresholds_while_adapting_are_of_people_who_were_followed() -> None:
    """Of people alike, none of the windows before a layer is in force counts."""
    rng = np.random.default_rng(4)
    centers = rng.normal(0, 1, (len(KNOWS), N_SPEECH_FEATURES))
    person, emotion = np.repeat(range(3), 40), np.tile(np.arange(4), 30)
    features = centers[emotion] + rng.normal(0, 1, (120, N_SPEECH_FEATURES))
    heard = Heard(features.astype(np.float32), person, emotion)
    fitted: list[set[int]] = []

    def fit(others: Heard) -> Checkpoint:
        fitted.append(set(others.person.tolist()))
        return model_of(others)

    found = while_adapting(fit, heard, heard)
    assert fitted == [{1, 2}, {0, 2}, {0, 1}]
    assert np.bincount(found.person).tolist() == [40 - LEAST_WINDOWS] * 3
    assert np.isfinite(found.chances[:, : len(KNOWS)]).all()
