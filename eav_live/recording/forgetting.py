"""Finding and deleting everything that was made of one person.

A person is known by the code in the consent to a recording. It is carried on into the
subject that is imported, into the cache that is prepared of it, and into the split of
every run that learned from it.
"""

import csv
import html
import json
import logging
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import platformdirs

from eav_live.recognition.people import NOTES_FILE, Person, is_code
from eav_offline.common.files import file_digest, parsed_object, write_atomically
from eav_offline.data.dataset import EXPORTED_FILE, IMPORTED_FILE
from eav_offline.data.sessions.estimates import FIRST_COLUMNS, PARQUET_KEY
from eav_offline.data.sessions.xdf import XdfError, file_header

log = logging.getLogger(__name__)

_CONSENT = ".consent.json"
_NOTES = ".annotations.json"  # of `eav-live review`
CALIBRATIONS = "calibrations, their recordings and the model that was kept"
# What marks a folder as made of somebody: an entry that such a file has, so that no
# folder of another program is taken for one, and what the folder is.
_FOLDERS = {
    IMPORTED_FILE: ("recordings", "imported subject"),
    EXPORTED_FILE: ("exported", "sources of a BIDS dataset"),
    "meta.json": ("recipe", "prepared windows"),
    "begun.json": ("source", "unfinished windows"),
    NOTES_FILE: ("calibrations", CALIBRATIONS),
}
_SPLIT = "split.json"
_PERSON = b'{"person": '  # how `eav-live --json` and `--timings` begin
_TABLE = ",".join(FIRST_COLUMNS).encode()  # how the CSV of `eav-live export` begins
_IN_FOOTER = re.compile(
    PARQUET_KEY.encode() + rb'.{0,8}?\{"person": "([\w-]+)"\}', re.S
)
PAGE = "<!-- eav-live review of {} -->\n"  # how the page of `review --summary` begins
TIMELINE_NAME = "eav-live-timeline-"  # of what the dashboard saves
_LONGEST = 4096  # bytes of a line that says whose a page is
MODEL = "trained model and its results"
BIDS_SUBJECT = "subject of a BIDS dataset"


@dataclass(frozen=True)
class Trace:
    """Something made of a person: where, what, and who else is in it (a model)."""

    path: Path
    what: str
    others: tuple[str, ...] = ()


def traces(folder: Path) -> Iterator[tuple[str, Trace]]:
    """Everything in a folder that is known to be of somebody, with the person's code.

    Links are not followed, so nothing outside the folder is found.
    """
    for at, folders, files in os.walk(folder):
        folders.sort()
        here = Path(at)
        made_of = _made_of(here, files)
        if made_of is not None:
            if EXPORTED_FILE in files and (here.parents[1] / here.name).is_dir():
                yield made_of[0], Trace(here.parents[1] / here.name, BIDS_SUBJECT)
            folders.clear()
            notes = here.with_name(f"{here.name}{_NOTES}")
            if notes.is_file():
                yield made_of[0], Trace(notes, "notes on a subject")
            yield made_of
            continue
        if _SPLIT in files:
            trained_on = _people_of_run(here / _SPLIT)
            for person in trained_on:
                others = tuple(sorted(set(trained_on) - {person}))
                yield person, Trace(here, MODEL, others)
            if trained_on:
                folders.clear()
                continue
        yield from _recordings(here, sorted(files))
        yield from _estimates(here, sorted(files))


def traces_of(person: str, folder: Path) -> list[Trace]:
    """What a folder holds of one person."""
    return [trace for code, trace in traces(folder) if code == person]


def of_calibrations(person: str) -> list[Trace]:
    """What `eav-live calibrate` keeps of a person, wherever it has put recordings.

    Last of all comes the folder that says where those are.
    """
    if not is_code(person):
        return []
    known = Person(person)
    found: list[Trace] = []
    for path in (Path(r) for one in known.calibrations for r in one.recordings):
        if path.parent.is_dir() and not path.is_relative_to(known.folder):
            beside = sorted(p.name for p in path.parent.glob(f"{path.stem}*"))
            found += [
                t for code, t in _recordings(path.parent, beside) if code == person
            ]
    if known.folder.is_dir():
        found.append(Trace(known.folder, CALIBRATIONS))
    return found


def exports_of(models: Iterable[Trace]) -> list[Trace]:
    """What `eav-live --backend` has made of trained models: their weights again."""
    exports = Path(platformdirs.user_cache_dir("eav-live")) / "backends"
    of_model: dict[str, Trace] = {}
    for trace in models:
        for file in sorted(trace.path.rglob("*.safetensors")):
            of_model[file_digest(file)] = trace
        for digest in _kept_before(trace.path / NOTES_FILE):
            of_model.setdefault(digest, trace)
    found = []
    for manifest in sorted(exports.glob("*/manifest.json")):
        model = of_model.get(str(_read(manifest).get("checkpoint_sha256")))
        if model is not None:
            what = "trained model for ONNX Runtime"
            found.append(Trace(manifest.parent, what, model.others))
    return found


def delete(trace: Trace) -> None:
    """Delete a file or a folder with all that is in it. Raises OSError."""
    if trace.path.is_dir() and not trace.path.is_symlink():
        shutil.rmtree(trace.path)
    else:
        trace.path.unlink(missing_ok=True)
    if trace.what == BIDS_SUBJECT:
        _strike_out(trace.path)
    log.info("Deleted %s", trace.path)


def _strike_out(subject: Path) -> None:
    """Take a subject's row out of its BIDS dataset's list of participants."""
    path = subject.parent / "participants.tsv"
    if path.is_file():
        rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = (row for row in rows if row.split("\t")[0].strip() != subject.name)
        write_atomically(path, "".join(kept))


def _made_of(here: Path, files: list[str]) -> tuple[str, Trace] | None:
    """Whose the folder is, if it is one that is made of somebody."""
    for name, (entry, what) in _FOLDERS.items():
        if name in files:
            person = _person(here / name)
            if person is not None and entry in _read(here / name):
                return person, Trace(here, what)
    return None


def _recordings(here: Path, files: list[str]) -> Iterator[tuple[str, Trace]]:
    """Recordings with their frames and consent, whichever of them is still there."""
    by_stem: dict[str, str] = {}
    for name in files:
        if name.endswith(_CONSENT):
            person = _person(here / name)
            stem = name.removesuffix(_CONSENT)
        elif name.lower().endswith(".xdf"):
            person = _person_of_xdf(here / name)
            stem = name[: -len(".xdf")]
        else:
            continue
        if person is not None:
            by_stem.setdefault(stem, person)
    for stem, person in by_stem.items():
        frames = re.compile(rf"{re.escape(stem)}(-\d+)?\.mkv")
        for name in files:
            if name.lower() == f"{stem}.xdf".lower():
                yield person, Trace(here / name, "recording")
            elif frames.fullmatch(name) and _is_of(name, stem, by_stem):
                yield person, Trace(here / name, "frames of a recording")
            elif name == f"{stem}{_NOTES}":
                yield person, Trace(here / name, "notes on a recording")
            elif name == f"{stem}{_CONSENT}":
                # Last of all: it is what the others are found by.
                continue
        consent = here / f"{stem}{_CONSENT}"
        if consent.exists():
            yield person, Trace(consent, "consent")


def _kept_before(notes: Path) -> list[str]:
    """Digests of models that other ones stand in the place of now."""
    found = _read(notes).get("calibrations")
    listed = found if isinstance(found, list) else []
    return [str(one["sha256"]) for one in listed if one.get("sha256")]


def _estimates(here: Path, files: list[str]) -> Iterator[tuple[str, Trace]]:
    """Files of --json, --timings, --summary and export, which may say of whom they are.

    The dashboard puts a picture beside its table, under the same name.
    """
    for name in files:
        path = here / name
        people = _people_of_lines(path) | _people_of_table(path) | _of_parquet(path)
        people |= _of_page(path)
        for person in sorted(people):
            others = tuple(sorted(people - {person}))
            yield person, Trace(here / name, "estimates", others)
            picture = here / f"{name.removesuffix('.csv')}.png"
            if name.startswith(TIMELINE_NAME) and picture.is_file():
                yield person, Trace(picture, "picture of estimates", others)


def _people_of_lines(path: Path) -> set[str]:
    """The codes in a file whose lines begin with `person`; none in any other file."""
    try:
        with path.open("rb") as file:
            if path.is_symlink() or not file.peek(len(_PERSON)).startswith(_PERSON):
                return set()
            lines = [parsed_object(line) for line in file]
    except OSError:
        return set()
    if not ({"t", "fused"} <= lines[0].keys() or lines[0].get("what") == "session"):
        return set()  # another program's
    return {line["person"] for line in lines if isinstance(line.get("person"), str)}


def _people_of_table(path: Path) -> set[str]:
    """The codes in a table of `eav-live export`; none in any other file."""
    try:
        with path.open("rb") as file:
            if path.is_symlink() or not file.peek(len(_TABLE)).startswith(_TABLE):
                return set()
        with path.open(encoding="utf-8", errors="replace", newline="") as text:
            return {row["person"] for row in csv.DictReader(text) if row["person"]}
    except (OSError, csv.Error):
        return set()


def _of_parquet(path: Path) -> set[str]:
    """The code in a Parquet file of `eav-live export`; none in any other file.

    The footer's length and the mark PAR1 end the file; in the footer texts are plain.
    """
    try:
        with path.open("rb") as file:
            if path.is_symlink() or file.read(4) != b"PAR1":
                return set()
            file.seek(-8, os.SEEK_END)
            length = int.from_bytes(file.read(4), "little")
            file.seek(-8 - length, os.SEEK_END)
            found = _IN_FOOTER.search(file.read(length))
    except OSError:
        return set()
    return set() if found is None else {found[1].decode()}


def _of_page(path: Path) -> set[str]:
    """The code in a page of `eav-live review`; none in any other file."""
    before, after = PAGE.encode().split(b"{}")
    try:
        with path.open("rb") as file:
            if path.is_symlink() or file.read(len(before)) != before:
                return set()
            whose = file.readline(_LONGEST)
    except OSError:
        return set()
    if not whose.endswith(after):
        return set()
    return {html.unescape(whose.removesuffix(after).decode(errors="replace"))}


def _is_of(frames: str, stem: str, by_stem: dict[str, str]) -> bool:
    """P-2.mkv is the recording P-2's, if there is one, and else the second of P."""
    own = frames.removesuffix(".mkv")
    return own == stem or own not in by_stem


def _person(path: Path) -> str | None:
    """What a JSON file says under "person"."""
    person = _read(path).get("person")
    return person if isinstance(person, str) else None


def _people_of_run(path: Path) -> list[str]:
    people = _read(path).get("people")
    if not isinstance(people, dict):
        return []
    return sorted({p for p in people.values() if isinstance(p, str)})


def _person_of_xdf(path: Path) -> str | None:
    try:
        consent = ElementTree.fromstring(file_header(path)).findtext("eav_consent")
        person = json.loads(consent or "null")["person"]
    except (XdfError, ElementTree.ParseError, ValueError, KeyError, TypeError):
        return None
    return person if isinstance(person, str) else None


def _read(path: Path) -> dict[str, Any]:
    try:
        return parsed_object(path.read_bytes())
    except OSError:
        return {}
