"""`eav-live forget`: delete a person's recordings, caches and models, after asking."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from eav_offline.common.errors import InputRefused

if TYPE_CHECKING:
    from eav_live.recording.forgetting import Trace


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="eav-live forget",
        description="Delete everything that was made of a person: recordings, imported "
        "subjects, prepared windows, models trained on this person alone, what "
        "--json and --timings wrote while this person was recorded, decision logs, and "
        "all that eav-live calibrate keeps in the user's folder and elsewhere.",
        epilog="Exit status: 0 deleted, 1 nothing found or not all deleted, 2 input "
        "refused, 130 Ctrl-C. Copies and backups elsewhere are not found.",
    )
    options.add_argument("person", metavar="PERSON", help="the code, such as P01")
    options.add_argument(
        "--in",
        dest="folder",
        metavar="FOLDER",
        type=Path,
        help="look here, beside what is kept in the user's folder",
    )
    options.add_argument(
        "--shared", action="store_true", help="models trained on others as well, too"
    )
    options.add_argument("--yes", action="store_true", help="do not ask")
    return options


def main(options: argparse.Namespace) -> int:
    """List what there is, ask, delete."""
    from eav_live.logs.decisions import decisions_folder
    from eav_live.recognition.people import people_folder
    from eav_live.recording.forgetting import (
        CALIBRATIONS,
        MODEL,
        delete,
        exports_of,
        of_calibrations,
        traces,
        traces_of,
    )
    from eav_offline.common.console import DONE, FAILED

    folder = options.folder
    if folder is not None and not folder.is_dir():
        raise InputRefused(f"--in {folder} is not a folder")
    found = traces_of(options.person, decisions_folder())
    if folder is not None:
        logs = {trace.path.resolve() for trace in found}
        there = traces_of(options.person, folder)
        found += [trace for trace in there if trace.path.resolve() not in logs]
    calibrations = of_calibrations(options.person)
    # What says where the others lie comes last, and nothing twice.
    found = [t for t in found if t.path not in {one.path for one in calibrations}]
    found += calibrations
    models = [t for t in found if t.what in (MODEL, CALIBRATIONS)]
    found = exports_of(models) + found
    kept = [t for t in found if t.others and not options.shared]
    doomed = [t for t in found if t not in kept]
    if not found:
        where = folder or people_folder()
        people = sorted({person for person, _ in traces(where)})
        sys.stdout.write(
            f"Nothing of {options.person} was found in {where}; it holds "
            f"recordings of {', '.join(people) or 'nobody'}\n"
        )
        return FAILED
    sys.stdout.write("".join(f"{_line(trace)}\n" for trace in doomed))
    for trace in kept:
        sys.stdout.write(f"{_line(trace)}: kept, unless --shared is given\n")
    sys.stdout.flush()
    if not doomed:
        return DONE
    if not options.yes:
        _ask(options.person, len(doomed))
    failed = 0
    for trace in doomed:
        if failed and trace.what == CALIBRATIONS:
            failed += 1  # it says where those lie that are still there
            continue
        try:
            delete(trace)
        except OSError as error:
            failed += 1
            sys.stderr.write(f"error: {trace.path} was not deleted: {error}\n")
    sys.stdout.write(f"{len(doomed) - failed} of {len(doomed)} deleted\n")
    return FAILED if failed else DONE


def _line(trace: "Trace") -> str:
    others = f", also of {', '.join(trace.others)}" if trace.others else ""
    return f"{trace.what}: {trace.path}{others}"


def _ask(person: str, n: int) -> None:
    """Raise InputRefused unless whoever is at the terminal types the code again."""
    if not sys.stdin.isatty():
        raise InputRefused("nothing was deleted: nobody is there to ask; give --yes")
    sys.stderr.write(f"Delete these {n} for good? Type {person} to do so: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != person:
        raise InputRefused("nothing was deleted")
