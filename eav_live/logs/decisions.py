"""The decision log: a file a session, kept for a stated time and then removed.

The log beside it says nothing of decisions. `[decision_log]` asks for this one.
"""

import json
import logging
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import platformdirs

from eav_live.logs.lines import Lines
from eav_live.recognition.predictions import Prediction, sureness_json
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import package_versions

log = logging.getLogger(__name__)


def decisions_folder() -> Path:
    """Where the files lie, readable by their owner only."""
    return Path(platformdirs.user_data_dir("eav-live")) / "decisions"


def now() -> datetime:
    """The time of day, with its zone."""
    return datetime.now(UTC).astimezone()


def remove_outdated(folder: Path | None = None) -> int:
    """Delete the logs whose stated time is over, and say so; returns how many.

    Each file states its own last day, so that it does not matter which session looks.
    """
    removed = 0
    for path in sorted((folder or decisions_folder()).glob("*.jsonl")):
        until = _kept_until(path)
        if until is None or until > now():
            continue
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("The decision log %s cannot be removed: %s", path, error)
        else:
            removed += 1
    if removed:
        log.info("Decision logs removed because their time was over: %d", removed)
    return removed


class DecisionLog:
    """Takes down each change of the decision, with who was asked and informed.

    model: name, sha256 and whatever else tells it. about: called for each line, returns
    the person's code, and when consent was given and the notice acknowledged (ISO
    8601), as far as anybody has said. Raises InputRefused if the file cannot be made: a
    session that has to be logged does not run without.
    """

    def __init__(
        self,
        model: Mapping[str, Any],
        retention_days: int,
        about: Callable[[], dict[str, str | None]],
    ) -> None:
        began = now()
        self._model, self._about = model.get("name"), about
        self._before: dict[str, object] = {}
        folder = decisions_folder()
        self.path = folder / f"{began:%Y%m%dT%H%M%S}-{os.getpid()}.jsonl"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = open(  # noqa: SIM115
                self.path, "x", encoding="utf-8", opener=partial(os.open, mode=0o600)
            )
        except OSError as error:
            raise self._refused(error) from error
        head = {
            "person": about()["person"],  # first: by that `eav-live forget` finds it
            "what": "session",
            "at": _iso(began),
            "keep_until": _iso(began + timedelta(days=retention_days)),
            "model": dict(model),
            "versions": package_versions(),
        }
        self._lines = Lines(file, self._line, "decision log")
        self._lines.put(json.dumps(head))
        if self.error is not None:
            self._lines.close()
            self.path.unlink(missing_ok=True)
            raise self._refused(self.error)
        log.info("Decision log: %s, kept %d days", self.path, retention_days)

    @property
    def error(self) -> OSError | None:
        """Why it is no longer written; None while it is."""
        return self._lines.error

    def write(self, prediction: Prediction) -> None:
        """Take down what changed; a subscriber of the session."""
        self._lines.write(prediction)

    def close(self) -> None:
        """Take down the end, and close the file."""
        end = self._about() | {"what": "end", "at": _iso(now())}
        self._lines.put(json.dumps(end))
        self._lines.close()

    def _refused(self, error: OSError) -> InputRefused:
        return InputRefused(
            f"the decision log {self.path} cannot be written ({error.strerror}); make "
            "room there, or take [decision_log] out of the session's options"
        )

    def _line(self, prediction: Prediction) -> str | None:
        said = {
            "label": prediction.label,
            **sureness_json(prediction),
            "present": list(prediction.present),
        }
        about = self._about()
        if (both := about | said) == self._before:
            return None
        self._before = both
        person = {"person": about["person"], "what": "decision"}
        at = {"at": _iso(now()), "t": prediction.t}
        return json.dumps(person | at | said | about | {"model": self._model})


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _kept_until(path: Path) -> datetime | None:
    """The last day that a log states for itself; None if the file is none."""
    try:
        with path.open(encoding="utf-8") as file:
            return datetime.fromisoformat(json.loads(file.readline())["keep_until"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
