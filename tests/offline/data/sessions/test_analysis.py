"""A recording comes into MNE, pandas and NumPy as it was recorded."""

import csv
import doctest
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from readme import snippet
from recorded import (
    T0,
    FakeSession,
    audio_arrival,
    eeg_arrival,
    recorder,
    short_recording,
)

import eav_live
from eav_offline.common.errors import InputRefused
from eav_offline.core.window import EEG_CHANNELS
from eav_offline.data.sessions import analysis
from eav_offline.data.sessions.analysis import RecordedSession, read_session
from eav_offline.data.sessions.estimates import COLUMNS, write_csv
from eav_offline.data.sessions.session import PREDICTION_COLUMNS

GAP = 0.5  # seconds that the EEG pauses for


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one recording, whole."""
    place = tmp_path_factory.mktemp("recorded")
    np.save(place / "eeg.npy", short_recording(place / "P01.xdf"))
    return place


@pytest.fixture(scope="module")
def session(place: Path) -> RecordedSession:
    return eav_live.read_session(place)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> RecordedSession:
    path = tmp_path_factory.mktemp("broken") / "P01.xdf"
    short_recording(path, GAP)
    return read_session(path)


def test_the_example_of_read_session_is_true(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    (example,) = doctest.DocTestFinder().find(analysis.read_session, "read_session")
    told: list[str] = []
    doctest.DocTestRunner().run(example, out=told.append)
    assert "".join(told) == ""


def test_raw_has_the_samples_in_volts_at_the_electrodes_places(
    place: Path, session: RecordedSession
) -> None:
    raw = session.raw()
    assert raw.ch_names == list(EEG_CHANNELS)
    uv = raw.get_data(units="uV")
    np.testing.assert_allclose(uv, np.load(place / "eeg.npy"), rtol=1e-5, atol=1e-4)
    where = raw.get_montage().get_positions()["ch_pos"]
    assert where["Fp1"][0] < 0 < where["Fp2"][0]  # left and right, meters
    assert raw.info["subject_info"]["his_id"] == "P01"
    assert raw.info["bads"] == []


def test_annotations_are_trials_markers_and_estimates_at_their_times(
    session: RecordedSession,
) -> None:
    notes = session.raw().annotations
    found = [(n["description"], n["onset"], n["duration"]) for n in notes]
    assert [text for text, _, _ in found] == [
        *("trial/speaking/happiness", "pause", "estimate/anger"),
        *("estimate/anger", "estimate/anger"),
    ]
    times = [(onset, seconds) for _, onset, seconds in found]
    expected = [(1, 3), (2, 0), (3, 0), (3.5, 0), (4, 0)]
    np.testing.assert_allclose(times, expected, atol=1e-3)
    without = session.raw(estimates=False).annotations
    assert set(without.description) == {"trial/speaking/happiness", "pause"}


def test_a_gap_is_kept_as_long_as_it_was_and_what_follows_lies_where_it_was(
    broken: RecordedSession,
) -> None:
    raw = broken.raw()
    assert raw.n_times == 2500 + GAP * 500
    (skip,) = [n for n in raw.annotations if n["description"] == "BAD_ACQ_SKIP"]
    assert (skip["onset"], skip["duration"]) == pytest.approx((3.0, GAP), abs=1e-6)
    assert not raw.get_data()[:, 1500:1750].any()
    assert raw.get_data()[:, 1750:].any(axis=1).all()
    last = [n["onset"] for n in raw.annotations if n["description"] != "pause"][-1]
    assert last == pytest.approx(4.0, abs=1e-3)


def test_annotations_follow_an_amplifier_whose_clock_drifts(tmp_path: Path) -> None:
    rate = 500 * 1.01  # far more than any, so that two seconds tell
    session = FakeSession()
    with recorder(tmp_path / "a.xdf", session) as made:
        arrival = eeg_arrival(np.ones((30, 5000), np.float32), T0)
        drifting = T0 + np.arange(5000) / rate
        object.__setattr__(arrival, "stamps", drifting)
        session.sources["eeg"].offer(arrival)
        made.mark({"event": "beep"}, float(drifting[4000]))
    (note,) = read_session(tmp_path / "a.xdf").raw().annotations
    assert note["onset"] == pytest.approx(4000 / 500, abs=0.02)  # not 4000 / 505


def test_marks_and_notes_are_annotations_by_what_they_say(tmp_path: Path) -> None:
    session = FakeSession()
    with recorder(tmp_path / "a.xdf", session) as made:
        session.sources["eeg"].offer(eeg_arrival(np.ones((30, 1000), np.float32), T0))
        made.mark({"mark": "baseline"}, T0 + 0.5)
        made.mark({"note": "gel dried"}, T0 + 1)
    notes = read_session(tmp_path / "a.xdf").raw().annotations
    assert list(notes.description) == ["baseline", "gel dried"]


def test_a_trial_that_the_recordings_end_cut_ends_there(tmp_path: Path) -> None:
    session = FakeSession()
    with recorder(tmp_path / "a.xdf", session) as made:
        session.sources["eeg"].offer(eeg_arrival(np.ones((30, 1000), np.float32), T0))
        trial = {"trial": 1, "task": "speaking", "emotion": "anger", "seconds": 20.0}
        made.mark(trial, T0 + 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # MNE warns of what it cuts
        (note,) = read_session(tmp_path / "a.xdf").raw().annotations
    assert (note["onset"], note["duration"]) == pytest.approx((0.5, 1.5), abs=1e-3)


def test_arrays_hold_everything_with_its_times(
    place: Path, session: RecordedSession
) -> None:
    arrays = session.arrays()
    eeg_uv = np.load(place / "eeg.npy")
    np.testing.assert_allclose(arrays["eeg"], eeg_uv, rtol=1e-5, atol=1e-4)
    expected = T0 + np.arange(2500) / 500
    np.testing.assert_allclose(arrays["eeg_times"], expected, atol=1e-6)
    assert arrays["audio"].shape == arrays["audio_times"].shape == (40_000,)
    np.testing.assert_allclose(arrays["frame_times"] - T0, [0, 0.2, 0.4], atol=1e-6)
    assert len(arrays["markers"]) == len(arrays["marker_times"]) == 3
    assert arrays["estimates"].shape == (4, len(PREDICTION_COLUMNS))
    row = dict(zip(PREDICTION_COLUMNS, arrays["estimates"][0], strict=True))
    assert row["fused_anger"] == pytest.approx(0.4)
    assert np.isnan([row["video_anger"], row["fused_calmness"]]).all()


def test_estimates_come_as_a_table_of_pandas(session: RecordedSession) -> None:
    pytest.importorskip("pandas")
    table = session.predictions()
    assert list(table.columns) == list(COLUMNS)
    assert table["label"].tolist()[1:] == ["anger"] * 3
    assert table["label"].isna().tolist() == [True, False, False, False]
    assert table["fused_happiness"].dtype == float
    assert set(table["present"]) == {"eeg+audio"}
    assert set(table["model"]) == {"toy"}


def test_without_pandas_the_table_is_refused_with_the_way_to_have_it(
    session: RecordedSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputRefused, match=r"eav-live\[analysis\]"):
        session.predictions()


def test_the_table_as_csv_says_what_the_recording_says(
    session: RecordedSession, tmp_path: Path
) -> None:
    assert write_csv(session.contents, tmp_path / "e.csv") == 4
    rows = list(csv.DictReader((tmp_path / "e.csv").open(encoding="utf-8")))
    assert [row["label"] for row in rows] == ["", "anger", "anger", "anger"]
    assert {row["person"] for row in rows} == {"P01"}
    assert float(rows[0]["t"]) == T0 + 2.5
    assert float(rows[0]["eeg_happiness"]) == pytest.approx(0.3)
    assert (rows[0]["video_anger"], rows[0]["fused_calmness"]) == ("", "")


def test_a_recording_without_eeg_makes_no_raw_but_arrays(tmp_path: Path) -> None:
    session = FakeSession()
    with recorder(tmp_path / "a.xdf", session):
        sound = np.zeros(800, np.float32)
        session.sources["audio"].offer(audio_arrival(sound, T0, 8000.0))
    silent = read_session(tmp_path / "a.xdf")
    with pytest.raises(InputRefused, match="holds no EEG"):
        silent.raw()
    assert silent.arrays()["eeg"].shape == (30, 0)
    assert silent.arrays()["estimates"].shape == (0, 25)


def test_a_folder_of_none_or_several_recordings_is_refused(
    place: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputRefused, match=r"there are 0 \(none\)"):
        read_session(tmp_path)
    for name in ("a.xdf", "b.XDF"):
        (tmp_path / name).symlink_to(place / "P01.xdf")
    with pytest.raises(InputRefused, match=r"there are 2 \(a.xdf, b.XDF\)"):
        read_session(tmp_path)


def test_the_analysis_of_the_readme_runs(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pandas")
    monkeypatch.chdir(place)
    names: dict[str, object] = {}
    exec(snippet("read_session"), names)
    assert len(names["table"]) == 4  # type: ignore[arg-type]
    assert len(names["raw"].ch_names) == 30  # type: ignore[attr-defined]
