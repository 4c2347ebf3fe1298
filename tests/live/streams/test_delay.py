"""Delays from clicks and flashes: found on signals whose delay is known."""

import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pylsl
import pytest
from source_helpers import Clock, open_eeg, pull_until

from eav_live.commands import measure_delay
from eav_live.streams.delay import BrightnessMeter, ChannelReader, Signal, find_delay
from eav_live.streams.loudspeaker import ClickPlayer
from eav_offline.common.errors import SourceRefused

RNG = np.random.default_rng


def uneven(n: int, seed: int = 0) -> np.ndarray:
    """n event times, seconds, 1.6-2.2 s apart."""
    return 2.0 + np.cumsum(RNG(seed).uniform(1.6, 2.2, n))


def pulses(
    events: np.ndarray, delay: float, rate: float, seconds: float = 0.25, seed: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Stamps and a signal of 0 that is 1 for `seconds`, `delay` after every event."""
    # At random phases to the events, as a camera runs.
    stamps = np.arange(0, events[-1] + 3, 1 / rate) + RNG(seed).uniform(0, 1 / rate)
    values = np.zeros(len(stamps))
    for event in events:
        values[(stamps >= event + delay) & (stamps < event + delay + seconds)] = 1.0
    return stamps, values


def noisy(values: np.ndarray, noise: float) -> np.ndarray:
    return values + noise * RNG(2).standard_normal(len(values))


@pytest.mark.parametrize(
    ("rate", "within_ms"), [(30.0, 5.0), (500.0, 0.5), (16000.0, 0.1)]
)
@pytest.mark.parametrize("delay", [0.0853, 0.0127, -0.031])
def test_a_known_delay_is_found(rate: float, within_ms: float, delay: float) -> None:
    events = uneven(30)
    stamps, values = pulses(events, delay, rate)
    found = find_delay(events, stamps, noisy(values, 0.02))
    assert found is not None
    assert found.n_found == 30
    assert found.is_reliable
    assert 1000 * abs(found.median_s - delay) < within_ms


def test_a_click_in_a_noisy_room_is_found() -> None:
    events, rate = uneven(20), 16000.0
    stamps = np.arange(0, events[-1] + 3, 1 / rate)
    values = 0.01 * RNG(3).standard_normal(len(stamps))
    click = np.cos(2 * np.pi * 2000 * np.arange(64) / rate)
    for event in events:
        i = int(np.ceil((event + 0.042) * rate))
        values[i : i + 64] += 0.5 * click
        values[i + 160 : i + 224] += 0.2 * click  # the wall's echo
    found = find_delay(events, stamps, values)
    assert found is not None
    assert found.median_s == pytest.approx(0.042, abs=0.0005)


def test_events_that_the_signal_lacks_are_left_out() -> None:
    events = uneven(30)
    stamps, values = pulses(events[::2], 0.06, 500.0)
    found = find_delay(events[:-1], stamps, noisy(values, 0.02))
    assert found is not None
    assert found.n_found == 15
    assert found.median_s == pytest.approx(0.06, abs=0.001)


def test_what_the_signal_shows_besides_the_events_does_not_count() -> None:
    events = uneven(30)
    stamps, values = pulses(events, 0.06, 500.0)
    for event in events[::6]:
        values[(stamps >= event - 0.1) & (stamps < event - 0.05)] = 1.0
    found = find_delay(events, stamps, noisy(values, 0.02))
    assert found is not None
    assert found.n_found == 25
    assert found.median_s == pytest.approx(0.06, abs=0.001)


def test_a_photodiode_may_fall_instead_of_rise_and_have_an_offset() -> None:
    events = uneven(20)
    stamps, values = pulses(events, 0.02, 1000.0)
    found = find_delay(events, stamps, noisy(4000 - 300 * values, 3.0))
    assert found is not None
    assert found.median_s == pytest.approx(0.02, abs=0.001)


def test_without_a_response_nothing_is_found() -> None:
    events = uneven(30)
    stamps, values = pulses(events, 0.1, 500.0)
    assert find_delay(events, stamps, RNG(4).standard_normal(len(stamps))) is None
    assert find_delay(events, stamps, 0 * values) is None
    assert find_delay(events, stamps[:0], values[:0]) is None
    assert find_delay([], stamps, values) is None


def test_events_outside_the_recording_do_not_count() -> None:
    events = uneven(20)
    stamps, values = pulses(events, 0.06, 500.0)
    inside = stamps < events[10]
    found = find_delay(events, stamps[inside], values[inside])
    assert found is not None
    assert found.n_found == 10
    assert found.n_events == 20


def test_a_delay_that_varies_wildly_is_not_reliable() -> None:
    events = uneven(12)
    values = np.zeros(round((events[-1] + 3) * 500))
    for event, delay in zip(events, RNG(5).uniform(0, 0.7, 12), strict=True):
        values[round((event + delay) * 500) :][:50] = 1.0
    found = find_delay(events, np.arange(len(values)) / 500, values)
    assert found is not None
    assert not found.is_reliable


# What is measured


def test_the_brightness_of_every_frame_is_taken_and_no_face_is_looked_for() -> None:
    signal = Signal()
    meter = BrightnessMeter(signal)
    for i, level in enumerate((0, 255, 100)):
        meter.take(i / 30, lambda level=level: np.full((48, 64, 3), level, np.uint8))
    stamps, values = signal.read()
    assert stamps.tolist() == [0, 1 / 30, 2 / 30]
    assert values.tolist() == [0, 255, 100]
    assert meter.ring.newest_frame is None
    assert meter.ring.newest == 2 / 30


@pytest.mark.lsl
@pytest.mark.parametrize("channel", ["photodiode", "3"])
def test_a_channel_is_read_by_label_or_number(stream_name: str, channel: str) -> None:
    outlet = open_eeg(stream_name, ["Fp1", "Fp2", "Photodiode"])
    signal = Signal()
    reader = ChannelReader(stream_name, channel, signal)
    pull_until(reader, lambda: reader._inlet.is_open)
    outlet.wait_for_consumers(5)
    outlet.push_chunk([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], pylsl.local_clock())
    pull_until(reader, lambda: len(signal.read()[0]) == 2)
    reader.stop()
    assert signal.read()[1].tolist() == [3.0, 6.0]


@pytest.mark.lsl
def test_a_channel_that_is_not_there_is_refused_with_those_that_are(
    stream_name: str,
) -> None:
    outlet = open_eeg(stream_name, ["Fp1", "Fp2"])
    assert outlet is not None
    reader = ChannelReader(stream_name, "Photodiode", Signal())
    with pytest.raises(SourceRefused, match="it has Fp1, Fp2"):
        pull_until(reader, lambda: False, seconds=5)
    reader.stop()


class FakePortAudio:
    """A loudspeaker whose callback the test calls."""

    PortAudioError = RuntimeError

    def __init__(self) -> None:
        self.closed = False

    def query_devices(self, device: None, kind: str) -> dict[str, Any]:
        if self.closed:
            raise self.PortAudioError("Error querying device -1")
        return {"default_samplerate": 48000.0, "max_output_channels": 2}

    def OutputStream(self, callback: Any, **settings: Any) -> "FakePortAudio":
        self.callback = callback
        return self

    def start(self) -> None: ...

    def close(self, ignore_errors: bool) -> None:
        self.closed = True


def test_a_click_has_the_time_at_which_the_converter_plays_it() -> None:
    portaudio, clock = FakePortAudio(), Clock(1000.0)
    player = ClickPlayer(clock, portaudio)
    block = np.ones((960, 2), np.float32)
    time = SimpleNamespace(currentTime=5.0, outputBufferDacTime=5.03)
    portaudio.callback(block, 960, time, None)
    assert not block.any()
    player.play()
    portaudio.callback(block, 960, time, None)
    assert block[0].min() > 0.5
    portaudio.callback(block, 960, time, None)
    assert not block.any()
    assert player.times == pytest.approx([1000.03])
    player.stop()
    assert portaudio.closed


def test_no_loudspeaker_is_refused_with_a_reason() -> None:
    portaudio = FakePortAudio()
    portaudio.closed = True
    with pytest.raises(SourceRefused, match="no loudspeaker opens"):
        ClickPlayer(sound=portaudio)


@pytest.mark.qt
def test_the_screen_flashes_at_the_times_it_tells(qtbot: Any) -> None:
    from eav_live.ui.flash import FlashWindow

    clicks: list[bool] = []
    levels: list[int] = []
    window = FlashWindow(
        2,
        pylsl.local_clock,
        lambda: (clicks.append(True), levels.append(level(window))),
        ready_s=0.05,
        interval_s=(0.3, 0.3),
    )

    def level(shown: FlashWindow) -> int:
        return shown.grab().toImage().pixelColor(5, 5).lightness()

    qtbot.addWidget(window)
    window.resize(60, 40)
    window.show()
    assert level(window) == 0
    begun = pylsl.local_clock()
    qtbot.waitUntil(lambda: len(window.flashes) == 2, timeout=5000)
    assert levels == [255, 255]
    assert len(clicks) == 2
    assert begun < window.flashes[0] < window.flashes[1] < pylsl.local_clock()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=5000)


# The command


@pytest.mark.lsl
def test_markers_and_sound_over_lsl_give_the_delay(
    stream_name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rate, delay = 16000.0, 0.0435
    sound = pylsl.StreamOutlet(
        pylsl.StreamInfo(stream_name, "Audio", 1, rate, "float32", stream_name)
    )
    marks = pylsl.StreamOutlet(
        pylsl.StreamInfo(f"{stream_name}-M", "Markers", 1, 0, "string", "m")
    )

    def send() -> None:
        events = uneven(8)
        stamps, values = pulses(events, delay, rate, seconds=0.01)
        sound.wait_for_consumers(20)
        begin = pylsl.local_clock() - stamps[-1]
        sound.push_chunk(
            noisy(values, 0.01).astype(np.float32)[:, None], (begin + stamps).tolist()
        )
        marks.wait_for_consumers(20)
        for event in events:
            marks.push_sample(["something else"], begin + event + 0.3)
            marks.push_sample(["click"], begin + event)

    sender = threading.Thread(target=send)
    sender.start()
    report = tmp_path / "delays.json"
    options = measure_delay.parser().parse_args(
        [
            *("--audio", f"lsl:{stream_name}", "--video", "none"),
            *("--markers", f"{stream_name}-M", "--marker", "click"),
            *("--events", "8", "--duration", "20", "--json", str(report)),
        ]
    )
    status = measure_delay.main(options)
    sender.join()
    printed = capsys.readouterr().out
    assert status == 0, printed
    found = json.loads(report.read_text())["delays"]["audio"]
    assert found["delay_ms"] == pytest.approx(1000 * delay, abs=0.2)
    assert found["found"] == 8
    assert "[audio]\ndelay_ms = 43." in printed
