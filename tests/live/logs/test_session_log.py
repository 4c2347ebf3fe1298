"""The log of a session: where it goes, what it says, and that it ends nothing."""

import errno
import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from source_helpers import Clock

from eav_live.logs import session_log
from eav_live.logs.session_log import SessionLog, default_log_file, open_log_file
from eav_live.logs.timings import Timings
from eav_live.recognition.predictions import Prediction, StreamHealth, StreamState
from eav_offline.common.errors import InputRefused

LIVE = StreamHealth(StreamState.LIVE, "BrainAmp", "EEG stream", rate=499.96, gaps=3)
OFF = StreamHealth(StreamState.OFF)


class FakeSession:
    """A session whose clock and streams are set by hand."""

    hop = 0.5

    def __init__(self) -> None:
        self.clock = Clock(0.0)
        self.streams = {"eeg": LIVE, "video": OFF}
        self.stopped = False

    def health(self) -> dict[str, StreamHealth]:
        return self.streams

    def subscribe(self, callback: Callable[[Prediction], None]) -> None:
        self.put_out = callback


def predict(age_s: float, infer_s: float) -> Prediction:
    fused = np.full(5, 0.2)
    return Prediction(
        t=1.0,
        fused=fused,
        smoothed=fused,
        by_modality={},
        present=("eeg",),
        states={},
        label="sadness",
        truth="anger",
        age_s=age_s,
        infer_s=infer_s,
        hop_s=0.5,
    )


@pytest.fixture
def session() -> FakeSession:
    return FakeSession()


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.INFO, "eav_live")

    def take() -> list[str]:
        messages = caplog.messages.copy()
        caplog.clear()
        return messages

    return take


@pytest.fixture
def opened() -> Iterator[Callable[[Path | None], logging.Handler | None]]:
    handlers = []

    def open_file(path: Path | None) -> logging.Handler | None:
        handlers.append(open_log_file(path))
        return handlers[-1]

    yield open_file
    for handler in filter(None, handlers):
        logging.getLogger().removeHandler(handler)
        handler.close()


def test_a_state_is_logged_when_it_changes_and_only_then(
    session: FakeSession, said: Callable[[], list[str]]
) -> None:
    session_log = SessionLog(session)
    session_log.look()
    session_log.look()
    assert said() == ["eeg: live EEG stream"]
    gone = StreamHealth(StreamState.LOST, "BrainAmp", "the sender is gone")
    session.streams = {**session.streams, "eeg": gone}
    session_log.look()
    session_log.look()
    assert said() == ["eeg: lost the sender is gone"]


def test_streams_that_the_session_has_left_are_not_called_lost(
    session: FakeSession, said: Callable[[], list[str]]
) -> None:
    session_log = SessionLog(session)
    session_log.look()
    said()
    session.streams = {"eeg": StreamHealth(StreamState.LOST), "video": OFF}
    session.stopped = True
    session_log.look()
    assert said() == []


def test_rates_gaps_and_dropped_windows_are_logged_once_a_minute(
    session: FakeSession, said: Callable[[], list[str]]
) -> None:
    session_log = SessionLog(session)
    session_log.look()
    said()
    for age_s, infer_s in ((0.1, 0.05), (0.2, 0.05), (0.3, 1.2)):
        session.put_out(predict(age_s, infer_s))
    session.clock.now = 59.0
    session_log.look()
    assert said() == []
    session.clock.now = 60.0
    session_log.look()
    assert said() == [
        "eeg 500.0/s, 3 new gaps",
        "3 windows, 2 dropped; age when put out 200 ms (p50), 290 ms (p95)",
    ]
    session.clock.now = 120.0
    session_log.look()
    assert said() == ["eeg 500.0/s, 0 new gaps", "no windows"]


def test_a_window_of_nothing_is_no_window(
    session: FakeSession, said: Callable[[], list[str]]
) -> None:
    session_log = SessionLog(session)
    session_log.look()
    said()
    session.put_out(replace(predict(0.1, 0.1), fused=None, present=()))
    session.clock.now = 60.0
    session_log.look()
    assert said()[-1] == "no windows"


def test_the_log_tells_nothing_of_what_was_recognized(
    session: FakeSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    session_log = SessionLog(session)
    session.put_out(predict(0.1, 0.1))
    session.clock.now = 60.0
    session_log.look()
    assert "1 windows" in caplog.text
    assert "sadness" not in caplog.text
    assert "anger" not in caplog.text


def test_what_is_logged_is_in_the_file_and_its_path_is_said(
    tmp_path: Path,
    opened: Callable[[Path | None], logging.Handler | None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "eav_live")
    path = tmp_path / "today.log"
    opened(path)
    assert str(path) in caplog.text
    logging.getLogger("eav_live.session.inference").info("the session began")
    assert "INFO the session began" in path.read_text()


def test_the_file_rotates(
    tmp_path: Path,
    opened: Callable[[Path | None], logging.Handler | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_log, "FILE_BYTES", 400)
    monkeypatch.setattr(session_log, "OLD_FILES", 2)
    opened(tmp_path / "live.log")
    for i in range(40):
        logging.getLogger("eav_live").warning("line %d of many in a long session", i)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["live.log", "live.log.1", "live.log.2"]
    assert all(path.stat().st_size <= 400 for path in tmp_path.iterdir())


def test_a_named_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputRefused, match="--log .* cannot be written"):
        open_log_file(tmp_path / "file" / "live.log")


def test_a_default_file_that_cannot_be_written_costs_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    blocked = tmp_path / "file" / "live.log"
    monkeypatch.setattr(session_log, "default_log_file", lambda: blocked)
    assert open_log_file() is None
    assert "No log file" in caplog.text


def test_a_full_disk_is_said_once(
    tmp_path: Path,
    opened: Callable[[Path | None], logging.Handler | None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    handler = opened(tmp_path / "live.log")
    assert isinstance(handler, logging.StreamHandler)
    old = handler.setStream(Full())
    assert old is not None
    old.close()
    for _ in range(3):
        logging.getLogger("eav_live").warning("a line that finds no room")
    assert capsys.readouterr().err.count("cannot be written any more") == 1


def test_timings_say_null_of_what_the_model_does_not_know(tmp_path: Path) -> None:
    timings = Timings(tmp_path / "t.jsonl", Clock(0.0))
    four = np.array([0.1, 0.2, 0.3, 0.4, np.nan])
    timings.made(replace(predict(0.1, 0.1), fused=four))
    timings.made(replace(predict(0.1, 0.1), fused=None))
    timings.close()
    lines = (tmp_path / "t.jsonl").read_text().splitlines()
    said = [json.loads(line)["fused"] for line in lines]
    assert said == [[0.1, 0.2, 0.3, 0.4, None], None]


def test_the_default_file_is_in_the_users_folder_for_logs() -> None:
    path = default_log_file()
    assert path.name == "eav-live.log"
    assert path.is_absolute()
