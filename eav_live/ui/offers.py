"""What `eav-live devices --watch` has found, as what may be chosen."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eav_live.ui.panels.choices import Choice
from eav_offline.common.console import counted

OFF = Choice("none", "None", "this is left out")
_HERE = " Press E to do it here."


def eeg_choices(streams: Sequence[Mapping[str, Any]]) -> list[Choice]:
    """What may be EEG, with what is wrong."""
    found = []
    for stream in streams:
        if stream["kind"].casefold() not in ("eeg", ""):
            continue
        there = stream["electrodes"]
        has = "being looked at" if there is None else f"{there} of 30 electrodes"
        more = f"{_pace(stream)}, {has}"
        fault = stream["fault"]
        if fault and stream["labels"]:
            fault += _HERE
        found.append(
            Choice(
                stream["handle"] or stream["name"],
                f"{stream['name']} on {stream['hostname']}",
                more if not fault else f"{_pace(stream)}, cannot be used",
                fault=fault,
                notice=stream["notice"],
            )
        )
    return found


def lsl_choices(streams: Sequence[Mapping[str, Any]], kind: str) -> list[Choice]:
    """LSL streams of a type that is written in small letters here."""
    return [
        Choice(
            f"lsl:{stream['handle'] or stream['name']}",
            f"{stream['name']} on {stream['hostname']}",
            f"over LSL, {_pace(stream)}",
            fault=stream["fault"],
        )
        for stream in streams
        if stream["kind"].casefold() == kind
    ]


def microphone_choices(microphones: list[dict[str, Any]]) -> list[Choice]:
    """The microphones; by name where that tells them apart, since numbers change."""
    names = [microphone["name"] for microphone in microphones]
    found = []
    for one in microphones:
        unique = sum(one["name"] in name for name in names) == 1
        by_name = unique and not one["name"].isdigit()
        device = one["name"] if by_name else str(one["index"])
        found.append(
            Choice(
                f"mic:{device}",
                one["name"],
                f"{counted(one['channels'], 'channel')} at {one['rate']:g} Hz"
                + (", the default" if one["default"] else ""),
                microphone=one["index"],
                preferred=one["default"],
            )
        )
    return found


def camera_choices(cameras: list[dict[str, Any]]) -> list[Choice]:
    """The cameras that give a picture."""
    return [
        Choice(
            f"camera:{one['index']}",
            f"Camera {one['index']}",
            f"{one['width']}x{one['height']} {one['path']}".strip(),
            preferred=one is cameras[0],
            seen=True,
        )
        for one in cameras
    ]


def file_choices(files: Sequence[Mapping[str, Any]], what: str) -> list[Choice]:
    """Files that were asked for, as "voice" or "face"."""
    return [
        Choice(
            f"file:{one['file']}",
            Path(one["file"]).name,
            "a file" + (f", {one['about']}" if one["about"] else ""),
            fault=one[what],
            seen=what == "face",
        )
        for one in files
        if not one[what] or one["voice"] and one["face"]
    ]


def _pace(stream: Mapping[str, Any]) -> str:
    rate = f"{stream['rate']:g} Hz" if stream["rate"] else "an irregular rate"
    return f"{counted(stream['channels'], 'channel')} at {rate}"
