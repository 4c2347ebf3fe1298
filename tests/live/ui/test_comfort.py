"""Dark and light, large letters, keyboard and screen readers, offscreen."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLineEdit,
    QWidget,
)
from rendered import faults
from test_dashboard import FakeSession, colored, judged, predict

from eav_live.recognition.predictions import StreamHealth, StreamState
from eav_live.ui import remembered, theme
from eav_live.ui.dashboard import Dashboard
from eav_live.ui.panels.eeg.view import VIEWS
from eav_live.ui.window import run_window
from eav_offline.core.labels import EMOTIONS

pytestmark = pytest.mark.qt
DARK, LIGHT = Qt.ColorScheme.Dark, Qt.ColorScheme.Light
CONTROLS = (QAbstractButton, QComboBox, QLineEdit)


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    """The usual letters and colors, before and afterwards."""
    remembered.settings().clear()
    yield
    remembered.settings().clear()
    theme.use(DARK)


def dashboard(qtbot, size: tuple[int, int] = (1280, 720)) -> Dashboard:
    session = FakeSession()
    session.fill()
    session.states["eeg"] = judged(electrodes={"T7": "flat"})
    window = Dashboard(session)
    qtbot.addWidget(window)
    window.resize(*size)
    window.show()
    window.show_prediction(predict())
    return window


def settle(window: Dashboard) -> None:
    window._texts_at = -1.0
    window.refresh()
    for _ in range(3):  # what has changed, and what that has changed
        QApplication.processEvents()


def test_lamps_show_all_of_their_words_in_letters_of_any_size(qtbot) -> None:  # type: ignore[no-untyped-def]
    window = dashboard(qtbot, (1280, 800))
    for letters in (1.0, 1.2, 2.0):
        window.set_letters(letters)
        QApplication.processEvents()
        for state, filled in ((StreamState.LIVE, 5.0), (StreamState.RETURNED, 2.0)):
            for name, lamp in window.lamps.items():
                seen = []
                for more in (0.1, 0.2):  # which is told at the end of the words
                    health = StreamHealth(state, age_s=more, filled_s=filled + more)
                    lamp.set_health(health)
                    seen.append(lamp.grab().toImage())
                assert seen[0] != seen[1], f"{name}, {state}, {letters}"


def luminance(color: str) -> float:
    """Relative luminance of WCAG 2.2."""
    shares = np.array(QColor(color).getRgbF()[:3])
    linear = np.where(
        shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4
    )
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("letters", [1.2, 1.3, 2.0])
def test_large_letters_leave_every_panel_readable(qtbot, letters: float) -> None:
    window = dashboard(qtbot)
    window.set_letters(letters)
    for view in VIEWS:
        window.traces.show_view(view)
        settle(window)
        assert not faults(window)
    large = letters >= 1.25
    bar = window._views.verticalScrollBar()
    assert (bar.maximum() > 0) == large
    # One is shown above the other, and the estimate first.
    assert (window.emotion.y() < window.traces.y()) == large
    qtbot.keyClick(window, Qt.Key.Key_PageDown)
    assert (bar.value() > 0) == large


@pytest.mark.parametrize("scheme", [DARK, LIGHT])
def test_letters_stand_out_from_their_ground_in_both_themes(scheme) -> None:
    theme.use(scheme)
    words = (theme.TEXT, theme.MUTED, theme.AMBER, theme.GOOD, theme.TRACE)
    for ground in (theme.PANEL, theme.PANEL_DEEP, theme.BACKGROUND):
        for color in words:
            assert contrast(color, ground) >= 4.5, (color, ground)
        assert contrast(theme.BAD, ground) >= 4.5
        assert contrast(theme.FAINT, ground) >= 2.7
    assert contrast(theme.ON_BANNER, theme.BANNER) >= 4.5
    assert contrast(theme.ON_BAD, theme.BAD) >= 4.5
    for emotion in EMOTIONS:
        assert contrast(theme.EMOTION_COLORS[emotion], theme.PANEL_DEEP) >= 1.6


def test_the_window_follows_the_systems_colors_while_it_runs(qtbot) -> None:
    window = dashboard(qtbot)
    settle(window)
    curve = window.traces._measured.opts["pen"].color().name()
    assert colored(window.grab().toImage(), "#0f1319").any()
    QApplication.styleHints().colorSchemeChanged.emit(LIGHT)
    settle(window)
    image = window.grab().toImage()
    assert colored(image, theme.BACKGROUND).sum() > 5000
    assert not colored(image, "#0f1319").any()
    assert window.traces._measured.opts["pen"].color().name() == theme.TRACE != curve
    QApplication.styleHints().colorSchemeChanged.emit(DARK)
    settle(window)
    assert colored(window.grab().toImage(), "#0f1319").sum() > 5000


def test_letters_grow_by_key_and_are_remembered(qtbot) -> None:
    window = dashboard(qtbot)
    with qtbot.waitActive(window):
        window.activateWindow()
    plain = window._scale
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    assert window.letters == pytest.approx(1.2)
    assert window._scale == pytest.approx(1.2 * plain)
    qtbot.keyClick(window, Qt.Key.Key_Minus, Qt.KeyboardModifier.ControlModifier)
    assert dashboard(qtbot).letters == pytest.approx(1.1)
    window.set_letters(5.0)
    assert window.letters == 2.0
    qtbot.keyClick(window, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert window.letters == 1.0
    remembered.settings().setValue("letters", "huge")
    assert remembered.letters() == 1.0


def test_a_window_comes_back_where_it_was(qapp) -> None:
    shown: list[Dashboard] = []

    def make() -> Dashboard:
        session = FakeSession()
        shown.append(Dashboard(session))
        shown[-1]._timer.timeout.connect(shown[-1].close)
        return shown[-1]

    assert run_window(make, (1000, 640)) == 0  # asked for, so it is not kept
    assert run_window(make, None) == 0
    assert (shown[-1].width(), shown[-1].height()) == (1280, 800)

    def smaller() -> Dashboard:
        window = make()
        window._timer.timeout.disconnect()
        window._timer.timeout.connect(lambda: (window.resize(960, 640), window.close()))
        return window

    assert run_window(smaller, None) == 0
    assert run_window(make, None) == 0
    assert (shown[-1].width(), shown[-1].height()) == (960, 640)


def test_every_control_has_a_name_and_is_reached_by_tab(qtbot) -> None:
    window = dashboard(qtbot)
    settle(window)
    for view in VIEWS:
        window.traces.show_view(view)
        controls = {
            part
            for part in window.findChildren(QWidget)
            if isinstance(part, CONTROLS) and part.isVisible() and part.isEnabled()
        }
        controls |= {window.banner, window.timeline.plot}
        for part in controls:
            name = part.accessibleName() or getattr(part, "text", str)()
            assert any(letter.isalpha() for letter in name), part
        reached, part = set(), window.nextInFocusChain()
        while part is not window:
            if part.focusPolicy() & Qt.FocusPolicy.TabFocus:
                reached.add(part)
            part = part.nextInFocusChain()
        assert controls <= reached


def test_the_models_card_opens_from_its_line_by_keyboard(qtbot) -> None:
    window = dashboard(qtbot)
    window.banner.setFocus()
    qtbot.keyClick(window.banner, Qt.Key.Key_Return)
    assert window.card.isVisible()


def test_a_screen_reader_is_told_the_decision(qtbot) -> None:
    window = dashboard(qtbot)
    panel = window.emotion.panel
    assert panel.accessibleName() == "Estimate"
    assert panel.accessibleDescription() == "Happiness, from EEG, Voice, Face"
