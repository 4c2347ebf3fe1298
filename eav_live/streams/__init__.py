"""Where samples come from: LSL, devices and files, each behind the same few methods.

What came in is offered to listeners as it came, before anything is done to it.
"""

from dataclasses import dataclass, field

import numpy as np

from eav_live.recognition.predictions import StreamState
from eav_offline.core.electrodes import Channel, ChannelMap
from eav_offline.core.window import FaceFrame

STALE_SECONDS = 1.0  # older data are left out of the window
LOST_SECONDS = 3.0


@dataclass(frozen=True)
class Origin:
    """Where samples come from, as far as the sender says.

    kind: LSL content type (EEG, Audio, VideoRaw, Markers). rate: Hz as stated, 0 for
    frames and markers. channels: in the order of the values. montage: from them to the
    30 electrodes, EEG only. size: (width, height) of frames, video only. note: what a
    replay says of its material ("synthetic", "recorded"), else empty.
    """

    kind: str
    name: str
    rate: float
    channels: tuple[Channel, ...]
    source_id: str = ""
    hostname: str = ""
    note: str = ""
    size: tuple[int, int] | None = None
    montage: ChannelMap | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Arrival:
    """What one step of a source brought.

    modality: "eeg", "audio", "video" or "markers". opening: counts the times that the
    stream or device was opened; stamps of different openings are not smoothed as one.
    values: (n, channels) as sent, sound (n, 1) float32 mono; of markers (n, 1) objects
        of text; of video one kept frame (height, width, 3) uint8 RGB.
    stamps: (n,) float64 seconds on the session's clock, before smoothing.
    face: of a frame, what the tracker made of it; begins: the frame follows a gap;
        chosen: pixel at which somebody chose a face to follow from this frame on.
    """

    modality: str
    origin: Origin
    opening: int
    values: np.ndarray
    stamps: np.ndarray
    face: FaceFrame | None = None
    begins: bool = False
    chosen: tuple[float, float] | None = None


def judge(
    newest: float | None, heard: float | None, now: float, connected: bool
) -> StreamState:
    """The state of a stream, all times in seconds on one clock.

    newest: stamp of its newest sample; heard: when a sample last arrived; None before
    the first. connected: whether there is a sender or device right now.
    """
    if newest is None or heard is None:
        return StreamState.CONNECTING
    # By arrival: what is old when it comes is late, and not lost.
    if not connected or now - heard > LOST_SECONDS:
        return StreamState.LOST
    if now - newest > STALE_SECONDS:
        return StreamState.LATE
    return StreamState.LIVE
