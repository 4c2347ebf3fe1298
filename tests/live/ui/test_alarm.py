"""The red line of what was lost, offscreen."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from test_dashboard import FakeSession, qapp_args  # noqa: F401

from eav_live.options.config import Must
from eav_live.recognition.predictions import StreamHealth, StreamState
from eav_live.recording.guard import Guard
from eav_live.ui.dashboard import Dashboard

pytestmark = pytest.mark.qt
LOST = StreamHealth(StreamState.LOST, detail="unplugged")


class Watched(FakeSession):
    markers, interpolated = None, ()


def refresh(window: Dashboard) -> None:
    window._session.now += 1  # type: ignore[attr-defined]
    window._texts_at = -1.0
    window.refresh()


def test_a_loss_is_red_until_it_is_acknowledged_by_key_or_click(
    qtbot, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    beeps: list[int] = []
    monkeypatch.setattr(QApplication, "beep", lambda: beeps.append(1))
    session = Watched()
    must = Must(streams=("eeg", "audio"), sound=True)
    guard = Guard(must, session, Path("."))  # type: ignore[arg-type]
    guard.require(0)
    window = Dashboard(session)  # type: ignore[arg-type]
    window.watch_recording(None, guard)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    alarm = window.alarm
    assert alarm is not None
    assert not alarm.isVisible()
    for modality, acknowledge in (
        ("audio", lambda: qtbot.keyClick(window, Qt.Key.Key_A)),
        ("eeg", lambda: qtbot.mouseClick(alarm, Qt.MouseButton.LeftButton)),
    ):
        session.states = session.states | {modality: LOST}
        refresh(window)
        assert alarm.isVisible()
        assert "unplugged" in alarm.text()
        acknowledge()
        assert not alarm.isVisible()
        refresh(window)
        assert not alarm.isVisible()
    assert beeps


def test_a_long_alarm_does_not_widen_the_window(qtbot) -> None:  # type: ignore[no-untyped-def]
    session = Watched()
    guard = Guard(Must(streams=("eeg",)), session, Path("."))  # type: ignore[arg-type]
    guard.require(0)
    window = Dashboard(session)  # type: ignore[arg-type]
    window.watch_recording(None, guard)
    qtbot.addWidget(window)
    window.resize(960, 600)
    window.show()
    session.states = session.states | {
        "eeg": StreamHealth(LOST.state, detail="x" * 900)
    }
    refresh(window)
    QApplication.processEvents()
    assert window.width() == 960
    assert window.alarm is not None
    assert window.alarm.isVisible()
