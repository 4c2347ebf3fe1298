"""Published AST and ViT weights: same outputs as transformers', or a clear refusal."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from eav_offline.checkpoint import hub
from eav_offline.checkpoint.hub import WeightsError
from eav_offline.config import AudioConfig, VideoConfig
from eav_offline.models.encoders import (
    AST_DEVIATION,
    AST_MEAN,
    AudioEncoder,
    VideoEncoder,
)
from eav_offline.training.pretrained import load_audio, load_video

pytestmark = pytest.mark.filterwarnings("ignore:At least one mel filter")

FRAMES = 498
TOLERANCE = 1e-4
SMALL = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
BASE = {"hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072}
WIDTHS = pytest.mark.parametrize("width", [SMALL, BASE], ids=["small", "base"])
LAYERS = 2


def vit(width: dict[str, int] = SMALL, side: int = 48, kind: str = "ViTModel") -> Any:
    config = transformers.ViTConfig(
        image_size=side, patch_size=16, num_hidden_layers=LAYERS, num_labels=7, **width
    )
    return randomized(getattr(transformers, kind)(config))


def ast(
    width: dict[str, int] = SMALL, frames: int = FRAMES, kind: str = "ASTModel"
) -> Any:
    config = transformers.ASTConfig(
        max_length=frames, num_hidden_layers=LAYERS, num_labels=9, **width
    )
    return randomized(getattr(transformers, kind)(config))


def randomized(model: nn.Module) -> nn.Module:
    """Every parameter away from its initial value, norms and biases included."""
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn_like(parameter)
            wide = 1 / parameter[0].numel() ** 0.5 if parameter.ndim > 1 else 0.1
            norm = "norm" in name and name.endswith("weight")
            parameter.copy_(norm + (0.1 if norm else wide) * noise)
    return model.eval()


def video_encoder(
    width: dict[str, int] = SMALL, side: int = 48, **changes: Any
) -> VideoEncoder:
    config = VideoConfig.model_validate(
        {**sizes(width), "patch": (16, 16), "stride": (16, 16), "side": side}
        | {"class_tokens": 1, "normalization": "fixed"}
        | changes
    )
    return VideoEncoder(config, fusion_layers=LAYERS).eval()


def audio_encoder(width: dict[str, int] = SMALL, **changes: Any) -> AudioEncoder:
    config = AudioConfig.model_validate(
        {**sizes(width), "patch": (16, 16), "stride": (10, 10)}
        | {"class_tokens": 2, "normalization": "ast"}
        | changes
    )
    return AudioEncoder(config, fusion_layers=LAYERS).eval()


def sizes(width: dict[str, int]) -> dict[str, Any]:
    return {
        "dim": width["hidden_size"],
        "heads": width["num_attention_heads"],
        "mlp_ratio": width["intermediate_size"] / width["hidden_size"],
        "layers_before": 0,
        "pool": "class",
        "norm_eps": 1e-12,
    }


def pooled(encoder: AudioEncoder | VideoEncoder, x: Tensor) -> Tensor:
    """Features of the last block's tokens, (B * frames, dim)."""
    tokens = encoder.below_fusion(x).flatten(0, 1)
    for block in encoder.blocks:
        tokens = block(tokens)
    return encoder.features(tokens)


def log_mel(n: int = 2) -> Tensor:
    return torch.from_numpy(
        np.random.default_rng(5).normal(AST_MEAN, 4, (n, FRAMES, 128))
    ).float()


def pictures(side: int, n: int = 3) -> Tensor:
    shape = (1, n, side, side, 3)
    return torch.from_numpy(np.random.default_rng(5).integers(0, 256, shape, np.uint8))


def normalized(faces: Tensor) -> Tensor:
    """What an image processor with mean and sd 0.5 makes of (1, n, side, side, 3)."""
    return (faces[0].permute(0, 3, 1, 2) / 255 - 0.5) / 0.5


def write(folder: Path, model: Any) -> str:
    model.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def vit_folder(tmp_path: Path) -> Path:
    write(tmp_path / "vit", vit(kind="ViTForImageClassification"))
    return tmp_path / "vit"


@pytest.fixture
def ast_folder(tmp_path: Path) -> Path:
    write(tmp_path / "ast", ast(kind="ASTForAudioClassification"))
    return tmp_path / "ast"


def rewrite(folder: Path, change: Callable[[dict[str, Tensor]], None]) -> str:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")
    return str(folder)


def rewrite_json(path: Path, **values: object) -> str:
    content = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(content | values))
    return str(path.parent)


@WIDTHS
@torch.no_grad()
def test_video_features_equal_those_of_transformers(
    width: dict[str, int], tmp_path: Path
) -> None:
    side = 224 if width is BASE else 48
    theirs = vit(width, side, "ViTForImageClassification")
    ours = video_encoder(width, side)
    report = load_video(ours, write(tmp_path, theirs))
    faces = pictures(side)
    expected = theirs.vit(normalized(faces)).last_hidden_state[:, 0]
    torch.testing.assert_close(pooled(ours, faces), expected, atol=TOLERANCE, rtol=0)
    assert report.ignored == ("classifier.bias", "classifier.weight")
    assert report.adapted == ()


@WIDTHS
@torch.no_grad()
def test_audio_features_equal_those_of_transformers(
    width: dict[str, int], tmp_path: Path
) -> None:
    theirs = ast(width, kind="ASTForAudioClassification")
    ours = audio_encoder(width)
    report = load_audio(ours, write(tmp_path, theirs))
    x = log_mel()
    scaled = (x - AST_MEAN) / (2 * AST_DEVIATION)
    expected = theirs.audio_spectrogram_transformer(scaled).pooler_output
    torch.testing.assert_close(pooled(ours, x), expected, atol=TOLERANCE, rtol=0)
    assert len(report.ignored) == 4  # AST's classifier has a norm of its own
    assert report.adapted == ()


@torch.no_grad()
def test_logits_are_those_of_a_linear_map_on_the_published_features(
    vit_folder: Path,
) -> None:
    # Through `forward`, whose last block computes the class token only.
    theirs, ours = vit(kind="ViTForImageClassification"), video_encoder()
    load_video(ours, str(vit_folder))
    ours.head[1].weight.copy_(theirs.classifier.weight[:5])
    ours.head[1].bias.copy_(theirs.classifier.bias[:5])
    faces = pictures(48)
    expected = theirs(normalized(faces)).logits[:, :5].mean(0, keepdim=True)
    torch.testing.assert_close(ours(faces), expected, atol=TOLERANCE, rtol=0)


def test_faces_are_scaled_as_the_published_image_processor_does() -> None:
    faces = pictures(48)
    processor = transformers.ViTImageProcessor(
        do_resize=False, image_mean=[0.5] * 3, image_std=[0.5] * 3
    )
    expected = processor(list(faces[0].permute(0, 3, 1, 2)), return_tensors="pt")
    ours = video_encoder(layers_before=0)
    seen = []
    ours.patches.register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    ours(faces)
    torch.testing.assert_close(seen[0], expected["pixel_values"], atol=1e-5, rtol=0)


def test_ast_constants_are_those_of_the_published_feature_extractor() -> None:
    extractor = transformers.ASTFeatureExtractor()
    assert (extractor.mean, extractor.std) == (AST_MEAN, AST_DEVIATION)


@torch.no_grad()
def test_models_without_a_classifier_load_and_the_pooler_is_ignored(
    tmp_path: Path,
) -> None:
    theirs, ours = vit(), video_encoder()
    report = load_video(ours, write(tmp_path / "vit", theirs))
    assert report.ignored == ("pooler.dense.bias", "pooler.dense.weight")
    faces = pictures(48)
    expected = theirs(normalized(faces)).last_hidden_state[:, 0]
    torch.testing.assert_close(pooled(ours, faces), expected, atol=TOLERANCE, rtol=0)
    assert load_audio(audio_encoder(), write(tmp_path / "ast", ast())).ignored == ()


@pytest.mark.parametrize("family", ["audio", "video"])
def test_names_as_in_memory_of_transformers_5_load_to_the_same(
    family: str, tmp_path: Path
) -> None:
    model: Any
    if family == "audio":
        model, build, load = (
            ast(kind="ASTForAudioClassification"),
            audio_encoder,
            load_audio,
        )
    else:
        model, build, load = (
            vit(kind="ViTForImageClassification"),
            video_encoder,
            load_video,
        )
    in_memory = tmp_path / "in_memory.safetensors"
    save_file({n: x.contiguous() for n, x in model.state_dict().items()}, in_memory)
    assert any(".layers.0." in name for name in load_file(in_memory))
    first, second = build(), build()
    load(first, write(tmp_path / "folder", model))  # type: ignore[arg-type]
    load(second, str(in_memory))  # type: ignore[arg-type]
    for name, x in first.state_dict().items():
        if not name.startswith("head."):
            torch.testing.assert_close(second.state_dict()[name], x)


@torch.no_grad()
def test_first_columns_of_the_positions_of_1024_frames_are_kept(
    tmp_path: Path,
) -> None:
    theirs = ast(frames=1024)
    ours = audio_encoder()
    report = load_audio(ours, write(tmp_path, theirs))
    published = theirs.embeddings.position_embeddings
    assert torch.equal(ours.positions[:, :2], published[:, :2])
    for row in range(12):  # tokens run mel row by mel row
        there = published[:, 2 + row * 101 : 2 + row * 101 + 49]
        here = ours.positions[:, 2 + row * 49 : 2 + (row + 1) * 49]
        assert torch.equal(here, there)
    assert report.adapted == ("positions 12x101 -> 12x49 (first columns)",)

    short = ast(frames=FRAMES)
    weights = theirs.state_dict()
    weights["embeddings.position_embeddings"] = ours.positions.data
    short.load_state_dict(weights)
    x = log_mel()
    expected = short((x - AST_MEAN) / (2 * AST_DEVIATION)).pooler_output
    torch.testing.assert_close(pooled(ours, x), expected, atol=TOLERANCE, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("side", [32, 96])
def test_positions_of_another_picture_size_are_interpolated_as_transformers_does(
    side: int, vit_folder: Path
) -> None:
    theirs, ours = vit(kind="ViTForImageClassification"), video_encoder(side=side)
    report = load_video(ours, str(vit_folder))
    faces = pictures(side)
    expected = theirs.vit(
        normalized(faces), interpolate_pos_encoding=True
    ).last_hidden_state[:, 0]
    torch.testing.assert_close(pooled(ours, faces), expected, atol=TOLERANCE, rtol=0)
    patches = side // 16
    assert report.adapted == (f"positions 3x3 -> {patches}x{patches} (bicubic)",)


def test_the_head_stays_as_it_was(vit_folder: Path) -> None:
    ours = video_encoder()
    with torch.no_grad():
        ours.head[1].weight.fill_(0.25)
    load_video(ours, str(vit_folder))
    assert (ours.head[1].weight == 0.25).all()


def test_half_precision_files_are_read(vit_folder: Path) -> None:
    def halve(tensors: dict[str, Tensor]) -> None:
        for name in tensors:
            tensors[name] = tensors[name].half()

    ours = video_encoder()
    load_video(ours, rewrite(vit_folder, halve))
    assert ours.norm.weight.dtype == torch.float32


def test_a_bin_file_of_tensors_loads_to_the_same(vit_folder: Path) -> None:
    first, second = video_encoder(), video_encoder()
    load_video(first, str(vit_folder))
    weights = vit_folder / "model.safetensors"
    torch.save(load_file(weights), vit_folder / "pytorch_model.bin")
    weights.unlink()
    load_video(second, str(vit_folder))
    assert torch.equal(first.positions, second.positions)
    assert torch.equal(
        first.blocks[1].attention.qkv.weight, second.blocks[1].attention.qkv.weight
    )


def test_a_bin_file_with_code_in_it_is_refused_and_the_code_not_run(
    vit_folder: Path,
) -> None:
    ran = vit_folder / "ran"
    torch.save({"x": _Touches(ran)}, vit_folder / "pytorch_model.bin")
    (vit_folder / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"can run code; give.*model\.safetensors"):
        load_video(video_encoder(), str(vit_folder))
    assert not ran.exists()


class _Touches:
    """Unpickled, it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_missing_tensor_is_named(vit_folder: Path) -> None:
    name = "vit.encoder.layer.1.intermediate.dense.bias"
    source = rewrite(vit_folder, lambda tensors: tensors.__delitem__(name))
    with pytest.raises(WeightsError, match=r"lacks encoder\.layer\.1\.intermediate"):
        load_video(video_encoder(), source)


def test_an_extra_tensor_is_named(ast_folder: Path) -> None:
    extra = {"audio_spectrogram_transformer.encoder.layer.2.x": torch.zeros(3)}
    source = rewrite(ast_folder, lambda tensors: tensors.update(extra))
    with pytest.raises(WeightsError, match=r"has encoder\.layer\.2\.x, for which"):
        load_audio(audio_encoder(), source)


def test_two_names_for_one_place_are_refused(vit_folder: Path) -> None:
    twice = {"layernorm.weight": torch.zeros(32)}
    source = rewrite(vit_folder, lambda tensors: tensors.update(twice))
    with pytest.raises(WeightsError, match="two tensors for one place"):
        load_video(video_encoder(), source)


def test_another_shape_is_named(vit_folder: Path) -> None:
    name = "vit.encoder.layer.0.attention.attention.query.weight"
    source = rewrite(vit_folder, lambda t: t.update({name: torch.zeros(32, 16)}))
    with pytest.raises(WeightsError, match=r"query\.weight.*\(32, 16\).*\(96, 32\)"):
        load_video(video_encoder(), source)


def test_values_that_are_not_finite_are_refused(vit_folder: Path) -> None:
    bad = {"vit.layernorm.bias": torch.full((32,), torch.nan)}
    source = rewrite(vit_folder, lambda tensors: tensors.update(bad))
    with pytest.raises(WeightsError, match=r"vit\.layernorm\.bias.*not finite"):
        load_video(video_encoder(), source)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"norm_eps": 1e-6}, "layer_norm_eps 1e-12 there, 1e-06 in the configuration"),
        ({"dim": 48}, "hidden_size 32 there, 48 in the configuration"),
        ({"heads": 4}, "num_attention_heads 2 there, 4"),
        ({"layers_before": 1}, "num_hidden_layers 2 there, 3"),
        ({"mlp_ratio": 4.0}, "intermediate_size 64 there, 128"),
        ({"patch": (8, 8)}, r"patch_size 16 there, \(8, 8\)"),
        ({"stride": (8, 8)}, "do not overlap"),
        ({"layer_scale": 0.1}, r"nothing for .*scale1.*layer_scale = 0"),
        ({"class_tokens": 2}, r"lacks embeddings\.distillation_token"),
        ({"normalization": "frame"}, 'need normalization = "fixed"'),
    ],
)
def test_a_configuration_that_the_weights_do_not_fit_is_refused(
    changes: dict[str, Any], message: str, vit_folder: Path
) -> None:
    encoder = video_encoder(**changes)
    before = {name: x.clone() for name, x in encoder.state_dict().items()}
    with pytest.raises(WeightsError, match=message):
        load_video(encoder, str(vit_folder))
    for name, x in encoder.state_dict().items():
        assert torch.equal(x, before[name]), name


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stride": (16, 16)}, "frequency_stride 10 there, 16.*time_stride 10 there"),
        ({"class_tokens": 1}, r"has embeddings\.distillation_token, for which"),
        ({"normalization": "training"}, 'need normalization = "ast"'),
    ],
)
def test_an_audio_configuration_that_the_weights_do_not_fit_is_refused(
    changes: dict[str, Any], message: str, ast_folder: Path
) -> None:
    with pytest.raises(WeightsError, match=message):
        load_audio(audio_encoder(**changes), str(ast_folder))


def test_an_ast_for_shorter_recordings_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path, ast(frames=128))
    with pytest.raises(WeightsError, match=r"144 positions .* at least 49 columns"):
        load_audio(audio_encoder(), source)


def test_weights_of_the_other_modality_are_refused(
    vit_folder: Path, ast_folder: Path
) -> None:
    with pytest.raises(WeightsError, match="model_type vit there, audio-spectrogram"):
        load_audio(audio_encoder(), str(vit_folder))
    with pytest.raises(WeightsError, match="model_type audio-spectrogram.* vit in"):
        load_video(video_encoder(), str(ast_folder))


def test_another_picture_normalization_is_refused(vit_folder: Path) -> None:
    settings = vit_folder / "preprocessor_config.json"
    load_video(
        video_encoder(), rewrite_json(settings, image_mean=[0.5] * 3, image_std=0.5)
    )
    source = rewrite_json(settings, image_mean=[0.485, 0.456, 0.406])
    with pytest.raises(WeightsError, match=r"image_mean \[0.485.* 0.5 here"):
        load_video(video_encoder(), source)


def test_another_sound_normalization_is_refused(ast_folder: Path) -> None:
    settings = ast_folder / "preprocessor_config.json"
    transformers.ASTFeatureExtractor().save_pretrained(ast_folder)
    load_audio(audio_encoder(), str(ast_folder))
    with pytest.raises(WeightsError, match=r"mean -6.0 in its preprocessor_config"):
        load_audio(audio_encoder(), rewrite_json(settings, mean=-6.0))


def test_a_truncated_file_is_refused(vit_folder: Path) -> None:
    weights = vit_folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(WeightsError, match=r"model\.safetensors is not .* fetch it"):
        load_video(video_encoder(), str(vit_folder))


def test_a_folder_without_weights_says_what_to_put_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"put model\.safetensors there, with the"):
        load_video(video_encoder(), str(tmp_path))


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="--audio-weights .*there is no such folder"):
        load_audio(audio_encoder(), str(tmp_path / "none"))


HUB_ID = "someone/some-model"


@pytest.fixture
def empty_hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    return cache


def test_a_hub_id_out_of_reach_says_quickly_what_to_fetch_and_where_to_give_it(
    empty_hub_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise huggingface_hub.errors.OfflineModeIsEnabled("offline mode is enabled")

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", offline)
    start = time.monotonic()
    with pytest.raises(WeightsError) as caught:
        load_audio(audio_encoder(), HUB_ID)
    assert time.monotonic() - start < 2
    for part in (
        "config.json, preprocessor_config.json and model.safetensors",
        f"https://huggingface.co/{HUB_ID}/tree/main",
        "--audio-weights FOLDER",
        "offline mode is enabled",
    ):
        assert part in str(caught.value)


def test_a_hub_that_does_not_answer_is_not_asked_again_and_again(
    empty_hub_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Port 9 of this computer: nobody listens, as without a network.
    monkeypatch.setattr(
        huggingface_hub, "hf_hub_url", lambda *_: "http://127.0.0.1:9/model.safetensors"
    )
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    start = time.monotonic()
    with pytest.raises(WeightsError, match=r"fetch config\.json"):
        load_video(video_encoder(), HUB_ID)
    assert time.monotonic() - start < 2 * hub.TIMEOUT


def test_a_copy_in_the_hub_cache_is_used_without_asking_the_hub(
    empty_hub_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", _not_to_be_called)
    model = empty_hub_cache / "models--someone--some-model"
    write(model / "snapshots" / "abc", vit(kind="ViTForImageClassification"))
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("abc")
    assert load_video(video_encoder(), HUB_ID).source == HUB_ID


def test_a_hub_model_without_preprocessor_settings_is_downloaded(
    empty_hub_cache: Path, vit_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(model: str, name: str, etag_timeout: float) -> str:
        if not (vit_folder / name).exists():
            raise huggingface_hub.errors.EntryNotFoundError(name)
        return str(vit_folder / name)

    monkeypatch.setattr(
        huggingface_hub, "get_hf_file_metadata", lambda *_, **__: SimpleNamespace()
    )
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    assert load_video(video_encoder(), HUB_ID).source == HUB_ID


def _not_to_be_called(*_: object, **__: object) -> None:
    raise AssertionError("the hub was asked")
