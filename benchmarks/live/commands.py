"""The benches of a live session: how quick it is, and how it holds under faults."""

import argparse
import sys
from typing import TYPE_CHECKING

from eav_live.commands.options import checkpoint_file, number, whole

if TYPE_CHECKING:
    from eav_live.session import Session
    from eav_offline.checkpoint import Checkpoint
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eav_live.commands.options import MOST_SECONDS
from eav_offline.commands.options import AddCommand, add_json
from eav_offline.common.errors import InputRefused

if TYPE_CHECKING:
    from eav_offline.checkpoint import Checkpoint


_SIZES = ("compact", "paper")
_HOPS = (0.5, 0.2)  # seconds, of the compact size


def register(add: AddCommand) -> None:
    """Add the benches of this module."""
    add_speed_options(
        add("live-speed", _speed, "time of a hop by stage, backends and caches")
    )
    soak = add("soak", _soak, "random faults for minutes: windows, ages, memory")
    soak.add_argument(
        "--minutes", type=float, default=10.0, metavar="N", help="default 10"
    )
    soak.add_argument(
        "--seed", type=int, default=0, metavar="S", help="of the faults (default 0)"
    )
    soak.add_argument("--model", metavar="FILE", type=Path, help="default: the demo's")
    soak.add_argument(
        "--hop", metavar="S", type=float, default=0.5, help="seconds between windows"
    )
    add_json(soak)


def _soak(options: argparse.Namespace) -> int:
    """Run the bench. Returns 0 if it passed, else 1."""
    from eav_live.demo import demo_subject, keep_lsl_on_this_computer

    if options.hop <= 0:
        raise InputRefused(f"--hop is {options.hop:g}; give seconds above zero")
    keep_lsl_on_this_computer()  # before anything imports pylsl
    from benchmarks.live.soak.figures import table
    from benchmarks.live.soak.run import bench_soak
    from eav_offline.common.console import DONE, FAILED, write_json

    figures = bench_soak(
        lambda name: _session(options, name),
        demo_subject(),
        options.minutes,
        options.seed,
    )
    write_json(options.json, figures)
    if options.json != "-":
        sys.stdout.write(table(figures))
    return DONE if figures["passed"] else FAILED


def _session(options: argparse.Namespace, name: str) -> "Session":
    """The session of `eav-live --eeg-stream NAME --audio ... --video ...`."""
    from eav_live.demo import asset
    from eav_live.opening import open_session

    return open_session(
        eeg_stream=name,
        audio=f"lsl:{name}-Audio",
        video=f"lsl:{name}-Video",
        hop=options.hop,
        model=options.model or asset("demo.safetensors"),
    )


def add_speed_options(options: argparse.ArgumentParser) -> None:
    """The options of the bench."""
    what = options.add_argument_group("what to measure")
    what.add_argument(
        "--model", metavar="RUN|FILE", type=checkpoint_file, help="default: the demo's"
    )
    what.add_argument(
        "--sizes", metavar="NAMES", default=",".join(_SIZES), help="compact,paper"
    )
    what.add_argument(
        "--backends", metavar="NAMES", help="such as eager,onnx (default: all)"
    )
    what.add_argument(
        "--hop",
        metavar="S,...",
        default=",".join(map(str, _HOPS)),
        help="of compact, seconds (default 0.5,0.2)",
    )
    what.add_argument(
        "--windows",
        metavar="N",
        type=whole(1, 100_000),
        default=100,
        help="of compact, each hop",
    )
    what.add_argument(
        "--paper-windows",
        metavar="N",
        type=whole(1, 100_000),
        default=100,
        help="default 100",
    )
    what.add_argument(
        "--threads",
        metavar="N",
        type=whole(1, 1024),
        help="of the stages (default: PyTorch's)",
    )
    what.add_argument(
        "--seed",
        metavar="S",
        type=whole(0, 2**32 - 1),
        default=0,
        help="of the paper size's weights",
    )
    live = options.add_argument_group("the running program")
    live.add_argument(
        "--seconds",
        metavar="S",
        type=number(0, MOST_SECONDS, "seconds"),
        default=60.0,
        help="of eav-live for each hop (default 60; 0: not at all)",
    )
    live.add_argument(
        "--live-sizes", metavar="NAMES", default="compact", help="default compact"
    )
    live.add_argument(
        "--live-paper-hop",
        metavar="S",
        type=number(0.02, 60, "seconds"),
        default=5.0,
        help="default 5",
    )
    live.add_argument(
        "--live-backend",
        metavar="NAME",
        help="--backend of eav-live (default: its own)",
    )
    real = options.add_argument_group("real recordings")
    real.add_argument("--eeg", metavar="FILE", type=Path, help="any MNE-readable file")
    real.add_argument("--media", metavar="FILE", type=Path, help="video with sound")
    real.add_argument(
        "--clips",
        metavar="FILE|DIR",
        type=Path,
        nargs="+",
        default=(),
        help="videos in which faces are counted",
    )
    out = options.add_argument_group("output")
    add_json(out)
    out.add_argument(
        "--chart", metavar="FILE", type=Path, help="one picture, .png or .html"
    )


def _speed(options: argparse.Namespace) -> int:
    """Measure, and say how the targets fared. Missing one is no failure."""
    from benchmarks.live.speed.report import check_chart, table, targets, write_chart

    settings = _settings(options)
    if (options.eeg is None) != (options.media is None):
        raise InputRefused("give --eeg and --media together")
    if options.chart is not None:
        check_chart(options.chart)
    from benchmarks.live.soak.figures import without_nan
    from eav_live.demo import asset, demo_subject, keep_lsl_on_this_computer

    keep_lsl_on_this_computer()  # before anything imports pylsl
    from benchmarks.live.speed import run as speed
    from benchmarks.live.speed.material import demo_material, recorded_material
    from benchmarks.live.speed.run import face_figures
    from eav_offline.common.console import DONE, write_json

    figures: dict[str, Any] = {"environment": speed.environment()}
    model = options.model or asset("demo.safetensors")
    live = [("compact", hop, _live_arguments(options)) for hop in settings.hops]
    if options.live_sizes == "paper":
        live = []
    with ExitStack() as stack:
        keep = None
        if "paper" in _names(options.live_sizes, "--live-sizes"):
            folder = stack.enter_context(_folder())

            def keep(checkpoint: "Checkpoint", backend: str | None) -> None:
                from eav_offline.checkpoint import save_checkpoint

                path = Path(folder) / "paper.safetensors"
                save_checkpoint(path, checkpoint)
                arguments = ["--model", str(path), *_live_arguments(options, False)]
                live.append(("paper", options.live_paper_hop, arguments))

        if settings.sizes:
            material = demo_material(demo_subject())
            figures |= speed.bench_stages(model, material, settings, keep_paper=keep)
            del material
        if options.eeg is not None:
            recorded = recorded_material(options.eeg, options.media)
            figures["recorded"] = speed.bench_recorded(model, recorded, settings)
        if options.clips:
            figures["faces"] = face_figures(options.clips)
        if options.seconds > 0:
            if options.live_backend is None:
                speed.settle_backend(model)
            figures["live"] = speed.bench_live(live, options.seconds)
    figures["sizes"] = speed.by_size(figures.get("runs", ()), figures.get("live", ()))
    figures["targets"] = targets(figures)
    figures = without_nan(figures)
    write_json(options.json, figures)
    if options.chart is not None:
        write_chart(options.chart, figures)
    if options.json != "-":
        sys.stdout.write(table(figures))
    return DONE


def _settings(options: argparse.Namespace) -> Any:
    from benchmarks.live.speed.run import SpeedOptions

    try:
        hops = tuple(float(text) for text in options.hop.split(","))
    except ValueError:
        hops = ()
    if not hops or not all(0.02 <= hop <= 60 for hop in hops):
        raise InputRefused(
            f"--hop {options.hop}: give seconds from 0.02 to 60, as 0.5,0.2"
        )
    return SpeedOptions(
        sizes=_names(options.sizes, "--sizes"),
        backends=options.backends.split(",") if options.backends else None,
        hops=hops,
        windows=options.windows,
        paper_windows=options.paper_windows,
        threads=options.threads,
        seed=options.seed,
    )


def _names(text: str, option: str) -> tuple[str, ...]:
    names = tuple(name for name in text.split(",") if name)
    for name in names:
        if name not in _SIZES:
            raise InputRefused(f"{option} {text}: give {' or '.join(_SIZES)}")
    return names


def _live_arguments(options: argparse.Namespace, model: bool = True) -> list[str]:
    arguments = []
    if model and options.model is not None:
        arguments += ["--model", str(options.model)]
    if options.live_backend is not None:
        arguments += ["--backend", options.live_backend]
    return arguments


def _folder() -> Any:
    import tempfile

    return tempfile.TemporaryDirectory(prefix="eav-bench-")
