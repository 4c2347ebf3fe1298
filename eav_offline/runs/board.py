"""What is going on in many jobs: a live board on a terminal, else plain log lines."""

import logging
import sys
import threading
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from eav_offline.runs.jobs import Sign

log = logging.getLogger(__name__)


class Board:
    """Jobs done, at work and failed; of each at work its stage, epoch and loss.

    Called with every `Sign`, from any thread.
    """

    def __init__(self, n_jobs: int, console: Console | None = None) -> None:
        self.n_jobs = n_jobs
        self.done = self.failed = 0
        self._lock = threading.Lock()
        self._rows: dict[str, TaskID] = {}
        self._stages: dict[str, str] = {}
        self._plain = not sys.stderr.isatty() if console is None else False
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console or Console(stderr=True),
            transient=True,
            disable=self._plain,
        )
        self._all = self._bars.add_task(self.summary, total=n_jobs)

    @property
    def summary(self) -> str:
        """One line on all jobs."""
        return f"{self.done} done, {len(self._rows)} at work, {self.failed} failed"

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.stop()

    def __call__(self, sign: Sign) -> None:
        """Show what a job has told."""
        with self._lock:
            if sign.kind == "begun":
                self._begun(sign)
            elif sign.kind == "epoch":
                self._epoch(sign)
            elif sign.kind == "lost":
                log.warning(
                    "%s: its worker on %s (process %d) was lost; it goes on elsewhere",
                    *(sign.name, sign.host, sign.pid),
                )
            else:
                self._ended(sign)
            self._bars.update(
                self._all,
                description=self.summary,
                completed=self.done + self.failed,
            )

    def _begun(self, sign: Sign) -> None:
        if sign.name not in self._rows:
            self._rows[sign.name] = self._bars.add_task(sign.name, total=None)
        if self._plain:
            place = f" on {sign.host}, process {sign.pid}" if sign.host else ""
            log.info("%s begins%s", sign.name, place)

    def _epoch(self, sign: Sign) -> None:
        if sign.name not in self._rows:
            return  # told late, by a worker that is lost
        text = f"{sign.name} {sign.stage}, loss {sign.loss:.3f}"
        self._bars.update(
            self._rows[sign.name],
            description=text,
            completed=sign.epoch,
            total=sign.epochs,
        )
        if self._plain and self._stages.get(sign.name) != sign.stage:
            self._stages[sign.name] = sign.stage
            log.info("%s, epoch %d of %d", text, sign.epoch, sign.epochs)

    def _ended(self, sign: Sign) -> None:
        row = self._rows.pop(sign.name, None)
        if row is not None:
            self._bars.remove_task(row)
        if sign.kind == "failed":
            self.failed += 1
            if sign.error:  # empty if it was logged where it failed: here
                log.error("%s failed: %s", sign.name, sign.error)
        else:
            self.done += 1
        if self._plain:
            log.info(
                "%s %s; of %d: %s", sign.name, sign.kind, self.n_jobs, self.summary
            )
