"""What the programs share at the terminal: exit codes, logging, JSON output."""

import json
import logging
import os
import shlex
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Self

from eav_offline.common.errors import (
    LOST_LETTERS,
    InputRefused,
    has_lost_letters,
    is_disk_full,
    plain_words,
)
from eav_offline.common.files import naming

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130

log = logging.getLogger(__name__)


def configure_logging(verbose: bool) -> None:
    """Log to stderr; a terminal gets colors, a file plain lines."""
    level = logging.DEBUG if verbose else logging.INFO
    handler: logging.Handler
    if sys.stderr.isatty():
        from rich.console import Console  # --help need not wait for it
        from rich.logging import RichHandler

        handler = RichHandler(
            console=Console(stderr=True), show_path=False, log_time_format="%H:%M:%S"
        )
        handler.setFormatter(logging.Formatter("%(message)s"))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")
        )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    if not is_first_process():
        level = logging.WARNING
    for package in ("eav_live", "eav_offline", "__main__"):
        logging.getLogger(package).setLevel(level)


def is_first_process() -> bool:
    """Whether this process speaks for those that `torchrun` started beside it."""
    return os.environ.get("RANK", "0") == "0"


def run(main: Callable[[], int]) -> int:
    """Call `main` and turn what it raises into an exit code.

    0 done, 1 failed, 2 input refused, 130 ended by Ctrl-C or SIGTERM.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if has_lost_letters("".join(sys.argv)):
            raise InputRefused(LOST_LETTERS)
        return main()
    except KeyboardInterrupt:
        log.info("Interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        sys.stderr.close()
        return FAILED
    except MemoryError:
        log.error("Out of memory: choose fewer subjects or a smaller --jobs")
        return FAILED
    except Exception as error:
        return tell(error)


def tell(error: Exception) -> int:
    """Say at the terminal what went wrong; returns the exit status."""
    words = plain_words(error)
    if words is None:
        log.error("Failed", exc_info=error)
        return FAILED
    sys.stderr.write(f"error: {words}\n")
    return FAILED if is_disk_full(error) else REFUSED


def _interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def terminal() -> Callable[[str], str] | None:
    """How to ask at the terminal: the question in, the answer out; None if none is."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    def ask(question: str) -> str:
        sys.stderr.write(question)
        sys.stderr.flush()
        return sys.stdin.readline().strip()

    return ask


def counted(n: int, one: str, many: str | None = None) -> str:
    """A number with its noun: "1 run", "2 runs", "0 people"."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def existing(text: str, option: str) -> Path:
    """The path an option names. Raises InputRefused if nothing is there."""
    path = Path(text).expanduser()
    if not path.exists():
        raise InputRefused(f"{option} {text}: there is no such file or folder")
    return path


def require_folder(folder: Path, option: str) -> None:
    """Raise InputRefused if the folder that an option writes into is not there.

    It is not made: a mistyped path would go unnoticed, with what it holds.
    """
    if not folder.is_dir():
        raise InputRefused(
            f"{option}: there is no folder {folder}; correct the path, or make it: "
            f"mkdir -p {shlex.quote(str(folder))}"
        )


def open_json(target: str, option: str = "--json", mode: int = 0o600) -> IO[str]:
    """Where `--json PATH|-` goes. Raises InputRefused if it cannot be written.

    mode: who may read a new file; estimates tell of a person, so its owner only.
    """
    if target == "-":
        return sys.stdout
    try:
        opener = partial(os.open, mode=mode)
        return open(target, "w", encoding="utf-8", opener=opener)
    except OSError as error:
        raise InputRefused(
            f"{option} {target} cannot be written: {error.strerror}"
        ) from error


def write_json(target: str | None, value: object) -> None:
    """Write one JSON document to `--json`'s target, if there is one."""
    if target is None:
        return
    folder = Path(target).parent
    if not folder.exists():  # now that it is there, the result is not to be lost
        log.info("Making the folder %s", folder)
        with suppress(OSError):  # which is told when the file is opened
            folder.mkdir(parents=True)
    stream = open_json(target, mode=0o666)
    with naming(target):
        try:
            json.dump(value, stream, indent=2)
            stream.write("\n")
            stream.flush()
        finally:
            if stream is not sys.stdout:
                stream.close()


class ProgressBar:
    """One bar on a terminal; without one, a log line at every tenth."""

    def __init__(self, title: str) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._title = title
        self._shown = -1
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task(title, total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` steps are behind us."""
        self._bar.update(self._task, completed=done, total=total)
        tenth = done * 10 // max(1, total)
        if self._bar.disable and tenth != self._shown:
            log.info("%s: %d of %d", self._title, done, total)
        self._shown = tenth

    def stage(self, stage: str, epoch: int, epochs: int, loss: float) -> None:
        """Show an epoch of training."""
        self._bar.update(self._task, description=f"Training {stage}, loss {loss:.3f}")
        self._title = f"Training {stage}, loss {loss:.3f}, epochs"
        self(epoch, epochs)
