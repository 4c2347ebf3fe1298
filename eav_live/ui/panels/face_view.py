"""The camera picture with the box around the face."""

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)

from eav_live.ui import theme
from eav_live.ui.panels.card import Canvas, Card
from eav_live.ui.words import tr
from eav_live.windows.rings import FrameRing
from eav_offline.core.window import FaceFrame


class Picture(Canvas):
    """A frame, scaled once when it arrives, with a solid box or a dashed one.

    pointed: somebody clicked at this pixel (x, y) of the frame.
    """

    pointed = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        self.frame: FaceFrame | None = None
        self._scaled = QPixmap()

    def show_frame(self, frame: FaceFrame) -> None:
        """Show a kept frame."""
        new_image = self.frame is None or frame.image is not self.frame.image
        self.frame = frame
        if new_image:
            self._rescale()
        self.update()

    @property
    def caption(self) -> str:
        """What is written over the picture; nothing where no face was looked for."""
        if self.frame is None or self.frame.found or np.isnan(self.frame.confidence):
            return ""
        return tr("no face")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell which pixel of the frame was clicked at."""
        if self.frame is None or self._scaled.isNull():
            return
        zoom, left, top = self._placement()
        x, y = event.position().x() - left, event.position().y() - top
        if 0 <= x < self._scaled.width() and 0 <= y < self._scaled.height():
            self.pointed.emit(x / zoom, y / zoom)

    def _placement(self) -> tuple[float, float, float]:
        """Widget pixels per frame pixel, and where the picture begins."""
        assert self.frame is not None
        left = (self.width() - self._scaled.width()) / 2
        top = (self.height() - self._scaled.height()) / 2
        return self._scaled.width() / self.frame.image.shape[1], left, top

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Scale the picture to the new size."""
        self._rescale()

    def _rescale(self) -> None:
        if self.frame is None or self.width() < 2 or self.height() < 2:
            return
        image = np.ascontiguousarray(self.frame.image)
        height, width = image.shape[:2]
        view = QImage(image.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self._scaled = QPixmap.fromImage(
            view.scaled(
                self.size(),
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw picture, box and caption."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.PANEL_DEEP))
        if self.frame is None or self._scaled.isNull():
            return
        zoom, left, top = self._placement()
        painter.drawPixmap(round(left), round(top), self._scaled)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if np.isnan(self.frame.confidence):
            return
        x1, y1, x2, y2 = (float(edge) * zoom for edge in self.frame.box)
        pen = QPen(QColor(theme.TEXT), 2.5 * self._scale)
        if not self.frame.found:
            pen = QPen(QColor(theme.MUTED), 2 * self._scale, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        box = QRectF(left + x1, top + y1, x2 - x1, y2 - y1)
        painter.drawRoundedRect(box, 4 * self._scale, 4 * self._scale)
        if self.caption:
            self._draw_caption(painter, left, top)

    def _draw_caption(self, painter: QPainter, left: float, top: float) -> None:
        s = self._scale
        painter.setFont(theme.font(15 * s, bold=True))
        width = painter.fontMetrics().horizontalAdvance(self.caption) + 18 * s
        chip = QRectF(left + 8 * s, top + 8 * s, width, 26 * s)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.faded(theme.BACKGROUND, 0.85))
        painter.drawRoundedRect(chip, 5 * s, 5 * s)
        painter.setPen(QColor(theme.AMBER))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, self.caption)


class FaceView(Card):
    """The face panel."""

    def __init__(self) -> None:
        super().__init__(tr("Face"))
        self.picture = Picture()
        self.picture.setAccessibleName(tr("Camera picture"))
        self.picture.setToolTip(tr("Click at a face to follow it"))
        self.set_body(self.picture)

    def on_choice(self, choose: Callable[[float, float], None]) -> None:
        """Call `choose` with the pixel (x, y) of the frame that was clicked at."""
        self.picture.pointed.connect(choose)

    def refresh(self, ring: FrameRing | None, now: float) -> None:
        """Show the newest kept frame, if it is not the one shown."""
        frame = None if ring is None else ring.newest_frame
        if frame is not None and frame is not self.picture.frame:
            self.picture.show_frame(frame)
