"""Consent: nothing is recorded before it is written down who agreed to what, when."""

import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from eav_live.recognition.people import is_code, not_a_code
from eav_offline.common.errors import InputRefused, did_you_mean
from eav_offline.common.files import package_versions

_FILE_KEYS = {"person", "by", "agreed"}
_HOW = (
    'Give --consent CONSENT.toml with the lines person = "P01", by = "who asked" '
    'and agreed = true; or --person P01 --consent-by "who asked"; or start in a '
    "terminal and answer there."
)


class ConsentRefused(InputRefused):
    """There is no consent, or it cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Consent:
    """Who agreed to be recorded.

    person: a code, never a name. by: who asked and saw the answer. at: when, ISO 8601.
    what: the streams. text: what the person was shown. how: file, options, terminal or
    window.
    """

    person: str
    by: str
    at: str
    what: tuple[str, ...]
    text: str
    how: str

    def as_json(self) -> str:
        """The document that lies beside the recording."""
        versions = package_versions()
        return json.dumps(asdict(self) | {"versions": versions}, indent=2) + "\n"


def consent_path(recording: Path) -> Path:
    """Where a recording's consent lies."""
    return recording.with_suffix(".consent.json")


def obtain_consent(
    what: Sequence[str],
    text: str,
    *,
    file: Path | None = None,
    person: str | None = None,
    by: str | None = None,
    ask: Callable[[str], str] | None = None,
    how: str = "options",
) -> Consent:
    """The consent to record `what`, from a file, from options or from the terminal.

    text: what the person is shown. ask: shows a question and returns the answer;
    None if nobody is there to answer. how: where `person` and `by` come from. Raises
    ConsentRefused without consent.
    """
    if file is not None:
        if person is not None or by is not None:
            raise ConsentRefused("give --consent or --person with --consent-by")
        person, by = _from_file(file)
        how = "file"
    elif person is not None and by is not None:
        pass
    elif ask is None:
        raise ConsentRefused(f"nothing is recorded without consent. {_HOW}")
    else:
        person, by = _from_terminal(what, text, person, by, ask)
        how = "terminal"
    if not is_code(person):
        raise ConsentRefused(not_a_code(person))
    if not by.strip():
        raise ConsentRefused("who asked for consent is empty; give initials or a name")
    now = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
    return Consent(person, by.strip(), now, tuple(what), text.strip(), how)


def _from_file(path: Path) -> tuple[str, str]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConsentRefused(f"{path} cannot be read ({error}). {_HOW}") from error
    unknown = sorted(values.keys() - _FILE_KEYS)
    if unknown:
        guess = did_you_mean(unknown[0], sorted(_FILE_KEYS)) or "remove it."
        raise ConsentRefused(f"{path}: unknown key {unknown[0]}; {guess} {_HOW}")
    if values.get("agreed") is not True:
        raise ConsentRefused(f"{path} does not say agreed = true. {_HOW}")
    person, by = values.get("person"), values.get("by")
    if not isinstance(person, str) or not isinstance(by, str):
        raise ConsentRefused(f"{path} lacks person or by, both texts. {_HOW}")
    return person, by


def _from_terminal(
    what: Sequence[str],
    text: str,
    person: str | None,
    by: str | None,
    ask: Callable[[str], str],
) -> tuple[str, str]:
    person = person or ask("Code of the person to be recorded (no name), as P01: ")
    answer = ask(
        f"\n{text.strip()}\n\nRecorded: {', '.join(what)}.\n"
        "Does the person agree? Type yes: "
    )
    if answer.strip().casefold() != "yes":
        raise ConsentRefused("the person did not agree; nothing is recorded")
    return person, by or ask("Who asked (initials): ")
