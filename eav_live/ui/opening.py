"""What the window shows until the session is open, and why it is not opened."""

import time

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout

from eav_live.ui.panels.card import label
from eav_live.ui.window import SessionWindow
from eav_live.ui.words import later, said, tr

_TICK_SECONDS = 0.5  # what is animated takes time from what is loaded
_WIDTH = 760  # pixels of the column of text, at scale 1
REFUSED = later("This cannot be used")


class OpeningPage(SessionWindow):
    """Says what is being done, for how long, and at the end why nothing came of it."""

    def __init__(self, title: str = "EAV-Live") -> None:
        super().__init__(title)
        self._begun = time.monotonic()
        self.brand = label("EAV-Live", "brand")
        self.step = label(tr("Starting\u2026"), "heading")
        self.note = label()
        self.since = label()
        self.leave = QPushButton(tr("Close (Esc)"))
        self.leave.setProperty("role", "words")
        self.leave.clicked.connect(self.close)
        self.leave.hide()
        self._lay_out()
        self.bind("Esc", self.close)
        self._begin(_TICK_SECONDS)

    def say(self, step: str) -> None:
        """What is being done now."""
        self.step.setText(said(step))

    def add_note(self, text: str) -> None:
        """What the log says."""
        self.note.setText(text)

    def refuse(self, words: str) -> None:
        """Say why there will be no session, and wait to be closed."""
        self.step.setText(tr(REFUSED))
        words = said(words)
        self.note.setText(words[:1].upper() + words[1:])
        self.note.setProperty("role", "text")
        self.note.style().polish(self.note)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.since.hide()
        self.leave.show()
        self.leave.setFocus()

    def refresh(self) -> None:
        """See `SessionWindow`."""
        self.since.setText(
            tr("{seconds:.0f} s", seconds=time.monotonic() - self._begun)
        )

    def _lay_out(self) -> None:
        self.step.setWordWrap(True)
        self.note.setWordWrap(True)
        self._column = QVBoxLayout(self)
        self._column.addStretch(2)
        for part in (
            self.brand,
            self.step,
            self.since,
            self.note,
            self.leave,
        ):
            self._column.addWidget(part)
        self._column.setAlignment(self.leave, Qt.AlignmentFlag.AlignLeft)
        self._column.addStretch(3)

    def _rescale(self, scale: float) -> None:
        side = max(round(24 * scale), (self.width() - round(_WIDTH * scale)) // 2)
        self._column.setContentsMargins(side, 0, side, 0)
        self._column.setSpacing(round(12 * scale))

    def _end(self) -> None: ...
