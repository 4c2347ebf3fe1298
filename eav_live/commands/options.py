"""Options that several commands share, and how all options read numbers."""

import argparse
import dataclasses
import logging
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from eav_live.options import (
    HOP,
    LANGUAGES,
    MAX_MISSING,
    Limits,
    OptionRefused,
    SessionOptions,
)
from eav_offline.commands.expert_options import add_experts, found_experts
from eav_offline.common.errors import InputRefused

if TYPE_CHECKING:
    from eav_live.recording.consent import Consent

log = logging.getLogger(__name__)
_Number = TypeVar("_Number", int, float)
MOST_SECONDS = 7 * 24 * 3600  # no session is longer, so that a typo is noticed


def read(kind: Callable[[str], _Number], limits: Limits, text: str) -> _Number:
    """A number of an option's text. Raises ArgumentTypeError unless it is allowed."""
    try:
        value = kind(text)
        if limits.allow(value):
            return value
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text} cannot be used; {limits.wanted}")


def number(least: float, most: float, unit: str = "") -> Callable[[str], float]:
    """What argparse is to read a number with: from `least` to `most`, so never NaN.

    unit: such as "seconds", for the message that refuses others.
    """
    return partial(read, float, Limits(least, most, unit))


def whole(least: int, most: int) -> Callable[[str], int]:
    """As `number`, for whole ones."""
    return partial(read, int, Limits(least, most, whole=True))


def checkpoint_file(text: str) -> Path:
    """The checkpoint that --model names: a file, or the folder of a run."""
    from eav_offline.common import files  # loads much that --help does not need

    return files.checkpoint_file(text)


def _screen(text: str) -> str:
    if text not in ("window", "none") and not re.fullmatch("[1-9]", text, re.ASCII):
        raise argparse.ArgumentTypeError(
            f"{text} cannot be used; give the number of a screen, such as 2, window or "
            "none"
        )
    return text


_SHARED: dict[str, dict[str, Any]] = {
    "--eeg-stream": {
        "metavar": "NAME",
        "help": "LSL stream of type EEG: its name, or the beginning of it; where two "
        "have one name, NAME@HOST or the source id; or 'none'",
    },
    "--audio": {
        "metavar": "SOURCE",
        "help": "mic (default), mic:DEVICE, lsl:NAME, file:PATH or none",
    },
    "--video": {
        "metavar": "SOURCE",
        "help": "camera (default), camera:INDEX, lsl:NAME, file:PATH or none",
    },
    "--max-missing": {
        "metavar": "N",
        "type": partial(read, int, MAX_MISSING),
        "help": "electrodes that may be interpolated from their neighbors (default 4)",
    },
    "--model": {
        "metavar": "RUN|FILE",
        "type": checkpoint_file,
        "help": "of a training run: its folder or checkpoint (default: the embedded "
        "one of real people, which reads voice and face)",
    },
    "--hop": {
        "metavar": "S",
        "type": partial(read, float, HOP),
        "help": "seconds between windows (default 0.5)",
    },
    "--config": {"metavar": "FILE", "type": Path, "help": "such as live.toml"},
    "--preset": {
        "metavar": "NAME|FILE",
        "help": "options that were kept with --save-preset, in place of --config; "
        "those given here win",
    },
    "--log": {
        "metavar": "FILE",
        "type": Path,
        "help": "rotating log file (default: in the user's folder for logs)",
    },
    "--person": {
        "metavar": "CODE",
        "help": "whose session it is: a code, never a name; eav-live without --model "
        "takes the one that eav-live calibrate made for this person",
    },
    "--participant-screen": {
        "metavar": "N|window",
        "type": _screen,
        "help": "a window for the person there, with a notice before the first "
        "estimate, then cues, a neutral page or nothing, never estimates. N: 1 is the "
        "first screen; none: no such window, though a preset asks for one",
    },
    "--language": {
        "choices": LANGUAGES,
        "help": "of the windows (default: as chosen there, else the system's)",
    },
    "--consent": {
        "metavar": "FILE.toml",
        "type": Path,
        "help": "who agreed, and who asked",
    },
    "--consent-by": {"metavar": "WHO", "help": "who asked for consent"},
}


def add_shared(options: argparse._ActionsContainer, *names: str) -> None:
    """Add some of the options that several commands share, such as "--hop"."""
    for name in names:
        options.add_argument(name, **_SHARED[name])


def add_stream_options(options: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add --eeg-stream, --audio, --video and --max-missing; returns their group."""
    group = options.add_argument_group("streams")
    add_shared(group, "--eeg-stream", "--audio", "--video", "--max-missing")
    return group


def session_options(options: argparse.Namespace) -> SessionOptions:
    """What the command line and the file of --config or --preset say of a session.

    An option that was given wins over the file. Raises InputRefused.
    """
    file = options.config
    if options.preset is not None:
        from eav_live.options.presets import preset_file

        if file is not None:
            raise InputRefused("--preset and --config say the same; give one of them")
        file = preset_file(options.preset)
    names = {one.name for one in dataclasses.fields(SessionOptions)} - {"config"}
    given = {n: v for n, v in vars(options).items() if n in names and v is not None}
    try:
        session = SessionOptions.from_toml(file, **given)
    except OptionRefused as error:
        name = error.option.replace("_", "-")
        raise InputRefused(f"--{name} {error.why}") from error
    if "language" in options and options.language is not None:
        session = _speaking(session, options.language)
    if "voice_dimensions" in options:
        _agree_to_dimensions(options, session)
    experts = _experts(options, given) if "face_model" in options else None
    if experts is None:
        return session
    eeg = session.eeg_stream or "none"  # which they do not read
    return dataclasses.replace(session, model=experts, eeg_stream=eeg)


def _speaking(session: SessionOptions, language: str) -> SessionOptions:
    window = session.config.window.model_copy(update={"language": language})
    config = session.config.model_copy(update={"window": window})
    return dataclasses.replace(session, config=config)


def participant_screen(
    options: argparse.Namespace, streams: SessionOptions
) -> str | None:
    """Where the person's window is to be, see `show_to_participant`; None for none."""
    given = options.participant_screen
    if given is not None:
        return None if given == "none" else str(given)
    kept = streams.config.participant.screen
    return None if kept is None else str(kept)


def add_model(options: argparse._ActionsContainer) -> None:
    """Add --model, and the published models that may stand in its place."""
    add_shared(options, "--model")
    add_experts(options)


def _experts(options: argparse.Namespace, given: dict[str, Any]) -> Path | None:
    """The checkpoint of the published models that are named; None if none is.

    What their classes count as is said. Raises InputRefused.
    """
    experts = found_experts(options)
    if not experts:
        return None
    if "model" in given or "demo" in given:
        raise InputRefused(
            "--face-model and --voice-model stand in the place of --model and --demo; "
            "give one or the other"
        )
    from eav_offline.checkpoint.experts.building import kept_experts
    from eav_offline.common.console import terminal

    for one in experts:
        log.info("%s", one.as_text())
    path = kept_experts(experts, terminal(), options.yes)
    log.info("The model is %s", path)
    return path


def _agree_to_dimensions(options: argparse.Namespace, session: SessionOptions) -> None:
    """Have licenses accepted while there is a terminal. Raises InputRefused."""
    if not session.dimension_models:
        return
    from eav_offline.checkpoint.experts.building import agree
    from eav_offline.checkpoint.experts.finding import find_dimensions
    from eav_offline.common.console import terminal

    for modality, source in session.dimension_models.items():
        agree(find_dimensions(modality, source), terminal(), options.yes)


def require_eeg_choice(streams: SessionOptions, otherwise: str) -> None:
    """Raise InputRefused where it is not said which EEG stream, or that none is."""
    if streams.eeg_stream is None:
        raise InputRefused(
            "which EEG stream? Give --eeg-stream NAME (its name or the beginning of "
            f"it), {otherwise}"
        )


def ask_for_consent(options: argparse.Namespace, streams: SessionOptions) -> "Consent":
    """The consent to record the streams that the options name. Raises InputRefused."""
    from eav_live.recording.consent import obtain_consent
    from eav_offline.common.console import terminal

    what = {"EEG": streams.eeg_stream, "voice": streams.audio, "face": streams.video}
    return obtain_consent(
        [name for name, source in what.items() if source != "none"],
        streams.config.consent.text,
        file=options.consent,
        person=options.person,
        by=options.consent_by,
        ask=terminal(),
    )
