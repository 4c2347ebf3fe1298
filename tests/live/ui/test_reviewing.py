"""The window of a review, offscreen, by keyboard, on a small recording."""

import csv
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from recorded import T0
from reviewed import GAP, SECONDS, Recorded, gray, write_recording

from eav_live.recognition.assets import DEMO_MODEL, asset
from eav_live.recording.forgetting import traces_of
from eav_live.review.playhead import Playhead
from eav_live.review.reader import SessionReader
from eav_live.ui.panels.keys_card import REVIEW_KEYS
from eav_live.ui.panels.timeline_rows import clock_text
from eav_live.ui.reviewing import ReviewWindow
from eav_live.ui.tasks import ReviewTask
from eav_live.ui.window import forget_opencv_plugins
from eav_offline.core.labels import EMOTIONS

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
pytestmark = pytest.mark.qt

Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    forget_opencv_plugins()
    return ["eav-live"]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return write_recording(tmp_path_factory.mktemp("reviewing") / "s.xdf")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class FakeLoudspeaker:
    """Takes all that it is to play at once."""

    def __init__(self) -> None:
        self.playing: np.ndarray | None = None
        self.speed = 0.0

    def play(self, blocks: Iterator[np.ndarray], rate: float, speed: float) -> None:
        self.playing, self.speed = np.concatenate(list(blocks)), speed

    def stop(self) -> None:
        self.playing = None


@pytest.fixture
def path(original: Recorded, tmp_path: Path) -> Path:
    for file in original.path.parent.iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path / "s.xdf"


class Review:
    """A window with its clock and loudspeaker."""

    def __init__(self, path: Path, qtbot) -> None:
        self.clock, self.loudspeaker, self.qtbot = Clock(), FakeLoudspeaker(), qtbot
        reader = SessionReader(path)
        playhead = Playhead(reader.begin, reader.end, self.clock)
        self.window = ReviewWindow(
            reader, asset(DEMO_MODEL), self.loudspeaker, playhead
        )
        self.window._timer.stop()  # the test moves the time
        qtbot.addWidget(self.window)
        self.window.resize(1280, 720)
        self.window.show()
        qtbot.waitExposed(self.window)
        self.window.activateWindow()
        self.window.timeline.setFocus()

    def press(self, key: Qt.Key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
        focused = QApplication.focusWidget() or self.window
        self.qtbot.keyClick(focused, key, modifier)

    def write(self, text: str) -> None:
        self.qtbot.keyClicks(QApplication.focusWidget(), text)
        self.press(Key.Key_Return)

    @property
    def at(self) -> float:
        return self.window.playhead.t - T0


@pytest.fixture
def review(path: Path, qtbot) -> Iterator[Review]:
    made = Review(path, qtbot)
    yield made
    made.window.close()
    assert not made.window.failed


def test_the_space_bar_plays_with_sound_and_pauses(
    review: Review, original: Recorded
) -> None:
    review.press(Key.Key_Right)
    review.press(Key.Key_Space)
    assert review.window.playhead.playing
    heard = review.loudspeaker.playing
    assert heard is not None
    np.testing.assert_allclose(heard[:4000], original.sound[4000:8000], atol=1e-6)
    review.clock.now += 2.5
    review.window.refresh()
    assert review.at == pytest.approx(3.5, abs=0.01)
    assert review.window.bar.clock.text().startswith("00:03.5 / 00:1")
    review.press(Key.Key_Space)
    assert not review.window.playhead.playing
    assert review.loudspeaker.playing is None


def test_speed_changes_while_it_plays(review: Review) -> None:
    review.press(Key.Key_Space)
    review.press(Key.Key_BracketRight)
    review.press(Key.Key_BracketRight)
    assert review.loudspeaker.speed == 4.0
    review.clock.now += 1.0
    assert review.at == pytest.approx(4.0, abs=0.01)
    for _ in range(4):
        review.press(Key.Key_BracketLeft)
    assert review.loudspeaker.speed == 0.5
    assert review.window.bar.speed.text() == "0.5\u00d7"


def test_it_pauses_at_the_end(review: Review) -> None:
    review.press(Key.Key_Space)
    review.clock.now += 60
    review.window.refresh()
    assert not review.window.playhead.playing
    assert review.loudspeaker.playing is None
    assert review.window.bar.play.text() == "Play"


def test_a_moment_is_shown_in_all_panels(review: Review, original: Recorded) -> None:
    window = review.window
    window.seek(T0 + 6.25)
    said = next(one for one in reversed(original.said) if one.t <= T0 + 6.25)
    assert said.label is not None
    assert window.moment.emotion.panel.decision == said.label.capitalize()
    np.testing.assert_allclose(
        window.moment.emotion.panel.values, said.smoothed, atol=1e-6
    )
    assert window.moment.emotion.panel.reasons == {"audio": "no speech"}
    frame = window.moment.face.picture.frame
    assert frame is not None
    assert (frame.image == gray(31)).all()
    assert window.moment.traces.buffer.times[-1] == pytest.approx(T0 + 6.25, abs=0.02)
    assert window.moment.sound.spectrogram.newest == pytest.approx(T0 + 6.25, abs=0.01)
    window.seek(T0 + 1)
    assert window.moment.emotion.panel.waiting == "No estimate at this moment"
    assert window.moment.traces.buffer.times[-1] == pytest.approx(T0 + 1, abs=0.02)


def test_any_moment_shows_its_own_estimate_whatever_was_shown_before(
    review: Review, original: Recorded
) -> None:
    panel = review.window.moment.emotion.panel
    for t in np.random.default_rng(3).uniform(T0, T0 + SECONDS, 50).tolist():
        review.window.seek(t)
        ended = [one for one in original.said if one.t <= t]
        if not ended:
            assert panel.waiting == "No estimate at this moment"
            continue
        said = ended[-1]
        assert said.label is not None
        assert (panel.waiting, panel.decision) == ("", said.label.capitalize())
        np.testing.assert_allclose(panel.values, said.smoothed, atol=1e-6)


def test_a_note_is_there_again_when_the_recording_is_reopened(
    review: Review, path: Path, qtbot
) -> None:
    review.window.seek(T0 + 4.5)
    review.press(Key.Key_A)
    review.write("yawns")
    review.window.close()
    again = Review(path, qtbot)
    overview = again.window.timeline.overview
    assert overview is not None
    assert list(overview.flags[1].marks) == [(T0 + 4.5, "yawns")]
    for _ in range(2):  # the trial begins before it
        again.window.jump(again.window.marks, 1)
    assert again.at == pytest.approx(4.5)
    again.window.close()


def test_a_loss_is_told_and_jumped_to(review: Review) -> None:
    review.press(Key.Key_L)
    assert review.at == pytest.approx(GAP[0] - T0, abs=0.01)
    review.window.step(0.3)
    assert review.window.moment.traces.note == "nothing came at this moment"
    assert review.window.moment.face.note == ""
    review.press(Key.Key_L)
    assert review.window.bar.said.text() == "none after this moment"
    review.press(Key.Key_L, SHIFT)
    assert review.at == pytest.approx(GAP[0] - T0, abs=0.01)


def test_marks_are_jumped_to_both_ways(review: Review) -> None:
    reached = []
    for key, modifier in ((Key.Key_M, Qt.KeyboardModifier.NoModifier),) * 2 + (
        (Key.Key_M, SHIFT),
    ):
        review.press(key, modifier)
        reached.append(review.at)
    assert reached == pytest.approx([2.0, 10.0, 2.0])


def test_a_disagreement_with_the_truth_is_jumped_to(
    review: Review, original: Recorded
) -> None:
    review.press(Key.Key_D)
    wrong = [o.t for o in original.said if o.truth and o.label != o.truth]
    assert review.at == pytest.approx(wrong[0] - T0)


def test_notes_are_written_renamed_and_deleted_by_keyboard(
    review: Review, path: Path
) -> None:
    before = path.read_bytes()
    for key, text in ((Key.Key_Right, "smiles a lot"), (Key.Key_End, "is tired")):
        review.press(key)
        review.press(Key.Key_A)
        review.write(text)  # with a space in it, and letters that are keys
    assert not review.window.playhead.playing
    assert [n.text for n in SessionReader(path).annotations] == [
        "smiles a lot",
        "is tired",
    ]
    review.press(Key.Key_M, SHIFT)
    review.press(Key.Key_M, SHIFT)
    review.press(Key.Key_M, SHIFT)
    assert review.at == pytest.approx(1.0)
    review.press(Key.Key_F2)
    review.write("laughs")
    assert [n.text for n in SessionReader(path).annotations] == ["laughs", "is tired"]
    review.press(Key.Key_Delete)
    assert [n.text for n in SessionReader(path).annotations] == ["is tired"]
    assert path.read_bytes() == before


def test_a_note_can_be_left_unwritten(review: Review, path: Path) -> None:
    review.press(Key.Key_A)
    review.qtbot.keyClicks(QApplication.focusWidget(), "nothing")
    review.press(Key.Key_Escape)
    assert review.window.notes.isHidden()
    assert not len(review.window.reader.annotations)
    assert QApplication.focusWidget() is review.window.timeline


def test_the_timeline_is_pointed_at_and_zoomed(review: Review) -> None:
    window = review.window
    timeline = window.timeline
    assert timeline.overview is not None
    left, right = float(timeline._x(T0 + 3)), timeline.height() // 3
    review.qtbot.mouseClick(
        timeline, Qt.MouseButton.LeftButton, pos=QPoint(round(left), right)
    )
    assert review.at == pytest.approx(3, abs=0.02)
    window.seek(T0 + 11)
    for _ in range(9):
        review.press(Key.Key_Z)
    edges = timeline.overview.edges
    assert edges[-1] - edges[0] == pytest.approx(10)
    assert edges[0] <= T0 + 11 <= edges[-1]
    review.press(Key.Key_Home)  # scrolls back to where the cursor is
    edges = timeline.overview.edges
    assert edges[0] == pytest.approx(T0)


def test_the_overview_shows_what_was_decided(
    review: Review, original: Recorded
) -> None:
    overview = review.window.timeline.overview
    assert overview is not None
    assert len(overview.edges) == review.window.timeline.n_columns + 1
    decision = overview.strips[0].emotions
    middles = (overview.edges[:-1] + overview.edges[1:]) / 2
    for k in range(0, len(middles), 37):
        ended = [one for one in original.said if one.t <= middles[k]]
        expected = EMOTIONS.index(ended[-1].label) if ended else -1
        assert decision[k] == expected
    assert [strip.name for strip in overview.strips] == ["decision", "truth"]
    assert [track.name for track in overview.tracks] == ["EEG", "Voice", "Face"]


def test_what_the_timeline_shows_is_saved_and_is_forgotten_with_the_person(
    review: Review, original: Recorded, path: Path
) -> None:
    before = set(path.parent.iterdir())
    review.press(Key.Key_X)
    (button,) = (
        b for b in review.window.findChildren(QPushButton) if b.text() == "Save"
    )
    review.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    made = set(path.parent.iterdir()) - before
    tables = sorted(p for p in made if p.suffix == ".csv")
    assert {p.suffix for p in made} == {".csv", ".png"}
    assert len(made) == 4  # nothing is overwritten
    assert review.window.recording.note == f"saved: {tables[1]} and .png"
    rows = list(csv.DictReader(tables[0].open(encoding="utf-8")))
    assert [float(row["t"]) for row in rows] == [one.t for one in original.said]
    for row, one in zip(rows, original.said, strict=True):
        assert one.smoothed is not None
        assert row["label"] == one.label
        shares = [float(row[f"smoothed_{emotion}"]) for emotion in EMOTIONS]
        np.testing.assert_allclose(shares, one.smoothed, atol=1e-6)
    assert (rows[0]["person"], rows[0]["model"]) == ("P01", "tester")
    picture = QImage(str(tables[0].with_suffix(".png")))
    assert picture.size() == review.window.recording.size()
    found = {trace.path for trace in traces_of("P01", path.parent)}
    assert made <= found


@pytest.mark.timeout(120)
def test_it_is_recognized_anew_by_keyboard(review: Review) -> None:
    window = review.window
    review.press(Key.Key_R)
    assert QApplication.focusWidget() is window.again.model
    review.press(Key.Key_Return)
    assert window.anew is not None
    review.qtbot.waitUntil(lambda: window.again.isHidden(), timeout=60_000)
    result = window.anew.result
    assert result is not None
    overview = window.timeline.overview
    assert overview is not None
    assert [s.name for s in overview.strips] == ["decision", "anew", "truth"]
    assert list(overview.apart) == result.apart
    assert "demo (eager): another decision in" in window.bar.said.text()
    review.press(Key.Key_Home)
    review.press(Key.Key_D)
    assert review.at == pytest.approx(result.apart[0][0] - T0)
    now = result.lane.at(window.playhead.t)
    assert now is not None
    assert now.label is not None
    assert window.moment.emotion.note == f"anew: {now.label.capitalize()}"
    review.press(Key.Key_V)
    assert window.moment.emotion.panel.decision == now.label.capitalize()
    assert window.moment.emotion.legend.text() == "anew by demo"


@pytest.mark.timeout(120)
def test_what_was_never_recognized_is_at_once_by_the_model_that_is_given(
    tmp_path: Path, qtbot
) -> None:
    write_recording(tmp_path / "s.xdf", estimates=False)
    without = ReviewTask(tmp_path / "s.xdf", silent=True)
    without.open(lambda text: None)
    page = without.page()
    qtbot.addWidget(page)
    assert isinstance(page, ReviewWindow)
    waiting = page.moment.emotion.panel.waiting
    assert waiting == "Nothing was recognized\nR recognizes it now"
    page.close()
    task = ReviewTask(tmp_path / "s.xdf", asset(DEMO_MODEL), silent=True)
    task.open(lambda text: None)
    window = task.page()
    assert isinstance(window, ReviewWindow)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: window.again.isHidden(), timeout=60_000)
    window.seek(T0 + 6.1)
    overview = window.timeline.overview
    assert overview is not None
    assert [s.name for s in overview.strips] == ["anew"]
    assert not np.isnan(overview.shares[len(overview.shares) // 2]).any()
    assert window.moment.emotion.legend.text() == "anew by demo"
    window.close()


def test_a_model_that_is_not_there_is_said(review: Review) -> None:
    review.press(Key.Key_R)
    review.write("/nowhere/model.safetensors")
    assert "there is no such checkpoint" in review.window.again.error.text()
    assert review.window.anew is None
    review.press(Key.Key_Escape)
    assert review.window.again.isHidden()


def test_every_button_is_reached_by_tab_and_pressed_by_the_space_bar(
    review: Review,
) -> None:
    seen: set[QWidget] = set()
    for _ in range(40):
        review.press(Key.Key_Tab)
        focused = QApplication.focusWidget()
        assert focused is not None
        seen.add(focused)
        if isinstance(focused, QPushButton) and focused.text() == "Note":
            review.press(Key.Key_Space)
            break
    assert not review.window.notes.isHidden()
    assert not review.window.playhead.playing
    texts = {b.text() for b in seen if isinstance(b, QPushButton)}
    assert {"Play", "\u2212", "+", "\u2039", "\u203a", "Note"} <= texts


def test_the_keys_are_listed(review: Review) -> None:
    review.press(Key.Key_Question)
    assert review.window.keys.isVisible()
    assert len(REVIEW_KEYS) > 10
    review.press(Key.Key_Escape)
    assert review.window.keys.isHidden()


@pytest.mark.parametrize("letters", [1.2, 2.0])
def test_estimates_keep_their_room_beside_both_bars_in_large_letters(
    review: Review, letters: float
) -> None:
    window, timeline = review.window, review.window.timeline
    window.set_letters(letters)
    window.begin_note()
    window.again.open()
    QApplication.processEvents()
    assert timeline.overview is not None
    estimates = timeline._stack(timeline.overview)
    assert estimates.height() > timeline.fontMetrics().height()
    window.set_letters(1.0)


def test_a_clock_is_written_as_people_read_it() -> None:
    assert clock_text(0) == "00:00"
    assert clock_text(75.96, fine=True) == "01:16.0"
    assert clock_text(3671) == "1:01:11"
    assert clock_text(SECONDS, fine=True) == "00:12.0"
