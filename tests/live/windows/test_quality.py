"""Which electrodes are bad, whether anyone speaks or shows a face, and what follows."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eav_live.options.config import QualitySettings
from eav_live.recognition.predictions import Prediction, StreamHealth, StreamState
from eav_live.recognition.recognizer import Recognition
from eav_live.session.inference import Session
from eav_live.windows.cut import Rings
from eav_live.windows.quality import (
    Debouncer,
    QualityWatch,
    electrode_faults,
    faults_text,
    measure_electrodes,
)
from eav_live.windows.rings import FrameRing, SampleRing
from eav_offline.core.electrodes import mend_electrodes, spline_weights
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.window import EEG_CHANNELS, FaceFrame, RawWindow
from eav_offline.data.synthetic.voice import voice
from eav_offline.preprocess.audio import resample

RATE = 500.0
LIMITS = QualitySettings()
BOX = np.array([0, 0, 4, 4], np.float32)
IMAGE = np.zeros((4, 4, 3), np.uint8)


def brain(seconds: float = 4.0, rate: float = RATE, seed: int = 0) -> np.ndarray:
    """(30, samples) µV, pink and 15 µV or so, around electrodes' offsets."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate)
    spectrum = np.fft.rfft(rng.standard_normal((30, n)), axis=1)
    hertz = np.fft.rfftfreq(n, 1 / rate)
    spectrum /= np.sqrt(np.maximum(hertz, 0.5))
    signal = np.fft.irfft(spectrum, n, axis=1)
    signal *= 15 / signal.std(axis=1, keepdims=True)
    return signal + 5000 * rng.standard_normal((30, 1))


def faults(eeg_uv: np.ndarray, rate: float = RATE) -> dict[str, str]:
    return electrode_faults(measure_electrodes(eeg_uv, rate), LIMITS)


def hum(hertz: float, rms_uv: float, seconds: float = 4.0) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return rms_uv * np.sqrt(2) * np.sin(2 * np.pi * hertz * time)


@pytest.mark.parametrize("rate", [125.0, 256.0, 500.0, 5000.0])
def test_good_electrodes_are_left_alone_at_every_rate(rate: float) -> None:
    assert faults(brain(rate=rate), rate) == {}


def test_a_flat_electrode_is_found() -> None:
    eeg = brain()
    eeg[11] = 42.0
    assert faults(eeg) == {"T7": "flat"}


def test_an_electrode_at_the_end_of_its_range_is_railed() -> None:
    eeg = brain()
    eeg[0] = np.clip(10 * (eeg[0] - eeg[0].mean()), -60.0, 60.0)
    assert faults(eeg) == {"Fp1": "railed"}


def test_coarse_steps_are_not_taken_for_a_rail() -> None:
    assert faults(np.round(brain() / 5) * 5) == {}


def test_hum_is_found_and_its_frequency_named() -> None:
    eeg = brain()
    eeg[:, :] += hum(50, 3.0)  # a little everywhere, as always
    eeg[5] += hum(50, 80.0)
    measures = measure_electrodes(eeg, RATE)
    assert measures.line_hz == 50.0
    assert electrode_faults(measures, LIMITS) == {"F4": "50 Hz hum"}


def test_the_mains_frequency_is_found_or_set() -> None:
    eeg = brain() + hum(60, 5.0)
    assert measure_electrodes(eeg, RATE).line_hz == 60.0
    assert measure_electrodes(eeg, RATE, 50.0).line_hz == 50.0
    assert measure_electrodes(brain(), RATE).line_hz == 0.0


def test_a_drifting_electrode_is_found() -> None:
    eeg = brain()
    eeg[3] += 800 * np.arange(eeg.shape[1]) / RATE
    assert faults(eeg) == {"F3": "drifting"}


def test_values_that_are_no_numbers_are_found_and_harm_no_other() -> None:
    eeg = brain()
    eeg[7, 900] = np.nan
    eeg[8, 10] = np.inf
    assert faults(eeg) == {"FC5": "not numbers", "FC1": "not numbers"}


def test_a_loose_electrode_is_noisy() -> None:
    eeg = brain()
    eeg[20] = 100 * (eeg[20] - eeg[20].mean())
    assert faults(eeg) == {"P7": "noisy"}


@pytest.mark.parametrize("name", ["Subject00_1.edf", "Subject03_2.edf"])
def test_real_recordings_have_hardly_a_bad_electrode(
    test_data: Callable[[str], Path], name: str
) -> None:
    import mne

    raw = mne.io.read_raw_edf(test_data(f"eegmat_edf/{name}"), verbose="error")
    raw.crop(0, 60).pick("eeg")
    sent = raw.get_data()[:19] * 1e6
    n = round(4 * RATE)
    bad = 0
    for start in range(0, sent.shape[1] - n + 1, n):
        eeg = brain()
        eeg[:19] = sent[:, start : start + n]
        bad += len(faults(eeg))
    assert bad <= 2  # of 285


def test_findings_come_and_go_slowly() -> None:
    steady = Debouncer(comes_s=1.0, goes_s=3.0)
    flat = {"T7": "flat"}
    assert steady.update(flat, 0.0) == {}
    assert steady.update({}, 0.5) == {}
    assert steady.update(flat, 0.6) == {}
    assert steady.update(flat, 1.5) == {}
    assert steady.update(flat, 1.6) == flat
    assert steady.update({}, 2.0) == flat
    assert steady.update(flat, 4.0) == flat
    assert steady.update({}, 4.5) == flat
    assert steady.update({}, 7.4) == flat
    assert steady.update({}, 7.5) == {}


def test_some_findings_count_at_once() -> None:
    found = {"T7": "not numbers"}
    assert Debouncer(1.0, 3.0).update(found, 0.0, at_once=("not numbers",)) == found


def test_faults_are_listed_by_kind() -> None:
    found = {"T7": "flat", "O1": "50 Hz hum", "Cz": "flat"}
    assert faults_text(found) == "flat: T7, Cz; 50 Hz hum: O1"
    assert faults_text(found, most=2) == "flat: T7; 50 Hz hum: O1 and 1 more"


# Mending


def test_bad_electrodes_are_computed_from_the_good_ones() -> None:
    eeg = brain().astype(np.float32)
    mended, names = mend_electrodes(eeg, ["T7", "Cz"], (), 4)
    assert mended is not None
    assert names == ("T7", "Cz")
    good = [i for i, n in enumerate(EEG_CHANNELS) if n not in names]
    wanted = spline_weights(["T7", "Cz"]) @ eeg[good].astype(np.float64)
    np.testing.assert_allclose(mended[[11, 13]], wanted, rtol=1e-5)
    assert np.array_equal(mended[good], eeg[good])


def test_good_eeg_is_the_very_same_array() -> None:
    eeg = brain().astype(np.float32)
    assert mend_electrodes(eeg, (), ("Oz",), 4)[0] is eeg


def test_numbers_that_are_not_never_come_through() -> None:
    eeg = brain().astype(np.float32)
    eeg[4, 100] = np.nan
    mended, names = mend_electrodes(eeg, (), (), 4)
    assert mended is not None
    assert names == ("Fz",)
    assert np.isfinite(mended).all()


def test_missing_electrodes_are_computed_again_without_the_bad_one() -> None:
    eeg = brain().astype(np.float32)
    eeg[11] = np.nan  # T7, from which the source computed Cz
    eeg[13] = np.nan
    mended, names = mend_electrodes(eeg, (), ("Cz",), 4)
    assert mended is not None
    assert names == ("T7", "Cz")
    assert np.isfinite(mended).all()


def test_too_many_bad_electrodes_are_not_computed() -> None:
    assert mend_electrodes(brain(), EEG_CHANNELS[:5], (), 4)[0] is None


def test_a_moment_without_numbers_is_a_gap() -> None:
    eeg = brain().astype(np.float32)
    eeg[:, 300:310] = np.nan
    mended, names = mend_electrodes(eeg, (), (), 4)
    assert mended is not None
    assert names == ()
    assert np.array_equal(mended, eeg[:, 310:])


# Speech and faces


@pytest.fixture(scope="module")
def talk() -> np.ndarray:
    """Five seconds of a drawn voice, 16 kHz, which is speech to the detector here."""
    drawn = voice(seed=2026, subject=1, trial=2, expressed=np.zeros(4, dtype=int))
    return resample(drawn, 44_100)[round(0.8 * 16_000) :][:80_000]


def hiss(seconds: float = 5.0, level: float = 1e-3) -> np.ndarray:
    n = round(seconds * 16_000)
    return level * np.random.default_rng(0).standard_normal(n)


def sound_ring(audio: np.ndarray, rate: float = 16_000) -> SampleRing:
    ring = SampleRing(rate, 1, 30)
    ring.extend(np.arange(len(audio)) / rate, audio[:, None].astype(np.float32))
    return ring


def judged(
    watch: QualityWatch,
    eeg: SampleRing | None = None,
    audio: SampleRing | None = None,
    video: FrameRing | None = None,
    t_end: float = 5.0,
    name: str = "audio",
) -> tuple[bool, str]:
    quality = watch.judge(Rings(eeg, audio, video), t_end)[name]
    return quality.good, quality.why


def test_a_voice_is_needed(talk: np.ndarray) -> None:
    clipped = "clipped: turn the gain down"
    assert judged(QualityWatch(), audio=sound_ring(talk)) == (True, "")
    assert judged(QualityWatch(), audio=sound_ring(hiss())) == (False, "no speech")
    loud = sound_ring(np.clip(50 * talk, -1, 1))
    assert judged(QualityWatch(), audio=loud) == (False, clipped)


def test_dead_silence_is_told_from_nobody_speaking() -> None:
    why = "dead silence: muted, or no sound at all"
    silence = sound_ring(np.zeros(80_000))
    assert judged(QualityWatch(), audio=silence) == (False, why)


def test_a_voice_is_not_needed_when_the_config_says_so() -> None:
    watch = QualityWatch(QualitySettings(need_speech=False))
    assert judged(watch, audio=sound_ring(hiss())) == (True, "")
    assert watch.judge(Rings(None, sound_ring(hiss()), None), 5.0)["audio"].measures


def test_drawn_voices_are_not_asked_whether_they_speak() -> None:
    watch = QualityWatch(voices=False)
    quality = watch.judge(Rings(None, sound_ring(hiss()), None), 5.0)["audio"]
    assert (quality.good, quality.measures) == (True, {})
    assert judged(watch, audio=sound_ring(np.zeros(80_000)))[0] is False


def test_sound_that_is_no_number_is_left_out_and_harms_nothing_later(
    talk: np.ndarray,
) -> None:
    watch, broken = QualityWatch(), talk.copy()
    broken[100] = np.nan
    why = "samples that are not numbers"
    assert judged(watch, audio=sound_ring(broken)) == (False, why)
    assert judged(watch, audio=sound_ring(talk)) == (True, "")


def test_sound_that_fills_no_window_is_not_judged() -> None:
    rings = Rings(None, sound_ring(np.zeros(16_000)), None)
    assert QualityWatch().judge(rings, 1.0) == {}


def frames(found: float, n: int = 25, moving: int = 25) -> FrameRing:
    """Of `n` pictures the first `moving` differ; a face is in the share `found`."""
    ring = FrameRing(30)
    for i in range(n):
        image = IMAGE + np.uint8(min(i, moving))
        ring.append(FaceFrame(i / 5, image, BOX, i < found * n, 0.9), i == 0)
    return ring


def test_a_face_is_needed_in_a_good_part_of_the_window() -> None:
    watch = QualityWatch()
    assert judged(watch, video=frames(0.3), name="video") == (True, "")
    assert judged(watch, video=frames(0.1), name="video") == (False, "no face")
    # Having gone, it must be back for longer than would have kept it.
    assert judged(watch, video=frames(0.3), name="video") == (False, "no face")
    assert judged(watch, video=frames(0.5), name="video") == (True, "")


def test_a_picture_that_stands_still_for_two_seconds_shows_nobody() -> None:
    why = "the picture stands still"
    assert judged(QualityWatch(), video=frames(1.0, moving=15), name="video") == (
        False,
        why,
    )
    assert judged(QualityWatch(), video=frames(1.0, moving=16), name="video")[0]
    # Where no face is found, the last picture that had one stands in.
    assert judged(QualityWatch(), video=frames(0.6, moving=0), name="video")[0]


def test_a_voice_that_gets_scarce_stays_and_one_that_went_must_come_back(
    talk: np.ndarray,
) -> None:
    def speaking(seconds: float) -> SampleRing:
        sound, n = hiss(level=1e-4), round(seconds * 16_000)
        sound[:n] += talk[:n]
        return sound_ring(sound)

    def share(seconds: float) -> float:
        rings = Rings(None, speaking(seconds), None)
        return QualityWatch().judge(rings, 5.0)["audio"].measures["speech"]

    few = 0.35
    watch = QualityWatch()
    least = watch.limits.min_speech
    assert least / 2 < share(few) < least
    assert judged(watch, audio=speaking(few)) == (True, "")
    assert judged(watch, audio=speaking(0.0)) == (False, "no speech")
    assert judged(watch, audio=speaking(few)) == (False, "no speech")
    assert judged(watch, audio=speaking(2.0)) == (True, "")


def test_a_model_of_whole_frames_needs_no_face() -> None:
    watch = QualityWatch(faces=False)
    assert judged(watch, video=frames(0.0), name="video") == (True, "")


def test_no_share_is_told_where_no_face_was_looked_for() -> None:
    ring = FrameRing(10.0)
    for i, frame in enumerate(frames(0.0).until(9.0)):
        ring.append(replace(frame, confidence=np.nan), i == 0)
    quality = QualityWatch(faces=False).judge(Rings(None, None, ring), 5.0)["video"]
    assert (quality.good, quality.measures) == (True, {})


def test_face_share_and_confidence_are_measured() -> None:
    quality = QualityWatch().judge(Rings(None, None, frames(0.8)), 5.0)["video"]
    assert quality.measures["face"] == pytest.approx(0.8)
    assert quality.measures["face_confidence"] == pytest.approx(0.9)


# In a session


class Hand:
    """A source whose ring the test fills by hand."""

    interpolated: tuple[str, ...] = ()

    def __init__(self, ring: SampleRing) -> None:
        self.ring = ring
        self.fault = ""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def listen(self, listener: object) -> None: ...

    def health(self, now: float) -> StreamHealth:
        return StreamHealth(StreamState.LIVE, fault=self.fault)


class Keeps:
    """A model that keeps its windows and is sure of nothing."""

    name, backend_name, fusion, demo = "fake", "", "", True
    knows, card, temperatures = EMOTIONS, None, dict[str, float]()

    def __init__(self) -> None:
        self.windows: list[RawWindow] = []

    def recognize(self, raw: RawWindow) -> Recognition:
        self.windows.append(raw)
        there = {"eeg": raw.eeg_uv, "audio": raw.audio}
        present = tuple(m for m, part in there.items() if part is not None)
        alone = {m: np.full(5, 0.2) if m in present else None for m in there}
        return Recognition(np.full(5, 0.2) if present else None, alone, present)


def recognized(
    eeg: np.ndarray, audio: np.ndarray, fault: str = "", voices: bool = False
) -> tuple[Prediction, RawWindow]:
    """What a session says after five seconds of these, judged every second."""
    watch = QualityWatch(voices=voices)
    rings = SampleRing(RATE, 30, 30), SampleRing(16_000, 1, 30)
    now = [0.0]
    model = Keeps()
    sources = {"eeg": Hand(rings[0]), "audio": Hand(rings[1])}
    sources["eeg"].fault = fault
    session = Session(sources, model, lambda: now[0], watch=watch)  # type: ignore[arg-type]
    prediction = None
    for second in range(6):
        for ring, values in zip(rings, (eeg.T, audio[:, None]), strict=True):
            n = round(ring.rate)
            part = values[second * n : (second + 1) * n]
            ring.extend(second + np.arange(n) / ring.rate, part.astype(np.float32))
        now[0] = second + 1.0
        prediction = session.step()
    assert prediction is not None
    return prediction, model.windows[-1]


def test_a_flat_electrode_is_computed_live_and_named() -> None:
    eeg = brain(6.0)
    eeg[11] = 0.0
    prediction, raw = recognized(eeg, hiss(6.0))
    assert prediction.present == ("eeg", "audio")
    assert prediction.interpolated == ("T7",)
    assert prediction.quality["eeg"].electrodes == {"T7": "flat"}
    assert raw.eeg_uv is not None
    assert np.ptp(raw.eeg_uv[11]) > 1


def test_numbers_that_are_not_never_reach_the_model() -> None:
    eeg = brain(6.0)
    eeg[2, 2000:] = np.nan
    prediction, raw = recognized(eeg, hiss(6.0))
    assert prediction.present == ("eeg", "audio")
    assert raw.eeg_uv is not None
    assert np.isfinite(raw.eeg_uv).all()


def test_eeg_with_many_bad_electrodes_counts_as_absent_and_says_why() -> None:
    eeg = brain(6.0)
    eeg[:6] = 0.0
    prediction, _ = recognized(eeg, hiss(6.0))
    assert prediction.present == ("audio",)
    assert prediction.reasons["eeg"] == "6 electrodes bad or missing, 4 allowed"
    assert len(prediction.quality["eeg"].electrodes) == 6


def test_a_voice_that_is_silent_counts_as_absent_and_says_why() -> None:
    prediction, raw = recognized(brain(6.0), hiss(6.0), voices=True)
    assert prediction.present == ("eeg",)
    assert raw.audio is None
    assert prediction.reasons["audio"] == "no speech"
    said = prediction.as_json()
    assert said["reasons"]["audio"] == "no speech"  # type: ignore[index]
    assert said["quality"]["audio"]["good"] is False  # type: ignore[index]


def test_a_stream_at_fault_counts_as_absent_and_says_why() -> None:
    prediction, raw = recognized(brain(6.0), hiss(6.0), fault="a wrong rate")
    assert prediction.present == ("audio",)
    assert prediction.reasons["eeg"] == "a wrong rate"
    assert raw.eeg_uv is None


def test_good_streams_pass_unchanged() -> None:
    eeg = brain(6.0)
    prediction, raw = recognized(eeg, hiss(6.0))
    assert prediction.present == ("eeg", "audio")
    assert raw.eeg_uv is not None
    assert np.array_equal(raw.eeg_uv, eeg[:, : raw.eeg_uv.shape[1]].astype(np.float32))
