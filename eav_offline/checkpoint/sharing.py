"""A checkpoint as a folder or a repository of the Hugging Face hub, with its card.

    model.safetensors   the checkpoint
    README.md           its card, for people
    config.json         its kind and version, by which the hub counts downloads

Nothing is sent or fetched unless a name on the hub is given.
"""

import json
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from eav_offline.checkpoint.card import NOT_STATED, SYNTHETIC_ONLY, Card, model_line
from eav_offline.checkpoint.file import Checkpoint, save_checkpoint
from eav_offline.checkpoint.hub import (
    CARD,
    CONFIG,
    WEIGHTS,
    hub_errors,
    hub_files,
    is_hub_id,
    page,
)
from eav_offline.common.errors import InputRefused, with_extras
from eav_offline.common.files import checkpoint_file, write_atomically

_FETCHED = (WEIGHTS, CONFIG, CARD)


def save_folder(checkpoint: Checkpoint, folder: Path, name: str) -> Path:
    """Write the three files; returns the checkpoint's.

    folder: made if need be, and what is in it is replaced. name: of the model, for
    people.
    """
    path = folder / WEIGHTS
    save_checkpoint(path, checkpoint)
    write_atomically(folder / CARD, _readme(checkpoint, name))
    about = {
        "library_name": "eav-live",
        "eav_live_version": version("eav-live"),
        "modalities": list(checkpoint.modalities),
        "labels": list(checkpoint.labels),
    }
    write_atomically(folder / CONFIG, json.dumps(about, indent=1) + "\n")
    return path


def find_checkpoint(source: Path | str) -> Path:
    """The checkpoint of a folder or file here or, if there is none, of the hub.

    source: of the hub: owner/name, downloaded unless its files are in the local cache.
    Raises InputRefused if it is neither, WeightsError if the hub does not give it.
    """
    path = checkpoint_file(Path(source).expanduser())
    if path.is_file():
        return path
    is_path = str(source).startswith((".", "~")) or Path(source).exists()
    if is_path or not is_hub_id(str(source)):
        raise InputRefused(
            f"{source} is no folder with a {WEIGHTS} in it, nor a name on the hub, "
            "owner/name; give one of the two"
        )
    with with_extras():
        found = hub_files(str(source), "", (WEIGHTS,), (CONFIG, CARD), fetch=_FETCHED)
    return found[WEIGHTS]


def push(
    checkpoint: Checkpoint, model: str, name: str, private: bool, token: str | None
) -> str:
    """Upload the three files to the hub; returns the address of the model's page.

    model: owner/name there, made if need be. token: of the hub, None for the one that
    `hf auth login` kept. Raises InputRefused for a model that is one person's or has no
    card, WeightsError if the hub does not take it.
    """
    _require_fit(checkpoint, model)
    with with_extras():
        from huggingface_hub import HfApi

        api = HfApi(token=token)
    with tempfile.TemporaryDirectory() as folder, hub_errors(_not_taken(model)):
        save_folder(checkpoint, Path(folder), name)
        api.create_repo(model, private=private, exist_ok=True)
        message = f"Upload {name} with eav-live {version('eav-live')}"
        api.upload_folder(repo_id=model, folder_path=folder, commit_message=message)
    return page(model)


def _require_fit(checkpoint: Checkpoint, model: str) -> None:
    if not is_hub_id(model):
        raise InputRefused(f"{model} is no name on the hub; give owner/name")
    if checkpoint.model.personal is not None:
        raise InputRefused(
            "the model is adapted to one person and holds what their signals look "
            "like; push the one that it was made of"
        )
    if checkpoint.card is None:
        raise InputRefused(
            "the model has no card, so nobody could know what it is worth; train it "
            "with this version, or give it one"
        )


def _not_taken(model: str) -> str:
    return (
        f"{model} was not uploaded, the hub did not take it ({{reason}}). Log in by "
        "`hf auth login` with a token that may write there, see that there is a "
        "network, and try again"
    )


def _readme(checkpoint: Checkpoint, name: str) -> str:
    """The card for the hub: a header for machines, sections for people."""
    card = checkpoint.card
    stated = NOT_STATED if card is None else card.license
    head = [
        *("---", "library_name: eav-live", "license: other"),
        f"license_name: {json.dumps(stated)}",
        "tags:",
        *(f"- {tag}" for tag in ("emotion-recognition", *checkpoint.modalities)),
        "---",
    ]
    lines = [*head, "", f"# {name}", "", model_line(name, card, checkpoint.demo), ""]
    if checkpoint.demo and SYNTHETIC_ONLY not in lines:
        lines += [f"**{SYNTHETIC_ONLY}.**", ""]
    lines += [_USE, ""]
    return "\n".join([*lines, *_sections(card)]) + "\n"


def _sections(card: Card | None) -> Iterator[str]:
    for title, lines in () if card is None else card.sections():
        yield from (f"## {title}", "", *(f"- {line}" for line in lines), "")


_USE = """\
Probabilities of *acted* emotions: not what a person feels, not a diagnosis, and not
evidence of anything about anyone. In the EU inferring emotions at work and in education
is prohibited (AI Act, Art. 5(1)(f)).

```python
import eav_live

recognizer = eav_live.Recognizer.from_pretrained("OWNER/NAME")
```"""
