"""EEG over LSL: which stream, whose clock, and what a loss does."""

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pylsl
import pytest
from source_helpers import (
    RATE,
    connect,
    eeg_like,
    open_eeg,
    pull_until,
    wait_for,
)

from eav_live.commands import devices as devices_command
from eav_live.doctor import network
from eav_live.recognition.predictions import StreamState
from eav_live.streams import devices
from eav_live.streams.eeg import LslEeg
from eav_live.streams.lsl import LslInlet, handle
from eav_offline.common.errors import SourceRefused
from eav_offline.core.window import EEG_CHANNELS

N = 400


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
    pattern = rf"2 LSL streams.*{stream_name}-0 on .*30 channels at 500 Hz, .*-1 on"
    with pytest.raises(SourceRefused, match=pattern):
        connect(eeg)
    del outlets


def open_twin(name: str, source_id: str) -> pylsl.StreamOutlet:
    """EEG without labels: another stream that may have the name."""
    info = pylsl.StreamInfo(name, "EEG", 30, RATE, "float32", source_id)
    return pylsl.StreamOutlet(info)


@pytest.mark.lsl
def test_two_streams_of_one_name_are_told_apart_by_their_source_ids(
    stream_name: str,
) -> None:
    ids = [f"{stream_name} amp {i}" for i in "ab"]
    outlets = [open_twin(stream_name, source_id) for source_id in ids]
    asked = LslInlet("EEG", stream_name, pylsl.local_clock)
    pattern = rf"source id {ids[0]}\).*{ids[1]}\). Give '{ids[0]}' or '{ids[1]}', or"
    with pytest.raises(SourceRefused, match=pattern):
        asked.open()
    for source_id in ids:
        chosen = LslInlet("EEG", source_id, pylsl.local_clock)
        header = chosen.open()
        assert header is not None
        assert header.source_id() == source_id
        chosen.close()
    listed = [s.handle for s in devices.streams() if s.name == stream_name]
    assert listed == ids
    del outlets


@pytest.mark.lsl
def test_streams_that_nothing_tells_apart_are_to_be_stopped(stream_name: str) -> None:
    outlets = [open_twin(stream_name, "") for _ in range(2)]
    asked = LslInlet("EEG", stream_name, pylsl.local_clock)
    with pytest.raises(SourceRefused, match="Nothing tells them apart: stop"):
        asked.open()
    del outlets


def visible(name: str, host: str, source_id: str = "", kind: str = "EEG") -> Any:
    return SimpleNamespace(
        name=lambda: name,
        hostname=lambda: host,
        source_id=lambda: source_id,
        type=lambda: kind,
    )


def test_two_streams_of_one_name_are_told_apart_by_their_computers() -> None:
    found = [visible("Amp", "left"), visible("Amp", "right"), visible("Amp2", "left")]
    found.append(visible("Amp", "left", kind="Markers"))
    named = [handle(info, found) for info in found]
    assert named == ["Amp@left", "Amp@right", "Amp2", "Amp"]


@pytest.mark.lsl
def test_the_name_and_the_computer_choose_a_stream(
    stream_name: str, eeg: LslEeg
) -> None:
    outlet = open_eeg(stream_name)
    eeg._inlet.name = f"{stream_name}@{socket.gethostname()}"
    connect(eeg)
    assert eeg.stream_name == stream_name
    del outlet


@pytest.mark.lsl
@pytest.mark.parametrize("kind", ["eeg", "Eeg", ""])
def test_a_type_in_another_case_or_none_is_taken(
    stream_name: str, eeg: LslEeg, kind: str
) -> None:
    outlet, sent = open_eeg(stream_name, stream_type=kind), eeg_like()
    assert np.array_equal(received(eeg, outlet, sent), sent)
    (listed,) = [s for s in devices.streams() if s.name == stream_name]
    option, _ = devices_command._stream(listed)
    assert option.startswith("--eeg-stream") == bool(kind)
    assert (stream_name in network.eeg_streams()) == bool(kind)


@pytest.mark.lsl
def test_a_stream_of_the_type_wins_over_one_without(
    stream_name: str, eeg: LslEeg
) -> None:
    untyped = open_eeg(stream_name, stream_type="")
    typed = open_eeg(f"{stream_name}-amp")
    connect(eeg)
    assert eeg.stream_name == f"{stream_name}-amp"
    del untyped, typed


@pytest.mark.lsl
def test_a_stream_of_another_type_is_named(stream_name: str, eeg: LslEeg) -> None:
    outlets = [
        open_eeg(f"{stream_name}-amp", stream_type="Foo"),
        open_eeg(f"{stream_name}-Audio", stream_type="Audio"),  # no EEG, and no news
    ]
    assert eeg.pull() is False
    detail = eeg.health(pylsl.local_clock()).detail
    assert f"there is a stream {stream_name}-amp of type 'Foo'" in detail
    assert "Have its program state the type EEG" in detail
    assert f"{stream_name}-Audio" not in detail
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
        state = StreamState.RETURNED if turn else StreamState.LIVE
        wait_for(lambda s=state: eeg.health(pylsl.local_clock()).state is s)
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
    ahead = [0.0]
    source = LslEeg(stream_name, clock=lambda: pylsl.local_clock() + ahead[0])
    outlet, sent = open_eeg(stream_name), eeg_like()
    connect(source)
    ahead[0] = 50.0
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
    monkeypatch.setattr(pylsl.StreamInlet, "time_correction", lambda *_: -12.5)
    outlet = open_eeg(stream_name)
    connect(eeg)
    stamp = pylsl.local_clock()
    outlet.push_chunk(eeg_like(10), stamp)
    pull_until(eeg, lambda: eeg.ring is not None and eeg.ring.filled >= 0.02)
    assert eeg.ring is not None
    assert eeg.ring.newest == pytest.approx(stamp - 12.5, abs=1e-3)


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
