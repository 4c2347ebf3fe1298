"""What works on this computer, what does not, and how to mend it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eav_live.options import SessionOptions

_WHICH = "give --eeg-stream NAME, and that one is looked at"


class Status(StrEnum):
    """How bad it is; only failures make the doctor's exit status 1."""

    OK = "ok"
    WARNING = "warning"  # a session runs, and something will be missing
    FAILURE = "failure"  # what was asked for does not work


@dataclass(frozen=True)
class Check:
    """One line of the doctor's: what was looked at, what was found, what to do."""

    name: str
    status: Status
    found: str
    cure: str = ""

    def as_json(self) -> dict[str, str]:
        """The object of `eav-live doctor --json`."""
        return {key: str(value) for key, value in asdict(self).items()}


def ok(name: str, found: str) -> Check:
    """Nothing to do."""
    return Check(name, Status.OK, found)


def warning(name: str, found: str, cure: str) -> Check:
    """A session runs without what this is about."""
    return Check(name, Status.WARNING, found, cure)


def failure(name: str, found: str, cure: str) -> Check:
    """What was asked for does not work."""
    return Check(name, Status.FAILURE, found, cure)


def examine(options: "SessionOptions") -> Iterator[Check]:
    """Make one check after another, each yielded as soon as it is done.

    options: those of a session; without an EEG stream the only one there is is taken.
    Nothing that is missing here raises.
    """
    try:
        import pylsl  # noqa: F401
    except (ImportError, OSError, RuntimeError) as error:
        yield failure(
            "LSL library",
            f"it does not load: {error}",
            "install this program again (pip install pylsl), or name a liblsl in the "
            "environment variable PYLSL_LIB",
        )
        return  # all sources keep time with it
    from eav_live.doctor import computer, network, streams
    from eav_live.recognition.pace import share_cores
    from eav_live.session.opening import build_intake, model_file
    from eav_offline.backends import choose_backend

    path = model_file(options)
    model, recognizer = computer.check_model(path, options.model is not None)
    checkpoint = recognizer.checkpoint if recognizer is not None else None
    if recognizer is not None:  # as in a session, so that speed is that of one
        share_cores(recognizer.checkpoint)
        if recognizer.takes_backends:
            recognizer.backend, _ = choose_backend(recognizer.checkpoint, path)
    intake = build_intake(options, checkpoint)
    yield network.check_library()
    yield network.check_discovery()
    yield network.check_multicast()
    yield network.check_visible(options.eeg_stream if "eeg" in intake.sources else None)
    if options.eeg_stream is None:
        names = network.eeg_streams()
        if len(names) == 1:
            options = replace(options, eeg_stream=names[0])
            intake = build_intake(options, checkpoint)
        elif names:
            yield warning("EEG", f"several streams: {', '.join(names)}", _WHICH)
    yield from streams.check_streams(intake, streams.PATIENCE)
    yield model
    if recognizer is not None:
        yield computer.check_speed(recognizer, options.hop)
    yield computer.check_display()
