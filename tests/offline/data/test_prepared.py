import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from eav_layout import EMOTION, audio_path, video_path, write_subject

from eav_offline.cli import main
from eav_offline.data import prepared
from eav_offline.data.cache import (
    PreparedError,
    content_key,
    list_prepared,
    open_prepared,
    read_meta,
    verify,
)
from eav_offline.data.eav.files import DatasetError
from eav_offline.data.eav.subject import open_subject
from eav_offline.data.prepared import prepare_root
from eav_offline.data.recipe import make_recipe, recipe_key
from eav_offline.data.recording import cut, track_faces, window_ends
from eav_offline.preprocess import PreprocessSettings, prepare
from eav_offline.preprocess.face import FaceTracker

SETTINGS = PreprocessSettings(face_size=16)
ARRAYS = ("eeg", "log_mel", "faces", "face_found", "wave", "trial", "present")


@pytest.fixture(scope="module")
def subject1(tmp_path_factory):
    """Trial 2 is complete, 4 and 6 lack video, 8 and 10 sound too."""
    subject = write_subject(tmp_path_factory.mktemp("eav") / "subject1")
    for trial in (4, 6, 8, 10):
        video_path(subject, trial).unlink()
    for trial in (8, 10):
        audio_path(subject, trial).unlink()
    return subject


@pytest.fixture(scope="module")
def cache(subject1, tmp_path_factory):
    """Subject 1, prepared by two processes."""
    out = tmp_path_factory.mktemp("cache")
    steps = []
    prepare_root(
        subject1.parent,
        out,
        settings=SETTINGS,
        progress=lambda *step: steps.append(step),
    )
    assert steps[-1] == (5, 5)
    assert steps == sorted(steps)
    return out


@pytest.fixture
def root(subject1, tmp_path):
    shutil.copytree(subject1, tmp_path / "eav" / "subject1")
    return tmp_path / "eav"


def quick(root, out, **options):
    """Prepare in this process."""
    return prepare_root(root, out, **{"settings": SETTINGS, "jobs": 1, **options})


def assert_same_windows(one, other):
    for name in ARRAYS:  # 1e-4: rounding; whole numbers are the same
        np.testing.assert_allclose(
            getattr(one, name), getattr(other, name), rtol=0, atol=1e-4
        )


def test_cached_windows_are_those_prepare_gives(cache, subject1):
    windows = open_prepared(cache, 1)
    subject, tracker = open_subject(subject1), FaceTracker()
    for trial in (2, 10):
        recording = subject.recording(trial)
        tracker.reset()
        faces = track_faces(recording, tracker)
        rows = np.flatnonzero(windows.trial == trial)
        for row, t_end in zip(rows, window_ends(20.0), strict=True):
            expected = prepare(cut(recording, faces, t_end), SETTINGS)
            cached = windows.inputs(row)
            assert cached.present == expected.present
            np.testing.assert_allclose(cached.eeg, expected.eeg, rtol=1e-5, atol=1e-5)
            if trial == 2:
                np.testing.assert_allclose(cached.log_mel, expected.log_mel, atol=1e-4)
                np.testing.assert_array_equal(cached.faces, expected.faces)
                np.testing.assert_array_equal(cached.face_found, expected.face_found)


def test_the_offset_that_the_filter_takes_away_is_kept(cache, subject1):
    windows, recording = open_prepared(cache, 1), open_subject(subject1).recording(4)
    rows = np.flatnonzero(windows.trial == 4)
    for i, row in enumerate(rows):
        start = round(5 * i * recording.eeg_rate)
        stop = start + round(5 * recording.eeg_rate)
        raw = recording.eeg_uv[:, start:stop]
        np.testing.assert_allclose(windows.offset[row], raw.mean(1), atol=1e-2)
    assert np.abs(windows.eeg.mean(2)).max() < np.abs(windows.offset).max()


def test_every_window_is_indexed_by_trial_position_emotion_and_task(cache):
    windows = open_prepared(cache, 1)
    assert len(windows) == 20
    assert windows.trial.tolist() == np.repeat([2, 4, 6, 8, 10], 4).tolist()
    assert windows.position.tolist() == [0, 1, 2, 3] * 5
    np.testing.assert_array_equal(windows.emotion, EMOTION[windows.trial - 1])
    assert windows.task.tolist() == [1] * 20
    assert (windows.subject, windows.synthetic) == (1, False)


def test_an_absent_modality_is_zeros_and_marked(cache):
    windows = open_prepared(cache, 1)
    present = {t: windows.present[windows.trial == t] for t in (2, 6, 8, 10)}
    assert present[2].all()
    assert present[6].tolist() == [[True, True, False]] * 4
    assert present[8].tolist() == [[True, False, False]] * 4
    assert not windows.faces[windows.trial == 6].any()
    assert not windows.wave[windows.trial == 8].any()
    assert windows.inputs(19).present == ("eeg",)


def test_sound_is_kept_at_16_khz(cache, subject1):
    windows = open_prepared(cache, 1)
    sound = open_subject(subject1).recording(4).audio  # is at 16 kHz in these files
    kept = windows.wave[windows.trial == 4].reshape(-1)
    np.testing.assert_array_equal(kept, sound)


def test_arrays_are_mapped_from_disk_and_inputs_are_copies(cache):
    windows = open_prepared(cache, 1)
    assert isinstance(windows.faces, np.memmap)
    inputs = windows.inputs(0)
    inputs.eeg[:] = 0  # would fail, or reach the disk, were it the mapping
    assert windows.eeg[0].any()


def test_meta_tells_the_making_but_not_where_the_data_lay(cache, subject1):
    text = (cache / "subject01" / "meta.json").read_text()
    meta = json.loads(text)
    assert meta["recipe"]["settings"] == {
        "eeg_reference": "as-recorded",
        "face_size": 16,
        "faces": True,
        "notch_hz": None,
    }
    assert meta["root"] == subject1.parent.name
    assert meta["versions"].keys() >= {"numpy", "torch"}
    assert str(subject1.parent.parent) not in text


def test_a_synthetic_subject_is_marked(root, tmp_path):
    (root / "subject1" / "SYNTHETIC.json").write_text('{"synthetic": true}')
    video_path(root / "subject1", 2).unlink()
    quick(root, tmp_path / "cache")
    assert open_prepared(tmp_path / "cache", 1).synthetic


def test_a_subject_with_a_damaged_mark_is_refused(root, tmp_path):
    (root / "subject1" / "SYNTHETIC.json").write_text('{"synth')
    assert quick(root, tmp_path / "cache").refused.keys() == {1}


def test_listening_windows_have_no_sound(root, tmp_path):
    summary = quick(root, tmp_path / "cache", task="listening")
    windows = open_prepared(tmp_path / "cache", 1)
    assert summary.windows == {1: 20}
    assert windows.trial.tolist() == np.repeat([1, 3, 5, 7, 9], 4).tolist()
    assert windows.task.tolist() == [0] * 20
    assert windows.present.tolist() == [[True, False, False]] * 20


def test_a_finished_subject_is_left_as_it_is(cache, subject1, monkeypatch):
    monkeypatch.setattr(prepared, "prepare_trial", None)  # any call would fail
    summary = quick(subject1.parent, cache)
    assert (summary.unchanged, summary.windows) == ([1], {})


def test_a_copy_of_the_data_counts_as_the_same(cache, root):
    assert quick(root, cache).unchanged == [1]


@pytest.fixture
def interrupted(root, tmp_path):
    """A cache whose making was broken off after two trials."""

    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quick(root, tmp_path / "cache", progress=stop)
    return tmp_path / "cache"


def test_what_an_interrupted_run_left_is_no_subject(interrupted):
    assert [p.name for p in interrupted.iterdir()] == ["subject01.partial"]
    assert list_prepared(interrupted) == []
    with pytest.raises(PreparedError, match="no subject 1"):
        open_prepared(interrupted, 1)


def test_an_interrupted_run_is_resumed_trial_by_trial(
    interrupted, root, cache, monkeypatch
):
    made = []
    once = prepared.prepare_trial
    monkeypatch.setattr(
        prepared,
        "prepare_trial",
        lambda recording, *rest: made.append(recording.trial) or once(recording, *rest),
    )
    # A piece that was being written when the process was killed counts for nothing.
    (interrupted / "subject01.partial" / "trial_006.unfinished").write_bytes(b"half")
    quick(root, interrupted)
    assert made == [6, 8, 10]
    assert_same_windows(open_prepared(interrupted, 1), open_prepared(cache, 1))
    assert [p.name for p in interrupted.iterdir()] == ["subject01"]


def test_a_subject_that_was_interrupted_ends_with_all_its_trials(interrupted, root):
    assert quick(root, interrupted).windows == {1: 20}
    trials, counts = np.unique(open_prepared(interrupted, 1).trial, return_counts=True)
    assert trials.tolist() == [2, 4, 6, 8, 10]
    assert counts.tolist() == [4] * 5


def test_trials_prepared_with_other_settings_are_not_taken_up(interrupted, root):
    other = PreprocessSettings(eeg_reference="average", face_size=16)
    quick(root, interrupted, settings=other)
    eeg = open_prepared(interrupted, 1).eeg
    assert np.abs(eeg.mean(axis=1)).max() < 1e-3


def test_a_subject_whose_files_changed_is_prepared_again(root, tmp_path):
    out = tmp_path / "cache"
    video_path(root / "subject1", 2).unlink()
    quick(root, out)
    audio_path(root / "subject1", 4).unlink()
    assert quick(root, out).windows == {1: 20}
    windows = open_prepared(out, 1)
    assert not windows.present[windows.trial == 4, 1].any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"settings": PreprocessSettings(face_size=32)}, "face_size 16 there and 32"),
        ({"task": "both"}, "task speaking there and both now"),
    ],
)
def test_a_cache_made_with_other_settings_is_refused(cache, root, options, message):
    with pytest.raises(PreparedError, match=message):
        quick(root, cache, **options)
    assert open_prepared(cache, 1).settings == SETTINGS


def test_settings_task_and_dataset_are_in_the_key_of_a_cache() -> None:
    recipes = [
        make_recipe(SETTINGS, "speaking"),
        make_recipe(SETTINGS, "both"),
        make_recipe(SETTINGS, "speaking", "ravdess"),
        make_recipe(replace(SETTINGS, face_size=32), "speaking"),
        make_recipe(replace(SETTINGS, faces=False), "speaking"),
        make_recipe(replace(SETTINGS, eeg_reference="average"), "speaking"),
    ]
    assert len({recipe_key(recipe) for recipe in recipes}) == len(recipes)


def test_a_damaged_trial_is_left_out_with_a_warning(root, tmp_path, caplog):
    for damaged in (audio_path(root / "subject1", 6), video_path(root / "subject1", 2)):
        damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    with caplog.at_level(logging.WARNING):
        summary = quick(root, tmp_path / "cache")
    assert summary.windows == {1: 12}
    assert summary.skipped[1].keys() == {2, 6}
    assert set(open_prepared(tmp_path / "cache", 1).trial) == {4, 8, 10}
    assert "trial 6 is left out" in caplog.text
    assert audio_path(root / "subject1", 6).name in summary.skipped[1][6]
    assert not summary.failed


def test_a_video_whose_frames_cannot_be_decoded_costs_its_trial(root, tmp_path):
    path = video_path(root / "subject1", 2)
    data = bytearray(path.read_bytes())
    start, stop = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[start:stop] = bytes(stop - start)  # every frame there, and all of them zeros
    path.write_bytes(data)
    assert quick(root, tmp_path / "cache").skipped[1].keys() == {2}


def test_a_refused_subject_does_not_stop_the_others(root, tmp_path, subject1):
    shutil.copytree(subject1, root / "subject2")
    shutil.copytree(subject1, root / "subject3")
    (root / "subject1" / "EEG" / "subject1_eeg_label.mat").unlink()
    eeg = root / "subject2" / "EEG" / "subject1_eeg.mat"
    eeg.write_bytes(eeg.read_bytes()[:-100_000])
    video_path(root / "subject3", 2).unlink()
    summary = quick(root, tmp_path / "cache")
    assert summary.refused.keys() == {1, 2}
    assert summary.windows == {3: 20}
    assert summary.failed
    assert list_prepared(tmp_path / "cache") == [3]
    assert "refused" in str(summary)
    json.dumps(summary.as_json())


def test_a_subject_that_is_not_there_is_refused_before_any_work(root, tmp_path):
    with pytest.raises(DatasetError, match="no subject 4; it has 1"):
        quick(root, tmp_path / "cache", subjects=[1, 4])
    assert not (tmp_path / "cache").exists()


def test_opening_what_is_not_there_says_what_to_do(cache, tmp_path):
    with pytest.raises(PreparedError, match="it has 1. Prepare it with"):
        open_prepared(cache, 2)
    with pytest.raises(PreparedError, match="eav-offline prepare ROOT"):
        list_prepared(tmp_path / "absent")


@pytest.mark.parametrize("name", ["eeg.npy", "index.npy", "meta.json"])
def test_a_damaged_cache_file_is_refused_by_name(cache, tmp_path, name):
    copy = Path(shutil.copytree(cache, tmp_path / "copy"))
    path = copy / "subject01" / name
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(PreparedError, match=f"{name} is damaged"):
        open_prepared(copy, 1)


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("wave.npy", lambda data: data[:-40]),
        ("eeg.npy", lambda data: data[:5000] + b"\xff" * 400 + data[5400:]),
        ("meta.json", lambda data: data[:-40]),
    ],
)
def test_a_damaged_subject_is_prepared_again(root, tmp_path, caplog, name, spoil):
    out = tmp_path / "cache"
    quick(root, out, task="listening")  # EEG alone, which is quick
    before = read_meta(out / "subject01")
    assert quick(root, out, task="listening").unchanged == [1]
    path = out / "subject01" / name
    path.write_bytes(spoil(path.read_bytes()))
    summary = quick(root, out, task="listening")
    assert (summary.unchanged, summary.windows) == ([], {1: 20})
    assert f"{name} is damaged" in summary.again[1]
    assert "subject 1: prepared again: " in str(summary)
    assert f"{name} is damaged" in caplog.text
    verify(open_prepared(out, 1))
    assert content_key(read_meta(out / "subject01")) == content_key(before)


def test_meta_tells_size_and_checksum_of_every_array(root, tmp_path):
    quick(root, tmp_path / "cache", task="listening")
    folder = tmp_path / "cache" / "subject01"
    files = read_meta(folder)["files"]
    assert files.keys() == {path.stem for path in folder.glob("*.npy")}
    for path in folder.glob("*.npy"):
        assert files[path.stem]["bytes"] == path.stat().st_size
    assert len({file["checksum"] for file in files.values()}) > 1


def test_preparing_nothing_recommends_no_training(root, tmp_path, capsys):
    (root / "subject1" / "EEG" / "subject1_eeg_label.mat").unlink()
    out = tmp_path / "cache"
    assert main(["prepare", str(root), "--out", str(out), "--jobs", "1"]) == 1
    told = capsys.readouterr()
    assert "nothing to train on" in told.out
    assert "eav-offline train" not in told.out + told.err
    out.mkdir(exist_ok=True)
    assert main(["train", "--data", str(out), "--out", str(tmp_path / "run")]) == 2
    assert "no prepared subject" in capsys.readouterr().err
