"""The participant's window: a notice, then a neutral page or a text. No estimates.

Who is subject to emotion recognition must be told (AI Act, Art. 50(3)), at first
exposure: no estimate of a session is made before the notice is acknowledged.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from eav_live.config import Participant
from eav_live.running import Running
from eav_live.ui import theme
from eav_live.ui.panels.card import label
from eav_offline.common.console import counted
from eav_offline.common.errors import InputRefused

if TYPE_CHECKING:
    from eav_live.ui.dashboard import Dashboard

_SHARE = 0.7  # of the window's width, for text
_LETTERS = 1.7  # of the operator's


class ParticipantWindow(QWidget):
    """acknowledged: the person has pressed the button, Enter or Space."""

    acknowledged = Signal()

    def __init__(self, shown: Participant) -> None:
        super().__init__()
        self.setObjectName("dashboard")
        self.setWindowTitle("EAV-Live: participant")
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, on=False)
        self._shown = shown
        QGuiApplication.styleHints().colorSchemeChanged.connect(self.restyle)
        self.text = label(shown.notice, "text")
        self.text.setWordWrap(True)
        self.agree = QPushButton("I have read this (Enter)")
        self.agree.setProperty("role", "words")
        self.agree.clicked.connect(self.acknowledged)
        self._rows = QVBoxLayout(self)
        self._rows.addStretch(1)
        self._rows.addWidget(self.text)
        self._rows.addWidget(self.agree, 0, Qt.AlignmentFlag.AlignCenter)
        self._rows.addStretch(1)
        for key in ("Return", "Enter"):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.activated.connect(self.agree.click)
        self.agree.setFocus()

    def go_on(self) -> None:
        """The notice is acknowledged: show what there is to show."""
        self.agree.hide()
        self.text.setText(self._shown.text)
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def restyle(self, scheme: Qt.ColorScheme) -> None:
        """Take the colors of another scheme."""
        theme.use(scheme)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let letters grow with the window."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        scale = theme.scale_for(self.width(), self.height())
        self.setStyleSheet(theme.style_sheet(scale * _LETTERS))
        side = round(self.width() * (1 - _SHARE) / 2)
        self._rows.setContentsMargins(side, 0, side, 0)
        self._rows.setSpacing(round(28 * scale))


def show_to_participant(
    dashboard: "Dashboard", running: Running, screen: str
) -> ParticipantWindow:
    """Open the window beside the dashboard, and close it with it.

    screen: the number of one, which is filled, counted from 1; or "window". Raises
    InputRefused if there are not so many.
    """
    screens = QGuiApplication.screens()
    if screen != "window" and int(screen) > len(screens):
        raise InputRefused(
            f"--participant-screen {screen}: there is {counted(len(screens), 'screen')}"
            "; connect another, or give --participant-screen window"
        )
    window = ParticipantWindow(running.streams.config.participant)
    controls = dashboard.controls
    assert controls is not None
    window.acknowledged.connect(controls.acknowledge)
    controls.when_informed(window.go_on)
    dashboard.closed.connect(window.close)
    dashboard.participant = window  # which keeps it
    if screen == "window":
        window.resize(theme.BASE_WIDTH, theme.BASE_HEIGHT)
        window.show()
    else:
        window.setGeometry(screens[int(screen) - 1].geometry())
        window.showFullScreen()
    return window
