"""Import: a recorded session becomes the subject that was recorded."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from recorded import (
    CONSENT,
    T0,
    FakeSession,
    audio_arrival,
    eeg_arrival,
    record_trial,
    recorder,
)

from eav_offline.cli import main
from eav_offline.data.cache import open_prepared
from eav_offline.data.dataset import imported_person, is_synthetic
from eav_offline.data.eav.subject import open_subject
from eav_offline.data.media import iter_frames, rgb
from eav_offline.data.prepared import prepare_root
from eav_offline.data.recording import Recording
from eav_offline.data.sessions.importing import (
    ImportRefused,
    import_sessions,
    marked_trials,
)
from eav_offline.data.sessions.session import Marker

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def originals(synthetic_subject: Path) -> list[Recording]:
    """A speaking, a listening, and another speaking trial."""
    subject = open_subject(synthetic_subject)
    return [subject.recording(trial) for trial in (2, 3, 4)]


@pytest.fixture(scope="module")
def recording(
    originals: list[Recording], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Those three trials, half a minute apart, as they would have been recorded."""
    path = tmp_path_factory.mktemp("recorded") / "s.xdf"
    session = FakeSession()
    with recorder(path, session) as made:
        for i, original in enumerate(originals):
            record_trial(session, made, original, T0 + 30 * i, note="synthetic")
    assert made.status.lost == 0
    return path


@pytest.fixture(scope="module")
def imported(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("imported")
    summary = import_sessions([recording], root, 3)
    assert not summary.left_out
    return summary.folder


def test_the_trials_are_those_that_were_recorded(
    imported: Path, originals: list[Recording]
) -> None:
    subject = open_subject(imported)
    assert subject.n_trials == 3
    for i, original in enumerate(originals, 1):
        found = subject.recording(i)
        assert (found.emotion, found.task) == (original.emotion, original.task)
        assert found.eeg_uv is not None
        assert original.eeg_uv is not None
        scale = np.abs(original.eeg_uv).max()
        assert np.abs(found.eeg_uv - original.eeg_uv).max() <= 1e-6 * scale
        if original.audio is not None:
            assert found.audio is not None
            np.testing.assert_array_equal(found.audio, original.audio)
            assert found.audio_rate == original.audio_rate
        else:
            assert found.audio is None


def test_the_kept_frames_are_those_that_were_recorded(
    imported: Path, originals: list[Recording]
) -> None:
    found = open_subject(imported).recording(1)
    assert found.video is not None
    assert originals[0].video is not None
    before = iter_frames(originals[0].video)
    after = iter_frames(found.video)
    for k, ((t, ours), (u, theirs)) in enumerate(zip(after, before, strict=True)):
        assert t == pytest.approx(u, abs=1e-6)
        if k % 6 == 0:
            np.testing.assert_array_equal(rgb(ours), rgb(theirs))


def test_it_can_be_prepared_and_carries_the_persons_code(
    imported: Path, tmp_path: Path
) -> None:
    summary = prepare_root(imported.parent, tmp_path / "cache", jobs=1)
    assert summary.windows == {3: 8}
    prepared = open_prepared(tmp_path / "cache", 3)
    assert prepared.present.all()
    assert prepared.meta["person"] == imported_person(imported) == "P01"
    assert prepared.synthetic


def test_a_recorded_replay_of_synthetic_people_stays_synthetic(imported: Path) -> None:
    assert is_synthetic(imported)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_all_of_it_is_readable_by_its_owner_only(imported: Path) -> None:
    assert not [p for p in (imported, *imported.rglob("*")) if p.stat().st_mode & 0o077]


def test_where_each_trial_came_from_is_written_down(imported: Path) -> None:
    about = json.loads((imported / "IMPORTED.json").read_text())
    assert about["recordings"] == ["s.xdf"]
    assert [t["recorded_as"] for t in about["trials"]] == [2, 3, 4]


def test_a_subject_that_is_there_is_not_overwritten(
    recording: Path, imported: Path
) -> None:
    with pytest.raises(ImportRefused, match="nothing is overwritten"):
        import_sessions([recording], imported.parent, 3)


def start(trial: int, t: float, emotion: str = "Anger") -> Marker:
    text = {"event": "trial_start", "trial": trial, "task": "Speaking"}
    return Marker(t, json.dumps({**text, "emotion": emotion}), "m")


def event(name: str, trial: int, t: float) -> Marker:
    return Marker(t, json.dumps({"event": name, "trial": trial}), "m")


def test_of_several_attempts_the_last_whole_one_counts() -> None:
    markers = [
        *(start(1, 0), event("trial_end", 1, 20)),
        *(start(1, 30), event("trial_end", 1, 50.05)),
        *(start(1, 60), event("trial_end", 1, 65)),
        *(start(2, 70), event("trial_end", 2, 90)),
    ]
    trials, left_out = marked_trials(markers, 20.0)
    assert [(t.number, t.begin) for t in trials] == [(1, 30), (2, 70)]
    assert left_out == {}


def test_a_trial_to_be_repeated_does_not_count() -> None:
    markers = [start(1, 0), event("trial_end", 1, 20), event("trial_repeat", 1, 22)]
    assert marked_trials(markers, 20.0) == ([], {1: "it was to be repeated"})
    again = [*markers, start(1, 30), event("trial_end", 1, 50)]
    assert [t.begin for t in marked_trials(again, 20.0)[0]] == [30]


def test_trials_that_are_short_endless_or_unknown_are_left_out() -> None:
    markers = [
        start(1, 0),
        *(start(2, 30), event("trial_end", 2, 40)),
        *(start(3, 60, "Envy"), event("trial_end", 3, 80)),
        Marker(81, "no json", "m"),
        Marker(82, '{"trial": "5"}', "m"),
    ]
    trials, left_out = marked_trials(markers, 20.0)
    assert trials == []
    assert left_out == {
        1: "it has no end",
        2: "it lasted 10.0 s of 20 s",
        3: "its task or emotion is unknown",
    }


def test_a_marker_that_a_replay_repeated_is_no_second_trial() -> None:
    text = {"trial": 4, "task": "speaking", "emotion": "sadness", "seconds": 20.0}
    said = [Marker(7, json.dumps(text), "m")] * 3
    cued = [start(5, 30), start(5, 30), event("trial_end", 5, 50)]
    for markers, begin in ((said, 7), (cued, 30)):
        trials, left_out = marked_trials(markers, 20.0)
        assert [t.begin for t in trials] == [begin]
        assert left_out == {}


def test_the_markers_of_a_replay_are_trials_too() -> None:
    text = {"trial": 4, "task": "speaking", "emotion": "sadness", "seconds": 20.0}
    trials, _ = marked_trials([Marker(7, json.dumps(text), "m")], 20.0)
    assert [(t.number, t.emotion, t.begin, t.end) for t in trials] == [(4, 1, 7, 27)]


def mark_trial(made, number: int, t0: float) -> None:  # type: ignore[no-untyped-def]
    about = {"trial": number, "task": "Speaking", "emotion": "Anger"}
    made.mark({"event": "trial_start", **about}, t0)
    made.mark({"event": "trial_end", **about}, t0 + 20)


def test_eeg_of_another_rate_is_resampled(tmp_path: Path) -> None:
    seconds = np.arange(24 * 1000) / 1000
    tone = np.tile(np.sin(2 * np.pi * 10 * seconds), (30, 1)).astype("f4") * 50 + 2000
    session = FakeSession()
    with recorder(tmp_path / "s.xdf", session) as made:
        session.sources["eeg"].offer(eeg_arrival(tone, T0, rate=1000.0))
        mark_trial(made, 1, T0 + 2)
    summary = import_sessions([tmp_path / "s.xdf"], tmp_path, 1)
    found = open_subject(summary.folder).recording(1).eeg_uv
    assert found is not None
    expected = 50 * np.sin(2 * np.pi * 10 * (2 + np.arange(10_000) / 500)) + 2000
    assert np.abs(found - expected).max() < 0.5


def test_a_gap_in_the_eeg_costs_its_trial_and_no_other(tmp_path: Path) -> None:
    eeg = np.ones((30, 500 * 25), dtype="f4")
    session = FakeSession()
    with recorder(tmp_path / "s.xdf", session) as made:
        session.sources["eeg"].offer(eeg_arrival(eeg[:, :5000], T0))
        session.sources["eeg"].offer(eeg_arrival(eeg[:, :6000], T0 + 10.1))
        session.sources["eeg"].offer(eeg_arrival(eeg, T0 + 50))
        mark_trial(made, 1, T0 + 1)
        mark_trial(made, 2, T0 + 51)
    summary = import_sessions([tmp_path / "s.xdf"], tmp_path, 1)
    assert summary.left_out == {"s.xdf, trial 1": "its EEG is missing or has a gap"}
    assert [t["recorded_as"] for t in summary.trials] == [2]
    assert summary.without == {"trial 1": "sound, video"}


def test_a_drifting_clock_does_not_move_the_cut(tmp_path: Path) -> None:
    """100 ppm fast over 200 s are 20 ms: ten samples, if they were counted."""
    n = 500 * 200
    counted = np.tile(np.arange(n, dtype="f4") % 1000, (30, 1))
    session = FakeSession()
    with recorder(tmp_path / "s.xdf", session) as made:
        arrival = eeg_arrival(counted, T0)
        stamps = T0 + np.arange(n) / (500 * (1 + 1e-4))
        made.take(type(arrival)(**{**vars(arrival), "stamps": stamps}))
        mark_trial(made, 1, T0 + 170)
    summary = import_sessions([tmp_path / "s.xdf"], tmp_path, 1)
    found = open_subject(summary.folder).recording(1).eeg_uv
    assert found is not None
    index = round(170 * 500 * (1 + 1e-4))
    assert found[0, 0] == pytest.approx(index % 1000, abs=1.01)


def test_recordings_of_two_people_make_no_subject(tmp_path: Path) -> None:
    from dataclasses import replace

    for name, person in (("a", "P01"), ("b", "P02")):
        consent = replace(CONSENT, person=person)
        with recorder(tmp_path / f"{name}.xdf", FakeSession(), consent=consent):
            pass
    with pytest.raises(ImportRefused, match="of several people"):
        import_sessions([tmp_path / "a.xdf", tmp_path / "b.xdf"], tmp_path, 1)


def test_a_recording_without_trials_is_refused(tmp_path: Path) -> None:
    session = FakeSession()
    with recorder(tmp_path / "s.xdf", session):
        sound = np.zeros(8000, dtype="f4")
        session.sources["audio"].offer(audio_arrival(sound, T0, 8000))
    status = main(
        ["import", str(tmp_path / "s.xdf"), "--out", str(tmp_path), "--subject", "1"]
    )
    assert status == 2
    assert not (tmp_path / "subject1").exists()
