"""Synthetic people: the EAV layout, what is attainable, and evidence in each medium."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import torch
from scipy.io import loadmat

from eav_offline.cli import main
from eav_offline.core.labels import (
    EMOTIONS,
    MODALITIES,
    decode_label_rows,
    media_name,
    parse_media_name,
)
from eav_offline.core.window import EEG_CHANNELS
from eav_offline.data.dataset import is_synthetic, read_marker
from eav_offline.data.eav.files import DatasetError
from eav_offline.data.media import iter_frames, rgb, video_info
from eav_offline.data.synthetic.eeg import trial_eeg
from eav_offline.data.synthetic.face import FaceRenderer
from eav_offline.data.synthetic.people import write_subjects
from eav_offline.data.synthetic.plan import (
    Evidence,
    SessionPlan,
    attainable,
    emotion_weights,
    plan_session,
)
from eav_offline.data.synthetic.portrait import random_look
from eav_offline.data.synthetic.video import clip_poses, render_frames, write_clip
from eav_offline.data.synthetic.voice import voice
from eav_offline.preprocess.audio import log_mel_frames, resample
from eav_offline.preprocess.eeg import band_limit
from eav_offline.preprocess.face import FaceTracker, FrameThinner

SEED = 5
ANGER, HAPPINESS, CALMNESS = (
    EMOTIONS.index(name) for name in ("anger", "happiness", "calmness")
)


def constant(emotion: int) -> np.ndarray:
    return np.full(4, emotion)


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A subject whose clips are empty files: filming takes longer than the rest."""
    root = tmp_path_factory.mktemp("synthetic")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "eav_offline.data.synthetic.people.write_clip",
            lambda path, *rest: path.touch(),
        )
        write_subjects(root, 1, 10, SEED)
    return root / "subject1"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first two seconds of a clip."""
    path = tmp_path_factory.mktemp("clip") / media_name(2, 1, HAPPINESS, "video")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("eav_offline.data.synthetic.video.CLIP_FRAMES", 60)
        write_clip(path, SEED, 1, 2, np.array([3, 1, 2, 4]), True)
    return path


# Layout


def test_media_are_named_as_eav_names_them_and_only_for_speaking_trials(
    subject: Path,
) -> None:
    emotion, task = decode_label_rows(
        loadmat(subject / "EEG" / "subject01_eeg_label.mat")["label"]
    )
    for folder in ("Video", "Audio"):
        names = [parse_media_name(p.stem) for p in sorted((subject / folder).iterdir())]
        assert [n.trial for n in names if n] == [2, 4, 6, 8, 10]
        assert [n.emotion for n in names if n] == emotion[1::2].tolist()
        assert {n.task for n in names if n} == {"speaking"}
    assert all(p.name.endswith("_aud.wav") for p in (subject / "Audio").iterdir())
    assert task.tolist() == [0, 1] * 5


def test_second_numbers_count_as_in_eav() -> None:
    assert media_name(2, 1, 0, "video") == "002_Trial_02_Speaking_Neutral.mp4"
    assert media_name(2, 1, 0, "audio") == "002_Trial_02_Speaking_Neutral_aud.wav"
    assert media_name(200, 1, 1, "video").startswith("200_Trial_20_")
    assert media_name(200, 1, 1, "audio").startswith("200_Trial_10_")


def test_eeg_is_time_by_channels_by_trials_at_500_hz(subject: Path) -> None:
    content = loadmat(subject / "EEG" / "subject01_eeg.mat")
    assert content["seg1"].shape == (10_000, 30, 10)
    assert content["seg1"].dtype == np.float32


def test_sound_is_pcm_at_44100_hz_of_20_to_21_seconds(subject: Path) -> None:
    for path in (subject / "Audio").iterdir():
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.subtype) == (44_100, 1, "PCM_16")
        assert 20.0 <= info.duration <= 21.0


def test_clip_is_h264_at_640_by_480_and_30_frames_a_second(clip: Path) -> None:
    info = video_info(clip)
    assert (info.width, info.height, info.rate) == (640, 480, 30.0)
    assert info.n_frames == 60
    assert info.seconds == pytest.approx(2.0)
    with av.open(str(clip)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert not container.streams.audio


def test_trial_is_filmed_in_600_frames() -> None:
    assert len(clip_poses(SEED, 1, 1, constant(0), False)) == 600


def test_listening_videos_are_written_on_demand_without_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "eav_offline.data.synthetic.people"
    monkeypatch.setattr(f"{module}.write_clip", lambda path, *rest: path.touch())
    monkeypatch.setattr(f"{module}.write_wav", lambda path, *rest: path.touch())
    monkeypatch.setattr(f"{module}.session_eeg", lambda *args: np.zeros((4, 30, 10)))
    write_subjects(tmp_path, 1, 10, SEED, listening=True)
    folder = tmp_path / "subject1"
    assert len(list((folder / "Video").iterdir())) == 10
    assert len(list((folder / "Audio").iterdir())) == 5


def test_marker_says_synthetic_and_what_is_attainable(
    subject: Path, tmp_path: Path
) -> None:
    marker = json.loads((subject / "SYNTHETIC.json").read_text())
    assert marker["synthetic"] is True
    assert (marker["seed"], marker["effect"]) == (SEED, 0.8)
    assert marker["attainable"]["fused"] == attainable(0.8).fused
    assert is_synthetic(subject)
    assert not is_synthetic(tmp_path)


def test_damaged_marker_is_refused(tmp_path: Path) -> None:
    (tmp_path / "SYNTHETIC.json").write_text("{")
    with pytest.raises(DatasetError, match=r"SYNTHETIC\.json cannot be read"):
        read_marker(tmp_path)


def test_folder_with_real_recordings_is_refused(tmp_path: Path) -> None:
    real = tmp_path / "subject07" / "EEG"
    real.mkdir(parents=True)
    with pytest.raises(FileExistsError, match="subject07 is not a synthetic subject"):
        write_subjects(tmp_path, 1, 10, SEED)
    assert real.is_dir()


def test_the_same_people_are_gone_on_with_and_others_are_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "eav_offline.data.synthetic.people"
    for name in ("write_clip", "write_wav"):
        monkeypatch.setattr(f"{module}.{name}", lambda path, *rest: path.touch())
    monkeypatch.setattr(f"{module}.session_eeg", lambda *args: np.zeros((4, 30, 10)))
    steps: list[int] = []

    def write(n_subjects: int, seed: int = SEED, effect: float = 0.8) -> list[int]:
        steps.clear()
        write_subjects(
            tmp_path,
            n_subjects,
            10,
            seed,
            effect,
            progress=lambda _, total: steps.append(total),
        )
        return steps

    assert write(1) == [11] * 11
    (gone,) = (tmp_path / "subject1/Audio").glob("*Trial_04*")
    gone.unlink()
    (tmp_path / "subject1/EEG/subject01_eeg_label.mat").unlink()  # killed before it
    assert write(1) == [2] * 2
    assert gone.exists()
    assert write(2) == [11] * 11  # one more person
    assert write(1) == []
    there = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with pytest.raises(FileExistsError, match=f"seed {SEED} there and 7 now"):
        write(3, seed=7)
    with pytest.raises(FileExistsError, match=r"effect 0\.8 there and 0\.5 now"):
        write(1, effect=0.5)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == there


@pytest.mark.parametrize("n_trials", [0, 5, 12, 1000])
def test_trials_that_cannot_balance_are_refused(tmp_path: Path, n_trials: int) -> None:
    with pytest.raises(ValueError, match="multiple of 10"):
        write_subjects(tmp_path, 1, n_trials, SEED)
    assert not list(tmp_path.iterdir())


def test_effect_out_of_range_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected 0"):
        write_subjects(tmp_path, 1, 10, SEED, effect=1.2)


# What is shown


def test_every_ten_trials_hold_each_emotion_once_per_task() -> None:
    plan = plan_session(SEED, 1, 40)
    for task in (0, 1):
        blocks = plan.emotion[plan.task == task].reshape(4, 5)
        assert all(sorted(block) == list(range(5)) for block in blocks)
    assert len({tuple(b) for b in plan.emotion[1::2].reshape(4, 5)}) > 1


def test_attainable_is_chance_at_effect_zero_and_certain_at_one() -> None:
    nothing, all_ = attainable(0.0), attainable(1.0)
    for value in (nothing.eeg, nothing.audio, nothing.video, nothing.fused):
        assert value == pytest.approx(0.2)
    assert (all_.eeg, all_.fused) == (pytest.approx(1.0), pytest.approx(1.0))


@pytest.mark.parametrize("effect", [0.1, 0.5, 0.8])
def test_fused_attainable_is_what_a_bayes_classifier_reaches(effect: float) -> None:
    best = attainable(effect)
    plan = plan_session(SEED, 1, 990, effect)
    shown = np.stack(list(plan.expressed.values()), axis=-1)  # (trials, 4, 3)
    votes = (shown[..., None] == np.arange(5)).sum(axis=-2)
    # Alike modalities make Bayes' rule a vote; a split vote is a fair guess.
    winners = votes == votes.max(axis=-1, keepdims=True)
    right = np.take_along_axis(winners, plan.emotion[:, None, None], axis=-1)[..., 0]
    accuracy = (right / winners.sum(axis=-1)).mean()
    assert accuracy == pytest.approx(best.fused, abs=0.03)
    assert best.fused >= best.eeg == best.audio == best.video


def test_expressed_emotions_match_with_p_and_are_independent_given_the_class() -> None:
    plan = plan_session(SEED, 2, 990, 0.8)
    match = {
        m: (shown == plan.emotion[:, None]).ravel().astype(float)
        for m, shown in plan.expressed.items()
    }
    for hits in match.values():
        assert hits.mean() == pytest.approx(0.84, abs=0.025)
    correlation = np.corrcoef(list(match.values()))
    assert np.abs(correlation[np.triu_indices(3, 1)]).max() < 0.06


def test_effect_zero_leaves_no_trace_of_the_label() -> None:
    plan = plan_session(SEED, 1, 990, 0.0)
    for shown in plan.expressed.values():
        counts = np.zeros((5, 5))
        np.add.at(counts, (np.repeat(plan.emotion, 4), shown.ravel()), 1)
        expected = counts.sum() / 25
        chi_square = ((counts - expected) ** 2 / expected).sum()
        assert chi_square < 45.6  # 24 degrees of freedom: exceeded by 5 draws in 1000


def test_weights_pass_smoothly_over_a_windows_border() -> None:
    times = np.array([4.8, 5.0, 5.2])
    weights = emotion_weights(np.array([0, 2, 2, 2]), times)
    np.testing.assert_allclose(weights[:, 2], [0.0, 0.5, 1.0])
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)


# Shown by the modalities together

KINDS = [Evidence(kind, m, 1.0) for kind in ("masking", "sum") for m in MODALITIES]
KINDS += [Evidence("masking", "audio", 0.4), Evidence("sum", "eeg", 0.5)]


def windows(evidence: Evidence, n_people: int = 30) -> tuple[np.ndarray, ...]:
    """Of all windows: emotion (n,), what the three show (n, 3) and the cue (n,)."""
    plans = [plan_session(SEED, i, 990, 0.8, evidence) for i in range(n_people)]

    def joined(of: Callable[[SessionPlan], np.ndarray]) -> np.ndarray:
        return np.concatenate([of(plan).ravel() for plan in plans])

    emotion = joined(lambda plan: np.repeat(plan.emotion, 4))
    shown = [joined(lambda plan, m=m: plan.expressed[m]) for m in MODALITIES]
    cue = joined(lambda plan: plan.cue[str(evidence.modality)])
    return emotion, np.stack(shown, axis=1), cue


def learned(emotion: np.ndarray, *seen: np.ndarray) -> float:
    """Accuracy of the commonest emotion of each outcome, counted on other windows."""
    outcome = np.ravel_multi_index(seen, [int(column.max()) + 1 for column in seen])
    half = len(emotion) // 2
    counts = np.zeros((outcome.max() + 1, 5))
    np.add.at(counts, (outcome[:half], emotion[:half]), 1)
    return float((counts.argmax(axis=1)[outcome[half:]] == emotion[half:]).mean())


@pytest.mark.parametrize("evidence", KINDS, ids=str)
def test_attainable_is_what_is_learned_from_the_draws(evidence: Evidence) -> None:
    best = attainable(0.8, evidence)
    emotion, shown, cue = windows(evidence)
    for i, modality in enumerate(MODALITIES):
        # The modality that carries the cue knows from it which trials are ordinary.
        seen = [shown[:, i], cue + 1][: 1 + (modality == evidence.modality)]
        assert learned(emotion, *seen) == pytest.approx(
            best.as_json()[modality], abs=0.012
        )
    assert learned(emotion, *shown.T, cue + 1) == pytest.approx(best.joint, abs=0.012)
    assert best.joint > 0.95


@pytest.mark.parametrize("evidence", KINDS, ids=str)
def test_late_fusion_cannot_know_whom_to_believe(evidence: Evidence) -> None:
    late, joint = (
        attainable(0.8, evidence).as_json()[name] for name in ("late", "joint")
    )
    ordinary = attainable(0.8).fused
    told, weak = 0.968, 0.36
    if evidence.kind == "masking":
        # One of two equals is true; the third's weak vote, if for one, decides.
        apart = (told + (1 - told) / 4) * (weak + (1 - weak) * 3 / 8)
    else:
        apart = 0.2
    expected = evidence.share * apart + (1 - evidence.share) * ordinary
    assert late == pytest.approx(expected, abs=1e-9)
    assert joint > late + 0.35 * evidence.share


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_late_fusion_of_masked_emotions_is_bayes_rule_without_the_cue(
    share: float,
) -> None:
    evidence = Evidence("masking", "video", share)
    emotion, shown, cue = windows(evidence)
    late = attainable(0.8, evidence).late
    assert learned(emotion, *shown.T, np.abs(cue)) == pytest.approx(late, abs=0.015)


def test_people_without_masked_trials_are_ordinary() -> None:
    plain = attainable(0.8)
    best = attainable(0.8, Evidence("masking", "eeg", 0.0)).as_json()
    assert best["joint"] == pytest.approx(plain.fused)
    assert best["late"] == pytest.approx(plain.fused)
    assert (plain.late, plain.as_json()["fused"]) == (None, plain.joint)
    nothing = attainable(0.0, Evidence("sum", "eeg", 0.5)).as_json()
    assert list(nothing.values()) == pytest.approx([0.2] * 5)


def test_masked_trials_are_spread_evenly_and_the_others_stay_as_they_were() -> None:
    plan = plan_session(SEED, 1, 200, 0.8, Evidence("masking", "eeg", 0.5))
    for emotion in range(5):
        for task in (0, 1):
            mine = plan.of_kind[(plan.emotion == emotion) & (plan.task == task)]
            assert mine.sum() == 10
            assert np.abs(mine.cumsum() - np.arange(1, 21) / 2).max() <= 1
    plain = plan_session(SEED, 1, 200, 0.8)
    for modality, shown in plan.expressed.items():
        same = shown == plain.expressed[modality]
        assert same[~plan.of_kind].all()
        assert not same[plan.of_kind].all()
        assert not plan.cue[modality][~plan.of_kind].any()


@pytest.mark.parametrize("modality", MODALITIES)
def test_cue_says_which_of_two_shows_the_truth(modality: str) -> None:
    evidence = Evidence("masking", modality, 1.0)
    plan = plan_session(SEED, 1, 990, 0.8, evidence)
    first, second = (plan.expressed[m] for m in evidence.pair)
    assert (first != second).all()
    cue = plan.cue[modality]
    believed = np.where(cue > 0, first, second)
    assert (believed == plan.emotion[:, None]).mean() == pytest.approx(0.968, abs=0.01)
    assert (cue > 0).mean() == pytest.approx(0.5, abs=0.03)


def test_summed_emotions_say_nothing_one_by_one() -> None:
    plan = plan_session(SEED, 1, 990, 0.8, Evidence("sum", "eeg", 1.0))
    total = (plan.expressed["audio"] + plan.expressed["video"]) % 5
    assert (total == plan.emotion[:, None]).mean() == pytest.approx(0.968, abs=0.01)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("masking", None, 1.0), "as the third"),
        (("ordinary", "eeg", 1.0), "as the third"),
        (("sarcasm", "eeg", 1.0), "expected one of ordinary, masking, sum"),
        (("sum", "eeg", 1.5), "share is 1.5, expected 0"),
    ],
)
def test_evidence_that_is_none_is_refused(
    wrong: tuple[str, str | None, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Evidence(*wrong)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], None),
        (["--masking", "audio"], ("masking", "audio", 1.0)),
        (["--masking", "eeg", "--masking-share", "0.3"], ("masking", "eeg", 0.3)),
        (["--sum", "audio+video"], ("sum", "eeg", 0.5)),
    ],
)
def test_command_writes_the_kind_into_the_marker(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    expected: tuple[str, str, float] | None,
) -> None:
    module = "eav_offline.data.synthetic.people"
    monkeypatch.setattr(f"{module}.write_clip", lambda path, *rest: path.touch())
    monkeypatch.setattr(f"{module}.write_wav", lambda path, *rest: path.touch())
    monkeypatch.setattr(f"{module}.session_eeg", lambda *args: np.zeros((4, 30, 10)))
    command = ["synth", str(tmp_path), "--trials", "10"]
    assert main([*command, "--jobs", "1", *options]) == 0
    marker = json.loads((tmp_path / "subject1" / "SYNTHETIC.json").read_text())
    best = marker["attainable"]
    if expected is None:
        assert "evidence" not in marker
        assert list(best) == ["eeg", "audio", "video", "fused"]
    else:
        assert tuple(marker["evidence"].values()) == expected
        assert best == attainable(0.8, Evidence(*expected)).as_json()
    assert ", ".join(f"{k} {x:.1%}" for k, x in best.items()) in capsys.readouterr().out


def test_share_without_a_kind_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["synth", str(tmp_path), "--masking-share", "0.5"]) != 0
    assert "--masking-share needs --masking or --sum" in capsys.readouterr().err


# Strangeness


def test_people_of_strangeness_0_are_those_of_this_version() -> None:
    # If this fails, GENERATOR_VERSION is to be raised: people were drawn already.
    shown = np.array([3, 1, 2, 4])
    uv, sound = trial_eeg(SEED, 1, 2, shown), voice(SEED, 1, 2, shown)
    assert np.abs(np.diff(uv)).mean() == pytest.approx(5.3556, abs=1e-3)
    assert (len(sound), np.abs(sound).mean()) == pytest.approx((896164, 0.069056))
    poses = clip_poses(SEED, 1, 2, shown, True)
    moved = [abs(p.smile) + abs(p.lid) + abs(p.brow_inner) + p.gap for p in poses]
    assert np.mean(moved) == pytest.approx(16.4318, abs=1e-3)
    picture = next(render_frames(SEED, 1, 2, shown, True))
    assert picture.mean() == pytest.approx(128.896, abs=0.01)


def test_strange_people_have_their_own_gains_voice_face_and_effects() -> None:
    def heard(person: int, emotion: int, strangeness: float) -> np.ndarray:
        sound = voice(SEED, person, 2, constant(emotion), strangeness=strangeness)
        return log_mel_frames(resample(sound, 44_100)).mean(axis=0)

    def seen(person: int, emotion: int, strangeness: float) -> np.ndarray:
        who = (SEED, person, 2, constant(emotion), True)
        poses = clip_poses(*who, strangeness=strangeness)
        return np.mean([(p.brow_inner, p.smile, 10 * p.lid) for p in poses], axis=0)

    def measured(person: int, emotion: int, strangeness: float) -> np.ndarray:
        uv = trial_eeg(SEED, person, 2, constant(emotion), strangeness=strangeness)
        return eeg_log_power(uv, 10_000).ravel()

    for of in (heard, seen, measured):
        levels, effects = {}, {}
        for size in (0.0, 1.0):
            anger = np.stack([of(person, ANGER, size) for person in (1, 2, 3)])
            calm = np.stack([of(person, CALMNESS, size) for person in (1, 2, 3)])
            levels[size] = (anger + calm).std(axis=0).mean()
            effects[size] = (anger - calm).std(axis=0).mean()
        assert levels[1.0] > 1.3 * levels[0.0], of.__name__
        assert effects[1.0] > 1.3 * effects[0.0], of.__name__


def test_strangeness_is_in_the_marker_and_never_below_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module, asked = "eav_offline.data.synthetic.people", []
    for name in ("write_clip", "write_wav"):
        monkeypatch.setattr(
            f"{module}.{name}", lambda path, *rest: asked.append(rest[-1])
        )
    monkeypatch.setattr(
        f"{module}.session_eeg",
        lambda *rest: (asked.append(rest[-1]), np.zeros((4, 30, 10)))[1],
    )
    command = ["synth", str(tmp_path), "--trials", "10", "--jobs", "1", "--strangeness"]
    assert main([*command, "1.5"]) == 0
    assert read_marker(tmp_path / "subject1")["strangeness"] == 1.5
    assert asked == [1.5] * 11
    assert main([*command, "-1"]) != 0
    assert "strangeness is -1" in capsys.readouterr().err


# Determinism


def test_same_seed_and_number_give_the_same_signals() -> None:
    shown = np.array([0, 1, 2, 3])
    signals, again, other = (
        (trial_eeg(seed, 3, 4, shown), voice(seed, 3, 4, shown))
        for seed in (SEED, SEED, 9)
    )
    for one, two in zip(signals, again, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6 * np.abs(one).max())
    # Bit for bit: drawn from the generator, without a sum.
    assert clip_poses(SEED, 3, 4, shown, True) == clip_poses(SEED, 3, 4, shown, True)
    assert not np.allclose(signals[0], other[0])


def test_a_person_does_not_depend_on_how_many_are_written(
    subject: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "eav_offline.data.synthetic.people"
    monkeypatch.setattr(f"{module}.write_clip", lambda path, *rest: path.touch())
    monkeypatch.setattr(f"{module}.session_eeg", lambda *args: np.zeros((4, 30, 10)))
    steps: list[tuple[int, int]] = []
    write_subjects(tmp_path, 2, 10, SEED, progress=lambda *step: steps.append(step))
    for path in (subject / "Audio").iterdir():
        same = tmp_path / "subject1" / "Audio" / path.name
        assert path.read_bytes() == same.read_bytes()
    assert steps == [(i + 1, 22) for i in range(22)]


@pytest.mark.slow
def test_files_do_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    for jobs in (1, 2):
        write_subjects(tmp_path / str(jobs), 1, 10, SEED, jobs=jobs)
    folders = [tmp_path / str(jobs) / "subject1" for jobs in (1, 2)]
    for name in ("Video", "Audio"):
        for path in (folders[0] / name).iterdir():
            assert path.read_bytes() == (folders[1] / name / path.name).read_bytes()
    first, second = (loadmat(f / "EEG" / "subject01_eeg.mat")["seg1"] for f in folders)
    np.testing.assert_allclose(first, second, atol=1e-4)  # µV


# Evidence


def band_power(emotion: int, band: tuple[float, float], electrode: str) -> float:
    """Mean log power over four people, last window of a trial."""
    powers = []
    for person in range(1, 5):
        uv = band_limit(trial_eeg(SEED, person, 2, constant(emotion))[:, 2500:], 500)
        spectrum = np.abs(np.fft.rfft(uv[EEG_CHANNELS.index(electrode)])) ** 2
        f = np.fft.rfftfreq(500, 0.01)
        powers.append(np.log(spectrum[(f >= band[0]) & (f < band[1])].mean()))
    return float(np.mean(powers))


def test_calmness_raises_posterior_alpha_and_anger_temporal_gamma() -> None:
    alpha, gamma = (8.0, 12.5), (31.0, 44.0)
    assert band_power(CALMNESS, alpha, "Oz") > band_power(ANGER, alpha, "Oz") + 1.0
    assert band_power(ANGER, gamma, "T8") > band_power(CALMNESS, gamma, "T8") + 1.0


def test_happiness_has_less_alpha_on_the_left_of_the_forehead_than_anger() -> None:
    def asymmetry(emotion: int) -> float:
        band = (8.0, 12.5)
        return band_power(emotion, band, "F4") - band_power(emotion, band, "F3")

    assert asymmetry(HAPPINESS) > asymmetry(ANGER) + 0.8


def test_raw_eeg_has_offsets_blinks_and_line_noise() -> None:
    uv = trial_eeg(SEED, 1, 2, constant(0))
    assert np.abs(uv.mean(axis=1)).max() > 1000
    spread = uv.std(axis=1)
    assert spread[:2].min() > 1.3 * np.median(spread)  # Fp1, Fp2
    spectrum = np.abs(np.fft.rfft(uv - uv.mean(axis=1, keepdims=True))) ** 2
    line, beside = spectrum[:, 1000], spectrum[:, 1020:1200].mean(axis=1)
    assert np.median(line / beside) > 50


def test_angry_voice_is_louder_and_brighter_than_a_calm_one() -> None:
    def spectrum(emotion: int) -> np.ndarray:
        sound = voice(SEED, 1, 2, constant(emotion))
        return log_mel_frames(resample(sound, 44_100)).mean(axis=0)

    difference = spectrum(ANGER) - spectrum(CALMNESS)
    assert difference[20:].mean() > 2.0
    assert difference[65:80].mean() > difference[10:25].mean()


def test_expression_moves_the_same_way_in_everybody() -> None:
    for person in range(1, 6):
        smile = {
            e: np.mean(
                [p.smile for p in clip_poses(SEED, person, 2, constant(e), True)]
            )
            for e in range(5)
        }
        assert smile[HAPPINESS] > smile[CALMNESS] > smile[0] > smile[ANGER]


def masked(
    modality: str, n_trials: int
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Speaking trials of a person, what `modality` shows in them, and its cue."""
    plan = plan_session(SEED, 1, 20, 0.8, Evidence("masking", modality, 1.0))
    for trial in range(2, 2 * n_trials + 1, 2):
        yield trial, plan.expressed[modality][trial - 1], plan.cue[modality][trial - 1]


def apart(values: list[float], cues: list[int]) -> float:
    """From the highest value at cue -1 to the lowest at +1."""
    low, high = (np.array(values)[np.array(cues) == cue] for cue in (-1, 1))
    return float(high.min() - low.max())


def eeg_log_power(uv: np.ndarray, end: int) -> np.ndarray:
    """(30, 4) of the window that ends at this sample, in four bands."""
    x = band_limit(uv[:, max(0, end - 7500) : end], 500) * np.hanning(500)
    f, power = np.fft.rfftfreq(500, 0.01), np.abs(np.fft.rfft(x)) ** 2
    bands = ((4.0, 7.5), (8.0, 12.5), (14.0, 28.0), (31.0, 44.0))
    parts = [power[:, (f >= low) & (f < high)].mean(axis=1) for low, high in bands]
    return np.log(np.stack(parts, axis=1))


def test_cue_in_eeg_is_plain_whatever_emotion_is_shown() -> None:
    values, cues = [], []
    for trial, shown, cue in masked("eeg", 10):
        uv = trial_eeg(SEED, 1, trial, shown, cue)
        values += [eeg_log_power(uv, 2500 * (i + 1)).mean() for i in range(4)]
        cues += cue.tolist()
    assert apart(values, cues) > 0.2


@pytest.mark.parametrize("emotion", range(5))
def test_cue_in_eeg_scales_every_region_and_band_alike(emotion: int) -> None:
    low, high = (
        eeg_log_power(trial_eeg(SEED, 1, 2, constant(emotion), np.full(4, cue)), 10_000)
        for cue in (-1, 1)
    )
    # Twice a log amplitude of one. Blinks do not grow with it: below 13 Hz, in front.
    np.testing.assert_allclose((high - low)[:, 2:], 2.0, atol=0.05)
    np.testing.assert_allclose((high - low)[11:, 1], 2.0, atol=0.1)


def test_cue_in_the_voice_is_plain_whatever_emotion_is_shown() -> None:
    values, cues = [], []
    for trial, shown, cue in masked("audio", 4):
        sound = resample(voice(SEED, 1, trial, shown, cue), 44_100)[: 4 * 80_000]
        for wave in sound.reshape(4, -1):
            frames = log_mel_frames(wave).mean(axis=1)
            values.append(np.percentile(frames, 5))
        cues += cue.tolist()
    assert apart(values, cues) > 0.5


def test_cue_in_the_voice_leaves_its_spectrums_shape() -> None:
    for emotion in (0, CALMNESS):  # an angry voice comes close to full scale
        low, plain, high = (
            log_mel_frames(
                resample(voice(SEED, 1, 2, constant(emotion), np.full(4, cue)), 44_100)
            ).mean(axis=0)
            for cue in (-1, 0, 1)
        )
        ten_db = np.log(10)
        # Above the lowest bands, which the 25 ms frames hardly part.
        np.testing.assert_allclose((plain - low)[10:], ten_db, atol=0.3)
        np.testing.assert_allclose((high - plain)[10:], ten_db, atol=0.6)


def test_cue_in_the_face_is_plain_and_leaves_the_expression() -> None:
    renderer = FaceRenderer(random_look(np.random.default_rng(SEED)))
    values, cues = [], []
    for trial, shown, cue in masked("video", 3):
        poses = clip_poses(SEED, 1, trial, shown, True, cue)
        plain = clip_poses(SEED, 1, trial, shown, True)
        for name in ("smile", "brow_inner", "brow_close", "lid", "press", "cheeks"):
            assert [getattr(p, name) for p in poses] == [
                getattr(p, name) for p in plain
            ]
        pictures = np.stack([renderer.draw(pose) for pose in poses[6::12]])
        change = np.abs(np.diff(pictures[..., 1].astype(float), axis=0)).mean((1, 2))
        values += [
            change[i : i + 11].mean()
            for i in np.searchsorted(np.arange(49) * 0.4 + 0.2, np.arange(4) * 5.0)
        ]
        cues += cue.tolist()
    assert apart(values, cues) > 0.5


def test_lips_move_only_when_speaking() -> None:
    quiet = [p.gap for p in clip_poses(SEED, 1, 1, constant(0), False)]
    talking = [p.gap for p in clip_poses(SEED, 1, 1, constant(0), True)]
    assert max(quiet) == 0.0
    assert max(talking) > 5.0


@pytest.fixture
def one_torch_thread() -> Iterator[None]:
    """MTCNN works on small pictures: threads cost more than they give."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_torch_thread")
def test_tracker_finds_the_face_in_95_percent_of_a_trials_frames() -> None:
    renderer = FaceRenderer(random_look(np.random.default_rng(SEED)))
    tracker = FaceTracker()
    poses = clip_poses(SEED, 1, 2, np.array([3, 1, 2, 4]), True)
    found = [
        tracker.update(renderer.draw(pose), 0.4 * i).found
        for i, pose in enumerate(poses[::12])
    ]
    assert np.mean(found) >= 0.95


@pytest.mark.usefixtures("one_torch_thread")
def test_tracker_finds_the_face_in_an_encoded_clip(clip: Path) -> None:
    tracker, thinner = FaceTracker(), FrameThinner()
    found = [
        tracker.update(rgb(frame), time).found
        for time, frame in iter_frames(clip)
        if thinner.keep(time)
    ]
    assert len(found) == 10
    assert all(found)


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_leaves_what_is_finished_and_no_part_of_a_file(
    tmp_path: Path, jobs: int
) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_subjects(tmp_path, 1, 10, seed=3, progress=interrupt, jobs=jobs)
    found = {p.suffix for p in tmp_path.rglob("*") if p.is_file()}
    assert ".json" in found
    assert len(found) > 1
    assert not [p for p in tmp_path.rglob(".*") if p.is_file()]
