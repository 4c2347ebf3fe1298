"""What a check says: found, and how to mend it."""

from dataclasses import asdict, dataclass
from enum import StrEnum


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
