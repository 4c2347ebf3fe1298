"""Rows that go on in the next line, and texts that do, where letters are large."""

from collections.abc import Iterator

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetrics,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import (
    QLabel,
    QLayout,
    QLayoutItem,
    QPushButton,
    QSizePolicy,
    QSpacerItem,
    QWidget,
)


class ElidedLabel(QLabel):
    """One line that ends in an ellipsis where room is short; whole in its tooltip.

    With `setWordWrap` it is shown whole, in as many lines as that takes.
    """

    def __init__(self, text: str = "", role: str = "muted") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setMinimumWidth(20)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Show the text, and repeat it in the tooltip."""
        super().setText(text)
        self.setToolTip(text)

    @property
    def width_of_all(self) -> int:
        """Pixels that the whole text takes in one line."""
        return self.fontMetrics().horizontalAdvance(self.text()) + 2

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much of the text as there is room for."""
        if self.wordWrap():
            super().paintEvent(event)
            return
        painter = QPainter(self)
        shown = self.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, self.width()
        )
        painter.setPen(self.palette().windowText().color())
        painter.drawText(
            self.rect(), self.alignment() | Qt.AlignmentFlag.AlignVCenter, shown
        )


class LinesButton(QPushButton):
    """A button whose words go on in the next line where room is short."""

    _whole = ""

    def __init__(self) -> None:
        super().__init__()
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def setText(self, text: str) -> None:
        """Show the text."""
        if text != self._whole:
            self._whole = text
            super().setText(text)
            self._wrap()

    def sizeHint(self) -> QSize:
        """Of the whole text in one line."""
        hint, letters = super().sizeHint(), self.fontMetrics()
        lines = self.text().split("\n")
        cut = max(map(letters.horizontalAdvance, lines))
        more = letters.horizontalAdvance(self._whole) - cut
        return hint + QSize(more, (1 - len(lines)) * letters.lineSpacing())

    def minimumSizeHint(self) -> QSize:
        """In as many lines as are wanted."""
        return QSize(0, self.sizeHint().height())

    def heightForWidth(self, width: int) -> int:
        """Of as many lines as it takes."""
        n_lines = self._wrapped(width).count("\n")
        return self.sizeHint().height() + n_lines * self.fontMetrics().lineSpacing()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break the text anew."""
        super().resizeEvent(event)
        self._wrap()

    def _wrap(self) -> None:
        super().setText(self._wrapped(self.width()))

    def _wrapped(self, width: int) -> str:
        letters = self.fontMetrics()
        around = self.sizeHint().width() - letters.horizontalAdvance(self._whole)
        return wrapped(self._whole, self.font(), width - around)


def wrapped(text: str, font: QFont, width: float) -> str:
    """The text with line breaks, so that no line is wider than so many pixels."""
    if QFontMetrics(font).horizontalAdvance(text) <= width:
        return text
    layout, option = QTextLayout(text, font), QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.beginLayout()
    lines = []
    while (line := layout.createLine()).isValid():
        line.setLineWidth(max(width, 1.0))
        begin = line.textStart()
        lines.append(text[begin : begin + line.textLength()].rstrip())
    layout.endLayout()
    return "\n".join(lines)


class Flow(QLayout):
    """A row that goes on in the next line where there is no room for the next part.

    What is left of a line goes to its parts by their shares. A part that has a share
    needs only its least width, unless it is to be shown whole.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(*([] if parent is None else [parent]))
        self._parts: list[tuple[QLayoutItem, int]] = []
        self._share = 0  # of what is being added

    def addWidget(self, part: QWidget, share: int = 0) -> None:
        """Put a part at the end."""
        self._share = share
        super().addWidget(part)
        self._share = 0

    def addStretch(self, share: int) -> None:
        """Leave room between parts."""
        policy = QSizePolicy.Policy
        self._parts.append((QSpacerItem(0, 0, policy.Expanding), share))

    def insertWidget(self, place: int, part: QWidget, share: int = 0) -> None:
        """Put a part before the one at `place`."""
        self.addWidget(part, share)
        self._parts.insert(place, self._parts.pop())

    # What Qt asks

    def addItem(self, item: QLayoutItem) -> None:
        self._parts.append((item, self._share))

    def count(self) -> int:
        return len(self._parts)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._parts[index][0] if 0 <= index < len(self._parts) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._parts.pop(index)[0] if 0 <= index < len(self._parts) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation.Horizontal

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        margins = self.contentsMargins()
        heights = [tall for tall, _ in self._lines(width)]
        between = self.spacing() * max(len(heights) - 1, 0)
        return sum(heights) + between + margins.top() + margins.bottom()

    def minimumSize(self) -> QSize:
        margins, wide = self.contentsMargins(), 0
        for item, _ in self._shown():
            wide = max(wide, item.minimumSize().width())
        least = min((i.minimumSize().height() for i, _ in self._shown()), default=0)
        return QSize(wide + margins.left() + margins.right(), least)

    def sizeHint(self) -> QSize:
        wide, tall = 0, 0
        for item, share in self._shown():
            wide += self._needs(item, share) + self._gap(item)
            tall = max(tall, item.sizeHint().height())
        return QSize(wide, tall)

    def setGeometry(self, area: QRect) -> None:
        super().setGeometry(area)
        top = area.top()
        for tall, line in self._lines(area.width()):
            left = area.left()
            for item, wide, high in line:
                item.setGeometry(QRect(left, top + (tall - high) // 2, wide, high))
                left += wide + self._gap(item)
            top += tall + self.spacing()

    # How

    def _shown(self) -> Iterator[tuple[QLayoutItem, int]]:
        for item, share in self._parts:
            if item.spacerItem() is not None or not item.isEmpty():
                yield item, share

    def _gap(self, item: QLayoutItem) -> int:
        """Room after a part."""
        return 0 if item.spacerItem() is not None else self.spacing()

    def _needs(self, item: QLayoutItem, share: int) -> int:
        words = item.widget()
        if isinstance(words, ElidedLabel) and words.wordWrap():
            return words.width_of_all
        return (item.minimumSize() if share else item.sizeHint()).width()

    def _lines(
        self, width: int
    ) -> Iterator[tuple[int, list[tuple[QLayoutItem, int, int]]]]:
        """The height of each line, and its parts with the width and height of each."""
        line: list[tuple[QLayoutItem, int, int]] = []
        used = 0  # with the gap after the last part
        for item, share in self._shown():
            needed = min(self._needs(item, share), width)
            if line and used + needed > width:
                yield _filled(line, width - used + self._gap(line[-1][0]))
                line, used = [], 0
            used += needed + self._gap(item)
            line.append((item, share, needed))
        if line:
            yield _filled(line, width - used + self._gap(line[-1][0]))


def _filled(
    line: list[tuple[QLayoutItem, int, int]], left: int
) -> tuple[int, list[tuple[QLayoutItem, int, int]]]:
    """A line of item, share and width as its height and item, width and height."""
    shares = max(sum(share for _, share, _ in line), 1)
    parts = []
    for item, share, needed in line:
        wide = needed + left * share // shares
        tall = item.sizeHint().height()
        if item.hasHeightForWidth():
            tall = item.heightForWidth(wide)
        parts.append((item, wide, tall))
    return max(tall for _, _, tall in parts), parts
