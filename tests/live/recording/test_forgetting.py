"""Forgetting: all that was made of a person goes, what is of others stays."""

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recorded import CONSENT, T0, FakeSession, frame_arrival, recorder

from eav_live import cli
from eav_live.recording.forgetting import traces, traces_of
from eav_offline.data.sessions.estimates import COLUMNS


def record(path: Path, person: str) -> None:
    session = FakeSession()
    with recorder(path, session, consent=replace(CONSENT, person=person)):
        for size in (32, 48):  # two files of frames
            image = np.zeros((size, size, 3), np.uint8)
            session.sources["video"].offer(frame_arrival(image, T0 + size))


def write(path: Path, **content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """Two people's recordings and what was made of them."""
    for number, person in ((1, "P01"), (2, "P02")):
        record(tmp_path / f"{person}.xdf", person)
        write(
            tmp_path / f"eav/subject{number}/IMPORTED.json",
            person=person,
            recordings=[],
        )
        write(tmp_path / f"cache/subject0{number}/meta.json", person=person, recipe={})
        partial = tmp_path / f"cache/subject0{number}.partial"
        write(partial / "begun.json", person=person, source="x")
        write(tmp_path / f"runs/s{number}/split.json", people={str(number): person})
        (tmp_path / f"runs/s{number}/model.safetensors").write_bytes(b"weights")
    write(tmp_path / "runs/both/split.json", people={"1": "P01", "2": "P02"})
    write(tmp_path / "other/meta.json", person="P01", title="of another program")
    write(tmp_path / "runs/old/split.json", subjects={"1": {}})
    return tmp_path


def paths(lab: Path) -> set[str]:
    return {str(p.relative_to(lab)) for p in lab.rglob("*") if p.is_file()}


def forget(*arguments: str) -> int:
    return cli.main(["forget", *arguments])


def test_everything_of_a_person_goes_and_nothing_of_others(lab: Path) -> None:
    before = paths(lab)
    assert forget("P01", "--in", str(lab), "--yes") == 0
    gone = {
        *("P01.xdf", "P01.mkv", "P01-2.mkv", "P01.consent.json"),
        *("eav/subject1/IMPORTED.json", "cache/subject01/meta.json"),
        *("cache/subject01.partial/begun.json", "runs/s1/split.json"),
        "runs/s1/model.safetensors",
    }
    assert before - paths(lab) == gone
    assert not (lab / "eav/subject1").exists()


def test_estimates_that_were_written_while_a_person_was_recorded_go_too(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def lines(*people: str | None) -> str:
        said = [{"person": p, "t": 1.0, "fused": None} for p in people]
        return "".join(f"{json.dumps(line)}\n" for line in said)

    (lab / "mine.jsonl").write_text(lines("P01", "P01") + '{"person": "P01", "t')
    (lab / "ours.txt").write_text(lines("P01", "P02"))
    (lab / "hers.jsonl").write_text(lines("P02"))
    (lab / "nobodys.jsonl").write_text(lines(None))
    (lab / "mine.csv").write_text(f"{','.join(COLUMNS)}\nP01,1.0,anger\n")
    (lab / "hers.csv").write_text(f"{','.join(COLUMNS)}\nP02,1.0,anger\n")
    (lab / "list.csv").write_text("person,t\nP01,1.0\n")
    timings = json.dumps({"person": "P01", "what": "session", "model": "m"})
    (lab / "timings.jsonl").write_text(f"{timings}\n")
    assert forget("P01", "--in", str(lab), "--yes") == 0
    assert paths(lab) & {"mine.jsonl", "mine.csv", "timings.jsonl"} == set()
    assert {"hers.csv", "list.csv"} <= paths(lab)
    assert {"ours.txt", "hers.jsonl", "nobodys.jsonl"} <= paths(lab)
    assert "ours.txt, also of P02: kept" in capsys.readouterr().out
    assert forget("P01", "--in", str(lab), "--yes", "--shared") == 0
    assert "ours.txt" not in paths(lab)


def test_what_backends_exported_of_a_model_goes_with_it(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caches = lab / "user-cache"
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(caches / name))
    exports = caches / "eav-live" / "backends"
    sha = hashlib.sha256(b"weights").hexdigest()
    write(exports / "a-onnx" / "manifest.json", checkpoint_sha256=sha)
    (exports / "a-onnx" / "eeg.onnx").write_bytes(b"weights again")
    write(exports / "b-onnx" / "manifest.json", checkpoint_sha256="another's")
    assert forget("P01", "--in", str(lab), "--yes") == 0
    assert not (exports / "a-onnx").exists()
    assert (exports / "b-onnx").exists()


def test_a_model_of_several_people_goes_only_if_asked(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert forget("P01", "--in", str(lab), "--yes") == 0
    assert "also of P02: kept" in capsys.readouterr().out
    assert (lab / "runs/both").exists()
    assert forget("P01", "--in", str(lab), "--yes", "--shared") == 0
    assert not (lab / "runs/both").exists()


def test_nothing_goes_without_asking(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = paths(lab)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert forget("P01", "--in", str(lab)) == 2
    assert paths(lab) == before


@pytest.mark.parametrize(("answer", "status"), [("P01", 0), ("yes", 2), ("", 2)])
def test_the_code_must_be_typed(
    lab: Path, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return f"{answer}\n"

    monkeypatch.setattr("sys.stdin", Terminal())
    assert forget("P01", "--in", str(lab)) == status
    assert (lab / "P01.xdf").exists() == (status != 0)


def test_a_recording_without_its_consent_file_is_found_by_its_header(lab: Path) -> None:
    (lab / "P01.consent.json").unlink()
    found = {t.path.name for t in traces_of("P01", lab)}
    assert {"P01.xdf", "P01.mkv", "P01-2.mkv"} <= found


def test_a_recording_named_like_a_second_part_is_not_taken_for_one(
    tmp_path: Path,
) -> None:
    record(tmp_path / "a.xdf", "P01")
    (tmp_path / "a-2.mkv").rename(tmp_path / "a-3.mkv")
    record(tmp_path / "a-2.xdf", "P02")
    assert forget("P01", "--in", str(tmp_path), "--yes") == 0
    left = {p.name for p in tmp_path.iterdir()}
    assert left == {"a-2.xdf", "a-2.mkv", "a-2-2.mkv", "a-2.consent.json"}


def test_links_are_not_followed(
    lab: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    record(outside / "x.xdf", "P01")
    (lab / "link").symlink_to(outside)
    assert forget("P01", "--in", str(lab), "--yes") == 0
    assert (outside / "x.xdf").exists()


def test_an_unknown_person_is_said_with_those_that_are_there(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert forget("P1", "--in", str(lab), "--yes") == 1
    assert "recordings of P01, P02" in capsys.readouterr().out
    assert {person for person, _ in traces(lab)} == {"P01", "P02"}


def test_notes_on_a_recording_are_forgotten_with_it(lab: Path) -> None:
    notes = lab / "P01.annotations.json"
    write(notes, recording="P01.xdf", annotations=[{"t": 5.0, "text": "smiles"}])
    on_subject = lab / "eav/subject1.annotations.json"
    write(on_subject, recording="subject1", annotations=[])
    found = {trace.path for trace in traces_of("P01", lab)}
    assert {notes, on_subject} <= found
    others = {trace.path for trace in traces_of("P02", lab)}
    assert not {notes, on_subject} & others
