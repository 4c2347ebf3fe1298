"""Marks and notes: set while a session is recorded, and noted on it afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from eav_live.ui.panels.card import fill, label
from eav_live.ui.panels.flow import ElidedLabel
from eav_live.ui.words import said, tr
from eav_offline.common.errors import InputRefused

NOTE_KEY = "M"
_WIDTH = 260  # pixels at scale 1


@dataclass(frozen=True)
class Marking:
    """names: of what the keys 1 to 9 mark. mark: puts a marker, which becomes a JSON
    object, and its time, seconds, into the recording."""

    names: Mapping[str, str]
    mark: Callable[[Mapping[str, object], float], None]


class MarkLine(QWidget):
    """What was marked last, and where a note is written.

    clock: seconds, the clock of the recording. A mark is of the moment at which its key
    was pressed, and a note of that at which it was begun.
    """

    def __init__(self, marking: Marking, clock: Callable[[], float]) -> None:
        super().__init__()
        self._marking, self._clock = marking, clock
        keys = [f"{key} {name}" for key, name in sorted(marking.names.items())]
        self.said = ElidedLabel("   ".join([*keys, tr("{key} note", key=NOTE_KEY)]))
        self.note = NoteBar(tr("note, then Enter"))
        self.note.said.connect(partial(self._put, "note"))
        fill(QHBoxLayout(self), self.note, (self.said, 1), margins=False)

    def mark(self, key: str) -> None:
        """Mark what a key stands for now."""
        self._put("mark", self._marking.names[key], self._clock())

    def begin_note(self) -> None:
        """Open the line for a note of this moment."""
        self.note.ask("", "", self._clock())

    def say(self, text: str) -> None:
        """What was marked last, here or by another program."""
        self.said.setText(tr("marked {text}     ", text=text[:30]))

    def set_scale(self, scale: float) -> None:
        self.note.setFixedWidth(round(_WIDTH * scale))

    def _put(self, kind: str, text: str, at: float) -> None:
        try:
            self._marking.mark({kind: text}, at)
        except InputRefused as refusal:  # between two recordings
            self.said.setText(said(str(refusal)))


class NoteBar(QWidget):
    """Asks for a text. said: it was given, with the object that was asked about.

    left: the bar has gone, with or without a text. placeholder: shown where it lacks.
    """

    said = Signal(str, object)
    left = Signal()

    def __init__(self, placeholder: str) -> None:
        super().__init__()
        self._about: object = None
        self._title = label("", "title")
        self.text = QLineEdit()
        self.text.setPlaceholderText(placeholder)
        self.text.setAccessibleName(tr("Note"))
        self.text.returnPressed.connect(self._keep)
        fill(QHBoxLayout(self), self._title, (self.text, 1), margins=False)
        self.hide()

    def ask(self, title: str, text: str, about: object = None) -> None:
        """Come up with a text to be written or changed."""
        self._about = about
        self._title.setText(title)
        self._title.setVisible(bool(title))
        self.text.setText(text)
        self.text.selectAll()
        self.show()
        self.text.setFocus()

    def leave(self) -> None:
        """Go without a word."""
        if not self.isHidden():
            self.hide()
            self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)

    def _keep(self) -> None:
        text = self.text.text().strip()
        if text:
            self.said.emit(text, self._about)
        self.leave()
