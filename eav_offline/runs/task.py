"""A job that travels, and how it is done where it runs.

A `Task` is a function that can be imported, its job and its settings. `perform` does
it: its folder locked, its log kept; a failure is an answer too. `perform_on_worker`
does so on a worker of Dask, and tells how far it is.
"""

import contextlib
import ctypes
import dataclasses
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from eav_offline.common.errors import InputRefused, plain_words
from eav_offline.common.files import naming
from eav_offline.training.runtime import Progress, choose_device

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
    """Nobody else writes the task's folder meanwhile, on any computer."""
    assert task.out is not None
    path = task.out / LOCKS / f"{task.name.replace('/', '-')}.lock"
    with locked(
        path,
        LOCK_SECONDS,
        f"another process has been writing {task.folder} for {LOCK_SECONDS:.0f} s; "
        "wait for it or end it, then give the same command again",
    ):
        yield


@contextlib.contextmanager
def locked(path: Path, seconds: float, refusal: str) -> Iterator[None]:
    """Nobody else has this lock meanwhile, on any computer.

    It is the operating system's: it goes with its process, however that ends. Raises
    InputRefused, in these words, if another process keeps it for so long.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=seconds, poll_interval=0.1)
    except Timeout as error:
        raise InputRefused(refusal) from error
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
