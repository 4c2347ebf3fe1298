"""The dashboard, offscreen, on a session that the tests drive by hand."""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QLabel

from eav_live.doctor import display
from eav_live.options import SessionOptions
from eav_live.options.config import LiveConfig
from eav_live.recognition.predictions import (
    Prediction,
    Quality,
    Reading,
    StreamHealth,
    StreamState,
)
from eav_live.recording.recorder import OnMark
from eav_live.running import Outputs, Running
from eav_live.ui import theme
from eav_live.ui.dashboard import Dashboard
from eav_live.ui.lamps import lamp_text, trouble_text
from eav_live.ui.panels.eeg.measures import SCALES_UV, TraceBuffer
from eav_live.ui.panels.emotion_view import EmotionPanel
from eav_live.ui.panels.face_view import Picture
from eav_live.ui.panels.history import MAX_POINTS, History, runs
from eav_live.ui.panels.sound_view import N_BANDS, Spectrogram, level_db
from eav_live.ui.panels.timeline import TimelinePlot
from eav_live.ui.panels.traces import TracesView
from eav_live.ui.window import (
    NoDisplay,
    forget_opencv_plugins,
    require_display,
    run_window,
)
from eav_live.windows.rings import FrameRing, SampleRing
from eav_offline.checkpoint.card import NO_CARD, SYNTHETIC_ONLY, Card, model_line
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.core.sureness import State
from eav_offline.core.window import N_CHANNELS, FaceFrame
from eav_offline.preprocess import PreprocessSettings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
pytestmark = pytest.mark.qt

LIVE = StreamHealth(StreamState.LIVE, "BrainAmp", age_s=0.04, filled_s=20, rate=500)
SPREAD = np.array([0.1, 0.2, 0.1, 0.5, 0.1])


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    forget_opencv_plugins()
    return ["eav-live"]


CARD = Card(
    what="a model of faces",
    reads=("video",),
    knows=EMOTIONS[:4],
    shown="acted speech in German",
    failures=("Beards were not tested.",),
)


class FakeSource:
    """A ring without a device."""

    def __init__(self, ring: SampleRing | FrameRing | None) -> None:
        self.ring = ring
        self.interpolated: tuple[str, ...] = ()
        self.choose = lambda x, y: None


class FakeSession:
    """What the dashboard reads of a session, with a clock set by hand."""

    def __init__(self, demo: bool = True) -> None:
        self.demo, self.hop, self.model_name, self.now = demo, 0.5, "fake", 100.0
        self.knows: tuple[str, ...] = EMOTIONS
        self.preprocess = PreprocessSettings(notch_hz=50)
        self.card: Card | None = None if demo else CARD
        self.rings = (
            SampleRing(250, N_CHANNELS, 10),
            SampleRing(16000, 1, 10),
            FrameRing(10),
        )
        self.sources = {
            m: FakeSource(ring) for m, ring in zip(MODALITIES, self.rings, strict=True)
        }
        self.states = dict.fromkeys(MODALITIES, LIVE)
        self.callbacks: list[Callable[[Prediction], None]] = []
        self.error: BaseException | None = None
        self.first_live: float | None = self.now
        self.stops, self.paused = 0, False

    eeg = property(lambda self: self.sources.get("eeg"))
    audio = property(lambda self: self.sources.get("audio"))
    video = property(lambda self: self.sources.get("video"))

    @property
    def model_line(self) -> str:
        return model_line(self.model_name, self.card, self.demo)

    def health(self) -> dict[str, StreamHealth]:
        return self.states

    def subscribe(self, callback: Callable[[Prediction], None]) -> None:
        self.callbacks.append(callback)

    def clock(self) -> float:
        return self.now

    def pause(self, paused: bool) -> None:
        self.paused = paused

    def stop(self) -> None:
        self.stops += 1

    def fill(self) -> None:
        """Put two seconds of noise and one frame into the rings."""
        rng = np.random.default_rng(1)
        for ring, scale in zip(self.rings[:2], (20.0, 0.05), strict=True):
            n = round(2 * ring.rate)
            times = self.now - 2 + np.arange(n) / ring.rate
            ring.extend(times, scale * rng.standard_normal((n, ring.width)))
        self.rings[2].append(make_frame(self.now - 0.1), True)


def run_dashboard(session: FakeSession, size=(1280, 800), **more) -> int:  # type: ignore[no-untyped-def]
    return run_window(lambda: Dashboard(session, **more), size)  # type: ignore[arg-type]


class FakeRecorder:
    """Keeps what is marked."""

    def __init__(self, path: Path = Path("s.xdf")) -> None:
        self.path, self.text, self.whole = path, ("recording", True), True
        self.running, self.folder, self.paths = path, path.absolute().parent, [path]
        self.put: list[tuple[Mapping[str, object], float]] = []
        self.on_mark: OnMark = lambda marker, stamp: None

    def mark(self, marker: Mapping[str, object], stamp: float) -> None:
        self.put.append((marker, stamp))
        self.on_mark(marker, stamp)

    def stop(self) -> None: ...


def fake_running(session: FakeSession, **config: object) -> Running:
    """Opened, with this session. config: sections of live.toml."""
    options = SessionOptions(config=LiveConfig.model_validate(config))
    running = Running(options, Outputs())
    running._session = session  # type: ignore[assignment]
    return running


def make_frame(time: float, found: bool = True) -> FaceFrame:
    image = np.full((120, 160, 3), 90, dtype=np.uint8)
    return FaceFrame(time, image, np.array([40, 30, 100, 90], np.float32), found)


def predict(
    t: float = 99.8,
    values: np.ndarray | None = SPREAD,
    absent: dict[str, str] | None = None,
    by_modality: np.ndarray = SPREAD,
    truth: str | None = None,
) -> Prediction:
    absent = absent or {}
    present = tuple(m for m in MODALITIES if m not in absent)
    return Prediction(
        t=t,
        fused=values,
        smoothed=values,
        by_modality={m: None if m in absent else by_modality for m in MODALITIES},
        present=present,
        states={},
        label=None if values is None else EMOTIONS[int(np.nanargmax(values))],
        truth=truth,
        age_s=0.18,
        infer_s=0.074,
        hop_s=0.5,
        reasons=absent,
    )


def colored(image: QImage, color: str) -> np.ndarray:
    """(height, width) bool: pixels of very nearly this color."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8)
    rows = rows.reshape(image.height(), image.bytesPerLine())
    pixels = rows[:, : 3 * image.width()].reshape(image.height(), -1, 3)
    wanted = np.array(QColor(color).getRgb()[:3])
    return (np.abs(pixels.astype(int) - wanted) < 6).all(axis=2)


def one_hot(emotion: str) -> np.ndarray:
    return np.eye(len(EMOTIONS))[EMOTIONS.index(emotion)]


@pytest.fixture
def session() -> FakeSession:
    return FakeSession()


@pytest.fixture
def window(qtbot, session: FakeSession) -> Dashboard:
    window = Dashboard(session)
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    return window


@pytest.fixture
def panel(qtbot) -> EmotionPanel:
    panel = EmotionPanel()
    qtbot.addWidget(panel)
    panel.resize(400, 480)
    return panel


# The estimate


def test_fused_bars_are_as_long_as_the_probabilities(panel: EmotionPanel) -> None:
    nobody = dict.fromkeys(MODALITIES, "off")

    def length(share: float) -> int:
        values = np.array([1 - share, 0, 0, 0, share])
        panel.show_prediction(predict(values=values, absent=nobody))
        panel.emotion = None  # its disc has the emotion's color too
        bar = colored(panel.grab().toImage(), theme.EMOTION_COLORS["calmness"])
        return int(bar.any(axis=0).sum())

    full = length(1.0)
    assert full > 150
    assert length(0.5) == pytest.approx(0.5 * full, abs=4)
    assert length(0.2) == pytest.approx(0.2 * full, abs=4)


def test_the_decision_is_named_with_its_probability_and_its_sources(
    panel: EmotionPanel,
) -> None:
    panel.show_prediction(predict(absent={"audio": "lost"}))
    assert panel.decision == "Happiness"
    assert panel.values is not None
    assert panel.values[EMOTIONS.index("happiness")] == 0.5
    assert panel.subtitle == "from EEG, Face"


def test_an_absent_modality_has_no_bars_but_the_reason(panel: EmotionPanel) -> None:
    def yellow(absent: dict[str, str]) -> int:
        sure = one_hot("happiness")
        panel.show_prediction(
            predict(values=one_hot("neutral"), absent=absent, by_modality=sure)
        )
        image = panel.grab().toImage()
        return int(colored(image, theme.EMOTION_COLORS["happiness"]).sum())

    three = yellow({})
    assert yellow({"audio": "no sound"}) == pytest.approx(three * 2 / 3, rel=0.1)
    assert panel.reasons == {"audio": "no sound"}


def test_what_the_model_does_not_know_has_a_note_and_no_bar(qtbot) -> None:
    session = FakeSession()
    session.knows = EMOTIONS[:4]
    window = Dashboard(session)
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    four = np.array([0.4, 0.3, 0.2, 0.1, np.nan])
    for t in (99.0, 99.8):
        window.show_prediction(predict(t, four, by_modality=four))
    assert window.emotion.panel.decision == "Neutral"
    image = window.grab().toImage()
    assert not colored(image, theme.EMOTION_COLORS["calmness"]).any()
    for emotion in EMOTIONS[:4]:
        assert colored(image, theme.EMOTION_COLORS[emotion]).any()
    legend = [label.text() for label in window.timeline.findChildren(QLabel)]
    assert "Happiness" in legend
    assert "Calmness" not in legend
    # The stack reaches the top without it.
    plot = window.timeline.plot.grab().toImage()
    yellow = colored(plot, theme.EMOTION_COLORS["happiness"])
    assert yellow.any(axis=1).argmax() < 12


def test_without_any_modality_there_is_no_estimate(panel: EmotionPanel) -> None:
    panel.show_prediction(
        predict(values=None, absent=dict.fromkeys(MODALITIES, "lost"))
    )
    assert panel.decision == "No estimate"
    assert panel.values is None
    image = panel.grab().toImage()
    for emotion in EMOTIONS[1:]:  # neutral is the gray of letters' edges
        assert not colored(image, theme.EMOTION_COLORS[emotion]).any()


def test_a_text_stands_for_the_bars_until_the_first_prediction(
    window: Dashboard, session: FakeSession
) -> None:
    text = window.emotion.panel.waiting
    assert text.startswith("Waiting for the first window\nEEG: live")
    window.show_prediction(predict())
    assert window.emotion.panel.waiting == ""


def test_the_headline_never_contradicts_its_bars(window: Dashboard) -> None:
    panel = window.emotion.panel
    four = np.array([0.40, 0.06, 0.15, 0.39, np.nan])
    held = replace(
        predict(values=four),
        label="happiness",
        state=State.HELD,
        label_set=("neutral", "happiness"),
        coverage=0.9,
    )
    window.show_prediction(held)
    assert (panel.decision, panel.held) == ("Happiness", True)
    assert panel.subtitle.startswith("90%: Neutral, Happiness")
    inside = ("neutral", "sadness", "happiness")
    open_ = replace(held, label=None, state=State.UNDECIDED, label_set=inside)
    window.show_prediction(open_)
    assert (panel.decision, panel.held) == ("Undecided", False)
    assert panel.subtitle.startswith("90%: not Anger")
    window.show_prediction(predict())
    assert (panel.decision, panel.held) == ("Happiness", False)
    assert panel.subtitle.startswith("from")


def test_the_text_stays_while_there_is_nothing_to_estimate_from(
    window: Dashboard,
) -> None:
    nobody = dict.fromkeys(MODALITIES, "collecting")
    window.show_prediction(predict(values=None, absent=nobody))
    assert window.emotion.panel.waiting.startswith("Waiting")
    window.show_prediction(predict())
    window.show_prediction(predict(values=None, absent=nobody))
    assert window.emotion.panel.waiting == ""
    assert window.emotion.panel.decision == "No estimate"


def test_recognition_that_gave_up_is_said_and_is_a_failure(
    window: Dashboard, session: FakeSession
) -> None:
    session.error = ValueError("the weights are not finite")
    window._texts_at = -1.0
    window.refresh()
    assert "the weights are not finite" in window.emotion.message
    assert window.failed


def test_the_estimate_is_dimmed_when_no_new_one_comes(
    window: Dashboard, session: FakeSession
) -> None:
    window.show_prediction(predict())
    session.now += 2.0
    window._texts_at = -1.0
    window.refresh()
    assert not window.emotion.panel.stale
    session.now += 2.0
    window._texts_at = -1.0
    window.refresh()
    assert window.emotion.panel.stale


# Quality


def judged(state: StreamState = StreamState.LIVE, **quality: object) -> StreamHealth:
    return replace(LIVE, state=state, quality=Quality(**quality))  # type: ignore[arg-type]


def shown(window: Dashboard, session: FakeSession, **states: StreamHealth) -> None:
    session.states = {**session.states, **states}
    window._texts_at = -1.0
    window.refresh()


def test_bad_electrodes_are_named_crossed_and_red(
    window: Dashboard, session: FakeSession
) -> None:
    session.fill()
    assert not colored(window.traces.grab().toImage(), theme.BAD).any()
    shown(window, session, eeg=judged(electrodes={"T7": "flat", "O1": "railed"}))
    window.refresh()
    assert window.traces.note == "flat: T7; railed: O1"
    ticks = window.traces._plot.getAxis("left")._tickLevels[0]
    assert [name for _, name in ticks if "×" in name] == ["× T7", "× O1"]
    assert colored(window.traces.grab().toImage(), theme.BAD).any()


def test_a_stream_left_out_says_why(window: Dashboard, session: FakeSession) -> None:
    silent = judged(good=False, why="no speech", measures={"speech": 0.02})
    shown(window, session, audio=silent)
    assert window.sound.note == "left out: no speech"
    assert window.lamps["audio"].text == "live, left out"
    assert window.lamps["audio"].color == theme.AMBER
    assert "speech in 2% of the window" in window.lamps["audio"].toolTip()
    shown(window, session, audio=judged(measures={"speech": 0.5}))
    assert window.sound.note == ""
    assert window.lamps["audio"].color == theme.GOOD


def test_a_fault_of_the_stream_says_why(
    window: Dashboard, session: FakeSession
) -> None:
    shown(window, session, eeg=replace(LIVE, fault="a wrong rate"))
    assert window.traces.note == "left out: a wrong rate"


def test_numbers_that_are_not_break_no_trace() -> None:
    buffer = TraceBuffer()
    ring = SampleRing(250, N_CHANNELS, 10)
    values = np.random.default_rng(0).standard_normal((500, N_CHANNELS))
    values[100, 3] = np.nan
    ring.extend(np.arange(500) / 250, values)
    buffer.update(ring)
    assert np.isfinite(buffer.values).all()


def test_a_click_in_the_picture_chooses_that_pixel_of_the_frame(
    qtbot, session: FakeSession
) -> None:
    chosen: list[tuple[float, float]] = []
    session.sources["video"].choose = lambda x, y: chosen.append((x, y))  # type: ignore[attr-defined]
    window = Dashboard(session)
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    session.fill()
    window.refresh()
    picture = window.face.picture
    qtbot.mouseClick(picture, Qt.MouseButton.LeftButton, pos=picture.rect().center())
    assert chosen == [pytest.approx((80, 60), abs=2)]
    qtbot.mouseClick(picture, Qt.MouseButton.LeftButton, pos=QPoint(2, 60))
    assert len(chosen) == 1  # beside the picture


# Lamps, banner, messages


@pytest.mark.parametrize(
    ("health", "text"),
    [
        (LIVE, "live 0.0 s"),
        (StreamHealth(StreamState.LIVE, filled_s=3.24), "live, collecting 3.2 of 5 s"),
        (StreamHealth(StreamState.LATE, age_s=1.84), "late by 1.8 s"),
        (
            StreamHealth(StreamState.RETURNED, filled_s=1.0),
            "returned, collecting 1.0 of 5 s",
        ),
        (StreamHealth(StreamState.LOST, age_s=12.3), "lost 12 s"),
        (StreamHealth(StreamState.LOST, age_s=240), "lost 4 min"),
        (StreamHealth(StreamState.LOST), "lost"),
        (StreamHealth(StreamState.CONNECTING), "connecting"),
        (StreamHealth(StreamState.REFUSED, detail="no labels"), "refused"),
        (StreamHealth(StreamState.OFF), "off"),
    ],
)
def test_lamp_text(health: StreamHealth, text: str) -> None:
    assert lamp_text(health) == text


def test_every_state_has_a_color_and_trouble_has_its_own() -> None:
    assert set(theme.STATE_COLORS) == set(StreamState)
    live = theme.STATE_COLORS[StreamState.LIVE]
    assert theme.STATE_COLORS[StreamState.LOST] == theme.BAD != live


def test_a_lamp_follows_its_stream(window: Dashboard, session: FakeSession) -> None:
    lost = StreamHealth(StreamState.LOST, "mic", "the sender is gone", age_s=5)
    session.states = {**session.states, "audio": lost}
    window._texts_at = -1.0
    window.refresh()
    assert window.lamps["eeg"].state is StreamState.LIVE
    assert window.lamps["audio"].text == "lost 5.0 s"
    assert "the sender is gone" in window.lamps["audio"].toolTip()


def test_a_refusal_is_visible_text_over_its_panel(
    window: Dashboard, session: FakeSession
) -> None:
    refused = StreamHealth(StreamState.REFUSED, "BrainAmp", "it lacks Fp1; map it")
    session.states = {**session.states, "eeg": refused}
    window._texts_at = -1.0
    window.refresh()
    assert window.traces.message == "EEG refused\nit lacks Fp1; map it"
    assert window.sound.message == ""


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_a_long_refusal_is_seen_whole_in_a_small_panel(
    window: Dashboard, size: tuple[int, int]
) -> None:
    window.resize(*size)
    window.layout().activate()
    window.face.set_message("Face refused\n" + "video must be int8 RGB. " * 14)
    message, body = window.face._message, window.face.picture
    assert message.heightForWidth(message.width()) <= message.height()
    assert body.geometry().contains(message.geometry())


def test_a_late_stream_keeps_its_picture() -> None:
    assert trouble_text("video", StreamHealth(StreamState.LATE, age_s=2)) == ""


@pytest.mark.parametrize(
    ("demo", "line"),
    [
        (True, SYNTHETIC_ONLY),
        (False, "fake: face; acted speech in German; EEG and voice not used"),
    ],
)
def test_the_banner_says_for_whom_the_model_was_shown_to_work(
    qtbot, demo: bool, line: str
) -> None:
    window = Dashboard(FakeSession(demo))
    qtbot.addWidget(window)
    window.show()
    assert window.banner.isVisible()
    assert line in window.banner.text()


def test_the_card_opens_by_click_and_key_while_estimates_go_on(qtbot) -> None:
    session = FakeSession(demo=False)
    window = Dashboard(session)
    qtbot.addWidget(window)
    window.show()
    assert not window.card.isVisible()
    qtbot.mouseClick(window.banner, Qt.MouseButton.LeftButton)
    assert window.card.isVisible()
    assert not window.card.isModal()
    said = [text.text() for text in window.card.findChildren(QLabel)]
    assert "Beards were not tested." in said
    assert "neutral, sadness, anger, happiness; not known to it: calmness" in said
    window.show_prediction(predict(t=session.now))
    assert window.emotion.panel.decision == predict().label.capitalize()
    qtbot.keyClick(window.card, Qt.Key.Key_I)
    assert not window.card.isVisible()
    qtbot.mouseClick(window.banner, Qt.MouseButton.LeftButton)
    qtbot.keyClick(window.card, Qt.Key.Key_Escape)
    assert not window.card.isVisible()
    assert window.isVisible()  # Esc was the card's
    with qtbot.waitActive(window):
        window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_I)
    assert window.card.isVisible()
    window.close()
    assert not window.card.isVisible()
    assert session.stops == 1


def test_dimensions_are_shown_beside_what_they_were_estimated_from(qtbot) -> None:
    session = FakeSession()
    session.fill()
    window = Dashboard(session)
    qtbot.addWidget(window)
    window.resize(1280, 720)
    window.show()
    window.show_prediction(predict())
    voice, face = window.dimensions["audio"], window.dimensions["video"]
    assert not voice.isVisible()  # no model estimates any
    values = {"arousal": 1.0, "dominance": 0.25, "valence": 0.0}
    read = {"audio": Reading(99.0, values)}
    window.show_prediction(replace(predict(), dimensions=read))
    QApplication.processEvents()
    assert voice.isVisible()
    assert not face.isVisible()
    assert window.sound.rect().contains(voice.geometry())
    picture = colored(voice.grab().toImage(), theme.TRACE)
    third = len(picture) // 3
    shares = [int(picture[i * third : (i + 1) * third].sum()) for i in range(3)]
    assert shares[1] == pytest.approx(shares[0] / 4, rel=0.05)
    assert shares[0] > shares[2] == 0
    assert voice.accessibleDescription() == "arousal 1.00, dominance 0.25, valence 0.00"
    session.now += 5.0  # nothing comes any more
    window._texts_at = 0.0
    window.refresh()
    assert voice.isVisible()
    assert not colored(voice.grab().toImage(), theme.TRACE).any()


def test_a_model_without_a_card_says_so(qtbot) -> None:
    session = FakeSession(demo=False)
    session.card = None
    window = Dashboard(session)
    qtbot.addWidget(window)
    window.card.toggle()
    assert NO_CARD in window.banner.text()
    assert NO_CARD in [text.text() for text in window.card.findChildren(QLabel)]


@pytest.mark.parametrize("size", [(960, 600), (1280, 800), (1920, 1080)])
def test_the_header_fits_the_window(
    window: Dashboard, size: tuple[int, int], qtbot
) -> None:
    window.resize(*size)
    window.layout().activate()
    assert (window.width(), window.height()) == size
    boxes = [lamp.geometry() for lamp in window.lamps.values()]
    for box, lamp in zip(boxes, window.lamps.values(), strict=True):
        assert window.rect().contains(box)
        assert box.width() >= lamp.sizeHint().width()
    assert not any(a.intersects(b) for a, b in zip(boxes, boxes[1:], strict=False))


# The timeline


def test_the_timeline_keeps_three_minutes() -> None:
    history = History()
    for k in range(1000):
        history.add(predict(t=k * 0.5))
    assert history.points[-1].t - history.points[0].t == 180.0
    assert len(history.points) == 361


def test_the_timeline_is_bounded_whatever_the_hop() -> None:
    history = History()
    for k in range(MAX_POINTS + 500):
        history.add(predict(t=k * 1e-3))
    assert len(history.points) == MAX_POINTS


def test_the_timeline_is_broken_where_predictions_were_missing() -> None:
    history = History()
    for t in (0.0, 0.5, 1.0, 9.0, 9.5):
        history.add(predict(t=t))
    nobody = dict.fromkeys(MODALITIES, "lost")
    history.add(predict(t=10.0, values=None, absent=nobody))
    history.add(predict(t=10.5))
    assert [len(run) for run in runs(history.points, 2.0)] == [3, 2, 1]


def test_the_timeline_begins_anew_when_the_clock_goes_back() -> None:
    history = History()
    history.add(predict(t=50.0))
    history.add(predict(t=3.0))
    assert [point.t for point in history.points] == [3.0]


def test_a_strip_of_truth_is_drawn_when_truth_is_known(qtbot) -> None:
    plot = TimelinePlot()
    qtbot.addWidget(plot)
    plot.resize(600, 140)
    plot.now = 61.0
    for k in range(121):
        plot.history.add(predict(t=k * 0.5, values=one_hot("calmness")))
    anger = theme.EMOTION_COLORS["anger"]
    assert not plot.truth_shown
    assert not colored(plot.grab().toImage(), anger).any()
    plot.history.add(predict(t=60.5, values=one_hot("calmness"), truth="anger"))
    assert plot.truth_shown
    assert colored(plot.grab().toImage(), anger).any()


# EEG


def eeg_ring(seconds: float, rate: float = 250.0) -> tuple[SampleRing, np.ndarray]:
    return SampleRing(rate, N_CHANNELS, 20), np.arange(round(seconds * rate)) / rate


def test_traces_keep_ten_hertz_and_lose_offset_and_mains() -> None:
    ring, t = eeg_ring(6)
    tone = np.sin(2 * np.pi * 10 * t)
    values = np.zeros((len(t), N_CHANNELS))
    values[:, 0] = 5000 + 20 * tone
    values[:, 1] = 5000 + 20 * np.sin(2 * np.pi * 60 * t)
    ring.extend(t, values)
    buffer = TraceBuffer()
    buffer.update(ring)
    settled = buffer.values[buffer.times > 3.0]
    assert np.abs(settled[:, 0]).max() == pytest.approx(20, rel=0.05)
    assert np.abs(settled[:, 1]).max() < 5
    assert np.abs(buffer.values[:, 2]).max() < 1e-6


def test_traces_do_not_depend_on_how_samples_arrive() -> None:
    rng = np.random.default_rng(0)
    whole, t = eeg_ring(4)
    values = rng.standard_normal((len(t), N_CHANNELS)).astype(np.float32)
    whole.extend(t, values)
    at_once = TraceBuffer()
    at_once.update(whole)
    piecewise, in_pieces = SampleRing(250, N_CHANNELS, 20), TraceBuffer()
    start = 0
    while start < len(t):
        stop = start + int(rng.integers(1, 40))
        piecewise.extend(t[start:stop], values[start:stop])
        in_pieces.update(piecewise)
        start = stop
    np.testing.assert_array_equal(in_pieces.times, at_once.times)
    np.testing.assert_allclose(in_pieces.values, at_once.values, atol=1e-5)


def test_traces_are_broken_at_a_gap_and_the_filter_starts_anew() -> None:
    ring, t = eeg_ring(2)
    ring.extend(t, np.full((len(t), N_CHANNELS), 100.0))
    ring.extend(t + 3.0, np.full((len(t), N_CHANNELS), 900.0))
    buffer = TraceBuffer()
    buffer.update(ring)
    assert buffer.breaks.sum() == 1
    gap = int(np.flatnonzero(buffer.breaks)[0])
    assert buffer.times[gap + 1] - buffer.times[gap] > 0.9
    assert np.abs(buffer.values).max() < 1e-3


def test_traces_follow_a_stream_that_comes_back_with_another_rate() -> None:
    buffer = TraceBuffer()
    for rate in (250.0, 1000.0):
        ring, t = eeg_ring(1, rate)
        ring.extend(t, np.zeros((len(t), N_CHANNELS)))
        buffer.update(ring)
        assert 80 <= len(buffer.times) <= 130


def test_traces_keep_only_what_is_shown() -> None:
    ring, t = eeg_ring(15)
    buffer = TraceBuffer(seconds=3.0)
    for part in np.split(np.arange(len(t)), 15):
        ring.extend(t[part], np.zeros((len(part), N_CHANNELS)))
        buffer.update(ring)
    assert buffer.times[-1] - buffer.times[0] == pytest.approx(3.0, abs=0.02)


def test_interpolated_electrodes_are_named_and_drawn_apart(qtbot) -> None:
    view = TracesView()
    qtbot.addWidget(view)
    ring, t = eeg_ring(1)
    ring.extend(t, np.zeros((len(t), N_CHANNELS)))
    view.refresh(ring, ("Fp1", "PO9"), 1.0)
    assert view.note == "interpolated: Fp1, PO9"
    assert view._note.toolTip() == view.note
    rows = {round(-y) for y in view._computed.getData()[1]}
    assert rows == {0, 25}
    assert len({round(-y) for y in view._measured.getData()[1]}) == N_CHANNELS - 2


def test_zoom_stays_within_the_scales(qtbot) -> None:
    view = TracesView()
    qtbot.addWidget(view)
    before = view.scale_uv
    view.zoom(1)
    assert view.scale_uv < before
    for _ in SCALES_UV:
        view.zoom(1)
    assert view.scale_uv == SCALES_UV[0]
    for _ in (*SCALES_UV, None):
        view.zoom(-1)
    assert view.scale_uv == SCALES_UV[-1]


def test_the_first_scale_suits_the_signal_and_a_chosen_one_stays(qtbot) -> None:
    rng = np.random.default_rng(2)
    ring, t = eeg_ring(6)
    ring.extend(t, 200 * rng.standard_normal((len(t), N_CHANNELS)))
    by_itself, by_hand = TracesView(), TracesView()
    qtbot.addWidget(by_itself)
    qtbot.addWidget(by_hand)
    by_hand.zoom(1)
    chosen = by_hand.scale_uv
    by_itself.refresh(ring, (), 6.0)
    by_hand.refresh(ring, (), 6.0)
    assert by_itself.scale_uv >= 200
    assert by_hand.scale_uv == chosen


# Sound and face


@pytest.mark.parametrize("rate", [16000.0, 44100.0])
def test_a_tone_is_brightest_at_its_frequency(rate: float) -> None:
    t = np.arange(round(rate)) / rate
    ring = SampleRing(rate, 1, 10)
    ring.extend(t, np.sin(2 * np.pi * 1000 * t)[:, None])
    spectrogram = Spectrogram()
    assert spectrogram.update(ring)
    column = spectrogram.image[-10]
    mel = 1127 * np.log1p(np.array([60, 1000, 8000]) / 700)
    row = (mel[1] - mel[0]) / (mel[2] - mel[0]) * (N_BANDS + 1) - 1
    assert abs(int(column.argmax()) - row) <= 1
    assert column.max() == pytest.approx(0, abs=4)  # dB: full scale


def test_a_spectrogram_does_not_depend_on_how_sound_arrives() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(16000) / 16000
    sound = rng.standard_normal((16000, 1)).astype(np.float32)
    rings = [SampleRing(16000, 1, 10) for _ in range(2)]
    pictures = [Spectrogram(), Spectrogram()]
    rings[0].extend(t, sound)
    pictures[0].update(rings[0])
    for part in np.split(np.arange(16000), 64):
        rings[1].extend(t[part], sound[part])
        pictures[1].update(rings[1])
    np.testing.assert_allclose(pictures[1].image, pictures[0].image, atol=1e-3)
    assert not pictures[0].update(rings[0])


def test_level_of_a_full_scale_tone_is_minus_three_decibels() -> None:
    tone = np.sin(2 * np.pi * np.arange(1600) / 16)
    assert level_db(tone) == pytest.approx(-3.01, abs=0.01)
    assert level_db(np.zeros(100)) < -100
    assert level_db(np.zeros(0)) == -60


def test_a_repeated_box_says_that_there_is_no_face(qtbot) -> None:
    picture = Picture()
    qtbot.addWidget(picture)
    picture.resize(320, 240)

    def white(found: bool) -> int:
        picture.show_frame(make_frame(1.0, found))
        return int(colored(picture.grab().toImage(), theme.TEXT).sum())

    assert white(True) > 300
    assert picture.caption == ""
    assert white(False) == 0  # gray and dashed
    assert picture.caption == "no face"


def test_a_picture_keeps_its_shape(qtbot) -> None:
    picture = Picture()
    qtbot.addWidget(picture)
    picture.resize(200, 300)
    picture.show_frame(make_frame(1.0))
    assert colored(picture.grab().toImage(), "#5a5a5a").any(axis=0).sum() == 200
    assert colored(picture.grab().toImage(), "#5a5a5a").any(axis=1).sum() == 150


# Threads, the end, the whole


def test_a_prediction_from_another_thread_arrives_in_qts(
    window: Dashboard, session: FakeSession, qtbot
) -> None:
    sender = threading.Thread(
        target=lambda: [callback(predict()) for callback in session.callbacks]
    )
    sender.start()
    sender.join()
    assert window.emotion.panel.decision == ""  # queued, not shown by the sender
    qtbot.waitUntil(
        lambda: window.emotion.panel.decision == "Happiness", timeout=10_000
    )
    assert len(window.timeline.plot.history.points) == 1


def test_closing_stops_the_timer_and_the_session_once(
    window: Dashboard, session: FakeSession
) -> None:
    assert window._timer.isActive()
    window.close()
    window.close()
    assert not window._timer.isActive()
    assert session.stops == 1


def test_a_prediction_after_closing_is_dropped(
    window: Dashboard, session: FakeSession, qtbot
) -> None:
    window.close()
    with qtbot.assertNotEmitted(window._bridge.predicted, wait=20):
        session.callbacks[0](predict())


def test_the_status_line_tells_hop_age_and_inference_time(
    window: Dashboard, session: FakeSession
) -> None:
    assert window.status.text() == "hop 0.50 s"
    window.show_prediction(predict(t=session.now - 0.4))
    window._texts_at = -1.0
    window.refresh()
    for part in ("hop 0.50 s", "age of the estimate 0.4 s", "inference 74 ms"):
        assert part in window.status.text()


def test_streams_that_are_not_there_leave_their_panels_empty(qtbot) -> None:
    session = FakeSession()
    session.sources = {"eeg": FakeSource(None)}
    session.states = dict.fromkeys(MODALITIES, StreamHealth(StreamState.OFF))
    session.states["eeg"] = StreamHealth(StreamState.CONNECTING, "BrainAmp")
    window = Dashboard(session)
    qtbot.addWidget(window)
    assert not window.failed
    assert window.traces.message == "Looking for BrainAmp …"
    assert window.face.message == "Face: not in use\nno stream was asked for"


def test_a_panel_says_that_the_model_has_no_use_for_its_stream(qtbot) -> None:
    session = FakeSession(demo=False)  # its card says that it reads faces
    session.states = dict.fromkeys(MODALITIES, StreamHealth(StreamState.OFF))
    window = Dashboard(session)
    qtbot.addWidget(window)
    assert window.traces.message == "EEG: not in use\nthis model does not read it"
    assert window.face.message == "Face: not in use\nno stream was asked for"


def test_a_broken_panel_is_reported_once_and_the_others_go_on(
    qtbot, caplog: pytest.LogCaptureFixture
) -> None:
    session = FakeSession()
    session.sources["audio"].ring = object()
    window = Dashboard(session)
    qtbot.addWidget(window)
    session.fill()
    window.refresh()
    assert window.failed
    assert caplog.text.count("The voice panel stopped") == 1
    assert window.face.picture.frame is not None


def test_run_writes_a_screenshot_of_the_size_asked_for(
    qapp, session: FakeSession, tmp_path
) -> None:
    session.fill()
    path = tmp_path / "new" / "window.png"
    QTimer.singleShot(150, lambda: setattr(session, "now", session.now + 3))
    status = run_dashboard(session, seconds=2.5, screenshot=path, size=(1000, 640))
    assert status == 0
    assert session.stops == 1
    image = QImage(str(path))
    assert (image.width(), image.height()) == (1000, 640)
    assert colored(image, theme.AMBER).sum() > 1000  # the banner


def test_a_closed_window_ends_no_later_event_loop(qapp, session: FakeSession) -> None:
    assert run_dashboard(session, seconds=0) == 0
    qapp.processEvents()
    loop = QEventLoop()
    QTimer.singleShot(20, lambda: loop.exit(7))
    assert loop.exec() == 7


def test_ctrl_c_closes_with_status_130(qapp, session: FakeSession) -> None:
    before = signal.getsignal(signal.SIGINT)
    QTimer.singleShot(50, lambda: os.kill(os.getpid(), signal.SIGINT))
    assert run_dashboard(session, seconds=10) == 130
    assert session.stops == 1
    assert signal.getsignal(signal.SIGINT) is before


def test_time_counts_from_the_first_live_stream(qapp, session: FakeSession) -> None:
    session.first_live = None
    closed_at: list[float] = []

    def go_live() -> None:
        session.now, session.first_live = 500.0, 500.0
        QTimer.singleShot(100, lambda: setattr(session, "now", 505.0))

    QTimer.singleShot(150, go_live)
    session.stop = lambda: closed_at.append(session.now)  # type: ignore[method-assign]
    session.now = 400.0
    assert run_dashboard(session, seconds=5) == 0
    assert closed_at == [505.0]


def test_a_screenshot_that_cannot_be_written_is_a_failure(
    qapp, session: FakeSession, tmp_path
) -> None:
    status = run_dashboard(session, seconds=0, screenshot=tmp_path)
    assert status == 1
    assert session.stops == 1


def test_no_display_is_said_before_qt_aborts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(display.sys, "platform", "linux")
    with pytest.raises(NoDisplay, match="--headless"):
        require_display()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    require_display()


def test_only_opencvs_plugin_paths_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM_PLUGIN_PATH", "/lib/cv2/qt/plugins")
    monkeypatch.setenv("QT_QPA_FONTDIR", "/usr/share/fonts")
    forget_opencv_plugins()
    assert "QT_QPA_PLATFORM_PLUGIN_PATH" not in os.environ
    assert os.environ["QT_QPA_FONTDIR"] == "/usr/share/fonts"
