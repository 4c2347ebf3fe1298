"""Clocks that jump, rates that are not what was said, devices that delay."""

import json
from collections.abc import Iterator

import numpy as np
import pylsl
import pytest
from source_helpers import (
    RATE,
    Clock,
    NoFaces,
    connect,
    eeg_like,
    open_eeg,
    pull_until,
    wait_for,
)
from test_video_source import open_video

from eav_live.recognition.predictions import StreamState
from eav_live.streams.audio import LslAudio
from eav_live.streams.clock import ClockGuard, StampRate
from eav_live.streams.eeg import LslEeg
from eav_live.streams.markers import ReplayTruth
from eav_live.streams.source import RETURNED_SECONDS
from eav_live.streams.video import LslVideo
from eav_offline.common.errors import SourceRefused
from eav_offline.core.electrodes import reference_note
from eav_offline.core.stamps import SAMPLE_GAP_SECONDS

HOUR = 3600.0


def chunk(start: float, n: int = 50) -> np.ndarray:
    return start + np.arange(n) / RATE


def test_right_stamps_pass_as_they_are() -> None:
    guard = ClockGuard()
    for start in (100.0, 100.1, 102.5):  # the last after a pause
        stamps = chunk(start)
        assert np.array_equal(guard.place(stamps, start + 0.1), stamps)
    assert guard.steps == 0


def test_a_late_burst_and_a_long_pause_are_no_jumps() -> None:
    guard = ClockGuard()
    guard.place(chunk(100.0), 100.1)
    np.testing.assert_array_equal(guard.place(chunk(100.1), 102.2), chunk(100.1))
    np.testing.assert_array_equal(guard.place(chunk(8000.0), 8000.1), chunk(8000.0))
    assert guard.steps == 0


@pytest.mark.parametrize("jump", [HOUR, -HOUR, -10.0])
def test_after_a_jump_samples_are_placed_by_arrival(jump: float) -> None:
    guard = ClockGuard()
    guard.place(chunk(100.0), 100.1)
    placed = guard.place(chunk(100.1 + jump), 100.2)
    assert guard.steps == 1
    assert abs(placed[-1] - 100.2) < 0.15
    np.testing.assert_allclose(np.diff(placed), 1 / RATE, atol=1e-6)
    again = guard.place(chunk(100.2 + jump), 100.3)
    assert again[0] - placed[-1] == pytest.approx(1 / RATE, abs=1e-6)
    assert guard.steps == 1
    side = "ahead of" if jump > 0 else "behind"
    assert f"{abs(jump):.0f} s {side} this computer's" in guard.said


def test_a_jump_is_a_gap() -> None:
    guard = ClockGuard()
    before = guard.place(chunk(100.0), 100.1)
    after = guard.place(chunk(100.1 - HOUR), 100.1)
    assert after[0] - before[-1] > SAMPLE_GAP_SECONDS


def test_a_jump_in_the_middle_of_a_chunk_parts_it() -> None:
    guard = ClockGuard()
    stamps = np.concatenate([chunk(100.0), chunk(100.1 + HOUR)])
    placed = guard.place(stamps, 100.2)
    assert np.array_equal(placed[:50], stamps[:50])
    assert (placed[50:] < 101).all()


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_clock_that_is_right_again_is_believed(jump: float) -> None:
    guard = ClockGuard()
    guard.place(chunk(100.0), 100.1)
    guard.place(chunk(100.1 + jump), 100.2)
    stamps = chunk(100.6)
    assert np.array_equal(guard.place(stamps, 100.7), stamps)
    assert guard.said == ""
    assert guard.steps == 2


@pytest.mark.parametrize("jump", [HOUR, -HOUR, -10.0])
def test_a_clock_that_is_right_again_leaves_no_delay(jump: float) -> None:
    """Though its stamps begin before the end of what was placed by arrival."""
    guard = ClockGuard()
    guard.place(chunk(100.0), 100.1)
    late = guard.place(chunk(100.1 + jump), 100.25)
    stamps = chunk(100.2)
    assert late[-1] > stamps[0]
    assert np.array_equal(guard.place(stamps, 100.3), stamps)
    assert guard.said == ""


def test_a_small_step_backward_puts_the_stream_aside_for_ten_seconds_only() -> None:
    """For ever would leave it a quarter of a second apart from the others."""
    guard = ClockGuard()
    guard.place(chunk(100.0), 100.1)
    apart = []
    for i in range(1, 140):
        now = 100.1 + 0.1 * i
        stamps = chunk(now - 0.1 - 0.2)  # 200 ms back, and so from now on
        apart.append(float(guard.place(stamps, now)[-1] - stamps[-1]))
    assert guard.steps == 1
    assert min(apart[:90]) > 0.1
    assert apart[105:] == [0.0] * len(apart[105:])
    assert guard.said == ""


def test_a_reader_that_lags_does_not_keep_a_right_clock_from_being_believed() -> None:
    guard = ClockGuard()
    guard.place(chunk(100.0), 100.1)
    guard.place(chunk(100.1 - HOUR), 100.2)
    placed = np.zeros(0)
    for i in range(1, 140):  # right again, read 0.8 s late for two seconds
        now = 100.2 + 0.1 * i
        stamps = chunk(now - 0.1 - (0.8 if i < 20 else 0.0))
        placed = guard.place(stamps, now)
    assert np.array_equal(placed, stamps)
    assert guard.said == ""


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf, 1e300])
def test_samples_without_a_time_stand_in_line_with_those_they_came_with(
    broken: float,
) -> None:
    """At a chunk's beginning, middle and end, or all of it."""
    guard = ClockGuard()
    guard.reset(RATE)
    stamps = 100.0 + np.arange(200) / RATE
    sent = stamps.copy()
    sent[[50, 51, 70, 98, 99]] = sent[100:150] = broken
    placed = [
        guard.place(part, float(part_end))
        for part, part_end in (
            (sent[i : i + 50], stamps[i + 49] + 0.02) for i in range(0, 200, 50)
        )
    ]
    # Interpolating costs a rounding error of the clock's ten digits.
    np.testing.assert_allclose(np.concatenate(placed), stamps, rtol=0, atol=1e-9)
    assert guard.unstamped == 55
    assert guard.steps == 0
    assert "without a valid time stamp" in guard.said
    guard.place(chunk(130.0), 130.1)
    guard.place(chunk(130.1), 130.2)
    assert guard.said == ""


@pytest.mark.parametrize("rate", [RATE, 0.0])
def test_a_sender_that_never_stamps_is_placed_by_arrival(rate: float) -> None:
    guard = ClockGuard()
    guard.reset(rate)
    for now in (100.0, 100.1, 107.0):  # the last after a pause
        placed = guard.place(np.full(50, np.nan), now)
        assert placed[-1] == pytest.approx(now, abs=1e-6)
        np.testing.assert_allclose(np.diff(placed), 1 / rate if rate else 0, atol=1e-9)


def rate_of(true: float, declared: float, chunk_s: float = 0.1) -> StampRate:
    """Six seconds of a sender that stamps each chunk's last sample rightly."""
    found, n = StampRate(), round(true * chunk_s)
    for i in range(round(6 / chunk_s)):
        found.update(i * chunk_s - np.arange(n)[::-1] / declared)
    return found


def test_a_wrong_rate_is_seen_in_the_stamps() -> None:
    found = rate_of(250.0, 500.0)
    assert found.rate == pytest.approx(250.0, rel=1e-3)
    assert found.differs_from(500.0)
    assert not rate_of(500.0, 500.0).differs_from(500.0)


def test_a_drifting_crystal_is_no_wrong_rate() -> None:
    assert not rate_of(500.0, 505.0).differs_from(505.0)


def test_a_pause_is_no_wrong_rate() -> None:
    found = StampRate()
    for start in (0.0, 2.0, 4.5, 7.0):  # a second each
        found.update(start + np.arange(500) / 500)
    assert not found.differs_from(500.0)


# Over LSL


@pytest.fixture
def eeg(stream_name: str) -> Iterator[LslEeg]:
    source = LslEeg(stream_name)
    yield source
    source.stop()


@pytest.mark.lsl
@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_samples_after_a_clock_jump_still_arrive(
    stream_name: str, eeg: LslEeg, jump: float
) -> None:
    outlet = open_eeg(stream_name)
    connect(eeg)
    now = pylsl.local_clock()
    outlet.push_chunk(eeg_like(100), (now - chunk(0.0, 100)[::-1]).tolist())
    pull_until(eeg, lambda: eeg.ring is not None and eeg.ring.newest is not None)
    later = now + jump + chunk(0.0, 100)
    outlet.push_chunk(eeg_like(100), later.tolist())
    pull_until(eeg, lambda: eeg.health(0.0).clock_steps == 1)
    health = eeg.health(pylsl.local_clock())
    assert health.state is StreamState.LIVE
    assert "3600 s" in health.notice
    assert eeg.ring is not None
    ring = eeg.ring  # a chunk may come in parts; nothing of it is lost
    pull_until(eeg, lambda: len(ring.latest(60.0)[0]) == 200)
    assert eeg.ring.filled == pytest.approx(0.2)  # and nothing glued


@pytest.mark.lsl
@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_one_sample_without_a_time_does_not_end_the_stream(
    stream_name: str, eeg: LslEeg, broken: float
) -> None:
    outlet = open_eeg(stream_name)
    connect(eeg)
    sent = eeg_like(400)
    stamps = pylsl.local_clock() - 0.8 + np.arange(400) / RATE
    told = stamps.tolist()
    told[150] = broken
    outlet.push_chunk(sent, told)
    pull_until(eeg, lambda: eeg.ring is not None and eeg.ring.filled >= 0.8 - 1e-9)
    assert eeg.ring is not None
    times, values = eeg.ring.latest(9.0)
    np.testing.assert_allclose(times, stamps, rtol=0, atol=1e-6)  # smoothed
    assert np.array_equal(values, sent)
    health = eeg.health(pylsl.local_clock())
    assert health.state is StreamState.LIVE
    assert "without a valid time stamp" in health.notice


@pytest.mark.lsl
def test_sound_and_pictures_without_a_time_are_placed_by_arrival(
    stream_name: str,
) -> None:
    info = pylsl.StreamInfo(stream_name, "Audio", 1, 16_000, "float32", stream_name)
    sound = pylsl.StreamOutlet(info)
    video = open_video(stream_name)
    sources = [LslAudio(stream_name), LslVideo(stream_name, tracker=NoFaces())]
    for source, outlet, values in zip(
        sources,
        (sound, video),
        (np.zeros((160, 1), np.float32), np.zeros((1, 48), np.int8)),
        strict=True,
    ):
        connect(source)
        outlet.push_chunk(values, np.nan)
        pull_until(source, lambda s=source: bool(s.meter._arrivals))
        assert source.ring is not None
        now = pylsl.local_clock()
        assert source.ring.newest == pytest.approx(now, abs=0.5)
        health = source.health(now)
        assert health.state is StreamState.LIVE
        assert "without a valid time stamp" in health.notice
        source.stop()


@pytest.mark.lsl
def test_a_marker_without_a_time_is_placed_by_arrival(
    stream_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    info = pylsl.StreamInfo(
        f"{stream_name}-Markers", "Markers", 1, 0, "string", stream_name
    )
    info.desc().append_child_value("eav_replay", "recorded")
    outlet = pylsl.StreamOutlet(info)
    truth = ReplayTruth(lambda: stream_name)
    truth.start()
    wait_for(outlet.have_consumers)
    outlet.push_sample([json.dumps({"emotion": "anger", "seconds": 20})], np.nan)
    wait_for(lambda: truth.at(pylsl.local_clock()) == "anger")
    assert "time stamp" in caplog.text
    truth.stop()


@pytest.mark.lsl
def test_a_wrong_rate_is_a_fault_and_can_be_corrected(stream_name: str) -> None:
    outlet = open_eeg(stream_name, rate=500.0)
    told, corrected = LslEeg(stream_name), LslEeg(stream_name, rate=250.0)
    for source in (told, corrected):
        connect(source)
    begin = pylsl.local_clock() - 6
    for i in range(24):  # chunks of a quarter second at a true 250 Hz
        stamps = begin + i / 4 + np.arange(62) / 250
        outlet.push_chunk(eeg_like(62), stamps.tolist())
    for source in (told, corrected):
        pull_until(source, lambda s=source: s._stamp_rate.rate is not None)
    assert told.health(0.0).fault.startswith("248 samples a second instead of 500")
    assert corrected.health(0.0).fault == ""
    for source in (told, corrected):
        source.stop()


@pytest.mark.lsl
def test_sound_at_a_wrong_rate_is_a_fault(stream_name: str) -> None:
    info = pylsl.StreamInfo(stream_name, "Audio", 1, 16_000, "float32", stream_name)
    outlet = pylsl.StreamOutlet(info)
    source = LslAudio(stream_name)
    connect(source)
    begin = pylsl.local_clock() - 5
    for i in range(20):
        stamps = begin + i / 4 + np.arange(2000) / 8000
        outlet.push_chunk(np.zeros((2000, 1), np.float32), stamps.tolist())
    pull_until(source, lambda: bool(source.health(0.0).fault))
    assert "8000 samples a second instead of 16000" in source.health(0.0).fault
    source.stop()


@pytest.mark.lsl
@pytest.mark.parametrize("rate", [125.0, 5000.0])
def test_every_rate_from_125_to_5000_hz_is_read(
    stream_name: str, eeg: LslEeg, rate: float
) -> None:
    outlet = open_eeg(stream_name, rate=rate)
    connect(eeg)
    n = round(2 * rate)
    sent = eeg_like(n)
    stamps = pylsl.local_clock() - 2.5 + np.arange(n) / rate
    outlet.push_chunk(sent, stamps.tolist())
    pull_until(
        eeg, lambda: eeg.ring is not None and eeg.ring.filled >= 2.0 - 0.5 / rate
    )
    assert eeg.ring is not None
    assert np.array_equal(eeg.ring.latest(9.0)[1], sent)


@pytest.mark.lsl
def test_a_rate_beyond_use_is_refused(stream_name: str, eeg: LslEeg) -> None:
    outlet = open_eeg(stream_name, rate=100_000.0)
    with pytest.raises(SourceRefused, match="up to 10000 Hz are read"):
        connect(eeg)
    del outlet


@pytest.mark.lsl
def test_a_devices_delay_is_taken_off_its_stamps(stream_name: str) -> None:
    outlet = open_eeg(stream_name)
    source = LslEeg(stream_name, delay_s=0.04)
    connect(source)
    stamp = pylsl.local_clock()
    outlet.push_chunk(eeg_like(10), stamp)
    pull_until(source, lambda: source.ring is not None and source.ring.filled >= 0.02)
    assert source.ring is not None
    assert source.ring.newest == pytest.approx(stamp - 0.04, abs=1e-6)
    source.stop()


@pytest.mark.lsl
def test_electrodes_named_bad_are_interpolated(stream_name: str) -> None:
    outlet = open_eeg(stream_name)
    source = LslEeg(stream_name, bad=("T7",))
    connect(source)
    assert source.interpolated == ("T7",)
    source.stop()
    del outlet


@pytest.mark.lsl
def test_a_stream_is_shown_as_returned_for_a_moment(stream_name: str) -> None:
    clock = Clock(pylsl.local_clock())  # stands still but where it is moved here
    source = LslEeg(stream_name, clock=clock)
    outlet = open_eeg(stream_name)
    connect(source)

    def send() -> None:
        outlet.push_chunk(eeg_like(10), source.clock())
        newest = source.ring.newest if source.ring else None
        pull_until(
            source, lambda: source.ring is not None and source.ring.newest != newest
        )

    send()
    assert source.health(source.clock()).state is StreamState.LIVE
    clock.now += 10.0  # the sender paused
    assert source.health(source.clock()).state is StreamState.LOST
    send()
    health = source.health(source.clock())
    assert (health.state, health.returns) == (StreamState.RETURNED, 1)
    clock.now += RETURNED_SECONDS - 0.5
    send()
    clock.now += 0.6
    assert source.health(source.clock()).state is StreamState.LIVE
    source.stop()


@pytest.mark.lsl
@pytest.mark.parametrize("model_is_there", [True, False])
def test_the_reference_of_the_header_is_compared(
    stream_name: str, model_is_there: bool
) -> None:
    outlet = open_eeg(stream_name, reference="Cz")
    said: list[str] = []

    def check(header: str) -> str:
        said.append(header)
        return "not the model's"

    source = LslEeg(stream_name)
    if model_is_there:
        source.compare_reference(check)
    connect(source)
    if not model_is_there:
        assert source.health(0.0).notice == ""
        source.compare_reference(check)
        outlet.push_chunk(eeg_like(10), source.clock())
        pull_until(source, lambda: bool(said))
    assert said == ["Cz"]
    assert source.health(0.0).notice == "not the model's"
    source.stop()
    del outlet


@pytest.mark.parametrize(
    ("stated", "header", "trained", "averaged", "said"),
    [
        (None, "", "", False, "the amplifier's reference is not known"),
        (None, "", "FCz", False, "the model was trained with FCz"),
        ("FCz", "", "", False, ""),
        ("fcz", "", "FCz", False, ""),
        (None, "FCz", "FCz", False, ""),
        ("Cz", "FCz", "FCz", False, "reference is Cz and the model was trained"),
        ("A2, A1", "", "A1+A2", False, ""),
        ("Cz", "", "FCz", True, ""),
    ],
)
def test_the_reference_is_asked_for_and_compared(
    stated: str | None, header: str, trained: str, averaged: bool, said: str
) -> None:
    note = reference_note(stated, header, trained, averaged, "live.toml")
    assert (said in note) if said else note == ""
