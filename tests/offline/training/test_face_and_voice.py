"""A run of all stages on windows without EEG trains and fuses face and voice."""

from pathlib import Path

import numpy as np
import pytest
from planted import planted_subject
from planted_cache import quick_config, write_planted

import eav_offline
from eav_live.recognition.recognizer import Recognizer
from eav_offline.backends import choice, choose_backend
from eav_offline.cli import main
from eav_offline.config import load_config, to_toml
from eav_offline.core.labels import MODALITIES
from eav_offline.data.cache import open_prepared
from eav_offline.evaluation.results import Results
from eav_offline.runs.split import evaluate_run
from eav_offline.training.run_folder import RunFolder

BOTH = ("audio", "video")


def write_without(cache: Path, *absent: str) -> Path:
    """A cache of one planted person who lacks these modalities."""
    subject = planted_subject(15)
    for m in absent:
        subject.present[:, MODALITIES.index(m)] = False
    write_planted(cache, subject)
    return cache


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_without(tmp_path_factory.mktemp("data") / "cache", "eeg")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "quick.toml"
    path.write_text(to_toml(quick_config()))
    return path


@pytest.fixture(scope="module")
def run(cache: Path, config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "people"
    asked = ["train", "--data", str(cache), "--config", str(config), "--validation"]
    assert main([*asked, "--out", str(out), "--device", "cpu"]) == 0
    return out


def test_the_model_reads_what_the_windows_have_and_fuses_it(run: Path) -> None:
    model = eav_offline.load(run).model
    assert tuple(model.by_modality) == BOTH
    assert model.ambt is not None
    assert {row["stage"] for row in RunFolder(run).history()} == {*BOTH, "ambt"}


def test_the_results_are_of_both_and_of_each(run: Path) -> None:
    results: Results = RunFolder(run).results()
    assert {*BOTH, "fused", "averaged"} <= results.modalities.keys()
    assert results.fusion is not None
    assert results.fusion.exchange_matrix.keys() == set(BOTH)
    assert results.fusion.exchange_matrix["audio"].keys() == {"video"}
    assert "calibrated" in results.fusion.ways


def test_the_run_is_scored_again_with_the_same_figures(run: Path) -> None:
    again = evaluate_run(run)
    then: Results = RunFolder(run).results()
    accuracy = then.modalities["fused"].accuracy
    assert again.modalities["fused"].accuracy == pytest.approx(accuracy)


def test_live_and_offline_say_the_same_of_a_window(run: Path, cache: Path) -> None:
    recognizer = Recognizer.load(run)
    recognizer.fuse("ambt")
    inputs = open_prepared(cache, 1).inputs(0)
    said = recognizer.recognize_inputs(inputs)
    expected = eav_offline.predict(recognizer.checkpoint, [inputs])
    assert said.present == BOTH
    np.testing.assert_allclose(said.fused, expected.fused[0], atol=1e-5)


def test_backends_that_want_all_three_are_not_taken(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(choice, "_rivals", lambda: ["onnx"])
    _, report = choose_backend(eav_offline.load(run))
    assert report.name == "eager"
    assert "fuses audio and video alone" in report.candidates[1].note


def test_one_modality_alone_is_no_run_of_all(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = write_without(tmp_path / "cache", "eeg", "video")
    asked = ["train", "--data", str(alone), "--config", str(config)]
    assert main([*asked, "--out", str(tmp_path / "run")]) == 2
    assert "audio alone" in capsys.readouterr().err


def test_the_shipped_configuration_is_of_face_and_voice() -> None:
    people, speech = load_config("people"), load_config("speech")
    assert people.model == speech.model
    assert people.train.class_weights
