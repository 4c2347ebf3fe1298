"""What every bench does alike: time, name the computer, share work, answer."""

import argparse
import logging
import math
import os
import platform
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from eav_offline.common.console import DONE, FAILED, write_json
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import package_versions
from eav_offline.common.pool import Workers

log = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parents[1]
# Figures that are many of one kind, and what surrounds them.
_ONE_BY_ONE = ("by_person", "by_seed", "fault_log", "environment", "versions")
Item = TypeVar("Item")
Result = TypeVar("Result")


def answer(
    options: argparse.Namespace,
    bench: Callable[[], dict[str, Any]],
    table: Callable[[Mapping[str, Any]], Iterable[str]],
) -> int:
    """Run a bench, write its figures to `--json` and as lines to read.

    `environment` (what the bench itself says goes before) and `seconds` are added.
    `passed` of the figures, where they have it, decides the exit status.
    """
    about, began = environment(), time.perf_counter()
    figures = without_nan(bench())
    figures["environment"] = about | figures.get("environment", {})
    figures["seconds"] = round(time.perf_counter() - began, 1)
    write_json(options.json, figures)
    if options.json != "-":
        sys.stdout.writelines(f"{line}\n" for line in table(figures))
    return DONE if figures.get("passed", True) else FAILED


def environment() -> dict[str, Any]:
    """The computer, what measures on it, and how busy it is just now."""
    return {
        **package_versions(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load_average_before": load_average(),
    }


def load_average() -> float | None:
    """Of the last minute; None where the system knows none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    lines = [line for line in text.splitlines() if line.startswith("model name")]
    return lines[0].partition(":")[2].strip() if lines else platform.machine()


def real_data(name: str) -> Path:
    """A folder of real recordings, where the tests look for them too.

    Raises InputRefused if it is not there.
    """
    root = Path(os.environ.get("EAV_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (root / name).is_dir():
        raise InputRefused(
            f"{root / name} is missing; set EAV_TEST_DATA to the folder that holds "
            f"{name}"
        )
    return root / name


class Stopwatch:
    """Seconds by name; those of one name add up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Time a `with` block or, as a decorator, every call of a function."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - began


def timed(function: Callable[[Item], object], items: Iterable[Item]) -> list[float]:
    """Seconds that the function took for each item."""
    seconds = []
    for item in items:
        began = time.perf_counter()
        function(item)
        seconds.append(time.perf_counter() - began)
    return seconds


@contextmanager
def torch_threads(n: int | None) -> Iterator[None]:
    """Have PyTorch take `n` threads in a `with` block; None for what it has."""
    before = torch.get_num_threads()
    torch.set_num_threads(n or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def side_by_side(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int,
    done: Callable[[int, int], None] = lambda done, total: None,
) -> list[Result]:
    """`function` of each item, over processes of one thread each; in their order.

    done: called with (items done, items in all). Small models gain little from more
    threads. With one job all is done here.
    """
    found: dict[int, Result] = {}
    with torch_threads(None), Workers(jobs, _one_thread, partial(_one, function)) as w:
        for i, result in w.map(enumerate(items)):
            found[i] = result
            done(len(found), len(items))
    return [found[i] for i in range(len(items))]


def logged(what: str) -> Callable[[int, int], None]:
    """What `side_by_side` is to call: it logs how many of `what` are done."""
    return partial(log.info, "%d of %d " + what)


@contextmanager
def working_folder(work: Path | None) -> Iterator[Path]:
    """`work`, made if need be, or a temporary folder in a `with` block."""
    with tempfile.TemporaryDirectory(prefix="eav-bench-") as scratch:
        folder = work or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder


def means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of the figures of each name in the rows, which all have the same."""
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _one_thread() -> None:
    torch.set_num_threads(1)


def _one(
    function: Callable[[Item], Result], state: None, item: tuple[int, Item]
) -> tuple[int, Result]:
    return item[0], function(item[1])


def percentiles(
    values: Sequence[float] | np.ndarray, scale: float = 1.0
) -> dict[str, float | None]:
    """Mean, p50, p95 and p99 of `values` x `scale`; None where there are none."""
    names = ("mean", "p50", "p95", "p99")
    if len(values) == 0:
        return dict.fromkeys(names)
    x = np.asarray(values) * scale
    found = (x.mean(), *np.percentile(x, (50, 95, 99)))
    return {n: round(float(f), 4) for n, f in zip(names, found, strict=True)}


def lines(figures: Mapping[str, Any]) -> Iterator[str]:
    """All figures as tables to read; figures of the same names stand in one.

    What is told one by one, of seeds, people or faults, stands in the JSON alone.
    """
    tables: dict[tuple[str, ...], list[tuple[tuple[str, ...], dict[str, str]]]] = {}
    for where, row in _rows((), figures):
        tables.setdefault(tuple(row), []).append((where, row))
    for names, rows in tables.items():
        shared = len(os.path.commonprefix([where[:-1] for where, _ in rows]))
        if shared:
            yield f"{' '.join(rows[0][0][:shared])}:"
        table = [("", *names)]
        table += [(" ".join(w[shared:]), *row.values()) for w, row in rows]
        wide = len(names) > len(rows)
        told = _columns([*zip(*table, strict=True)] if wide else table)
        yield from (line for line in told if line.strip())
        yield ""


def _rows(
    where: tuple[str, ...], figures: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """All that can be told in a word, by where it stands and by its name."""
    told = {name: _told(value) for name, value in figures.items()}
    row = {name: text for name, text in told.items() if text}
    if row:
        yield where, row
    for name, value in figures.items():
        if isinstance(value, Mapping) and name not in _ONE_BY_ONE:
            yield from _rows((*where, name), value)
        elif isinstance(value, list) and name not in _ONE_BY_ONE:
            for i, one in enumerate(value, 1):
                if isinstance(one, Mapping):
                    yield from _rows((*where, name, str(i)), one)


def _told(value: Any) -> str:
    """A word, a number or an interval; "" for all else."""
    if value is None or isinstance(value, bool):
        return {None: "-", True: "yes", False: "no"}[value]
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list) and [type(one) for one in value] == [float, float]:
        return f"[{value[0]:.3f}, {value[1]:.3f}]"
    return str(value) if isinstance(value, (int, str)) else ""


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of cells as lines: the first cell left-justified, others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = (cell.rjust(w) for cell, w in zip(rest, widths[1:], strict=True))
        yield "  ".join((first.ljust(widths[0]), *cells))


def without_nan(value: Any) -> Any:
    """The same with None for what could not be measured: JSON knows no NaN."""
    if isinstance(value, dict):
        return {key: without_nan(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value
