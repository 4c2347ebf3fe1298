"""Which backend is fastest on this computer, among those that answer as PyTorch does.

The candidates compute seeded reference windows, which hold no participant's data
(`eav_offline.backends.reference_windows`). What was found is remembered in the user's
cache directory, for this checkpoint, these versions, this CPU and this number of
threads.
"""

import hashlib
import importlib.util
import json
import logging
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import platformdirs
import torch

from eav_offline.backends.base import (
    Backend,
    CompiledBackend,
    EagerBackend,
    answers,
    full_window,
)
from eav_offline.backends.onnx import fingerprint
from eav_offline.backends.reduced import (
    shared_copy,
    with_blocks_in,
    with_blocks_in_int8,
)
from eav_offline.backends.reference_windows import reference_windows
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import package_versions, write_atomically
from eav_offline.models import EmotionModel

log = logging.getLogger(__name__)
TOLERANCE = 0.02  # of any probability, fused or of one modality
CONTEST_SECONDS = 3.0
_HOPS_ALLOWED = 12  # of a slow model: as many eager ones as the contest may last
_WINDOWS = 5
_GAIN = 0.95  # of the time of those before it a candidate must need less than this
# The exact ones first; those that compile take minutes to make.
_ORDER = ("cuda", "mps", "onnx", "int8", "bf16", "onnx-int8", "cuda-fp16", "mps-fp16")
_COMPILERS = ("g++", "c++", "clang++", "cl")


@dataclass(frozen=True)
class Candidate:
    """One backend's seconds for a hop (median) and largest difference from eager.

    Both are None if it was not timed; note says why, or why it was not taken.
    """

    name: str
    hop_s: float | None
    difference: float | None
    note: str = ""


@dataclass(frozen=True)
class BackendReport:
    """What was chosen, and out of what. remembered: the contest was an earlier one."""

    name: str
    candidates: tuple[Candidate, ...]
    remembered: bool

    def table(self) -> str:
        """For people: one line a candidate."""
        lines = [f"{'backend':<14}{'ms a hop':>10}{'differs by':>12}"]
        for one in self.candidates:
            hop = "" if one.hop_s is None else f"{1000 * one.hop_s:.1f}"
            differs = "" if one.difference is None else f"{one.difference:.5f}"
            chosen = "  <- taken" if one.name == self.name else f"  {one.note}"
            lines.append(f"{one.name:<14}{hop:>10}{differs:>12}{chosen}".rstrip())
        return "\n".join(lines)


def choose_backend(
    checkpoint: Checkpoint, path: Path | None = None
) -> tuple[Backend, BackendReport]:
    """The fastest backend here whose probabilities are PyTorch's within `TOLERANCE`.

    Tried are those that are made in seconds, until the contest has lasted
    `CONTEST_SECONDS`, or longer where the model is slow; eager is always among them.
    """
    known = remembered_backend(checkpoint, path)
    if known is not None:
        return known
    log.info("Timing the ways to compute this model, once on this computer")
    chosen, report = _contest(checkpoint, path)
    eager = report.candidates[0].hop_s or 0.0
    mine = next(one.hop_s for one in report.candidates if one.name == report.name)
    log.info(
        "Backend %s: %.1f ms a hop, eager PyTorch %.1f ms",
        report.name,
        1000 * (mine or 0.0),
        1000 * eager,
    )
    log.debug("Backends, tolerance %g:\n%s", TOLERANCE, report.table())
    file = _file(checkpoint, path)
    try:
        write_atomically(file, json.dumps([asdict(one) for one in report.candidates]))
    except OSError as error:
        log.warning("The choice of backend is not remembered: %s", error)
    return chosen, report


def remembered_backend(
    checkpoint: Checkpoint, path: Path | None = None
) -> tuple[Backend, BackendReport] | None:
    """What `choose_backend` found before on this computer; None if it did not."""
    report = _remembered(_file(checkpoint, path))
    if report is None:
        return None
    try:
        backend = make_backend(report.name, checkpoint, path)
    except Exception as error:  # whatever it is, a new contest will see
        log.warning("Backend %s cannot be made: %s", report.name, error)
        return None
    log.info("Backend %s, as found before on this computer", report.name)
    return backend, report


def _rivals() -> list[str]:
    """The backends that are tried against eager, in this order."""
    there = available_backends()
    return [name for name in _ORDER if name in there]


def _contest(
    checkpoint: Checkpoint, path: Path | None
) -> tuple[Backend, BackendReport]:
    begun, seconds = time.monotonic(), CONTEST_SECONDS
    windows = reference_windows(checkpoint.config, _WINDOWS)
    eager = EagerBackend(checkpoint.model)
    first = _timed(eager, windows[0], checkpoint.modalities)  # not counted: it warms up
    if first > seconds / _HOPS_ALLOWED:
        windows, seconds = windows[:2], _HOPS_ALLOWED * first
    reference = [answers(eager, w, checkpoint.modalities) for w in windows]
    took = [_timed(eager, w, checkpoint.modalities) for w in windows]
    best: Backend = eager
    tried = [Candidate("eager", float(np.median(took)), 0.0)]
    for name in _rivals():
        if time.monotonic() - begun > seconds:
            tried.append(Candidate(name, None, None, "no time left for it"))
            continue
        try:
            backend = make_backend(name, checkpoint, path)
            found = [answers(backend, w, checkpoint.modalities) for w in windows]
            took = [_timed(backend, w, checkpoint.modalities) for w in windows]
        except Exception as error:  # a runtime may fail in any way; it is not taken
            note = str(error) if isinstance(error, InputRefused) else repr(error)
            tried.append(Candidate(name, None, None, note))
            continue
        difference = max(
            float(np.abs(a - b).max()) for a, b in zip(found, reference, strict=True)
        )
        hop = float(np.median(took))
        within = difference <= TOLERANCE  # False for what is no number
        note = "" if within else f"differs by more than {TOLERANCE:g}"
        tried.append(Candidate(name, hop, difference, note))
        if _best(tried).name == name:
            best = backend
    return best, BackendReport(best.name, tuple(tried), remembered=False)


def _best(tried: Sequence[Candidate]) -> Candidate:
    """The first that none after it beats clearly; eager, the first, is exact."""
    best = tried[0]
    for one in tried[1:]:
        if one.hop_s is None or one.difference is None or best.hop_s is None:
            continue
        if one.difference <= TOLERANCE and one.hop_s < _GAIN * best.hop_s:
            best = one
    return best


def _timed(
    backend: Backend, window: dict[str, np.ndarray], modalities: tuple[str, ...]
) -> float:
    """Seconds of one hop: what is new of a window, then the fusion of all of it."""
    full = full_window({m: backend.encode(m, window[m]) for m in modalities})
    begun = time.perf_counter()
    for m in modalities:
        backend.encode(m, window[m])
    backend.fuse(full, modalities).cpu()
    return time.perf_counter() - begun


def _remembered(file: Path) -> BackendReport | None:
    try:
        rows = [Candidate(**row) for row in json.loads(file.read_text())]
        best = _best(rows)
    except (OSError, ValueError, TypeError, LookupError):
        return None
    return BackendReport(best.name, tuple(rows), remembered=True)


def _file(checkpoint: Checkpoint, path: Path | None) -> Path:
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    told = (
        fingerprint(checkpoint, path),
        package_versions(),
        _cpu(),
        gpu,
        torch.get_num_threads(),
        _rivals(),
        TOLERANCE,
    )
    key = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:24]
    return cache_folder() / f"{key}.json"


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


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
    "bf16+running+merge" (see `reduced`). path: the checkpoint's file, by which exported
    parts are found again.
    Raises InputRefused if it is unknown, not to be had here, or wrong for this model.
    """
    base, *ways = name.split("+")
    there = available_backends()
    if base not in there:
        raise InputRefused(
            f"backend {base!r} is not there on this computer; there are "
            f"{', '.join(there)}"
        )
    from eav_offline.backends import reduced as approximate

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

    from eav_offline.backends.onnx import (
        FORMAT,
        MANIFEST,
        OnnxModel,
        export_onnx,
        fingerprint,
    )

    versions = "".join(version(p) for p in ("eav-live", "torch", "onnx", "onnxruntime"))
    key = FORMAT + fingerprint(checkpoint, path) + versions
    folder = cache_folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:20]}-{name}"
    if not (folder / MANIFEST).is_file():
        log.info("Exporting the model for ONNX Runtime, once")
        export_onnx(checkpoint, path, folder, int8=name == "onnx-int8")
    fusing = checkpoint.model.fusing
    return OnnxModel(folder, checkpoint.modalities, name == "onnx-int8", fusing)


def _moved(model: EmotionModel, device: str) -> EmotionModel:
    import copy

    return copy.deepcopy(model).to(device)


def _int8(model: EmotionModel) -> EmotionModel:
    attend_in = torch.bfloat16 if bfloat16_is_fast() else torch.float32
    return with_blocks_in_int8(model, attend_in)


_MAKE: dict[str, Callable[[EmotionModel], EmotionModel]] = {
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
