"""Which model and backend is to recognize a recording anew, and how far it is."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QWidget,
)

from eav_live.ui.panels.card import ElidedLabel, button, fill, label
from eav_live.ui.words import later, said, tr
from eav_offline.common.files import checkpoint_file

AS_IT_IS = later("backend as it is")


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
        fill(QHBoxLayout(self), *parts, *rest, margins=False)
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
