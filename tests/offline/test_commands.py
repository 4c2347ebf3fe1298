"""What the commands of `eav-offline` take, and how soon they refuse it."""

import argparse

import pytest

from eav_offline.cli import parser


def options() -> list[tuple[str, argparse.Action]]:
    """Every option of every command, with the command's name."""
    (commands,) = (
        action
        for action in parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return [
        (name, action)
        for name, command in commands.choices.items()
        for action in command._actions
    ]


@pytest.mark.parametrize(("command", "option"), options())
def test_an_option_has_one_long_name_and_something_to_choose(
    command: str, option: argparse.Action
) -> None:
    long = [name for name in option.option_strings if name.startswith("--")]
    assert len(long) <= 1, command
    assert option.choices is None or len(list(option.choices)) > 1
