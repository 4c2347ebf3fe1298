"""Whether somebody took note of a model's licence before it is downloaded; once."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import platformdirs

from eav_offline.common.errors import InputRefused
from eav_offline.common.files import write_atomically
from eav_offline.experts.finding import Expert

log = logging.getLogger(__name__)


def experts_folder() -> Path:
    """Where answers and finished checkpoints are kept: the user's cache directory."""
    return Path(platformdirs.user_cache_dir("eav-live")) / "experts"


def agree(expert: Expert, ask: Callable[[str], str] | None, yes: bool) -> None:
    """Have it agreed that a model's weights are downloaded under its licence.

    What lies here already needs no agreement, nor what was agreed to before under the
    same licence. ask: shows a question and returns the answer; None if nobody is there.
    yes: the answer was given beforehand. Raises InputRefused without agreement.
    """
    answers = _answers()
    if expert.weights is not None or answers.get(expert.source) == expert.licence:
        return
    terms = (
        f"{expert.source} has the licence: {expert.licence}. Its card, which says what "
        f"it is for and what it must not be used for: {expert.card}"
    )
    if not yes and ask is None:
        raise InputRefused(
            f"{terms}. Before it is downloaded ({_megabytes(expert)}) somebody has to "
            "accept that, and there is no terminal to ask at; if you do, give --yes"
        )
    if not yes and ask is not None:
        answer = ask(f"{terms}\nDownload {_megabytes(expert)}? Type yes: ")
        if answer.strip().casefold() not in ("yes", "y"):
            raise InputRefused(f"{expert.source} is not downloaded, as answered")
    answers[expert.source] = expert.licence
    write_atomically(_file(), json.dumps(answers, indent=2))


def _megabytes(expert: Expert) -> str:
    return f"{expert.size / 1e6:,.0f} MB"


def _file() -> Path:
    return experts_folder() / "agreed.json"


def _answers() -> dict[str, str]:
    try:
        answers = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return answers if isinstance(answers, dict) else {}
