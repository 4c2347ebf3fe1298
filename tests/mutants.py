"""Does a test notice when a claim is broken? `./dev mutants` breaks them one by one.

Each entry of mutants.toml is a careless edit that some test must fail on. It is made
in a copy of the tree, its tests are run, and the edit is undone. Most of a test's time
would be the start of pytest and torch, so they are loaded once and processes forked.

    python tests/mutants.py [--jobs N] [--only NAME ...]
"""

import argparse
import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

REPOSITORY = Path(__file__).resolve().parents[1]
LIST = REPOSITORY / "tests" / "mutants.toml"
COPIED = (
    ".ci",
    "eav_live",
    "eav_offline",
    "benchmarks",
    "docs",
    "examples",
    "tests",
    "configs",
    "assets",
    "README.md",
    "dev",
    "pyproject.toml",
)
LOADED = ("pytest", "hypothesis", "PySide6", "torch._dynamo", "accelerate", "pydantic")
LOADED += ("scipy.io", "scipy.signal", "scipy.stats", "sklearn.linear_model", "av")
TIMEOUT_SECONDS = 120.0  # of the tests of one entry, which take a few
TIMED_OUT, NO_TESTS = -1, 5  # instead of and among pytest's exit statuses


@dataclass(frozen=True)
class Mutant:
    """A careless edit: in `file`, `before` becomes `after`; one of `tests` must fail.

    tests: node ids, the fewest that do.
    """

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]

    def edited(self, text: str) -> str:
        """The file's text after the edit. Raises ValueError if the entry is stale."""
        n = text.count(self.before)
        if n != 1:
            raise ValueError(f"{self.name}: found {n} times in {self.file}, not once")
        edited = text.replace(self.before, self.after)
        compile(edited, self.file, "exec")  # what does not compile proves nothing
        return edited


@dataclass
class Attempt:
    """A process that runs tests in a copy of the tree. mutant: None without an edit."""

    mutant: Mutant | None
    root: Path
    tests: tuple[str, ...]
    seconds: float
    process: int = 0
    began: float = 0.0
    intact: str = ""  # of the file that is edited

    def begin(self) -> None:
        """Make the edit and start the tests."""
        self.began = time.monotonic()
        if self.mutant is not None:
            path = self.root / self.mutant.file
            self.intact = path.read_text(encoding="utf-8")
            path.write_text(self.mutant.edited(self.intact), encoding="utf-8")
        self.process = os.fork()
        if self.process == 0:
            run_tests(self.root, self.tests)

    def ended(self) -> int | None:
        """pytest's exit status once it ended, the edit being undone; None before."""
        ended, status = os.waitpid(self.process, os.WNOHANG)
        code = os.waitstatus_to_exitcode(status)
        if not ended:
            if time.monotonic() - self.began < self.seconds:
                return None
            os.killpg(self.process, signal.SIGKILL)  # and what the tests have started
            os.waitpid(self.process, 0)
            code = TIMED_OUT
        if self.mutant is not None:
            path = self.root / self.mutant.file
            path.write_text(self.intact, encoding="utf-8")
        return code

    @property
    def said(self) -> str:
        """The end of what pytest printed."""
        return output_of(self.root).read_text(errors="replace")[-3000:]


def run_tests(root: Path, tests: Sequence[str]) -> NoReturn:
    """Run pytest in `root`, in a forked process that ends with it."""
    os.setsid()
    out = os.open(output_of(root), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.chdir(root)
    os.environ["PYTHONPATH"] = str(root)
    sys.path[:] = [str(root), *(p for p in sys.path if p != str(LIST.parent))]
    import pytest

    code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests]))
    sys.stdout.flush()
    os._exit(code)


def output_of(root: Path) -> Path:
    return root.with_suffix(".txt")


def read_mutants(path: Path = LIST) -> list[Mutant]:
    """The list, in its order."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    return [Mutant(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]


def copy_tree(root: Path) -> Path:
    """What tests need of the repository, without what earlier runs left behind."""
    root.mkdir(parents=True)
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            leave = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, root / name, ignore=leave)
        else:
            shutil.copy2(source, root / name)
    return root


def try_all(mutants: Sequence[Mutant], roots: list[Path]) -> tuple[list[str], str]:
    """Names of survivors, and what fails without any edit."""
    every = tuple(sorted({test for mutant in mutants for test in mutant.tests}))
    waiting: list[Mutant | None] = [None, *mutants]
    running: list[Attempt] = []
    survivors, broken = [], ""
    while waiting or running:
        if waiting and roots:
            mutant, root = waiting.pop(0), roots.pop()
            # All tests of the unbroken tree in one process: one start for all.
            tests, patience = (mutant.tests, 1) if mutant else (every, len(mutants))
            attempt = Attempt(mutant, root, tests, patience * TIMEOUT_SECONDS)
            attempt.begin()
            running.append(attempt)
        time.sleep(0.02)
        for attempt in list(running):
            code = attempt.ended()
            if code is None:
                continue
            running.remove(attempt)
            if attempt.mutant is None:
                name, word = "the tree as it is", "FAILS" if code else "passes"
                broken = attempt.said if code else ""
            else:
                name = attempt.mutant.name
                word = "SURVIVED" if code in (0, NO_TESTS) else "killed"
                survivors += [name] if word == "SURVIVED" else []
            roots.append(attempt.root)
            say(f"{word:9}{time.monotonic() - attempt.began:6.1f} s  {name}")
    return survivors, broken


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    options = argparse.ArgumentParser(description="Break the program: do tests notice?")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    options.add_argument("--only", nargs="+", metavar="NAME", help="these entries")
    chosen = options.parse_args()
    mutants = read_mutants()
    unknown = sorted(set(chosen.only or ()) - {mutant.name for mutant in mutants})
    if unknown:
        options.error(f"{LIST.name} has no {', '.join(unknown)}")
    if chosen.only:
        mutants = [mutant for mutant in mutants if mutant.name in chosen.only]
    for mutant in mutants:
        try:
            mutant.edited((REPOSITORY / mutant.file).read_text(encoding="utf-8"))
        except (ValueError, OSError, SyntaxError) as error:
            say(f"stale: {error}; mend {LIST.name}")
            return 1
    os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is loaded
    # Bytecode is told from its source by size and second, which an edit may share.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    # The copy lies elsewhere, and tests find real recordings beside the repository.
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    os.environ.setdefault("EAV_TEST_DATA", str(beside))
    for name in LOADED:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory(prefix="eav-mutants-") as folder:
        roots = [copy_tree(Path(folder) / str(i)) for i in range(chosen.jobs)]
        survivors, broken = try_all(mutants, roots)
    if broken:
        say(f"Without any edit, tests fail:\n{broken}")
    for name in sorted(survivors):
        say(f"survived: {name}")
    say(f"survivors: {len(survivors)} of {len(mutants)}")
    return 1 if survivors or broken else 0


if __name__ == "__main__":
    sys.exit(main())
