"""The page that `eav-live` opens with: what is to be done, each by one click or key."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QFontDatabase, QShortcut
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from eav_live.options import SessionOptions
from eav_live.options.presets import last_session, preset_file, preset_names
from eav_live.ui.panels.card import button, fill, label
from eav_live.ui.panels.file_card import FileCard
from eav_live.ui.panels.flow import ElidedLabel
from eav_live.ui.window import SessionWindow
from eav_live.ui.words import NAMES, language, later, said, tr
from eav_offline.common.errors import InputRefused

_TICK_SECONDS = 1.0
_WIDTH = 980  # pixels of what is shown, at scale 1
_MOST_PRESETS = 8
_NOTICE = later(
    "A probability is a model's guess at acted emotions: not what a person feels, and "
    "no diagnosis. Nothing leaves this computer, and nothing is recorded without "
    "consent."
)


class StartPage(SessionWindow):
    """session: options of the one to open. review: a recording or a subject's folder.
    connect_devices: choose them first, for this model; None is the embedded one.
    language: another one is wanted. tried: options that were refused just now, which
    are offered again in place of the last session's.
    """

    session = Signal(object)
    review = Signal(object)
    connect_devices = Signal(object)
    language = Signal(str)

    def __init__(self, tried: SessionOptions | None = None) -> None:
        super().__init__("EAV-Live")
        self._tried = tried
        self._keys: list[QShortcut] = []
        self.buttons: dict[str, ActionButton] = {}
        self._left, self._right = QVBoxLayout(), QVBoxLayout()
        self.error = label("", "warning")
        self.error.setWordWrap(True)
        self.files = FileCard(self)
        self._add_actions()
        self._add_presets()
        self.other_language = self._language_button()
        self._lay_out()
        self.default = self.buttons["Enter"]
        for key in ("Return", "Enter"):
            self._bind(key, partial(press_focused, self, self.default))
        self.files.asking.connect(self._give_keys)
        self._begin(_TICK_SECONDS)
        (self.default if tried is None else self.buttons["L"]).setFocus()

    def refresh(self) -> None:
        """See `SessionWindow`."""

    def tell(self, words: str) -> None:
        """Say what could not be used."""
        self.error.setText(said(words))
        if words:  # it lies below all else: once it has its place
            QTimer.singleShot(
                0, self, lambda: self.area.ensureWidgetVisible(self.error)
            )

    def _add_actions(self) -> None:
        self._add(
            "Enter",
            tr("Start with camera and microphone"),
            tr("the embedded model reads face and voice"),
            lambda: self.session.emit(SessionOptions()),
        )
        self._add(
            "C",
            tr("Connect devices"),
            tr("see which amplifiers, microphones and cameras are there"),
            lambda: self.connect_devices.emit(None),
        )
        self._add(
            "D",
            tr("Demo"),
            tr("a synthetic person, no hardware"),
            lambda: self.session.emit(SessionOptions(demo=True)),
        )
        self._add(
            "R",
            tr("Review a recording"),
            tr("play it, step, note, recognize anew"),
            self._ask,
        )
        self._add(
            "M",
            tr("Open a model"),
            tr("one of yours, then choose its devices"),
            self._ask_for_model,
        )
        kept, told = last_session(), tr("with the same streams and model")
        again: Callable[[], object] = partial(self._open_file, kept)
        if self._tried is not None:
            told = tr("the one that was refused, with the same options")
            again = partial(self.session.emit, self._tried)
        elif kept is None:
            told = tr("there is none so far")
        anew = self._add("L", tr("Last session again"), told, again)
        anew.setEnabled(self._tried is not None or kept is not None)

    def _language_button(self) -> QPushButton:
        other = next(one for one in NAMES if one != language())
        name, han = NAMES[other], QFontDatabase.WritingSystem.SimplifiedChinese
        if other == "zh" and not QFontDatabase.families(han):
            name = "Chinese"  # there are no letters for its own name
        made = button(f"{name} (Z)", partial(self.language.emit, other))
        made.setAccessibleName(name)
        self._bind("Z", made.click)
        return made

    def _add_presets(self) -> None:
        names = preset_names()[:_MOST_PRESETS]
        self._right.addWidget(label(tr("Presets"), "section"))
        for number, name in enumerate(names, 1):
            self._add(
                str(number), name, tr("preset"), partial(self._open_preset, name), False
            )
        if not names:
            text = label(
                tr(
                    "None so far. Connect devices and save the choice under a name, "
                    "and it is here at the next start."
                )
            )
            text.setWordWrap(True)
            self._right.addWidget(text)
        self._right.addStretch(1)

    def _add(
        self,
        key: str,
        title: str,
        more: str,
        action: Callable[[], object],
        left: bool = True,
    ) -> "ActionButton":
        def act() -> None:
            self.tell("")
            action()

        made = self.buttons[key] = ActionButton(key, title, more, act)
        made.focused.connect(lambda: self.area.ensureWidgetVisible(made))
        (self._left if left else self._right).addWidget(made)
        if key != "Enter":
            self._bind(key, made.click)
        return made

    def _bind(self, key: str, action: Callable[[], object]) -> None:
        self._keys.append(self.bind(key, action))

    def _give_keys(self, away: bool) -> None:
        """Leave the keys to what lies over the page, or take them back."""
        for key in self._keys:
            key.setEnabled(not away)

    def _lay_out(self) -> None:
        self._left.addStretch(1)
        self._columns = fill(QHBoxLayout(), (self._left, 3), (self._right, 2))
        notice = label(tr(_NOTICE))
        notice.setWordWrap(True)
        heading = label("EAV-Live", "heading")
        head = fill(QHBoxLayout(), (heading, 1), self.other_language)
        rows = (head, notice, self._columns, self.error)
        self._rows = fill(self._column(), 1, *rows, 2)

    def _rescale(self, scale: float) -> None:
        side = max(round(24 * scale), (self.width() - round(_WIDTH * scale)) // 2)
        self._rows.setContentsMargins(side, round(16 * scale), side, round(16 * scale))
        self._rows.setSpacing(round(12 * scale))
        self._columns.setSpacing(round(24 * scale))
        for column in (self._left, self._right):
            column.setSpacing(round(8 * scale))
        for one in self.buttons.values():
            one.set_scale(scale)
        self.files.set_scale(scale)

    def _ask(self) -> None:
        self.files.ask(
            tr("Review a recording"),
            tr("Recordings (*.xdf)"),
            self.review.emit,
            tr("Take this subject's folder (Ctrl+Enter)"),
            _is_subject,
        )

    def _ask_for_model(self) -> None:
        self.files.ask(
            tr("Open a model"), tr("Models (*.safetensors)"), self.connect_devices.emit
        )

    def _open_preset(self, name: str) -> None:
        try:
            file = preset_file(name)
        except InputRefused as refusal:  # it has gone meanwhile
            self.tell(str(refusal))
            return
        self._open_file(file)

    def _open_file(self, file: Path | None) -> None:
        try:
            self.session.emit(SessionOptions.from_toml(file))
        except InputRefused as refusal:
            self.tell(str(refusal))

    def _end(self) -> None: ...


def _is_subject(folder: Path) -> bool:
    """Whether a folder looks like that of a subject in EAV layout."""
    try:
        inside = [one.name.lower() for one in folder.iterdir() if one.is_dir()]
    except OSError:
        return False
    return "eeg" in inside


class ActionButton(QPushButton):
    """A large button. key: as shown, such as "D". more: a line of explanation.

    focused: the keyboard has come to it.
    """

    focused = Signal()

    def __init__(
        self, key: str, title: str, more: str, action: Callable[[], object]
    ) -> None:
        super().__init__()
        self.setProperty("role", "action")
        self.setAccessibleName(
            tr("{title}. {more}. Key {key}", title=title, more=more, key=key)
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.clicked.connect(action)
        self._key = label(key, "key")
        self._key.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.title = ElidedLabel(title, "title")
        self.more = ElidedLabel(more)
        self._grid = QGridLayout(self)
        self._grid.addWidget(self._key, 0, 0, 2, 1)
        self._grid.addWidget(self.title, 0, 1)
        self._grid.addWidget(self.more, 1, 1)
        self._grid.setColumnStretch(1, 1)
        for part in (self._key, self.title, self.more):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focused.emit()

    def set_scale(self, scale: float) -> None:
        side, gap = round(14 * scale), round(8 * scale)
        self._grid.setContentsMargins(side, gap, side, gap)
        self._grid.setHorizontalSpacing(side)
        self._grid.setVerticalSpacing(round(2 * scale))
        self._key.setFixedWidth(round(52 * scale))
        self.setMinimumHeight(round(62 * scale))


def press_focused(window: QWidget, otherwise: QPushButton) -> None:
    """Press the button that has the keyboard; `otherwise` if none has."""
    focused = window.focusWidget()
    (focused if isinstance(focused, QPushButton) else otherwise).click()
