"""Work that is done beside the window, and what it says of itself."""

import logging
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal

Say = Callable[[str], None]


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
