"""The decision log: what changed, of whom, who was informed; removed in its time."""

import json
import os
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from source_helpers import wait_for
from test_running import CONSENT, running_on

from eav_live import cli
from eav_live.logs.decisions import decisions_folder, now, remove_outdated
from eav_live.options import SessionOptions
from eav_live.options.config import LiveConfig
from eav_live.recognition.predictions import Prediction, StreamState
from eav_live.running import Running
from eav_live.session import opening
from eav_offline.common.errors import InputRefused
from eav_offline.core.sureness import State

MODEL = {"name": "speechless", "sha256": "ab", "demo": True, "knows": ["anger"]}


@pytest.fixture
def logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """A session that is to be logged, of a person who is to be informed first."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    running = running_on(StreamState.LIVE, monkeypatch)
    monkeypatch.setattr(opening, "session_settings", lambda *a: {"model": MODEL})
    config = LiveConfig.model_validate({"decision_log": {"keep": True}})
    running.streams = SessionOptions(eeg_stream="none", config=config)
    running.informed = False
    return running


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    decisions_folder().mkdir(parents=True)
    return decisions_folder()


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_session_says_what_was_decided_when_and_who_knew_and_agreed(
    logged: Running, tmp_path: Path
) -> None:
    logged.open()
    try:
        (path,) = decisions_folder().glob("*.jsonl")
        assert len(lines(path)) == 1  # nothing is decided before the notice
        logged.acknowledge()
        wait_for(lambda: len(lines(path)) == 2)
        made: list[Prediction] = []
        logged.session.subscribe(made.append)
        wait_for(lambda: len(made) > 3)
        assert len(lines(path)) == 2  # of decisions that stay as they are, one line
        logged.record(tmp_path / "a.xdf", CONSENT)
        wait_for(lambda: len(lines(path)) == 3)
        logged.session.pause(True)
        assert logged.decisions is not None
        logged.decisions.write(replace(made[-1], label="anger", state=State.DECIDED))
    finally:
        logged.close()

    head, first, recorded, *_, changed, end = lines(path)
    assert head["what"] == "session"
    assert head["model"] == MODEL
    assert (first["person"], first["consent"]) == (None, None)
    assert first["notice"] is not None
    assert first["model"] == "speechless"
    assert first["label"] is None
    assert (recorded["person"], recorded["consent"]) == ("P01", CONSENT.at)
    assert (changed["label"], changed["state"]) == ("anger", "decided")
    assert end["what"] == "end"
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o077 == 0


def test_a_persons_log_is_found_and_forgotten_wherever_one_looks(
    logged: Running, tmp_path: Path
) -> None:
    logged.open()
    logged.record(tmp_path / "a.xdf", CONSENT)
    logged.acknowledge()
    (path,) = decisions_folder().glob("*.jsonl")
    wait_for(lambda: len(lines(path)) == 2)
    logged.close()

    assert cli.main(["forget", "P02", "--yes"]) == 1
    assert path.exists()
    assert cli.main(["forget", "P01", "--in", str(tmp_path), "--yes"]) == 0
    assert not path.exists()


def test_logs_go_on_the_day_they_state_and_no_other_file_does(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for name, days in (("old", -1), ("young", 1)):
        until = (now() + timedelta(days=days)).isoformat()
        (folder / f"{name}.jsonl").write_text(json.dumps({"keep_until": until}) + "\n")
    (folder / "notes.jsonl").write_text("by hand\n")

    assert remove_outdated() == 1
    assert {path.stem for path in folder.iterdir()} == {"young", "notes"}
    assert "1" in caplog.messages[-1]


def test_every_session_removes_what_is_outdated_and_keeps_none_unless_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = (now() - timedelta(days=1)).isoformat()
    (folder / "old.jsonl").write_text(json.dumps({"keep_until": until}) + "\n")
    running = running_on(StreamState.LIVE, monkeypatch)
    running.open()
    running.close()
    assert list(folder.iterdir()) == []


def test_a_session_that_must_be_logged_does_not_run_without(logged: Running) -> None:
    decisions_folder().parent.mkdir(parents=True)
    decisions_folder().write_text("a file in its place")
    with pytest.raises(InputRefused, match="decision_log"):
        logged.open()
    assert logged.session.stopped


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is full")
def test_nor_does_it_on_a_disk_that_is_full(
    logged: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def full(path: str, flags: int, mode: int = 0o777) -> int:
        made = real(path, flags, mode)
        if not str(path).endswith(".jsonl"):
            return made
        os.close(made)
        return real("/dev/full", os.O_WRONLY)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(InputRefused, match="No space left"):
        logged.open()
    assert logged.session.stopped
    assert list(decisions_folder().iterdir()) == []
