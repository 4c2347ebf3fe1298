"""`eav-live review`: a recording in the dashboard's panels, or on one page."""

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from eav_live.commands.options import checkpoint_file
from eav_offline.common.errors import InputRefused, SourceRefused

if TYPE_CHECKING:
    from eav_live.streams.loudspeaker import RecordedSound

log = logging.getLogger(__name__)


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
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
        metavar="FILE.xdf",
        type=Path,
        help="a recording of eav-live --record, or the folder of one",
    )
    options.add_argument(
        "--model",
        metavar="RUN|FILE",
        type=checkpoint_file,
        help="offered at first to recognize anew by (default: the embedded model)",
    )
    options.add_argument(
        "--summary",
        metavar="FILE.html",
        type=Path,
        help="write the session on one page, and open no window",
    )
    options.add_argument("--silent", action="store_true", help="play no sound")
    return options


def main(options: argparse.Namespace) -> int:
    """Write the page, or show the window."""
    from eav_live.review.reader import SessionReader, find_recording
    from eav_offline.common.console import DONE, existing

    path = find_recording(existing(str(options.recording), "FILE.xdf"))
    if options.summary is None:
        from eav_live.ui.window import require_display

        require_display()
    log.info("Reading %s, which takes a while: about five minutes an hour", path)
    with SessionReader(path) as reader:
        if options.summary is not None:
            from eav_live.review.summary import write_summary

            write_summary(reader, options.summary)
            sys.stdout.write(f"{options.summary}\n")
            return DONE
        from eav_live.commands.repredict import embedded_model
        from eav_live.ui.reviewing import run_review

        model = options.model or embedded_model(reader.session.settings)
        if not model.is_file():
            raise InputRefused(f"--model {model}: there is no such checkpoint")
        return run_review(reader, model, _loudspeaker(options.silent))


def _loudspeaker(silent: bool) -> "RecordedSound | None":
    from eav_live.streams.loudspeaker import RecordedSound

    if silent:
        return None
    try:
        return RecordedSound()
    except SourceRefused as error:
        log.warning("The recording plays in silence: %s", error)
        return None
