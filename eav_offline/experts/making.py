"""Writing the checkpoint of published classifiers, or finding it written.

Before weights are downloaded, somebody takes note of their licence; once.
"""

import hashlib
import json
import logging
import re
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import platformdirs

from eav_offline.checkpoint import FORMAT, save_checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import parsed_object, write_atomically
from eav_offline.experts.building import built
from eav_offline.experts.finding import Expert

log = logging.getLogger(__name__)


def experts_folder() -> Path:
    """Where answers and finished checkpoints are kept: the user's cache directory."""
    return Path(platformdirs.user_cache_dir("eav-live")) / "experts"


def write_experts(
    experts: Sequence[Expert],
    path: Path,
    ask: Callable[[str], str] | None,
    yes: bool = False,
) -> None:
    """Write a checkpoint of models that `find` found, their weights fetched if need be.

    ask, yes: see `agree`. Raises InputRefused if their licences are not accepted, or
    their weights cannot be had or used.
    """
    for one in experts:
        agree(one, ask, yes)
    save_checkpoint(path, built([one.fetched() for one in experts]))


def kept_experts(
    experts: Sequence[Expert], ask: Callable[[str], str] | None, yes: bool = False
) -> Path:
    """A checkpoint of them in the user's cache directory, written if it is not there.

    See `write_experts`.
    """
    for one in experts:
        agree(one, ask, yes)
    fetched = [one.fetched() for one in experts]
    path = experts_folder() / f"{_name(fetched)}.safetensors"
    if not path.is_file():
        log.info("Writing %s, once", path)
        save_checkpoint(path, built(fetched))
    return path


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
    write_atomically(_answers_file(), json.dumps(answers, indent=2))


def _megabytes(expert: Expert) -> str:
    return f"{expert.size / 1e6:,.0f} MB"


def _answers_file() -> Path:
    return experts_folder() / "agreed.json"


def _answers() -> dict[str, str]:
    try:
        return parsed_object(_answers_file().read_bytes())
    except OSError:
        return {}


def _name(experts: Sequence[Expert]) -> str:
    """Names of the models, and a digest of all that their checkpoint is made of."""
    told: list[object] = [FORMAT, version("eav-live")]
    for one in experts:
        assert one.weights is not None
        file = one.weights.resolve()
        about = file.stat()
        told += [one.modality, one.source, str(file), about.st_size, about.st_mtime_ns]
        told += [one.config, one.preprocessor, one.classes, one.licence]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    names = [re.sub(r"[^\w.-]", "-", Path(one.source).name) for one in experts]
    return f"{'+'.join(names)}-{digest[:8]}"
