"""Speech as numbers that are alike for one person and not for two."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from eav_offline.data.media import read_audio
from eav_offline.personal.voiceprint import likeness, spoken_bands, voice_prints
from eav_offline.preprocess.audio import LOG_FLOOR, log_mel, log_mel_frames, resample

RATE, FIVE = 16_000, 80_000


def sound(folder: Path, actor: int, *clips: str) -> np.ndarray:
    """Five seconds of an actor's clips in a row."""
    parts = []
    for clip in clips:
        name = f"03-01-{clip}-{actor:02d}.flac"
        wave, rate = read_audio(folder / f"Actor_{actor:02d}" / name)
        parts.append(np.trim_zeros(resample(wave, rate)))
    return np.resize(np.concatenate(parts), FIVE).astype(np.float32)


def test_one_persons_moods_are_nearer_than_two_people_in_one(
    test_data: Callable[[str], Path],
) -> None:
    folder = test_data("ravdess_speech_16k")
    calm, angry = ("02-01-01-01", "02-01-01-02"), ("05-02-02-01", "05-02-02-02")
    numbers = {}
    for who in (7, 9):  # men
        for mood, clips in (("calm", calm), ("angry", angry)):
            found = voice_prints().of(log_mel(sound(folder, who, *clips), RATE))
            assert found is not None
            assert found.shape == (192,)
            assert np.linalg.norm(found) == pytest.approx(1.0, abs=1e-5)
            numbers[who, mood] = found
    known = numbers[7, "calm"][None]
    own, others = (likeness(known, [numbers[who, "angry"]]) for who in (7, 9))
    assert own > 0.35 > others  # of one window each, and of shouts
    assert own > likeness(known, [numbers[9, "calm"]])


def test_the_likest_day_counts() -> None:
    days = np.eye(3, 192, dtype=np.float32)
    heard = [days[1], days[1] + days[2]]
    assert likeness(days, heard) == pytest.approx(2 / np.sqrt(5))


def test_pauses_are_left_out_and_no_speech_says_nothing() -> None:
    rng = np.random.default_rng(0)
    loud = rng.normal(-4.0, 1.0, (498, 128)).astype(np.float32)
    quiet = np.full_like(loud, -13.5)  # 40 dB less, and more than nothing
    half = np.where(np.arange(498)[:, None] < 249, loud, quiet)
    assert spoken_bands(loud).shape == (498, 80)
    assert len(spoken_bands(half)) == pytest.approx(249, abs=8)
    little = np.where(np.arange(498)[:, None] < 60, loud, quiet)
    assert voice_prints().of(little) is None
    nothing = np.full_like(loud, np.log(LOG_FLOOR))
    assert spoken_bands(nothing).shape == (0, 80)
    np.testing.assert_allclose(spoken_bands(half).mean(axis=0), 0.0, atol=1e-4)


def test_bands_are_those_that_the_network_was_trained_on() -> None:
    """Kaldi's 80 bands of the same frames, to which the 128 add up.

    Its window is another one than theirs (Povey's), which is no matter here.
    """
    rng, n = np.random.default_rng(1), 512
    wave = rng.normal(0, 0.1, RATE).astype(np.float32)
    bands = spoken_bands(log_mel_frames(wave))
    frames = np.lib.stride_tricks.sliding_window_view(wave, 400)[::160]
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    power = np.abs(np.fft.rfft((frames - 0.97 * before) * np.hanning(400), n)) ** 2
    mel = 1127.0 * np.log1p(np.arange(n // 2) * RATE / n / 700.0)
    corners = 1127.0 * np.log1p(np.array([20.0, 8000.0]) / 700.0)
    corners = np.linspace(*corners, 82)
    expected = np.empty((len(frames), 80))
    for i, (low, middle, high) in enumerate(
        zip(corners, corners[1:], corners[2:], strict=False)
    ):
        triangle = np.interp(mel, [low, middle, high], [0.0, 1.0, 0.0])
        expected[:, i] = np.log(power[:, : n // 2] @ triangle)
    expected -= expected.mean(axis=0)
    apart = np.abs(bands - expected)
    assert np.median(apart) < 0.1  # of noise, whose logarithms spread by more than that
    assert np.median(apart) < 0.2 * expected.std()
