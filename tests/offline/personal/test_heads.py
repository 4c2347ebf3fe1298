"""A personal head goes as far from the model's as the clips it did not see bear out."""

import numpy as np
import pytest

from eav_offline.personal.heads import Head, fit_head

N_FEATURES = 60
NEW = 2000


def shown(
    emotion: np.ndarray, seed: int, says: float, base_says: float
) -> tuple[np.ndarray, np.ndarray]:
    """Base logits (n, 5) and features (n, 60) that say so much of the emotion."""
    random = np.random.default_rng(seed)
    centers = np.random.default_rng(1).normal(0, says, (5, N_FEATURES))
    base = base_says * np.eye(5)[emotion] + random.normal(0, 1, (len(emotion), 5))
    return base, centers[emotion] + random.normal(0, 1, (len(emotion), N_FEATURES))


def fitted(says: float, base_says: float, n: int = 20) -> Head:
    emotion = np.arange(n) % 5
    base, z = shown(emotion, 2, says, base_says)
    return fit_head(base, z, emotion, np.arange(n), np.ones(n))[0]


def right(head: Head | None, says: float, base_says: float) -> float:
    emotion = np.arange(NEW) % 5
    base, z = shown(emotion, 3, says, base_says)
    logits = base if head is None else head.logits(base, z)
    return float((logits.argmax(1) == emotion).mean())


def test_features_that_say_nothing_cost_next_to_nothing() -> None:
    assert right(None, 0.0, 1.5) > 0.55
    assert right(fitted(0.0, 1.5), 0.0, 1.5) > right(None, 0.0, 1.5) - 0.02


def test_features_that_say_much_are_learned() -> None:
    assert right(None, 0.8, 0.2) < 0.3
    assert right(fitted(0.8, 0.2), 0.8, 0.2) > 0.8


def test_windows_of_one_clip_count_as_one() -> None:
    emotion = np.arange(20) % 5
    base, z = shown(emotion, 2, 0.1, 1.0)
    once, _ = fit_head(base, z, emotion, np.arange(20), np.ones(20))
    four = (np.repeat(part, 4, axis=0) for part in (base, z, emotion, np.arange(20)))
    often, _ = fit_head(*four, np.ones(80))
    assert often.gain == pytest.approx(once.gain, abs=1e-3)
    # The search ends where it is near enough.
    np.testing.assert_allclose(often.delta, once.delta, atol=1e-3)


def test_an_emotion_that_is_not_known_is_never_said() -> None:
    emotion = np.arange(20) % 4
    base, z = shown(emotion, 2, 0.5, 1.0)
    knows = ("neutral", "sadness", "anger", "happiness")
    _, left_out = fit_head(base, z, emotion, np.arange(20), np.ones(20), knows)
    assert np.isneginf(left_out[:, 4]).all()
    assert np.isfinite(left_out[:, :4]).all()
