"""What the person sees: a notice before the first estimate, and never an estimate."""

from collections.abc import Callable
from pathlib import Path

import pytest
from collect_helpers import Bench, loaded
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
from eav_live.collect.course import Phase
from eav_live.options import SessionOptions
from eav_live.options.config import LiveConfig, LiveConfigError, read_live_config
from eav_live.running import Running
from eav_live.ui.collecting import CollectWindow
from eav_live.ui.controls import UNINFORMED
from eav_live.ui.dashboard import Dashboard
from eav_live.ui.participant import (
    ParticipantWindow,
    StageWindow,
    mirror_cues,
    show_to_participant,
)
from eav_live.ui.tasks import LiveTask
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS

pytestmark = pytest.mark.qt


def words(window: StageWindow) -> str:
    return window.stage.scene.text


@pytest.fixture
def preset() -> dict[str, object]:
    """The table [participant]."""
    return {"text": "Look at the cross"}


@pytest.fixture
def running(preset: dict[str, object]) -> Running:
    session = FakeSession()
    session.pause(True)  # as opening it does
    marks = {"1": "baseline", "2": "task"}
    running = fake_running(session, participant=preset, marks=marks)
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
    assert dashboard.emotion.panel.waiting.strip() == ""  # nothing shines through
    assert dashboard.controls is not None
    dashboard.controls.pause()
    assert running.session.paused
    qtbot.keyClick(shown, Qt.Key.Key_Return)
    assert not running.session.paused
    assert recorder.put == [({"event": "notice acknowledged"}, 100.0)]
    assert words(shown) == "Look at the cross"
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
    assert words(shown) == "Look at the cross"


def test_estimates_are_never_shown_there(
    shown: ParticipantWindow, dashboard: Dashboard, qtbot
) -> None:  # type: ignore[no-untyped-def]
    qtbot.keyClick(shown, Qt.Key.Key_Return)
    dashboard.show_prediction(predict())
    said = " ".join(text.text() for text in shown.findChildren(QLabel)) + words(shown)
    assert not any(emotion in said.lower() for emotion in EMOTIONS)
    dashboard.close()
    assert not shown.isVisible()


@pytest.mark.parametrize(
    "preset",
    [{"text": "Look", "shows": "cue", "cues": {"2": "Name what you see"}}],
)
def test_a_marks_key_shows_its_cue_to_a_person_who_was_told(
    shown: ParticipantWindow, dashboard: Dashboard, running: Running, qtbot
) -> None:  # type: ignore[no-untyped-def]
    running.recorder = recorder = FakeRecorder()  # type: ignore[assignment]
    dashboard.watch_recording(recorder, None)  # type: ignore[arg-type]
    with qtbot.waitActive(dashboard):
        dashboard.activateWindow()
    qtbot.keyClick(dashboard, Qt.Key.Key_2)
    assert not shown.stage.isVisible()  # the notice is, until it is acknowledged
    assert dashboard.controls is not None
    assert "has not acknowledged" in dashboard.controls.bar.said.text()
    qtbot.keyClick(dashboard, Qt.Key.Key_N)
    assert words(shown) == "Look"
    qtbot.keyClick(dashboard, Qt.Key.Key_2)
    assert words(shown) == "Name what you see"
    assert dashboard.controls.bar.said.text().endswith("Name what you see")
    qtbot.keyClick(dashboard, Qt.Key.Key_1)
    assert words(shown) == "baseline"  # which has no words of its own
    qtbot.keyClick(dashboard, Qt.Key.Key_0)
    assert words(shown) == "Look"
    qtbot.keyClick(dashboard, Qt.Key.Key_0)
    shown.close()
    qtbot.keyClick(dashboard, Qt.Key.Key_2)
    assert "window was closed" in dashboard.controls.bar.said.text()
    assert [marker for marker, _ in recorder.put] == [
        {"mark": "task"},
        {"event": "notice acknowledged"},
        {"mark": "task"},
        {"mark": "baseline"},
        {"event": "cue ended"},
        {"mark": "task"},
    ]


@pytest.mark.parametrize(
    ("preset", "black"),
    [({"shows": "nothing", "text": "x"}, True), ({"text": "x"}, False)],
    ids=["nothing", "neutral"],
)
def test_marks_change_nothing_for_a_person_who_is_shown_no_cues(
    black: bool, shown: ParticipantWindow, dashboard: Dashboard, qtbot
) -> None:  # type: ignore[no-untyped-def]
    qtbot.keyClick(shown, Qt.Key.Key_Return)
    before = shown.grab().toImage()
    dashboard.mark("1")
    assert shown.grab().toImage() == before
    dark = {before.pixelColor(x, 400).name() for x in range(0, before.width(), 2)}
    assert (dark == {"#000000"}) == black


def test_a_cue_of_no_mark_is_refused(tmp_path: Path) -> None:
    preset = tmp_path / "lab.toml"
    preset.write_text('[marks]\n1 = "rest"\n[participant.cues]\n1 = "a"\n2 = "b"\n')
    with pytest.raises(LiveConfigError, match=r"key 2 .* give 2 a name"):
        read_live_config(preset)


def test_a_preset_opens_the_window_from_the_start_page(
    qtbot, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    config = LiveConfig.model_validate({"participant": {"screen": "window"}})
    made: list[LiveTask] = []

    def run(task: object, live: Callable[[SessionOptions], LiveTask], **_: object):  # type: ignore[no-untyped-def]
        made.append(live(SessionOptions(audio="none", config=config)))
        return 0

    monkeypatch.setattr("eav_live.ui.program.run_program", run)
    monkeypatch.setattr("eav_live.commands.live._somebody_looks", lambda: True)
    assert cli.main([]) == 0
    (task,) = made
    assert not task._running.informed
    session = FakeSession()
    task._running._session = session  # type: ignore[assignment]
    window = task.page()
    qtbot.addWidget(window)
    assert isinstance(window.participant, ParticipantWindow)
    assert window.participant.isVisible()
    window.close()


def test_a_collecting_session_shows_the_person_cues_and_hears_both_keyboards(
    tmp_path: Path, qtbot
) -> None:  # type: ignore[no-untyped-def]
    bench = Bench(loaded(tmp_path))
    window = CollectWindow(bench.session, "P01")
    window._timer.stop()  # the test moves the time
    qtbot.addWidget(window)
    shown = mirror_cues(window, [window.stage], "window")
    qtbot.addWidget(shown)
    window.show()
    with qtbot.waitActive(shown):
        shown.activateWindow()
    bench.run_until(Phase.COUNTDOWN)
    window.refresh()
    assert words(shown) == "You are late."
    assert shown.stage.scene.head == "Listen: anger"
    assert not any(label.text() for label in shown.findChildren(QLabel))
    qtbot.keyClick(shown, Qt.Key.Key_Space)
    assert shown.stage.scene.curtain.startswith("Paused")
    qtbot.keyClick(shown, Qt.Key.Key_F11)
    assert (shown.isFullScreen(), window.isFullScreen()) == (True, False)
    window.close()
    assert not shown.isVisible()


def test_a_screen_that_is_not_there_is_refused(
    dashboard: Dashboard,
    running: Running,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(InputRefused, match="there is 1 screen; connect another"):
        show_to_participant(dashboard, running, "9")
    streams = ["--audio", "none", "--video", "none", "--eeg-stream", "x"]
    run = [*streams, "--headless", "--participant-screen"]
    preset = tmp_path / "lab.toml"
    preset.write_text("[participant]\nscreen = 2\n")
    assert cli.main([*streams, "--headless", "--preset", str(preset)]) == 2
    assert "--participant-screen none" in capsys.readouterr().err
    assert cli.main([*run, "2"]) == 2
    assert "--participant-screen needs a window" in capsys.readouterr().err
    assert cli.main([*run, "0"]) == 2
    assert "give the number of a screen" in capsys.readouterr().err
