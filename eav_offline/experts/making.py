"""Writing the checkpoint of published classifiers, or finding it written."""

import hashlib
import json
import logging
import re
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from eav_offline.checkpoint import FORMAT, save_checkpoint
from eav_offline.experts.agreeing import agree, experts_folder
from eav_offline.experts.building import built
from eav_offline.experts.finding import Expert

log = logging.getLogger(__name__)


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
