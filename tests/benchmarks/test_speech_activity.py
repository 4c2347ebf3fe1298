"""Sounds that are no speech, and the judge that took some of them for it."""

import numpy as np
import pytest

from benchmarks.live import speech_activity
from benchmarks.live.speech_activity import (
    OTHER,
    _detected,
    _espeak,
    _window,
    _wrong,
    pitched_share,
)
from eav_offline.core.window import AUDIO_RATE, AUDIO_SAMPLES

pytestmark = pytest.mark.numeric


def syllables(seconds: float = 5.0) -> np.ndarray:
    """A buzz of 120 Hz, four bursts a second."""
    time = np.arange(round(seconds * AUDIO_RATE)) / AUDIO_RATE
    buzz = np.sign(np.sin(2 * np.pi * 120 * time))
    return (0.1 * buzz * (np.sin(2 * np.pi * 2 * time) > 0)).astype(np.float32)


@pytest.mark.parametrize("name", OTHER)
def test_other_sounds_fill_a_window_and_are_no_speech_to_the_detector(
    name: str,
) -> None:
    def drawn(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return _window(OTHER[name](rng), rng)

    np.testing.assert_array_equal(drawn(0), drawn(0))
    for seed in range(3):
        window = drawn(seed)
        assert (window.shape, window.dtype) == ((AUDIO_SAMPLES,), np.float32)
        assert 0 < np.abs(window).max() <= 1
        assert _detected(window) < 0.1


def test_a_pulsed_tone_is_a_voice_to_the_rival_only() -> None:
    assert pitched_share(syllables()) > 0.4
    assert pitched_share(np.zeros(AUDIO_SAMPLES)) == 0
    found = _wrong([syllables()], speech=False)
    assert found == {"windows": 1, "detector": 0.0, "pitch": 1.0}
    assert _wrong([syllables()], speech=True)["detector"] == 1.0


def test_a_clip_lies_in_the_middle_of_its_window() -> None:
    window = _window(np.full(1000, 0.5), np.random.default_rng(0))
    loud = np.flatnonzero(np.abs(window) > 0.2)
    assert (loud[0], loud[-1]) == (39_500, 40_499)


def test_without_a_synthesizer_nothing_is_said_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(speech_activity.shutil, "which", lambda name: None)
    assert list(_espeak()) == []
