"""A recorded session as LSL streams again: its samples, frames and markers as sent.

Stamps are those of the recording, moved by one constant, so that gaps and jitter come
again too. Frames are the five a second that were kept.
"""

import logging
import math
import threading
from collections.abc import Callable

import numpy as np
import pylsl

from eav_live.outlets.headers import (
    FORMATS,
    StreamHeader,
    markers_header,
    open_outlet,
    replay_header,
)
from eav_live.replay import TRIAL_GAP_SECONDS
from eav_live.replay.replay import (
    LEAD_SECONDS,
    LINGER_SECONDS,
    ReplayRefused,
)
from eav_live.replay.tracks import MarkerTrack, Player, StampedTrack, Track, VideoTrack
from eav_offline.core.window import FRAME_RATE
from eav_offline.data.sessions.session import Marker, Opening, SessionFile

log = logging.getLogger(__name__)
# A track from a moment of the recording on, stamped so many seconds later.
MakeTrack = Callable[[float, float], Track]


class SessionReplay:
    """Publishes a recorded session as NAME, NAME-Audio, NAME-Video and NAME-Markers.

    The streams are visible once this is made. Raises ReplayRefused if there is nothing
    to publish.
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
        self.outlets: list[pylsl.StreamOutlet] = []
        self._player = Player(clock)
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
        self._make: list[MakeTrack] = []
        for modality, openings in (("eeg", self._eeg), ("audio", self._audio)):
            if openings:
                self._make.append(self._sample_track(modality, openings))
        if self._video:
            self._make.append(self._frame_track())
        self._make.append(self._marker_track())
        log.info("Replaying %s as %s", session.file.path, name)

    def run(
        self, stop: threading.Event, loop: bool = False, start: float = 0.0
    ) -> None:
        """Publish until the recording ends or `stop` is set. start: seconds to skip."""
        length = self._last - self._first
        if start >= length:
            raise ReplayRefused(
                f"--start {start:g} lies behind the recording's end ({length:.1f} s)"
            )
        while not stop.is_set():
            shift = self._clock() + LEAD_SECONDS - self._first - start
            tracks = [make(self._first + start, shift) for make in self._make]
            self._player.play(tracks, self._first + shift, self._last + shift, stop)
            if not loop:
                break
            stop.wait(TRIAL_GAP_SECONDS)
            start = 0.0
        stop.wait(LINGER_SECONDS)

    def _open(self, header: StreamHeader) -> pylsl.StreamOutlet:
        self.outlets.append(open_outlet(header))
        return self.outlets[-1]

    def _sample_track(self, modality: str, openings: list[Opening]) -> MakeTrack:
        stream = openings[0].stream
        dtype = stream.values.dtype.name
        if dtype not in FORMATS or dtype == "object":
            raise ReplayRefused(
                f"stream {stream.name!r} holds {dtype} values, which LSL cannot send"
            )
        outlet = self._open(
            replay_header(
                self._name,
                modality,
                self._note,
                stream.rate,
                dtype,
                stream.channels,
                n_values=stream.values.shape[1],
            )
        )
        values = np.concatenate([o.values for o in openings])
        stamps = np.concatenate([o.stamps for o in openings])

        def make(since: float, shift: float) -> Track:
            later = stamps >= since
            return StampedTrack(outlet, values[later], stamps[later] + shift)

        return make

    def _frame_track(self) -> MakeTrack:
        size = _size(self._video[0])
        outlet = self._open(
            replay_header(self._name, "video", self._note, FRAME_RATE, size=size)
        )

        def make(since: float, shift: float) -> Track:
            stamped = (
                (float(opening.stamps[row]), image)
                for opening, row, image in self._session.frames()
                if size == _size(opening)
            )
            later = ((t + shift, image) for t, image in stamped if t >= since)
            return VideoTrack(outlet, later)

        return make

    def _marker_track(self) -> MakeTrack:
        outlet = self._open(markers_header(self._name, self._note))
        markers = [(m.stamp, m.text, _trial_end(m)) for m in self._session.markers]

        def make(since: float, shift: float) -> Track:
            # With the one of the trial that `since` lies in.
            coming = [(t, x, end) for t, x, end in markers if max(t, end) >= since]
            return MarkerTrack(
                outlet, [(t + shift, x, end + shift) for t, x, end in coming]
            )

        return make


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
