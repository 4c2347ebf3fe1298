"""How long the work of a hop takes, and how old a decision is when it is seen.

A checkpoint of the `paper` size whose answers differ between windows.

Its encoders are random: published weights may not be at hand, and neither time nor the
agreement of two ways of computing depends on what they know. Only the heads are fitted,
in closed form, to windows of a synthetic person, so that probabilities move with what
is in the window and a difference between two ways can show.

What finding faces costs, and whether MTCNN on every frame finds more of them.

The real program on the replayed demo, watched from outside: `eav-live --demo`.

The session with its window is one process, the replay another; this one only looks at
how much processor time and memory the first takes, and reads the timings it wrote.
"""

import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from facenet_pytorch import MTCNN
from torch import Tensor, nn

from benchmarks.live.speed.figures import live_figures, percentiles
from benchmarks.live.speed.material import Feeder, Material
from benchmarks.live.speed.stages import (
    CACHES,
    PlainWay,
    SlidingWay,
    Way,
    all_three,
    best_way,
    follow,
    slide,
    time_stages,
)
from eav_live.logs.timings import MADE
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
from eav_offline.common.files import package_versions
from eav_offline.config import Config, load_config
from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.core.window import FRAME_RATE, WINDOW_SECONDS
from eav_offline.data.media import iter_frames, rgb
from eav_offline.models import EmotionModel, collate
from eav_offline.preprocess import Inputs, PreprocessSettings, prepare
from eav_offline.preprocess.face import FaceTracker, FrameThinner
from eav_offline.preprocess.mtcnn import (
    MTCNN_FACTOR,
    MTCNN_MIN_FACE,
    MTCNN_THRESHOLDS,
)

log = logging.getLogger(__name__)
COMPACT, PAPER = "compact", "paper"
SIZES = (COMPACT, PAPER)
PAPER_HOP = 1.0  # seconds, of the comparison with the plain way
_FIT_HOP = 1.5  # seconds between windows that heads are fitted to
FIT_FRAMES = 5  # pictures of each window that the heads are fitted to
LOGIT_SPREAD = 2.0  # over windows, of fused logits: confident, but not all alike
_COMPONENTS = 6  # along which windows differ most; noise is in the others
_RIDGE = 1e-2
_SUFFIXES = frozenset((".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"))
_LOOK_SECONDS = 0.5
_PATIENCE = 180.0  # seconds beyond the session's own time: to load, and a first compile
_PROGRAM = "import sys; from eav_live.cli import main; sys.exit(main())"


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


def random_checkpoint(config: Config | Path | None = None, seed: int = 0) -> Checkpoint:
    """Random encoders and AMBT of a configuration, by default the `paper` one.

    The heads say nothing yet: see `fit_heads`.
    """
    if not isinstance(config, Config):
        config = load_config(config or "paper")
    before = torch.random.get_rng_state()
    torch.manual_seed(seed)
    try:
        model = EmotionModel(config.model, MODALITIES, fusion=True)
    finally:
        torch.random.set_rng_state(before)
    settings = PreprocessSettings(face_size=config.model.video.side)
    meta = {"training": "none: random encoders, heads fitted to synthetic windows"}
    return Checkpoint(model.eval(), config, settings, demo=True, meta=meta)


@torch.inference_mode()
def fit_heads(
    model: EmotionModel, windows: Sequence[Inputs], emotion: np.ndarray
) -> None:
    """Fit all heads, those of the encoders and AMBT's, to tell `emotion` (n,).

    Ridge regression on the few directions in which the windows' features differ most.
    Then AMBT's heads are scaled so that fused logits have a deviation of
    `LOGIT_SPREAD` over the windows.
    """
    if model.ambt is None:
        raise ValueError("the model has no AMBT whose heads could be fitted")
    heads = {m: (model.by_modality[m].head, model.ambt.heads[m]) for m in MODALITIES}
    features: dict[str, tuple[list[Tensor], list[Tensor]]] = {
        m: ([], []) for m in MODALITIES
    }
    hooks = [
        head.register_forward_pre_hook(_collect(features[m][which]))
        for m in MODALITIES
        for which, head in enumerate(heads[m])
    ]
    try:
        for i, window in enumerate(windows):
            batch = collate([few_pictures(window)])
            states = model.states(batch)
            model.fused(states, batch.present, model.alone(states))
            log.info("Fitting heads: %d of %d windows", i + 1, len(windows))
    finally:
        for hook in hooks:
            hook.remove()
    fused = torch.zeros(len(windows), N_EMOTIONS)
    for m in MODALITIES:
        for which, head in enumerate(heads[m]):
            x = torch.stack(features[m][which])
            fit_linear(_linear(head), x, emotion)
            if which == 1:
                fused += _linear(head)(x) / len(MODALITIES)
    spread = float(fused.std(0).mean())
    for m in MODALITIES:
        linear = _linear(model.ambt.heads[m])
        linear.weight.mul_(LOGIT_SPREAD / spread)
        linear.bias.mul_(LOGIT_SPREAD / spread)


def fit_linear(linear: nn.Linear, x: Tensor, emotion: np.ndarray) -> None:
    """Fit a linear map to one-hot classes; x: (windows, features)."""
    mean = x.mean(0)
    _, size, ways = torch.linalg.svd(x - mean, full_matrices=False)
    kept = min(_COMPONENTS, int((size > 1e-4 * size[0]).sum()))
    ways = ways[:kept].T * (len(x) ** 0.5 / size[:kept])  # whitening, (features, kept)
    z = (x - mean) @ ways
    wanted = torch.eye(N_EMOTIONS)[torch.from_numpy(emotion)]
    wanted = wanted - wanted.mean(0)
    scores = torch.linalg.solve(
        z.T @ z + _RIDGE * len(x) * torch.eye(kept), z.T @ wanted
    )
    linear.weight.copy_((ways @ scores).T)
    linear.bias.copy_(-mean @ ways @ scores)


def spread_figures(fused: np.ndarray) -> dict[str, Any]:
    """How much fused probabilities (n, 5) differ between windows."""
    winners = np.bincount(fused.argmax(1), minlength=N_EMOTIONS) / max(1, len(fused))
    return {
        "windows": len(fused),
        "mean_deviation": float(fused.std(0).mean()),
        "mean_highest": float(fused.max(1).mean()),
        "winners": [round(float(share), 3) for share in winners],
    }


def few_pictures(window: Inputs) -> Inputs:
    """The window with every fifth of its pictures."""
    assert window.faces is not None
    step = max(1, len(window.faces) // FIT_FRAMES)
    return Inputs(window.eeg, window.log_mel, window.faces[::step], None)


def _collect(into: list[Tensor]) -> Any:
    def note(module: nn.Module, arguments: tuple[Tensor]) -> None:
        (x,) = arguments
        into.append(x.reshape(-1, x.shape[-1]).mean(0).clone())

    return note


def _linear(head: nn.Module) -> nn.Linear:
    linear = list(head.children())[-1]
    assert isinstance(linear, nn.Linear)
    return linear


def face_figures(clips: Sequence[Path]) -> dict[str, Any]:
    """Find faces in the kept frames of `clips` (files and folders), in both ways.

    The plain way is facenet-pytorch's MTCNN on each frame for itself, with the settings
    of the dataset's release. Returns frames found in by each, and by clip.
    Raises InputRefused if there is no clip, MediaError if one cannot be decoded.
    """
    files = [
        file
        for path in clips
        for file in (sorted(path.iterdir()) if path.is_dir() else [path])
        if file.suffix.lower() in _SUFFIXES
    ]
    if not files:
        raise InputRefused(
            f"--clips {' '.join(map(str, clips))}: no video there; files ending in "
            f"{' '.join(sorted(_SUFFIXES))} are looked for"
        )
    plain = MTCNN(
        min_face_size=MTCNN_MIN_FACE,
        thresholds=list(MTCNN_THRESHOLDS),
        factor=MTCNN_FACTOR,
        select_largest=True,
    )
    tracker = FaceTracker()
    tracker.update(np.zeros((480, 640, 3), np.uint8), 0.0)  # the first sets up much
    ours_s: list[float] = []
    plain_s: list[float] = []
    per_clip = {}
    for file in files:
        found = [0, 0]
        n, thinner = 0, FrameThinner()
        for at, frame in iter_frames(file):
            if not thinner.keep(at):
                continue
            if thinner.restarted:
                tracker.reset()
            image = rgb(frame)
            n += 1
            begun = time.perf_counter()
            found[0] += tracker.update(image, at).found
            between = time.perf_counter()
            found[1] += plain.detect(image)[0] is not None
            ours_s.append(between - begun)
            plain_s.append(time.perf_counter() - between)
        per_clip[file.name] = {"frames": n, "found": found[0], "found_plain": found[1]}
    return {
        "frames": len(ours_s),
        "found": sum(clip["found"] for clip in per_clip.values()),
        "found_plain": sum(clip["found_plain"] for clip in per_clip.values()),
        "frame_ms": percentiles(ours_s, 1e3),
        "frame_plain_ms": percentiles(plain_s, 1e3),
        "share_of_a_core": round(FRAME_RATE * float(np.mean(ours_s)), 4),
        "clips": per_clip,
    }


def run_live(arguments: Sequence[str], seconds: float) -> dict[str, Any]:
    """Run `eav-live --demo` with these options for so long, and measure it.

    Returns the figures of `live_figures`, and `first_prediction_s` from the command on,
    `cpu_share` (of all cores, from the first estimate on), `cpu_cores`, `memory_mb` (at
    the end) and `memory_highest_mb`. Raises RuntimeError if the program fails.
    """
    environment = dict(os.environ)
    environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(prefix="eav-bench-") as folder:
        timings, errors = Path(folder) / "timings.jsonl", Path(folder) / "stderr.txt"
        command = [sys.executable, "-c", _PROGRAM, "--demo", *arguments]
        # The first window needs five seconds, which are not of those asked for.
        command += ["--duration", str(seconds + 5.0), "--timings", str(timings)]
        command += ["--log", str(Path(folder) / "eav-live.log")]
        with errors.open("w", encoding="utf-8") as written:
            began = time.time()
            process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=written, env=environment
            )
            try:
                looks = _watch(process, began + seconds + _PATIENCE)
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.wait(10)
        said = errors.read_text(encoding="utf-8", errors="replace").strip()
        if process.returncode != 0 or not timings.exists():
            raise RuntimeError(
                f"{' '.join(command[3:])} ended with status {process.returncode}: "
                f"{said[-1000:] or 'it said nothing'}"
            )
        lines = [json.loads(line) for line in timings.read_text("utf-8").splitlines()]
    return {**live_figures(lines), **process_figures(lines, looks, began)}


def process_figures(
    lines: Sequence[dict[str, Any]],
    looks: Sequence[tuple[float, float, float]],
    began: float,
) -> dict[str, Any]:
    """Start-up, processor time and memory.

    looks: (time of day, seconds of processor time so far, resident bytes). began: time
    of day of the command.
    """
    first = next(
        m["wall"] for m in lines if m["what"] == MADE and m["fused"] is not None
    )
    after = [look for look in looks if look[0] >= first]
    cores = os.cpu_count() or 1
    figures: dict[str, Any] = {"first_prediction_s": round(first - began, 2)}
    if len(after) >= 2:
        used = (after[-1][1] - after[0][1]) / (after[-1][0] - after[0][0])
        figures |= {"cpu_share": round(used / cores, 4), "cpu_cores": round(used, 3)}
    if after:
        figures["memory_mb"] = round(after[-1][2] / 1e6)
        figures["memory_highest_mb"] = round(max(look[2] for look in after) / 1e6)
    return figures


def _watch(
    process: subprocess.Popen[bytes], deadline: float
) -> list[tuple[float, float, float]]:
    looks: list[tuple[float, float, float]] = []
    watched = psutil.Process(process.pid)
    while process.poll() is None and time.time() < deadline:
        try:
            with watched.oneshot():
                used, held = watched.cpu_times(), watched.memory_info().rss
        except psutil.Error:  # it ended just now
            break
        looks.append((time.time(), used.user + used.system, float(held)))
        try:
            process.wait(_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        log.error("eav-live did not end in time and is stopped")
    return looks
