"""One uninterrupted stretch of EEG, sound and video, and the windows cut from it.

An EAV trial is a recording; so is any EEG file with a media file beside it. The
replay publishes recordings and `cut` makes their windows, which is how a test can
hold a live window to the offline one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eav_offline.core.window import (
    CONTEXT_SECONDS,
    FRAME_PERIOD,
    WINDOW_SECONDS,
    FaceFrame,
    RawWindow,
    nearest_frames,
    sample_slice,
)
from eav_offline.data.media import iter_frames, rgb

if TYPE_CHECKING:
    from eav_offline.preprocess.face import FaceTracker


@dataclass(frozen=True)
class Recording:
    """EEG, sound and video that begin together; times count from that beginning.

    name: for messages, such as "subject1 trial 002".
    eeg_uv: (channels, samples) float32 µV at `eeg_rate` Hz, or None.
    channels: electrode names, one for each row of `eeg_uv`.
    audio: (samples,) float32 in [-1, 1] at `audio_rate` Hz, or None.
    video: media file, decoded as it is read, or None.
    emotion, task, trial: class index, "speaking" or "listening", 1-based EAV index;
        None where unknown.
    video_start: when the video's first frame is, seconds; before it and after the last
        one the picture stands still. None: the video begins with the recording and
        lasts as long.
    """

    name: str
    seconds: float
    eeg_uv: np.ndarray | None
    eeg_rate: float
    channels: tuple[str, ...]
    audio: np.ndarray | None
    audio_rate: float
    video: Path | None
    emotion: int | None = None
    task: str | None = None
    trial: int | None = None
    video_start: float | None = None


def track_faces(recording: Recording, tracker: "FaceTracker") -> list[FaceFrame] | None:
    """Keep five frames a second of the recording's video and find the face in each.

    The tracker forgets what it followed before. Returns None without video. Raises
    MediaError if the file breaks off early.
    """
    if recording.video is None:
        return None
    # Torch takes seconds to load, and a replay needs recordings without faces.
    from eav_offline.preprocess.face import FrameThinner

    kept: list[FaceFrame] = []
    thinner = FrameThinner()
    start = recording.video_start or 0.0
    for since_first, frame in iter_frames(recording.video):
        time = start + since_first
        if time >= recording.seconds:
            break
        if thinner.keep(time):
            if thinner.restarted:
                tracker.reset()
            kept.append(tracker.update(rgb(frame), time))
    return kept if recording.video_start is None else _held(kept, recording.seconds)


def _held(kept: list[FaceFrame], seconds: float) -> list[FaceFrame]:
    """The frames of [0, seconds), the first and last repeated where there are none."""
    kept = [frame for frame in kept if frame.time >= 0.0]
    if not kept:
        return []
    first, last = kept[0], kept[-1]
    n_before = int(first.time / FRAME_PERIOD)
    n_after = int((seconds - last.time) / FRAME_PERIOD - 1e-6)
    return [
        *(_still(first, -i) for i in range(n_before, 0, -1)),
        *kept,
        *(_still(last, i) for i in range(1, n_after + 1)),
    ]


def _still(frame: FaceFrame, steps: int) -> FaceFrame:
    return replace(frame, time=frame.time + steps * FRAME_PERIOD, found=False)


def cut(recording: Recording, faces: list[FaceFrame] | None, t_end: float) -> RawWindow:
    """The window [t_end - 5, t_end) of a recording, `t_end` in seconds from its start.

    faces: what `track_faces` returned. A modality that does not cover the window is
    absent from it.
    """
    eeg = audio = None
    if recording.eeg_uv is not None:
        eeg = last_samples(
            recording.eeg_uv, 0.0, recording.eeg_rate, t_end, CONTEXT_SECONDS
        )
    if recording.audio is not None:
        audio = last_samples(recording.audio, 0.0, recording.audio_rate, t_end, 0.0)
    frames = None
    if faces:
        chosen = nearest_frames(np.array([f.time for f in faces]), t_end)
        if chosen is not None:
            frames = tuple(faces[i] for i in chosen)
    return RawWindow(
        t_end, eeg, recording.eeg_rate, audio, recording.audio_rate, frames
    )


def last_samples(
    samples: np.ndarray, first: float, rate: float, t_end: float, context: float
) -> np.ndarray | None:
    """The window that ends at `t_end` and up to `context` seconds before it.

    samples: (..., n) without a gap; first: stamp of sample 0, seconds. Returns None
    if they do not cover the window.
    """
    n = samples.shape[-1]
    needed = round(WINDOW_SECONDS * rate)
    if round((t_end - first) * rate) > n:
        return None
    start, stop = sample_slice(first, n, rate, t_end, WINDOW_SECONDS + context)
    if stop - start < needed:
        return None
    return np.ascontiguousarray(samples[..., start:stop])


def window_ends(seconds: float) -> Iterable[float]:
    """Ends of the windows that tile a recording: 5, 10, 15, ... up to its length."""
    return [
        WINDOW_SECONDS * (i + 1) for i in range(int(seconds / WINDOW_SECONDS + 1e-6))
    ]
