"""The window that stands before the session does, offscreen."""

import threading
from collections.abc import Callable

import pytest
from pyqtgraph import PlotWidget
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication
from test_dashboard import FakeSession, qapp_args  # noqa: F401

from eav_live.options import SessionOptions
from eav_live.running import Abandoned, Outputs, Running
from eav_live.ui.dashboard import Dashboard
from eav_live.ui.opening import REFUSED, OpeningPage
from eav_live.ui.program import Program
from eav_live.ui.tasks import LiveTask
from eav_live.ui.window import Shell, run_window
from eav_offline.common.errors import InputRefused

pytestmark = pytest.mark.qt


class Opening(Running):
    """Opens a fake session when it is let, or raises."""

    def __init__(self, error: Exception | None = None, wait: bool = False) -> None:
        super().__init__(SessionOptions(eeg_stream="none"), Outputs())
        self.error, self.let = error, threading.Event()
        self.fake = FakeSession()
        if not wait:
            self.let.set()

    def open(self, say: Callable[[str], None] = lambda text: None) -> None:
        say("Loading the embedded model\u2026")
        while not self.let.wait(0.01):
            if self._abandoned.is_set():
                raise Abandoned
        if self.error is not None:
            raise self.error
        self._session = self.fake  # type: ignore[assignment]
        self._ends.callback(self.fake.stop)


def opening(program: Program) -> OpeningPage:
    assert program.opening is not None
    return program.opening


def begin(
    running: Running, qtbot, screen: str | None = None, **more
) -> tuple[Program, Shell]:  # type: ignore[no-untyped-def]
    program = Program(LiveTask(running, screen=screen), **more)
    shell = program.make()
    qtbot.addWidget(shell)
    shell.resize(1280, 720)
    with qtbot.waitActive(shell):
        shell.show()
        shell.activateWindow()
    return program, shell


def test_a_window_says_what_is_done_until_the_dashboard_takes_its_place(qtbot) -> None:  # type: ignore[no-untyped-def]
    running = Opening(wait=True)
    program, shell = begin(running, qtbot)
    qtbot.waitUntil(lambda: "Loading the embedded" in opening(program).step.text())
    assert running._window_wall is not None
    assert shell.page is opening(program)
    running.let.set()
    qtbot.waitUntil(lambda: isinstance(shell.page, Dashboard))
    assert shell.windowTitle() == "EAV-Live: fake"
    assert shell.page.size() == shell.size()
    qtbot.keyClick(shell.page, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not shell.isVisible())
    assert running.fake.stops == 1


def test_a_refusal_is_read_in_the_window_and_in_the_terminal_with_status_2(
    qtbot, capsys: pytest.CaptureFixture[str]
) -> None:  # type: ignore[no-untyped-def]
    running = Opening(InputRefused("the stream names no channels; write labels"))
    program, shell = begin(running, qtbot)
    qtbot.waitUntil(lambda: opening(program).step.text() == REFUSED)
    assert opening(program).note.text() == "The stream names no channels; write labels"
    assert "error: the stream names no channels" in capsys.readouterr().err
    assert opening(program).leave.hasFocus()
    qtbot.keyClick(opening(program).leave, Qt.Key.Key_Escape)
    assert not shell.isVisible()
    assert program.end(0) == 2


def test_no_session_runs_on_behind_a_page_that_refuses_it(qtbot) -> None:  # type: ignore[no-untyped-def]
    running, before = Opening(), dashboards()
    program, _ = begin(running, qtbot, screen="9")
    qtbot.waitUntil(lambda: opening(program).step.text() == REFUSED)
    assert "there is 1 screen" in opening(program).note.text()
    assert running.fake.stops == 1
    assert dashboards() <= before  # which would still follow the system's colors


def dashboards() -> set[Dashboard]:
    return {w for w in QApplication.topLevelWidgets() if isinstance(w, Dashboard)}


def test_where_nobody_looks_a_refusal_ends_the_program(qtbot) -> None:  # type: ignore[no-untyped-def]
    running = Opening(InputRefused("no"))
    program, shell = begin(running, qtbot, attended=False)
    qtbot.waitUntil(lambda: not shell.isVisible())
    assert program.end(0) == 2


def test_a_fault_of_the_dashboard_is_no_silence(
    qtbot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:  # type: ignore[no-untyped-def]
    running = Opening()

    def broken(task: LiveTask) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(LiveTask, "page", broken)
    program, shell = begin(running, qtbot, attended=False)
    qtbot.waitUntil(lambda: not shell.isVisible())
    assert program.end(0) == 1
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(("status", "expected"), [(0, 1), (130, 130)])
def test_who_closes_the_window_early_waits_for_nothing(
    status: int, expected: int, qtbot, caplog: pytest.LogCaptureFixture
) -> None:  # type: ignore[no-untyped-def]
    running = Opening(wait=True)
    program, shell = begin(running, qtbot)
    qtbot.waitUntil(lambda: "Loading" in opening(program).step.text())
    shell.close()
    assert program.end(status) == expected
    assert program._background is not None
    assert program._background.wait(0)
    assert ("before anything was open" in caplog.text) == (expected == 1)


def test_a_window_that_is_run_ends_with_its_dashboard(qapp) -> None:  # type: ignore[no-untyped-def]
    running = Opening()
    programs: list[Program] = []

    def make() -> Shell:
        programs.append(Program(LiveTask(running, seconds=0.0)))
        return programs[0].make()

    QTimer.singleShot(20_000, QApplication.quit)
    assert run_window(make) == 0
    assert running.fake.stops == 1
    assert isinstance(programs[0].shell.page, Dashboard)


def test_what_is_qts_is_not_destroyed_by_another_thread(qtbot) -> None:  # type: ignore[no-untyped-def]
    class Holder:
        """Holds itself, so that only a search for circles finds it."""

    destroyed_in: list[int] = []
    holder = Holder()
    holder.me = holder  # type: ignore[attr-defined]
    holder.plot = plot = PlotWidget()  # type: ignore[attr-defined]
    plot.scene().destroyed.connect(
        lambda: destroyed_in.append(threading.get_ident()),
        Qt.ConnectionType.DirectConnection,
    )
    del holder, plot

    def make_objects() -> None:
        kept = [[i] for i in range(200_000)]
        kept.clear()

    busy = threading.Thread(target=make_objects)
    busy.start()
    busy.join()
    assert destroyed_in == []
    qtbot.waitUntil(lambda: bool(destroyed_in), timeout=20_000)
    assert destroyed_in == [threading.get_ident()]
