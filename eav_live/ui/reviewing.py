"""The window of `eav-live review`: the dashboard's panels at any moment of a recording.

Everything is done by keyboard, and by buttons and the timeline too.
"""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QHBoxLayout,
    QVBoxLayout,
)

from eav_live.review.annotations import Annotation
from eav_live.review.playhead import Playhead
from eav_live.review.reader import SessionReader
from eav_live.review.samples import joined
from eav_live.streams.loudspeaker import RecordedSound
from eav_live.ui.panels.card import ReadingArea, fill, label
from eav_live.ui.panels.flow import ElidedLabel
from eav_live.ui.panels.keys_card import REVIEW_KEYS, KeysCard
from eav_live.ui.panels.marks import NoteBar
from eav_live.ui.panels.moment_view import MomentView
from eav_live.ui.panels.recording_view import RecordingView
from eav_live.ui.panels.timeline_rows import clock_text
from eav_live.ui.panels.transport import AnewBar, TransportBar
from eav_live.ui.window import SessionWindow
from eav_live.ui.words import later, tr

if TYPE_CHECKING:
    from eav_live.review.anew import Anew, AnewResult

log = logging.getLogger(__name__)

REFRESH_SECONDS = 1 / 30
_LARGE_HEIGHT = 1350  # of panels one below the other, pixels at scale 1
_BLOCK_SECONDS = 0.05  # of sound at once; a key waits for it to be played
NOTICE = later(
    "Estimates say what a model made of these signals, not what the person felt; they "
    "are no diagnosis."
)


class ReviewWindow(SessionWindow):
    """The window. loudspeaker: None plays in silence. model: what is offered at first
    to recognize anew by.
    """

    def __init__(
        self,
        reader: SessionReader,
        model: Path,
        loudspeaker: RecordedSound | None = None,
        playhead: Playhead | None = None,
    ) -> None:
        super().__init__(tr("EAV-Live review: {file}", file=reader.path.name))
        self.reader = reader
        self.playhead = playhead or Playhead(reader.begin, reader.end)
        self.anew: Anew | None = None
        self._loudspeaker = loudspeaker
        self._shown_t: float | None = None
        self._progress = _Progress()
        self._progress.changed.connect(
            self._show_progress, Qt.ConnectionType.QueuedConnection
        )
        self._make_panels(model)
        self._lay_out()
        self._bind_keys()
        self._begin(REFRESH_SECONDS)
        self.timeline.setFocus()

    # Making it

    def _make_panels(self, model: Path) -> None:
        reader = self.reader
        self.moment = MomentView(reader)
        self.recording = RecordingView(reader)
        self.timeline = self.recording.timeline
        self.timeline.pointed.connect(self.seek)
        self.notes = NoteBar(tr("What is to be noted; Enter keeps it, Esc does not"))
        self.notes.said.connect(self._keep_note)
        self.notes.left.connect(self.timeline.setFocus)
        self.again = AnewBar(model)
        self.again.asked.connect(self._recognize_anew)
        self.again.left.connect(self._leave_anew)
        self.keys = KeysCard(REVIEW_KEYS, self)
        self.bar = TransportBar(lambda key: self._actions[key]())

    def _lay_out(self) -> None:
        brand, title = label("EAV-Live", "brand"), ElidedLabel(self._title())
        self._header = fill(QHBoxLayout(), brand, (title, 1))
        self._notice = label(
            self._notice_text(), "banner" if self.reader.demo else "model"
        )
        self._notice.setWordWrap(True)
        self._notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._views = ReadingArea()
        fill(self._views.rows, (self.moment, 58), (self.recording, 42))
        rows = (self._header, self._notice, (self._views, 1))
        bars = (self.notes, self.again, self.bar)
        self._rows = fill(QVBoxLayout(self), *rows, *bars)
        for panel in (*self.moment.cards, self.moment, self.recording):
            panel.setMinimumSize(60, 60)
            policy = panel.sizePolicy()
            policy.setHorizontalPolicy(policy.Policy.Ignored)
            policy.setVerticalPolicy(policy.Policy.Ignored)
            panel.setSizePolicy(policy)

    def _bind_keys(self) -> None:
        self._actions: dict[str, Callable[[], object]] = {
            "Space": self._space,
            "[": partial(self._change_speed, -1),
            "]": partial(self._change_speed, 1),
            "Left": partial(self.step, -1.0),
            "Right": partial(self.step, 1.0),
            "Shift+Left": partial(self.step, -10.0),
            "Shift+Right": partial(self.step, 10.0),
            "Home": lambda: self.seek(self.reader.begin),
            "End": lambda: self.seek(self.reader.end),
            "A": self.begin_note,
            "F2": self.begin_renaming,
            "Delete": self.delete_note,
            "R": self.again.open,
            "V": self.toggle_lane,
            "Z": partial(self.recording.zoom, 1),
            "Shift+Z": partial(self.recording.zoom, -1),
            "X": self.recording.export,
            "+": partial(self.moment.traces.zoom, 1),
            "=": partial(self.moment.traces.zoom, 1),
            "-": partial(self.moment.traces.zoom, -1),
            "F": self._step_filter,
            "?": self.toggle_keys,
            "F1": self.toggle_keys,
            "PgUp": partial(self._turn, -1),
            "PgDown": partial(self._turn, 1),
            "Escape": self._escape,
        }
        jumps = {"D": self.disagreements, "L": self.losses, "M": self.marks}
        for key, targets in jumps.items():
            self._actions[key] = partial(self.jump, targets, 1)
            self._actions[f"Shift+{key}"] = partial(self.jump, targets, -1)
        for key, action in self._actions.items():
            self.bind(key, action)

    def _title(self) -> str:
        reader = self.reader
        person = reader.session.person
        parts = [
            reader.path.name,
            tr("person {person}", person=person) if person else "",
        ]
        parts.append(clock_text(reader.seconds))
        return "   \u00b7   ".join(part for part in parts if part)

    def _notice_text(self) -> str:
        name = self.reader.model_name
        who = tr("{name}, a demo model of synthetic people. ", name=name)
        if not self.reader.demo:
            who = ""
        if not name and self.reader.session.synthetic:
            who = tr("A synthetic person. ")
        return f"{who}{tr(NOTICE)}"

    # What it does

    def toggle(self) -> None:
        """Play, or pause."""
        if self.playhead.playing:
            self.playhead.pause()
        else:
            self.playhead.play()
        self._follow()

    def seek(self, t: float) -> None:
        """Go to the moment `t`, seconds."""
        self.playhead.seek(t)
        self._follow()

    def step(self, seconds: float) -> None:
        """Go some seconds on, or back."""
        self.seek(self.playhead.t + seconds)

    def jump(self, targets: Callable[[], list[float]], direction: int) -> None:
        """Go to the next of the moments, or to the one before."""
        if self.playhead.jump(targets(), direction):
            self._tell("")
            self._follow()
        else:
            self._tell(
                tr("none before") if direction < 0 else tr("none after this moment")
            )

    def disagreements(self) -> list[float]:
        """When the recorded decision and the one made anew, or the truth, part."""
        result = self._result()
        spans = self.reader.untrue() if result is None else result.apart
        return [first for first, _ in spans]

    def losses(self) -> list[float]:
        """When a stream ceased; several that cease together count once."""
        spans = joined([(loss.first, loss.last) for loss in self.reader.losses])
        return [first for first, _ in spans]

    def marks(self) -> list[float]:
        """When there is a marker or a note."""
        noted = [one.t for one in self.reader.annotations]
        return noted + [mark.t for mark in self.reader.marks]

    def begin_note(self) -> None:
        """Ask what is to be noted at the cursor."""
        self.playhead.pause()
        at = self._clock_at(self.playhead.t)
        self.notes.ask(tr("Note at {time}", time=at), "")

    def begin_renaming(self) -> None:
        """Ask how the note at or before the cursor is to be called."""
        note = self._note_here()
        if note is not None:
            self.playhead.pause()
            at = self._clock_at(note.t)
            self.notes.ask(tr("Rename {time}", time=at), note.text, note)

    def delete_note(self) -> None:
        """Delete the note at or before the cursor."""
        note = self._note_here()
        if note is not None:
            self._change(lambda: self.reader.annotations.delete(note))
            self._tell(tr("deleted: {text}", text=note.text))

    def begin_anew(self) -> None:
        """Recognize anew by the model that is offered."""
        self.again.open()
        self.again.ask()

    def toggle_lane(self) -> None:
        """Show the other estimates, if there are any."""
        self.moment.foremost = not self.moment.foremost and self._result() is not None
        self._show_lanes()
        self._follow()

    def toggle_keys(self) -> None:
        """Show what the keys do, or no longer."""
        self.keys.setVisible(self.keys.isHidden())
        self.keys.place()

    def _turn(self, steps: int) -> None:
        area = self.keys.area if self.keys.isVisible() else self._views
        area.turn(steps)

    def refresh(self) -> None:
        t = self.playhead.t
        if self.playhead.playing and self.playhead.at_end:
            self.playhead.pause()
            self._hush()
        clock = f"{self._clock_at(t)} / {clock_text(self.reader.seconds)}"
        self.bar.show_moment(clock, self.playhead.playing, self.playhead.speed)
        if t == self._shown_t:
            return
        jumped = self._shown_t is None or not 0 <= t - self._shown_t < 1.0
        self._shown_t = t
        self.recording.go_to(t)
        try:
            self.moment.show_moment(t, jumped)
        except Exception:  # one broken panel must not end a review
            if not self.failed:
                log.exception("A panel cannot show the moment %.2f", t)
            self.failed = True

    def _result(self) -> "AnewResult | None":
        return None if self.anew is None else self.anew.so_far

    def _show_lanes(self) -> None:
        result = self._result()
        self.moment.anew = result
        if result is not None:
            self.recording.show_anew(result, self.moment.foremost)

    def _step_filter(self) -> None:
        self.moment.traces.step_filter()
        self._follow()

    # Sound

    def _follow(self) -> None:
        """Show where the playhead is now, and play from there if it plays."""
        self._shown_t = None
        self.refresh()
        self._hush()
        if self.playhead.playing and self._loudspeaker is not None:
            sound = self.reader.sound
            if not sound.empty:
                blocks = sound.blocks(self.playhead.t, self.reader.end, _BLOCK_SECONDS)
                self._loudspeaker.play(blocks, sound.rate, self.playhead.speed)

    def _hush(self) -> None:
        if self._loudspeaker is not None:
            self._loudspeaker.stop()

    def _change_speed(self, steps: int) -> None:
        self.playhead.change_speed(steps)
        self._follow()

    # Notes

    def _note_here(self) -> Annotation | None:
        note = self.reader.annotations.last_until(self.playhead.t + 0.02)
        if note is None:
            self._tell(tr("no note at or before this moment"))
        return note

    def _keep_note(self, text: str, renamed: Annotation | None) -> None:
        annotations = self.reader.annotations
        if renamed is None:
            self._change(lambda: annotations.add(self.playhead.t, text))
        else:
            self._change(lambda: annotations.rename(renamed, text))

    def _change(self, change: Callable[[], object]) -> None:
        try:
            change()
        except OSError as error:
            self.failed = True
            self._tell(tr("the notes cannot be saved: {why}", why=error.strerror))
        self.recording.show_overview()

    # Recognizing anew

    def _recognize_anew(self, model: Path, backend: str) -> None:
        if self.anew is not None and self.anew.running:
            return
        from eav_live.review.anew import Anew  # torch, which takes seconds

        self.moment.foremost = not self.reader.recorded.estimates
        self.anew = Anew(self.reader, model, backend)
        self.anew.start(self._progress.changed.emit)
        self._show_progress()

    def _show_progress(self) -> None:
        work = self.anew
        if work is None:
            return
        self.again.show_progress(work.done, work.total)
        if work.so_far is not self.moment.anew:
            self._show_lanes()
            self._shown_t = None  # paint the moment again
        if work.error:
            self.again.show_end(work.error)
        elif work.result is not None:
            n = len(work.result.apart)
            found = tr("another decision in {n} stretches", n=n)
            if n == 1:
                found = tr("another decision in 1 stretch")
            if not self.reader.recorded.estimates:
                found = tr("another decision than the label in {n} stretches", n=n)
                if n == 1:
                    found = tr("another decision than the label in 1 stretch")
            self.again.show_end("")
            self._tell(f"{work.result.model} ({work.result.backend}): {found}")
            self._follow()

    def _leave_anew(self) -> None:
        work = self.anew
        if work is not None and work.result is None and not work.error:
            work.stop()
            done = {"done": work.done, "all": work.total}
            self._tell(tr("{done} of {all} windows were recognized anew", **done))
        self.timeline.setFocus()

    # The rest

    def _space(self) -> None:
        """Press the button that has the focus, else play or pause."""
        focused = QApplication.focusWidget()
        if isinstance(focused, QAbstractButton):
            focused.click()
        elif isinstance(focused, QComboBox):
            focused.showPopup()
        else:
            self.toggle()

    def _escape(self) -> None:
        self.keys.hide()
        self.notes.leave()
        self.again.leave()
        self.timeline.setFocus()

    def _tell(self, text: str) -> None:
        self.bar.said.setText(text)

    def _clock_at(self, t: float) -> str:
        return clock_text(t - self.reader.begin, fine=True)

    def _rescale(self, scale: float) -> None:
        for part in (self.moment, self.recording, self.bar, self.keys):
            part.set_scale(scale)
        self.moment.lay_out(self.large)
        for k, share in enumerate((78, 22) if self.large else (58, 42)):
            self._views.rows.setStretch(k, share)
        self._views.fit(_LARGE_HEIGHT * scale if self.large else 0.0)
        margin, space = round(12 * scale), round(9 * scale)
        self._rows.setContentsMargins(
            margin, round(8 * scale), margin, round(8 * scale)
        )
        for layout in (self._rows, self._header, self._views.rows):
            layout.setSpacing(space)

    def _end(self) -> None:
        self._hush()
        if self.anew is not None:
            self.anew.stop()
        self.reader.close()


class _Progress(QObject):
    """Carries news from the thread that recognizes anew to Qt's."""

    changed = Signal()
