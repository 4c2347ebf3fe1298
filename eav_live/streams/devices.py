"""The microphones, cameras and LSL streams that can be asked for here."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pylsl

from eav_live.streams.audio import portaudio
from eav_live.streams.lsl import handle
from eav_offline.common.errors import SourceRefused
from eav_offline.common.opencv import cv2

MOST_CAMERAS = 10  # numbers that are tried where the system does not list its cameras
_RESOLVE_SECONDS = 1.0


@dataclass(frozen=True)
class MicrophoneInfo:
    """index: for --audio mic:INDEX. rate: Hz. default: what --audio mic takes."""

    index: int
    name: str
    rate: float
    channels: int
    default: bool


@dataclass(frozen=True)
class CameraInfo:
    """index: for --video camera:INDEX; path: where the system has one."""

    index: int
    path: str
    width: int
    height: int
    frames_per_second: float


@dataclass(frozen=True)
class StreamInfo:
    """An LSL stream: kind is its content type, rate is 0 if it is irregular.

    handle: what an option takes for it: its name, NAME@HOST or the source id where
    names repeat; empty if nothing tells it from another.
    """

    name: str
    kind: str
    channels: int
    rate: float
    hostname: str
    source_id: str
    handle: str


def microphones(sound: Any = None) -> list[MicrophoneInfo]:
    """What PortAudio can record from. sound: stands in for the module sounddevice.

    Raises SourceRefused where PortAudio is missing.
    """
    sound = sound or portaudio()
    try:
        found = list(sound.query_devices())
        default = sound.default.device[0]
    except sound.PortAudioError as error:
        raise SourceRefused(f"PortAudio lists no devices: {error}") from error
    return [
        MicrophoneInfo(
            index=i,
            name=str(device["name"]),
            rate=float(device["default_samplerate"]),
            channels=int(device["max_input_channels"]),
            default=i == default,
        )
        for i, device in enumerate(found)
        if device["max_input_channels"] > 0
    ]


def cameras(
    open_device: Callable[..., Any] = cv2.VideoCapture,
    numbers: list[int] | None = None,
) -> list[CameraInfo]:
    """The cameras that open and give a frame.

    numbers: to try; None takes those that the system lists, or the first few.
    """
    level = cv2.utils.logging.getLogLevel()
    # A number without a camera is no news.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        numbers = camera_numbers() if numbers is None else numbers
        found = (_camera(open_device, number) for number in numbers)
        return [camera for camera in found if camera is not None]
    finally:
        cv2.utils.logging.setLogLevel(level)


def camera_numbers() -> list[int]:
    """The numbers a camera may have on this computer."""
    if not sys.platform.startswith("linux"):
        return list(range(MOST_CAMERAS))
    names = (path.name[5:] for path in Path("/dev").glob("video*"))
    return sorted(int(name) for name in names if name.isdigit())


def streams(wait_s: float = _RESOLVE_SECONDS) -> list[StreamInfo]:
    """The LSL streams that can be seen from here, by type and name."""
    infos = pylsl.resolve_streams(wait_s)
    found = [
        StreamInfo(
            name=info.name(),
            kind=info.type(),
            channels=info.channel_count(),
            rate=info.nominal_srate(),
            hostname=info.hostname(),
            source_id=info.source_id(),
            handle=handle(info, infos),
        )
        for info in infos
    ]
    return sorted(found, key=lambda s: (s.kind, s.name, s.hostname, s.source_id))


def _camera(open_device: Callable[..., Any], number: int) -> CameraInfo | None:
    capture = open_device(number)
    try:
        # Many cameras have a second entry that opens and never gives a picture.
        if not capture.isOpened() or not capture.grab():
            return None
        path = f"/dev/video{number}" if sys.platform.startswith("linux") else ""
        return CameraInfo(
            index=number,
            path=path,
            width=round(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            height=round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            frames_per_second=float(capture.get(cv2.CAP_PROP_FPS)),
        )
    finally:
        capture.release()
