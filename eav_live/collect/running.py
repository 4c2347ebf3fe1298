"""A collecting session as it runs: course, state of the streams, markers, sound."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from eav_live.collect.course import Course, Emit, Phase
from eav_live.collect.script import LoadedScript
from eav_live.recognition.predictions import StreamHealth
from eav_live.recording.recorder import Recorder
from eav_live.session.intake import Intake, absent
from eav_offline.common.errors import InputRefused

log = logging.getLogger(__name__)


class Player(Protocol):
    """Plays sound to the person; see `eav_live.streams.loudspeaker`."""

    def play(self, path: Path) -> None:
        """Begin to play. Raises InputRefused if that is not possible."""

    def stop(self) -> None:
        """Be silent."""


class Collecting:
    """Runs a course on live streams, recorded from beginning to end.

    The operator acts through `space`, `repeat`, `skip`, `ask_end`, `answer`; everything
    else happens in `tick`, which a timer calls many times a second. All of it in one
    thread. A stream that goes away pauses the course, and the trial it was lost in is
    done again; nothing is started while a stream that was asked for is not there.

    notice: what the operator has to know now; empty if nothing. asking: whether the
    operator is asked if the session is to end.
    """

    def __init__(
        self,
        loaded: LoadedScript,
        intake: Intake,
        recorder: Recorder,
        player: Player | None = None,
        outlets: Sequence[Emit] = (),
    ) -> None:
        """outlets: where markers go besides the recording. player: for media."""
        self.loaded = loaded
        self.intake = intake
        self.recorder = recorder
        self.course = Course(loaded, self._mark)
        self.notice = ""
        self.asking = False
        self.health: Mapping[str, StreamHealth] = intake.health()
        self._player = player
        self._outlets = tuple(outlets)
        self._held_by = ""  # what was missing when the session was held up
        self._gaps: dict[str, int] = {}
        self._unrecorded = 0

    def clock(self) -> float:
        """Seconds on the clock of all stamps."""
        return self.intake.clock()

    @property
    def curtain(self) -> str:
        """What is laid over everything, its first line large; empty if nothing is."""
        course = self.course
        if self.asking:
            return "End the session?\nEnter ends it. Esc goes back to the pause."
        if course.finished:
            head = "The session has ended" if course.aborted else "Thank you"
            made = f"{len(course.done)} of {len(course.plan)} trials are recorded."
            return f"{head}\n{made}"
        if not course.paused:
            return ""
        following = {
            Phase.REST: "the rest goes on",
            Phase.INSTRUCTIONS: "the page is shown again",
        }.get(course.phase, f"trial {course.index + 1} begins again with its countdown")
        return f"Paused\nWhen the space bar is pressed, {following}."

    def tick(self) -> None:
        """Look at the streams and go on to what is due."""
        self.intake.judge()
        self.health = self.intake.health()
        course, now = self.course, self.clock()
        missing = self._trouble()
        if course.phase is Phase.READY:
            self.notice = missing
            if not missing:
                course.begin(now)
            return
        if missing and course.phase in (Phase.COUNTDOWN, Phase.TRIAL):
            if not course.paused:
                self._held_by = missing
                self._pause(missing, "stream")
        if self._held_by and self.notice == self._held_by != missing:
            # What is said of a stream changes, above all when it is back.
            self.notice = missing or "All is there again: the space bar goes on."
            self._held_by = missing
        before = course.phase, course.index
        course.tick(now)
        if (course.phase, course.index) != before:
            self._entered(before[0])

    def space(self) -> None:
        """Turn a page, pause, or go on."""
        course, now = self.course, self.clock()
        if self.asking or course.phase in (Phase.READY, Phase.DONE):
            return
        if course.phase is Phase.INSTRUCTIONS or course.paused:
            self.health = self.intake.health()
            self.notice = self._held_by = self._trouble()
            if self.notice:
                return
        if course.paused:
            course.resume(now)
        elif course.phase is Phase.INSTRUCTIONS:
            course.go_on(now)
        else:
            self._pause("", "operator")

    def repeat(self) -> None:
        """Do the trial that runs, or the last one, again."""
        if not self.asking:
            self._silence()
            self.notice = ""
            self.course.repeat(self.clock())

    def skip(self) -> None:
        """Leave out the trial that runs or comes next."""
        if not self.asking:
            self._silence()
            self.course.skip(self.clock())

    def ask_end(self) -> None:
        """Pause, and ask whether the session is to end; `answer` takes the answer."""
        if not self.course.finished:
            self._pause(self.notice, "operator")
            self.asking = True

    def answer(self, end: bool) -> None:
        """End the session, or leave it paused."""
        if self.asking:
            self.asking = False
            if end:
                self.end()

    def end(self) -> None:
        """End the session now, wherever it is. May be called twice."""
        self._silence()
        self.course.abort(self.clock())

    def _pause(self, notice: str, reason: str) -> None:
        self._silence()
        self.notice = notice
        self.course.pause(self.clock(), reason)

    def _entered(self, left: Phase) -> None:
        """What a new phase brings with it."""
        course = self.course
        if course.phase is Phase.TRIAL:
            self.notice = ""
            self._gaps = {m: h.gaps for m, h in self.health.items()}
            self._unrecorded = self.recorder.status.lost
            self._play()
        elif left is Phase.TRIAL:
            self._silence()
            spoiled = self._spoiled()
            if spoiled:
                self._pause(
                    f"{spoiled} in trial {course.trial.number}.\n"
                    "R does it again, the space bar keeps it.",
                    "gap",
                )

    def _trouble(self) -> str:
        """Why no trial can run now; empty if one can."""
        error = self.recorder.status.error
        if error:
            return f"Nothing is recorded: {error}"
        return absent(self.health)

    def _spoiled(self) -> str:
        """What was lost in the trial that has just ended; empty if nothing was."""
        if self.recorder.status.lost > self._unrecorded:
            return "Some of what came in was not recorded"
        holes = [
            f"{m} had a gap" for m, h in self.health.items() if h.gaps > self._gaps[m]
        ]
        return ", ".join(holes)

    def _play(self) -> None:
        media = self.course.trial.media
        if media is None or self._player is None:
            return
        try:
            self._player.play(media)
        except InputRefused as error:
            self._pause(str(error), "sound")

    def _silence(self) -> None:
        if self._player is not None:
            self._player.stop()

    def _mark(self, marker: Mapping[str, object], stamp: float) -> None:
        self.recorder.mark(marker, stamp)
        for outlet in self._outlets:
            outlet(marker, stamp)
