"""The window of a calibration: consent, cues, rest, what it is worth, the question."""

import logging
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from eav_live.calibrate.running import Calibrating, Stage, verdict
from eav_live.ui import theme
from eav_live.ui.collecting import TICK_SECONDS, CuesView, ask_or_go_back, session_keys
from eav_live.ui.opening import REFUSED
from eav_live.ui.panels.card import Canvas, button, fill, label
from eav_live.ui.panels.stage import Scene
from eav_live.ui.panels.stage import Stage as Page
from eav_live.ui.window import SessionWindow, run_window
from eav_live.ui.words import later, listed, said, tr
from eav_offline.checkpoint.card import NAMES
from eav_offline.personal.worth import Accuracy, Calibrated

log = logging.getLogger(__name__)
RESTING = later(
    "Thank you. Rest.\n\nWhat you showed is being learned. It takes a minute or two.\n"
    "Your recording is on disk: nothing is lost if you close the window."
)
AGREE_KEYS = later("Enter: I agree     Esc: I do not")
_LETTERS = 20  # pixels at scale 1


class CalibrateWindow(SessionWindow):
    """Leads a person through a calibration.

    Closing it ends the calibration as it stands; it closes by itself after the answer.
    """

    follows_system = False  # its light falls on the face that is recorded

    def __init__(
        self,
        calibrating: Calibrating,
        consent: str,
        agreed: Callable[[], None],
        asks: bool = True,
    ) -> None:
        """consent: what the person is shown. agreed: called when they agree. asks:
        whether they are asked at all."""
        title = tr("Calibration, {person}", person=calibrating.person.code)
        super().__init__(f"EAV-Live: {title}")
        self._calibrating, self._agreed = calibrating, agreed
        self.page = PageView(title)
        self.cues = CuesView(title)
        self.worth = Worth()
        self.answer = AnswerView(title, self.worth)
        self._stack = QStackedLayout(self)
        for view in (self.page, self.cues, self.answer):
            self._stack.addWidget(view)
        self.page.offer(
            (tr("Agree  (Enter)"), self.agree), (tr("No  (Esc)"), self.close)
        )
        self.answer.offer(
            (tr("Keep  (K)"), self.keep),
            (tr("Discard  (D)"), self.discard),
            (tr("Ask me later  (Esc)"), self.close),
        )
        self._consent = consent
        self._bind_keys()
        if not asks and calibrating.stage is Stage.CONSENT:
            self.agree()
        self._begin(TICK_SECONDS)

    @property
    def stage(self) -> Page:
        """What is painted large."""
        cueing = self._calibrating.stage is Stage.CUES
        return self.cues.stage if cueing else self.page.stage

    def agree(self) -> None:
        """The person agrees to be recorded."""
        if self._calibrating.stage is Stage.CONSENT:
            self._agreed()

    def keep(self) -> None:
        """Keep the model, and close."""
        if self._calibrating.stage is Stage.ANSWER and self._calibrating.can_keep:
            self._calibrating.keep()
            self.close()

    def discard(self) -> None:
        """Keep no model, and close."""
        if self._calibrating.stage is Stage.ANSWER:
            self._calibrating.discard()
            self.close()

    def _bind_keys(self) -> None:
        keys: dict[str, Callable[[], object]] = {
            key: partial(self._pressed, key)
            for key in ("Return", "Enter", "Space", "R", "S")
        }
        keys |= {"K": self.keep, "D": self.discard, "Esc": self._escape}
        for key, action in keys.items():
            shortcut = self.bind(key, action)
            shortcut.setAutoRepeat(False)  # a finger that rests on a key

    def _pressed(self, key: str) -> None:
        session = self._calibrating.collecting
        if self._calibrating.stage is Stage.CUES and session is not None:
            session_keys(session)[key]()
        elif key in ("Return", "Enter"):
            self.agree()
        self.refresh()

    def _escape(self) -> None:
        session = self._calibrating.collecting
        if self._calibrating.stage is Stage.CUES and session is not None:
            ask_or_go_back(session)
            self.refresh()
        else:
            self.close()

    def _rescale(self, scale: float) -> None:
        for view in (self.page, self.cues, self.answer):
            view.set_scale(scale)

    def refresh(self) -> None:
        """Let the calibration go on and show how it stands; the timer calls this."""
        if self._closed:
            return
        try:
            self._calibrating.tick()
        except Exception:  # the person must not be left in front of a dead window
            log.exception("The calibration stopped")
            self.failed = True
            self.close()
            return
        self._show()

    def _show(self) -> None:
        now = self._calibrating
        match now.stage:
            case Stage.CONSENT:
                text = "\n\n".join(t for t in (self._consent, said(now.found)) if t)
                foot = tr(AGREE_KEYS) if self.participant is not None else ""
                scene = Scene(head=tr("Do you agree?"), text=text, foot=foot)
                self.page.show_page(scene, True)
            case Stage.WAITING:
                text = tr("Waiting for what the session must have\u2026")
                self.page.show_page(Scene(text=text, quiet=True), False)
            case Stage.REFUSED:
                why = said(str(now.refused))
                text = why[:1].upper() + why[1:]
                scene = Scene(head=tr(REFUSED), text=text, foot=tr("Close (Esc)"))
                self.page.show_page(scene, False)
            case Stage.CUES:
                assert now.collecting is not None
                self.cues.show_session(now.collecting)
                self._stack.setCurrentWidget(self.cues)
                return
            case Stage.FITTING:
                text = "\n\n".join(t for t in (said(now.found), tr(RESTING)) if t)
                self.page.show_page(Scene(text=text, quiet=True), False)
            case Stage.ANSWER:
                self.answer.show_answer(now)
                self._stack.setCurrentWidget(self.answer)
                return
            case Stage.ENDED:
                self.close()
                return
        self._stack.setCurrentWidget(self.page)

    def _end(self) -> None:
        self._calibrating.end()


def run_calibrate_window(
    calibrating: Calibrating,
    consent: str,
    agreed: Callable[[], None],
    *,
    asks: bool = True,
    full_screen: bool = False,
    screen: str | None = None,
) -> int:
    """Show a calibration until it ends; see `CalibrateWindow`.

    screen: of the person's window, see `show_to_participant`; None for none. Returns
    the exit status: 0, 1 if something broke down, 130 after Ctrl-C. Raises NoDisplay.
    """

    def make() -> CalibrateWindow:
        window = CalibrateWindow(calibrating, consent, agreed, asks)
        if screen is not None:
            from eav_live.ui.participant import mirror_cues

            mirror_cues(window, [window.page.stage, window.cues.stage], screen)
        return window

    return run_window(make, (theme.BASE_WIDTH, theme.BASE_HEIGHT), full_screen)


class _View(QWidget):
    """A page below a title, above a row of buttons."""

    def __init__(self, title: str, body: "Page | Worth") -> None:
        super().__init__()
        self._body = body
        self.buttons: list[QPushButton] = []
        self._title = label(title, "brand")
        self._row = fill(QHBoxLayout(), 1)
        self._rows = fill(QVBoxLayout(self), self._title, (body, 1), self._row)

    def offer(self, *choices: tuple[str, Callable[[], object]]) -> None:
        """Buttons, from left to right."""
        for text, action in choices:
            made = button(text, action)
            # Keys do the same; a focus would take the space bar for a click.
            made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            self.buttons.append(made)
            self._row.addWidget(made)
        self._row.addStretch(1)

    def set_scale(self, scale: float) -> None:
        self._body.set_scale(scale)
        margin = round(14 * scale)
        self._rows.setContentsMargins(margin, round(8 * scale), margin, 2 * margin)
        self._row.setSpacing(margin)


class PageView(_View):
    """A page of text."""

    def __init__(self, title: str) -> None:
        self.stage = Page()
        super().__init__(title, self.stage)

    def show_page(self, scene: Scene, choices: bool) -> None:
        """Show a scene, with or without the buttons."""
        self.stage.show_scene(scene)
        for one in self.buttons:
            one.setVisible(choices)


class AnswerView(_View):
    """What a calibration is worth, and the question whether to keep it."""

    def __init__(self, title: str, worth: "Worth") -> None:
        self._worth = worth
        super().__init__(title, worth)

    def show_answer(self, calibrating: Calibrating) -> None:
        """Show what was found, or why nothing was."""
        self._worth.show_worth(calibrating.result, calibrating.error)
        self.buttons[0].setVisible(calibrating.can_keep)


class Worth(Canvas):
    """Paints accuracy before and after with intervals, and what else is to be known."""

    def __init__(self) -> None:
        super().__init__()
        self.made: Calibrated | None = None
        self.error = ""

    def show_worth(self, made: Calibrated | None, error: str) -> None:
        """Paint this from now on."""
        if made is not self.made or error != self.error:
            self.made, self.error = made, error
            self.setAccessibleName(f"{self.headline} {' '.join(self.remarks)}")
            self.update()

    @property
    def headline(self) -> str:
        """What is said largest."""
        if self.made is None:
            return tr("Nothing could be learned from these clips")
        return said(verdict(self.made))

    @property
    def remarks(self) -> list[str]:
        """What stands below the bars, line by line."""
        made = self.made
        if made is None:
            return [said(self.error), tr("The recording stays; it can be begun again.")]
        low, high = (100 * x for x in made.gain.interval)
        lines = [
            tr(
                "Gain {gain:+.0f} points (95 %: {low:+.0f} to {high:+.0f}), on {n} "
                "clips, each named by a fit without it.",
                gain=100 * made.gain.value,
                low=low,
                high=high,
                n=made.n_clips,
            )
        ]
        alone = [
            tr(
                "{name} {before:.0%} to {after:.0%}",
                name=tr(NAMES[m]),
                before=was.value,
                after=now.value,
            )
            for m, (was, now) in made.by_modality.items()
        ]
        lines.append(tr("Alone: {all}.", all=listed(alone)))
        if made.learned:
            learned = listed([tr(name) for name in made.learned])
            lines.append(tr("New to the model: {all}.", all=learned))
        if made.forgotten is not None:
            lines.append(
                tr(
                    "Earlier days' clips: {points:+.0f} points.",
                    points=-100 * made.forgotten,
                )
            )
        lines.append(
            tr(
                "Keep it? The next session of this person then uses it. The recording "
                "stays either way."
            )
        )
        return lines

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint headline, bars and remarks."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        height = area.height()
        painter.setPen(QColor(theme.TEXT))
        head = QRectF(0, 0.06 * height, area.width(), 0.16 * height)
        painter.setFont(theme.fitted(self.headline, head, 30 * self._scale, bold=True))
        painter.drawText(head, theme.CENTERED, self.headline)
        if self.made is not None:
            for i, (name, share, color) in enumerate(
                (
                    (tr("Before"), self.made.before, theme.FAINT),
                    (tr("After"), self.made.after, theme.TRACE),
                )
            ):
                row = QRectF(0.12 * area.width(), 0, 0.76 * area.width(), 0.1 * height)
                row.moveTop((0.27 + 0.14 * i) * height)
                self._paint_bar(painter, row, name, share, color)
        below = QRectF(0.1 * area.width(), 0.58 * height, 0.8 * area.width(), 0)
        below.setBottom(0.98 * height)
        painter.setPen(QColor(theme.MUTED))
        remarks = "\n".join(self.remarks)
        painter.setFont(theme.fitted(remarks, below, _LETTERS * self._scale))
        top = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(below, top, remarks)

    def _paint_bar(
        self, painter: QPainter, row: QRectF, name: str, share: Accuracy, color: str
    ) -> None:
        """A bar of an accuracy, with its interval as a whisker and in words."""
        painter.setPen(QColor(theme.TEXT))
        middle = Qt.AlignmentFlag.AlignVCenter
        low, high = share.interval
        told = tr(
            "{share:.0%}  ({low:.0%} to {high:.0%})",
            share=share.value,
            low=low,
            high=high,
        )
        beside = row.adjusted(0.71 * row.width(), 0, 0, 0)
        painter.setFont(theme.fitted(told, beside, 22 * self._scale, bold=True))
        painter.drawText(row, middle | Qt.AlignmentFlag.AlignLeft, name)
        painter.drawText(row, middle | Qt.AlignmentFlag.AlignRight, told)
        room = row.adjusted(0.14 * row.width(), 0, -0.3 * row.width(), 0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.faded(theme.LINE, 0.5))
        painter.drawRect(room)
        bar = QRectF(room)
        bar.setWidth(share.value * room.width())
        painter.setBrush(theme.faded(color, 0.6))  # so that the whisker is seen on it
        painter.drawRect(bar)
        painter.setPen(QPen(QColor(theme.TEXT), 3 * self._scale))
        y, end = room.center().y(), 0.18 * room.height()
        left, right = (room.left() + x * room.width() for x in (low, high))
        painter.drawLine(round(left), round(y), round(right), round(y))
        for x in (left, right):
            painter.drawLine(round(x), round(y - end), round(x), round(y + end))
