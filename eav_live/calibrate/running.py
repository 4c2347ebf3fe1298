"""A calibration as it runs: consent, cues, rest while the model is fitted, an answer.

    consent -> waiting -> cues -> fitting -> answer -> ended
                  |-> refused

Killed at any moment and begun again, it goes on with the clips that are on disk.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from eav_live.calibrate.clips import clips_in, labeled_windows, planned
from eav_live.collect.running import Collecting
from eav_live.options.config import Must
from eav_live.recognition.people import DISCARDED, Person
from eav_live.recording.guard import guard_of
from eav_live.recording.recorder import Recorder
from eav_live.session.intake import Intake
from eav_offline.checkpoint.file import load, save_checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.personal.calibration import LEAST_CLIPS, calibrate
from eav_offline.personal.worth import Calibrated

log = logging.getLogger(__name__)

# The streams and what records them to a file, neither started.
Open = Callable[[Path], tuple[Intake, Recorder]]


class Stage(StrEnum):
    """What the person sees."""

    CONSENT = "consent"
    WAITING = "waiting"  # for what the session must have
    REFUSED = "refused"  # as it is not there
    CUES = "cues"
    FITTING = "fitting"
    ANSWER = "answer"
    ENDED = "ended"


class Calibrating:
    """Runs a person's calibration, a new one or one that was interrupted.

    Whoever shows it calls `tick` many times a second, and `agree`, `keep`, `discard`,
    `end` when the person says so. All of it in one thread.

    clips: wanted. there: numbers of those that are recorded. found: what was there of
    an interrupted calibration, in a sentence, else empty. collecting: shows the cues,
    None before its time. refused: why nothing is recorded. result, error: of the fit,
    once it has ended.
    """

    def __init__(
        self,
        person: Person,
        model: Path,
        clips: int,
        open_streams: Open,
        out: Path,
        must: Must | None = None,
    ) -> None:
        """model: what is calibrated. out: where the recording will lie. must: what has
        to be there before it begins; `open_streams` then holds it until it is started.
        """
        self.person, self.model, self._must = person, model, must or Must()
        begun = person.unanswered
        self._calibration = replace(begun or person.begin(clips), clips=clips)
        self.clips = clips
        self.there = clips_in(self._calibration.files)
        self.loaded = planned(clips, self._calibration.seed, self.there)
        self.found = self._found()
        self.collecting: Collecting | None = None
        self.refused: InputRefused | None = None
        self._awaited: Iterator[None] = iter(())
        self.result: Calibrated | None = None
        self.error = ""
        self.kept: Path | None = None
        self._open, self._out = open_streams, out
        self._fitting: Fitting | None = None
        self._streams: tuple[Intake, Recorder] | None = None
        self._closing = threading.Lock()
        self.stage = Stage.CONSENT
        if not self.loaded.plan:  # all of it was said before
            self._fit()

    def agree(self) -> None:
        """The person agrees: open the streams, record, show cues.

        What cannot be opened, or is not there that must be, has it `refused`.
        """
        assert self.stage is Stage.CONSENT
        at = datetime.now().strftime("%Y%m%d-%H%M%S-%f")
        path = self._out / f"{self.person.code}-{at}.xdf"
        recordings = (*self._calibration.recordings, str(path.absolute()))
        self._change(recordings=recordings)  # first: it must be found again
        self._out.mkdir(parents=True, exist_ok=True)
        self.stage = Stage.WAITING
        try:
            self._streams = self._open(path)
            intake, _ = self._streams
            guard = guard_of(self._must, intake, path)
            if guard is not None:
                self._awaited = guard.awaiting(judge=intake.judge)
            intake.start()
        except InputRefused as refusal:
            self._refuse(refusal)
        else:
            self.tick()

    def tick(self) -> None:
        """Go on to what is due."""
        if self.stage is Stage.WAITING:
            try:
                if next(self._awaited, True):
                    self._cue()
            except InputRefused as refusal:
                self._refuse(refusal)
        elif self.stage is Stage.CUES:
            assert self.collecting is not None
            self.collecting.tick()
            if self.collecting.course.finished:
                self._cued()
        elif self.stage is Stage.FITTING:
            assert self._fitting is not None
            if not self._fitting.running:
                self.result, self.error = self._fitting.result, self._fitting.error
                self.stage = Stage.ANSWER

    @property
    def can_keep(self) -> bool:
        """Whether there is a model to be kept."""
        return self.result is not None and self.result.taken

    def keep(self) -> None:
        """Keep the model: the person's next session finds it."""
        assert self.stage is Stage.ANSWER
        assert self.result is not None
        save_checkpoint(self.person.pending(), self.result.checkpoint)
        self._calibration = self.person.keep(self._calibration)
        self.kept = self.person.model
        self.stage = Stage.ENDED

    def discard(self) -> None:
        """Keep no model of these clips. The recordings stay."""
        assert self.stage is Stage.ANSWER
        self._change(answer=DISCARDED)
        self.stage = Stage.ENDED

    def end(self) -> None:
        """End now, with everything that is on disk left as it is. May be called twice.

        What was begun and not answered goes on when it is begun again.
        """
        if self.collecting is not None:
            self.collecting.end()
        self._close()
        self.stage = Stage.ENDED

    def _found(self) -> str:
        if not self.there:
            return ""
        left = len(self.loaded.plan)
        more = f"{left} are left" if left else "none is left to record"
        return f"{len(self.there)} of {self.clips} clips are recorded already; {more}."

    def _refuse(self, refusal: InputRefused) -> None:
        self._close()
        self.refused, self.stage = refusal, Stage.REFUSED

    def _cue(self) -> None:
        assert self._streams is not None
        intake, recorder = self._streams
        recorder.start()
        self.collecting = Collecting(self.loaded, intake, recorder)
        self.stage = Stage.CUES

    def _cued(self) -> None:
        assert self.collecting is not None
        course = self.collecting.course
        self.there |= course.done
        if course.aborted:
            self.end()
        else:
            self._fit()

    def _fit(self) -> None:
        def make() -> Calibrated:
            self._close()  # the recording must be whole, and that takes a second
            return fit(self._calibration.files, self.model, self.person.code)

        self._fitting = Fitting(make)
        self.stage = Stage.FITTING

    def _close(self) -> None:
        # The fit's thread may be at it: whoever comes second waits for what is whole.
        with self._closing:
            if self._streams is not None:
                intake, recorder = self._streams
                intake.stop()
                recorder.stop()

    def _change(self, **changes: object) -> None:
        changed = replace(self._calibration, **changes)  # type: ignore[arg-type]
        self._calibration = self.person.note(changed)


def fit(recordings: Sequence[Path], model: Path, person: str) -> Calibrated:
    """A model for the person, from the clips in their recordings.

    Raises InputRefused if there is too little to learn from, or nothing to adapt.
    """
    checkpoint = load(model)
    clips = labeled_windows(recordings, checkpoint)
    if not clips.inputs:
        raise InputRefused(
            f"no clip in {', '.join(path.name for path in recordings)} can be learned "
            "from: nothing of it was fit to be recognized; look at microphone, camera "
            "and light, and record again"
        )
    return calibrate(
        checkpoint, clips.inputs, clips.emotion, clips.clip, person, clips.faces
    )


class Fitting:
    """Runs once, in a thread that ends with the program: what it reads is on disk.

    result: None while it runs. error: why there is none; empty if all is well.
    """

    def __init__(self, make: Callable[[], Calibrated]) -> None:
        self.result: Calibrated | None = None
        self.error = ""
        self._make = make
        self._thread = threading.Thread(target=self._run, name="fitting", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is at work."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.result = self._make()
        except InputRefused as error:
            self.error = str(error)
        except Exception as error:  # the thread's last line of defense
            log.exception("Nothing was fitted")
            self.error = f"stopped: {error}"


def verdict(made: Calibrated) -> str:
    """What the clips say of a calibration, in a sentence."""
    low, high = made.gain.interval
    if not made.taken:
        return "Too much of what was learned on earlier days would be forgotten."
    if low > 0:
        return "It has become better."
    if high < 0:
        return "It has become worse: better discard it."
    return "These clips cannot tell whether it has become better."


def ending(calibrating: Calibrating) -> str:
    """What is to be known when it has ended, and what to do next."""
    code, there = calibrating.person.code, len(calibrating.there)
    if calibrating.kept is not None:
        return f"{calibrating.kept}\neav-live --person {code} recognizes with it\n"
    if calibrating.result is None and not calibrating.error:
        few = "" if there >= LEAST_CLIPS else f", {LEAST_CLIPS} are needed"
        clips = f"{there} of {calibrating.clips} clips are there"
        return f"{clips}{few}; the same command goes on\n"
    if calibrating.person.unanswered is not None:
        return "Nobody has answered; the same command asks again\n"
    return f"Discarded; the recordings stay until eav-live forget {code}\n"
