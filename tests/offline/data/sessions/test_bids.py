"""A recording in a BIDS dataset is the recording, and belongs to the person."""

import csv
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from recorded import CONSENT, short_recording

from eav_live.cli import main as live
from eav_offline.cli import main
from eav_offline.common.errors import InputRefused
from eav_offline.data.sessions.bids import export_bids

mne_bids = pytest.importorskip("mne_bids")
pytest.importorskip("pybv")

GAP = 0.5  # seconds that the EEG pauses for


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    consent = replace(CONSENT, what=("EEG", "voice", "face"))
    np.save(folder / "eeg.npy", short_recording(folder / "P01.xdf", GAP, consent))
    return folder / "P01.xdf"


@pytest.fixture(scope="module")
def dataset(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("BIDS")
    export_bids(recording, root, media=True)
    return root


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_mne_bids_reads_the_samples_and_events_that_were_recorded(
    recording: Path, dataset: Path
) -> None:
    place = mne_bids.BIDSPath("P01", "01", "emotions", datatype="eeg", root=dataset)
    raw = mne_bids.read_raw_bids(place, verbose="error")
    uv = raw.get_data(units="uV")
    recorded = np.load(recording.with_name("eeg.npy"))
    # float32 in units of 0.1 µV: what was recorded as float32 µV, to a rounding or two.
    expected = {"rtol": 1e-6, "atol": 1e-5}
    np.testing.assert_allclose(uv[:, :1500], recorded[:, :1500], **expected)
    np.testing.assert_allclose(uv[:, 1750:], recorded[:, 1500:], **expected)
    assert not uv[:, 1500:1750].any()
    assert raw.info["meas_date"] is None
    notes = {n["description"]: (n["onset"], n["duration"]) for n in raw.annotations}
    assert notes["trial/speaking/happiness"] == pytest.approx((1.0, 3.0), abs=2e-3)
    assert notes["BAD_ACQ_SKIP"] == pytest.approx((3.0, GAP), abs=2e-3)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_all_of_it_is_readable_by_its_owner_only(dataset: Path) -> None:
    assert not [p for p in (dataset, *dataset.rglob("*")) if p.stat().st_mode & 0o077]


def test_what_is_beside_the_samples_says_what_is_known(dataset: Path) -> None:
    folder = dataset / "sub-P01/ses-01/eeg"
    events = table(folder / "sub-P01_ses-01_task-emotions_events.tsv")
    kinds = [row["trial_type"] for row in events]
    assert kinds == ["trial/speaking/happiness", "pause", "BAD_ACQ_SKIP"]
    channels = table(folder / "sub-P01_ses-01_task-emotions_channels.tsv")
    assert {(row["type"], row["units"]) for row in channels} == {("EEG", "µV")}
    sidecar = json.loads(
        (folder / "sub-P01_ses-01_task-emotions_eeg.json").read_text("utf-8")
    )
    assert "consent" in sidecar["TaskDescription"]
    assert sidecar["EEGReference"] == sidecar["Manufacturer"] == "n/a"
    electrodes = table(folder / "sub-P01_ses-01_space-CapTrak_electrodes.tsv")
    assert len(electrodes) == len(channels) == 30
    everything = "".join(p.read_text("utf-8") for p in dataset.rglob("*.[tj]s*"))
    assert CONSENT.by not in everything.split()
    assert "2026-01-01" not in everything


def test_voice_and_face_lie_beside_it_on_the_clock_of_the_events(
    dataset: Path,
) -> None:
    folder = dataset / "sourcedata/sub-P01/ses-01"
    sound, rate = soundfile.read(folder / "sub-P01_ses-01_task-emotions_audio.wav")
    assert (len(sound), rate) == (40_000, 8000)
    said = folder / "sub-P01_ses-01_task-emotions_audio.json"
    start = json.loads(said.read_text("utf-8"))["StartTime"]
    assert start == pytest.approx(0.0, abs=1e-3)
    (video,) = folder.glob("*_video.mkv")
    onsets = [float(row["onset"]) for row in table(video.with_suffix(".tsv"))]
    assert onsets == pytest.approx([0, 0.2, 0.4], abs=1e-3)


def test_media_that_were_not_agreed_to_are_refused(tmp_path: Path) -> None:
    short_recording(tmp_path / "P01.xdf")  # whose consent is to EEG alone
    root = tmp_path / "BIDS"
    with pytest.raises(InputRefused, match="does not name voice and face"):
        export_bids(tmp_path / "P01.xdf", root, media=True)
    assert not root.exists()
    export_bids(tmp_path / "P01.xdf", root)
    assert not list(root.rglob("*.wav"))


def test_a_recording_is_exported_once_and_the_next_is_another_session(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "BIDS"
    command = ["export-bids", str(recording.parent), "--out", str(root)]
    assert main(command) == 0
    assert "EEG with 3 events in sub-P01/ses-01" in capsys.readouterr().out
    assert main(command) == 2
    assert "is in" in (said := capsys.readouterr().err)
    assert "as ses-01" in said
    short_recording(tmp_path / "second.xdf")
    assert export_bids(tmp_path / "second.xdf", root).session == "02"
    short_recording(tmp_path / "c.xdf", consent=replace(CONSENT, person="P0-1"))
    with pytest.raises(InputRefused, match="would have the same label"):
        export_bids(tmp_path / "c.xdf", root)


def test_nothing_is_written_into_a_folder_of_other_things(
    recording: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("")
    with pytest.raises(InputRefused, match="no BIDS dataset"):
        export_bids(recording, tmp_path)


def test_an_export_that_fails_leaves_nothing_and_can_be_repeated(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("eav_offline.data.sessions.bids._describe_recording", full)
        with pytest.raises(OSError, match="No space"):
            export_bids(recording, tmp_path)
    assert not list(tmp_path.rglob("*.eeg"))
    assert export_bids(recording, tmp_path).session == "01"


def test_without_mne_bids_it_says_how_to_have_it(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mne_bids", None)
    with pytest.raises(InputRefused, match=r"eav-live\[bids\]"):
        export_bids(recording, tmp_path)


def test_a_person_is_forgotten_in_the_dataset_too(
    recording: Path, tmp_path: Path
) -> None:
    root = tmp_path / "BIDS"
    export_bids(recording, root)
    short_recording(tmp_path / "b.xdf", consent=replace(CONSENT, person="P02"))
    export_bids(tmp_path / "b.xdf", root)
    assert live(["forget", "P01", "--in", str(root), "--yes"]) == 0
    left = {path.name for path in root.rglob("sub-*") if path.is_dir()}
    assert left == {"sub-P02"}
    people = table(root / "participants.tsv")
    assert [row["participant_id"] for row in people] == ["sub-P02"]
