"""A whole recording on one line of time, to look over, to zoom and to point at.

From the top: probabilities, decisions as recorded and anew with where they differ,
truth, what each stream brought, markers, notes. What does not move is painted once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)

from eav_live.ui import theme
from eav_live.ui.panels.card import Canvas
from eav_live.ui.panels.timeline_rows import (
    TICK_SECONDS,
    Flags,
    clock_text,
    draw_flags,
    draw_name,
    draw_stack,
)
from eav_live.ui.words import tr

_LEFT, _RIGHT = 76, 18  # pixels at scale 1, as of the live timeline
_STRIP, _SPACE, _AXIS = 14, 5, 22
_LEAST_STACK = 30  # of probabilities; where room is short, rows are lower instead

Span = tuple[float, float]  # seconds, from and to


@dataclass(frozen=True)
class Strip:
    """A row of decisions: index (n,) of an emotion for each column, -1 for none."""

    name: str
    emotions: np.ndarray


@dataclass(frozen=True)
class Track:
    """What a stream brought: when, and how strong it was, times (n,), levels (n,).

    losses: when it brought nothing.
    """

    name: str
    spans: Sequence[Span]
    losses: Sequence[Span]
    times: np.ndarray
    levels: np.ndarray


@dataclass(frozen=True)
class Overview:
    """What the timeline paints between edges (n + 1,), seconds: one column each pixel.

    shares: (n, 5) probabilities, NaN where there is no estimate. apart: spans in which
    the two rows of decisions differ.
    """

    edges: np.ndarray
    shares: np.ndarray
    strips: Sequence[Strip] = ()
    apart: Sequence[Span] = ()
    tracks: Sequence[Track] = ()
    flags: Sequence[Flags] = field(default_factory=tuple)

    @property
    def n_rows(self) -> int:
        """Below the probabilities."""
        return len(self.strips) + len(self.tracks) + len(self.flags)


class SessionTimeline(Canvas):
    """Paints an overview and the cursor; says where it was pointed at.

    pointed: at this moment, seconds. turned: the wheel, +1 in and -1 out.
    resized: another number of columns is wanted.
    """

    pointed = Signal(float)
    turned = Signal(int)
    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.overview: Overview | None = None
        self.begin = 0.0  # what the axis counts from, seconds
        self.moment = 0.0
        self._painted = QPixmap()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Timeline of the recording"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def n_columns(self) -> int:
        """How many pixels there are to paint time on."""
        return max(2, round(self._area().width()))

    def show_overview(self, overview: Overview) -> None:
        """Paint another part of the recording, or what was said of it since."""
        self.overview = overview
        self._painted = QPixmap()
        self.update()

    def set_moment(self, t: float) -> None:
        """Move the cursor to the moment `t`, seconds."""
        if t != self.moment:
            self.moment = t
            self.update()

    def set_scale(self, scale: float) -> None:
        super().set_scale(scale)
        self._painted = QPixmap()
        self.resized.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for as many columns as there is room for."""
        self._painted = QPixmap()
        self.resized.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go where was clicked."""
        self.setFocus()
        self._point(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow a pressed mouse."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._point(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom."""
        if event.angleDelta().y():
            self.turned.emit(1 if event.angleDelta().y() > 0 else -1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what stands still, then the cursor."""
        painter = QPainter(self)
        if self.overview is None:
            return
        ratio = self.devicePixelRatioF()
        if self._painted.isNull():
            self._painted = QPixmap(self.size() * ratio)
            self._painted.setDevicePixelRatio(ratio)
            self._painted.fill(Qt.GlobalColor.transparent)
            still = QPainter(self._painted)
            self._paint(still, self.overview)
            still.end()
        painter.drawPixmap(0, 0, self._painted)
        self._draw_cursor(painter)

    def _point(self, event: QMouseEvent) -> None:
        if self.overview is None:
            return
        area = self._area()
        share = (event.position().x() - area.left()) / area.width()
        first, last = self.overview.edges[0], self.overview.edges[-1]
        self.pointed.emit(float(first + min(max(share, 0.0), 1.0) * (last - first)))

    def _area(self) -> QRectF:
        s = self._scale
        width = self.width() - (_LEFT + _RIGHT) * s
        return QRectF(_LEFT * s, 4 * s, width, self.height() - 4 * s)

    def _x(self, t: np.ndarray | float) -> np.ndarray:
        assert self.overview is not None
        first, last = self.overview.edges[0], self.overview.edges[-1]
        area = self._area()
        return area.left() + area.width() * (np.asarray(t) - first) / (last - first)

    def _paint(self, painter: QPainter, shown: Overview) -> None:
        s = self._scale
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area, stack = self._area(), self._stack(shown)
        painter.fillRect(stack, QColor(theme.PANEL_DEEP))
        self._draw_shares(painter, stack, shown)
        step = self._step(shown)
        strip = step * _STRIP / (_STRIP + _SPACE)
        top = stack.bottom() + step - strip
        for i, row_of in enumerate(shown.strips):
            row = QRectF(area.left(), top, area.width(), strip)
            self._draw_strip(painter, row, row_of)
            if i == 1:  # with the row above it
                self._draw_apart(painter, row, shown.apart)
            top += step
        for track in shown.tracks:
            row = QRectF(area.left(), top, area.width(), strip)
            self._draw_track(painter, row, track)
            top += step
        for flags in shown.flags:
            row = QRectF(area.left(), top, area.width(), strip)
            draw_flags(painter, row, flags, lambda t: float(self._x(t)), s)
            top += step
        self._draw_axis(painter, QRectF(area.left(), top, area.width(), 18 * s))

    def _step(self, shown: Overview) -> float:
        """From one row below the probabilities to the next, pixels."""
        s, usual = self._scale, (_STRIP + _SPACE) * self._scale
        room = self._area().height() - (_AXIS + _LEAST_STACK) * s
        return max(min(usual, room / max(shown.n_rows, 1)), 0.0)

    def _stack(self, shown: Overview) -> QRectF:
        """Where probabilities are painted."""
        stack = self._area()
        below = _AXIS * self._scale + shown.n_rows * self._step(shown)
        stack.setBottom(self.height() - below)
        return stack

    def _draw_shares(self, painter: QPainter, area: QRectF, shown: Overview) -> None:
        draw_name(painter, area, tr("estimate"), self._scale)
        there = ~np.isnan(shown.shares).all(axis=1)
        changes = np.flatnonzero(np.diff(there.astype(np.int8), prepend=0, append=0))
        left = self._x(shown.edges)
        for start, stop in zip(changes[::2], changes[1::2], strict=True):
            # Each column is a step, from its left edge to its right one.
            x = np.repeat(left[start : stop + 1], 2)[1:-1]
            draw_stack(painter, area, x, np.repeat(shown.shares[start:stop], 2, axis=0))

    def _draw_strip(self, painter: QPainter, row: QRectF, strip: Strip) -> None:
        painter.fillRect(row, QColor(theme.PANEL_DEEP))
        draw_name(painter, row, strip.name, self._scale)
        assert self.overview is not None
        # To whole pixels, or hairlines show where neighbors meet.
        x = np.round(self._x(self.overview.edges))
        bounds = np.flatnonzero(np.diff(strip.emotions, prepend=-2, append=-2))
        for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
            emotion = int(strip.emotions[start])
            if emotion >= 0:
                color = QColor(theme.EMOTION_COLOR_LIST[emotion])
                place = QRectF(x[start], row.top(), x[stop] - x[start], row.height())
                painter.fillRect(place, color)

    def _draw_apart(
        self, painter: QPainter, row: QRectF, apart: Sequence[Span]
    ) -> None:
        """Brackets in the space above a row of decisions that differ from the upper."""
        s = self._scale
        for first, last in apart:
            left, right = float(self._x(first)), float(self._x(last))
            if right < row.left() or left > row.right():
                continue
            left, right = (
                max(left, row.left()),
                min(max(right, left + 3 * s), row.right()),
            )
            place = QRectF(left, row.top() - 4 * s, right - left, 3 * s)
            painter.fillRect(place, QColor(theme.TEXT))

    def _draw_track(self, painter: QPainter, row: QRectF, track: Track) -> None:
        draw_name(painter, row, track.name, self._scale)
        painter.save()
        painter.setClipRect(row)
        painter.fillRect(row, QColor(theme.PANEL_DEEP))
        for first, last in track.spans:
            left, right = float(self._x(first)), float(self._x(last))
            if not len(track.levels):
                wide = max(1.0, right - left)
                middle = QRectF(left, row.center().y() - 1, wide, 2)
                painter.fillRect(middle, theme.faded(theme.TRACE, 0.7))
        for first, last in track.losses:
            left, right = float(self._x(first)), float(self._x(last))
            lost = QRectF(left, row.top(), max(1.0, right - left), row.height())
            painter.fillRect(lost, theme.faded(theme.BAD, 0.45))
        self._draw_levels(painter, row, track)
        painter.restore()

    def _draw_levels(self, painter: QPainter, row: QRectF, track: Track) -> None:
        """The strongest of each column, to a height that most stay below."""
        if not len(track.levels):
            return
        x = np.floor(self._x(track.times)).astype(np.int64)
        top = max(float(np.percentile(track.levels, 98)), 1e-9)
        heights = np.zeros(self.width() + 1)
        seen = (x >= 0) & (x < len(heights))
        np.maximum.at(heights, x[seen], np.clip(track.levels[seen] / top, 0.08, 1.0))
        filled = np.flatnonzero(heights)
        # As wide as one is from the next, or stripes show.
        wide = 1.0 + (np.median(np.diff(filled)) if len(filled) > 1 else 0.0)
        color = theme.faded(theme.TRACE, 0.7)
        for at in filled.tolist():
            tall = heights[at] * row.height()
            middle = row.center().y() - tall / 2
            painter.fillRect(QRectF(at, middle, wide, tall), color)

    def _draw_axis(self, painter: QPainter, row: QRectF) -> None:
        s = self._scale
        assert self.overview is not None
        first, last = float(self.overview.edges[0]), float(self.overview.edges[-1])
        most = max(1, int(row.width() / (80 * s)))
        step = next(
            (k for k in TICK_SECONDS if (last - first) / k <= most), TICK_SECONDS[-1]
        )
        painter.setFont(theme.font(12 * s))
        grid = QPen(theme.faded(theme.BACKGROUND, 0.55), 1)
        lowest = step * np.ceil((first - self.begin) / step)
        for since in np.arange(lowest, last - self.begin, step).tolist():
            x = float(self._x(self.begin + since))
            painter.setPen(grid)
            painter.drawLine(QPointF(x, 4 * s), QPointF(x, row.top()))
            painter.setPen(QColor(theme.MUTED))
            box = QRectF(x - 40 * s, row.top(), 80 * s, row.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, clock_text(since))

    def _draw_cursor(self, painter: QPainter) -> None:
        s = self._scale
        x = float(self._x(self.moment))
        area = self._area()
        if not area.left() - 1 <= x <= area.right() + 1:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.TEXT), 1.5 * s))
        bottom = self.height() - (_AXIS - 4) * s
        painter.drawLine(QPointF(x, 2 * s), QPointF(x, bottom))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.TEXT))
        points = [QPointF(x + dx * s, dy * s) for dx, dy in ((-6, 0), (6, 0), (0, 8))]
        painter.drawPolygon(QPolygonF(points))
