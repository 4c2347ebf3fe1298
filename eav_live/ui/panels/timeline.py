"""The session so far: smoothed probabilities, decision, and ground truth."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen, QWheelEvent

from eav_live.recognition.predictions import Prediction
from eav_live.recording.forgetting import TIMELINE_NAME
from eav_live.ui import theme
from eav_live.ui.panels.card import Canvas, Card, button, fill
from eav_live.ui.panels.history import (
    FINE_SECONDS,
    History,
    TimelinePoint,
    runs,
    stretches,
    write_csv,
)
from eav_live.ui.panels.timeline_rows import (
    TICK_SECONDS,
    Flags,
    Legend,
    clock_text,
    draw_flags,
    draw_name,
    draw_stack,
)
from eav_live.ui.words import later, tr
from eav_offline.common.files import private_files
from eav_offline.core.labels import EMOTIONS

TIMELINE_KEYS = (
    ("\u2190  \u2192", later("the timeline back, on")),
    ("Z", later("zoom into the timeline; with Shift out")),
    ("Home", later("the timeline back to now")),
    ("X", later("save the timeline as a picture and a table")),
)
_GAP_SECONDS = 2.0  # predictions further apart (and three hops) are not joined
_LEAST_SECONDS = 10.0  # shown at once
_SCROLL = 0.25  # of what is shown, by one key
_MOST_TICKS = 5


class TimelinePlot(Canvas):
    """Paints a span of the history: stacked probabilities over strips.

    The strips are the decision's, the truth's and, once there are any, that of marks.
    end: the right edge, seconds; None follows `now`. seconds: from edge to edge. moved:
    another span is shown.
    """

    moved = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.history = History()
        self.now = 0.0
        self.hop = 0.5
        self.seconds = FINE_SECONDS
        self.end: float | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Timeline"))

    @property
    def truth_shown(self) -> bool:
        """Whether there is a strip of ground truth."""
        history = self.history
        return any(p.truth is not None for p in (*history.points, *history.older))

    @property
    def span(self) -> tuple[float, float]:
        """From when to when is shown, seconds."""
        last = self.now if self.end is None else self.end
        return last - self.seconds, last

    def zoom(self, steps: int) -> None:
        """Show half as much (+1) or twice as much (-1), up to the whole session."""
        first, last = self.span
        begin = self.history.begin
        whole = 0.0 if begin is None else self.now - begin
        seconds = self.seconds * 0.5**steps
        self.seconds = min(max(seconds, _LEAST_SECONDS), max(whole, FINE_SECONDS))
        if self.end is not None:
            self._go_to((first + last + self.seconds) / 2)
        self._tell()

    def go(self, steps: int) -> None:
        """Go on (+1) or back (-1) by a quarter of what is shown."""
        self._go_to(self.span[1] + steps * _SCROLL * self.seconds)
        self._tell()

    def go_home(self) -> None:
        """Follow the newest three minutes again."""
        self.end, self.seconds = None, FINE_SECONDS
        self._tell()

    def _go_to(self, end: float) -> None:
        begin = self.history.begin
        if begin is not None:
            end = max(end, begin + self.seconds)
        self.end = None if end >= self.now else end

    def _tell(self) -> None:
        self.update()
        self.moved.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom."""
        if event.angleDelta().y():
            self.zoom(1 if event.angleDelta().y() > 0 else -1)

    def event(self, event: QEvent) -> bool:
        """Have the keys + and - while it has the focus; else the traces have them."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(
            event, QKeyEvent
        ):
            if event.text() in _ZOOMS:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.text() in _ZOOMS:
            self.zoom(_ZOOMS[event.text()])
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the timeline."""
        s = self._scale
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        strips = {tr("decision"): "label", tr("truth"): "truth"}
        if not self.truth_shown:
            del strips[tr("truth")]
        left, right = 76 * s, self.width() - 18 * s
        strip, space, ticks = 14 * s, 6 * s, 20 * s
        marks = self.history.marks
        n_rows = len(strips) + bool(marks)
        bottom = self.height() - ticks - n_rows * (strip + space)
        area = QRectF(left, 6 * s, right - left, bottom - 6 * s)
        painter.fillRect(area, QColor(theme.PANEL_DEEP))
        gap = max(_GAP_SECONDS, 3 * self.hop)
        points = self.history.between(*self.span)
        painter.save()
        painter.setClipRect(area)
        for run in runs(points, gap):
            self._draw_stack(painter, area, run)
        painter.restore()
        self._draw_axes(painter, area)
        row = QRectF(left, bottom + space, right - left, strip)
        for name, said in strips.items():
            painter.fillRect(row, QColor(theme.PANEL_DEEP))
            self._draw_strip(painter, row, stretches(points, said, self.hop, gap))
            draw_name(painter, row, name, s)
            row.translate(0, strip + space)
        if marks:
            flags = Flags(tr("marks"), theme.AMBER, marks)
            draw_flags(painter, row, flags, lambda t: float(self._x(area, t)), s)

    def _x(self, area: QRectF, t: np.ndarray | float) -> np.ndarray:
        share = (np.asarray(t) - self.span[0]) / self.seconds
        return area.left() + area.width() * share

    def _draw_stack(
        self, painter: QPainter, area: QRectF, run: list[TimelinePoint]
    ) -> None:
        # A lone point still stands for the hop that it covers.
        times = np.array([run[0].first - self.hop, *(point.t for point in run)])
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
        for t, text in self._ticks():
            x = float(self._x(area, t))
            if area.left() + 1 < x < area.right() - 1:
                painter.setPen(grid)
                painter.drawLine(
                    round(x), round(area.top()), round(x), round(area.bottom())
                )
            box = QRectF(x - width / 2, self.height() - 19 * s, width, 19 * s)
            box.moveRight(min(box.right(), self.width()))
            painter.setPen(QColor(theme.MUTED))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _ticks(self) -> list[tuple[float, str]]:
        """Moments, seconds, and how they are called.

        Before now while it follows; else since the session's first estimate.
        """
        first, last = self.span
        step = next(
            (k for k in TICK_SECONDS if self.seconds / k <= _MOST_TICKS),
            TICK_SECONDS[-1],
        )
        if self.end is None:
            back = np.arange(0, self.seconds + 1e-6, step).tolist()
            return [(last - b, ago_text(b)) for b in back]
        begin = self.history.begin or first
        since = np.arange(step * np.ceil((first - begin) / step), last - begin, step)
        return [(begin + t, clock_text(t)) for t in since.tolist() if t >= 0]

    def _draw_strip(
        self, painter: QPainter, row: QRectF, said: Sequence[tuple[float, float, str]]
    ) -> None:
        for first, last, emotion in said:
            if emotion not in theme.EMOTION_COLORS:
                continue
            # To whole pixels, or hairlines show where neighbors meet.
            x = np.round(self._x(row, np.array([first, last])))
            x = x.clip(row.left(), row.right())
            painter.fillRect(
                QRectF(x[0], row.top(), x[1] - x[0], row.height()),
                QColor(theme.EMOTION_COLORS[emotion]),
            )


_ZOOMS = {"+": 1, "=": 1, "-": -1}


def ago_text(seconds: float) -> str:
    """How long ago a tick is, "\u22122 min", or "now"."""
    if seconds == 0:
        return tr("now")
    if seconds % 60:
        return tr("\u2212{seconds:g} s", seconds=seconds)
    return tr("\u2212{minutes:g} min", minutes=seconds / 60)


class TimelineView(Card):
    """The timeline panel with the legend of the emotions' colors.

    hop: seconds. knows: the emotions that the model can tell. model: its name.
    """

    def __init__(
        self, hop: float, knows: Collection[str] = EMOTIONS, model: str = ""
    ) -> None:
        super().__init__(tr("Last 3 minutes"))
        self.plot = TimelinePlot()
        self.plot.hop = hop
        self.plot.moved.connect(self._say_span)
        self.set_body(self.plot)
        self.back = button(tr("Back to now"), self.plot.go_home, "tab")
        self.back.hide()
        self._legend = Legend(knows)
        fill(self.header, 1, self.back, self._legend)
        self._model = model

    @property
    def keys(self) -> dict[str, Callable[[], object]]:
        """What keys do, for the window to bind."""
        return {
            "Left": partial(self.plot.go, -1),
            "Right": partial(self.plot.go, 1),
            "Z": partial(self.plot.zoom, 1),
            "Shift+Z": partial(self.plot.zoom, -1),
            "Home": self.plot.go_home,
            "X": self.export,
        }

    def add(self, prediction: Prediction) -> None:
        """Take a new prediction."""
        self.plot.history.add(prediction)

    def add_mark(self, t: float, text: str) -> None:
        """Show what was marked at `t`, seconds."""
        self.plot.history.mark(t, text)
        self.plot.update()

    def refresh(self, now: float) -> None:
        """Scroll to `now`, seconds, unless another span was chosen."""
        self.plot.now = now
        self.plot.update()

    def export(self, folder: Path | None = None) -> None:
        """Save the whole session as a table and what is shown as a picture.

        folder: by default the one that the program was started in.
        """
        history = self.plot.history
        points = [*history.older, *history.points]
        save_timeline(self, points, folder or Path.cwd(), self._model, history.person)

    def set_scale(self, scale: float) -> None:
        super().set_scale(scale)
        self._legend.set_scale(scale)

    def restyle(self) -> None:
        self._legend.restyle()
        super().restyle()

    def _say_span(self) -> None:
        plot = self.plot
        first, last = plot.span
        begin = plot.history.begin or first
        self.set_note("")
        if plot.end is None:
            self.set_title(tr("Last {time}", time=length_text(plot.seconds)))
        else:
            since = {
                "first": clock_text(first - begin),
                "last": clock_text(last - begin),
            }
            self.set_title(tr("{first} to {last}", **since))
        self.back.setVisible(plot.end is not None)
        plot.setAccessibleDescription(self.title)


@private_files()
def save_timeline(
    card: Card,
    points: Sequence[TimelinePoint],
    folder: Path,
    model: str,
    person: str | None,
) -> None:
    """Save points as a table, and what the card shows as a picture; the card says so.

    model, person: as of `write_csv`.
    """
    if not points:
        card.set_note(tr("nothing to save yet"))
        return
    at = datetime.now().astimezone()
    path = folder / f"{TIMELINE_NAME}{at:%Y%m%d-%H%M%S-%f}.csv"
    picture = card.grab()  # before the note is in it
    try:
        write_csv(points, path, model, person)
        if not picture.save(str(path.with_suffix(".png")), "PNG"):
            raise OSError(0, tr("the picture cannot be written"))
    except OSError as error:
        why = error.strerror
        card.set_note(tr("not saved in {folder}: {why}", folder=folder, why=why))
    else:
        card.set_note(tr("saved: {path} and .png", path=path))


def length_text(seconds: float) -> str:
    """A length of time, "90 seconds" or "3 minutes"."""
    if seconds < 120:
        return tr("{seconds:.0f} seconds", seconds=seconds)
    minutes = seconds / 60
    if minutes % 1:
        return tr("{minutes:.1f} minutes", minutes=minutes)
    return tr("{minutes:.0f} minutes", minutes=minutes)
