"""Which modality contradicts the others, told from what each says of a session."""

from collections.abc import Iterable

import numpy as np
import pytest

from eav_live.recognition.doubts import Doubts
from eav_offline.core.labels import MODALITIES

MOODS = (0, 2, 4, 1, 3, 0)  # of twenty seconds each


def sure(emotion: int) -> np.ndarray:
    return 0.6 * np.eye(5)[emotion] + 0.4 / 5


def talk(wrong: str = "", hop: float = 0.5, lacking: Iterable[str] = ()) -> Doubts:
    """Two minutes, in which one modality shows another mood than the others."""
    doubts = Doubts()
    for t in np.arange(5.0, 20.0 * len(MOODS), hop).tolist():
        mood = MOODS[int(t // 20)]
        said = {m: sure((mood + (m == wrong)) % 5) for m in MODALITIES}
        doubts.update({m: None if m in lacking else p for m, p in said.items()}, t, {})
    return doubts


@pytest.mark.parametrize("hop", [0.5, 2.5])
@pytest.mark.parametrize("wrong", MODALITIES)
def test_what_contradicts_the_two_others_is_doubted(wrong: str, hop: float) -> None:
    assert talk(wrong, hop).modality == wrong


def test_doubts_come_as_fast_at_any_hop() -> None:
    took = []
    for hop in (0.25, 2.5):
        doubts, t = Doubts(), 5.0
        while doubts.modality is None:
            said = {"eeg": sure(1), "audio": sure(2), "video": sure(1)}
            doubts.update(said, t, {})
            t += hop
        took.append(t)
    assert took[0] == pytest.approx(took[1], abs=5.0)
    assert 15.0 < took[0] < 60.0


def test_nothing_is_doubted_that_agrees() -> None:
    assert talk().modality is None


def test_of_two_nobody_can_tell_which_is_wrong() -> None:
    assert talk("audio", lacking=["eeg"]).modality is None


def test_what_is_not_sure_of_anything_is_not_doubted() -> None:
    doubts = Doubts()
    for t in np.arange(5.0, 120.0, 0.5).tolist():
        unsure = np.full(5, 0.2)
        doubts.update({"eeg": unsure, "audio": sure(1), "video": sure(1)}, t, {})
    assert doubts.modality is None


def test_one_contradiction_is_no_reason_and_what_agrees_again_is_believed() -> None:
    doubts = Doubts()
    odd = {"eeg": sure(1), "audio": sure(1), "video": sure(2)}
    doubts.update(odd, 5.0, {})
    assert doubts.modality is None
    for t in np.arange(5.5, 60.0, 0.5).tolist():
        doubts.update(odd, t, {})
    assert doubts.modality == "video"
    for t in np.arange(60.0, 100.0, 0.5).tolist():
        doubts.update({m: sure(1) for m in MODALITIES}, t, {})
    assert doubts.modality is None


def test_emotions_that_a_model_does_not_know_say_nothing() -> None:
    doubts = Doubts()
    known = np.array([0.7, 0.1, 0.1, 0.1, np.nan])
    for t in range(5, 120, 5):
        doubts.update(dict.fromkeys(MODALITIES, known), float(t), {})
        assert doubts.modality is None


def test_answers_are_calibrated_before_they_are_compared() -> None:
    """Half sure of other things, which a temperature makes out to be nearly sure."""
    took = []
    for temperature in (1.0, 0.5):
        doubts, t = Doubts(), 5.0
        while doubts.modality is None:
            said = {"eeg": sure(1), "audio": sure(2), "video": sure(1)}
            doubts.update(said, t, dict.fromkeys(MODALITIES, temperature))
            t += 0.5
        took.append(t)
    assert took[1] < 0.8 * took[0]
