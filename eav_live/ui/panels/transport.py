"""Under a recording: buttons that do what their keys do."""

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from eav_live.ui.panels.card import ElidedLabel, fill, label
from eav_live.ui.words import later, tr

_JUMPS = {later("differs"): "D", later("loss"): "L", later("mark"): "M"}


class TransportBar(QWidget):
    """Play, speed, jumps, notes. press: called with the key of a button."""

    def __init__(self, press: Callable[[str], object]) -> None:
        super().__init__()
        self._press = press
        self.play = self._button(tr("Play"), "Space")
        self.clock, self.speed = label("", "title"), label("1\u00d7", "title")
        self.said = ElidedLabel()
        parts = [self.play, self.clock]
        parts += [self._button("\u2212", "[", tr("slower")), self.speed]
        parts.append(self._button("+", "]", tr("faster")))
        for name, key in _JUMPS.items():
            parts.append(
                self._button(
                    "\u2039", f"Shift+{key}", tr("previous {what}", what=tr(name))
                )
            )
            parts.append(label(tr(name), "muted"))
            parts.append(self._button("\u203a", key, tr("next {what}", what=tr(name))))
        acts = ((tr("Note"), "A"), (tr("Save"), "X"), (tr("Recognize anew"), "R"))
        rest = [self._button(text, key) for text, key in (*acts, ("?", "?"))]
        row = QHBoxLayout(self)
        self._row = fill(row, *parts, (self.said, 1), *rest, margins=False)

    def show_moment(self, clock: str, playing: bool, speed: float) -> None:
        """Say where the recording is, and how it goes on."""
        self.clock.setText(clock)
        self.play.setText(tr("Pause") if playing else tr("Play"))
        self.speed.setText(f"{speed:g}\u00d7")

    def set_scale(self, scale: float) -> None:
        self._row.setSpacing(round(7 * scale))

    def _button(self, text: str, key: str, about: str = "") -> QPushButton:
        button = QPushButton(text)
        if len(text) > 1:
            button.setProperty("role", "words")
        button.clicked.connect(lambda: self._press(key))
        button.setToolTip(tr("Key {key}", key=key))
        button.setAccessibleName(about or text)
        return button
