"""Reading media files: mono sound as float32, frames as RGB with their times."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer

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


@contextmanager
def _opened(
    path: Path, kind: str, why: str = "cannot be decoded as"
) -> Iterator[tuple[InputContainer, Any]]:
    """A file and its first stream of a kind, "audio" or "video". Raises MediaError."""
    try:
        with av.open(str(path)) as container:
            stream = next((s for s in container.streams if s.type == kind), None)
            if stream is None:
                raise MediaError(f"{path} has no {kind} stream")
            yield container, stream
    except _READ_ERRORS as error:
        raise MediaError(f"{path} {why} {kind}: {error}") from error


def read_audio(path: Path) -> tuple[np.ndarray, float]:
    """Decode the first audio stream of any file, mixed down to mono.

    Returns (samples,) float32 in [-1, 1] and the rate in Hz.
    Raises MediaError if there is none or it is damaged.
    """
    with _opened(path, "audio") as (container, stream):
        rate = stream.rate
        mono = av.AudioResampler(format="fltp", layout="mono", rate=rate)
        parts = [
            out.to_ndarray()[0]
            for frame in container.decode(stream)
            for out in mono.resample(frame)
        ]
        parts += [out.to_ndarray()[0] for out in mono.resample(None)]
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
    with _opened(path, "video") as (container, stream):
        rate = float(stream.average_rate or Fraction(25))
        if stream.duration is not None and stream.time_base is not None:
            seconds = float(stream.duration * stream.time_base)
        else:
            seconds = (container.duration or 0) / av.time_base
        n_frames = stream.frames or round(seconds * rate)
        return VideoInfo(stream.width, stream.height, rate, seconds, n_frames)


def packet_times(path: Path) -> tuple[list[float], float]:
    """When each coded frame really in the file is shown, ascending, and their rate, Hz.

    Read from the packets without decoding; damaged ones do not count.
    Raises MediaError.
    """
    why = "is damaged or cut off, so copy it again; it cannot be opened as"
    with _opened(path, "video", why) as (container, stream):
        times = sorted(
            float(packet.pts * packet.time_base)
            for packet in container.demux(stream)
            if packet.size > 0 and not packet.is_corrupt
            if packet.pts is not None and packet.time_base is not None
        )
        return times, float(stream.average_rate or Fraction(25))


def iter_frames(path: Path) -> Iterator[tuple[float, av.VideoFrame]]:
    """Every frame with its time in seconds from the first one, in order.

    Frames are left undecoded to RGB (`rgb(frame)` does that), because most readers
    keep only a few. Raises MediaError where decoding breaks off.
    """
    with _opened(path, "video") as (container, stream):
        stream.thread_type = "AUTO"
        first = None
        for frame in container.decode(stream):
            if frame.time is None:
                continue
            first = frame.time if first is None else first
            yield frame.time - first, frame


def rgb(frame: av.VideoFrame) -> np.ndarray:
    """(height, width, 3) uint8 RGB."""
    return frame.to_ndarray(format="rgb24")
