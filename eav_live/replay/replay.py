"""Recordings published as LSL streams, at true pace and on one clock.

Sample i of a recording that begins at t0 is stamped t0 + i / rate exactly, so that a
window cut from the streams equals the one cut from the recording.
"""

import json
import logging
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pylsl

from eav_live.outlets.headers import Outlets, StreamPlan
from eav_live.replay import TRIAL_GAP_SECONDS
from eav_live.replay.tracks import (
    MarkerTrack,
    Player,
    SampleTrack,
    Track,
    VideoTrack,
    file_frames,
)
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS
from eav_offline.data.media import MediaError
from eav_offline.data.recording import Recording

log = logging.getLogger(__name__)

LEAD_SECONDS = 0.1  # from loading a recording to its first sample
LINGER_SECONDS = 1.0  # readers that are busy lose what they have not read at the end
_SCOUTED = 10  # recordings looked at to learn which streams there will be


class ReplayRefused(InputRefused):
    """The material cannot be replayed; the message says what to do."""


@dataclass(frozen=True)
class Playlist:
    """What to publish, in order.

    recordings: functions that load one recording each, when its turn comes.
    continuous: the one recording is repeated for ever, each stream for itself and
        with continuous stamps, so that short material goes with long.
    repeat: begin again with the first after the last.
    channel_kinds: LSL types of the EEG channels; None makes all of them EEG.
    note: what the headers say of the material, such as "synthetic".
    """

    recordings: Sequence[Callable[[], Recording]]
    continuous: bool = False
    repeat: bool = False
    channel_kinds: tuple[str, ...] | None = None
    note: str = "recorded"


class Replay:
    """Publishes a playlist as NAME, NAME-Audio, NAME-Video and NAME-Markers."""

    def __init__(
        self,
        playlist: Playlist,
        name: str,
        *,
        start: float = 0.0,
        clock: Callable[[], float] = pylsl.local_clock,
        wait_for_consumers_s: float = 0.0,
    ) -> None:
        """start: seconds of the playlist to skip. wait_for_consumers_s: begin only
        when all streams but the markers are read, or after this time.

        The streams are visible once this returns. Raises ReplayRefused if there is
        nothing to publish.
        """
        self._playlist = playlist
        self._start = start
        self._clock = clock
        self._patience = wait_for_consumers_s
        self._player = Player(clock)
        plan = _plan(playlist)
        self.outlets = Outlets(plan, name, playlist.note)
        log.info("Replaying as %s: %s", name, ", ".join(self.outlets.names))

    def run(self, stop: threading.Event) -> None:
        """Publish until the playlist ends or `stop` is set."""
        self.outlets.wait_for_consumers(self._patience, stop)
        begin, failures = self._clock() + LEAD_SECONDS, 0
        with ThreadPoolExecutor(1, "replay loader") as loader:
            order = self._order()
            coming = _next(loader, order)
            while coming is not None and not stop.is_set():
                offset, loading = coming
                # The one after is loaded while this one plays.
                coming = _next(loader, order)
                recording = loading.result()
                if recording is None:
                    failures += 1
                    if failures >= len(self._playlist.recordings):
                        raise ReplayRefused("no recording can be read; see above")
                    continue
                failures = 0
                begin = max(begin, self._clock() + LEAD_SECONDS)
                self._play(recording, begin - offset, offset, stop)
                begin += recording.seconds - offset + TRIAL_GAP_SECONDS
            if coming is not None:
                coming[1].cancel()
        stop.wait(LINGER_SECONDS)

    def _order(self) -> Iterator[tuple[float, Callable[[], Recording]]]:
        """What to play, each with the seconds of it to skip."""
        skip = self._start
        while True:
            for load in self._playlist.recordings:
                if skip > 0 and not self._playlist.continuous:
                    recording = _try(load)
                    if recording is None:
                        continue
                    if skip >= recording.seconds:
                        skip -= recording.seconds
                        continue
                yield skip, load
                skip = 0.0
            if skip > 0:
                raise ReplayRefused(
                    f"--start {self._start:g} lies behind the end of the material, "
                    f"by {skip:g} s"
                )
            if not self._playlist.repeat:
                return

    def _play(
        self, recording: Recording, t0: float, offset: float, stop: threading.Event
    ) -> None:
        """Publish one recording; its beginning is stamped t0, and `offset` skipped."""
        emotion = None if recording.emotion is None else EMOTIONS[recording.emotion]
        log.info("%s: %s", recording.name, emotion or "no label")
        end = math.inf if self._playlist.continuous else t0 + recording.seconds
        tracks = self._tracks(recording, t0, offset)
        marker = {
            "trial": recording.trial,
            "task": recording.task,
            "emotion": emotion,
            "seconds": recording.seconds,
            "recording": recording.name,
        }
        markers = [(t0, json.dumps(marker), end)]
        tracks.append(MarkerTrack(self.outlets.markers, markers))
        self._player.play(tracks, t0, end, stop)

    def _tracks(self, recording: Recording, t0: float, offset: float) -> list[Track]:
        out, wrap = self.outlets, self._playlist.continuous
        seconds = math.inf if wrap else recording.seconds
        how = (t0, offset, wrap, seconds)
        fitted = out.fitted_by(recording)
        tracks: list[Track] = []
        if recording.eeg_uv is not None and "eeg" in fitted:
            values, rate = recording.eeg_uv.T, recording.eeg_rate
            tracks.append(SampleTrack(out.eeg, values, rate, *how))
        if recording.audio is not None and "audio" in fitted:
            values, rate = recording.audio[:, None], recording.audio_rate
            tracks.append(SampleTrack(out.audio, values, rate, *how))
        if recording.video is not None and "video" in fitted:
            frames = file_frames(recording.video, *how)
            tracks.append(VideoTrack(out.video, frames))
        return tracks


def replay_subject(
    path: Path,
    name: str,
    *,
    task: str = "speaking",
    loop: bool = False,
    start: float = 0.0,
    stop: threading.Event | None = None,
    wait_for_consumers_s: float = 0.0,
) -> None:
    """Publish the trials of one EAV subject, in order, until they end.

    Raises DatasetError or ReplayRefused if that is not possible.
    """
    playlist = replace(subject_playlist(path, task), repeat=loop)
    Replay(playlist, name, start=start, wait_for_consumers_s=wait_for_consumers_s).run(
        stop or threading.Event()
    )


def subject_playlist(path: Path, task: str = "speaking") -> Playlist:
    """The trials of one subject in EAV layout. Raises DatasetError."""
    from eav_offline.data.eav.subject import open_subject

    subject = open_subject(path)

    def loader(trial: int) -> Callable[[], Recording]:
        return lambda: subject.recording(trial)

    return Playlist(
        [loader(trial) for trial in subject.trials(task)],
        note="synthetic" if subject.synthetic else "recorded",
    )


def _plan(playlist: Playlist) -> StreamPlan:
    """Which streams there will be, from the first recordings that load."""
    plan = StreamPlan(channel_kinds=playlist.channel_kinds)
    for load in playlist.recordings[:_SCOUTED]:
        recording = _try(load)
        if recording is not None:
            plan = plan.extended(recording)
        if plan.is_complete:
            break
    if plan.is_empty:
        raise ReplayRefused(
            "none of the recordings holds EEG, sound or video that can be read; see "
            "the messages above, or run `eav-offline check`"
        )
    return plan


def _next(
    loader: ThreadPoolExecutor, order: Iterator[tuple[float, Callable[[], Recording]]]
) -> tuple[float, Future[Recording | None]] | None:
    item = next(order, None)
    return None if item is None else (item[0], loader.submit(_try, item[1]))


def _try(load: Callable[[], Recording]) -> Recording | None:
    """One damaged trial is passed over; the others go on."""
    try:
        return load()
    except (InputRefused, MediaError, OSError) as error:
        log.warning("Passed over: %s", error)
        return None
