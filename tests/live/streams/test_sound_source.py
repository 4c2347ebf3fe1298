"""Sound from LSL, files and microphones: scale, pace, capture time, ways back."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pylsl
import pytest
from source_helpers import Clock, connect, pull_until

from eav_live.recognition.predictions import StreamState
from eav_live.streams.audio import FileAudio, LslAudio, Microphone, capture_time
from eav_offline.common.errors import SourceRefused


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
    microphone._prepare(1000.0)
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
