"""The window of a collecting session: cues, countdown, lamps, keys."""

import logging
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from eav_live.collect.course import Phase
from eav_live.collect.running import Collecting
from eav_live.session.intake import doubts
from eav_live.ui import theme
from eav_live.ui.lamps import Lamp
from eav_live.ui.panels.card import fill, label
from eav_live.ui.panels.flow import ElidedLabel, Flow
from eav_live.ui.panels.stage import Scene, Stage
from eav_live.ui.window import TEXT_SECONDS, SessionWindow, run_window
from eav_live.ui.words import later, said, tr
from eav_offline.core.labels import MODALITIES

log = logging.getLogger(__name__)
TICK_SECONDS = 0.016  # a frame of the screen, by which a cue may be late
THANKS_SECONDS = 4.0  # that the last page is seen
KEYS = later(
    "Space  go on, pause     R  again     S  skip     F11  full screen     Esc  end"
)
TASK_WORDS = {
    "listening": later("Listen: {emotion}"),
    "speaking": later("Speak: {emotion}"),
}
NEXT_WORDS = {
    "listening": later("Next you listen: {emotion}"),
    "speaking": later("Next you speak: {emotion}"),
}


class CuesView(QWidget):
    """What the person sees of a collecting session: lamps, the cue, progress."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._began: float | None = None
        self._texts_at = -float("inf")
        self.stage, self.progress = Stage(), Progress()
        self.lamps = {m: Lamp(m) for m in MODALITIES}
        self.notice = label("", "banner")
        self.notice.setWordWrap(True)
        self.notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.notice.hide()
        self.recording = label()
        self.doubts = ElidedLabel("", "warning")
        self.where = label()
        self._lay_out(title)

    def _lay_out(self, title: str) -> None:
        self._header = Flow()
        # Without the program's name: lamps need the room, the person needs none of it.
        brand = ElidedLabel(title, "brand")
        fill(self._header, (brand, 1), self.recording, *self.lamps.values())
        keys = label(tr(KEYS))
        keys.setWordWrap(True)
        self._footer = fill(Flow(), keys, (self.doubts, 1), self.where)
        rows = (self._header, self.notice, (self.stage, 1), self.progress)
        self._rows = fill(QVBoxLayout(self), *rows, self._footer)

    def set_scale(self, scale: float) -> None:
        self.stage.set_scale(scale)
        self.progress.set_scale(scale)
        for lamp in self.lamps.values():
            lamp.set_scale(scale)
        margin, space = round(14 * scale), round(9 * scale)
        self._rows.setContentsMargins(margin, round(8 * scale), margin, space)
        self._rows.setSpacing(space)
        for layout in (self._header, self._footer):
            layout.setSpacing(round(14 * scale))

    def show_session(self, session: Collecting) -> None:
        """Show how a session stands now."""
        now, course = session.clock(), session.course
        self._began = now if self._began is None else self._began
        self.stage.show_scene(scene(session, now))
        self.progress.show_trials(
            [
                (theme.EMOTION_COLORS[t.emotion], t.number in course.done)
                for t in course.plan
            ],
            None if course.finished else course.index,
        )
        if now - self._texts_at >= TEXT_SECONDS:
            self._texts_at = now
            self._refresh_texts(session, now - self._began)

    def _refresh_texts(self, session: Collecting, seconds: float) -> None:
        for modality, lamp in self.lamps.items():
            lamp.set_health(session.health[modality])
        notice = said(session.notice)
        if notice != self.notice.text():
            self.notice.setText(notice)
        self.notice.setVisible(bool(session.notice))
        error = session.recorder.status.error
        minutes, rest = divmod(int(seconds), 60)
        told = tr("recording {minutes}:{rest:02d}", minutes=minutes, rest=rest)
        self.recording.setText(tr("not recording") if error else told)
        found = "" if session.course.phase is Phase.TRIAL else doubts(session.health)
        self.doubts.setText(said(found))
        self.where.setText(said(session.course.where))


def session_keys(session: Collecting) -> dict[str, Callable[[], object]]:
    """What the operator's keys do, but for Esc."""
    return {
        "Space": session.space,
        "R": session.repeat,
        "S": session.skip,
        "Return": lambda: session.answer(True),
        "Enter": lambda: session.answer(True),
    }


def ask_or_go_back(session: Collecting) -> None:
    """Esc: ask whether the session is to end, or go back to the pause."""
    session.answer(False) if session.asking else session.ask_end()


class CollectWindow(SessionWindow):
    """Shows a session to the person and takes the operator's keys.

    Closing it ends the session. It closes by itself when the script is done.
    """

    def __init__(self, collecting: Collecting, person: str) -> None:
        title = f"{collecting.loaded.script.title}, {person}"
        super().__init__(f"EAV-Live: {title}")
        self._collecting = collecting
        self._done_at: float | None = None
        self.cues = CuesView(title)
        self.stage, self.lamps = self.cues.stage, self.cues.lamps
        self.notice = self.cues.notice
        fill(QVBoxLayout(self), self.cues, margins=False)
        keys = session_keys(collecting) | {"Esc": self._escape}
        for key, action in keys.items():
            shortcut = self.bind(key, partial(self._act, action))
            shortcut.setAutoRepeat(False)  # a finger that rests on a key
        self._begin(TICK_SECONDS)

    def _act(self, action: Callable[[], object]) -> None:
        action()
        self.refresh()

    def _escape(self) -> None:
        if self._collecting.course.finished:
            self.close()
        else:
            ask_or_go_back(self._collecting)

    def _rescale(self, scale: float) -> None:
        self.cues.set_scale(scale)

    def refresh(self) -> None:
        """Let the session go on and show how it stands; the timer calls this."""
        if self._closed:
            return
        session = self._collecting
        try:
            session.tick()
        except Exception:  # the person must not be left in front of a dead window
            log.exception("The session stopped")
            self.failed = True
            self.close()
            return
        self.cues.show_session(session)
        if session.course.finished:
            now = session.clock()
            self._done_at = now if self._done_at is None else self._done_at
            if session.course.aborted or now - self._done_at >= THANKS_SECONDS:
                self.close()

    def _end(self) -> None:
        self._collecting.end()


def scene(collecting: Collecting, now: float) -> Scene:
    """What the stage shows at `now`, seconds."""
    course = collecting.course
    curtain = said(collecting.curtain)
    if course.phase is Phase.READY:
        return Scene(text=tr("Waiting for the streams …"), quiet=True)
    if course.phase is Phase.DONE:
        return Scene(curtain=curtain)
    if course.phase is Phase.INSTRUCTIONS:
        name = course.script.blocks[course.trial.block].name
        foot = "" if course.script.instructions_s else tr("The space bar goes on")
        return Scene(
            head=said(name), text=said(course.page()), foot=foot, curtain=curtain
        )
    left, length = course.left(now), course.length
    if course.phase is Phase.REST:
        text = tr("Rest")
        if course.index + 1 < len(course.plan):
            following = course.plan[course.index + 1]
            text += "\n\n" + tr(
                NEXT_WORDS[following.task], emotion=tr(following.emotion)
            )
        return Scene(text=text, quiet=True, left=left, length=length, curtain=curtain)
    trial = course.trial
    waiting = course.phase is Phase.COUNTDOWN
    return Scene(
        head=tr(TASK_WORDS[trial.task], emotion=tr(trial.emotion)),
        color=theme.EMOTION_COLORS[trial.emotion],
        text=trial.text,
        quiet=waiting,
        left=left,
        length=length,
        foot=tr("Read, and get ready") if waiting and trial.task == "speaking" else "",
        curtain=curtain,
    )


def run_collect_window(
    collecting: Collecting,
    person: str,
    *,
    full_screen: bool = False,
    screen: str | None = None,
) -> int:
    """Show a session, whose streams are started, until it ends.

    screen: of the person's window, see
    `show_to_participant`; None for none. Returns the exit status: 0, also if the
    operator ended it early, 1 if something broke down, 130 after Ctrl-C. Raises
    NoDisplay; InputRefused for a screen that is not there.
    """

    def make() -> CollectWindow:
        window = CollectWindow(collecting, person)
        if screen is not None:
            from eav_live.ui.participant import mirror_cues

            mirror_cues(window, [window.stage], screen)
        return window

    return run_window(make, (theme.BASE_WIDTH, theme.BASE_HEIGHT), full_screen)


class Progress(QWidget):
    """One stroke a trial, in its emotion's color once it is done."""

    def __init__(self) -> None:
        super().__init__()
        self._trials: list[tuple[str, bool]] = []
        self._current: int | None = None
        self.set_scale(1.0)

    def set_scale(self, scale: float) -> None:
        """Fit to the size of the window."""
        self._scale = scale
        self.setFixedHeight(round(18 * scale))

    def show_trials(self, trials: list[tuple[str, bool]], current: int | None) -> None:
        """trials: color of each, and whether it is done. current: index, or None."""
        if (trials, current) != (self._trials, self._current):
            self._trials, self._current = trials, current
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the strokes."""
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        n = max(1, len(self._trials))
        step = self.width() / n
        gap = min(3 * self._scale, 0.25 * step)
        middle = self.height() / 2
        for i, (color, done) in enumerate(self._trials):
            current = i == self._current
            half = middle if current else 0.5 * middle
            painter.setBrush(QColor(color if done else theme.LINE))
            if current and not done:
                painter.setBrush(QColor(theme.TEXT))
            painter.drawRect(QRectF(i * step, middle - half, step - gap, 2 * half))
