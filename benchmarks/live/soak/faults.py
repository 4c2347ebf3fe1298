"""Senders that are killed, restarted and told to go wrong, each on its own schedule."""

import logging
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eav_live.recognition.predictions import StreamHealth, StreamState

log = logging.getLogger(__name__)

RECOVERY_SECONDS = 15.0  # after which a fault is counted as not recovered from
TRUE_STAMPS = frozenset(("killed", "paused", "burst", "nan", "garbage", "channels"))
# Those that need the sender to be started anew, with what it is started with.
RESTARTS: dict[str, Sequence[str]] = {
    "killed": (),
    "rate": ("--declare", "450"),
    "channels": ("--missing", "8"),
}
KINDS: dict[str, tuple[str, ...]] = {
    "eeg": (
        *("killed", "paused", "burst", "jitter", "ahead", "behind", "loss", "nan"),
        *("rate", "channels"),
    ),
    "audio": ("killed", "paused", "burst", "jitter", "ahead", "behind", "loss"),
    "video": ("killed", "paused", "burst", "jitter", "ahead", "behind", "garbage"),
}
_SECONDS = {"burst": (2.0, 2.0), "rate": (8.0, 10.0), "jitter": (5.0, 10.0)}
_SHORT = (1.5, 6.0)  # seconds that the others last
_QUIET = (4.0, 12.0)  # seconds between a recovery and the next fault of the stream
_GONE = (1.0, 5.0)  # seconds that a killed sender is away


class SenderProcess:
    """A sender (see `soak.sender`) that can be killed; its answers are queued."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.live.soak.sender", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.answers: queue.Queue[tuple[str, float]] = queue.Queue()
        threading.Thread(target=self._read, name="sender", daemon=True).start()

    def order(self, text: str) -> None:
        """Send one line to the sender."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n")
        self._process.stdin.flush()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the sender as a crash does. May be called twice."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                what, _, time = line.partition(" ")
                self.answers.put((what, float(time)))
        except ValueError:  # the pipe was closed under us
            return


@dataclass
class FaultRecord:
    """One fault: seconds on the session's clock.

    over: the data were there again, as they should be. back: the stream was live
    again and nothing was said against it. recovered: its modality was in a window.
    """

    stream: str
    kind: str
    begun: float
    over: float | None = None
    back: float | None = None
    recovered: float | None = None
    missed: bool = False
    seen: str = ""  # what the session said of the stream meanwhile

    @property
    def done(self) -> bool:
        """Whether nothing more will be known."""
        return self.recovered is not None or self.missed

    @property
    def back_s(self) -> float | None:
        """Seconds from good data to a live stream."""
        if self.back is None or self.over is None:
            return None
        return self.back - self.over

    @property
    def recovery_s(self) -> float | None:
        """Seconds from good data to a window with this modality."""
        if self.recovered is None or self.over is None:
            return None
        return self.recovered - self.over


class TroubledStream:
    """One stream's sender, and the faults it is given one after another."""

    def __init__(
        self,
        stream: str,
        name: str,
        subject: Path,
        rng: np.random.Generator,
        start: Callable[[Sequence[str]], SenderProcess] = SenderProcess,
    ) -> None:
        self.stream = stream
        self._arguments = [stream, str(subject), name, "--seed", str(rng.integers(99))]
        self._rng = rng
        self._start = start
        self._deck: list[str] = []
        self._restart_at: float | None = None
        self._restart_with: Sequence[str] = ()
        self._wrong_until: float | None = None
        self._next: float | None = None
        self.records: list[FaultRecord] = []
        self.sender: SenderProcess | None = start(self._arguments)

    @property
    def current(self) -> FaultRecord | None:
        """The fault that is not recovered from yet."""
        return self.records[-1] if self.records and not self.records[-1].done else None

    def step(self, now: float, more: bool) -> None:
        """Begin, go on with and end faults. more: whether to begin new ones."""
        self._listen()
        if self.sender is not None and not self.sender.alive:
            raise RuntimeError(
                f"the sender of {self.stream} ended by itself; its reason is above"
            )
        if self._restart_at is not None and now >= self._restart_at:
            self._restart_at = None
            self.sender = self._start([*self._arguments, *self._restart_with])
        if self._wrong_until is not None and now >= self._wrong_until:
            self._wrong_until = None
            self._kill(now)
            self._restart_at = now + 0.5
        fault = self.current
        if fault is not None:
            self._next = None
            if fault.over is not None and now - fault.over > RECOVERY_SECONDS:
                fault.missed = True
                log.error(
                    "%s: %s was not recovered from; the session says: %s",
                    *(fault.stream, fault.kind, fault.seen or "nothing"),
                )
        elif self._next is None:
            self._next = now + self._rng.uniform(*_QUIET)
        elif now >= self._next and more:
            self._begin(now)

    def note_health(self, health: StreamHealth, now: float) -> None:
        """What the session says of this stream."""
        fault = self.current
        if fault is None:
            return
        quality = health.quality
        said = health.fault or health.notice or (quality.why if quality else "")
        live = health.state in (StreamState.LIVE, StreamState.RETURNED)
        text = str(health.state) if not said else f"{health.state}: {said}"
        if said or not live:
            fault.seen = text
        newest = None if health.age_s is None else now - health.age_s
        if fault.over is None or newest is None or newest < fault.over:
            return
        if fault.back is None and live and not health.fault:
            fault.back = now

    def note_window(self, t: float, present: bool, now: float) -> None:
        """A window that ends at `t` was recognized, with this stream or without."""
        fault = self.current
        if fault is not None and fault.back is not None and present:
            assert fault.over is not None
            if t >= fault.over:
                fault.recovered = now

    def stop(self) -> None:
        """End the sender."""
        if self.sender is not None:
            self.sender.kill()

    def _begin(self, now: float) -> None:
        if not self._deck:
            self._deck = list(self._rng.permutation(KINDS[self.stream]))
        kind = str(self._deck.pop())
        seconds = float(self._rng.uniform(*_SECONDS.get(kind, _SHORT)))
        self.records.append(FaultRecord(self.stream, kind, now))
        log.info("%s: %s", self.stream, kind)
        if kind not in RESTARTS:
            assert self.sender is not None
            self.sender.order(f"{kind} {seconds:.3f}")
            return
        self._kill(now)
        self._restart_with = RESTARTS[kind]
        self._restart_at = now + float(self._rng.uniform(*_GONE))

    def _kill(self, now: float) -> None:
        if self.sender is not None:
            self.sender.kill()
        self.sender, self._restart_with = None, ()

    def _listen(self) -> None:
        sender = self.sender
        while sender is not None and not sender.answers.empty():
            what, time = sender.answers.get()
            fault = self.current
            if fault is None or fault.over is not None:
                continue
            if what == "over" or (what == "streaming" and not self._restart_with):
                fault.over = time
            elif what == "streaming":  # wrongly: it is started once more after a while
                self._wrong_until = time + float(self._rng.uniform(*_SECONDS["rate"]))
