"""Live sources: which stream, which channel, whose clock, and what a loss does."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pylsl
import pytest

from eav_live.config import LiveConfigError, load_live_config
from eav_live.predictions import StreamState
from eav_live.sources import SourceRefused
from eav_live.sources.audio import FileAudio, LslAudio, Microphone, capture_time
from eav_live.sources.clock import RateMeter, StampSmoother
from eav_live.sources.eeg import LslEeg
from eav_live.sources.frames import BacklogGuard, FrameKeeper
from eav_live.sources.montage import (
    Channel,
    electrode_name,
    map_channels,
    spline_weights,
)
from eav_live.sources.video import FileVideo, LslVideo, frame_time
from eav_live.sources.worker import Worker
from eav_offline.data.media import iter_frames, rgb
from eav_offline.data.recording import Recording, track_faces
from eav_offline.preprocess.face import centre_box
from eav_offline.window import EEG_CHANNELS, FaceFrame

RATE = 500.0
N = 400


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class NoFaces:
    """A tracker that finds none, and counts."""

    def __init__(self) -> None:
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1

    def update(self, image: np.ndarray, time: float) -> FaceFrame:
        return FaceFrame(time, image, centre_box(image), False)


def open_eeg(
    name: str,
    labels: Sequence[str] | None = EEG_CHANNELS,
    units: str | Sequence[str] = "microvolts",
    kinds: str | Sequence[str] = "EEG",
    rate: float = RATE,
    stream_type: str = "EEG",
    n_channels: int | None = None,
    scaling: str = "1",
    sample_format: str = "float32",
) -> pylsl.StreamOutlet:
    n = n_channels or len(labels or EEG_CHANNELS)
    info = pylsl.StreamInfo(name, stream_type, n, rate, sample_format, f"id {name}")
    if labels is not None:
        channels = info.desc().append_child("channels")
        for i, label in enumerate(labels):
            channel = channels.append_child("channel")
            channel.append_child_value("label", label)
            kind = kinds if isinstance(kinds, str) else kinds[i]
            unit = units if isinstance(units, str) else units[i]
            channel.append_child_value("type", kind)
            if unit:
                channel.append_child_value("unit", unit)
            channel.append_child_value("scaling_factor", scaling)
    return pylsl.StreamOutlet(info)


def eeg_like(n: int = N, seed: int = 0) -> np.ndarray:
    """(n, 30) float32 µV."""
    rng = np.random.default_rng(seed)
    return (40 * rng.standard_normal((n, 30))).astype(np.float32)


def pull_until(source: Worker, done: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"nothing came: {source.detail}"
        source.pull()


def wait_for(done: Callable[[], bool], seconds: float = 10.0) -> None:
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        pause.wait(0.02)


def connect(source: LslEeg | LslAudio | LslVideo) -> None:
    pull_until(source, lambda: source._inlet.is_open)


def received(
    source: LslEeg, outlet: pylsl.StreamOutlet, sent: np.ndarray
) -> np.ndarray:
    """Send (n, channels), as exactly stamped samples, and return what the ring got."""
    connect(source)
    first = pylsl.local_clock() - len(sent) / RATE
    stamps = first + np.arange(len(sent)) / RATE
    outlet.push_chunk(sent, stamps.tolist())
    ring = source.ring
    assert ring is not None
    pull_until(source, lambda: ring.filled >= len(sent) / RATE - 1e-9)
    times, values = ring.latest(60.0)
    np.testing.assert_allclose(times, stamps, atol=1e-9)
    return values


@pytest.fixture
def eeg(stream_name: str) -> Iterator[LslEeg]:
    source = LslEeg(stream_name)
    yield source
    source.stop()


# Channels


def test_labels_are_read_in_the_spellings_that_amplifiers_use() -> None:
    spellings = {
        "EEG Fp1-REF": "Fp1",
        "FP1": "Fp1",
        "EEG T3": "T7",
        "t4": "T8",
        "T5-A1": "P7",
        "EEG T6-LE": "P8",
        "Fc5.": "FC5",
        "PO 9": "PO9",
        "eeg_Cz": "Cz",
    }
    assert {label: electrode_name(label) for label in spellings} == spellings


def test_duplicate_electrodes_are_refused_by_name() -> None:
    labels = [*EEG_CHANNELS, "T3"]
    with pytest.raises(SourceRefused, match=r"T7 twice.*'T7'.*'T3'"):
        map_channels([Channel(label, "EEG", "uV") for label in labels])


def test_an_unknown_label_that_may_be_the_missing_electrode_is_refused() -> None:
    labels = ["Left front" if c == "Fp1" else c for c in EEG_CHANNELS]
    channels = [Channel(label, "EEG", "uV") for label in labels]
    with pytest.raises(SourceRefused, match=r"lacks Fp1.*Left front.*\[eeg\.rename\]"):
        map_channels(channels)
    mapped = map_channels(channels, rename={"left front": "Fp1"})
    assert mapped.interpolated == ()
    assert mapped.columns.tolist() == list(range(30))
    assert map_channels(channels, max_missing=1).interpolated == ("Fp1",)


def test_electrodes_of_other_caps_are_left_aside() -> None:
    labels = ["AF3", "M1", *EEG_CHANNELS, "FT9", "A2-A1"]
    mapped = map_channels([Channel(label, "EEG", "uV") for label in labels])
    assert mapped.columns.tolist() == list(range(2, 32))


def test_up_to_four_missing_electrodes_are_interpolated_and_more_refused() -> None:
    channels = [Channel(label, "EEG", "uV") for label in EEG_CHANNELS[4:]]
    assert map_channels(channels).interpolated == EEG_CHANNELS[:4]
    with pytest.raises(SourceRefused, match=r"lacks Fp1, .*Fz.*--max-missing 5"):
        map_channels(channels[1:])
    assert len(map_channels(channels[1:], max_missing=5).interpolated) == 5
    with pytest.raises(SourceRefused, match="up to 0 are interpolated"):
        map_channels(channels, max_missing=0)


def test_interpolation_is_what_mne_does() -> None:
    import mne

    missing = ["FC1", "Oz"]
    data = eeg_like(50).T.astype(np.float64)
    info = mne.create_info(list(EEG_CHANNELS), RATE, "eeg")
    evoked = mne.EvokedArray(data.copy(), info, verbose="error")
    evoked.set_montage("standard_1005", verbose="error")
    evoked.info["bads"] = missing
    evoked.interpolate_bads(verbose="error")
    present = [i for i, c in enumerate(EEG_CHANNELS) if c not in missing]
    ours = spline_weights(missing) @ data[present]
    theirs = evoked.data[[EEG_CHANNELS.index(c) for c in missing]]
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_a_smooth_field_survives_interpolation() -> None:
    weights = spline_weights(["Cz"])
    assert weights.sum() == pytest.approx(1.0, abs=1e-6)  # a constant stays


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("V", 1e6), ("mV", 1e3), ("microvolts", 1), ("µV", 1), ("nV", 1e-3), ("-6", 1)],
)
def test_units_are_brought_to_microvolts(unit: str, factor: float) -> None:
    mapped = map_channels([Channel(c, "EEG", unit) for c in EEG_CHANNELS])
    uv = mapped.apply(np.full((1, 30), 2.0))
    np.testing.assert_allclose(uv, 2.0 * factor)


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(SourceRefused, match="Fp1 in 'furlongs'"):
        map_channels([Channel(c, "EEG", "furlongs") for c in EEG_CHANNELS])


def test_a_trigger_channel_of_nan_does_not_reach_the_electrodes() -> None:
    channels = [Channel(c, "EEG", "uV") for c in EEG_CHANNELS[1:]]
    mapped = map_channels([Channel("triggerStream", "EEG", "code"), *channels])
    values = np.ones((3, 30))
    values[:, 0] = np.nan
    assert np.isfinite(mapped.apply(values)).all()


def test_the_map_in_the_config_must_name_electrodes(tmp_path: Path) -> None:
    path = tmp_path / "live.toml"
    path.write_text('[eeg.rename]\n"Ch 1" = "Fp3"\n')
    with pytest.raises(
        LiveConfigError, match=r"live\.toml: eeg\.rename: 'Fp3' is none"
    ):
        load_live_config(path)
    path.write_text("[eeg]\nrenames = {}\n")
    with pytest.raises(LiveConfigError, match=r"live\.toml: unknown key eeg\.renames"):
        load_live_config(path)
    path.write_text('[eeg.rename]\n"Ch 1" = "Fp1"\n')
    assert load_live_config(path).eeg.rename == {"Ch 1": "Fp1"}


# Stamps


def test_exact_stamps_pass_unchanged() -> None:
    stamps = 54_321.123 + np.arange(60_000) / RATE
    smoothed, starts = StampSmoother(RATE).smooth(stamps)
    np.testing.assert_allclose(smoothed, stamps, rtol=0, atol=1e-9)
    assert starts == [0]


def test_exact_stamps_of_sound_pass_unchanged() -> None:
    stamps = 987_654.3 + np.arange(5 * 44_100) / 44_100
    smoothed, _ = StampSmoother(44_100).smooth(stamps)
    np.testing.assert_allclose(smoothed, stamps, rtol=0, atol=1e-9)


def test_chunk_sizes_do_not_change_smoothed_stamps() -> None:
    rng = np.random.default_rng(1)
    stamps = 100 + np.arange(5000) / RATE + 0.004 * rng.random(5000)
    stamps[3000:] += 2.0
    whole, _ = StampSmoother(RATE).smooth(stamps)
    smoother = StampSmoother(RATE)
    parts = [
        smoother.smooth(part)[0] for part in np.split(stamps, [1, 7, 50, 51, 2999])
    ]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=0, atol=1e-9)


def test_arrival_jitter_is_smoothed_away() -> None:
    rng = np.random.default_rng(2)
    true = 100 + np.arange(30_000) / RATE
    jittered = true + np.repeat(0.01 * rng.random(1500), 20)  # a chunk arrives at once
    smoothed, starts = StampSmoother(RATE).smooth(jittered)
    settled = slice(10_000, None)
    assert starts == [0]
    # White jitter of chunks at 25 Hz leaves a sixth through a loop of 0.1 Hz.
    left = np.std((smoothed - true)[settled]) / np.std((jittered - true)[settled])
    assert left < 0.2
    assert (np.diff(smoothed) > 0).all()


def test_a_drifting_crystal_is_followed() -> None:
    stamps = 100 + np.arange(60_000) / (RATE * 1.0002)
    smoothed, _ = StampSmoother(RATE).smooth(stamps)
    assert np.abs(smoothed - stamps)[10_000:].max() < 1e-4


@pytest.mark.parametrize("step", [2.0, 0.06, -0.06, -30.0])
def test_a_step_restarts_the_smoother_at_once(step: float) -> None:
    stamps = 100 + np.arange(2000) / RATE
    stamps[1000:] += step
    smoothed, starts = StampSmoother(RATE).smooth(stamps)
    assert starts == [0, 1000]
    np.testing.assert_allclose(smoothed, stamps, rtol=0, atol=1e-9)


def test_rate_is_measured_from_arrivals() -> None:
    meter = RateMeter()
    assert meter.rate(0.0) is None
    for i in range(200):
        meter.count(0.02 * i, 10)
    assert meter.rate(4.0) == pytest.approx(500.0)
    assert meter.rate(60.0) == 0.0


# EEG over LSL


@pytest.mark.lsl
def test_shuffled_channels_trigger_and_volts_give_the_same_ring(
    stream_name: str, eeg: LslEeg
) -> None:
    order = np.random.default_rng(3).permutation(30)
    labels = ["triggerStream", *(EEG_CHANNELS[i] for i in order)]
    outlet = open_eeg(stream_name, labels, units=["code", *["volts"] * 30])
    plain = eeg_like()
    sent = np.column_stack([np.full(N, 7.0), plain[:, order] * 1e-6])
    np.testing.assert_allclose(received(eeg, outlet, sent), plain, rtol=1e-6)


@pytest.mark.lsl
def test_plain_microvolts_arrive_bit_by_bit(stream_name: str, eeg: LslEeg) -> None:
    outlet, sent = open_eeg(stream_name), eeg_like()
    assert np.array_equal(received(eeg, outlet, sent), sent)
    assert eeg.health(pylsl.local_clock()).state is StreamState.LIVE
    assert eeg.stream_name == stream_name


@pytest.mark.lsl
def test_raw_integers_are_scaled_by_the_factor_in_the_header(
    stream_name: str, eeg: LslEeg
) -> None:
    outlet = open_eeg(stream_name, scaling="0.5", sample_format="int16")
    sent = np.arange(30 * N).reshape(N, 30) % 1000
    assert np.array_equal(received(eeg, outlet, sent), sent * np.float32(0.5))


@pytest.mark.lsl
def test_labels_of_the_config_stand_in_for_a_header_without(stream_name: str) -> None:
    outlet = open_eeg(stream_name, labels=None)
    bare = LslEeg(stream_name)
    with pytest.raises(SourceRefused, match=r"names none of its 30 channels"):
        connect(bare)
    named = LslEeg(stream_name, labels=EEG_CHANNELS[::-1])
    sent = eeg_like()
    assert np.array_equal(received(named, outlet, sent), sent[:, ::-1])
    bare.stop()
    named.stop()


@pytest.mark.lsl
@pytest.mark.parametrize(
    ("rate", "message"),
    [(pylsl.IRREGULAR_RATE, "no sampling rate"), (100.0, "100 Hz; 125 Hz or more")],
)
def test_unusable_rates_are_refused(
    stream_name: str, eeg: LslEeg, rate: float, message: str
) -> None:
    outlet = open_eeg(stream_name, rate=rate)
    with pytest.raises(SourceRefused, match=message):
        connect(eeg)
    del outlet


@pytest.mark.lsl
def test_a_refused_stream_is_a_visible_state(stream_name: str, eeg: LslEeg) -> None:
    outlet = open_eeg(stream_name, [*EEG_CHANNELS[:29], "Fp1"])
    eeg.start()
    wait_for(lambda: eeg.health(0.0).state is StreamState.REFUSED)
    assert "Fp1 twice" in eeg.health(0.0).detail
    eeg.stop()
    eeg.stop()
    del outlet


@pytest.mark.lsl
def test_an_exact_name_wins_over_the_beginning_of_a_name(
    stream_name: str, eeg: LslEeg
) -> None:
    longer, exact = open_eeg(f"{stream_name}-2"), open_eeg(stream_name)
    connect(eeg)
    assert eeg.stream_name == stream_name
    del longer, exact


@pytest.mark.lsl
def test_the_beginning_of_a_name_is_enough(stream_name: str, eeg: LslEeg) -> None:
    outlet = open_eeg(f"{stream_name}-device-17")
    other = open_eeg(f"{stream_name}-device-17-Audio", stream_type="Audio")
    connect(eeg)
    assert eeg.stream_name == f"{stream_name}-device-17"
    del outlet, other


@pytest.mark.lsl
def test_several_matches_are_listed_and_not_guessed(
    stream_name: str, eeg: LslEeg
) -> None:
    outlets = [open_eeg(f"{stream_name}-{i}") for i in range(2)]
    pattern = rf"2 LSL streams.*{stream_name}-0 on .*30 channels at 500 Hz; .*-1 on"
    with pytest.raises(SourceRefused, match=pattern):
        connect(eeg)
    del outlets


@pytest.mark.lsl
def test_what_is_visible_is_named_while_the_stream_is_not_there(
    stream_name: str, eeg: LslEeg
) -> None:
    outlet = open_eeg(f"other-{stream_name}")
    assert eeg.pull() is False
    health = eeg.health(pylsl.local_clock())
    assert health.state is StreamState.CONNECTING
    assert f"other-{stream_name}" in health.detail
    del outlet


@pytest.mark.lsl
def test_a_stream_that_returns_is_read_again_and_not_glued(
    stream_name: str, eeg: LslEeg
) -> None:
    outlet = open_eeg(stream_name)
    received(eeg, outlet, eeg_like())
    ring = eeg.ring
    assert ring is not None
    del outlet
    pull_until(eeg, lambda: not eeg._inlet.is_open)
    assert eeg.health(pylsl.local_clock()).state is StreamState.LOST

    outlet = open_eeg(stream_name)
    connect(eeg)
    again = eeg_like(100, seed=5)
    # Stamped as if no sample were missing: the reopening alone is a gap.
    first = float(ring.latest(1.0)[0][-1]) + 1 / RATE
    outlet.push_chunk(again, (first + np.arange(100) / RATE).tolist())
    pull_until(eeg, lambda: ring.until(first + 100 / RATE, 60.0) is not None)
    stretch = ring.until(first + 100 / RATE, 60.0)
    assert eeg.returns == 1
    assert stretch is not None
    assert np.array_equal(stretch.values, again)


@pytest.mark.lsl
def test_the_thread_finds_a_stream_that_returns(stream_name: str, eeg: LslEeg) -> None:
    eeg.start()
    for turn in range(2):
        outlet = open_eeg(stream_name)
        wait_for(outlet.have_consumers)
        outlet.push_chunk(eeg_like(50), pylsl.local_clock())
        wait_for(lambda n=turn: eeg.returns == n and eeg.ring is not None)
        wait_for(lambda: eeg.health(pylsl.local_clock()).state is StreamState.LIVE)
        del outlet
        wait_for(lambda: eeg.health(pylsl.local_clock()).state is StreamState.LOST)


@pytest.mark.lsl
def test_a_refusal_ends_when_its_cause_does(stream_name: str, eeg: LslEeg) -> None:
    outlet = open_eeg(stream_name, rate=100.0)
    eeg.start()
    wait_for(lambda: eeg.health(0.0).state is StreamState.REFUSED)
    del outlet
    wait_for(lambda: eeg.health(0.0).state is StreamState.CONNECTING)
    outlet = open_eeg(stream_name)
    wait_for(outlet.have_consumers)
    outlet.push_chunk(eeg_like(50), pylsl.local_clock())
    wait_for(lambda: eeg.health(pylsl.local_clock()).state is StreamState.LIVE)


@pytest.mark.lsl
def test_a_silent_stream_is_kept_while_its_sender_is_there(stream_name: str) -> None:
    clock = Clock()
    source = LslEeg(stream_name, clock=clock)
    outlet, sent = open_eeg(stream_name), eeg_like()
    connect(source)
    clock.now += 60.0
    assert source.pull() is False
    assert source._inlet.is_open
    assert np.array_equal(received(source, outlet, sent), sent)
    assert source.returns == 0
    source.stop()


@pytest.mark.lsl
def test_stamps_of_another_computer_are_brought_to_this_clock(
    stream_name: str, monkeypatch: pytest.MonkeyPatch, eeg: LslEeg
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "another-computer")
    monkeypatch.setattr(pylsl.StreamInlet, "time_correction", lambda *_: 12.5)
    outlet = open_eeg(stream_name)
    connect(eeg)
    stamp = pylsl.local_clock()
    outlet.push_chunk(eeg_like(10), stamp)
    pull_until(eeg, lambda: eeg.ring is not None and eeg.ring.filled >= 0.02)
    assert eeg.ring is not None
    assert eeg.ring.newest == pytest.approx(stamp + 12.5, abs=1e-3)


@pytest.mark.lsl
def test_a_stream_of_mne_lsl_is_understood(stream_name: str, eeg: LslEeg) -> None:
    from mne_lsl.lsl import StreamInfo, StreamOutlet

    info = StreamInfo(stream_name, "EEG", 30, RATE, "float64", f"id {stream_name}")
    info.set_channel_names(list(EEG_CHANNELS))
    info.set_channel_types("eeg")
    info.set_channel_units(["0"] * 30)  # a power of ten: volts
    outlet = StreamOutlet(info)
    connect(eeg)
    sent = eeg_like().astype(np.float64)
    now = pylsl.local_clock()
    outlet.push_chunk(sent * 1e-6, timestamp=now)
    pull_until(eeg, lambda: eeg.ring is not None and eeg.ring.filled >= N / RATE - 1e-9)
    assert eeg.ring is not None
    np.testing.assert_allclose(eeg.ring.latest(9.0)[1], sent, rtol=1e-6)
    del outlet


# Sound


@pytest.mark.lsl
def test_sound_in_integers_is_scaled_and_mixed_to_mono(stream_name: str) -> None:
    info = pylsl.StreamInfo(stream_name, "Audio", 2, 16_000, "int16", stream_name)
    outlet = pylsl.StreamOutlet(info)
    source = LslAudio(stream_name)
    connect(source)
    sent = np.column_stack([np.arange(800) * 40, np.zeros(800)]).astype(np.int16)
    outlet.push_chunk(sent, pylsl.local_clock())
    pull_until(source, lambda: source.ring is not None and source.ring.filled >= 0.05)
    assert source.ring is not None
    values = source.ring.latest(1.0)[1][:, 0]
    np.testing.assert_allclose(values, sent[:, 0] / 2 / 32_768, atol=1e-7)
    source.stop()


def write_wav(path: Path, samples: np.ndarray, rate: int) -> None:
    import soundfile

    soundfile.write(path, samples, rate, subtype="FLOAT")


def test_a_sound_file_is_played_at_its_true_pace_and_ends(tmp_path: Path) -> None:
    samples = np.sin(np.arange(8000) / 9).astype(np.float32)
    write_wav(tmp_path / "a.wav", samples, 16_000)
    clock = Clock()
    source = FileAudio(tmp_path / "a.wav", clock)
    assert source.pull() is False  # nothing is due yet
    clock.now += 0.2
    assert source.pull()
    assert source.ring is not None
    times, values = source.ring.latest(9.0)
    assert np.array_equal(values[:, 0], samples[:3200])
    np.testing.assert_allclose(times, 1000 + np.arange(3200) / 16_000, atol=1e-9)
    assert source.health(clock.now).state is StreamState.LIVE
    clock.now += 10
    source.pull()
    health = source.health(clock.now)
    assert (health.state, health.detail) == (StreamState.LOST, "file ended")


def test_a_file_without_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no sound")
    with pytest.raises(SourceRefused, match=r"a\.wav"):
        FileAudio(tmp_path / "a.wav", Clock()).pull()


def test_microphone_blocks_are_stamped_with_their_capture_time() -> None:
    clock = Clock(500.0)
    microphone = Microphone(clock=clock)
    microphone._rate = 1000.0
    microphone._stream = SimpleNamespace(close=lambda ignore_errors: None)
    microphone._prepare_ring(1000.0)
    # PortAudio's clock reads 77.03 s; the block's first sample was taken 30 ms before.
    times = SimpleNamespace(inputBufferAdcTime=77.0, currentTime=77.03)
    block = np.column_stack([np.ones(20), np.zeros(20)]).astype(np.float32)
    microphone.capture(block, 20, times, None)
    assert microphone.pull()
    assert microphone.ring is not None
    stamps, values = microphone.ring.latest(1.0)
    np.testing.assert_allclose(stamps, 499.97 + np.arange(20) / 1000)
    np.testing.assert_array_equal(values[:, 0], 0.5)
    microphone.stop()


def test_a_capture_time_of_zero_means_that_the_block_just_ended() -> None:
    assert capture_time(100.0, 0.02, 0.0, 55.0) == pytest.approx(99.98)
    assert capture_time(100.0, 0.02, 50.0, 0.0) == pytest.approx(99.98)
    assert capture_time(100.0, 0.02, 54.9, 55.0) == pytest.approx(99.9)


class FakeSoundCard:
    """Sounddevice with one microphone at 8 kHz, of which the test holds the wires."""

    PortAudioError = OSError

    def __init__(self) -> None:
        self.opened: list[SimpleNamespace] = []
        self.rescans = 0

    def query_devices(self, device: object, kind: str) -> dict[str, object]:
        return dict(name="desk", default_samplerate=8000.0, max_input_channels=1)

    def InputStream(self, **settings: object) -> SimpleNamespace:
        stream = SimpleNamespace(
            start=lambda: None, close=lambda ignore_errors: None, **settings
        )
        self.opened.append(stream)
        return stream

    def _terminate(self) -> None:
        self.rescans += 1

    def _initialize(self) -> None:
        pass


def test_a_microphone_that_falls_silent_is_opened_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card, clock = FakeSoundCard(), Clock()
    monkeypatch.setitem(sys.modules, "sounddevice", card)
    microphone = Microphone(clock=clock)
    microphone.pull()
    times = SimpleNamespace(inputBufferAdcTime=0.0, currentTime=0.0)
    block = np.full((160, 1), 0.25, np.float32)
    card.opened[0].callback(block, 160, times, None)
    assert microphone.pull()
    assert microphone.health(clock.now).state is StreamState.LIVE

    clock.now += 5.0
    assert microphone.pull() is False
    health = microphone.health(clock.now)
    assert health.state is StreamState.LOST
    assert "fell silent" in health.detail
    microphone.pull()
    card.opened[1].callback(block, 160, times, None)
    assert microphone.pull()
    assert (len(card.opened), card.rescans, microphone.returns) == (2, 1, 1)
    assert microphone.ring is not None
    assert microphone.ring.filled == pytest.approx(0.02)  # not glued


def test_missing_portaudio_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import builtins

    real = builtins.__import__

    def without(name: str, *args: object, **kwargs: object) -> object:
        if name == "sounddevice":
            raise OSError("PortAudio library not found")
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SourceRefused, match="apt-get install libportaudio2"):
        Microphone().pull()


def test_a_computer_without_microphone_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class PortAudioError(Exception):
        pass

    def none(device: object, kind: str) -> None:
        raise PortAudioError("no default input device")

    fake = SimpleNamespace(PortAudioError=PortAudioError, query_devices=none)
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    microphone = Microphone(clock=Clock())
    assert microphone.pull() is False
    health = microphone.health(0.0)
    assert health.state is StreamState.CONNECTING
    assert "no default input device" in health.detail


# Video


def write_video(path: Path, n: int = 45, rate: int = 30, size: int = 64) -> None:
    """A bright box that moves over noise."""
    rng = np.random.default_rng(4)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, rate)
        for i in range(n):
            image = rng.integers(0, 60, (size, size, 3), dtype=np.uint8)
            image[8:24, i % 40 : i % 40 + 16] = 230
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = i
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def kept_offline(path: Path, seconds: float) -> list[FaceFrame]:
    recording = Recording("clip", seconds, None, 0.0, (), None, 0.0, path)
    faces = track_faces(recording, NoFaces())  # type: ignore[arg-type]
    assert faces is not None
    return faces


def same_frames(live: list[FaceFrame], offline: list[FaceFrame], t0: float) -> None:
    assert len(live) == len(offline)
    for a, b in zip(live, offline, strict=True):
        assert a.time - t0 == pytest.approx(b.time, abs=1e-9)
        assert np.array_equal(a.image, b.image)


def test_a_video_file_keeps_the_frames_that_offline_keeps(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path)
    clock, tracker = Clock(), NoFaces()
    source = FileVideo(path, clock, tracker)
    for _ in range(60):
        source.pull()
        clock.now += 0.04
    same_frames(source.ring.until(9e9), kept_offline(path, 9.0), 1000.0)
    assert tracker.resets == 1
    assert source.health(clock.now).state is StreamState.LOST
    assert source.detail == "file ended"


@pytest.mark.lsl
def test_video_over_lsl_keeps_the_frames_that_offline_keeps(
    tmp_path: Path, stream_name: str
) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path)
    info = pylsl.StreamInfo(stream_name, "VideoRaw", 64 * 64 * 3, 30, "int8", "video")
    info.desc().append_child_value("width", "64")
    info.desc().append_child_value("height", "64")
    outlet = pylsl.StreamOutlet(info, 1, 2)
    source = LslVideo(stream_name, tracker=NoFaces())
    connect(source)
    t0 = pylsl.local_clock() - 2.0
    last = 0.0
    for time_s, frame in iter_frames(path):
        outlet.push_chunk(rgb(frame).reshape(1, -1).view(np.int8), [t0 + time_s])
        last = t0 + time_s
    pull_until(source, lambda: source.ring.newest == last)
    same_frames(source.ring.until(9e9), kept_offline(path, 9.0), t0)
    source.stop()


@pytest.mark.lsl
def test_video_of_another_shape_than_its_header_is_refused(stream_name: str) -> None:
    info = pylsl.StreamInfo(stream_name, "VideoRaw", 100, 30, "int8", "video")
    info.desc().append_child_value("width", "64")
    outlet = pylsl.StreamOutlet(info, 1, 2)
    source = LslVideo(stream_name, tracker=NoFaces())
    with pytest.raises(SourceRefused, match="width x height x 3 was expected"):
        connect(source)
    source.stop()
    del outlet


def test_a_failing_tracker_leaves_the_picture() -> None:
    class Broken(NoFaces):
        def update(self, image: np.ndarray, time: float) -> FaceFrame:
            raise RuntimeError("no network")

    keeper = FrameKeeper(Broken())
    image = np.zeros((32, 32, 3), np.uint8)
    keeper.take(1.0, lambda: image)
    frame = keeper.ring.newest_frame
    assert frame is not None
    assert frame.image is image
    assert not frame.found


def test_a_gap_between_frames_starts_the_tracker_anew() -> None:
    tracker = NoFaces()
    keeper = FrameKeeper(tracker)
    image = np.zeros((32, 32, 3), np.uint8)
    for t in [0.0, 0.2, 0.4, 1.2, 1.4]:
        keeper.take(t, lambda: image)
    assert tracker.resets == 2
    assert [f.time for f in keeper.ring.until(9.0)] == [1.2, 1.4]


def test_a_backlog_is_skipped_in_one_piece() -> None:
    guard = BacklogGuard()
    behind = [0.5, 1.9, 2.1, 1.5, 0.2, 0.05, 1.0]
    skipped = [guard.skip(b) for b in behind]
    assert skipped == [False, False, True, True, True, False, False]


def test_the_drivers_stamp_is_used_only_on_this_clock() -> None:
    assert frame_time(100.0, 99.96) == 99.96
    assert frame_time(100.0, 0.0) == 100.0
    assert frame_time(100.0, 1.7e9) == 100.0
