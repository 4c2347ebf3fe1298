"""What is kept of a person in the user's folder: calibrations, and the model they made.

people/P01/calibration.json   which recordings, how many clips, what was answered
people/P01/P01.safetensors    the model that is kept; --person P01 finds it
people/P01/P01-*.xdf          the recordings, unless they lie elsewhere
"""

import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import platformdirs

from eav_offline.common.errors import InputRefused
from eav_offline.common.files import write_atomically

NOTES_FILE = "calibration.json"
KEPT, DISCARDED = "kept", "discarded"
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_MODELS = ".safetensors"


def is_code(text: str) -> bool:
    """Whether a person may be called so: a code, which is a file's name too."""
    return _CODE.fullmatch(text) is not None


def not_a_code(text: str) -> str:
    """What to say of a text that is no code."""
    return (
        f"{text!r} is no code for a person: up to 32 letters, digits, - and _ are. "
        "Keep names out of recordings; P01 will do."
    )


def people_folder() -> Path:
    """Where people's folders lie."""
    return Path(platformdirs.user_data_dir("eav-live")) / "people"


@dataclass(frozen=True)
class Calibration:
    """One calibration: begun, perhaps interrupted, at last kept or discarded.

    began: ISO 8601. clips: how many are wanted. seed: of their order. recordings:
    paths. answer: "kept" or "discarded", None while nobody answered. sha256: of the
    model that was kept.
    """

    began: str
    clips: int
    seed: int
    recordings: tuple[str, ...] = ()
    answer: str | None = None
    sha256: str | None = None

    @property
    def files(self) -> list[Path]:
        """The recordings that are there."""
        return [path for path in map(Path, self.recordings) if path.is_file()]


class Person:
    """A person's folder. Nothing is written before `note`.

    Raises InputRefused for what is no code, and for notes that cannot be read.
    """

    def __init__(self, code: str, root: Path | None = None) -> None:
        if not is_code(code):
            raise InputRefused(not_a_code(code))
        self.code = code
        self.folder = (people_folder() if root is None else root) / code
        self._settle()

    @property
    def model(self) -> Path | None:
        """The model that is kept for this person; None if none is."""
        return self._model if self._model.is_file() else None

    @property
    def calibrations(self) -> tuple[Calibration, ...]:
        """All that were begun, oldest first."""
        return _read(self.folder / NOTES_FILE)

    @property
    def unanswered(self) -> Calibration | None:
        """The one that was begun last, if nobody has said what is to become of it."""
        last = next(reversed(self.calibrations), None)
        return None if last is None or last.answer is not None else last

    def begin(self, clips: int) -> Calibration:
        """A calibration that is not noted yet, in another order than those before."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        return Calibration(now, clips, seed=len(self.calibrations))

    def note(self, calibration: Calibration) -> Calibration:
        """Note how it stands, in place of the one that nobody has answered."""
        before = self.calibrations
        answered = before if self.unanswered is None else before[:-1]
        notes = {
            "person": self.code,
            "calibrations": [asdict(one) for one in (*answered, calibration)],
        }
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # nobody else's
        text = json.dumps(notes, indent=2) + "\n"
        write_atomically(self.folder / NOTES_FILE, text)
        return calibration

    def pending(self) -> Path:
        """Where a model is written before `keep`."""
        return self.folder / f"pending{_MODELS}"

    def keep(self, calibration: Calibration) -> Calibration:
        """Let the pending model be the person's, in place of an earlier one."""
        from eav_offline.common.files import file_digest

        digest = file_digest(self.pending())
        kept = self.note(replace(calibration, answer=KEPT, sha256=digest))
        self._settle()
        return kept

    @property
    def _model(self) -> Path:
        return self.folder / f"{self.code}{_MODELS}"

    def _settle(self) -> None:
        """End what was interrupted between an answer and the file it is about."""
        pending = self.pending()
        if not pending.is_file():
            return
        last = next(reversed(self.calibrations), None)
        if last is not None and last.answer == KEPT:
            pending.replace(self._model)
        else:
            pending.unlink()


def _read(path: Path) -> tuple[Calibration, ...]:
    if not path.is_file():
        return ()
    try:
        notes = json.loads(path.read_bytes())["calibrations"]
        made = (Calibration(**one) for one in notes)
        return tuple(replace(one, recordings=tuple(one.recordings)) for one in made)
    except (ValueError, KeyError, TypeError) as error:
        raise InputRefused(
            f"{path} cannot be read ({error}); put it aside to begin anew: recordings "
            "and model stay where they are"
        ) from error
