"""Backends by name: which there are on this computer, and how each is made."""

import hashlib
import importlib.util
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import platformdirs
import torch

from eav_offline.backends.base import Backend, EagerBackend
from eav_offline.backends.reduced import (
    shared_copy,
    with_blocks_in,
    with_blocks_in_int8,
)
from eav_offline.checkpoint import Checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.models import Recogniser

log = logging.getLogger(__name__)

_COMPILERS = ("g++", "c++", "clang++", "cl")


def available_backends() -> tuple[str, ...]:
    """Names of the backends that this computer has, the reference first."""
    there = ["eager"]
    if bfloat16_is_fast():
        there.append("bf16")
    if "onednn" in torch.backends.quantized.supported_engines:
        there.append("int8")
    if all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime")):
        there += ["onnx", "onnx-int8"]
    if any(map(shutil.which, _COMPILERS)):
        there.append("compile")
        if bfloat16_is_fast():
            there.append("compile-bf16")
    if torch.cuda.is_available():
        there += ["cuda", "cuda-bf16", "cuda-fp16"]
    if torch.backends.mps.is_available():
        there += ["mps", "mps-fp16"]
    return tuple(there)


def make_backend(
    name: str, checkpoint: Checkpoint, path: Path | None = None
) -> Backend:
    """The backend of that name, ready to compute; compiling takes a minute or more.

    name: one of `available_backends`, followed by any of the approximations, as in
    "bf16+running+merge" (`eav_offline.backends.approximate`). path: the checkpoint's file,
    by which exported parts are found again.
    Raises InputRefused if it is unknown, not to be had here, or wrong for this model.
    """
    base, *ways = name.split("+")
    there = available_backends()
    if base not in there:
        raise InputRefused(
            f"backend {base!r} is not there on this computer; there are "
            f"{', '.join(there)}"
        )
    from eav_live.backends import approximate

    unknown = [way for way in ways if way not in approximate.WAYS]
    if unknown:
        raise InputRefused(
            f"approximation {unknown[0]!r} is unknown; there are "
            f"{', '.join(approximate.WAYS)}"
        )
    if base.startswith("onnx"):
        if ways:
            raise InputRefused(f"{name}: approximations are for PyTorch's backends")
        return _onnx(base, checkpoint, path)
    changed = approximate.changed(checkpoint.model, ways)
    model = _MAKE[base](changed)
    if base.startswith("compile"):
        if "running" in ways:
            raise InputRefused(f"{name}: what runs along is not compiled")
        from eav_offline.backends.compiled import CompiledBackend

        return CompiledBackend(model, name, checkpoint.config)
    if "running" in ways:
        return approximate.RunningBackend(model, name)
    return EagerBackend(model, name)


def bfloat16_is_fast() -> bool:
    """Whether the CPU multiplies bfloat16 itself."""
    checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in checks)


def cache_folder() -> Path:
    """Where exported parts and results are kept: the user's cache directory."""
    return Path(platformdirs.user_cache_dir("eav-live")) / "backends"


def _onnx(name: str, checkpoint: Checkpoint, path: Path | None) -> Backend:
    from importlib.metadata import version

    from eav_offline.backends.onnx import MANIFEST, export_onnx, fingerprint
    from eav_offline.onnx_model import OnnxModel

    versions = "".join(version(p) for p in ("eav-live", "torch", "onnx", "onnxruntime"))
    key = fingerprint(checkpoint, path) + versions
    folder = cache_folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:20]}-{name}"
    if not (folder / MANIFEST).is_file():
        log.info("Exporting the model for ONNX Runtime, once")
        export_onnx(checkpoint, path, folder, int8=name == "onnx-int8")
    return OnnxModel(folder, checkpoint.modalities, name == "onnx-int8")


def _moved(model: Recogniser, device: str) -> Recogniser:
    import copy

    return copy.deepcopy(model).to(device)


def _int8(model: Recogniser) -> Recogniser:
    attend_in = torch.bfloat16 if bfloat16_is_fast() else torch.float32
    return with_blocks_in_int8(model, attend_in)


_MAKE: dict[str, Callable[[Recogniser], Recogniser]] = {
    "eager": lambda model: model,
    "compile": shared_copy,
    "bf16": lambda model: with_blocks_in(model, torch.bfloat16),
    "compile-bf16": lambda model: with_blocks_in(model, torch.bfloat16),
    "int8": _int8,
    "cuda": lambda model: _moved(model, "cuda"),
    "cuda-bf16": lambda model: with_blocks_in(_moved(model, "cuda"), torch.bfloat16),
    "cuda-fp16": lambda model: with_blocks_in(_moved(model, "cuda"), torch.float16),
    "mps": lambda model: _moved(model, "mps"),
    "mps-fp16": lambda model: with_blocks_in(_moved(model, "mps"), torch.float16),
}
