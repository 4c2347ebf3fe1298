"""The command `eav-offline describe`: what the models of a configuration weigh."""

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from eav_offline.commands.options import (
    AddCommand,
    add_config,
    add_json,
)


def register(add: AddCommand) -> None:
    """Add the commands of this module."""
    describe = add("describe", _describe, "count a configuration's parameters")
    add_config(describe)
    add_json(describe)


def _describe(options: argparse.Namespace) -> int:
    from eav_offline.common.console import write_json
    from eav_offline.config import load_config
    from eav_offline.models.parameters import describe

    counts = describe(load_config(options.config))
    write_json(options.json, counts)
    if options.json != "-":
        _show(counts)
    return 0


def _show(counts: Mapping[str, Any]) -> None:
    _table("encoder", counts["encoders"])
    _table("AMBT", counts["ambt"])
    sys.stdout.write("encoders and AMBT\n")
    for variant, total in counts["total"].items():
        sys.stdout.write(f"  {variant:<15}{total:>14,}\n")
    sys.stdout.write(
        f"\ntrainable, with fusion by {counts['variant']:<12}of    share  epochs\n"
    )
    for stage in counts["stages"]:
        name = f"{stage['stage']}, {stage['phase']}"
        sys.stdout.write(
            f"  {name:<12}{stage['trainable']:>14,}{stage['of']:>14,}"
            f"{stage['share']:>9.3%}{stage['epochs']:>8}\n"
        )


def _table(title: str, columns: Mapping[str, Mapping[str, int]]) -> None:
    names = "".join(f"{name:>14}" for name in columns)
    sys.stdout.write(f"{title:<17}{names}\n")
    for part in next(iter(columns.values())):
        row = "".join(f"{counts[part]:>14,}" for counts in columns.values())
        sys.stdout.write(f"  {part:<15}{row}\n")
    sys.stdout.write("\n")
