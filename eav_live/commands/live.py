"""`eav-live`: one session, in a window or in the terminal."""

import argparse
import json
import logging
import math
import os
import re
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from eav_live.commands.options import (
    MOST_SECONDS,
    add_model,
    add_shared,
    add_stream_options,
    ask_for_consent,
    number,
    read,
    require_eeg_choice,
    session_options,
)
from eav_live.options import SMOOTHING, SessionOptions
from eav_offline.common.errors import InputRefused
from eav_offline.core.model_names import COVERAGES, FUSINGS

if TYPE_CHECKING:
    from eav_live.logs.timings import Timings
    from eav_live.outlets.publishing import Publisher
    from eav_live.recognition.predictions import Prediction
    from eav_live.recording.consent import Consent
    from eav_live.recording.guard import Guard
    from eav_live.session import Session

log = logging.getLogger(__name__)
_POLL_SECONDS = 0.1
_SETTLE_SECONDS = 3.0  # time the EEG has to be refused before a window opens


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
    return options


def main(options: argparse.Namespace) -> int:
    """Run a session until its window is closed or its time is over."""
    from importlib.metadata import version

    from eav_live.demo import keep_lsl_on_this_computer
    from eav_live.logs.session_log import open_log_file

    if options.version:
        sys.stdout.write(f"eav-live {version('eav-live')}\n")
        return 0
    streams = session_options(options)
    if options.save_preset is not None:
        return _save_preset(options.save_preset, streams)
    streams = streams.with_eeg_decided()
    require_eeg_choice(streams, "--eeg-stream none, or try --demo")
    open_log_file(options.log)
    if streams.demo:
        keep_lsl_on_this_computer()  # before anything uses LSL
    return _run_session(options, streams)


def _save_preset(name: str, streams: SessionOptions) -> int:
    from eav_live.presets import save_preset
    from eav_offline.common.console import DONE

    path = save_preset(name, streams)
    sys.stdout.write(f"{path}\neav-live --preset {name} starts a session with it\n")
    return DONE


def _run_session(options: argparse.Namespace, streams: SessionOptions) -> int:
    from eav_live.logs.session_log import SessionLog
    from eav_live.opening import open_session, session_settings
    from eav_live.recording.guard import guard_of
    from eav_live.recording.recorder import Recorder
    from eav_live.recording.verifying import verify_at_end
    from eav_offline.common.console import FAILED, INTERRUPTED, open_json

    consent = consent_for(options, streams)
    headless = options.headless or not _has_display(options.screenshot is not None)
    stream = None if options.json is None else open_json(options.json)
    session = open_session(streams)
    person = None if consent is None else consent.person
    timings = _timings(options, session, person)
    lines = None
    if stream is not None:
        lines = _Lines(stream, partial(_as_json, person))
    elif headless:
        lines = _Lines(sys.stdout, _as_text)
    if lines is not None:
        session.subscribe(lines.write)
    recorder = guard = None
    if consent is not None:
        settings = session_settings(streams, session)
        guard = guard_of(streams.config.must, session, options.record)
        hold = guard is not None
        recorder = Recorder(options.record, consent, session, settings, hold=hold)
        session.subscribe(recorder.take_prediction)
    publisher = _publisher(options, session)
    session_log = SessionLog(session)
    with recorder or nullcontext():  # outlasts the session, whose end it records
        session.start()
        session_log.start()
        try:
            _refuse_unusable(session)
            if recorder is not None and guard is not None:
                guard.require()
                recorder.start()
            if headless:
                log.info("%s", session.model_line)
                status = _wait(session, options.duration, lines, guard)
            else:
                from eav_live.ui.dashboard import run_dashboard
                from eav_live.ui.panels.marks import Marking

                status = run_dashboard(
                    session,
                    seconds=options.duration,
                    screenshot=options.screenshot,
                    size=options.size,
                    recording=None if recorder is None else lambda: recorder.text,
                    timings=timings,
                    guard=guard,
                    marking=None
                    if recorder is None
                    else Marking(streams.config.marks, recorder.mark),
                    person=person,
                )
        except KeyboardInterrupt:
            log.info("Interrupted")
            status = INTERRUPTED
        finally:
            session_log.stop()
            session.stop()
            if publisher is not None:
                publisher.close()
            if timings is not None:
                timings.close()
            if lines is not None:
                lines.close()
    if recorder is not None:
        verify_at_end(recorder.path)
    unwritten = lines is not None and lines.error is not None
    if unwritten or (recorder is not None and not recorder.whole):
        return FAILED  # they have said so
    return _outcome(status, session)


def _outcome(status: int, session: "Session") -> int:
    """The exit status: a session that predicted nothing has failed."""
    from eav_offline.common.console import DONE, FAILED

    if status == DONE and session.n_predictions == 0:
        log.error("Nothing was predicted. %s", _why_nothing(session))
        return FAILED
    return status


def _why_nothing(session: "Session") -> str:
    """Of each stream, why nothing was made of it."""
    from eav_live.recognition.predictions import STREAMING, StreamState

    reasons = session.newest.reasons if session.newest is not None else {}
    told = []
    for modality, health in (session.health_at_end or session.health()).items():
        if health.state is StreamState.OFF:
            continue
        streams = health.state in STREAMING
        why = reasons.get(modality, "") if streams else health.detail
        told.append(f"{modality}: {health.state}{f', {why}' if why else ''}")
    return "; ".join(told)


def _publisher(options: argparse.Namespace, session: "Session") -> "Publisher | None":
    """The outlets of --publish, open and subscribed; None without the option."""
    if options.publish is None:
        return None
    from eav_live.outlets.publishing import Publisher

    publisher = Publisher(
        options.publish,
        model=session.model_name,
        demo=session.demo,
        hop=session.hop,
        knows=session.knows,
    )
    session.subscribe(publisher.publish)
    return publisher


def _timings(
    options: argparse.Namespace, session: "Session", person: str | None
) -> "Timings | None":
    """The file of --timings, open and subscribed; None without the option."""
    if options.timings is None:
        return None
    from eav_live.logs.timings import Timings

    recognizer = session.recognizer
    timings = Timings(options.timings, session.clock, lambda: recognizer.backend_name)
    timings.session(session.model_name, session.hop, person)
    session.subscribe(timings.made)
    if session.markers is not None:
        session.markers.listen(timings.marked)
    return timings


def _refuse_unusable(session: "Session") -> None:
    """End before anything is shown if what is there cannot be used."""
    from eav_live.recognition.predictions import StreamState

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
    from eav_live.recognition.predictions import StreamState

    health = session.health()
    refused = [m for m in session.sources if health[m].state is StreamState.REFUSED]
    if "eeg" in refused or len(refused) == len(session.sources):
        raise InputRefused(" ".join(health[m].detail for m in refused))


def _wait(
    session: "Session",
    duration: float | None,
    lines: "_Lines | None",
    guard: "Guard | None" = None,
) -> int:
    """Let the session run until its time is over. Returns the exit status."""
    from eav_offline.common.console import DONE, FAILED

    pause = threading.Event()
    while session.error is None:
        if session.n_predictions == 0:
            _end_if_refused(session)
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


class _Lines:
    """Writes a line of each prediction. error: why it no longer does, said once."""

    def __init__(
        self, stream: IO[str], line: Callable[["Prediction"], str | None]
    ) -> None:
        self.error: OSError | None = None
        self._stream = stream
        self._line = line

    def write(self, prediction: "Prediction") -> None:
        """Write a prediction's line; a subscriber of the session."""
        line = self._line(prediction)
        if line is None or self.error is not None:
            return
        try:
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except OSError as error:
            self.error = error
            log.error("Estimates are no longer written: %s", error.strerror)

    def close(self) -> None:
        """Close the file, if it is one."""
        if self._stream is sys.stdout:
            return
        try:
            self._stream.close()
        except OSError as error:  # the rest of a line that was refused before
            self.error = error


def _as_json(person: str | None, prediction: "Prediction") -> str:
    # Whose estimate it is, for `eav-live forget`; not known without a recording.
    return json.dumps({"person": person} | prediction.as_json())


def _as_text(prediction: "Prediction") -> str | None:
    said = prediction.label or prediction.state
    if prediction.smoothed is None or said is None:
        return None
    from eav_offline.core.labels import EMOTIONS

    share = max(p for p in prediction.smoothed.tolist() if not math.isnan(p))
    if prediction.label is not None:
        share = float(prediction.smoothed[EMOTIONS.index(prediction.label)])
    held = ", held" if prediction.state == "held" else ""
    truth = f"  truth {prediction.truth}" if prediction.truth else ""
    demo = "  (demo model: not valid for real people)" if prediction.demo else ""
    return (
        f"{prediction.t:.2f}  {said:<9} {share:4.0%}{held}  from "
        f"{'+'.join(prediction.present)}  {prediction.age_s * 1000:.0f} ms old"
        f"{truth}{demo}"
    )


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-9]\d{2,3})x([1-9]\d{2,3})", text.lower(), re.ASCII)
    if found is None:
        raise argparse.ArgumentTypeError(
            f"{text} cannot be used; give 100x100 to 9999x9999, such as 1280x800"
        )
    return int(found[1]), int(found[2])


def _has_display(offscreen_will_do: bool) -> bool:
    """Whether a window can be shown; without one the session runs in the terminal."""
    offscreen = os.environ.get("QT_QPA_PLATFORM") == "offscreen"
    if offscreen or not sys.platform.startswith("linux"):
        return True
    from eav_live.doctor.computer import find_display

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
        if (options.consent, options.person, options.consent_by) != (None,) * 3:
            raise InputRefused("consent is for a recording; give --record FILE.xdf too")
        return None
    from eav_live.recording.recorder import check_name

    check_name(options.record)
    return ask_for_consent(options, streams)
