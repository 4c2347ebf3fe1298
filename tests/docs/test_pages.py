"""The pages name no command, option, key or field that does not exist."""

import argparse
import json
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from safetensors import safe_open

import benchmarks.__main__ as bench
from eav_live.commands.options import checkpoint_file
from eav_live.recognition.predictions import Prediction

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.append(str(REPOSITORY / "docs" / "hooks"))

from programs import below, every_parser  # noqa: E402

PAGES = sorted(
    [
        REPOSITORY / "README.md",
        REPOSITORY / "assets" / "people.md",
        *(REPOSITORY / "docs").rglob("*.md"),
    ]
)
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
SHELL = ("sh", "bash", "")
INDENTED = re.compile(r"^    (eav-\w+ .*)$", re.MULTILINE)
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
OURS = ("eav-live", "eav-offline", "eav-replay", "./dev")
PLACEHOLDER = re.compile(r"[A-Z_|:.]+|\.\.\.")


class Refused(Exception):
    """What a command's options would be refused for."""


def commands(text: str) -> Iterator[tuple[list[str], bool]]:
    """Every command of a page, and whether it is whole: a block's, nothing left out."""
    found = BLOCK.findall(text)
    blocks = "".join(block for _, language, block in found if language in SHELL)
    rest = BLOCK.sub("", text)
    lines = [*blocks.replace("\\\n", " ").splitlines(), *INDENTED.findall(rest)]
    for line in lines:
        words = ours(shlex.split(line.replace("'", "’"), comments=True))
        whole = "..." not in words and not any("[-" in word for word in words)
        if words:
            yield words, whole
    for span in SPAN.findall(rest):
        words = ours(span.split())
        if words:
            yield words, False


def ours(words: Sequence[str]) -> list[str]:
    """A command without what it is started by; empty if it is not of this project."""
    words = [word for word in words if word != "&"]
    if words[:2] == ["uv", "run"]:
        words = words[2:]
    if words and words[0] == ".venv/bin/eav-live":
        words = ["eav-live", *words[1:]]
    if words[:2] == ["./dev", "run"] and len(words) > 2:
        words = words[2:]
    return list(words) if words and words[0] in OURS else []


@pytest.fixture(scope="module")
def parsers() -> dict[str, argparse.ArgumentParser]:
    """By the words that begin a command, such that they refuse and read no file."""
    found = {**every_parser(), **below("./dev bench", bench.parser())}
    for parser in found.values():
        parser.allow_abbrev = False
        parser.error = refuse  # type: ignore[method-assign]
        for action in parser._actions:
            action.type = lenient(action.type)
    return found


def refuse(message: str) -> NoReturn:
    raise Refused(message)


def lenient(kind: object) -> object:
    """Reads a placeholder such as N as it stands, and a model that is not there."""
    if kind in (None, checkpoint_file, Path) or not callable(kind):
        return None
    return lambda text: text if PLACEHOLDER.fullmatch(text) else kind(text)


def check(
    words: list[str], whole: bool, parsers: dict[str, argparse.ArgumentParser]
) -> None:
    """Raise Refused for a command or an option that does not exist."""
    if words[0] == "./dev":
        words = of_dev(words)
    names = [" ".join(words[:n]) for n in (3, 2, 1) if " ".join(words[:n]) in parsers]
    if not names:
        return  # a command of ./dev without options of ours
    parser, given = parsers[names[0]], words[len(names[0].split()) :]
    if names[0] == "eav-offline" and given and re.fullmatch(r"[a-z][\w-]+", given[0]):
        raise Refused(f"there is no command {given[0]}")
    if names[0] == "eav-live" and given and re.fullmatch(r"[a-z][\w-]+", given[0]):
        raise Refused(f"there is no command {given[0]}")
    if whole:
        parser.parse_args(given)
        return
    known = parser._option_string_actions
    for word in given:
        option = re.match(r"\[?(--?[a-z][\w-]*)", word)
        if option and option[1] not in known:
            raise Refused(f"there is no option {option[1]}")


def of_dev(words: list[str]) -> list[str]:
    """What `./dev` runs. Raises Refused for a name that it does not know."""
    script = (REPOSITORY / "dev").read_text(encoding="utf-8")
    known = re.findall(r"^([a-z-]+)\)", script, re.MULTILINE)
    if len(words) > 1 and words[1] not in known:
        raise Refused(f"./dev has no {words[1]}")
    if words[1:2] == ["demo"]:
        return ["eav-live", "--demo", *words[2:]]
    if words[1:2] == ["bench"] and len(words) > 2:
        names = below("./dev bench", bench.parser())
        if words[2].islower() and " ".join(words[:3]) not in names:
            raise Refused(f"there is no bench {words[2]}")
    return words


@pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY))
)
def test_every_command_of_the_pages_exists_with_these_options(
    page: Path, parsers: dict[str, argparse.ArgumentParser]
) -> None:
    faults = []
    for words, whole in commands(page.read_text(encoding="utf-8")):
        try:
            check(words, whole, parsers)
        except (Refused, argparse.ArgumentTypeError) as error:
            faults.append(f"{shlex.join(words)}: {error}")
    assert not faults


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```sh\nuv run eav-live --eeg-streem x\n```", "--eeg-streem"),
        ("```sh\nuv run eav-live --hop soon\n```", "soon cannot be used"),
        ("```sh\nuv run eav-offline prepare EAV\n```", "--out"),
        ("```sh\neav-offline train ... --no-such 3\n```", "--no-such"),
        (
            "1. So:\n\n    ```sh\n    eav-live doctor \\\n        --nope\n    ```",
            "--nope",
        ),
        ("with `eav-live --recrod FILE`", "--recrod"),
        ("with `eav-offline prepar`", "prepar"),
        ("`./dev bench no-such`", "no bench no-such"),
        ("`./dev dem`", "no dem"),
    ],
)
def test_a_page_that_is_wrong_is_noticed(
    text: str, said: str, parsers: dict[str, argparse.ArgumentParser]
) -> None:
    ((words, whole),) = commands(text)

    with pytest.raises((Refused, argparse.ArgumentTypeError), match=re.escape(said)):
        check(words, whole, parsers)


def test_the_page_of_predictions_has_every_key_of_a_line() -> None:
    flat = np.full(5, 0.2)
    line = Prediction(0.0, flat, flat, {}, (), {}, None, None, 0.0, 0.0, 0.5).as_json()

    assert sorted(keys_of_table("reference/predictions.md")) == sorted(
        ["person", *line]
    )


def test_the_page_of_checkpoints_has_every_key_of_one() -> None:
    with safe_open(REPOSITORY / "assets" / "people.safetensors", "numpy") as file:
        about = json.loads(file.metadata()["eav_live"])

    # That one is an average and has a card, so it has all keys.
    assert set(keys_of_table("reference/checkpoint.md")) == set(about)


def keys_of_table(page: str) -> list[str]:
    """The names in the first column of a page's first table."""
    text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8")
    table = text[text.index("| key |") :].split("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    return [key for cell in cells for key in re.findall(r"`(\w+)`", cell)]


def test_the_tree_names_every_part_of_the_packages_and_no_other() -> None:
    block = BLOCK.search((REPOSITORY / "docs" / "house.md").read_text("utf-8"))
    assert block is not None
    named, top = set(), Path()
    for line in block[3].splitlines():
        path = Path(line.split()[0])
        top, path = (path, path) if line[0] != " " else (top, top / path)
        named.add(path.as_posix())

    assert not [name for name in named if not (REPOSITORY / name).exists()]
    parts = {
        path.relative_to(REPOSITORY).as_posix()
        for package in ("eav_live", "eav_offline")
        for path in (REPOSITORY / package).iterdir()
        if path.suffix == ".py" or any(path.glob("*.py"))  # or left-over bytecode
        if not path.name.startswith("__")
    }
    assert not parts - named
