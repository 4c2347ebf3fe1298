"""A file or folder is chosen in a panel of the window: nothing else has to wait."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QFileDialog,
    QFileSystemModel,
    QHeaderView,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from eav_live.ui.panels.card import OverCard, button
from eav_live.ui.words import tr

_SHARE = 0.86  # of the window


class FileCard(OverCard):
    """Asks for a file, until one is chosen or Esc is pressed.

    folder: takes the folder that is shown, or chosen in it.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__("", parent)
        self._take: Callable[[Path], object] = lambda path: None
        self._fits: Callable[[Path], bool] | None = None
        self.dialog: QFileDialog | None = None
        self.folder = button("", self._choose_folder)

    def ask(
        self,
        title: str,
        kind: str,
        take: Callable[[Path], object],
        folder: str = "",
        fits: Callable[[Path], bool] | None = None,
    ) -> None:
        """Let a file be chosen, which `take` is given. kind: as "Models (*.x)".

        fits: whether a folder will do in place of a file; None is never. folder: the
        words of the button that takes one, as Ctrl+Enter does.
        """
        self._fits = fits
        self.folder.setText(folder)
        self.folder.setVisible(fits is not None)
        self._take = take
        if self.dialog is None:
            self.dialog = self._make()
        self.set_title(title)
        self.dialog.setNameFilters([kind, tr("All files (*)")])
        self._look_at_folder()
        self.come()
        self.dialog.show()
        self.dialog.setFocus()

    def _make(self) -> QFileDialog:
        dialog = QFileDialog(self)
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        dialog.setOption(QFileDialog.Option.HideNameFilterDetails)
        dialog.setWindowFlags(Qt.WindowType.Widget)  # a part of the window
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        for part, text in (
            (QFileDialog.DialogLabel.LookIn, tr("&Look in:")),
            (QFileDialog.DialogLabel.FileType, tr("Files of &type:")),
        ):
            dialog.setLabelText(part, text)  # which Qt has in English only
        for table in dialog.findChildren(QTreeView):
            table.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        dialog.fileSelected.connect(self._chosen)
        dialog.rejected.connect(self.leave)
        dialog.currentChanged.connect(self._look_at_folder)
        # However it is gone to: `directoryEntered` leaves typing out.
        files = dialog.findChild(QFileSystemModel)
        assert files is not None
        files.rootPathChanged.connect(self._look_at_folder)
        body = QWidget()
        rows = QVBoxLayout(body)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(dialog, 1)
        rows.addWidget(self.folder, 0, Qt.AlignmentFlag.AlignLeft)
        for key in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self.folder.click)
        self.set_body(body)
        return dialog

    def _the_folder(self) -> Path | None:
        """That which is chosen, or else shown, if it will do."""
        if self.dialog is None or self._fits is None:
            return None
        chosen = [*map(Path, self.dialog.selectedFiles())]
        shown = Path(self.dialog.directory().absolutePath())
        return next((p for p in (*chosen, shown) if self._fits(p)), None)

    def _look_at_folder(self, path: str = "") -> None:
        self.folder.setEnabled(self._the_folder() is not None)

    def _choose_folder(self) -> None:
        folder = self._the_folder()
        if folder is not None:
            self._chosen(str(folder))

    def _chosen(self, path: str) -> None:
        self.leave()
        self._take(Path(path))

    def _fit(self) -> None:
        around = self._window.rect()
        self.resize(round(around.width() * _SHARE), round(around.height() * _SHARE))
