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

from eav_offline.runs.jobs import JobEvent

log = logging.getLogger(__name__)


class Board:
    """Jobs done, at work and failed; of each at work its stage, epoch and loss.

    Called with every `JobEvent`, from any thread.
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

    def __call__(self, event: JobEvent) -> None:
        """Show what a job has told."""
        with self._lock:
            if event.kind == "begun":
                self._begun(event)
            elif event.kind == "epoch":
                self._epoch(event)
            elif event.kind == "lost":
                log.warning(
                    "%s: its worker on %s (process %d) was lost; it goes on elsewhere",
                    *(event.name, event.host, event.pid),
                )
            else:
                self._ended(event)
            self._bars.update(
                self._all,
                description=self.summary,
                completed=self.done + self.failed,
            )

    def _begun(self, event: JobEvent) -> None:
        if event.name not in self._rows:
            self._rows[event.name] = self._bars.add_task(event.name, total=None)
        if self._plain:
            place = f" on {event.host}, process {event.pid}" if event.host else ""
            log.info("%s begins%s", event.name, place)

    def _epoch(self, event: JobEvent) -> None:
        if event.name not in self._rows:
            return  # told late, by a worker that is lost
        text = f"{event.name} {event.stage}, loss {event.loss:.3f}"
        self._bars.update(
            self._rows[event.name],
            description=text,
            completed=event.epoch,
            total=event.epochs,
        )
        if self._plain and self._stages.get(event.name) != event.stage:
            self._stages[event.name] = event.stage
            log.info("%s, epoch %d of %d", text, event.epoch, event.epochs)

    def _ended(self, event: JobEvent) -> None:
        row = self._rows.pop(event.name, None)
        if row is not None:
            self._bars.remove_task(row)
        if event.kind == "failed":
            self.failed += 1
            if event.error:  # empty if it was logged where it failed: here
                log.error("%s failed: %s", event.name, event.error)
        else:
            self.done += 1
        if self._plain:
            log.info(
                "%s %s; of %d: %s", event.name, event.kind, self.n_jobs, self.summary
            )
