"""A few processes that share work, drawing items as they need them, and end cleanly."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, resource_tracker
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers(Generic[Item, Result]):
    """Apply `work(state, item)` to items in `jobs` spawned processes.

    start: makes each process's state, such as a detector; called once there. Both it
    and `work` must be picklable. With one job all is done in this process.
    Leaving the context drops what is left; after an error, Ctrl-C included, also the
    items in hand, so `work` should write whole files or none. Ctrl-C reaches the
    calling process alone, and workers end with it even if it is killed.
    """

    def __init__(
        self, jobs: int, start: Callable[[], Any], work: Callable[[Any, Item], Result]
    ) -> None:
        self._jobs = jobs
        self._start = start
        self._work = work
        self._pool: ProcessPoolExecutor | None = None
        # Workers hold one end, and end once nobody holds the other.
        self._ends: tuple[Connection, Connection] | None = None
        self._state: Any = None

    def __enter__(self) -> "Workers[Item, Result]":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._pool is None or self._ends is None:
            return
        theirs, ours = self._ends
        if kind is not None:
            # What is still being sent to workers that end waits for ever before Python
            # 3.11.5, such as Debian 12's (github.com/python/cpython/issues/94777).
            self._pool._call_queue._reader.close()  # type: ignore[attr-defined]
            ours.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        ours.close()
        theirs.close()
        self._pool = self._ends = None

    def map(self, items: Iterable[Item]) -> Iterator[Result]:
        """Results in the order they are finished.

        Items are drawn at most two a process ahead, so they may be large. Raises
        RuntimeError if a process dies.
        """
        if self._jobs == 1:
            if self._state is None:
                self._state = self._start()
            for item in items:
                yield self._work(self._state, item)
            return
        pending: set[Future[Result]] = set()
        try:
            for item in items:
                if len(pending) >= 2 * self._jobs:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
                pending.add(self._submit(item))
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        except BrokenProcessPool as error:
            raise RuntimeError(
                "a worker process ended abruptly, perhaps for want of memory; run the "
                "command again, with --jobs 1, and it goes on from here"
            ) from error

    def _submit(self, item: Item) -> "Future[Result]":
        with ctrl_c_held():
            if self._pool is None:
                # A forked torch or FFmpeg may hang on locks of other threads.
                context = multiprocessing.get_context("spawn")
                self._ends = context.Pipe(duplex=False)
                self._pool = ProcessPoolExecutor(
                    self._jobs,
                    mp_context=context,
                    initializer=_begin,
                    initargs=(self._start, self._work, self._ends[0]),
                )
            return self._pool.submit(_apply, item)


_job: tuple[Callable[[Any, Any], Any], Any] | None = None  # of a worker process


def _begin(
    start: Callable[[], Any], work: Callable[[Any, Any], Any], end: Connection
) -> None:
    global _job
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(end,), daemon=True).start()
    _job = (work, start())


def _apply(item: Any) -> Any:
    assert _job is not None
    work, state = _job
    return work(state, item)


def _end_with(end: Connection) -> None:
    # A pool's workers wait for ever if their parent is killed.
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([end, parent.sentinel])
        os._exit(1)


@contextmanager
def ctrl_c_held() -> Iterator[None]:
    """Threads and processes that begin in here never see Ctrl-C, unless they ask to."""
    # Processes inherit the mask: until `_begin` runs, Ctrl-C would end them with a
    # traceback each.
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # would lift the mask if it were started later
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
