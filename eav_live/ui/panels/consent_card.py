"""Consent, asked for in the window before anything is recorded."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from eav_live.recording.consent import Consent, obtain_consent
from eav_live.ui.panels.card import OverCard, button, fill, label
from eav_live.ui.panels.flow import Flow
from eav_live.ui.words import listed, said, tr
from eav_offline.common.errors import InputRefused

_WIDTH = 640  # pixels at scale 1


class ConsentCard(OverCard):
    """Asks for consent.

    agreed: the file to be written, and the consent.
    """

    agreed = Signal(object, object)

    def __init__(
        self,
        text: str,
        what: Sequence[str],
        parent: QWidget,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        """text: what the person is shown. what: the streams that are recorded."""
        super().__init__(tr("Record this session"), parent)
        self._text, self._what, self._now = text, what, now
        self.person, self.by, self.file = QLineEdit(), QLineEdit(), QLineEdit()
        self.person.setPlaceholderText(tr("a code, no name, as P01"))
        self.by.setPlaceholderText(tr("initials"))
        self.person.textChanged.connect(self._propose)
        self.read = QCheckBox(tr("The person has read this, and agrees"))
        self.read.toggled.connect(self._look)
        self.error = label("", "warning")
        self.error.setWordWrap(True)
        self.go = button(tr("Record (Enter)"), self._agree)
        self.leave_button = button(tr("Cancel (Esc)"), self.leave)
        self.set_page(self._page())
        for key, action in (
            ("Return", self._enter),
            ("Enter", self._enter),
            ("Esc", self.leave),
        ):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)

    def ask(self) -> None:
        """Come up, with nothing agreed."""
        self.read.setChecked(False)
        self.error.setText("")
        self._propose()
        self._look()
        self.come()
        self.person.setFocus()

    def set_scale(self, scale: float) -> None:
        self._column.setSpacing(round(10 * scale))
        super().set_scale(scale)

    def _wanted(self) -> int:
        return round(_WIDTH * self._scale)

    def _page(self) -> QWidget:
        page = QWidget()
        what = listed([tr(name) for name in self._what])
        shown = label(self._text, "text")
        shown.setWordWrap(True)
        form = QFormLayout()
        for name, field in (
            (tr("Person"), self.person),
            (tr("Who asks"), self.by),
            (tr("File"), self.file),
        ):
            field.setAccessibleName(name)
            form.addRow(label(name), field)
        buttons = fill(Flow(), self.go, self.leave_button, 1)
        recorded = label(tr("Recorded: {all}.", all=what))
        recorded.setWordWrap(True)
        parts = (shown, recorded, form, self.read, self.error, buttons)
        self._column = fill(QVBoxLayout(page), *parts, margins=False)
        return page

    def _propose(self) -> None:
        """A name for the file, until somebody gives another."""
        if self.file.isModified():
            return
        person = self.person.text().strip() or "session"
        name = f"{person}-{self._now():%Y-%m-%d-%H%M}.xdf"
        self.file.setText(str(Path.cwd() / name))

    def _look(self) -> None:
        self.go.setEnabled(self.read.isChecked())
        self.error.setText("")

    def _enter(self) -> None:
        if self.read.isChecked():
            self._agree()
        else:
            self.error.setText(tr("Not before the person agrees: tick that they do."))
            self.place()

    def _agree(self) -> None:
        path = Path(self.file.text().strip()).expanduser()
        try:
            consent = self._consent()
        except InputRefused as refusal:
            self.error.setText(said(str(refusal)))
            self.place()
            return
        self.leave()
        self.agreed.emit(path, consent)

    def _consent(self) -> Consent:
        return obtain_consent(
            self._what,
            self._text,
            person=self.person.text().strip(),
            by=self.by.text(),
            how="window",
        )
