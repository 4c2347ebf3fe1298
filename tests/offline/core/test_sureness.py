"""What is decided, held or left open, by the sets of the smoothed probabilities."""

import numpy as np
import pytest

from eav_offline.core.labels import EMOTIONS
from eav_offline.core.sureness import Decider, State, Sureness, Thresholds, leaves_open

VOICE = ("audio",)


def sureness(least: float) -> Sureness:
    voice = Thresholds(n=100, least={0.8: 2 * least, 0.9: least})
    return Sureness(source="other people", people=8, by_modalities={"audio": voice})


def chances(*some: float) -> np.ndarray:
    """Of the four emotions that are given; the fifth is not known."""
    return np.array([*some, np.nan])


def test_a_set_holds_what_reaches_the_threshold_in_class_order() -> None:
    p = chances(0.15, 0.5, 0.05, 0.3)
    assert sureness(0.1).label_set(p, VOICE, 0.9) == ("neutral", "sadness", "happiness")
    assert sureness(0.1).label_set(p, VOICE, 0.8) == ("sadness", "happiness")
    assert sureness(0.6).label_set(p, VOICE, 0.9) == ("sadness",)  # never empty


def test_there_is_no_set_without_a_threshold() -> None:
    p = chances(0.15, 0.5, 0.05, 0.3)
    assert sureness(0.1).label_set(p, ("audio", "video"), 0.9) is None
    assert sureness(0.1).label_set(p, VOICE, 0.95) is None
    decided = Decider(sureness=sureness(0.1)).update(p, 0.0, ("video",))
    assert (decided.state, decided.label) == (State.DECIDED, "sadness")
    assert (decided.label_set, decided.coverage) == (None, None)


def test_while_a_model_follows_a_person_its_sets_have_thresholds_of_their_own() -> None:
    p, plain = chances(0.15, 0.5, 0.05, 0.3), sureness(0.1)
    followed = plain.model_copy(update={"adapting": sureness(0.2).by_modalities})
    decided = Decider(sureness=followed).update(p, 0.0, VOICE, adapted=True)
    assert decided.label_set == ("sadness", "happiness")
    assert decided.set_reason is None
    # Those of the model before it adapted promise nothing of it then.
    open_ = chances(0.26, 0.25, 0.25, 0.24)
    decided = Decider(sureness=plain).update(open_, 0.0, VOICE, adapted=True)
    assert (decided.label_set, decided.state) == (None, State.DECIDED)
    assert decided.set_reason == (
        "the model has no thresholds while it is adapted without labels"
    )
    assert Decider(sureness=plain).update(open_, 0.0, VOICE).label is None


def test_why_there_is_no_set_is_said() -> None:
    p, sure = chances(0.15, 0.5, 0.05, 0.3), sureness(0.1)
    why = [
        Decider(sureness=one, coverage=asked).update(p, 0.0, of).set_reason
        for one, asked, of in (
            (None, 0.9, VOICE),
            (sure, 0.95, VOICE),
            (sure, 0.9, ("audio", "video")),
        )
    ]
    assert why == [
        "the model has no thresholds for how it fuses",
        "100 windows were calibrated on, too few for 95%",
        "the model has no thresholds for audio+video",
    ]


def test_a_line_says_whom_the_sets_are_of() -> None:
    said = sureness(0.1).line(0.9)
    assert "at 90%, calibrated on 8 other people, for windows of audio" in said
    assert "too few" in sureness(0.1).line(0.95)


@pytest.mark.parametrize(("n_known", "most"), [(2, 1), (3, 1), (4, 2), (5, 2)])
def test_a_set_of_more_than_half_is_no_decision(n_known: int, most: int) -> None:
    assert not leaves_open(most, n_known)
    assert leaves_open(most + 1, n_known)


def test_what_the_set_leaves_open_is_not_decided() -> None:
    decider = Decider(sureness=sureness(0.2))
    decision = decider.update(chances(0.26, 0.25, 0.25, 0.24), 0.0, VOICE)
    assert (decision.state, decision.label) == (State.UNDECIDED, None)
    assert decision.label_set == EMOTIONS[:4]
    assert decision.coverage == 0.9


def test_a_decision_is_held_while_another_is_hardly_likelier() -> None:
    for sure in (None, sureness(0.3)):
        decider = Decider(1e-9, sure)
        first = decider.update(chances(0.5, 0.45, 0.03, 0.02), 0.0, VOICE)
        assert (first.state, first.label) == (State.DECIDED, "neutral")
        then = decider.update(chances(0.46, 0.49, 0.03, 0.02), 1.0, VOICE)
        assert (then.state, then.label) == (State.HELD, "neutral")


def test_a_decision_that_left_the_set_is_not_held() -> None:
    decider = Decider(1e-9, sureness(0.47))
    decider.update(chances(0.5, 0.45, 0.03, 0.02), 0.0, VOICE)
    then = decider.update(chances(0.46, 0.49, 0.03, 0.02), 1.0, VOICE)
    assert (then.state, then.label) == (State.DECIDED, "sadness")
    assert then.label_set == ("sadness",)


def test_what_was_left_open_is_not_held_on_to() -> None:
    decider = Decider(1e-9, sureness(0.2))
    decider.update(chances(0.5, 0.45, 0.03, 0.02), 0.0, VOICE)
    assert decider.update(chances(0.3, 0.3, 0.25, 0.15), 1.0, VOICE).label is None
    then = decider.update(chances(0.46, 0.49, 0.03, 0.02), 2.0, VOICE)
    assert (then.state, then.label) == (State.DECIDED, "sadness")


def test_all_begins_anew_after_a_gap_and_when_told() -> None:
    decider = Decider(60.0, sureness(0.1))
    sure, other = chances(0.97, 0.01, 0.01, 0.01), chances(0.01, 0.97, 0.01, 0.01)
    assert decider.update(sure, 0.0, VOICE).anew
    within = decider.update(other, 5.0, VOICE)
    assert not within.anew
    assert within.label == "neutral"
    after = decider.update(other, 10.5, VOICE)
    assert after.anew
    np.testing.assert_allclose(after.smoothed, other)
    assert after.label == "sadness"
    decider.reset()
    assert decider.update(sure, 11.0, VOICE).anew
