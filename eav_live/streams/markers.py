"""Markers beside the EEG stream; those of a replay are the ground truth."""

import json
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable

import numpy as np
import pylsl

from eav_live.streams import Arrival, Origin
from eav_live.streams.clock import is_time
from eav_live.streams.lsl import RESOLVE_SECONDS, of_type, until_answered
from eav_offline.core.electrodes import Channel
from eav_offline.core.labels import EMOTIONS

log = logging.getLogger(__name__)

MARKERS_SUFFIX = "-Markers"
_LOOK_SECONDS = 1.0  # between looks for the marker stream
_SAME_SECONDS = 0.01  # one stamp, read twice from another computer's clock
_SLACK_SECONDS = 0.25  # a window may end this long after its trial did


def valid_stamp(stamp: float, name: str) -> float:
    """A marker's stamp, seconds; the present if the stream `name` sent no time."""
    if is_time(np.array([stamp])).all():
        return stamp
    log.warning(
        "Markers stream %r: a marker came with %g as its time stamp and is placed by "
        "when it arrived",
        name,
        stamp,
    )
    return pylsl.local_clock()


def trial_of(marker: str) -> tuple[str, float] | None:
    """The emotion and the seconds of the trial that a replay's marker begins."""
    try:
        trial = json.loads(marker)
        emotion, seconds = str(trial["emotion"]), float(trial["seconds"])
    except (ValueError, KeyError, TypeError):
        return None
    return (emotion, seconds) if emotion in EMOTIONS else None


class ReplayTruth:
    """Follows the stream NAME-Markers of the EEG stream NAME, or one that is named.

    stream_name, host: return the full name of the EEG stream, and the computer it comes
    from (None is any), once they are known. named: the full name of another stream of
    markers, which is followed instead, from any computer. Markers of other programs
    than a replay are offered to listeners and are no truth: a replay's say so in their
    header. connected: whether the stream is there.
    """

    def __init__(
        self,
        stream_name: Callable[[], str | None],
        host: Callable[[], str | None] = lambda: None,
        named: str | None = None,
    ) -> None:
        self.connected = False
        self._named = named
        self._stream_name = stream_name
        self._host = host
        self._listeners: list[Callable[[Arrival], None]] = []
        self._origin: Origin | None = None
        self._opening = 0
        self._heard: deque[tuple[str, float]] = deque(maxlen=100)
        self._trials: deque[tuple[float, float, str]] = deque(maxlen=1000)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def listen(self, listener: Callable[[Arrival], None]) -> None:
        """Call `listener` with every marker, on this thread; it must return at once."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin to look for the markers. Returns at once; may be called twice."""
        if self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, name="markers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread. May be called twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=3.0)

    def at(self, t: float) -> str | None:
        """The emotion of the trial that a window ending at `t` (LSL seconds) is in."""
        trial = self._at(t)
        return None if trial is None else trial[2]

    def trial_at(self, t: float) -> float | None:
        """When that trial began, LSL seconds: tells it from others of its emotion."""
        trial = self._at(t)
        return None if trial is None else trial[0]

    def take(self, marker: str, stamp: float) -> None:
        """Note one marker as a replay writes it; others are left alone."""
        trial = trial_of(marker)
        if trial is not None:
            with self._lock:
                self._trials.append((stamp, trial[1], trial[0]))

    def _at(self, t: float) -> tuple[float, float, str] | None:
        with self._lock:
            for begins, seconds, emotion in reversed(self._trials):
                if begins < t <= begins + seconds + _SLACK_SECONDS:
                    return begins, seconds, emotion
        return None

    def _receive(self, marker: str, stamp: float) -> None:
        origin = self._origin
        assert origin is not None
        stamp, heard = valid_stamp(stamp, origin.name), self._heard
        if origin.note:
            # A replay repeats the running trial's marker for who comes in late; it is
            # still one trial, here and for those who record it.
            if any(m == marker and abs(t - stamp) < _SAME_SECONDS for m, t in heard):
                return
            heard.append((marker, stamp))
            self.take(marker, stamp)
        value = np.array([[marker]], dtype=object)
        arrival = Arrival("markers", origin, self._opening, value, np.array([stamp]))
        for listener in self._listeners:
            listener(arrival)

    def _run(self) -> None:
        inlet: pylsl.StreamInlet | None = None
        while not self._stop.is_set():
            try:
                if inlet is None:
                    inlet = self._find()
                    self.connected = inlet is not None
                    if inlet is None:
                        self._stop.wait(_LOOK_SECONDS)
                    continue
                sample, stamp = inlet.pull_sample(timeout=0.2)
                if sample is not None:
                    self._receive(sample[0], stamp)
            except (pylsl.util.LostError, pylsl.util.TimeoutError):
                inlet, self.connected = None, False
            except Exception:  # the thread's last line of defense
                self.connected = False
                log.exception("Ground truth of the replay is no longer read")
                return
        if inlet is not None:
            inlet.close_stream()

    def _find(self) -> pylsl.StreamInlet | None:
        name, host = self._named, None
        if name is None:
            beside, host = self._stream_name(), self._host()
            name = None if beside is None else f"{beside}{MARKERS_SUFFIX}"
        if name is None or '"' in name:
            return None
        wanted = f'{of_type("Markers")} and name="{name}"'
        if host is not None:
            wanted += f" and hostname='{host}'"
        for info in pylsl.resolve_bypred(wanted, minimum=1, timeout=RESOLVE_SECONDS):
            if info.channel_format() != pylsl.cf_string or self._stop.is_set():
                continue
            # Stamps are to be on this computer's clock.
            here = info.hostname() == socket.gethostname()
            flags = 0 if here else pylsl.proc_clocksync
            inlet = pylsl.StreamInlet(info, recover=False, processing_flags=flags)
            # The header owns what desc() points into.
            header = until_answered(inlet.info, self._stop)
            self._origin = Origin(
                kind="Markers",
                name=header.name(),
                rate=0.0,
                channels=(Channel("marker", "Markers"),),
                source_id=header.source_id(),
                hostname=header.hostname(),
                note=header.desc().child_value("eav_replay"),
            )
            self._opening += 1
            until_answered(inlet.open_stream, self._stop)
            return inlet
        return None
