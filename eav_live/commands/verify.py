"""`eav-live verify`: is a recording all there?"""

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eav_live.recording.recorded import Lane
    from eav_live.recording.verifying import Verification

log = logging.getLogger(__name__)

_ROW = "  {:<18} {:>10} {:>9} {:>9} {:>10} {:>10} {:>5} {:>8}  {}\n"
_HEAD = (
    *("stream", "samples", "from s", "to s", "Hz stated", "Hz found", "gaps"),
    *("gap s", "clock offset s"),
)


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="eav-live verify",
        description="Look whether a recording is all there: streams, gaps, rates, "
        "clocks, frames, markers, estimates, its end.",
        epilog="Exit status: 0 nothing is wrong, 1 a fault, each of which is named; 2 "
        "input refused; 130 Ctrl-C.",
    )
    options.add_argument(
        "recording",
        metavar="FILE.xdf|FOLDER",
        type=Path,
        help="a recording, or a folder with several",
    )
    options.add_argument(
        "--marker",
        metavar="NAME",
        action="append",
        default=[],
        help="a marker that must be there; may be given several times",
    )
    options.add_argument(
        "--json", metavar="PATH|-", help="write all that was found as one document"
    )
    return options


def main(options: argparse.Namespace) -> int:
    """Look at every recording. Returns 0 if nothing is wrong, else 1."""
    from eav_live.recording.verifying import recordings, verify
    from eav_offline.common.console import DONE, FAILED, existing, write_json

    found = []
    for path in recordings(existing(str(options.recording), "FILE.xdf")):
        found.append(verify(path, options.marker))
        if options.json != "-":
            _show(found[-1])
    n = sum(len(one.faults) for one in found)
    values = [one.as_json() for one in found]
    write_json(options.json, {"ok": n == 0, "faults": n, "recordings": values})
    return FAILED if n else DONE


def _show(found: "Verification") -> None:
    from eav_live.recording.verifying import in_short

    out = sys.stdout
    out.write(f"{found.path}: {found.seconds:.1f} s\n")
    out.write(_ROW.format(*_HEAD))
    for lane in found.lanes:
        out.write(_ROW.format(*_cells(lane)))
    for name, n in found.frames.items():
        out.write(f"  {name}: {n} frames\n")
    marked = in_short(f"{n} {name}" for name, n in found.markers.items())
    out.write(f"  markers: {marked}\n")
    out.write(f"  estimates: {found.n_estimates} in {found.windows} windows\n")
    for fault in found.faults:
        out.write(f"fault: {fault}\n")
    out.write(f"{found.summary}\n")
    out.flush()


def _cells(lane: "Lane") -> tuple[str, ...]:
    offsets = "not compared"
    if lane.offset_s is not None:
        offsets = "{:.4f} to {:.4f}".format(*lane.offset_s)
    return (
        lane.what[:18],
        str(lane.n),
        f"{lane.begin:.1f}",
        f"{lane.end:.1f}",
        "-" if lane.stated is None else f"{lane.stated:g}",
        "-" if lane.measured is None else f"{lane.measured:.2f}",
        str(lane.gaps),
        f"{lane.gap_s:.2f}",
        offsets,
    )
