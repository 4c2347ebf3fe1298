"""Recordings that are not EAV: read into windows, and what the benches make of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from planted import planted_subject, tiny_config

from benchmarks.offline import speech
from benchmarks.offline.contest import (
    Answers,
    add_array,
    compare,
    encoder_answers,
    linear_answers,
)
from benchmarks.offline.eegmat import (
    EegmatError,
    cut_windows,
    even_spectrum,
    read_people,
    read_recording,
)
from benchmarks.offline.speech import read_speaker
from eav_offline.config import load_config
from eav_offline.core.window import EEG_CHANNELS
from eav_offline.data.clips import ClipFolder, centered
from eav_offline.data.corpora import RAVDESS
from eav_offline.data.dataset import eeg_windows, speech_windows
from eav_offline.data.eav.files import DatasetError
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.models.baselines.features import log_band_power, log_mel_statistics

FindData = Callable[[str], Path]


def people(n: int, n_trials: int = 10) -> WindowSet:
    """Planted people with sound alone."""
    planted = [planted_subject(n_trials, subject) for subject in range(1, n + 1)]
    return window_set(
        [speech_windows(p.subject, p.log_mel, p.emotion) for p in planted]
    )


def test_a_clip_is_trimmed_and_centered() -> None:
    random = np.random.default_rng(0)
    clip = np.zeros(48_000, dtype=np.float32)
    clip[16_000:32_000] = random.normal(0, 0.1, 16_000)
    window, _ = centered(clip)
    assert window.shape == (80_000,)
    sounding = np.flatnonzero(window)
    assert len(sounding) > 15_900
    assert abs(sounding.mean() - 40_000) < 1_600
    np.testing.assert_array_equal(window[sounding], clip[np.flatnonzero(clip)])


def test_of_a_long_clip_the_middle_is_kept() -> None:
    clip = np.random.default_rng(0).normal(0, 0.1, 100_000).astype(np.float32)
    np.testing.assert_array_equal(centered(clip)[0], clip[10_000:90_000])


def test_silence_is_a_window_of_silence() -> None:
    assert not centered(np.zeros(30_000, dtype=np.float32))[0].any()


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no clip of RAVDESS's speech"):
        ClipFolder(tmp_path, RAVDESS)
    with pytest.raises(EegmatError, match=r"no pair of recordings"):
        read_people(tmp_path)
    (tmp_path / "Subject03_1.edf").touch()
    with pytest.raises(EegmatError, match=r"of Subject03"):
        read_people(tmp_path)


def test_windows_are_filtered_from_what_precedes_them() -> None:
    time = np.arange(23 * 500) / 500
    eeg = np.tile(10 * np.sin(2 * np.pi * 10 * time), (30, 1)) + 4000
    windows = cut_windows(eeg, 500)
    assert windows.shape == (4, 30, 500)
    # Offset gone, rhythm kept, from the second window on within a part in a hundred.
    np.testing.assert_allclose(windows[1:].std(axis=2), 10 / np.sqrt(2), rtol=0.01)
    assert np.abs(windows.mean(axis=2)).max() < 0.5


def test_speakers_of_ravdess_have_36_clips_of_five_classes(test_data: FindData) -> None:
    speaker = read_speaker(ClipFolder(test_data("ravdess_speech_16k"), RAVDESS), 16)
    assert speaker.subject == 16
    assert speaker.log_mel.shape == (36, 498, 128)
    assert np.bincount(speaker.emotion).tolist() == [4, 8, 8, 8, 8]
    assert speaker.present.tolist() == [[False, True, False]] * 36
    assert len(set(speaker.trial)) == 36


def test_an_actor_that_is_not_there_is_refused(
    test_data: FindData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech, "TEST_ACTORS", (16, 99))
    with pytest.raises(DatasetError, match="no subject 99"):
        speech.bench_speech(test_data("ravdess_speech_16k"), load_config("speech"))


def test_eegmat_gives_30_electrodes_in_microvolts(test_data: FindData) -> None:
    import mne

    path = test_data("eegmat_edf/Subject00_2.edf")
    eeg, rate = read_recording(path)
    recorded = mne.io.read_raw_edf(path, verbose="error")
    assert (rate, eeg.shape) == (500, (30, recorded.n_times))
    for ours, theirs in {"Fp1": "EEG Fp1", "T7": "EEG T3", "P8": "EEG T6"}.items():
        expected = recorded.get_data(picks=[theirs])[0] * 1e6
        np.testing.assert_allclose(eeg[EEG_CHANNELS.index(ours)], expected, atol=1e-3)
    # FC1 is not recorded: it resembles its neighbors more than the other side.
    fc1, c3, p8 = (eeg[EEG_CHANNELS.index(name)] for name in ("FC1", "C3", "P8"))
    near, far = np.corrcoef(fc1, c3)[0, 1], np.corrcoef(fc1, p8)[0, 1]
    assert fc1.std() > 1
    assert near > far


def test_a_linear_model_finds_what_is_planted_in_other_people() -> None:
    windows = people(4)
    features = log_mel_statistics(windows.array("audio", np.arange(len(windows))))
    test = windows.subject == 4
    answers = linear_answers(features, windows, ~test, test)
    assert answers.said.shape == (1, test.sum())
    assert answers.scores()["accuracy"] == 1.0


def test_an_encoder_is_trained_anew_for_each_seed() -> None:
    stage = {"epochs": 3, "batch": 20, "learning_rate": 3e-3, "augment": False}
    windows, config = people(3), tiny_config(audio=stage)
    test = windows.subject == 3
    answers = encoder_answers("audio", windows, ~test, test, config, [0, 1], 5)
    again = encoder_answers("audio", windows, ~test, test, config, [1], 5)
    assert answers.said.shape == (2, 20)
    # Of twenty decisions one may be a tie that rounding breaks.
    assert (answers.said[1] != again.said[0]).sum() <= 1
    assert answers.scores()["accuracy"] > 0.4


def test_outputs_without_a_meaning_are_never_said() -> None:
    windows = people(3)
    config = tiny_config(audio={"epochs": 1, "learning_rate": 1e-3, "augment": False})
    test = windows.subject == 3
    answers = encoder_answers("audio", windows, ~test, test, config, [0], 2)
    assert set(np.unique(answers.said)) <= {0, 1}


def test_scores_are_averaged_over_seeds_before_people_are_drawn() -> None:
    truth = np.array([0, 0, 1, 1] * 2)
    person = np.repeat([1, 2], 4)
    right, wrong = truth, 1 - truth
    answers = Answers(np.stack([right, np.r_[right[:4], wrong[4:]]]), truth, person)
    scores = answers.scores()
    assert scores["by_person"]["accuracy"] == {"1": 1.0, "2": 0.5}
    assert scores["accuracy"] == 0.75
    assert scores["accuracy_interval"] is None  # of two people
    assert scores["by_seed"] == [1.0, 0.5]


def test_contenders_are_compared_person_by_person() -> None:
    truth, person = np.zeros(60, dtype=int), np.repeat(np.arange(6), 10)
    always = Answers(truth[None], truth, person)
    half = Answers((np.arange(60) % 2)[None], truth, person)
    difference = compare(always, half, "accuracy")
    assert difference["difference"] == 0.5
    assert difference["interval"] == (0.5, 0.5)
    assert difference["people_better"] == difference["people"] == 6
    assert difference["p"] == pytest.approx(2 / 2**6)


def test_another_array_reaches_the_windows_it_belongs_to() -> None:
    planted = [planted_subject(5, subject) for subject in (1, 2)]
    windows = window_set(
        [eeg_windows(p.subject, p.eeg, p.trial, p.position, p.emotion) for p in planted]
    )
    changed = np.arange(len(windows), dtype=np.float32)[:, None, None]
    changed = np.broadcast_to(changed, (len(windows), 30, 500))
    other = add_array(windows, "eeg", changed)
    rows = np.array([13, 2, 7])
    assert other.array("eeg", rows)[:, 0, 0].tolist() == rows.tolist()
    assert not np.array_equal(windows.array("eeg", rows), other.array("eeg", rows))


def test_an_even_spectrum_takes_out_the_person_and_leaves_the_window() -> None:
    random = np.random.default_rng(0)
    time = np.arange(500) / 100
    alpha = np.sin(2 * np.pi * 10 * time)
    eeg = random.normal(0, 1, (40, 30, 500))
    person = np.repeat([1, 2], 20)
    eeg[person == 2] += 8 * alpha  # one person's strong rhythm ...
    eeg[::2] *= 1.5  # ... and what every other window has more of
    power = log_band_power(even_spectrum(eeg.astype(np.float32), person))
    of_person = power[person == 2].mean((0, 1)) - power[person == 1].mean((0, 1))
    assert np.abs(of_person).max() < 0.5
    of_window = power[::2].mean((0, 1)) - power[1::2].mean((0, 1))
    np.testing.assert_allclose(of_window, np.log(1.5**2), atol=0.1)


@pytest.mark.parametrize("name", ["speech", "eegmat"])
def test_the_benches_configurations_are_valid(name: str) -> None:
    assert load_config(name).train.audio.epochs > 0
