"""Dimensions that published models estimate: as they are, and never as classes."""

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from published_models import DIMENSIONS, write_dimensions, write_face, write_voice
from safetensors.torch import load_file
from test_building import window

from eav_offline.checkpoint.experts.dimensions import DimensionReader
from eav_offline.checkpoint.experts.finding import Wanted, find, find_dimensions
from eav_offline.common.errors import InputRefused
from eav_offline.core.window import RawWindow

pytestmark = pytest.mark.numeric


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dimensions(tmp_path_factory.mktemp("dimensions"))


@torch.inference_mode()
def by_hand(folder: Path, raw: RawWindow) -> np.ndarray:
    """The published formula: mean over time, dense, tanh, out_proj."""
    weights = load_file(folder / "model.safetensors")
    model = transformers.Wav2Vec2Model.from_pretrained(folder).eval()
    processor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(folder)
    heard = processor(raw.audio, sampling_rate=16_000, return_tensors="pt")
    x = model(heard["input_values"]).last_hidden_state.mean(1)[0]
    x = torch.tanh(
        weights["classifier.dense.weight"] @ x + weights["classifier.dense.bias"]
    )
    last = weights["classifier.out_proj.weight"] @ x
    return (last + weights["classifier.out_proj.bias"]).numpy()


def test_a_voices_dimensions_are_those_of_the_published_formula(folder: Path) -> None:
    reader = DimensionReader(find_dimensions("audio", str(folder)))
    raw = window()
    said = reader.read(raw)
    assert said is not None
    assert tuple(said) == DIMENSIONS
    expected = by_hand(folder, raw)
    assert 0 < np.clip(expected, 0, 1).max()  # else every answer is right
    np.testing.assert_allclose(list(said.values()), np.clip(expected, 0, 1), atol=1e-5)
    silent = RawWindow(5.0, None, 0.0, None, 0.0, raw.frames)
    assert reader.read(silent) is None


def test_the_usual_classes_with_such_outputs_are_read_too(tmp_path: Path) -> None:
    face = write_face(tmp_path / "face", names=("valence", "arousal"))
    voice = write_voice(tmp_path / "voice", names=("valence",))
    raw = window()
    for modality, where, names in (
        ("video", face, ["valence", "arousal"]),
        ("audio", voice, ["valence"]),
    ):
        said = DimensionReader(find_dimensions(modality, str(where))).read(raw)
        assert said is not None
        assert list(said) == names
        assert all(0 <= value <= 1 for value in said.values())


def test_dimensions_are_no_classes_and_classes_no_dimensions(
    folder: Path, voice: Path
) -> None:
    with pytest.raises(InputRefused, match="as --voice-dimensions"):
        find([Wanted("audio", str(folder))])
    with pytest.raises(InputRefused, match="is for --voice-model"):
        find_dimensions("audio", str(voice))
    with pytest.raises(InputRefused, match="--voice-dimensions nowhere"):
        find_dimensions("audio", "nowhere")
