"""The electrodes on a head, colored by their quality or by the power of a band."""

from collections.abc import Mapping

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QToolTip

from eav_live.ui import theme
from eav_live.ui.panels.card import Canvas
from eav_live.ui.words import later, listed, said, tr
from eav_offline.core.electrodes import PLACES
from eav_offline.core.window import EEG_CHANNELS

QUALITY = later("quality")
INTERPOLATED = later("not in the stream: computed from its neighbors")
GOOD = later("good")
_COLORS = "cividis"  # reads alike with any color vision, and in gray
_LEAST_SPAN = 6.0  # dB from the darkest color to the brightest; less is no pattern
_SPOT = 0.115  # radius of an electrode, of the head's unit
_ROUND = 1.2  # from the middle to the nose's tip and the ears, in outlines
_SCALE_WIDTH = 70  # pixels at scale 1, of the color scale beside the head

RADIUS = 1.25  # of the head's outline: PO9 and PO10 lie below the horizon
GRID = 32  # cells a side; smooth enough once a picture of it is scaled up
_NEAR = 0.05  # squared distance within which an electrode speaks for itself


class HeadMap(Canvas):
    """Paints what is known of each electrode when that changes, and then keeps it.

    pointed: the row of the electrode that was clicked at.
    """

    pointed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.shown = QUALITY
        self.chosen = 0
        self.faults: dict[str, str] = {}
        self.waiting = ""  # why the power of a band is not shown
        self.levels: np.ndarray | None = None  # (30,) dB, of the band that is shown
        self.range = (0.0, _LEAST_SPAN)  # dB, of the darkest and the brightest color
        self._interpolated: tuple[str, ...] = ()
        self._weights: tuple[bytes, np.ndarray] | None = None
        self._painted = QPixmap()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._name()

    def show_quality(
        self, faults: Mapping[str, str], interpolated: tuple[str, ...] = ()
    ) -> None:
        """Take which electrodes are bad (name -> fault) and which are computed."""
        if (dict(faults), interpolated) != (self.faults, self._interpolated):
            self.faults, self._interpolated = dict(faults), interpolated
            self._fit_range()
            self._repaint()

    def show_levels(self, shown: str, levels: np.ndarray | None) -> None:
        """Show a band by its name with its levels (30,), dB, or `QUALITY` and None."""
        self.shown, self.levels = shown, levels
        self._fit_range()
        self._repaint()

    def say(self, waiting: str) -> None:
        """Say above the head why the power of a band is not shown; empty if it is."""
        if waiting != self.waiting:
            self.waiting = waiting
            self._repaint()

    def choose(self, electrode: int) -> None:
        """Ring an electrode, by its row."""
        self.chosen = electrode
        self._repaint()

    def told(self, electrode: int) -> str:
        """What is known of an electrode, in words."""
        name = EEG_CHANNELS[electrode]
        state = said(self.faults.get(name, "")) or tr(GOOD)
        if name in self._interpolated:
            state = tr(INTERPOLATED)
        if self.levels is None or not np.isfinite(self.levels[electrode]):
            return f"{name}: {state}"
        told = f"{tr(self.shown)} {self.levels[electrode]:.1f} dB"
        return f"{name}: {listed([state, told])}"

    def electrode_at(self, x: float, y: float) -> int | None:
        """The row of the electrode at a pixel, None where there is none."""
        unit, middle = self._placement()
        away = np.hypot(*(self._spots() - (x, y)).T)
        nearest = int(away.argmin())
        return nearest if away[nearest] <= 1.6 * _SPOT * unit else None

    def set_scale(self, scale: float) -> None:
        self._repaint()
        super().set_scale(scale)

    def restyle(self) -> None:
        self._repaint()

    @property
    def _good(self) -> np.ndarray:
        """(30,) bool: electrodes that were measured and are not bad."""
        bad = {*self.faults, *self._interpolated}
        good = ~np.isin(EEG_CHANNELS, list(bad))
        return good if self.levels is None else good & np.isfinite(self.levels)

    def _fit_range(self) -> None:
        good = self._good
        if self.levels is not None and good.any():
            low, high = self.levels[good].min(), self.levels[good].max()
            middle, half = (low + high) / 2, max(high - low, _LEAST_SPAN) / 2
            self.range = (float(middle - half), float(middle + half))

    def _repaint(self) -> None:
        self._painted = QPixmap()
        self._name()
        self.update()

    def _name(self) -> None:
        bad = listed([f"{name} {said(fault)}" for name, fault in self.faults.items()])
        self.setAccessibleName(tr("Head map by {measure}", measure=tr(self.shown)))
        self.setAccessibleDescription(
            tr(
                "{chosen}. Bad electrodes: {bad}",
                chosen=self.told(self.chosen),
                bad=bad or tr("none"),
            )
        )

    def _placement(self) -> tuple[float, QPointF]:
        """Pixels of a unit, and where the vertex is."""
        s = self._scale
        wide, tall = self.width() - 2 * _SCALE_WIDTH * s, self.height() - 8 * s
        unit = max(1.0, min(wide, tall) / 2 / (_ROUND * RADIUS))
        return unit, QPointF(self.width() / 2, self.height() / 2 + 0.05 * unit)

    def _spots(self) -> np.ndarray:
        """Pixels (30, 2) of the electrodes."""
        unit, middle = self._placement()
        return np.array([middle.x(), middle.y()]) + unit * PLACES * (1, -1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Paint anew in the new size."""
        self._repaint()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell which electrode was clicked at."""
        found = self.electrode_at(event.position().x(), event.position().y())
        if found is not None:
            self.pointed.emit(found)

    def event(self, event: QEvent) -> bool:
        """Say of the electrode under the pointer what is known of it."""
        if isinstance(event, QHelpEvent):
            found = self.electrode_at(event.pos().x(), event.pos().y())
            text = "" if found is None else self.told(found)
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Put the picture on the screen, painted before unless something changed."""
        if self._painted.isNull():
            ratio = self.devicePixelRatioF()
            self._painted = QPixmap(self.size() * ratio)
            self._painted.setDevicePixelRatio(ratio)
            self._painted.fill(QColor(theme.PANEL_DEEP))
            painter = QPainter(self._painted)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._draw(painter)
            painter.end()
        QPainter(self).drawPixmap(0, 0, self._painted)

    def _draw(self, painter: QPainter) -> None:
        unit, middle = self._placement()
        radius = RADIUS * unit
        head = QRectF(middle.x() - radius, middle.y() - radius, 2 * radius, 2 * radius)
        pen = QPen(QColor(theme.MUTED), 2 * self._scale)
        painter.setPen(pen)
        self._draw_nose_and_ears(painter, head)
        painter.setBrush(QColor(theme.PANEL))
        painter.drawEllipse(head)
        if self.levels is not None and self._good.any():
            self._draw_field(painter, head, self.levels)
            self._draw_scale(painter)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(head)
        for i, (x, y) in enumerate(self._spots().tolist()):
            self._draw_electrode(painter, i, QPointF(x, y), _SPOT * unit)
        if self.waiting:
            painter.setPen(QColor(theme.AMBER))
            painter.setFont(theme.font(14 * self._scale))
            area = QRectF(self.rect()).adjusted(0, 4 * self._scale, 0, 0)
            top = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
            painter.drawText(area, top | Qt.TextFlag.TextWordWrap, self.waiting)

    def _draw_nose_and_ears(self, painter: QPainter, head: QRectF) -> None:
        radius, middle = head.width() / 2, head.center()
        nose = QPainterPath(middle + QPointF(-0.16 * radius, -0.98 * radius))
        nose.lineTo(middle + QPointF(0, -1.14 * radius))
        nose.lineTo(middle + QPointF(0.16 * radius, -0.98 * radius))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(nose)
        for side in (-1, 1):
            ear = middle + QPointF(side * radius, 0)
            painter.drawEllipse(ear, 0.08 * radius, 0.2 * radius)

    def _draw_field(
        self, painter: QPainter, head: QRectF, measured: np.ndarray
    ) -> None:
        """The level between the electrodes, cut off at the head's outline."""
        good = self._good
        if self._weights is None or self._weights[0] != good.tobytes():
            self._weights = good.tobytes(), grid_weights(good)
        levels = np.where(good, measured, 0.0)
        shares = self._share(self._weights[1] @ levels)
        colors = pg.colormap.get(_COLORS).map(shares, mode="byte")
        pixels = np.ascontiguousarray(colors, dtype=np.uint8)
        image = QImage(pixels.data, GRID, GRID, 4 * GRID, QImage.Format.Format_RGBA8888)
        painter.save()
        outline = QPainterPath()
        outline.addEllipse(head)
        painter.setClipPath(outline)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(head, image)
        painter.restore()

    def _share(self, level: np.ndarray) -> np.ndarray:
        low, high = self.range
        return np.clip((level - low) / (high - low), 0.0, 1.0)

    def _draw_scale(self, painter: QPainter) -> None:
        """The colors and what they stand for, at the right edge."""
        s = self._scale
        tall = min(180 * s, 0.7 * self.height())
        bar = QRectF(self.width() - 62 * s, (self.height() - tall) / 2, 12 * s, tall)
        steps = 48
        colors = pg.colormap.get(_COLORS).map(np.linspace(1, 0, steps), mode="qcolor")
        for k, color in enumerate(colors):
            top = bar.top() + k * tall / steps
            painter.fillRect(
                QRectF(bar.left(), top, bar.width(), tall / steps + 1), color
            )
        painter.setPen(QColor(theme.MUTED))
        painter.setFont(theme.font(12 * s))
        for share, level in zip((1, 0), self.range[::-1], strict=True):
            y = bar.bottom() - share * tall
            box = QRectF(bar.right() + 5 * s, y - 9 * s, 44 * s, 18 * s)
            painter.drawText(
                box, Qt.AlignmentFlag.AlignVCenter, f"{level:.0f} dB".replace("-", "−")
            )

    def _draw_electrode(
        self, painter: QPainter, i: int, spot: QPointF, radius: float
    ) -> None:
        name = EEG_CHANNELS[i]
        bad, computed = name in self.faults, name in self._interpolated
        fill, ink = self._colors(i)
        edge = theme.BAD if bad else theme.AMBER if computed else ink.name()
        thin = Qt.PenStyle.DashLine if computed else Qt.PenStyle.SolidLine
        painter.setPen(QPen(QColor(edge), (2.5 if bad else 1.2) * self._scale, thin))
        painter.setBrush(fill)
        painter.drawEllipse(spot, radius, radius)
        if bad:  # a shape besides the color
            reach = 0.71 * radius
            painter.setPen(QPen(theme.faded(edge, 0.55), 2 * self._scale))
            for d in (QPointF(reach, reach), QPointF(reach, -reach)):
                painter.drawLine(spot - d, spot + d)
        if i == self.chosen:
            painter.setPen(QPen(QColor(theme.TEXT), 2 * self._scale))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(spot, 1.25 * radius, 1.25 * radius)
        painter.setPen(ink)
        size = (0.82 if len(name) < 4 else 0.66) * radius
        painter.setFont(theme.font(min(size, 26 * self._scale), bold=True))
        box = QRectF(spot.x() - 2 * radius, spot.y() - radius, 4 * radius, 2 * radius)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)

    def _colors(self, i: int) -> tuple[QColor, QColor]:
        """Of an electrode's disc and of the letters on it."""
        name = EEG_CHANNELS[i]
        if self.shown == QUALITY and name not in self.faults:
            light = theme.AMBER if name in self._interpolated else theme.TRACE
            return theme.faded(light, 0.35), QColor(theme.TEXT)
        if not self._good[i] or self.levels is None:
            return QColor(theme.PANEL), QColor(theme.TEXT)
        share = float(self._share(self.levels[i]))
        fill = pg.colormap.get(_COLORS).map(share, mode="qcolor")
        return fill, QColor("#000000" if share > 0.45 else "#ffffff")


def grid_weights(good: np.ndarray) -> np.ndarray:
    """What each electrode has to say about each cell of a square around the head.

    good: (30,) bool, the electrodes that count, at least one. Returns
    (GRID * GRID, 30), rows that sum to 1, top row of cells first: inverse distance
    weighting (Shepard 1968) to the fourth power.
    """
    along = RADIUS * (2 * np.arange(GRID) + 1 - GRID) / GRID
    x, y = np.meshgrid(along, -along)
    cells = np.stack([x.ravel(), y.ravel()], axis=1)
    squared = ((cells[:, None] - PLACES[None]) ** 2).sum(axis=2)
    weights = np.where(good, (squared + _NEAR) ** -2.0, 0.0)
    return weights / weights.sum(axis=1, keepdims=True)
