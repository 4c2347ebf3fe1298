"""The window of a calibration, offscreen: every page, every key, with a cued person."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cued_person import CODE, CuedPerson, calibration, pass_time
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from eav_live.calibrate.running import Calibrating, Stage
from eav_live.options.config import Must
from eav_live.recognition.assets import asset
from eav_live.recording import guard
from eav_live.ui import theme
from eav_live.ui.calibrating import RESTING, CalibrateWindow
from eav_live.ui.window import forget_opencv_plugins

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
pytestmark = [pytest.mark.qt, pytest.mark.timeout(240)]
CONSENT = "The person agrees."


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    forget_opencv_plugins()
    return ["eav-live"]


@pytest.fixture
def cued(synthetic_subject: Path) -> CuedPerson:
    return CuedPerson(synthetic_subject)


@pytest.fixture
def calibrating(cued: CuedPerson, tmp_path: Path) -> Calibrating:
    return calibration(cued, tmp_path, 10, asset("demo.safetensors"))


@pytest.fixture
def window(calibrating: Calibrating, qtbot) -> Iterator[CalibrateWindow]:
    window = CalibrateWindow(calibrating, CONSENT, calibrating.agree)
    window._timer.stop()  # the test moves the time
    qtbot.addWidget(window)
    window.resize(1280, 720)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    yield window
    window.close()


def shown(window: CalibrateWindow) -> list[str]:
    """What the buttons that are seen say."""
    found = (*window.page.buttons, *window.answer.buttons)
    return [b.text() for b in found if b.isVisible()]


def test_it_is_dark_whatever_the_system_is(calibrating: Calibrating, qtbot) -> None:
    theme.use(Qt.ColorScheme.Light)
    window = CalibrateWindow(calibrating, CONSENT, calibrating.agree)
    qtbot.addWidget(window)
    QApplication.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)
    shown = QColor(window.grab().toImage().pixel(3, 3))
    assert shown.lightness() < 40
    window.close()


def test_a_person_is_led_from_consent_to_a_model_that_is_kept(
    window: CalibrateWindow, calibrating: Calibrating, cued: CuedPerson, qtbot
) -> None:
    assert CONSENT in window.stage.scene.text
    assert shown(window) == ["Agree  (Enter)", "No  (Esc)"]
    for key in (Qt.Key.Key_Space, Qt.Key.Key_K, Qt.Key.Key_D):  # of other pages
        qtbot.keyClick(window, key)
    assert calibrating.stage is Stage.CONSENT
    qtbot.keyClick(window, Qt.Key.Key_Return)
    assert calibrating.stage is Stage.CUES
    window.refresh()
    assert "short sentences" in window.stage.scene.text
    qtbot.keyClick(window, Qt.Key.Key_Space)
    session = calibrating.collecting
    assert session is not None

    def in_trial() -> bool:
        return session.course.phase == "trial"

    pass_time(cued, calibrating, in_trial, window.refresh)
    assert window.stage.scene.head == f"Speak: {session.course.trial.emotion}"
    assert not shown(window)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.stage.scene.curtain.startswith("End the session?")
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert not session.course.paused

    def rests() -> bool:
        return calibrating.stage is Stage.FITTING

    pass_time(cued, calibrating, rests, window.refresh)
    window.refresh()
    if calibrating.stage is Stage.FITTING:  # it has not ended by now
        assert RESTING in window.stage.scene.text
        assert not shown(window)

    def asks() -> bool:
        return calibrating.stage is Stage.ANSWER

    pass_time(cued, calibrating, asks, window.refresh)
    assert [text.split()[0] for text in shown(window)] == ["Keep", "Discard", "Ask"]
    assert "on 10 clips" in window.worth.remarks[0]
    image = window.worth.grab().toImage()
    drawn = {
        image.pixelColor(image.width() // 3, y).name() for y in range(image.height())
    }
    assert len(drawn) >= 3  # the bars, on their ground
    qtbot.keyClick(window, Qt.Key.Key_K)
    assert not window.isVisible()
    assert calibrating.person.model is not None


def test_what_the_session_lacks_is_read_in_the_window(
    cued: CuedPerson, tmp_path: Path, qtbot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "WAIT_SECONDS", 0.0)
    must, model = Must(streams=("video",)), asset("demo.safetensors")
    calibrating = calibration(cued, tmp_path, 10, model, must)
    window = CalibrateWindow(calibrating, CONSENT, calibrating.agree)
    window._timer.stop()
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_Return)

    def refused() -> bool:
        window.refresh()
        return calibrating.stage is Stage.REFUSED

    qtbot.waitUntil(refused)
    scene = window.stage.scene
    assert scene.head == "This cannot be used"
    assert "Face is off: give --video." in scene.text
    assert not shown(window)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isVisible()
    assert calibrating.refused is not None
    assert not list(tmp_path.rglob("*.xdf"))


def test_who_does_not_agree_leaves_nothing_behind(
    window: CalibrateWindow, calibrating: Calibrating, tmp_path: Path, qtbot
) -> None:
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isVisible()
    assert calibrating.stage is Stage.ENDED
    assert not list(tmp_path.rglob("*"))


def test_what_was_recorded_too_briefly_is_said_and_can_be_discarded_or_taken_up(
    window: CalibrateWindow,
    calibrating: Calibrating,
    cued: CuedPerson,
    tmp_path: Path,
    qtbot,
) -> None:
    qtbot.mouseClick(window.page.buttons[0], Qt.MouseButton.LeftButton)
    session = calibrating.collecting
    assert session is not None
    window.refresh()
    session.space()
    for _ in range(9):
        qtbot.keyClick(window, Qt.Key.Key_S)
    pass_time(cued, calibrating, lambda: calibrating.stage is Stage.ANSWER)
    window.refresh()
    assert window.worth.headline == "Nothing could be learned from these clips"
    assert "1 labeled clips of P01 were found, expected 10" in window.worth.remarks[0]
    assert [text.split()[0] for text in shown(window)] == ["Discard", "Ask"]
    qtbot.keyClick(window, Qt.Key.Key_Escape)  # later
    assert calibrating.person.unanswered is not None
    assert (calibrating.person.folder / "calibration.json").exists()
    assert list((calibrating.person.folder).glob(f"{CODE}-*.xdf"))

    again = calibration(cued, tmp_path, 10, calibrating.model)
    resumed = CalibrateWindow(again, CONSENT, again.agree)
    qtbot.addWidget(resumed)
    found = "1 of 10 clips are recorded already; 9 are left."
    assert found in resumed.stage.scene.text
    resumed.close()
