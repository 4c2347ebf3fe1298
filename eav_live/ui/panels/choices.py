"""A list of what may be chosen, with what is wrong with the one that is."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QMargins,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from eav_live.ui import theme
from eav_live.ui.panels.card import Canvas, Card, fill, label
from eav_live.ui.words import tr

_SILENT_DB = -70  # below any room; where the bar of the level begins


@dataclass(frozen=True)
class Choice:
    """option: what the session is given. more: a second line. fault: why it cannot be
    used, and the cure. notice: what is to be known though it can. microphone: its
    number, for its level. preferred: chosen where nobody has chosen. seen: whether
    there are pictures of it.
    """

    option: str
    title: str
    more: str
    fault: str = ""
    notice: str = ""
    microphone: int | None = None
    preferred: bool = False
    seen: bool = False


class ChoiceCard(Card):
    """changed: something else is chosen, or what is chosen has changed.

    empty: what is said while there is nothing but the first of `choices`.
    """

    changed = Signal()

    def __init__(self, name: str, choices: Sequence[Choice], empty: str) -> None:
        super().__init__(name)
        self.name, self._empty = name, empty
        self._choices = list(choices)
        self._fault = ""
        self._touched, self._trouble = False, ""
        self.list = QListWidget()
        self.list.setAccessibleName(name)
        self.list.setWordWrap(True)
        self.list.setItemDelegate(_Roomy(self.list))
        self.level = QProgressBar()
        self.level.setRange(_SILENT_DB, 0)
        self.level.setProperty("role", "level")
        self.level.setAccessibleName(tr("{name}: level", name=name))
        self.level.hide()
        self.picture = Picture()
        self.picture.setAccessibleName(tr("{name}: what it shows", name=name))
        self.picture.hide()
        self.about = label(empty, "muted")
        self.about.setWordWrap(True)
        body = QWidget()
        parts = ((self.list, 1), self.level, (self.picture, 1), self.about)
        self._column = fill(QVBoxLayout(body), *parts, margins=False)
        self.set_body(body)
        self._fill(0)
        self.list.currentRowChanged.connect(self._chosen)
        self.list.itemPressed.connect(self._touch)

    @property
    def chosen(self) -> Choice:
        """What is chosen now."""
        return self._choices[max(0, self.list.currentRow())]

    def show_choices(self, choices: Sequence[Choice], trouble: str = "") -> None:
        """Bring the list up to date; what is chosen stays, unless it has gone.

        trouble: why there may be more than can be seen.
        """
        self._trouble = trouble
        if list(choices) != self._choices:
            before, self._choices = self.chosen, list(choices)
            self._fill(self._row_of(before))
        self._tell()

    def choose(self, option: str) -> None:
        """Choose as a person would."""
        self._touched = True
        options = [choice.option for choice in self._choices]
        self.list.setCurrentRow(options.index(option))

    def set_level(self, level_db: float | None, fault: str) -> None:
        """Show how loud it is, dB of full scale; None shows no level."""
        self.level.setVisible(level_db is not None)
        if level_db is not None:
            self.level.setValue(round(min(0.0, max(_SILENT_DB, level_db))))
            self.level.setFormat(f"{level_db:.0f} dB")
        self._show_fault(fault)

    def show_picture(self, image: QImage | None, fault: str = "") -> None:
        """Show what the one that is chosen shows, or why it shows nothing."""
        self.picture.image = image
        self.picture.setVisible(image is not None)
        self.picture.update()
        self._show_fault(fault)

    def set_scale(self, scale: float) -> None:
        super().set_scale(scale)
        self._column.setSpacing(round(8 * scale))
        self.level.setFixedHeight(round(20 * scale))

    def restyle(self) -> None:
        for row, choice in enumerate(self._choices):
            color = theme.BAD if choice.fault else theme.TEXT
            self.list.item(row).setForeground(QColor(color))
        super().restyle()

    def _row_of(self, before: Choice) -> int:
        """Where what was chosen is now; without a choice, what is preferred."""
        options = [choice.option for choice in self._choices]
        if before.option in options and (self._touched or before.option != "none"):
            return options.index(before.option)
        usual = [c.preferred and not c.fault for c in self._choices]
        return usual.index(True) if any(usual) and not self._touched else 0

    def _fill(self, row: int) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        for choice in self._choices:
            self.list.addItem(QListWidgetItem(f"{choice.title}\n{choice.more}"))
        self.restyle()
        self.list.setCurrentRow(row)
        self.list.blockSignals(False)

    def _touch(self) -> None:
        self._touched = True

    def _chosen(self) -> None:
        self._touched = True
        self._tell()
        self.changed.emit()

    def _show_fault(self, fault: str) -> None:
        """Why the one that is chosen gives nothing just now; "" if it does."""
        if fault != self._fault:
            self._fault = fault
            self._tell()

    def _tell(self) -> None:
        """Words on what is chosen."""
        chosen = self.chosen
        text = chosen.fault or self._fault or chosen.notice
        if not text:
            text = self._trouble or (self._empty if len(self._choices) == 1 else "")
        warns = bool(self._fault or chosen.notice)
        role = "bad" if chosen.fault else "warning" if warns else "muted"
        self.about.setText(text)
        if self.about.property("role") != role:
            self.about.setProperty("role", role)
            self.about.style().polish(self.about)


class _Roomy(QStyledItemDelegate):
    """Gives letters of several fonts more room: as Qt reckons, lines are left out."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        size = super().sizeHint(option, index)
        if str(index.data()).isascii():
            return size
        letters = QFontMetrics(option.font)
        return size.grownBy(QMargins(0, 0, 0, letters.height() // 2))


class Picture(Canvas):
    """A picture, as large as there is room."""

    def __init__(self) -> None:
        super().__init__()
        self.image: QImage | None = None

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture in the middle."""
        if self.image is None:
            return
        ratio = Qt.AspectRatioMode.KeepAspectRatio
        place = self.rect()
        place.setSize(self.image.size().scaled(self.size(), ratio))
        place.moveCenter(self.rect().center())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, self.image)
