"""The window of a collecting session, offscreen, on a clock set by hand."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from collect_helpers import SCRIPT, Bench, loaded
from PySide6.QtCore import Qt

from eav_live.collect.course import Phase
from eav_live.recognition.predictions import StreamState
from eav_live.ui.collecting import CollectWindow, scene
from eav_live.ui.window import forget_opencv_plugins

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
pytestmark = pytest.mark.qt

INSTRUCTED = SCRIPT.replace(
    'name = "First"', 'name = "First"\ninstructions = "Speak freely."'
)


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    forget_opencv_plugins()
    return ["eav-live"]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(loaded(tmp_path, INSTRUCTED))


@pytest.fixture
def window(bench: Bench, qtbot) -> Iterator[CollectWindow]:
    window = CollectWindow(bench.session, "P01")
    window._timer.stop()  # the test moves the time
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    yield window
    window.close()


def press(qtbot, window: CollectWindow, key: Qt.Key) -> None:
    qtbot.keyClick(window, key)


def test_the_space_bar_turns_the_page_and_pauses(
    window: CollectWindow, bench: Bench, qtbot
) -> None:
    bench.run(0.1)
    window.refresh()
    assert window.stage.scene.text == "Speak freely."
    press(qtbot, window, Qt.Key.Key_Space)
    assert bench.course.phase is Phase.COUNTDOWN
    press(qtbot, window, Qt.Key.Key_Space)
    assert window.stage.scene.curtain.startswith("Paused")


def test_the_cue_stands_from_the_countdown_to_the_end_of_the_trial(
    window: CollectWindow, bench: Bench
) -> None:
    bench.run(0.1)
    bench.session.space()
    before = scene(bench.session, bench.clock.now)
    assert (before.head, before.text) == ("Listen: anger", "You are late.")
    assert (before.quiet, before.left) == (True, 3.0)
    bench.run_until(Phase.TRIAL)
    bench.run(6)
    now = scene(bench.session, bench.clock.now)
    assert (now.head, now.text, now.quiet) == (before.head, before.text, False)
    assert now.left == pytest.approx(14.0, abs=0.1)


def test_escape_asks_before_the_session_ends(
    window: CollectWindow, bench: Bench, qtbot
) -> None:
    bench.run(0.1)
    press(qtbot, window, Qt.Key.Key_Escape)
    assert window.stage.scene.curtain.startswith("End the session?")
    press(qtbot, window, Qt.Key.Key_Escape)
    assert not bench.course.finished
    press(qtbot, window, Qt.Key.Key_Escape)
    press(qtbot, window, Qt.Key.Key_Return)
    assert bench.course.aborted
    assert not window.isVisible()


def test_r_repeats_the_trial(window: CollectWindow, bench: Bench, qtbot) -> None:
    bench.run(0.1)
    bench.session.space()
    bench.run_until(Phase.REST)
    press(qtbot, window, Qt.Key.Key_R)
    assert bench.course.index == 0
    assert bench.recorder.of("trial_repeat")
    assert "1 void" in bench.course.where


def test_a_lost_stream_is_said_above_the_cue(
    window: CollectWindow, bench: Bench
) -> None:
    bench.run(0.1)
    bench.session.space()
    bench.run_until(Phase.TRIAL)
    bench.sources["eeg"].state = StreamState.LOST
    bench.run(0.5)
    window.refresh()
    assert window.notice.isVisible()
    assert "EEG is lost" in window.notice.text()
    assert window.lamps["eeg"].state is StreamState.LOST


def test_closing_the_window_ends_the_session(
    window: CollectWindow, bench: Bench
) -> None:
    bench.run(0.1)
    window.close()
    assert bench.course.aborted
    assert bench.recorder.events[-1] == "session_end"


def test_the_window_closes_by_itself_after_the_last_trial(
    window: CollectWindow, bench: Bench
) -> None:
    bench.run(0.1)
    bench.session.space()
    bench.run_until(Phase.DONE)
    window.refresh()
    assert window.isVisible()
    assert "2 of 2 trials" in window.stage.scene.curtain
    bench.run(5)
    window.refresh()
    assert not window.isVisible()


@pytest.mark.parametrize("size", [(960, 600), (1920, 1080)])
def test_a_long_text_stays_in_its_room(
    tmp_path: Path, qtbot, size: tuple[int, int]
) -> None:
    text = SCRIPT.replace("You are late.", "Long and longer words. " * 40)
    bench = Bench(loaded(tmp_path, text))
    window = CollectWindow(bench.session, "P01")
    window._timer.stop()
    qtbot.addWidget(window)
    window.resize(*size)
    window.show()
    bench.run(0.5)
    window.refresh()
    image = window.stage.grab().toImage()
    # Between the text and the ring, where both end.
    y = round(0.707 * image.height())
    row = {image.pixelColor(x, y).name() for x in range(0, image.width(), 2)}
    assert len(row) == 1
