"""How every figure of a report is drawn: one style, no display, SVG in a data URI."""

import base64
import io
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eav_offline.labels import EMOTIONS, N_EMOTIONS

INK = "#1d2530"
SLATE, CRIMSON = "#475467", "#c11574"  # of two curves that are no models
MUTED = "#667085"
GRID = "#e3e7ee"
CHANCE = 1 / N_EMOTIONS
_PIXELS_PER_INCH = 96  # at which letters have the size of the page's
# Of models, in the order of the tables: apart in hue and in lightness, and none of them
# an emotion's colour.
MODEL_COLOURS = ("#2b4c7e", "#c9803a", "#7a4e9e", "#5b8c3a", "#b23a5b", "#3c8f94")
MODEL_MARKERS = ("o", "s", "^", "D", "v", "P")

_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": "#98a2b3",
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
    "xtick.color": "#475467",
    "ytick.color": "#475467",
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "figure.facecolor": "white",
    "svg.fonttype": "none",  # letters stay letters: small, and sharp at any size
    "svg.hashsalt": "eav",  # the same figures give the same bytes
}


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
    svg = io.BytesIO()
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=size, layout="constrained")
        paint(figure)
        figure.savefig(svg, format="svg", metadata={"Date": None})
    encoded = base64.b64encode(svg.getvalue()).decode("ascii")
    uri = f"data:image/svg+xml;base64,{encoded}"
    return Drawing(uri, alt, caption, width=round(size[0] * _PIXELS_PER_INCH))


def colour_of(i: int) -> str:
    """The colour of the i-th model."""
    return MODEL_COLOURS[i % len(MODEL_COLOURS)]


def marker_of(i: int) -> str:
    """The mark of the i-th model's points; differs when colours come round again."""
    return MODEL_MARKERS[(i + i // len(MODEL_COLOURS)) % len(MODEL_MARKERS)]


def percent_axis(axis: matplotlib.axis.Axis) -> None:
    """Label shares as whole percents."""
    axis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def chance_line(axes: Axes) -> None:
    """The accuracy of guessing among five even classes."""
    axes.axhline(CHANCE, color=MUTED, linewidth=1, linestyle=(0, (2, 3)), zorder=1)


def chance_label(axes: Axes) -> None:
    """Name the chance line at the right end of the axes."""
    axes.annotate(
        f"chance {100 * CHANCE:.0f} %",
        (1, CHANCE),
        xycoords=("axes fraction", "data"),
        xytext=(-2, 3),
        textcoords="offset points",
        ha="right",
        color=MUTED,
        fontsize=8.5,
    )


def wrapped(name: str, width: int = 30) -> str:
    """A long name on several lines."""
    return textwrap.fill(name, width)


def listing(parts: Sequence[str]) -> str:
    """a, b and c."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def emotion_labels() -> list[str]:
    """The emotions as they are written at axes."""
    return [emotion.capitalize() for emotion in EMOTIONS]
