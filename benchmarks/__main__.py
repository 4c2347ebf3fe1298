"""`python -m benchmarks NAME`: every figure that docs/ quotes has its command here."""

import argparse
import logging
import sys
from collections.abc import Sequence

import benchmarks.live.commands
import benchmarks.offline.commands
from eav_offline.commands.options import adder


def main(argv: Sequence[str] | None = None) -> int:
    """Run one bench. Returns 0 if it passed, 1 if it failed, 2 if input was refused."""
    options = parser().parse_args(argv)
    from eav_offline.common.console import configure_logging, run

    configure_logging(options.verbose)
    level = logging.DEBUG if options.verbose else logging.INFO
    logging.getLogger("benchmarks").setLevel(level)
    return run(lambda: options.command(options))


def parser() -> argparse.ArgumentParser:
    """The benches by name, and their options."""
    top = argparse.ArgumentParser(
        prog="./dev bench",
        description="Measure the program on this computer.",
        epilog="Exit status: 0 passed, 1 failed, 2 input refused, 130 Ctrl-C.",
    )
    add = adder(top.add_subparsers(metavar="NAME", required=True))
    benchmarks.live.commands.register(add)
    benchmarks.offline.commands.register(add)
    return top


if __name__ == "__main__":
    sys.exit(main())
