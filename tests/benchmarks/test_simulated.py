"""The session whose time is moved by hand, what it measures, what is drawn of it."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.live import screenshots
from benchmarks.live.screenshots import MOST_BYTES, main
from benchmarks.live.simulated import (
    BEGAN,
    SimulatedMarkers,
    SimulatedPerson,
    let_pass,
    simulated_sources,
)
from benchmarks.live.soak.simulated import level_figures
from benchmarks.live.speed.material import Material
from eav_live.recognition.predictions import StreamState
from eav_live.session.intake import Intake
from eav_live.streams.source import SampleSource
from eav_offline.core.labels import EMOTIONS

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
pytestmark = pytest.mark.qt
SEGMENT = 12.0
RATE = 100.0


@pytest.fixture
def person() -> SimulatedPerson:
    """Shows each emotion for twelve seconds; every sample is the number of its row."""
    n = round(5 * SEGMENT * RATE)
    rows = np.arange(n, dtype=np.float32)
    frames = tuple((0.2 * i, np.zeros((8, 8, 3), np.uint8)) for i in range(300))
    course = tuple((SEGMENT * i, i) for i in range(5))
    eeg = np.tile(rows, (30, 1))
    streams = (eeg, RATE, rows, RATE, frames)
    return SimulatedPerson(Material("rows", 5 * SEGMENT, *streams, course=course))


def sound_of(intake: Intake) -> np.ndarray:
    source = intake.audio
    assert isinstance(source, SampleSource)
    assert source.ring is not None
    return source.ring.latest(60.0)[1][:, 0]


def test_streams_bring_what_the_person_shows_and_nothing_while_silent(
    person: SimulatedPerson,
) -> None:
    intake = Intake(simulated_sources(person, ("eeg", "audio")), person.clock)
    let_pass(intake, person, 1.0)
    np.testing.assert_array_equal(sound_of(intake), np.arange(100))
    person.silent = {"audio"}
    let_pass(intake, person, 4.0)
    health = intake.health()
    assert health["audio"].state is StreamState.LOST
    assert health["eeg"].state is StreamState.LIVE
    person.silent = set()
    person.show(EMOTIONS[3])
    let_pass(intake, person, 1.0)
    assert intake.health()["audio"].gaps == 1
    np.testing.assert_array_equal(sound_of(intake)[-100:], 3600 + np.arange(100))


def test_markers_say_what_is_shown_once_as_it_begins(person: SimulatedPerson) -> None:
    markers, heard = SimulatedMarkers(person), []
    markers.listen(lambda arrival: heard.append(float(arrival.stamps[0])))
    for _ in range(260):
        person.now += 0.1
        markers.look()
    np.testing.assert_allclose(heard, BEGAN + SEGMENT * np.arange(3), atol=1e-6)
    assert markers.at(BEGAN + 13.0) == EMOTIONS[1]


@pytest.mark.parametrize(("mb_an_hour", "level"), [(0.0, True), (60.0, False)])
def test_memory_that_grows_is_not_level(mb_an_hour: float, level: bool) -> None:
    times = np.arange(0.0, 7200.0, 10.0)
    size = 1e9 + mb_an_hour * 1e6 * times / 3600 + 50e6 * (times < 200)
    figures = level_figures(list(zip(times, size, strict=True)))
    assert figures["level"] is level
    assert figures["resident_end_mb"] == pytest.approx(1000 + 1.96 * mb_an_hour, abs=3)


def test_pictures_are_drawn_small_and_leave_the_users_settings_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    synthetic_subject: Path,
    qapp: object,
) -> None:
    own = tmp_path / "own"
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(own))
    monkeypatch.setattr(screenshots, "demo_subject", lambda: synthetic_subject)
    out = tmp_path / "out"
    assert main(["--out", str(out), "--only", "start_page", "devices"]) == 0
    for name in ("start", "devices"):
        with Image.open(out / f"{name}.png") as drawn:
            assert drawn.size == (1280, 720)
            assert len(drawn.convert("RGB").getcolors(1000) or ()) > 20
        assert (out / f"{name}.png").stat().st_size < MOST_BYTES
    assert not own.exists()
