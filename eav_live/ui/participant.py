"""The person's own window: a notice, then cues, a neutral page or nothing.

Never estimates. Who is subject to emotion recognition must be told (AI Act, Art.
50(3)), at first exposure: no estimate of a session is made before the notice is
acknowledged.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from eav_live.options.config import Participant
from eav_live.running import Running
from eav_live.ui import remembered, theme
from eav_live.ui.panels.card import button, label
from eav_live.ui.panels.stage import Scene, Stage
from eav_live.ui.window import SessionWindow
from eav_live.ui.words import tr
from eav_offline.common.console import counted
from eav_offline.common.errors import InputRefused

if TYPE_CHECKING:
    from eav_live.ui.dashboard import Dashboard

_SHARE = 0.7  # of the window's width, for the notice
_LETTERS = 1.7  # of the operator's usual ones, at least
_BLACK = "QWidget#dashboard { background: #000000; }"  # no light on the face


class StageWindow(QWidget):
    """A stage that fills a window. scheme: None is the system's."""

    def __init__(self, scheme: Qt.ColorScheme | None = None) -> None:
        super().__init__()
        self.setObjectName("dashboard")
        self.setWindowTitle(tr("EAV-Live: participant"))
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, on=False)
        self.stage = Stage()
        self.rows = QVBoxLayout(self)
        self.rows.addWidget(self.stage)
        self._more_style = ""
        if scheme is None:
            QGuiApplication.styleHints().colorSchemeChanged.connect(self.restyle)
        shortcut = QShortcut(QKeySequence("F11"), self)
        shortcut.activated.connect(self._toggle_full_screen)

    def restyle(self, scheme: Qt.ColorScheme) -> None:
        theme.use(scheme)
        self.fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def fit(self) -> None:
        """Let letters be as large as the window."""
        scale = theme.scale_for(self.width(), self.height())
        scale *= max(_LETTERS, remembered.letters())
        self.setStyleSheet(theme.style_sheet(scale) + self._more_style)
        self.stage.set_scale(scale)

    def _toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)


class ParticipantWindow(StageWindow):
    """What the person sees of a session.

    acknowledged: they have pressed the button, Enter or Space.
    """

    acknowledged = Signal()

    def __init__(self, shown: Participant) -> None:
        super().__init__()
        self._shown = shown
        self.text = label(tr(shown.notice), "text")
        self.text.setWordWrap(True)
        self.agree = button(tr("I have read this (Enter)"), self.acknowledged.emit)
        self.notice = QWidget()
        self._lines = QVBoxLayout(self.notice)
        self._lines.addStretch(1)
        self._lines.addWidget(self.text)
        self._lines.addWidget(self.agree, 0, Qt.AlignmentFlag.AlignCenter)
        self._lines.addStretch(1)
        self.rows.addWidget(self.notice)
        self.stage.hide()
        for key in ("Return", "Enter"):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.activated.connect(self.agree.click)
        self.agree.setFocus()

    def go_on(self) -> None:
        """The notice is acknowledged: show what there is to show."""
        self.notice.hide()
        if self._shown.shows == "nothing":
            self._more_style = _BLACK
            self.setCursor(Qt.CursorShape.BlankCursor)
        else:
            self.stage.show()
            self.show_cue("")
        self.fit()

    def show_cue(self, cue: str) -> None:
        """Show a cue; an empty one shows the neutral page."""
        self.stage.show_scene(Scene(text=cue or self._shown.text))

    def fit(self) -> None:
        super().fit()
        scale = theme.scale_for(self.width(), self.height())
        side = round(self.width() * (1 - _SHARE) / 2)
        self._lines.setContentsMargins(side, 0, side, 0)
        self._lines.setSpacing(round(28 * scale))


def show_to_participant(
    dashboard: "Dashboard", running: Running, screen: str
) -> ParticipantWindow:
    """Open the window beside the dashboard, and close it with it.

    screen: the number of one, which is filled, counted from 1; or "window". Raises: as
    `require_screen`.
    """
    require_screen(screen)
    window = ParticipantWindow(running.streams.config.participant)
    controls = dashboard.controls
    assert controls is not None
    window.acknowledged.connect(controls.acknowledge)
    controls.when_informed(window.go_on)
    controls.when_cued(window.show_cue)
    _open_beside(dashboard, window, screen)
    return window


def mirror_cues(
    window: SessionWindow, stages: Sequence[Stage], screen: str
) -> StageWindow:
    """Show the person what the stages of a window show, and nothing else of it.

    What its keys do they do in both windows; each has its own F11.
    screen, Raises: as `show_to_participant`.
    """
    require_screen(screen)
    shown = StageWindow(Qt.ColorScheme.Dark)  # its light falls on the face
    for stage in stages:
        stage.changed.connect(shown.stage.show_scene)
        if stage.scene != Scene():  # it was there before
            shown.stage.show_scene(stage.scene)
    own = [shortcut.key() for shortcut in shown.findChildren(QShortcut)]
    for shortcut in window.findChildren(QShortcut):
        if shortcut.key() not in own:  # of two alike Qt does neither
            shortcut.setContext(Qt.ShortcutContext.ApplicationShortcut)
    _open_beside(window, shown, screen)
    return shown


def require_screen(screen: str) -> None:
    """Raise InputRefused if there are not so many screens."""
    screens = QGuiApplication.screens()
    if screen != "window" and int(screen) > len(screens):
        raise InputRefused(
            f"--participant-screen {screen}: there is {counted(len(screens), 'screen')}"
            "; connect another, or give --participant-screen window"
        )


def _open_beside(main: SessionWindow, window: StageWindow, screen: str) -> None:
    main.closed.connect(window.close)
    main.participant = window  # which keeps it
    if screen == "window":
        window.resize(theme.BASE_WIDTH, theme.BASE_HEIGHT)
        window.show()
    else:
        window.setGeometry(QGuiApplication.screens()[int(screen) - 1].geometry())
        window.showFullScreen()
