"""`eav-live calibrate`: a few guided minutes, and a model for one person."""

import argparse
import logging
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from eav_live.calibrate import CLIPS
from eav_live.commands.options import (
    add_shared,
    add_stream_options,
    ask_for_consent,
    participant_screen,
    require_eeg_choice,
    session_options,
)
from eav_offline.common.errors import InputRefused

if TYPE_CHECKING:
    from eav_live.calibrate.running import Calibrating, Open
    from eav_live.collect.course import Course
    from eav_live.options import SessionOptions
    from eav_live.recognition.people import Person
    from eav_live.recording.consent import Consent

log = logging.getLogger(__name__)
_TICK_SECONDS = 0.02
_LEARNED = (
    "A model of how you sound and look is learned from it. It holds features of what "
    "was recorded, by which your voice and face are told from other people's, and is "
    "kept only if you say so."
)


def parser() -> argparse.ArgumentParser:
    """The options of a calibration."""
    options = argparse.ArgumentParser(
        prog="eav-live calibrate",
        description="Record short cued clips of a person, fit a model to them, show "
        "what it is worth, and ask whether to keep it. Interrupted at any moment, the "
        "same command goes on where it was.",
        epilog="Exit status: 0 kept, discarded or left open, 1 failed, 2 input "
        "refused, 130 Ctrl-C. eav-live --person CODE recognizes with what was kept; "
        "eav-live forget CODE deletes all of it.",
    )
    add_shared(options, "--person")
    options.add_argument(
        "--clips",
        type=int,
        choices=CLIPS,
        default=CLIPS[0],
        help="of 12 s each (default 20: four minutes)",
    )
    options.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="for the recordings (default: the person's own in the user's folder)",
    )
    add_stream_options(options)
    how = options.add_argument_group("session")
    add_shared(how, "--model", "--consent", "--consent-by")
    how.add_argument("--full-screen", action="store_true", help="as F11 does")
    how.add_argument("--headless", action="store_true", help="cues in the terminal")
    how.add_argument(
        "--yes",
        action="store_true",
        help="without a window: keep it without asking, unless it has become worse",
    )
    add_shared(
        how, "--participant-screen", "--language", "--config", "--preset", "--log"
    )
    return options


def main(options: argparse.Namespace) -> int:
    """Calibrate until the person has answered, or ends it."""
    from eav_live.calibrate.running import Calibrating, ending
    from eav_live.logs.session_log import open_log_file
    from eav_live.recognition.people import Person
    from eav_live.session.opening import model_file
    from eav_offline.common.console import require_folder

    streams = session_options(options)
    streams = _with_learning_said(streams.with_eeg_decided())
    require_eeg_choice(streams, "or --eeg-stream none")
    if streams.demo:
        raise InputRefused("the demo's person cannot be calibrated; leave demo out")
    if options.out is not None:
        require_folder(options.out, f"--out {options.out}")
    open_log_file(options.log)
    consent = _consent(options, streams)
    code = options.person if consent is None else consent.person
    if code is None:
        raise InputRefused("who is calibrated? Give --person CODE, such as P01")
    person = Person(code)
    model = model_file(_of_person(streams, code))
    log.info("%s is calibrated from %s", code, model)
    given = [] if consent is None else [consent]
    opens = _opening(streams, person, given)
    out = options.out or person.folder
    must = streams.config.must
    calibrating = Calibrating(person, model, options.clips, opens, out, must)
    if calibrating.found:
        log.info("%s", calibrating.found)
    try:
        if options.headless:
            status = _in_terminal(calibrating, options.yes)
        else:
            status = _in_window(calibrating, streams, given, options)
    finally:
        calibrating.end()
    if calibrating.refused is not None:
        raise calibrating.refused
    sys.stdout.write(ending(calibrating))
    return status


def _with_learning_said(streams: "SessionOptions") -> "SessionOptions":
    """The same, with a form that also says what is made of the recording."""
    from dataclasses import replace

    form = streams.config.consent
    form = form.model_copy(update={"text": f"{form.text.strip()}\n\n{_LEARNED}"})
    config = streams.config.model_copy(update={"consent": form})
    return replace(streams, config=config)


def _of_person(streams: "SessionOptions", code: str) -> "SessionOptions":
    from dataclasses import replace

    return replace(streams, person=code)


def _consent(
    options: argparse.Namespace, streams: "SessionOptions"
) -> "Consent | None":
    """The consent that is given beforehand; None where the window asks for it."""
    if options.headless or options.consent or options.consent_by:
        return ask_for_consent(options, streams)
    return None


def what_of(streams: "SessionOptions") -> list[str]:
    """What would be recorded, in words."""
    sources = {"EEG": streams.eeg_stream, "voice": streams.audio, "face": streams.video}
    return [name for name, source in sources.items() if source != "none"]


def _opening(
    streams: "SessionOptions", person: "Person", given: "list[Consent]"
) -> "Open":
    """What opens streams and recording, once `given` holds the consent."""
    from eav_live.recording.recorder import Recorder
    from eav_live.session.intake import Intake
    from eav_live.session.opening import open_intake

    def opened(path: Path) -> tuple[Intake, Recorder]:
        (consent,) = given
        intake = open_intake(streams)
        settings = {"calibrate": person.code, **streams.as_settings()}
        hold = streams.config.must.anything
        return intake, Recorder(path, consent, intake, settings, hold=hold)

    return opened


def _in_window(
    calibrating: "Calibrating",
    streams: "SessionOptions",
    given: "list[Consent]",
    options: argparse.Namespace,
) -> int:
    from eav_live.doctor.display import find_display
    from eav_live.recording.consent import Consent
    from eav_live.ui.calibrating import run_calibrate_window
    from eav_live.ui.window import begin_qt
    from eav_live.ui.words import said

    _, trouble = find_display()
    if trouble:
        raise InputRefused(f"{trouble}; run on a desktop, or give --headless")
    begin_qt(streams.config.window.language)
    # What is kept is what the person reads.
    what, text = what_of(streams), said(streams.config.consent.text.strip())

    def agreed() -> None:
        if not given:
            now = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
            code, by = calibrating.person.code, "the person, in the window"
            given.append(Consent(code, by, now, tuple(what), text, "window"))
        calibrating.agree()

    recorded = said(f"Recorded: {', '.join(what)}.")
    page = f"{text}\n\n{recorded}"
    return run_calibrate_window(
        calibrating,
        page,
        agreed,
        asks=not given,
        full_screen=options.full_screen,
        screen=participant_screen(options, streams),
    )


def _in_terminal(calibrating: "Calibrating", yes: bool) -> int:
    """The same without a window: cues, figures and the question as lines."""
    from eav_live.calibrate.running import Stage, verdict
    from eav_offline.common.console import DONE, FAILED, terminal

    if calibrating.stage is Stage.CONSENT:
        calibrating.agree()
    pause, told = threading.Event(), _Told()
    while calibrating.stage in (Stage.WAITING, Stage.CUES, Stage.FITTING):
        calibrating.tick()
        told.look(calibrating)
        pause.wait(_TICK_SECONDS)
    made = calibrating.result
    if calibrating.stage is Stage.ANSWER and made is None:
        log.error("%s", calibrating.error)
        return FAILED
    if made is None:
        return DONE
    sys.stdout.write("".join(f"{line}\n" for line in [*made.lines(), verdict(made)]))
    sys.stdout.flush()
    if not calibrating.can_keep:
        calibrating.discard()
    elif yes:
        worse = made.after.value < made.before.value
        calibrating.discard() if worse else calibrating.keep()
    else:
        _ask(calibrating, terminal())
    return DONE


def _ask(calibrating: "Calibrating", ask: Callable[[str], str] | None) -> None:
    """Keep, discard, or, where nobody is there, leave it open."""
    if ask is None:
        return
    answer = ask("Keep it? Type keep or discard: ").strip().casefold()
    if answer == "keep":
        calibrating.keep()
    elif answer == "discard":
        calibrating.discard()


class _Told:
    """Says each cue, and what else is new, once."""

    def __init__(self) -> None:
        self._last = ""

    def look(self, calibrating: "Calibrating") -> None:
        """Say what is new."""
        from eav_live.calibrate.running import Stage

        line = "Thank you. Rest: what you showed is being learned."
        if calibrating.stage in (Stage.WAITING, Stage.REFUSED):
            line = "Waiting for what the session must have."
        elif calibrating.stage is Stage.CUES and calibrating.collecting is not None:
            collecting = calibrating.collecting
            line = _without_keys(collecting.notice) or _cue(collecting.course)
            if collecting.course.paused:
                if collecting.course.phase == "rest":  # its clip has a gap
                    collecting.repeat()
                collecting.space()  # goes on as soon as the streams are back
            elif collecting.course.phase == "instructions":
                collecting.space()
        if line and line != self._last:
            self._last = line
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


def _without_keys(notice: str) -> str:
    """A notice without the keys of the window: here it goes on by itself."""
    told = notice.partition("\n")[0]
    return told.removesuffix(": the space bar goes on.")


def _cue(course: "Course") -> str:
    match course.phase:
        case "instructions":
            return course.page()
        case "countdown":
            return f"{course.where}: get ready, {course.trial.emotion}"
        case "trial":
            return f"Speak, {course.trial.emotion}: {course.trial.text}"
    return ""
