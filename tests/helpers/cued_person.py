"""A person who does what the cues say, on a clock that goes as fast as a disk writes.

    python cued_person.py SUBJECT PEOPLE CLIPS MODEL cues|fitting

runs a calibration and kills itself, as SIGKILL does, in the middle of that stage.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from collect_helpers import FakeSource
from recorded import CONSENT, audio_arrival, eeg_arrival
from source_helpers import Clock

from eav_live.calibrate.running import Calibrating, Stage
from eav_live.options.config import Must
from eav_live.recognition.people import Person
from eav_live.recording.recorder import Recorder
from eav_live.session.intake import Intake
from eav_offline.core.labels import EMOTIONS
from eav_offline.data.eav.subject import open_subject
from eav_offline.data.recording import Recording

STEP = 0.2  # seconds
THINNED = 6  # of so many samples of sound one: reading them back takes long
CODE = "P01"


class CuedPerson:
    """Sends EEG and voice of a synthetic person's trial of the cued emotion."""

    def __init__(self, subject: Path, began: float = 5000.0) -> None:
        person = open_subject(subject)
        found = [person.recording(t) for t in person.trials("speaking")]
        self._trials = {EMOTIONS[r.emotion]: r for r in found if r.emotion is not None}
        self.clock = Clock(began)
        self._steps = 0
        self._began = began
        self.streams: dict[str, FakeSource] = {}
        self.silent: tuple[str, ...] = ()  # emotions of which no sound comes
        self.recorder: Recorder | None = None
        self.hold = False

    def open(self, path: Path) -> tuple[Intake, Recorder]:
        """Streams and recorder of a calibration."""
        self.streams = {"eeg": FakeSource(), "audio": FakeSource()}
        intake = Intake(self.streams, self.clock)
        self._began, self._steps = self.clock.now, 0
        consent = replace(CONSENT, person=CODE)
        settings = {"max_missing": None}
        self.recorder = Recorder(path, consent, intake, settings, hold=self.hold)
        return intake, self.recorder

    def step(self, emotion: str) -> None:
        """A fifth of a second of this emotion passes."""
        self._send(self._trials[emotion], loud=float(emotion not in self.silent))
        self._steps += 1
        self.clock.now = self._began + STEP * self._steps
        while self._backlog > 20_000_000:
            threading.Event().wait(0.01)

    def is_written(self) -> bool:
        """Whether all that was sent is on disk."""
        return self._backlog == 0

    @property
    def _backlog(self) -> int:
        assert self.recorder is not None
        return self.recorder._backlog.n_bytes

    def _send(self, trial: Recording, loud: float) -> None:
        assert trial.eeg_uv is not None
        assert trial.audio is not None
        k, t = self._steps % 100, self._began + STEP * self._steps
        eeg = trial.eeg_uv[:, 100 * k : 100 * k + 100]
        n = round(STEP * trial.audio_rate)
        sound = loud * trial.audio[n * k : n * k + n].reshape(-1, THINNED).mean(1)
        self._offer("eeg", eeg_arrival(eeg, t, note="synthetic"))
        self._offer("audio", audio_arrival(sound, t, trial.audio_rate / THINNED))

    def _offer(self, modality: str, arrival: object) -> None:
        for listener in self.streams[modality].listeners:
            listener(arrival)  # type: ignore[arg-type]


def calibration(
    cued: CuedPerson, people: Path, clips: int, model: Path, must: Must | None = None
) -> Calibrating:
    """The calibration of P01, whose folder is in `people`."""
    person, cued.hold = Person(CODE, people), must is not None
    return Calibrating(person, model, clips, cued.open, person.folder, must)


def pass_time(
    cued: CuedPerson,
    calibrating: Calibrating,
    until: Callable[[], bool],
    tick: Callable[[], None] | None = None,
) -> None:
    """Do what the cues say until something holds. tick: instead of its own."""
    while not until():
        session = calibrating.collecting
        if calibrating.stage is Stage.CUES and session is not None:
            if session.course.phase == "instructions":
                session.space()
            cued.step(session.course.trial.emotion)
        else:
            threading.Event().wait(0.01)
        (tick or calibrating.tick)()


def _die(subject: Path, people: Path, clips: int, model: Path, where: str) -> None:
    cued = CuedPerson(subject)
    calibrating = calibration(cued, people, clips, model)
    calibrating.agree()

    def half_way() -> bool:
        session = calibrating.collecting
        assert session is not None
        return session.course.index == 5 and session.course.phase == "trial"

    if where == "cues":
        pass_time(cued, calibrating, half_way)
    else:
        pass_time(cued, calibrating, lambda: calibrating.stage is Stage.FITTING)
    while not cued.is_written():  # time goes faster here than a disk can write
        threading.Event().wait(0.01)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    _die(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        int(sys.argv[3]),
        Path(sys.argv[4]),
        sys.argv[5],
    )
