"""Panels with a title and a message, what fills them, and rows of them that scroll."""

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from eav_live.ui import theme
from eav_live.ui.panels.flow import ElidedLabel, Flow

_MESSAGE_LETTERS = (15, 14, 13, 12, 11, 10)  # pixels at scale 1
_MOST = 0.85  # of a window, for a page over it
ALL = 1 << 24  # pixels: however high it is
_TURN = 0.8  # of what is seen of a reading area, by one key
Layout = TypeVar("Layout", bound=QBoxLayout | Flow)
Part = QWidget | QLayout | int | tuple[QWidget | QBoxLayout, int]


def label(text: str = "", role: str = "muted") -> QLabel:
    """A label in one of the style sheet's roles; its text is never read as HTML."""
    result = QLabel(text)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setProperty("role", role)
    return result


def button(text: str, action: Callable[[], object], role: str = "words") -> QPushButton:
    """A button in one of the style sheet's roles, and what it does."""
    result = QPushButton(text)
    result.setProperty("role", role)
    result.clicked.connect(lambda: action())
    return result


def fill(layout: Layout, *parts: Part, margins: bool = True) -> Layout:
    """Put parts into a row or column, and return it: each alone or with its share of
    the room; a number is a stretch. margins: False for none.
    """
    if not margins:
        layout.setContentsMargins(0, 0, 0, 0)
    for part in parts:
        one, share = part if isinstance(part, tuple) else (part, 0)
        if isinstance(one, int):
            layout.addStretch(one)
        elif isinstance(one, QWidget):
            layout.addWidget(one, share)
        elif isinstance(layout, QBoxLayout):
            layout.addLayout(one, share)
    return layout


class Canvas(QWidget):
    """A body that paints itself, in letters of the window's size."""

    def __init__(self) -> None:
        super().__init__()
        self._scale = 1.0

    def set_scale(self, scale: float) -> None:
        """Fit to the size of the letters, as every part of a page can."""
        self._scale = scale
        self.update()

    def restyle(self) -> None:
        """Take the colors of another theme, as every part of a page can."""
        self.update()


class Card(QFrame):
    """A panel: title row (`header`), warning in it, body, a message over the body."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._title = label(title, "title")
        self._note = ElidedLabel("", "warning")
        self._note.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.header = fill(Flow(), self._title, (self._note, 1))
        self._layout = fill(QVBoxLayout(self), self.header)
        self._body: QWidget | None = None
        self._canvas: Canvas | None = None
        self._below: list[Canvas] = []
        self._scale = 1.0
        self._message = label("", "overlay")
        self._message.setParent(self)
        self._message.setWordWrap(True)
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.hide()

    def hasHeightForWidth(self) -> bool:
        """Panels take shares of the window, whatever their titles would like."""
        return False

    def set_body(self, body: QWidget) -> None:
        """Fill the panel; a canvas follows its scale."""
        self._body = body
        self._canvas = body if isinstance(body, Canvas) else None
        self._layout.addWidget(body, 1)
        body.installEventFilter(self)

    def add_below(self, part: Canvas) -> None:
        """Put something small below the body, which follows the panel's scale."""
        self._below.append(part)
        self._layout.addWidget(part)

    def set_scale(self, scale: float) -> None:
        """Fit margins to the size of the letters."""
        self._scale = scale
        inner = round(10 * scale)
        self._layout.setContentsMargins(inner, round(7 * scale), inner, inner)
        self._layout.setSpacing(round(6 * scale))
        self.header.setSpacing(round(10 * scale))
        for part in (self._canvas, *self._below):
            if part is not None:
                part.set_scale(scale)
        self._place_message()

    def restyle(self) -> None:
        self.update()

    @property
    def title(self) -> str:
        """What the panel is called."""
        return self._title.text()

    def set_title(self, text: str) -> None:
        """Call the panel otherwise."""
        self._title.setText(text)

    @property
    def note(self) -> str:
        """The warning in the title row; empty while there is none."""
        return self._note.text()

    def set_note(self, text: str) -> None:
        """Put a warning into the title row, or take it away with an empty text."""
        if text != self.note:
            self._note.setText(text)

    @property
    def message(self) -> str:
        """What lies over the body; empty if nothing does."""
        return self._message.text() if not self._message.isHidden() else ""

    def set_message(self, text: str) -> None:
        """Lay a message over the body, or take it away with an empty text."""
        if text == self.message:
            return
        self._message.setText(text)
        self._message.setToolTip(text)
        self._message.setVisible(bool(text))
        self._place_message()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the message in the middle of the body."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self._place_message()
        return False

    def _place_message(self) -> None:
        if self._body is None or self._message.isHidden():
            return
        area = self._body.geometry()
        lines = self._message.text().splitlines()
        for letters in _MESSAGE_LETTERS:  # the largest in which all of it is seen
            pixels = round(letters * self._scale)
            self._message.setStyleSheet(f"font-size: {pixels}px;")
            metrics = QFontMetrics(theme.font(pixels))
            longest = max(metrics.horizontalAdvance(line) for line in lines)
            width = min(round(area.width() * 0.96), longest + 4 * pixels)
            height = self._message.heightForWidth(width)
            if height <= area.height():
                break
        height = min(height, area.height())
        self._message.setGeometry(
            area.center().x() - width // 2,
            area.center().y() - height // 2,
            width,
            height,
        )
        self._message.raise_()


class OverCard(Card):
    """A panel over the middle of a window, until it is answered. Nothing waits for it.

    asking: whether it is there, and has all keys. area: of what has been given to
    `set_page`, which scrolls where letters are too large for all of it.
    """

    asking = Signal(bool)
    area: "ReadingArea"

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(title)
        self.setParent(parent)
        self._window = parent
        self._before: QWidget | None = None  # what had the keyboard
        self.hide()

    def come(self) -> None:
        """Come up."""
        self._before = self._window.focusWidget()
        self.show()
        self.place()
        self.asking.emit(True)

    def leave(self) -> None:
        """Go."""
        if not self.isHidden():
            self.hide()
            self.asking.emit(False)
            (self._before or self._window).setFocus()

    def set_scale(self, scale: float) -> None:
        super().set_scale(scale)
        self.place()

    def place(self) -> None:
        """Lie in the middle of the window, above all else."""
        if not self.isHidden():
            self._fit()
            self.move(self._window.rect().center() - self.rect().center())
            self.raise_()

    def set_page(self, page: QWidget) -> None:
        """Fill the panel with what is as high as it needs to be, or scrolls."""
        self.area = ReadingArea()
        self.area.rows.addWidget(page)
        self.set_body(self.area)

    def _wanted(self) -> int:
        """How wide a page is at best, pixels."""
        raise NotImplementedError

    def _fit(self) -> None:
        around, rows = self._window.rect(), self.area.rows
        bar = self.area.verticalScrollBar().sizeHint().width()
        wide = min(self._wanted() + bar, round(_MOST * around.width()))
        high = rows.sizeHint().height()
        if rows.hasHeightForWidth():  # words that are wrapped
            high = rows.totalHeightForWidth(wide - bar)
        self.area.setFixedSize(wide, min(high, round(_MOST * around.height())))
        self.adjustSize()


class ReadingArea(QScrollArea):
    """Rows of panels as high as the area, or higher. rows: where they are put.

    They are read by scrolling where large letters leave them too little room.
    """

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


class BarArea(ReadingArea):
    """As high as its rows, up to `most` pixels. From there on it scrolls."""

    def __init__(self) -> None:
        super().__init__()
        self.most = ALL
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def heightForWidth(self, width: int) -> int:
        """Of its rows, as far as there is room."""
        return min(self.rows.totalHeightForWidth(width), self.most)

    def sizeHint(self) -> QSize:
        return QSize(0, self.heightForWidth(self.width()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take another height when the rows do."""
        if event.type() is QEvent.Type.LayoutRequest:
            self.updateGeometry()
            self._look()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._look()

    def _look(self) -> None:
        """Have a scroll bar where it is needed: one that is there makes rows higher."""
        policy = Qt.ScrollBarPolicy
        fits = self.rows.totalHeightForWidth(self.width()) <= self.height()
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAlwaysOff if fits else policy.ScrollBarAsNeeded
        )
