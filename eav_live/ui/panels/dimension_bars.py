"""Arousal, dominance and valence beside the panel of what they were estimated from."""

from collections.abc import Mapping

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy

from eav_live.ui import theme
from eav_live.ui.panels.card import Canvas
from eav_live.ui.words import listed, tr

_LETTERS, _ROW = 12.0, 17.0  # pixels at scale 1
_NONE = "\u2013"


class DimensionBars(Canvas):
    """A bar for each dimension, from 0 to 1. They are no classes of the estimate."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.values: Mapping[str, float] | None = None
        self._names: tuple[str, ...] = ()
        self.setAccessibleName(tr("Dimensions of the {name}", name=name))
        self.setToolTip(
            tr(
                "As the published model estimates them, from 0 to 1. Nothing of the "
                "estimate is computed from them."
            )
        )
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_values(self, values: Mapping[str, float] | None) -> None:
        """Show them; None while there is nothing to estimate them from."""
        self.values = values
        if values is not None:
            self._names = tuple(values)
            told = [f"{tr(name)} {value:.2f}" for name, value in values.items()]
            self.setAccessibleDescription(listed(told))
        else:
            self.setAccessibleDescription(tr("absent"))
        self.setVisible(bool(self._names))
        self.updateGeometry()
        self.update()

    def set_scale(self, scale: float) -> None:
        super().set_scale(scale)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """A row for each dimension."""
        return QSize(100, round(len(self._names) * _ROW * self._scale))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw name, bar and number of each."""
        painter = QPainter(self)
        letters = theme.font(_LETTERS * self._scale)
        painter.setFont(letters)
        metrics = QFontMetricsF(letters)
        left = max((metrics.horizontalAdvance(tr(n)) for n in self._names), default=0.0)
        number = metrics.horizontalAdvance("0.00")
        gap, row = 8 * self._scale, _ROW * self._scale
        for i, name in enumerate(self._names):
            line = QRectF(0, i * row, self.width(), row)
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.setPen(QColor(theme.MUTED))
            painter.drawText(line, middle | Qt.AlignmentFlag.AlignLeft, tr(name))
            value = None if self.values is None else self.values[name]
            text = _NONE if value is None else f"{value:.2f}"
            painter.setPen(QColor(theme.TEXT))
            painter.drawText(line, middle | Qt.AlignmentFlag.AlignRight, text)
            bar = line.adjusted(left + gap, 0.3 * row, -number - gap, -0.3 * row)
            painter.fillRect(bar, QColor(theme.LINE))
            if value is not None:
                bar.setWidth(value * bar.width())
                painter.fillRect(bar, QColor(theme.TRACE))
