"""`eav-live bench`: how quick a session is, and how it holds on faulty streams."""

import argparse
import sys
from typing import TYPE_CHECKING

from eav_live.commands import bench_speed
from eav_live.commands.stream_options import add_hop, checkpoint_file, number, whole

if TYPE_CHECKING:
    from eav_live.session import Session


def parser() -> argparse.ArgumentParser:
    """The options of the benches."""
    options = argparse.ArgumentParser(
        prog="eav-live bench",
        description="Measure a live session on this computer.",
        epilog="Without WHAT: speed. Exit status: 0 passed, 1 failed, 2 input refused, "
        "130 Ctrl-C.",
    )
    bench_speed.add_options(options)
    what = options.add_subparsers(dest="what", metavar="WHAT")
    speed = what.add_parser(
        "speed",
        help="time of a hop by stage, backends and caches, age of decisions (default)",
        description="Time every stage of a hop in several ways, then run the demo and "
        "watch it. See docs/benchmarks.md for what the figures mean.",
    )
    bench_speed.add_options(speed)
    soak = what.add_parser(
        "soak",
        help="random faults for minutes: windows, ages, memory, recoveries, clocks",
        description="Replay three streams, let them fail at random, and say how the "
        "session held. See docs/benchmarks.md for what the figures mean.",
    )
    soak.add_argument(
        "--minutes",
        type=number(1, 7 * 24 * 60, "minutes"),
        default=10.0,
        metavar="N",
        help="default 10",
    )
    soak.add_argument(
        "--seed",
        type=whole(0, 2**32 - 1),
        default=0,
        metavar="S",
        help="of the faults (default 0)",
    )
    soak.add_argument(
        "--model", metavar="RUN|FILE", type=checkpoint_file, help="default: the demo's"
    )
    add_hop(soak)
    soak.add_argument(
        "--json",
        metavar="PATH|-",
        nargs="?",
        const="-",
        help="write the figures as one JSON document (alone: to stdout)",
    )
    soak.add_argument("-v", "--verbose", action="store_true")
    return options


def main(options: argparse.Namespace) -> int:
    """Run the bench. Returns 0 if it passed, else 1."""
    if options.what != "soak":
        return bench_speed.main(options)
    from eav_live.demo import demo_subject, keep_lsl_on_this_computer

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
    from eav_live.commands import live
    from eav_live.opening import build_session
    from eav_live.options import LiveConfig

    arguments = ["--eeg-stream", name, "--hop", str(options.hop)]
    arguments += ["--audio", f"lsl:{name}-Audio", "--video", f"lsl:{name}-Video"]
    if options.model is not None:
        arguments += ["--model", str(options.model)]
    else:
        arguments += ["--demo"]  # only says that its model is meant
    return build_session(live.parser("").parse_args(arguments), LiveConfig())
