"""Runs of baselines: trained, averaged, reported and live like any other model."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from agreement import assert_figures_agree
from planted import SIDE, planted_subject, tiny_config
from planted_cache import write_cache
from test_pretrained import video_encoder, vit, write

from eav_live.recognition.recognizer import (
    AverageRecognizer,
    BaselineRecognizer,
    FaceRecognizer,
    Recognizer,
)
from eav_offline.checkpoint.file import load
from eav_offline.checkpoint.hub import WeightsError
from eav_offline.cli import main
from eav_offline.common.errors import InputRefused
from eav_offline.config import Config
from eav_offline.core.labels import MODALITIES
from eav_offline.core.model_names import BASELINES
from eav_offline.core.window import AUDIO_RATE, RawWindow
from eav_offline.data.cache import open_prepared
from eav_offline.models import predict
from eav_offline.models.average import Average
from eav_offline.models.baselines.networks import ResNet50
from eav_offline.models.baselines.settings import with_baseline
from eav_offline.preprocess import Inputs, PreprocessSettings, prepare
from eav_offline.preprocess.audio import resample
from eav_offline.runs.averaging import Member, average_runs, parse_member
from eav_offline.runs.split import evaluate_run, training_data
from eav_offline.training.classifiers import load_resnet
from eav_offline.training.runtime import TrainingError
from eav_offline.training.train import train

pytestmark = pytest.mark.numeric

CHEAP = ("eeg-bands", "eeg-riemann", "audio-mfcc", "audio-logmel")
QUICK = {"scnn": 3, "shallowconvnet": 3, "eegnet": 1}  # epochs
ASKED = PreprocessSettings(sound_features=True)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cache(tmp_path_factory.mktemp("cache"), [1], n_trials=20)


@pytest.fixture(scope="module")
def runs(cache: Path) -> dict[str, Path]:
    """A run of each baseline that needs no weights, and one of a transformer."""
    torch.set_num_threads(1)
    found = {}
    for name in (*CHEAP, *QUICK):
        config = with_baseline(tiny_config(), name, QUICK.get(name))
        found[name] = run_of(config, BASELINES[name], cache, name)
    found["eeg"] = run_of(tiny_config(), "eeg", cache, "eeg")
    return found


def run_of(config: Config, stage: str, cache: Path, name: str) -> Path:
    out = cache.parent / f"{cache.name}-runs" / name
    data = training_data([open_prepared(cache, 1)], [cache], run=out)
    train([stage], data, config, out)
    return out


def results_of(run: Path) -> dict:
    return json.loads((run / "results.json").read_text())


def inputs_of(n_trials: int = 5) -> list[Inputs]:
    subject = planted_subject(n_trials, 2)
    numbers = np.random.default_rng(0).normal(size=(len(subject.trial), 180))
    return [
        Inputs(eeg, mel, faces, np.ones(25, dtype=bool), sound.astype(np.float32))
        for eeg, mel, faces, sound in zip(
            subject.eeg, subject.log_mel, subject.faces, numbers, strict=True
        )
    ]


@pytest.mark.parametrize("name", CHEAP)
def test_cheap_baselines_learn_what_is_planted(runs, name: str) -> None:
    results = results_of(runs[name])
    assert results["modalities"]["fused"]["accuracy"] >= 0.9
    assert results["demo"] is True


@pytest.mark.parametrize("name", [*CHEAP, *QUICK])
def test_checkpoints_answer_live_as_offline(runs, name: str) -> None:
    recognizer = Recognizer.load(runs[name] / "model.safetensors")
    assert isinstance(recognizer, BaselineRecognizer)  # no backend is chosen for it
    modality = BASELINES[name]
    windows = inputs_of(2)
    offline = predict(load(runs[name] / "model.safetensors").model, windows)
    for window, row in zip(windows, offline.fused, strict=True):
        said = recognizer.recognize_inputs(window)
        np.testing.assert_allclose(said.fused, row, atol=1e-5)
        assert said.present == (modality,)
    blind = replace(windows[0], eeg=None, log_mel=None, faces=None)
    assert recognizer.recognize_inputs(blind).fused is None


def test_scnn_hears_live_what_it_hears_offline(runs) -> None:
    time = np.arange(5 * 48_000) / 48_000
    noise = np.random.default_rng(3).normal(0, 0.01, len(time))
    audio = (0.2 * np.sin(2 * np.pi * 330 * time) + noise).astype(np.float32)
    recognizer = Recognizer.load(runs["scnn"] / "model.safetensors")
    said = recognizer.recognize(RawWindow(5.0, None, 500, audio, 48_000, None))
    assert said.present == ("audio",)
    kept = resample(audio, 48_000)  # as the cache keeps it
    window = prepare(RawWindow(5.0, None, 500, kept, AUDIO_RATE, None), ASKED)
    offline = predict(recognizer.checkpoint.model, [window])
    np.testing.assert_allclose(said.fused, offline.fused[0], atol=1e-6)


def test_only_checkpoints_that_read_them_ask_for_sound_features(
    runs, tmp_path: Path
) -> None:
    asking = [
        name
        for name, run in runs.items()
        if load(run / "model.safetensors").preprocess.sound_features
    ]
    assert asking == ["scnn"]
    members = [Member(runs["eeg"], "eeg"), Member(runs["scnn"], "fused")]
    average_runs(members, tmp_path / "mean")
    mean = load(tmp_path / "mean" / "model.safetensors")
    assert mean.preprocess.sound_features
    assert mean.model.parts_read == ("eeg", "sound_features")


def test_predictions_are_found_again_by_evaluate(runs) -> None:
    for name in ("eeg-riemann", "scnn"):
        again = evaluate_run(runs[name]).as_json()
        there = results_of(runs[name])["modalities"]
        assert_figures_agree(again["modalities"]["fused"], there["fused"])


def test_the_same_data_give_the_same_arrays(cache: Path, runs, tmp_path) -> None:
    config = with_baseline(tiny_config(), "audio-mfcc")
    data = training_data([open_prepared(cache, 1)], [cache], run=runs["audio-mfcc"])
    train(["audio"], data, config, tmp_path)
    first, second = (
        load(run / "model.safetensors").model.state_dict()
        for run in (runs["audio-mfcc"], tmp_path)
    )
    torch.testing.assert_close(first, second)


def test_nothing_is_fitted_on_test_windows(cache: Path, runs, tmp_path: Path) -> None:
    # The test windows are made unlike anything: what was learned must not change.
    subject = open_prepared(cache, 1)
    data = training_data([subject], [cache], run=tmp_path)
    assert data.test is not None
    tested = np.isin(subject.trial, np.unique(data.test.trial))
    eeg = np.array(subject.eeg)
    eeg[tested] = 1000 * np.random.default_rng(0).normal(size=eeg[tested].shape)
    changed = training_data([replace(subject, eeg=eeg)], [cache], run=tmp_path)
    for name in ("eeg-bands", "eeg-riemann"):
        out = tmp_path / name
        train(["eeg"], changed, with_baseline(tiny_config(), name), out)
        first, second = (
            load(run / "model.safetensors").model.state_dict()
            for run in (runs[name], out)
        )
        # LAPACK's rounding, through the iterations of the regression.
        torch.testing.assert_close(first, second, rtol=1e-3, atol=1e-4)


def test_an_average_is_the_mean_of_its_members_windows(runs, tmp_path: Path) -> None:
    names = ["eeg-bands", "eegnet", "audio-mfcc"]
    members = [Member(runs[n], "fused") for n in names]
    average_runs(members, tmp_path)
    with np.load(tmp_path / "predictions.npz") as mean:
        parts = [np.load(m.run / "predictions.npz") for m in members]
        expected = np.mean([part["p_fused"] for part in parts], axis=0)
        np.testing.assert_allclose(mean["p_fused"], expected, atol=1e-6)
        eeg = np.mean([part["p_fused"] for part in parts[:2]], axis=0)
        np.testing.assert_allclose(mean["p_eeg"], eeg, atol=1e-6)
    assert results_of(tmp_path)["members"] == names


def test_an_average_is_scored_and_runs_live_from_its_one_file(
    runs, tmp_path: Path
) -> None:
    out = tmp_path / "mean"
    members = [Member(runs["eeg"], "eeg"), Member(runs["audio-mfcc"], "fused")]
    written = average_runs([*members, Member(runs["scnn"], "fused")], out)
    again = evaluate_run(out)
    for name in ("eeg", "audio", "fused"):
        figures = (one.modalities[name] for one in (written, again))
        first, second = figures
        assert first.confusion == second.confusion
        np.testing.assert_allclose(first.nll, second.nll, rtol=1e-3)
    recognizer = Recognizer.load(out / "model.safetensors")
    assert isinstance(recognizer, AverageRecognizer)
    assert recognizer.checkpoint.modalities == ("eeg", "audio")
    model = load(out / "model.safetensors").model
    assert isinstance(model, Average)
    windows = inputs_of(2)
    deaf = replace(windows[0], log_mel=None)
    offline = predict(model, [*windows, deaf])
    for i, window in enumerate([*windows, deaf]):
        said = recognizer.recognize_inputs(window)
        np.testing.assert_allclose(said.fused, offline.fused[i], atol=1e-5)
        for m in MODALITIES:
            there = said.by_modality[m]
            known = offline.by_modality[m][i]
            assert (there is None) == bool(np.isnan(known[0]))
            if there is not None:
                np.testing.assert_allclose(there, known, atol=1e-5)
    assert said.present == ("eeg",)


def test_runs_of_other_windows_are_not_averaged(runs, cache, tmp_path: Path) -> None:
    other = tmp_path / "other"
    data = training_data([open_prepared(cache, 1)], [cache], train_windows=8, run=other)
    train(["audio"], data, with_baseline(tiny_config(), "audio-mfcc"), other)
    members = [Member(runs["eeg-bands"], "fused"), Member(other, "fused")]
    with pytest.raises(InputRefused, match="different windows"):
        average_runs(members, tmp_path / "mean")


def test_an_output_that_a_run_lacks_is_refused(runs, tmp_path: Path) -> None:
    members = [Member(runs["eeg-bands"], "fused"), Member(runs["eegnet"], "video")]
    with pytest.raises(InputRefused, match="no output video"):
        average_runs(members, tmp_path)


def test_members_are_named_as_run_and_output() -> None:
    assert parse_member("a/b:eeg") == Member(Path("a/b"), "eeg")
    assert parse_member("a/b") == Member(Path("a/b"), "fused")
    assert parse_member("C:/a") == Member(Path("C:/a"), "fused")


def test_a_baseline_and_another_model_do_not_share_a_folder(runs, cache) -> None:
    data = training_data([open_prepared(cache, 1)], [cache], run=runs["eeg-bands"])
    config = with_baseline(tiny_config(), "eeg-riemann")
    with pytest.raises(TrainingError, match="another configuration"):
        train(["eeg"], data, config, runs["eeg-bands"])


def test_face_embeddings_are_trained_and_live_from_local_vit_weights(
    cache: Path, tmp_path: Path
) -> None:
    # Planted faces are 16 px: one patch of the published size.
    weights = write(tmp_path / "vit", vit(side=SIDE))
    shape = video_encoder(side=SIDE)
    config = with_baseline(vit_config(shape), "video-vit")
    out = tmp_path / "run"
    data = training_data([open_prepared(cache, 1)], [cache], run=out)
    with pytest.raises(WeightsError, match="nothing without"):
        train(["video"], data, config, out)
    results = train(["video"], data, config, out, weights={"video": weights})
    assert results.modalities["video"].accuracy >= 0.9
    recognizer = Recognizer.load(out / "model.safetensors")
    assert isinstance(recognizer, FaceRecognizer)
    windows = inputs_of(1)
    offline = predict(load(out / "model.safetensors").model, windows)
    for window, row in zip(windows, offline.fused, strict=True):
        for _ in range(2):  # the second time from memory
            said = recognizer.recognize_inputs(window)
            np.testing.assert_allclose(said.fused, row, atol=1e-5)


def vit_config(encoder: torch.nn.Module) -> Config:
    config = tiny_config()
    video = config.model.video.model_copy(
        update={
            "dim": encoder.dim,
            "heads": 2,
            "layers_before": 0,
            "patch": (16, 16),
            "stride": (16, 16),
            "mlp_ratio": 2.0,
            "norm_eps": 1e-12,
            "normalization": "fixed",
            "side": SIDE,
        }
    )
    model = config.model.model_copy(update={"video": video})
    return config.model_copy(update={"model": model})


def test_resnet_takes_torchvisions_weights_and_refuses_others(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = ResNet50()
    published = {n: x + 0.01 for n, x in net.trunk.state_dict().items()}
    published = {n: x for n, x in published.items() if x.is_floating_point()}
    torch.save({**published, "fc.weight": torch.zeros(1000, 2048)}, tmp_path / "a.pth")
    load_resnet(net, str(tmp_path / "a.pth"))
    torch.testing.assert_close(net.trunk.conv1.weight, published["conv1.weight"])
    del published["conv1.weight"]
    torch.save(published, tmp_path / "b.pth")
    with pytest.raises(WeightsError, match=r"conv1\.weight"):
        load_resnet(net, str(tmp_path / "b.pth"))


def test_the_command_line_trains_averages_and_reports(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from eav_offline.config import to_toml

    config = tmp_path / "tiny.toml"
    config.write_text(to_toml(tiny_config()))
    common = ["--data", str(cache), "--config", str(config), "--device", "cpu"]
    studies = tmp_path / "runs"
    for name, more in (
        ("audio-mfcc", []),
        ("scnn", ["--epochs", "2"]),
        ("eeg-bands", []),
    ):
        out = ["--out", str(studies / name)]
        assert main(["train", name, *common, *more, *out]) == 0
    runs = [str(studies / "audio-mfcc"), f"{studies / 'eeg-bands'}:eeg"]
    assert main(["average", *runs, "--out", str(studies / "mean")]) == 0
    page = tmp_path / "report.html"
    assert main(["report", str(studies), "--out", str(page)]) == 0
    text = page.read_text()
    for name in ("audio-mfcc", "scnn", "mean of audio-mfcc + eeg-bands"):
        assert name in text
    capsys.readouterr()
    assert main(["train", "eeg-bands", *common, "--epochs", "2", "--out", "x"]) == 2
    assert "--epochs is of baseline networks" in capsys.readouterr().err


def test_a_transformer_is_still_recognized_by_the_plain_recognizer(runs) -> None:
    assert type(Recognizer.load(runs["eeg"] / "model.safetensors")) is Recognizer
