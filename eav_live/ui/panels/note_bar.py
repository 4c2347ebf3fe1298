"""The line in which a note on a recording is written, while there is one to write."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from eav_live.ui.panels.card import label


class NoteBar(QWidget):
    """Asks for a text. said: it was given, with the object that was asked about.

    left: the bar has gone, with or without a text.
    """

    said = Signal(str, object)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._about: object = None
        self._title = label("", "title")
        self.text = QLineEdit()
        self.text.setPlaceholderText(
            "What is to be noted; Enter keeps it, Esc does not"
        )
        self.text.setAccessibleName("Note")
        self.text.returnPressed.connect(self._keep)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._title)
        row.addWidget(self.text, 1)
        self.hide()

    def ask(self, title: str, text: str, about: object = None) -> None:
        """Come up with a text to be written or changed."""
        self._about = about
        self._title.setText(title)
        self.text.setText(text)
        self.text.selectAll()
        self.show()
        self.text.setFocus()

    def leave(self) -> None:
        """Go without a word."""
        if not self.isHidden():
            self.hide()
            self.left.emit()

    def _keep(self) -> None:
        text = self.text.text().strip()
        if text:
            self.said.emit(text, self._about)
        self.leave()
