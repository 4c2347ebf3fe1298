"""Bars under a recording: its buttons, and by which model it is recognized anew."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QWidget,
)

from eav_live.ui.panels.card import button, fill, label
from eav_live.ui.panels.flow import ElidedLabel, Flow
from eav_live.ui.words import later, said, tr
from eav_offline.common.files import checkpoint_file

_JUMPS = {later("differs"): "D", later("loss"): "L", later("mark"): "M"}
AS_IT_IS = later("backend as it is")


class TransportBar(QWidget):
    """Play, speed, jumps, notes. press: called with the key of a button."""

    def __init__(self, press: Callable[[str], object]) -> None:
        super().__init__()
        self._press = press
        self._jumps: list[QHBoxLayout] = []
        self.play = self._button(tr("Play"), "Space")
        self.clock, self.speed = label("", "title"), label("1\u00d7", "title")
        self.said = ElidedLabel()
        parts: list[QWidget] = [self.play, self.clock]
        parts += [self._button("\u2212", "[", tr("slower")), self.speed]
        parts.append(self._button("+", "]", tr("faster")))
        for name, key in _JUMPS.items():
            back, on = (
                tr("previous {what}", what=tr(name)),
                tr("next {what}", what=tr(name)),
            )
            jump = (
                self._button("\u2039", f"Shift+{key}", back),
                label(tr(name), "muted"),
                self._button("\u203a", key, on),
            )
            parts.append(QWidget())
            self._jumps.append(fill(QHBoxLayout(parts[-1]), *jump, margins=False))
        acts = ((tr("Note"), "A"), (tr("Save"), "X"), (tr("Recognize anew"), "R"))
        rest = [self._button(text, key) for text, key in (*acts, ("?", "?"))]
        self._row = fill(Flow(self), *parts, (self.said, 1), *rest, margins=False)

    def show_moment(self, clock: str, playing: bool, speed: float) -> None:
        """Say where the recording is, and how it goes on."""
        self.clock.setText(clock)
        self.play.setText(tr("Pause") if playing else tr("Play"))
        self.speed.setText(f"{speed:g}\u00d7")

    def set_scale(self, scale: float) -> None:
        for row in (self._row, *self._jumps):
            row.setSpacing(round(7 * scale))

    def _button(self, text: str, key: str, about: str = "") -> QPushButton:
        button = QPushButton(text)
        if len(text) > 1:
            button.setProperty("role", "words")
        button.clicked.connect(lambda: self._press(key))
        button.setToolTip(tr("Key {key}", key=key))
        button.setAccessibleName(about or text)
        return button


class AnewBar(QWidget):
    """Asks for a model. asked: its checkpoint, and a backend, "" for its own.

    left: the bar has gone, and the work is to end.
    """

    asked = Signal(Path, str)
    left = Signal()

    def __init__(self, model: Path) -> None:
        super().__init__()
        self.model = QLineEdit(str(model))
        self.model.setAccessibleName(tr("Model: a run's folder or a checkpoint"))
        self.model.returnPressed.connect(self.ask)
        self.backend = QComboBox()
        self.backend.setAccessibleName(tr("Backend"))
        self.backend.addItem(tr(AS_IT_IS))
        self.go = button(tr("Recognize"), self.ask)
        self.progress = QProgressBar()
        self.progress.hide()
        self.error = ElidedLabel("", "warning")
        title = label(tr("Recognize anew by"), "title")
        parts = (title, (self.model, 3), self.backend, self.go)
        rest = ((self.progress, 2), (self.error, 2))
        fill(Flow(self), *parts, *rest, margins=False)
        self.hide()

    def open(self) -> None:
        """Come up."""
        if self.backend.count() == 1:
            from eav_offline.backends import available_backends  # torch: takes seconds

            self.backend.addItems(available_backends())
        self.error.setText("")
        self.show()
        self.model.setFocus()
        self.model.selectAll()

    def leave(self) -> None:
        """Go."""
        if not self.isHidden():
            self.hide()
            self.left.emit()

    def show_progress(self, done: int, total: int) -> None:
        """Say how many windows are done."""
        self.progress.show()
        self.progress.setMaximum(max(total, 1))
        self.progress.setValue(done)
        self.progress.setFormat(tr("{done} of {all} windows", done=done, all=total))

    def show_end(self, error: str) -> None:
        """Say why nothing came of it, or go."""
        self.progress.hide()
        self.error.setText(said(error))
        if not error:
            self.leave()

    def ask(self) -> None:
        """Ask for the model that is named, as Enter does."""
        path = checkpoint_file(Path(self.model.text().strip()).expanduser())
        if not path.is_file():
            self.error.setText(tr("{path}: there is no such checkpoint", path=path))
            return
        self.error.setText("")
        its_own = self.backend.currentIndex() == 0
        self.asked.emit(path, "" if its_own else self.backend.currentText())
