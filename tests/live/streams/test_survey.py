"""What can be connected: as it comes and goes, and what is wrong with it."""

import base64
import io
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fake_devices import FakeCamera, FakeSoundCard
from source_helpers import open_eeg, wait_for

from eav_live.commands import devices as command
from eav_live.streams import devices, survey
from eav_live.streams.mapping import in_order, mapping_settings
from eav_live.streams.preview import Preview
from eav_live.streams.survey import Survey
from eav_offline.common.errors import SourceRefused
from eav_offline.common.opencv import cv2
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


@pytest.mark.lsl
def test_a_stream_is_judged_anew_when_its_channels_are_named(
    stream_name: str, seen: Callable[[], list[devices.StreamInfo]]
) -> None:
    labels = [f"Ch {i}" for i in range(1, 31)]
    outlet = open_eeg(stream_name, labels)
    one = quiet(find_streams=seen)
    found: dict[str, Any] = {}

    def look() -> dict[str, Any]:
        outlet.push_sample([0.0] * 30)
        found.clear()
        found.update(one.look()["streams"][0])
        return found

    try:
        wait_for(lambda: bool(look()["fault"]))
        assert found["labels"] == labels
        settings = mapping_settings(labels, in_order(labels[:29]))
        one.map_electrodes(stream_name, settings)
        wait_for(lambda: look()["electrodes"] == 29)
        assert (found["fault"], found["mapping"]) == ("", settings)
        assert found["notice"].endswith(EEG_CHANNELS[-1])
    finally:
        one.close()


def test_sound_that_is_none_is_refused_before_it_is_chosen() -> None:
    slow = devices.StreamInfo("A", "Audio", 1, 100.0, "h", "", handle="A")
    fast = devices.StreamInfo("B", "Audio", 1, 16000.0, "h", "", handle="B")
    streams = quiet(find_streams=lambda: [slow, fast]).look()["streams"]
    assert "8000 Hz or more" in streams[0]["fault"]
    assert streams[1]["fault"] == ""


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


class Shown(FakeCamera):
    """Counts who has it open."""

    users = 0

    def __call__(self, device: int | str) -> SimpleNamespace:
        capture = super().__call__(device)
        self.users += 1

        def release() -> None:
            self.users -= 1

        capture.release = release
        return capture


def test_a_camera_is_open_only_while_it_is_looked_at() -> None:
    device = Shown(lambda: 0.0, image=np.full((48, 64, 3), 200, np.uint8))
    users: list[int] = []

    def cameras(asked: list[int]) -> list[devices.CameraInfo]:
        users.append(device.users)  # a camera can be opened once
        return [CAMERA]

    numbers = [[0], [0, 2]]
    one = quiet(
        find_cameras=cameras,
        camera_numbers=lambda: numbers.pop(0),
        preview=lambda option: Preview(option, device),
    )
    one.look()
    assert one.picture() is None
    assert device.openings == []
    one.show("camera:0")
    shown = one.picture()
    assert shown is not None
    image = cv2.imdecode(np.frombuffer(base64.b64decode(shown["jpeg"]), "u1"), 1)
    assert image.shape == (240, 320, 3)
    assert abs(int(image.mean()) - 200) < 5
    one._cameras_at = -float("inf")
    one.look()
    assert users == [0, 0]
    one.picture()
    assert device.users == 1
    one.show(None)
    assert one.picture() is None
    assert device.users == 0
    one.show("camera:0")
    one.picture()
    one.close()
    assert device.users == 0


def test_a_camera_without_a_picture_says_why_and_how_to_mend_it() -> None:
    device = Shown(lambda: 0.0, plugged=False)
    preview = Preview("camera:2", device)
    shown = preview.picture()
    assert shown is not None
    assert "camera 2 gives no picture. Close other programs" in shown["fault"]
    assert device.users == 0
    assert preview.picture() is None  # it is tried again, but not at once
    dark = quiet(find_cameras=lambda asked: [], camera_numbers=lambda: [0])
    assert "close other programs" in dark.look()["cameras_error"]


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

        def picture(self) -> None:
            pass

        def show(self, option: str) -> None:
            listened.append(len(option))

    monkeypatch.setattr(survey, "Survey", Fake)
    asked = io.StringIO('3\n\n{"show": "camera:0"}\nnonsense\n')
    monkeypatch.setattr("sys.stdin", asked)
    assert command.main(command.parser().parse_args(["--watch"])) == 0
    assert listened == [3, None, 8, None, -1]
    lines = capsys.readouterr().out.splitlines()
    assert {"streams": []} in map(json.loads, lines)
