"""`eav-live review`: a recording or subject, in the dashboard's panels or on a page."""

import argparse
import logging
import sys
from pathlib import Path

from eav_live.commands.options import add_shared, checkpoint_file
from eav_offline.common.errors import InputRefused

log = logging.getLogger(__name__)


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="eav-live review",
        description="Look at a recording again: play it with sound, step to losses, "
        "marks and disagreements, take notes, recognize it anew. The key ? lists the "
        "keys. Notes are saved in FILE.annotations.json beside the recording, which is "
        "never changed.",
        epilog="Exit status: 0 done, 1 something broke down, 2 input refused, 130 "
        "Ctrl-C.",
    )
    options.add_argument(
        "recording",
        metavar="FILE.xdf|SUBJECT_DIR",
        type=Path,
        help="a recording of eav-live --record or the folder of one, or a subject in "
        "EAV layout",
    )
    options.add_argument(
        "--model",
        metavar="RUN|FILE",
        type=checkpoint_file,
        help="offered at first to recognize anew by (default: the embedded model); "
        "where nothing was recognized it begins at once",
    )
    options.add_argument(
        "--summary",
        metavar="FILE.html",
        type=Path,
        help="write the session on one page, and open no window",
    )
    options.add_argument("--silent", action="store_true", help="play no sound")
    add_shared(options, "--language")
    return options


def main(options: argparse.Namespace) -> int:
    """Write the page, or show the window."""
    from eav_offline.common.console import existing

    path = existing(str(options.recording), "FILE.xdf|SUBJECT_DIR")
    if options.summary is not None:
        return _summarize(path, options.summary)
    if options.model is not None and not options.model.is_file():
        raise InputRefused(f"--model {options.model}: there is no such checkpoint")
    from eav_live.doctor.display import lacks_display

    if lacks_display():
        raise InputRefused(
            "There is no screen to review on. Run on a desktop or under xvfb-run, or "
            "give --summary FILE.html, which needs none"
        )
    from eav_live.ui.program import run_program
    from eav_live.ui.tasks import ReviewTask
    from eav_live.ui.window import begin_qt

    begin_qt(options.language)
    return run_program(ReviewTask(path, options.model, options.silent))


def _summarize(path: Path, summary: Path) -> int:
    from eav_live.review.reader import SessionReader, find_recording
    from eav_live.review.summary import write_summary
    from eav_offline.common.console import DONE

    path = find_recording(path)
    log.info("Reading %s, which takes a while: about five minutes an hour", path)
    with SessionReader(path) as reader:
        write_summary(reader, summary)
    sys.stdout.write(f"{summary}\n")
    return DONE
