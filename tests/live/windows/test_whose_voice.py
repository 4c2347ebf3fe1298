"""A voice that is not the person's is left out, the sooner the less it is like it."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from eav_live.options.config import QualitySettings
from eav_live.windows.cut import Rings
from eav_live.windows.quality import ANOTHER_VOICE, QualityWatch
from eav_live.windows.rings import SampleRing
from eav_live.windows.whose_voice import VoiceWatch
from eav_offline.data.media import read_audio
from eav_offline.models.personal import OwnVoice
from eav_offline.personal.voiceprint import voice_prints
from eav_offline.preprocess.audio import log_mel, resample

RATE, FIVE = 16_000, 80_000
MAN, WOMAN = 7, 8  # actors of RAVDESS, of whom the network has heard nothing


@pytest.fixture
def ravdess(test_data: Callable[[str], Path]) -> Path:
    return test_data("ravdess_speech_16k")


@cache
def spoken(folder: Path, actor: int, statement: int) -> np.ndarray:
    """Clips of one sentence in a row, calm, happy, sad, angry: (samples,) at 16 kHz."""
    parts = []
    for repetition in (1, 2):
        for emotion in (2, 3, 4, 5):
            name = f"03-01-0{emotion}-01-0{statement}-0{repetition}-{actor:02d}.flac"
            wave, rate = read_audio(folder / f"Actor_{actor:02d}" / name)
            parts.append(np.trim_zeros(resample(wave, rate)))
    return np.concatenate(parts)


def windows(folder: Path, actor: int, statement: int) -> list[np.ndarray]:
    sound = spoken(folder, actor, statement)
    return [sound[i : i + FIVE] for i in range(0, len(sound) - FIVE + 1, FIVE)]


@pytest.fixture
def known(ravdess: Path) -> OwnVoice:
    return sounds_like(ravdess)


@cache
def sounds_like(folder: Path) -> OwnVoice:
    """The man, by his first sentence."""
    numbers = [voice_prints().of(log_mel(x, RATE)) for x in windows(folder, MAN, 1)]
    return OwnVoice(np.mean(numbers, axis=0, keepdims=True))


def followed(watch: VoiceWatch, sounds: list[np.ndarray]) -> list[bool]:
    return [watch.hear(one, RATE, 5.0 * i) for i, one in enumerate(sounds, start=1)]


def test_a_stranger_is_noticed_at_once(ravdess: Path, known: OwnVoice) -> None:
    assert not any(followed(VoiceWatch(known), windows(ravdess, MAN, 2)))
    assert all(followed(VoiceWatch(known), windows(ravdess, WOMAN, 2)[:4]))


def test_the_person_is_believed_again(ravdess: Path, known: OwnVoice) -> None:
    both = windows(ravdess, WOMAN, 2)[:3] + windows(ravdess, MAN, 2)[:3]
    said = followed(VoiceWatch(known), both)
    assert (said[2], said[-1]) == (True, False)


def alike(cosine: float) -> np.ndarray:
    """A voice so much like one that is the first unit vector."""
    first, second = np.eye(2, 192, dtype=np.float32)
    return first * np.float32(cosine) + second * np.float32(np.sqrt(1 - cosine**2))


def taken(*voices: float) -> list[bool]:
    """What is said of windows so much like the person."""
    watch = VoiceWatch(OwnVoice(alike(1.0)[None]))
    return [watch.take(alike(x), 5.0 * i) for i, x in enumerate(voices)]


def test_the_more_is_heard_the_less_strange_it_must_be() -> None:
    assert taken(0.38) == [True]
    assert taken(0.42, 0.42) == [False, True]
    assert taken(0.52, 0.52, 0.52) == [False, False, True]
    assert not any(taken(*[0.57] * 6))
    assert taken(0.7, 0.7, 0.7, 0.38)[-1]  # one window is enough


def test_who_is_a_stranger_must_be_surer_to_be_believed() -> None:
    assert all(taken(0.38, *[0.57] * 5))
    assert taken(0.38, 0.9, 0.9, 0.9)[1:] == [False] * 3
    assert taken(0.38, 0.62, 0.62, 0.62)[1:] == [True, True, False]
    assert taken(0.38, 0.99, 0.99, 0.48)[1:] == [False] * 3
    assert taken(0.9, 0.9, 0.38, 0.45)[2:] == [True, True]  # of all three 0.61


def test_what_holds_no_speech_changes_nothing(ravdess: Path, known: OwnVoice) -> None:
    watch, silence = VoiceWatch(known), np.zeros(FIVE, np.float32)
    own, other = windows(ravdess, MAN, 2), windows(ravdess, WOMAN, 2)
    heard = [silence, own[0], silence, other[0], silence]
    assert followed(watch, heard) == [False, False, False, True, True]


def test_windows_that_overlap_are_one(
    ravdess: Path, known: OwnVoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    monkeypatch.setattr(VoiceWatch, "take", lambda self, _, t: asked.append(t))
    watch, sound = VoiceWatch(known), windows(ravdess, MAN, 2)[0]
    for i in range(20):
        watch.hear(sound, RATE, 5 + i / 2)
    assert asked == [5.0, 10.0]


def test_what_was_said_a_minute_ago_says_nothing_of_now() -> None:
    watch = VoiceWatch(OwnVoice(alike(1.0)[None]))
    assert [watch.take(alike(0.52), t) for t in (5.0, 10.0, 75.0)] == [False] * 3
    assert watch.take(alike(0.3), 80.0)
    assert watch.take(alike(0.57), 139.0)  # the others are heard still
    assert not watch.take(alike(0.57), 200.0)


def test_such_a_voice_counts_as_absent_unless_it_may_be_anyones(
    ravdess: Path, known: OwnVoice
) -> None:
    sound = spoken(ravdess, WOMAN, 2)[: 4 * FIVE]
    ring = SampleRing(RATE, 1, 30)
    ring.extend(np.arange(len(sound)) / RATE, sound[:, None].astype(np.float32))
    for limits, why in (
        (QualitySettings(), ANOTHER_VOICE),
        (QualitySettings(own_voice=False), ""),
    ):
        watch = QualityWatch(limits, voice=known)
        for t in (5.0, 10.0, 15.0, 19.9):
            quality = watch.judge(Rings(None, ring, None), t)["audio"]
        assert (quality.good, quality.why) == (not why, why)
