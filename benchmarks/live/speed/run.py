"""How long the work of a hop takes, and how old a decision is when it is seen."""

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.live.speed.figures import by_size, draw, targets
from benchmarks.live.speed.material import Material, demo_material, recorded_material
from benchmarks.live.speed.paper import (
    fit_heads,
    fitting_windows,
    random_checkpoint,
    spread_figures,
)
from benchmarks.live.speed.stages import (
    CACHES,
    PlainWay,
    SlidingWay,
    best_way,
    follow,
    time_stages,
)
from benchmarks.live.speed.watch import run_live
from benchmarks.measure import torch_threads
from eav_live.recognition.assets import asset
from eav_live.recognition.pace import share_cores, single_blas_thread
from eav_live.replay.demo import demo_subject
from eav_offline.backends import (
    Backend,
    EagerBackend,
    available_backends,
    choose_backend,
    make_backend,
)
from eav_offline.checkpoint import file as checkpoints
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.config import Config

log = logging.getLogger(__name__)
COMPACT, PAPER = "compact", "paper"
_UNCACHED = 3  # windows of the paper size without caches


@dataclass(frozen=True)
class SpeedOptions:
    """What to measure.

    model: of the compact size, None for the demo's. backends: None for all there are.
    hops: of `compact`, seconds. threads: of the stages. seconds: of the running program
    at each hop, 0 for none. all_panels: once more at the first with all that it has
    open. eeg, media: recordings to recognize too. chart: a picture to draw.
    """

    model: Path | None = None
    sizes: Sequence[str] = (COMPACT, PAPER)
    backends: Sequence[str] | None = None
    hops: Sequence[float] = (0.5, 0.2)
    windows: int = 100
    paper_windows: int = 100
    paper_hop: float = 1.0
    fit_windows: int = 20
    threads: int | None = None
    seconds: float = 0.0
    live_sizes: Sequence[str] = (COMPACT,)
    live_paper_hop: float = 5.0
    all_panels: bool = False
    eeg: Path | None = None
    media: Path | None = None
    chart: Path | None = None

    @property
    def compact_model(self) -> Path:
        """The checkpoint's file."""
        return self.model or asset("demo.safetensors")


def bench_speed(**asked: Any) -> dict[str, Any]:
    """Measure what `SpeedOptions` ask for; see docs/benchmarks.md for the figures."""
    options = SpeedOptions(**asked)
    if (options.eeg is None) != (options.media is None):
        raise InputRefused("give --eeg and --media together")
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="eav-bench-") as folder:
        paper = Path(folder) / "paper.safetensors"
        if options.sizes:
            figures |= bench_stages(demo_material(demo_subject()), options, paper)
        if options.eeg is not None and options.media is not None:
            material = recorded_material(options.eeg, options.media)
            figures["recorded"] = _recorded(material, options)
        if options.seconds > 0:
            figures |= _live(options, paper)
    figures["sizes"] = by_size(figures.get("runs", ()), figures.get("live", ()))
    figures["targets"] = targets(figures)
    if options.chart is not None:
        draw(options.chart, figures["runs"])
    return figures


def bench_stages(
    material: Material,
    options: SpeedOptions,
    paper_file: Path,
    paper: Config | None = None,
) -> dict[str, Any]:
    """Time all ways on windows slid through the rings of a session.

    paper_file: where the checkpoint of that size is written. paper: its configuration,
    None for the shipped one.
    Returns `runs`, `follow` and, with the paper size, `paper_...` figures.
    """
    single_blas_thread()  # as the program does
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    figures: dict[str, Any] = {"runs": []}
    if COMPACT in options.sizes:
        figures |= _compact(material, options)
    if PAPER in options.sizes:
        run, spread = _paper(random_checkpoint(paper), paper_file, material, options)
        figures["runs"].append(run)
        best = best_way(run)
        best_figures = {} if best is None else run["ways"][best]
        figures |= {
            "paper_note": "random encoders, heads fitted to synthetic windows",
            "paper_spread": spread,
            "paper_best": best,
        }
        for key in ("speedup", "max_probability_difference"):
            figures[f"paper_{key}"] = best_figures.get(key)
    return figures


def _compact(material: Material, options: SpeedOptions) -> dict[str, Any]:
    model = options.compact_model
    checkpoint = checkpoints.load(model)
    made, left_out = make_backends(options.backends, checkpoint, model)
    runs: list[dict[str, Any]] = []
    for i, hop in enumerate(options.hops):
        bare = [] if i else _with_less(COMPACT, checkpoint, made)
        cached = [SlidingWay(COMPACT, checkpoint, b) for b in made]
        ways = [PlainWay(COMPACT, checkpoint), *cached, *bare]
        run = time_stages(material, ways, hop, options.windows)
        runs.append(run | {"left_out": left_out})
    best = best_way(runs[0])
    backend = next((b for b in made if b.name == best), made[0])
    way = SlidingWay(COMPACT, checkpoint, backend)
    return {"runs": runs, "follow": follow(material, way, options.hops[0])}


def _paper(
    checkpoint: Checkpoint, path: Path, material: Material, options: SpeedOptions
) -> tuple[dict[str, Any], dict[str, Any]]:
    windows, emotion = fitting_windows(material, checkpoint, options.fit_windows)
    fit_heads(checkpoint.model, windows, emotion)
    checkpoints.save_checkpoint(path, checkpoint)
    made, left_out = make_backends(options.backends, checkpoint, path)
    plain = PlainWay(PAPER, checkpoint)
    cached = [SlidingWay(PAPER, checkpoint, b) for b in made]
    bare = _with_less(PAPER, checkpoint, made)
    for way in bare:
        way.most = _UNCACHED
    asked = (options.paper_hop, options.paper_windows)
    run = time_stages(material, [plain, *cached, *bare], *asked)
    return run | {"left_out": left_out}, spread_figures(np.array(plain.fused))


def make_backends(
    names: Sequence[str] | None, checkpoint: Checkpoint, path: Path
) -> tuple[list[Backend], dict[str, str]]:
    """The backends of these names, None for all there are, and why others are left out.

    Raises InputRefused if none can be made.
    """
    made: list[Backend] = []
    left_out: dict[str, str] = {}
    for name in names or available_backends():
        log.info("Making the backend %s", name)
        try:
            made.append(make_backend(name, checkpoint, path))
        except Exception as error:  # a runtime may fail in any way
            reason = str(error) if isinstance(error, InputRefused) else repr(error)
            log.warning("Backend %s is left out: %s", name, reason)
            left_out[name] = reason
    if not made:
        told = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise InputRefused(f"no backend can be measured ({told}); give others")
    return made, left_out


def _with_less(
    size: str, checkpoint: Checkpoint, made: Sequence[Backend]
) -> list[SlidingWay]:
    """Every backend without caches, and the first without each of them."""
    bare = [SlidingWay(size, checkpoint, backend, CACHES) for backend in made]
    return bare + [SlidingWay(size, checkpoint, made[0], (one,)) for one in CACHES]


def _recorded(material: Material, options: SpeedOptions) -> dict[str, Any]:
    """The stages of the `compact` size on real recordings, eager with caches."""
    checkpoint = checkpoints.load(options.compact_model)
    way = SlidingWay(COMPACT, checkpoint, EagerBackend(checkpoint.model))
    run = time_stages(material, [way], options.hops[0], options.windows)
    return {**run, "electrodes_interpolated": len(material.interpolated)}


def _live(options: SpeedOptions, paper: Path) -> dict[str, Any]:
    """Run `eav-live --demo` at each hop; of the paper size where its file is.

    `live`: of each run. `all_panels`, if asked for: of one at the first hop with all
    that the program has open.
    """
    _settle_backend(options.compact_model)

    def watched(size: str, hop: float, model: Path | None, **how: bool) -> dict:
        log.info("eav-live, %s, hop %g s, for %g s", size, hop, options.seconds)
        own = [] if model is None else ["--model", str(model)]
        live = run_live(["--hop", str(hop), *own], options.seconds, **how)
        return {"size": size, **live}

    runs = []
    if COMPACT in options.live_sizes:
        runs = [watched(COMPACT, hop, options.model) for hop in options.hops]
    if PAPER in options.live_sizes and paper.exists():
        runs.append(watched(PAPER, options.live_paper_hop, paper))
    figures: dict[str, Any] = {"live": runs}
    if options.all_panels:
        asked = (COMPACT, options.hops[0], options.model)
        figures["all_panels"] = watched(*asked, all_panels=True)
    return figures


def _settle_backend(model: Path) -> None:
    """Have the contest of backends now, so that no running program is busy with it."""
    with torch_threads(None):
        checkpoint = checkpoints.load(model)
        share_cores(checkpoint)  # as the program does: its contest is one of as many
        choose_backend(checkpoint, model)
