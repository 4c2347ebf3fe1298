"""What can be connected: as it comes and goes, and what is wrong with it."""

import io
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fake_devices import FakeSoundCard
from source_helpers import open_eeg, wait_for

from eav_live.commands import devices as command
from eav_live.streams import devices, survey
from eav_live.streams.survey import Survey
from eav_offline.common.errors import SourceRefused
from eav_offline.core.window import EEG_CHANNELS

CAMERA = devices.CameraInfo(0, "/dev/video0", 640, 480, 30.0)


def quiet(**more: Any) -> Survey:
    """A survey without devices."""
    usual: dict[str, Any] = {
        "find_streams": list,
        "sound": FakeSoundCard(plugged=False),
        "camera_numbers": list,
    }
    return Survey(**(usual | more))


@pytest.fixture
def seen(
    stream_name: str,
) -> Callable[[], list[devices.StreamInfo]]:
    """The streams of this test alone."""
    return lambda: [s for s in devices.streams(0.2) if s.name.startswith(stream_name)]


@pytest.mark.lsl
def test_a_stream_says_how_many_electrodes_it_has_or_why_it_cannot_be_used(
    stream_name: str, seen: Callable[[], list[devices.StreamInfo]]
) -> None:
    whole = open_eeg(f"{stream_name}-whole", EEG_CHANNELS[2:])
    nameless = open_eeg(f"{stream_name}-nameless", labels=None)
    one = quiet(find_streams=seen)
    found: dict[str, dict[str, Any]] = {}

    def look() -> bool:
        whole.push_sample([0.0] * 28)
        found.update({s["name"].rpartition("-")[2]: s for s in one.look()["streams"]})
        return bool(found["whole"]["electrodes"] and found["nameless"]["fault"])

    try:
        wait_for(look)
        assert found["whole"]["electrodes"] == 28
        assert ", ".join(EEG_CHANNELS[:2]) in found["whole"]["notice"]
        assert found["whole"]["fault"] == ""
        assert "names none of its 30 channels" in found["nameless"]["fault"]
        del nameless
        wait_for(lambda: len(one.look()["streams"]) == 1)
        assert list(one._eeg) == [f"{stream_name}-whole"]
    finally:
        one.close()
    assert not one._eeg


def test_streams_that_nothing_tells_apart_are_refused_before_they_are_chosen() -> None:
    alike = devices.StreamInfo("A", "EEG", 30, 500.0, "h", "", handle="")
    one = quiet(find_streams=lambda: [alike])
    assert "stop one of them" in one.look()["streams"][0]["fault"]
    assert not one._eeg


class Card(FakeSoundCard):
    """Lists its devices as PortAudio does."""

    default = SimpleNamespace(device=(0, 1))

    def query_devices(self, device: object = None, kind: object = None) -> Any:
        if kind is None:
            return [self.query_devices(0, "input")] if self._listed else []
        return super().query_devices(device, kind)


def test_microphones_that_are_plugged_in_are_seen_and_heard() -> None:
    card = Card(plugged=False)
    one = quiet(sound=card)
    assert one.look()["microphones"] == []
    card.plug(True)
    one._sound_at = -float("inf")
    (microphone,) = one.look()["microphones"]
    assert (microphone["name"], microphone["default"]) == ("desk", True)
    one.listen_to(0)

    def heard() -> bool:
        card.speak(np.full(800, 0.1, np.float32))
        return bool(one.level().get("level_db"))

    wait_for(heard)
    assert one.level()["level_db"] == pytest.approx(-20, abs=0.1)
    one.close()
    assert one.level() == {"microphone": None}


def test_missing_portaudio_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise SourceRefused("PortAudio is missing")

    monkeypatch.setattr(survey, "portaudio", missing)
    assert quiet(sound=None).look()["microphones_error"] == "PortAudio is missing"


def test_cameras_are_opened_only_when_others_are_listed() -> None:
    tried: list[list[int]] = []
    numbers = [[0], [0], [0, 2]]

    def cameras(asked: list[int]) -> list[devices.CameraInfo]:
        tried.append(asked)
        return [CAMERA]

    one = quiet(find_cameras=cameras, camera_numbers=lambda: numbers.pop(0))
    for _ in range(3):
        one._cameras_at = -float("inf")
        assert one.look()["cameras"][0]["path"] == "/dev/video0"
    assert tried == [[0], [0, 2]]


def test_the_command_says_what_is_there_until_stdin_closes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listened: list[int | None] = []

    class Fake:
        def look(self) -> dict[str, Any]:
            return {"streams": []}

        def level(self) -> dict[str, Any]:
            return {"microphone": None}

        def listen_to(self, microphone: int | None) -> None:
            listened.append(microphone)

        def close(self) -> None:
            listened.append(-1)

    monkeypatch.setattr(survey, "Survey", Fake)
    monkeypatch.setattr("sys.stdin", io.StringIO("3\n\n"))
    assert command.main(command.parser().parse_args(["--watch"])) == 0
    assert listened == [3, None, -1]
    lines = capsys.readouterr().out.splitlines()
    assert {"streams": []} in map(json.loads, lines)
