"""Predictions made again from a recording, to be held to those that were recorded.

What came in goes once more through the smoothing of stamps, the electrodes' map, the
face tracker, the rings and the windowing of a live session.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eav_live.recognition.recognizer import Recognition, Recognizer
from eav_live.recording.again import Again
from eav_live.recording.takes import JOINED
from eav_live.streams.frames import Tracker
from eav_live.windows.cut import cut_window
from eav_offline.backends.base import Backend
from eav_offline.core.labels import MODALITIES
from eav_offline.core.model_names import COVERAGE
from eav_offline.core.sureness import Decider, Decision
from eav_offline.core.window import CONTEXT_SECONDS, WINDOW_SECONDS
from eav_offline.data.sessions.session import RecordedPrediction, SessionFile

log = logging.getLogger(__name__)

ANSWERS = ("fused", *MODALITIES)


@dataclass(frozen=True)
class Reprediction:
    """One window: what was recorded, what is said of it now.

    difference: the largest between two probabilities of the same answer; infinite if
    an answer, or an emotion in it, is there only once. adapted: as of a `Recognition`.
    """

    recorded: RecordedPrediction
    now: dict[str, np.ndarray | None]
    difference: float
    adapted: bool = False

    @property
    def answered(self) -> bool:
        """Whether anything was said of the window, then or now."""
        return any(p is not None for p in (*self._before, *self.now.values()))

    @property
    def decides_alike(self) -> bool:
        """Whether the likeliest emotion of all modalities together is the same."""
        before, now = self.recorded.probabilities.get("fused"), self.now.get("fused")
        if before is None or now is None:
            return before is now
        return int(np.nanargmax(before)) == int(np.nanargmax(now))

    @property
    def present(self) -> tuple[str, ...]:
        """The modalities that answer now."""
        return tuple(m for m in MODALITIES if self.now.get(m) is not None)

    @property
    def _before(self) -> tuple[np.ndarray | None, ...]:
        return tuple(self.recorded.probabilities.get(answer) for answer in ANSWERS)


def repredict(
    session: SessionFile,
    recognizer: Recognizer,
    tracker: Tracker | None = None,
    backend: Callable[[str], Backend] | None = None,
) -> Iterator[Reprediction]:
    """Predict at every recorded window end, in order.

    tracker: finds the faces again; None takes those that were recorded. backend: makes
    by name what computed the model then; None leaves the recognizer's. Where the model
    adapted then, this one adapts by the same windows, if it can. What the model does
    not read is left unread. Raises XdfError if the recording lacks what it takes.
    """
    reads = recognizer.checkpoint.modalities
    again = Again(session, tracker)
    computed_by = ""
    for past in session.predictions:
        again.feed({m: n for m, n in past.counts.items() if m in reads})
        mend = again.mending(past.interpolated)
        window = cut_window(again.rings(past.present), past.t, past.t, mend)
        if backend is not None and past.backend != computed_by:
            computed_by = past.backend
            if computed_by:
                recognizer.use(backend(computed_by))
        if past.adapting is not None:
            _adapt_as_then(recognizer, past.adapting)
        yield _compare(past, recognizer.recognize(window.raw))


def joined_late(session: SessionFile) -> bool:
    """Whether the recording began while its session ran already."""
    return session.settings.get(JOINED) is True


def reaches_back(session: SessionFile, past: RecordedPrediction) -> bool:
    """Whether a window was made of more than is in the recording, which began later."""
    if not joined_late(session):
        return False
    return past.t < session.predictions[0].t + WINDOW_SECONDS + CONTEXT_SECONDS + 1


def recorded_decider(settings: Mapping[str, object], recognizer: Recognizer) -> Decider:
    """What decides as the recorded session did, with this recognizer's thresholds."""
    smoothing, coverage = settings.get("smoothing_s"), settings.get("coverage")
    return Decider(
        1.5 if smoothing is None else float(str(smoothing)),
        recognizer.sureness,
        COVERAGE if coverage is None else float(str(coverage)),
    )


def decide_again(decider: Decider, one: Reprediction) -> Decision | None:
    """The decision of the next window; None where nothing is said of it."""
    fused, past = one.now["fused"], one.recorded
    if past.anew:  # as with a replayed trial, which a recording need not hold
        decider.reset()
    if fused is None:
        return None
    return decider.update(fused, past.t, one.present, one.adapted)


def _adapt_as_then(recognizer: Recognizer, past: Mapping[str, Any]) -> None:
    """Bring the recognizer's adaptation to where it was: begun, undone or frozen."""
    if recognizer.checkpoint.population is None:
        return
    if recognizer.adaptation is None:
        recognizer.adapt()
    adaptation = recognizer.adaptation
    assert adaptation is not None
    while adaptation.resets < int(past["resets"]):
        adaptation.reset()
    adaptation.freeze(bool(past["frozen"]))
    if adaptation.n_taken != int(past["n"]):
        log.warning(
            "The model had adapted to %s windows then and to %d now: some were not "
            "recorded",
            past["n"],
            adaptation.n_taken,
        )
        adaptation.n_taken = int(past["n"])  # said once for each that is missing


def _compare(past: RecordedPrediction, recognized: Recognition) -> Reprediction:
    now = {"fused": recognized.fused, **recognized.by_modality}
    difference = 0.0
    for answer in ANSWERS:
        before, after = past.probabilities.get(answer), now.get(answer)
        if (before is None) != (after is None):
            difference = float("inf")
        elif before is not None and after is not None:
            apart = np.nan_to_num(np.abs(before - after), nan=np.inf)
            apart[np.isnan(before) & np.isnan(after)] = 0.0  # not known, then and now
            difference = max(difference, float(apart.max()))
    return Reprediction(past, now, difference, recognized.adapted)


def recorded_model(session: SessionFile) -> Path:
    """What a recording was made with, if that is the person's model or an embedded one.

    Else the embedded one of real people or, of a synthetic person, of such people.
    """
    from eav_live.recognition.people import Person, is_code

    code = session.person
    own = Person(code).model if code is not None and is_code(code) else None
    if own is not None and is_same_model(session.settings, own):
        return own
    if session.synthetic and "model" not in session.settings:
        from eav_live.recognition.assets import DEMO_MODEL, asset

        return asset(DEMO_MODEL)
    return embedded_model(session.settings)


def embedded_model(settings: dict[str, object]) -> Path:
    """The embedded model that a recording was made with, else that of real people."""
    from eav_live.recognition.assets import DEMO_MODEL, PEOPLE_MODEL, asset

    demo = asset(DEMO_MODEL)
    return demo if is_same_model(settings, demo) else asset(PEOPLE_MODEL)


def is_same_model(settings: dict[str, object], model: Path) -> bool:
    """Whether a model is the one that a recording was made with."""
    from eav_offline.common.files import file_digest

    recorded = settings.get("model")
    return isinstance(recorded, dict) and file_digest(model) == recorded.get("sha256")
