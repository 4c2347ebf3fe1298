"""What is said when a disk is full or a place cannot be written."""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from eav_layout import write_subject

from eav_offline.cli import main
from eav_offline.common.console import FAILED, REFUSED, open_json, run, write_json
from eav_offline.common.files import private_files, write_atomically
from eav_offline.data.cache import list_prepared
from eav_offline.data.prepared import prepare_root
from eav_offline.runs.task import JobSettings, Task, perform
from eav_offline.training.journal import Journal

resource = pytest.importorskip("resource")


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond 100 kB: to programs a full disk looks no other."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_subject(tmp_path_factory.mktemp("eav") / "subject1")


def fails_with(error: OSError) -> int:
    def command() -> int:
        raise error

    return run(command)


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (errno.ENOSPC, FAILED),
        (errno.EDQUOT, FAILED),
        (errno.EROFS, REFUSED),
        (errno.EACCES, REFUSED),
        (errno.ENOTDIR, REFUSED),
        (errno.EEXIST, REFUSED),
    ],
)
def test_a_place_that_cannot_be_written_is_told_by_name(
    number: int, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fails_with(OSError(number, os.strerror(number), "/a/b")) == status
    said = capsys.readouterr().err
    assert said.startswith("error: /a/b ")
    assert "Traceback" not in said


def test_a_full_disk_names_the_file_and_leaves_none(
    tmp_path: Path, small_files: None
) -> None:
    with pytest.raises(OSError, match="too large") as full:
        write_atomically(tmp_path / "a", bytes(200_000))
    assert full.value.filename == str(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_new_file_is_for_whom_the_umask_says_and_an_old_one_for_whom_it_was(
    tmp_path: Path,
) -> None:
    def mode(name: str) -> int:
        return stat.S_IMODE((tmp_path / name).stat().st_mode)

    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a", "new")
        with private_files():
            write_atomically(tmp_path / "b", "new")
            with open_json(str(tmp_path / "c")) as file:
                file.write("{}")
        write_atomically(tmp_path / "b", "again")
        write_json(str(tmp_path / "d"), {})
        write_json(str(tmp_path / "e"), {})
        with private_files():
            write_atomically(tmp_path / "e", "again")
    finally:
        os.umask(before)
    found = [mode(name) for name in "abcde"]
    assert found == [0o640, 0o600, 0o600, 0o640, 0o600]


def test_an_epoch_that_cannot_be_kept_names_its_file(
    tmp_path: Path, small_files: None
) -> None:
    import torch

    journal = Journal(tmp_path, {})
    with pytest.raises(OSError, match="too large") as full:
        journal.keep_stage("eeg", {"a": torch.zeros(100_000)}, [])
    assert full.value.filename == str(tmp_path / "resume" / "stages.pt")


def test_a_job_of_many_tells_a_full_disk_without_a_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(*_: object) -> dict[str, object]:
        raise OSError(errno.ENOSPC, "No space left on device", "/runs/a")

    outcome = perform(Task("a", full, None, JobSettings()))
    assert "/runs/a could not be written: the disk is full" in outcome["error"]
    assert all(record.exc_info is None for record in caplog.records)


@pytest.mark.parametrize("jobs", [1, 2])
def test_preparing_onto_a_full_disk_is_not_taken_for_prepared(
    tmp_path: Path,
    subject: Path,
    capsys: pytest.CaptureFixture[str],
    small_files: None,
    jobs: int,
) -> None:
    root, cache = subject.parent, tmp_path / "cache"
    command = ["prepare", str(root), "--out", str(cache), "--jobs", str(jobs)]
    assert main(command) == FAILED
    said = capsys.readouterr().err
    assert "subject01.partial" in said
    assert "Make room" in said
    assert "Traceback" not in said
    assert list_prepared(cache) == []
    assert main(["train", "--data", str(cache), "--out", str(tmp_path / "r")]) == (
        REFUSED
    )
    assert "subject 1 is not finished" in capsys.readouterr().err


def test_joining_onto_a_full_disk_is_an_error_and_goes_on_later(
    tmp_path: Path, subject: Path
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_500_000, before[1]))
    try:
        with pytest.raises(OSError, match="too large") as full:
            prepare_root(subject.parent, tmp_path, jobs=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "joined" in full.value.filename
    assert list_prepared(tmp_path) == []
    assert prepare_root(subject.parent, tmp_path, jobs=1).windows == {1: 20}
    assert np.load(tmp_path / "subject01" / "eeg.npy").shape == (20, 30, 500)


def test_synthetic_people_on_a_full_disk_leave_no_part_of_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], small_files: None
) -> None:
    out = tmp_path / "people"
    assert main(["synth", str(out), "--trials", "10", "--jobs", "1"]) == FAILED
    assert "subject01_eeg.mat could not be written" in capsys.readouterr().err
    assert not list(out.rglob("*.mat"))
    assert not [p for p in out.rglob(".*") if p.is_file()]


@pytest.mark.parametrize("below", ["", "/run"])
@pytest.mark.parametrize(
    "command",
    [
        "synth {out} --trials 10",
        "prepare {data} --out {out}",
        "train --data {data} --out {out}",
        "zero-shot --data {data} --out {out}",
        "average {data} --out {out}",
    ],
)
def test_an_out_that_is_a_file_is_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, below: str
) -> None:
    taken, data = tmp_path / "taken", tmp_path / "data"
    taken.write_text("")
    (data / "subject1").mkdir(parents=True)
    words = command.format(out=f"{taken}{below}", data=data).split()
    assert main(words) == REFUSED
    said = capsys.readouterr().err
    assert f"{taken} is a file; give a folder" in said
    assert "Traceback" not in said


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    "command",
    [
        "synth /proc/x --trials 10",
        "prepare {data} --out /proc/x",
        "train --data {data} --out /proc/x",
    ],
)
def test_an_out_where_nothing_can_be_made_is_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (tmp_path / "subject1").mkdir()
    assert main(command.format(data=tmp_path).split()) == REFUSED
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: /proc/x")
    assert "/proc takes no new file or folder" in line
    assert sorted(p.name for p in tmp_path.iterdir()) == ["subject1"]


def test_letters_that_the_locale_cannot_write_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["eav-offline", "check", "donn\udcc3\udca9es"])
    assert run(lambda: 0) == REFUSED
    assert "LC_ALL=C.UTF-8" in capsys.readouterr().err
