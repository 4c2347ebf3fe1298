"""One file holds a model, and a file that does not fit is refused."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from planted import SIDE, planted_subject, tiny_config
from safetensors import safe_open
from safetensors.torch import save_file

import eav_offline
from eav_live.commands import doctor, live, repredict
from eav_live.recognition.recognizer import Recognizer
from eav_offline.checkpoint import file as checkpoint
from eav_offline.checkpoint.file import (
    Checkpoint,
    CheckpointError,
    load,
    save_checkpoint,
)
from eav_offline.common.files import write_atomically
from eav_offline.config import ConfigError, load_config, to_toml
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.core.sureness import Sureness, Thresholds
from eav_offline.models import EmotionModel, predict
from eav_offline.models.ambt import Fusing
from eav_offline.models.average import Average
from eav_offline.preprocess import Inputs, PreprocessSettings

pytestmark = pytest.mark.numeric

SETTINGS = PreprocessSettings("average", face_size=SIDE, notch_hz=50)


def a_checkpoint(
    *modalities: str, demo: bool = False, knows: Sequence[str] = EMOTIONS
) -> Checkpoint:
    config = tiny_config("concat")
    torch.manual_seed(3)
    fusion = len(modalities) == 3
    model = EmotionModel(config.model, modalities, fusion, knows=knows).eval()
    for parameter in model.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    return Checkpoint(model, config, SETTINGS, demo, meta={"training": {"subjects": 2}})


def a_window() -> Inputs:
    one = planted_subject(1)
    return Inputs(one.eeg[0], one.log_mel[0], one.faces[0], np.ones(25, dtype=bool))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, a_checkpoint(*MODALITIES))
    return path


def test_a_folder_of_many_runs_is_told_which_are_in_it(tmp_path: Path) -> None:
    one = tmp_path / "loso01" / "seed0"
    one.mkdir(parents=True)
    (one / "model.safetensors").touch()
    with pytest.raises(CheckpointError, match=f"training run, such as {one}, or"):
        load(tmp_path / "model.safetensors")


def test_thresholds_are_read_as_they_were_written(tmp_path: Path) -> None:
    voice = Thresholds(n=640, least={0.8: 0.3, 0.9: 0.1 + 0.2, 0.95: 1e-9})
    sureness = Sureness(source="other people", people=8, by_modalities={"audio": voice})
    path = tmp_path / "model.safetensors"
    model = a_checkpoint("audio")
    save_checkpoint(path, model)
    assert load(path).sureness is None
    save_checkpoint(path, replace(model, sureness=sureness))
    assert load(path).sureness == sureness
    assert Recognizer.load(path).sureness == sureness


def test_a_model_that_fuses_otherwise_has_no_thresholds(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    each = Thresholds(n=10, least={0.9: 0.1})
    sureness = Sureness(
        source="this person", people=1, by_modalities={"eeg+audio+video": each}
    )
    save_checkpoint(path, replace(a_checkpoint(*MODALITIES), sureness=sureness))
    recognizer = Recognizer.load(path)
    recognizer.fuse(recognizer.fusion)
    assert recognizer.sureness == sureness
    recognizer.fuse("mean")
    assert recognizer.sureness is None


def test_all_of_a_model_is_on_the_device_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, a_checkpoint("audio", knows=("anger", "sadness")))
    read = checkpoint._read

    def on_meta(file: Path, device: str) -> tuple[dict[str, Any], Any]:
        about, tensors = read(file, "cpu")
        return about, {name: tensor.to(device) for name, tensor in tensors.items()}

    # A device that every computer has; only reading files onto it is not supported.
    monkeypatch.setattr(checkpoint, "_read", on_meta)
    model = load(path, "meta").model
    assert {x.device.type for x in (*model.parameters(), *model.buffers())} == {"meta"}


def rewrite(
    path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]
) -> None:
    """Change the description and the tensors of a saved checkpoint."""
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["eav_live"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(about, tensors)
    save_file(tensors, path, {"eav_live": json.dumps(about)})


def test_a_saved_model_predicts_the_same(saved: Path) -> None:
    before, after = a_checkpoint(*MODALITIES), load(saved)
    expected = predict(before.model, [a_window()])
    found = predict(after.model, [a_window()])
    # Loaded tensors lie elsewhere in memory, where BLAS may add in another order.
    np.testing.assert_allclose(found.fused, expected.fused, atol=1e-6)
    for m in MODALITIES:
        np.testing.assert_allclose(
            found.by_modality[m], expected.by_modality[m], atol=1e-6
        )


def test_what_live_needs_comes_back(saved: Path) -> None:
    found = load(saved)
    assert found.preprocess == SETTINGS
    assert found.config == tiny_config("concat")
    assert found.labels == EMOTIONS
    assert found.modalities == MODALITIES
    assert found.demo is False
    assert found.meta["training"] == {"subjects": 2}
    assert not found.model.training


FOUR = ("neutral", "sadness", "anger", "happiness")


def test_what_a_model_knows_comes_back(tmp_path: Path, saved: Path) -> None:
    save_checkpoint(tmp_path / "a", a_checkpoint("eeg", knows=FOUR))
    assert load(tmp_path / "a").knows == FOUR
    rewrite(saved, lambda about, _: about.pop("knows"))
    assert load(saved).knows == EMOTIONS


@pytest.mark.parametrize(
    "knows", [["neutral"], ["neutral", "joy"], ["anger", "anger"], [], 5]
)
def test_what_no_model_can_know_is_refused(saved: Path, knows: object) -> None:
    rewrite(saved, lambda about, _: about.update(knows=knows))
    with pytest.raises(CheckpointError, match="does not understand"):
        load(saved)


@pytest.mark.parametrize("how", ["ambt", "mean", "calibrated"])
def test_what_a_model_does_not_know_has_no_chance_and_the_rest_sum_to_one(
    how: str,
) -> None:
    five, four = a_checkpoint(*MODALITIES), a_checkpoint(*MODALITIES, knows=FOUR)
    window = a_window()
    temperatures = dict.fromkeys(MODALITIES, 3.0)
    fusing = Fusing(how, temperatures)
    five.model.fusing = four.model.fusing = fusing
    every, known = (predict(one.model, [window]) for one in (five, four))
    alone = {m: known.by_modality[m][0] for m in MODALITIES}
    for m, chances in alone.items():
        assert chances[4] == 0
        renewed = every.by_modality[m][0, :4] / every.by_modality[m][0, :4].sum()
        np.testing.assert_allclose(chances[:4], renewed, rtol=1e-4)
    assert known.fused[0, 4] == 0
    assert known.fused.sum() == pytest.approx(1)
    if how == "mean":
        np.testing.assert_allclose(
            known.fused[0], np.mean(list(alone.values()), axis=0), rtol=1e-4
        )
    said = Recognizer(four, "four").recognize_inputs(window)
    live = {"fused": said.fused, **said.by_modality}
    front = eav_offline.predict(four, [window])
    for name, expected in {"fused": known.fused[0], **alone}.items():
        chances = live[name]
        assert chances is not None
        np.testing.assert_allclose(chances[:4], expected[:4], atol=1e-5)
        assert np.isnan(chances).tolist() == [False] * 4 + [True]
        again = front.fused if name == "fused" else front.by_modality[name]
        np.testing.assert_array_equal(again[0], [*expected[:4], np.nan])


def test_an_average_is_of_models_that_know_the_same(tmp_path: Path) -> None:
    alike = [a_checkpoint("eeg", knows=FOUR).model for _ in range(2)]
    both = Average(alike, ["eeg", "eeg"])
    assert both.knows == FOUR
    assert predict(both, [a_window()]).fused[0, 4] == 0
    config = tiny_config("concat")
    stored = Checkpoint(both, config, SETTINGS, False, member_configs=(config, config))
    save_checkpoint(tmp_path / "a", stored)
    said = Recognizer.load(tmp_path / "a").recognize_inputs(a_window()).fused
    assert said is not None
    assert np.isnan(said).tolist() == [False] * 4 + [True]
    assert said[:4].sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="know different emotions"):
        Average([alike[0], a_checkpoint("eeg").model], ["eeg", "eeg"])


def test_the_demo_flag_comes_back(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a", a_checkpoint("eeg", demo=True))
    assert load(tmp_path / "a").demo is True


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_checkpoint_of_one_modality_leaves_the_others_unsaid(
    tmp_path: Path, modality: str
) -> None:
    save_checkpoint(tmp_path / "a", a_checkpoint(modality))
    found = load(tmp_path / "a")
    assert found.modalities == (modality,)
    said = predict(found.model, [a_window()])
    for m in MODALITIES:
        assert np.isnan(said.by_modality[m]).all() == (m != modality)
    np.testing.assert_allclose(said.fused, said.by_modality[modality], rtol=1e-6)


def test_a_missing_and_an_extra_tensor_are_refused_by_name(saved: Path) -> None:
    def change(about: dict[str, Any], tensors: dict[str, Any]) -> None:
        tensors["ambt.stat"] = tensors.pop("ambt.state")

    rewrite(saved, change)
    with pytest.raises(CheckpointError, match=r"lacks ambt\.state.*ambt\.stat\b"):
        load(saved)


def test_a_tensor_of_another_shape_is_refused(saved: Path) -> None:
    rewrite(saved, lambda _, tensors: tensors.update({"ambt.state": torch.zeros(1)}))
    with pytest.raises(CheckpointError, match=r"ambt\.state \(1,\) instead of"):
        load(saved)


def test_another_order_of_emotions_is_refused(saved: Path) -> None:
    rewrite(saved, lambda about, _: about["labels"].reverse())
    with pytest.raises(CheckpointError, match="the emotions.*calmness"):
        load(saved)


@pytest.mark.parametrize(
    ("field", "value"), [("seconds", 4.0), ("eeg_band", [1, 40]), ("unheard_of", 1)]
)
def test_another_window_is_refused(saved: Path, field: str, value: object) -> None:
    rewrite(saved, lambda about, _: about["window"].update({field: value}))
    with pytest.raises(CheckpointError, match=f"the window's {field}"):
        load(saved)


def test_another_format_is_refused(saved: Path) -> None:
    rewrite(saved, lambda about, _: about.update(format=2))
    with pytest.raises(CheckpointError, match="format 2, this version reads 1"):
        load(saved)


@pytest.mark.parametrize("key", ["config", "preprocess", "demo", "modalities"])
def test_an_incomplete_description_is_refused(saved: Path, key: str) -> None:
    rewrite(saved, lambda about, _: about.pop(key) and None)
    with pytest.raises(CheckpointError, match=key):
        load(saved)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    text, tensors = tmp_path / "a.txt", tmp_path / "b.safetensors"
    text.write_text("hello, this is a letter")
    save_file({"a": torch.zeros(1)}, tensors)
    with pytest.raises(CheckpointError, match="not a safetensors file or is damaged"):
        load(text)
    with pytest.raises(CheckpointError, match="but not of eav-live"):
        load(tensors)
    with pytest.raises(CheckpointError, match="does not exist"):
        load(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match="does not exist"):
        load(tmp_path)


def test_a_truncated_file_is_refused(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="damaged"):
        load(saved)


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    write_atomically(path, "old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_configuration_survives_toml(tmp_path: Path) -> None:
    config = tiny_config("concat", seed=4)
    (tmp_path / "a.toml").write_text(to_toml(config))
    assert load_config(tmp_path / "a.toml") == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[model.eeg]", "[model.eeg]\nwidth = 3"), "unknown key model.eeg.width"),
        (("seed = 0", "sed = 0"), "unknown key train.sed"),
        (("layers = 2", "layers = 1"), r"model\.fusion\.layers = 1"),
        (("layers = 2", "layers = "), "not valid TOML"),
        (('variant = "mean"', 'variant = "sum"'), r"model\.fusion\.variant = 'sum'"),
    ],
)
def test_a_faulty_configuration_names_key_and_file(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    path = tmp_path / "mine.toml"
    text = to_toml(tiny_config())
    assert change[0] in text
    path.write_text(text.replace(*change))
    with pytest.raises(ConfigError, match=message) as refused:
        load_config(path)
    assert "mine.toml" in str(refused.value)


def test_a_missing_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "none.toml")


def _model(about: dict[str, Any]) -> dict[str, Any]:
    return about["config"]["model"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda about: about.update(config="eegnet"), "valid dictionary"),
        (lambda about: about.update(members=["eegnet"]), "describes itself"),
        (
            lambda about: about["config"].update(baseline={"name": "eegnet"}),
            "describes itself|does not fit",
        ),
        (lambda about: _model(about)["eeg"].update(dim=10**9), r"model\.eeg\.dim = 1"),
        (lambda about: _model(about)["fusion"].update(layers=10**9), "fusion.layers"),
        (lambda about: _model(about)["audio"].update(stride=[0, 1]), "audio.stride.1"),
        (
            lambda about: _model(about)["video"].update(dim=4096, layers_before=60),
            "weights or more, the file",
        ),
    ],
)
def test_a_description_made_up_by_hand_is_refused_before_memory_is_taken(
    saved: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    rewrite(saved, lambda about, _: change(about))
    with pytest.raises(CheckpointError, match=message) as refused:
        load(saved)
    assert "http" not in str(refused.value)


def test_a_description_nested_without_end_is_refused(saved: Path) -> None:
    save_file({"a": torch.zeros(1)}, saved, {"eav_live": "[" * 100_000})
    with pytest.raises(CheckpointError, match="not of eav-live"):
        load(saved)


def test_the_folder_of_a_run_stands_for_the_model_in_it(saved: Path) -> None:
    assert load(saved.parent).config == load(saved).config
    assert Recognizer.load(saved.parent).checkpoint.modalities == MODALITIES
    for options in (
        live.parser("").parse_args(["--model", str(saved.parent)]),
        doctor.parser().parse_args(["--model", str(saved.parent)]),
        repredict.parser().parse_args(["a.xdf", "--model", str(saved.parent)]),
    ):
        assert options.model == saved


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="give the folder of a training run"):
        load(tmp_path)
