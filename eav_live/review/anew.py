"""A recording recognized anew, by any model and backend, while it is looked at.

At the recorded windows' ends or, where nothing was recognized then, at every hop.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from eav_live.recognition.pace import share_cores
from eav_live.recognition.predictions import Prediction
from eav_live.recognition.recognizer import Recognizer
from eav_live.recording.repredicting import decide_again, recorded_decider, repredict
from eav_live.review.estimates import Lane, as_prediction, differences
from eav_live.review.reader import SessionReader
from eav_live.review.samples import Span
from eav_offline.backends import make_backend
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import MODALITIES
from eav_offline.core.window import WINDOW_SECONDS
from eav_offline.data.sessions.session import RecordedPrediction

log = logging.getLogger(__name__)

_STOP_SECONDS = 2.0  # a window may take that long
_NOT_WHOLE = f"no {WINDOW_SECONDS:.0f} s at one go"
_NOT_READ = "this model does not read it"
# Of a decision, what an estimate has too.
_DECIDED = ("smoothed", "label", "state", "label_set", "coverage", "set_reason")
_SHOWN_SECONDS = 1.0  # between two looks at what is done so far


@dataclass(frozen=True)
class AnewResult:
    """What another model said. apart: when it decided otherwise than was recorded or,
    if nothing was, than the trial's label, seconds.

    backend: what computed the model. knows: the emotions it can tell.
    """

    model: str
    backend: str
    lane: Lane
    apart: list[Span]
    knows: tuple[str, ...]
    demo: bool


class Anew:
    """Recognizes a recording anew in a thread of its own, once.

    done, total: windows. so_far: of those that were done seconds ago. result: None
    until all are done. error: "" unless it failed.
    """

    def __init__(self, reader: SessionReader, model: Path, backend: str = "") -> None:
        """model: the checkpoint. backend: one of `available_backends`, "" for its own.

        Nothing is loaded before `start`.
        """
        self._reader = reader
        self._model, self._backend = model, backend
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="anew", daemon=True)
        self._changed: Callable[[], None] = lambda: None
        self._windows = reader.session.predictions or list(every_hop(reader))
        self.total, self.done = len(self._windows), 0
        self.result: AnewResult | None = None
        self.so_far: AnewResult | None = None
        self._compared_at = 0.0
        self.error = ""

    @property
    def running(self) -> bool:
        """Whether it is at work."""
        return self._thread.is_alive()

    def start(self, changed: Callable[[], None] = lambda: None) -> None:
        """Begin. changed: called in the thread after each window, and at the end."""
        self._changed = changed
        self._thread.start()

    def stop(self) -> None:
        """Give up. May be called twice."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        try:
            self._recognize()
        except InputRefused as error:
            self.error = str(error)
        except Exception as error:  # the thread's last line of defense
            log.exception("%s was not recognized anew", self._reader.path)
            self.error = f"stopped: {error}"
        self._changed()

    def _recognize(self) -> None:
        recognizer = Recognizer.load(self._model)
        share_cores(recognizer.checkpoint)
        if self._backend:
            if not recognizer.takes_backends:
                raise InputRefused(
                    f"{recognizer.name} is computed in one way only; leave the backend "
                    "as it is"
                )
            made = make_backend(self._backend, recognizer.checkpoint, self._model)
            recognizer.use(made)
        said: list[Prediction] = []
        for estimate in self._estimates(recognizer):
            said.append(estimate)
            self.done = len(said)
            if monotonic() - self._compared_at > _SHOWN_SECONDS:
                self.so_far = self._compared(recognizer, said)
                self._compared_at = monotonic()
            self._changed()
            if self._stopping.is_set():
                return
        self.result = self.so_far = self._compared(recognizer, said)

    def _estimates(self, recognizer: Recognizer) -> Iterator[Prediction]:
        reader = self._reader
        decider = recorded_decider(reader.session.settings, recognizer)
        session = replace(reader.session, predictions=self._windows)
        tracker = None
        if not reader.faces:
            from eav_offline.preprocess.face import FaceTracker

            tracker = FaceTracker()
        for one in repredict(session, recognizer, tracker):
            decision = decide_again(decider, one)
            known = as_prediction(one.recorded, reader.hop, recognizer.demo)
            read = tuple(m for m in known.present if one.now[m] is not None)
            reads = recognizer.checkpoint.modalities
            left_out = {
                m: _NOT_WHOLE if m in reads else _NOT_READ
                for m in known.present
                if m not in read
            }
            decided: Any = {k: getattr(decision, k, None) for k in _DECIDED}
            yield replace(
                known,
                present=read,
                reasons={**left_out, **known.reasons},
                fused=one.now["fused"],
                **decided,
                by_modality={m: one.now[m] for m in MODALITIES},
                backend=recognizer.backend_name,
                fusion=recognizer.fusion,
            )

    def _compared(self, recognizer: Recognizer, said: list[Prediction]) -> AnewResult:
        lane = Lane(said, self._reader.hop)
        recorded = self._reader.recorded.estimates[: len(said)]
        before = [one.label for one in recorded] or [one.truth for one in said]
        now = [one.label for one in lane.estimates]
        # Until the next estimate, which is a hop later.
        apart = [(a, b + lane.hop) for a, b in differences(lane, before, now)]
        name, backend = recognizer.name, recognizer.backend_name
        return AnewResult(name, backend, lane, apart, recognizer.knows, recognizer.demo)


def every_hop(reader: SessionReader) -> Iterator[RecordedPrediction]:
    """Windows of a recording in which nothing was recognized, all modalities in it.

    In a subject's trials smoothing begins anew with each.
    """
    session, before = reader.session, -1
    openings = {m: list(session.openings[m]) for m in MODALITIES}
    # Without its map nobody can tell which channel is which electrode.
    openings["eeg"] = [o for o in openings["eeg"] if o.stream.said("eav_montage")]
    present = tuple(m for m in MODALITIES if openings[m])
    first, end = reader.begin + WINDOW_SECONDS, reader.end + 1e-6
    for t in np.arange(first, end, reader.hop).tolist():
        trial = reader.trial_at(t)
        counts = {
            m: sum(int(np.searchsorted(o.stamps, t)) for o in openings[m])
            for m in present
        }
        truth = None if trial is None else reader.trials[trial].emotion
        yield RecordedPrediction(
            *(t, {}, present, counts),
            anew=trial is not None and trial != before,
            truth=truth,
        )
        before = before if trial is None else trial
