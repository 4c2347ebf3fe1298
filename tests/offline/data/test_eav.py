import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from eav_layout import (
    EMOTION,
    N_TRIALS,
    TASK,
    audio_path,
    eeg_array,
    media_name,
    video_path,
    write_eeg,
    write_labels,
    write_mp4,
    write_subject,
    write_wav,
)

from eav_offline.core.labels import encode_label_rows
from eav_offline.core.window import EEG_CHANNELS
from eav_offline.data.eav.check import check_root
from eav_offline.data.eav.files import (
    DatasetError,
    TrialError,
    read_labels,
    scan_subject,
    video_span,
)
from eav_offline.data.eav.subject import find_subjects, open_subject


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    return write_subject(tmp_path_factory.mktemp("intact") / "subject1")


@pytest.fixture
def subject(intact, tmp_path):
    return Path(shutil.copytree(intact, tmp_path / "subject1"))


def truncate(path: Path, share: float = 0.5) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])


# --- finding subjects


def test_subject_folders_of_every_spelling_are_found_in_numerical_order(tmp_path):
    for name in ("subject10", "Subject9", "subject02", "subjects.tsv", "subject", "x1"):
        (tmp_path / name).mkdir()
    (tmp_path / "subject3").write_text("a file")
    found = find_subjects(tmp_path)
    assert [(n, p.name) for n, p in found.items()] == [
        (2, "subject02"),
        (9, "Subject9"),
        (10, "subject10"),
    ]


def test_two_folders_of_one_number_are_refused(tmp_path):
    (tmp_path / "subject1").mkdir()
    (tmp_path / "subject01").mkdir()
    with pytest.raises(DatasetError, match=r"subject01 and subject1.*keep one"):
        find_subjects(tmp_path)


def test_a_root_without_subjects_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="no subject folders"):
        find_subjects(tmp_path)
    with pytest.raises(DatasetError, match="not a folder"):
        find_subjects(tmp_path / "absent")


# --- reading


@pytest.mark.parametrize("v73", [False, True], ids=["v5", "v7.3"])
def test_eeg_of_a_trial_is_channels_by_samples_in_both_formats(subject, v73):
    array = eeg_array()
    write_eeg(subject, {"seg1": array}, v73)
    write_labels(subject, encode_label_rows(EMOTION, TASK), v73)
    recording = open_subject(subject).recording(4)
    assert recording.eeg_uv.shape == (30, 10_000)
    assert recording.eeg_uv.dtype == np.float32
    np.testing.assert_array_equal(recording.eeg_uv, array[:, :, 3].T)
    assert (recording.eeg_rate, recording.channels) == (500.0, EEG_CHANNELS)


def test_labels_and_name_of_a_trial_go_with_its_recording(intact):
    recording = open_subject(intact).recording(4)
    assert (recording.trial, recording.emotion, recording.task) == (4, 0, "speaking")
    assert recording.name == "subject1 trial 004"


@pytest.mark.parametrize("v73", [False, True], ids=["v5", "v7.3"])
def test_of_seg1_and_seg_the_three_dimensional_one_is_read(subject, v73):
    array = eeg_array()
    write_eeg(subject, {"seg1": array[:100, :, 0], "seg": array}, v73)
    np.testing.assert_array_equal(open_subject(subject).eeg()[2], array[:, :, 2].T)
    write_eeg(subject, {"seg": array}, v73)
    np.testing.assert_array_equal(open_subject(subject).eeg()[2], array[:, :, 2].T)


@pytest.mark.parametrize("v73", [False, True], ids=["v5", "v7.3"])
def test_seg1_and_seg_both_of_three_dimensions_are_refused(subject, v73):
    array = eeg_array()
    write_eeg(subject, {"seg": array * 2, "seg1": array}, v73)
    with pytest.raises(DatasetError, match=r"seg1 .* and seg .*Remove the other"):
        open_subject(subject)


def test_eeg_stays_unread_until_a_trial_is_asked_for(subject):
    opened = open_subject(subject)
    (subject / "EEG" / "subject1_eeg.mat").unlink()
    with pytest.raises(DatasetError, match="subject1_eeg.mat"):
        opened.recording(2)


def test_transposed_labels_are_understood(tmp_path):
    emotion, task = np.arange(20) % 5, np.arange(20) % 2
    one_hot = encode_label_rows(emotion, task)
    (tmp_path / "Video").mkdir()
    for stored in (one_hot, one_hot.T):
        write_labels(tmp_path, stored)
        path = tmp_path / "EEG" / f"{tmp_path.name}_eeg_label.mat"
        read = read_labels(path, scan_subject(tmp_path))
        np.testing.assert_array_equal(read[0], emotion)
        np.testing.assert_array_equal(read[1], task)


def test_file_names_decide_how_ten_trials_of_ten_rows_are_read(subject):
    one_hot = encode_label_rows(EMOTION, TASK)
    assert not np.array_equal(one_hot, one_hot.T)
    for stored in (one_hot, one_hot.T):
        write_labels(subject, stored)
        np.testing.assert_array_equal(open_subject(subject).emotions, EMOTION)


def test_trials_are_chosen_by_task(intact):
    opened = open_subject(intact)
    assert opened.trials() == [2, 4, 6, 8, 10]
    assert opened.trials("listening") == [1, 3, 5, 7, 9]
    assert opened.trials("both") == list(range(1, N_TRIALS + 1))
    with pytest.raises(ValueError, match="speaking, both"):
        opened.trials("singing")


def test_modalities_are_joined_by_the_three_leading_digits_alone(subject):
    audio_path(subject, 4).rename(
        subject / "Audio" / "004_Trial_17_Speaking_Neutral_Aud.WAV"
    )
    video_path(subject, 4).rename(
        subject / "Video" / "004_TRIAL_09_speaking_neutral.MP4"
    )
    (subject / "Video").rename(subject / "video")
    recording = open_subject(subject).recording(4)
    assert recording.audio is not None
    assert recording.video.name == "004_TRIAL_09_speaking_neutral.MP4"


@pytest.mark.parametrize("seconds", [20.0, 20.5, 21.0, 25.0])
def test_sound_is_the_first_twenty_seconds(subject, seconds):
    write_wav(audio_path(subject, 2), 25.0, seed=5)
    longest = open_subject(subject).recording(2).audio
    write_wav(audio_path(subject, 2), seconds, seed=5)
    recording = open_subject(subject).recording(2)
    assert len(recording.audio) == 20 * recording.audio_rate
    np.testing.assert_array_equal(recording.audio, longest)


def test_listening_trials_have_no_sound_and_may_lack_video(subject):
    recording = open_subject(subject).recording(3)
    assert recording.task == "listening"
    assert recording.audio is None
    assert recording.video is None
    shutil.copy(video_path(subject, 2), video_path(subject, 3))
    write_wav(audio_path(subject, 3))
    recording = open_subject(subject).recording(3)
    assert recording.audio is None
    assert recording.video == video_path(subject, 3)


def test_missing_media_leave_a_modality_out(subject):
    audio_path(subject, 2).unlink()
    video_path(subject, 4).unlink()
    opened = open_subject(subject)
    assert opened.recording(2).audio is None
    assert opened.recording(2).video is not None
    assert opened.recording(4).video is None


def test_what_file_managers_leave_behind_is_overlooked(subject):
    for folder in ("Video", "Audio", "EEG"):
        (subject / folder / ".DS_Store").write_bytes(b"x")
        (subject / folder / "Thumbs.db").write_bytes(b"x")
    (subject / "EEG" / "._subject1_eeg.mat").write_bytes(b"x")
    assert check_root(subject.parent) == []
    assert open_subject(subject).n_trials == N_TRIALS


# --- refusing


def cut_wav(subject):
    truncate(audio_path(subject, 2))


def cut_mp4(subject):
    truncate(video_path(subject, 2))


def cut_mp4_with_index_in_front(subject):
    write_mp4(video_path(subject, 2), faststart=True)
    truncate(video_path(subject, 2), 0.8)


def short_mp4(subject):
    write_mp4(video_path(subject, 2), n_frames=450)


def twin_wav(subject):
    twin = subject / "Audio" / "002_Trial_01_Speaking_Happiness_Aud.wav"
    shutil.copy(audio_path(subject, 2), twin)


def nan_sample(subject):
    array = eeg_array()
    array[500, 3, 1] = np.nan
    write_eeg(subject, {"seg1": array})


DAMAGED_TRIALS = [
    (cut_wav, "truncated-audio"),
    (cut_mp4, "unreadable-video"),
    (cut_mp4_with_index_in_front, "truncated-video"),
    (short_mp4, "truncated-video"),
    (twin_wav, "duplicate-trial"),
    (nan_sample, "nan-eeg"),
]


@pytest.mark.parametrize(
    ("damage", "code"), DAMAGED_TRIALS, ids=[d.__name__ for d, _ in DAMAGED_TRIALS]
)
def test_a_damaged_trial_is_refused_and_the_others_are_read(subject, damage, code):
    damage(subject)
    opened = open_subject(subject)
    with pytest.raises(TrialError) as caught:
        opened.recording(2)
    assert caught.value.code == code
    assert opened.recording(4).audio is not None


@pytest.mark.parametrize(
    ("damage", "code"), DAMAGED_TRIALS, ids=[d.__name__ for d, _ in DAMAGED_TRIALS]
)
def test_check_lists_a_damaged_trial_and_nothing_else(subject, damage, code):
    damage(subject)
    faults = check_root(subject.parent)
    assert [(f.subject, f.trial, f.code) for f in faults] == [(1, 2, code)]


def no_eeg(subject):
    (subject / "EEG" / "subject1_eeg.mat").unlink()


def no_labels(subject):
    (subject / "EEG" / "subject1_eeg_label.mat").unlink()


def two_eegs(subject):
    eeg = subject / "EEG" / "subject1_eeg.mat"
    shutil.copy(eeg, eeg.with_name("subject01_eeg.mat"))


def cut_mat(subject):
    truncate(subject / "EEG" / "subject1_eeg.mat", 1e-5)  # within its header


def cut_label_mat(subject):
    truncate(subject / "EEG" / "subject1_eeg_label.mat", 0.9)


def other_variable(subject):
    write_eeg(subject, {"data": np.zeros((4, 4))})


def flat_array(subject):
    write_eeg(subject, {"seg1": np.ones((300, 30))})


def too_few_channels(subject):
    write_eeg(subject, {"seg1": eeg_array(n_channels=28)})


def too_few_samples(subject):
    write_eeg(subject, {"seg1": eeg_array(n_samples=5000)})


def twenty_labels(subject):
    emotion, task = np.tile(EMOTION, 2), np.tile(TASK, 2)
    write_labels(subject, encode_label_rows(emotion, task))


def two_hot_labels(subject):
    one_hot = encode_label_rows(EMOTION, TASK)
    one_hot[:, 0] = 1
    write_labels(subject, one_hot)


UNUSABLE = [
    (no_eeg, "missing-file"),
    (no_labels, "missing-file"),
    (two_eegs, "ambiguous-file"),
    (cut_mat, "unreadable-mat"),
    (cut_label_mat, "unreadable-mat"),
    (other_variable, "missing-variable"),
    (flat_array, "wrong-shape"),
    (too_few_channels, "wrong-channels"),
    (too_few_samples, "wrong-samples"),
    (twenty_labels, "trial-count"),
    (two_hot_labels, "bad-labels"),
]


@pytest.mark.parametrize(
    ("damage", "code"), UNUSABLE, ids=[d.__name__ for d, _ in UNUSABLE]
)
def test_an_inconsistent_subject_is_refused_and_checked_exactly(subject, damage, code):
    damage(subject)
    with pytest.raises(DatasetError, match="subject1") as caught:
        open_subject(subject)
    assert caught.value.code == code
    assert not isinstance(caught.value, TrialError)
    faults = check_root(subject.parent)
    assert [(f.subject, f.trial, f.code) for f in faults] == [(1, None, code)]


@pytest.mark.parametrize("v73", [False, True], ids=["v5", "v7.3"])
def test_eeg_cut_off_in_its_data_is_refused(subject, v73):
    write_eeg(subject, {"seg1": eeg_array()}, v73)
    truncate(subject / "EEG" / "subject1_eeg.mat", 0.7)
    with pytest.raises(DatasetError, match="cut off") as caught:
        open_subject(subject).recording(2)
    assert caught.value.code == "unreadable-mat"
    codes = [(f.trial, f.code) for f in check_root(subject.parent)]
    assert codes == [(None, "unreadable-mat")]


def test_labels_that_contradict_file_names_refuse_the_subject(subject):
    emotion = EMOTION.copy()
    emotion[[1, 3]] = emotion[[3, 1]]  # trials 2 and 4 exchanged
    write_labels(subject, encode_label_rows(emotion, TASK))
    with pytest.raises(DatasetError, match="4 file names contradict") as caught:
        open_subject(subject)
    assert caught.value.code == "label-contradiction"
    faults = check_root(subject.parent)
    assert [(f.trial, f.code) for f in faults] == [
        (trial, "label-contradiction") for trial in (2, 2, 4, 4)
    ]


def test_a_refusal_keeps_its_message_between_processes():
    error = pickle.loads(pickle.dumps(TrialError("nan-eeg", "what and why")))
    assert (type(error), error.code, str(error)) == (
        TrialError,
        "nan-eeg",
        "what and why",
    )


def test_frames_are_counted_as_they_are_not_as_the_header_says(subject, tmp_path):
    path = tmp_path / "clip.mp4"
    write_mp4(path, n_frames=90, faststart=True)
    assert video_span(path)[0] == pytest.approx(3.0)
    truncate(path, 0.8)
    assert 0 < video_span(path)[0] < 2.9


@pytest.mark.parametrize(("rate", "n_frames"), [(25, 500), (24, 480), (60, 1200)])
def test_twenty_seconds_of_video_are_whole_at_any_rate(subject, rate, n_frames):
    write_mp4(video_path(subject, 2), n_frames, rate=rate)
    assert check_root(subject.parent) == []
    assert open_subject(subject).recording(2).video is not None
    write_mp4(video_path(subject, 2), n_frames - rate, rate=rate)
    with pytest.raises(TrialError, match=r"frames for 19\.00 s, expected 20 s"):
        open_subject(subject).recording(2)
    codes = [(f.trial, f.code) for f in check_root(subject.parent)]
    assert codes == [(2, "truncated-video")]


def test_a_folder_called_almost_as_a_subject_is_named(subject, caplog):
    root = subject.parent
    for name in ("subject 7", "sub-08", "substance9"):
        (root / name).mkdir()
    faults = [(f.subject, f.code) for f in check_root(root)]
    assert faults == [(7, "misnamed-folder"), (8, "misnamed-folder")]
    assert list(find_subjects(root)) == [1]
    assert "`subject 7` looks like a subject; rename it to subject7" in caplog.text
    shutil.rmtree(subject)
    with pytest.raises(DatasetError, match="rename it to subject8"):
        find_subjects(root)


# --- check


def test_an_intact_root_has_no_fault(intact):
    assert check_root(intact.parent) == []


def test_check_lists_missing_speaking_media_only(subject):
    audio_path(subject, 2).unlink()
    video_path(subject, 8).unlink()
    faults = check_root(subject.parent)
    assert [(f.trial, f.code) for f in faults] == [
        (2, "missing-audio"),
        (8, "missing-video"),
    ]


def test_check_misses_listening_videos_where_some_are_there(subject):
    for trial in (1, 3, 5, 9):
        shutil.copy(video_path(subject, 2), video_path(subject, trial))
    faults = check_root(subject.parent)
    assert [(f.trial, f.code) for f in faults] == [(7, "missing-video")]


def test_a_missing_folder_is_one_fault_and_leaves_the_rest_usable(subject):
    shutil.rmtree(subject / "Audio")
    faults = check_root(subject.parent)
    assert [(f.trial, f.code) for f in faults] == [(None, "missing-folder")]
    assert open_subject(subject).recording(2).audio is None


def test_check_names_unknown_files_and_media_without_eeg(subject):
    (subject / "Video" / "holiday.mp4").write_bytes(b"x")
    name = media_name(2).replace("002_", "012_")
    shutil.copy(audio_path(subject, 2), subject / "Audio" / f"{name}_aud.wav")
    faults = check_root(subject.parent)
    assert [(f.trial, f.code) for f in faults] == [
        (None, "unknown-file"),
        (12, "trial-without-eeg"),
    ]
    assert open_subject(subject).n_trials == N_TRIALS


def test_check_tells_electrodes_flat_throughout_from_those_flat_in_a_trial(subject):
    array = eeg_array()
    array[:, 4, :] = 7.0
    array[:, 9, 2] = 7.0
    write_eeg(subject, {"seg1": array})
    faults = check_root(subject.parent)
    assert [(f.trial, f.code) for f in faults] == [(None, "flat-eeg"), (3, "flat-eeg")]
    assert "Fz" in faults[0].message
    assert "FC2" in faults[1].message


def test_one_fault_hides_no_other_of_the_same_subject(subject):
    too_few_channels(subject)
    no_labels(subject)
    cut_wav(subject)
    video_path(subject, 6).unlink()
    faults = check_root(subject.parent)
    assert {(f.trial, f.code) for f in faults} == {
        (None, "wrong-channels"),
        (None, "missing-file"),
        (2, "truncated-audio"),
        (6, "missing-video"),
    }


def test_every_subject_is_checked_whatever_the_others_are_like(intact, tmp_path):
    for name in ("subject1", "subject2", "subject3", "subject03"):
        shutil.copytree(intact, tmp_path / name)
    no_eeg(tmp_path / "subject1")
    cut_mp4(tmp_path / "subject2")
    seen = []
    faults = check_root(tmp_path, progress=lambda done, total: seen.append(done))
    assert [(f.subject, f.trial, f.code) for f in faults] == [
        (1, None, "missing-file"),
        (2, 2, "unreadable-video"),
        (3, None, "duplicate-subject"),
        (3, None, "duplicate-subject"),
    ]
    assert seen == [0, 1, 2, 3, 4]
    chosen = check_root(tmp_path, subjects=[2])
    assert [f.subject for f in chosen] == [2]
    with pytest.raises(DatasetError, match="no subject 7"):
        check_root(tmp_path, subjects=[7])
