"""`eav-live devices`: the microphones, cameras and LSL streams that are there."""

import argparse
import json
import shlex
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eav_live.streams.devices import CameraInfo, MicrophoneInfo, StreamInfo

_LEVEL_SECONDS = 0.2  # between levels of the microphone
_PICTURE_SECONDS = 0.05  # between looks whether another picture is due
_LAST_SECONDS = 1.5  # that a last look may take


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="eav-live devices",
        description="List microphones, cameras and LSL streams as eav-live names them.",
    )
    options.add_argument("--json", action="store_true", help="one JSON object")
    options.add_argument(
        "--watch",
        action="store_true",
        help="go on looking until stdin closes: a JSON object a line, also of which "
        "electrodes a stream has and why one cannot be used; a number on stdin has the "
        'level of that microphone measured, {"show": "camera:0"} has pictures sent',
    )
    return options


def main(options: argparse.Namespace) -> int:
    """List what there is; nothing at all is no failure."""
    if options.watch:
        return _watch()
    from eav_live.streams import devices
    from eav_offline.common.console import DONE
    from eav_offline.common.errors import SourceRefused

    trouble = ""
    microphones: list[MicrophoneInfo] = []
    try:
        microphones = devices.microphones()
    except SourceRefused as refusal:
        trouble = str(refusal)
    cameras, streams = devices.cameras(), devices.streams()
    if options.json:
        found: dict[str, Any] = {
            "microphones": [asdict(m) for m in microphones],
            "cameras": [asdict(c) for c in cameras],
            "streams": [asdict(s) for s in streams],
        }
        if trouble:
            found["microphones_error"] = trouble
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
    else:
        sys.stdout.write(
            _section("Microphones", microphones, _microphone, trouble)
            + _section("Cameras", cameras, _camera)
            + _section("LSL streams", streams, _stream, "see `eav-live doctor`")
        )
    return DONE


def _watch() -> int:
    """Say what there is whenever it has been looked at, until stdin closes."""
    from eav_live.streams.preview import look_at_file
    from eav_live.streams.survey import Survey
    from eav_offline.common.console import DONE

    survey, closed, lock = Survey(), threading.Event(), threading.Lock()

    def say(found: dict[str, Any]) -> None:
        with lock:
            sys.stdout.write(json.dumps(found) + "\n")
            sys.stdout.flush()

    def levels() -> None:
        while not closed.wait(_LEVEL_SECONDS):
            say(survey.level())

    def look() -> None:
        while not closed.is_set():
            say(survey.look())

    def pictures() -> None:
        while not closed.wait(_PICTURE_SECONDS):
            picture = survey.picture()
            if picture is not None:
                say(picture)

    work = (look, levels, pictures)
    threads = [threading.Thread(target=one, daemon=True) for one in work]
    for thread in threads:
        thread.start()
    for line in sys.stdin:
        asked = _asked(line)
        if not isinstance(asked, dict):
            survey.listen_to(asked if isinstance(asked, int) else None)
        elif "show" in asked:
            survey.show(asked["show"])
        elif "map" in asked:
            survey.map_electrodes(asked["map"], asked["settings"])
        elif "file" in asked:
            say(look_at_file(asked["file"]))
    closed.set()
    for thread in threads:
        thread.join(_LAST_SECONDS)
    survey.close()
    return DONE


def _asked(line: str) -> Any:
    """What a line asks for; None for nothing, or what is no JSON."""
    try:
        return json.loads(line)
    except ValueError:
        return None


def _section(
    title: str,
    found: Sequence[Any],
    describe: Callable[[Any], tuple[str, str]],
    hint: str = "",
) -> str:
    told = [describe(item) for item in found]
    width = max((len(option) for option, _ in told), default=0)
    lines = [f"{option:<{width}}  {text}" for option, text in told]
    if not lines:
        lines = [f"none found{f': {hint}' if hint else ''}"]
    return "\n".join([title, *(f"  {line}" for line in lines), "", ""])


def _microphone(microphone: "MicrophoneInfo") -> tuple[str, str]:
    """The option that takes it, and what it is."""
    m = microphone
    sign = "  (the default)" if m.default else ""
    text = f"{m.name}, {m.channels} channels at {m.rate:g} Hz{sign}"
    return f"--audio mic:{m.index}", text


def _camera(camera: "CameraInfo") -> tuple[str, str]:
    c = camera
    speed = f" at {c.frames_per_second:g} Hz" if c.frames_per_second > 0 else ""
    where = f"{c.path}, " if c.path else ""
    return f"--video camera:{c.index}", f"{where}{c.width}x{c.height}{speed}"


def _stream(stream: "StreamInfo") -> tuple[str, str]:
    s = stream
    option = {
        "eeg": "--eeg-stream ",
        "audio": "--audio lsl:",
        "videoraw": "--video lsl:",
    }.get(s.kind.casefold(), "")
    rate = f"{s.rate:g} Hz" if s.rate else "irregular"
    named = f"{s.name}, " if s.handle != s.name else ""
    return (
        f"{option}{shlex.quote(s.handle)}"
        if s.handle
        else "(one of several alike: stop the others)",
        f"{named}{f'type {s.kind}' if s.kind else 'no type'}, {s.channels} channels, "
        f"{rate}, on {s.hostname}, source id {s.source_id or 'none'}",
    )
