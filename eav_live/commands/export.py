"""`eav-live export`: a recording's estimates as a table, for R, Excel and the like."""

import argparse
import sys
from pathlib import Path

from eav_offline.common.errors import InputRefused


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="eav-live export",
        description="Write what was estimated during a recording as CSV or Parquet, a "
        "row for each window: person, time, decision, 25 probabilities "
        "(docs/recording.md).",
        epilog="Exit status: 0 done, 2 input refused, 130 Ctrl-C.",
    )
    options.add_argument("recording", metavar="FILE.xdf", type=Path)
    options.add_argument(
        "--out", metavar="FILE.csv|FILE.parquet", type=Path, required=True
    )
    return options


def main(options: argparse.Namespace) -> int:
    """Read the recording and write the table."""
    from eav_offline.common.console import DONE, counted, existing, require_folder
    from eav_offline.data.sessions.estimates import write_csv, write_parquet
    from eav_offline.data.sessions.session import read_session

    out = options.out
    write = {".csv": write_csv, ".parquet": write_parquet}.get(out.suffix.lower())
    if write is None:
        raise InputRefused(
            f"--out {out}: a name ending in .csv or .parquet was expected; other "
            "formats are pandas's: eav_live.read_session(FILE).predictions()"
        )
    require_folder(out.parent, f"--out {out}")
    session = read_session(existing(str(options.recording), "FILE.xdf"))
    if not session.predictions:
        raise InputRefused(
            f"{options.recording} holds no estimates; give a recording of eav-live "
            "--record, or make some: eav-live repredict"
        )
    n = write(session, out)
    sys.stdout.write(f"{counted(n, 'window')} in {out}\n")
    return DONE
