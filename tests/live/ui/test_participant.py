"""What the person sees: a notice before the first estimate, and never an estimate."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from test_dashboard import (  # noqa: F401
    FakeRecorder,
    FakeSession,
    fake_running,
    predict,
    qapp_args,
)

from eav_live import cli
from eav_live.running import Running
from eav_live.ui.controls import UNINFORMED
from eav_live.ui.dashboard import Dashboard
from eav_live.ui.participant import ParticipantWindow, show_to_participant
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS

pytestmark = pytest.mark.qt


@pytest.fixture
def running() -> Running:
    session = FakeSession()
    session.pause(True)  # as opening it does
    running = fake_running(session, participant={"text": "Look at the cross"})
    running.informed = False
    return running


@pytest.fixture
def dashboard(qtbot, running: Running) -> Dashboard:  # type: ignore[no-untyped-def]
    window = Dashboard(running.session, running=running)
    qtbot.addWidget(window)
    window.show()
    return window


@pytest.fixture
def shown(qtbot, dashboard: Dashboard, running: Running) -> ParticipantWindow:  # type: ignore[no-untyped-def]
    window = show_to_participant(dashboard, running, "window")
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.activateWindow()
    return window


def test_no_estimate_is_made_before_the_notice_is_acknowledged(
    shown: ParticipantWindow, dashboard: Dashboard, running: Running, qtbot
) -> None:  # type: ignore[no-untyped-def]
    running.recorder = recorder = FakeRecorder()  # type: ignore[assignment]
    assert "estimates emotions" in shown.text.text()
    assert dashboard.emotion.message == UNINFORMED
    assert dashboard.controls is not None
    dashboard.controls.pause()
    assert running.session.paused
    qtbot.keyClick(shown, Qt.Key.Key_Return)
    assert not running.session.paused
    assert recorder.put == [({"event": "notice acknowledged"}, 100.0)]
    assert shown.text.text() == "Look at the cross"
    assert not shown.agree.isVisible()
    assert dashboard.emotion.message == ""
    qtbot.keyClick(shown, Qt.Key.Key_Return)
    assert len(recorder.put) == 1


def test_the_operator_can_say_that_it_was_read_elsewhere(
    shown: ParticipantWindow, dashboard: Dashboard, running: Running, qtbot
) -> None:  # type: ignore[no-untyped-def]
    with qtbot.waitActive(dashboard):
        dashboard.activateWindow()
    qtbot.keyClick(dashboard, Qt.Key.Key_N)
    assert running.informed
    assert shown.text.text() == "Look at the cross"


def test_estimates_are_never_shown_there(
    shown: ParticipantWindow, dashboard: Dashboard, qtbot
) -> None:  # type: ignore[no-untyped-def]
    qtbot.keyClick(shown, Qt.Key.Key_Return)
    dashboard.show_prediction(predict())
    words = " ".join(text.text() for text in shown.findChildren(QLabel)).lower()
    assert not any(emotion in words for emotion in EMOTIONS)
    dashboard.close()
    assert not shown.isVisible()


def test_a_screen_that_is_not_there_is_refused(
    dashboard: Dashboard, running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputRefused, match="there is 1 screen; connect another"):
        show_to_participant(dashboard, running, "9")
    streams = ["--audio", "none", "--video", "none", "--eeg-stream", "x"]
    run = [*streams, "--headless", "--participant-screen"]
    assert cli.main([*run, "2"]) == 2
    assert "--participant-screen needs a window" in capsys.readouterr().err
    assert cli.main([*run, "0"]) == 2
    assert "give the number of a screen" in capsys.readouterr().err
