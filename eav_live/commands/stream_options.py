"""The options that name streams and devices, and how all options read numbers."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_Number = TypeVar("_Number", int, float)

MOST_SECONDS = 7 * 24 * 3600  # no session is longer, so that a typo is noticed
_MIN_ELECTRODES = 4  # fewer tell nothing of the others (`sources.montage.MIN_GOOD`)


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
        default="mic",
        help="mic (default), mic:DEVICE, lsl:NAME, file:PATH or none",
    )
    group.add_argument(
        "--video",
        metavar="SOURCE",
        default="camera",
        help="camera (default), camera:INDEX, lsl:NAME, file:PATH or none",
    )
    group.add_argument(
        "--max-missing",
        metavar="N",
        type=whole(0, 30 - _MIN_ELECTRODES),
        help="electrodes that may be interpolated from their neighbours (default 4)",
    )
    return group


def add_hop(options: argparse._ActionsContainer) -> None:
    """Add --hop, seconds between windows."""
    options.add_argument(
        "--hop",
        metavar="S",
        type=number(0.02, 60, "seconds"),
        default=0.5,
        help="seconds between windows (default 0.5)",
    )


def number(least: float, most: float, unit: str = "") -> Callable[[str], float]:
    """What argparse is to read a number with: from `least` to `most`, so never NaN.

    unit: such as "seconds", for the message that refuses others.
    """
    return _reader(float, "a number", least, most, unit)


def whole(least: int, most: int) -> Callable[[str], int]:
    """As `number`, for whole ones."""
    return _reader(int, "a whole number", least, most)


def _reader(
    kind: Callable[[str], _Number], what: str, least: float, most: float, unit: str = ""
) -> Callable[[str], _Number]:
    def read(text: str) -> _Number:
        try:
            value = kind(text)
            if least <= value <= most:
                return value
        except ValueError:
            pass
        wanted = f"give {what} from {least:g} to {most:.10g} {unit}".rstrip()
        raise argparse.ArgumentTypeError(f"{text} cannot be used; {wanted}")

    return read


def checkpoint_file(text: str) -> Path:
    """The checkpoint that --model names: a file, or the folder of a run."""
    from eav_offline.common import files  # loads much that --help does not need

    return files.checkpoint_file(text)
