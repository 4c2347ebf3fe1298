"""Marks and notes that the operator sets while a session is recorded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from eav_live.ui.panels.card import ElidedLabel
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
        self._begun = 0.0
        keys = [f"{key} {name}" for key, name in sorted(marking.names.items())]
        self.said = ElidedLabel("   ".join([*keys, tr("{key} note", key=NOTE_KEY)]))
        self.note = _Note()
        self.note.hide()
        self.note.returnPressed.connect(self._keep)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.note)
        row.addWidget(self.said, 1)

    def mark(self, key: str) -> None:
        """Mark what a key stands for now."""
        self._put("mark", self._marking.names[key], self._clock())

    def begin_note(self) -> None:
        """Open the line for a note of this moment."""
        self._begun = self._clock()
        self.note.clear()
        self.note.show()
        self.note.setFocus()

    def say(self, text: str) -> None:
        """What was marked last, here or by another program."""
        self.said.setText(tr("marked {text}     ", text=text[:30]))

    def set_scale(self, scale: float) -> None:
        self.note.setFixedWidth(round(_WIDTH * scale))

    def _keep(self) -> None:
        text = self.note.text().strip()
        self.note.hide()
        if text:
            self._put("note", text, self._begun)

    def _put(self, kind: str, text: str, at: float) -> None:
        try:
            self._marking.mark({kind: text}, at)
        except InputRefused as refusal:  # between two recordings
            self.said.setText(said(str(refusal)))


class _Note(QLineEdit):
    """A line that Esc takes away."""

    def __init__(self) -> None:
        super().__init__()
        self.setPlaceholderText(tr("note, then Enter"))
        self.setAccessibleName(tr("Note"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)
