"""The command `eav-offline report`."""

import argparse
import sys
from pathlib import Path

from eav_offline.commands.options import AddCommand


def register(add: AddCommand) -> None:
    """Add the commands of this module."""
    report = add("report", _report, "put runs on one page, with tables beside it")
    report.add_argument(
        "runs",
        nargs="+",
        type=Path,
        metavar="RUNS",
        help="folders of runs, or folders above them",
    )
    report.add_argument("--out", type=Path, required=True, metavar="report.html")


def _report(options: argparse.Namespace) -> int:
    from eav_offline.config import load_config
    from eav_offline.report import write_report

    sizes = {
        name: load_config(name).model.model_dump(mode="json")
        for name in ("compact", "paper")
    }
    written = write_report(options.runs, options.out, sizes)
    for path in (written.page, *written.tables):
        sys.stdout.write(f"{path}\n")
    return 0
