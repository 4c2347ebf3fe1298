"""A live session: its inference thread, and the predictions it makes."""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Self

from eav_live.recognition.dimensions import DimensionReader, DimensionThread
from eav_live.recognition.doubts import CONTRADICTS, Doubts
from eav_live.recognition.pace import MODEL_NICENESS, Pace, yield_to_others
from eav_live.recognition.predictions import (
    Prediction,
    Quality,
    StreamHealth,
    StreamState,
)
from eav_live.session.intake import Intake, Markers, Stoppable
from eav_live.streams.source import Source
from eav_live.windows.cut import LiveWindow, Rings, cut_window, newest_end
from eav_live.windows.quality import QualityWatch, faults_text
from eav_offline.checkpoint.card import Card, model_line
from eav_offline.core.electrodes import mend_electrodes
from eav_offline.core.labels import MODALITIES
from eav_offline.core.sureness import Decider, Decision
from eav_offline.preprocess import PreprocessSettings

if TYPE_CHECKING:
    from eav_live.recognition.recognizer import Recognition, Recognizer

log = logging.getLogger(__name__)
_IDLE_SECONDS = 0.02  # wait before looking again for new samples
_MAX_FAILURES = 10  # windows in a row that may fail before the session gives up


class Session(Intake):
    """An intake, and one thread that recognizes it; calls subscribers with predictions.

    hop: seconds between windows. If recognizing takes longer the next window is simply
    the newest one: nothing is queued. owned: what runs for this session alone and ends
    with it. dimensions: read beside the model, on threads of their own. The others: see
    `Intake`.

    `with` starts and stops it. Looping over it waits for one prediction after another;
    those that come while the loop is busy are skipped but for the newest.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        recognizer: "Recognizer",
        clock: Callable[[], float],
        hop: float = 0.5,
        decider: Decider | None = None,
        markers: Markers | None = None,
        watch: QualityWatch | None = None,
        owned: Sequence[Stoppable] = (),
        dimensions: Sequence[DimensionReader] = (),
    ) -> None:
        super().__init__(sources, clock, markers, watch)
        self.recognizer = recognizer
        self.hop = hop
        self.error: BaseException | None = None
        self.n_predictions = 0
        self.newest: Prediction | None = None  # what was put out last
        self.health_at_end: dict[str, StreamHealth] | None = None
        self.pace = Pace(hop)
        self._decider = decider or Decider()
        doubting = self.watch is not None and self.watch.limits.outvoted
        self._doubts = Doubts() if doubting else None
        self._told: dict[str, str] = {}
        self._subscribers: list[Callable[[Prediction], None]] = []
        self._owned = tuple(owned)
        self.dimensions = {one.modality: DimensionThread(one) for one in dimensions}
        self._news = threading.Condition()  # a prediction, or the end
        self._n_made = 0
        self._stop = threading.Event()
        self._paused = threading.Event()
        self._thread: threading.Thread | None = None
        self._last_end: float | None = None
        self._trial: float | None = None  # when the replayed trial began

    @property
    def model_name(self) -> str:
        """The checkpoint's name, to show."""
        return self.recognizer.name

    @property
    def preprocess(self) -> PreprocessSettings:
        """How windows are prepared for the model."""
        return self.recognizer.checkpoint.preprocess

    @property
    def demo(self) -> bool:
        """Whether the model knows synthetic people only."""
        return self.recognizer.demo

    @property
    def card(self) -> Card | None:
        """The model's card, if it has one."""
        return self.recognizer.card

    @property
    def model_line(self) -> str:
        """Which model this is and for whom it was shown to work."""
        return model_line(self.model_name, self.card, self.demo)

    @property
    def knows(self) -> tuple[str, ...]:
        """The emotions that the model can tell."""
        return self.recognizer.knows

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    @property
    def paused(self) -> bool:
        """Whether no estimates are made, while all streams come in."""
        return self._paused.is_set()

    def pause(self, paused: bool) -> None:
        """Make no estimates from now on, or make them again."""
        self._paused.set() if paused else self._paused.clear()

    def subscribe(self, callback: Callable[[Prediction], None]) -> None:
        """Call `callback` with every prediction, on the inference thread."""
        self._subscribers.append(callback)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __iter__(self) -> Iterator[Prediction]:
        """Wait for predictions, the newest first, until the session is stopped.

        Raises what ended the session by itself; RuntimeError if it was not started.
        """
        if self._thread is None:
            raise RuntimeError("the session is not started; use `with session:`")
        n_taken = 0
        while True:
            with self._news:
                while n_taken == self._n_made and not self.stopped and not self.error:
                    self._news.wait()
                n_taken, prediction = self._n_made, self.newest
                if self.error is not None:
                    raise self.error
                if self.stopped or prediction is None:
                    return
            yield prediction

    def start(self) -> None:
        """Start the sources and the inference thread."""
        super().start()
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self._thread.start()
        for beside in self.dimensions.values():
            beside.thread.start()

    def stop(self) -> None:
        """End all threads at once, in 1.5 s at most. May be called twice."""
        if self.health_at_end is None:
            self.health_at_end = self.health()
        self._stop.set()
        with self._news:
            self._news.notify_all()
        for beside in self.dimensions.values():
            beside.stop()
        threads = (self._thread, *(one.thread for one in self.dimensions.values()))
        here = threading.current_thread()
        self._end(*(t for t in threads if t and t.is_alive() and t is not here))
        for part in self._owned:
            part.stop()

    def step(self, anyway: bool = False) -> Prediction | None:
        """Recognize the newest window, if there is a new one. Tests call this.

        anyway: where no stream is fresh, say so of the window that would end now.
        """
        now = self.clock()
        health = self.health()
        self._tell(health)
        rings = self.rings
        t_end = newest_end(rings, now)
        if t_end is None and anyway:
            t_end = now
        if t_end is None or (self._last_end is not None and t_end == self._last_end):
            return None
        begun = time.perf_counter()
        missing = self.interpolated
        window = self._cut(rings, t_end, now, missing)
        # A modality in a bad way counts as absent; better none than a wrong one.
        bad = {m: q.why for m, q in self._quality.items() if not q.good}
        bad |= {m: h.fault for m, h in health.items() if h.fault}
        window = window.without(bad)
        for modality in MODALITIES:
            if health[modality].state is StreamState.OFF:
                window.reasons[modality] = "off"
            elif health[modality].state is StreamState.REFUSED:
                window.reasons[modality] = health[modality].detail
        window, recognized = self._recognized(window)
        dimensions = {m: one.offer(window.raw) for m, one in self.dimensions.items()}
        decision: Decision | None = None
        trial = None if self.markers is None else self.markers.trial_at(t_end)
        if trial != self._trial:  # as the evaluation begins anew with each
            self._trial = trial
            self._decider.reset()
        if recognized.fused is not None:
            decision = self._decider.update(
                recognized.fused, t_end, recognized.present, recognized.adapted
            )
        hop = 0.0 if self._last_end is None else t_end - self._last_end
        self._last_end = t_end
        took = time.perf_counter() - begun
        return Prediction(
            t=t_end,
            fused=recognized.fused,
            smoothed=None if decision is None else decision.smoothed,
            by_modality=recognized.by_modality,
            present=recognized.present,
            states={m: h.state for m, h in health.items()},
            label=None if decision is None else decision.label,
            truth=None if self.markers is None else self.markers.at(t_end),
            infer_s=took,
            age_s=self.clock() - t_end,
            hop_s=hop,
            interpolated=window.interpolated or missing,
            demo=self.demo,
            # A window of nothing takes no time, and says nothing of the model's.
            behind=self.pace.note(took) if recognized.present else self.pace.behind,
            backend=self.recognizer.backend_name,
            fusion=self.recognizer.fusion,
            reasons=window.reasons,
            quality=self._quality,
            state=None if decision is None else decision.state,
            label_set=None if decision is None else decision.label_set,
            coverage=None if decision is None else decision.coverage,
            anew=decision is not None and decision.anew,
            adapting=recognized.adapting,
            set_reason=None if decision is None else decision.set_reason,
            dimensions=dimensions,
        )

    def _recognized(self, window: LiveWindow) -> tuple[LiveWindow, "Recognition"]:
        """A window without the modality that contradicts the others; what is said."""
        doubts, there = self._doubts, window.present
        doubted = None if doubts is None else doubts.modality
        if doubts is None or doubted not in there:
            recognized, alone = self.recognizer.recognize(window.raw), {}
        else:
            rest = window.without({m: "" for m in there if m != doubted})
            window = window.without({doubted: CONTRADICTS})
            recognized = self.recognizer.recognize(window.raw)
            # It may agree again; whether it does is for the doubts alone.
            alone = self.recognizer.recognize(rest.raw, learn=False).by_modality
            alone = {doubted: alone[doubted]}
        if doubts is not None:
            alone = {**recognized.by_modality, **alone}
            doubts.update(alone, window.raw.t_end, self.recognizer.temperatures)
        return window, recognized

    def _cut(
        self, rings: Rings, t_end: float, now: float, missing: tuple[str, ...]
    ) -> LiveWindow:
        """The window at `t_end`, with bad electrodes computed from the others."""
        if self.watch is None:
            return cut_window(rings, t_end, now)
        self._quality = self.watch.judge(rings, t_end, missing)
        eeg = self._quality.get("eeg", Quality())
        mend = partial(
            mend_electrodes,
            bad=tuple(eeg.electrodes),
            missing=missing,
            max_bad=max(self.watch.max_bad, len(missing)),
        )
        return cut_window(rings, t_end, now, mend)

    def _tell(self, health: Mapping[str, StreamHealth]) -> None:
        """Log what is wrong with a stream that delivers, when that changes."""
        for name, stream in health.items():
            quality = stream.quality or Quality()
            faults = faults_text(quality.electrodes)
            parts = (stream.fault or quality.why, faults, stream.notice)
            text = "; ".join(part for part in parts if part)
            # A rate that is counted anew in every window is no news.
            kind = re.sub(r"\d+", "#", text)
            if kind != self._told.get(name, ""):
                log.info("%s: %s", name, text or "good again")
            self._told[name] = kind

    def _run(self) -> None:
        yield_to_others(MODEL_NICENESS)
        due = self.clock()
        failures = 0
        while not self._stop.is_set():
            if self.paused:
                self.judge()  # what is recorded meanwhile is to be good
                self._stop.wait(_IDLE_SECONDS)
                due, self._last_end = self.clock(), None
                continue
            wait = due - self.clock()
            if wait > 0:
                self._stop.wait(wait)
                continue
            try:
                # Nothing new may be a matter of a moment; of a whole hop it is told.
                prediction = self.step(anyway=self.clock() >= due + self.hop)
                failures = 0
            except Exception as error:  # the thread's last line of defense
                failures += 1
                log.exception("A window could not be recognized")
                if failures >= _MAX_FAILURES:
                    with self._news:
                        self.error = error
                        self._news.notify_all()
                    return
                due = max(due + self.hop, self.clock())  # what comes may be better
                continue
            if prediction is None:
                self._stop.wait(_IDLE_SECONDS)
                continue
            # On the hop's grid; when behind, from now on.
            due = max(due + self.hop, self.clock())
            self.put_out(prediction)

    def put_out(self, prediction: Prediction) -> None:
        """Give a prediction to all who wait for one, on this thread."""
        with self._news:
            self.newest = prediction
            self._n_made += 1
            self._news.notify_all()
        if prediction.fused is not None:
            self.n_predictions += 1
        for callback in self._subscribers:
            try:
                callback(prediction)
            except Exception:
                log.exception("A subscriber failed")
