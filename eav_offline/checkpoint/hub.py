"""Files of published models: their names, and those of the Hugging Face hub."""

import json
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from eav_offline.common.errors import InputRefused

if TYPE_CHECKING:
    from torch import Tensor

CONFIG = "config.json"
PREPROCESSOR = "preprocessor_config.json"
WEIGHTS = "model.safetensors"
CARD = "README.md"
TIMEOUT = 5.0  # seconds until the hub counts as out of reach
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
log = logging.getLogger(__name__)


class WeightsError(InputRefused, ValueError):
    """Published weights are not there, are damaged, or do not fit the encoder."""


def is_hub_id(source: str) -> bool:
    """Whether it has the form of a model's name on the hub, owner/name."""
    return _HUB_ID.fullmatch(source) is not None


def page(model: str) -> str:
    """The address of a model's card on the hub."""
    return f"https://huggingface.co/{model}"


def cached_files(model: str, names: Sequence[str]) -> dict[str, Path]:
    """Those of a hub model's files that lie in the local cache."""
    from huggingface_hub import try_to_load_from_cache

    found = {name: try_to_load_from_cache(model, name) for name in names}
    return {name: Path(path) for name, path in found.items() if isinstance(path, str)}


def hub_files(
    model: str,
    option: str,
    wanted: Sequence[str],
    may_lack: Sequence[str] = (),
    fetch: Sequence[str] = (CONFIG, PREPROCESSOR, WEIGHTS),
) -> dict[str, Path]:
    """Paths of a hub model's files in the local cache, downloaded if need be.

    wanted: if all of these are cached, the hub is not asked. may_lack: those, or
    others, that the model need not have. option: the one that names the model, "" if
    none does. fetch: what makes a folder of it. Raises WeightsError, with what to fetch
    and where to put it, if the hub does not give them.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    names = dict.fromkeys((*wanted, *may_lack))
    there = cached_files(model, list(names))
    if there.keys() >= set(wanted):
        return there
    with hub_errors(_not_given(model, option, fetch)):
        # One question without retries first: the download itself would try for half a
        # minute where there is no network.
        get_hf_file_metadata(hf_hub_url(model, wanted[0]), timeout=TIMEOUT)
        log.info("Fetching %s of %s from the Hugging Face hub", ", ".join(names), model)
        for name in names:
            try:
                path = hf_hub_download(model, name, etag_timeout=TIMEOUT)
            except LocalEntryNotFoundError:  # the connection broke
                raise
            except EntryNotFoundError:
                if name not in may_lack:
                    raise
            else:
                there[name] = Path(path)
    return there


def size_on_hub(model: str, option: str) -> int | None:
    """Bytes of a model's weights on the hub; None if it has no such file.

    Raises WeightsError if the hub does not say.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    with hub_errors(_not_given(model, option, (CONFIG, PREPROCESSOR, WEIGHTS))):
        try:
            about = get_hf_file_metadata(hf_hub_url(model, WEIGHTS), timeout=TIMEOUT)
        except EntryNotFoundError:
            return None
    return about.size or 0


@contextmanager
def hub_errors(said: str) -> Iterator[None]:
    """Have what the hub or the network refuse raised as WeightsError.

    said: its message, with {reason} where theirs is to stand.
    """
    from httpx2 import HTTPError
    from huggingface_hub.errors import EntryNotFoundError

    try:
        yield
    except (OSError, ValueError, HTTPError, EntryNotFoundError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise WeightsError(said.replace("{reason}", reason[0])) from error


def _not_given(model: str, option: str, fetch: Sequence[str]) -> str:
    *first, last = fetch
    return (
        (
            f"{option} {model}: no such folder or file here, no copy of that model in "
            "the Hugging Face cache, and the hub did not give it ({reason}). On a "
            f"computer with internet, fetch {', '.join(first)} and {last} "
            f"from {page(model)}/tree/main into one folder, then "
            f"give it: {option} FOLDER"
        )
        .replace("  ", " ")
        .strip()
    )


def read_json(path: Path | None) -> dict[str, Any]:
    """The object in such a file; empty without a path. Raises WeightsError."""
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


def read_safetensors(path: Path) -> dict[str, "Tensor"]:
    """The tensors of such a file by name, on the CPU. Raises WeightsError."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path} is not a safetensors file, or only a part of one ({error}); "
            "fetch it again"
        ) from error
