"""Under a recording: buttons that do what their keys do, and the line for a note."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from eav_live.ui.panels.card import ElidedLabel, label
from eav_live.ui.words import later, tr

_JUMPS = {later("differs"): "D", later("loss"): "L", later("mark"): "M"}


class TransportBar(QWidget):
    """Play, speed, jumps, notes. press: called with the key of a button."""

    def __init__(self, press: Callable[[str], object]) -> None:
        super().__init__()
        self._press = press
        self.play = self._button(tr("Play"), "Space")
        self.clock, self.speed = label("", "title"), label("1\u00d7", "title")
        self.said = ElidedLabel()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        parts = [self.play, self.clock]
        parts += [self._button("\u2212", "[", tr("slower")), self.speed]
        parts.append(self._button("+", "]", tr("faster")))
        for name, key in _JUMPS.items():
            parts.append(
                self._button(
                    "\u2039", f"Shift+{key}", tr("previous {what}", what=tr(name))
                )
            )
            parts.append(label(tr(name), "muted"))
            parts.append(self._button("\u203a", key, tr("next {what}", what=tr(name))))
        for part in parts:
            self._row.addWidget(part)
        self._row.addWidget(self.said, 1)
        for text, key in (
            (tr("Note"), "A"),
            (tr("Save"), "X"),
            (tr("Recognize anew"), "R"),
            ("?", "?"),
        ):
            self._row.addWidget(self._button(text, key))

    def show_moment(self, clock: str, playing: bool, speed: float) -> None:
        """Say where the recording is, and how it goes on."""
        self.clock.setText(clock)
        self.play.setText(tr("Pause") if playing else tr("Play"))
        self.speed.setText(f"{speed:g}\u00d7")

    def set_scale(self, scale: float) -> None:
        self._row.setSpacing(round(7 * scale))

    def _button(self, text: str, key: str, about: str = "") -> QPushButton:
        button = QPushButton(text)
        if len(text) > 1:
            button.setProperty("role", "words")
        button.clicked.connect(lambda: self._press(key))
        button.setToolTip(tr("Key {key}", key=key))
        button.setAccessibleName(about or text)
        return button


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
            tr("What is to be noted; Enter keeps it, Esc does not")
        )
        self.text.setAccessibleName(tr("Note"))
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
