"""When each estimate was made and when it was painted, one JSON object a line.

What `eav-live --timings FILE` writes and `./dev bench live-speed` reads. Nothing is
written of what was recognized but the probabilities and, of a replay, the truth.
"""

import json
import math
import threading
import time
from collections.abc import Callable
from pathlib import Path

from eav_live.recognition.predictions import Prediction
from eav_live.streams import Arrival
from eav_live.streams.markers import trial_of
from eav_offline.common.console import open_json

SESSION, MADE, PAINTED = "session", "made", "painted"
SCREEN, TRIAL, WINDOW = "screen", "trial", "window"


class Timings:
    """Writes the lines; any thread may call.

    session, first: {person, model, hop}. window: {wall}, when it was first painted.
    made: {t, at, wall, age_s, infer_s, fused, label, truth, present, backend}, of
    emotions not known null. painted: {t, at}.
    screen, once a second: {at, refreshes, longest_s}, the longest pause between two.
    trial, as a replay marks it: {at, emotion, seconds}. All times are seconds on the
    session's clock, but `wall`, which is the time of day.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float],
        backend: Callable[[], str] = lambda: "",
    ) -> None:
        """backend: says what computes the model just now, which may change.

        Raises InputRefused if the file cannot be written.
        """
        self._file = open_json(str(path), "--timings")
        self._clock = clock
        self._backend = backend
        self._lock = threading.Lock()
        self._begun: float | None = None  # of the second whose refreshes are counted
        self._last = 0.0
        self._refreshes = 0
        self._longest = 0.0

    def session(self, model: str, hop: float, person: str | None = None) -> None:
        """What recognizes, how often, seconds, and the code of who is recorded."""
        self._write(person=person, what=SESSION, model=model, hop=hop)

    def stood(self, wall: float) -> None:
        """The window was painted first at this time of day."""
        self._write(what=WINDOW, wall=wall)

    def made(self, prediction: Prediction) -> None:
        """An estimate was put out; a subscriber of the session."""
        fused = None if prediction.fused is None else prediction.fused.tolist()
        self._write(
            what=MADE,
            t=prediction.t,
            at=self._clock(),
            wall=time.time(),
            age_s=prediction.age_s,
            infer_s=prediction.infer_s,
            fused=fused and [None if math.isnan(p) else p for p in fused],
            label=prediction.label,
            truth=prediction.truth,
            present=list(prediction.present),
            backend=self._backend(),
        )

    def painted(self, prediction: Prediction) -> None:
        """The window shows the estimate now."""
        self._write(what=PAINTED, t=prediction.t, at=self._clock())

    def refreshed(self) -> None:
        """The window's moving parts were brought up to date."""
        now = self._clock()
        if self._begun is None:
            self._begun = self._last = now
            return
        self._refreshes += 1
        self._longest = max(self._longest, now - self._last)
        self._last = now
        if now - self._begun >= 1.0:
            self._write(
                what=SCREEN,
                at=now,
                refreshes=self._refreshes / (now - self._begun),
                longest_s=self._longest,
            )
            self._begun, self._refreshes, self._longest = now, 0, 0.0

    def marked(self, arrival: Arrival) -> None:
        """A marker came; a listener of the session's truth. Only a replay's count."""
        if not arrival.origin.note:
            return
        trial = trial_of(arrival.values[0, 0])
        if trial is not None:
            at = float(arrival.stamps[0])
            self._write(what=TRIAL, at=at, emotion=trial[0], seconds=trial[1])

    def close(self) -> None:
        """Close the file; what still comes is dropped. May be called twice."""
        with self._lock:
            self._file.close()

    def _write(self, **values: object) -> None:
        line = json.dumps(values) + "\n"
        with self._lock:
            if not self._file.closed:
                self._file.write(line)
                self._file.flush()  # the program may end without the interpreter's end
