"""`./dev screenshots`: every picture of the README and of docs/, made anew.

Of the demo's person on a clock that is moved by hand, so that nothing but measured
figures (frames a second, milliseconds, free disk) differs from one time to the next.
"""

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget

from benchmarks.live.simulated import (
    BEGAN,
    SimulatedPerson,
    SimulatedRun,
    SimulatedSession,
    let_pass,
    simulated_sources,
)
from benchmarks.live.speed.material import demo_material
from eav_live.calibrate import CLIPS
from eav_live.calibrate.running import Calibrating, Stage
from eav_live.options import SessionOptions
from eav_live.options.config import LiveConfig, Participant
from eav_live.options.presets import keep_last_session, save_preset
from eav_live.recognition.assets import DEMO_MODEL, PEOPLE_MODEL, asset
from eav_live.recognition.people import Person
from eav_live.recording.consent import Consent
from eav_live.recording.recorder import Recorder
from eav_live.replay.demo import demo_subject
from eav_live.review.reader import SessionReader
from eav_live.session.intake import Intake
from eav_live.session.opening import session_settings
from eav_live.ui.calibrating import CalibrateWindow
from eav_live.ui.dashboard import Dashboard
from eav_live.ui.panels.eeg.view import HEAD, MEASURES, SPECTRUM
from eav_live.ui.participant import ParticipantWindow
from eav_live.ui.picker import PickerPage
from eav_live.ui.reviewing import ReviewWindow
from eav_live.ui.start import StartPage
from eav_live.ui.window import begin_qt
from eav_offline.common.console import DONE, FAILED, configure_logging
from eav_offline.data.eav.subject import open_subject
from eav_offline.data.media import iter_frames, rgb

log = logging.getLogger(__name__)
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
MOST_BYTES = 200_000  # of one picture
_SIZE, _SMALL = (1280, 800), (1280, 720)
_SESSION_SECONDS = 249.0  # before the dashboard is drawn; no change is in sight then
_REFRESHED_SECONDS = 2.0  # by itself, as that is how far it counts frames
_RECORDED_SECONDS = 50.0
_BACKLOG_BYTES = 20_000_000  # that may wait for the disk: time goes faster than it
_CONSENT = Consent(
    "SYN", "nobody: a drawn person", "2026-01-01T10:00:00+00:00", ("EEG",), "", "file"
)
_WAITS = [sys.executable, "-c", "import sys; sys.stdin.read()"]
# What `eav-live devices --watch` says in a laboratory.
_FOUND = {
    "streams": [
        {"name": "BrainAmp", "kind": "EEG", "channels": 32, "rate": 500.0}
        | {"electrodes": 30, "fault": "", "notice": "", "handle": "BrainAmp"}
        | {"hostname": "lab-pc", "source_id": "a", "labels": [], "mapping": None},
        {"name": "Muse", "kind": "EEG", "channels": 4, "rate": 256.0}
        | {"electrodes": 0, "notice": "", "handle": "Muse"}
        | {"fault": "has 0 of the 30 electrodes; at most 4 may be missing"}
        | {"hostname": "lab-pc", "source_id": "b", "mapping": None}
        | {"labels": ["TP9", "AF7", "AF8", "TP10"]},
    ],
    "microphones": [
        {"index": 0, "name": "Built-in", "rate": 48e3, "channels": 2, "default": True},
        {"index": 3, "name": "Headset", "rate": 16e3, "channels": 1, "default": False},
    ],
    "microphones_error": "",
    "cameras_error": "",
    "cameras": [{"index": 0, "path": "", "width": 1280, "height": 720}],
}
Pictures = Iterator[tuple[str, QImage]]
W = TypeVar("W", bound=QWidget)


def start_page() -> Pictures:
    """With presets and a session that was there before."""
    for name in ("lab1", "face-and-voice"):
        save_preset(name, SessionOptions(eeg_stream="BrainAmp"))
    keep_last_session(SessionOptions(eeg_stream="BrainAmp"))
    with shown(StartPage()) as page:
        yield "start", picture(page)


def devices() -> Pictures:
    """The picker, with a stream that cannot be used."""
    with shown(PickerPage(None, _WAITS)) as page:
        page.show_found(_FOUND)
        page.eeg.list.setCurrentRow(1)
        page.show_found({"microphone": 0, "level_db": -22.0})
        page.face.show_picture(first_frame(demo_subject()), "")
        yield "devices", picture(page)


def participant() -> Pictures:
    """The notice before the first estimate."""
    with shown(ParticipantWindow(Participant())) as window:
        yield "participant", picture(window)


def dashboard() -> Pictures:
    """A session of the demo, dark and light, and panels of it."""
    person = SimulatedPerson(demo_material(demo_subject()))
    session = SimulatedSession(person)
    with shown(Dashboard(session, running=SimulatedRun(session)), _SIZE) as window:
        while session.clock() - BEGAN < _SESSION_SECONDS:
            session.pass_time(session.hop)
            QApplication.processEvents()
        go_on(session, window, 1.0)
        yield "dashboard", picture(window)
        window.restyle(Qt.ColorScheme.Light)
        go_on(session, window, 0.5)
        yield "dashboard-light", picture(window)
        window.restyle(Qt.ColorScheme.Dark)
        window.traces.show_view(HEAD)
        window.traces.measure.setCurrentIndex(MEASURES.index("alpha"))
        go_on(session, window, 0.5)
        yield "eeg-head", picture(window.traces)
        window.traces.show_view(SPECTRUM)
        window.traces.choose(28)
        go_on(session, window, 0.5)
        yield "eeg-spectrum", picture(window.traces)
        window.timeline.plot.zoom(-1)
        go_on(session, window, 0.5)
        yield "timeline", picture(window.timeline)


def calibration() -> Pictures:
    """Every page of a calibration with EEG and voice."""
    person = SimulatedPerson(demo_material(demo_subject()))
    made: list[Recorder] = []

    def opened(path: Path) -> tuple[Intake, Recorder]:
        intake = Intake(simulated_sources(person, ("eeg", "audio")), person.clock)
        made.append(Recorder(path, replace(_CONSENT, person="P01"), intake, {}))
        return intake, made[0]

    with tempfile.TemporaryDirectory(prefix="eav-pictures-") as folder:
        of = Person("P01", Path(folder))
        calibrating = Calibrating(
            of, asset(DEMO_MODEL), CLIPS[0], opened, Path(folder) / "P01"
        )
        text = LiveConfig().consent.text
        consent = f"{text}\n\nRecorded: EEG, voice."
        window = CalibrateWindow(calibrating, consent, calibrating.agree)
        with shown(window):
            yield "calibrate-consent", picture(window)
            window.agree()
            yield from _cues(calibrating, window, person, made[0])
            yield "calibrate-rest", picture(window)
            while calibrating.stage is Stage.FITTING:
                time.sleep(0.05)
                window.refresh()
            yield "calibrate-answer", picture(window)


def review() -> Pictures:
    """A recording with a loss, marks and notes, recognized anew by another model."""
    with tempfile.TemporaryDirectory(prefix="eav-pictures-") as folder:
        path = Path(folder) / "demo.xdf"
        _record(path)
        reader = SessionReader(path)
        with shown(ReviewWindow(reader, asset(PEOPLE_MODEL)), _SMALL) as window:
            begin = reader.begin
            reader.annotations.add(begin + 14.0, "smiles")
            reader.annotations.add(begin + 33.0, "looks away")
            window.again.asked.emit(asset(PEOPLE_MODEL), "")
            while window.anew is None or window.anew.running:
                time.sleep(0.05)
                QApplication.processEvents()
            QApplication.processEvents()  # the last news of it
            window.seek(begin + 30.0)
            window.recording.show_overview()
            yield "review", picture(window)


DRAWN: dict[str, Callable[[], Pictures]] = {
    drawn.__name__: drawn
    for drawn in (start_page, devices, participant, dashboard, calibration, review)
}


def main(argv: Sequence[str] | None = None) -> int:
    """Draw all pictures, or some. Returns the exit status."""
    options = argparse.ArgumentParser(
        prog="./dev screenshots", description="Draw the pictures of docs/ anew."
    )
    options.add_argument("--out", type=Path, default=PICTURES, metavar="DIR")
    options.add_argument(
        "--only", nargs="+", choices=tuple(DRAWN), default=tuple(DRAWN), metavar="PAGE"
    )
    given = options.parse_args(argv)
    configure_logging(False)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(prefix="eav-pictures-") as folder:
        # Nobody's own presets are shown, or changed.
        os.environ |= {"XDG_CONFIG_HOME": folder, "XDG_STATE_HOME": folder}
        begin_qt()
        written = [
            write(given.out / f"{name}.png", image)
            for drawn in given.only
            for name, image in DRAWN[drawn]()
        ]
    return DONE if all(written) else FAILED


@contextmanager
def shown(window: W, size: tuple[int, int] = _SMALL) -> Iterator[W]:
    """A window that is shown, laid out and then closed."""
    window.resize(*size)
    window.show()
    QApplication.processEvents()
    try:
        yield window
    finally:
        window.close()
        window.deleteLater()
        QApplication.processEvents()


def picture(window: QWidget) -> QImage:
    """What it looks like now."""
    QApplication.processEvents()
    return window.grab().toImage()


def write(path: Path, image: QImage) -> bool:
    """Write a picture of 256 colors. Returns whether it is as small as it must be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(str(path))
    with Image.open(path) as saved:
        drawn = saved.convert("RGB")
    few = drawn.quantize(256, kmeans=2, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    size = path.stat().st_size
    log.info("%s, %d kB", path, size / 1000)
    if size > MOST_BYTES:
        log.error("%s has %d kB, at most %d", path, size / 1e3, MOST_BYTES / 1e3)
    return size <= MOST_BYTES


def first_frame(subject: Path) -> QImage:
    """Of the person's first Speaking trial."""
    person = open_subject(subject)
    video = person.recording(person.trials("speaking")[0]).video
    assert video is not None
    _, frame = next(iter_frames(video))
    pixels = np.ascontiguousarray(rgb(frame))
    height, width = pixels.shape[:2]
    form = QImage.Format.Format_RGB888
    return QImage(pixels.data, width, height, 3 * width, form).copy()


def go_on(session: SimulatedSession, window: Dashboard, seconds: float) -> None:
    """Let so many seconds pass, then the window refresh itself for a while.

    It says how often it does; in a session the rest is done by other threads.
    """
    session.pass_time(seconds)
    begun = time.perf_counter()
    while time.perf_counter() - begun < _REFRESHED_SECONDS:
        QApplication.processEvents()
        time.sleep(0.002)


def _cues(
    calibrating: Calibrating,
    window: CalibrateWindow,
    person: SimulatedPerson,
    recorder: Recorder,
) -> Pictures:
    """Do what the cues say; a picture is taken in the middle of the seventh."""
    taken = False
    while calibrating.stage is Stage.CUES:
        session = calibrating.collecting
        assert session is not None
        course = session.course
        if course.phase == "instructions":
            session.space()
        person.show(course.trial.emotion)
        let_pass(session.intake, person, 0.1)
        _wait_for_disk(recorder)
        window.refresh()
        seventh = course.index == 6 and course.phase == "trial"
        if seventh and not taken and (course.left(person.now) or 0.0) < 5.0:
            taken = True
            yield "calibrate-cue", picture(window)


def _record(path: Path) -> None:
    """A session of the demo's person, with two seconds of EEG lost."""
    person = SimulatedPerson(demo_material(demo_subject()))
    session = SimulatedSession(person)
    settings = session_settings(SessionOptions(demo=True), session)
    recorder = Recorder(path, _CONSENT, session, settings)
    session.subscribe(recorder.take_prediction)
    recorder.start()
    while (passed := session.clock() - BEGAN) < _RECORDED_SECONDS:
        person.silent = {"eeg"} if 38.0 <= passed < 42.0 else set()
        session.pass_time(session.hop)
        _wait_for_disk(recorder)
    while recorder._backlog.n_bytes:
        time.sleep(0.01)
    session.stop()
    recorder.stop()


def _wait_for_disk(recorder: Recorder) -> None:
    while recorder._backlog.n_bytes > _BACKLOG_BYTES:
        time.sleep(0.005)


if __name__ == "__main__":
    sys.exit(main())
