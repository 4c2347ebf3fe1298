"""Marks and notes by keyboard, offscreen."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from test_dashboard import FakeRecorder, FakeSession, fake_running, qapp_args  # noqa: F401

from eav_live.options.config import LiveConfigError, read_live_config
from eav_live.ui.dashboard import Dashboard


@pytest.mark.qt
def test_keys_mark_the_moment_they_were_pressed_and_notes_that_they_were_begun(
    qtbot,
) -> None:  # type: ignore[no-untyped-def]
    session, recorder = FakeSession(), FakeRecorder()
    running = fake_running(session, marks={"1": "baseline", "9": "end"})
    running.recorder = recorder  # type: ignore[assignment]
    window = Dashboard(session, running=running)  # type: ignore[arg-type]
    put = recorder.put
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    assert window.marks is not None
    assert "1 baseline   9 end   M note" in window.marks.said.text()
    qtbot.keyClick(window, Qt.Key.Key_1)
    session.now = 101.0
    qtbot.keyClick(window, Qt.Key.Key_9)
    qtbot.keyClick(window, Qt.Key.Key_M)
    session.now = 108.0
    note = window.marks.note.text
    qtbot.keyClicks(note, "moved 1 cap")  # its letters and digits are no shortcuts
    qtbot.keyClick(note, Qt.Key.Key_Return)
    assert put == [
        ({"mark": "baseline"}, 100.0),
        ({"mark": "end"}, 101.0),
        ({"note": "moved 1 cap"}, 101.0),
    ]
    assert not note.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_M)
    qtbot.keyClicks(note, "no")
    qtbot.keyClick(note, Qt.Key.Key_Escape)
    assert not note.isVisible()
    assert len(put) == 3


@pytest.mark.qt
def test_many_long_names_do_not_widen_the_window(qtbot) -> None:  # type: ignore[no-untyped-def]
    names = {str(key): "a long name of something" for key in range(1, 10)}
    session = FakeSession()
    running = fake_running(session, marks=names)
    running.recorder = FakeRecorder()  # type: ignore[assignment]
    window = Dashboard(session, running=running)  # type: ignore[arg-type]
    qtbot.addWidget(window)
    window.resize(960, 600)
    window.show()
    assert window.marks is not None
    window.marks.begin_note()
    qtbot.waitUntil(window.marks.note.isVisible)
    assert window.width() == 960


@pytest.mark.parametrize("text", ['0 = "x"', '10 = "x"', '1 = " "', "1 = 2"])
def test_what_cannot_be_marked_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text('[marks]\n1 = "baseline"\n')
    assert read_live_config(path)[0].marks == {"1": "baseline"}
    path.write_text(f"[marks]\n{text}\n")
    with pytest.raises(LiveConfigError, match="marks"):
        read_live_config(path)
