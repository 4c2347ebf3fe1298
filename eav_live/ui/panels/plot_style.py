"""The colors of a plot, for when the theme changes under it."""

import pyqtgraph as pg

from eav_live.ui import theme


def restyle_plot(plot: pg.PlotWidget) -> None:
    """Give ground and axes the colors of the theme."""
    plot.setBackground(theme.PANEL_DEEP)
    for axis in (plot.getAxis("left"), plot.getAxis("bottom")):
        axis.setPen(pg.mkPen(theme.LINE))
        axis.setTextPen(pg.mkPen(theme.MUTED))
