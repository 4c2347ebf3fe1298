"""What a session must have: refused by name without it, loud when it goes."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from recorded import CONSENT, T0, FakeSession, eeg_arrival
from test_verifying import estimate, record

from eav_live.commands import live
from eav_live.options.config import LiveConfig, LiveConfigError, Must, read_live_config
from eav_live.recognition.predictions import Quality, StreamHealth, StreamState
from eav_live.recording import guard as guarding
from eav_live.recording.guard import Guard, MustRefused
from eav_live.recording.recorder import Recorder
from eav_live.recording.verifying import verify
from eav_live.windows.quality import ANOTHER_FACE, MIXED_UP
from eav_offline.core.labels import MODALITIES
from eav_offline.core.window import EEG_CHANNELS
from eav_offline.data.sessions.session import read_session

LIVE = StreamHealth(StreamState.LIVE, quality=Quality())
ALL = Must(
    streams=MODALITIES,
    electrodes=("Fp1", "Cz"),
    bad_electrodes=2,
    face=True,
    markers="Cues",
    free_gb=5,
)


class Watched(FakeSession):
    """A session whose streams do as a test says."""

    interpolated: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.streams = dict.fromkeys(MODALITIES, LIVE)
        self.markers = SimpleNamespace(connected=True, listen=lambda listener: None)
        self.room = 100.0

    def health(self) -> dict[str, StreamHealth]:
        return self.streams

    def change(self, modality: str, **how: object) -> None:
        self.streams[modality] = replace(self.streams[modality], **how)  # type: ignore[arg-type]


@pytest.fixture
def session() -> Watched:
    return Watched()


def guard(session: Watched, must: Must = ALL) -> Guard:
    return Guard(must, session, Path("."), room=lambda folder: session.room)  # type: ignore[arg-type]


def everything_gone(session: Watched) -> None:
    bad = dict.fromkeys(EEG_CHANNELS[:2], "flat") | {"Cz": "50 Hz hum"}
    session.change("eeg", quality=Quality(electrodes=bad))
    session.change("audio", state=StreamState.LOST, detail="the sender is gone")
    session.change("video", quality=Quality(False, "no face"))
    session.markers.connected = False
    session.room = 1.0


def test_each_thing_that_is_missing_is_named_with_what_to_do(
    session: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarding, "STEADY_SECONDS", 0.0)
    guard(session).require(0)
    everything_gone(session)
    with pytest.raises(MustRefused) as refused:
        guard(session).require(0)
    said = str(refused.value)
    for part in (
        "nothing is recorded",
        "Voice is lost: the sender is gone.",
        "Electrode Fp1 is flat",
        "Electrode Cz is 50 Hz hum",
        "3 electrodes are bad or missing, 2 may be: see to Fp1, Fp2, Cz.",
        "No face (no face): turn the camera",
        "no stream of markers 'Cues': start the program",
        "The disk has 1.0 GB left of the 5 it must have: make room",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("health", "said"),
    [
        (StreamHealth(StreamState.OFF), "EEG is off: give --eeg-stream."),
        (StreamHealth(StreamState.CONNECTING), "EEG is connecting: see that its"),
        (replace(LIVE, state=StreamState.LATE), "EEG is late"),
        (replace(LIVE, fault="rate 5 % off"), "EEG is left out: rate 5 % off."),
        (replace(LIVE, quality=None), "not judged yet"),
        (replace(LIVE, quality=Quality(False, MIXED_UP)), f"left out: {MIXED_UP}."),
    ],
)
def test_eeg_that_is_not_fit_is_refused(
    health: StreamHealth, said: str, session: Watched
) -> None:
    session.streams["eeg"] = health
    with pytest.raises(MustRefused, match=said):
        guard(session, Must(bad_electrodes=3)).require(0)


def test_the_face_that_must_be_there_is_the_persons(session: Watched) -> None:
    session.change("video", quality=Quality(False, ANOTHER_FACE))
    with pytest.raises(MustRefused, match=f"Face is left out: {ANOTHER_FACE}."):
        guard(session, Must(face=True)).require(0)


def test_electrodes_must_be_good_for_a_while(
    session: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarding, "STEADY_SECONDS", 60.0)
    with pytest.raises(MustRefused, match="not steady"):
        guard(session, Must(electrodes=("Cz",))).require(0)
    guard(session, Must(streams=("eeg",))).require(0)


def test_nothing_is_asked_by_default(session: Watched) -> None:
    assert not Must().anything
    assert not Must(marks=("baseline",), sound=True).anything
    everything_gone(session)
    guard(session, Must()).require(0)


def test_a_loss_is_said_again_and_again_until_it_is_acknowledged(
    session: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    watch = guard(session, Must(streams=("audio",)))

    def after(seconds: float) -> str:
        caplog.clear()
        session.now += seconds
        watch.look()
        return caplog.text

    session.change("audio", state=StreamState.CONNECTING)
    assert after(1) == ""  # what has not been there yet is not lost
    session.change("audio", state=StreamState.LIVE)
    watch.require(0)
    assert after(1) == ""
    session.change("audio", state=StreamState.LATE)
    assert after(1) == ""  # for a moment
    session.change("audio", state=StreamState.LOST, detail="unplugged")
    assert "LOST: Voice is lost: unplugged." in after(1)
    assert after(1) == ""
    assert "Not acknowledged: Voice is lost" in after(10)
    session.change("audio", state=StreamState.LIVE)
    assert "There again: Voice" in after(1)
    assert watch.alarm == "Voice was lost and is back."
    watch.acknowledge()
    assert watch.alarm == ""
    assert after(20) == ""
    session.change("audio", state=StreamState.LOST)
    assert "LOST: Voice" in after(1)
    watch.acknowledge()
    assert after(20) == ""  # known, and still away
    assert watch.alarm == ""


def test_enter_in_the_terminal_is_noticed_and_nothing_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    operator, terminal = os.openpty()
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(os, "tcgetpgrp", lambda handle: os.getpgrp())
        assert not live._enter_pressed()
        os.write(operator, b"\n")
        assert live._enter_pressed()
        assert not live._enter_pressed()
        os.write(operator, b"\n")
        monkeypatch.setattr(os, "tcgetpgrp", lambda handle: -1)  # in the background
        assert not live._enter_pressed()
    os.close(operator)


def test_a_held_recording_makes_no_file_and_loses_nothing(
    session: Watched, tmp_path: Path
) -> None:
    path = tmp_path / "s.xdf"
    with Recorder(path, CONSENT, session, {}, hold=True) as made:  # type: ignore[arg-type]
        session.sources["eeg"].offer(eeg_arrival(np.ones((30, 100), np.float32), T0))
        assert list(tmp_path.iterdir()) == []
        made.start()
        made.take_prediction(estimate(T0))
    assert made.whole
    (opening,) = read_session(path).openings["eeg"]
    assert len(opening.stamps) == 100


def test_a_held_recording_that_never_begins_leaves_nothing(
    session: Watched, tmp_path: Path
) -> None:
    with Recorder(tmp_path / "s.xdf", CONSENT, session, {}, hold=True):  # type: ignore[arg-type]
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_recording_is_held_to_what_its_session_had_to_have(tmp_path: Path) -> None:
    must = Must(streams=("eeg",), markers="Cues", marks=("baseline",))
    config = LiveConfig(must=must).model_dump(mode="json")
    record(tmp_path / "s.xdf", settings={"config": config})
    found = verify(tmp_path / "s.xdf")
    assert [fault.where for fault in found.faults] == ["markers Cues", "markers"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('electrodes = ["T9"]', "T9"),
        ('streams = ["eye"]', "eye"),
        ("free_gb = -1", "free_gb"),
        ("faces = true", "did you mean face?"),
    ],
)
def test_what_cannot_be_required_is_refused(
    text: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(f"[must]\n{text}\n")
    with pytest.raises(LiveConfigError, match="must") as refused:
        read_live_config(path)
    assert said in str(refused.value)
