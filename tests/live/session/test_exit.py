"""Ctrl-C and a closed window end everything, whatever hangs."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pylsl
import pytest
from faulty_sender import FaultySender
from source_helpers import Clock, open_eeg, wait_for

from eav_live.recognition.predictions import StreamHealth, StreamState
from eav_live.recognition.recognizer import Recognition
from eav_live.session.inference import Session
from eav_live.session.intake import STOP_SECONDS
from eav_live.streams.audio import LslAudio
from eav_live.streams.eeg import LslEeg
from eav_live.streams.markers import ReplayTruth
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.window import RawWindow

END_SECONDS = 2.0
WAITING = "connecting looking for"

# Says when its window is there, and may close it, as a user does with the mouse.
_WINDOW = """
import sys
from PySide6.QtCore import QTimer
from eav_live.ui import dashboard

def shown(window, event):
    def tell():
        sys.stdout.write("shown\\n")
        sys.stdout.flush()
        {then}
    QTimer.singleShot(100, tell)

dashboard.Dashboard.showEvent = shown
from eav_live.cli import main
sys.exit(main())
"""


class HangingSource:
    """A source whose driver does not return for a long time."""

    interpolated: tuple[str, ...] = ()
    ring = None

    def __init__(self) -> None:
        self.released = threading.Event()

    def start(self) -> None: ...

    def stop(self) -> None:
        self.released.wait(60)

    def health(self, now: float) -> StreamHealth:
        return StreamHealth(StreamState.CONNECTING)


def test_a_hanging_device_does_not_hold_up_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sources = {"audio": HangingSource(), "video": HangingSource()}
    session = Session(sources, None, Clock())  # type: ignore[arg-type]
    begun = time.monotonic()
    session.stop()
    assert time.monotonic() - begun < STOP_SECONDS + 0.4 < END_SECONDS
    assert "left behind" in caplog.text
    for source in sources.values():
        source.released.set()


def test_after_an_orderly_end_no_thread_of_the_session_is_left() -> None:
    source = HangingSource()
    source.released.set()
    before = set(threading.enumerate())
    session = Session({"audio": source}, None, Clock())  # type: ignore[arg-type]
    session.start()
    session.stop()
    assert set(threading.enumerate()) <= before


class NoModel:
    """Recognizes nothing."""

    name, backend_name, fusion, demo = "none", "", "", True
    knows, card = EMOTIONS, None

    def recognize(self, raw: RawWindow) -> Recognition:
        return Recognition(None, {}, ())


def lsl_session(name: str) -> Session:
    """Reads EEG, sound and the markers of the stream `name`."""
    eeg = LslEeg(name)
    return Session(
        {"eeg": eeg, "audio": LslAudio(f"{name}-Audio")},
        NoModel(),  # type: ignore[arg-type]
        pylsl.local_clock,
        hop=0.1,
        markers=ReplayTruth(lambda: eeg.stream_name),
    )


@pytest.mark.lsl
def test_sessions_over_lsl_leave_nothing_behind(
    stream_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Ended while streams are looked for, opened, read, and after one was lost."""
    senders = FaultySender(stream_name), FaultySender(f"{stream_name}-Audio", "audio")
    markers = pylsl.StreamInfo(f"{stream_name}-Markers", "Markers", 1, 0, "string")
    outlet = pylsl.StreamOutlet(markers)
    for sender in senders:
        sender.start()
    before = set(threading.enumerate())
    moments: tuple[Callable[[Session], bool], ...] = (
        lambda s: True,
        lambda s: s.sources["eeg"]._inlet.is_open,  # type: ignore[attr-defined]
        lambda s: s.health()["eeg"].state is StreamState.LIVE,
        lambda s: outlet.have_consumers(),
        lambda s: s.health()["eeg"].state is StreamState.LOST,
    )
    for moment in moments:
        session = lsl_session(stream_name)
        session.start()
        if moment is moments[-1]:
            wait_for(lambda s=session: moments[2](s))
            senders[0].kill()
        wait_for(lambda m=moment, s=session: m(s))
        session.stop()
        assert "left behind" not in caplog.text
        assert not [t for t in threading.enumerate() if t not in before]
    senders[1].kill()


@pytest.mark.lsl
def test_a_sender_that_does_not_answer_does_not_hold_up_the_end(
    stream_name: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One that has just gone is still listed, and LSL waits for it to the end."""
    asked, never = threading.Event(), threading.Event()

    def no_answer(self: pylsl.StreamInlet, timeout: float) -> None:
        asked.set()
        never.wait(timeout)
        raise pylsl.util.TimeoutError

    monkeypatch.setattr(pylsl.StreamInlet, "info", no_answer)
    outlet = open_eeg(stream_name)
    session = Session({"eeg": LslEeg(stream_name)}, NoModel(), pylsl.local_clock)  # type: ignore[arg-type]
    session.start()
    assert asked.wait(10)
    session.stop()
    assert "left behind" not in caplog.text
    del outlet


@pytest.mark.lsl
def test_a_session_that_ends_while_it_looks_opens_nothing(
    stream_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outlet = open_eeg(stream_name)
    eeg = LslEeg(stream_name)
    looking, resolve = threading.Event(), pylsl.resolve_streams

    def look(seconds: float) -> list[pylsl.StreamInfo]:
        looking.set()
        assert eeg._stop.wait(10)
        return resolve(seconds)

    monkeypatch.setattr(pylsl, "resolve_streams", look)
    eeg.start()
    assert looking.wait(10)
    eeg.stop()
    assert stream_name in eeg._inlet.visible
    assert eeg.stream_name is None
    del outlet


def begin(
    program: list[str], tmp_path: Path, stream: str, *more: str
) -> subprocess.Popen[str]:
    """A session that waits for a stream; its log is in session.log."""
    return subprocess.Popen(
        [
            *program,
            *("--eeg-stream", stream, "--audio", "none", "--video", "none"),
            *("--log", str(tmp_path / "session.log"), *more),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )


def end(process: subprocess.Popen[str]) -> tuple[int, float, str]:
    """Exit status, seconds from now until the end, and what stderr said."""
    begun = time.monotonic()
    try:
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
    return process.returncode, time.monotonic() - begun, err


def wait_for_text(process: subprocess.Popen[str], path: Path, text: str) -> None:
    deadline, pause = time.monotonic() + 60, threading.Event()
    while not path.exists() or text not in path.read_text():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        pause.wait(0.05)


@pytest.mark.lsl
@pytest.mark.timeout(300)  # programs start slowly where many run
def test_ctrl_c_ends_a_session_in_the_terminal_within_two_seconds(
    tmp_path: Path, stream_name: str
) -> None:
    program = [str(Path(sys.executable).with_name("eav-live"))]
    process = begin(program, tmp_path, stream_name, "--headless")
    wait_for_text(process, tmp_path / "session.log", WAITING)
    process.send_signal(signal.SIGINT)
    status, seconds, err = end(process)
    assert status == 130, err
    assert seconds < END_SECONDS
    assert "Traceback" not in err


@pytest.mark.lsl
@pytest.mark.qt
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("then", "expected"),
    [("pass", 130), ("window.close()", 1)],  # 1: nothing was predicted
    ids=["ctrl-c", "close"],
)
def test_ctrl_c_or_closing_the_window_ends_a_session_within_two_seconds(
    then: str, expected: int, tmp_path: Path, stream_name: str
) -> None:
    program = [sys.executable, "-c", _WINDOW.format(then=then)]
    process = begin(program, tmp_path, stream_name)
    assert process.stdout is not None
    assert process.stdout.readline() == "shown\n", process.communicate()
    if expected == 130:
        process.send_signal(signal.SIGINT)
    status, seconds, err = end(process)
    assert status == expected, err
    assert seconds < END_SECONDS
    assert "Traceback" not in err
