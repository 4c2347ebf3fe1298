"""Tiny published classifiers with random weights, written by `transformers`."""

import json
from pathlib import Path
from typing import Any

import torch
import transformers

FACE_CLASSES = ("angry", "disgust", "happy", "joy", "neutral", "sad")
VOICE_CLASSES = ("neu", "hap", "ang", "sad", "fea")
SIDE = 32  # pixels
CARD = "---\nlicense: apache-2.0\n---\nWhat it is for.\n"
_SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
_SOUND = _SMALL | {
    "conv_dim": (8, 8),
    "conv_kernel": (10, 8),
    "conv_stride": (40, 8),
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "classifier_proj_size": 8,
}
# As the base models have them, and the large ones, which hear how loud a sound is.
_NORMS: dict[str, dict[str, Any]] = {
    "Hubert": {"feat_extract_norm": "group"},
    "Wav2Vec2": {
        "feat_extract_norm": "layer",
        "conv_bias": True,
        "do_stable_layer_norm": True,
    },
}


def write_face(folder: Path, names: tuple[str, ...] = FACE_CLASSES) -> Path:
    """A ViT of pictures of 32 x 32, with a mean and deviation for each color."""
    config = transformers.ViTConfig(
        **_SMALL, image_size=SIDE, patch_size=8, **_labels(names)
    )
    processor = transformers.ViTImageProcessor(
        size={"height": SIDE, "width": SIDE},
        image_mean=[0.5, 0.4, 0.3],
        image_std=[0.5, 0.25, 0.2],
    )
    return _write(folder, transformers.ViTForImageClassification, config, processor)


def write_voice(
    folder: Path, kind: str = "Hubert", names: tuple[str, ...] = VOICE_CLASSES
) -> Path:
    """A Hubert or Wav2Vec2 of sound; kind: which."""
    norms = _NORMS[kind]
    config = getattr(transformers, f"{kind}Config")(**_SOUND, **norms, **_labels(names))
    processor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)
    model = getattr(transformers, f"{kind}ForSequenceClassification")
    return _write(folder, model, config, processor)


DIMENSIONS = ("arousal", "dominance", "valence")


def write_dimensions(folder: Path) -> Path:
    """A Wav2Vec2 that estimates dimensions of sound, its class no part of the files."""
    from eav_offline.checkpoint.experts.dimensions import speech_regression

    config = transformers.Wav2Vec2Config(
        **_SOUND, **_NORMS["Wav2Vec2"], **_labels(DIMENSIONS)
    )
    processor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)
    _write(folder, speech_regression(), config, processor)
    named = ["Wav2Vec2ForSpeechClassification"]
    restate(folder, architectures=named, problem_type="regression")
    return folder


def restate(folder: Path, name: str = "config.json", **values: Any) -> None:
    """Have one of a model's files say something else."""
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def _labels(names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "id2label": dict(enumerate(names)),
        "label2id": {n: i for i, n in enumerate(names)},
    }


def _write(folder: Path, kind: Any, config: Any, processor: Any) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = kind(config)
        for parameter in model.parameters():  # so that its answers differ
            torch.nn.init.normal_(parameter, std=0.3)
    transformers.utils.logging.disable_progress_bar()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    (folder / "README.md").write_text(CARD)
    return folder
