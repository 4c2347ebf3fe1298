"""Large buttons, each with its key, what it does and what is to be known of it."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QWidget

from eav_live.ui.panels.card import ElidedLabel, label


class ActionButton(QPushButton):
    """key: as shown, such as "D". more: a line of explanation."""

    def __init__(
        self, key: str, title: str, more: str, action: Callable[[], object]
    ) -> None:
        super().__init__()
        self.setProperty("role", "action")
        self.setAccessibleName(f"{title}. {more}. Key {key}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.clicked.connect(action)
        self._key = label(key, "key")
        self._key.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.title = ElidedLabel(title, "title")
        self.more = ElidedLabel(more)
        self._grid = QGridLayout(self)
        self._grid.addWidget(self._key, 0, 0, 2, 1)
        self._grid.addWidget(self.title, 0, 1)
        self._grid.addWidget(self.more, 1, 1)
        self._grid.setColumnStretch(1, 1)
        for part in (self._key, self.title, self.more):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set_scale(self, scale: float) -> None:
        """Fit to the size of the letters."""
        side, gap = round(14 * scale), round(8 * scale)
        self._grid.setContentsMargins(side, gap, side, gap)
        self._grid.setHorizontalSpacing(side)
        self._grid.setVerticalSpacing(round(2 * scale))
        self._key.setFixedWidth(round(52 * scale))
        self.setFixedHeight(round(62 * scale))


def press_focused(window: QWidget, otherwise: QPushButton) -> None:
    """Press the button that has the keyboard; `otherwise` if none has."""
    focused = window.focusWidget()
    (focused if isinstance(focused, QPushButton) else otherwise).click()
