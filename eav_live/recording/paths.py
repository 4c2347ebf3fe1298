"""Where the files of a recording lie, and whether they can be made there.

Importing this loads nothing large: a recording is refused before a window stands.
"""

from pathlib import Path

from eav_live.recording.consent import consent_path
from eav_offline.common.errors import InputRefused


class RecordingRefused(InputRefused):
    """The recording cannot begin; the message says what to do."""


def frames_path(recording: Path, number: int = 1) -> Path:
    """Where the frames of a recording lie, by the number of their file, from 1."""
    number_text = "" if number == 1 else f"-{number}"
    return recording.with_name(f"{recording.stem}{number_text}.mkv")


def check_name(path: Path) -> None:
    """Raise RecordingRefused if no recording FILE.xdf can be made there."""
    if path.suffix.lower() != ".xdf":
        raise RecordingRefused(f"--record {path}: give a name ending in .xdf")
    for there in (path, frames_path(path), consent_path(path)):
        if there.exists():
            raise taken(path, there)


def taken(path: Path, there: object) -> RecordingRefused:
    """The refusal to write a recording over what is `there` already."""
    return RecordingRefused(
        f"--record {path}: {there} is there already, and recordings are never "
        "overwritten; choose another name"
    )
