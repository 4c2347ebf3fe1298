"""SCNN's 180 numbers of a sound: librosa's, and the same live as offline."""

from dataclasses import replace

import numpy as np
import pytest
from planted import planted_subject
from planted_cache import write_cache
from scipy import signal

from eav_offline.common.errors import InputRefused
from eav_offline.core.window import AUDIO_RATE, AUDIO_SAMPLES, RawWindow
from eav_offline.data.cache import PreparedSubject, open_prepared
from eav_offline.data.window_set import window_set
from eav_offline.preprocess import PreprocessSettings, prepare
from eav_offline.preprocess.audio import resample
from eav_offline.preprocess.sound_features import (
    N_CHROMA,
    N_MFCC,
    N_SOUND_FEATURES,
    librosa_means,
    sound_features,
)

pytestmark = pytest.mark.numeric

# Of `known_sound`, by librosa 0.11.0 with numpy 2.4.6 and scipy 1.17.1: means over time
# of feature.mfcc(n_mfcc=40), feature.chroma_stft(S=abs(stft)), feature.melspectrogram.
MFCC = """
-328.319 35.5186 21.3907 18.5968 11.3704 13.2408 23.9233 10.49 -12.8126 -19.7319
-26.8845 -28.7227 -13.0496 -12.4379 -28.8886 -31.6299 -30.0344 -28.4952 -7.91145
6.39009 -2.57854 -5.84128 -1.93806 -2.63077 11.61 28.7706 20.5942 10.1056 9.83117
3.22785 6.71612 20.6717 15.5405 1.32029 -1.31463 -7.35334 -9.83589 4.3014 7.02688
-4.71844
"""
CHROMA = """
0.882188 0.994301 0.538163 0.236497 0.220622 0.19276 0.200706 0.318863 0.576925
0.908622 0.562426 0.328002
"""
MEL = """
0.0295179 0.0324168 0.0384321 0.0462377 0.068595 0.109247 0.678791 261.92 419.226
85.319 332.286 22.963 0.0982142 0.0445751 0.0286093 0.0183178 0.0130488 0.00981987
0.00750407 0.00650966 0.00515853 0.00438307 0.00405144 0.00328751 0.0029885 0.00268974
0.00239949 0.00219196 0.00196494 0.0017937 0.00171909 0.00152883 0.00143119 0.00134268
0.00137073 0.00126711 0.00138338 0.00200849 0.0042479 4.22162 21.7261 1.89206
0.00623763 0.00345693 0.00245103 0.00196271 0.00170218 0.00149805 0.00151774
0.00144451 0.00133891 0.00133843 0.00110188 0.00113153 0.00101843 0.001051 0.000948895
0.000954831 0.000951611 0.000976813 0.000914368 0.000871426 0.000896481 0.000911153
0.000863594 0.000837648 0.000833773 0.000805135 0.000799648 0.000817393 0.000854256
0.000765847 0.000765217 0.000787912 0.000735987 0.000811856 0.000791141 0.000773121
0.000802988 0.000790023 0.00106942 0.842786 0.190296 0.00070726 0.00069418 0.000672977
0.000665652 0.000695553 0.000681949 0.000659532 0.000663816 0.000676063 0.000636977
0.000693603 0.000686417 0.000658758 0.000680386 0.000655995 0.00065716 0.00064747
0.000698908 0.000681477 0.000688304 0.000683995 0.000646063 0.000640779 0.000665217
0.000642618 0.00067187 0.000672377 0.000676244 0.000650621 0.000656107 0.000681835
0.000657506 0.000657628 0.000646058 0.000644826 0.000666066 0.00064374 0.000660954
0.000633675 0.000650793 0.000636508 0.000657003 0.00064222 0.000659103 0.000672972
"""
ASKED = PreprocessSettings(sound_features=True)


def known_sound() -> np.ndarray:
    """Five seconds at 22,050 Hz: tones a fifth of a semitone high, a gap, noise."""
    time = np.arange(110_250) / 22_050
    tones = np.zeros_like(time)
    for hertz in (222.56, 280.4, 1059.0, 3174.0):
        tones += np.sin(2 * np.pi * hertz * time) * 200 / hertz
    wave = 0.2 * (1 + np.sin(2 * np.pi * 1.5 * time)) * tones
    wave[70_000:80_000] = 0
    noise = np.random.default_rng(7).normal(0, 0.003, len(time))
    return (wave + noise).astype(np.float32)


def heard(rate: int) -> RawWindow:
    """A window of sound alone."""
    time = np.arange(5 * rate) / rate
    noise = np.random.default_rng(3).normal(0, 0.01, len(time))
    audio = (0.2 * np.sin(2 * np.pi * 330 * time) + noise).astype(np.float32)
    return RawWindow(5.0, None, 500, audio, rate, None)


def test_the_numbers_are_those_of_librosa() -> None:
    numbers = librosa_means(known_sound())
    assert numbers.dtype == np.float32
    parts = np.split(numbers, [N_MFCC, N_MFCC + N_CHROMA])
    for part, text in zip(parts, (MFCC, CHROMA, MEL), strict=True):
        known = np.array(text.split(), dtype=float)
        np.testing.assert_allclose(part, known, rtol=1e-4, atol=1e-3 * (text == MFCC))


def test_silence_has_the_numbers_that_librosa_gives_it() -> None:
    numbers = sound_features(np.zeros(AUDIO_SAMPLES, dtype=np.float32))
    # -100 dB in all of 128 bands, of which the first coefficient is the root's sum.
    np.testing.assert_allclose(numbers[0], -100 * np.sqrt(128), rtol=1e-5)
    np.testing.assert_allclose(numbers[1:], 0, atol=1e-3)


def test_sound_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="not the window's 5 s"):
        sound_features(np.zeros(AUDIO_SAMPLES - 100, dtype=np.float32))


def test_only_the_upper_mel_bands_are_lost_with_what_lies_above_eight_kilohertz() -> (
    None
):
    noise = np.random.default_rng(0).normal(0, 0.1, 5 * 44_100).astype(np.float32)
    whole = librosa_means(signal.resample_poly(noise, 1, 2))[-128:]
    kept = sound_features(resample(noise, 44_100))[-128:] / whole
    np.testing.assert_allclose(kept[:110], 1, atol=0.05)
    assert kept[113] == pytest.approx(0.5, abs=0.1)
    assert kept[120:].max() < 0.01


def test_the_numbers_are_computed_only_if_asked_for() -> None:
    raw = heard(AUDIO_RATE)
    assert prepare(raw).sound_features is None
    numbers = prepare(raw, ASKED).sound_features
    assert numbers is not None
    assert numbers.shape == (N_SOUND_FEATURES,)
    silent = prepare(replace(raw, audio=None), ASKED)
    assert silent.sound_features is None
    assert silent.part("sound_features") is None


def test_a_model_that_needs_them_does_not_take_a_window_without() -> None:
    with pytest.raises(ValueError, match="settings of the loaded checkpoint"):
        prepare(heard(AUDIO_RATE)).part("sound_features")


def test_no_file_states_them_and_windows_are_prepared_alike_without() -> None:
    assert PreprocessSettings() == ASKED
    assert PreprocessSettings().as_values() == ASKED.as_values()


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_live_windows_have_the_numbers_of_the_cache(tmp_path, rate: int) -> None:
    # Live prepares the microphone's window; the cache keeps it at 16 kHz.
    raw = heard(rate)
    assert raw.audio is not None
    cache = write_cache(tmp_path, [1], n_trials=1)
    wave = np.lib.format.open_memmap(cache / "subject01" / "wave.npy", "r+")
    kept = resample(raw.audio, rate)[:AUDIO_SAMPLES]
    wave[1, : len(kept)] = kept
    wave.flush()
    subject: PreparedSubject = open_prepared(cache, 1)
    live = prepare(raw, ASKED).sound_features
    np.testing.assert_allclose(subject.sound_features[1], live, rtol=1e-4, atol=1e-5)
    batch = window_set([subject]).batch(np.array([0, 1]), ["sound_features"])
    assert list(batch.parts) == ["sound_features"]
    found = batch.parts["sound_features"][1]
    np.testing.assert_allclose(found, live, rtol=1e-4, atol=1e-5)


def test_windows_without_a_waveform_say_so() -> None:
    windows = window_set([planted_subject(1)])
    with pytest.raises(InputRefused, match="keep no waveform"):
        windows.batch(np.array([0]), ["sound_features"])
