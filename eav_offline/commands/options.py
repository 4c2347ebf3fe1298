"""Options that several commands share, and what they mean."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from eav_offline.common.errors import InputRefused, did_you_mean
from eav_offline.common.files import existing_folder, output_folder

if TYPE_CHECKING:
    from eav_offline.data.cache import PreparedSubject
    from eav_offline.runs.workers import Plan


class AddCommand(Protocol):
    """Add a subcommand: its name, what it calls, one line on it; returns its parser."""

    def __call__(
        self, name: str, call: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser: ...


def adder(commands: argparse._SubParsersAction) -> AddCommand:
    """What adds to a program's commands, each with `-v`."""

    def add(
        name: str, call: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        sub: argparse.ArgumentParser = commands.add_parser(
            name, help=text, description=text
        )
        sub.set_defaults(command=call)
        sub.add_argument("-v", "--verbose", action="store_true", help="say more")
        return sub

    return add


def number_from(least: int) -> Callable[[str], int]:
    """The type of an option that takes whole numbers from `least` on."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a whole number from {least} on"
            )
        return int(text)

    return number


def some_of(known: Sequence[str]) -> Callable[[str], list[str]]:
    """The type of an option that takes several names with commas between them."""

    def names(text: str) -> list[str]:
        chosen = text.split(",")
        for name in chosen:
            if name not in known:
                guess = did_you_mean(name, list(known))
                raise argparse.ArgumentTypeError(
                    f"there is no {name!r}; "
                    + (guess or f"give some of {', '.join(known)}")
                )
        return chosen

    return names


def add_subjects(parser: argparse.ArgumentParser) -> None:
    """`--subjects 1,3-5`."""
    parser.add_argument("--subjects", metavar="1,3-5", help="default: all")


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """`--jobs N`, processes."""
    parser.add_argument(
        "--jobs",
        type=number_from(1),
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes",
    )


def add_json(parser: argparse._ActionsContainer) -> None:
    """`--json PATH|-`."""
    parser.add_argument("--json", metavar="PATH|-", help="write the answer as JSON")


def answer(options: argparse.Namespace, value: object, text: str) -> None:
    """Write `--json`'s answer; and the text, unless the answer went where it goes."""
    from eav_offline.common.console import write_json

    write_json(options.json, value)
    if options.json != "-":
        sys.stdout.write(text)


def add_device(parser: argparse._ActionsContainer) -> None:
    """`--device NAME`; `device` says which that is."""
    parser.add_argument(
        "--device", type=_device, default="auto", help="auto (default), cpu, cuda, mps"
    )


def _device(text: str) -> str:
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", text):
        raise argparse.ArgumentTypeError(
            f"no device is called {text}; give auto, cpu, cuda (or cuda:1, ...) or mps"
        )
    return text


def add_config(parser: argparse.ArgumentParser, default: str = "compact") -> None:
    """`--config NAME|FILE`, which `load_config` reads."""
    parser.add_argument(
        "--config",
        default=default,
        metavar="NAME|FILE",
        help=f"compact, paper, ... or a TOML file; default: {default}",
    )


def add_data(parser: argparse.ArgumentParser, text: str | None = None) -> None:
    """`--data CACHE`, once or several times; text: what it is for where it may lack."""
    parser.add_argument(
        "--data",
        type=Path,
        action="append",
        required=text is None,
        default=None if text is None else [],
        metavar="CACHE",
        help=text
        or "several times for several caches; the people of the second are then "
        "10001, 10002, ...",
    )


def look_first(options: argparse.Namespace) -> None:
    """Refuse caches, `--subjects`, `--out` and `--states` that cannot be.

    Called before what works on them is imported, which takes seconds. Raises
    InputRefused.
    """
    given = vars(options)
    for written in (given.get("out"), given.get("states")):
        if written is not None and not given.get("plan"):
            output_folder(written)
    numbers(options.subjects)
    for cache in options.data:
        existing_folder(cache)
        if not any((*cache.glob("subject*/meta.json"), *cache.glob("*.partial"))):
            raise InputRefused(
                f"{cache} has no prepared subject; make it with `eav-offline prepare "
                f"ROOT --out {cache}`"
            )


def open_subjects(
    caches: Sequence[Path], subjects: str | None
) -> "list[PreparedSubject]":
    """Prepared subjects of caches. Raises InputRefused if one is not there."""
    from eav_offline.data.people import open_subjects

    return open_subjects(caches, numbers(subjects))


def numbers(text: str | None) -> list[int] | None:
    """Subject numbers of `1,3-5`, ascending, each once; None stands for all.

    Raises InputRefused for anything else.
    """
    if text is None:
        return None
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last <= 999_999:  # of several caches: see `people`
            raise InputRefused(
                f"{text!r} is not a list of subjects: expected numbers from 1 and "
                "ascending ranges, such as 1,3-5"
            )
        found.update(range(first, last + 1))
    return sorted(found)


def seed_range(first: int, n: int | None) -> range:
    """The seeds from the first on, one if n is None."""
    return range(first, first + (1 if n is None else n))


def device(name: str) -> str:
    """The torch device that `--device` names; auto takes a GPU if there is one."""
    from eav_offline.training.runtime import choose_device

    return choose_device(name)


def add_scaling(parser: argparse.ArgumentParser) -> None:
    """`--jobs N`, `--scheduler WHERE`, `--threads N`."""
    group = parser.add_argument_group("many runs at a time")
    group.add_argument(
        "--jobs",
        type=number_from(1),
        metavar="N",
        help="workers (default: as many as cores, memory and GPUs allow); 1: none but "
        "this process",
    )
    group.add_argument(
        "--scheduler",
        metavar="tcp://HOST:PORT|slurm[:FILE]",
        help="workers of a Dask scheduler, or of a SLURM queue (docs/cluster.md)",
    )
    group.add_argument(
        "--threads",
        type=number_from(1),
        metavar="N",
        help="of the CPU, in each (default: shared)",
    )


def known_sizes() -> dict[str, dict[str, object]]:
    """The `model` sections by which a report names configurations."""
    from eav_offline.config import load_config

    names = ("compact", "paper")
    return {n: load_config(n).model.model_dump(mode="json") for n in names}


def plan_of(
    options: argparse.Namespace, n_jobs: int, job_bytes: float | None = None
) -> "Plan":
    """The workers that the options ask for; job_bytes: memory that a job takes."""
    from eav_offline.runs.workers import PROCESS_BYTES, make_plan

    return make_plan(
        n_jobs,
        options.scheduler,
        options.jobs,
        options.threads,
        options.device,
        PROCESS_BYTES if job_bytes is None else job_bytes,
    )


def device_for(plan: "Plan", name: str) -> str:
    """`--device`, left open where workers have devices of their own."""
    return device(name) if plan.scheduler is None else name
