"""Writes a session to disk as it goes: one thread, one bounded queue, no surprises.

    FILE.xdf           everything that came in and went out, with stamps of one clock
    FILE.mkv           the kept frames, without loss
    FILE.consent.json  who agreed

What cannot be written is said and tried again; the session goes on meanwhile.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np

from eav_live.recognition.predictions import Prediction
from eav_live.recording.backlog import Backlog, Item, RecordingStatus
from eav_live.recording.consent import Consent, consent_path
from eav_live.recording.frame_file import FrameFiles
from eav_live.recording.paths import RecordingRefused, check_name, taken
from eav_live.recording.xdf_writer import (
    DECISIONS,
    EVENTS,
    MARKERS,
    PREDICTIONS,
    WholeFile,
    XdfWriter,
    decision,
    prediction_values,
    source_header,
    stream_key,
    text_value,
)
from eav_live.session.intake import Intake
from eav_live.streams import Arrival

log = logging.getLogger(__name__)
RETRY_SECONDS = 1.0  # between attempts at a disk that is full
_HEALTH_SECONDS = 0.5
_OFFSET_SECONDS = 5.0  # as often as LabRecorder
_UNITS = {"eeg": "EEG samples", "audio": "sound samples", "video": "frames"}
_MARKERS = "markers"
# When the session ends: how long a disk that takes nothing is waited for, and how long
# one that is slow.
_STOP_SECONDS, _LONGEST_STOP_SECONDS = 5.0, 60.0
# A marker, and its time, seconds on the session's clock.
OnMark = Callable[[Mapping[str, object], float], None]


class _GivenUp(Exception):
    """The session ended before the disk took anything again."""


class Recorder:
    """Records a session from `start` to `stop`.

    It listens to the sources and markers itself. `take_prediction` and `mark` are for
    whoever has more; they return at once and may be called from any thread.
    """

    def __init__(
        self,
        path: Path,
        consent: Consent,
        session: Intake,
        settings: Mapping[str, object],
        open_file: Callable[[Path], WholeFile] = WholeFile,
        hold: bool = False,
    ) -> None:
        """path: FILE.xdf, new. settings: what it takes to predict again, as JSON.
        open_file: makes the XDF file. hold: make no file before `start` is called, and
        keep what comes in until then.

        Raises RecordingRefused if there is such a file, or none can be made.
        """
        self.path = path
        self._session = session
        self._settings = dict(settings)
        self._backlog = Backlog()
        self._lost_said = 0
        self._error = ""
        self._stopping = threading.Event()
        self._give_up_at = float("inf")
        self._thread: threading.Thread | None = None
        self._stream_numbers: dict[object, int] = {}
        self._openings: dict[str, tuple[object, int]] = {}
        self._written: dict[str, int] = {}
        self._health: dict[str, dict[str, object]] = {}
        self._item: Item | None = None  # taken from the backlog, not written so far
        self._ended = False  # properly
        self.on_mark: OnMark = lambda marker, stamp: None  # in the thread that marks
        self._begun = 0.0
        self._frames = FrameFiles(path)
        self._hold = hold
        self._make_files = partial(self._open, consent, open_file)
        self._file: WholeFile | None = None
        if not hold:
            self._file, self._writer = self._make_files()
        for source in session.sources.values():
            source.listen(self.take)
        if session.markers is not None:
            session.markers.listen(self.take)

    def __enter__(self) -> Self:
        if not self._hold:
            self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def status(self) -> RecordingStatus:
        """How the recording is doing, for display."""
        return RecordingStatus(
            self.path, self._error, self._backlog.lost, dict(self._written)
        )

    @property
    def text(self) -> tuple[str, bool]:
        """A few words for a dashboard, with how long and how much room is left."""
        said, well = self.status.text
        if self._thread is None:
            return said, well
        minutes, seconds = divmod(int(self._session.clock() - self._begun), 60)
        room = free_gb(self.path.absolute().parent)
        return f"{said}, {minutes}:{seconds:02d}, {room:.0f} GB left", well

    @property
    def running(self) -> Path | None:
        """The file that is being written; None before and after."""
        return None if self._thread is None or self._ended else self.path

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.path.absolute().parent

    @property
    def paths(self) -> list[Path]:
        """Its XDF file, as `Takes` has several."""
        return [self.path]

    @property
    def whole(self) -> bool:
        """Whether the recording has ended, with all that came in written."""
        return self._ended and not self._backlog.lost and self._frames.whole

    def start(self) -> None:
        """Begin to write. Raises RecordingRefused if it was held and no file can be."""
        if self._file is None:
            self._file, self._writer = self._make_files()
        self._begun = self._session.clock()
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()
        log.info("Recording to %s", self.path)

    def stop(self) -> None:
        """Write what is queued, end the files. May be called twice."""
        if self._stopping.is_set():
            return
        # A disk that refuses now will hardly take anything within a second.
        patience = 0.3 if self._error else _STOP_SECONDS
        self._give_up_at = time.monotonic() + patience
        longest = time.monotonic() + _LONGEST_STOP_SECONDS
        self._stopping.set()
        if self._thread is None:
            self._close()
            return
        while self._thread.is_alive():
            left = min(self._give_up_at + 0.3, longest) - time.monotonic()
            if left <= 0:
                break
            self._thread.join(left)
        if self._thread.is_alive():
            log.error("%s: the disk did not finish writing in time", self.path)
        self._sum_up()

    def _sum_up(self) -> None:
        """Say what was recorded and, as an error, what was not."""
        written = _summary(self._written)
        if self.whole:
            log.info("Recorded to %s: %s", self.path, written)
            return
        lost = [
            f"{loss.n} {what} between {loss.first - self._begun:.1f} and "
            f"{loss.last - self._begun:.1f} s"
            for what, loss in self._backlog.losses.items()
        ]
        if not self._frames.whole:
            lost.append("the last frame of a file")
        log.error(
            "%s is not whole: it lacks %s after it began%s; it holds %s",
            self.path,
            ", ".join(lost) or "its end",
            f" ({self._error})" if self._error else "",
            written,
        )

    def take(self, arrival: Arrival) -> None:
        """Queue what a source offers."""
        if self._stopping.is_set():  # the sources may go on
            return
        what = _UNITS.get(arrival.modality, arrival.modality)
        self._backlog.put(Item(what, arrival))

    def take_prediction(self, prediction: Prediction) -> None:
        """Queue what was said of a window; a subscriber of the session."""
        if self._stopping.is_set():
            return
        more = decision(prediction, self._backlog.counts())
        rows = (
            (PREDICTIONS.name, prediction_values(prediction), prediction.t),
            (DECISIONS.name, text_value(more), prediction.t),
        )
        self._backlog.put(Item("predictions", rows=rows))

    def mark(self, marker: Mapping[str, object], stamp: float) -> None:
        """Queue a marker of the session itself, such as the beginning of a trial.

        marker: becomes a JSON object. stamp: seconds on the session's clock. `on_mark`
        is told of it.
        """
        row = (MARKERS.name, text_value(marker), stamp)
        self._backlog.put(Item(_MARKERS, rows=(row,)))
        self.on_mark(marker, stamp)

    def _open(
        self, consent: Consent, open_file: Callable[[Path], WholeFile]
    ) -> tuple[WholeFile, XdfWriter]:
        check_name(self.path)
        beside = consent_path(self.path)
        made: list[Path] = []
        opened: list[WholeFile] = []
        try:
            # The consent first: no recording is ever without.
            with WholeFile(beside) as record:
                made.append(beside)
                record.write(consent.as_json().encode())
                record.sync()
            file = open_file(self.path)
            made.append(self.path)
            opened.append(file)
            writer = XdfWriter(file, {"eav_consent": consent.as_json()})
            for header in (PREDICTIONS, DECISIONS, EVENTS, MARKERS):
                self._stream_numbers[header.name] = writer.add_stream(header)
        except FileExistsError as error:
            _remove(made, opened)
            raise taken(self.path, error.filename) from error
        except OSError as error:
            _remove(made, opened)
            raise RecordingRefused(
                f"--record {self.path} cannot be written ({error.strerror}); choose a "
                "folder that may be written to, with room for about 200 MB an hour of "
                "EEG and sound and up to 10 GB an hour of video"
            ) from error
        return file, writer

    def _run(self) -> None:
        try:
            self._event({"event": "session_start", "settings": self._settings})
            due_health = due_offsets = 0.0
            assert self._file is not None
            while not (self._stopping.is_set() and self._backlog.empty):
                if time.monotonic() >= due_health:
                    due_health = time.monotonic() + _HEALTH_SECONDS
                    self._note_health()
                if time.monotonic() >= due_offsets:
                    due_offsets = time.monotonic() + _OFFSET_SECONDS
                    self._try(lambda: self._writer.clock_offsets(self._session.clock()))
                    self._try(self._writer.boundary)
                    self._try(self._file.sync)
                self._item = self._backlog.get(0.1)
                if self._item is not None:
                    self._write(self._item)
                    self._item = None
                    if self._stopping.is_set():  # the disk takes what is left
                        self._give_up_at = time.monotonic() + _STOP_SECONDS
            self._note_health()
            self._event({"event": "session_end", "lost": self._backlog.lost})
            self._ended = True
        except _GivenUp:
            log.error("%s ends early: %s", self.path, self._error)
        except Exception as error:  # the thread's last line of defense
            self._error = f"stopped: {error}"
            log.exception("Recording to %s stopped", self.path)
        finally:
            self._backlog.lose(self._item)
            self._close()

    def _close(self) -> None:
        if self._file is None or self._file.closed:
            return
        self._frames.close()
        try:
            self._writer.finish()
            self._file.sync()
        except OSError as error:
            log.error("%s is not ended properly: %s", self.path, error)
        finally:
            self._file.close()

    def _write(self, item: Item) -> None:
        if item.arrival is not None:
            self._write_arrival(item.arrival)
        for name, values, stamp in item.rows:
            self._samples(name, values, np.array([stamp]))
        if item.rows and item.what == _MARKERS:
            self._count(_MARKERS, 1)

    def _write_arrival(self, arrival: Arrival) -> None:
        modality = arrival.modality
        values = arrival.values
        if modality == "video":
            values = self._write_frame(arrival)
        key = self._stream(arrival, values)
        if self._openings.get(modality) != (key, arrival.opening):
            self._openings[modality] = (key, arrival.opening)
            number, at = self._stream_numbers[key], self._written.get(modality, 0)
            event = {"event": "opened", "modality": modality}
            self._event(event | {"stream": number, "at": at})
        self._samples(key, values, arrival.stamps)
        self._count(modality, len(arrival.stamps))

    def _stream(self, arrival: Arrival, values: np.ndarray) -> object:
        """The key of an arrival's stream in the file, begun if it is new."""
        part = self._frames.name if arrival.face is not None else ""
        key = (stream_key(arrival), values.dtype.name, part)
        if key not in self._stream_numbers:
            header = source_header(arrival, values.dtype.name, part)
            self._try(lambda: self._begin(key, self._writer.add_stream(header)))
        return key

    def _begin(self, key: object, number: int) -> None:
        self._stream_numbers[key] = number

    def _write_frame(self, arrival: Arrival) -> np.ndarray:
        """Add the frame to the Matroska file; returns its row (1, 10) of the XDF."""
        face = arrival.face
        assert face is not None
        self._try(lambda: self._frames.add(arrival.values, float(arrival.stamps[0])))
        nowhere = (float("nan"), float("nan"))
        row = [
            self._frames.index,
            *face.box.tolist(),
            face.found,
            arrival.begins,
            self._frames.index_of(face.image),
            *(arrival.chosen or nowhere),
        ]
        return np.array([row], dtype=np.float64)

    def _samples(self, key: object, values: np.ndarray, stamps: np.ndarray) -> None:
        number = self._stream_numbers[key]
        self._try(lambda: self._writer.samples(number, values, stamps))

    def _event(self, event: Mapping[str, object]) -> None:
        stamps = np.array([self._session.clock()])
        self._samples(EVENTS.name, text_value(event), stamps)

    def _count(self, modality: str, n: int) -> None:
        self._written[modality] = self._written.get(modality, 0) + n

    def _try(self, write: Callable[[], object]) -> None:
        """Write, again and again while the disk refuses; raises _GivenUp at the end."""
        while True:
            try:
                write()
            except OSError as error:
                self._refused(error)
                if time.monotonic() > self._give_up_at:
                    raise _GivenUp from error
                if self._stopping.wait(RETRY_SECONDS):
                    time.sleep(0.1)  # until it is given up
                continue
            if self._error:
                log.warning("%s: writing goes on", self.path)
                self._error = ""
            return

    def _refused(self, error: OSError) -> None:
        why = error.strerror or str(error)
        if not self._error:
            log.error(
                "%s cannot be written: %s. The session goes on; what comes in is kept "
                "for a while and written when the disk takes it. Free some space.",
                self.path,
                why,
            )
        self._error = why

    def _note_health(self) -> None:
        """Events for what changed about the streams, and for what was lost."""
        for modality, now in self._session.health().items():
            news = {"state": str(now.state), "gaps": now.gaps, "returns": now.returns}
            if self._health.get(modality) != news:
                self._health[modality] = news
                about = {"name": now.name, "detail": now.detail}
                self._event({"event": "stream", "modality": modality} | news | about)
        lost = self._backlog.lost
        if lost != self._lost_said:
            log.error(
                "%s: %d arrivals were not recorded, the disk is too slow or full",
                self.path,
                lost - self._lost_said,
            )
            self._lost_said = lost
            self._event({"event": "lost", "arrivals": lost})


def free_gb(folder: Path) -> float:
    """Room on the disk, GB."""
    return shutil.disk_usage(folder).free / 1e9


def _remove(paths: list[Path], opened: list[WholeFile]) -> None:
    for file in opened:
        file.close()
    for path in paths:
        path.unlink(missing_ok=True)


def _summary(written: Mapping[str, int]) -> str:
    return ", ".join(f"{n} of {name}" for name, n in written.items()) or "nothing"
