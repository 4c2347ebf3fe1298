"""A window that one timer refreshes, from Qt's beginning to the exit status."""

import gc
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import cast

from PySide6.QtCore import QCoreApplication, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QGuiApplication,
    QKeySequence,
    QPaintEvent,
    QResizeEvent,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import QApplication, QStackedLayout, QVBoxLayout, QWidget

from eav_live.doctor.display import lacks_display
from eav_live.ui import remembered, theme
from eav_live.ui.panels.card import Canvas, Card, ReadingArea, fill
from eav_live.ui.panels.flow import ElidedLabel
from eav_live.ui.words import use_language
from eav_offline.common.console import DONE, FAILED, INTERRUPTED
from eav_offline.common.errors import InputRefused

_LARGE_LETTERS = 1.25  # from here on panels are one below the other
TEXT_SECONDS = 0.25  # between looks at lamps and numbers; faster cannot be read
_YOUNG_SECONDS = 1.0  # between collections of young garbage
_ALL_AFTER = 600  # of them, all is looked through: a third of a second


class NoDisplay(InputRefused):
    """There is no screen to open a window on; the message says what to do."""


class SessionWindow(QWidget):
    """What the windows of all sessions share: a timer, a scale, keys, one end.

    A subclass lays itself out, calls `_begin`, and has `refresh`, `_rescale`, `_end`.
    failed: whether something broke down. follows_system: dark or light as the system
    is; else dark. letters: how much larger than usual they are. large: whether panels
    are to be below each other, since letters leave them no room beside each other.
    """

    follows_system = True
    participant: QWidget | None = None  # the person's window, which ends with this one
    closed = Signal()

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setObjectName("dashboard")
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, on=False)  # `closed` does
        # Also where it is a page of another window.
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWindowTitle(title)
        self.setMinimumSize(*theme.MINIMUM_SIZE)
        self.failed = False
        self._closed = False
        self._scale = 0.0
        self.letters = remembered.letters()
        hints = QGuiApplication.styleHints()
        if self.follows_system:
            hints.colorSchemeChanged.connect(self.restyle)
            theme.use(hints.colorScheme())
        else:
            theme.use(Qt.ColorScheme.Dark)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.refresh)
        self.bind("Ctrl+Q", self.close)
        self.bind("Ctrl+W", self.close)
        full_screen = Qt.WindowState.WindowFullScreen

        def toggle() -> None:
            window = self.window()
            window.setWindowState(window.windowState() ^ full_screen)

        self.bind("F11", toggle)

        for key in ("Ctrl++", "Ctrl+="):
            self.bind(key, lambda: self.set_letters(self.letters + 0.1))
        self.bind("Ctrl+-", lambda: self.set_letters(self.letters - 0.1))
        self.bind("Ctrl+0", lambda: self.set_letters(1.0))

    def _begin(self, tick_s: float) -> None:
        """Refresh from now on, every `tick_s` seconds."""
        self.set_scale(1.0)
        self._timer.start(round(1000 * tick_s))
        self.refresh()

    def bind(self, key: str, action: Callable[[], object]) -> QShortcut:
        """Call `action` when the key is pressed."""
        shortcut = QShortcut(QKeySequence(key), self)
        shortcut.activated.connect(action)
        return shortcut

    def refresh(self) -> None:
        """Bring everything that moves up to date; the timer calls this."""
        raise NotImplementedError

    def set_scale(self, scale: float) -> None:
        """Set the size of all letters; 1 suits 1280x800."""
        if scale != self._scale:
            self._scale = scale
            self.setStyleSheet(theme.style_sheet(scale))
            self._show_words()
            self._rescale(scale)

    def set_letters(self, wanted: float) -> None:
        """Make letters so many times as large as usual, here and the next time."""
        self.letters = round(min(max(wanted, 1.0), remembered.MOST_LETTERS), 2)
        remembered.remember_letters(self.letters)
        self._fit()

    def restyle(self, scheme: Qt.ColorScheme) -> None:
        """Take the colors of another scheme."""
        theme.use(scheme)
        self.setStyleSheet(theme.style_sheet(self._scale))
        self._rescale(self._scale)  # sizes that are set yield to those of a new style
        parts: list[Card | Canvas] = [*self.findChildren(Card)]
        for part in [*parts, *self.findChildren(Canvas)]:
            part.restyle()

    @property
    def large(self) -> bool:
        return self.letters >= _LARGE_LETTERS

    def _show_words(self) -> None:
        """End no text in an ellipsis where large letters are what shortens it."""
        for words in self.findChildren(ElidedLabel):
            words.setWordWrap(self.letters > 1.0)

    def _column(self) -> QVBoxLayout:
        """The whole page's, which scrolls where letters are too large for all of it."""
        self.area = ReadingArea()
        fill(QVBoxLayout(self), self.area, margins=False)
        for key, steps in (("PgUp", -1), ("PgDown", 1)):
            self.bind(key, partial(self.area.turn, steps))
        return self.area.rows

    def _fit(self) -> None:
        """Let letters be as large as the window and the user want."""
        self.set_scale(theme.scale_for(self.width(), self.height()) * self.letters)

    def _rescale(self, scale: float) -> None:
        raise NotImplementedError

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let letters grow with the window."""
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Set sizes again: those of before the style was polished yielded to it."""
        super().showEvent(event)
        self._rescale(self._scale)

    def closeEvent(self, event: QCloseEvent) -> None:
        """End what the window shows, once."""
        if not self._closed:
            self._closed = True
            self._timer.stop()
            if self.follows_system:
                hints = QGuiApplication.styleHints()
                hints.colorSchemeChanged.disconnect(self.restyle)
            try:
                self._end()
            finally:
                self.closed.emit()
        event.accept()

    def _end(self) -> None:
        raise NotImplementedError


class Shell(QWidget):
    """A window with one page at a time, such as one that waits and then the dashboard.

    Closing it closes the page, and a page that closes closes it. painted: there is
    something to see for the first time. wall: the time of day of that; None before.
    """

    closed = Signal()
    painted = Signal()

    def __init__(self, page: SessionWindow) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, on=False)
        self.wall: float | None = None
        self._pages = QStackedLayout(self)
        self.show_page(page)

    @property
    def page(self) -> SessionWindow:
        """What is shown now."""
        return cast(SessionWindow, self._pages.currentWidget())

    @property
    def failed(self) -> bool:
        """Whether something broke down."""
        return self.page.failed

    def show_page(self, page: SessionWindow) -> None:
        """Put a page in the place of the one that is shown, which is dropped."""
        before = self._pages.currentWidget()
        focused = page.focusWidget() or page  # adding it forgets which
        self._pages.addWidget(page)
        self._pages.setCurrentWidget(page)
        self.setWindowTitle(page.windowTitle())
        page.closed.connect(self.close)
        focused.setFocus()
        if before is not None:
            cast(SessionWindow, before).closed.disconnect(self.close)
            before.close()
            self._pages.removeWidget(before)
            before.deleteLater()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Remember when there was something to see."""
        super().paintEvent(event)
        if self.wall is None:
            self.wall = time.time()
            QTimer.singleShot(0, self, self.painted.emit)

    def closeEvent(self, event: QCloseEvent) -> None:
        """End what the page shows."""
        self.page.close()
        self.closed.emit()
        event.accept()


def begin_qt(language: str | None = None) -> QCoreApplication:
    """Qt's application, begun if need be. Raises NoDisplay.

    language: of its windows, one of `LANGUAGES`; None: see `use_language`.
    """
    forget_opencv_plugins()
    require_display()
    begun = QApplication.instance()
    app = begun or QApplication(["eav-live"])
    collect_garbage_here(app)
    if language is not None or begun is None:
        use_language(language)
    return app


def collect_garbage_here(app: QCoreApplication) -> None:
    """Have Python's circular garbage collected by this thread's event loop alone.

    Else any thread does it that happens to make an object, and what belongs to Qt is
    destroyed there, while this one may be drawing it: plots and scenes have no
    safeguard against it. From now on Python's own collector is off.
    """
    if app.findChild(_Collector) is None:
        gc.disable()
        _Collector(app)


class _Collector(QTimer):
    def __init__(self, app: QCoreApplication) -> None:
        super().__init__(app)
        self._n = 0
        self.timeout.connect(self._collect)
        self.start(round(1000 * _YOUNG_SECONDS))

    def _collect(self) -> None:
        self._n += 1
        gc.collect(2 if self._n % _ALL_AFTER == 0 else 1)


def run_window(
    make: Callable[[], SessionWindow | Shell],
    size: tuple[int, int] | None = (theme.BASE_WIDTH, theme.BASE_HEIGHT),
    full_screen: bool = False,
) -> int:
    """Show a window until it is closed or Ctrl-C is pressed.

    size: width and height, pixels; None is where it was the last time. Returns the
    exit status: 0, 1 if something broke down, 130 after Ctrl-C. Raises NoDisplay.
    """
    app = begin_qt()
    window = make()
    window.resize(*(size or (theme.BASE_WIDTH, theme.BASE_HEIGHT)))
    if size is None:
        remembered.restore_place(window)
    window.closed.connect(app.quit)
    window.showFullScreen() if full_screen else window.show()
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        window.close()

    # Python runs the handler at the next bytecode: the timer sees to that.
    before = {s: signal.signal(s, interrupt) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        app.exec()
    finally:
        if size is None:
            remembered.remember_place(window)
        for number, handler in before.items():
            signal.signal(number, handler)
        window.close()
    if interrupted:
        return INTERRUPTED
    return FAILED if window.failed else DONE


def forget_opencv_plugins() -> None:
    """Undo opencv's import: it points Qt at its own plug-ins, which do not fit ours."""
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        if "cv2" in os.environ.get(name, ""):
            del os.environ[name]


def require_display() -> None:
    """Raise NoDisplay where Qt would abort the process for want of a screen."""
    if lacks_display():
        raise NoDisplay(
            "There is no screen: neither DISPLAY nor WAYLAND_DISPLAY is set. Run on a "
            "desktop, add --headless, or start it under xvfb-run."
        )
