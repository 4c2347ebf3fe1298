"""Notes on a recording: saved beside it, never into it, and there again."""

import json
import stat
from pathlib import Path

import pytest

from eav_live.review.annotations import Annotation, Annotations
from eav_offline.common.errors import InputRefused


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "s.xdf"
    path.write_bytes(b"XDF:whatever was recorded")
    return path


def test_notes_survive_reopening_and_leave_the_recording_alone(recording: Path) -> None:
    before = recording.read_bytes(), recording.stat().st_mtime_ns
    notes = Annotations(recording)
    notes.add(5012.5, "smiles, \u7b11")
    notes.add(5003.0, "looks away")
    assert list(Annotations(recording)) == [
        Annotation(5003.0, "looks away"),
        Annotation(5012.5, "smiles, \u7b11"),
    ]
    assert (recording.read_bytes(), recording.stat().st_mtime_ns) == before
    assert sorted(p.name for p in recording.parent.iterdir()) == [
        "s.annotations.json",
        "s.xdf",
    ]


def test_notes_are_renamed_and_deleted(recording: Path) -> None:
    notes = Annotations(recording)
    first = notes.add(1.0, "a")
    second = notes.add(2.0, "b")
    notes.rename(first, "c")
    notes.delete(second)
    assert list(Annotations(recording)) == [Annotation(1.0, "c")]


def test_the_note_at_a_moment_is_the_last_one_until_then(recording: Path) -> None:
    notes = Annotations(recording)
    for t in (1.0, 2.0, 3.0):
        notes.add(t, f"at {t}")
    assert notes.last_until(0.9) is None
    assert notes.last_until(2.0) == Annotation(2.0, "at 2.0")
    assert notes.last_until(2.9) == Annotation(2.0, "at 2.0")


def test_the_file_says_what_it_belongs_to_and_is_the_owners_alone(
    recording: Path,
) -> None:
    notes = Annotations(recording)
    notes.add(1.5, "a")
    assert json.loads(notes.path.read_text("utf-8")) == {
        "recording": "s.xdf",
        "annotations": [{"t": 1.5, "text": "a"}],
    }
    assert stat.S_IMODE(notes.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "[]", '{"annotations": [{"t": "soon"}]}', "{"])
def test_a_file_that_is_none_is_refused_and_kept(recording: Path, text: str) -> None:
    path = recording.with_name("s.annotations.json")
    path.write_text(text)
    with pytest.raises(InputRefused, match="cannot be read as annotations"):
        Annotations(recording)
    assert path.read_text() == text
