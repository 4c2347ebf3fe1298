"""`eav-live`: one session, in a window or in the terminal."""

import argparse
import json
import logging
import os
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING

from eav_live.commands.recording_options import (
    add_recording_options,
    consent_for,
    make_recorder,
    recording,
)
from eav_live.commands.stream_options import add_stream_options
from eav_offline.errors import InputRefused
from eav_offline.files import checkpoint_file

if TYPE_CHECKING:
    from eav_live.predictions import Prediction
    from eav_live.publishing import Publisher
    from eav_live.session import Session
    from eav_live.timings import Timings

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.1
_SETTLE_SECONDS = 3.0  # time the EEG has to be refused before a window opens


def parser(epilog: str) -> argparse.ArgumentParser:
    """The options of a session."""
    options = argparse.ArgumentParser(
        prog="eav-live",
        description="Recognise emotion live from EEG, voice and face.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=epilog,
    )
    what = add_stream_options(options)
    what.add_argument(
        "--demo", action="store_true", help="replay an embedded synthetic person"
    )
    how = options.add_argument_group("recognition")
    how.add_argument(
        "--model",
        metavar="RUN|FILE",
        type=checkpoint_file,
        help="of a training run: its folder or checkpoint",
    )
    how.add_argument(
        "--hop", metavar="S", type=float, default=0.5, help="seconds between windows"
    )
    how.add_argument(
        "--smoothing",
        metavar="S",
        type=float,
        default=1.5,
        help="time constant of the smoothing, seconds; 0 switches it off",
    )
    how.add_argument(
        "--backend",
        metavar="NAME",
        default="auto",
        help="what computes the model: auto (default, the fastest that answers as "
        "eager does), eager, bf16, int8, onnx, onnx-int8, compile, cuda, mps; "
        "docs/backends.md has more",
    )
    how.add_argument("--config", metavar="FILE", type=Path, help="such as live.toml")
    out = options.add_argument_group("output")
    out.add_argument("--headless", action="store_true", help="no window")
    out.add_argument(
        "--json", metavar="PATH|-", help="write one JSON object a prediction"
    )
    out.add_argument(
        "--duration",
        metavar="S",
        type=float,
        help="stop S seconds after the first stream is live",
    )
    out.add_argument(
        "--screenshot", metavar="PNG", type=Path, help="save the window on closing"
    )
    out.add_argument(
        "--size", metavar="WxH", default="1280x800", help="of the window, pixels"
    )
    out.add_argument(
        "--publish",
        metavar="NAME",
        help="offer estimates as the LSL streams NAME and NAME-Decisions, which every "
        "computer of the local network can read (default: not)",
    )
    out.add_argument(
        "--log",
        metavar="FILE",
        type=Path,
        help="rotating log file (default: in the user's folder for logs)",
    )
    out.add_argument(
        "--timings",
        metavar="FILE",
        type=Path,
        help="note when each estimate was made and painted, one JSON object a line",
    )
    out.add_argument("-v", "--verbose", action="store_true")
    add_recording_options(options)
    return options


def main(options: argparse.Namespace) -> int:
    """Run a session until its window is closed or its time is over."""
    from eav_live.session_log import open_log_file

    size = _parse_size(options.size)
    if options.hop <= 0:
        raise InputRefused(f"--hop is {options.hop:g}; give seconds above zero")
    if options.eeg_stream is None and not options.demo:
        raise InputRefused(
            "which EEG stream? Give --eeg-stream NAME (its name or the beginning of "
            "it), --eeg-stream none, or try --demo"
        )
    open_log_file(options.log)
    return _demo(options, size) if options.demo else _run_session(options, size)


def _demo(options: argparse.Namespace, size: tuple[int, int]) -> int:
    from eav_live.demo import (
        ReplayProcess,
        demo_subject,
        keep_lsl_on_this_computer,
        remove_temporary,
    )

    keep_lsl_on_this_computer()
    name = f"EAV-Demo-{os.getpid()}"
    replay = ReplayProcess([str(demo_subject()), "--name", name, "--loop"])
    try:
        options.eeg_stream = name
        options.audio = f"lsl:{name}-Audio"
        options.video = f"lsl:{name}-Video"
        return _run_session(options, size)
    finally:
        replay.stop()
        remove_temporary()


def _run_session(options: argparse.Namespace, size: tuple[int, int]) -> int:
    from eav_live.composition import build_session, model_file
    from eav_live.config import load_live_config
    from eav_live.session_log import SessionLog

    config = load_live_config(options.config)
    consent = consent_for(options, config)
    headless = options.headless or not _has_display(options.screenshot is not None)
    stream = None
    if options.json is not None:
        from eav_offline.console import open_json

        stream = open_json(options.json)
    session = build_session(options, config)
    timings = _timings(options, session)
    if stream is not None:
        session.subscribe(_json_writer(stream))
    elif headless:
        session.subscribe(_text_writer(sys.stdout))
    recorder = None
    if consent is not None:
        recorder = make_recorder(options, config, consent, session, model_file(options))
    publisher = _publisher(options, session)
    session_log = SessionLog(session)
    with recording(recorder):  # outlasts the session, whose end it records
        session.start()
        session_log.start()
        try:
            _refuse_unusable(session)
            if headless:
                return _wait(session, options.duration)
            from eav_live.ui.dashboard import run_dashboard

            return run_dashboard(
                session,
                seconds=options.duration,
                screenshot=options.screenshot,
                size=size,
                recording=None if recorder is None else lambda: recorder.status.text,
                timings=timings,
            )
        finally:
            session_log.stop()
            session.stop()
            if publisher is not None:
                publisher.close()
            if timings is not None:
                timings.close()
            if stream is not None and stream is not sys.stdout:
                stream.close()


def _publisher(options: argparse.Namespace, session: "Session") -> "Publisher | None":
    """The outlets of --publish, open and subscribed; None without the option."""
    if options.publish is None:
        return None
    from eav_live.publishing import Publisher

    publisher = Publisher(
        options.publish, model=session.model_name, demo=session.demo, hop=session.hop
    )
    session.subscribe(publisher.publish)
    return publisher


def _timings(options: argparse.Namespace, session: "Session") -> "Timings | None":
    """The file of --timings, open and subscribed; None without the option."""
    if options.timings is None:
        return None
    from eav_live.timings import Timings

    recognizer = session.recognizer
    timings = Timings(options.timings, session.clock, lambda: recognizer.backend.name)
    timings.session(session.model_name, session.hop)
    session.subscribe(timings.made)
    if session.truth is not None:
        session.truth.listen(timings.marked)
    return timings


def _refuse_unusable(session: "Session") -> None:
    """End before anything is shown if what is there cannot be used."""
    from eav_live.predictions import StreamState

    waiting = (StreamState.CONNECTING, StreamState.REFUSED)
    # The EEG is what a session is about; without it, any stream that comes will do.
    awaited = ["eeg"] if "eeg" in session.sources else list(session.sources)
    settled = threading.Event()
    for _ in range(round(_SETTLE_SECONDS / _POLL_SECONDS)):
        _end_if_refused(session)
        health = session.health()
        if any(health[m].state not in waiting for m in awaited):
            return
        settled.wait(_POLL_SECONDS)
    for modality in awaited:
        log.info(
            "Waiting for %s: %s. %s",
            modality,
            health[modality].name,
            health[modality].detail or "None seen.",
        )


def _end_if_refused(session: "Session") -> None:
    """Raise InputRefused if the EEG, or every stream asked for, is refused.

    A session goes on without a refused voice or face, which its state and the log say.
    """
    from eav_live.predictions import StreamState

    health = session.health()
    refused = [m for m in session.sources if health[m].state is StreamState.REFUSED]
    if "eeg" in refused or len(refused) == len(session.sources):
        raise InputRefused(" ".join(health[m].detail for m in refused))


def _wait(session: "Session", duration: float | None) -> int:
    """Let the session run until its time is over. Returns the exit status."""
    from eav_offline.console import DONE, FAILED

    pause = threading.Event()
    while session.error is None:
        if session.n_predictions == 0:
            _end_if_refused(session)
        if duration is not None and session.first_live is not None:
            if session.clock() - session.first_live >= duration:
                return DONE
        pause.wait(_POLL_SECONDS)
    log.error("The session ended: %s", session.error)
    return FAILED


def _json_writer(stream: IO[str]):  # type: ignore[no-untyped-def]
    def write(prediction: "Prediction") -> None:
        if prediction.fused is None:
            return
        stream.write(json.dumps(prediction.as_json()) + "\n")
        stream.flush()

    return write


def _text_writer(stream: IO[str]):  # type: ignore[no-untyped-def]
    def write(prediction: "Prediction") -> None:
        if prediction.smoothed is None or prediction.label is None:
            return
        share = float(prediction.smoothed.max())
        truth = f"  truth {prediction.truth}" if prediction.truth else ""
        demo = "  (demo model: not valid for real people)" if prediction.demo else ""
        stream.write(
            f"{prediction.t:.2f}  {prediction.label:<9} {share:4.0%}  from "
            f"{'+'.join(prediction.present)}  {prediction.age_s * 1000:.0f} ms old"
            f"{truth}{demo}\n"
        )
        stream.flush()

    return write


def _parse_size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise InputRefused(f"--size {text!r} is not like 1280x800")
    return int(width), int(height)


def _has_display(offscreen_will_do: bool) -> bool:
    """Whether a window can be shown; without one the session runs in the terminal."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return True
    if offscreen_will_do:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        return True
    log.warning("No display found: predictions are shown here, as with --headless")
    return False
