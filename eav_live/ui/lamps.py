"""The state of each stream: a colored lamp and a word, and the words themselves.

The red line of what was lost and nobody has acknowledged.
"""

from time import monotonic

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from eav_live.recognition.predictions import STREAMING, StreamHealth, StreamState
from eav_live.recording.guard import Guard
from eav_live.ui import theme
from eav_live.ui.panels.flow import LinesButton
from eav_live.ui.words import listed, said, stream_name, tr
from eav_live.windows.quality import faults_text
from eav_offline.core.window import WINDOW_SECONDS

_LETTERS = 15.0  # pixels at scale 1
_TEXT_LETTERS = (_LETTERS, 13.0, 11.0, 10.0, 9.0, 8.0)  # below it where room is short
ALARM_KEY = "A"
_BEEP_SECONDS = 2.0


def lamp_text(health: StreamHealth) -> str:
    """The word for a state and, where it helps, how old or how full the stream is."""
    state, name = health.state, tr(str(health.state))
    if state in STREAMING and left_out(health):
        return tr("{state}, left out", state=name)
    if state in STREAMING and health.filled_s < WINDOW_SECONDS:
        return listed([name, collecting_text(health)])
    if state is StreamState.LATE and health.age_s is not None:
        return tr("{state} by {age}", state=name, age=age_text(health.age_s))
    if state in (StreamState.LIVE, StreamState.LATE, StreamState.LOST):
        return f"{name} {age_text(health.age_s)}".rstrip()
    return name


def left_out(health: StreamHealth) -> str:
    """Why a stream that delivers is left out of the window; empty if it is not."""
    if health.fault:
        return health.fault
    quality = health.quality
    return quality.why if quality is not None and not quality.good else ""


def note_text(health: StreamHealth) -> str:
    """What stands in a panel's title row; empty while all is well."""
    if health.state not in (*STREAMING, StreamState.LATE):
        return ""
    why = left_out(health)
    parts = [tr("left out: {why}", why=said(why)) if why else "", said(health.notice)]
    return tr("; ").join(part for part in parts if part)


def collecting_text(health: StreamHealth) -> str:
    """How much of a window has come since the stream began or came back."""
    filled = min(max(health.filled_s, 0.0), WINDOW_SECONDS)
    return tr("collecting {filled:.1f} of {all:g} s", filled=filled, all=WINDOW_SECONDS)


def age_text(age_s: float | None) -> str:
    """Seconds since the newest sample, as finely as is worth reading."""
    if age_s is None:
        return ""
    if age_s >= 120:
        return tr("{minutes:.0f} min", minutes=age_s / 60)
    if age_s >= 10:
        return tr("{seconds:.0f} s", seconds=age_s)
    return tr("{seconds:.1f} s", seconds=max(age_s, 0.0))


def detail_text(health: StreamHealth) -> str:
    """Several lines for a tooltip: name, reason, rate, gaps."""
    lines = [health.name, said(health.detail), note_text(health), measures_text(health)]
    if health.rate is not None:
        lines.append(tr("{rate:.1f} a second", rate=health.rate))
    if health.gaps or health.returns:
        counts = {"gaps": health.gaps, "returns": health.returns}
        lines.append(tr("{gaps} gaps, came back {returns} times", **counts))
    if health.clock_steps:
        n = health.clock_steps
        lines.append(tr("the sender's clock jumped {n} times", n=n))
    return "\n".join(line for line in lines if line) or tr(str(health.state))


def measures_text(health: StreamHealth) -> str:
    """Quality in numbers: hum, speech, face, and what is wrong with each electrode."""
    quality = health.quality
    if quality is None:
        return ""
    measured = quality.measures
    parts = []
    if quality.electrodes:
        parts.append(said(faults_text(quality.electrodes, most=30)))
    if "line_hz" in measured:
        parts.append(
            tr(
                "{hertz:g} Hz hum at {ratio:.1f} times the EEG",
                hertz=measured["line_hz"],
                ratio=measured["line_ratio"],
            )
        )
    if "speech" in measured:
        parts.append(
            tr("speech in {share:.0%} of the window", share=measured["speech"])
        )
    if "face" in measured:
        parts.append(
            tr(
                "face in {share:.0%} of the frames, sure to {sure:.0%}",
                share=measured["face"],
                sure=measured["face_confidence"],
            )
        )
    return "\n".join(parts)


def trouble_text(modality: str, health: StreamHealth, read: bool = True) -> str:
    """What is laid over a stream's panel; empty while there is something to see.

    read: whether the model reads such a stream.
    """
    name, detail = stream_name(modality), said(health.detail)
    match health.state:
        case StreamState.OFF:
            why = (
                tr("no stream was asked for")
                if read
                else tr("this model does not read it")
            )
            return tr("{name}: not in use\n{why}", name=name, why=detail or why)
        case StreamState.CONNECTING:
            head = tr("Looking for {name} …", name=health.name or name)
        case StreamState.LOST:
            age = age_text(health.age_s)
            head = tr("{name} lost", name=name)
            if age:
                head = tr("{name} lost {age} ago", name=name, age=age)
        case StreamState.REFUSED:
            head = tr("{name} refused", name=name)
        case _:
            return ""
    return f"{head}\n{detail}" if detail else head


class Lamp(QWidget):
    """One stream's lamp: a disc, the modality, the state."""

    def __init__(self, modality: str) -> None:
        super().__init__()
        self._name = stream_name(modality)
        self._scale = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_health(StreamHealth(StreamState.OFF))

    def set_health(self, health: StreamHealth) -> None:
        """Show how the stream is doing."""
        self.state = health.state
        self.text = lamp_text(health)
        self.left_out = bool(left_out(health)) and health.state in STREAMING
        state = StreamState.LATE if self.left_out else health.state
        self.color = theme.STATE_COLORS[state]
        self.setToolTip(detail_text(health))
        self.setAccessibleName(f"{self._name}: {self.text}")
        self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Room for the longest text, so that lamps do not shift as ages change."""
        name = QFontMetricsF(theme.font(_LETTERS * self._scale, bold=True))
        word = QFontMetricsF(theme.font(_LETTERS * self._scale))
        width = name.horizontalAdvance(self._name) + word.horizontalAdvance(
            tr("returned, collecting 0.0 of 5 s")
        )
        return QSize(round(width + 54 * self._scale), round(32 * self._scale))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the lamp."""
        s = self._scale
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QColor(theme.LINE))
        painter.setBrush(QColor(theme.PANEL))
        painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)
        painter.setPen(Qt.PenStyle.NoPen)
        middle = area.center().y()
        disc = QRectF(12 * s, middle - 6 * s, 12 * s, 12 * s)
        painter.setBrush(theme.faded(self.color, 0.25))
        painter.drawEllipse(disc.adjusted(-3 * s, -3 * s, 3 * s, 3 * s))
        painter.setBrush(QColor(self.color))
        painter.drawEllipse(disc)

        bold = theme.font(_LETTERS * s, bold=True)
        left = disc.right() + 9 * s
        painter.setFont(bold)
        painter.setPen(QColor(theme.TEXT))
        centered = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(area.adjusted(left, 0, 0, 0), centered, self._name)
        left += QFontMetricsF(bold).horizontalAdvance(self._name) + 7 * s
        quiet = self.state in (StreamState.OFF, *STREAMING) and not self.left_out
        painter.setPen(QColor(theme.MUTED if quiet else self.color))
        room = area.adjusted(left, 0, -10 * s, 0)
        how = centered | Qt.TextFlag.TextWordWrap
        for size in _TEXT_LETTERS:  # the largest in which all of it is seen
            painter.setFont(theme.font(size * s))
            if room.contains(painter.boundingRect(room, how, self.text)):
                break
        painter.drawText(room, how, self.text)


class AlarmLine(LinesButton):
    """Says what the guard lost, over the whole width, until it is clicked."""

    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self.setProperty("role", "alarm")
        self._guard = guard
        self._beeped_at = 0.0
        self.clicked.connect(self.acknowledge)
        self.hide()

    def refresh(self) -> None:
        """Look whether anything was lost."""
        self._guard.look()
        text = self._guard.alarm
        if text:
            text = said(text)
            self.setText(
                tr(
                    "LOST   {text}   Press {key} to acknowledge",
                    text=text,
                    key=ALARM_KEY,
                )
            )
            self.setToolTip(text)
            self._beep()
        self.setVisible(bool(text))

    def acknowledge(self) -> None:
        """Take the line away until something else is lost."""
        self._guard.acknowledge()
        self.refresh()

    def _beep(self) -> None:
        if self._guard.must.sound and monotonic() - self._beeped_at > _BEEP_SECONDS:
            self._beeped_at = monotonic()
            QApplication.beep()
