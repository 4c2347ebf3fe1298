"""A file is chosen in a panel of the window, so that nothing else has to wait."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from eav_live.ui.panels.card import Card
from eav_live.ui.words import tr

_SHARE = 0.86  # of the window


class FileCard(Card):
    """Over the middle of a window, until a file is chosen or Esc is pressed.

    asking: whether it is there, and has all keys.
    """

    asking = Signal(bool)

    def __init__(self, parent: QWidget) -> None:
        super().__init__("")
        self.setParent(parent)
        self._window = parent
        self._take: Callable[[Path], object] = lambda path: None
        self.dialog: QFileDialog | None = None
        self._before: QWidget | None = None
        self.hide()

    def ask(self, title: str, kind: str, take: Callable[[Path], object]) -> None:
        """Let a file be chosen, which `take` is given. kind: as "Models (*.x)"."""
        self._before = self._window.focusWidget()
        self._take = take
        if self.dialog is None:
            self.dialog = self._make()
        self.set_title(title)
        self.dialog.setNameFilters([kind, tr("All files (*)")])
        self._place()
        self.show()
        self.raise_()
        self.dialog.show()
        self.asking.emit(True)
        self.dialog.setFocus()

    def leave(self) -> None:
        """Go."""
        if self.isHidden():
            return
        self.hide()
        self.asking.emit(False)
        if self._before is not None:
            self._before.setFocus()

    def set_scale(self, scale: float) -> None:
        """Fit to the size of the letters."""
        super().set_scale(scale)
        self._place()

    def _make(self) -> QFileDialog:
        dialog = QFileDialog(self)
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        dialog.setWindowFlags(Qt.WindowType.Widget)  # a part of the window
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        for part, text in (
            (QFileDialog.DialogLabel.LookIn, tr("&Look in:")),
            (QFileDialog.DialogLabel.FileType, tr("Files of &type:")),
        ):
            dialog.setLabelText(part, text)  # which Qt has in English only
        dialog.fileSelected.connect(self._chosen)
        dialog.rejected.connect(self.leave)
        self.set_body(dialog)
        return dialog

    def _chosen(self, path: str) -> None:
        self.leave()
        self._take(Path(path))

    def _place(self) -> None:
        around = self._window.rect()
        self.resize(round(around.width() * _SHARE), round(around.height() * _SHARE))
        self.move(around.center() - self.rect().center())
