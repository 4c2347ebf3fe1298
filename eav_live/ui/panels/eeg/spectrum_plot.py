"""Power over frequency of one electrode, with the mains hum marked."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF

from eav_live.ui import theme
from eav_live.ui.panels.card import Canvas
from eav_live.ui.panels.eeg.measures import BAND_NAMES, SHOWN_HZ, Spectrum
from eav_live.ui.words import said, tr
from eav_offline.core.window import EEG_BAND, EEG_BANDS, EEG_CHANNELS

_RANGE_DB = (-30.0, 40.0)  # the axis, unless what is shown lies beyond it
_STEP_DB = 10.0
_TICKS_HZ = (1, 10, 20, 30, 40, 50, 60)
_LETTERS = "θαβγ"  # of the bands; a name has no room over the narrow ones
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight


class SpectrumPlot(Canvas):
    """Paints a spectrum. waiting: what is said while there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.electrode = 0
        self.spectrum: Spectrum | None = None
        self.fault = ""
        self.range = _RANGE_DB
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Spectrum"))

    def show_spectrum(
        self, electrode: int, spectrum: Spectrum | None, fault: str = ""
    ) -> None:
        """Show the spectrum of an electrode (its row). fault: what is wrong there."""
        self.electrode, self.spectrum, self.fault = electrode, spectrum, fault
        if spectrum is not None:
            # Whole tens, so that the axis does not tremble with the curve.
            low = _STEP_DB * np.floor(spectrum.level.min() / _STEP_DB)
            high = _STEP_DB * np.ceil(spectrum.level.max() / _STEP_DB)
            self.range = (min(float(low), 0.0), max(float(high), 30.0))
        self.setAccessibleDescription(self.headline)
        self.update()

    @property
    def headline(self) -> str:
        """Which electrode this is, and what is to be said of it."""
        parts = [EEG_CHANNELS[self.electrode], said(self.fault)]
        if self.spectrum is None:
            parts.append(tr("two seconds of numbers without a gap are needed"))
        else:
            hum = tr(" and ").join(f"{line:g}" for line in self.spectrum.hum)
            if hum and "hum" not in self.fault:
                parts.append(tr("{line} Hz hum", line=hum))
            seconds = self.spectrum.seconds
            parts.append(tr("newest {seconds:.0f} s as recorded", seconds=seconds))
        return "  ·  ".join(part for part in parts if part)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the axes and the curve."""
        s = self._scale
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(theme.PANEL_DEEP))
        head = QRectF(10 * s, 4 * s, self.width() - 20 * s, 24 * s)
        painter.setPen(QColor(theme.TEXT))
        painter.setFont(theme.font(15 * s, bold=True))
        shown = painter.fontMetrics().elidedText(
            self.headline, Qt.TextElideMode.ElideRight, round(head.width())
        )
        painter.drawText(head, Qt.AlignmentFlag.AlignVCenter, shown)
        area = QRectF(self.rect()).adjusted(62 * s, 52 * s, -16 * s, -44 * s)
        if area.width() < 10 or area.height() < 10:
            return
        self._draw_axes(painter, area)
        self._draw_bands(painter, area)
        if self.spectrum is not None:
            self._draw_hum(painter, area, self.spectrum)
            self._draw_curve(painter, area, self.spectrum)

    def _x(self, area: QRectF, hertz: np.ndarray | float) -> np.ndarray:
        share = (np.asarray(hertz) - SHOWN_HZ[0]) / (SHOWN_HZ[1] - SHOWN_HZ[0])
        return area.left() + area.width() * share

    def _y(self, area: QRectF, level: np.ndarray | float) -> np.ndarray:
        low, high = self.range
        return area.bottom() - area.height() * (np.asarray(level) - low) / (high - low)

    def _draw_axes(self, painter: QPainter, area: QRectF) -> None:
        s = self._scale
        painter.fillRect(area, QColor(theme.PANEL))
        painter.setFont(theme.font(12 * s))
        step = _STEP_DB
        while (self.range[1] - self.range[0]) / step * 24 * s > area.height():
            step *= 2
        for level in np.arange(self.range[0], self.range[1] + 1, step).tolist():
            y = float(self._y(area, level))
            painter.setPen(QColor(theme.LINE))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(theme.MUTED))
            box = QRectF(0, y - 9 * s, area.left() - 7 * s, 18 * s)
            painter.drawText(box, _RIGHT, f"{level:.0f} dB".replace("-", "−"))
        for hertz in _TICKS_HZ:
            x = float(self._x(area, hertz))
            box = QRectF(x - 30 * s, area.bottom() + 3 * s, 60 * s, 18 * s)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(hertz))
        box = QRectF(0, area.bottom() + 20 * s, self.width() - 16 * s, 18 * s)
        painter.drawText(box, _RIGHT, tr("Hz; 0 dB is 1 µV²/Hz"))

    def _draw_bands(self, painter: QPainter, area: QRectF) -> None:
        """The bands by their letters, and where the model hears nothing more."""
        s = self._scale
        painter.setFont(theme.font(12 * s))
        for k, (name, letter) in enumerate(zip(BAND_NAMES, _LETTERS, strict=True)):
            left, right = (float(self._x(area, edge)) for edge in EEG_BANDS[name])
            band = QRectF(left, area.top(), right - left, area.height())
            if k % 2 == 0:
                painter.fillRect(band, theme.faded(theme.MUTED, 0.08))
            painter.setPen(QColor(theme.MUTED))
            text = QRectF(band.left(), area.top() - 20 * s, band.width(), 18 * s)
            painter.drawText(text, Qt.AlignmentFlag.AlignCenter, letter)
        beyond = QRectF(area)
        beyond.setLeft(float(self._x(area, EEG_BAND[1])))
        painter.fillRect(beyond, theme.faded(theme.BACKGROUND, 0.5))

    def _draw_hum(self, painter: QPainter, area: QRectF, spectrum: Spectrum) -> None:
        s = self._scale
        painter.setFont(theme.font(12 * s, bold=True))
        painter.setPen(QPen(QColor(theme.AMBER), 2 * s, Qt.PenStyle.DashLine))
        for line in spectrum.hum:
            x = float(self._x(area, line))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            box = QRectF(0, area.top() + 2 * s, x - 5 * s, 18 * s)
            painter.drawText(box, _RIGHT, tr("{line:g} Hz hum", line=line))

    def _draw_curve(self, painter: QPainter, area: QRectF, spectrum: Spectrum) -> None:
        x, y = self._x(area, spectrum.hertz), self._y(area, spectrum.level)
        color = theme.BAD if self.fault else theme.TRACE
        painter.setPen(QPen(QColor(color), 2 * self._scale))
        points = zip(x.tolist(), y.tolist(), strict=True)
        painter.drawPolyline(QPolygonF([QPointF(*point) for point in points]))
