"""One protocol for all datasets: RAVDESS, and what docs/datasets.md adds."""

import logging
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from eav_layout import write_mp4, write_subject
from planted import tiny_config
from scipy import io

from eav_offline.cli import main
from eav_offline.core.labels import EMOTIONS
from eav_offline.data.cache import PreparedError, open_prepared, read_meta
from eav_offline.data.clips import centered
from eav_offline.data.datasets import open_dataset
from eav_offline.data.eav.files import DatasetError
from eav_offline.data.media import read_audio
from eav_offline.data.prepared import prepare_root
from eav_offline.data.recording import track_faces
from eav_offline.preprocess import PreprocessSettings
from eav_offline.preprocess.audio import log_mel
from eav_offline.preprocess.face import FaceTracker
from eav_offline.runs.study import StudySettings, jobs, run_study

PAGE = Path(__file__).resolve().parents[3] / "docs" / "datasets.md"
SETTINGS = PreprocessSettings(face_size=16)
FIVE = ("01", "02", "03", "04", "05")  # neutral, calm, happy, sad, angry


def write_clip(path: Path, seconds: float = 3.5, rate: int = 48_000) -> Path:
    """A tone between half a second of silence on either side."""
    sound = np.zeros(round(seconds * rate), np.float32)
    tone = slice(rate // 2, -rate // 2)
    sound[tone] = 0.3 * np.sin(np.arange(len(sound))[tone] * 2 * np.pi * 300 / rate)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, rate, subtype="PCM_16")
    return path


def clip_path(root: Path, code: str, suffix: str = ".wav") -> Path:
    return root / f"Actor_{code[-2:]}" / f"{code}{suffix}"


@pytest.fixture
def ravdess(tmp_path) -> Path:
    """Two actors, an utterance of each of the five emotions, and three others."""
    root = tmp_path / "ravdess"
    first = write_clip(clip_path(root, "03-01-01-01-01-01-01"))
    for actor in ("01", "02"):
        for emotion in (*FIVE, "06", "08"):
            path = clip_path(root, f"03-01-{emotion}-01-01-01-{actor}")
            path.parent.mkdir(exist_ok=True)
            if path != first:
                shutil.copy(first, path)
    shutil.copy(first, clip_path(root, "03-02-01-01-01-01-01"))  # sung
    return root


def page_code() -> dict[str, Any]:
    """What the page's Python blocks define."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    return names


def test_ravdess_is_prepared_with_actors_as_subjects(ravdess, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        summary = prepare_root(ravdess, tmp_path / "c", settings=SETTINGS, jobs=1)
    assert summary.windows == {1: 5, 2: 5}
    assert "2 clips of fearful" in caplog.text
    assert "1 clips of song" in caplog.text
    actor = open_prepared(tmp_path / "c", 2)
    # In the order of trials, which is that of classes.
    assert actor.emotion.tolist() == [0, 1, 2, 3, 4]
    assert actor.present.tolist() == [[False, True, False]] * 5
    # The tone lasts two and a half seconds and lies in the middle.
    loud = np.flatnonzero(np.abs(actor.wave[1]) > 0.1) / 16_000
    assert loud.min() == pytest.approx(1.25, abs=0.1)
    assert loud.max() == pytest.approx(3.75, abs=0.1)


def test_a_cache_names_its_dataset_and_takes_no_other(ravdess, tmp_path):
    prepare_root(ravdess, tmp_path / "c", [1], SETTINGS, jobs=1)
    meta = read_meta(tmp_path / "c" / "subject01")
    assert meta["dataset"] == "ravdess"
    assert meta["labels"]["fearful"] is None
    write_subject(tmp_path / "eav" / "subject2")
    with pytest.raises(PreparedError, match="dataset ravdess there and None now"):
        prepare_root(tmp_path / "eav", tmp_path / "c", settings=SETTINGS, jobs=1)


def test_utterances_keep_their_trial_whatever_files_are_there(ravdess):
    actor = open_dataset(ravdess).open_subject(1)
    assert actor.trials("speaking") == [1, 9, 17, 25, 33]
    clip_path(ravdess, "03-01-01-01-01-01-01").unlink()
    assert open_dataset(ravdess).open_subject(1).trials("both") == [9, 17, 25, 33]
    assert actor.trials("listening") == []


def test_picture_and_sound_of_an_utterance_are_one_trial(ravdess):
    video = clip_path(ravdess, "02-01-03-01-01-01-01", ".mp4")
    write_mp4(video, n_frames=105)  # 3.5 s, as long as the sound
    actor = open_dataset(ravdess).open_subject(1)
    assert len(actor.trials("speaking")) == 5
    recording = actor.recording(25)
    assert recording.video == video
    # Speech from 0.45 s to 3.05 s or so is centered: the clip begins before 0.8 s.
    assert recording.video_start == pytest.approx(0.75, abs=0.1)
    frames = track_faces(recording, FaceTracker())
    assert len(frames) == 25
    steps = np.diff([frame.time for frame in frames])
    assert np.abs(steps - 0.2).max() < 0.04  # a frame at 30 a second
    shown = [int(frame.image[0, 0, 0]) for frame in frames]
    assert shown[:3] == [shown[0]] * 3  # stands still before the clip
    assert shown[-3:] == [shown[-1]] * 3  # and after it
    assert shown[-1] > shown[0] + 10


def test_a_picture_without_sound_is_centered(tmp_path):
    write_mp4(clip_path(tmp_path, "02-01-05-02-01-01-07", ".mp4"), n_frames=90)
    actor = open_dataset(tmp_path).open_subject(7)
    recording = actor.recording(actor.trials("speaking")[0])
    assert recording.audio is None
    assert recording.video_start == pytest.approx(1.0, abs=0.05)
    assert EMOTIONS[recording.emotion] == "anger"


def test_the_place_of_a_clip_in_its_five_seconds_is_told():
    wave = np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)
    wave[:8000] = 0.0
    window, start = centered(wave)
    first = round(start * 16_000)
    np.testing.assert_array_equal(window[first + 8000 : first + 32_000], wave[8000:])
    long = np.random.default_rng(0).normal(0, 0.1, 96_000).astype(np.float32)
    window, start = centered(long)
    np.testing.assert_array_equal(window, long[8000:88_000])
    assert start == -0.5


def test_what_a_folder_holds_is_told_by_its_folders(ravdess, tmp_path):
    write_subject(tmp_path / "eav" / "subject1")
    assert open_dataset(ravdess).name == "ravdess"
    assert open_dataset(ravdess.parent).name == "ravdess"  # one folder deeper
    assert open_dataset(tmp_path / "eav").name == "eav"
    shutil.copytree(ravdess / "Actor_01", tmp_path / "eav" / "Actor_01")
    with pytest.raises(DatasetError, match="--dataset"):
        open_dataset(tmp_path / "eav")
    assert open_dataset(tmp_path / "eav", "ravdess").subjects() == [1]


def test_released_features_are_not_taken_for_recordings(tmp_path):
    (tmp_path / "subject_01_eeg.pkl").touch()
    with pytest.raises(DatasetError, match="import-features"):
        open_dataset(tmp_path)


def test_actors_behind_symbolic_links_are_seen_once(ravdess, tmp_path):
    linked = tmp_path / "linked"
    linked.mkdir()
    for actor in ("Actor_01", "Actor_02"):
        (linked / actor).symlink_to(ravdess / actor)
    (linked / "itself").symlink_to(linked)  # a circle
    assert open_dataset(linked).subjects() == [1, 2]


def test_one_clip_twice_is_refused(ravdess):
    (ravdess / "copy").mkdir()
    path = clip_path(ravdess, "03-01-01-01-01-01-01")
    shutil.copy(path, ravdess / "copy" / path.name)
    with pytest.raises(DatasetError, match="one clip"):
        open_dataset(ravdess)


def test_the_command_prepares_ravdess(ravdess, tmp_path, capsys):
    where = ["--out", str(tmp_path / "c"), "--face-size", "16", "--jobs", "1"]
    named = ["--dataset", "ravdess", "--subjects", "2"]
    assert main(["prepare", str(ravdess), *where, *named]) == 0
    assert "subject 2: 5 windows" in capsys.readouterr().out


def test_real_clips_are_prepared_as_the_bench_reads_them(test_data, tmp_path):
    real = test_data("ravdess_speech_16k")
    for actor in (1, 2, 3):
        names = [f"03-01-{e}-01-01-01-{actor:02d}.flac" for e in FIVE]
        (tmp_path / "r" / f"Actor_{actor:02d}").mkdir(parents=True)
        for name in names:
            shutil.copy(real / f"Actor_{actor:02d}" / name, tmp_path / "r" / name)
    for path in sorted((tmp_path / "r").glob("*.flac")):
        path.rename(tmp_path / "r" / f"Actor_{path.stem[-2:]}" / path.name)
    prepare_root(tmp_path / "r", tmp_path / "c", settings=SETTINGS, jobs=1)
    one = open_prepared(tmp_path / "c", 3)
    angry = tmp_path / "r" / "Actor_03" / "03-01-05-01-01-01-03.flac"
    wave, rate = read_audio(angry)
    expected = log_mel(centered(wave)[0], rate)
    np.testing.assert_allclose(one.log_mel[one.emotion == 2][0], expected, atol=1e-4)

    settings = StudySettings(
        caches=[tmp_path / "c"],
        out=tmp_path / "runs",
        config=tiny_config(),
        stages=("audio",),
        options={"max_steps": 1},
    )
    study = run_study(jobs([1, 2, 3], "loso"), settings)
    assert [job["status"] for job in study["jobs"]] == ["done"] * 3


def test_untouched_originals_are_read(test_data):
    dataset = open_dataset(test_data("ravdess_wav_originals"))
    assert dataset.subjects() == [1, 5, 20]
    for number in dataset.subjects():
        actor = dataset.open_subject(number)
        for trial in actor.trials("speaking"):
            audio = actor.recording(trial).audio
            assert audio is not None
            assert 0.001 < np.abs(audio).max() < 1.5


def test_the_deap_windows_that_the_page_shows_are_two_classes(tmp_path):
    time = np.arange(8064) / 128
    data = np.zeros((2, 40, 8064), np.float32)
    data[:, :32] = 20 * np.sin(2 * np.pi * 10 * time)
    ratings = np.array([[7.0, 2.0, 5.0, 5.0], [3.0, 8.0, 5.0, 5.0]])
    io.savemat(tmp_path / "s01.mat", {"data": data, "labels": ratings})
    names = page_code()
    for question, expected in ((names["VALENCE"], [1, 0]), (names["AROUSAL"], [0, 1])):
        windows = names["deap_person"](tmp_path / "s01.mat", 1, question)
        assert windows.eeg.shape == (24, 30, 500)
        assert windows.emotion.tolist() == np.repeat(expected, 12).tolist()
    # One rhythm everywhere: interpolated electrodes have it too.
    assert np.ptp(windows.eeg[5, :, 200:], axis=1).min() > 30
