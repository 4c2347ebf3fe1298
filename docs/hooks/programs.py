"""The help of every command, as the program itself says it."""

import argparse
import os
from collections.abc import Mapping

from eav_live import cli as live
from eav_offline import cli as offline

_COLUMNS = "78"  # of a line of help: as wide as the page's column


def every_parser() -> Mapping[str, argparse.ArgumentParser]:
    """What reads the options of each command, by the words that begin it."""
    top = offline.parser()
    return {**live.parsers(), "eav-offline": top, **below("eav-offline", top)}


def below(
    words: str, top: argparse.ArgumentParser
) -> dict[str, argparse.ArgumentParser]:
    """The parsers of a program's commands. words: what calls the program."""
    (commands,) = (
        action
        for action in top._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return {f"{words} {name}": one for name, one in commands.choices.items()}


def help_of_all() -> str:
    """Markdown: a heading and the help of each command."""
    os.environ["COLUMNS"] = _COLUMNS  # which argparse reads
    parts = (
        f"## `{words}`\n\n```text\n{parser.format_help().rstrip()}\n```\n"
        for words, parser in every_parser().items()
    )
    return "\n".join(parts)
