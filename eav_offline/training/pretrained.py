"""Public AST and ViT weights into the audio and the video encoder, strictly.

Every tensor of the file is used, or belongs to a classifier that ours replaces; every
parameter of the encoder but its head is filled. Names are those in the published
files (`encoder.layer.0.attention.attention.query`), which transformers 5 still writes,
or those that its models have in memory (`layers.0.attention.q_proj`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError  # the name of an error; nothing is unpickled here
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from eav_offline.checkpoint.hub import (
    CONFIG,
    PREPROCESSOR,
    WEIGHTS,
    WeightsError,
    hub_files,
    is_hub_id,
    read_json,
    read_safetensors,
)
from eav_offline.core.window import AUDIO_RATE
from eav_offline.models.encoders import (
    AST_DEVIATION,
    AST_MEAN,
    AudioEncoder,
    VideoEncoder,
)
from eav_offline.models.layers import VisionTransformer
from eav_offline.preprocess.audio import N_MELS

_PREFIXES = ("audio_spectrogram_transformer.", "vit.")
_REPLACED = {  # by our head: the classifiers of ViT and AST, ViT's pooler
    f"{module}.{kind}"
    for module in (
        "classifier",
        "classifier.dense",
        "classifier.layernorm",
        "pooler.dense",
    )
    for kind in ("weight", "bias")
}
_NAMES_IN_FILES = {  # what transformers 5 calls them in memory -> in the files
    "attention.q_proj.": "attention.attention.query.",
    "attention.k_proj.": "attention.attention.key.",
    "attention.v_proj.": "attention.attention.value.",
    "attention.o_proj.": "attention.output.dense.",
    "mlp.fc1.": "intermediate.dense.",
    "mlp.fc2.": "output.dense.",
}
_OF_STEM = {
    "patches": ["embeddings.patch_embeddings.projection"],
    "norm": ["layernorm"],
}
_OF_BLOCK = {  # ours -> theirs, in the order in which they are joined
    "norm1": ["layernorm_before"],
    "attention.qkv": [
        "attention.attention.query",
        "attention.attention.key",
        "attention.attention.value",
    ],
    "attention.proj": ["attention.output.dense"],
    "norm2": ["layernorm_after"],
    "mlp.0": ["intermediate.dense"],
    "mlp.2": ["output.dense"],
}
_CLASS_TOKENS = ("embeddings.cls_token", "embeddings.distillation_token")
_POSITIONS = "embeddings.position_embeddings"
_NAMES_SHOWN = 4
Grid = tuple[int, int]  # rows and columns of patches
# Positions (1, patches, dim) and the wanted grid -> those of that grid, and the grid
# they came in. Raises ValueError if that cannot be done.
Adapt = Callable[[Tensor, Grid], tuple[Tensor, Grid]]
OLD_WEIGHTS = "pytorch_model.bin"


@dataclass(frozen=True)
class Report:
    """What became of a published checkpoint.

    ignored: tensors left out, all of them the publisher's classifier or pooler.
    adapted: what was changed to fit, from what to what.
    """

    source: str
    ignored: tuple[str, ...]
    adapted: tuple[str, ...]


def load_audio(encoder: AudioEncoder, source: str) -> Report:
    """Fill an audio encoder with AST weights, such as AudioSet's.

    source: a folder with config.json and model.safetensors, a .safetensors file, or a
    hub id such as MIT/ast-finetuned-audioset-10-10-0.4593. The head keeps its weights.
    Raises WeightsError, before anything is changed, if the weights cannot be had or do
    not fit.
    """
    published = read_published(source, "--audio-weights")
    expected = _expected(encoder, "audio-spectrogram-transformer")
    expected["frequency_stride"], expected["time_stride"] = encoder.patches.stride
    expected["num_mel_bins"] = N_MELS
    faults = _config_faults(published.config, expected)
    if encoder.scale_axes is not None:
        faults.append('they need normalization = "ast", it is "training" here')
    sound = {"mean": AST_MEAN, "std": AST_DEVIATION}
    sound |= {"num_mel_bins": N_MELS, "sampling_rate": AUDIO_RATE}
    faults += _preprocessor_faults(published.preprocessor, sound)
    return _load(encoder, published, "audio", faults, _first_columns)


def load_video(encoder: VideoEncoder, source: str) -> Report:
    """Fill a video encoder with ViT weights, such as those of a facial emotion model.

    source: as for `load_audio`; hub ids are dima806/facial_emotions_image_detection and
    google/vit-base-patch16-224. Raises WeightsError as `load_audio` does.
    """
    published = read_published(source, "--video-weights")
    expected = _expected(encoder, "vit")
    expected["num_channels"] = encoder.patches.in_channels
    faults = _config_faults(published.config, expected)
    if encoder.patches.stride != encoder.patches.kernel_size:
        faults.append(
            f"a ViT's patches do not overlap, stride is {encoder.patches.stride} here"
        )
    if encoder.normalization != "fixed":
        faults.append('they need normalization = "fixed", it is "frame" here')
    faults += _preprocessor_faults(
        published.preprocessor, {"image_mean": 0.5, "image_std": 0.5}
    )
    return _load(encoder, published, "video", faults, _interpolated)


def _first_columns(positions: Tensor, wanted: Grid) -> tuple[Tensor, Grid]:
    rows, columns = wanted
    n = positions.shape[1]
    if n % rows or n // rows < columns:
        raise ValueError(
            f"its {n} positions are not those of {rows} rows (mel) by at least "
            f"{columns} columns (time): give an AST trained on five seconds or more"
        )
    there = (rows, n // rows)
    # A recording shorter than AST's 1024 frames is put at their start and padded
    # behind it, so the first columns are where five seconds have always been.
    kept = positions.unflatten(1, there)[:, :, :columns]
    return kept.flatten(1, 2), there


def _interpolated(positions: Tensor, wanted: Grid) -> tuple[Tensor, Grid]:
    n = positions.shape[1]
    side = math.isqrt(n)
    if side * side != n:
        raise ValueError(
            f"its {n} positions are not those of a square: give a ViT trained on "
            "square pictures"
        )
    there = (side, side)
    if there == wanted:
        return positions, there
    grid = positions.unflatten(1, there).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=wanted, mode="bicubic", align_corners=False)
    return grid.permute(0, 2, 3, 1).flatten(1, 2), there


def _expected(encoder: VisionTransformer, model_type: str) -> dict[str, Any]:
    """What config.json must say of a model that this encoder can be."""
    block: Any = encoder.blocks[0]
    return {
        "model_type": model_type,
        "hidden_size": encoder.dim,
        "num_attention_heads": block.attention.heads,
        "num_hidden_layers": len(encoder.blocks),
        "intermediate_size": block.mlp[0].out_features,
        "layer_norm_eps": block.norm1.eps,
        "patch_size": encoder.patches.kernel_size,
        "hidden_act": "gelu",
    }


def _config_faults(config: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    return [
        f"{key} {config[key]} there, {wanted} in the configuration"
        for key, wanted in expected.items()
        if key in config and not _same(config[key], wanted)
    ]


def _preprocessor_faults(
    preprocessor: Mapping[str, Any], expected: Mapping[str, float]
) -> list[str]:
    return [
        f"{key} {preprocessor[key]} in its preprocessor_config.json, {wanted} here, "
        "which cannot be changed"
        for key, wanted in expected.items()
        if key in preprocessor and not _same(preprocessor[key], wanted)
    ]


def _same(found: object, wanted: object) -> bool:
    """Equal, where one number may stand for several equal ones."""
    several = found if isinstance(found, (list, tuple)) else [found]
    if isinstance(wanted, (list, tuple)):
        several = several if len(several) > 1 else several * len(wanted)
        return list(several) == list(wanted)
    if isinstance(wanted, float):
        return all(
            isinstance(x, (int, float)) and math.isclose(x, wanted, rel_tol=1e-6)
            for x in several
        )
    return all(x == wanted for x in several)


@dataclass(frozen=True)
class Published:
    """A checkpoint as its authors published it.

    source: what the user named. tensors: by the names in the file, float32. config,
    preprocessor: what the files of those names say; empty where there is none.
    """

    source: str
    tensors: dict[str, Tensor]
    config: dict[str, Any] = field(default_factory=dict)
    preprocessor: dict[str, Any] = field(default_factory=dict)


def _load(
    encoder: VisionTransformer,
    published: Published,
    section: str,
    faults: list[str],
    adapt: Adapt,
) -> Report:
    _refuse(published.source, section, faults)
    theirs = {_published_name(name): x for name, x in published.tensors.items()}
    if len(theirs) < len(published.tensors):
        faults.append("the file has two tensors for one place")
    sources = _sources(encoder)
    empty = {n for n, _ in encoder.named_parameters() if not n.startswith("head.")}
    empty -= sources.keys()
    if empty:
        faults.append(f"it has nothing for {_some(sorted(empty))} (layer_scale = 0)")
    used = {name for names in sources.values() for name in names}
    ignored = sorted(theirs.keys() & _REPLACED)
    lacking = sorted(used - theirs.keys())
    unknown = sorted(theirs.keys() - used - set(ignored))
    if lacking:
        faults.append(f"the file lacks {_some(lacking)}")
    if unknown:
        faults.append(f"the file has {_some(unknown)}, for which there is no place")
    _refuse(published.source, section, faults)

    adapted: tuple[str, ...] = ()
    wanted = encoder.state_dict()
    ours = {}
    for name, names in sources.items():
        parts = [theirs[n] for n in names]
        if name == "positions":
            parts, adapted = _fit_positions(encoder, published.source, parts[0], adapt)
        shape = wanted[name].shape
        axis = 1 if name in ("positions", "class_tokens") else 0
        if not _joins(parts, axis, shape):
            found = " and ".join(str(tuple(x.shape)) for x in parts)
            faults.append(f"{_some(names)} {found} there, {tuple(shape)} here")
            continue
        ours[name] = torch.cat(parts, dim=axis)
    _refuse(published.source, section, faults[:_NAMES_SHOWN])
    with torch.no_grad():
        for name, tensor in ours.items():
            encoder.get_parameter(name).copy_(tensor)
    return Report(published.source, tuple(ignored), adapted)


def _fit_positions(
    encoder: VisionTransformer, source: str, positions: Tensor, adapt: Adapt
) -> tuple[list[Tensor], tuple[str, ...]]:
    n_class = encoder.n_class
    if positions.ndim != 3 or positions.shape[1] <= n_class:
        raise WeightsError(
            f"{source}: {_POSITIONS} has the shape {tuple(positions.shape)}, expected "
            f"(1, {n_class} + patches, {encoder.dim}); give an intact file"
        )
    try:
        patches, there = adapt(positions[:, n_class:], encoder.grid)
    except ValueError as error:
        raise WeightsError(f"{source} does not fit: {error}") from error
    adapted: tuple[str, ...] = ()
    if there != encoder.grid:
        how = "first columns" if adapt is _first_columns else "bicubic"
        adapted = (f"positions {_grid(there)} -> {_grid(encoder.grid)} ({how})",)
    return [positions[:, :n_class], patches], adapted


def _sources(encoder: VisionTransformer) -> dict[str, list[str]]:
    """Names in the file, to be joined, of each parameter of the encoder but its head.

    A layer scale has none: no published model has that.
    """
    sources = {
        "class_tokens": list(_CLASS_TOKENS[: encoder.n_class]),
        "positions": [_POSITIONS],
    }
    modules = dict(_OF_STEM)
    for i in range(len(encoder.blocks)):
        for ours, theirs in _OF_BLOCK.items():
            names = [f"encoder.layer.{i}.{name}" for name in theirs]
            modules[f"blocks.{i}.{ours}"] = names
    for ours, theirs in modules.items():
        for kind in ("weight", "bias"):
            sources[f"{ours}.{kind}"] = [f"{name}.{kind}" for name in theirs]
    return sources


def _published_name(name: str) -> str:
    """The name in the published files of what may be named as in memory."""
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    if name.startswith("layers."):
        name = f"encoder.layer.{name.removeprefix('layers.')}"
        for in_memory, in_file in _NAMES_IN_FILES.items():
            name = name.replace(f".{in_memory}", f".{in_file}")
    return name


def _joins(parts: list[Tensor], axis: int, shape: torch.Size) -> bool:
    joined = list(parts[0].shape)
    if len(joined) != len(shape):
        return False
    joined[axis] = sum(x.shape[axis] for x in parts if x.ndim == len(shape))
    others = {(*x.shape[:axis], *x.shape[axis + 1 :]) for x in parts}
    return len(others) == 1 and joined == list(shape)


def _refuse(source: str, section: str, faults: list[str]) -> None:
    if faults:
        raise WeightsError(
            f"{source} does not fit model.{section} of the configuration: "
            f"{'; '.join(faults)}. Give weights of that architecture (configs/"
            "paper.toml has the sizes of ViT-B/16 and AST-B), or change the "
            "configuration"
        )


def _some(names: list[str]) -> str:
    rest = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _grid(grid: Grid) -> str:
    return f"{grid[0]}x{grid[1]}"


def read_published(source: str, option: str) -> Published:
    """Read a folder, a .safetensors or .bin file, or a model of the Hugging Face hub.

    option: the command-line option that takes `source`, named in messages. Raises
    WeightsError if there is nothing to read, saying which files to put where.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        found = {name: path / name for name in (CONFIG, PREPROCESSOR)}
        weights = path / WEIGHTS
        if not weights.is_file() and (path / OLD_WEIGHTS).is_file():
            weights = path / OLD_WEIGHTS
    elif path.is_file():
        weights, found = path, {}
        if path.name in (WEIGHTS, OLD_WEIGHTS):  # what lies beside it belongs to it
            found = {name: path.parent / name for name in (CONFIG, PREPROCESSOR)}
    elif is_hub_id(source):
        found = hub_files(source, option, (CONFIG, WEIGHTS), (PREPROCESSOR,))
        weights = found[WEIGHTS]
    else:
        raise WeightsError(
            f"{option} {source}: there is no such folder or file; give a folder with "
            f"{CONFIG} and {WEIGHTS}, a .safetensors file, or a hub id such as "
            "google/vit-base-patch16-224"
        )
    if not weights.is_file():
        raise WeightsError(
            f"{option} {source}: the folder has neither {WEIGHTS} nor {OLD_WEIGHTS}; "
            f"put {WEIGHTS} there, with the {CONFIG} and {PREPROCESSOR} of the same "
            "model"
        )
    return Published(
        source=source,
        tensors=_tensors(weights),
        config=read_json(found.get(CONFIG)),
        preprocessor=read_json(found.get(PREPROCESSOR)),
    )


def _tensors(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        tensors = read_safetensors(path)
    else:
        tensors = _read_torch(path)
    broken = [name for name, x in tensors.items() if not bool(x.isfinite().all())]
    if broken:
        raise WeightsError(
            f"{path}: {broken[0]} has values that are not finite; fetch the file again"
        )
    return {name: x.float() for name, x in tensors.items()}


def _read_torch(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, OSError, EOFError, ValueError) as error:
        # torch's own message is left out: it says how to run what the file brings.
        raise WeightsError(
            f"{path} is damaged, or holds other things than tensors, which are not "
            f"read because they can run code; give the model's {WEIGHTS} instead"
        ) from error
    if not isinstance(content, dict) or not all(
        isinstance(x, Tensor) for x in content.values()
    ):
        raise WeightsError(
            f"{path} is no table of tensors by name; give the model's {WEIGHTS} instead"
        )
    return content
