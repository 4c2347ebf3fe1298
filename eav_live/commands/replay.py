"""`eav-replay`: a recorded subject, session or any recording, as LSL streams."""

import argparse
import sys
import threading
from pathlib import Path

from eav_live.commands.options import MOST_SECONDS, number
from eav_offline.common.errors import InputRefused


def parser() -> argparse.ArgumentParser:
    """The options of a replay."""
    options = argparse.ArgumentParser(
        prog="eav-replay",
        description="Publish a recorded subject, or any recording, as LSL streams.",
        epilog="Exit status: 0 done, 1 failed, 2 input refused, 130 Ctrl-C.",
    )
    options.add_argument(
        "subject",
        metavar="SUBJECT_DIR|FILE.xdf",
        nargs="?",
        type=Path,
        help="a subject in EAV layout, or a recording of eav-live --record",
    )
    options.add_argument(
        "--eeg", metavar="FILE", type=Path, help="any MNE-readable file"
    )
    options.add_argument(
        "--media", metavar="FILE", type=Path, help="any audio/video file"
    )
    options.add_argument(
        "--name",
        metavar="NAME",
        default="EAV-Replay",
        help="of the EEG stream; NAME-Audio and NAME-Video beside it "
        "(default: EAV-Replay)",
    )
    options.add_argument(
        "--task",
        choices=("speaking", "listening", "both"),
        default="speaking",
        help="which trials of a subject (default: speaking)",
    )
    options.add_argument("--loop", action="store_true", help="begin again at the end")
    options.add_argument(
        "--start",
        metavar="S",
        type=number(0, MOST_SECONDS, "seconds"),
        default=0.0,
        help="skip the first seconds",
    )
    options.add_argument(
        "--until-stdin-closes", action="store_true", help=argparse.SUPPRESS
    )
    return options


def main(options: argparse.Namespace) -> int:
    """Publish until the end of the recording, or until interrupted."""
    if options.subject is None and options.eeg is None and options.media is None:
        raise InputRefused(
            "nothing to replay; give a SUBJECT_DIR in EAV layout, a FILE.xdf of "
            "eav-live --record, or --eeg FILE and/or --media FILE"
        )
    if options.subject is not None and (options.eeg or options.media):
        raise InputRefused("give either a SUBJECT_DIR or --eeg/--media, not both")
    stop = threading.Event()
    if options.until_stdin_closes:
        threading.Thread(target=_stop_with_parent, args=(stop,), daemon=True).start()
    try:
        _publish(options, stop)
    finally:
        stop.set()
    return 0


def _publish(options: argparse.Namespace, stop: threading.Event) -> None:
    from eav_live.replay.files import files_playlist
    from eav_live.replay.replay import Replay, replay_subject
    from eav_live.replay.session import SessionReplay
    from eav_offline.common.console import existing
    from eav_offline.data.sessions.session import read_session

    name, loop, start = options.name, options.loop, options.start
    if options.subject is None:
        files = files_playlist(options.eeg, options.media, loop)
        Replay(files, name, start=start).run(stop)
    elif options.subject.is_file():
        SessionReplay(read_session(options.subject), name).run(stop, loop, start)
    else:
        subject = existing(str(options.subject), "SUBJECT_DIR|FILE.xdf")
        replay_subject(
            subject, name, task=options.task, loop=loop, start=start, stop=stop
        )


def _stop_with_parent(stop: threading.Event) -> None:
    """The demo holds the other end of stdin: it closes however the demo ends."""
    sys.stdin.buffer.read()
    stop.set()
