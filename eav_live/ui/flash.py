"""A dark screen that flashes white, at times that are known."""

import random
from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from eav_live.ui.window import begin_qt
from eav_live.ui.words import tr

FLASH_SECONDS = 0.25  # long enough for a camera with five frames a second
INTERVAL_SECONDS = (1.6, 2.2)  # uneven, and far from a rate that could harm anyone
_READY_SECONDS = 4.0  # to point the camera
_LAST_SECONDS = 1.2  # after the last flash, for its delay


class FlashWindow(QWidget):
    """Flashes `n` times and closes itself; Escape closes it earlier.

    flashes: when each was drawn, seconds on `clock`. on_flash: called just after.
    """

    def __init__(
        self,
        n: int,
        clock: Callable[[], float],
        on_flash: Callable[[], None],
        ready_s: float = _READY_SECONDS,
        interval_s: tuple[float, float] = INTERVAL_SECONDS,
    ) -> None:
        super().__init__()
        self.setWindowTitle(tr("EAV-Live: measuring delays"))
        self.flashes: list[float] = []
        self._n = n
        self._clock = clock
        self._on_flash = on_flash
        self._interval_s = interval_s
        self._bright = False
        self._text = tr(
            "Point the camera at this screen and turn the sound up.\nThe screen "
            "flashes {n} times, about every two seconds. Escape ends it.",
            n=n,
        )
        self._after(ready_s, self._flash)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint all of it white or black."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("white" if self._bright else "black"))
        if self._text:
            painter.setPen(QColor("#808080"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape closes the window."""
        if event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
            self.close()

    def _flash(self) -> None:
        self._text, self._bright = "", True
        self.repaint()  # now, not with the next event
        self.flashes.append(self._clock())
        self._on_flash()
        self._after(FLASH_SECONDS, self._darken)

    def _darken(self) -> None:
        self._bright = False
        self.repaint()
        if len(self.flashes) == self._n:
            self._after(_LAST_SECONDS, self.close)
        else:
            wait = random.uniform(*self._interval_s) - FLASH_SECONDS
            self._after(wait, self._flash)

    def _after(self, seconds: float, action: Callable[[], object]) -> None:
        # With the window as its context, nothing is called once it is gone.
        QTimer.singleShot(round(1000 * seconds), self, action)


def flash_screen(
    n: int, clock: Callable[[], float], on_flash: Callable[[], None]
) -> list[float]:
    """Flash the whole screen `n` times and return when. Raises NoDisplay."""
    app = begin_qt()
    window = FlashWindow(n, clock, on_flash)
    window.showFullScreen()
    app.exec()
    return window.flashes
