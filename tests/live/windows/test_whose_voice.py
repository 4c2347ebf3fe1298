"""A voice that is not the person's is left out, after a stretch of it and no sooner."""

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
from eav_offline.models.baselines.features import speech_statistics
from eav_offline.models.personal import OwnVoice
from eav_offline.preprocess.audio import log_mel, resample

RATE, FIVE = 16_000, 80_000
MAN, WOMAN = 7, 8  # actors of RAVDESS, of whom the axes have heard nothing


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
    mels = [log_mel(window, RATE) for window in windows(folder, MAN, 1)]
    none = np.zeros(len(mels), dtype=np.int64)
    return OwnVoice(speech_statistics(np.stack(mels)), np.arange(len(mels)), none)


def followed(watch: VoiceWatch, sounds: list[np.ndarray]) -> list[bool]:
    return [watch.hear(one, RATE, 5.0 * i) for i, one in enumerate(sounds, start=1)]


def test_a_stranger_is_noticed_after_fifteen_seconds(
    ravdess: Path, known: OwnVoice
) -> None:
    assert not any(followed(VoiceWatch(known), windows(ravdess, MAN, 2)))
    said = followed(VoiceWatch(known), windows(ravdess, WOMAN, 2)[:4])
    assert said == [False, False, True, True]


def test_the_person_is_believed_again(ravdess: Path, known: OwnVoice) -> None:
    both = windows(ravdess, WOMAN, 2)[:3] + windows(ravdess, MAN, 2)[:3]
    said = followed(VoiceWatch(known), both)
    assert (said[2], said[-1]) == (True, False)


def test_after_a_minute_of_silence_nobody_is_a_stranger(
    ravdess: Path, known: OwnVoice
) -> None:
    watch, own = VoiceWatch(known), windows(ravdess, MAN, 2)[0]
    assert followed(watch, windows(ravdess, WOMAN, 2)[:3])[-1]
    assert watch.hear(own, RATE, 74.0)  # the others are heard still
    assert not watch.hear(own, RATE, 135.0)


def test_windows_that_overlap_are_one(ravdess: Path, known: OwnVoice) -> None:
    watch, sound = VoiceWatch(known), windows(ravdess, WOMAN, 2)[0]
    assert not any(watch.hear(sound, RATE, 5 + i / 2) for i in range(20))  # 14.5 s


def test_what_was_said_a_minute_ago_says_nothing_of_now(
    ravdess: Path, known: OwnVoice
) -> None:
    watch, (first, second, third, *_) = VoiceWatch(known), windows(ravdess, WOMAN, 2)
    ends = (5.0, 10.0, 75.0)
    heard = zip((first, second, third), ends, strict=True)
    assert [watch.hear(one, RATE, end) for one, end in heard] == [False] * 3


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
