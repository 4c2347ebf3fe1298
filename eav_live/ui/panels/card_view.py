"""The line that says which model this is, and the model's card behind it."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QDialog, QLabel, QScrollArea, QVBoxLayout, QWidget

from eav_live.ui.panels.card import fill, label
from eav_live.ui.words import known, language, later, tr
from eav_offline.checkpoint.card import NO_CARD, Card

CARD_KEY = "I"
_HINT = later("Click or press {key} for what this model is worth and where it fails")
_AUTHORS = later(
    "What a model's authors wrote themselves is shown in their own words, untranslated."
)
_SIZE = (640, 620)  # pixels at scale 1


class ModelBanner(QLabel):
    """What the model is; a click opens the card. demo: it is a warning."""

    def __init__(self, text: str, demo: bool, on_click: Callable[[], None]) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", "banner" if demo else "model")
        self.setWordWrap(True)
        self._on_click = on_click
        more = tr("press {key} for its card", key=CARD_KEY)
        self.setText(f"{text}   \u00b7   {more}")
        self.setToolTip(f"{text}\n{tr(_HINT, key=CARD_KEY)}")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(self.text())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Open the card, or close it."""
        self._on_click()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do so by Enter or Space where it has the focus, as a button does."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._on_click()
        else:
            super().keyPressEvent(event)


class CardView(QDialog):
    """The card in a window of its own, beside which everything goes on.

    card: None says that there is none.
    """

    def __init__(self, model_name: str, card: Card | None, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"EAV-Live: {model_name}")
        self.setModal(False)
        page = QWidget()
        page.setProperty("role", "page")
        self._page = QVBoxLayout(page)
        sections = [(tr("Card"), [NO_CARD])] if card is None else list(card.sections())
        if language() != "en" and card is not None:
            whose = label(tr(_AUTHORS))
            whose.setWordWrap(True)
            self._page.addWidget(whose)
        for title, lines in sections:
            heading = label(tr(title), "section")
            heading.setIndent(0)
            self._page.addWidget(heading)
            for line in lines:
                text = label(known(line), "text")
                text.setWordWrap(True)
                text.setTextInteractionFlags(
                    Qt.TextInteractionFlag.TextSelectableByMouse
                )
                self._page.addWidget(text)
        self._page.addStretch(1)
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        fill(QVBoxLayout(self), area, margins=False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The key that opened it closes it, as Esc does."""
        if event.text().upper() == CARD_KEY:
            self.hide()
        else:
            super().keyPressEvent(event)

    def set_scale(self, scale: float) -> None:
        margin = round(16 * scale)
        self._page.setContentsMargins(margin, margin, margin, margin)
        self._page.setSpacing(round(6 * scale))
        most = self.screen().availableSize()  # of a larger one the edge is not seen
        self.resize((QSize(*_SIZE) * scale).boundedTo(most))

    def toggle(self) -> None:
        """Show it, or take it away."""
        self.setVisible(not self.isVisible())
