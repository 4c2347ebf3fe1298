"""What is wrong with a page as it is shown: clipped, overlapping or empty parts."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPicture
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QComboBox,
    QDialog,
    QFileDialog,
    QLabel,
    QListWidget,
    QPushButton,
    QScrollArea,
    QWidget,
)

from eav_live.ui.panels.card import Canvas, Card, OverCard
from eav_live.ui.panels.flow import ElidedLabel

_SLACK = 1  # pixels, by which fractions of letters are rounded
_BETWEEN = 1  # pixels, at least, between the names at an axis
_FLAT = 40  # levels of gray between the darkest and the lightest spot of a panel


def faults(window: QWidget, large: bool | None = None) -> list[str]:
    """Everything that is wrong, in words. What is scrolled is looked at as a whole.

    large: whether letters are, so that nothing may end in an ellipsis; by default as
    the window says. Windows of its own that are seen are looked at too.
    """
    if large is None:
        large = getattr(window, "letters", 1.0) > 1.0
    image = gray(window.grab().toImage())
    found = []
    for part in shown(window):
        found += [f"{told(part)}: {why}" for why in _faults_of(part, window, image)]
        if isinstance(part, QLabel | QAbstractButton):
            found += [f"{told(part)}: {why}" for why in _clipped(part, large)]
        if isinstance(part, QListWidget | QComboBox):
            found += [f"{told(part)}: {why}" for why in _cut(part, large)]
        if isinstance(part, pg.PlotWidget):
            found += [f"{told(part)}: {why}" for why in _crowded(part)]
        if isinstance(part, QScrollArea):
            least = min(4 * part.fontMetrics().height(), part.widget().height())
            if part.height() < least:
                found.append(f"{told(part)}: {part.height()} pixels are left of it")
            found += faults(part.widget(), large)
    for dialog in window.findChildren(QDialog):
        if dialog.isVisible() and dialog.isWindow():
            found += faults(dialog, large)
    return found


def gray(image: QImage) -> np.ndarray:
    """(height, width) uint8: what is green of it, as a conversion takes long."""
    assert image.depth() == 32
    rows = np.frombuffer(image.constBits(), np.uint8)
    return rows.reshape(image.height(), image.width(), 4)[..., 1].copy()


def shown(part: QWidget) -> Iterator[QWidget]:
    """It and all parts of it that are seen, without what Qt's own parts are made of."""
    yield part
    if isinstance(part, QAbstractScrollArea | QComboBox | QFileDialog):
        return
    for child in children(part):
        yield from shown(child)


def children(part: QWidget) -> list[QWidget]:
    """Those that are seen, but for windows of their own."""
    found = [c for c in part.children() if isinstance(c, QWidget)]
    return [c for c in found if c.isVisible() and not c.isWindow()]


def told(part: QWidget) -> str:
    """Which it is, for people."""
    text = getattr(part, "text", "")
    name = part.accessibleName() or (text() if callable(text) else text)
    return f"{type(part).__name__} {str(name)[:40]!r}"


def _faults_of(part: QWidget, window: QWidget, image: np.ndarray) -> Iterator[str]:
    beside = [c for c in children(part) if c.property("role") != "overlay"]
    beside = [c for c in beside if not isinstance(c, OverCard)]
    if not isinstance(part, QAbstractScrollArea):
        for one, other in combinations(beside, 2):
            if one.geometry().intersects(other.geometry()):
                yield f"{told(one)} lies over {told(other)}"
        for child in beside:
            if not part.rect().contains(child.geometry()):
                yield f"{told(child)} at {child.geometry()} leaves {part.rect()}"
    if isinstance(part, Card | Canvas) or part is window:
        spot = QRect(part.mapTo(window, QPoint()), part.size())
        area = image[spot.top() : spot.bottom() + 1, spot.left() : spot.right() + 1]
        if isinstance(part, Card):  # below its title
            area = area[3 * part.fontMetrics().height() :]
        if _is_flat(area[8:-8:3, 8:-8:3]):
            yield f"nothing is seen in {spot}"


def _crowded(plot: pg.PlotWidget) -> Iterator[str]:
    """Names at the upright axis that lie over each other."""
    axis, picture = plot.getAxis("left"), QPicture()
    painter = QPainter(picture)
    _, _, names = axis.generateDrawSpecs(painter) or (None, None, ())
    painter.end()
    needed = QFontMetrics(axis.style["tickFont"] or axis.font()).capHeight() + _BETWEEN
    for (one, _, first), (other, _, second) in combinations(names, 2):
        room = abs(one.center().y() - other.center().y())
        if room < needed:
            yield f"{first} and {second} are {room:.1f} apart, not {needed}"


def _clipped(part: QLabel | QAbstractButton, large: bool) -> Iterator[str]:
    text, letters = part.text(), part.fontMetrics()
    if not text:
        return
    if part.height() + _SLACK < letters.height():
        yield f"{part.height()} pixels high, letters are {letters.height()}"
    if isinstance(part, QLabel) and part.wordWrap():
        needed = part.heightForWidth(part.width())
        if part.property("role") != "overlay" and part.height() + _SLACK < needed:
            yield f"{part.height()} pixels high, {needed} are needed"
        room, around = part.contentsRect(), 2 * part.margin()
        flags = int(Qt.TextFlag.TextWordWrap)
        wide = letters.boundingRect(room, flags, text).width() + around
        if room.width() + _SLACK < wide:
            yield f"a word is {wide} pixels wide, and there are {room.width()}"
    elif isinstance(part, ElidedLabel):
        if large and part.width() + _SLACK < letters.horizontalAdvance(text):
            yield "it ends in an ellipsis"
    else:
        lines = text.splitlines()
        needed = max(letters.horizontalAdvance(line) for line in lines)
        if isinstance(part, QPushButton) and part.width() + _SLACK < needed + 8:
            yield f"{part.width()} pixels wide, {needed} and its edges are needed"
        if part.width() + _SLACK < needed:
            yield f"{part.width()} pixels wide, {needed} are needed"
        if part.height() + _SLACK < len(lines) * letters.height():
            yield f"{part.height()} pixels high, and has {len(lines)} lines"


def _cut(part: QListWidget | QComboBox, large: bool) -> Iterator[str]:
    """Of what is chosen from: a word of a list, or what is chosen, that is cut off."""
    letters = part.fontMetrics()
    if isinstance(part, QComboBox):
        texts, room = [part.currentText()], part.width() - letters.height()
    else:
        texts = [part.item(row).text() for row in range(part.count())]
        room = part.viewport().width() - letters.height() // 2
    words = [word for text in texts for word in text.split()]
    if isinstance(part, QComboBox):
        words = texts
    for word in words:
        if large and room + _SLACK < letters.horizontalAdvance(word):
            yield f"{word!r} is cut off"


def _is_flat(area: np.ndarray) -> bool:
    return area.size == 0 or int(area.max()) - int(area.min()) < _FLAT
