"""Where samples come from: LSL, devices and files, each behind the same few methods."""

from eav_live.recognition.predictions import StreamState

STALE_SECONDS = 1.0  # older data are left out of the window
LOST_SECONDS = 3.0


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
