"""The last three minutes: smoothed probabilities, decision, and ground truth."""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QWidget

from eav_live.recognition.predictions import Prediction
from eav_live.ui import theme
from eav_live.ui.panels.card import Canvas, Card, label
from eav_offline.core.labels import EMOTIONS, N_EMOTIONS

SHOWN_SECONDS = 180.0
MAX_POINTS = 4000  # 20 a second; a bound that holds whatever the hop
_GAP_SECONDS = 2.0  # predictions further apart (and three hops) are not joined
_STEPS = (-180, -120, -60)


@dataclass(frozen=True)
class TimelinePoint:
    """One prediction as the timeline keeps it: seconds, (5,) or None, class names."""

    t: float
    values: np.ndarray | None
    label: str | None
    truth: str | None


class History:
    """The points of the last three minutes, oldest first."""

    def __init__(self) -> None:
        self.points: deque[TimelinePoint] = deque(maxlen=MAX_POINTS)

    def add(self, prediction: Prediction) -> None:
        """Append a prediction and drop what is too old."""
        if self.points and prediction.t < self.points[-1].t:
            self.points.clear()  # another clock, as after a restart of the sender
        values = prediction.smoothed if prediction.fused is not None else None
        self.points.append(
            TimelinePoint(prediction.t, values, prediction.label, prediction.truth)
        )
        while prediction.t - self.points[0].t > SHOWN_SECONDS:
            self.points.popleft()

    def runs(self, gap: float) -> list[list[TimelinePoint]]:
        """Runs of points with probabilities and without a break longer than `gap`."""
        runs: list[list[TimelinePoint]] = []
        last: TimelinePoint | None = None
        for point in self.points:
            if point.values is not None:
                if last is None or last.values is None or point.t - last.t > gap:
                    runs.append([])
                runs[-1].append(point)
            last = point
        return runs


class TimelinePlot(Canvas):
    """Paints the history: stacked probabilities over strips of decision and truth."""

    def __init__(self) -> None:
        super().__init__()
        self.history = History()
        self.now = 0.0
        self.hop = 0.5

    @property
    def truth_shown(self) -> bool:
        """Whether there is a strip of ground truth."""
        return any(point.truth is not None for point in self.history.points)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the timeline."""
        s = self._scale
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        strips = ["decision", "truth"] if self.truth_shown else ["decision"]
        left, right = 76 * s, self.width() - 18 * s
        strip, space, ticks = 14 * s, 6 * s, 20 * s
        bottom = self.height() - ticks - len(strips) * (strip + space)
        area = QRectF(left, 6 * s, right - left, bottom - 6 * s)
        painter.fillRect(area, QColor(theme.PANEL_DEEP))
        gap = max(_GAP_SECONDS, 3 * self.hop)
        painter.save()
        painter.setClipRect(area)
        for run in self.history.runs(gap):
            self._draw_stack(painter, area, run)
        painter.restore()
        self._draw_axes(painter, area)
        for k, name in enumerate(strips):
            top = bottom + space + k * (strip + space)
            row = QRectF(left, top, right - left, strip)
            painter.fillRect(row, QColor(theme.PANEL_DEEP))
            self._draw_strip(painter, row, name, gap)
            painter.setPen(QColor(theme.MUTED))
            painter.setFont(theme.font(12 * s))
            painter.drawText(
                QRectF(0, top - 2 * s, left - 8 * s, strip + 4 * s),
                Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
                name,
            )

    def _x(self, area: QRectF, t: np.ndarray | float) -> np.ndarray:
        share = 1.0 + (np.asarray(t) - self.now) / SHOWN_SECONDS
        return area.left() + area.width() * share

    def _draw_stack(
        self, painter: QPainter, area: QRectF, run: list[TimelinePoint]
    ) -> None:
        # A lone point still stands for the hop that it covers.
        times = np.array([run[0].t - self.hop, *(point.t for point in run)])
        values = np.array([run[0].values, *(point.values for point in run)])
        draw_stack(painter, area, self._x(area, times), values)

    def _draw_axes(self, painter: QPainter, area: QRectF) -> None:
        s = self._scale
        painter.setFont(theme.font(12 * s))
        grid = QPen(theme.faded(theme.BACKGROUND, 0.55), 1)
        for share, text in ((1.0, "100%"), (0.5, "50%"), (0.0, "0%")):
            y = area.bottom() - share * area.height()
            if share == 0.5:
                painter.setPen(grid)
                painter.drawLine(
                    round(area.left()), round(y), round(area.right()), round(y)
                )
            painter.setPen(QColor(theme.MUTED))
            painter.drawText(
                QRectF(0, y - 9 * s, area.left() - 8 * s, 18 * s),
                Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
                text,
            )
        width = 80 * s
        for seconds in (*_STEPS, 0):
            x = float(self._x(area, self.now + seconds))
            if -SHOWN_SECONDS < seconds < 0:
                painter.setPen(grid)
                painter.drawLine(
                    round(x), round(area.top()), round(x), round(area.bottom())
                )
            text = f"−{-seconds // 60} min" if seconds else "now"
            box = QRectF(x - width / 2, self.height() - 19 * s, width, 19 * s)
            box.moveRight(min(box.right(), self.width()))
            painter.setPen(QColor(theme.MUTED))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _draw_strip(
        self, painter: QPainter, row: QRectF, name: str, gap: float
    ) -> None:
        previous: TimelinePoint | None = None
        for point in self.history.points:
            emotion = point.label if name == "decision" else point.truth
            joined = previous is not None and point.t - previous.t <= gap
            start = previous.t if joined and previous else point.t - self.hop
            previous = point
            if emotion not in theme.EMOTION_COLORS:
                continue
            # To whole pixels, or hairlines show where neighbors meet.
            x = np.round(self._x(row, np.array([start, point.t])))
            x = x.clip(row.left(), row.right())
            painter.fillRect(
                QRectF(x[0], row.top(), x[1] - x[0], row.height()),
                QColor(theme.EMOTION_COLORS[emotion]),
            )


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


class Legend(QWidget):
    """The emotions' colors and names. knows: the emotions that the model can tell."""

    def __init__(self, knows: Collection[str] = EMOTIONS) -> None:
        super().__init__()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._swatches = []
        for emotion in knows:
            entry = QHBoxLayout()
            swatch = QWidget()
            swatch.setStyleSheet(
                f"background: {theme.EMOTION_COLORS[emotion]}; border-radius: 3px;"
            )
            entry.addWidget(swatch)
            entry.addWidget(label(emotion.capitalize(), "muted"))
            self._swatches.append((entry, swatch))
            self._row.addLayout(entry)

    def set_scale(self, scale: float) -> None:
        """Fit to the size of the letters."""
        self._row.setSpacing(round(10 * scale))
        for entry, swatch in self._swatches:
            entry.setSpacing(round(5 * scale))
            swatch.setFixedSize(round(13 * scale), round(13 * scale))


class TimelineView(Card):
    """The timeline panel with the legend of the emotions' colors.

    hop: seconds. knows: the emotions that the model can tell.
    """

    def __init__(self, hop: float, knows: Collection[str] = EMOTIONS) -> None:
        super().__init__("Last 3 minutes")
        self.plot = TimelinePlot()
        self.plot.hop = hop
        self.set_body(self.plot)
        self.header.addStretch(1)
        self._legend = Legend(knows)
        self.header.addWidget(self._legend)

    def add(self, prediction: Prediction) -> None:
        """Take a new prediction."""
        self.plot.history.add(prediction)

    def refresh(self, now: float) -> None:
        """Scroll to `now`, seconds."""
        self.plot.now = now
        self.plot.update()

    def set_scale(self, scale: float) -> None:
        """Fit to the size of the letters."""
        super().set_scale(scale)
        self._legend.set_scale(scale)
