"""What both timelines have: stacked probabilities, names, flags, times, the legend."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QHBoxLayout, QWidget

from eav_live.ui import theme
from eav_live.ui.panels.card import label
from eav_live.ui.words import emotion_name
from eav_offline.core.labels import EMOTIONS, N_EMOTIONS

# Seconds between two marks of an axis.
TICK_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)


@dataclass(frozen=True)
class Flags:
    """A row of moments, seconds, with names, in order of time."""

    name: str
    color: str
    marks: Sequence[tuple[float, str]]


def draw_stack(
    painter: QPainter, area: QRectF, x: np.ndarray, values: np.ndarray
) -> None:
    """Stack probabilities (n, 5) on each other at x (n,), pixels, over all of `area`.

    An emotion that is not known, NaN, has no height.
    """
    edges = np.zeros((len(x), N_EMOTIONS + 1))
    np.nancumsum(values, axis=1, out=edges[:, 1:])
    y = area.bottom() - area.height() * edges
    painter.setPen(Qt.PenStyle.NoPen)
    for i, color in enumerate(theme.EMOTION_COLOR_LIST):
        outline = pg.functions.create_qpolygonf(2 * len(x))
        points = pg.functions.ndarray_from_qpolygonf(outline)
        points[:, 0] = np.concatenate([x, x[::-1]])
        points[:, 1] = np.concatenate([y[:, i], y[::-1, i + 1]])
        painter.setBrush(theme.faded(color, 0.85))
        painter.drawPolygon(outline)


def draw_flags(
    painter: QPainter,
    row: QRectF,
    flags: Flags,
    place: Callable[[float], float],
    scale: float,
) -> None:
    """Draw a row's flags, each with as much of its name as there is room for.

    place: of a moment, pixels.
    """
    s = scale
    painter.fillRect(row, QColor(theme.PANEL_DEEP))
    draw_name(painter, row, flags.name, s)
    painter.setFont(theme.font(min(11 * s, row.height())))
    metrics = QFontMetricsF(painter.font())
    places = [place(t) for t, _ in flags.marks] + [row.right()]
    free = row.left()
    for x, after, (_, text) in zip(places, places[1:], flags.marks, strict=False):
        if not row.left() - 1 <= x <= row.right() + 1:
            continue
        flag = QRectF(x - 1 * s, row.top(), 2 * s, row.height())
        painter.fillRect(flag, QColor(flags.color))
        room = min(after, row.right()) - x - 8 * s  # up to the next one
        if x < free or room < 14 * s:
            continue
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        painter.setPen(QColor(theme.TEXT))
        box = QRectF(x + 4 * s, row.top(), room, row.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, shown)
        free = x + 4 * s + metrics.horizontalAdvance(shown)


def draw_name(painter: QPainter, row: QRectF, name: str, scale: float) -> None:
    """Write what a row is called to the left of it."""
    painter.setPen(QColor(theme.MUTED))
    painter.setFont(theme.font(12 * scale))
    tall = max(row.height(), 18 * scale)
    box = QRectF(0, row.center().y() - tall / 2, row.left() - 8 * scale, tall)
    right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
    painter.drawText(box, right, name)


class Legend(QWidget):
    """The emotions' colors and names. knows: the emotions that the model can tell."""

    def __init__(self, knows: Collection[str] = EMOTIONS) -> None:
        super().__init__()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._swatches: list[tuple[QHBoxLayout, QWidget, str]] = []
        for emotion in knows:
            entry = QHBoxLayout()
            swatch = QWidget()
            entry.addWidget(swatch)
            entry.addWidget(label(emotion_name(emotion), "muted"))
            self._swatches.append((entry, swatch, emotion))
            self._row.addLayout(entry)
        self.restyle()

    def restyle(self) -> None:
        for _, swatch, emotion in self._swatches:
            color = theme.EMOTION_COLORS[emotion]
            swatch.setStyleSheet(f"background: {color}; border-radius: 3px;")

    def set_scale(self, scale: float) -> None:
        self._row.setSpacing(round(10 * scale))
        for entry, swatch, _ in self._swatches:
            entry.setSpacing(round(5 * scale))
            swatch.setFixedSize(round(13 * scale), round(13 * scale))


def clock_text(seconds: float, fine: bool = False) -> str:
    """Minutes and seconds, hours where there are any. fine: tenths of a second too."""
    tenths = round(10 * max(0.0, seconds)) if fine else 10 * int(max(0.0, seconds))
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:{rest // 10:02d}" + (f".{rest % 10}" if fine else "")
    return f"{hours}:{text}" if hours else text
