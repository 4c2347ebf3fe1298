"""The scrolling EEG: thirty traces in one plot, live or held."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QWidget

from eav_live.ui import theme
from eav_live.ui.panels.card import Card, button, fill, label
from eav_live.ui.panels.eeg.measures import (
    POINT_RATE,
    SCALES_UV,
    SHOWN_SECONDS,
    Points,
    TraceBuffer,
    as_recorded,
    as_the_model,
    for_the_eye,
    suitable_scale,
)
from eav_live.ui.panels.plots import (
    restyle_plot,
    scale_plot,
    scrolling_plot,
    show_times,
)
from eav_live.ui.words import later, listed, said, tr
from eav_live.windows.quality import faults_text
from eav_live.windows.rings import SampleRing
from eav_offline.core.window import EEG_CHANNELS, N_CHANNELS, WINDOW_SECONDS

if TYPE_CHECKING:
    from eav_offline.preprocess import PreprocessSettings

EYE, MODEL, RECORDED = later("Eye"), later("Model"), later("Raw")
FILTERS = {
    EYE: later("Filtered for the eye, 0.5 to 40 Hz"),
    MODEL: later("The newest window as the model reads it"),
    RECORDED: later("As recorded, each electrode about its mean"),
}
_TURN_SECONDS = 4.0  # that the traces go back by at a time
_LOOK_SECONDS = 0.1  # between two pictures of what is not filtered as it comes
_REACH = 1.6  # rows that a trace may rise before it is cut off
_HEADROOM = 1.3  # rows above the first trace, for its blinks


class TracesView(Card):
    """The EEG panel: electrode names, traces, the window's five seconds, µV +/-.

    filtering: one of `FILTERS`. settings: of the model, see `as_the_model`. held: the
    right edge, seconds, while an earlier picture is looked at; None while it is live.
    """

    def __init__(self) -> None:
        super().__init__("EEG")
        self.buffer = TraceBuffer()
        self.filtering = EYE
        self.settings: PreprocessSettings | None = None
        self.shown: TraceBuffer | Points = self.buffer
        self._looked_until = np.nan  # stamp of the newest sample in it
        self.held: float | None = None
        self._ring: SampleRing | None = None
        self._ago = 0  # seconds that the axis says of the right edge
        self._filter = button("", self.step_filter, "tab")
        self.interpolated: tuple[str, ...] = ()
        self.bad: dict[str, str] = {}
        self._left_out = ""
        self._chosen = False  # the scale was set by hand
        self.scale_uv = 50
        self._letters = 1.0
        self._scale_label = label("", "muted")
        self._minus, self._plus = QPushButton("−"), QPushButton("+")
        self._minus.setToolTip(tr("Smaller traces: more µV a row (key −)"))
        self._plus.setToolTip(tr("Larger traces: fewer µV a row (key +)"))
        self._minus.setAccessibleName(tr("Smaller traces"))
        self._plus.setAccessibleName(tr("Larger traces"))
        self._minus.clicked.connect(lambda: self.zoom(-1))
        self._plus.clicked.connect(lambda: self.zoom(1))
        for one in (self._minus, self._plus, self._filter):
            one.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        parts = (self._filter, self._minus, self._scale_label, self._plus)
        fill(self.header, *parts)
        self._plot = self._make_plot()
        self.set_body(self._make_body())
        self._name_rows()
        self._show_filter()
        self._show_scale()

    def _make_body(self) -> QWidget:
        return self._plot

    def _make_plot(self) -> pg.PlotWidget:
        plot = scrolling_plot(SHOWN_SECONDS, 0.1 - N_CHANNELS, _HEADROOM)
        plot.setAccessibleName(tr("EEG traces"))
        self._window = window = pg.LinearRegionItem(
            (-WINDOW_SECONDS, 0.0), movable=False
        )
        window.setBrush(theme.faded("#7fa8d8", 0.08))
        window.setZValue(-10)
        for edge in window.lines:
            edge.setPen(pg.mkPen(theme.faded("#7fa8d8", 0.35)))
        plot.addItem(window)
        # One curve for many traces: a `connect` array breaks it between electrodes,
        # at two to four times the frame rate of a curve for each.
        self._measured = pg.PlotCurveItem(pen=pg.mkPen(theme.TRACE), antialias=False)
        self._computed = pg.PlotCurveItem(pen=pg.mkPen(theme.AMBER), antialias=False)
        self._bad = pg.PlotCurveItem(pen=pg.mkPen(theme.BAD), antialias=False)
        plot.addItem(self._bad)
        plot.addItem(self._measured)
        plot.addItem(self._computed)
        return plot

    def step_filter(self) -> None:
        """Show the traces by the next of `FILTERS`."""
        names = list(FILTERS)
        self.filtering = names[(names.index(self.filtering) + 1) % len(names)]
        self._looked_until = np.nan
        self._show_filter()
        self._hold()

    def look_back(self, steps: int) -> None:
        """Hold an earlier (-1) or later (+1) picture of what the ring keeps.

        At the newest they are live again.
        """
        ring = self._ring
        times = np.zeros(0) if ring is None else ring.latest(np.inf)[0]
        if not len(times):
            return
        oldest, newest = float(times[0]), float(times[-1])
        at = (newest if self.held is None else self.held) + steps * _TURN_SECONDS
        first = min(oldest + SHOWN_SECONDS, newest)
        self.held = None if at >= newest else max(at, first)
        self._hold()

    def go_live(self) -> None:
        """Show the newest again."""
        self.held = None
        self._hold()

    def _hold(self) -> None:
        """Compute what is held, once."""
        self._window.setVisible(self.held is None)
        self._looked_until = np.nan
        if self.held is None or self._ring is None:
            return
        if self.filtering == EYE:
            self.shown = for_the_eye(self._ring, self.held)
        elif self.filtering == RECORDED:
            self.shown = as_recorded(self._ring, until=self.held)
        else:
            self.shown = as_the_model(self._ring, self.settings, self.held)

    def _show_times(self, now: float) -> None:
        """Let the axis say how long ago it is."""
        ago = 0 if self.held is None else max(1, round(now - self.held))
        if ago != self._ago:
            self._ago = ago
            show_times(self._plot, SHOWN_SECONDS, ago)

    def zoom(self, steps: int) -> None:
        """Make traces larger (+1) or smaller (-1) by a step of `SCALES_UV`."""
        self._chosen = True
        self._set_scale(SCALES_UV.index(self.scale_uv) - steps)

    def refresh(
        self, ring: SampleRing | None, interpolated: tuple[str, ...], now: float
    ) -> None:
        """Show the ring's last seconds; `now`, seconds, is the right edge."""
        if ring is None:
            return
        self._take_interpolated(interpolated)
        self._ring = ring
        self.buffer.update(ring)
        self._look(ring)
        self._show_times(now)
        now = now if self.held is None else self.held
        if not self._chosen and len(self.buffer.times) > 2 * POINT_RATE:
            settled = self.buffer.values[round(POINT_RATE) :]
            self._set_scale(SCALES_UV.index(suitable_scale(settled)))
            self._chosen = True
        computed = np.isin(EEG_CHANNELS, interpolated)
        bad = np.isin(EEG_CHANNELS, list(self.bad)) & ~computed
        self._draw(self._measured, np.flatnonzero(~computed & ~bad), now)
        self._draw(self._computed, np.flatnonzero(computed), now)
        self._draw(self._bad, np.flatnonzero(bad), now)

    def _look(self, ring: SampleRing) -> None:
        """Bring what is drawn up to date."""
        if self.held is not None:
            return
        newest = -np.inf if ring.newest is None else ring.newest
        if self.filtering == EYE:
            self.shown = self.buffer
        elif not 0 <= newest - self._looked_until < _LOOK_SECONDS:
            self._looked_until = newest
            if self.filtering == RECORDED:
                self.shown = as_recorded(ring)
            else:
                self.shown = as_the_model(ring, self.settings)

    def _take_interpolated(self, interpolated: tuple[str, ...]) -> None:
        if interpolated != self.interpolated:
            self.interpolated = interpolated
            self._name_rows()
            self._write_note()

    def set_quality(self, bad: Mapping[str, str], note: str) -> None:
        """Mark bad electrodes (name -> fault). note: why the EEG is left out."""
        if dict(bad) != self.bad:
            self.bad = dict(bad)
            self._name_rows()
        self._left_out = note
        self._write_note()

    def _write_note(self) -> None:
        computed = self.interpolated
        texts = [
            self._left_out,
            said(faults_text(self.bad)),
            tr("interpolated: {names}", names=listed([*computed])) if computed else "",
        ]
        self.set_note(tr("; ").join(text for text in texts if text))

    def _name_rows(self) -> None:
        """Electrode names beside their traces; a cross stands at the bad ones."""
        ticks = [
            (-float(i), f"× {name}" if name in self.bad else name)
            for i, name in enumerate(EEG_CHANNELS)
        ]
        self._plot.getAxis("left").setTicks([ticks])

    def _draw(self, curve: pg.PlotCurveItem, rows: np.ndarray, now: float) -> None:
        shown = self.shown
        n = len(shown.times)
        if n == 0 or len(rows) == 0:
            curve.setData(x=np.zeros(0), y=np.zeros(0))
            return
        # Numbers that are not would break the curve off; a bad trace stays at zero.
        y = np.nan_to_num(shown.values[:, rows].T / self.scale_uv, posinf=0, neginf=0)
        np.clip(y, -_REACH, _REACH, out=y)
        y -= rows[:, None]
        joined = np.empty(y.shape, dtype=np.int32)
        joined[:] = ~shown.breaks
        joined[:, -1] = 0
        curve.setData(
            x=np.tile(shown.times - now, len(rows)),
            y=y.ravel(),
            connect=joined.ravel(),
            skipFiniteCheck=True,
        )

    def _set_scale(self, index: int) -> None:
        self.scale_uv = SCALES_UV[min(max(index, 0), len(SCALES_UV) - 1)]
        self._show_scale()

    def _show_filter(self) -> None:
        about = tr(FILTERS[self.filtering])
        self._filter.setText(tr(self.filtering))
        self._filter.setToolTip(tr("{about} (key F)", about=about))
        self._filter.setAccessibleName(tr("EEG filter. {about}", about=about))

    def _show_scale(self) -> None:
        self._scale_label.setText(f"{self.scale_uv} µV")
        self._scale_label.setToolTip(
            tr("{scale} µV from row to row", scale=self.scale_uv)
        )
        self._plus.setEnabled(self.scale_uv > SCALES_UV[0])
        self._minus.setEnabled(self.scale_uv < SCALES_UV[-1])

    def restyle(self) -> None:
        restyle_plot(self._plot)
        self._measured.setPen(pg.mkPen(theme.TRACE))
        self._computed.setPen(pg.mkPen(theme.AMBER))
        self._bad.setPen(pg.mkPen(theme.BAD))
        super().restyle()

    def set_scale(self, scale: float) -> None:
        super().set_scale(scale)
        self._letters = scale
        self._fit_letters()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep electrode names as tall as their rows allow."""
        super().resizeEvent(event)
        self._fit_letters()

    def _fit_letters(self) -> None:
        row = max(1.0, self._plot.height() - 30 * self._letters) / (
            N_CHANNELS + _HEADROOM
        )
        scale = self._letters
        scale_plot(self._plot, scale, min(14 * scale, 0.86 * row), 56, top=2)
