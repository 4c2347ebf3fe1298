"""The shipped model of real people on faces and voices that it was not made from."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.offline.people import COURSES, _course
from benchmarks.offline.voices import (
    KNOWS,
    Heard,
    Utterances,
    fit_voice,
    live,
    live_window,
    read_emodb,
    voice_chances,
)
from eav_live.recognition.assets import PEOPLE_MODEL, asset
from eav_live.recognition.recognizer import Recognizer
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.window import AUDIO_RATE, AUDIO_SAMPLES
from eav_offline.data.clips import centered
from eav_offline.data.media import read_audio
from eav_offline.models.baselines.features import (
    N_SPEECH_FEATURES,
    speech_statistics,
)
from eav_offline.preprocess import Inputs
from eav_offline.preprocess.audio import log_mel

pytestmark = pytest.mark.numeric
TestData = Callable[[str], Path]


@pytest.fixture(scope="module")
def people() -> Recognizer:
    return Recognizer.load(asset(PEOPLE_MODEL))


def clip(seed: int, pitch: float = 120.0) -> np.ndarray:
    """A second and a half of syllables, 16 kHz."""
    time = np.arange(round(1.5 * AUDIO_RATE)) / AUDIO_RATE
    rng = np.random.default_rng(seed)
    voice = sum(np.sin(2 * np.pi * k * pitch * time) / k for k in range(1, 9))
    loud = 0.05 + np.sin(2 * np.pi * (3 + rng.random()) * time) ** 2
    return (0.05 * voice * loud).astype(np.float32)


def test_it_knows_four_emotions_of_voice_and_face_and_fits_into_five_megabytes(
    people: Recognizer,
) -> None:
    assert people.knows == KNOWS == EMOTIONS[:4]
    assert people.checkpoint.modalities == ("audio", "video")
    assert not people.demo
    assert asset(PEOPLE_MODEL).stat().st_size < 5_000_000


def test_what_it_does_not_know_is_no_number_and_the_rest_sums_to_one(
    people: Recognizer,
) -> None:
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 255, (25, 64, 64, 3), dtype=np.uint8)
    mel = log_mel(live_window([clip(0)], rng), AUDIO_RATE)
    said = people.recognize_inputs(Inputs(None, mel, faces, None))
    for chances in (said.fused, said.by_modality["audio"], said.by_modality["video"]):
        assert chances is not None
        assert np.isnan(chances[-1])
        assert chances[:-1].sum() == pytest.approx(1.0)
    assert said.fused is not None
    alone = [said.by_modality[m] for m in ("audio", "video")]
    np.testing.assert_allclose(said.fused, np.mean(alone, axis=0), rtol=1e-5)


def test_a_real_face_goes_from_neutral_to_happy(
    people: Recognizer, test_data: TestData
) -> None:
    name = "single_face.mp4"
    path = test_data(f"face_clips/{name}")
    parts = _course(people, path, COURSES[name])
    assert [part["emotion"] for part in parts] == ["neutral", "happiness"]
    assert all(part["held"] >= 0.8 for part in parts)


def test_strangers_in_another_language_are_angrier_when_angry_than_when_sad(
    people: Recognizer, test_data: TestData
) -> None:
    def anger(actor: int, code: str) -> float:
        path = test_data(
            f"ravdess_speech_16k/Actor_{actor:02}/03-01-{code}-02-01-01-{actor:02}.flac"
        )
        wave, rate = read_audio(path)
        mel = log_mel(centered(wave)[0], rate)
        said = people.recognize_inputs(Inputs(None, mel, None, None))
        assert said.fused is not None
        return float(said.fused[EMOTIONS.index("anger")])

    angrier = [anger(actor, "05") > anger(actor, "04") for actor in range(1, 9)]
    assert sum(angrier) >= 7


def test_loudness_and_the_place_of_the_words_hardly_move_the_statistics() -> None:
    rng = np.random.default_rng(0)
    noise = 1e-3 * rng.standard_normal(AUDIO_SAMPLES).astype(np.float32)

    def features(gain: float, place: int, wave: np.ndarray) -> np.ndarray:
        sound = noise.copy()
        sound[place : place + len(wave)] += wave
        return speech_statistics(log_mel(gain * sound, AUDIO_RATE)[None])[0]

    early = features(1, 4000, clip(0))
    assert early.shape == (N_SPEECH_FEATURES,)
    np.testing.assert_allclose(features(0.3, 4000, clip(0)), early, atol=0.02)
    moved = np.abs(features(1, 40_000, clip(0)) - early)
    other = np.abs(features(1, 4000, clip(0, pitch=230.0)) - early)
    assert np.median(moved) < 0.2 * np.median(other)


@pytest.mark.parametrize("level", [-15.94, 0.0])
def test_even_sound_has_statistics_too(level: float) -> None:
    even = np.full((1, 498, 128), level, dtype=np.float32)
    assert np.isfinite(speech_statistics(even)).all()


def test_drawn_windows_are_five_seconds_with_speech_and_the_same_each_time() -> None:
    clips = [clip(i) for i in range(4)]
    for seed in range(20):
        window = live_window(clips, np.random.default_rng(seed))
        again = live_window(clips, np.random.default_rng(seed))
        np.testing.assert_array_equal(window, again)
        assert (window.shape, window.dtype) == ((AUDIO_SAMPLES,), np.float32)
        assert 0 < np.abs(window).max() <= 1


def test_a_voice_learns_from_drawn_windows_what_the_clips_differ_in() -> None:
    waves = [clip(i, pitch) for i in range(3) for pitch in (110.0, 230.0)]
    said = Utterances(waves, np.repeat([1, 2, 3], 2), np.tile([0, 2], 3))
    heard = live(said, n=6)
    voice = fit_voice(heard)
    told = voice_chances(voice, heard.features).argmax(1)
    assert (told == heard.emotion).mean() > 0.9
    assert set(told) == {0, 2}


def test_standardizing_takes_out_what_is_a_persons_own() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (40, 3)).astype(np.float32)
    person = np.repeat([1, 2], 20)
    features[person == 2] = 5 + 3 * features[person == 2]
    even = Heard(features, person, np.zeros(40, dtype=int)).standardized().features
    for one in (1, 2):
        np.testing.assert_allclose(even[person == one].mean(0), 0, atol=1e-5)
        np.testing.assert_allclose(even[person == one].std(0), 1, atol=1e-5)


def test_a_folder_without_emodb_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="manifest.csv is missing"):
        read_emodb(tmp_path)
