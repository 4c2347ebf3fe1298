"""Reading media files: mono sound as float32, frames as RGB with their times."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from eav_offline.common.errors import InputRefused

# A stream whose codec is not known any more has no width, rate or decoder.
_READ_ERRORS = (
    av.FFmpegError,
    OSError,
    ValueError,
    AttributeError,
    ArithmeticError,
    MemoryError,
)


class MediaError(InputRefused):
    """An audio or video file that cannot be read; the message names file and cause."""


@dataclass(frozen=True)
class VideoInfo:
    """width, height in pixels; rate in frames a second; seconds long; frames stated."""

    width: int
    height: int
    rate: float
    seconds: float
    n_frames: int


def read_audio(path: Path) -> tuple[np.ndarray, float]:
    """Decode the first audio stream of any file, mixed down to mono.

    Returns (samples,) float32 in [-1, 1] and the rate in Hz.
    Raises MediaError if there is none or it is damaged.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise MediaError(f"{path} has no audio stream")
            stream = container.streams.audio[0]
            rate = stream.rate
            mono = av.AudioResampler(format="fltp", layout="mono", rate=rate)
            parts = [
                out.to_ndarray()[0]
                for frame in container.decode(stream)
                for out in mono.resample(frame)
            ]
            parts += [out.to_ndarray()[0] for out in mono.resample(None)]
    except _READ_ERRORS as error:
        raise MediaError(f"{path} cannot be decoded as audio: {error}") from error
    if not parts:
        raise MediaError(f"{path} holds no audio samples")
    return np.concatenate(parts).astype(np.float32), float(rate)


def has_audio(path: Path) -> bool:
    """Whether the file has an audio stream. Raises MediaError if it is not media."""
    try:
        with av.open(str(path)) as container:
            return bool(container.streams.audio)
    except _READ_ERRORS as error:
        raise MediaError(f"{path} is not a readable media file: {error}") from error


def video_info(path: Path) -> VideoInfo:
    """Size, rate and length of the first video stream, without decoding it."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise MediaError(f"{path} has no video stream")
            stream = container.streams.video[0]
            rate = float(stream.average_rate or Fraction(25))
            if stream.duration is not None and stream.time_base is not None:
                seconds = float(stream.duration * stream.time_base)
            elif container.duration is not None:
                seconds = container.duration / av.time_base
            else:
                seconds = 0.0
            n_frames = stream.frames or round(seconds * rate)
            return VideoInfo(stream.width, stream.height, rate, seconds, n_frames)
    except _READ_ERRORS as error:
        raise MediaError(f"{path} cannot be decoded as video: {error}") from error


def iter_frames(path: Path) -> Iterator[tuple[float, av.VideoFrame]]:
    """Every frame with its time in seconds from the first one, in order.

    Frames are left undecoded to RGB (`rgb(frame)` does that), because most readers
    keep only a few. Raises MediaError where decoding breaks off.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise MediaError(f"{path} has no video stream")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            first = None
            for frame in container.decode(stream):
                if frame.time is None:
                    continue
                first = frame.time if first is None else first
                yield frame.time - first, frame
    except _READ_ERRORS as error:
        raise MediaError(f"{path} cannot be decoded as video: {error}") from error


def rgb(frame: av.VideoFrame) -> np.ndarray:
    """(height, width, 3) uint8 RGB."""
    return frame.to_ndarray(format="rgb24")
