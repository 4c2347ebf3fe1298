"""Training: what is learned, what stays as it was, and what is refused."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from agreement import assert_models_agree, assert_runs_agree
from planted import SIDE, Planted, planted_subject, tiny_config

from eav_offline.checkpoint.file import load
from eav_offline.common.errors import InputRefused
from eav_offline.config import Config, load_config
from eav_offline.core.labels import MODALITIES
from eav_offline.core.model_names import STAGES
from eav_offline.data.window_set import window_set
from eav_offline.evaluation.assess import window_probabilities
from eav_offline.preprocess import PreprocessSettings
from eav_offline.training.augmentation import augment
from eav_offline.training.runtime import TrainingError, choose_device
from eav_offline.training.stages import fit_ambt, fit_encoder
from eav_offline.training.train import TrainingData, new_model, train

SETTINGS = PreprocessSettings(face_size=SIDE)
TEST_TRIALS = range(21, 31)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def data_of(*subjects: Planted, validation: bool = False) -> TrainingData:
    """Trials 1-20 train (or 1-15 train and 16-20 validate), 21-30 test."""
    last = 15 if validation else 20

    def part(trials: range) -> dict[int, list[int]]:
        return {s.subject: list(trials) for s in subjects}

    return TrainingData(
        train=window_set(subjects, part(range(1, last + 1))),
        validation=window_set(subjects, part(range(16, 21))) if validation else None,
        test=window_set(subjects, part(TEST_TRIALS)),
        preprocess=SETTINGS,
        split={"train": [1, last]},
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run on a planted subject."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("run")
    train(STAGES, data_of(planted_subject()), tiny_config(), out)
    return out


@pytest.mark.parametrize("name", [*MODALITIES, "fused"])
def test_a_planted_signal_is_learned(run: Path, name: str) -> None:
    results = json.loads((run / "results.json").read_text())
    assert results["modalities"][name]["accuracy"] > 0.7  # chance is 0.2


def test_a_run_holds_its_files_and_nothing_else(run: Path) -> None:
    assert {path.name for path in run.iterdir()} == {
        "model.safetensors",
        "config.toml",
        "split.json",
        "history.csv",
        "results.json",
        "predictions.npz",
    }
    assert load_config(run / "config.toml") == tiny_config()
    with (run / "history.csv").open() as file:
        history = list(csv.DictReader(file))
    assert [row["stage"] for row in history] == (
        ["eeg"] * 6 + ["audio"] * 6 + ["video"] * 6 + ["ambt"] * 2
    )


def test_results_tell_split_seed_and_number_of_windows(run: Path) -> None:
    results = json.loads((run / "results.json").read_text())
    assert results["split"] == {"train": [1, 20]}
    assert results["seed"] == 0
    assert results["n_windows"] == 20


def test_the_checkpoint_of_a_run_scores_what_the_run_reported(run: Path) -> None:
    results = json.loads((run / "results.json").read_text())
    test = data_of(planted_subject()).test
    assert test is not None
    chances = window_probabilities(load(run / "model.safetensors").model, test)
    for name, rows in chances.items():
        accuracy = float((rows.argmax(1) == test.emotion).mean())
        assert accuracy == results["modalities"][name]["accuracy"]


def test_ambt_leaves_the_encoders_bit_for_bit_as_they_were() -> None:
    data, config = data_of(planted_subject()), tiny_config()
    # Of statistics: what the fused head reads of the voice then passes a batch norm.
    audio = config.model.audio.model_copy(update={"pool": "statistics"})
    sizes = config.model.model_copy(update={"audio": audio})
    config = config.model_copy(update={"model": sizes})
    model = new_model(config, MODALITIES, fusion=True)
    for m in MODALITIES:
        fit_encoder(model, m, data.train, None, config)
    before = {n: x.clone() for n, x in model.encoders.state_dict().items()}
    trained = {n: x.clone() for n, x in model.ambt.state_dict().items()}
    fit_ambt(model, data.train, None, config)
    after = model.encoders.state_dict()
    assert "audio.statistics_norm.running_var" in before
    # Bit for bit: nothing is computed anew.
    assert all(torch.equal(before[name], after[name]) for name in before)
    still = [
        n for n, x in model.ambt.state_dict().items() if torch.equal(x, trained[n])
    ]
    assert still == []


def test_the_same_seed_gives_the_same_answers_and_another_others(
    tmp_path: Path,
) -> None:
    def weights(name: str, seed: int) -> dict[str, torch.Tensor]:
        config = short().with_seed(seed)
        data = data_of(planted_subject())
        torch.rand(seed + len(name))  # what was drawn before must not matter
        train(STAGES, data, config, tmp_path / name)
        return load(tmp_path / name / "model.safetensors").model.state_dict()

    first, _, other = weights("a", 5), weights("again", 5), weights("b", 6)
    assert_runs_agree(tmp_path / "again", tmp_path / "a")
    assert not torch.equal(first["ambt.state"], other["ambt.state"])
    assert not torch.equal(
        first["encoders.eeg.spatial.weight"], other["encoders.eeg.spatial.weight"]
    )


def test_stages_named_one_by_one_give_the_run_of_all_at_once(tmp_path: Path) -> None:
    data, config = data_of(planted_subject()), short()
    train(STAGES, data, config, tmp_path / "whole")
    for stage in STAGES:
        results = train([stage], data, config, tmp_path / "steps").as_json()
    assert_runs_agree(tmp_path / "steps", tmp_path / "whole")
    assert set(results["modalities"]) == {*MODALITIES, "fused", "averaged"}


def test_a_modality_trained_alone_makes_a_checkpoint_of_it(tmp_path: Path) -> None:
    train(["audio"], data_of(planted_subject()), short(), tmp_path)
    assert load(tmp_path / "model.safetensors").modalities == ("audio",)


def test_ambt_without_encoders_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="needs a trained encoder for eeg, audio"):
        train(["ambt"], data_of(planted_subject()), short(), tmp_path)


def test_going_on_with_another_split_or_configuration_is_refused(
    tmp_path: Path,
) -> None:
    data = data_of(planted_subject())
    train(["audio"], data, short(), tmp_path)
    with pytest.raises(TrainingError, match="another split"):
        train(["eeg"], replace(data, split={"train": [1, 19]}), short(), tmp_path)
    other = tiny_config("concat")
    with pytest.raises(TrainingError, match="another configuration"):
        train(["eeg"], data, other, tmp_path)


def test_a_trial_in_two_parts_of_the_split_is_refused(tmp_path: Path) -> None:
    subject = planted_subject()
    data = data_of(subject)
    torn = replace(data, test=window_set([subject], {1: range(20, 31)}))
    with pytest.raises(TrainingError, match="1 trials are in both the training and"):
        train(STAGES, torn, tiny_config(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_trials_of_the_same_number_in_two_subjects_are_not_the_same(
    tmp_path: Path,
) -> None:
    one, other = planted_subject(), planted_subject(subject=2)
    data = data_of(one)
    data = replace(data, test=window_set([other], {2: range(1, 11)}))
    assert train(["audio"], data, short(), tmp_path).n_windows == 20


def test_test_windows_do_not_influence_the_weights(tmp_path: Path) -> None:
    plain, spoilt = planted_subject(), planted_subject()
    rows = np.isin(spoilt.trial, TEST_TRIALS)
    spoilt.eeg[rows], spoilt.log_mel[rows], spoilt.faces[rows] = 1e4, 1e4, 255
    for name, subject in (("a", plain), ("b", spoilt)):
        train(STAGES, data_of(subject), short(), tmp_path / name)
    a, b = (load(tmp_path / n / "model.safetensors").model for n in ("a", "b"))
    assert_models_agree(a, b, data_of(plain).train)


def test_the_best_epoch_on_validation_trials_is_kept() -> None:
    # Labels of the validation trials are moved on by one, so that what is learned makes
    # them worse: the first epoch is best and the last must not be kept.
    data = data_of(planted_subject(), validation=True)
    assert data.validation is not None
    wrong = replace(data.validation, emotion=(data.validation.emotion + 1) % 5)
    config = tiny_config(select="validation")
    model = new_model(config, ["audio"], fusion=False)
    history = fit_encoder(model, "audio", data.train, wrong, config)
    losses = [row["validation_loss"] for row in history]
    assert losses.index(min(losses)) < len(losses) - 1
    chances = window_probabilities(model, wrong)["audio"]
    kept = -np.log(chances[np.arange(len(wrong)), wrong.emotion]).mean()
    np.testing.assert_allclose(kept, min(losses), atol=1e-4)


def test_without_choosing_the_last_epoch_is_kept_whatever_validation_says() -> None:
    data = data_of(planted_subject(), validation=True)
    assert data.validation is not None
    wrong = replace(data.validation, emotion=(data.validation.emotion + 1) % 5)
    config = tiny_config(select="fixed")
    watched, unwatched = (new_model(config, ["audio"], fusion=False) for _ in range(2))
    history = fit_encoder(watched, "audio", data.train, wrong, config)
    losses = [row["validation_loss"] for row in history]
    assert losses.index(min(losses)) < len(losses) - 1
    fit_encoder(unwatched, "audio", data.train, None, config)
    one, other = watched.state_dict(), unwatched.state_dict()
    # The same steps twice: all that may differ is the order of sums.
    for name in one:
        torch.testing.assert_close(one[name], other[name], atol=1e-5, rtol=1e-4)


def test_choosing_on_validation_needs_validation_trials(tmp_path: Path) -> None:
    config = tiny_config(select="validation")
    with pytest.raises(TrainingError, match="needs validation trials"):
        train(STAGES, data_of(planted_subject()), config, tmp_path)


def test_faces_of_another_size_are_refused(tmp_path: Path) -> None:
    data = replace(data_of(planted_subject()), preprocess=PreprocessSettings())
    with pytest.raises(TrainingError, match="prepared at 56 px"):
        train(STAGES, data, tiny_config(), tmp_path)


def test_windows_without_a_modality_train_the_rest(tmp_path: Path) -> None:
    subject = planted_subject()
    subject.present[::4, 1] = False
    subject.log_mel[::4] = 0.0
    data = data_of(subject)
    results = train(STAGES, data, short(), tmp_path).as_json()
    assert data.test is not None
    there = int(data.test.present[:, 1].sum())
    assert results["modalities"]["audio"]["n_windows"] == there < 20
    assert results["modalities"]["fused"]["n_windows"] == 20


def test_a_model_does_not_know_what_no_training_trial_shows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = data_of(planted_subject(), validation=True)
    four = ("neutral", "sadness", "anger", "happiness")
    with caplog.at_level("WARNING"):
        results = train(
            STAGES,
            replace(data, train=data.train.of_emotions(four)),
            short(),
            tmp_path,
        )
    assert "no training trial shows calmness" in caplog.text
    assert "6 validation or test windows left out" in caplog.text
    assert load(tmp_path / "model.safetensors").knows == results.knows == four
    assert (results.n_windows, results.n_left_out) == (16, 4)


def test_validation_trials_say_how_sure_the_model_may_be(
    run: Path, tmp_path: Path
) -> None:
    data = data_of(planted_subject(), validation=True)
    train(["audio"], data, short(), tmp_path)
    sureness = load(tmp_path / "model.safetensors").sureness
    assert sureness is not None
    assert (sureness.source, sureness.people) == ("this person", 1)
    assert set(sureness.by_modalities) == {"audio"}
    assert sureness.by_modalities["audio"].n == 10
    assert sorted(sureness.by_modalities["audio"].least) == [0.8, 0.9]  # of so few
    assert load(run / "model.safetensors").sureness is None


def test_trials_of_one_emotion_are_refused(tmp_path: Path) -> None:
    data = data_of(planted_subject())
    same = replace(data, train=data.train.of_emotions(["anger"]))
    with pytest.raises(TrainingError, match="show anger alone; give trials of two"):
        train(["audio"], same, short(), tmp_path)


def test_only_a_model_of_synthetic_people_alone_is_a_demo(tmp_path: Path) -> None:
    people = planted_subject(), planted_subject(subject=2, synthetic=False)
    for name, some, demo in (("a", people[:1], True), ("b", people, False)):
        train(["audio"], data_of(*some), short(), tmp_path / name)
        assert load(tmp_path / name / "model.safetensors").demo is demo


def test_the_checkpoint_tells_counts_but_not_whose_or_which(run: Path) -> None:
    assert load(run / "model.safetensors").meta["training"] == {
        "stages": list(STAGES),
        "subjects": 1,
        "train_windows": 40,
        "validation_windows": 0,
        "test_windows": 20,
    }


def test_progress_counts_every_epoch(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    train(
        ["video"],
        data_of(planted_subject()),
        short(),
        tmp_path,
        lambda stage, done, total, loss: seen.append((stage, done, total)),
    )
    assert seen == [("video", 1, 1)]


def test_augmentation_depends_on_its_generator_alone_and_keeps_shapes() -> None:
    batch = data_of(planted_subject()).train.batch(np.arange(4))
    first, again, other = (
        augment(batch, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    for m, x in batch.parts.items():
        assert first.parts[m].shape == x.shape
        assert first.parts[m].dtype == x.dtype
        torch.testing.assert_close(first.parts[m], again.parts[m])
        assert not torch.equal(first.parts[m], other.parts[m])


def short() -> Config:
    """One epoch a stage."""
    stage = {"epochs": 1, "batch": 20, "learning_rate": 1e-3}
    return tiny_config(
        eeg=stage,
        audio=stage,
        video={**stage, "frames": 2},
        ambt={**stage, "frames": 2},
    )


@pytest.mark.slow
def test_two_processes_begin_as_one(tmp_path: Path) -> None:
    """Their gradients are averaged over the same windows: equal losses at first."""
    script = tmp_path / "run.py"
    script.write_text(
        "import sys, torch\n"
        "from pathlib import Path\n"
        "from planted import planted_subject, tiny_config\n"
        "from test_training import data_of, short\n"
        "from eav_offline.training.train import train\n"
        "torch.set_num_threads(1)\n"
        "train(['eeg'], data_of(planted_subject()), short(), Path(sys.argv[1]))\n"
    )
    losses = []
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    for n in (1, 2):
        out = tmp_path / str(n)
        subprocess.run(
            [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", str(n)]
            + ["--master_port", "29641", str(script), str(out)],
            env={**os.environ, "PYTHONPATH": path, "ACCELERATE_USE_CPU": "true"},
            check=True,
        )
        with (out / "history.csv").open() as file:
            losses.append(float(next(csv.DictReader(file))["train_loss"]))
        assert load(out / "model.safetensors").modalities == ("eeg",)
    assert losses[0] == pytest.approx(losses[1], abs=0.02)  # dropout differs


def test_a_device_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(InputRefused, match=r"cuda:99: PyTorch finds cpu.*; give one"):
        choose_device("cuda:99")
    assert choose_device("cpu") == "cpu"
