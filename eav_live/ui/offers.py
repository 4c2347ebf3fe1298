"""What `eav-live devices --watch` has found, as what may be chosen."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eav_live.ui.panels.choices import Choice
from eav_live.ui.words import later, listed, said, tr

_HERE = later(" Press E to do it here.")


def off() -> Choice:
    """To leave it out."""
    return Choice("none", tr("None"), tr("this is left out"))


def eeg_choices(streams: Sequence[Mapping[str, Any]]) -> list[Choice]:
    """What may be EEG, with what is wrong."""
    found = []
    for stream in streams:
        if stream["kind"].casefold() not in ("eeg", ""):
            continue
        there = stream["electrodes"]
        has = tr("{n} of 30 electrodes", n=there)
        if there is None:
            has = tr("being looked at")
        pace, fault = _pace(stream), said(stream["fault"])
        if fault and stream["labels"]:
            fault += tr(_HERE)
        found.append(
            Choice(
                stream["handle"] or stream["name"],
                _where(stream),
                tr("{pace}, cannot be used", pace=pace)
                if fault
                else listed([pace, has]),
                fault=fault,
                notice=said(stream["notice"]),
            )
        )
    return found


def lsl_choices(streams: Sequence[Mapping[str, Any]], kind: str) -> list[Choice]:
    """LSL streams of a type that is written in small letters here."""
    return [
        Choice(
            f"lsl:{stream['handle'] or stream['name']}",
            _where(stream),
            tr("over LSL, {pace}", pace=_pace(stream)),
            fault=said(stream["fault"]),
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
                _channels(one["channels"], tr("{rate:g} Hz", rate=one["rate"]))
                + (tr(", the default") if one["default"] else ""),
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
            tr("Camera {number}", number=one["index"]),
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
            listed(list(filter(None, (tr("a file"), said(one["about"]))))),
            fault=said(one[what]),
            seen=what == "face",
        )
        for one in files
        if not one[what] or one["voice"] and one["face"]
    ]


def _pace(stream: Mapping[str, Any]) -> str:
    even = tr("{rate:g} Hz", rate=stream["rate"])
    rate = even if stream["rate"] else tr("an irregular rate")
    return _channels(stream["channels"], rate)


def _channels(n: int, rate: str) -> str:
    if n == 1:
        return tr("1 channel at {rate}", rate=rate)
    return tr("{n} channels at {rate}", n=n, rate=rate)


def _where(stream: Mapping[str, Any]) -> str:
    return tr("{name} on {host}", name=stream["name"], host=stream["hostname"])
