"""Where samples come from: LSL, devices and files, each behind the same few methods."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from eav_live.recognition.predictions import StreamHealth, StreamState
from eav_live.windows.rings import FrameRing, SampleRing

if TYPE_CHECKING:
    from eav_live.streams.arrivals import Arrival

STALE_SECONDS = 1.0  # older data are left out of the window
LOST_SECONDS = 3.0


class Source(Protocol):
    """A stream with one thread of its own that fills one ring."""

    def start(self) -> None:
        """Begin to look for the stream and to read it. Returns at once."""

    def stop(self) -> None:
        """End the thread and close the device. May be called twice."""

    def health(self, now: float) -> StreamHealth:
        """How the stream is doing at `now`, seconds on the session's clock."""

    def listen(self, listener: "Callable[[Arrival], None]") -> None:
        """Call `listener` with everything that comes in; it must return at once."""


class SampleSource(Source, Protocol):
    """EEG (30 channels, µV, in `EEG_CHANNELS` order) or sound (one channel).

    ring: None until the stream's rate is known.
    interpolated: electrodes computed from their neighbors (empty for sound).
    """

    @property
    def ring(self) -> SampleRing | None: ...

    @property
    def interpolated(self) -> tuple[str, ...]: ...


class FrameSource(Source, Protocol):
    """Video; `ring` holds the kept frames with their faces."""

    @property
    def ring(self) -> FrameRing | None: ...


def judge(
    newest: float | None, heard: float | None, now: float, connected: bool
) -> StreamState:
    """The state of a stream, all times in seconds on one clock.

    newest: stamp of its newest sample; heard: when a sample last arrived; None before
    the first. connected: whether there is a sender or device right now.
    """
    if newest is None or heard is None:
        return StreamState.CONNECTING
    # By arrival: what is old when it comes is late, and not lost.
    if not connected or now - heard > LOST_SECONDS:
        return StreamState.LOST
    if now - newest > STALE_SECONDS:
        return StreamState.LATE
    return StreamState.LIVE
