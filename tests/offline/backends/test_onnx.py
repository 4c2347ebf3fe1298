"""Exported models answer as PyTorch does, and say what they are."""

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto
from onnx import load as load_onnx

from eav_live.recognition.assets import asset
from eav_offline.backends import onnx as export
from eav_offline.backends.base import SUBSETS
from eav_offline.backends.onnx import OnnxModel
from eav_offline.backends.reference_windows import reference_windows
from eav_offline.checkpoint import file as checkpoints
from eav_offline.cli import main
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS
from eav_offline.models import predict
from eav_offline.models.layers import KnownOnly
from eav_offline.preprocess import Inputs

pytestmark = pytest.mark.numeric


@pytest.fixture(scope="module")
def demo() -> checkpoints.Checkpoint:
    return checkpoints.load(asset("demo.safetensors"))


@pytest.fixture(scope="module")
def exported(demo, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("export") / "parts"
    export.export_onnx(demo, asset("demo.safetensors"), out)
    return out


@pytest.mark.parametrize("n_pictures", [1, 2, 25])
def test_exported_parts_give_the_whole_models_probabilities(
    demo, exported, n_pictures
) -> None:
    onnx = OnnxModel(exported, demo.modalities, False, demo.model.fusing)
    window = reference_windows(demo.config, 1)[0]
    faces = np.resize(window["video"], (n_pictures, *window["video"].shape[1:]))
    parts = {**window, "video": faces}
    states = {m: onnx.encode(m, parts[m]) for m in demo.modalities}
    fed = {
        "eeg": window["eeg"][0],
        "log_mel": window["audio"][0],
        "faces": faces,
        "face_found": np.ones(n_pictures, dtype=bool),
    }
    names = dict(zip(demo.modalities, ("eeg", "log_mel", "faces"), strict=True))
    for present in SUBSETS:
        there = {k: v for k, v in fed.items() if k in {names[m] for m in present}}
        inputs = Inputs(**{**dict.fromkeys(fed), **there})
        whole = predict(demo.model, [inputs])
        found = onnx.fuse(states, present).softmax(0).numpy()
        np.testing.assert_allclose(found, whole.fused[0], atol=1e-4)


def test_reference_windows_differ_in_what_a_model_says(demo, exported) -> None:
    onnx = OnnxModel(exported, demo.modalities, False, demo.model.fusing)
    windows = reference_windows(demo.config, 5)
    said = np.array([export.answers(onnx, w, demo.modalities)[0] for w in windows])
    assert np.ptp(said, axis=0).max() > 0.3
    again = reference_windows(demo.config, 5)
    for one, other in zip(windows, again, strict=True):
        for m in one:
            np.testing.assert_allclose(one[m], other[m], rtol=1e-6)


def test_what_a_model_does_not_know_has_no_chance_in_its_parts(demo, tmp_path) -> None:
    four = replace(demo, model=deepcopy(demo.model))
    four.model.known = KnownOnly(EMOTIONS[:4])
    manifest = export.export_onnx(four, None, tmp_path / "out", int8=True)
    assert manifest["knows"] == list(EMOTIONS[:4])
    onnx = OnnxModel(tmp_path / "out", demo.modalities, True, demo.model.fusing)
    said = export.answers(onnx, reference_windows(demo.config, 1)[0], demo.modalities)
    assert (said[:, 4] == 0).all()
    np.testing.assert_allclose(said.sum(1), 1, rtol=1e-5)
    assert export.fingerprint(four, None) != export.fingerprint(demo, None)


def test_manifest_says_what_the_files_are(exported) -> None:
    manifest = json.loads((exported / export.MANIFEST).read_text())
    assert manifest["labels"] == list(EMOTIONS)
    assert manifest["window"] == checkpoints.window_spec()
    assert manifest["opset"] == export.OPSET
    assert len(manifest["checkpoint_sha256"]) == 64
    assert {"onnx", "onnxruntime", "torch"} <= manifest["versions"].keys()
    assert all((exported / part).is_file() for part in manifest["parts"])
    assert manifest["largest_difference"] <= 1e-4


def test_export_that_differs_is_refused_and_not_written(
    demo, tmp_path, monkeypatch
) -> None:
    monkeypatch.setitem(export.TOLERANCE, "int8", 1e-9)
    with pytest.raises(InputRefused, match="differs from PyTorch"):
        export.export_onnx(demo, None, tmp_path / "out", int8=True)
    assert not list(tmp_path.iterdir())


def test_command_writes_int8_parts(tmp_path, capsys) -> None:
    out = tmp_path / "int8"
    arguments = ["export", str(asset("demo.safetensors")), "--int8", "--out", str(out)]
    assert main(arguments) == 0
    assert "differ from PyTorch by at most" in capsys.readouterr().out
    weights = load_onnx(out / "fusion.int8.onnx").graph.initializer
    kinds = {w.data_type for w in weights if w.name.endswith("_quantized")}
    assert kinds == {TensorProto.UINT8}  # INT8 is wrong on some processors


def test_folder_that_is_no_export_is_not_replaced(tmp_path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    asked = ["export", str(asset("demo.safetensors")), "--out", str(tmp_path)]
    assert main(asked) == 2
    assert (tmp_path / "kept.txt").read_text() == "mine"


def test_one_modality_alone_is_exported(demo, tmp_path) -> None:
    from eav_offline.checkpoint.file import Checkpoint
    from eav_offline.models import EmotionModel

    model = EmotionModel(demo.config.model, ["video"], fusion=False).eval()
    alone = Checkpoint(model, demo.config, demo.preprocess, demo=True)
    manifest = export.export_onnx(alone, None, tmp_path / "out")
    assert manifest["parts"] == ["video.onnx"]
