"""What the keys do, over the middle of a window, while somebody asks."""

from collections.abc import Sequence

from PySide6.QtWidgets import QGridLayout, QWidget

from eav_live.ui.panels.card import OverCard, label
from eav_live.ui.panels.eeg.view import EEG_KEYS
from eav_live.ui.panels.flow import ElidedLabel
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
    ("Page Up  Page Down", later("with large letters what does not fit")),
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


class KeysCard(OverCard):
    """A list of keys. keys: what is pressed, and what that does."""

    def __init__(self, keys: Sequence[tuple[str, str]], parent: QWidget) -> None:
        super().__init__(tr("Keys"), parent)
        page = QWidget()
        self._grid = QGridLayout(page)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(1, 1)
        self._keys = [label(tr(key), "title") for key, _ in keys]
        self._texts = [ElidedLabel(tr(text)) for _, text in keys]
        for row, (key, text) in enumerate(zip(self._keys, self._texts, strict=True)):
            self._grid.addWidget(key, row, 0)
            self._grid.addWidget(text, row, 1)
        self.set_page(page)

    def set_scale(self, scale: float) -> None:
        self._grid.setHorizontalSpacing(round(18 * scale))
        self._grid.setVerticalSpacing(round(4 * scale))
        super().set_scale(scale)

    def _wanted(self) -> int:
        keys = max(key.sizeHint().width() for key in self._keys)
        texts = max(text.width_of_all for text in self._texts)
        return keys + self._grid.horizontalSpacing() + texts
