"""The page that a program without options opens with, by keyboard, offscreen."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from test_dashboard import FakeSession, qapp_args  # noqa: F401

from eav_live import cli
from eav_live.options import OptionRefused, SessionOptions
from eav_live.options.presets import keep_last_session, save_preset
from eav_live.running import Outputs, Running
from eav_live.ui import theme
from eav_live.ui.dashboard import Dashboard
from eav_live.ui.opening import OpeningPage
from eav_live.ui.program import Program
from eav_live.ui.start import StartPage
from eav_live.ui.tasks import LiveTask
from eav_live.ui.window import Shell, run_window
from eav_offline.common.errors import InputRefused

pytestmark = pytest.mark.qt
KEY = Qt.Key


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


class Ready(Running):
    """A session that is open at once."""

    def open(self, say: object = None) -> None:
        self._session = FakeSession()  # type: ignore[assignment]


@pytest.fixture
def started(qtbot):  # type: ignore[no-untyped-def]
    programs: list[Program] = []

    def start() -> tuple[Program, list[SessionOptions]]:
        opened: list[SessionOptions] = []

        def live(options: SessionOptions) -> LiveTask:
            opened.append(options)
            return LiveTask(Ready(options, Outputs()))

        program = Program(None, live)
        programs.append(program)
        shell = program.make()
        qtbot.addWidget(shell)
        shell.resize(1280, 720)
        with qtbot.waitActive(shell):
            shell.show()
            shell.activateWindow()
        return program, opened

    yield start
    for program in programs:  # what still opens must not tell a window that has gone
        program.end(1)


def page_of(shell: Shell) -> StartPage:
    assert isinstance(shell.page, StartPage)
    return shell.page


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (KEY.Key_Return, SessionOptions()),
        (KEY.Key_D, SessionOptions(demo=True)),
        (KEY.Key_L, SessionOptions(eeg_stream="BrainAmp", audio="none")),
        (KEY.Key_1, SessionOptions(eeg_stream="Cap", hop=0.25)),
    ],
    ids=["default", "demo", "last", "preset"],
)
def test_one_key_opens_a_session(
    key: Qt.Key, expected: SessionOptions, started, qtbot
) -> None:  # type: ignore[no-untyped-def]
    keep_last_session(SessionOptions(eeg_stream="BrainAmp", audio="none"))
    save_preset("lab1", SessionOptions(eeg_stream="Cap", hop=0.25))
    program, opened = started()
    qtbot.keyClick(page_of(program.shell), key)
    assert opened == [expected]
    qtbot.waitUntil(lambda: isinstance(program.shell.page, Dashboard))


def test_large_buttons_have_room_for_their_two_lines_from_the_first_moment(
    qtbot,
) -> None:  # type: ignore[no-untyped-def]
    shell = Program(None).make()
    qtbot.addWidget(shell)
    shell.resize(theme.BASE_WIDTH, theme.BASE_HEIGHT)  # where nothing is scaled
    with qtbot.waitExposed(shell):
        shell.show()
    page = page_of(shell)
    for button in page.buttons.values():
        lines = button.title.sizeHint().height() + button.more.sizeHint().height()
        assert button.height() > lines


def test_a_session_that_was_opened_is_offered_again(started, qtbot) -> None:  # type: ignore[no-untyped-def]
    program, _ = started()
    page = page_of(program.shell)
    assert not page.buttons["L"].isEnabled()
    qtbot.keyClick(page, KEY.Key_D)
    qtbot.waitUntil(lambda: isinstance(program.shell.page, Dashboard))
    again, opened = started()
    assert page_of(again.shell).buttons["L"].isEnabled()
    qtbot.keyClick(page_of(again.shell), KEY.Key_L)
    assert opened[0].demo


def test_arrows_move_and_enter_presses_what_they_moved_to(started, qtbot) -> None:  # type: ignore[no-untyped-def]
    program, opened = started()
    page = page_of(program.shell)
    assert page.default.hasFocus()
    for _ in range(2):
        qtbot.keyClick(page.focusWidget(), KEY.Key_Down)
    assert page.buttons["D"].hasFocus()
    qtbot.keyClick(page.focusWidget(), KEY.Key_Return)
    assert opened[0].demo


def test_what_a_preset_lacks_is_said_on_the_page(started, qtbot) -> None:  # type: ignore[no-untyped-def]
    file = save_preset("lab1", SessionOptions())
    file.write_text("[session]\nhops = 1\n")
    program, opened = started()
    page = page_of(program.shell)
    qtbot.keyClick(page, KEY.Key_1)
    assert "did you mean hop?" in page.error.text()
    assert not opened


def test_what_a_session_refuses_is_said_on_the_page(started, qtbot) -> None:  # type: ignore[no-untyped-def]
    program, _ = started()

    def refuse(options: SessionOptions) -> LiveTask:
        raise OptionRefused("hop", "is out of hand")

    program._live = refuse
    page = page_of(program.shell)
    qtbot.keyClick(page, KEY.Key_Return)
    assert page.error.text() == "hop is out of hand"
    assert program.shell.page is page


def test_a_recording_is_chosen_by_typing_and_its_fault_is_read(
    started, qtbot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # type: ignore[no-untyped-def]
    broken = tmp_path / "s.xdf"
    broken.write_bytes(b"nothing")
    program, _ = started()
    page = page_of(program.shell)
    qtbot.keyClick(page, KEY.Key_R)
    dialog = page.files.dialog
    assert dialog is not None
    assert dialog.isVisible()
    assert not dialog.isModal()
    qtbot.keyClick(dialog, KEY.Key_Escape)
    assert not page.files.isVisible()
    qtbot.keyClick(page, KEY.Key_R)
    dialog.selectFile(str(broken))
    qtbot.keyClick(dialog, KEY.Key_Return)
    qtbot.waitUntil(lambda: program._refused is not None, timeout=20_000)
    assert isinstance(program.shell.page, OpeningPage)
    assert "s.xdf" in program.shell.page.note.text()
    assert "s.xdf" in capsys.readouterr().err
    program.shell.close()
    assert program.end(0) == 2


def test_after_a_refusal_the_start_page_offers_the_same_options_again(
    started, qtbot
) -> None:  # type: ignore[no-untyped-def]
    keep_last_session(SessionOptions(demo=True))
    program, _ = started()
    asked: list[SessionOptions] = []

    class Refused(Running):
        def open(self, say: object = None) -> None:
            raise InputRefused("nothing is recorded: EEG is off")

    def live(options: SessionOptions) -> LiveTask:
        asked.append(options)
        return LiveTask(Refused(options, Outputs()))

    program._live = live
    wanted = SessionOptions(eeg_stream="Cap", audio="none")
    page_of(program.shell).session.emit(wanted)
    for press in (KEY.Key_B, KEY.Key_Return):  # the key, and the button
        qtbot.waitUntil(lambda: program._refused is not None)
        opening = program.shell.page
        assert isinstance(opening, OpeningPage)
        assert "EEG is off" in opening.note.text()
        assert opening.back.hasFocus()
        qtbot.keyClick(opening.back, press)
        page = page_of(program.shell)
        assert page.buttons["L"].hasFocus()
        qtbot.keyClick(page, KEY.Key_L)
    assert asked == [wanted] * 3
    qtbot.waitUntil(lambda: program._refused is not None)
    qtbot.keyClick(program.shell.page, KEY.Key_B)
    program.shell.close()
    assert program.end(0) == 0  # what was refused is over


def test_a_session_of_the_command_line_is_offered_again_with_all_that_it_writes(
    qtbot, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    asked: list[tuple[SessionOptions, str | None]] = []
    programs: list[Program] = []

    def refuse(running: Running, say: object) -> None:
        asked.append((running.streams, running._outputs.publish))
        raise InputRefused("there is no such stream")

    monkeypatch.setattr(Running, "open", refuse)
    monkeypatch.setattr(
        "eav_live.ui.program.run_program",
        lambda task, live, **more: programs.append(Program(task, live)) or 0,
    )
    given = ["--eeg-stream", "Cap", "--audio", "none", "--video", "none"]
    assert cli.main([*given, "--publish", "Lab"]) == 0
    (program,) = programs
    shell = program.make()
    qtbot.addWidget(shell)
    with qtbot.waitActive(shell):
        shell.show()
        shell.activateWindow()
    for key in (KEY.Key_L, KEY.Key_D, KEY.Key_Escape):
        qtbot.waitUntil(lambda: program._refused is not None)
        qtbot.keyClick(shell.page, KEY.Key_B)
        assert page_of(shell).buttons["L"].hasFocus()
        qtbot.keyClick(shell.page, key)
    cap = SessionOptions(eeg_stream="Cap", audio="none", video="none")
    demo = SessionOptions(demo=True, eeg_stream=asked[-1][0].eeg_stream)
    assert asked == [(cap, "Lab"), (cap, "Lab"), (demo, None)]
    shell.close()
    assert program.end(0) == 0


def test_a_subjects_folder_is_taken_for_review_and_no_other(
    started, qtbot, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "people" / "subject1" / "EEG").mkdir(parents=True)
    program, _ = started()
    page = page_of(program.shell)
    taken: list[Path] = []
    page.review.disconnect()
    page.review.connect(taken.append)
    qtbot.keyClick(page, KEY.Key_R)
    files = page.files
    assert files.dialog is not None
    files.dialog.setDirectory(str(tmp_path / "people"))
    assert not files.folder.isEnabled()
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(files.dialog, KEY.Key_Return, control)
    assert not taken
    files.dialog.setDirectory(str(tmp_path / "people" / "subject1"))
    assert files.folder.isEnabled()
    qtbot.keyClick(files.dialog, KEY.Key_Return, control)
    assert taken == [tmp_path / "people" / "subject1"]
    assert not files.isVisible()
    qtbot.keyClick(page, KEY.Key_M)
    assert not files.folder.isVisible()


def test_the_page_keeps_its_shape_in_other_colors(started) -> None:  # type: ignore[no-untyped-def]
    program, _ = started()
    page = page_of(program.shell)
    before = {key: button.geometry() for key, button in page.buttons.items()}
    for scheme in (Qt.ColorScheme.Light, Qt.ColorScheme.Dark):
        page.restyle(scheme)
        QApplication.processEvents()
        shown = QColor(page.grab().toImage().pixel(3, 3)).name()
        assert shown == theme.BACKGROUND
        assert {k: b.geometry() for k, b in page.buttons.items()} == before


def test_a_shell_comes_back_where_it_was(qapp) -> None:
    shells: list[Shell] = []

    def closing(size: tuple[int, int] | None) -> Shell:
        shells.append(Shell(StartPage()))

        def leave() -> None:
            if size is not None:
                shells[-1].resize(*size)
            shells[-1].close()

        shells[-1].painted.connect(leave)
        return shells[-1]

    assert run_window(lambda: closing((960, 640)), None) == 0
    assert run_window(lambda: closing(None), None) == 0
    assert shells[-1].size().toTuple() == (960, 640)
    assert run_window(lambda: closing(None), (1300, 700)) == 0  # asked for: not kept
    assert run_window(lambda: closing(None), None) == 0
    assert shells[-1].size().toTuple() == (960, 640)


def test_a_screenshot_is_as_large_everywhere_unless_a_size_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[object] = []

    def run(task: object, live: object, *, size: object, **more: object) -> int:
        sizes.append(size)
        return 0

    monkeypatch.setattr("eav_live.ui.program.run_program", run)
    for more in ([], ["--screenshot", "a.png"], ["--screenshot", "a.png", "--size"]):
        given = [*more, "900x700"] if more[-1:] == ["--size"] else more
        cli.main(["--demo", *given])
    assert sizes == [None, (1280, 800), (900, 700)]


def test_who_closes_the_page_has_asked_for_nothing(started) -> None:  # type: ignore[no-untyped-def]
    program, _ = started()
    program.shell.close()
    assert program.end(0) == 0


@pytest.mark.parametrize(
    ("words", "offered"),
    [([], True), (["--size", "1280x720", "-v"], True), (["--hop", "1"], False)],
)
def test_the_page_is_for_those_who_said_nothing(
    words: list[str], offered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("eav_live.commands.live._somebody_looks", lambda: True)
    monkeypatch.setattr(
        "eav_live.commands.live._offer", lambda options: asked.append("page") or 0
    )
    monkeypatch.setattr(
        "eav_live.commands.live._run_session", lambda *more: asked.append("run") or 0
    )
    assert cli.main(words) == 0
    assert asked == ["page" if offered else "run"]
