"""`eav-live`: one session, in a window or in the terminal.

The options of streams and recording, for every command that runs a session, and how
all options read numbers.
"""

import argparse
import dataclasses
import hashlib
import json
import logging
import os
import re
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from eav_live.options import (
    HOP,
    MAX_MISSING,
    SMOOTHING,
    Limits,
    OptionRefused,
    SessionOptions,
)
from eav_offline.common.errors import InputRefused

if TYPE_CHECKING:
    from eav_live.logs.timings import Timings
    from eav_live.outlets.publishing import Publisher
    from eav_live.recognition.predictions import Prediction
    from eav_live.recording.consent import Consent
    from eav_live.recording.recorder import Recorder
    from eav_live.session import Session

log = logging.getLogger(__name__)
_POLL_SECONDS = 0.1
_SETTLE_SECONDS = 3.0  # time the EEG has to be refused before a window opens
_Number = TypeVar("_Number", int, float)
MOST_SECONDS = 7 * 24 * 3600  # no session is longer, so that a typo is noticed


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
    how.add_argument(
        "--model",
        metavar="RUN|FILE",
        type=checkpoint_file,
        help="of a training run: its folder or checkpoint",
    )
    add_hop(how)
    how.add_argument(
        "--smoothing",
        metavar="S",
        type=partial(_read, float, SMOOTHING),
        help="time constant of the smoothing, seconds; 0 switches it off (default 1.5)",
    )
    how.add_argument(
        "--backend",
        metavar="NAME",
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
        default="1280x800",
        help="of the window, pixels",
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
    from importlib.metadata import version

    from eav_live.demo import keep_lsl_on_this_computer
    from eav_live.logs.session_log import open_log_file

    if options.version:
        sys.stdout.write(f"eav-live {version('eav-live')}\n")
        return 0
    streams = session_options(options)
    if streams.eeg_stream is None:
        raise InputRefused(
            "which EEG stream? Give --eeg-stream NAME (its name or the beginning of "
            "it), --eeg-stream none, or try --demo"
        )
    open_log_file(options.log)
    if streams.demo:
        keep_lsl_on_this_computer()  # before anything uses LSL
    return _run_session(options, streams)


def _run_session(options: argparse.Namespace, streams: SessionOptions) -> int:
    from eav_live.logs.session_log import SessionLog
    from eav_live.opening import model_file, open_session
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
    recorder = None
    if consent is not None:
        settings = session_settings(streams, session, model_file(streams))
        recorder = make_recorder(options.record, consent, session, settings)
        session.subscribe(recorder.take_prediction)
    publisher = _publisher(options, session)
    session_log = SessionLog(session)
    with recording(recorder):  # outlasts the session, whose end it records
        session.start()
        session_log.start()
        try:
            _refuse_unusable(session)
            if headless:
                status = _wait(session, options.duration, lines)
            else:
                from eav_live.ui.dashboard import run_dashboard

                status = run_dashboard(
                    session,
                    seconds=options.duration,
                    screenshot=options.screenshot,
                    size=options.size,
                    recording=None
                    if recorder is None
                    else lambda: recorder.status.text,
                    timings=timings,
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
        options.publish, model=session.model_name, demo=session.demo, hop=session.hop
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


def _wait(session: "Session", duration: float | None, lines: "_Lines | None") -> int:
    """Let the session run until its time is over. Returns the exit status."""
    from eav_offline.common.console import DONE, FAILED

    pause = threading.Event()
    while session.error is None:
        if session.n_predictions == 0:
            _end_if_refused(session)
        if lines is not None and isinstance(lines.error, BrokenPipeError):
            return FAILED  # nobody is there any more
        if duration is not None and session.first_live is not None:
            if session.clock() - session.first_live >= duration:
                return DONE
        pause.wait(_POLL_SECONDS)
    log.error("The session ended: %s", session.error)
    return FAILED


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
    if prediction.smoothed is None or prediction.label is None:
        return None
    share = float(prediction.smoothed.max())
    truth = f"  truth {prediction.truth}" if prediction.truth else ""
    demo = "  (demo model: not valid for real people)" if prediction.demo else ""
    return (
        f"{prediction.t:.2f}  {prediction.label:<9} {share:4.0%}  from "
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


def add_recording_options(options: argparse.ArgumentParser) -> None:
    """Add --record and what consent it takes."""
    group = options.add_argument_group("recording")
    group.add_argument(
        "--record",
        metavar="FILE.xdf",
        type=Path,
        help="write everything that comes in and goes out; never overwrites",
    )
    group.add_argument(
        "--consent", metavar="FILE.toml", type=Path, help="who agreed, and who asked"
    )
    group.add_argument(
        "--person", metavar="CODE", help="who is recorded: a code, never a name"
    )
    group.add_argument("--consent-by", metavar="WHO", help="who asked for consent")


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


def ask_for_consent(options: argparse.Namespace, streams: SessionOptions) -> "Consent":
    """The consent to record the streams that the options name. Raises InputRefused."""
    from eav_live.recording.consent import obtain_consent, terminal

    what = {"EEG": streams.eeg_stream, "voice": streams.audio, "face": streams.video}
    return obtain_consent(
        [name for name, source in what.items() if source != "none"],
        streams.config.consent.text,
        file=options.consent,
        person=options.person,
        by=options.consent_by,
        ask=terminal(),
    )


def make_recorder(
    path: Path, consent: "Consent", session: "Session", settings: dict[str, object]
) -> "Recorder":
    """A recorder of the session, not started yet. Raises InputRefused."""
    from eav_live.recording.recorder import Recorder

    return Recorder(path, consent, session, settings)


def session_settings(
    streams: SessionOptions, session: "Session", model: Path
) -> dict[str, object]:
    """What it takes to predict again from the recording, and who said what."""
    from eav_offline.common.files import package_versions

    with model.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    recognizer = session.recognizer
    return {
        "model": {
            "name": recognizer.name,
            "sha256": digest,
            "demo": recognizer.demo,
            "preprocess": dataclasses.asdict(recognizer.checkpoint.preprocess),
        },
        "hop_s": session.hop,
        "smoothing_s": streams.smoothing,
        **streams.as_settings(),
        "versions": package_versions(),
    }


def recording(recorder: "Recorder | None") -> AbstractContextManager[object]:
    """Record while the context lasts; without a recorder nothing happens."""
    return nullcontext() if recorder is None else recorder


def add_stream_options(options: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add --eeg-stream, --audio, --video and --max-missing; returns their group."""
    group = options.add_argument_group("streams")
    group.add_argument(
        "--eeg-stream",
        metavar="NAME",
        help="LSL stream of type EEG: its name, or the beginning of it; where two have "
        "one name, NAME@HOST or the source id; or 'none'",
    )
    group.add_argument(
        "--audio",
        metavar="SOURCE",
        help="mic (default), mic:DEVICE, lsl:NAME, file:PATH or none",
    )
    group.add_argument(
        "--video",
        metavar="SOURCE",
        help="camera (default), camera:INDEX, lsl:NAME, file:PATH or none",
    )
    group.add_argument(
        "--max-missing",
        metavar="N",
        type=partial(_read, int, MAX_MISSING),
        help="electrodes that may be interpolated from their neighbors (default 4)",
    )
    return group


def add_hop(options: argparse._ActionsContainer) -> None:
    """Add --hop, seconds between windows."""
    options.add_argument(
        "--hop",
        metavar="S",
        type=partial(_read, float, HOP),
        help="seconds between windows (default 0.5)",
    )


def session_options(options: argparse.Namespace) -> SessionOptions:
    """What the command line and the file of --config say of a session.

    An option that was given wins over the file. Raises InputRefused.
    """
    names = {one.name for one in dataclasses.fields(SessionOptions)} - {"config"}
    given = {n: v for n, v in vars(options).items() if n in names and v is not None}
    try:
        return SessionOptions.from_toml(options.config, **given)
    except OptionRefused as error:
        name = error.option.replace("_", "-")
        raise InputRefused(f"--{name} {error.why}") from error


def number(least: float, most: float, unit: str = "") -> Callable[[str], float]:
    """What argparse is to read a number with: from `least` to `most`, so never NaN.

    unit: such as "seconds", for the message that refuses others.
    """
    return partial(_read, float, Limits(least, most, unit))


def whole(least: int, most: int) -> Callable[[str], int]:
    """As `number`, for whole ones."""
    return partial(_read, int, Limits(least, most, whole=True))


def _read(kind: Callable[[str], _Number], limits: Limits, text: str) -> _Number:
    try:
        value = kind(text)
        if limits.allow(value):
            return value
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text} cannot be used; {limits.wanted}")


def checkpoint_file(text: str) -> Path:
    """The checkpoint that --model names: a file, or the folder of a run."""
    from eav_offline.common import files  # loads much that --help does not need

    return files.checkpoint_file(text)
