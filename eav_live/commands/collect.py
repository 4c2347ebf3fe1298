"""`eav-live collect`: cued trials of one person, recorded for training."""

import argparse
import logging
import re
import shlex
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from eav_live.commands.options import (
    add_shared,
    add_stream_options,
    ask_for_consent,
    participant_screen,
    require_eeg_choice,
    session_options,
    whole,
)
from eav_offline.common.errors import InputRefused

if TYPE_CHECKING:
    from eav_live.collect.running import Collecting
    from eav_live.collect.script import LoadedScript
    from eav_live.options import SessionOptions
    from eav_live.recording.consent import Consent

log = logging.getLogger(__name__)

_MARKERS = "EAV-Live-Collect"
_LEAST = 2  # speaking trials of an emotion: one to train on, one to test


def parser() -> argparse.ArgumentParser:
    """The options of a collecting session."""
    options = argparse.ArgumentParser(
        prog="eav-live collect",
        description="Show cued listening and speaking trials, and record them.",
        epilog="Keys: space goes on and pauses, R does the trial again, S skips it, "
        "F11 full screen, Esc ends the session after asking. See assets/collect for "
        "scripts.",
    )
    options.add_argument(
        "script", type=Path, metavar="SCRIPT.toml", help="the trials and their cues"
    )
    add_stream_options(options)
    out = options.add_argument_group("recording")
    out.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="the recording is FOLDER/PERSON-DATE-TIME.xdf",
    )
    add_shared(out, "--person", "--consent", "--consent-by")
    out.add_argument(
        "--markers",
        metavar="NAME",
        default=_MARKERS,
        help=f"LSL stream of the trials' markers (default {_MARKERS}), or none",
    )
    how = options.add_argument_group("session")
    how.add_argument(
        "--seed",
        type=whole(0, 2**32 - 1),
        metavar="N",
        help="of the order, instead of the script's",
    )
    how.add_argument("--full-screen", action="store_true", help="as F11 does")
    add_shared(
        how, "--participant-screen", "--language", "--config", "--preset", "--log"
    )
    return options


def main(options: argparse.Namespace) -> int:
    """Run a session until its script is done or the operator ends it."""
    from eav_live.collect.script import load_script
    from eav_live.doctor.display import find_display
    from eav_live.logs.session_log import open_log_file
    from eav_offline.common.console import DONE, require_folder

    streams = session_options(options)
    require_eeg_choice(streams, "or --eeg-stream none")
    require_folder(options.out, f"--out {options.out}")
    loaded = load_script(options.script, options.seed)
    open_log_file(options.log)
    _, trouble = find_display()
    if trouble:
        raise InputRefused(f"{trouble}; cues are shown in a window: run on a desktop")
    minutes = loaded.seconds / 60
    log.info("%s: %d trials, %.0f min", loaded.path, len(loaded.plan), minutes)
    consent = ask_for_consent(options, streams)
    at = datetime.now().strftime("%Y%m%d-%H%M%S")
    path = options.out / f"{consent.person}-{at}.xdf"
    status, collecting = _run(options, streams, loaded, consent, path)
    course = collecting.course
    sys.stdout.write(
        f"{path}: {len(course.done)} of {len(course.plan)} trials, "
        f"{course.n_void} void attempts\n"
    )
    if status == DONE and course.done:
        spoken = Counter(
            trial.emotion
            for trial in course.plan
            if trial.number in course.done and trial.task == "speaking"
        )
        sys.stdout.write(_next_commands(streams, path, consent.person, spoken))
    return status


def _run(
    options: argparse.Namespace,
    streams: "SessionOptions",
    loaded: "LoadedScript",
    consent: "Consent",
    path: Path,
) -> "tuple[int, Collecting]":
    from eav_live.collect.running import Collecting
    from eav_live.outlets.publishing import MarkerOutlet
    from eav_live.recording.guard import guard_of
    from eav_live.recording.recorder import Recorder
    from eav_live.recording.verifying import verify_at_end
    from eav_live.session.opening import open_intake
    from eav_live.streams.loudspeaker import Loudspeaker
    from eav_live.ui.collecting import run_collect_window
    from eav_live.ui.window import begin_qt
    from eav_offline.common.console import FAILED

    media = {trial.media for trial in loaded.plan if trial.media is not None}
    player = Loudspeaker(media) if media else None
    intake = open_intake(streams)
    outlet = None if options.markers == "none" else MarkerOutlet(options.markers)
    settings = {"collect": loaded.as_json(), **streams.as_settings()}
    guard = guard_of(streams.config.must, intake, path)
    recorder = Recorder(path, consent, intake, settings, hold=guard is not None)
    marks = () if outlet is None else (outlet.mark,)
    with recorder:  # outlasts the streams, whose end it records
        intake.start()
        try:
            if guard is not None:
                guard.require(judge=intake.judge)
                recorder.start()
            collecting = Collecting(loaded, intake, recorder, player, marks)
            begin_qt(streams.config.window.language)
            status = run_collect_window(
                collecting,
                consent.person,
                full_screen=options.full_screen,
                screen=participant_screen(options, streams),
            )
        finally:
            intake.stop()
            if outlet is not None:
                outlet.close()
    verify_at_end(path)
    return (status if recorder.whole else FAILED), collecting


def _next_commands(
    streams: "SessionOptions", path: Path, person: str, spoken: Mapping[str, int]
) -> str:
    """From the recording to a model that runs live, to be copied.

    spoken: speaking trials of each emotion. With too few to train, what is lacking.
    """
    from eav_offline.core.labels import EMOTIONS

    folder = path.parent
    # P01 is subject 1, unless the code says something else.
    digits = re.search(r"0*([1-9]\d{0,3})$", person)
    subject = digits[1] if digits else "1"
    people, cache, run = folder / "people", folder / "cache", folder / "runs" / person
    live = ["eav-live", "--eeg-stream", streams.eeg_stream or "none"]
    for option, value, default in (
        ("--audio", streams.audio, "mic"),
        ("--video", streams.video, "camera"),
    ):
        live += [] if value == default else [option, value]
    few = [f"{spoken.get(e, 0)} of {e}" for e in EMOTIONS if spoken.get(e, 0) < _LEAST]
    more = ["ANOTHER.xdf"] if few else []
    commands = [
        ["eav-offline", "import", str(path), *more, "--out", str(people)]
        + ["--subject", subject],
        ["eav-offline", "prepare", str(people), "--out", str(cache)],
        ["eav-offline", "train", "--data", str(cache), "--subjects", subject]
        + ["--out", str(run)],
        [*live, "--model", str(run)],
    ]
    lines = [f"  {shlex.join(command)}" for command in commands]
    what = "From here to a model of this person:"
    if few:
        what = (
            f"Too little to train a model: that takes {_LEAST} speaking trials of each "
            f"emotion or more, here there are {', '.join(few)}.\nRecord another "
            "session of this person, and import both as one subject:"
        )
    return "\n".join(["", what, *lines, ""])
