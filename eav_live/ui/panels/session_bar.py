"""The buttons that run a session: pause, record, mark, stop, the keys."""

from collections.abc import Callable, Mapping

from PySide6.QtWidgets import QPushButton, QWidget

from eav_live.ui.panels.card import fill, label
from eav_live.ui.panels.flow import ElidedLabel, Flow, LinesButton
from eav_live.ui.words import tr


class SessionBar(QWidget):
    """One line, or several where letters are too large for one.

    press: is given the key of the button that was clicked. marks: names by key.
    """

    def __init__(
        self, press: Callable[[str], object], marks: Mapping[str, str]
    ) -> None:
        super().__init__()
        self._press = press
        self.pause = self._button(tr("Pause"), "P")
        self.record = self._button(tr("Record"), "R")
        self.note = self._button(tr("Note"), "M")
        self.marks = {key: self._button(marks[key], key) for key in sorted(marks)}
        self.stop = self._button(tr("Stop"), "Ctrl+Q")
        self.help = self._button(tr("Keys"), "?")
        self.said = ElidedLabel("")
        self.clock = label("")
        self._lay_out()
        self.show_state(False, False)

    def show_state(self, paused: bool, recording: bool, busy: bool = False) -> None:
        """What the buttons do now. busy: a recording begins or ends."""
        self._name(self.pause, tr("Go on") if paused else tr("Pause"), "P")
        self._name(self.record, tr("End recording") if recording else tr("Record"), "R")
        self.record.setEnabled(not busy)
        for button in (self.note, *self.marks.values()):
            button.setVisible(recording)

    def say(self, text: str) -> None:
        """What has happened."""
        self.said.setText(text)

    def show_clock(self, seconds: float | None, free_gb: float | None) -> None:
        """How long the session has had streams, and what the disk has left."""
        parts = []
        if seconds is not None:
            minutes, rest = divmod(int(seconds), 60)
            hours, minutes = divmod(minutes, 60)
            parts.append(f"{hours}:{minutes:02d}:{rest:02d}")
        if free_gb is not None:
            parts.append(tr("{room:.0f} GB free", room=free_gb))
        self.clock.setText("   ".join(parts))

    def set_scale(self, scale: float) -> None:
        self._row.setSpacing(round(7 * scale))

    def _lay_out(self) -> None:
        acts = (self.pause, self.record, self.note, *self.marks.values())
        rest = ((self.said, 1), self.clock, self.stop, self.help)
        self._row = fill(Flow(self), *acts, *rest, margins=False)

    def _button(self, text: str, key: str) -> QPushButton:
        button = LinesButton()
        button.setProperty("role", "words")
        button.setToolTip(tr("{text}: key {key}", text=text, key=key))
        button.clicked.connect(lambda: self._press(key))
        self._name(button, text, key)
        return button

    def _name(self, button: QPushButton, text: str, key: str) -> None:
        button.setText(f"{text} ({key})")
        button.setAccessibleName(text)
