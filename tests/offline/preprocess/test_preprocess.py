"""`prepare` and its parts: signals whose answer is known."""

import numpy as np
import pytest
from scipy import signal

from eav_offline.core.window import EEG_SAMPLES, N_CHANNELS, FaceFrame, RawWindow
from eav_offline.preprocess import Inputs, PreprocessSettings, prepare
from eav_offline.preprocess.audio import N_MELS, log_mel
from eav_offline.preprocess.eeg import band_limit, rereference
from eav_offline.preprocess.face import (
    FaceTracker,
    FrameThinner,
    box_iou,
    center_box,
    crop_face,
)

pytestmark = pytest.mark.numeric


def tone(hertz: float, rate: float, seconds: float = 15.0) -> np.ndarray:
    t = np.arange(round(rate * seconds)) / rate
    return np.tile(np.sin(2 * np.pi * hertz * t), (N_CHANNELS, 1)).astype(np.float32)


def drifting_eeg(rate: float, seconds: float) -> np.ndarray:
    rng = np.random.default_rng(3)
    steps = rng.standard_normal((N_CHANNELS, round(rate * seconds)))
    return (5000 + 3 * np.cumsum(steps, axis=1)).astype(np.float32)


@pytest.mark.parametrize(
    "rate", [125.0, 128.0, 250.0, 256.0, 500.0, 512.0, 1000.0, 5e3]
)
def test_ten_hertz_survives_at_every_source_rate(rate: float) -> None:
    filtered = band_limit(tone(10, rate), rate)
    assert filtered.shape == (N_CHANNELS, EEG_SAMPLES)
    assert filtered.dtype == np.float32
    assert np.abs(filtered).max() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("hertz", [0.05, 60.0, 80.0, 140.0, 190.0])
def test_what_lies_outside_the_band_goes(hertz: float) -> None:
    assert np.abs(band_limit(tone(hertz, 500, 60), 500)).max() < 0.1


def loudness(x: np.ndarray) -> float:
    return float(np.sqrt((x.astype(np.float64) ** 2).mean()))


@pytest.mark.parametrize("rate", [125.0, 250.0, 500.0, 512.0])
@pytest.mark.parametrize("mains", [50, 60])
def test_a_notch_takes_the_mains_out_and_leaves_the_alpha_rhythm(
    rate: float, mains: int
) -> None:
    hum, alpha = tone(mains, rate), tone(10, rate)
    assert loudness(band_limit(hum, rate, mains)) < 1e-2 * loudness(hum)
    kept = band_limit(alpha, rate, mains)
    np.testing.assert_allclose(kept, band_limit(alpha, rate), atol=0.03)


def test_without_a_notch_a_third_of_fifty_hertz_is_left() -> None:
    """The band's edge, and the anti-alias kernel's: 0.707 times 0.5."""
    t = np.arange(7500) / 500
    # Of the phases, the one that is seen whole at the 100 Hz that are left.
    hum = np.sin(2 * np.pi * 50 * t + 0.75 * np.pi)[None].astype(np.float32)
    assert np.abs(band_limit(hum, 500)).max() == pytest.approx(0.35, abs=0.01)
    cut_out = np.abs(band_limit(hum, 500, 50)).max()
    assert cut_out < 0.1 * 0.35  # another 20 dB at least


def test_the_first_window_of_a_trial_errs_by_what_the_first_adr_states() -> None:
    """Noise of a resting EEG's spectrum, 1/f: without context, and with ten seconds."""
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft(rng.standard_normal((N_CHANNELS, 30_000)))
    spectrum[:, 1:] /= np.sqrt(np.arange(1, spectrum.shape[1]))
    spectrum[:, 0] = 0
    eeg = np.fft.irfft(spectrum)
    settled, first = band_limit(eeg, 500), band_limit(eeg[:, -2500:], 500)
    error = first - settled
    assert loudness(error) / loudness(settled) == pytest.approx(0.28, abs=0.04)
    begins, rest = slice(0, 200), slice(200, 500)
    of = loudness(error[:, begins]) / loudness(settled[:, begins])
    assert of == pytest.approx(0.43, abs=0.05)
    assert loudness(error[:, rest]) < 0.1 * loudness(settled[:, rest])


def test_electrode_offset_leaves_no_transient() -> None:
    flat = np.full((N_CHANNELS, 2500), 40_000, dtype=np.float32)
    assert np.abs(band_limit(flat, 500)).max() < 1e-3


def test_ten_seconds_of_context_equal_the_whole_recording_to_a_thousandth() -> None:
    eeg = drifting_eeg(500, 60)
    whole = band_limit(eeg, 500)
    short = band_limit(eeg[:, -7500:], 500)
    assert np.abs(whole - short).max() / np.abs(whole).max() < 1e-3


def test_the_band_is_designed_at_the_source_rate() -> None:
    """Against scipy's own causal filter and resampler over the whole recording."""
    eeg = drifting_eeg(500, 40).astype(np.float64)
    sections = signal.butter(5, (0.5, 50), "bandpass", fs=500, output="sos")
    settled = signal.sosfilt_zi(sections)[:, None, :] * eeg[:, :1]
    expected = signal.sosfilt(sections, eeg, axis=1, zi=settled)[0]
    expected = signal.resample_poly(expected, 1, 5, axis=1)
    found = band_limit(eeg.astype(np.float32), 500)
    # resample_poly is centered: ours, being causal, comes ten samples later.
    np.testing.assert_allclose(found[:, 10:], expected[:, -500:-10], atol=2e-2)


def test_rates_agree_on_the_same_brain() -> None:
    """The same band-limited signal sampled at 500 and at 1000 Hz gives the same."""
    at_1000 = signal.sosfilt(
        signal.butter(6, 40, fs=1000, output="sos"),
        np.random.default_rng(0).standard_normal((N_CHANNELS, 15_000)),
        axis=1,
    )
    a = band_limit(at_1000.astype(np.float32), 1000)
    b = band_limit(at_1000[:, ::2].astype(np.float32), 500)
    assert np.abs(a - b).max() / np.abs(a).max() < 0.06


def test_too_low_a_rate_and_too_short_a_stretch_are_refused() -> None:
    with pytest.raises(ValueError, match="125 Hz"):
        band_limit(tone(10, 100), 100)
    with pytest.raises(ValueError, match="less than the window"):
        band_limit(tone(10, 500, 4.9), 500)


def test_the_notch_of_the_settings_is_the_filters() -> None:
    eeg = drifting_eeg(500, 15)
    raw = RawWindow(15.0, eeg, 500.0, None, 0.0, None)
    found = prepare(raw, PreprocessSettings(notch_hz=50)).eeg
    np.testing.assert_allclose(found, band_limit(eeg, 500, 50))
    assert np.abs(found - prepare(raw).eeg).max() > 0.01


def test_average_reference_removes_what_all_electrodes_share() -> None:
    x = np.random.default_rng(0).standard_normal((30, 50)).astype(np.float32)
    shared = 7 + np.sin(np.arange(50, dtype=np.float32))
    np.testing.assert_allclose(rereference(x + shared), rereference(x), atol=1e-5)
    np.testing.assert_allclose(rereference(x).sum(axis=0), 0, atol=1e-5)


def test_log_mel_equals_the_feature_extractor_of_ast() -> None:
    transformers = pytest.importorskip("transformers")
    wave = 0.1 * np.random.default_rng(0).standard_normal(80_000).astype(np.float32)
    wave += 0.3 * np.sin(2 * np.pi * 440 * np.arange(80_000) / 16_000).astype("f4")
    extractor = transformers.ASTFeatureExtractor(do_normalize=False)
    expected = extractor(wave, sampling_rate=16_000, return_tensors="np")
    found = log_mel(wave, 16_000)
    assert found.shape == (498, N_MELS)
    np.testing.assert_allclose(found, expected["input_values"][0, :498], atol=2e-3)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_a_tone_lands_in_its_mel_band_whatever_the_rate(rate: int) -> None:
    t = np.arange(5 * rate) / rate
    mel = log_mel(0.5 * np.sin(2 * np.pi * 1000 * t).astype(np.float32), rate)
    t16 = np.arange(80_000) / 16_000
    expected = log_mel(0.5 * np.sin(2 * np.pi * 1000 * t16).astype(np.float32), 16_000)
    assert mel[250].argmax() == expected[250].argmax()
    assert np.abs(mel[50:450].max(axis=1) - expected[50:450].max(axis=1)).max() < 0.05


def test_sound_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="not the window"):
        log_mel(np.zeros(79_000, dtype=np.float32), 16_000)


def test_thirty_frames_a_second_are_thinned_to_every_sixth() -> None:
    thinner = FrameThinner()
    kept = [i for i in range(60) if thinner.keep(1e5 + i / 30)]
    assert kept == list(range(0, 60, 6))


def test_thinning_starts_anew_after_a_gap_and_after_a_step_back() -> None:
    thinner = FrameThinner()
    for i in range(8):
        thinner.keep(i / 30)
    assert thinner.keep(2.0)
    assert thinner.restarted
    assert not thinner.keep(2.1)
    assert not thinner.restarted
    assert thinner.keep(0.5)
    assert thinner.restarted


def test_uneven_frame_rates_keep_five_a_second() -> None:
    thinner = FrameThinner()
    times = [t for t in np.arange(0, 20, 1 / 23.976) if thinner.keep(t)]
    assert len(times) == 100
    assert np.diff(times).max() < 0.25


def test_without_a_face_the_center_is_taken_and_marked() -> None:
    image = np.random.default_rng(0).integers(0, 255, (120, 160, 3)).astype(np.uint8)
    frame = FaceTracker().update(image, 0.0)
    assert not frame.found
    np.testing.assert_array_equal(frame.box, center_box(image))


def test_crop_is_clipped_to_the_picture() -> None:
    image = np.zeros((100, 100, 3), dtype=np.uint8)
    image[:50] = 255
    crop = crop_face(image, np.array([-20.0, -20.0, 60.0, 50.0]), 56)
    assert crop.shape == (56, 56, 3)
    assert crop.min() == 255


def test_overlap_of_boxes() -> None:
    a = np.array([0.0, 0.0, 2.0, 2.0])
    assert box_iou(a, a) == pytest.approx(1.0)
    assert box_iou(a, np.array([1.0, 0.0, 3.0, 2.0])) == pytest.approx(1 / 3)
    assert box_iou(a, np.array([5.0, 5.0, 6.0, 6.0])) == 0.0


def test_absent_modalities_stay_absent() -> None:
    image = np.zeros((60, 80, 3), dtype=np.uint8)
    frames = tuple(FaceFrame(i / 5, image, center_box(image), i > 3) for i in range(25))
    inputs = prepare(RawWindow(5.0, None, 500, None, 16_000, frames))
    assert inputs.present == ("video",)
    assert inputs.faces is not None
    assert inputs.faces.shape == (25, 56, 56, 3)
    assert inputs.face_found is not None
    assert inputs.face_found.sum() == 21


def test_faces_off_takes_the_whole_frame() -> None:
    image = np.zeros((60, 80, 3), dtype=np.uint8)
    image[:10] = 255  # outside the center box
    frames = tuple(FaceFrame(i / 5, image, center_box(image), True) for i in range(25))
    raw = RawWindow(5.0, None, 500, None, 16_000, frames)
    assert prepare(raw).faces.max() == 0  # type: ignore[union-attr]
    whole = prepare(raw, PreprocessSettings(faces=False)).faces
    assert whole is not None
    assert whole.max() == 255


def test_eeg_of_other_electrodes_is_refused_by_its_shape() -> None:
    raw = RawWindow(5.0, np.zeros((31, 2500), np.float32), 500, None, 16_000, None)
    with pytest.raises(ValueError, match=r"is \(31, 2500\), expected \(30, samples"):
        prepare(raw)
    with pytest.raises(ValueError, match=r"EEG is \(31, 500\), expected \(30, 500\)"):
        Inputs(np.zeros((31, 500), np.float32), None, None, None)
