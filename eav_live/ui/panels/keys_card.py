"""What the keys do, over the middle of a window, while somebody asks."""

from collections.abc import Sequence

from PySide6.QtWidgets import QGridLayout, QWidget

from eav_live.ui.panels.card import OverCard, ReadingArea, label
from eav_live.ui.panels.eeg.view import EEG_KEYS
from eav_live.ui.panels.timeline import TIMELINE_KEYS
from eav_live.ui.words import later, tr

LETTER_KEYS = ("Ctrl +  Ctrl \u2212  Ctrl 0", later("larger, smaller, usual letters"))
REVIEW_KEYS = (
    (later("Space"), later("play, pause")),
    ("[  ]", later("slower, faster (0.5 to 4 times)")),
    ("\u2190  \u2192", later("a second back, on; with Shift ten")),
    ("Home  End", later("to the beginning, to the end")),
    ("D", later("to the next disagreement; with Shift to the one before")),
    ("L", later("to the next loss of a stream; with Shift to the one before")),
    ("M", later("to the next marker or note; with Shift to the one before")),
    ("A", later("note something at the cursor")),
    ("F2", later("rename the note at or before the cursor")),
    ("Del", later("delete the note at or before the cursor")),
    ("R", later("recognize anew by another model")),
    ("V", later("show the estimates as recorded, or those made anew")),
    ("Z", later("zoom into the timeline; with Shift out")),
    ("X", later("save the timeline as a picture and a table, beside the recording")),
    ("+  \u2212", later("larger, smaller EEG traces")),
    ("F", later("the EEG for the eye, as a model sees it, as recorded")),
    LETTER_KEYS,
    ("F11", later("full screen")),
    ("?  F1", later("these keys")),
)

DASHBOARD_KEYS = (
    ("P", later("make no estimates for a while, or again; streams still come in")),
    ("R", later("record, after consent; end the recording")),
    (later("1 to 9"), later("mark what the preset calls so, while it is recorded")),
    ("0", later("show the person no cue any more, where marks show cues")),
    ("M", later("note something of this moment, while it is recorded")),
    ("A", later("acknowledge a loss")),
    ("N", later("the person has read the notice, where one is shown")),
    ("I", later("the model's card")),
    ("+  \u2212", later("larger, smaller EEG traces")),
    *EEG_KEYS,
    *TIMELINE_KEYS,
    LETTER_KEYS,
    (
        "Page Up  Page Down",
        later("the traces back, on; with large letters what does not fit"),
    ),
    ("F11", later("full screen")),
    ("Ctrl+Q", later("stop the session, and close")),
    ("?  F1", later("these keys")),
)


_SHARE = 0.85  # of the window, at most


class KeysCard(OverCard):
    """A list of keys. keys: what is pressed, and what that does. area: scrolls them,
    where letters are too large for all of them.
    """

    def __init__(self, keys: Sequence[tuple[str, str]], parent: QWidget) -> None:
        super().__init__(tr("Keys"), parent)
        self.area = ReadingArea()
        self._grid = QGridLayout()
        self.area.rows.addLayout(self._grid)
        for row, (key, text) in enumerate(keys):
            self._grid.addWidget(label(tr(key), "title"), row, 0)
            self._grid.addWidget(label(tr(text), "muted"), row, 1)
        self.set_body(self.area)

    def set_scale(self, scale: float) -> None:
        self._grid.setHorizontalSpacing(round(18 * scale))
        self._grid.setVerticalSpacing(round(4 * scale))
        super().set_scale(scale)

    def _fit(self) -> None:
        around, wanted = self._window.rect(), self.area.rows.sizeHint()
        bar = self.area.verticalScrollBar().sizeHint().width()
        self.area.setFixedSize(
            min(wanted.width() + bar, round(_SHARE * around.width())),
            min(wanted.height(), round(_SHARE * around.height())),
        )
        self.adjustSize()
