"""A file is chosen in a panel of the window, so that nothing else has to wait."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from eav_live.ui.panels.card import OverCard
from eav_live.ui.words import tr

_SHARE = 0.86  # of the window


class FileCard(OverCard):
    """Asks for a file, until one is chosen or Esc is pressed."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("", parent)
        self._take: Callable[[Path], object] = lambda path: None
        self.dialog: QFileDialog | None = None

    def ask(self, title: str, kind: str, take: Callable[[Path], object]) -> None:
        """Let a file be chosen, which `take` is given. kind: as "Models (*.x)"."""
        self._take = take
        if self.dialog is None:
            self.dialog = self._make()
        self.set_title(title)
        self.dialog.setNameFilters([kind, tr("All files (*)")])
        self.come()
        self.dialog.show()
        self.dialog.setFocus()

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

    def _fit(self) -> None:
        around = self._window.rect()
        self.resize(round(around.width() * _SHARE), round(around.height() * _SHARE))
