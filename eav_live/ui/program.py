"""The window of `eav-live` from the first moment on: what is asked, opened, shown."""

import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from eav_live.options import SessionOptions
from eav_live.ui.opening import Background, OpeningPage, Say
from eav_live.ui.picker import PickerPage
from eav_live.ui.remembered import remember_language
from eav_live.ui.start import StartPage
from eav_live.ui.tasks import ReviewTask, Task
from eav_live.ui.window import Shell, run_window
from eav_live.ui.words import tr, use_language
from eav_offline.common.console import DONE, FAILED, tell
from eav_offline.common.errors import InputRefused, plain_words

log = logging.getLogger(__name__)
_LEAVE_SECONDS = 1.0  # for what opens to end when nobody waits for it any more
Live = Callable[[SessionOptions], Task]


class Program:
    """Opens a task behind a page that says so, and shows it.

    task: None has it chosen at first. live: makes that of a session. attended: what is
    refused stays in the window until somebody closes it.
    """

    def __init__(
        self, task: Task | None, live: Live | None = None, attended: bool = True
    ) -> None:
        self._task = task
        self._live = live
        self.attended = attended
        self._tried: SessionOptions | None = None  # and refused just now
        self._opened = False
        self._refused: int | None = None  # exit status
        self._background: Background | None = None
        self.opening: OpeningPage | None = None

    def make(self) -> Shell:
        """The window; what is known to be shown begins to open."""
        if self._task is None:
            self.shell = Shell(self._start_page())
            return self.shell
        self.opening = OpeningPage()
        self.shell = Shell(self.opening)
        # Not before something is to be seen: what is imported holds up the painting.
        self.shell.painted.connect(self._begin)
        return self.shell

    def end(self, status: int) -> int:
        """Close everything, and say with which exit status; that of the window in."""
        if self._task is None:
            return status
        self._task.abandon()
        if self._background is not None:
            self._background.wait(_LEAVE_SECONDS)
        self._task.close()
        if self._refused is not None:
            return self._refused
        if self._opened:
            return self._task.outcome(status)
        if status == DONE:
            log.error("The window was closed before anything was open")
            return FAILED
        return status

    # What is to be done

    def _start_page(self) -> StartPage:
        page = StartPage(self._tried)
        page.session.connect(self._take_session)
        page.review.connect(self._take_recording)
        page.connect_devices.connect(self._show_devices)
        page.language.connect(self._speak)
        return page

    def _speak(self, language: str) -> None:
        """Show the start page in another language, now and the next time."""
        remember_language(language)
        use_language(language)
        self.shell.show_page(self._start_page())

    def _show_devices(self, model: Path | None) -> None:
        page = PickerPage(model)
        page.session.connect(self._take_session)
        page.left.connect(lambda: self.shell.show_page(self._start_page()))
        self.shell.show_page(page)

    def _take_session(self, options: SessionOptions) -> None:
        assert self._live is not None
        try:
            self._task = self._live(options)
        except InputRefused as refusal:
            page = self.shell.page
            assert isinstance(page, StartPage | PickerPage)
            page.tell(str(refusal))
            return
        if options.config.window.language is not None:
            use_language(options.config.window.language)
        self._wait_for_it()

    def _take_recording(self, path: Path) -> None:
        self._task = ReviewTask(path)
        self._wait_for_it()

    def _wait_for_it(self) -> None:
        self.opening = OpeningPage()
        self.shell.show_page(self.opening)
        QTimer.singleShot(0, self.shell, self._begin)

    # Opening it

    def _begin(self) -> None:
        assert self._task is not None
        assert self.opening is not None
        if self.shell.wall is not None:
            self._task.stood(self.shell.wall)
        self._background = Background(self._open)
        self._background.tell(
            done=self._show, failed=self._refuse, said=self._say, noted=self._note
        )
        self._background.start()

    def _open(self, say: Say) -> None:
        assert self._task is not None
        self._task.open(say)

    def _say(self, step: str) -> None:
        if self.opening is not None:
            self.opening.say(step)

    def _note(self, text: str) -> None:
        if self.opening is not None:
            self.opening.add_note(text)

    def _show(self) -> None:
        assert self._task is not None
        if not self.shell.isVisible():
            return  # closed meanwhile
        try:
            page = self._task.page()
        except Exception as error:  # Qt would print it and go on
            self._task.close()  # no device runs behind the page that says so
            self._refuse(error)
            return
        self._opened, self.opening = True, None
        self.shell.show_page(page)

    def _refuse(self, error: Exception) -> None:
        """Say why there is nothing to see, in the terminal and in the window."""
        if not self.shell.isVisible():
            return
        self._refused = tell(error)
        if self.attended and self.opening is not None:
            self.opening.refuse(
                plain_words(error) or tr("{error!r}. See the log.", error=error),
                returns=self._live is not None,
            )
            self.opening.returned.connect(self._return)
        else:
            self.shell.close()

    def _return(self) -> None:
        """Ask anew what is to be done, after a refusal."""
        assert self._task is not None
        self._task.close()
        self._tried = self._task.tried
        self._task = self._refused = self.opening = None
        self.shell.show_page(self._start_page())


def run_program(
    task: Task | None,
    live: Live | None = None,
    *,
    size: tuple[int, int] | None = None,
    attended: bool = True,
) -> int:
    """Open a task and show it until its window is closed or Ctrl-C.

    size: width and height, pixels; None is where it was the last time. The others: see
    `Program`. Returns the exit status: 0, 1 if something failed, 2 if something was
    refused, 130. Raises NoDisplay.
    """
    program = Program(task, live)

    def make() -> Shell:
        looked_at = QApplication.platformName() != "offscreen"
        program.attended = attended and looked_at
        return program.make()

    return program.end(run_window(make, size))
