"""`eav-live export`: what is written, and what is refused in words."""

import csv
import os
from pathlib import Path

import pytest
from recorded import T0, FakeSession, recorder, short_recording

from eav_live.cli import main
from eav_offline.data.sessions.estimates import COLUMNS


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recorded") / "P01.xdf"
    short_recording(path)
    return path


def test_the_estimates_are_written_as_a_table(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "P01.csv"
    assert main(["export", str(recording), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"4 windows in {out}\n"
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [float(row["t"]) - T0 for row in rows] == pytest.approx([2.5, 3, 3.5, 4])
    assert {row["present"] for row in rows} == {"eeg+audio"}


def test_the_same_table_is_written_as_parquet_and_forgotten_with_the_person(
    recording: Path, tmp_path: Path
) -> None:
    from pyarrow import parquet

    table, out = tmp_path / "e.csv", tmp_path / "e.parquet"
    for path in (table, out):
        assert main(["export", str(recording), "--out", str(path)]) == 0
        if os.name == "posix":
            assert path.stat().st_mode & 0o077 == 0  # as the recording
    read = parquet.read_table(out)
    assert tuple(read.column_names) == COLUMNS
    with table.open(encoding="utf-8", newline="") as file:
        for row, said in zip(csv.DictReader(file), read.to_pylist(), strict=True):
            assert row == {n: "" if v is None else str(v) for n, v in said.items()}
    parquet.write_table(read.replace_schema_metadata(None), tmp_path / "other.parquet")

    assert main(["forget", "P01", "--in", str(tmp_path), "--yes"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["other.parquet"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("e.xlsx", "parquet"),
        ("none/e.csv", "there is no folder"),
    ],
)
def test_what_cannot_be_written_is_refused(
    name: str,
    said: str,
    recording: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["export", str(recording), "--out", str(tmp_path / name)]) == 2
    assert said in capsys.readouterr().err


def test_a_recording_without_estimates_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with recorder(tmp_path / "a.xdf", FakeSession()):
        pass
    out = tmp_path / "e.csv"
    assert main(["export", str(tmp_path / "a.xdf"), "--out", str(out)]) == 2
    assert "holds no estimates" in capsys.readouterr().err
    assert not out.exists()
