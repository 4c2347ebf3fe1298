"""What waits to be written: bounded, so that a slow disk costs data and not memory."""

import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eav_live.streams import Arrival

MAX_BYTES = 128_000_000  # minutes of EEG and sound, or 20 s of 640x480 frames
MAX_ITEMS = 20_000
_FRAMES_SHARE = 0.75


@dataclass(frozen=True)
class Item:
    """One thing to be written: an arrival, or rows of the session's own streams.

    rows: the stream's name, values (1, width) and stamp, seconds, of each. what: is
    lost with it.
    """

    what: str
    arrival: Arrival | None = None
    rows: tuple[tuple[str, np.ndarray, float], ...] = ()

    @property
    def stamps(self) -> Sequence[float]:
        """(n,) seconds, at least one."""
        if self.arrival is not None:
            return self.arrival.stamps.tolist()
        return [self.rows[0][2]]

    @property
    def n_bytes(self) -> int:
        """Roughly, for the bound."""
        return 200 + (self.arrival.values.nbytes if self.arrival is not None else 0)


@dataclass(frozen=True)
class Loss:
    """What of a stream was not written: how much, first and last stamp in seconds."""

    n: int
    first: float
    last: float


class Backlog:
    """A queue that never makes anybody wait: what does not fit is lost and counted."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Item] = queue.Queue(MAX_ITEMS)
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self.n_bytes = 0
        self.lost = 0  # items
        self.losses: dict[str, Loss] = {}

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return self._queue.empty()

    def put(self, item: Item) -> None:
        """Queue an item, or count it as lost."""
        arrival = item.arrival
        # Frames give way first, and never markers and predictions, which are small.
        is_frame = arrival is not None and arrival.modality == "video"
        room = MAX_BYTES * (_FRAMES_SHARE if is_frame else 1)
        with self._lock:
            if arrival is None or self.n_bytes + item.n_bytes <= room:
                try:
                    self._queue.put_nowait(item)
                except queue.Full:
                    pass
                else:
                    self.n_bytes += item.n_bytes
                    if arrival is not None:
                        before = self._counts.get(arrival.modality, 0)
                        self._counts[arrival.modality] = before + len(arrival.stamps)
                    return
            self._lose(item)

    def lose(self, item: Item | None) -> None:
        """Count as lost all that waits, and an item that was taken but not written."""
        with self._lock:
            if item is not None:
                self._lose(item)
            while not self._queue.empty():
                self._lose(self._queue.get_nowait())

    def _lose(self, item: Item) -> None:
        self.lost += 1
        first, last = item.stamps[0], item.stamps[-1]
        known = self.losses.get(item.what, Loss(0, first, last))
        self.losses[item.what] = Loss(
            known.n + len(item.stamps), min(known.first, first), max(known.last, last)
        )

    def get(self, seconds: float) -> Item | None:
        """The next item, waiting for it at most so long."""
        try:
            item = self._queue.get(timeout=seconds)
        except queue.Empty:
            return None
        with self._lock:
            self.n_bytes -= item.n_bytes
        return item

    def counts(self) -> dict[str, int]:
        """How much of each modality was queued so far."""
        with self._lock:
            return dict(self._counts)


@dataclass(frozen=True)
class RecordingStatus:
    """How the recording is doing.

    error: why nothing can be written just now, else empty. lost: arrivals that were
    not recorded. written: samples, frames and markers by modality.
    """

    path: Path
    error: str
    lost: int
    written: Mapping[str, int]

    @property
    def text(self) -> tuple[str, bool]:
        """A few words for a dashboard, and whether all is well."""
        if self.error:
            return f"NOT recording to {self.path.name}: {self.error}", False
        if self.lost:
            return f"recording to {self.path.name}, with losses: see the log", False
        return f"recording to {self.path.name}", True
