"""Panels that are read by scrolling where large letters leave them too little room."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

_TURN = 0.8  # of what is seen, by one key


class ReadingArea(QScrollArea):
    """Rows of panels as high as the area, or higher. rows: where they are put."""

    def __init__(self) -> None:
        super().__init__()
        page = QWidget()
        self._page = page
        self.rows = QVBoxLayout(page)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.setWidget(page)
        self.setWidgetResizable(True)
        for ground in (page, self.viewport()):  # the window's shows: one less to paint
            ground.setAutoFillBackground(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its panels have it
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def fit(self, height: float) -> None:
        """Be at least so high, pixels; 0 is no higher than there is room for."""
        self._page.setMinimumHeight(round(height))

    def turn(self, steps: int) -> None:
        """Read on (+1) or back (-1)."""
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + round(steps * _TURN * self.viewport().height()))
