"""The command `eav-offline`: from the dataset to a checkpoint and its figures."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import eav_offline
from eav_offline.commands import adapting, data, experts, report, training, zero_shot
from eav_offline.commands.options import adder
from eav_offline.common.files import output_file


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `eav-offline`."""
    options = parser().parse_args(argv)
    from eav_offline.common.console import configure_logging, run

    configure_logging(options.verbose)
    return run(lambda: _command(options))


def _command(options: argparse.Namespace) -> int:
    target = Path(vars(options).get("json") or "-")
    if str(target) != "-" and (target.is_dir() or not target.exists()):
        output_file(target)  # before the work and not after it
    done: int = options.command(options)
    return done


def parser() -> argparse.ArgumentParser:
    """The commands by name, and their options."""
    top = argparse.ArgumentParser(
        prog="eav-offline",
        description="Train and evaluate emotion models on the EAV dataset.",
        epilog="Exit status: 0 done, 1 failed (or faults found), 2 input refused, "
        "130 Ctrl-C.",
    )
    top.add_argument("--version", action=_Version, help="say it and end")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for group in (data, training, adapting, experts, zero_shot, report):
        group.register(adder(commands))
    return top


class _Version(argparse.Action):
    """Looks the version up when it is asked for: `--help` need not wait for it."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:  # noqa: A002
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        sys.stdout.write(f"eav-offline {eav_offline.__version__}\n")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
