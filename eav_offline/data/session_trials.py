"""The trials of a recorded session, from its markers.

Markers are JSON objects. A session that shows cues writes
    {"event": "trial_start", "trial": 1, "task": "speaking", "emotion": "happiness"}
and "trial_end"; "trial_repeat" says that the last attempt at a trial does not count.
A replay writes {"trial": 2, "task": "speaking", "emotion": "anger", "seconds": 20};
where cues were shown, what a replay played beside them says nothing of the trials.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from eav_offline.core.labels import EMOTIONS, TASKS
from eav_offline.data.sessions.session import Marker

# A clock ticks between cue and marker; so much less than a whole trial is one.
_SLACK_SECONDS = 0.1


@dataclass(frozen=True)
class MarkedTrial:
    """One trial that counts: its number in the session, classes, and when it was."""

    number: int
    task: int
    emotion: int
    begin: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.end - self.begin


@dataclass(frozen=True)
class _Open:
    number: int
    task: int
    emotion: int
    begin: float


def marked_trials(
    markers: Iterable[Marker], at_least: float
) -> tuple[list[MarkedTrial], dict[int, str]]:
    """The trials of a session in order of time, and why others are left out.

    markers: in order of time. at_least: seconds that a trial must last. Of several
    attempts at one trial the last whole one counts.
    """
    trials: dict[int, MarkedTrial] = {}
    left_out: dict[int, str] = {}
    running: _Open | None = None
    said_of_each = [(marker, marker.as_object()) for marker in markers]
    cued = any(said.get("event") == "trial_start" for _, said in said_of_each)

    def end(trial: _Open, stamp: float) -> None:
        seconds = stamp - trial.begin
        if seconds < at_least - _SLACK_SECONDS:
            left_out.setdefault(
                trial.number, f"it lasted {seconds:.1f} s of {at_least:g} s"
            )
            return
        left_out.pop(trial.number, None)
        # Last in the order of time, whatever attempts there were.
        trials.pop(trial.number, None)
        trials[trial.number] = MarkedTrial(
            trial.number, trial.task, trial.emotion, trial.begin, stamp
        )

    for marker, said in said_of_each:
        number, event = said.get("trial"), said.get("event")
        if not isinstance(number, int) or isinstance(number, bool):
            continue
        if cued and event is None:
            continue
        if event == "trial_repeat":
            trials.pop(number, None)
            left_out[number] = "it was to be repeated"
            running = None
        elif event == "trial_end":
            if running is not None and running.number == number:
                end(running, marker.stamp)
            running = None
        elif event == "trial_start" or (event is None and "seconds" in said):
            if running is not None:
                left_out.setdefault(running.number, "it has no end")
            running = _classes(number, said, marker.stamp)
            if running is None:
                left_out.setdefault(number, "its task or emotion is unknown")
            elif event is None and isinstance(said["seconds"], int | float):
                end(running, marker.stamp + said["seconds"])
                running = None
    if running is not None:
        left_out.setdefault(running.number, "it has no end")
    for number in trials:
        left_out.pop(number, None)
    return list(trials.values()), dict(sorted(left_out.items()))


def _classes(number: int, said: dict[str, Any], begin: float) -> _Open | None:
    task = str(said.get("task")).casefold()
    emotion = str(said.get("emotion")).casefold()
    if task not in TASKS or emotion not in EMOTIONS:
        return None
    return _Open(number, TASKS.index(task), EMOTIONS.index(emotion), begin)
