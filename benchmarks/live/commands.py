"""The benches of a live session: how quick it is, how it holds, what it hears."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eav_live.commands.options import MOST_SECONDS, checkpoint_file, number, whole
from eav_offline.commands.options import AddCommand, add_json
from eav_offline.common.errors import InputRefused

if TYPE_CHECKING:
    from eav_live.session.inference import Session

_SIZES = ("compact", "paper")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def _sizes(text: str) -> tuple[str, ...]:
    names = _names(text)
    if not set(names) <= set(_SIZES):
        raise argparse.ArgumentTypeError(f"{text}: give {' or '.join(_SIZES)}")
    return names


def _hops(text: str) -> tuple[float, ...]:
    return tuple(map(number(0.02, 60, "seconds"), text.split(",")))


# Of live-speed: group -> flag, metavar, how it is read, default, help.
_SPEED = {
    "what to measure": (
        ("--model", "RUN|FILE", checkpoint_file, None, "default: the demo's"),
        ("--sizes", "NAMES", _sizes, "compact,paper", "default: both"),
        ("--backends", "NAMES", _names, None, "such as eager,onnx (default: all)"),
        ("--hop", "S,...", _hops, "0.5,0.2", "of compact, seconds (default 0.5,0.2)"),
        ("--windows", "N", whole(1, 100_000), 100, "of compact, each hop"),
        ("--paper-windows", "N", whole(1, 100_000), 100, "default 100"),
        ("--threads", "N", whole(1, 1024), None, "of stages (default: PyTorch's)"),
        ("--seed", "S", whole(0, 2**32 - 1), 0, "of the paper size's weights"),
    ),
    "the running program": (
        (
            *("--seconds", "S", number(0, MOST_SECONDS, "seconds"), 60.0),
            "of eav-live for each hop (default 60; 0: not at all)",
        ),
        ("--live-sizes", "NAMES", _sizes, "compact", "default compact"),
        ("--live-paper-hop", "S", number(0.02, 60, "seconds"), 5.0, "default 5"),
        ("--live-backend", "NAME", str, None, "--backend of eav-live"),
    ),
    "real recordings": (
        ("--eeg", "FILE", Path, None, "any MNE-readable file"),
        ("--media", "FILE", Path, None, "video with sound"),
    ),
    "output": (("--chart", "FILE", Path, None, "one picture, .png or .html"),),
}


def register(add: AddCommand) -> None:
    speed = add("live-speed", _speed, "time of a hop by stage, backends and caches")
    for title, options in _SPEED.items():
        group = speed.add_argument_group(title)
        for flag, metavar, read, default, text in options:
            group.add_argument(
                flag, metavar=metavar, type=read, default=default, help=text
            )
    speed.add_argument(
        "--all-panels",
        action="store_true",
        help="once more with every panel open, recording and publishing",
    )
    speed.add_argument(
        "--clips",
        metavar="FILE|DIR",
        type=Path,
        nargs="+",
        default=(),
        help="videos in which faces are counted",
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
    soak.add_argument(
        "--simulated",
        action="store_true",
        help="no faults and no waiting: time passes as quickly as the computer follows",
    )
    heard = add(
        "speech-activity", _speech_activity, "speech missed, and what is taken for it"
    )
    for bench in (speed, soak, heard):
        add_json(bench)


def _soak(options: argparse.Namespace) -> int:
    """Run the bench. Returns 0 if it passed, else 1."""
    from eav_live.recognition.assets import asset
    from eav_live.replay.demo import demo_subject, keep_lsl_on_this_computer

    if options.hop <= 0:
        raise InputRefused(f"--hop is {options.hop:g}; give seconds above zero")
    keep_lsl_on_this_computer()  # before anything imports pylsl
    if options.simulated:
        return _simulated_soak(options)
    from benchmarks.live.soak.figures import table
    from benchmarks.live.soak.run import bench_soak
    from benchmarks.measure import answer
    from eav_live.session.opening import open_session

    def session(name: str) -> "Session":
        return open_session(
            eeg_stream=name,
            audio=f"lsl:{name}-Audio",
            video=f"lsl:{name}-Video",
            hop=options.hop,
            model=options.model or asset("demo.safetensors"),
        )

    def bench() -> dict:
        return bench_soak(session, demo_subject(), options.minutes, options.seed)

    return answer(options, bench, table)


def _simulated_soak(options: argparse.Namespace) -> int:
    from benchmarks.live.soak import simulated
    from benchmarks.measure import answer

    def bench() -> dict:
        return simulated.bench_simulated(options.minutes, options.hop)

    return answer(options, bench, simulated.table)


def _speech_activity(options: argparse.Namespace) -> int:
    from benchmarks.live.speech_activity import bench_speech_activity, table
    from benchmarks.measure import answer

    return answer(options, bench_speech_activity, table)


def _speed(options: argparse.Namespace) -> int:
    """Measure, and say how the targets fared. Missing one is no failure."""
    from eav_live.replay.demo import keep_lsl_on_this_computer

    if (options.eeg is None) != (options.media is None):
        raise InputRefused("give --eeg and --media together")
    keep_lsl_on_this_computer()  # before anything imports pylsl
    from benchmarks.live.speed.report import check_chart, table, write_chart
    from benchmarks.live.speed.run import SpeedOptions, bench_speed
    from benchmarks.measure import answer

    if options.chart is not None:
        check_chart(options.chart)
    asked = SpeedOptions(
        model=options.model,
        sizes=options.sizes,
        backends=options.backends,
        hops=options.hop,
        windows=options.windows,
        paper_windows=options.paper_windows,
        threads=options.threads,
        seed=options.seed,
        seconds=options.seconds,
        live_sizes=options.live_sizes,
        live_paper_hop=options.live_paper_hop,
        live_backend=options.live_backend,
        all_panels=options.all_panels,
        recorded=None if options.eeg is None else (options.eeg, options.media),
        clips=options.clips,
    )

    def lines(figures: Mapping[str, Any]) -> list[str]:
        if options.chart is not None:
            write_chart(options.chart, figures)
        return table(figures)

    return answer(options, lambda: bench_speed(asked), lines, passed=None)
