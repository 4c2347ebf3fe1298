"""Predictions made again from a recording, to be held to those that were recorded.

What came in goes once more through the smoothing of stamps, the electrodes' map, the
face tracker, the rings and the windowing of a live session.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from eav_live.recognition.recognizer import Recognition, Recognizer
from eav_live.recording.takes import JOINED
from eav_live.streams import audio as audio_source
from eav_live.streams import eeg as eeg_source
from eav_live.streams import frames as frame_source
from eav_live.streams.clock import StampSmoother, feed
from eav_live.streams.frames import Tracker
from eav_live.windows.cut import Rings, cut_window
from eav_live.windows.rings import FrameRing, SampleRing
from eav_offline.backends.base import Backend
from eav_offline.core.electrodes import MAX_MISSING, ChannelMap, mend_electrodes
from eav_offline.core.labels import MODALITIES
from eav_offline.core.model_names import COVERAGE
from eav_offline.core.window import (
    CONTEXT_SECONDS,
    N_CHANNELS,
    WINDOW_SECONDS,
    FaceFrame,
)
from eav_offline.data.sessions.session import Opening, RecordedPrediction, SessionFile
from eav_offline.sureness import Decider, Decision

log = logging.getLogger(__name__)

ANSWERS = ("fused", *MODALITIES)


@dataclass(frozen=True)
class Reprediction:
    """One window: what was recorded, what is said of it now.

    difference: the largest between two probabilities of the same answer; infinite if
    an answer, or an emotion in it, is there only once.
    """

    recorded: RecordedPrediction
    now: dict[str, np.ndarray | None]
    difference: float

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
    adapted then, this one adapts by the same windows, if it can. Raises XdfError if the
    recording lacks what it takes.
    """
    eeg = _Samples(session.openings["eeg"], N_CHANNELS, eeg_source.RING_SECONDS)
    audio = _Samples(session.openings["audio"], 1, audio_source.RING_SECONDS)
    video = _Frames(session, tracker)
    max_bad = session.settings.get("max_missing")
    max_bad = MAX_MISSING if not isinstance(max_bad, int) else max_bad
    computed_by = ""
    for past in session.predictions:
        eeg.feed(past.counts.get("eeg", 0))
        audio.feed(past.counts.get("audio", 0))
        video.feed(past.counts.get("video", 0))
        rings = Rings(
            eeg.ring if "eeg" in past.present else None,
            audio.ring if "audio" in past.present else None,
            video.ring if "video" in past.present else None,
        )
        mend = partial(_mend, past, eeg, max_bad)
        window = cut_window(rings, past.t, past.t, mend)
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
    return decider.update(fused, past.t, one.present)


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


class _Samples:
    """Feeds recorded samples into a ring, as a source does."""

    def __init__(self, openings: list[Opening], width: int, seconds: float) -> None:
        self.ring: SampleRing | None = None
        self.montage: ChannelMap | None = None
        self._openings = list(openings)
        self._width = width
        self._seconds = seconds
        self._opening: Opening | None = None
        self._next = 0  # in the opening
        self._smoother: StampSmoother | None = None

    def feed(self, until: int) -> None:
        """Feed samples until `until` of the modality have been fed in all."""
        while True:
            if self._opening is None or self._next == len(self._opening.stamps):
                if not self._openings or self._openings[0].first >= until:
                    return
                self._begin(self._openings.pop(0))
            opening = self._opening
            assert opening is not None
            end = min(until - opening.first, len(opening.stamps))
            if end > self._next:
                self._store(opening, slice(self._next, end))
                self._next = end
            if end < len(opening.stamps) or not self._openings:
                return

    def _begin(self, opening: Opening) -> None:
        rate = opening.stream.rate
        self._opening, self._next = opening, 0
        self._smoother = StampSmoother(rate)
        if self.ring is None or self.ring.rate != rate:
            self.ring = SampleRing(rate, self._width, self._seconds)
        if self._width == N_CHANNELS:
            self.montage = opening.montage()

    def _store(self, opening: Opening, part: slice) -> None:
        assert self.ring is not None
        assert self._smoother is not None
        values = opening.values[part]
        if self.montage is not None:
            values = self.montage.apply(values)
        feed(self.ring, self._smoother, opening.stamps[part], values)


class _Frames:
    """Feeds recorded frames into a ring, as a source does."""

    def __init__(self, session: SessionFile, tracker: Tracker | None) -> None:
        self.ring: FrameRing | None = None
        self._coming = session.frames()
        self._waiting: tuple[Opening, int, np.ndarray] | None = None
        self._tracker = tracker
        self._faces: dict[int, np.ndarray] = {}  # what faces are still cut from

    def feed(self, until: int) -> None:
        """Feed frames until `until` of them have been fed in all."""
        while True:
            if self._waiting is None:
                self._waiting = next(self._coming, None)
            if self._waiting is None:
                return
            opening, row, image = self._waiting
            if opening.first + row >= until:
                return
            self._waiting = None
            if self.ring is None:
                self.ring = FrameRing(frame_source.RING_SECONDS)
            time = float(opening.stamps[row])
            begins = bool(opening.values[row, 6])
            face = (self._recorded if self._tracker is None else self._found)(
                opening.values[row], image, time, begins
            )
            self.ring.append(face, begins)

    def _found(
        self, row: np.ndarray, image: np.ndarray, time: float, begins: bool
    ) -> FaceFrame:
        assert self._tracker is not None
        if begins:
            self._tracker.reset()
        if np.isfinite(row[8:10]).all():
            self._tracker.choose(float(row[8]), float(row[9]))
        return self._tracker.update(image, time)

    def _recorded(
        self, row: np.ndarray, image: np.ndarray, time: float, begins: bool
    ) -> FaceFrame:
        index, cut_from = int(row[0]), int(row[7])
        if cut_from == index or begins:
            self._faces = {index: image}
        shown = self._faces.get(cut_from, image)
        return FaceFrame(time, shown, row[1:5].astype(np.float32), bool(row[5]))


def _mend(
    past: RecordedPrediction, feeder: _Samples, max_bad: int, eeg_uv: np.ndarray
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    assert feeder.montage is not None
    missing = feeder.montage.interpolated
    return mend_electrodes(eeg_uv, past.interpolated, missing, max_bad)


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
    return Reprediction(past, now, difference)
