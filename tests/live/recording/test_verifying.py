"""Is a recording all there: each fault that one can have is named."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recorded import (
    T0,
    FakeSession,
    audio_arrival,
    eeg_arrival,
    frame_arrival,
    recorder,
)

from eav_live import cli
from eav_live.outlets.headers import StreamHeader
from eav_live.recognition.predictions import Prediction
from eav_live.recording.frame_file import FrameFile
from eav_live.recording.recorder import Recorder
from eav_live.recording.verifying import verify, verify_at_end
from eav_live.recording.xdf_writer import BOUNDARY, WholeFile, XdfWriter
from eav_live.streams import Arrival
from eav_offline.core.electrodes import Channel
from eav_offline.data.sessions.outline import read_outline
from eav_offline.data.sessions.xdf import read_xdf

SECONDS = 4
SETTINGS = {
    "streams": {"eeg": "Amp", "audio": "mic", "video": "camera"},
    "model": {"name": "m"},
}
Change = Callable[[Arrival], Arrival | None]


def estimate(t: float) -> Prediction:
    p = np.full(5, 0.2)
    by_modality = {"eeg": p, "audio": None, "video": None}
    return Prediction(
        t, p, p, by_modality, ("eeg",), {}, "anger", None, 0.1, 0.1, hop_s=0.5
    )


def arrivals() -> list[Arrival]:
    """Four seconds of everything, in order."""
    rng = np.random.default_rng(1)
    image = np.zeros((32, 32, 3), dtype=np.uint8)
    made = []
    for i in range(5 * SECONDS):
        t = T0 + i / 5
        eeg_uv = (40 * rng.standard_normal((30, 100))).astype(np.float32)
        made.append(eeg_arrival(eeg_uv, t))
        made.append(audio_arrival(np.zeros(1600, dtype=np.float32), t, 8000))
        made.append(frame_arrival(image + i, t, i == 0))
    return made


def record(
    path: Path,
    change: Change = lambda arrival: arrival,
    answers: bool = True,
    settings: dict[str, object] = SETTINGS,
) -> Recorder:
    """A recording of what `change` leaves of the arrivals."""
    session = FakeSession()
    with recorder(path, session, settings) as made:
        made.mark({"event": "trial_start", "trial": 1}, T0 + 0.5)
        for arrival in filter(None, map(change, arrivals())):
            session.sources[arrival.modality].offer(arrival)
        if answers:
            session.say(estimate(T0 + 2.0))
    return made


def without(modality: str, after: float = 0.0, before: float = 99.0) -> Change:
    """Nothing of a modality in a stretch of time, seconds from the beginning."""

    def change(arrival: Arrival) -> Arrival | None:
        t = arrival.stamps[0] - T0 + 1e-6
        gone = arrival.modality == modality and after <= t < before
        return None if gone else arrival

    return change


def slower(arrival: Arrival) -> Arrival:
    """EEG of 450 Hz that is said to have 500."""
    if arrival.modality != "eeg":
        return arrival
    return replace(arrival, stamps=T0 + (arrival.stamps - T0) * 500 / 450)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.xdf"


def test_a_whole_recording_has_no_fault_and_its_figures_are_right(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(path)
    assert cli.main(["verify", str(path), "--marker", "trial_start"]) == 0
    said = capsys.readouterr().out
    assert "s.xdf is whole: 4.0 s of EEG, Voice, Face" in said
    assert "estimates: 1 in 1 windows" in said
    found = verify(path)
    lanes = {lane.what: lane for lane in found.lanes}
    assert [lanes[w].n for w in ("EEG", "Voice", "Face")] == [2000, 32000, 20]
    assert lanes["EEG"].measured == pytest.approx(500, rel=1e-6)
    assert lanes["Voice"].measured == pytest.approx(8000, rel=1e-6)
    assert found.frames == {"s.mkv": 20}
    assert found.markers == {"trial_start": 1}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("audio"), "Voice: no such stream was recorded; expected one from mic"),
        (without("eeg", 1, 2), "EEG: 1 gap of 1.00 s in all, the first at 1.0 s"),
        (without("video", 1, 2.5), "Face: 1 gap of 1.60 s in all"),
        (without("audio", 0.6), "Voice: it ends 3.4 s before the recording does"),
        (slower, "EEG: 450.00 samples a second; expected 500 to 2%"),
    ],
    ids=["missing", "gap", "frames-gap", "lost", "rate"],
)
def test_what_is_wrong_with_a_stream_is_named(
    change: Change, said: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(path, change)
    assert cli.main(["verify", str(path)]) == 1
    faults = [x for x in capsys.readouterr().out.splitlines() if "fault:" in x]
    assert len(faults) == 1
    assert said in faults[0]


def test_a_stream_that_was_not_asked_for_is_not_missed(path: Path) -> None:
    streams = {"streams": {"eeg": "Amp", "audio": "none", "video": "camera"}}
    record(path, without("audio"), settings=streams)
    assert verify(path).faults == ()


def test_an_empty_stream_is_named(path: Path) -> None:
    with WholeFile(path) as file:
        writer = XdfWriter(file, {})
        writer.add_stream(StreamHeader("A", "EEG", "float32", 500.0, (Channel("x"),)))
        writer.finish()
    (fault,) = verify(path).faults
    assert str(fault).startswith("EEG: the stream 'A' is empty; expected samples.")


def test_a_file_cut_short_says_where_it_ends_and_gives_what_is_whole(
    path: Path,
) -> None:
    record(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    found = verify(path)
    told = "\n".join(map(str, found.faults))
    assert "it breaks off in the middle of a chunk" in told
    assert f"what is whole lasts {found.seconds:.1f} s" in told
    assert "it was not ended properly" in told
    lanes = {lane.what: lane for lane in found.lanes}
    assert 500 < lanes["EEG"].n < 1500
    assert lanes["EEG"].end == pytest.approx(lanes["EEG"].n / 500, abs=0.01)


def test_wherever_a_file_is_cut_or_damaged_the_rest_is_read(path: Path) -> None:
    record(path)
    content = path.read_bytes()
    for size in np.linspace(4, len(content), 8).astype(int):
        path.write_bytes(content[:size])
        cut, whole = read_outline(path), read_xdf(path)
        assert sum(s.n for s in cut.streams) == sum(
            len(s.stamps) for s in whole.streams
        )
    at = content.index(BOUNDARY) // 2
    path.write_bytes(content[:at] + b"\xff" * 40 + content[at + 40 :])
    found = read_outline(path)
    assert 40 <= found.damaged < len(content)
    assert not found.cut


@pytest.mark.parametrize("until", [1.8, 2.2])
def test_a_replay_pauses_between_trials_and_for_no_other_time(
    tmp_path: Path, until: float
) -> None:
    def replayed(arrival: Arrival) -> Arrival | None:
        kept = without("eeg", 1.0, until)(arrival)
        if kept is None or kept.modality != "eeg":
            return kept
        return replace(kept, origin=replace(kept.origin, note="synthetic"))

    record(path := tmp_path / "s.xdf", replayed)
    faults = [str(fault) for fault in verify(path).faults]
    assert any("EEG: 1 gap of 1.20 s" in fault for fault in faults) is (until == 2.2)
    assert len(faults) == (until == 2.2)


def stretches_of(stamps: np.ndarray, gap: float = 0.05) -> list[list[float]]:
    """Begin, end and number of the stamps between two gaps, one by one."""
    found: list[list[float]] = []
    for i, stamp in enumerate(stamps):
        if i == 0 or abs(stamp - stamps[i - 1]) > gap:
            found.append([stamp, stamp, 0])
        found[-1][1:] = [stamp, found[-1][2] + 1]
    return found


def test_stretches_of_the_outline_are_those_of_the_whole_files_stamps(
    path: Path,
) -> None:
    """Stated at every sample, now and then, hardly ever, and in between."""
    rng = np.random.default_rng(2)
    kinds = (0.0, 1e-3, 0.0), (0.0, 0.0, 0.0), (1e-3, 1e-3, 1e-3)
    with WholeFile(path) as file:
        writer = XdfWriter(file, {})
        for i, jitters in enumerate(kinds):
            header = StreamHeader(f"{i}", "EEG", "int16", 100.0, (Channel("x"),) * 3)
            number = writer.add_stream(header)
            stamps = 10 + np.arange(900) / 100
            stamps[450:] += 0.06  # a gap within a chunk
            stamps[600:] += 1.0  # and between two
            stamps[800:] -= 5.0  # a clock that jumped
            for part, jitter in zip(np.split(stamps, 3), jitters, strict=True):
                moved = part + rng.uniform(0, jitter, 300) * (rng.random(300) < 0.3)
                writer.samples(number, np.ones((300, 3), dtype=np.int16), moved)
        writer.finish()
    for outline, stream in zip(
        read_outline(path).streams, read_xdf(path).streams, strict=True
    ):
        stretches = stretches_of(stream.stamps)
        np.testing.assert_allclose(outline.stretches, stretches, atol=1e-9)
        assert outline.stated == 900


@pytest.mark.parametrize("left", [0, 15])
def test_frames_that_are_fewer_than_their_stamps_are_named(
    left: int, path: Path
) -> None:
    record(path)
    path.with_suffix(".mkv").unlink()
    if left:
        frames = FrameFile(path.with_suffix(".mkv"), (32, 32))
        for i in range(left):
            frames.add(np.zeros((32, 32, 3), dtype=np.uint8), i / 5)
        frames.close()
    (fault,) = verify(path).faults
    found = "15 frames" if left else "there is no such file"
    assert str(fault).startswith(f"s.mkv: {found}; expected 20, one for each stamp")


def test_a_marker_that_is_missing_is_named(path: Path) -> None:
    record(path)
    (fault,) = verify(path, ["trial_start", "baseline"]).faults
    assert "'baseline' was never marked (trial_start)" in str(fault)


def test_markers_that_are_documents_are_told_in_a_line_and_kept_whole(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = [f"<?xml?>\n<info>\n{i:02d}" + "\t<desc/>\n" * 99 for i in range(22)]
    with recorder(path, FakeSession(), {}) as made:
        for i, document in enumerate(documents):
            made.mark({"event": document}, T0 + i / 10)
    assert cli.main(["verify", str(path), "--marker", "baseline"]) == 1
    said = capsys.readouterr().out.splitlines()
    (line,) = (line for line in said if line.startswith("  markers: "))
    assert line.startswith(
        "  markers: 1 <?xml?> <info> 00 <desc/> <desc/> <de\u2026, 1 <"
    )
    assert line.endswith("\u2026, 2 more")
    (fault,) = (line for line in said if "'baseline' was never marked (" in line)
    assert len(fault) < 1200
    assert list(verify(path).markers) == documents


def test_a_session_with_a_model_and_no_estimate_is_at_fault(path: Path) -> None:
    record(path, answers=False)
    (fault,) = verify(path).faults
    assert str(fault).startswith("estimates: none in 0 windows")


def test_a_folder_is_looked_through_and_told_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "a.xdf")
    record(tmp_path / "b.xdf", without("video"))
    assert cli.main(["verify", str(tmp_path), "--json", "-"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert [one["ok"] for one in said["recordings"]] == [True, False]
    assert said["faults"] == 1
    assert said["recordings"][1]["faults"][0]["where"] == "Face"


@pytest.mark.parametrize(
    "content", [None, b"", b"no recording"], ids=["none", "empty", "other"]
)
def test_what_is_no_recording_is_refused(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "x.xdf").write_bytes(content)
    assert cli.main(["verify", str(tmp_path)]) == 2
    assert "error: " in capsys.readouterr().err


def test_the_end_of_a_recording_says_how_it_is_and_raises_nothing(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record(path, without("eeg", 1, 2))
    assert "s.xdf has 1 fault: EEG: 1 gap of 1.00 s" in verify_at_end(path)
    assert [r.levelname for r in caplog.records][-2:] == ["ERROR", "ERROR"]
    assert "EEG: 1 gap of 1.00 s" in caplog.text
    assert "s.xdf has 1 fault" in caplog.text
    verify_at_end(path.with_name("gone.xdf"))
    assert "gone.xdf cannot be looked through" in caplog.text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("empty_streams", ["is empty", "is empty"]),
        ("eeglab_test_8ch_1000Hz", []),
        ("clock_resets", ["its clock jumped by 6.53e+05 s"]),
    ],
)
def test_recordings_of_other_programs_are_looked_through(
    name: str, said: list[str], test_data: Callable[[str], Path]
) -> None:
    found = verify(test_data(f"xdf_samples/{name}.xdf"))
    told = [str(fault) for fault in found.faults]
    for part in said:
        told.remove(next(fault for fault in told if part in fault))
    assert not told or name == "clock_resets"
    assert all(lane.n for lane in found.lanes) or name == "empty_streams"
