"""What all sources share: a thread of their own, a ring, how they are doing."""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from eav_live.recognition.predictions import StreamHealth, StreamState
from eav_live.streams import LOST_SECONDS, STALE_SECONDS, Arrival, Origin, judge
from eav_live.streams.clock import RateMeter, StampRate, StampSmoother, feed
from eav_live.streams.lsl import LslInlet, StreamLost
from eav_live.windows.rings import FrameRing, SampleRing
from eav_offline.common.errors import SourceRefused

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0  # between attempts at a stream or device that was refused
RETURNED_SECONDS = 3.0  # that a stream is shown as returned
STOP_SECONDS = 3.0  # a thread that hangs in a driver is left behind after this

# The amplifier's reference as its header states it, or "" -> what is to be said of it.
ReferenceCheck = Callable[[str], str]


class Source(ABC):
    """A stream with one thread of its own that fills one ring and survives refusals.

    A subclass has `pull` (one step; True if samples arrived, blocking a fraction of a
    second at most) and `close`, and says through `_connected` how it is.
    """

    kind = "stream"
    idle_s = 0.0  # pause after a step that brought nothing
    passes = True  # whether what it brings is gone if nobody takes it

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self.name = name
        self.clock = clock
        self.meter = RateMeter()
        self.error: Exception | None = None
        self.detail = ""
        self.returns = 0
        self._returned_at: float | None = None
        self._last_arrival: float | None = None
        self.opening = 0  # raised whenever stream or device is opened
        self._listeners: list[Callable[[Arrival], None]] = []
        self._refused = False
        self._lost_before = False
        self._ever = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def ring(self) -> SampleRing | FrameRing | None:
        """What came in of late; None until the stream's rate is known."""
        return None

    @property
    def interpolated(self) -> tuple[str, ...]:
        """Electrodes computed from their neighbors; of EEG only."""
        return ()

    @property
    def stream_name(self) -> str | None:
        """The full name of an LSL stream; None until it was found, or if it is none."""
        return None

    @property
    def stream_host(self) -> str | None:
        """The computer that stream comes from; None as of the name."""
        return None

    def start(self) -> None:
        """Begin to look for the stream and to read it. Returns at once."""
        if self._thread is not None:
            return
        self._stop.clear()
        self._thread = threading.Thread(
            target=self._run, name=f"{self.kind} {self.name}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the device. May be called twice."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is None:
            self.close()
            return
        thread.join(STOP_SECONDS)  # it closes what it opened
        if thread.is_alive():
            log.warning("%s %s did not end within its time", self.kind, self.name)

    def listen(self, listener: Callable[[Arrival], None]) -> None:
        """Call `listener` with everything that comes in, on this source's thread.

        It must return at once, so it queues what it is given.
        """
        self._listeners.append(listener)

    @abstractmethod
    def pull(self) -> bool:
        """One step of the source, as its thread takes it. Tests call it directly."""

    @abstractmethod
    def close(self) -> None:
        """Let go of stream or device."""

    def health(self, now: float) -> StreamHealth:
        """How the stream is doing at `now`, seconds on the session's clock."""
        newest, heard = self._newest(), self._last_arrival
        notice = self._notice()
        if self.error is not None:
            state = StreamState.LOST
        elif self._refused:
            state = StreamState.REFUSED
        else:
            state = judge(newest, heard, now, self._connected())
        back = self._returned_at
        if state is StreamState.LIVE and back is not None:
            if self.clock() - back < RETURNED_SECONDS:
                state = StreamState.RETURNED
        if state is StreamState.LATE and heard is not None and newest is not None:
            if now - heard <= STALE_SECONDS:  # else it pauses
                late = (
                    f"samples come late by {now - newest:.1f} s; over "
                    f"{STALE_SECONDS:g} s they are left out"
                )
                notice = "; ".join(filter(None, (late, notice)))
        return StreamHealth(
            state=state,
            name=self.name,
            detail=self.detail if self.error is None else f"stopped: {self.error}",
            age_s=None if newest is None else now - newest,
            filled_s=0.0 if self.ring is None else self.ring.filled,
            rate=self.meter.rate(self.clock()),
            gaps=0 if self.ring is None else self.ring.gaps,
            returns=self.returns,
            clock_steps=self._clock_steps(),
            fault=self._fault(),
            notice=notice,
        )

    @abstractmethod
    def _connected(self) -> bool: ...

    def _newest(self) -> float | None:
        return None if self.ring is None else self.ring.newest

    def _clock_steps(self) -> int:
        """Times the sender's clock jumped."""
        return 0

    def _fault(self) -> str:
        """Why what comes in must not be used; empty if it may."""
        return ""

    def _notice(self) -> str:
        """What the user should know of a stream that is used."""
        return ""

    def _offer(self, arrival: Arrival) -> None:
        """Give to the listeners what came in, before it can be in a window."""
        for listener in self._listeners:
            try:
                listener(arrival)
            except Exception:  # no listener may stop a source
                log.exception("A listener of %s %s failed", self.kind, self.name)

    def _arrived(self, n: int) -> None:
        """Note `n` samples; the first after a loss or a silence is a return."""
        now = self.clock()
        self.meter.count(now, n)
        last, self._last_arrival = self._last_arrival, now
        if self._lost_before or (last is not None and now - last > LOST_SECONDS):
            self._lost_before = False
            self.returns += 1
            self._returned_at = now
            log.info("%s %s is back", self.kind, self.name)
        elif not self._ever:
            log.info("%s %s is live", self.kind, self.name)
        self._ever = True

    def _lost(self, why: str) -> None:
        """Note that the stream went away; it is looked for again."""
        if self._ever and not self._lost_before:
            log.warning("%s %s was lost: %s", self.kind, self.name, why)
            self._lost_before = True
        self.detail = why

    def prepare(self) -> None:
        """What takes its time, before the stream or device is opened."""
        return

    def _run(self) -> None:
        try:
            self.prepare()
            while not self._stop.is_set():
                self._step()
        except Exception as error:  # the thread's last line of defense
            log.exception("%s %s stopped", self.kind, self.name)
            self.error = error
        finally:
            self.close()

    def _step(self) -> None:
        try:
            arrived = self.pull()
        except SourceRefused as refusal:
            if not self._refused or self.detail != str(refusal):
                log.error("%s %s refused: %s", self.kind, self.name, refusal)
            self._refused, self.detail = True, str(refusal)
            self.close()
            self._stop.wait(RETRY_SECONDS)
            return
        self._refused = False
        if not arrived and self.idle_s:
            self._stop.wait(self.idle_s)


class SampleSource(Source):
    """EEG (30 channels, µV, in `EEG_CHANNELS` order) or sound (one, in [-1, 1])."""

    modality: str
    ring_seconds: float

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        super().__init__(name, clock)
        self._ring: SampleRing | None = None
        self._smoother: StampSmoother | None = None
        self._stamp_rate = StampRate()
        self._origin: Origin | None = None

    @property
    def ring(self) -> SampleRing | None:
        """The newest samples; None until the stream's rate is known."""
        return self._ring

    def prepare(self) -> None:
        """Load what smooths the stamps: seconds, for which samples would wait."""
        StampSmoother(1.0)

    def compare_reference(self, check: ReferenceCheck) -> None:
        """Compare the amplifier's reference with the model's; of EEG that states it."""

    def _prepare_ring(self, origin: Origin, width: int) -> None:
        """A ring of `width` channels; what comes next is not joined to what is there.

        origin: of what comes next, with the rate to go by.
        """
        self._origin, rate = origin, origin.rate
        self.opening += 1
        if self._ring is None or self._ring.rate != rate:
            before, self._ring = self._ring, SampleRing(rate, width, self.ring_seconds)
            self._ring.follow(before)
        self._smoother = StampSmoother(rate)
        self._stamp_rate = StampRate()

    def _store(self, sent: np.ndarray, stamps: np.ndarray, values: np.ndarray) -> None:
        """Offer what was sent (n, channels), and put values (n, width) into the ring.

        stamps: (n,) seconds.
        """
        assert self._origin is not None
        assert self._ring is not None
        assert self._smoother is not None
        self._offer(Arrival(self.modality, self._origin, self.opening, sent, stamps))
        self._stamp_rate.update(stamps)
        feed(self._ring, self._smoother, stamps, values)
        self._arrived(len(stamps))


class FileSource(Source):
    """A file, played at its true pace from the moment it is started."""

    passes = False
    _begin: float | None = None

    def start(self) -> None:
        """Begin to play: the file's beginning gets the time of this call."""
        self._begin = self.clock()
        super().start()

    @property
    def begin(self) -> float:
        """When the file began, seconds; it does now if it was not started."""
        if self._begin is None:
            self._begin = self.clock()
        return self._begin


class LslSource(Source):
    """What sources over LSL share. A subclass makes `_inlet`, and has `_accept`."""

    _inlet: LslInlet

    @property
    def stream_name(self) -> str | None:
        """The full name of the stream; None until it was found."""
        header = self._inlet.header
        return header.name() if header is not None else None

    @property
    def stream_host(self) -> str | None:
        """The computer that the stream comes from; None until it was found."""
        header = self._inlet.header
        return header.hostname() if header is not None else None

    def close(self) -> None:
        """Let go of the stream."""
        self._inlet.close()

    @abstractmethod
    def _accept(self) -> None:
        """Check the stream that was opened and prepare for it; or SourceRefused."""

    def _receive(
        self,
        max_samples: int = 4096,
        into: Callable[[], np.ndarray] | None = None,
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """What a stream has sent, after connecting if need be; None if nothing.

        into: gives the memory to read into, whose size is known once connected. See
        `LslInlet.connect` and `LslInlet.pull`.
        """
        if not self._inlet.connect(self._accept, self._stop):
            self.detail = self._inlet.waiting_for()
            return None
        memory = into() if into is not None else None
        room = max_samples if memory is None else len(memory)
        try:
            values, stamps = self._inlet.pull(max_samples=room, into=memory)
        except StreamLost as lost:
            self._lost(str(lost))
            return None
        return (values, stamps) if len(stamps) else None

    def _notice(self) -> str:
        return "; ".join(filter(None, (super()._notice(), self._inlet.guard.said)))

    def _clock_steps(self) -> int:
        return self._inlet.guard.steps

    def _connected(self) -> bool:
        return self._inlet.is_open
