"""How every figure of a report is drawn: one style, no display, SVG in a data URI."""

import base64
import io
import textwrap
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from eav_offline.core.labels import EMOTIONS

INK = "#1d2530"
SLATE, CRIMSON = "#475467", "#c11574"  # of two curves that are no models
MUTED = "#667085"
GRID, RANGE, EDGE = "#e3e7ee", "#d0d5dd", "#98a2b3"
CARD = "#fefefe"  # what figures stand on, where something must be hidden
_PIXELS_PER_INCH = 96  # at which letters have the size of the page's
# Of models, in the order of the tables: apart in hue and in lightness, and none of them
# an emotion's color.
MODEL_COLORS = ("#2b4c7e", "#c9803a", "#7a4e9e", "#5b8c3a", "#b23a5b", "#3c8f94")
# What each of these becomes where the reader's browser is dark; the rest stays.
DARK = {
    INK: "#e8ecf2",
    SLATE: "#b4c0d0",
    CRIMSON: "#f27fc0",
    MUTED: "#a3aebd",
    GRID: "#2f3947",
    RANGE: "#465163",
    EDGE: "#6b7788",
    CARD: "#171d26",
    "#2b4c7e": "#7fa8e0",
    "#7a4e9e": "#b792d6",
    "#b23a5b": "#e57f9b",
}
# Shares as blue over whatever the page is, so that little stays the page's color.
SHARES = LinearSegmentedColormap.from_list(
    "shares", [(0.1, 0.38, 0.65, a) for a in (0, 1)]
)
QUIET = {"color": MUTED, "fontsize": 8.5}  # letters that are not the point
MODEL_MARKERS = ("o", "s", "^", "D", "v", "P")

_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": EDGE,
    "axes.labelcolor": INK,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": SLATE,
    "ytick.color": SLATE,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "figure.facecolor": "none",  # the page shows through, light or dark
    "axes.facecolor": "none",
    "svg.fonttype": "none",  # letters stay letters: small, and sharp at any size
    "svg.hashsalt": "eav",  # the same figures give the same bytes
}


# matplotlib writes colors into style attributes, where only !important beats them. The
# ground is for figures opened by themselves; on the page it is the card's own.
_DARK_STYLE = (
    "@media (prefers-color-scheme: dark) {"
    f"svg {{background: {DARK[CARD]}}}"
    + "".join(
        f'[style*="{what}: {light}"] {{{what}: {dark} !important}}'
        for light, dark in DARK.items()
        for what in ("fill", "stroke")
    )
    + "}"
)


@dataclass(frozen=True)
class Drawing:
    """A figure of the page. alt: what it shows, for those who do not see it.

    width: pixels that it needs to be read; a narrower screen scrolls.
    """

    uri: str
    alt: str
    caption: str
    width: int


def draw(
    size: tuple[float, float],
    paint: Callable[[Figure], None],
    alt: str,
    caption: str = "",
) -> Drawing:
    """Let `paint` fill a figure of (width, height) inches and encode it."""
    svg = io.StringIO()
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=size)
        paint(figure)
        # Once: as the figure's own layout it would be done anew at every drawing.
        ConstrainedLayoutEngine().execute(figure)
        figure.savefig(svg, format="svg", metadata={"Date": None})
    text = svg.getvalue().replace("<defs>", f"<style>{_DARK_STYLE}</style><defs>", 1)
    encoded = base64.b64encode(text.encode()).decode("ascii")
    uri = f"data:image/svg+xml;base64,{encoded}"
    return Drawing(uri, alt, caption, width=round(size[0] * _PIXELS_PER_INCH))


def color_of(i: int) -> str:
    """The color of the i-th model."""
    return MODEL_COLORS[i % len(MODEL_COLORS)]


def dark_color(color: str) -> str:
    """What a color of a figure becomes in the dark."""
    return DARK.get(color, color)


def marker_of(i: int) -> str:
    """The mark of the i-th model's points; differs when colors come round again."""
    return MODEL_MARKERS[(i + i // len(MODEL_COLORS)) % len(MODEL_MARKERS)]


def percent_axis(axis: matplotlib.axis.Axis) -> None:
    """Label shares as whole percents."""
    axis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def chance_line(axes: Axes, knows: Collection[str]) -> None:
    """The accuracy of guessing among as many even classes."""
    axes.axhline(
        1 / len(knows), color=MUTED, linewidth=1, linestyle=(0, (2, 3)), zorder=1
    )


def chance_label(axes: Axes, knows: Collection[str]) -> None:
    """Name the chance line at the right end of the axes."""
    place, chance = ("axes fraction", "data"), 1 / len(knows)
    text = f"chance {100 * chance:.0f} %"
    note(axes, text, (1, chance), (-2, 3), place, ha="right", **QUIET)


def note(
    axes: Axes,
    text: str,
    at: tuple[float, float],
    offset: tuple[float, float],
    coordinates: Any = "data",
    **how: Any,
) -> None:
    """Write beside a place, so many points away from it."""
    axes.annotate(
        text, at, xycoords=coordinates, xytext=offset, textcoords="offset points", **how
    )


def matrix(
    axes: Axes,
    shares: np.ndarray,
    columns: Sequence[str],
    rows: Sequence[str],
    bold: bool = False,
) -> None:
    """Percents of a confusion matrix (n, n) of shares, what is right perhaps bold.

    columns, rows: labels; no rows for none.
    """
    axes.imshow(shares, cmap=SHARES, vmin=0, vmax=1)
    for (i, k), share in np.ndenumerate(shares):
        axes.text(
            k,
            i,
            f"{100 * share:.0f}",
            ha="center",
            va="center",
            color="white" if share > 0.6 else INK,
            fontweight="bold" if bold and i == k else "normal",
        )
    axes.set_xticks(range(len(shares)), columns)
    axes.set_yticks(range(len(shares)), rows)
    axes.tick_params(length=0)
    axes.grid(False)


def wrapped(name: str, width: int = 30) -> str:
    """A long name on several lines."""
    return textwrap.fill(name, width)


def listing(parts: Sequence[str]) -> str:
    """a, b and c."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def emotion_labels(knows: Collection[str] = EMOTIONS) -> list[str]:
    """The emotions as they are written at axes."""
    return [emotion.capitalize() for emotion in knows]
