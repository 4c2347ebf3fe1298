"""The red line of what was lost and nobody has acknowledged."""

from time import monotonic

from PySide6.QtWidgets import QApplication, QPushButton, QSizePolicy

from eav_live.recording.guard import Guard

ALARM_KEY = "A"
_BEEP_SECONDS = 2.0


class AlarmLine(QPushButton):
    """Says what the guard lost, over the whole width, until it is clicked."""

    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self.setProperty("role", "alarm")
        self._guard = guard
        self._beeped_at = 0.0
        # However long the text is, the window keeps its width.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self.acknowledge)
        self.hide()

    def refresh(self) -> None:
        """Look whether anything was lost."""
        self._guard.look()
        text = self._guard.alarm
        if text:
            self.setText(f"LOST   {text}   Press {ALARM_KEY} to acknowledge")
            self.setToolTip(text)
            self._beep()
        self.setVisible(bool(text))

    def acknowledge(self) -> None:
        """Take the line away until something else is lost."""
        self._guard.acknowledge()
        self.refresh()

    def _beep(self) -> None:
        if self._guard.must.sound and monotonic() - self._beeped_at > _BEEP_SECONDS:
            self._beeped_at = monotonic()
            QApplication.beep()
