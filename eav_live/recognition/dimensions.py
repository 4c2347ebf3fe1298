"""Arousal, dominance and valence beside the classes, which wait for none of it."""

import logging
import threading
from typing import Protocol

from eav_live.recognition.pace import MODEL_NICENESS, yield_to_others
from eav_live.recognition.predictions import Reading
from eav_offline.checkpoint.card import NAMES
from eav_offline.core.window import RawWindow

log = logging.getLogger(__name__)
MOST_SECONDS = 10.0  # older readings are not shown; twice a window


class DimensionReader(Protocol):
    """As `eav_offline.checkpoint.experts.dimensions`; that takes seconds to import."""

    modality: str

    def read(self, raw: RawWindow) -> dict[str, float] | None: ...


class DimensionThread:
    """One reader on a thread of its own: of what was offered it reads the newest.

    A reader that fails is not asked again, and nothing is read from then on.
    """

    def __init__(self, reader: DimensionReader) -> None:
        self._reader = reader
        self._news = threading.Condition()
        self._next: RawWindow | None = None
        self._newest: Reading | None = None
        self._stopped = False
        self.thread = threading.Thread(
            target=self._run, name=f"dimensions {reader.modality}", daemon=True
        )

    def offer(self, raw: RawWindow) -> Reading | None:
        """Have a window read as soon as there is time for it. Returns at once.

        The newest reading; None if the window lacks what is read, or if the newest is
        of one that ended more than `MOST_SECONDS` before.
        """
        voice = self._reader.modality == "audio"
        if (raw.audio if voice else raw.frames) is None:
            return None
        with self._news:
            self._next = raw
            self._news.notify()
            newest = self._newest
        old = newest is None or raw.t_end - newest.t > MOST_SECONDS
        return None if old else newest

    def step(self) -> None:
        """Read what was offered last, unless it was read. Tests call this."""
        with self._news:
            raw, self._next = self._next, None
        if self._stopped or raw is None:
            return
        try:
            values = self._reader.read(raw)
        except Exception:  # the classes do not depend on it
            log.exception("No more dimensions of the %s", NAMES[self._reader.modality])
            values, self._stopped = None, True
        self._newest = None if values is None else Reading(raw.t_end, values)

    def stop(self) -> None:
        """End the thread, after the window that it reads. May be called twice."""
        with self._news:
            self._stopped = True
            self._news.notify()

    def _run(self) -> None:
        yield_to_others(2 * MODEL_NICENESS)  # the classes first
        while not self._stopped:
            with self._news:
                self._news.wait_for(lambda: self._stopped or self._next is not None)
            self.step()
