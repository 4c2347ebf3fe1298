"""The ground truth of a replay: its markers, read beside its EEG stream."""

import json
import logging
import threading
from collections import deque
from collections.abc import Callable

import pylsl

from eav_offline.labels import EMOTIONS

log = logging.getLogger(__name__)

MARKERS_SUFFIX = "-Markers"
_LOOK_SECONDS = 1.0  # between looks for the marker stream
_SLACK_SECONDS = 0.25  # a window may end this long after its trial did


class ReplayTruth:
    """Follows the marker stream of a replay, if the EEG stream is one.

    stream_name: returns the full name of the EEG stream once it is known. Markers of
    other programs are left alone: a replay's say so in their header.
    """

    def __init__(self, stream_name: Callable[[], str | None]) -> None:
        self._stream_name = stream_name
        self._trials: deque[tuple[float, float, str]] = deque(maxlen=1000)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look for the markers. Returns at once."""
        self._thread = threading.Thread(target=self._run, name="markers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread. May be called twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=3.0)

    def at(self, t: float) -> str | None:
        """The emotion of the trial that a window ending at `t` (LSL seconds) is in."""
        with self._lock:
            for begins, seconds, emotion in reversed(self._trials):
                if begins < t <= begins + seconds + _SLACK_SECONDS:
                    return emotion
        return None

    def take(self, marker: str, stamp: float) -> None:
        """Note one marker, as `eav_live.replay` writes them; others are left alone."""
        try:
            trial = json.loads(marker)
            emotion, seconds = str(trial["emotion"]), float(trial["seconds"])
        except (ValueError, KeyError, TypeError):
            return
        if emotion in EMOTIONS:
            with self._lock:
                self._trials.append((stamp, seconds, emotion))

    def _run(self) -> None:
        inlet: pylsl.StreamInlet | None = None
        while not self._stop.is_set():
            try:
                if inlet is None:
                    inlet = self._find()
                    if inlet is None:
                        self._stop.wait(_LOOK_SECONDS)
                    continue
                sample, stamp = inlet.pull_sample(timeout=0.2)
                if sample is not None:
                    self.take(sample[0], stamp)
            except (pylsl.util.LostError, pylsl.util.TimeoutError):
                inlet = None
            except Exception:  # the thread's last line of defence
                log.exception("Ground truth of the replay is no longer read")
                return
        if inlet is not None:
            inlet.close_stream()

    def _find(self) -> pylsl.StreamInlet | None:
        name = self._stream_name()
        if name is None or '"' in name:
            return None
        wanted = f"type='Markers' and name=\"{name}{MARKERS_SUFFIX}\""
        for info in pylsl.resolve_bypred(wanted, minimum=1, timeout=0.5):
            inlet = pylsl.StreamInlet(info, recover=False)
            header = inlet.info(2.0)  # owns what desc() points into
            if not header.desc().child("eav_replay").empty():
                inlet.open_stream(2.0)
                return inlet
        return None
