"""Every page, at three sizes, in both themes, in usual and large letters, offscreen."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from collect_helpers import Bench, loaded
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from rendered import faults
from reviewed import T0, write_recording
from test_dashboard import (  # noqa: F401
    FakeRecorder,
    FakeSession,
    fake_running,
    judged,
    predict,
    qapp_args,
)
from test_picker import FOUND

from eav_live.calibrate.running import Calibrating, Stage
from eav_live.collect.course import Phase
from eav_live.options import SessionOptions
from eav_live.options.config import ConsentForm, Must, Participant
from eav_live.options.presets import keep_last_session, save_preset
from eav_live.recognition.assets import DEMO_MODEL, asset
from eav_live.recognition.people import Person
from eav_live.review.reader import SessionReader
from eav_live.ui import remembered, theme
from eav_live.ui.calibrating import CalibrateWindow
from eav_live.ui.collecting import CollectWindow
from eav_live.ui.dashboard import Dashboard
from eav_live.ui.lamps import AlarmLine
from eav_live.ui.opening import OpeningPage
from eav_live.ui.panels.card import OverCard
from eav_live.ui.panels.card_view import CardView
from eav_live.ui.panels.consent_card import ConsentCard
from eav_live.ui.panels.eeg.view import VIEWS
from eav_live.ui.participant import ParticipantWindow
from eav_live.ui.picker import PickerPage
from eav_live.ui.reviewing import ReviewWindow
from eav_live.ui.start import StartPage
from eav_live.ui.window import SessionWindow
from eav_offline.core.labels import MODALITIES
from eav_offline.personal.worth import Accuracy, Calibrated

pytestmark = pytest.mark.qt
SIZES = ((1280, 720), (1920, 1080), (3840, 2160))
DARK, LIGHT = Qt.ColorScheme.Dark, Qt.ColorScheme.Light
# A page and, by name, what else is to be done to it, one after the other.
Page = tuple[QWidget, dict[str, Callable[[], object]]]


def start(folder: Path) -> Page:
    for number in range(8):
        save_preset(f"laboratory-{number}", SessionOptions(eeg_stream="Cap"))
    keep_last_session(SessionOptions(eeg_stream="BrainAmp"))
    page = StartPage()
    sorry = partial(page.tell, "It is not there. " * 9)
    return page, {"": lambda: None, "refused": sorry}


def opening(folder: Path) -> Page:
    page = OpeningPage()
    page.say("Loading the embedded model\u2026")
    return page, {
        "": lambda: None,
        "refused": lambda: page.refuse("not there, " * 30, True),
    }


def devices(folder: Path) -> Page:
    page = PickerPage(None, [sys.executable, "-c", "import sys; sys.stdin.read()"])
    page.show_found(FOUND)
    page.show_found({"microphone": 0, "level_db": -20.0})
    names = ("a name", "", *(f"electrode {k}" for k in range(34)))

    def leave() -> None:
        page.mapping.leave()
        page.files.leave()

    return page, {
        "": lambda: None,
        "faulty": lambda: page.eeg.list.setCurrentRow(2),
        "electrodes": lambda: page.mapping.ask("Which is which?", names, None),
        "preset": lambda: (leave(), page.save.setEnabled(True), page.save.click()),
    }


def dashboard(folder: Path) -> Page:
    session = FakeSession()
    session.fill()
    session.states["eeg"] = judged(electrodes={"T7": "flat"})
    marks = {str(k): f"stimulus of kind {k}" for k in range(1, 9)}
    marks["9"] = "the name of a mark that is longer than what is marked, " * 2
    running = fake_running(session, marks=marks)
    running.recorder = FakeRecorder()  # type: ignore[assignment]
    page = Dashboard(session, running=running)  # type: ignore[arg-type]
    controls = page.controls
    assert controls is not None
    late = replace(predict(), fusion="calibrated", hop_s=2.0, behind=True)
    alarm = AlarmLine(Lost())  # type: ignore[arg-type]

    def show(view: str) -> None:
        page.traces.show_view(view)
        page.show_prediction(late)
        page._texts_at = -1.0
        page.refresh()

    def lose() -> None:
        show(VIEWS[0])
        page.alarm = alarm
        page._rows.insertWidget(2, alarm)
        alarm.refresh()
        controls.bar.say("The person is shown: breathe in and out, slowly")

    def ask(card: OverCard | CardView) -> None:
        controls.leave()
        controls.leave()
        page.card.hide()
        card.ask() if isinstance(card, ConsentCard) else card.setVisible(True)
        card.place() if isinstance(card, OverCard) else None

    states = {view: (lambda v=view: show(v)) for view in VIEWS}
    states["lost"] = lose
    for name, card in (
        *(("keys", controls.keys), ("consent", controls.consent)),
        ("card", page.card),
    ):
        states[name] = partial(ask, card)
    return page, states


class Lost:
    """A guard with much to say."""

    alarm = "EEG is lost: no data.   Voice is lost: no data.   Face is lost: no data."
    must = Must(sound=False)

    def look(self) -> None:
        """Nothing changes."""


def participant(folder: Path) -> Page:
    page = ParticipantWindow(Participant())

    def cue() -> None:
        page.go_on()
        page.show_cue("Breathe in, and out.")

    return page, {"notice": lambda: None, "cue": cue}


def collecting(folder: Path) -> Page:
    bench = Bench(loaded(folder))
    page = CollectWindow(bench.session, "P01")

    def trial() -> None:
        if bench.session.asking:
            bench.session.answer(False)
            bench.session.space()
        bench.run_until(Phase.TRIAL)
        page.refresh()

    def end() -> None:
        bench.session.ask_end()
        page.refresh()

    return page, {"trial": trial, "end": end}


class Answered(Calibrating):
    """A calibration that stands at a page of its own choice."""

    def tick(self) -> None:
        """Nothing goes on."""

    def show(self, stage: Stage) -> None:
        self.error = "1 clip was found, expected 10" if stage is Stage.ANSWER else ""
        self.stage, self.result = stage, None

    def answer(self) -> None:
        self.stage, one = Stage.ANSWER, Accuracy(0.6, (0.4, 0.8))
        each = {m: (one, one) for m in MODALITIES}
        self.result = Calibrated(
            None,  # type: ignore[arg-type]
            *(20, one, one, one, each, {}, ("calmness",), 0.1),
        )


def calibration(folder: Path) -> Page:
    person = Person("P01", folder)
    model = asset(DEMO_MODEL)
    course = Answered(person, model, 20, lambda path: pytest.fail(str(path)), folder)
    page = CalibrateWindow(course, ConsentForm().text, lambda: None)

    def at(stage: Stage) -> Callable[[], None]:
        def show() -> None:
            course.show(stage)
            page.refresh()

        return show

    def answer() -> None:
        course.answer()
        page.refresh()

    stages = (Stage.CONSENT, Stage.FITTING, Stage.ANSWER)
    return page, {s: at(s) for s in stages} | {"worth": answer}


def review(folder: Path) -> Page:
    reader = SessionReader(write_recording(folder / "s.xdf").path)
    page = ReviewWindow(reader, asset(DEMO_MODEL))
    page.seek(T0 + 6.5)

    def ask() -> None:
        page.begin_note()
        page.again.open()

    def leave() -> None:
        page.notes.leave()
        page.again.leave()

    return page, {"": leave, "two bars": ask}


PAGES = (
    *(start, opening, devices, dashboard, participant, collecting, calibration),
    review,
)


@pytest.fixture(autouse=True)
def usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Presets of nobody, the usual letters, and the usual colors afterwards."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield
    remembered.settings().clear()
    theme.use(DARK)


def settle() -> None:
    """Let Qt lay out what has changed, and then what that has changed."""
    for _ in range(3):
        QApplication.processEvents()


@pytest.mark.parametrize("make", PAGES, ids=lambda make: make.__name__)
def test_nothing_on_a_page_is_empty_clipped_or_over_something_else(
    make: Callable[[Path], Page], tmp_path: Path, qtbot
) -> None:  # type: ignore[no-untyped-def]
    page, states = make(tmp_path)
    if isinstance(page, SessionWindow):
        page._timer.stop()
    qtbot.addWidget(page)
    page.show()
    wrong: list[str] = []

    def look(where: str) -> None:
        for name, bring in states.items():
            bring()
            settle()
            wrong.extend(f"{where} {name}: {fault}" for fault in faults(page))

    for size in SIZES:
        page.resize(*size)
        # Pages of cues stay dark, and where things are no color changes.
        follows = size == SIZES[0] and getattr(page, "follows_system", True)
        for scheme in (LIGHT, DARK) if follows else (DARK,):
            page.restyle(scheme)  # type: ignore[attr-defined]
            look(f"{size[0]}, {scheme.name}")
    if isinstance(page, SessionWindow):
        page.resize(*SIZES[0])
        page.set_letters(remembered.MOST_LETTERS)
        look("large letters")
        page.set_letters(1.0)
        assert not page.failed
    assert not wrong, "\n".join(wrong)
    page.close()
