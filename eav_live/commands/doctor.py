"""`eav-live doctor`: what works on this computer, and how to mend what does not."""

import argparse
import sys
from typing import TYPE_CHECKING

from eav_live.commands.options import (
    add_model,
    add_shared,
    add_stream_options,
    session_options,
)

if TYPE_CHECKING:
    from eav_live.doctor import Check

_COLORS = {"ok": "green", "warning": "yellow", "failure": "bold red"}
_INDENT = 9  # columns of the longest status and a space
_NAME_WIDTH = 14


def parser() -> argparse.ArgumentParser:
    """The options of the doctor: those of the session that is to be tried."""
    options = argparse.ArgumentParser(
        prog="eav-live doctor",
        description="Check LSL, streams, microphone, camera, model, speed, display.",
        epilog="Exit status: 0 no failure (warnings may be), 1 failure, 2 input "
        "refused. Give it the options that you give eav-live.",
    )
    add_stream_options(options)
    add_model(options)
    add_shared(options, "--hop", "--config", "--preset")
    options.add_argument(
        "--json", metavar="PATH|-", help="write all checks as one JSON document"
    )
    return options


def main(options: argparse.Namespace) -> int:
    """Make all checks. Returns 0 without a failure, else 1."""
    from eav_live.doctor import Status, examine
    from eav_offline.common.console import DONE, FAILED, write_json

    checks = []
    for check in examine(session_options(options)):
        checks.append(check)
        if options.json != "-":
            _show(check)
    failures = sum(check.status is Status.FAILURE for check in checks)
    warnings = sum(check.status is Status.WARNING for check in checks)
    if options.json != "-":
        counts = ((failures, "failure"), (warnings, "warning"))
        told = ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in counts)
        sys.stdout.write(f"{told}\n")
    write_json(
        options.json,
        {
            "ok": failures == 0,
            "failures": failures,
            "warnings": warnings,
            "checks": [check.as_json() for check in checks],
        },
    )
    return FAILED if failures else DONE


def _show(check: "Check") -> None:
    """One line, and the cure under it; folded and colored on a terminal only."""
    head = f"{check.status:<{_INDENT}}{check.name:<{_NAME_WIDTH}}"
    cure = f"-> {check.cure}" if check.cure else ""
    if not sys.stdout.isatty():
        sys.stdout.write(f"{head}{check.found}\n")
        if cure:
            sys.stdout.write(f"{'':<{_INDENT + _NAME_WIDTH}}{cure}\n")
        sys.stdout.flush()
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    row = Table.grid(padding=(0, 0))
    row.add_column(width=_INDENT)
    row.add_column(width=_NAME_WIDTH)
    row.add_column(overflow="fold")
    told = Text(check.found)
    if cure:
        told.append(f"\n{cure}", style="cyan")
    status = Text(str(check.status), style=_COLORS[check.status])
    row.add_row(status, Text(check.name, style="bold"), told)
    Console().print(row)
