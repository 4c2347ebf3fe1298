"""Which channel of a stream is which electrode, where its labels do not say."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from eav_live.streams.mapping import by_name, in_order
from eav_live.ui.panels.card import OverCard, button, fill, label
from eav_live.ui.panels.flow import Flow
from eav_live.ui.words import later, listed, tr
from eav_offline.core.electrodes import MAX_MISSING
from eav_offline.core.window import EEG_CHANNELS

_COLUMNS = 5
_LETTERS = 24  # of the window's width, for each column
_COMPUTED = later("computed")
_IN_ORDER = later(
    "By their order is a guess: compare it with the amplifier's manual, or touch an "
    "electrode and look at which trace moves."
)


class ElectrodesCard(OverCard):
    """Asks which channel is which electrode.

    mapped: electrode -> channel, counted from 0, of those that have one.
    """

    mapped = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__("", parent)
        self._labels: tuple[str, ...] = ()
        self.selects: dict[str, QComboBox] = {}
        self.said, self.advice = label("", "text"), label("", "warning")
        for words in (self.said, self.advice):
            words.setWordWrap(True)
        self._grid = QGridLayout()
        self._columns = _COLUMNS
        self._names = {name: label(name, "title") for name in EEG_CHANNELS}
        for electrode in EEG_CHANNELS:
            self._add_select(electrode)
        self._lay_out_selects()
        self.go = button(tr("Use (Enter)"), self._take)
        self.by_name = button(tr("By name (F2)"), partial(self._propose, by_name))
        self.in_order = button(tr("In order (F3)"), partial(self._propose, in_order))
        self.leave_button = button(tr("Cancel (Esc)"), self.leave)
        self.set_page(self._page())

    def ask(
        self, title: str, labels: Sequence[str], places: Mapping[str, int] | None
    ) -> None:
        """Come up for a stream with these labels, empty where the header has none.

        places: as `mapped` gave them before; None proposes by name.
        """
        self._labels = tuple(labels)
        self.set_title(title)
        names = [tr(_COMPUTED), *_channel_names(self._labels)]
        for select in self.selects.values():
            select.blockSignals(True)
            select.clear()
            select.addItems(names)
            select.blockSignals(False)
        self._set(by_name(self._labels) if places is None else places)
        self.come()
        open_ones = (s for s in self.selects.values() if s.currentIndex() == 0)
        next(open_ones, self.selects[EEG_CHANNELS[0]]).setFocus()

    @property
    def places(self) -> dict[str, int]:
        """What is chosen now, see `mapped`."""
        return {
            electrode: select.currentIndex() - 1
            for electrode, select in self.selects.items()
            if select.currentIndex() > 0
        }

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """What a select leaves alone: one whose list is open takes Enter and Esc."""
        actions = {
            Qt.Key.Key_Return: self._take,
            Qt.Key.Key_Enter: self._take,
            Qt.Key.Key_Escape: self.leave,
            Qt.Key.Key_F2: self.by_name.click,
            Qt.Key.Key_F3: self.in_order.click,
        }
        action = actions.get(Qt.Key(event.key()))
        if action is None:
            super().keyPressEvent(event)
        else:
            action()

    def set_scale(self, scale: float) -> None:
        self._column.setSpacing(round(10 * scale))
        self._grid.setHorizontalSpacing(round(8 * scale))
        self._grid.setVerticalSpacing(round(6 * scale))
        super().set_scale(scale)

    def _wanted(self) -> int:
        return self._window.width()  # and no more than there is room for

    def _fit(self) -> None:
        """Lay the selects out in as many columns as there is room for."""
        room = self._window.width() / self.fontMetrics().averageCharWidth()
        columns = min(max(int(room / _LETTERS), 1), _COLUMNS)
        if columns != self._columns:
            self._columns = columns
            self._lay_out_selects()
        super()._fit()

    def _lay_out_selects(self) -> None:
        rows = -(-len(EEG_CHANNELS) // self._columns)
        for i, (electrode, select) in enumerate(self.selects.items()):
            row, column = i % rows, i // rows
            self._grid.addWidget(self._names[electrode], row, 2 * column)
            self._grid.addWidget(select, row, 2 * column + 1)
        for column in range(_COLUMNS):
            self._grid.setColumnStretch(2 * column + 1, int(column < self._columns))

    def _add_select(self, electrode: str) -> None:
        select = QComboBox()
        select.setAccessibleName(tr("Channel of {electrode}", electrode=electrode))
        policy = QSizePolicy.Policy
        select.setSizePolicy(policy.Ignored, policy.Fixed)
        select.currentIndexChanged.connect(partial(self._chosen, electrode))
        self.selects[electrode] = select

    def _page(self) -> QWidget:
        page = QWidget()
        buttons = Flow()
        fill(buttons, self.go, self.by_name, self.in_order, self.leave_button, 1)
        parts = (self._grid, self.said, self.advice, buttons)
        self._column = fill(QVBoxLayout(page), *parts, margins=False)
        return page

    def _propose(self, how: Callable[[Sequence[str]], dict[str, int]]) -> None:
        self._set(how(self._labels), tr(_IN_ORDER) if how is in_order else "")

    def _set(self, places: Mapping[str, int], advice: str = "") -> None:
        for electrode, select in self.selects.items():
            select.blockSignals(True)
            select.setCurrentIndex(places.get(electrode, -1) + 1)
            select.blockSignals(False)
        self._tell(advice)

    def _chosen(self, electrode: str, index: int) -> None:
        """A channel is one electrode: whoever had it is computed from now on."""
        for other, select in self.selects.items():
            if index > 0 and other != electrode and select.currentIndex() == index:
                select.blockSignals(True)
                select.setCurrentIndex(0)
                select.blockSignals(False)
        self._tell("")

    def _tell(self, advice: str) -> None:
        places = self.places
        lacking = [name for name in EEG_CHANNELS if name not in places]
        counts = {"n": len(places), "all": len(EEG_CHANNELS)}
        text = tr("{n} of {all} electrodes have a channel.", **counts)
        if lacking:
            text = tr(
                "{n} of {all} electrodes have a channel; computed from their "
                "neighbors: {names}.",
                **counts,
                names=listed(lacking),
            )
        if len(lacking) > MAX_MISSING:
            advice = advice or tr(
                "More than {n} are computed only because you say so here.",
                n=MAX_MISSING,
            )
        self.said.setText(text)
        self.advice.setText(advice)
        self.place()

    def _take(self) -> None:
        places = self.places
        self.leave()
        self.mapped.emit(places)


def _channel_names(labels: Sequence[str]) -> list[str]:
    """The channels to choose from, by label; by number where that tells too little."""
    return [
        tr("channel {number}", number=i)
        if not label
        else label
        if labels.count(label) == 1
        else tr("{label} (channel {number})", label=label, number=i)
        for i, label in enumerate(labels, 1)
    ]
