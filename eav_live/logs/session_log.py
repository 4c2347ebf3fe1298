"""The log of a session: a rotating file, states as they change, figures by the minute.

It says how streams and the program do, and nothing of what was recognized.
"""

import logging
import sys
import threading
from collections.abc import Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import platformdirs

from eav_live.recognition.predictions import (
    STREAMING,
    Prediction,
    StreamHealth,
    StreamState,
)
from eav_offline.common.errors import InputRefused

if TYPE_CHECKING:
    from eav_live.session.inference import Session

log = logging.getLogger(__name__)

MINUTE = 60.0
FILE_BYTES = 2_000_000  # some thirty hours of an undisturbed session
OLD_FILES = 4
_LOOK_SECONDS = 0.25


def default_log_file() -> Path:
    """Where the log goes if nobody says: the user's folder for logs."""
    return Path(platformdirs.user_log_dir("eav-live")) / "eav-live.log"


def open_log_file(path: Path | None = None) -> logging.Handler | None:
    """Write the log to a file too, until the program ends, and say where it is.

    path: None takes the default file. Returns the handler; None, after a warning, if
    the default file cannot be written. Raises InputRefused if `path` cannot.
    """
    target = path or default_log_file()
    try:
        if path is None:
            target.parent.mkdir(parents=True, exist_ok=True)
        handler = _LogFile(
            target, maxBytes=FILE_BYTES, backupCount=OLD_FILES, encoding="utf-8"
        )
    except OSError as error:
        if path is not None:
            raise InputRefused(
                f"--log {path} cannot be written: {error.strerror}"
            ) from error
        log.warning("No log file: %s cannot be written (%s)", target, error)
        return None
    # Two sessions may write to one file: the process tells whose line it is.
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s")
    )
    logging.getLogger().addHandler(handler)
    log.info("Log file: %s", target)
    return handler


class _LogFile(RotatingFileHandler):
    """A log that cannot be written is said once, and ends nothing."""

    _said = False

    def handleError(self, record: logging.LogRecord) -> None:
        if not self._said:
            self._said = True
            sys.stderr.write(
                f"The log file {self.baseFilename} cannot be written any more: "
                f"{sys.exception()}\n"
            )


class SessionLog:
    """Logs changes of state at once, and rates, gaps and dropped windows by the minute.

    It has a thread of its own; `look` is one step of it, which tests call.
    """

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._seen: dict[str, tuple[StreamState, str]] = {}
        self._counted: dict[str, int] = {}
        self._summed_up = session.clock()
        self._lock = threading.Lock()
        self._ages: list[float] = []
        self._dropped = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        session.subscribe(self.count)

    def start(self) -> None:
        """Begin to look."""
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and sum up what was since the last minute."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_LOOK_SECONDS)
            self._sum_up({} if self._session.stopped else self._session.health())

    def count(self, prediction: Prediction) -> None:
        """Note a window; a subscriber of the session."""
        if not prediction.present:
            return  # nothing was recognized
        with self._lock:
            self._ages.append(prediction.age_s)
            # A window that took longer than a hop cost those that were due meanwhile.
            self._dropped += int(prediction.infer_s // self._session.hop)

    def look(self) -> None:
        """Log what has changed, and once a minute how things are."""
        health = self._session.health()
        if self._session.stopped:
            return  # streams that we have left are not lost
        for name, stream in health.items():
            # A live stream's detail may change with every chunk; the others' is news.
            streaming = stream.state in STREAMING
            news = (stream.state, "" if streaming else stream.detail)
            if self._seen.get(name) != news and stream.state is not StreamState.OFF:
                log.info("%s: %s %s", name, stream.state, stream.detail)
            self._seen[name] = news
        if self._session.clock() - self._summed_up >= MINUTE:
            self._sum_up(health)

    def _sum_up(self, health: Mapping[str, StreamHealth]) -> None:
        self._summed_up = self._session.clock()
        with self._lock:
            ages, self._ages = self._ages, []
            dropped, self._dropped = self._dropped, 0
        streams = [
            f"{name} {_rate(stream)}, {self._new(name, stream)} new gaps"
            for name, stream in health.items()
            if stream.state is not StreamState.OFF
        ]
        if streams:
            log.info("%s", "; ".join(streams))
        if ages:
            p50, p95 = np.percentile(ages, (50, 95))
            log.info(
                "%d windows, %d dropped; age when put out %.0f ms (p50), %.0f ms (p95)",
                len(ages),
                dropped,
                1000 * p50,
                1000 * p95,
            )
        else:
            log.info("no windows")

    def _new(self, name: str, stream: StreamHealth) -> int:
        before = self._counted.get(name, 0)
        self._counted[name] = stream.gaps
        return stream.gaps - before

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            try:
                self.look()
            except Exception:  # a log less must not cost the session
                log.exception("The session's figures are no longer logged")
                return


def _rate(stream: StreamHealth) -> str:
    if stream.state not in STREAMING:
        return str(stream.state)
    return f"{stream.rate:.1f}/s" if stream.rate is not None else "rate not known yet"
