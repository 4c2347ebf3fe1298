"""A session that is recorded and paused while it runs."""

import threading
from pathlib import Path

import pytest
from source_helpers import wait_for
from test_program import Silent, Speechless

from eav_live.options import SessionOptions
from eav_live.options.config import LiveConfig, Must
from eav_live.recognition.predictions import StreamState
from eav_live.recording.consent import Consent, consent_path
from eav_live.recording.guard import MustRefused
from eav_live.recording.takes import Takes
from eav_live.running import Abandoned, Outputs, Running
from eav_live.session import opening as composition
from eav_live.session.inference import Session
from eav_offline.common.errors import InputRefused
from eav_offline.data.sessions.session import read_session

CONSENT = Consent("P01", "AB", "2026-11-30T10:00:00+00:00", ("voice",), "x", "window")


def running_on(
    state: StreamState, monkeypatch: pytest.MonkeyPatch, must: Must | None = None
) -> Running:
    from pylsl import local_clock

    sources = {"audio": Silent(state, "a microphone")}
    session = Session(sources, Speechless(), local_clock, hop=0.02)  # type: ignore[arg-type]
    monkeypatch.setattr(composition, "open_session", lambda *a, **k: session)
    monkeypatch.setattr(composition, "session_settings", lambda *a: {"model": {}})
    config = LiveConfig(must=must or Must())
    return Running(SessionOptions(eeg_stream="none", config=config), Outputs())


def test_a_recording_begins_and_ends_while_the_session_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = running_on(StreamState.LIVE, monkeypatch)
    running.open()
    try:
        for name in ("a.xdf", "b.xdf"):
            running.record(tmp_path / name, CONSENT)
            recorder = running.recorder
            assert recorder is not None
            recorder.mark({"mark": name}, running.session.clock())
            wait_for(lambda r=recorder: r.status.text[1])
            said = running.end_recording()
            assert name in said
            assert running.recorder is None
        assert not running.session.stopped
        with pytest.raises(InputRefused, match="there already"):
            running.record(tmp_path / "a.xdf", CONSENT)
        with pytest.raises(InputRefused, match="mkdir"):
            running.record(tmp_path / "no" / "c.xdf", CONSENT)
    finally:
        running.close()
    for name in ("a.xdf", "b.xdf"):
        assert consent_path(tmp_path / name).exists()
        session = read_session(tmp_path / name)
        assert session.person == "P01"
    assert running.outcome(130) == 130


def test_what_runs_when_the_window_closes_is_recorded_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running = running_on(StreamState.LIVE, monkeypatch)
    running.open()
    running.record(tmp_path / "a.xdf", CONSENT)
    running.close()
    assert running.recorder is not None
    assert running.recorder.whole
    running.outcome(130)
    assert "a.xdf has 1 fault" in caplog.text  # no estimates, and no other


def test_no_recording_begins_while_the_window_closes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = running_on(StreamState.LIVE, monkeypatch)
    running.open()
    running.abandon()
    with pytest.raises(Abandoned):
        running.record(tmp_path / "a.xdf", CONSENT)
    running.close()
    assert running.recorder is None


def test_without_what_it_must_have_a_running_session_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eav_live.recording.guard.WAIT_SECONDS", 0.05)
    must = Must(streams=("eeg",))
    running = running_on(StreamState.LIVE, monkeypatch, must)
    running.open()
    try:
        with pytest.raises(MustRefused, match="EEG is off"):
            running.record(tmp_path / "a.xdf", CONSENT)
        assert running.recorder is None
        assert list(tmp_path.iterdir()) == []
    finally:
        running.close()


def test_a_paused_session_estimates_nothing_until_it_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = running_on(StreamState.LIVE, monkeypatch)
    running.open()
    session, made = running.session, threading.Event()
    try:
        session.pause(True)
        wait_for(lambda: session._last_end is None)  # the thread has seen it
        session.subscribe(lambda prediction: made.set())
        assert not made.wait(0.2)  # ten hops
        session.pause(False)
        assert made.wait(10)
    finally:
        running.close()


def test_nothing_is_estimated_before_the_person_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = running_on(StreamState.LIVE, monkeypatch)
    running.informed = False
    running.open()
    try:
        made = threading.Event()
        running.session.subscribe(lambda prediction: made.set())
        assert not made.wait(0.2)  # ten hops
        assert running.session.newest is None
        running.acknowledge()
        assert made.wait(10)
    finally:
        running.close()


def test_a_recording_that_another_program_ends_does_not_keep_the_notice_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = running_on(StreamState.LIVE, monkeypatch)
    running.informed = False
    running.open()
    try:
        takes = Takes(tmp_path / "a.xdf", CONSENT, running.session, {})
        monkeypatch.setattr(Takes, "running", tmp_path / "a.xdf")  # a moment ago
        running.recorder = takes
        running.acknowledge()
        assert not running.session.paused
    finally:
        running.close()


def test_an_opening_that_nobody_waits_for_ends_and_leaves_nothing_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = running_on(StreamState.CONNECTING, monkeypatch)
    running.abandon()
    with pytest.raises(Abandoned):
        running.open()
    assert running.session.stopped


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"eeg_stream": "Cap", "model": "runs/s1"}, ("model s1", "EEG stream Cap")),
        ({"demo": True}, ("demo and its model", "the demo's streams")),
        ({"audio": "lsl:A", "video": "none"}, ("embedded model", "stream A\u2026")),
    ],
    ids=["own", "demo", "embedded"],
)
def test_it_is_said_what_is_loaded_and_looked_for(
    options: dict[str, object],
    words: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = running_on(StreamState.LIVE, monkeypatch)
    running.streams = SessionOptions(**options)  # type: ignore[arg-type]
    said: list[str] = []
    running.open(said.append)
    running.close()
    for word, text in zip(words, said, strict=True):
        assert word in text
