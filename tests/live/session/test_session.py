"""The session on a fake clock: what is recognized, left out, reported, survived."""

from collections.abc import Iterator
from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from eav_live.options.config import QualitySettings
from eav_live.recognition.predictions import (
    Prediction,
    Reading,
    StreamHealth,
    StreamState,
)
from eav_live.recognition.recognizer import Recognition
from eav_live.session.inference import Session
from eav_live.streams import judge
from eav_live.streams.markers import ReplayTruth
from eav_live.windows.cut import LiveWindow
from eav_live.windows.quality import QualityWatch
from eav_live.windows.rings import FrameRing, SampleRing
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.sureness import Decider, Sureness, Thresholds
from eav_offline.core.window import FaceFrame, RawWindow


class Clock:
    """Seconds that pass only when told."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class HandSource:
    """A source whose ring the test fills by hand."""

    def __init__(self, ring: SampleRing | FrameRing) -> None:
        self.ring = ring
        self.interpolated = ("Oz",)
        self.started = self.stopped = 0

    def start(self) -> None:
        self.started += 1

    def stop(self) -> None:
        self.stopped += 1

    def health(self, now: float) -> StreamHealth:
        newest = self.ring.newest
        return StreamHealth(judge(newest, newest, now, True))


class LoudestModality:
    """A model of a few lines: sure of anger for EEG, of calmness for sound."""

    name, backend_name, fusion, demo = "fake", "", "", True
    knows, card = EMOTIONS, None

    def __init__(self) -> None:
        self.windows: list[RawWindow] = []
        self.fail = False

    def recognize(self, raw: RawWindow) -> Recognition:
        self.windows.append(raw)
        if self.fail:
            raise RuntimeError("planted")
        alone: dict[str, np.ndarray | None] = dict.fromkeys(("eeg", "audio", "video"))
        if raw.eeg_uv is not None:
            alone["eeg"] = np.eye(5)[2]
        if raw.audio is not None:
            alone["audio"] = np.eye(5)[4]
        there = [p for p in alone.values() if p is not None]
        present = tuple(m for m, p in alone.items() if p is not None)
        return Recognition(np.mean(there, axis=0) if there else None, alone, present)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fill(ring: SampleRing, start: float, stop: float) -> None:
    n = round((stop - start) * ring.rate)
    ring.extend(start + np.arange(n) / ring.rate, np.zeros((n, ring.width), "f4"))


@pytest.fixture
def session(clock: Clock) -> Iterator[Session]:
    sources = {
        "eeg": HandSource(SampleRing(100, 30, 60)),
        "audio": HandSource(SampleRing(1000, 1, 60)),
    }
    made = Session(sources, LoudestModality(), clock, hop=0.5, decider=Decider(0))  # type: ignore[arg-type]
    yield made
    made.stop()


class Dimensions:
    """A model beside the other: slow until `go` is set, or broken at a window."""

    modality = "audio"

    def __init__(self, broken_at: int | None = None) -> None:
        self.go, self.begun, self.read_ends = Event(), Event(), list[float]()
        self.broken_at = broken_at

    def read(self, raw: RawWindow) -> dict[str, float] | None:
        self.read_ends.append(round(raw.t_end, 1))
        self.begun.set()
        assert self.go.wait(10)
        if len(self.read_ends) == self.broken_at:
            raise RuntimeError("planted")
        return {"arousal": 0.5}


def said_beside(session: Session, clock: Clock, now: float) -> Reading | None:
    """Dimensions of the voice in the window that ends `now`."""
    clock.now = now
    for source in session.sources.values():
        ring = source.ring
        assert isinstance(ring, SampleRing)
        fill(ring, now - 8 if ring.newest is None else ring.newest + 1 / ring.rate, now)
    prediction = session.step()
    assert prediction is not None
    assert prediction.fused is not None
    read = prediction.dimensions["audio"]
    return read and replace(read, t=round(read.t, 1))


def beside(session: Session, clock: Clock, reader: Dimensions) -> Session:
    recognizer = session.recognizer
    return Session(session.sources, recognizer, clock, dimensions=[reader])


def test_dimensions_that_break_down_do_not_take_the_classes_with_them(
    session: Session, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    reader = Dimensions(broken_at=2)
    reader.go.set()
    session = beside(session, clock, reader)
    said = []
    for now in (100.0, 100.5, 101.0, 101.5):
        said.append(said_beside(session, clock, now))
        session.dimensions["audio"].step()
    assert said == [None, Reading(100.0, {"arousal": 0.5}), None, None]
    assert "No more dimensions of the voice" in caplog.text
    assert reader.read_ends == [100.0, 100.5]


def test_slow_dimensions_delay_no_window_and_read_the_newest(
    session: Session, clock: Clock
) -> None:
    reader = Dimensions()
    session = beside(session, clock, reader)
    thread = session.dimensions["audio"].thread
    thread.start()
    assert said_beside(session, clock, 100.0) is None
    assert reader.begun.wait(10)  # and is not ready with it before `go`
    for now in (100.5, 101.0, 101.5):
        assert said_beside(session, clock, now) is None
    reader.begun.clear()
    reader.go.set()
    assert reader.begun.wait(10)  # the next
    assert reader.read_ends == [100.0, 101.5]
    session.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_dimensions_are_told_with_their_time_and_not_for_long(
    session: Session, clock: Clock
) -> None:
    reader = Dimensions()
    reader.go.set()
    session = beside(session, clock, reader)
    said_beside(session, clock, 100.0)
    session.dimensions["audio"].step()
    for now in (104.0, 108.0, 109.9):
        assert said_beside(session, clock, now) == Reading(100.0, {"arousal": 0.5})
    assert said_beside(session, clock, 110.5) is None


def test_nothing_is_said_before_anything_arrived(session: Session) -> None:
    assert session.step() is None


def test_a_window_of_nothing_says_why(session: Session, clock: Clock) -> None:
    fill(session.sources["eeg"].ring, 90, 100)  # type: ignore[attr-defined]
    assert session.step() is not None
    clock.now = 104.0
    assert session.step() is None
    prediction = session.step(anyway=True)
    assert prediction is not None
    assert prediction.t == 104.0
    assert prediction.fused is None
    assert prediction.present == ()
    assert prediction.states["eeg"] is StreamState.LOST
    assert prediction.reasons["eeg"] == "newest data 4.0 s old"
    assert prediction.reasons["audio"] == "no data"
    fill(session.sources["eeg"].ring, 104, 104.5)  # type: ignore[attr-defined]
    clock.now = 104.6
    assert session.step(anyway=True).t == pytest.approx(104.49)  # type: ignore[union-attr]


def test_both_streams_make_one_window(session: Session, clock: Clock) -> None:
    fill(session.sources["eeg"].ring, 90, 100)  # type: ignore[attr-defined]
    fill(session.sources["audio"].ring, 90, 99.8)  # type: ignore[attr-defined]
    prediction = session.step()
    assert prediction is not None
    assert prediction.present == ("eeg", "audio")
    assert prediction.t == pytest.approx(99.79)  # on the grid of 10 ms
    assert prediction.age_s == pytest.approx(0.21, abs=1e-6)
    assert prediction.reasons["video"] == "off"
    assert prediction.states["video"] is StreamState.OFF
    assert prediction.interpolated == ("Oz",)
    assert prediction.demo


def test_the_same_moment_is_not_recognized_twice(
    session: Session, clock: Clock
) -> None:
    fill(session.sources["eeg"].ring, 90, 100)  # type: ignore[attr-defined]
    assert session.step() is not None
    assert session.step() is None


def test_predictions_go_on_from_what_is_left(session: Session, clock: Clock) -> None:
    eeg, audio = (session.sources[m].ring for m in ("eeg", "audio"))  # type: ignore[attr-defined]
    fill(eeg, 90, 100)
    fill(audio, 90, 100)
    assert session.step().label is not None  # type: ignore[union-attr]
    clock.now = 104.0
    fill(eeg, 100, 104)  # the microphone was pulled out
    prediction = session.step()
    assert prediction is not None
    assert prediction.present == ("eeg",)
    assert prediction.states["audio"] is StreamState.LOST
    assert "4.0 s old" in prediction.reasons["audio"]
    assert prediction.by_modality["audio"] is None
    clock.now = 112.0
    fill(eeg, 104, 112)
    fill(audio, 106, 112)  # back, and full again
    prediction = session.step()
    assert prediction is not None
    assert prediction.present == ("eeg", "audio")


def test_a_return_does_not_glue_sound_over_the_gap(
    session: Session, clock: Clock
) -> None:
    eeg, audio = (session.sources[m].ring for m in ("eeg", "audio"))  # type: ignore[attr-defined]
    fill(eeg, 90, 103)
    fill(audio, 90, 100)
    fill(audio, 101, 103)
    clock.now = 103.0
    prediction = session.step()
    assert prediction is not None
    assert prediction.present == ("eeg",)
    assert prediction.reasons["audio"] == "collecting 2.0 of 5 s"


def test_the_thread_skips_to_the_newest_window(session: Session, clock: Clock) -> None:
    """A subscriber gets windows of the present, however late the thread comes."""
    import threading

    fill(session.sources["eeg"].ring, 80, 100)  # type: ignore[attr-defined]
    seen: list[Prediction] = []
    first, second = threading.Event(), threading.Event()

    def note(prediction: Prediction) -> None:
        seen.append(prediction)
        (second if len(seen) == 2 else first).set()

    session.subscribe(note)
    session.start()
    assert first.wait(5)
    fill(session.sources["eeg"].ring, 100, 105)  # type: ignore[attr-defined]
    clock.now = 105.0  # ten hops later: one window, not ten
    assert second.wait(5)
    session.stop()
    assert seen[1].t == pytest.approx(104.99)
    assert seen[1].hop_s == pytest.approx(5.0)
    assert len(seen) == 2


def test_a_failing_window_does_not_end_the_session(
    session: Session, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    import threading

    arrived = threading.Event()
    session.subscribe(lambda prediction: arrived.set())
    model = session.recognizer
    model.fail = True  # type: ignore[attr-defined]
    fill(session.sources["eeg"].ring, 90, 100)  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError, match="planted"):
        session.step()
    model.fail = False  # type: ignore[attr-defined]
    session._last_end = None
    session.start()
    assert arrived.wait(5)
    assert session.error is None


def test_stop_may_be_called_twice_and_stops_the_sources(session: Session) -> None:
    session.start()
    session.stop()
    session.stop()
    assert session.sources["eeg"].stopped == 2  # type: ignore[attr-defined]


def test_first_live_is_noted_once(session: Session, clock: Clock) -> None:
    session.health()
    assert session.first_live is None
    fill(session.sources["eeg"].ring, 99, 100)  # type: ignore[attr-defined]
    session.health()
    clock.now = 100.5
    session.health()
    assert session.first_live == 100.0


@pytest.mark.parametrize(
    ("newest", "heard", "connected", "state"),
    [
        (None, None, False, StreamState.CONNECTING),
        (99.5, 99.6, True, StreamState.LIVE),
        (98.5, 98.6, True, StreamState.LATE),
        (92.0, 99.9, True, StreamState.LATE),  # old when it came, and it comes
        (96.0, 96.5, True, StreamState.LOST),
        (99.9, 99.9, False, StreamState.LOST),
    ],
)
def test_arrival_says_whether_a_stream_is_there_and_its_stamps_how_late(
    newest: float | None, heard: float | None, connected: bool, state: StreamState
) -> None:
    assert judge(newest, heard, 100.0, connected) is state


def test_truth_holds_for_windows_within_the_trial_only() -> None:
    truth = ReplayTruth(lambda: None)
    truth.take('{"trial": 2, "emotion": "anger", "seconds": 20.0}', 50.0)
    truth.take("something else", 60.0)
    truth.take('{"emotion": "boredom", "seconds": 1}', 61.0)
    assert truth.at(49.0) is None
    assert truth.at(55.0) == "anger"
    assert truth.at(70.0) == "anger"
    assert truth.at(70.5) is None


def reluctant(session: Session) -> None:
    """Let the smoother hold on to what it said, were it not to begin anew."""
    session._decider = Decider(time_constant=60.0)


def test_smoothing_begins_anew_with_each_replayed_trial(
    session: Session, clock: Clock
) -> None:
    reluctant(session)
    truth = ReplayTruth(lambda: None)
    session.markers = truth
    eeg, audio = (session.sources[m].ring for m in ("eeg", "audio"))  # type: ignore[attr-defined]
    # Two trials of one emotion, so that the truth alone does not tell them apart.
    truth.take('{"emotion": "anger", "seconds": 10.0}', 90.0)
    truth.take('{"emotion": "anger", "seconds": 10.0}', 100.0)
    fill(eeg, 90, 99.5)
    clock.now = 99.5
    assert session.step().label == "anger"  # type: ignore[union-attr]
    fill(eeg, 99.5, 100)
    fill(audio, 94, 100)  # from here half of what is said is calmness
    clock.now = 100.0
    within = session.step()
    assert within is not None
    assert within.smoothed is not None
    assert within.smoothed[2] > 0.9  # the trial goes on
    fill(eeg, 100, 100.5)
    fill(audio, 100, 100.5)
    clock.now = 100.5
    prediction = session.step()
    assert prediction is not None
    np.testing.assert_allclose(prediction.smoothed, prediction.fused)


def test_smoothing_begins_anew_when_streams_return(
    session: Session, clock: Clock
) -> None:
    reluctant(session)
    eeg, audio = (session.sources[m].ring for m in ("eeg", "audio"))  # type: ignore[attr-defined]
    fill(eeg, 90, 100)
    assert session.step().label == "anger"  # type: ignore[union-attr]
    fill(audio, 100.2, 105.5)  # everything was gone for a moment, then only sound
    clock.now = 105.5
    prediction = session.step()
    assert prediction is not None
    assert prediction.present == ("audio",)
    assert prediction.label == "calmness"
    np.testing.assert_allclose(prediction.smoothed, prediction.fused)


def test_what_is_left_open_has_no_label_and_says_so(
    session: Session, clock: Clock
) -> None:
    both = Thresholds(n=100, least={0.9: 0.0})  # nothing is ever ruled out
    sureness = Sureness(
        source="this person", people=1, by_modalities={"eeg+audio": both}
    )
    session._decider = Decider(0.0, sureness)
    eeg, audio = (session.sources[m].ring for m in ("eeg", "audio"))  # type: ignore[attr-defined]
    fill(eeg, 90, 100)
    alone = session.step()
    assert alone is not None
    assert alone.as_json()["state"] == "decided"  # the EEG alone has no thresholds
    assert alone.as_json()["set"] is None
    fill(eeg, 100, 101)
    fill(audio, 91, 101)
    clock.now = 101.0
    prediction = session.step()
    assert prediction is not None
    line = prediction.as_json()
    assert (line["label"], line["state"]) == (None, "undecided")
    assert line["set"] == list(EMOTIONS)
    assert line["coverage"] == 0.9


def test_sets_of_a_model_that_follows_a_person_are_those_of_one_that_does(
    session: Session, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = {"eeg": Thresholds(n=100, least={0.9: 0.0})}
    followed = {"eeg": Thresholds(n=100, least={0.9: 0.9})}
    sureness = Sureness(
        source="other people", people=8, by_modalities=plain, adapting=followed
    )
    session._decider = Decider(0.0, sureness)
    says = session.recognizer.recognize
    about = {"applies": True}
    monkeypatch.setattr(
        session.recognizer, "recognize", lambda raw: replace(says(raw), adapting=about)
    )
    fill(session.sources["eeg"].ring, 90, 100)  # type: ignore[attr-defined]
    adapted = session.step()
    assert adapted is not None
    assert adapted.as_json()["set"] == ["anger"]
    about["applies"] = False
    fill(session.sources["eeg"].ring, 100, 100.5)  # type: ignore[attr-defined]
    clock.now = 100.5
    before = session.step()
    assert before is not None
    assert before.as_json()["set"] == list(EMOTIONS)


def test_one_stream_that_returns_does_not_interrupt_the_others(
    session: Session, clock: Clock
) -> None:
    reluctant(session)
    eeg, audio = (session.sources[m].ring for m in ("eeg", "audio"))  # type: ignore[attr-defined]
    fill(eeg, 90, 100)
    assert session.step().label == "anger"  # type: ignore[union-attr]
    fill(eeg, 100, 104)
    fill(audio, 98, 104)
    clock.now = 104.0
    prediction = session.step()
    assert prediction is not None
    assert prediction.present == ("eeg", "audio")
    assert prediction.smoothed is not None
    assert prediction.smoothed[2] > 0.9


class PassingTime:
    """Stands for the stop event: waiting lets the fake clock go on."""

    def __init__(self, clock: Clock, until: float) -> None:
        self.clock, self.until = clock, until

    def is_set(self) -> bool:
        return self.clock.now >= self.until

    def wait(self, seconds: float) -> bool:
        self.clock.now += seconds
        return self.is_set()

    def set(self) -> None:
        self.until = self.clock.now


@pytest.mark.parametrize("infer", [0.05, 0.4, 0.8, 1.7])
def test_age_on_the_screen_is_at_most_one_inference_and_one_hop(
    session: Session, clock: Clock, infer: float
) -> None:
    """However slow the model, the window it works on is the newest there is."""
    eeg = session.sources["eeg"].ring  # type: ignore[attr-defined]
    fill(eeg, 80, 100)

    def arrive() -> None:
        newest = eeg.newest
        assert newest is not None
        fill(eeg, round(newest + 0.01, 2), clock.now)

    recognize = session.recognizer.recognize

    def slowly(raw: RawWindow) -> Recognition:
        clock.now += infer
        return recognize(raw)

    session.recognizer.recognize = slowly  # type: ignore[method-assign]
    session.health = lambda inner=session.health: (arrive(), inner())[1]  # type: ignore[method-assign]
    session._stop = PassingTime(clock, 130.0)  # type: ignore[assignment]
    shown: list[tuple[float, Prediction]] = []
    session.subscribe(lambda prediction: shown.append((clock.now, prediction)))
    session._run()
    hop = max(session.hop, infer)
    # The one before is on the screen until the next one is put out.
    ages = [now - last.t for (_, last), (now, _) in zip(shown, shown[1:], strict=False)]
    assert len(shown) >= 29 / (hop + 0.05)
    assert max(ages) <= infer + hop + 0.06  # samples of 10 ms, a look every 20 ms


def test_a_hop_that_is_not_kept_is_said(
    session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    pace = session.pace
    with caplog.at_level("INFO"):
        for busy in (0.3, 2.0, 0.3, 0.3, 0.3):  # one slow window
            assert not pace.note(busy)
        for _ in range(5):
            pace.note(0.8)
        assert pace.behind
        for _ in range(5):
            pace.note(0.2)
        assert not pace.behind
    warned = [r.getMessage() for r in caplog.records]
    assert len(warned) == 2
    assert "0.80 s" in warned[0]
    assert "--hop" in warned[0]


class Contradicted(LoudestModality):
    """A model to whom the face says another thing than the two others do."""

    temperatures = dict[str, float]()

    def recognize(self, raw: RawWindow, learn: bool = True) -> Recognition:
        self.windows.append(raw)
        parts = {"eeg": raw.eeg_uv, "audio": raw.audio, "video": raw.frames}
        alone = {
            m: None if part is None else 0.8 * np.eye(5)[int(m == "video")] + 0.04
            for m, part in parts.items()
        }
        present = tuple(m for m, p in alone.items() if p is not None)
        if not learn:
            assert present == ("video",)
        return Recognition(alone[present[0]], alone, present)


@pytest.mark.parametrize("outvoted", [True, False])
def test_what_contradicts_the_two_others_is_left_out(
    session: Session, clock: Clock, outvoted: bool
) -> None:
    watch = QualityWatch(QualitySettings(outvoted=outvoted))
    session = Session(session.sources, Contradicted(), clock, watch=watch)  # type: ignore[arg-type]
    frame = FaceFrame(0.0, np.zeros((4, 4, 3), np.uint8), np.zeros(4, np.float32), True)
    told, eeg = [], np.zeros((30, 500), np.float32)
    for t in range(5, 200, 5):
        raw = RawWindow(t, eeg, 100.0, eeg[0], 100.0, (frame,) * 25)
        window, said = session._recognized(LiveWindow(raw, {}))
        told.append((said.present, window.reasons))
    assert told[0] == (("eeg", "audio", "video"), {})
    left_out = ("eeg", "audio"), {"video": "contradicts the two others"}
    assert told[12:] == [left_out if outvoted else told[0]] * len(told[12:])
