"""Microphone and camera: pulled out, back again, listed; faces chosen and changed."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fake_devices import FakeCamera, FakeSoundCard
from source_helpers import Clock, NoFaces, open_eeg

from eav_live.commands import devices as devices_command
from eav_live.options.config import (
    LiveConfig,
    LiveConfigError,
    QualitySettings,
    read_live_config,
)
from eav_live.recognition.predictions import StreamState
from eav_live.streams import devices
from eav_live.streams.audio import SILENT_SECONDS, Microphone
from eav_live.streams.frames import FrameKeeper, is_elsewhere
from eav_live.streams.source import RETRY_SECONDS
from eav_live.streams.video import CHANGED, Camera
from eav_offline.common.errors import SourceRefused
from eav_offline.common.opencv import cv2
from eav_offline.core.window import FaceFrame
from eav_offline.preprocess.face import CHOSEN_FRAMES, FaceTracker

BLOCK = np.full(160, 0.25, np.float32)
BACK_SECONDS = 3.0  # a device that is there again must be read within


@pytest.fixture
def clock() -> Clock:
    return Clock()


def microphone(card: FakeSoundCard, clock: Clock, **options: float) -> Microphone:
    return Microphone(clock=clock, portaudio=card, **options)  # type: ignore[arg-type]


def state(source: Microphone | Camera, clock: Clock) -> StreamState:
    return source.health(clock.now).state


def test_a_microphone_that_is_pulled_out_and_back_is_heard_again(
    clock: Clock,
) -> None:
    card = FakeSoundCard()
    source = microphone(card, clock)
    source.pull()
    card.speak(BLOCK)
    source.pull()
    assert state(source, clock) is StreamState.LIVE
    card.plug(False)
    clock.now += SILENT_SECONDS + 0.1
    source.pull()
    assert state(source, clock) is StreamState.LOST
    clock.now += 60.0
    assert source.pull() is False  # still out
    assert source.idle_s == RETRY_SECONDS < BACK_SECONDS
    card.plug(True)
    source.pull()
    assert card.speak(BLOCK)
    source.pull()
    assert state(source, clock) is StreamState.RETURNED
    assert source.ring is not None
    assert source.ring.filled == pytest.approx(0.02)  # nothing glued
    assert len(source.ring.latest(100.0)[0]) == 320  # and nothing lost


def test_a_microphone_plugged_in_late_is_found(clock: Clock) -> None:
    card = FakeSoundCard(plugged=False)
    source = microphone(card, clock)
    assert source.pull() is False
    assert "no microphone opens" in source.detail
    assert "`eav-live devices` lists them" in source.detail
    card.plug(True)
    source.pull()
    card.speak(BLOCK)
    assert source.pull()
    assert state(source, clock) is StreamState.LIVE


def test_a_failing_restart_of_portaudio_is_tried_again(clock: Clock) -> None:
    card = FakeSoundCard(plugged=False)
    source = microphone(card, clock)
    source.pull()
    broken = card._terminate

    def fail() -> None:
        raise card.PortAudioError("PortAudio not initialized")

    card._terminate = fail  # type: ignore[method-assign]
    assert source.pull() is False
    card._terminate = broken  # type: ignore[method-assign]
    card.plug(True)
    source.pull()
    assert card.speak(BLOCK)


def test_a_microphones_delay_is_taken_off(clock: Clock) -> None:
    card = FakeSoundCard()
    source = microphone(card, clock, delay_s=0.1)
    source.pull()
    card.speak(BLOCK)
    source.pull()
    assert source.ring is not None
    assert source.ring.latest(9.0)[0][0] == pytest.approx(clock.now - 0.02 - 0.1)


def camera(device: FakeCamera, clock: Clock, **options: float) -> Camera:
    return Camera(2, 320, 240, clock, NoFaces(), open_device=device, **options)


def test_a_camera_that_is_pulled_out_and_back_is_read_again(clock: Clock) -> None:
    device = FakeCamera(clock)
    source = camera(device, clock)
    assert source.pull()
    assert state(source, clock) is StreamState.LIVE
    device.plug(False)
    assert source.pull() is False
    assert state(source, clock) is StreamState.LOST
    assert "is it still connected?" in source.health(clock.now).detail
    clock.now += 60.0
    assert source.pull() is False
    assert source.idle_s == RETRY_SECONDS < BACK_SECONDS
    device.plug(True)
    assert source.pull()
    assert state(source, clock) is StreamState.RETURNED
    assert source.ring.gaps == 1


def test_a_frame_that_cannot_be_decoded_costs_no_more_than_itself(
    clock: Clock,
) -> None:
    device = FakeCamera(clock)
    source = camera(device, clock)
    source.pull()
    device.corrupt = True
    clock.now += 0.3
    assert source.pull() is False
    assert "cannot be decoded" in source.detail
    device.corrupt = False
    assert source.pull()
    assert source.returns == 1


def test_the_camera_is_asked_for_the_resolution(clock: Clock) -> None:
    device = FakeCamera(clock)
    source = camera(device, clock)
    source.pull()
    assert device.openings == [2]
    assert device.asked[cv2.CAP_PROP_FRAME_WIDTH] == 320
    assert device.asked[cv2.CAP_PROP_FRAME_HEIGHT] == 240


def test_a_cameras_delay_is_taken_off(clock: Clock) -> None:
    source = camera(FakeCamera(clock), clock, delay_s=0.05)
    source.pull()
    assert source.ring.newest == pytest.approx(clock.now - 0.05)


# Lists


def test_microphones_are_listed_with_their_numbers() -> None:
    entries = [
        dict(name="speaker", default_samplerate=48_000.0, max_input_channels=0),
        dict(name="desk", default_samplerate=44_100.0, max_input_channels=2),
    ]
    sound = SimpleNamespace(
        PortAudioError=OSError,
        query_devices=lambda: entries,
        default=SimpleNamespace(device=(1, 0)),
    )
    found = devices.microphones(sound)
    assert found == [devices.MicrophoneInfo(1, "desk", 44_100.0, 2, True)]


def test_cameras_that_give_no_frame_are_not_listed(clock: Clock) -> None:
    there = FakeCamera(clock)
    gone = FakeCamera(clock, plugged=False)
    assert devices.cameras(gone, [0, 1]) == []
    assert [c.index for c in devices.cameras(there, [3])] == [3]


@pytest.mark.lsl
def test_devices_prints_what_is_there_as_json(
    stream_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outlet = open_eeg(stream_name)
    options = devices_command.parser().parse_args(["--json"])
    assert devices_command.main(options) == 0
    found = json.loads(capsys.readouterr().out)
    mine = [s for s in found["streams"] if s["name"] == stream_name]
    assert [(s["kind"], s["channels"], s["rate"]) for s in mine] == [("EEG", 30, 500.0)]
    assert found.keys() >= {"microphones", "cameras"}
    del outlet


def test_devices_says_that_nothing_is_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none() -> list[devices.MicrophoneInfo]:
        raise SourceRefused("PortAudio is missing")

    monkeypatch.setattr(devices, "microphones", none)
    monkeypatch.setattr(devices, "cameras", lambda: [])
    monkeypatch.setattr(devices, "streams", lambda: [])
    devices_command.main(devices_command.parser().parse_args([]))
    said = capsys.readouterr().out
    assert said.count("none found") == 3
    assert "PortAudio is missing" in said


def test_what_devices_are_stands_in_a_column(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    alike = ("EEG", 30, 500.0, "lab", "")
    there = [
        devices.StreamInfo("A", *alike, "A"),
        devices.StreamInfo("Amplifier", *alike, ""),
        devices.StreamInfo("Sound", "Audio", 1, 44_100.0, "lab", "", "Sound@lab"),
    ]
    monkeypatch.setattr(devices, "microphones", lambda: [])
    monkeypatch.setattr(devices, "cameras", lambda: [])
    monkeypatch.setattr(devices, "streams", lambda: there)
    devices_command.main(devices_command.parser().parse_args([]))
    *_, first, second, third, _ = capsys.readouterr().out.splitlines()
    assert first.startswith("  --eeg-stream A ")
    assert "Amplifier, type EEG" in second
    assert "--audio lsl:Sound@lab" in third
    column = first.index("type EEG")
    assert column == second.index("Amplifier") == third.index("Sound, type Audio")


# Faces


class TwoFaces(NoFaces):
    """Finds the faces it is told of, one after the other."""

    def __init__(self, boxes: list[tuple[float, float, float]]) -> None:
        super().__init__()
        self.boxes = boxes

    def update(self, image: np.ndarray, time: float) -> FaceFrame:
        x, y, side = self.boxes.pop(0)
        box = np.array([x, y, x + side, y + side], np.float32)
        return FaceFrame(time, image, box, side > 0)


def test_a_change_of_person_is_reported_and_counted() -> None:
    keeper = FrameKeeper(TwoFaces([(10, 10, 40), (20, 12, 42), (150, 10, 40)]))
    image = np.zeros((200, 300, 3), np.uint8)
    for i in range(3):
        keeper.take(i / 5, lambda: image)
        assert keeper.changes == (i == 2)
    assert keeper.changed_at == pytest.approx(0.4)


def test_no_face_is_looked_for_where_none_is_read_unless_somebody_listens(
    clock: Clock,
) -> None:
    tracker = NoFaces()
    source = Camera(0, clock=clock, tracker=tracker, open_device=FakeCamera(clock))
    source.spare_faces()

    def newest() -> FaceFrame:
        source.pull()
        clock.now += 0.2
        frame = source.ring.newest_frame
        assert frame is not None
        return frame

    first = newest()
    assert tracker.resets == 0
    assert not first.found
    assert np.isnan(
        first.confidence
    )  # that none was looked for, not that none is there
    source.listen(lambda arrival: None)  # as a recording does
    source.spare_faces()
    assert not np.isnan(newest().confidence)


def test_a_change_of_person_is_shown_for_a_while(clock: Clock) -> None:
    faces = TwoFaces([(0, 0, 10), (40, 30, 10), *[(40, 30, 10)] * 40])
    source = Camera(0, clock=clock, tracker=faces, open_device=FakeCamera(clock))
    notices = []
    for _ in range(35):
        source.pull()
        notices.append(source.health(clock.now).notice)
        clock.now += 0.2
    assert notices[0] == ""
    assert notices[1] == notices[20] == CHANGED
    assert notices[-1] == ""


@pytest.mark.parametrize(
    ("after", "elsewhere"),
    [((12, 8, 40), False), ((48, 10, 40), False), ((55, 10, 40), True)],
)
def test_a_head_that_moves_is_the_same_person(
    after: tuple[float, float, float], elsewhere: bool
) -> None:
    boxes = [
        np.array([x, y, x + side, y + side]) for x, y, side in ((10, 10, 40), after)
    ]
    assert is_elsewhere(*boxes) is elsewhere


def test_a_choice_reaches_the_tracker_with_the_next_frame(clock: Clock) -> None:
    tracker = NoFaces()
    source = Camera(0, clock=clock, tracker=tracker, open_device=FakeCamera(clock))
    source.choose(30.0, 20.0)
    source.pull()
    assert tracker.chosen == (30.0, 20.0)


class Detector:
    """Finds the faces that it is given, in the region it is asked about."""

    def __init__(self) -> None:
        self.faces: list[tuple[float, float, float]] = []

    def detect(
        self, image: np.ndarray, region: tuple[int, ...], sizes: object
    ) -> tuple[np.ndarray, np.ndarray]:
        left, top, right, bottom = region
        boxes = [
            (x, y, x + side, y + side)
            for x, y, side in self.faces
            if left <= x and x + side <= right and top <= y and y + side <= bottom
        ]
        return np.array(boxes, float).reshape(-1, 4), np.full(len(boxes), 0.99)


SMALL, LARGE = (50.0, 100.0, 60.0), (300.0, 100.0, 150.0)


@pytest.fixture
def tracker(monkeypatch: pytest.MonkeyPatch) -> FaceTracker:
    monkeypatch.setattr(
        "eav_offline.preprocess.mtcnn.FaceDetector", lambda device: Detector()
    )
    return FaceTracker()


def followed(
    tracker: FaceTracker, faces: list[tuple[float, float, float]], n: int = 1
) -> list[float]:
    """Left edges of the boxes found in `n` frames with these faces; -1 for none."""
    tracker._detector.faces = faces  # type: ignore[attr-defined]
    image = np.zeros((480, 640, 3), np.uint8)
    found = [tracker.update(image, i / 5) for i in range(n)]
    return [float(f.box[0]) if f.found else -1.0 for f in found]


def test_the_largest_face_is_followed_until_one_is_chosen(
    tracker: FaceTracker,
) -> None:
    assert followed(tracker, [SMALL, LARGE]) == [300.0]
    tracker.choose(80.0, 130.0)
    assert followed(tracker, [SMALL, LARGE], 60) == [50.0] * 60


def test_a_chosen_face_out_of_sight_is_waited_for(tracker: FaceTracker) -> None:
    tracker.choose(80.0, 130.0)
    followed(tracker, [SMALL, LARGE])
    assert followed(tracker, [LARGE], 5) == [-1.0] * 5
    assert followed(tracker, [SMALL, LARGE], 2) == [50.0] * 2
    assert followed(tracker, [LARGE], CHOSEN_FRAMES + 1)[-1] == 300.0


def test_the_confidence_of_a_find_is_kept(tracker: FaceTracker) -> None:
    followed(tracker, [SMALL])
    image = np.zeros((480, 640, 3), np.uint8)
    assert tracker.update(image, 0.2).confidence == pytest.approx(0.99)
    tracker._detector.faces = []  # type: ignore[attr-defined]
    assert tracker.update(image, 0.4).confidence == 0.0


def test_the_person_who_is_chosen_is_followed(
    test_data: Callable[[str], Path],
) -> None:
    picture = cv2.imread(str(test_data("photos/two_people.jpg")))
    image = np.ascontiguousarray(picture[..., ::-1])
    tracker = FaceTracker()
    first = tracker.update(image, 0.0).box
    middle = image.shape[1] / 2
    other = middle + (middle - (first[0] + first[2]) / 2)
    tracker.choose(float(other), float(first[1] + first[3]) / 2)
    for i in range(3):
        frame = tracker.update(image, 0.2 + i / 5)
        assert frame.found
        assert is_elsewhere(first, frame.box)


# What live.toml may say


def test_devices_of_the_config_are_read(tmp_path: Path) -> None:
    path = tmp_path / "live.toml"
    path.write_text(
        '[eeg]\nbad = ["t7"]\nreference = "FCz"\nline_hz = 60\ndelay_ms = 12.5\n'
        '[audio]\ndevice = "USB"\n[video]\ndevice = "/dev/video2"\nwidth = 1280\n'
        "[quality]\nneed_speech = false\n"
    )
    config, _ = read_live_config(path)
    assert config.eeg.bad == ("T7",)
    assert config.eeg.line_hz == 60
    assert config.audio.device == "USB"
    assert (config.video.device, config.video.width) == ("/dev/video2", 1280)
    assert not config.quality.need_speech


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[eeg]\nbad = ["X9"]', "'X9' is none of the electrodes"),
        ("[eeg]\nline_hz = 55", "line_hz"),
        ("[audio]\ndelay = 3", "unknown key audio.delay"),
        ("[video]\nwidth = 3", "video.width"),
        ("[quality]\nmin_speech = 2", "quality.min_speech"),
    ],
)
def test_impossible_settings_are_refused_by_name(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "live.toml"
    path.write_text(text)
    with pytest.raises(LiveConfigError, match="live.toml") as refused:
        read_live_config(path)
    assert said in str(refused.value)


def test_the_settings_that_are_shipped_are_the_defaults() -> None:
    """What stands commented out in live.toml must be what the program does."""
    path = Path(__file__).resolve().parents[3] / "configs" / "live.toml"
    assert read_live_config(path) == (LiveConfig(), {})
    quality = path.read_text().partition("[quality]")[2].partition("\n\n")[0]
    said = tomllib.loads(re.sub("^# ", "", quality, flags=re.MULTILINE))
    assert said == QualitySettings().model_dump()
