"""The same jobs on many workers: sent out, followed, tried again, gathered.

`run_tasks` does tasks in this process or on the workers of a `Cluster` (see
`cluster_workers`) and yields their answers as they come. No more than tasks and answers
goes over the wire: data are read, and runs written, in folders that workers share.
"""

import contextlib
import logging
import os
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eav_offline.cluster_task import (
    Errand,
    Task,
    failure,
    perform,
    perform_on_worker,
)

if TYPE_CHECKING:
    from distributed import Client, Future

log = logging.getLogger(__name__)

__all__ = ["Cluster", "Sign", "Task", "run_tasks"]


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
class Sign:
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


Watch = Callable[[Sign], None]


def run_tasks(
    tasks: Sequence[Task], cluster: Cluster | None, watch: Watch
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
        watch(Sign("begun", task.name, pid=os.getpid()))

        def progress(
            stage: str, epoch: int, epochs: int, loss: float, name: str = task.name
        ) -> None:
            watch(
                Sign(
                    "epoch",
                    name,
                    pid=os.getpid(),
                    stage=stage,
                    epoch=epoch,
                    epochs=epochs,
                    loss=loss,
                )
            )

        outcome = perform(task, progress)  # which has logged a failure here already
        watch(Sign(outcome["status"], task.name))
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
        with self._beacons(tasks) as beacons:
            try:
                for order, task in enumerate(tasks):
                    waiting[self._send(task, order, beacons)] = (order, task)
                ended = as_completed(list(waiting), loop=client.loop)
                for future in ended:
                    order, task = waiting.pop(future)
                    outcome = self._outcome(future, task)
                    if outcome is None:
                        future = self._send(task, order, beacons)
                        waiting[future] = (order, task)
                        ended.add(future)
                        continue
                    error = outcome.get("error", "")
                    self.watch(Sign(outcome["status"], task.name, error=error))
                    yield outcome
            finally:
                with contextlib.suppress(Exception):  # the scheduler may have gone
                    client.cancel(list(waiting), force=True)
                    client.unsubscribe_topic(self.topic)

    def _send(self, task: Task, order: int, beacons: dict[Path, Path]) -> "Future":
        self.epochs[task.name] = 0
        errand = Errand(
            self.topic,
            None if task.out is None else beacons[task.out],
            self.cluster.threads,
            Path.cwd(),
        )
        return self.cluster.client.submit(
            perform_on_worker,
            task,
            errand,
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
            return failure(
                task,
                "the connection to the scheduler was lost; give the same command again "
                "and it goes on",
            )
        error = future.exception()
        if not isinstance(error, KilledWorker):
            return failure(task, f"{type(error).__name__}: {error}")
        if self.epochs[task.name]:  # such as a queue that ends workers after an hour
            log.info("%s got further before its workers ended; again", task.name)
            return None
        return failure(
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
                self.watch(Sign("lost", name, *self.places[name]))
            self.places[name] = place
        elif kind == "epoch":
            self.epochs[name] = self.epochs.get(name, 0) + 1
        known = Sign.__dataclass_fields__
        self.watch(Sign(**{key: told[key] for key in told if key in known}))

    @contextlib.contextmanager
    def _beacons(self, tasks: Sequence[Task]) -> Iterator[dict[Path, Path]]:
        """A file in each folder of results, for workers to see that they see it."""
        beacons = {
            out: (out / f".{self.topic}").resolve()
            for out in {task.out for task in tasks if task.out is not None}
        }
        for beacon in beacons.values():
            beacon.parent.mkdir(parents=True, exist_ok=True)
            beacon.touch()
        try:
            yield beacons
        finally:
            for beacon in beacons.values():
                beacon.unlink(missing_ok=True)
