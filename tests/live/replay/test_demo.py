"""Where the demo keeps what it made."""

import os
from pathlib import Path

import pytest

from eav_live.replay.demo import (
    cache_folder,
    keep_lsl_on_this_computer,
    remove_temporary,
)


def test_a_home_that_cannot_be_written_gives_way_to_a_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    monkeypatch.delenv("LSLAPICFG")
    found = cache_folder()
    assert found.is_dir()
    assert cache_folder() == found
    assert "cannot be written" in caplog.text
    keep_lsl_on_this_computer()
    assert Path(os.environ["LSLAPICFG"]).parent == found
    remove_temporary()
    assert not found.exists()


def test_a_home_that_can_be_written_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "eav-live"
    assert list(cache_folder().iterdir()) == []
