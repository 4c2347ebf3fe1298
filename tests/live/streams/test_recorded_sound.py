"""A recording's sound: faster at the same pitch, and silent when it is told to be."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from eav_live.streams.loudspeaker import RecordedSound, stretched
from eav_offline.common.errors import SourceRefused

RATE = 16_000
TONE_HZ = 500.0


def tone(seconds: float) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    return (0.5 * np.sin(2 * np.pi * TONE_HZ * t)).astype("f4")


def blocks(sound: np.ndarray) -> Iterator[np.ndarray]:
    yield from np.array_split(sound, 20)


@pytest.mark.parametrize("speed", [0.5, 2.0, 4.0])
def test_speed_changes_the_length_and_not_the_pitch(speed: float) -> None:
    out = np.concatenate(list(stretched(blocks(tone(4.0)), RATE, speed)))
    assert len(out) / RATE == pytest.approx(4.0 / speed, abs=0.05)
    middle = out[len(out) // 4 : -len(out) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    loudest = np.fft.rfftfreq(len(middle), 1 / RATE)[spectrum.argmax()]
    assert loudest == pytest.approx(TONE_HZ, abs=10)
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.1)


def test_at_four_times_the_speed_most_short_sounds_are_still_heard() -> None:
    """Forty beeps of 30 ms, each of its own pitch, ten a second."""
    pitches = 400 + 150 * np.arange(40)
    t = np.arange(480) / RATE
    sound = np.zeros((40, 1600), "f4")
    sound[:, :480] = 0.5 * np.sin(2 * np.pi * pitches[:, None] * t)
    out = np.concatenate(list(stretched(blocks(sound.ravel()), RATE, 4.0)))
    windows = np.lib.stride_tricks.sliding_window_view(out, 160)[::40]
    tones = np.exp(-2j * np.pi * pitches[:, None] * t[:160])
    loudness = np.abs(windows @ tones.T) / 40  # 1 as it was
    heard = [
        loudness[max(0, k * 10 - 20) : k * 10 + 26, k].max() > 0.25 for k in range(40)
    ]
    assert sum(heard) >= 26  # 20 if one filter does it all


def test_at_its_own_speed_every_sample_is_played() -> None:
    out = np.concatenate(list(stretched(blocks(tone(1.0)), RATE, 1.0)))
    np.testing.assert_array_equal(out, tone(1.0))


class FakePortAudio:
    """Stands in for sounddevice: keeps what was written, one block a permission."""

    class PortAudioError(Exception):
        pass

    def __init__(self, device: bool = True) -> None:
        self.device = device
        self.heard: list[np.ndarray] = []
        self.aborted = 0
        self.may_write = threading.Semaphore(0)
        self.written = threading.Semaphore(0)

    def query_devices(self, which: object, kind: str) -> dict[str, object]:
        if not self.device:
            raise self.PortAudioError("no device")
        return {}

    def OutputStream(self, **how: object) -> "FakePortAudio":
        assert how == {"samplerate": RATE, "channels": 1, "dtype": "float32"}
        return self

    def __enter__(self) -> "FakePortAudio":
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def write(self, block: np.ndarray) -> None:
        self.may_write.acquire(timeout=10)
        self.heard.append(block[:, 0])
        self.written.release()

    def abort(self) -> None:
        self.aborted += 1


def test_it_plays_until_it_is_stopped() -> None:
    fake = FakePortAudio()
    player = RecordedSound(fake)
    player.play(blocks(tone(1.0)), RATE, 1.0)
    for _ in range(3):
        fake.may_write.release()
        assert fake.written.acquire(timeout=10)
    assert len(fake.heard) == 3
    player._stopping.set()
    fake.may_write.release()
    player.stop()
    player.stop()
    assert fake.aborted == 1
    assert len(fake.heard) <= 4
    np.testing.assert_array_equal(
        np.concatenate(fake.heard), tone(1.0)[: sum(map(len, fake.heard))]
    )


def test_where_there_is_no_loudspeaker_that_is_said() -> None:
    with pytest.raises(SourceRefused, match="no loudspeaker"):
        RecordedSound(FakePortAudio(device=False))
