"""The buttons that run a session: pause, record, mark, stop, the keys."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from eav_live.ui.panels.card import ElidedLabel, fill, label
from eav_live.ui.words import tr


class MarkButton(QPushButton):
    """A name that yields to its key, where there is no room for both."""

    _whole = ""

    def setText(self, text: str) -> None:
        """Show the text, NAME (KEY), as far as there is room."""
        self._whole = text
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as much as there is room for."""
        super().resizeEvent(event)
        self._elide()

    def sizeHint(self) -> QSize:
        """Of the whole text."""
        cut = self.fontMetrics().horizontalAdvance(self.text())
        whole = self.fontMetrics().horizontalAdvance(self._whole)
        return super().sizeHint() + QSize(whole - cut, 0)

    def _elide(self) -> None:
        name, _, key = self._whole.rpartition(" ")
        metrics = self.fontMetrics()
        around = super().sizeHint().width() - metrics.horizontalAdvance(self.text())
        room = self.width() - around - metrics.horizontalAdvance(f" {key}")
        shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
        super().setText(f"{shown} {key}")


class SessionBar(QWidget):
    """One line, or two where letters are too large for one.

    press: is given the key of the button that was clicked. marks: names by key.
    """

    def __init__(
        self, press: Callable[[str], object], marks: Mapping[str, str]
    ) -> None:
        super().__init__()
        self._press = press
        self.pause = self._button(tr("Pause"), "P")
        self.record = self._button(tr("Record"), "R")
        self.note = self._button(tr("Note"), "M")
        self.marks = {
            key: self._button(marks[key], key, MarkButton()) for key in sorted(marks)
        }
        self.stop = self._button(tr("Stop"), "Ctrl+Q")
        self.help = self._button(tr("Keys"), "?")
        self.said = ElidedLabel("")
        self.clock = label("")
        self._lay_out()
        self.show_state(False, False)

    def show_state(self, paused: bool, recording: bool, busy: bool = False) -> None:
        """What the buttons do now. busy: a recording begins or ends."""
        self._name(self.pause, tr("Go on") if paused else tr("Pause"), "P")
        self._name(self.record, tr("End recording") if recording else tr("Record"), "R")
        self.record.setEnabled(not busy)
        for button in (self.note, *self.marks.values()):
            button.setVisible(recording)
        self._fit()

    def say(self, text: str) -> None:
        """What has happened."""
        self.said.setText(text)

    def show_clock(self, seconds: float | None, free_gb: float | None) -> None:
        """How long the session has had streams, and what the disk has left."""
        parts = []
        if seconds is not None:
            minutes, rest = divmod(int(seconds), 60)
            hours, minutes = divmod(minutes, 60)
            parts.append(f"{hours}:{minutes:02d}:{rest:02d}")
        if free_gb is not None:
            parts.append(tr("{room:.0f} GB free", room=free_gb))
        self.clock.setText("   ".join(parts))

    def set_scale(self, scale: float) -> None:
        for row in (self._lines, self._acts, self._rest):
            row.setSpacing(round(7 * scale))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take one line or two."""
        super().resizeEvent(event)
        self._fit()

    def _lay_out(self) -> None:
        self._acts, self._rest = QHBoxLayout(), QHBoxLayout()
        fill(self._acts, self.pause, self.record, self.note)
        for mark in self.marks.values():  # however many and long, they share the line
            mark.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            self._acts.addWidget(mark, 1)
        self._acts.addStretch(0)  # without marks
        fill(self._rest, (self.said, 1), self.clock, self.stop, self.help)
        lines = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._lines = fill(lines, self._acts, self._rest, margins=False)

    def _fit(self) -> None:
        acts = self._width(self.pause, self.record, self.note, *self.marks.values())
        rest = self._width(self.clock, self.stop, self.help)
        self._lines.setStretch(0, 0 if self.note.isHidden() else acts)
        self._lines.setStretch(1, rest)
        way = QBoxLayout.Direction
        wide = acts + rest <= self.width()
        self._lines.setDirection(way.LeftToRight if wide else way.TopToBottom)

    def _width(self, *parts: QWidget) -> int:
        """Of those that are shown, pixels."""
        gap = self._lines.spacing()
        return sum(p.sizeHint().width() + gap for p in parts if not p.isHidden())

    def _button(
        self, text: str, key: str, button: QPushButton | None = None
    ) -> QPushButton:
        button = QPushButton() if button is None else button
        button.setProperty("role", "words")
        button.setToolTip(tr("{text}: key {key}", text=text, key=key))
        button.clicked.connect(lambda: self._press(key))
        self._name(button, text, key)
        return button

    def _name(self, button: QPushButton, text: str, key: str) -> None:
        button.setText(f"{text} ({key})")
        button.setAccessibleName(text)
