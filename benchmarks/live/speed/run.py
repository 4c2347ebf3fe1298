"""How long the work of a hop takes, and how old a decision is when it is seen."""

import logging
import os
import platform
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.live.speed.material import Feeder, Material
from benchmarks.live.speed.stages import all_three, best_way, follow, slide, time_stages
from eav_live.bench.speed_live import run_live
from eav_live.bench.speed_paper import fit_heads, random_checkpoint, spread_figures
from eav_live.bench.speed_ways import CACHES, PlainWay, SlidingWay, Way
from eav_live.opening import share_cores, single_blas_thread
from eav_offline import checkpoint as checkpoints
from eav_offline.backends import (
    Backend,
    EagerBackend,
    available_backends,
    choose_backend,
    make_backend,
)
from eav_offline.checkpoint import Checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.config import Config
from eav_offline.core.labels import N_EMOTIONS
from eav_offline.core.window import WINDOW_SECONDS
from eav_offline.preprocess import Inputs, prepare
from eav_offline.versions import package_versions

log = logging.getLogger(__name__)

COMPACT, PAPER = "compact", "paper"
SIZES = (COMPACT, PAPER)
PAPER_HOP = 1.0  # seconds, of the comparison with the plain way
_FIT_HOP = 1.5  # seconds between windows that heads are fitted to


@dataclass(frozen=True)
class SpeedOptions:
    """What to measure.

    backends: None for all there are. hops: of `compact`, seconds; the first is the one
    that is compared in all ways. uncached: windows of the paper size without caches.
    """

    sizes: Sequence[str] = SIZES
    backends: Sequence[str] | None = None
    hops: Sequence[float] = (0.5, 0.2)
    windows: int = 100
    paper_windows: int = 100
    paper_hop: float = PAPER_HOP
    uncached: int = 3
    fit_windows: int = 20
    seed: int = 0
    threads: int | None = None


def bench_stages(
    model: Path,
    material: Material,
    options: SpeedOptions,
    paper: Config | None = None,
    keep_paper: Callable[[Checkpoint, str | None], None] | None = None,
) -> dict[str, Any]:
    """Time all ways on windows slid through the rings of a session.

    model: checkpoint of the `compact` size. paper: configuration of the other, None
    for the shipped one. keep_paper: called with that size's checkpoint and the backend
    that was the quickest within 0.02.
    Returns `runs`, `follow` and, with the paper size, `paper_...` figures.
    """
    single_blas_thread()  # as the program does
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    figures: dict[str, Any] = {"runs": []}
    if COMPACT in options.sizes:
        figures |= _compact(model, material, options)
    if PAPER in options.sizes:
        checkpoint = random_checkpoint(paper, options.seed)
        with tempfile.TemporaryDirectory(prefix="eav-bench-") as folder:
            path = Path(folder) / "paper.safetensors"
            run, spread = _paper(checkpoint, path, material, options)
        figures["runs"].append(run)
        best = best_way(run)
        best_figures = {} if best is None else run["ways"][best]
        figures |= {
            "paper_note": "random encoders, heads fitted to synthetic windows",
            "paper_spread": spread,
            "paper_best": best,
            "paper_speedup": best_figures.get("speedup"),
            "paper_max_probability_difference": best_figures.get(
                "max_probability_difference"
            ),
        }
        if keep_paper is not None:
            keep_paper(checkpoint, best_figures.get("backend"))
    return figures


def _compact(model: Path, material: Material, options: SpeedOptions) -> dict[str, Any]:
    checkpoint = checkpoints.load(model)
    made = make_backends(options.backends, checkpoint, model)
    runs: list[dict[str, Any]] = []
    for i, hop in enumerate(options.hops):
        ways: list[Way] = [PlainWay(COMPACT, checkpoint)]
        ways += [SlidingWay(COMPACT, checkpoint, b) for b in made]
        if i == 0:
            ways += _with_less(COMPACT, checkpoint, made)
        runs.append(time_stages(material, ways, hop, options.windows))
    best = best_way(runs[0])
    backend = next((b for b in made if b.name == best), made[0])
    way = SlidingWay(COMPACT, checkpoint, backend)
    return {"runs": runs, "follow": follow(material, way, options.hops[0])}


def bench_recorded(
    model: Path, material: Material, options: SpeedOptions
) -> dict[str, Any]:
    """The stages of the `compact` size on real recordings, eager with caches."""
    checkpoint = checkpoints.load(model)
    way = SlidingWay(COMPACT, checkpoint, EagerBackend(checkpoint.model))
    run = time_stages(material, [way], options.hops[0], options.windows)
    return {**run, "electrodes_interpolated": len(material.interpolated)}


def _paper(
    checkpoint: Checkpoint, path: Path, material: Material, options: SpeedOptions
) -> tuple[dict[str, Any], dict[str, Any]]:
    windows, emotion = fitting_windows(material, checkpoint, options.fit_windows)
    fit_heads(checkpoint.model, windows, emotion)
    checkpoints.save_checkpoint(path, checkpoint)
    made = make_backends(options.backends, checkpoint, path)
    plain = PlainWay(PAPER, checkpoint)
    cached = [SlidingWay(PAPER, checkpoint, b) for b in made]
    bare = _with_less(PAPER, checkpoint, made)
    run = time_stages(
        material,
        [plain, *cached, *bare],
        options.paper_hop,
        options.paper_windows,
        {way.name: options.uncached for way in bare},
    )
    return run, spread_figures(np.array(plain.fused))


def fitting_windows(
    material: Material, checkpoint: Checkpoint, n: int
) -> tuple[list[Inputs], np.ndarray]:
    """About `n` windows that show one emotion each, as many of each, and which (n,)."""
    wanted = max(1, n // N_EMOTIONS)
    count = np.zeros(N_EMOTIONS, dtype=int)
    windows, emotion = [], []
    most = int((material.seconds - WINDOW_SECONDS) / _FIT_HOP)
    for one in slide(Feeder(material), _FIT_HOP, most, first=WINDOW_SECONDS + 0.1):
        shown = _emotion_within(material, one.now - WINDOW_SECONDS, one.now)
        if shown is None or count[shown] >= wanted or not all_three(one.raw):
            continue
        windows.append(prepare(one.raw, checkpoint.preprocess))
        emotion.append(shown)
        count[shown] += 1
        if count.min() >= wanted:
            break
    if len(windows) < 2:
        raise InputRefused(
            f"{material.name} shows no emotion for five seconds on end; heads of the "
            "paper size cannot be fitted to it"
        )
    return windows, np.array(emotion)


def _emotion_within(material: Material, begins: float, ends: float) -> int | None:
    """The one emotion shown throughout; None if there is none, or another too."""
    shown = [e for at, e in material.course if at <= begins][-1:]
    changes = any(begins < at < ends for at, _ in material.course)
    return shown[0] if shown and not changes and ends <= material.seconds else None


def make_backends(
    names: Sequence[str] | None, checkpoint: Checkpoint, path: Path
) -> list[Backend]:
    """The backends of these names, None for all there are.

    One that this computer cannot make is left out with a warning, unless it was named.
    """
    made: list[Backend] = []
    for name in names or available_backends():
        log.info("Making the backend %s", name)
        try:
            made.append(make_backend(name, checkpoint, path))
        except Exception as error:
            if names is not None:
                raise
            log.warning("Backend %s is left out: %s", name, error)
    return made


def _with_less(
    size: str, checkpoint: Checkpoint, made: Sequence[Backend]
) -> list[SlidingWay]:
    """Every backend without caches, and the first without each of them."""
    bare = [SlidingWay(size, checkpoint, backend, CACHES) for backend in made]
    return bare + [SlidingWay(size, checkpoint, made[0], (one,)) for one in CACHES]


def settle_backend(model: Path) -> None:
    """Have the contest of backends now, so that no running program is busy with it."""
    threads = torch.get_num_threads()
    checkpoint = checkpoints.load(model)
    share_cores(checkpoint)  # as the program does: its contest is one of as many
    try:
        choose_backend(checkpoint, model)
    finally:
        torch.set_num_threads(threads)


def bench_live(
    runs: Sequence[tuple[str, float, Sequence[str]]], seconds: float
) -> list[dict[str, Any]]:
    """Run `eav-live --demo` for each (size, hop, further options)."""
    figures = []
    for size, hop, arguments in runs:
        log.info("eav-live, %s, hop %g s, for %g s", size, hop, seconds)
        live = run_live(["--hop", str(hop), *arguments], seconds)
        figures.append({"size": size, **live})
    return figures


def by_size(
    runs: Sequence[dict[str, Any]], live: Sequence[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Per size and backend, with caches: what was measured live, else by stages."""
    sizes: dict[str, dict[str, Any]] = {}
    keys = (
        *("age_p95_s", "infer_p95_s", "real_time_factor", "cpu_share"),
        *("windows_dropped", "speedup", "max_probability_difference", "measured"),
    )
    for run in runs:
        of_size = sizes.setdefault(run["size"], {})
        for way in run["ways"].values():
            if way["caches"] and way["backend"] not in of_size:
                figures = {key: way[key] for key in keys if key in way}
                of_size[way["backend"]] = {"hop_s": run["hop_s"], **figures}
    taken = set()
    for one in live:
        key = (one["size"], one["backend"])
        if key in taken:
            continue  # the first hop is the one that counts
        taken.add(key)
        sizes.setdefault(one["size"], {}).setdefault(one["backend"], {}).update(
            hop_s=one["hop_s"],
            age_p95_s=one["age_s"]["p95"],
            infer_p95_s=one["infer_s"]["p95"],
            real_time_factor=one["real_time_factor"],
            cpu_share=one.get("cpu_share"),
            windows_dropped=one["windows_dropped"],
            measured="live, with window and replay",
        )
    return sizes


def environment() -> dict[str, Any]:
    """The computer, and what it was doing when the bench began."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        **package_versions(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load_average_before": load,
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    lines = [line for line in text.splitlines() if line.startswith("model name")]
    return lines[0].partition(":")[2].strip() if lines else platform.machine()
