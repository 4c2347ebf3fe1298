"""Whether anyone speaks: real voices, other sounds, streams heard in pieces."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from eav_live.windows.rings import SampleRing
from eav_live.windows.speech import (
    BEGINS,
    CHUNK_SAMPLES,
    ENDS,
    SpeechDetector,
    SpeechShare,
    _Resampler,
)
from eav_offline.core.window import AUDIO_RATE, WINDOW_SECONDS
from eav_offline.data.media import read_audio
from eav_offline.data.synthetic.voice import voice
from eav_offline.preprocess.audio import resample

TestData = Callable[[str], Path]
SENTENCE = "ravdess_speech_16k/Actor_01/03-01-05-02-01-01-01.flac"


@pytest.fixture(scope="module")
def clip() -> np.ndarray:
    """Four seconds of a drawn voice: now and then it is speech to the detector."""
    drawn = voice(seed=2026, subject=1, trial=2, expressed=np.zeros(4, dtype=int))
    return resample(drawn, 44_100)[: 4 * AUDIO_RATE]


def share(sound: np.ndarray, rate: float = AUDIO_RATE) -> float:
    return float(np.mean(SpeechDetector(rate).hear(sound.astype(np.float32))))


def heard(watch: SpeechShare, ring: SampleRing, t_end: float) -> float:
    sound = ring.until(t_end, WINDOW_SECONDS)
    assert sound is not None
    return watch.of(ring, sound)


def in_pieces(sound: np.ndarray, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.integers(0, len(sound), 40))  # some are empty, some short
    return np.split(sound, cuts)


def noise(seconds: float, rate: float = AUDIO_RATE, level: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (level * rng.standard_normal(round(seconds * rate))).astype(np.float32)


def test_a_sentence_is_found_between_its_silences(test_data: TestData) -> None:
    clip, rate = read_audio(test_data(SENTENCE))
    spoken = SpeechDetector(rate).hear(clip)
    first, last = np.flatnonzero(spoken)[[0, -1]] * CHUNK_SAMPLES / AUDIO_RATE
    loud = np.flatnonzero(np.abs(clip) > 0.1 * np.abs(clip).max()) / AUDIO_RATE
    assert first == pytest.approx(loud[0], abs=0.4)
    assert last == pytest.approx(loud[-1], abs=0.4)
    assert np.mean(spoken[int(first / 0.032) : int(last / 0.032)]) > 0.8


@pytest.mark.parametrize("name", ["bbaf2n.mpg", "lbax4n.mpg"])
def test_people_who_read_aloud_speak(test_data: TestData, name: str) -> None:
    assert share(*read_audio(test_data(f"face_clips/{name}"))) > 0.3


def test_silence_noise_and_tones_are_no_speech() -> None:
    time = np.arange(5 * AUDIO_RATE) / AUDIO_RATE
    assert share(np.zeros(len(time))) == 0
    assert share(noise(5)) == 0
    for hertz in (50, 100, 220, 440, 1000):
        assert share(0.1 * np.sin(2 * np.pi * hertz * time)) < 0.02


@pytest.mark.parametrize("rate", [8000, 11025, 16_000, 44_100, 48_000])
def test_a_stream_is_resampled_as_all_of_it_at_once(rate: int) -> None:
    sound = noise(1.5, rate)
    whole = signal.resample_poly(sound, AUDIO_RATE, rate)
    resampler = _Resampler(rate)
    found = np.concatenate([resampler.resample(one) for one in in_pieces(sound)])
    assert len(whole) - 0.002 * AUDIO_RATE <= len(found) <= len(whole)
    np.testing.assert_allclose(found, whole[: len(found)], atol=1e-5)


def test_a_resampler_keeps_no_more_than_it_needs() -> None:
    resampler = _Resampler(44_100)
    for piece in np.split(noise(20, 44_100), 100):
        resampler.resample(piece)
    assert len(resampler._kept) < 2000


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_pieces_of_a_stream_are_heard_as_all_of_it(clip: np.ndarray, rate: int) -> None:
    sound = signal.resample_poly(clip, rate, AUDIO_RATE).astype(np.float32)
    whole = SpeechDetector(rate).chances(sound)
    detector = SpeechDetector(rate)
    found = np.concatenate([detector.chances(one) for one in in_pieces(sound)])
    assert whole.max() > 0.8
    np.testing.assert_allclose(found, whole, atol=1e-3)  # the resampler's rounding


def test_a_window_is_heard_hop_by_hop_as_at_once(clip: np.ndarray) -> None:
    sound = np.concatenate([clip, clip, clip])
    ring, watch = SampleRing(AUDIO_RATE, 1, 30), SpeechShare()
    hop = AUDIO_RATE // 2
    for start in range(0, 18 * hop, hop):
        times = (start + np.arange(hop)) / AUDIO_RATE
        ring.extend(times, sound[start : start + hop, None])
        slid = heard(watch, ring, times[-1] + 1 / AUDIO_RATE)
    spoken = SpeechDetector(AUDIO_RATE).hear(sound[: 18 * hop])
    assert slid == pytest.approx(np.mean(spoken[-156:]))


def test_only_new_sound_is_heard(
    clip: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = []
    hear = SpeechDetector.hear

    def noted(self: SpeechDetector, sound: np.ndarray) -> list[bool]:
        pieces.append(len(sound))
        return hear(self, sound)

    monkeypatch.setattr(SpeechDetector, "hear", noted)
    ring, watch = SampleRing(AUDIO_RATE, 1, 30), SpeechShare()
    ring.extend(np.arange(3 * len(clip)) / AUDIO_RATE, np.tile(clip, 3)[:, None])
    for t_end in (5.0, 5.5, 5.5, 7.0):
        heard(watch, ring, t_end)
    assert pieces == [5 * AUDIO_RATE, AUDIO_RATE // 2, 0, 3 * AUDIO_RATE // 2]


@pytest.mark.parametrize("how", ["a gap", "a mark", "a step back", "another stream"])
def test_the_detector_begins_anew_where_sound_does_not_go_on(
    clip: np.ndarray, how: str
) -> None:
    def ring_of(sound: np.ndarray, start: float) -> SampleRing:
        ring = SampleRing(AUDIO_RATE, 1, 30)
        extend(ring, sound, start)
        return ring

    def extend(ring: SampleRing, sound: np.ndarray, start: float) -> None:
        ring.extend(start + np.arange(len(sound)) / AUDIO_RATE, sound[:, None])

    # What comes after is more than came before: by their number they would fit.
    begun, after = clip[AUDIO_RATE : 2 * AUDIO_RATE], clip[: 3 * AUDIO_RATE // 2]
    alone = heard(SpeechShare(), ring_of(after, 0.0), 1.5)
    watch, ring = SpeechShare(), ring_of(begun, 10.0)
    before = heard(watch, ring, 11.0)
    start = {"a gap": 12.0, "a mark": 11.0, "a step back": 9.0}.get(how, 11.0)
    if how == "a mark":
        ring.mark_gap()
    if how == "another stream":
        ring = ring_of(after, start)
    else:
        extend(ring, after, start)
    assert heard(watch, ring, start + 1.5) == alone
    assert before != alone


def test_speech_begins_at_a_higher_chance_than_it_ends_at() -> None:
    detector = SpeechDetector(AUDIO_RATE)
    between = (BEGINS + ENDS) / 2
    chances = [between, 0.6, between, 0.3, between]
    assert list(map(detector._decided, chances)) == [False, True, True, False, False]
