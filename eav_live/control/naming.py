"""LabRecorder's `filename` line -> a file in the folder of the recordings."""

import re
from pathlib import Path

from eav_offline.common.errors import InputRefused

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
