"""What is painted large for a person: a cue, a ring of time, a curtain over them."""

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from eav_live.ui import theme

_LETTERS = 46  # pixels at scale 1, where all of a text is seen in them
_TURN = 360 * 16  # Qt counts sixteenths of a degree


@dataclass(frozen=True)
class Scene:
    """One state of the stage.

    head: a word or two, on a patch of `color`. text: what is said or read; quiet:
    it is not its turn yet. left, length: seconds of the ring, None for no ring.
    foot: small, below. curtain: lies over everything, its first line large.
    """

    head: str = ""
    color: str = theme.LINE
    text: str = ""
    quiet: bool = False
    left: float | None = None
    length: float | None = None
    foot: str = ""
    curtain: str = ""


class Stage(QWidget):
    """Paints a scene. Texts stay where they are from the countdown to the trial.

    changed: another scene than before.
    """

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scene()
        self._scale = 1.0
        # Text and room -> letters that fit: measuring takes long and is often asked.
        self._fitted: dict[tuple[str, int, int, int], QFont] = {}

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self._fitted.clear()
        self.update()

    def show_scene(self, scene: Scene) -> None:
        """Paint this from now on."""
        if scene != self.scene:
            self.scene = scene
            self.setAccessibleName(" ".join((scene.head, scene.text, scene.curtain)))
            self.update()
            self.changed.emit(scene)

    def sizeHint(self) -> QSize:
        """As large as there is room."""
        return QSize(800, 500)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the scene."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scene, area = self.scene, QRectF(self.rect())
        width, height = area.width(), area.height()
        if scene.head:
            self._paint_head(painter, QRectF(0, 0.02 * height, width, 0.11 * height))
        bottom = 0.70 if scene.length is not None else 0.90
        room = QRectF(0.08 * width, 0.17 * height, 0.84 * width, 0)
        room.setBottom(bottom * height)
        self._paint_text(painter, room)
        if scene.length is not None and scene.left is not None:
            side = 0.21 * height
            ring = QRectF((width - side) / 2, 0.715 * height, side, side)
            self._paint_ring(painter, ring, scene.left, scene.length)
        if scene.foot:
            foot = QRectF(0, 0.94 * height, width, 0.06 * height)
            painter.setFont(self._letters(scene.foot, foot, 17))
            painter.setPen(QColor(theme.MUTED))
            painter.drawText(foot, theme.CENTERED, scene.foot)
        if scene.curtain:
            self._paint_curtain(painter, area)

    def _paint_head(self, painter: QPainter, room: QRectF) -> None:
        around = 56 * self._scale
        letters = self._letters(
            self.scene.head, room.adjusted(0, 0, -around, 0), 30, bold=True
        )
        metrics = QFontMetricsF(letters)
        width = metrics.horizontalAdvance(self.scene.head) + around
        height = min(metrics.height() + 16 * self._scale, room.height())
        patch = QRectF(0, 0, width, height)
        patch.moveCenter(room.center())
        painter.setPen(QPen(QColor(self.scene.color), 2 * self._scale))
        painter.setBrush(theme.faded(self.scene.color, 0.22))
        painter.drawRoundedRect(patch, height / 2, height / 2)
        painter.setFont(letters)
        painter.setPen(QColor(theme.TEXT))
        painter.drawText(patch, Qt.AlignmentFlag.AlignCenter, self.scene.head)

    def _paint_text(self, painter: QPainter, room: QRectF) -> None:
        text = self.scene.text
        if not text:
            return
        painter.setFont(self._letters(text, room, _LETTERS))
        painter.setPen(QColor(theme.MUTED if self.scene.quiet else theme.TEXT))
        painter.drawText(room, theme.CENTERED, text)

    def _letters(self, text: str, room: QRectF, most: int, bold: bool = False) -> QFont:
        """The largest in which all of the text is seen; `most` pixels at scale 1."""
        key = (text, round(room.width()), round(room.height()), most)
        if key not in self._fitted:
            if len(self._fitted) > 100:
                self._fitted.clear()
            self._fitted[key] = theme.fitted(text, room, most * self._scale, bold)
        return self._fitted[key]

    def _paint_ring(
        self, painter: QPainter, ring: QRectF, left: float, length: float
    ) -> None:
        thick = 0.085 * ring.width()
        inner = ring.adjusted(thick, thick, -thick, -thick)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.LINE), thick))
        painter.drawEllipse(inner)
        color = (
            theme.FAINT
            if self.scene.quiet and not self.scene.head
            else (self.scene.color)
        )
        pen = QPen(QColor(color), thick)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        share = min(max(left / length, 0.0), 1.0)
        # Empties clockwise from the top.
        painter.drawArc(inner, _TURN // 4, round(share * _TURN))
        painter.setFont(theme.font(0.36 * ring.width(), bold=True))
        painter.setPen(QColor(theme.MUTED if self.scene.quiet else theme.TEXT))
        seconds = f"{max(1, -int(-left // 1))}" if left > 0 else "0"
        painter.drawText(ring, Qt.AlignmentFlag.AlignCenter, seconds)

    def _paint_curtain(self, painter: QPainter, area: QRectF) -> None:
        painter.fillRect(area, theme.faded(theme.BACKGROUND, 0.97))
        head, _, rest = self.scene.curtain.partition("\n")
        upper, lower = QRectF(area), QRectF(area)
        upper.setBottom(area.center().y() - 6 * self._scale)
        lower.setTop(area.center().y() + 6 * self._scale)
        across = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
        painter.setPen(QColor(theme.TEXT))
        painter.setFont(self._letters(head, upper, 44, bold=True))
        painter.drawText(upper, Qt.AlignmentFlag.AlignBottom | across, head)
        painter.setPen(QColor(theme.MUTED))
        painter.setFont(self._letters(rest, lower, 21))
        painter.drawText(lower, Qt.AlignmentFlag.AlignTop | across, rest)
