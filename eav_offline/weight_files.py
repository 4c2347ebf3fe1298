"""The files of a published checkpoint: in a folder, one by one, or on the hub."""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError  # the name of an error; nothing is unpickled here
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from eav_offline.common.errors import InputRefused

CONFIG = "config.json"
PREPROCESSOR = "preprocessor_config.json"
WEIGHTS = "model.safetensors"
OLD_WEIGHTS = "pytorch_model.bin"

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_HUB_TIMEOUT = 5.0  # seconds until the hub counts as out of reach

log = logging.getLogger(__name__)


class WeightsError(InputRefused, ValueError):
    """Published weights are not there, are damaged, or do not fit the encoder."""


@dataclass(frozen=True)
class Published:
    """A checkpoint as its authors published it.

    source: what the user named. tensors: by the names in the file, float32. config,
    preprocessor: what the files of those names say; empty where there is none.
    """

    source: str
    tensors: dict[str, Tensor]
    config: dict[str, Any] = field(default_factory=dict)
    preprocessor: dict[str, Any] = field(default_factory=dict)


def read_published(source: str, option: str) -> Published:
    """Read a folder, a .safetensors or .bin file, or a model of the Hugging Face hub.

    option: the command-line option that takes `source`, named in messages. Raises
    WeightsError if there is nothing to read, saying which files to put where.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        found = {name: path / name for name in (CONFIG, PREPROCESSOR)}
        weights = path / WEIGHTS
        if not weights.is_file() and (path / OLD_WEIGHTS).is_file():
            weights = path / OLD_WEIGHTS
    elif path.is_file():
        weights, found = path, {}
        if path.name in (WEIGHTS, OLD_WEIGHTS):  # what lies beside it belongs to it
            found = {name: path.parent / name for name in (CONFIG, PREPROCESSOR)}
    elif _HUB_ID.fullmatch(source):
        found = _from_hub(source, option)
        weights = found[WEIGHTS]
    else:
        raise WeightsError(
            f"{option} {source}: there is no such folder or file; give a folder with "
            f"{CONFIG} and {WEIGHTS}, a .safetensors file, or a hub id such as "
            "google/vit-base-patch16-224"
        )
    if not weights.is_file():
        raise WeightsError(
            f"{option} {source}: the folder has neither {WEIGHTS} nor {OLD_WEIGHTS}; "
            f"put {WEIGHTS} there, with the {CONFIG} and {PREPROCESSOR} of the same "
            "model"
        )
    return Published(
        source=source,
        tensors=_tensors(weights),
        config=_json(found.get(CONFIG)),
        preprocessor=_json(found.get(PREPROCESSOR)),
    )


def _from_hub(model: str, option: str) -> dict[str, Path]:
    """Paths of a hub model's files in the local cache, downloaded if need be."""
    from huggingface_hub import (
        get_hf_file_metadata,
        hf_hub_download,
        hf_hub_url,
        try_to_load_from_cache,
    )
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    names = (CONFIG, PREPROCESSOR, WEIGHTS)
    cached = {name: try_to_load_from_cache(model, name) for name in names}
    there = {name: Path(p) for name, p in cached.items() if isinstance(p, str)}
    if CONFIG in there and WEIGHTS in there:
        return there
    with _hub_errors(model, option):
        # One question without retries first: the download itself would try for half a
        # minute where there is no network.
        get_hf_file_metadata(hf_hub_url(model, WEIGHTS), timeout=_HUB_TIMEOUT)
        log.info("Downloading %s from the Hugging Face hub", model)
        for name in names:
            try:
                path = hf_hub_download(model, name, etag_timeout=_HUB_TIMEOUT)
            except LocalEntryNotFoundError:  # the connection broke
                raise
            except EntryNotFoundError:
                if name != PREPROCESSOR:
                    raise
            else:
                there[name] = Path(path)
    return there


@contextmanager
def _hub_errors(model: str, option: str) -> Iterator[None]:
    from httpx2 import HTTPError
    from huggingface_hub.errors import EntryNotFoundError

    try:
        yield
    except (OSError, ValueError, HTTPError, EntryNotFoundError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise WeightsError(
            f"{option} {model}: no such folder or file here, no copy of that model in "
            f"the Hugging Face cache, and the hub did not give it ({reason[0]}). On a "
            f"computer with internet, fetch {CONFIG}, {PREPROCESSOR} and {WEIGHTS} "
            f"from https://huggingface.co/{model}/tree/main into one folder, then "
            f"give it: {option} FOLDER"
        ) from error


def _tensors(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        tensors = _read_safetensors(path)
    else:
        tensors = _read_torch(path)
    broken = [name for name, x in tensors.items() if not bool(x.isfinite().all())]
    if broken:
        raise WeightsError(
            f"{path}: {broken[0]} has values that are not finite; fetch the file again"
        )
    return {name: x.float() for name, x in tensors.items()}


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path} is not a safetensors file, or only a part of one ({error}); "
            "fetch it again"
        ) from error


def _read_torch(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, OSError, EOFError, ValueError) as error:
        # torch's own message is left out: it says how to run what the file brings.
        raise WeightsError(
            f"{path} is damaged, or holds other things than tensors, which are not "
            f"read because they can run code; give the model's {WEIGHTS} instead"
        ) from error
    if not isinstance(content, dict) or not all(
        isinstance(x, Tensor) for x in content.values()
    ):
        raise WeightsError(
            f"{path} is no table of tensors by name; give the model's {WEIGHTS} instead"
        )
    return content


def _json(path: Path | None) -> dict[str, Any]:
    if path is None or not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"{path} cannot be read ({error}); fetch it again"
        ) from error
    if not isinstance(content, dict):
        raise WeightsError(f"{path} holds no JSON object; fetch it again")
    return content
