"""Work beside the window, and what it shows until that has opened a session."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Qt, Signal

from eav_live.ui.panels.card import button, fill, label
from eav_live.ui.panels.flow import Flow
from eav_live.ui.start import press_focused
from eav_live.ui.window import SessionWindow
from eav_live.ui.words import later, said, tr

_TICK_SECONDS = 0.5  # what is animated takes time from what is loaded
_WIDTH = 760  # pixels of the column of text, at scale 1
REFUSED = later("This cannot be used")
Say = Callable[[str], None]


class OpeningPage(SessionWindow):
    """Says what is being done, for how long, and at the end why nothing came of it.

    returned: what was refused is read, and something else is to be done.
    """

    returned = Signal()

    def __init__(self) -> None:
        super().__init__("EAV-Live")
        self._begun = time.monotonic()
        self.brand = label("EAV-Live", "brand")
        self.step = label(tr("Starting\u2026"), "heading")
        self.note = label()
        self.since = label()
        self.back = button(tr("Back to the start page (B)"), self.returned.emit)
        self.leave = button(tr("Close (Esc)"), self.close)
        for choice in (self.back, self.leave):
            choice.hide()
        self._lay_out()
        self.bind("Esc", self.close)
        self._begin(_TICK_SECONDS)

    def say(self, step: str) -> None:
        """What is being done now."""
        self.step.setText(said(step))

    def add_note(self, text: str) -> None:
        """What the log says."""
        self.note.setText(said(text))

    def refuse(self, words: str, returns: bool = False) -> None:
        """Say why there will be no session, and wait to be closed.

        returns: there is a page to go back to.
        """
        self.step.setText(tr(REFUSED))
        words = said(words)
        self.note.setText(words[:1].upper() + words[1:])
        self.note.setProperty("role", "text")
        self.note.style().polish(self.note)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.since.hide()
        self.leave.show()
        if returns:
            self.back.show()
            self.bind("B", self.back.click)
        first = self.back if returns else self.leave
        for key in ("Return", "Enter"):
            self.bind(key, partial(press_focused, self, first))
        first.setFocus()

    def refresh(self) -> None:
        self.since.setText(
            tr("{seconds:.0f} s", seconds=time.monotonic() - self._begun)
        )

    def _lay_out(self) -> None:
        self.step.setWordWrap(True)
        self.note.setWordWrap(True)
        self._buttons = fill(Flow(), self.back, self.leave, 1)
        parts = (self.brand, self.step, self.since, self.note, self._buttons)
        self._rows = fill(self._column(), 2, *parts, 3)

    def _rescale(self, scale: float) -> None:
        side = max(round(24 * scale), (self.width() - round(_WIDTH * scale)) // 2)
        self._rows.setContentsMargins(side, 0, side, 0)
        for layout in (self._rows, self._buttons):
            layout.setSpacing(round(12 * scale))

    def _end(self) -> None: ...


class Background(QObject):
    """Does one piece of work in a thread of its own.

    Its signals come in Qt's thread. said: what the work is at. noted: what the log says
    meanwhile. done: it has ended. failed: with this exception.
    """

    said = Signal(str)
    noted = Signal(str)
    done = Signal()
    failed = Signal(object)

    def __init__(self, work: Callable[[Say], object]) -> None:
        super().__init__()
        self._work = work
        self._thread = threading.Thread(target=self._run, name="opening", daemon=True)

    def tell(
        self,
        done: Callable[[], object],
        failed: Callable[[Exception], object],
        said: Say,
        noted: Say,
    ) -> None:
        """Have these called, in Qt's thread."""
        queued = Qt.ConnectionType.QueuedConnection
        self.done.connect(done, queued)
        self.failed.connect(failed, queued)
        self.said.connect(said, queued)
        self.noted.connect(noted, queued)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Whether the work ends within so long."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        handler = _Notes(self.noted.emit)
        logging.getLogger().addHandler(handler)
        try:
            self._work(self.said.emit)
        except Exception as error:  # told where it is shown
            self.failed.emit(error)
        else:
            self.done.emit()
        finally:
            logging.getLogger().removeHandler(handler)


class _Notes(logging.Handler):
    """Passes on what is logged."""

    def __init__(self, note: Say) -> None:
        super().__init__(logging.INFO)
        self._note = note

    def emit(self, record: logging.LogRecord) -> None:
        self._note(record.getMessage())
