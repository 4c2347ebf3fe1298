"""Colors, dark or light, letters and the style sheet of the dashboard."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF

from eav_live.recognition.predictions import StreamState
from eav_offline.core import labels as colors

BACKGROUND = "#0f1319"
PANEL = "#171d26"
PANEL_DEEP = "#11161d"
LINE = "#2a3340"
TEXT = "#e8ecf2"
MUTED = "#94a0b0"
FAINT = "#5b6675"
TRACE = "#9fb8d6"
AMBER = "#e69f00"
GOOD = "#1fbf83"
BAD = "#f0524f"
HOVER = "#3a4656"
PANEL_HOVER = "#202835"
LEVEL = "#2f6f58"  # below letters
OVERLAY = "rgba(15, 19, 25, 242)"
ON_BAD = "#190000"
BANNER, ON_BANNER = "#e69f00", "#191200"

EMOTION_COLORS = dict(colors.EMOTION_COLORS)
EMOTION_COLOR_LIST = colors.EMOTION_COLOR_LIST


def _state_colors() -> dict[StreamState, str]:
    return {
        StreamState.OFF: FAINT,
        StreamState.CONNECTING: "#56b4e9",
        StreamState.LIVE: GOOD,
        StreamState.RETURNED: "#8fd694",
        StreamState.LATE: AMBER,
        StreamState.LOST: BAD,
        StreamState.REFUSED: BAD,
    }


STATE_COLORS = _state_colors()
_LIGHT = {
    "BACKGROUND": "#e9edf2",
    "PANEL": "#ffffff",
    "PANEL_DEEP": "#f1f4f8",
    "LINE": "#c3ccd8",
    "TEXT": "#14191f",
    "MUTED": "#4d5866",
    "FAINT": "#66717f",
    "TRACE": "#2f5d92",
    "AMBER": "#865600",
    "GOOD": "#0a7551",
    "BAD": "#c4211f",
    "HOVER": "#d5dde7",
    "PANEL_HOVER": "#f1f4f8",
    "LEVEL": "#a5d6c2",
    "OVERLAY": "rgba(255, 255, 255, 242)",
    "ON_BAD": "#ffffff",
}
# Okabe and Ito's gray and yellow vanish on a light ground.
_LIGHT_EMOTIONS = {"neutral": "#76818f", "happiness": "#d9c400"}
_LIGHT_STATES = {StreamState.CONNECTING: "#0b6fa8", StreamState.RETURNED: "#2d7d3a"}
_DARK = {name: globals()[name] for name in _LIGHT}

CENTERED = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
BASE_WIDTH, BASE_HEIGHT = 1280, 800  # where the scale is 1
MINIMUM_SIZE = (960, 600)  # pixels
SCALES = (0.75, 3.0)
FAMILIES = (
    *("Inter", "Noto Sans", "Segoe UI", "Helvetica Neue", "DejaVu Sans"),
    *("Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC"),  # for what those lack
)


def use(scheme: Qt.ColorScheme) -> None:
    """Take the colors of the system's scheme; dark ones where that is not known."""
    light = scheme == Qt.ColorScheme.Light
    globals().update(_DARK | (_LIGHT if light else {}))
    EMOTION_COLORS.update(colors.EMOTION_COLORS | (_LIGHT_EMOTIONS if light else {}))
    globals()["EMOTION_COLOR_LIST"] = tuple(EMOTION_COLORS.values())
    STATE_COLORS.update(_state_colors() | (_LIGHT_STATES if light else {}))


def scale_for(width: int, height: int) -> float:
    """How much larger letters are than at 1280x800, for a window of this size."""
    scale = min(width / BASE_WIDTH, height / BASE_HEIGHT)
    return round(min(max(scale, SCALES[0]), SCALES[1]) * 20) / 20


def font(pixels: float, bold: bool = False) -> QFont:
    """Letters of a given height in pixels."""
    letters = QFont()
    letters.setFamilies(list(FAMILIES))
    letters.setPixelSize(max(7, round(pixels)))
    letters.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return letters


def fitted(text: str, room: QRectF, most: float, bold: bool = False) -> QFont:
    """The largest letters in which all of a text, wrapped at words, is seen in `room`.

    most: pixels; a fifth of that is the least.
    """
    for pixels in (most * 0.92**k for k in range(20)):
        letters = font(pixels, bold)
        needed = QFontMetricsF(letters).boundingRect(room, int(CENTERED), text)
        if needed.height() <= room.height() and needed.width() <= room.width():
            break
    return letters


def faded(color: str, alpha: float) -> QColor:
    """The color with `alpha` in [0, 1]."""
    result = QColor(color)
    result.setAlphaF(alpha)
    return result


def style_sheet(scale: float) -> str:
    """The whole window's style at `scale`."""

    def px(size: float) -> str:
        return f"{max(1, round(size * scale))}px"

    families = ", ".join(f'"{family}"' for family in FAMILIES)
    return f"""
    QWidget {{ color: {TEXT}; font-family: {families}; font-size: {px(14)}; }}
    QWidget#dashboard {{ background: {BACKGROUND}; }}
    QFrame[role="card"] {{
        background: {PANEL}; border: 1px solid {LINE}; border-radius: {px(8)};
    }}
    QLabel {{ background: transparent; border: none; }}
    QLabel[role="brand"] {{ font-size: {px(20)}; font-weight: 600; }}
    QLabel[role="heading"] {{ font-size: {px(24)}; font-weight: 600; }}
    QLabel[role="title"] {{ font-size: {px(15)}; font-weight: 600; }}
    QLabel[role="muted"] {{ color: {MUTED}; font-size: {px(13)}; }}
    QLabel[role="warning"] {{ color: {AMBER}; font-size: {px(13)}; }}
    QLabel[role="bad"] {{ color: {BAD}; font-size: {px(13)}; }}
    QLabel[role="banner"] {{
        background: {BANNER}; color: {ON_BANNER}; font-size: {px(16)}; font-weight: 600;
        padding: {px(5)}; border-radius: {px(6)};
    }}
    QLabel[role="model"] {{
        background: {PANEL}; border: 1px solid {LINE}; padding: {px(4)};
        border-radius: {px(6)};
    }}
    QLabel[role="section"] {{
        color: {MUTED}; font-size: {px(13)}; font-weight: 600; padding-top: {px(9)};
    }}
    QDialog, QScrollArea, QWidget[role="page"] {{
        background: {BACKGROUND}; border: none;
    }}
    QFrame[role="card"] QScrollArea, QFrame[role="card"] QScrollBar {{
        background: transparent;
    }}
    QScrollBar:vertical {{ background: {BACKGROUND}; width: {px(11)}; }}
    QScrollBar::handle:vertical {{
        background: {LINE}; border-radius: {px(4)}; min-height: {px(30)};
    }}
    QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
    QLabel[role="overlay"] {{
        background: {OVERLAY}; border: 1px solid {LINE};
        border-radius: {px(8)}; padding: {px(10)}; font-size: {px(15)};
    }}
    QPushButton {{
        background: {LINE}; border: none; border-radius: {px(5)};
        min-width: {px(26)}; min-height: {px(22)}; font-size: {px(16)};
        font-weight: 600;
    }}
    QPushButton[role="words"] {{
        font-size: {px(14)}; padding: {px(2)} {px(12)};
    }}
    QPushButton[role="tab"] {{
        background: {PANEL}; border: 1px solid {LINE}; color: {MUTED};
        font-size: {px(13)}; font-weight: 400; padding: 0 {px(7)};
    }}
    QPushButton[role="tab"]:checked {{ background: {LINE}; color: {TEXT}; }}
    QPushButton[role="action"] {{
        background: {PANEL}; border: {px(2)} solid {LINE}; border-radius: {px(8)};
    }}
    QPushButton[role="action"]:hover {{ background: {PANEL_HOVER}; }}
    QPushButton[role="action"]:focus {{ border: {px(2)} solid {TRACE}; }}
    QPushButton[role="action"] QLabel:disabled {{ color: {FAINT}; }}
    QLabel[role="key"] {{
        background: {LINE}; border-radius: {px(5)}; padding: {px(4)};
        font-weight: 600;
    }}
    QPushButton:hover {{ background: {HOVER}; }}
    QPushButton[role="alarm"] {{
        background: {BAD}; color: {ON_BAD}; padding: {px(5)}; text-align: left;
    }}
    QPushButton:disabled {{ color: {FAINT}; }}
    QPushButton:focus, QComboBox:focus, QLineEdit:focus, QLabel:focus {{
        border: {px(2)} solid {TRACE};
    }}
    QLineEdit, QComboBox {{
        background: {PANEL_DEEP}; border: {px(2)} solid {LINE};
        border-radius: {px(5)}; padding: {px(3)}; font-size: {px(14)};
    }}
    QComboBox QAbstractItemView {{ background: {PANEL}; }}
    QFileDialog, QTreeView, QListView, QHeaderView, QHeaderView::section {{
        background: {PANEL_DEEP}; border: none; color: {TEXT};
    }}
    QListWidget {{ border: {px(2)} solid {LINE}; border-radius: {px(5)}; }}
    QListWidget:focus {{ border: {px(2)} solid {TRACE}; }}
    QListWidget::item {{ padding: {px(6)}; }}
    QTreeView::item:selected, QListView::item:selected {{
        background: {LINE}; color: {TEXT};
    }}
    QToolButton {{ background: {LINE}; border: none; border-radius: {px(4)}; }}
    QCheckBox::indicator {{ width: {px(16)}; height: {px(16)}; }}
    QProgressBar {{
        background: {PANEL_DEEP}; border: none; border-radius: {px(5)};
        text-align: center; font-size: {px(13)};
    }}
    QProgressBar::chunk {{ background: {LINE}; border-radius: {px(5)}; }}
    QProgressBar[role="level"]::chunk {{ background: {LEVEL}; }}
    QToolTip {{
        background: {PANEL_DEEP}; color: {TEXT}; border: 1px solid {LINE};
        padding: {px(4)};
    }}
    """
