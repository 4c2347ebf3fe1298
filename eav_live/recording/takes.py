"""The recordings of one session, begun and ended one after another while it runs."""

import logging
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from eav_live.recognition.pace import yield_to_others
from eav_live.recognition.predictions import Prediction
from eav_live.recording.consent import Consent
from eav_live.recording.guard import STEADY_SECONDS, Guard
from eav_live.recording.paths import RecordingRefused, check_name
from eav_live.recording.recorder import OnMark, Recorder
from eav_live.recording.verifying import NOT_LOOKED, verify_at_end
from eav_live.session.intake import Intake

log = logging.getLogger(__name__)
_TAKE = re.compile(r"-take\d+$")
_NICENESS = 10  # below the model's: what is recorded next comes first
JOINED = "joined"  # of a recording's settings: it began when its session ran already


class Takes:
    """Who begins and ends recordings may be another thread than who adds to them.

    All are of the one person who agreed, and lie in the folder of the first. Each is
    looked through when it has ended, beside the session; said: how it was, by its file.
    """

    def __init__(
        self,
        path: Path,
        consent: Consent,
        session: Intake,
        settings: Mapping[str, object],
        guard: Guard | None = None,
    ) -> None:
        """path: of the first, FILE.xdf, new. settings: as of `Recorder`. guard: without
        what it wants no recording begins."""
        self.next = path
        self.person = consent.person
        self.paths: list[Path] = []  # that were begun
        self.said: dict[Path, str] = {}
        self.on_mark: OnMark = lambda marker, stamp: None  # in the thread that marks
        self._looking: dict[Path, threading.Thread] = {}
        self._make: Callable[[Path], Recorder] = lambda new: Recorder(
            new, consent, session, {**settings, JOINED: True}
        )
        self._guard = guard
        self._now: Recorder | None = None
        self._all_whole = True
        self._over = False  # the session ends
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
        self.wait()

    @property
    def running(self) -> Path | None:
        """The file that is being written; None between recordings."""
        now = self._now
        return None if now is None else now.path

    @property
    def folder(self) -> Path:
        """Where the next one goes."""
        return self.next.absolute().parent

    @property
    def whole(self) -> bool:
        """Whether all recordings have ended, with all that came in written."""
        return self._now is None and self._all_whole

    @property
    def text(self) -> tuple[str, bool]:
        """A few words for a dashboard, and whether all is well."""
        now = self._now
        if now is None:
            return f"{self.next.name} waits to be started", True
        return now.text

    def name(self, path: Path) -> None:
        """Say where the next one goes. Raises RecordingRefused while one runs."""
        with self._lock:
            if self._now is not None:
                raise RecordingRefused(f"{self._now.path.name} is running; stop it")
            check_name(path)
            self.next = path

    def begin(self) -> Path:
        """Begin a recording; returns its file.

        Raises RecordingRefused if one runs or none can be made, MustRefused if the
        session lacks what it must have.
        """
        with self._lock:
            if self._now is not None:
                raise RecordingRefused(f"{self._now.path.name} is running already")
            if self._guard is not None:  # the streams have had their time
                self._guard.require(STEADY_SECONDS + 0.5, self._go_on)
            self._go_on()
            recorder = self._make(self.next)
            recorder.start()
            self.paths.append(recorder.path)
            self._now = recorder
            return recorder.path

    def begin_next(self) -> Path:
        """As `begin`; after P01.xdf come P01-take2.xdf, P01-take3.xdf and so on."""
        with self._lock:
            first, k = _TAKE.sub("", self.next.stem), 2
            while self._now is None and self.next.exists():
                self.next = self.next.with_stem(f"{first}-take{k}")
                k += 1
        return self.begin()

    def end(self) -> Path:
        """End the recording; returns its file. Raises RecordingRefused if none runs."""
        with self._lock:
            if self._now is None:
                raise RecordingRefused("nothing is being recorded; start it first")
            recorder, self._now = self._now, None
            if self._guard is not None:
                self._guard.rest()
            recorder.stop()
            self._all_whole &= recorder.whole
        path = recorder.path
        look = threading.Thread(
            target=self._look_through, args=(path,), name="verifying", daemon=True
        )
        self._looking[path] = look
        look.start()
        return path

    def wait(self) -> None:
        """Wait until all that have ended are looked through. Ctrl-C leaves the rest."""
        for path, looking in list(self._looking.items()):  # another may end meanwhile
            try:
                looking.join()
            except KeyboardInterrupt:
                log.warning(NOT_LOOKED, path)

    def stop(self) -> None:
        """End what still runs, and let nothing begin any more. May be called twice."""
        self._over = True
        with suppress(RecordingRefused):  # nothing runs
            self.end()

    def take_prediction(self, prediction: Prediction) -> None:
        """Add what was said of a window, if one runs; a subscriber of the session."""
        now = self._now
        if now is not None:
            now.take_prediction(prediction)

    def mark(self, marker: Mapping[str, object], stamp: float) -> None:
        """As `Recorder.mark`, whoever marks.

        Raises RecordingRefused if nothing is being recorded.
        """
        now = self._now
        if now is None:
            raise RecordingRefused(
                "nothing is being recorded, so the mark is kept nowhere; start first"
            )
        now.mark(marker, stamp)
        self.on_mark(marker, stamp)

    def _go_on(self) -> None:
        if self._over:
            raise RecordingRefused("the session ends; nothing is recorded any more")

    def _look_through(self, path: Path) -> None:
        yield_to_others(_NICENESS)
        self.said[path] = verify_at_end(path)
