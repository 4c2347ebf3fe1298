"""The dashboard: panels, lamps and status line, refreshed by one timer."""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout

from eav_live.logs.timings import Timings
from eav_live.recognition.predictions import Prediction, StreamHealth, StreamState
from eav_live.recording.guard import Guard
from eav_live.recording.recorder import OnMark, Recorder
from eav_live.recording.takes import Takes
from eav_live.running import Running
from eav_live.session.inference import Session
from eav_live.ui import theme
from eav_live.ui.controls import Controls
from eav_live.ui.lamps import (
    ALARM_KEY,
    AlarmLine,
    Lamp,
    lamp_text,
    note_text,
    trouble_text,
)
from eav_live.ui.panels.card import ALL, BarArea, Card, ReadingArea, fill, label
from eav_live.ui.panels.card_view import CARD_KEY, CardView, ModelBanner
from eav_live.ui.panels.dimension_bars import DimensionBars
from eav_live.ui.panels.eeg.view import EegView
from eav_live.ui.panels.emotion_view import EmotionView
from eav_live.ui.panels.face_view import FaceView
from eav_live.ui.panels.flow import ElidedLabel, Flow
from eav_live.ui.panels.marks import NOTE_KEY, Marking, MarkLine
from eav_live.ui.panels.sound_view import SoundView
from eav_live.ui.panels.timeline import TimelineView
from eav_live.ui.window import TEXT_SECONDS, SessionWindow
from eav_live.ui.words import later, said, stream_name, tr
from eav_offline.checkpoint.card import NAMES
from eav_offline.core.labels import MODALITIES

log = logging.getLogger(__name__)
FUSION_NAMES = {
    "ambt": "AMBT",
    "mean": later("mean"),
    "calibrated": later("calibrated mean"),
}
REFRESH_SECONDS = 1 / 30
STALE_SECONDS = 3.0  # (or four hops) without a prediction: the last one is dimmed
_LARGE_HEIGHT = 1350  # of all of them then, pixels at scale 1


class Dashboard(SessionWindow):
    """The window. It reads the session; closing it stops the session.

    screenshot: a PNG of the window is written there just before it closes. timings:
    where to note when estimates are painted. seconds: it closes this long after the
    first stream was live. running: what its bar controls; None for no bar.
    failed: whether a panel or the screenshot broke down.
    """

    def __init__(
        self,
        session: Session,
        screenshot: Path | None = None,
        timings: Timings | None = None,
        seconds: float | None = None,
        running: Running | None = None,
    ) -> None:
        super().__init__(f"EAV-Live: {session.model_name}")
        self.frames_per_second = 0.0
        self._session = session
        self._screenshot = screenshot
        # The newest, from the first estimate on.
        self._prediction: Prediction | None = None
        self._arrived = 0.0  # session clock at the newest prediction
        self._texts_at = -1.0
        self._drawn: deque[float] = deque(maxlen=60)
        self.lamps = {modality: Lamp(modality) for modality in MODALITIES}
        self.traces, self.sound, self.face = EegView(), SoundView(), FaceView()
        self.dimensions = {m: DimensionBars(tr(NAMES[m])) for m in ("audio", "video")}
        self.sound.add_below(self.dimensions["audio"])
        self.face.add_below(self.dimensions["video"])
        self.emotion = EmotionView(session.knows)
        self.timeline = TimelineView(session.hop, session.knows, session.model_name)
        self.card = CardView(session.model_name, session.card, self)
        self.banner = ModelBanner(
            said(session.model_line), session.demo, self.card.toggle
        )
        self.status = ElidedLabel()
        self.speed = label()
        self.recording = label()
        self._recorder: Recorder | Takes | None = None
        self._timings = timings
        self._seconds = seconds
        self.alarm: AlarmLine | None = None
        self.marks: MarkLine | None = None
        self._running = running
        self._names = {} if running is None else running.streams.config.marks
        self._unpainted: Prediction | None = None
        self.traces.settings = session.preprocess
        self._cards: dict[str, Card] = dict(
            zip(MODALITIES, (self.traces, self.sound, self.face), strict=True)
        )
        self._panels: dict[str, Callable[[float], None]] = {
            "EEG": self._refresh_traces,
            "voice": self._refresh_sound,
            "face": self._refresh_face,
            "text": self._refresh_texts,
        }
        self.controls = None if running is None else Controls(running, self)
        self._lay_out()
        self.bind(CARD_KEY, self.card.toggle)
        self.bind(ALARM_KEY, self.acknowledge)
        self.bind(NOTE_KEY, self.note)
        for key in self._names:
            self.bind(key, partial(self.mark, key))
        for key, step in (("+", 1), ("=", 1), ("-", -1)):
            self.bind(key, partial(self.traces.zoom, step))
        for key, action in {**self.traces.keys, **self.timeline.keys}.items():
            self.bind(key, action)
        if session.video is not None:
            self.face.on_choice(session.video.choose)
        if timings is not None:
            self.emotion.panel.on_painted = self._note_painted
        self._bridge = Bridge(session, self.show_prediction, self.show_mark)
        if running is not None:
            self.watch_recording(running.recorder, running.guard)
        self.setFocus()  # not the first button
        self._begin(REFRESH_SECONDS)

    def _lay_out(self) -> None:
        brand, name = label("EAV-Live", "brand"), ElidedLabel(self._session.model_name)
        self._title = (brand, name)
        self._header = fill(QHBoxLayout(), brand, (name, 1), *self.lamps.values())
        self._senses = fill(QVBoxLayout(), (self.face, 46), (self.sound, 54))
        self._views = ReadingArea()
        parts = ((self.traces, 45), (self._senses, 22), (self.emotion, 33))
        self._middle = fill(QHBoxLayout(), *parts)
        below = (self.recording, (self.status, 1), self.speed)
        self._footer = fill(Flow(), *below)
        fill(self._views.rows, (self._middle, 71), (self.timeline, 29))
        rows = (self._header, self.banner, (self._views, 1))
        self._rows = fill(QVBoxLayout(self), *rows)
        self._below = BarArea()
        if self.controls is not None:
            self._below.rows.addWidget(self.controls.bar)
        self.bind("PgUp", partial(self.turn, -1))
        self.bind("PgDown", partial(self.turn, 1))
        self._below.rows.addLayout(self._footer)
        self._rows.addWidget(self._below)
        # Shares of the window, whatever the contents would like.
        for panel in (*self._cards.values(), self.emotion, self.timeline):
            panel.setMinimumSize(60, 60)
            policy = panel.sizePolicy()
            policy.setHorizontalPolicy(policy.Policy.Ignored)
            policy.setVerticalPolicy(policy.Policy.Ignored)
            panel.setSizePolicy(policy)

    def _rescale(self, scale: float) -> None:
        for part in (*self._cards.values(), self.emotion, self.timeline):
            part.set_scale(scale)
        for lamp in self.lamps.values():
            lamp.set_scale(scale)
        self.card.set_scale(scale)
        if self.controls is not None:
            self.controls.set_scale(scale)
        if self.marks is not None:
            self.marks.set_scale(scale)
        large = self.large
        for words in self._title:
            words.setHidden(large)  # lamps need the room
        way = QBoxLayout.Direction
        # One below the other, the estimate first, where letters leave no room beside.
        self._middle.setDirection(way.BottomToTop if large else way.LeftToRight)
        self._senses.setDirection(way.LeftToRight if large else way.TopToBottom)
        for k, share in enumerate((46, 22, 28) if large else (45, 22, 33)):
            self._middle.setStretch(k, share)
        self._below.most = self.height() // 3 if large else ALL
        self._views.fit(_LARGE_HEIGHT * scale if large else 0.0)
        self._views.rows.setStretch(0, 83 if large else 71)
        self._views.rows.setStretch(1, 17 if large else 29)
        margin, space = round(12 * scale), round(9 * scale)
        self._rows.setContentsMargins(
            margin, round(8 * scale), margin, round(6 * scale)
        )
        columns = (self._rows, self._views.rows, self._below.rows)
        spaced = (*columns, self._middle, self._senses)
        for layout in (*spaced, self._header, self._footer):
            layout.setSpacing(space)

    def watch_recording(
        self, recorder: Recorder | Takes | None, guard: Guard | None
    ) -> None:
        """Show a recording that has begun, or that none runs any more.

        guard: whose alarms are shown until they are acknowledged.
        """
        for line in (self.alarm, self.marks):
            if line is not None:
                line.hide()
                line.deleteLater()
        self._recorder, self.alarm, self.marks = recorder, None, None
        if self._running is not None:
            self.timeline.plot.history.person = self._running.person
        self.recording.setText("")
        if guard is not None:
            self.alarm = AlarmLine(guard)
            self._rows.insertWidget(2, self.alarm)  # below the model's banner
        if recorder is not None:
            recorder.on_mark = self._bridge.mark
            marking = Marking(self._names, recorder.mark)
            self.marks = MarkLine(marking, self._session.clock)
            self.marks.set_scale(self._scale)
            self._show_words()
            self._footer.insertWidget(1, self.marks, 1)
        self._refresh_recording()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc, where nothing else takes it, clears what lies over the panels."""
        if event.key() == Qt.Key.Key_Escape and self.controls is not None:
            self.controls.leave()
        else:
            super().keyPressEvent(event)

    def turn(self, steps: int) -> None:
        """Read on (+1) or back (-1) in what does not fit; if all does, in the EEG."""
        over = () if self.controls is None else self.controls.over
        asking = next((card for card in over if card.isVisible()), None)
        if asking is not None:
            asking.area.turn(steps)
        elif self.large:
            self._views.turn(steps)
        else:
            self.traces.look_back(steps)

    def mark(self, key: str) -> None:
        """Mark what a key stands for, if a recording runs; show the person its cue."""
        if self.marks is not None:
            self.marks.mark(key)
        if self.controls is not None:
            self.controls.cue(key)

    def note(self) -> None:
        """Begin a note of this moment, if a recording runs."""
        if self.marks is not None:
            self.marks.begin_note()

    def acknowledge(self) -> None:
        """Take the alarm away."""
        if self.alarm is not None:
            self.alarm.acknowledge()

    def show_prediction(self, prediction: Prediction) -> None:
        """Show a prediction (in Qt's thread; `Bridge.receive` takes it in any)."""
        self._arrived = self._session.clock()
        for modality, read in prediction.dimensions.items():
            self.dimensions[modality].show_values(None if read is None else read.values)
        if prediction.fused is None and self._prediction is None:
            return  # nothing to estimate from so far: the waiting text stays
        self._prediction = self._unpainted = prediction
        self.emotion.panel.show_prediction(prediction)
        self.timeline.add(prediction)
        self.timeline.refresh(self._arrived)

    def show_mark(self, marker: Mapping[str, object], t: float) -> None:
        """Show what was marked at `t`, seconds, by whoever (in Qt's thread)."""
        text = marker.get("mark") or marker.get("note")
        if text is None:
            return  # the program's own, such as a pause
        self.timeline.add_mark(t, str(text))
        if self.marks is not None:
            self.marks.say(str(text))

    def refresh(self) -> None:
        now = self._session.clock()
        for name, panel in list(self._panels.items()):
            try:
                panel(now)
            except Exception:  # one broken panel must not end a recording
                log.exception("The %s panel stopped", name)
                self.failed = True
                del self._panels[name]
        self._drawn.append(perf_counter())
        if len(self._drawn) > 1:
            elapsed = self._drawn[-1] - self._drawn[0]
            self.frames_per_second = (len(self._drawn) - 1) / max(elapsed, 1e-9)
        if self._timings is not None:
            self._timings.refreshed()
        live = self._session.first_live
        if self._seconds is not None and live is not None:
            if now - live >= self._seconds:
                QTimer.singleShot(0, self.close)

    def _note_painted(self) -> None:
        painted, self._unpainted = self._unpainted, None
        if painted is not None and self._timings is not None:
            self._timings.painted(painted)

    def _refresh_traces(self, now: float) -> None:
        source = self._session.eeg
        if source is not None:
            self.traces.refresh(source.ring, source.interpolated, now)

    def _refresh_sound(self, now: float) -> None:
        source = self._session.audio
        if source is not None:
            self.sound.refresh(source.ring, now)

    def _refresh_face(self, now: float) -> None:
        source = self._session.video
        if source is not None:
            self.face.refresh(source.ring, now)

    def _refresh_texts(self, now: float) -> None:
        time = perf_counter()
        if time - self._texts_at < TEXT_SECONDS:
            return
        self._texts_at = time
        healths = self._session.health()
        for modality, health in healths.items():
            self.lamps[modality].set_health(health)
            self._cards[modality].set_message(
                trouble_text(modality, health, self._reads(modality))
            )
            note = note_text(health)
            if modality == "eeg":
                quality = health.quality
                self.traces.set_quality(quality.electrodes if quality else {}, note)
            else:
                self._cards[modality].set_note(note)
        error = self._session.error
        if error is not None:
            self.failed = True
            self.emotion.set_message(
                tr("Recognition stopped\n{error}\nSee the log.", error=said(str(error)))
            )
        self.emotion.legend.setVisible(self._prediction is not None)
        if self._prediction is None:
            # Nothing below a message, where it would show at both of its sides.
            covered = self.emotion.message
            self.emotion.panel.show_waiting("\n" if covered else waiting_text(healths))
        else:
            quiet = now - self._arrived
            stale = quiet > max(STALE_SECONDS, 4 * self._session.hop)
            self.emotion.panel.set_stale(stale)
            if stale:
                for bars in self.dimensions.values():
                    bars.show_values(None)
        if now - self.timeline.plot.now > 1.0:
            self.timeline.refresh(now)
        self.status.setText(status_text(self._prediction, self._session.hop, now))
        self.speed.setText(tr("{rate:.0f} frames/s", rate=self.frames_per_second))
        self._refresh_recording()
        if self.alarm is not None:
            self.alarm.refresh()
        if self.controls is not None:
            self.controls.refresh(now)

    def _reads(self, modality: str) -> bool:
        """Whether the model reads it, as far as its card says."""
        card = self._session.card
        return card is None or modality in card.reads

    def _refresh_recording(self) -> None:
        if self._recorder is None:
            return
        text, well = self._recorder.text
        state = StreamState.LIVE if well else StreamState.LOST
        self.recording.setStyleSheet(f"color: {theme.STATE_COLORS[state]}")
        self.recording.setText(f"\u25cf {said(text)}     ")

    def _end(self) -> None:
        """Write the screenshot, then stop the session."""
        if self._screenshot is not None:
            self._write_screenshot(self._screenshot)
        self._bridge.close()
        self.card.hide()
        self.window().hide()  # stopping may take a moment
        self._session.stop()

    def _write_screenshot(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not self.grab().save(str(path), "PNG"):
            log.error("The screenshot cannot be written to %s", path)
            self.failed = True


def waiting_text(healths: dict[str, StreamHealth]) -> str:
    """What is shown instead of bars before the first prediction."""
    lines = [tr("Waiting for the first window")]
    for modality, health in healths.items():
        if health.state is not StreamState.OFF:
            lines.append(f"{stream_name(modality)}: {lamp_text(health)}")
    if len(lines) == 1:
        lines.append(tr("no stream was asked for"))
    return "\n".join(lines)


def status_text(prediction: Prediction | None, hop: float, now: float) -> str:
    """The status line at `now`, seconds: hop, decision's age, inference, fusion."""
    parts = [tr("hop {hop:.2f} s", hop=hop)]
    if prediction is not None and prediction.behind:
        parts = [
            tr(
                "a window every {now:.2f} s instead of {hop:.2f} s: "
                "the model is slower",
                now=prediction.hop_s,
                hop=hop,
            )
        ]
    if prediction is not None:
        age, took = max(now - prediction.t, 0.0), 1000 * prediction.infer_s
        parts.append(tr("age of the estimate {age:.1f} s", age=age))
        parts.append(tr("put out {age:.2f} s after its window", age=prediction.age_s))
        parts.append(tr("inference {took:.0f} ms", took=took))
        if prediction.fusion:
            name = tr(FUSION_NAMES[prediction.fusion])
            parts.append(tr("fused by {name}", name=name))
        if prediction.adapting is not None:
            parts.append(adapting_text(prediction.adapting))
    return "     ".join(parts)


def adapting_text(adapting: Mapping[str, Any]) -> str:
    """How far a model is adapted, in a sentence."""
    if adapting["waiting"]:
        return said(str(adapting["waiting"]))
    return tr("Adapted to this person by {n} windows", n=adapting["n"])


class Bridge(QObject):
    """Carries predictions and marks from other threads to Qt's."""

    predicted = Signal(object)
    marked = Signal(object, float)

    def __init__(
        self, session: Session, show: Callable[[Prediction], None], show_mark: OnMark
    ) -> None:
        """Subscribe; `show` and `show_mark` are then called in Qt's thread."""
        super().__init__()
        self._open = True
        self.predicted.connect(show, Qt.ConnectionType.QueuedConnection)
        self.marked.connect(show_mark, Qt.ConnectionType.QueuedConnection)
        session.subscribe(self.receive)

    def receive(self, prediction: Prediction) -> None:
        """Take a prediction in any thread; `predicted` follows in Qt's."""
        if self._open:
            self.predicted.emit(prediction)

    def mark(self, marker: Mapping[str, object], stamp: float) -> None:
        """Take a mark in any thread; `marked` follows in Qt's."""
        if self._open:
            self.marked.emit(dict(marker), stamp)

    def close(self) -> None:
        """Drop what still comes: the window is going."""
        self._open = False
