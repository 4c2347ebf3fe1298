"""Long streams of utterances and faces, and what windows that slide over them show."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks.offline.continuous import (
    IN_A_ROW,
    LONG_PAUSES,
    NOBODY,
    PAUSES,
    Life,
    Seen,
    face_life,
    figures_of,
    lives,
    shown,
    strung,
    voice_of,
    watched,
    without_speaker,
)
from benchmarks.offline.voices import Heard, Utterances, fit_voice
from eav_live.recognition.assets import PEOPLE_MODEL, asset
from eav_live.recognition.recognizer import Recognizer
from eav_offline.core.window import AUDIO_RATE
from eav_offline.data.clips import centered
from eav_offline.data.media import read_audio
from eav_offline.models.baselines.features import N_SPEECH_FEATURES

pytestmark = pytest.mark.numeric
TestData = Callable[[str], Path]
NEUTRAL, SADNESS, ANGER, HAPPINESS = range(4)


def utterances(n: int) -> list[np.ndarray]:
    """Half a second or more each, loud; number i is i + 1 tenths longer."""
    return [np.full(AUDIO_RATE // 2 + 1600 * (i + 1), 0.5) for i in range(n)]


def test_utterances_come_in_blocks_of_one_emotion_with_pauses_between() -> None:
    emotions = [NEUTRAL] * 5 + [ANGER] * 8 + [HAPPINESS] * 6
    sound, course = strung(utterances(19), emotions, np.random.default_rng(0))
    assert sorted(part[2] for part in course) == [0, 0, 2, 2, 3, 3]
    assert all(a[2] != b[2] for a, b in pairwise(course))
    spoken = np.abs(sound) > 0.1
    steps = np.flatnonzero(np.diff(spoken.astype(int))) / AUDIO_RATE
    begins, ends = steps[::2], steps[1::2]
    assert len(begins) == len(ends) == 19
    for begin, end, _ in course:
        within = (begins > begin - 0.001) & (ends < end + 0.001)
        assert 1 <= within.sum() <= IN_A_ROW
        assert begins[within][0] == pytest.approx(begin, abs=0.001)
        assert ends[within][-1] == pytest.approx(end, abs=0.001)
        pauses = begins[within][1:] - ends[within][:-1]
        assert all((pauses > PAUSES[0] - 0.001) & (pauses < PAUSES[1] + 0.001))
    for (_, end, _), (begin, _, _) in pairwise(course):
        assert begin - end > LONG_PAUSES[0]


def test_a_stream_holds_every_utterance_of_a_person_and_nobody_elses() -> None:
    waves = utterances(6)
    said = Utterances(waves, np.array([1, 1, 2, 2, 2, 1]), np.array([0, 1, 0, 1, 1, 0]))
    first, second = lives(said)
    assert (first.person, second.person) == (1, 2)
    for life, rows in ((first, (0, 1, 5)), (second, (2, 3, 4))):
        loud = (np.abs(life.sound) > 0.1).sum()
        assert loud == sum(len(waves[row]) for row in rows)
    np.testing.assert_array_equal(first.sound, lives(said)[0].sound)


def test_a_window_shows_what_fills_most_of_it() -> None:
    course = ((2.0, 10.0, ANGER), (12.0, 20.0, SADNESS))
    assert shown(course, 2.0) == (NOBODY, False)
    assert shown(course, 4.0) == (ANGER, False)
    assert shown(course, 7.0) == (ANGER, True)
    assert shown(course, 10.0) == (ANGER, True)
    assert shown(course, 13.4) == (ANGER, False)
    assert shown(course, 13.6) == (SADNESS, False)
    assert shown(course, 26.0) == (NOBODY, False)


def test_a_short_clip_is_played_over_and_over(test_data: TestData) -> None:
    course = ((0.0, 0.5, "neutral"), (0.7, 2.4, "happiness"))
    life = face_life(test_data("face_clips/single_face.mp4"), course)
    seconds = len(life.sound) / life.rate
    assert 12 <= seconds < 15
    assert life.frames is not None
    times = np.array([one.time for one in life.frames])
    assert np.diff(times).max() < 0.5
    assert times[-1] > seconds - 0.5
    assert [part[2] for part in life.course] == [NEUTRAL, HAPPINESS] * 5
    still = face_life(
        test_data("face_clips/single_face.mp4"), ((0.0, np.inf, "neutral"),)
    )
    assert still.course == ((0.0, pytest.approx(seconds, abs=0.01), NEUTRAL),)


def test_nothing_is_said_of_a_quiet_room() -> None:
    quiet = 5e-4 * np.random.default_rng(0).standard_normal(8 * AUDIO_RATE)
    life = Life(1, quiet.astype(np.float32), AUDIO_RATE, ())
    seen = list(watched(life, Recognizer.load(asset(PEOPLE_MODEL))))
    # Windows end on a grid of 10 ms, just before a second: that of the fifth is short.
    assert seen == [Seen(1, NOBODY, False, None, None, False)] * 3


def test_a_real_voice_is_recognized_window_by_window(test_data: TestData) -> None:
    folder = test_data("ravdess_speech_16k/Actor_03")
    names = [
        f"03-01-{code}-01-0{n}-01-03.flac" for code in ("04", "05") for n in (1, 2)
    ]
    waves = [centered(read_audio(folder / name)[0])[0] for name in names]
    said = Utterances(waves, np.full(4, 3), np.array([SADNESS] * 2 + [ANGER] * 2))
    (life,) = lives(said)
    seen = list(watched(life, Recognizer.load(asset(PEOPLE_MODEL))))
    assert {one.truth for one in seen} >= {SADNESS, ANGER}
    settled = [one for one in seen if one.settled]
    assert all(one.speech and one.raw in range(4) for one in settled)
    assert len(settled) > 5


def test_a_voice_can_be_fitted_without_one_speaker() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (40, N_SPEECH_FEATURES)).astype(np.float32)
    person, emotion = np.repeat([1, 2], 20), np.tile([0, 1, 2, 3], 10)
    heard = Heard(features, person, emotion)
    made = voice_of(without_speaker(asset(PEOPLE_MODEL), heard, 2))
    other = fit_voice(heard.of(person == 1))
    np.testing.assert_allclose(made.weight, other.weight, rtol=1e-5)
    np.testing.assert_allclose(made.mean, features[:20].mean(0), atol=1e-5)


def test_shares_and_scores_are_of_the_windows_they_are_said_to_be_of() -> None:
    right = Seen(1, ANGER, True, ANGER, ANGER, True)
    wrong = Seen(1, ANGER, False, SADNESS, ANGER, True)
    mute = Seen(2, SADNESS, True, None, None, False)
    nothing = Seen(2, NOBODY, False, None, None, False)
    invented = Seen(2, NOBODY, False, ANGER, ANGER, False)
    found = figures_of([right, right, wrong, mute, nothing, invented])
    assert (found["windows"], found["people"]) == (6, 2)
    assert found["abstains"] == pytest.approx(2 / 6)
    assert found["abstains_settled"] == pytest.approx(1 / 3)
    assert found["without_speech"] == pytest.approx(3 / 6)
    assert found["groundless"] == pytest.approx(1 / 2)
    assert found["all"]["windows"] == 3
    assert found["all"]["raw"]["accuracy"] == pytest.approx(2 / 3)
    assert found["all"]["smoothed"]["accuracy"] == 1
    assert found["settled"]["windows"] == 2
    assert figures_of([mute])["settled"] == {"windows": 0}
