"""The window of `eav-live` from the first moment on: what opens, the dashboard."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from eav_live.running import Running
from eav_live.ui.background import Background, Say
from eav_live.ui.opening import OpeningPage
from eav_live.ui.window import Shell, run_window
from eav_offline.common.console import FAILED, INTERRUPTED, tell
from eav_offline.common.errors import plain_words

if TYPE_CHECKING:
    from eav_live.ui.dashboard import Dashboard

log = logging.getLogger(__name__)
_LEAVE_SECONDS = 1.0  # for what opens to end when nobody waits for it any more


class Program:
    """Opens a session behind a page that says so, and shows it.

    seconds: close this long after the first stream was live. screenshot: a PNG of the
    dashboard, written as it closes. attended: what is refused stays in the window until
    somebody closes it.
    """

    def __init__(
        self,
        running: Running,
        seconds: float | None = None,
        screenshot: Path | None = None,
        attended: bool = True,
    ) -> None:
        self._running = running
        self._seconds = seconds
        self._screenshot = screenshot
        self._attended = attended
        self._opened = False
        self._refused: int | None = None  # exit status
        self._background: Background | None = None

    def make(self) -> Shell:
        """The window; the session begins to open."""
        self.opening = OpeningPage()
        self.shell = Shell(self.opening)
        self.shell.closed.connect(self._running.abandon)
        self._background = Background(self._open)
        self._background.tell(
            done=self._guarded(self._show_dashboard),
            failed=self._refuse,
            said=self.opening.say,
            noted=self.opening.add_note,
        )
        # Not before something is to be seen: what is imported holds up the painting.
        self.shell.painted.connect(self._begin)
        return self.shell

    def end(self, status: int) -> int:
        """Close everything, and say with which exit status; that of the window in."""
        self._running.abandon()
        if self._background is not None:
            self._background.wait(_LEAVE_SECONDS)
        self._running.close()
        if status == INTERRUPTED and not self._opened:
            return status
        if self._refused is not None:
            return self._refused
        if not self._opened:
            log.error("The window was closed before the session began")
            return FAILED
        return self._running.outcome(status)

    def _begin(self) -> None:
        self._running.window_wall = self.shell.wall
        assert self._background is not None
        self._background.start()

    def _open(self, say: Say) -> None:
        self._running.open(say)
        say("Drawing the dashboard\u2026")
        import eav_live.ui.dashboard  # noqa: F401  # pyqtgraph: here it holds up nobody

    def _show_dashboard(self) -> None:
        dashboard = self._dashboard()
        self._opened = True
        self.shell.show_page(dashboard)

    def _dashboard(self) -> "Dashboard":
        from eav_live.ui.dashboard import Dashboard
        from eav_live.ui.panels.marks import Marking

        running = self._running
        recorder = running.recorder
        marks = running.streams.config.marks
        return Dashboard(
            running.session,
            screenshot=self._screenshot,
            recording=None if recorder is None else lambda: recorder.text,
            timings=running.timings,
            guard=running.guard,
            marking=None if recorder is None else Marking(marks, recorder.mark),
            seconds=self._seconds,
        )

    def _guarded(self, step: Callable[[], None]) -> Callable[[], None]:
        """A step whose failure ends the program as any other would."""

        def take() -> None:
            try:
                step()
            except Exception as error:  # Qt would print it and go on
                self._refuse(error)

        return take

    def _refuse(self, error: Exception) -> None:
        """Say why there is no session, in the terminal and in the window."""
        self._refused = tell(error)
        if self._attended:
            self.opening.refuse(plain_words(error) or f"{error!r}. See the log.")
        else:
            self.shell.close()


def run_program(
    running: Running,
    *,
    seconds: float | None,
    screenshot: Path | None,
    size: tuple[int, int],
) -> int:
    """Open a session and show it until its window is closed or Ctrl-C.

    size: width and height, pixels. The others: see `Program`. Returns the exit status:
    0, 1 if something failed, 2 if something was refused, 130. Raises NoDisplay.
    """

    def somebody_looks() -> bool:
        return seconds is None and QApplication.platformName() != "offscreen"

    program: Program | None = None

    def make() -> Shell:
        nonlocal program
        program = Program(running, seconds, screenshot, somebody_looks())
        return program.make()

    status = run_window(make, size)
    assert program is not None
    return program.end(status)
