"""The programs `eav-live` and `eav-replay`: which command is meant."""

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from eav_offline.common.errors import InputRefused

# Name -> one line. Each is a module of `eav_live.commands` with `parser` and `main`.
COMMANDS: dict[str, str] = {
    "collect": "show cued trials to a person and record them for training",
    "calibrate": "a few guided minutes, and a model for one person",
    "devices": "list microphones, cameras and LSL streams",
    "doctor": "check LSL, streams, devices, model, speed and display",
    "measure-delay": "find device delays from clicks and flashes",
    "verify": "look whether a recording is all there",
    "repredict": "make a recording's predictions again and compare them",
    "export": "write a recording's estimates as CSV or Parquet",
    "review": "look at a recording again: play, step, note, recognize anew",
    "forget": "delete a person's recordings, caches and models, after asking",
}
# Options that name a file to be written.
_FILES = ("json", "log", "record", "timings", "screenshot", "chart", "summary")
_EXIT = "Exit status: 0 done, 1 failed, 2 input refused, 130 Ctrl-C."


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `eav-live`: a session, or the command named first."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words and words[0] in COMMANDS:
        command = _module(words[0])
        status = _run(command.main, _parser(words[0]), words[1:])
    else:
        from eav_live.commands import live

        status = _run(live.main, _parser(), words)
    return _leave(status) if argv is None else status


def replay_main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `eav-replay`."""
    from eav_live.commands import replay

    words = sys.argv[1:] if argv is None else argv
    status = _run(replay.main, _with_verbose(replay.parser()), words)
    return _leave(status) if argv is None else status


def parsers() -> dict[str, argparse.ArgumentParser]:
    """What reads the options of each command, by the words that begin it."""
    from eav_live.commands import replay

    return {
        "eav-live": _parser(),
        **{f"eav-live {name}": _parser(name) for name in COMMANDS},
        "eav-replay": _with_verbose(replay.parser()),
    }


def _module(command: str) -> ModuleType:
    return importlib.import_module(f"eav_live.commands.{command.replace('-', '_')}")


def _parser(command: str | None = None) -> argparse.ArgumentParser:
    """The options of a command, or without one those of a session."""
    if command is not None:
        return _with_verbose(_module(command).parser())
    from eav_live.commands import live

    lines = [f"  eav-live {name:<14} {text}" for name, text in COMMANDS.items()]
    return _with_verbose(live.parser("\n".join(["commands:", *lines, "", _EXIT])))


def _with_verbose(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("-v", "--verbose", action="store_true", help="say more")
    return parser


def _run(
    main: Callable[[argparse.Namespace], int],
    parser: argparse.ArgumentParser,
    argv: Sequence[str],
) -> int:
    from eav_offline.common.console import configure_logging, require_folder, run

    def read_and_run() -> int:
        options = parser.parse_args(argv)
        configure_logging(options.verbose)
        for name in _FILES:
            path = vars(options).get(name)
            if isinstance(path, str | Path) and str(path) != "-":
                require_folder(Path(path).parent, f"--{name} {path}")
        return main(options)

    # One line instead of argparse's page of usage, as for all input that is refused.
    parser.error = _refuse  # type: ignore[method-assign]
    return run(read_and_run)


def _refuse(message: str) -> NoReturn:
    raise InputRefused(f"{message.removeprefix('argument ')}; see --help")


def _leave(status: int) -> NoReturn:
    """End the program without the interpreter's own end; never returns.

    That takes a second with the libraries loaded here, and a thread that hangs in a
    driver or in a model can hold it up or crash in it. Everything that is to be kept
    has been written by now.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # the reader has gone, or we have closed it
            pass
    os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
