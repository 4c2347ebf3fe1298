"""A speaker's own speech is like it whatever is felt, another's is not."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from eav_offline.models.baselines.features import N_SPEECH_FEATURES
from eav_offline.models.personal import OwnVoice
from eav_offline.personal.voiceprint import STRETCH, Speakers

N = N_SPEECH_FEATURES
PLACES = np.random.default_rng(1).normal(0, 1, (60, N))  # of speakers
MOODS = np.random.default_rng(2).normal(0, 3, (4, N))  # larger than speakers differ


def said(speaker: int, n: int, seed: int, mood: int | None = None) -> np.ndarray:
    """Features (n, N) of windows, of one mood or of any."""
    rng = np.random.default_rng([seed, speaker])
    moods = rng.integers(0, 4, n) if mood is None else np.full(n, mood)
    return PLACES[speaker] + MOODS[moods] + rng.normal(0, 1.5, (n, N))


def fitted() -> Speakers:
    people = range(12)
    x = np.concatenate([said(one, 60, 3) for one in people])
    return Speakers.fitted(x, np.repeat(people, 60))


def test_strangers_are_told_from_a_speaker_in_any_mood() -> None:
    speakers = fitted()
    own, others = [], []
    for one in range(20, 30):
        known = said(one, 24, 4).mean(0)
        for mood in range(4):
            for other in range(20, 30):
                heard = said(other, STRETCH, 5, mood).mean(0)
                found = own if other == one else others
                found.append(float(speakers.strangeness(known, heard)))
    assert np.quantile(own, 0.95) < np.quantile(others, 0.05)
    # Without the axes a mood is farther from a speaker than another speaker is.
    known = said(20, 24, 4).mean(0)
    angry = said(20, STRETCH, 5, 0).mean(0) - known
    other = said(21, 24, 4).mean(0) - known
    assert np.linalg.norm(angry) > np.linalg.norm(other)


def test_whose_moods_are_strange_to_others_may_be_so() -> None:
    """A stretch is held to the person's other windows, of all moods and days."""
    speakers, mood = replace(fitted(), most=0.0), np.repeat(range(4), 6)
    day = np.zeros(24, dtype=np.int64)
    x = np.concatenate([said(20, 6, 4, one) for one in range(4)])
    plain = speakers.knowing(OwnVoice(x, mood, day))
    assert plain.most == 0.0
    np.testing.assert_allclose(plain.mean, x.mean(0))
    x[mood == 3] += 3 * (PLACES[21] - PLACES[20])  # beyond another speaker's place
    known = speakers.knowing(OwnVoice(x, mood, day))
    assert known.most > 0.0
    assert not known.strange(x[mood == 3][:STRETCH].mean(0))
    assert plain.strange(x[mood == 3][:STRETCH].mean(0))


def test_what_is_saved_says_the_same(tmp_path: Path) -> None:
    speakers = fitted()
    speakers.save(tmp_path / "speakers.safetensors")
    again = Speakers.load(tmp_path / "speakers.safetensors")
    known, heard = said(20, 24, 4).mean(0), said(21, STRETCH, 5, 1).mean(0)
    before, after = (one.strangeness(known, heard) for one in (speakers, again))
    np.testing.assert_allclose(before, after, rtol=1e-4)
    assert again.most == speakers.most
