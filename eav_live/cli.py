"""The programs `eav-live` and `eav-replay`: which command is meant."""

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Callable, Sequence

# Name -> one line. Each is a module of `eav_live.commands` with `parser` and `main`.
COMMANDS: dict[str, str] = {
    "bench": "measure speed and decision age (speed), or hold under faults (soak)",
    "collect": "show cued trials to a person and record them for training",
    "devices": "list microphones, cameras and LSL streams",
    "doctor": "check LSL, streams, devices, model, speed and display",
    "measure-delay": "find device delays from clicks and flashes",
    "repredict": "make a recording's predictions again and compare them",
    "forget": "delete a person's recordings, caches and models, after asking",
}
_EXIT = "Exit status: 0 done, 1 failed, 2 input refused, 130 Ctrl-C."


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `eav-live`: a session, or the command named first."""
    leave = _leave if argv is None else _stay
    argv = sys.argv[1:] if argv is None else list(argv)
    if argv and argv[0] in COMMANDS:
        command = importlib.import_module(
            f"eav_live.commands.{argv[0].replace('-', '_')}"
        )
        return leave(_run(command.main, command.parser().parse_args(argv[1:])))
    from eav_live.commands import live

    lines = [f"  eav-live {name:<14} {text}" for name, text in COMMANDS.items()]
    epilog = "\n".join(["commands:", *lines, "", _EXIT] if lines else [_EXIT])
    return leave(_run(live.main, live.parser(epilog).parse_args(argv)))


def replay_main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `eav-replay`."""
    from eav_live.commands import replay

    leave = _leave if argv is None else _stay
    return leave(_run(replay.main, replay.parser().parse_args(argv)))


def _run(main: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    from eav_offline.console import configure_logging, run

    configure_logging(options.verbose)
    return run(lambda: main(options))


def _stay(status: int) -> int:
    return status


def _leave(status: int) -> int:
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
