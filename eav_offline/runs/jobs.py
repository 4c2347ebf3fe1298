"""Many jobs, here or on many workers: sent out, followed, tried again.

`run_tasks` does tasks in this process or on the workers of a `Cluster` (see `workers`)
and yields their answers as they come; a failure is an answer too. No more than tasks
and answers goes over the wire: data are read, and runs written, in folders that workers
share. A `Board` shows what is going on: live on a terminal, else in plain log lines.
"""

import contextlib
import logging
import os
import sys
import threading
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from eav_offline.runs.task import (
    FAILED,
    JobContext,
    Task,
    given_up,
    perform,
    perform_on_worker,
)

if TYPE_CHECKING:
    from distributed import Client, Future


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cluster:
    """Workers that can be asked.

    size: how many there are, None if they come and go. threads: of torch in a job, None
    as the worker has it.
    """

    client: "Client"
    size: int | None
    threads: int | None


@dataclass(frozen=True)
class JobEvent:
    """Something that a task has told of itself.

    kind: "begun", "epoch" (of a stage), "lost" (its worker ended; it begins again
    elsewhere) or what has become of it: "done", "kept", "failed".
    """

    kind: str
    name: str
    host: str = ""
    pid: int = 0
    stage: str = ""
    epoch: int = 0
    epochs: int = 0
    loss: float = 0.0
    error: str = ""


Watch = Callable[[JobEvent], None]


def ignore(event: JobEvent) -> None:
    """Watch nothing."""


def run_tasks(
    tasks: Sequence[Task], cluster: Cluster | None = None, watch: Watch = ignore
) -> Generator[dict[str, Any], None, None]:
    """Do all tasks and yield what became of each, in the order they end.

    cluster: None does them one after another in this process. watch: called with what
    tasks tell, from this thread or another. A task whose worker is lost is done
    elsewhere; it fails if that has happened three times without its getting further.
    When the iterator is closed, tasks still at work end within seconds.
    """
    if cluster is None:
        yield from _in_turn(tasks, watch)
    else:
        yield from _Crowd(cluster, watch).run(tasks)


def _in_turn(tasks: Sequence[Task], watch: Watch) -> Iterator[dict[str, Any]]:
    for task in tasks:
        watch(JobEvent("begun", task.name, pid=os.getpid()))

        def progress(
            stage: str, epoch: int, epochs: int, loss: float, name: str = task.name
        ) -> None:
            told = (stage, epoch, epochs, loss)
            watch(JobEvent("epoch", name, "", os.getpid(), *told))

        outcome = perform(task, progress)  # which has logged a failure here already
        watch(JobEvent(outcome["status"], task.name))
        yield outcome


@dataclass
class _Crowd:
    """Tasks on a cluster."""

    cluster: Cluster
    watch: Watch
    topic: str = field(default_factory=lambda: f"eav-offline-{uuid.uuid4().hex}")
    epochs: dict[str, int] = field(default_factory=dict)  # told since last sent out
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    blind: set[str] = field(default_factory=set)  # hosts that do not see our folders

    def run(self, tasks: Sequence[Task]) -> Iterator[dict[str, Any]]:
        from distributed import as_completed

        client = self.cluster.client
        client.subscribe_topic(self.topic, self._heard)
        waiting: dict[Future, tuple[int, Task]] = {}
        with self._markers(tasks) as markers:
            try:
                for order, task in enumerate(tasks):
                    waiting[self._send(task, order, markers)] = (order, task)
                ended = as_completed(list(waiting), loop=client.loop)
                for future in ended:
                    order, task = waiting.pop(future)
                    outcome = self._outcome(future, task)
                    if outcome is None:
                        future = self._send(task, order, markers)
                        waiting[future] = (order, task)
                        ended.add(future)
                        continue
                    error = outcome.get("error", "")
                    self.watch(JobEvent(outcome["status"], task.name, error=error))
                    yield outcome
            finally:
                with contextlib.suppress(Exception):  # the scheduler may have gone
                    client.cancel(list(waiting), force=True)
                    client.unsubscribe_topic(self.topic)

    def _send(self, task: Task, order: int, markers: dict[Path, Path]) -> "Future":
        self.epochs[task.name] = 0
        context = JobContext(
            self.topic,
            None if task.out is None else markers[task.out],
            self.cluster.threads,
            Path.cwd(),
        )
        return self.cluster.client.submit(
            perform_on_worker,
            task,
            context,
            # A job given up by an earlier command may still be known by its name.
            key=f"{task.name}-{uuid.uuid4().hex}",
            priority=-order,
            pure=False,
        )

    def _outcome(self, future: "Future", task: Task) -> dict[str, Any] | None:
        """The answer of a task, None if it is to be sent out again."""
        from distributed import KilledWorker

        if future.status == "finished":
            answer: dict[str, Any] = future.result()
            return answer
        if future.status != "error":
            return given_up(
                task,
                "the connection to the scheduler was lost; give the same command again "
                "and it goes on",
            )
        error = future.exception()
        if not isinstance(error, KilledWorker):
            return given_up(task, f"{type(error).__name__}: {error}")
        if self.epochs[task.name]:  # such as a queue that ends workers after an hour
            log.info("%s got further before its workers ended; again", task.name)
            return None
        return given_up(
            task,
            f"its worker was lost {error.allowed_failures + 1} times before an epoch "
            "was finished; give workers more memory, or take fewer (--jobs)",
        )

    def _heard(self, event: tuple[float, dict[str, Any]]) -> None:
        _, told = event
        kind, name, host = told["kind"], told["name"], told["host"]
        if kind == "unseen":
            if host not in self.blind:
                self.blind.add(host)
                log.warning(
                    "The folder of results is not visible from %s: runs made there "
                    "stay there. Give --out on storage that all workers share",
                    host,
                )
            return
        if kind == "begun":
            place = (host, told["pid"])
            if name in self.places:
                self.watch(JobEvent("lost", name, *self.places[name]))
            self.places[name] = place
        elif kind == "epoch":
            self.epochs[name] = self.epochs.get(name, 0) + 1
        known = JobEvent.__dataclass_fields__
        self.watch(JobEvent(**{key: told[key] for key in told if key in known}))

    @contextlib.contextmanager
    def _markers(self, tasks: Sequence[Task]) -> Iterator[dict[Path, Path]]:
        """A file in each folder of results, for workers to see that they see it."""
        markers = {
            out: (out / f".{self.topic}").resolve()
            for out in {task.out for task in tasks if task.out is not None}
        }
        for marker in markers.values():
            marker.parent.mkdir(parents=True, exist_ok=True)
            marker.touch()
        try:
            yield markers
        finally:
            for marker in markers.values():
                marker.unlink(missing_ok=True)


class Board:
    """Jobs done, at work and failed; of each at work its stage, epoch and loss.

    Called with every `JobEvent`, from any thread.
    """

    def __init__(self, n_jobs: int) -> None:
        self.n_jobs = n_jobs
        self.done = self.failed = 0
        self._lock = threading.Lock()
        self._rows: dict[str, TaskID] = {}
        self._stages: dict[str, str] = {}
        self._plain = not sys.stderr.isatty()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
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
                self._all, description=self.summary, completed=self.done + self.failed
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


def outcome_lines(outcomes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which runs failed and why, and which were made anew and how their data differ."""
    lines = []
    failed = [one for one in outcomes if one["status"] == FAILED]
    if failed:
        lines.append(f"{len(failed)} of {len(outcomes)} runs failed:")
        lines += [f"  {one['name']}: {one['error']}" for one in failed]
    anew = [one for one in outcomes if one.get("changed")]
    if anew:
        lines.append(
            f"{len(anew)} of {len(outcomes)} runs were made anew, their data have "
            "changed:"
        )
        lines += [f"  {one['name']}: {one['changed']}" for one in anew]
    return lines
