"""What each line asks of a session, and what is answered.

A line is words (`start`, `mark baseline`) or a JSON object (`{"do": "mark", "text":
"baseline", "t": 12.5}`). Words are answered `OK` or `Error: why`, as LabRecorder's
clients expect, and questions by a JSON object; a JSON line always by one.
"""

import json
import logging
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eav_offline.common.errors import InputRefused, did_you_mean, plain_words

if TYPE_CHECKING:  # a port is refused before models and streams are imported
    from eav_live.recording.takes import Takes
    from eav_live.session.inference import Session

log = logging.getLogger(__name__)

MOST_LETTERS = 200  # of a mark's name
MOST_AWAY = 60.0  # seconds that a mark's time may differ from now

_NO_RECORDING = (
    "this session records nothing: start eav-live with --record FILE.xdf, so that "
    "consent is asked for"
)
Answer = dict[str, object]

# As LabRecorder names the parts of a path, and the letter of each in a template.
_LETTERS = {
    "participant": "p",
    "session": "s",
    "task": "b",
    "acquisition": "a",
    "run": "r",
    "modality": "m",
}
_KEYS = ("root", "template", *_LETTERS)
_FIELD = re.compile(r"\{(\w+):([^{}]*)\}")
_NAME = re.compile(r"\w[\w .=-]{0,150}")
# As BIDS has them; without one, the value stands alone.
_PREFIXES = {"participant": "sub-", "session": "ses-", "task": "task-"}
_PREFIXES |= {"acquisition": "acq-", "run": "run-", "modality": ""}


@dataclass(frozen=True)
class Line:
    """One line that was understood. t: seconds on LSL's clock, of a mark."""

    do: str
    text: str = ""
    t: float | None = None
    as_json: bool = False


class Desk:
    """Does what lines ask. Asked by one thread.

    takes: the session's recordings; None if there is no consent to any.
    """

    def __init__(self, session: "Session", takes: "Takes | None") -> None:
        self._session = session
        self._takes = takes
        self._deeds: dict[str, Callable[[Line, float], Answer]] = {
            "start": self._start,
            "stop": self._stop,
            "filename": self._filename,
            "update": self._nothing,
            "select": self._select,
            "mark": self._mark,
            "status": self._status,
            "last": self._last,
        }

    @property
    def now(self) -> float:
        """Seconds on the clock of all stamps."""
        return self._session.clock()

    def answer(self, raw: bytes, came: float) -> str:
        """Do what a line asks. came: when it came, seconds on the session's clock."""
        as_json = raw.lstrip().startswith(b"{")
        try:
            line = understood(raw)
            found = self._deed(line.do)(line, came)
        except Exception as error:
            why = plain_words(error)
            if why is None:  # our own fault, which must not end the thread
                log.exception("A line of the remote control failed")
                why = "that failed; the log of eav-live says why"
            return refusal(why, as_json)
        if as_json:
            return json.dumps({"ok": True, **found})
        return json.dumps(found) if line.do in ("status", "last") else "OK"

    def _deed(self, do: str) -> Callable[[Line, float], Answer]:
        if do in self._deeds:
            return self._deeds[do]
        guess = did_you_mean(do, list(self._deeds))
        known = f"there are {', '.join(self._deeds)}"
        raise InputRefused(f"unknown word {do[:30]!r}; {guess or known}")

    def _recordings(self) -> "Takes":
        if self._takes is None:
            raise InputRefused(_NO_RECORDING)
        return self._takes

    def _start(self, line: Line, came: float) -> Answer:
        return {"file": str(self._recordings().begin())}

    def _stop(self, line: Line, came: float) -> Answer:
        return {"file": str(self._recordings().end())}

    def _filename(self, line: Line, came: float) -> Answer:
        takes = self._recordings()
        takes.name(named_file(line.text, takes.next.parent, takes.person))
        return {"file": str(takes.next)}

    def _nothing(self, line: Line, came: float) -> Answer:
        return {}  # streams are looked for all the time

    def _select(self, line: Line, came: float) -> Answer:
        if line.text != "all":
            raise InputRefused("a session records all of its streams; say select all")
        return {}

    def _mark(self, line: Line, came: float) -> Answer:
        text = line.text.strip()
        if not 0 < len(text) <= MOST_LETTERS:
            raise InputRefused(f"a mark has a name of 1 to {MOST_LETTERS} letters")
        t = came if line.t is None else line.t
        if not abs(t - came) <= MOST_AWAY:  # nor NaN
            raise InputRefused(
                f"t = {t!r} is over {MOST_AWAY:g} s from now, which is {came!r}; give "
                "pylsl.local_clock() of this computer, or no t"
            )
        self._recordings().mark({"mark": text}, t)
        return {"t": t}

    def _status(self, line: Line, came: float) -> Answer:
        takes, session = self._takes, self._session
        running = None if takes is None else takes.running
        ended = {} if takes is None else dict(takes.said)
        return {
            "t": came,
            "recording": None if running is None else str(running),
            "next": None if takes is None else str(takes.next),
            "ended": {str(path): said for path, said in ended.items()},
            "streams": {m: str(h.state) for m, h in session.health().items()},
            "model": session.model_name,
            "predictions": session.n_predictions,
            "error": None if session.error is None else str(session.error),
        }

    def _last(self, line: Line, came: float) -> Answer:
        newest = self._session.newest
        return {"prediction": None if newest is None else newest.as_json()}


def understood(raw: bytes) -> Line:
    """What a line says. Raises InputRefused."""
    try:
        text = raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise InputRefused("that line is no UTF-8 text") from None
    if not text.startswith("{"):
        do, _, rest = text.partition(" ")
        return Line(do, rest.strip())
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputRefused(f"that line is no JSON: {error}") from None
    if unknown := found.keys() - {"do", "text", "t"}:
        raise InputRefused(f"unknown key {min(unknown)!r}; there are do, text and t")
    do, words, t = found.get("do"), found.get("text", ""), found.get("t")
    if not isinstance(do, str) or not isinstance(words, str):
        raise InputRefused('"do" and "text" are texts, as in {"do": "status"}')
    if t is not None and not _is_time(t):
        raise InputRefused(f"t = {str(t)[:30]} is no time in seconds")
    return Line(do, words, None if t is None else float(t), as_json=True)


def named_file(text: str, folder: Path, person: str) -> Path:
    """The recording that a line names: `P01-2.xdf`, or `{task:x} {run:2} ...`.

    folder: of all recordings; no line may lead out of it. person: whose consent there
    is. Raises InputRefused for another folder or person, or what is no name.
    """
    fields = dict(_FIELD.findall(text))
    if _FIELD.sub("", text).strip() and fields:
        raise InputRefused("give either a name, or fields such as {task:x} {run:2}")
    for key in fields:
        if key not in _KEYS:
            raise InputRefused(f"unknown field {key}; there are {', '.join(_KEYS)}")
    root = fields.pop("root", "").strip()
    if root and Path(root).expanduser().resolve() != folder.resolve():
        raise InputRefused(
            f"root {root} is another folder than that of --record; leave it out, or "
            "start eav-live with --record there"
        )
    code = fields.get("participant", person)
    if code != person:
        raise InputRefused(
            f"participant {code} has not agreed to be recorded, {person} has; start "
            "eav-live anew for another person"
        )
    name = text.strip()
    if _FIELD.search(text):
        name = _from_fields({**fields, "participant": person})
    name = name if name.lower().endswith(".xdf") else f"{name}.xdf"
    if not _NAME.fullmatch(name):
        raise InputRefused(
            f"{name!r} cannot name a recording; give letters, digits, - and _, without "
            "a folder"
        )
    return folder / name


def _from_fields(fields: dict[str, str]) -> str:
    template = fields.pop("template", "").strip()
    if not template:
        return "_".join(_PREFIXES[k] + fields[k] for k in _LETTERS if k in fields)
    for key, letter in _LETTERS.items():
        template = template.replace(f"%{letter}", fields.get(key, ""))
    return template


def refusal(why: str, as_json: bool) -> str:
    """The answer to what cannot be done, in one line."""
    why = " ".join(why.split())
    return json.dumps({"ok": False, "error": why}) if as_json else f"Error: {why}"


def _is_time(t: object) -> bool:
    if isinstance(t, bool) or not isinstance(t, int | float):
        return False
    return abs(t) < 1e15 and math.isfinite(t)
