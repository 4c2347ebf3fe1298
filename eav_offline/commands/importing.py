"""Commands that take in what others made: import, import-features."""

import argparse
import sys
from pathlib import Path

from eav_offline.commands.options import (
    AddCommand,
    add_json,
    add_subjects,
    folder,
    numbers,
    output_folder,
)
from eav_offline.common.errors import InputRefused


def register(add: AddCommand) -> None:
    """Add the commands of this module."""
    command = add(
        "import", _import, "make a subject in EAV layout of recorded sessions"
    )
    command.add_argument("recordings", type=Path, nargs="+", metavar="FILE.xdf")
    command.add_argument("--out", type=Path, required=True, metavar="ROOT")
    command.add_argument("--subject", type=int, required=True, metavar="N")
    add_json(command)

    features = add(
        "import-features",
        _import_features,
        "cache the features that EAV's authors released (subject_XX_eeg.pkl, ...); "
        "models of them cannot run live",
    )
    features.add_argument("folder", type=Path, metavar="DIR")
    features.add_argument("--out", type=Path, required=True, metavar="CACHE")
    add_subjects(features)
    add_json(features)


def _import(options: argparse.Namespace) -> int:
    from eav_offline.common.console import counted, existing, write_json
    from eav_offline.data.sessions.importing import import_sessions

    if not 1 <= options.subject <= 9999:
        raise InputRefused(f"--subject is {options.subject}; give a number from 1")
    recordings = [existing(str(path), "FILE.xdf") for path in options.recordings]
    summary = import_sessions(recordings, output_folder(options.out), options.subject)
    write_json(options.json, summary.as_json())
    if options.json != "-":
        lines = [f"{counted(len(summary.trials), 'trial')} in {summary.folder}"]
        lines += [f"{k} left out: {why}" for k, why in summary.left_out.items()]
        lines += [f"{k} lacks {what}" for k, what in summary.without.items()]
        sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _import_features(options: argparse.Namespace) -> int:
    from eav_offline.common.console import FAILED, ProgressBar, write_json
    from eav_offline.data.eav.released import import_features

    with ProgressBar("Importing") as progress:
        summary = import_features(
            folder(options.folder),
            output_folder(options.out),
            numbers(options.subjects),
            progress,
        )
    write_json(options.json, summary.as_json())
    if options.json != "-":
        sys.stdout.write(f"{summary}\n")
        if summary.usable:
            sys.stdout.write(
                f"The released split: eav-offline train --data {options.out} "
                "--protocol within --train-windows 56 (40 for files with 40 and 40 a "
                "class)\n"
            )
    return FAILED if summary.failed else 0
