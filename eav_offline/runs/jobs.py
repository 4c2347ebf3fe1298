"""Many jobs, here or on many workers: sent out, followed, tried again.

A `Task` is what travels: a function that can be imported, its job and its settings.
`run_tasks` does tasks in this process or on the workers of a `Cluster` (see `workers`)
and yields their answers as they come; a failure is an answer too. `perform` does one
where it runs: its folder locked, its log kept, its progress told. No more than tasks
and answers goes over the wire: data are read, and runs written, in folders that workers
share.
"""

import contextlib
import ctypes
import dataclasses
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from filelock import FileLock, Timeout

from eav_offline.common.errors import InputRefused, plain_words
from eav_offline.common.files import naming
from eav_offline.training.runtime import Progress, choose_device

if TYPE_CHECKING:
    from distributed import Client, Future


log = logging.getLogger(__name__)
LOG_FILE = "log.txt"
LOCKS = ".locks"  # beside the runs, so that a lock outlives its folder's removal
LOCK_SECONDS = 60.0  # a worker that was cut off stops by itself well before
WATCH_SECONDS = 0.5
DONE, KEPT, FAILED = "done", "kept", "failed"


@dataclass(frozen=True)
class JobSettings:
    """What all jobs that are done together share, whatever they are.

    device: of torch; "auto" is a GPU if there is one where the job is done.
    """

    device: str = field(default="cpu", kw_only=True)


Work = Callable[[Any, Any, Progress | None], dict[str, Any]]


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


@dataclass(frozen=True)
class Task:
    """A job to be done somewhere.

    name: its key among all tasks, and its folder below `out`. function: called with
    job, settings and a callback for epochs; it must be importable by name, and calling
    it again must do no harm. Its answer is plain values, with a `status`. out: the
    folder that holds the job's own, None if it writes nothing. about: plain values that
    say whose job it is, for its answer if it fails.
    """

    name: str
    function: Work
    job: Any
    settings: JobSettings
    out: Path | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path | None:
        """Where the job writes."""
        return None if self.out is None else self.out / self.name


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
            watch(
                JobEvent(
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


class Stopped(BaseException):
    """The job is not wanted any more; no `except Exception` of a job holds it."""


def perform(task: Task, progress: Progress | None = None) -> dict[str, Any]:
    """Do a task here; a failure is an answer: `status` "failed" and `error`."""
    try:
        if task.folder is None:
            return _attempt(task, progress)
        with _locked(task), _logged(task.folder / LOG_FILE):
            return _attempt(task, progress)
    except Exception as error:  # of the folder, its lock or its log
        return _failure(task, error)


def _attempt(task: Task, progress: Progress | None) -> dict[str, Any]:
    device = choose_device(task.settings.device)
    settings = dataclasses.replace(task.settings, device=device)
    try:
        return task.function(task.job, settings, progress)
    except Exception as error:  # one job's misfortune is not the others'
        return _failure(task, error)


def _failure(task: Task, error: Exception) -> dict[str, Any]:
    """Log why a task failed, and say it.

    What was refused, or what the disk would not take, is told in one line; anything
    else is a fault of the program, whose trace is wanted.
    """
    words = plain_words(error)
    if words is None:
        log.exception("%s failed", task.name)
    else:
        log.error("%s failed: %s", task.name, words)
    return given_up(task, f"{type(error).__name__}: {words or error}")


def given_up(task: Task, error: str) -> dict[str, Any]:
    """The answer of a task that came to nothing."""
    return {"name": task.name, **task.about, "status": FAILED, "error": error}


@dataclass(frozen=True)
class JobContext:
    """What a worker is told beside its task.

    topic: of the events it sends. marker: a file that it sees if it sees the folder of
    results. threads: of torch, None leaves them. here: the folder that relative paths
    begin from.
    """

    topic: str
    marker: Path | None
    threads: int | None
    here: Path


def perform_on_worker(task: Task, context: JobContext) -> dict[str, Any]:
    """Do a task on a worker of Dask, and tell how far it is.

    Ends within a second after Dask has taken the task away, because the command that
    wanted it was ended or because it is being done elsewhere.
    """
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    about = {"name": task.name, "host": socket.gethostname(), "pid": os.getpid()}

    def tell(kind: str, **more: Any) -> None:
        worker.log_event(context.topic, {"kind": kind, **about, **more})

    def progress(stage: str, epoch: int, epochs: int, loss: float) -> None:
        tell("epoch", stage=stage, epoch=epoch, epochs=epochs, loss=float(loss))

    def wanted() -> bool:
        state = worker.state.tasks.get(key)
        return state is not None and state.state in ("executing", "long-running")

    with _one_at_a_time:  # torch's random numbers belong to the whole process
        logging.getLogger("eav_offline").setLevel(logging.INFO)
        if context.here.is_dir():
            os.chdir(context.here)
        if context.threads is not None:
            torch.set_num_threads(context.threads)
        if context.marker is not None and not context.marker.exists():
            tell("unseen")
        tell("begun")
        try:
            with _stopped_unless(wanted):
                return perform(task, progress)
        except Stopped:
            return given_up(task, "stopped")


_one_at_a_time = threading.Lock()


@contextlib.contextmanager
def _locked(task: Task) -> Iterator[None]:
    """Nobody else writes the task's folder meanwhile, on any computer.

    The lock is the operating system's: it goes with its process, however that ends.
    Raises InputRefused if another process keeps it.
    """
    assert task.out is not None
    path = task.out / LOCKS / f"{task.name.replace('/', '-')}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=LOCK_SECONDS, poll_interval=0.1)
    except Timeout as error:
        raise InputRefused(
            f"another process has been writing {task.folder} for {LOCK_SECONDS:.0f} s; "
            "wait for it or end it, then give the same command again"
        ) from error
    try:
        yield
    finally:
        lock.release()


class _LogFile(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        pass  # a full disk is told once, by what the job itself cannot write


@contextlib.contextmanager
def _logged(path: Path) -> Iterator[None]:
    """What this package logs meanwhile is also appended to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = _LogFile(path, encoding="utf-8")
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logger = logging.getLogger("eav_offline")
    logger.addHandler(handler)
    log.info("on %s, process %d", socket.gethostname(), os.getpid())
    try:
        yield
    finally:
        logger.removeHandler(handler)
        with naming(path):
            handler.close()


@contextlib.contextmanager
def _stopped_unless(wanted: Callable[[], bool]) -> Iterator[None]:
    """Raise Stopped in this thread, amid its work, once `wanted` says no."""
    thread = threading.get_ident()
    over = threading.Event()
    deciding = threading.Lock()

    def watch() -> None:
        while not over.wait(WATCH_SECONDS):
            if wanted():
                continue
            with deciding:
                if not over.is_set():
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(
                        ctypes.c_ulong(thread), ctypes.py_object(Stopped)
                    )
            return

    watcher = threading.Thread(target=watch, name="still wanted?", daemon=True)
    watcher.start()
    try:
        yield
        with deciding:
            over.set()
        time.sleep(0)  # if it was raised just now, it arrives here
    finally:
        over.set()


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
