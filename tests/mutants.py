"""Does a test notice when a claim is broken? `./dev mutants` breaks them one by one.

Each entry of mutants.toml is a careless edit that some test must fail on. It is made
in a copy of the tree, its tests are run, and the edit is undone.

    python tests/mutants.py [--jobs N] [--only NAME ...]
"""

import argparse
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
LIST = REPOSITORY / "tests" / "mutants.toml"
COPIED = ("eav_live", "eav_offline", "tests", "configs", "assets", "pyproject.toml")
TIMEOUT_SECONDS = 180.0  # of the tests of one entry, which take a few
NO_TESTS = 5  # pytest's exit status when it found none


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

    def apply(self, root: Path) -> Callable[[], None]:
        """Make the edit below `root`; returns what undoes it."""
        path = root / self.file
        whole = path.read_text(encoding="utf-8")
        path.write_text(self.edited(whole), encoding="utf-8")
        return lambda: path.write_text(whole, encoding="utf-8") and None

    def edited(self, text: str) -> str:
        """The file's text after the edit. Raises ValueError if the entry is stale."""
        n = text.count(self.before)
        if n != 1:
            raise ValueError(f"{self.name}: found {n} times in {self.file}, not once")
        edited = text.replace(self.before, self.after)
        compile(edited, self.file, "exec")  # what does not compile proves nothing
        return edited


def read_mutants(path: Path = LIST) -> list[Mutant]:
    """The list, in its order."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    return [Mutant(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]


def run_tests(root: Path, tests: Sequence[str], timeout: float) -> tuple[int, str]:
    """pytest's exit status (-1 if it took too long) and what it printed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    # Bytecode of all packages is made once, beside the copies; most time is start-up.
    settings = {
        "PYTHONPATH": str(root),
        "PYTHONPYCACHEPREFIX": str(root.parent / "bytecode"),
        "PYTHONDONTWRITEBYTECODE": "",
        "OMP_NUM_THREADS": "1",
    }
    process = subprocess.Popen(
        [*command, *tests],
        cwd=root,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # and what the tests have started
        process.communicate()
        return -1, "took too long"
    return process.returncode, said


def broken_tests(root: Path, mutants: Sequence[Mutant]) -> list[str]:
    """Messages of test sets that fail, or find no test, without any edit."""
    sets = sorted({m.tests for m in mutants})
    every = sorted({test for tests in sets for test in tests})
    if run_tests(root, every, 20 * TIMEOUT_SECONDS)[0] == 0:  # one start for all
        return []
    found = [(tests, *run_tests(root, tests, TIMEOUT_SECONDS)) for tests in sets]
    return [
        f"unmutated, {' '.join(tests)} does not pass:\n{said[-2000:]}"
        for tests, status, said in found
        if status != 0
    ]


def survives(root: Path, mutant: Mutant) -> bool:
    """Whether its tests pass though the edit is made."""
    undo = mutant.apply(root)
    try:
        return run_tests(root, mutant.tests, TIMEOUT_SECONDS)[0] in (0, NO_TESTS)
    finally:
        undo()


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options.add_argument("--only", nargs="+", metavar="NAME", help="these entries")
    chosen = options.parse_args()
    mutants = read_mutants()
    if chosen.only:
        unknown = sorted(set(chosen.only) - {m.name for m in mutants})
        if unknown:
            options.error(f"{LIST.name} has no {', '.join(unknown)}")
        mutants = [m for m in mutants if m.name in chosen.only]
    errors: list[str] = []
    survivors: list[str] = []
    for mutant in mutants:
        try:
            mutant.edited((REPOSITORY / mutant.file).read_text(encoding="utf-8"))
        except (ValueError, OSError, SyntaxError) as error:
            errors.append(f"stale: {error}")
    if errors:
        say("\n".join(errors))
        return 1
    with tempfile.TemporaryDirectory(prefix="eav-mutants-") as folder:
        roots: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for number in range(chosen.jobs):
            roots.put(copy_tree(Path(folder) / str(number)))

        def attempt(mutant: Mutant | None) -> None:
            root, began = roots.get(), time.monotonic()
            try:
                if mutant is None:
                    errors.extend(broken_tests(root, mutants))
                    word = "FAILS" if errors else "passes"
                elif survives(root, mutant):
                    survivors.append(mutant.name)
                    word = "SURVIVED"
                else:
                    word = "killed"
            finally:
                roots.put(root)
            name = mutant.name if mutant else "the tree as it is"
            say(f"{word:9}{time.monotonic() - began:6.1f} s  {name}")

        with ThreadPoolExecutor(chosen.jobs) as pool:
            list(pool.map(attempt, [None, *mutants]))
    for error in errors:
        say(error)
    for name in sorted(survivors):
        say(f"survived: {name}")
    say(f"survivors: {len(survivors)} of {len(mutants)}")
    return 1 if survivors or errors else 0


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def copy_tree(root: Path) -> Path:
    """What tests need of the repository, without what earlier runs left behind."""
    root.mkdir(parents=True)
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            leave = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(source, root / name, ignore=leave)
        else:
            shutil.copy2(source, root / name)
    return root


if __name__ == "__main__":
    sys.exit(main())
