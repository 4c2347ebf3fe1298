"""The scrolling EEG: a display filter that keeps state, thirty traces in one plot."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
import scipy
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QWidget

from eav_live.ui import theme
from eav_live.ui.panels.card import Card, button, fill, label
from eav_live.ui.panels.plots import (
    restyle_plot,
    scale_plot,
    scrolling_plot,
    show_times,
)
from eav_live.ui.words import later, listed, said, tr
from eav_live.windows.quality import faults_text
from eav_live.windows.rings import SampleRing, new_stretches
from eav_offline.core.stamps import SAMPLE_GAP_SECONDS
from eav_offline.core.window import EEG_CHANNELS, EEG_RATE, N_CHANNELS, WINDOW_SECONDS

if TYPE_CHECKING:
    from eav_offline.preprocess import PreprocessSettings

SHOWN_SECONDS = 8.0
SHOWN_BAND = (0.5, 40.0)  # Hz; the upper edge keeps mains hum out of the picture
POINT_RATE = 100.0  # Hz, about one point a pixel; the filter leaves nothing above
SCALES_UV = (5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000)  # µV a row
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


@dataclass(frozen=True)
class Points:
    """What is drawn: times (n,), seconds; values (n, 30), µV; breaks (n,), whether a
    point is not joined to the next."""

    times: np.ndarray
    values: np.ndarray
    breaks: np.ndarray


def for_the_eye(ring: SampleRing, until: float) -> Points:
    """The picture's seconds up to `until`, as `TraceBuffer` filters them."""
    buffer = TraceBuffer(seconds=np.inf)
    buffer.update(ring)
    begin, end = np.searchsorted(buffer.times, (until - SHOWN_SECONDS, until))
    part = slice(begin, end + 1)
    return Points(buffer.times[part], buffer.values[part], buffer.breaks[part])


def as_recorded(ring: SampleRing, until: float = np.inf) -> Points:
    """The ring's last seconds, or those up to `until`, without a filter, each
    electrode about its mean.

    Thinned to the least and the greatest of every few samples, so that no peak is lost.
    """
    times, values = ring.latest(SHOWN_SECONDS if until == np.inf else np.inf)
    if until != np.inf:
        part = slice(*np.searchsorted(times, (until - SHOWN_SECONDS, until)))
        times, values = times[part], values[part]
    half = max(1, round(ring.rate / POINT_RATE))
    size, step = 2 * half, 2 * half / ring.rate
    # On a grid of time, so that points stay put as they scroll.
    first = int(np.searchsorted(times, step * np.ceil(times[:1] / step)).sum())
    n = (len(times) - first) // size
    within = slice(first, first + n * size)
    counts = np.isfinite(values)  # one that is no number must not move all others
    total = np.where(counts, values, 0.0).sum(axis=0, dtype=np.float64)
    centered = values[within] - total / np.maximum(counts.sum(axis=0), 1)
    groups = centered.reshape(n, size, N_CHANNELS)
    shown = np.stack([groups.min(axis=1), groups.max(axis=1)], axis=1)
    at = times[within][::half]
    breaks = np.diff(at, append=np.inf) > SAMPLE_GAP_SECONDS
    return Points(at, shown.reshape(2 * n, N_CHANNELS), breaks)


def as_the_model(
    ring: SampleRing, settings: "PreprocessSettings | None", until: float = np.inf
) -> Points:
    """The ring's newest window as it is prepared for a model; empty if there is none.

    settings: of the model; None for those of most. until: its end, if not the newest.
    """
    from eav_live.windows.cut import Rings, cut_window
    from eav_offline.preprocess import PreprocessSettings, prepare

    newest, eeg = ring.newest, None
    if newest is not None:
        end = min(newest, until) + 1 / ring.rate  # of the last sample
        raw = cut_window(Rings(ring, None, None), end, end).raw
        eeg = prepare(raw, settings or PreprocessSettings()).eeg
    if eeg is None:
        return Points(np.zeros(0), np.zeros((0, N_CHANNELS)), np.zeros(0, dtype=bool))
    times = end - WINDOW_SECONDS + np.arange(eeg.shape[1]) / EEG_RATE
    return Points(times, eeg.T, np.zeros(len(times), dtype=bool))


class TraceBuffer:
    """The last seconds of a sample ring, filtered for the eye and thinned.

    Each sample is filtered once, when it is new; a gap starts the filter anew and
    leaves a break in the traces.
    """

    def __init__(self, seconds: float = SHOWN_SECONDS) -> None:
        self.seconds = seconds
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._ring: SampleRing | None = None
        self._last = -np.inf  # stamp of the newest sample taken
        self._count = 0  # samples since the last gap
        self._state: np.ndarray | None = None
        self.times = np.zeros(0)  # (points,) seconds
        self.values = np.zeros((0, N_CHANNELS), dtype=np.float32)  # (points, 30) µV
        self.breaks = np.zeros(0, dtype=bool)  # (points,): not joined to the next

    def update(self, ring: SampleRing) -> None:
        """Take what the ring has had since the last call."""
        newest = ring.newest
        if ring is not self._ring or (newest is not None and newest < self._last):
            self.reset()
            self._ring = ring
            self._stride = max(1, round(ring.rate / POINT_RATE))
            upper = min(SHOWN_BAND[1], 0.45 * ring.rate)
            self._sections = np.vstack(
                [
                    scipy.signal.butter(
                        2, SHOWN_BAND[0], "highpass", fs=ring.rate, output="sos"
                    ),
                    scipy.signal.butter(
                        4, upper, "lowpass", fs=ring.rate, output="sos"
                    ),
                ]
            )
        stretches = new_stretches(ring, self._last, self.seconds)
        for times, values in stretches:
            self._append(times, values)
        if not stretches:
            return
        keep = int(np.searchsorted(self.times, self.times[-1] - self.seconds))
        if keep:
            self.times = self.times[keep:]
            self.values = self.values[keep:]
            self.breaks = self.breaks[keep:]

    def _append(self, times: np.ndarray, values: np.ndarray) -> None:
        if times[0] - self._last > SAMPLE_GAP_SECONDS:
            self._state = None
            self._count = 0
            if len(self.breaks):
                self.breaks[-1] = True
        self._last = float(times[-1])
        # A filter that has seen one number that is none gives nothing else for ever.
        values = np.where(np.isfinite(values), values, 0.0)
        if self._state is None:
            settled = scipy.signal.sosfilt_zi(self._sections)  # (sections, 2)
            self._state = settled[:, :, None] * values[0].astype(np.float64)
        shown, self._state = scipy.signal.sosfilt(
            self._sections, values, axis=0, zi=self._state
        )
        # Every stride-th sample since the gap, so that points stay put as they scroll.
        first = -self._count % self._stride
        self._count += len(times)
        picked = slice(first, None, self._stride)
        self.times = np.concatenate([self.times, times[picked]])
        self.values = np.concatenate([self.values, shown[picked].astype(np.float32)])
        self.breaks = np.concatenate(
            [self.breaks, np.zeros(len(times[picked]), dtype=bool)]
        )


def suitable_scale(values_uv: np.ndarray) -> int:
    """µV a row at which most of the traces (points, 30) stay clear of each other."""
    spread = np.median(np.percentile(np.abs(values_uv), 90, axis=0))
    return next((s for s in SCALES_UV if s >= 2.0 * spread), SCALES_UV[-1])


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
