"""The dashboard's timeline over a long session, offscreen."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from test_dashboard import FakeSession, one_hot, predict

from eav_live.recording.forgetting import TIMELINE_NAME, traces_of
from eav_live.ui import theme
from eav_live.ui.dashboard import Dashboard
from eav_live.ui.panels.history import (
    FINE_SECONDS,
    MAX_MARKS,
    MAX_OLDER,
    MAX_POINTS,
    History,
    runs,
    stretches,
    write_csv,
)
from eav_live.ui.panels.timeline import TimelineView
from eav_offline.core.labels import EMOTIONS

pytestmark = pytest.mark.qt
HOP = 0.5


def lived(seconds: float, begin: float = 1000.0) -> History:
    """A session in which the decision changes every minute."""
    history = History()
    for k in range(round(seconds / HOP)):
        emotion = EMOTIONS[int(k * HOP // 60) % len(EMOTIONS)]
        history.add(predict(begin + k * HOP, one_hot(emotion)))
    return history


@pytest.fixture(scope="module")
def two_hours() -> tuple[History, int]:
    """A session from 0 to 7200 s, and the most older points that it ever had."""
    history, most = History(), 0
    for k in range(14_400):
        history.add(predict(k * HOP, one_hot(EMOTIONS[(k // 120) % len(EMOTIONS)])))
        most = max(most, len(history.older))
    return history, most


@pytest.fixture
def view(qtbot) -> TimelineView:
    view = TimelineView(HOP, model="fake")
    qtbot.addWidget(view)
    view.resize(1000, 220)
    view.show()
    view.plot.history = lived(600)
    view.plot.history.person = "P01"
    view.refresh(1600.0)
    return view


def test_two_hours_take_no_more_points_than_were_allowed(two_hours) -> None:
    history, most = two_hours
    assert most <= MAX_OLDER
    assert len(history.points) == 361
    assert len(history) <= MAX_OLDER + 361
    assert history.begin == 0.0
    assert sum(point.n for point in history.older) + 361 == 14_400
    # Nothing of it is missing, and it is as it was: one emotion a minute.
    whole = history.between(0.0, 7200.0)
    assert max(np.diff([point.t for point in whole])) <= history.step + HOP
    held = stretches(whole, "label", HOP, 2.0 + history.step)
    assert len(held) == 120
    assert max(abs(last % 60 - 59.5) for _, last, _ in held) <= history.step


def test_a_quick_hop_fills_no_more_memory() -> None:
    history = History()
    for k in range(3 * MAX_POINTS):
        history.add(predict(k * 1e-3, one_hot("anger")))
    assert len(history.points) == MAX_POINTS
    assert len(history.older) <= MAX_OLDER
    assert history.begin == 0.0


def test_what_is_joined_keeps_its_mean_and_losses_stay_visible() -> None:
    history = History()
    for t, emotion in ((0.0, "anger"), (0.25, "sadness"), (0.5, "anger"), (0.75, None)):
        history.add(predict(t, None if emotion is None else one_hot(emotion)))
    history.add(predict(9.0, one_hot("anger")))
    history.add(predict(9.0 + FINE_SECONDS + 1, one_hot("neutral")))
    first, second = history.older
    np.testing.assert_allclose(
        first.values, (2 * one_hot("anger") + one_hot("sadness")) / 3
    )
    assert (first.first, first.t, first.n) == (0.0, 0.75, 3)
    assert [len(run) for run in runs(history.older, 2.0)] == [1, 1]
    assert second.t == 9.0


def test_it_scrolls_back_and_home_to_now(view: TimelineView) -> None:
    plot = view.plot
    assert plot.span == (1420.0, 1600.0)
    view.keys["Left"]()
    assert plot.span == (1375.0, 1555.0)
    assert view.title == "06:15 to 09:15"
    assert view.back.isVisible()
    view.refresh(1700.0)
    assert plot.span == (1375.0, 1555.0)  # it stays while the session goes on
    for _ in range(50):
        view.keys["Left"]()
    assert plot.span == (1000.0, 1180.0)  # not to before the session
    view.keys["Home"]()
    assert plot.span == (1520.0, 1700.0)
    assert (view.title, view.back.isVisible()) == ("Last 3 minutes", False)
    view.keys["Left"]()
    view.keys["Right"]()
    assert plot.end is None


def test_it_zooms_from_ten_seconds_to_the_whole_session(view: TimelineView) -> None:
    plot = view.plot
    for _ in range(8):
        view.keys["Shift+Z"]()
    assert plot.span == (1000.0, 1600.0)
    assert view.title == "Last 10 minutes"
    for _ in range(20):
        view.keys["Z"]()
    assert plot.seconds == 10.0
    assert plot.end is None


def test_zooming_into_the_past_keeps_its_middle(view: TimelineView) -> None:
    plot = view.plot
    view.keys["Left"]()
    view.keys["Left"]()
    middle = sum(plot.span) / 2
    view.keys["Z"]()
    assert plot.seconds == 90.0
    assert sum(plot.span) / 2 == middle


def test_marks_stand_where_they_were_set_and_not_before_there_are_any(
    view: TimelineView,
) -> None:
    amber = QColor(theme.AMBER).rgb()

    def columns() -> set[int]:
        image = view.plot.grab().toImage()
        return {
            x
            for x in range(image.width())
            for y in range(image.height() // 2, image.height())
            if image.pixel(x, y) == amber
        }

    assert not columns()
    view.add_mark(1555.0, "second")
    view.add_mark(1465.0, "first")  # told late, with its own time
    left, right = 76, view.plot.width() - 18
    wanted = [left + share * (right - left) for share in (0.25, 0.75)]
    assert all(any(abs(x - w) <= 1 for w in wanted) for x in columns())
    assert all(any(abs(x - w) <= 1 for x in columns()) for w in wanted)
    for k in range(MAX_MARKS):
        view.add_mark(2000.0 + k, "stimulus")
    assert len(view.plot.history.marks) == MAX_MARKS
    assert view.plot.history.marks[0][0] == 2000.0


def test_the_wheel_zooms(view: TimelineView) -> None:
    turn = QWheelEvent(
        *(QPointF(50, 50), QPointF(50, 50), QPoint(), QPoint(0, 120)),
        *(Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier),
        *(Qt.ScrollPhase.NoScrollPhase, False),
    )
    view.plot.wheelEvent(turn)
    assert view.plot.seconds == 90.0


def test_plus_and_minus_are_the_timelines_where_it_has_the_focus(qtbot) -> None:
    window = Dashboard(FakeSession())
    qtbot.addWidget(window)
    window.resize(1280, 720)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    plot, traces = window.timeline.plot, window.traces
    scale = traces.scale_uv
    plot.setFocus()
    qtbot.keyClick(plot, Qt.Key.Key_Plus)
    assert (plot.seconds, traces.scale_uv) == (90.0, scale)
    window.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_Plus)
    assert plot.seconds == 90.0
    assert traces.scale_uv < scale
    qtbot.keyClick(window, Qt.Key.Key_Home)
    assert plot.seconds == FINE_SECONDS


def test_a_long_session_is_seen_whole(view: TimelineView, two_hours) -> None:
    view.plot.history = two_hours[0]
    view.refresh(7200.0)
    for _ in range(8):
        view.plot.zoom(-1)
    assert view.plot.span == (0.0, 7200.0)
    # Of no more points than that it is painted, so that a hop has time for it.
    assert len(view.plot.history.between(*view.plot.span)) <= MAX_OLDER + 361


def test_what_is_saved_is_the_whole_session_and_is_forgotten_with_the_person(
    view: TimelineView, tmp_path: Path
) -> None:
    view.export(tmp_path)
    view.export(tmp_path)
    tables = sorted(tmp_path.glob("*.csv"))
    assert len(tables) == 2  # nothing is overwritten
    assert view.note == f"saved: {tables[1]} and .png"
    rows = list(csv.DictReader(tables[0].open(encoding="utf-8")))
    assert len(rows) == len(view.plot.history)
    assert sum(int(row["n_estimates"]) for row in rows) == 1200
    assert (rows[0]["person"], rows[0]["model"]) == ("P01", "fake")
    assert (rows[0]["label"], float(rows[0]["smoothed_neutral"])) == ("neutral", 1.0)
    assert rows[-1]["t"] == "1599.5"
    found = {trace.path for trace in traces_of("P01", tmp_path)}
    assert found == set(tmp_path.iterdir())
    assert len(found) == 4


def test_of_whom_an_estimate_is_stays_so_when_another_person_follows(
    tmp_path: Path,
) -> None:
    history = History()
    for k, person in enumerate((None, "P01", "P02", "P02")):
        history.person = person
        for t in range(200):
            history.add(predict(200.0 * k + t))
    assert len(history.older) > 0
    path = tmp_path / f"{TIMELINE_NAME}1.csv"
    write_csv([*history.older, *history.points], path, "fake", history.person)
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    by_time = {float(row["t"]): row["person"] for row in rows}
    assert all((p == "P02") == (t >= 400.0) for t, p in by_time.items())
    assert set(by_time.values()) == {"P01", "P02"}  # at first nobody had said who
    assert {trace.path for trace in traces_of("P01", tmp_path)} == {path}


def test_what_cannot_be_saved_is_said(view: TimelineView, tmp_path: Path) -> None:
    view.export(tmp_path / "nowhere")
    assert view.note.startswith(f"not saved in {tmp_path / 'nowhere'}: No such file")
    view.plot.history = History()
    view.export(tmp_path)
    assert view.note == "nothing to save yet"
    assert list(tmp_path.iterdir()) == []
