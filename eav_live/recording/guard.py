"""What a session must have: nothing is recorded without it, and its loss is loud."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from eav_live.options.config import Must
from eav_live.recognition.predictions import (
    STREAM_NAMES,
    STREAMING,
    StreamHealth,
    StreamState,
)
from eav_live.recording.recorder import free_gb
from eav_live.session.intake import Intake
from eav_live.windows.quality import ANOTHER_FACE, MIXED_UP
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import MODALITIES

log = logging.getLogger(__name__)

WAIT_SECONDS = 12.0  # for streams to come and to be judged, before it is refused
STEADY_SECONDS = 2.5  # an electrode's fault counts after a second
_LOOK_SECONDS = 0.5
_REPEAT_SECONDS = 10.0  # between warnings of what is not acknowledged
_POLL_SECONDS = 0.1


class MustRefused(InputRefused):
    """Something that must be there is not; the message names each and what to do."""


def guard_of(must: Must, session: Intake, recording: Path) -> "Guard | None":
    """The guard of a session that is to be recorded; None if nothing is required."""
    if not must.anything:
        return None
    return Guard(must, session, recording.absolute().parent)


class Guard:
    """Watches that a session has what it must have. Asked by one thread.

    Every loss becomes an alarm, which stays until `acknowledge`, also if what was lost
    is back.
    """

    def __init__(
        self,
        must: Must,
        session: Intake,
        folder: Path,
        room: Callable[[Path], float] = free_gb,
    ) -> None:
        """folder: where the recording goes. room: GB that are free there."""
        self.must = must
        self._session = session
        self._folder = folder
        self._room = room
        self._complete = False  # is everything there, and recorded?
        self._lacking: dict[str, str] = {}
        self._alarms: dict[str, str] = {}
        self._looked_at = -float("inf")
        self._said_at = 0.0

    @property
    def alarm(self) -> str:
        """What was lost and is not acknowledged, in a line; empty if nothing."""
        return "   ".join(self._alarms.values())

    def acknowledge(self) -> None:
        """Somebody knows of all losses so far."""
        if self._alarms:
            log.info("Acknowledged: %s", ", ".join(self._alarms))
        self._alarms.clear()

    def require(
        self, seconds: float | None = None, judge: Callable[[], None] = lambda: None
    ) -> None:
        """Wait until everything is there, steadily. Raises MustRefused if it is not.

        seconds: to wait at the most; None is as long as streams take to begin. judge:
        looks at the quality of the signals, where no thread of the session does.
        """
        pause = threading.Event()
        for _ in self.awaiting(seconds, judge):
            pause.wait(_POLL_SECONDS)

    def awaiting(
        self, seconds: float | None = None, judge: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """`require` for a caller that does other things meanwhile.

        Yields as long as something is missing, and ends when all is there.
        """
        seconds = WAIT_SECONDS if seconds is None else seconds
        steady = STEADY_SECONDS if self.must.judged else 0.0
        since = time.monotonic()
        end = since + seconds
        while True:
            judge()
            lacking = self.lacking(STREAMING)
            now = time.monotonic()
            if lacking:
                since = now
            elif now - since >= steady:
                self._lacking = {}
                self._complete = True
                return
            if now > end:
                break
            yield
        raise MustRefused(
            "nothing is recorded, since the session lacks what it must have. "
            + " ".join(lacking.values() or ["The electrodes are not steady."])
        )

    def rest(self) -> None:
        """The recording has ended: nothing is lost until the next one begins."""
        self._complete = False

    def look(self) -> None:
        """Sound the alarm of what was lost since; many times a second will do.

        Before `require` has found everything nothing is recorded, and nothing lost.
        """
        now = self._session.clock()
        if not self._complete or now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = now
        # What is late for a moment is not lost.
        lacking = self.lacking((*STREAMING, StreamState.LATE))
        lost = {what: why for what, why in lacking.items() if what not in self._lacking}
        for why in lost.values():
            log.warning("LOST: %s", why)
        for what in self._lacking.keys() - lacking.keys():
            log.info("There again: %s", what)
        self._alarms |= lost
        for what in self._alarms:
            self._alarms[what] = lacking.get(what, f"{what} was lost and is back.")
        self._lacking = lacking
        self._repeat(now, bool(lost))

    def _repeat(self, now: float, news: bool) -> None:
        if news or not self._alarms:
            self._said_at = now
        elif now - self._said_at >= _REPEAT_SECONDS:
            self._said_at = now
            log.warning("Not acknowledged: %s", self.alarm)

    def lacking(self, there: tuple[StreamState, ...]) -> dict[str, str]:
        """What is not there now: by its name, what was found and what to do.

        there: states of a stream that is.
        """
        health = self._session.health()
        found = dict(self._streams(health, there))
        if "EEG" not in found and self.must.judged:
            found |= dict(self._electrodes(health["eeg"]))
        if self.must.face and "Face" not in found:
            found |= dict(self._face(health["video"]))
        return found | dict(self._rest())

    def _streams(
        self, health: dict[str, StreamHealth], there: tuple[StreamState, ...]
    ) -> Iterator[tuple[str, str]]:
        wanted = set(self.must.streams)
        wanted |= {"eeg"} if self.must.judged else set()
        wanted |= {"video"} if self.must.face else set()
        for modality in filter(wanted.__contains__, MODALITIES):
            stream, name = health[modality], STREAM_NAMES[modality]
            if stream.state is StreamState.OFF:
                option = "--eeg-stream" if modality == "eeg" else f"--{modality}"
                yield name, f"{name} is off: give {option}."
            elif stream.state not in there:
                why = stream.detail.rstrip(".") or "see that its sender is on"
                yield name, f"{name} is {stream.state}: {why}."
            elif stream.fault:
                yield name, f"{name} is left out: {stream.fault}."

    def _electrodes(self, eeg: StreamHealth) -> Iterator[tuple[str, str]]:
        if eeg.quality is None:
            yield "electrodes", "The electrodes are not judged yet: wait a moment."
            return
        bad = dict.fromkeys(self._session.interpolated, "missing")
        bad |= eeg.quality.electrodes
        for electrode in self.must.electrodes:
            if electrode in bad:
                what = f"electrode {electrode}"
                yield what, f"Electrode {electrode} is {bad[electrode]}: see to it."
        most = self.must.bad_electrodes
        if most is not None and len(bad) > most:
            yield (
                "electrodes",
                f"{len(bad)} electrodes are bad or missing, {most} may be: see to "
                f"{', '.join(bad)}.",
            )
        if eeg.quality.why == MIXED_UP:
            yield "electrodes' names", f"EEG is left out: {MIXED_UP}."

    def _face(self, video: StreamHealth) -> Iterator[tuple[str, str]]:
        quality = video.quality
        if quality is not None and quality.why == ANOTHER_FACE:
            yield "face", f"{STREAM_NAMES['video']} is left out: {ANOTHER_FACE}."
        elif quality is None or not quality.good:
            why = "not looked for yet" if quality is None else quality.why
            yield "face", f"No face ({why}): turn the camera, or more light."

    def _rest(self) -> Iterator[tuple[str, str]]:
        name, markers = self.must.markers, self._session.markers
        if name is not None and not (markers is not None and markers.connected):
            yield (
                f"markers {name}",
                f"There is no stream of markers {name!r}: start the program that "
                "sends it.",
            )
        if not self.must.free_gb:
            return
        room = self._room(self._folder)
        if room < self.must.free_gb:
            yield (
                "disk",
                f"The disk has {room:.1f} GB left of the {self.must.free_gb:g} it must "
                "have: make room, or record elsewhere.",
            )
