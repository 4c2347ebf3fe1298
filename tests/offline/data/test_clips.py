"""Free collections of acted clips: what names say, what is checked, real clips."""

import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from eav_layout import write_mp4

from eav_offline.cli import main
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS
from eav_offline.data.cache import open_prepared
from eav_offline.data.clips import ClipFolder
from eav_offline.data.corpora import BOTH, COPY, CORPORA, CREMAD, EMODB, RAVDESS, SOUND
from eav_offline.data.datasets import DATASETS, check_dataset, open_dataset
from eav_offline.data.eav.files import DatasetError
from eav_offline.data.prepared import prepare_root
from eav_offline.data.recording import track_faces
from eav_offline.preprocess import PreprocessSettings
from eav_offline.preprocess.face import FaceTracker

SETTINGS = PreprocessSettings(face_size=16)
KEPT = ["anger", "happiness", "neutral", "sadness"]


def tone(path: Path, seconds: float = 2.5, rate: int = 16_000) -> Path:
    """A tone with 0.3 s of silence before and after it."""
    sound = np.zeros(round(seconds * rate), np.float32)
    inside = slice(round(0.3 * rate), -round(0.3 * rate))
    sound[inside] = 0.3 * np.sin(np.arange(len(sound))[inside] * 2 * np.pi * 300 / rate)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, rate)
    return path


@pytest.fixture
def cremad(tmp_path) -> Path:
    """Two actors with the sound of one sentence in six emotions; one has a video."""
    root = tmp_path / "CREMA-D"
    first = tone(root / "AudioWAV" / "1001_DFA_ANG_XX.wav")
    for actor in (1001, 1002):
        for word in CREMAD.emotions:
            path = root / "AudioWAV" / f"{actor}_DFA_{word}_XX.wav"
            if path != first:
                shutil.copy(first, path)
    write_mp4(tmp_path / "clip.mp4", n_frames=75)
    (root / "VideoFlash").mkdir()
    # What a file is, is read from its contents.
    shutil.copy(tmp_path / "clip.mp4", root / "VideoFlash" / "1002_DFA_SAD_XX.flv")
    return root


def test_names_of_crema_d_say_actor_trial_and_medium():
    named = CREMAD.read_name(Path("1001_DFA_ANG_XX.flv"))
    assert (named.actor, named.medium, named.left_out) == (1001, BOTH, None)
    assert EMOTIONS[CREMAD.class_of(named.trial)] == "anger"
    assert CREMAD.read_name(Path("1001_DFA_FEA_XX.wav")).left_out == "fear"
    mp3 = CREMAD.read_name(Path("1001_DFA_ANG_XX.mp3"))
    assert mp3 == named._replace(medium=COPY)
    odd = CREMAD.read_name(Path("1040_ITH_SAD_X.wav"))
    assert odd == CREMAD.read_name(Path("1040_ITH_SAD_XX.wav"))


def test_every_utterance_of_crema_d_has_a_trial_of_its_own():
    names = [
        f"1001_{sentence}_{emotion}_{intensity}.wav"
        for sentence in CREMAD.codes["sentence"]
        for emotion, (_, ours) in CREMAD.emotions.items()
        for intensity in CREMAD.codes["intensity"]
        if ours is not None
    ]
    trials = [CREMAD.read_name(Path(name)).trial for name in names]
    assert len(set(trials)) == len(names) == 12 * 4 * 4
    assert 1 <= min(trials) <= max(trials) < 10_000


def test_names_of_the_other_collections():
    spoken = RAVDESS.read_name(Path("03-01-02-02-01-02-07.wav"))
    assert (spoken.actor, spoken.medium, spoken.left_out) == (7, SOUND, None)
    assert EMOTIONS[RAVDESS.class_of(spoken.trial)] == "calmness"
    assert RAVDESS.read_name(Path("01-01-02-02-01-02-07.mp4")).trial == spoken.trial
    assert RAVDESS.read_name(Path("03-02-02-02-01-02-07.wav")).left_out == "song"
    joy = EMODB.read_name(Path("03a01Fa.wav"))
    assert (joy.actor, EMOTIONS[EMODB.class_of(joy.trial)]) == (3, "happiness")
    assert EMODB.read_name(Path("03a01La.wav")).left_out == "boredom"


@pytest.mark.parametrize(
    ("corpus", "name", "said"),
    [
        (CREMAD, "1001_DFA_ANG.wav", "is not named as CREMA-D names its clips"),
        (CREMAD, "1001_DFA_JOY_XX.wav", "no emotion JOY; expected ANG, DIS, FEA"),
        (CREMAD, "1001_ABC_ANG_XX.wav", "no sentence ABC; expected DFA"),
        (CREMAD, "1001_DFA_ANG_ZZ.wav", "no intensity ZZ; expected XX, LO, MD, HI"),
        (RAVDESS, "03-01-09-01-01-01-01.wav", "no emotion 09; expected 01"),
        (RAVDESS, "04-01-01-01-01-01-01.wav", "no modality 04; expected 01, 02, 03"),
        (RAVDESS, "take one.wav", "is not named as RAVDESS names its clips"),
        (EMODB, "03a03Fa.wav", "no text a03; expected a01"),
        (EMODB, "00a01Fa.wav", "is not named as EmoDB names its clips"),
    ],
)
def test_a_name_of_no_clip_says_what_is_wrong(corpus, name, said):
    with pytest.raises(InputRefused, match=said):
        corpus.read_name(Path(name))


def test_crema_d_is_prepared_with_face_and_voice_together(cremad, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        summary = prepare_root(cremad, tmp_path / "c", settings=SETTINGS, jobs=1)
    assert summary.windows == {1001: 4, 1002: 4}
    assert "2 clips of disgust, 2 clips of fear" in caplog.text
    actor = open_prepared(tmp_path / "c", 1002)
    assert sorted(EMOTIONS[emotion] for emotion in actor.emotion) == KEPT
    assert actor.present.sum(axis=0).tolist() == [0, 4, 1]
    assert actor.meta["dataset"] == "cremad"
    assert actor.meta["labels"]["disgust"] is None


def test_misnamed_files_are_not_used_and_said(cremad, caplog):
    tone(cremad / "AudioWAV" / "1001_DFA_JOY_XX.wav")
    tone(cremad / "AudioWAV" / "notes.wav")
    (cremad / "README.md").touch()  # no clip by its ending
    with caplog.at_level(logging.WARNING):
        assert open_dataset(cremad).subjects() == [1001, 1002]
    assert "2 files in" in caplog.text
    codes = [fault.code for fault in check_dataset(cremad, [1001])]
    assert codes == ["unknown-file", "unknown-file"]


def test_a_folder_of_misnamed_clips_is_refused_with_the_reason(tmp_path):
    tone(tmp_path / "1001_DFA_JOY_XX.wav")
    with pytest.raises(DatasetError, match="holds no clip of CREMA-D.* emotion JOY"):
        open_dataset(tmp_path, "cremad")


def test_check_lists_what_is_missing_twice_and_damaged(cremad, capsys):
    sounds = cremad / "AudioWAV"
    (sounds / "1001_DFA_SAD_XX.wav").write_bytes(b"no sound")
    shutil.copytree(sounds, cremad / "copy", ignore=lambda _, names: names[1:])
    (sounds / "1002_DFA_SAD_XX.wav").unlink()
    faults = check_dataset(cremad)
    told = [(fault.subject, fault.code) for fault in faults]
    assert told.count((1001, "unreadable-clip")) == 1
    assert told.count((1002, "missing-video")) == 3
    assert main(["check", str(cremad), "--subjects", "1002", "--json", "-"]) == 1
    answered = json.loads(capsys.readouterr().out)
    assert {fault["subject"] for fault in answered} == {1002}
    with pytest.raises(DatasetError, match="no subject 1003"):
        check_dataset(cremad, [1003])


def test_one_clip_twice_is_a_fault_and_refused(cremad):
    (cremad / "copy").mkdir()
    name = "1001_DFA_ANG_XX.wav"
    shutil.copy(cremad / "AudioWAV" / name, cremad / "copy" / name)
    assert [fault.code for fault in check_dataset(cremad, [1001])] == ["duplicate-clip"]
    with pytest.raises(DatasetError, match="one clip"):
        open_dataset(cremad)


def test_a_damaged_clip_costs_its_trial_only(cremad, tmp_path):
    (cremad / "AudioWAV" / "1001_DFA_SAD_XX.wav").write_bytes(b"no sound")
    summary = prepare_root(cremad, tmp_path / "c", [1001], SETTINGS, jobs=1)
    assert summary.windows == {1001: 3}
    (reason,) = summary.skipped[1001].values()
    assert "1001_DFA_SAD_XX.wav" in reason


def test_a_clip_that_went_away_is_said(cremad):
    actor = open_dataset(cremad).open_subject(1001)
    path = cremad / "AudioWAV" / "1001_DFA_SAD_XX.wav"
    path.unlink()
    with pytest.raises(DatasetError, match=path.name):
        actor.recording(CREMAD.read_name(path).trial)


def test_the_options_know_every_dataset(capsys):
    assert set(DATASETS) == {"eav", *CORPORA}
    for name, corpus in CORPORA.items():
        assert main(["data", name]) == 0
        said = capsys.readouterr().out
        assert corpus.where in said
        assert corpus.license in said
        assert f"eav-offline prepare {corpus.title} --out cache-{name}" in said
    assert main(["data"]) == 0
    assert "10205702" in capsys.readouterr().out


def test_real_clips_of_crema_d_have_face_and_voice(test_data, tmp_path):
    root = test_data("crema_d_mini")
    assert check_dataset(root) == []
    clips = open_dataset(root)
    assert (clips.name, clips.subjects()) == ("cremad", [1001, 1002])
    seen, heard = clips.open_subject(1001), clips.open_subject(1002)
    assert len(seen.trials("speaking")) == len(heard.trials("speaking")) == 4
    recording = seen.recording(seen.trials("speaking")[0])
    assert recording.audio is not None
    assert np.abs(recording.audio).max() > 0.01
    assert recording.video_start is not None
    assert 0.5 < recording.video_start < 3.0
    faces = track_faces(recording, FaceTracker())
    assert faces is not None
    # Two seconds of the clip; before and after it the picture stands still.
    assert sum(face.found for face in faces) >= 8
    summary = prepare_root(root, tmp_path / "c", settings=SETTINGS, jobs=1)
    assert summary.windows == {1001: 4, 1002: 4}
    assert not summary.skipped
    for actor, present in ((1001, [0, 4, 4]), (1002, [0, 4, 0])):
        one = open_prepared(tmp_path / "c", actor)
        assert one.present.sum(axis=0).tolist() == present
        assert sorted(EMOTIONS[emotion] for emotion in one.emotion) == KEPT


def test_the_real_video_of_ravdess_has_face_and_voice(test_data):
    clips = open_dataset(test_data("ravdess_av_features"))
    assert (clips.name, clips.subjects()) == ("ravdess", [1])
    actor = clips.open_subject(1)
    (trial,) = actor.trials("speaking")
    recording = actor.recording(trial)
    assert EMOTIONS[recording.emotion] == "neutral"
    assert recording.audio is not None
    assert np.abs(recording.audio).max() > 0.01
    faces = track_faces(recording, FaceTracker())
    assert faces is not None
    assert sum(face.found for face in faces) >= 12


def test_the_video_and_the_sound_alone_of_ravdess_are_one_trial(test_data, tmp_path):
    video = test_data("ravdess_av_features") / "01-01-01-01-01-01-01.mp4"
    sound = test_data("ravdess_speech_16k") / "Actor_01" / "03-01-01-01-01-01-01.flac"
    for path in (video, sound):
        (tmp_path / path.name).symlink_to(path)
    actor = ClipFolder(tmp_path, RAVDESS).open_subject(1)
    assert len(actor.trials("speaking")) == 1
    together = actor.recording(1).audio
    (tmp_path / video.name).unlink()
    alone = ClipFolder(tmp_path, RAVDESS).open_subject(1).recording(1).audio
    assert together is not None
    assert alone is not None
    # The same take: both are trimmed alike, so their loudness by 20 ms lies together.
    loud = [np.abs(wave).reshape(-1, 320).mean(1) for wave in (together, alone)]
    assert np.corrcoef(*loud)[0, 1] > 0.95


def test_real_clips_of_emodb(test_data):
    speakers = open_dataset(test_data("emodb_16k") / "full")
    assert (speakers.name, speakers.subjects()) == ("emodb", [3, 9])
    assert check_dataset(test_data("emodb_16k") / "full", [3]) == []
    with pytest.raises(DatasetError, match="one clip"):
        open_dataset(test_data("emodb_16k"))  # whole, and cut at two seconds
