"""What the keys do, over the middle of a window, while somebody asks."""

from collections.abc import Sequence

from PySide6.QtWidgets import QGridLayout, QWidget

from eav_live.ui.panels.card import Card, label


class KeysCard(Card):
    """A list of keys. keys: what is pressed, and what that does."""

    def __init__(self, keys: Sequence[tuple[str, str]], parent: QWidget) -> None:
        super().__init__("Keys")
        self.setParent(parent)
        self._window = parent
        page = QWidget()
        self._grid = QGridLayout(page)
        for row, (key, text) in enumerate(keys):
            self._grid.addWidget(label(key, "title"), row, 0)
            self._grid.addWidget(label(text, "muted"), row, 1)
        self.set_body(page)
        self.hide()

    def set_scale(self, scale: float) -> None:
        """Fit to the size of the letters."""
        super().set_scale(scale)
        self._grid.setHorizontalSpacing(round(18 * scale))
        self._grid.setVerticalSpacing(round(4 * scale))
        self.place()

    def place(self) -> None:
        """Lie in the middle of the window, above all else."""
        self.adjustSize()
        around = self._window.rect()
        self.move(around.center() - self.rect().center())
        self.raise_()
