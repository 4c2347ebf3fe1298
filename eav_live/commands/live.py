"""`eav-live`: one session, in a window or in the terminal."""

import argparse
import logging
import os
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from eav_live.commands.options import (
    MOST_SECONDS,
    add_model,
    add_shared,
    add_stream_options,
    ask_for_consent,
    number,
    participant_screen,
    read,
    require_eeg_choice,
    session_options,
)
from eav_live.options import SMOOTHING, SessionOptions
from eav_offline.common.errors import InputRefused
from eav_offline.core.model_names import COVERAGES, FUSINGS

if TYPE_CHECKING:
    from eav_live.control.server import Address
    from eav_live.logs.lines import Lines
    from eav_live.recording.consent import Consent
    from eav_live.recording.guard import Guard
    from eav_live.running import Running
    from eav_live.session.inference import Session
    from eav_live.ui.tasks import LiveTask

log = logging.getLogger(__name__)
_POLL_SECONDS = 0.1


def parser(epilog: str) -> argparse.ArgumentParser:
    """The options of a session."""
    options = argparse.ArgumentParser(
        prog="eav-live",
        description="Recognize emotion live from EEG, voice and face.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=epilog,
    )
    options.add_argument("--version", action="store_true", help="say it and exit")
    what = add_stream_options(options)
    what.add_argument(
        "--demo",
        action="store_true",
        default=None,
        help="replay an embedded synthetic person",
    )
    how = options.add_argument_group("recognition")
    add_model(how)
    for sense in ("voice", "face"):
        how.add_argument(
            f"--{sense}-dimensions",
            metavar="ID|DIR",
            help=f"a published model of the {sense} that estimates arousal, dominance "
            "or valence, shown beside the emotions, which do not depend on it "
            "(docs/experts.md)",
        )
    add_shared(how, "--hop")
    how.add_argument(
        "--smoothing",
        metavar="S",
        type=partial(read, float, SMOOTHING),
        help="time constant of the smoothing, seconds; 0 switches it off (default 1.5)",
    )
    how.add_argument(
        "--coverage",
        type=float,
        choices=COVERAGES,
        help="how often the set of emotions is to hold the true one, where the "
        "model is calibrated; a higher one leaves more undecided (default 0.9)",
    )
    how.add_argument(
        "--backend",
        metavar="NAME",
        help="what computes the model: auto (default, the fastest that answers as "
        "eager does), eager, bf16, int8, onnx, onnx-int8, compile, cuda, mps; "
        "docs/backends.md has more",
    )
    how.add_argument(
        "--fuse",
        choices=FUSINGS,
        help="fuse by the exchange of AMBT, or by the plain or calibrated mean of the "
        "encoders' probabilities (default: what was best on validation trials)",
    )
    how.add_argument(
        "--adapt",
        action="store_true",
        default=None,
        help="adapt to the person without labels, from the first minutes on",
    )
    add_shared(how, "--config", "--preset")
    how.add_argument(
        "--save-preset",
        metavar="NAME",
        help="keep these options under a name for --preset, and exit",
    )
    out = options.add_argument_group("output")
    out.add_argument("--headless", action="store_true", help="no window")
    out.add_argument(
        "--json", metavar="PATH|-", help="write one JSON object a prediction"
    )
    out.add_argument(
        "--duration",
        metavar="S",
        type=number(0.1, MOST_SECONDS, "seconds"),
        help="stop S seconds after the first stream is live",
    )
    out.add_argument(
        "--screenshot", metavar="PNG", type=Path, help="save the window on closing"
    )
    out.add_argument(
        "--size",
        metavar="WxH",
        type=_size,
        help="of the window, pixels (default: as it was the last time, or 1280x800)",
    )
    add_shared(out, "--participant-screen", "--language")
    out.add_argument(
        "--publish",
        metavar="NAME",
        help="offer estimates as the LSL streams NAME and NAME-Decisions, which every "
        "computer of the local network can read (default: not)",
    )
    add_shared(out, "--log")
    out.add_argument(
        "--timings",
        metavar="FILE",
        type=Path,
        help="note when each estimate was made and painted, one JSON object a line",
    )
    group = options.add_argument_group("recording")
    group.add_argument(
        "--record",
        metavar="FILE.xdf",
        type=Path,
        help="write everything that comes in and goes out; never overwrites",
    )
    add_shared(group, "--consent", "--person", "--consent-by")
    remote = options.add_argument_group("remote control")
    remote.add_argument(
        "--control",
        metavar="ADDRESS:PORT",
        help="let programs that connect there, as to 127.0.0.1:22345, start and stop "
        "the recording, mark and ask; it waits for them to start it (default: not)",
    )
    remote.add_argument(
        "--control-token",
        metavar="FILE",
        type=Path,
        help="with a secret that they say first; needed where others can connect",
    )
    return options


def main(options: argparse.Namespace) -> int:
    """Run a session until its window is closed or its time is over."""
    from importlib.metadata import version

    from eav_live.logs.session_log import open_log_file

    if options.version:
        sys.stdout.write(f"eav-live {version('eav-live')}\n")
        return 0
    streams = session_options(options)
    if options.save_preset is not None:
        return _save_preset(options.save_preset, streams)
    streams = _decided(streams)
    open_log_file(options.log)
    if _asks_for_nothing(options) and _somebody_looks():
        return _offer(options)
    return _run_session(options, streams)


def _save_preset(name: str, streams: SessionOptions) -> int:
    from eav_live.options.presets import save_preset
    from eav_offline.common.console import DONE

    path = save_preset(name, streams)
    sys.stdout.write(f"{path}\neav-live --preset {name} starts a session with it\n")
    return DONE


def _run_session(options: argparse.Namespace, streams: SessionOptions) -> int:
    from eav_live.running import Outputs, Running
    from eav_offline.common.console import INTERRUPTED, open_json

    control = _control_address(options)
    consent = consent_for(options, streams)
    if consent is not None:
        streams = replace(streams, person=consent.person)
    headless = options.headless or not _has_display(options.screenshot is not None)
    screen = participant_screen(options, streams)
    if headless and screen is not None:
        raise InputRefused(
            "--participant-screen needs a window; leave out --headless, start it on a "
            "desktop, or give --participant-screen none"
        )

    def asked() -> Running:
        outputs = Outputs(
            json=None if options.json is None else open_json(options.json),
            text=sys.stdout if headless else None,
            publish=options.publish,
            timings=options.timings,
            record=options.record,
            control=control,
        )
        return Running(streams, outputs, consent, informs=screen is not None)

    if not headless:
        return _show(options, streams, asked)
    running = asked()
    running.open()
    try:
        log.info("%s", running.session.model_line)
        status = _wait(running.session, options.duration, running.lines, running.guard)
    except KeyboardInterrupt:
        log.info("Interrupted")
        status = INTERRUPTED
    finally:
        running.close()
    return running.outcome(status)


def _show(
    options: argparse.Namespace, streams: SessionOptions, asked: Callable[[], "Running"]
) -> int:
    """The session in a window, which stands before it is open.

    asked: makes it, with all that is to come out of it. If it is refused, another may
    be chosen, of which nothing comes out but what is shown.
    """
    from eav_live.ui import theme
    from eav_live.ui.program import run_program
    from eav_live.ui.tasks import LiveTask
    from eav_live.ui.window import begin_qt

    def live(chosen: SessionOptions) -> LiveTask:
        if chosen != streams:
            log.warning("Of what is chosen now nothing is recorded, written or sent")
            return _chosen(options, chosen)
        screen = participant_screen(options, streams)
        return LiveTask(asked(), options.duration, options.screenshot, screen)

    begin_qt(streams.config.window.language)
    size = options.size
    if size is None and options.screenshot is not None:
        size = theme.BASE_WIDTH, theme.BASE_HEIGHT  # the same picture everywhere
    attended = options.duration is None
    return run_program(live(streams), live, size=size, attended=attended)


def _control_address(
    options: argparse.Namespace,
) -> "tuple[Address, str | None] | None":
    """Where --control is to listen, and for which token. Raises InputRefused."""
    if options.control is None:
        if options.control_token is not None:
            raise InputRefused("--control-token is for --control ADDRESS:PORT; give it")
        return None
    from eav_live.control.server import read_address, read_token

    address = read_address(options.control)
    return address, read_token(options.control_token, address)


def _offer(options: argparse.Namespace) -> int:
    """The page on which it is chosen what to do."""
    from eav_live.ui.program import run_program
    from eav_live.ui.window import begin_qt

    begin_qt(options.language)
    return run_program(None, partial(_chosen, options), size=options.size)


def _chosen(options: argparse.Namespace, streams: SessionOptions) -> "LiveTask":
    """A session that was chosen in the window. Raises InputRefused."""
    from eav_live.running import Outputs, Running
    from eav_live.ui.tasks import LiveTask

    streams = _decided(streams)
    screen = participant_screen(options, streams)
    running = Running(streams, Outputs(), informs=screen is not None)
    return LiveTask(running, screen=screen)


def _asks_for_nothing(options: argparse.Namespace) -> bool:
    """Whether no option says what to do, so that somebody at the window has to."""
    told = ("size", "language", "log", "verbose")  # how, not what
    usual = vars(parser("").parse_args([]))
    return all(usual[n] == v for n, v in vars(options).items() if n not in told)


def _decided(streams: SessionOptions) -> SessionOptions:
    """The streams, with none for EEG where none is needed. Raises InputRefused."""
    from eav_live.replay.demo import keep_lsl_on_this_computer

    streams = streams.with_eeg_decided()
    require_eeg_choice(streams, "--eeg-stream none, or try --demo")
    if streams.demo:
        keep_lsl_on_this_computer()  # before anything uses LSL
    return streams


def _wait(
    session: "Session",
    duration: float | None,
    lines: "Lines | None",
    guard: "Guard | None" = None,
) -> int:
    """Let the session run until its time is over. Returns the exit status."""
    from eav_live.running import end_if_refused
    from eav_offline.common.console import DONE, FAILED

    pause = threading.Event()
    while session.error is None:
        if session.n_predictions == 0:
            end_if_refused(session)
        if guard is not None:
            guard.look()
            if guard.alarm and _enter_pressed():
                guard.acknowledge()
        if lines is not None and isinstance(lines.error, BrokenPipeError):
            return FAILED  # nobody is there any more
        if duration is not None and session.first_live is not None:
            if session.clock() - session.first_live >= duration:
                return DONE
        pause.wait(_POLL_SECONDS)
    log.error("The session ended: %s", session.error)
    return FAILED


def _enter_pressed() -> bool:
    """Whether somebody has pressed Enter at the terminal, if there is one."""
    import select

    if sys.platform == "win32" or not sys.stdin.isatty():
        return False
    if os.tcgetpgrp(sys.stdin.fileno()) != os.getpgrp():
        return False  # in the background, where reading would stop the program
    there, _, _ = select.select([sys.stdin], [], [], 0)
    return bool(there) and bool(sys.stdin.readline())


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-9]\d{2,3})x([1-9]\d{2,3})", text.lower(), re.ASCII)
    if found is None:
        raise argparse.ArgumentTypeError(
            f"{text} cannot be used; give 100x100 to 9999x9999, such as 1280x800"
        )
    return int(found[1]), int(found[2])


def _somebody_looks() -> bool:
    """Whether there is a screen, and somebody may sit before it."""
    from eav_live.doctor.display import find_display

    if os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        return False
    return not sys.platform.startswith("linux") or not find_display()[1]


def _has_display(offscreen_will_do: bool) -> bool:
    """Whether a window can be shown; without one the session runs in the terminal."""
    offscreen = os.environ.get("QT_QPA_PLATFORM") == "offscreen"
    if offscreen or not sys.platform.startswith("linux"):
        return True
    from eav_live.doctor.display import find_display

    _, trouble = find_display()
    if not trouble:
        return True
    if offscreen_will_do:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        return True
    log.warning("%s. Predictions are shown here, as with --headless", trouble)
    return False


def consent_for(
    options: argparse.Namespace, streams: SessionOptions
) -> "Consent | None":
    """The consent to what is to be recorded, asked for before any device is opened.

    None if nothing is to be recorded. Raises InputRefused without consent.
    """
    if options.record is None:
        if (options.consent, options.consent_by) != (None, None):
            raise InputRefused("consent is for a recording; give --record FILE.xdf too")
        return None
    from eav_live.recording.paths import check_name

    check_name(options.record)
    return ask_for_consent(options, streams)
