"""What is opened behind a page and then shown: a live session, or a recording."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from eav_live.options import SessionOptions
from eav_live.running import Running
from eav_live.ui.opening import Say
from eav_live.ui.window import SessionWindow
from eav_live.ui.words import tr
from eav_offline.common.errors import SourceRefused

if TYPE_CHECKING:
    from eav_live.review.reader import SessionReader
    from eav_live.streams.loudspeaker import RecordedSound

log = logging.getLogger(__name__)


class Task(Protocol):
    """Opened in a thread, shown in Qt's, closed when the window is."""

    @property
    def tried(self) -> SessionOptions | None:
        """What is offered again if it is refused; None is the last session."""

    def open(self, say: Say) -> None:
        """Load all that the page needs. Raises InputRefused."""

    def page(self) -> SessionWindow:
        """What is shown once it is open."""

    def stood(self, wall: float) -> None:
        """The window stood at this time of day."""

    def abandon(self) -> None:
        """End the opening as soon as may be."""

    def close(self) -> None:
        """End it; may be called twice."""

    def outcome(self, status: int) -> int:
        """The exit status, after `close`, given the window's."""


class LiveTask:
    """A session and its dashboard.

    seconds: close this long after the first stream was live. screenshot: a PNG of the
    dashboard, written as it closes. screen: of the participant's window, see
    `show_to_participant`; None for no such window.
    """

    def __init__(
        self,
        running: Running,
        seconds: float | None = None,
        screenshot: Path | None = None,
        screen: str | None = None,
    ) -> None:
        self._running = running
        self.tried = running.streams
        self._screen = screen
        self._seconds = seconds
        self._screenshot = screenshot
        self.stood = running.stood
        self.abandon = running.abandon
        self.close = running.close
        self.outcome = running.outcome

    def open(self, say: Say) -> None:
        from eav_live.options.presets import keep_last_session

        self._running.open(say)
        say(tr("Drawing the dashboard\u2026"))
        import eav_live.ui.dashboard  # noqa: F401  # pyqtgraph: here it holds up nobody

        try:
            keep_last_session(self._running.streams)
        except OSError as error:
            log.warning("This session cannot be offered again: %s", error)

    def page(self) -> SessionWindow:
        from eav_live.ui.dashboard import Dashboard
        from eav_live.ui.participant import require_screen, show_to_participant

        if self._screen is not None:  # or a dashboard would run on that nobody sees
            require_screen(self._screen)
        dashboard = Dashboard(
            self._running.session,
            screenshot=self._screenshot,
            timings=self._running.timings,
            seconds=self._seconds,
            running=self._running,
        )
        if self._screen is not None:
            show_to_participant(dashboard, self._running, self._screen)
        return dashboard


class ReviewTask:
    """A recording, looked at again. model: offered to recognize it anew by; None is the
    one that it names."""

    tried = None

    def __init__(
        self, path: Path, model: Path | None = None, silent: bool = False
    ) -> None:
        self._path, self._model, self._silent = path, model, silent
        self._reader: SessionReader | None = None

    def open(self, say: Say) -> None:
        say(
            tr("Reading {file}: about five minutes an hour\u2026", file=self._path.name)
        )
        from eav_live.review.reader import SessionReader, find_recording

        self._reader = SessionReader(find_recording(self._path))
        import eav_live.ui.reviewing  # noqa: F401

    def page(self) -> SessionWindow:
        from eav_live.recording.repredicting import recorded_model
        from eav_live.ui.reviewing import ReviewWindow

        assert self._reader is not None
        model = self._model or recorded_model(self._reader.session)
        window = ReviewWindow(self._reader, model, loudspeaker(self._silent))
        if self._model is not None and not self._reader.recorded.estimates:
            window.begin_anew()  # or there would be no estimates to look at
        return window

    def stood(self, wall: float) -> None:
        """See `Task`."""

    def abandon(self) -> None:
        """Nothing: the reader cannot be interrupted, and holds no device."""

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()

    def outcome(self, status: int) -> int:
        return status


def loudspeaker(silent: bool) -> "RecordedSound | None":
    """What plays a recording's sound; None if nothing can, or is to."""
    from eav_live.streams.loudspeaker import RecordedSound

    if silent:
        return None
    try:
        return RecordedSound()
    except SourceRefused as error:
        log.warning("The recording plays in silence: %s", error)
        return None
