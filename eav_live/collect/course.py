"""The course of a collecting session: which phase it is in, and what it marks when.

    instructions -> countdown -> trial -> rest -> countdown -> ... -> done

Nothing here knows of devices, files or windows. The course is driven by `tick` with the
time of a clock, and by what the operator does; it says what happens through markers.
"""

import logging
from collections.abc import Callable, Mapping
from enum import StrEnum

from eav_live.collect.script import LoadedScript, PlannedTrial

log = logging.getLogger(__name__)

# Called with a marker and its stamp, seconds on the session's clock.
Emit = Callable[[Mapping[str, object], float], None]


class Phase(StrEnum):
    """What the person sees."""

    READY = "ready"  # before `begin`
    INSTRUCTIONS = "instructions"
    COUNTDOWN = "countdown"
    TRIAL = "trial"
    REST = "rest"
    DONE = "done"


class Course:
    """Runs a script's trials in their order.

    A trial that is paused or repeated while it runs is void: a marker trial_repeat
    says so, and the trial begins again, from its countdown, as the next attempt. One
    that has ended may be found void later. So of a trial that attempt counts which has
    a trial_start and a trial_end, and no trial_repeat.
    """

    def __init__(self, loaded: LoadedScript, emit: Emit) -> None:
        self.script, self.plan = loaded.script, loaded.plan
        self.phase = Phase.READY
        self.paused = False
        self.aborted = False
        self.index = 0  # of the trial that runs, comes next or has just ended
        self.attempts = dict.fromkeys((t.number for t in self.plan), 0)
        self.done: set[int] = set()  # numbers of trials with an attempt that counts
        self.skipped: set[int] = set()
        self.n_void = 0
        self._about = loaded.as_json()
        self._emit = emit
        self._began = 0.0  # the phase, seconds
        self._paused_at = 0.0

    @property
    def trial(self) -> PlannedTrial:
        """The trial that runs, comes next or has just ended."""
        return self.plan[self.index]

    @property
    def attempt(self) -> int:
        """Which attempt at the trial runs or ran last; 0 before the first."""
        return self.attempts[self.trial.number]

    @property
    def finished(self) -> bool:
        """Whether nothing follows any more."""
        return self.phase is Phase.DONE

    @property
    def length(self) -> float | None:
        """Seconds that the phase lasts; None until somebody goes on."""
        match self.phase:
            case Phase.COUNTDOWN:
                return self.script.countdown_s
            case Phase.TRIAL:
                return self.trial.seconds
            case Phase.REST:
                return self.script.rest_s
            case Phase.INSTRUCTIONS:
                return self.script.instructions_s or None
        return None

    @property
    def where(self) -> str:
        """Which trial this is, how many are void, and how long it takes yet."""
        if self.phase in (Phase.READY, Phase.DONE):
            return f"{len(self.done)} of {len(self.plan)} trials"
        each = self.script.countdown_s + self.script.rest_s
        rest = [t for t in self.plan[self.index :] if t.number not in self.done]
        minutes = sum(t.seconds + each for t in rest) / 60
        void = f", {self.n_void} void" if self.n_void else ""
        return (
            f"trial {self.index + 1} of {len(self.plan)}{void}, "
            f"{max(1, round(minutes))} min left"
        )

    def left(self, now: float) -> float | None:
        """Seconds until the phase ends by itself; None if it does not."""
        if self.length is None:
            return None
        now = self._paused_at if self.paused else now
        return max(0.0, self._began + self.length - now)

    def page(self) -> str:
        """The instructions that are shown now: the script's, the block's, or both."""
        block = self.script.blocks[self.trial.block]
        first = self.script.instructions if self.index == 0 else ""
        return "\n\n".join(t.strip() for t in (first, block.instructions) if t.strip())

    def begin(self, now: float) -> None:
        """Show the first page. `now`: seconds, here and in all that follows."""
        assert self.phase is Phase.READY
        self._say("session_start", now, **self._about)
        self._enter_block(now)

    def tick(self, now: float) -> None:
        """Go on to what is due."""
        left = self.left(now)
        if self.paused or left is None or left > 0:
            return
        match self.phase:
            case Phase.INSTRUCTIONS:
                self._enter(Phase.COUNTDOWN, now)
            case Phase.COUNTDOWN:
                self._start_trial(now)
            case Phase.TRIAL:
                self.done.add(self.trial.number)
                self._say_trial("trial_end", now)
                self._enter(Phase.REST, now)
            case Phase.REST:
                self._next(now)

    def go_on(self, now: float) -> None:
        """Turn the page of instructions."""
        if self.phase is Phase.INSTRUCTIONS and not self.paused:
            self._enter(Phase.COUNTDOWN, now)

    def pause(self, now: float, reason: str = "operator") -> None:
        """Stop the time; the trial that runs is void."""
        if self.paused or self.phase in (Phase.READY, Phase.DONE):
            return
        if self.phase is Phase.TRIAL:
            self._void(now, reason)
        self.paused, self._paused_at = True, now
        self._say("pause", now, reason=reason)

    def resume(self, now: float) -> None:
        """Go on where the pause began; a countdown begins anew."""
        if not self.paused:
            return
        self.paused = False
        self._say("resume", now)
        if self.phase is Phase.COUNTDOWN:
            self._began = now
        else:
            self._began += now - self._paused_at

    def repeat(self, now: float, reason: str = "operator") -> None:
        """Do the trial that runs, or the last one before now, again."""
        if self.phase in (Phase.READY, Phase.DONE):
            return
        between = self.phase in (Phase.INSTRUCTIONS, Phase.COUNTDOWN)
        # What is about to be repeated already is not left for the one before it.
        if between and self.attempt == 0 and self.index > 0:
            self.index -= 1
            self.skipped.discard(self.trial.number)
        if self.phase is Phase.TRIAL or self.trial.number in self.done:
            self._void(now, reason)
        elif self.phase is not Phase.INSTRUCTIONS or self.index > 0:
            self._enter(Phase.COUNTDOWN, now)

    def skip(self, now: float) -> None:
        """Leave out the trial that runs or comes next."""
        if self.phase not in (Phase.INSTRUCTIONS, Phase.COUNTDOWN, Phase.TRIAL):
            return
        self.skipped.add(self.trial.number)
        self._say_trial("trial_skip", now)
        self._next(now)

    def abort(self, now: float) -> None:
        """End the session now. A trial that runs does not count."""
        if self.phase in (Phase.READY, Phase.DONE):
            return
        self.aborted = True
        self._end(now)

    def _start_trial(self, now: float) -> None:
        self.attempts[self.trial.number] += 1
        self._enter(Phase.TRIAL, now)
        self._say_trial("trial_start", now, seconds=self.trial.seconds)

    def _void(self, now: float, reason: str) -> None:
        """The trial's last attempt does not count; its next begins with a countdown."""
        self.done.discard(self.trial.number)
        self.n_void += 1
        self._say_trial("trial_repeat", now, reason=reason)
        self._enter(Phase.COUNTDOWN, now)

    def _next(self, now: float) -> None:
        if self.index + 1 == len(self.plan):
            self._end(now)
            return
        block = self.trial.block
        self.index += 1
        if self.trial.block != block:
            self._enter_block(now)
        else:
            self._enter(Phase.COUNTDOWN, now)

    def _enter_block(self, now: float) -> None:
        name = self.script.blocks[self.trial.block].name
        self._say("block", now, block=self.trial.block + 1, name=name)
        self._enter(Phase.INSTRUCTIONS if self.page() else Phase.COUNTDOWN, now)

    def _end(self, now: float) -> None:
        self.paused = False
        self._enter(Phase.DONE, now)
        self._say(
            "session_end",
            now,
            complete=not self.aborted,
            trials=len(self.done),
            planned=len(self.plan),
            void=self.n_void,
        )

    def _enter(self, phase: Phase, now: float) -> None:
        self.phase, self._began = phase, now
        self._paused_at = now if self.paused else self._paused_at

    def _say_trial(self, event: str, now: float, **more: object) -> None:
        trial = self.trial
        about = {"trial": trial.number, "task": trial.task, "emotion": trial.emotion}
        self._say(event, now, **about, attempt=self.attempt, **more)

    def _say(self, event: str, now: float, **more: object) -> None:
        log.debug("%s %s", event, more)
        self._emit({"event": event, **more}, now)
