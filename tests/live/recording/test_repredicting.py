"""Predictions made again from a recording of LSL streams equal the recorded ones."""

import hashlib
import json
import os
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pylsl
import pytest
import torch
from planted import tiny_config
from recorded import CONSENT, T0, FakeSession, eeg_arrival, frame_arrival, recorder
from source_helpers import wait_for

from eav_live import cli
from eav_live.recognition.assets import DEMO_MODEL, PEOPLE_MODEL, asset
from eav_live.recognition.predictions import Prediction, StreamState
from eav_live.recognition.recognizer import Recognition, Recognizer
from eav_live.recording.recorder import Recorder
from eav_live.recording.repredicting import (
    decide_again,
    embedded_model,
    recorded_decider,
    repredict,
)
from eav_live.replay.replay import replay_subject
from eav_live.replay.session import SessionReplay
from eav_live.session.inference import Session
from eav_live.streams.audio import LslAudio
from eav_live.streams.eeg import LslEeg
from eav_live.streams.markers import ReplayTruth
from eav_live.streams.video import LslVideo
from eav_offline.backends import EagerBackend
from eav_offline.checkpoint.file import Checkpoint, save_checkpoint
from eav_offline.checkpoint.file import load as load_checkpoint
from eav_offline.core.sureness import Decider, State, Sureness, Thresholds
from eav_offline.core.window import FaceFrame, RawWindow
from eav_offline.data.sessions.session import SessionFile, read_session
from eav_offline.data.sessions.xdf import XdfError
from eav_offline.models import EmotionModel
from eav_offline.preprocess import PreprocessSettings
from eav_offline.preprocess.face import FaceTracker, center_box

SECONDS = 9.0


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load(asset("demo.safetensors"))


@pytest.fixture(scope="module")
def path(
    synthetic_subject: Path,
    recognizer: Recognizer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Nine seconds of a replayed person, recorded from LSL with what was predicted."""
    name = "Repredict"
    stop = threading.Event()
    replay = threading.Thread(
        target=replay_subject,
        args=(synthetic_subject, name),
        kwargs={"stop": stop, "wait_for_consumers_s": 60.0},
    )
    eeg = LslEeg(name)
    sources = {
        "eeg": eeg,
        "audio": LslAudio(f"{name}-Audio"),
        "video": LslVideo(f"{name}-Video"),
    }
    truth = ReplayTruth(lambda: eeg.stream_name)
    session = Session(sources, recognizer, pylsl.local_clock, hop=0.5, markers=truth)
    file = tmp_path_factory.mktemp("session") / "s.xdf"
    made = Recorder(file, CONSENT, session, {"max_missing": None})
    session.subscribe(made.take_prediction)
    replay.start()
    try:
        with made:
            session.start()
            wait_for(lambda: made.status.written.get("audio", 0) > SECONDS * 44_100, 90)
            session.stop()
    finally:
        stop.set()
        session.stop()
        replay.join(20)
    return file


@pytest.fixture(scope="module")
def session(path: Path) -> SessionFile:
    return read_session(path)


@pytest.mark.lsl
@pytest.mark.timeout(300)
@pytest.mark.parametrize("faces", ["again", "recorded"])
def test_predictions_made_again_equal_the_recorded_ones(
    session: SessionFile, recognizer: Recognizer, faces: str
) -> None:
    tracker = FaceTracker() if faces == "again" else None
    results = list(repredict(session, recognizer, tracker))
    everything = ("eeg", "audio", "video")
    assert sum(one.recorded.present == everything for one in results) >= 3
    assert sum(one.answered for one in results) >= 3
    assert max(one.difference for one in results) <= 1e-4


@pytest.mark.lsl
@pytest.mark.timeout(300)
def test_what_the_model_does_not_read_costs_nothing(session: SessionFile) -> None:
    config = tiny_config()
    model = EmotionModel(config.model, ("eeg",), False).eval()
    reads_eeg = Recognizer(Checkpoint(model, config, PreprocessSettings(), True), "eeg")
    tracker = CountingTracker()
    results = list(repredict(session, reads_eeg, tracker))
    assert sum(one.now["eeg"] is not None for one in results) >= 3
    assert tracker.searched == 0
    list(repredict(session, Recognizer.load(asset(PEOPLE_MODEL)), tracker))
    assert tracker.searched > 0


class CountingTracker(FaceTracker):
    """Counts the pictures that it is to search."""

    searched = 0

    def update(self, image: np.ndarray, time: float) -> FaceFrame:
        self.searched += 1
        return FaceFrame(time, image, center_box(image), False, 0.0)


@pytest.mark.lsl
@pytest.mark.timeout(300)
def test_predictions_are_made_again_by_what_made_them(
    session: SessionFile, recognizer: Recognizer
) -> None:
    """Backends differ by more than the tolerance, and a session may change over."""
    assert {one.backend for one in session.predictions} == {"eager"}
    asked: list[str] = []

    def make(name: str) -> EagerBackend:
        asked.append(name)
        return EagerBackend(recognizer.checkpoint.model, name)

    half = len(session.predictions) // 2
    said = [
        replace(one, backend="eager" if i < half else "bf16")
        for i, one in enumerate(session.predictions)
    ]
    again = repredict(replace(session, predictions=said), recognizer, None, make)
    assert max(one.difference for one in again) <= 1e-4
    assert asked == ["eager", "bf16"]
    assert recognizer.backend.name == "bf16"


@pytest.mark.lsl
@pytest.mark.timeout(300)
def test_a_recorded_session_is_replayed_as_it_was_sent(
    session: SessionFile, stream_name: str
) -> None:
    stop = threading.Event()
    replay = SessionReplay(session, stream_name)
    source = LslEeg(stream_name)
    heard: list[np.ndarray] = []
    source.listen(lambda arrival: heard.append(arrival.values))
    thread = threading.Thread(target=replay.run, args=(stop,))
    source.start()
    try:
        wait_for(lambda: replay.outlets[0].have_consumers(), 30)
        thread.start()
        wait_for(lambda: sum(map(len, heard)) > 500, 30)
    finally:
        stop.set()
        source.stop()
        thread.join(10)
    found = np.concatenate(heard)
    np.testing.assert_array_equal(
        found, session.openings["eeg"][0].values[: len(found)]
    )
    assert source.ring is not None
    assert source.ring.rate == 500


@pytest.mark.lsl
def test_the_headers_of_a_replayed_session_are_those_of_the_amplifier(
    tmp_path: Path, stream_name: str
) -> None:
    fake = FakeSession()
    with recorder(tmp_path / "s.xdf", fake):
        fake.sources["eeg"].offer(eeg_arrival(np.ones((30, 100), "f4"), T0))
        image = np.zeros((48, 64, 3), np.uint8)
        fake.sources["video"].offer(frame_arrival(image, T0))
    replay = SessionReplay(read_session(tmp_path / "s.xdf"), stream_name)
    (found,) = pylsl.resolve_bypred(f"name='{stream_name}'", minimum=1, timeout=5)
    header = pylsl.StreamInlet(found, recover=False).info(5)
    assert header.get_channel_labels()[0] == "PO10"
    assert header.get_channel_labels()[-1] == "triggerStream"
    assert header.get_channel_units()[:1] == ["volts"]
    assert header.nominal_srate() == 500
    assert header.channel_format() == pylsl.cf_double64
    (video,) = pylsl.resolve_bypred(f"name='{stream_name}-Video'", minimum=1, timeout=5)
    assert video.channel_count() == 64 * 48 * 3
    assert len(replay.outlets) == 3


class ReadsEeg:
    checkpoint = SimpleNamespace(modalities=("eeg",))


class MeanUv(ReadsEeg):
    """A model of a line: how high the EEG lies."""

    def recognize(self, raw: RawWindow) -> Recognition:
        assert raw.eeg_uv is not None
        level = np.full(5, raw.eeg_uv[:, -2500:].mean())
        return Recognition(level, {"eeg": level}, ("eeg",))


def said(t: float, level: float) -> Prediction:
    p = np.full(5, level)
    states = dict.fromkeys(("eeg", "audio", "video"), StreamState.LIVE)
    return Prediction(
        t, p, p, {"eeg": p}, ("eeg",), states, "anger", None, 0.1, 0.1, 0.5
    )


def test_what_came_after_a_clock_jumped_back_does_not_change_what_was_said_before(
    tmp_path: Path,
) -> None:
    fake = FakeSession()
    with recorder(tmp_path / "s.xdf", fake):
        offer = fake.sources["eeg"].offer
        offer(eeg_arrival(np.full((30, 4000), 1, "f4"), T0))
        fake.say(said(T0 + 7.998, 1))
        offer(eeg_arrival(np.full((30, 4000), 3, "f4"), T0 - 3600))
        fake.say(said(T0 - 3600 + 7.998, 3))
        offer(eeg_arrival(np.full((30, 4000), 5, "f4"), T0 + 20, opening=2))
        fake.say(said(T0 + 27.998, 5))
    results = list(repredict(read_session(tmp_path / "s.xdf"), MeanUv()))  # type: ignore[arg-type]
    assert len(results) == 3
    assert max(one.difference for one in results) < 1e-4


class FourShares(ReadsEeg):
    """A model that does not know calmness."""

    def __init__(self, first: float) -> None:
        rest = (1 - first) / 3
        self.chances = np.array([first, rest, rest, rest, np.nan])

    def recognize(self, raw: RawWindow) -> Recognition:
        return Recognition(self.chances, {"eeg": self.chances}, ("eeg",))


def test_what_was_not_known_and_is_not_is_equal(tmp_path: Path) -> None:
    fake, t = FakeSession(), T0 + 7.998
    four, even = FourShares(0.4), np.full(5, 0.2)
    with recorder(tmp_path / "s.xdf", fake):
        fake.sources["eeg"].offer(eeg_arrival(np.ones((30, 4000), "f4"), T0))
        fake.say(
            replace(said(t, 0.2), fused=four.chances, by_modality={"eeg": four.chances})
        )
    session = read_session(tmp_path / "s.xdf")
    np.testing.assert_array_equal(
        session.predictions[0].probabilities["fused"], four.chances
    )
    for model, difference in ((four, 0.0), (FourShares(0.7), 0.3)):
        (one,) = repredict(session, model)  # type: ignore[arg-type]
        assert one.difference == pytest.approx(difference)
        assert one.decides_alike
    four.chances = even  # a model that knows all five
    (one,) = repredict(session, four)  # type: ignore[arg-type]
    assert one.difference == np.inf


class Changing(ReadsEeg):
    """A model that says one thing after another, and what lets it be sure."""

    sureness = Sureness(
        source="this person",
        people=1,
        by_modalities={"eeg": Thresholds(n=100, least={0.8: 0.2})},
    )

    def __init__(self) -> None:
        self._coming = iter(np.random.default_rng(5).dirichlet(np.full(5, 0.6), 40))

    def recognize(self, raw: RawWindow) -> Recognition:
        chances = next(self._coming)
        return Recognition(chances, {"eeg": chances}, ("eeg",))


def test_decisions_are_made_again_as_they_were_recorded(tmp_path: Path) -> None:
    """Also where a trial began, which the recording does not hold otherwise."""
    fake, model = FakeSession(), Changing()
    settings = {"smoothing_s": 0.4, "coverage": 0.8}
    decider = Decider(0.4, model.sureness, 0.8)
    with recorder(tmp_path / "s.xdf", fake, settings):
        fake.sources["eeg"].offer(eeg_arrival(np.ones((30, 15_000), "f4"), T0))
        for i in range(40):
            t = T0 + 6 + i / 2
            if i == 25:
                decider.reset()
            p = model.recognize(None).fused  # type: ignore[arg-type]
            one = decider.update(p, t, ("eeg",))
            more = {n: getattr(one, n) for n in ("label", "state", "label_set", "anew")}
            now = replace(said(t, 0.2), fused=p, smoothed=one.smoothed, **more)
            fake.say(replace(now, by_modality={"eeg": p}, coverage=one.coverage))
    session = read_session(tmp_path / "s.xdf")
    again = recorded_decider(session.settings, Changing())  # type: ignore[arg-type]
    states = set()
    for one in repredict(session, Changing()):  # type: ignore[arg-type]
        past, now = one.recorded, decide_again(again, one)
        assert now is not None
        assert (now.label, str(now.state)) == (past.label, past.state)
        assert now.label_set == past.label_set
        np.testing.assert_allclose(now.smoothed, past.probabilities["smoothed"])
        states.add(now.state)
    assert states == set(State)


@pytest.fixture(scope="module")
def untrue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of the demo model that says what this model would not say."""
    file = tmp_path_factory.mktemp("untrue") / "s.xdf"
    demo = asset("demo.safetensors")
    digest = hashlib.sha256(demo.read_bytes()).hexdigest()
    fake = FakeSession()
    settings = {"model": {"name": "demo", "sha256": digest}, "smoothing_s": 0.0}
    with recorder(file, fake, settings):
        noise = 20 * np.random.default_rng(1).standard_normal((30, 4000))
        fake.sources["eeg"].offer(eeg_arrival(noise.astype("f4"), T0))
        for t in (6.0, 7.0):
            fake.say(said(T0 + t, 0.2))
    return file


def test_windows_that_differ_are_named(
    untrue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "again.jsonl"
    torch.set_num_threads(os.cpu_count() or 1)
    assert cli.main(["repredict", str(untrue), "--json", str(path)]) == 1
    out, err = capsys.readouterr()
    assert "Predicting again, windows: 2 of 2" in err
    assert "0 of 2 windows equal" in out
    assert "window 5006.00" in out
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["t"] for line in lines] == [5006.0, 5007.0]
    assert all(0 < line["difference"] <= 1 for line in lines)
    assert all(line["person"] == "P01" for line in lines)
    # As in a session: small networks on all cores take several times as long.
    assert torch.get_num_threads() == max(1, (os.cpu_count() or 1) // 2)
    torch.set_num_threads(1)


def test_a_recording_is_predicted_again_by_the_embedded_model_that_made_it() -> None:
    digests = {
        name: hashlib.sha256(asset(name).read_bytes()).hexdigest()
        for name in (DEMO_MODEL, PEOPLE_MODEL)
    }
    for name, digest in digests.items():
        assert embedded_model({"model": {"sha256": digest}}) == asset(name)
    assert embedded_model({}) == asset(PEOPLE_MODEL)


def test_any_model_can_be_run_over_a_recording(
    untrue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = load_checkpoint(asset("demo.safetensors"))
    other = tmp_path / "other.safetensors"
    meta = {**demo.meta, "note": "another"}
    save_checkpoint(other, replace(demo, meta=meta, sureness=None))
    arguments = ["repredict", str(untrue), "--model", str(other), "--json", "-"]
    assert cli.main(arguments) == 0
    told = capsys.readouterr()
    lines = [json.loads(line) for line in told.out.splitlines()]
    assert len(lines) == 2
    for line in lines:
        assert sum(line["fused"].values()) == pytest.approx(1, abs=1e-4)  # rounded
        assert line["fused"] == line["smoothed"]
        assert line["label"] == max(line["fused"], key=line["fused"].get)
        assert line["audio"] is None
        assert (line["model"], line["difference"]) == ("other", None)
    assert "2 windows predicted by other, not the recording's model" in told.err


def test_a_recording_of_another_program_cannot_be_predicted_again(
    tmp_path: Path,
) -> None:
    fake = FakeSession()
    with recorder(tmp_path / "s.xdf", fake):
        arrival = eeg_arrival(np.ones((30, 4000), "f4"), T0)
        unmapped = replace(arrival, origin=replace(arrival.origin, montage=None))
        fake.sources["eeg"].offer(unmapped)
        fake.say(said(T0 + 7.998, 1))
    with pytest.raises(XdfError, match="which channel is which"):
        list(repredict(read_session(tmp_path / "s.xdf"), MeanUv()))  # type: ignore[arg-type]
