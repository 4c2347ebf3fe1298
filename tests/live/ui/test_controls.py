"""A session that is run from its window, by keyboard, offscreen."""

import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Thread

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from recorded import CONSENT
from test_dashboard import (  # noqa: F401
    FakeRecorder,
    FakeSession,
    fake_running,
    qapp_args,
)

from eav_live.control.desk import Desk
from eav_live.recording.consent import Consent
from eav_live.recording.takes import Takes
from eav_live.running import Running
from eav_live.ui.controls import Controls
from eav_live.ui.dashboard import Dashboard
from eav_live.ui.panels.session_bar import SessionBar
from eav_offline.common.errors import InputRefused

pytestmark = pytest.mark.qt
KEY = Qt.Key


@pytest.fixture
def session() -> FakeSession:
    return FakeSession()


@pytest.fixture
def running(
    session: FakeSession, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Running:
    monkeypatch.chdir(tmp_path)
    running = fake_running(session, marks={"1": "baseline", "2": "task"})

    def record(path: Path, consent: Consent) -> None:
        running.recorder = FakeRecorder(path)  # type: ignore[assignment]
        running.consent = consent

    def end() -> str:
        running.recorder = None
        return "s.xdf is whole"

    monkeypatch.setattr(running, "record", record)
    monkeypatch.setattr(running, "end_recording", end)
    return running


@pytest.fixture
def window(qtbot, session: FakeSession, running: Running) -> Dashboard:  # type: ignore[no-untyped-def]
    window = Dashboard(session, running=running)  # type: ignore[arg-type]
    qtbot.addWidget(window)
    window.resize(1280, 720)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    return window


def controls_of(window: Dashboard) -> Controls:
    assert window.controls is not None
    return window.controls


def agree(window: Dashboard, qtbot) -> None:  # type: ignore[no-untyped-def]
    """Answer the panel by keyboard: P01, AB, and the tick."""
    qtbot.keyClick(window, KEY.Key_R)
    card = controls_of(window).consent
    assert card.isVisible()
    qtbot.keyClicks(card.person, "P01")
    qtbot.keyClick(card.person, KEY.Key_Tab)
    qtbot.keyClicks(card.by, "AB")
    card.read.setFocus()
    qtbot.keyClick(card.read, KEY.Key_Space)
    qtbot.keyClick(card.read, KEY.Key_Return)


def test_p_pauses_the_estimates_and_says_so(
    window: Dashboard, session: FakeSession, qtbot
) -> None:  # type: ignore[no-untyped-def]
    qtbot.keyClick(window, KEY.Key_P)
    assert session.paused
    assert window.emotion.message.startswith("Paused")
    assert controls_of(window).bar.pause.text() == "Go on (P)"
    qtbot.keyClick(window, KEY.Key_P)
    assert not session.paused
    assert window.emotion.message == ""


def test_consent_is_asked_in_the_window_and_then_it_is_recorded(
    window: Dashboard, running: Running, qtbot
) -> None:  # type: ignore[no-untyped-def]
    bar = controls_of(window).bar
    assert not bar.note.isVisible()
    agree(window, qtbot)
    qtbot.waitUntil(lambda: window.marks is not None)
    assert bar.record.text() == "End recording (R)"
    assert running.consent is not None
    assert (running.consent.person, running.consent.by) == ("P01", "AB")
    assert running.consent.how == "window"
    assert window.timeline.plot.history.person == "P01"  # whose estimates are saved
    assert running.consent.what == ("voice", "face")
    assert "EEG" in running.consent.text
    assert running.recorder is not None
    assert running.recorder.path.name.startswith("P01-")
    recorder = running.recorder
    qtbot.keyClick(window, KEY.Key_2)
    qtbot.mouseClick(bar.marks["1"], Qt.MouseButton.LeftButton)
    qtbot.keyClick(window, KEY.Key_P)
    assert recorder.put == [  # type: ignore[attr-defined]
        ({"mark": "task"}, 100.0),
        ({"mark": "baseline"}, 100.0),
        ({"event": "estimates paused"}, 100.0),
    ]
    qtbot.keyClick(window, KEY.Key_R)
    qtbot.waitUntil(lambda: "s.xdf is whole" in bar.said.text())
    assert bar.record.text() == "Record (R)"
    assert window.marks is None


def test_what_another_program_marks_begins_and_ends_is_shown(
    session: FakeSession, running: Running, tmp_path: Path, qtbot
) -> None:  # type: ignore[no-untyped-def]
    """The real desk and recordings; only the streams are not there."""
    session.markers, session.sources = None, {}  # type: ignore[attr-defined]
    takes = Takes(tmp_path / "P01.xdf", CONSENT, session, {})  # type: ignore[arg-type]
    monkeypatch = pytest.MonkeyPatch()
    with takes, monkeypatch.context() as patch:
        patch.setattr(running, "_takes", takes)
        patch.setattr(running, "recorder", takes)
        patch.setattr(running, "end_recording", partial(Running.end_recording, running))
        window = Dashboard(session, running=running)  # type: ignore[arg-type]
        qtbot.addWidget(window)
        with qtbot.waitActive(window):
            window.show()
            window.activateWindow()
        bar, desk = controls_of(window).bar, Desk(session, takes)  # type: ignore[arg-type]
        assert bar.record.text() == "Record (R)"
        qtbot.keyClick(window, KEY.Key_1)
        assert window.marks is not None
        assert "nothing is being recorded" in window.marks.said.text()
        assert desk.answer(b"start", 100.0) == "OK"
        qtbot.waitUntil(lambda: bar.record.text() == "End recording (R)")
        assert bar.said.text() == "Recording to P01.xdf"
        said = []
        line = b'{"do": "mark", "text": "stimulus 7", "t": 98.5}'
        asking = Thread(target=lambda: said.append(desk.answer(line, 100.0)))
        asking.start()  # as the socket's thread does
        asking.join()
        qtbot.keyClick(window, KEY.Key_1)
        marks = window.timeline.plot.history.marks
        qtbot.waitUntil(lambda: len(marks) == 2)
        assert marks == [(98.5, "stimulus 7"), (100.0, "baseline")]
        assert "marked baseline" in window.marks.said.text()
        qtbot.keyClick(window, KEY.Key_R)
        qtbot.waitUntil(lambda: "P01.xdf is whole" in bar.said.text())
        assert bar.record.text() == "Record (R)"
        qtbot.keyClick(window, KEY.Key_R)  # without asking for consent again
        qtbot.waitUntil(lambda: takes.running is not None)
        assert not controls_of(window).consent.isVisible()
        assert desk.answer(b"stop", 101.0) == "OK"
        qtbot.waitUntil(lambda: "P01-take2.xdf is whole" in bar.said.text())
        assert bar.record.text() == "Record (R)"


def test_nothing_is_recorded_before_the_person_agrees(
    window: Dashboard, running: Running, qtbot
) -> None:  # type: ignore[no-untyped-def]
    qtbot.keyClick(window, KEY.Key_R)
    card = controls_of(window).consent
    qtbot.keyClicks(card.person, "P01")
    qtbot.keyClick(card.person, KEY.Key_Return)
    assert card.isVisible()
    assert "tick" in card.error.text()
    card.read.setChecked(True)
    card.person.setText("Anna Smith")
    qtbot.keyClick(card.person, KEY.Key_Return)
    assert "no code for a person" in card.error.text()
    qtbot.keyClick(card.person, KEY.Key_Escape)
    assert not card.isVisible()
    assert running.recorder is None
    qtbot.keyClick(window, KEY.Key_R)
    window.banner.setFocus()  # as Tab does after the panel's last button
    qtbot.keyClick(window.banner, KEY.Key_Escape)
    assert not card.isVisible()
    qtbot.keyClick(window, KEY.Key_R)
    assert not card.read.isChecked()  # each recording is agreed to anew


def test_what_is_refused_is_said_and_nothing_else_changes(
    window: Dashboard, running: Running, qtbot, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    def refuse(path: Path, consent: Consent) -> None:
        raise InputRefused("the disk has no room")

    monkeypatch.setattr(running, "record", refuse)
    agree(window, qtbot)
    bar = controls_of(window).bar
    qtbot.waitUntil(lambda: bar.said.text() == "the disk has no room")
    assert bar.record.text() == "Record (R)"
    assert bar.record.isEnabled()


def test_the_file_is_named_after_person_and_time_until_it_is_named(
    window: Dashboard, tmp_path: Path, qtbot
) -> None:  # type: ignore[no-untyped-def]
    card = controls_of(window).consent
    card._now = lambda: datetime(2026, 11, 30, 9, 5)
    card.person.setText("P02")
    assert card.file.text() == str(tmp_path / "P02-2026-11-30-0905.xdf")
    card.ask()
    qtbot.keyClicks(card.file, "x")
    card.person.setText("P03")
    assert "P02" in card.file.text()


def test_the_keys_are_listed_and_the_clock_goes(
    window: Dashboard, session: FakeSession, qtbot
) -> None:  # type: ignore[no-untyped-def]
    controls = controls_of(window)
    qtbot.keyClick(window, KEY.Key_F1)
    assert controls.keys.isVisible()
    qtbot.keyClick(window, KEY.Key_F1)
    assert not controls.keys.isVisible()
    qtbot.keyClick(window, KEY.Key_F1)
    qtbot.keyClick(window, KEY.Key_Escape)
    assert not controls.keys.isVisible()
    session.now += 3725
    window._texts_at = -1.0
    window.refresh()
    assert controls.bar.clock.text().startswith("1:02:05   ")
    assert controls.bar.clock.text().endswith(" GB free")


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use stays")
def test_a_working_folder_that_is_removed_costs_the_figure_of_free_disk_alone(
    window: Dashboard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (gone := tmp_path / "gone").mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    controls = controls_of(window)
    controls._room, window._texts_at = (-1e9, 61.0), -1.0  # long ago
    window.refresh()
    assert not window.failed
    assert "GB free" not in controls.bar.clock.text()


def test_a_marks_key_is_read_however_long_its_name(qtbot) -> None:  # type: ignore[no-untyped-def]
    long = "baseline with a name that goes on and on " * 3
    bar = SessionBar(lambda key: None, {"1": long, "2": "task"})
    qtbot.addWidget(bar)
    bar.show_state(paused=False, recording=True)
    bar.resize(600, 200)
    bar.show()
    button, letters = bar.marks["1"], bar.fontMetrics()
    QApplication.processEvents()
    assert bar.rect().contains(button.geometry())
    assert " ".join(button.text().split()) == f"{long.strip()} (1)"
    lines = button.text().split("\n")
    assert 1 < len(lines) <= button.height() / letters.height()
    assert max(map(letters.horizontalAdvance, lines)) < button.width()
    assert bar.marks["2"].text() == "task (2)"
    bar.resize(6000, 80)
    QApplication.processEvents()
    assert "\n" not in button.text()


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("show", ["consent", "keys"])
def test_panels_and_buttons_are_whole(
    size: tuple[int, int], show: str, window: Dashboard
) -> None:
    controls = controls_of(window)
    open_panel: dict[str, Callable[[], None]] = {
        "consent": controls.record,
        "keys": controls.toggle_keys,
    }
    window.resize(*size)
    controls.bar.show_state(True, True)
    open_panel[show]()
    QApplication.processEvents()
    assert window.size().toTuple() == size
    panel = getattr(controls, show)
    assert window.rect().contains(panel.geometry())
    for text in panel.findChildren(QLabel):
        if text.isVisible() and text.wordWrap():
            assert text.heightForWidth(text.width()) <= text.height(), text.text()
    for button in controls.bar.findChildren(QPushButton):
        assert button.width() >= button.fontMetrics().horizontalAdvance(button.text())


def test_the_bar_takes_two_lines_where_letters_are_large(window: Dashboard) -> None:
    bar = controls_of(window).bar
    bar.show_state(paused=True, recording=True)
    for letters, lines in ((1.0, 1), (2.0, 2)):
        window.set_letters(letters)
        QApplication.processEvents()
        tops = {b.mapTo(bar, b.rect().topLeft()).y() for b in (bar.pause, bar.stop)}
        assert len(tops) == lines
        for button in bar.findChildren(QPushButton):
            needed = button.fontMetrics().horizontalAdvance(button.text())
            assert button.width() > needed, button.text()
    window.set_letters(1.0)


def test_every_key_is_listed_and_read_by_page_down_in_large_letters(
    window: Dashboard, qtbot
) -> None:  # type: ignore[no-untyped-def]
    keys = controls_of(window).keys
    listed = " ".join(part.text() for part in keys.findChildren(QLabel)).split()
    bound = {*window.traces.keys, *window.timeline.keys} - {"Left", "Right"}
    assert {key.removeprefix("Shift+") for key in bound} <= set(listed)
    window.set_letters(2.0)
    qtbot.keyClick(window, KEY.Key_F1)
    QApplication.processEvents()
    assert window.rect().contains(keys.geometry())
    bar = keys.area.verticalScrollBar()
    assert bar.value() == 0 < bar.maximum()
    for _ in range(3):
        qtbot.keyClick(window, KEY.Key_PageDown)
    assert bar.value() == bar.maximum()
    assert window._views.verticalScrollBar().value() == 0
    window.set_letters(1.0)
