"""What waits to be written: bounded, so that a slow disk costs data and not memory."""

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from eav_live.predictions import Prediction
from eav_live.sources.arrivals import Arrival

MAX_BYTES = 128_000_000  # minutes of EEG and sound, or 20 s of 640x480 frames
MAX_ITEMS = 20_000
_FRAMES_SHARE = 0.75


@dataclass(frozen=True)
class Item:
    """One thing to be written, whichever it is.

    stamp: of an event or a marker, seconds. counts: how much of each modality was
    queued before a prediction.
    """

    arrival: Arrival | None = None
    prediction: Prediction | None = None
    event: Mapping[str, object] | None = None
    marker: Mapping[str, object] | None = None
    stamp: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_bytes(self) -> int:
        """Roughly, for the bound."""
        return 200 + (self.arrival.values.nbytes if self.arrival is not None else 0)


class Backlog:
    """A queue that never makes anybody wait: what does not fit is lost and counted."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Item] = queue.Queue(MAX_ITEMS)
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self.n_bytes = 0
        self.lost = 0

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
            self.lost += 1

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
