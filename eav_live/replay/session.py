"""A recorded session as LSL streams again: its samples, frames and markers as sent.

Stamps are those of the recording, moved by one constant, so that gaps and jitter come
again too. Frames are the five a second that were kept.
"""

import logging
import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pylsl

from eav_live.replay.replay import (
    GAP_SECONDS,
    LEAD_SECONDS,
    LINGER_SECONDS,
    REPEAT_SECONDS,
    TICK_SECONDS,
    ReplayRefused,
)
from eav_offline.core.window import FRAME_RATE
from eav_offline.data.sessions.session import Marker, Opening, SessionFile, read_session

log = logging.getLogger(__name__)

_BUFFER_SECONDS = 10
_VIDEO_BUFFER_SECONDS = 3
_FORMATS = {
    "float32": pylsl.cf_float32,
    "float64": pylsl.cf_double64,
    "int64": pylsl.cf_int64,
    "int32": pylsl.cf_int32,
    "int16": pylsl.cf_int16,
    "int8": pylsl.cf_int8,
}


def replay_session(
    path: Path,
    name: str,
    *,
    loop: bool = False,
    start: float = 0.0,
    stop: threading.Event | None = None,
    wait_for_consumers_s: float = 0.0,
) -> None:
    """Publish a recording of `eav-live --record` until it ends.

    name: of the EEG stream; the others are NAME-Audio, NAME-Video and NAME-Markers.
    start: seconds to skip. Raises XdfError or ReplayRefused if that is not possible.
    """
    replay = SessionReplay(read_session(path), name)
    replay.wait_for_consumers(wait_for_consumers_s)
    replay.run(stop or threading.Event(), loop=loop, start=start)


class SessionReplay:
    """Publishes a recorded session; the streams are visible once this is made.

    Raises ReplayRefused if there is nothing to publish.
    """

    def __init__(
        self,
        session: SessionFile,
        name: str,
        clock: Callable[[], float] = pylsl.local_clock,
    ) -> None:
        self._session = session
        self._name = name
        self._clock = clock
        self._note = "synthetic" if session.synthetic else "recorded"
        self._eeg = _of_one_stream(session.openings["eeg"])
        self._audio = _of_one_stream(session.openings["audio"])
        self._video = _of_one_stream(session.openings["video"])
        self._outlets: list[pylsl.StreamOutlet] = []
        stamps = [
            o.stamps for o in (*self._eeg, *self._audio, *self._video) if len(o.stamps)
        ]
        if not stamps:
            raise ReplayRefused(
                f"{session.file.path} holds no EEG, sound or frames; give a recording "
                "of eav-live --record"
            )
        self._first = min(float(s.min()) for s in stamps)
        self._last = max(float(s.max()) for s in stamps)
        self._make: list[Callable[[float], _Track]] = []
        for openings, suffix in ((self._eeg, ""), (self._audio, "-Audio")):
            if openings:
                outlet = self._open_samples(openings[0], suffix)
                self._make.append(_sample_track(outlet, openings))
        if self._video:
            self._make.append(self._frame_track(self._open_video(self._video[0])))
        self._make.append(self._marker_track(self._open_markers()))
        log.info("Replaying %s as %s", session.file.path, name)

    def wait_for_consumers(self, seconds: float) -> None:
        """Wait until EEG, sound and video are all read, at most `seconds`."""
        pause, deadline = threading.Event(), self._clock() + seconds
        while self._clock() < deadline:
            # The markers' stream, the last, may have no reader.
            if all(outlet.have_consumers() for outlet in self._outlets[:-1]):
                return
            pause.wait(0.05)

    def run(
        self, stop: threading.Event, loop: bool = False, start: float = 0.0
    ) -> None:
        """Publish until the recording ends or `stop` is set."""
        length = self._last - self._first
        if start >= length:
            raise ReplayRefused(
                f"--start {start:g} lies behind the recording's end ({length:.1f} s)"
            )
        while not stop.is_set():
            shift = self._clock() + LEAD_SECONDS - self._first - start
            tracks = [make(self._first + start) for make in self._make]
            while not stop.is_set():
                recorded = self._clock() - shift
                for track in tracks:
                    track.push_until(recorded, shift)
                if recorded > self._last:
                    break
                stop.wait(TICK_SECONDS)
            if not loop:
                break
            stop.wait(GAP_SECONDS)
            start = 0.0
        stop.wait(LINGER_SECONDS)

    def _open_samples(self, opening: Opening, suffix: str) -> pylsl.StreamOutlet:
        stream = opening.stream
        sample_format = _FORMATS.get(stream.values.dtype.name)
        if sample_format is None:
            raise ReplayRefused(
                f"stream {stream.name!r} holds {stream.values.dtype} values, which LSL "
                "cannot send"
            )
        n = stream.values.shape[1]
        info = self._info(suffix, stream.kind, n, stream.rate, sample_format)
        channels = info.desc().append_child("channels")
        for described in stream.channels:
            channel = channels.append_child("channel")
            channel.append_child_value("label", described.label)
            channel.append_child_value("type", described.kind)
            channel.append_child_value("unit", described.unit)
            channel.append_child_value("scaling_factor", f"{described.scaling!r}")
        return self._open(info, 0, _BUFFER_SECONDS)

    def _open_video(self, opening: Opening) -> pylsl.StreamOutlet:
        width, height = _size(opening)
        info = self._info(
            "-Video", "VideoRaw", width * height * 3, FRAME_RATE, pylsl.cf_int8
        )
        info.desc().append_child_value("width", str(width))
        info.desc().append_child_value("height", str(height))
        info.desc().append_child_value("format", "RGB")
        return self._open(info, 1, _VIDEO_BUFFER_SECONDS)

    def _open_markers(self) -> pylsl.StreamOutlet:
        info = self._info(
            "-Markers", "Markers", 1, pylsl.IRREGULAR_RATE, pylsl.cf_string
        )
        return self._open(info, 0, _BUFFER_SECONDS)

    def _info(
        self, suffix: str, kind: str, n: int, rate: float, sample_format: int
    ) -> pylsl.StreamInfo:
        name = f"{self._name}{suffix}"
        source_id = f"eav-replay {name} {kind}"
        info = pylsl.StreamInfo(name, kind, n, rate, sample_format, source_id)
        info.desc().append_child_value("eav_replay", self._note)
        return info

    def _open(
        self, info: pylsl.StreamInfo, chunk: int, buffer_s: int
    ) -> pylsl.StreamOutlet:
        outlet = pylsl.StreamOutlet(info, chunk, buffer_s)
        self._outlets.append(outlet)
        return outlet

    def _frame_track(self, outlet: pylsl.StreamOutlet) -> "Callable[[float], _Track]":
        size = _size(self._video[0])

        def make(since: float) -> _Track:
            frames = (
                (float(opening.stamps[row]), image)
                for opening, row, image in self._session.frames()
                if size == _size(opening)
            )
            return _FrameTrack(outlet, (f for f in frames if f[0] >= since))

        return make

    def _marker_track(self, outlet: pylsl.StreamOutlet) -> "Callable[[float], _Track]":
        markers = self._session.markers

        def make(since: float) -> _Track:
            # With the one of the trial that `since` lies in.
            coming = [m for m in markers if max(m.stamp, _trial_end(m)) >= since]
            return _MarkerTrack(outlet, coming)

        return make


class _Track(ABC):
    """One stream on its way out again."""

    @abstractmethod
    def push_until(self, recorded: float, shift: float) -> None:
        """Push what was recorded by `recorded`, stamped `shift` seconds later."""


class _SampleTrack(_Track):
    def __init__(
        self, outlet: pylsl.StreamOutlet, values: np.ndarray, stamps: np.ndarray
    ) -> None:
        self._outlet = outlet
        self._values = values
        self._stamps = stamps
        # A clock that jumped back does not hold up what follows.
        self._due = np.maximum.accumulate(stamps)
        self._next = 0

    def push_until(self, recorded: float, shift: float) -> None:
        """See `_Track`."""
        due = int(np.searchsorted(self._due, recorded, side="right"))
        if due > self._next:
            part = slice(self._next, due)
            values = np.ascontiguousarray(self._values[part])
            self._outlet.push_chunk(values, (self._stamps[part] + shift).tolist())
            self._next = due


class _FrameTrack(_Track):
    def __init__(
        self, outlet: pylsl.StreamOutlet, frames: Iterator[tuple[float, np.ndarray]]
    ) -> None:
        self._outlet = outlet
        self._frames = frames
        self._next = next(frames, None)

    def push_until(self, recorded: float, shift: float) -> None:
        """See `_Track`."""
        while self._next is not None and self._next[0] <= recorded:
            stamp, image = self._next
            row = np.ascontiguousarray(image).reshape(1, -1).view(np.int8)
            self._outlet.push_chunk(row, [stamp + shift])
            self._next = next(self._frames, None)


class _MarkerTrack(_Track):
    """Markers, those of a running trial again and again as `Replay` sends them."""

    def __init__(self, outlet: pylsl.StreamOutlet, markers: Sequence[Marker]) -> None:
        self._outlet = outlet
        self._markers = list(markers)
        self._running: Marker | None = None
        self._repeat_at = math.inf

    def push_until(self, recorded: float, shift: float) -> None:
        """See `_Track`."""
        while self._markers and self._markers[0].stamp <= recorded:
            marker = self._markers.pop(0)
            self._outlet.push_sample([marker.text], marker.stamp + shift)
            if _trial_end(marker) > recorded:
                self._running, self._repeat_at = marker, recorded + REPEAT_SECONDS
        running = self._running
        if running is not None and recorded >= self._repeat_at:
            if recorded < _trial_end(running):
                self._outlet.push_sample([running.text], running.stamp + shift)
            self._repeat_at = recorded + REPEAT_SECONDS


def _trial_end(marker: Marker) -> float:
    """When the trial ends that a replay's marker begins; -inf if it begins none."""
    said = marker.as_object()
    seconds = said.get("seconds")
    if said.get("emotion") is None or not isinstance(seconds, int | float):
        return -math.inf
    return marker.stamp + seconds


def _of_one_stream(openings: list[Opening]) -> list[Opening]:
    """The openings that fit one header; a stream that changed is left out and said."""
    if not openings:
        return []
    first = openings[0].stream

    def fits(opening: Opening) -> bool:
        stream = opening.stream
        if opening.modality == "video":  # a new file of frames is no other stream
            return _size(opening) == _size(openings[0])
        return stream.number == first.number

    kept = [opening for opening in openings if fits(opening)]
    if len(kept) < len(openings):
        log.warning(
            "%s changed while it was recorded; only what fits its first header is "
            "replayed",
            first.name,
        )
    return kept


def _size(opening: Opening) -> tuple[int, int]:
    width, height = opening.stream.said("width"), opening.stream.said("height")
    if not (width.isdigit() and height.isdigit()):
        raise ReplayRefused(f"stream {opening.stream.name!r} states no size of frames")
    return int(width), int(height)


def _sample_track(
    outlet: pylsl.StreamOutlet, openings: list[Opening]
) -> Callable[[float], _Track]:
    values = np.concatenate([o.values for o in openings])
    stamps = np.concatenate([o.stamps for o in openings])

    def make(since: float) -> _Track:
        later = stamps >= since
        return _SampleTrack(outlet, values[later], stamps[later])

    return make
