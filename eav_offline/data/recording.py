"""One uninterrupted stretch of EEG, sound and video, and the windows cut from it.

An EAV trial is a recording; so is any EEG file with a media file beside it. The
replay publishes recordings and `cut` makes their windows, which is how a test can
hold a live window to the offline one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from eav_offline.common.errors import InputRefused
from eav_offline.core.window import (
    CONTEXT_SECONDS,
    FRAME_PERIOD,
    MIN_EEG_RATE,
    N_CHANNELS,
    WINDOW_SECONDS,
    FaceFrame,
    RawWindow,
    nearest_frames,
    sample_slice,
)
from eav_offline.data.media import iter_frames, rgb

if TYPE_CHECKING:
    from eav_offline.preprocess.face import FaceTracker

_Picture = TypeVar("_Picture")


class ArrayRefused(InputRefused, ValueError):
    """An array that no window can be cut from; the message says what is wanted."""


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
    start = recording.video_start or 0.0
    timed = ((start + time, frame) for time, frame in iter_frames(recording.video))
    within = takewhile(lambda one: one[0] < recording.seconds, timed)
    kept = _follow(within, rgb, tracker)
    return kept if recording.video_start is None else _held(kept, recording.seconds)


def _follow(
    timed: Iterable[tuple[float, _Picture]],
    image: Callable[[_Picture], np.ndarray],
    tracker: "FaceTracker",
) -> list[FaceFrame]:
    """Thin the frames and find the face in each that is kept, and only there an image.

    timed: seconds and frame, in order.
    """
    # Torch takes seconds to load, and a replay needs recordings without faces.
    from eav_offline.preprocess.face import FrameThinner

    kept: list[FaceFrame] = []
    thinner = FrameThinner()
    for time, frame in timed:
        if thinner.keep(time):
            if thinner.restarted:
                tracker.reset()
            kept.append(tracker.update(image(frame), time))
    return kept


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
        eeg = _last(recording.eeg_uv, recording.eeg_rate, t_end, CONTEXT_SECONDS)
    if recording.audio is not None:
        audio = _last(recording.audio, recording.audio_rate, t_end, 0.0)
    frames = None
    if faces:
        chosen = nearest_frames(np.array([f.time for f in faces]), t_end)
        if chosen is not None:
            frames = tuple(faces[i] for i in chosen)
    return RawWindow(
        t_end, eeg, recording.eeg_rate, audio, recording.audio_rate, frames
    )


def window_of_arrays(
    eeg: np.ndarray | None,
    eeg_rate: float | None,
    audio: np.ndarray | None,
    audio_rate: float | None,
    frames: np.ndarray | None,
    frame_times: np.ndarray | None,
) -> RawWindow:
    """The window of the newest five seconds of arrays that end at the same moment.

    eeg: (30, n) µV in the order of `EEG_CHANNELS` at `eeg_rate` Hz. audio: (n,) floats
    in [-1, 1] at `audio_rate` Hz. frames: (n, height, width, 3) uint8 RGB, taken at
    `frame_times` (n,) seconds of any clock; the last one stands as long as the others
    do. Any of the three may be None. Raises ArrayRefused.
    """
    if eeg is None and audio is None and frames is None:
        raise ArrayRefused("nothing to recognize; give eeg, audio or frames")
    t_end, eeg_uv, sound, kept = WINDOW_SECONDS, None, None, None
    if eeg is not None:
        eeg_uv = _newest("eeg", eeg, (N_CHANNELS,), eeg_rate, MIN_EEG_RATE)
    if audio is not None:
        sound = _newest("audio", audio, (), audio_rate, 1.0)
    if frames is not None:
        t_end, kept = _newest_frames(frames, frame_times)
    return RawWindow(t_end, eeg_uv, eeg_rate or 0.0, sound, audio_rate or 0.0, kept)


def _newest(
    name: str,
    samples: np.ndarray,
    channels: tuple[int, ...],
    rate: float | None,
    least_rate: float,
) -> np.ndarray:
    """Float32 samples (*channels, n) of the window, of EEG with its context."""
    if rate is None or not least_rate <= rate < np.inf:
        raise ArrayRefused(
            f"{name}_rate is {rate}; give its rate in Hz, {least_rate:g} or more"
        )
    samples = np.asarray(samples)
    wanted = f"({', '.join(map(str, channels))}, n)" if channels else "(n,)"
    if samples.ndim != len(channels) + 1 or samples.shape[:-1] != channels:
        raise ArrayRefused(f"{name} has the shape {samples.shape}; give {wanted}")
    if not np.issubdtype(samples.dtype, np.floating):
        unit = "µV" if channels else "[-1, 1]"
        raise ArrayRefused(f"{name} is of {samples.dtype}; give floats in {unit}")
    seconds = samples.shape[-1] / rate
    context = CONTEXT_SECONDS if channels else 0.0
    cut_out = _last(samples, rate, seconds, context)
    if cut_out is None:
        raise ArrayRefused(
            f"{name} is {seconds:.2f} s long; give {WINDOW_SECONDS:g} s or more"
        )
    if not np.isfinite(cut_out).all():
        raise ArrayRefused(f"{name} holds samples that are no finite numbers")
    return cut_out.astype(np.float32)


def _newest_frames(
    frames: np.ndarray, times: np.ndarray | None
) -> tuple[float, tuple[FaceFrame, ...]]:
    """When the frames end, seconds of their clock, and the 25 of the window."""
    from eav_offline.preprocess.face import FaceTracker

    frames = np.asarray(frames)
    if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8:
        raise ArrayRefused(
            f"frames are {frames.dtype} of the shape {frames.shape}; give uint8 RGB "
            "(n, height, width, 3)"
        )
    seconds = np.asarray([] if times is None else times, dtype=np.float64)
    if seconds.shape != (len(frames),):
        raise ArrayRefused(
            f"frame_times have the shape {seconds.shape}; give ({len(frames)},), the "
            "seconds at which each frame was taken"
        )
    steps = np.diff(seconds)
    if not (np.isfinite(seconds).all() and (steps > 0).all()):
        raise ArrayRefused("frame_times must be finite seconds, each above the last")
    step = float(np.median(steps)) if len(steps) else 0.0
    t_end = float(seconds[-1]) + step if len(seconds) else 0.0
    kept: list[FaceFrame] = []
    if len(steps) and seconds[0] <= t_end - WINDOW_SECONDS + FRAME_PERIOD:
        timed = zip(seconds.tolist(), frames, strict=True)
        kept = _follow(timed, np.ascontiguousarray, FaceTracker())
    chosen = nearest_frames(np.array([frame.time for frame in kept]), t_end)
    if chosen is None:
        raise ArrayRefused(
            f"frames do not reach over the newest {WINDOW_SECONDS:g} s without a gap "
            f"of {FRAME_PERIOD:g} s or more; give frames of all of it"
        )
    return t_end, tuple(kept[i] for i in chosen)


def _last(
    samples: np.ndarray, rate: float, t_end: float, context: float
) -> np.ndarray | None:
    """Of samples (..., n) from 0 s on, the window that ends at `t_end` and up to
    `context` seconds before it; None if they do not cover the window.
    """
    n = samples.shape[-1]
    needed = round(WINDOW_SECONDS * rate)
    if round(t_end * rate) > n:
        return None
    start, stop = sample_slice(0.0, n, rate, t_end, WINDOW_SECONDS + context)
    if stop - start < needed:
        return None
    return np.ascontiguousarray(samples[..., start:stop])


def window_ends(seconds: float) -> Iterable[float]:
    """Ends of the windows that tile a recording: 5, 10, 15, ... up to its length."""
    return [
        WINDOW_SECONDS * (i + 1) for i in range(int(seconds / WINDOW_SECONDS + 1e-6))
    ]
