"""Plots of the last seconds, up to now, in the colors of the theme."""

import pyqtgraph as pg

from eav_live.ui import theme
from eav_live.ui.words import tr


def scrolling_plot(seconds: float, low: float, high: float) -> pg.PlotWidget:
    """A plot of the last `seconds` up to now, without a mouse; its height is given."""
    plot = pg.PlotWidget()
    restyle_plot(plot)
    plot.setMenuEnabled(False)
    plot.setMouseEnabled(False, False)
    plot.hideButtons()
    plot.setFrameShape(plot.Shape.NoFrame)
    plot.setXRange(-seconds, 0.0, padding=0)
    plot.setYRange(low, high, padding=0)
    for axis in (plot.getAxis("left"), plot.getAxis("bottom")):
        axis.setStyle(tickLength=0)
    show_times(plot, seconds)
    return plot


def show_times(plot: pg.PlotWidget, seconds: float, ago: int = 0) -> None:
    """Name the times below a plot whose right edge was `ago` seconds before now."""
    ticks = [
        (-float(s), tr("−{seconds} s", seconds=ago + s))
        for s in range(2, int(seconds), 2)
    ]
    edge = tr("−{seconds} s", seconds=ago) if ago else tr("now")
    plot.getAxis("bottom").setTicks([ticks, [(0.0, edge)]])


def restyle_plot(plot: pg.PlotWidget) -> None:
    """Give ground and axes the colors of the theme."""
    plot.setBackground(theme.PANEL_DEEP)
    for axis in (plot.getAxis("left"), plot.getAxis("bottom")):
        axis.setPen(pg.mkPen(theme.LINE))
        axis.setTextPen(pg.mkPen(theme.MUTED))


def scale_plot(
    plot: pg.PlotWidget, scale: float, letters: float, width: float, top: float
) -> None:
    """Fit a plot's axes. letters: pixels of the left one's, width: of it; at `scale`.

    top: pixels above the plot.
    """
    left, bottom = plot.getAxis("left"), plot.getAxis("bottom")
    left.setTickFont(theme.font(letters))
    left.setWidth(round(width * scale))
    bottom.setTickFont(theme.font(12 * scale))
    bottom.setHeight(round(24 * scale))
    # How far "now" may reach beyond the axis.
    bottom.setStyle(hideOverlappingLabels=round(30 * scale))
    plot.getPlotItem().setContentsMargins(0, round(top), round(16 * scale), 0)
