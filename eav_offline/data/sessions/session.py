"""A recorded session read back: what came in, opening by opening, and what was said.

Recordings of `eav-live --record` say when a stream was opened anew, which frames lie in
which Matroska file, and how the electrodes were found. Those of other recorders say
less: each of their streams is taken as opened once.
"""

import json
import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from eav_offline.common.errors import InputRefused
from eav_offline.common.files import as_object, parsed_object
from eav_offline.core.electrodes import ChannelMap
from eav_offline.core.labels import EMOTIONS, MODALITIES, N_EMOTIONS
from eav_offline.core.stamps import StampSmoother
from eav_offline.data.media import MediaError, iter_frames, rgb
from eav_offline.data.sessions.xdf import XdfError, XdfFile, XdfStream, read_xdf

log = logging.getLogger(__name__)
KINDS = {"EEG": "eeg", "Audio": "audio", "Frames": "video"}
PREDICTIONS_NAME = "EAV-Live Predictions"
DECISIONS_NAME = "EAV-Live Decisions"
EVENTS_NAME = "EAV-Live Events"
MARKERS_NAME = "EAV-Live Markers"
FRAMES_NAME = "EAV-Live Frames"
ANSWERS = ("fused", *MODALITIES, "smoothed")
PREDICTION_COLUMNS = tuple(f"{a}_{e}" for a in ANSWERS for e in EMOTIONS)  # 25
# Index in the Matroska file; the face's box, pixels; whether it was found in this very
# frame; whether the frame follows a gap; index of the frame that the face was cut from,
# an earlier one where none was found; pixel of a face chosen by hand, NaN if none was.
FRAME_COLUMNS = (
    *("frame", "x1", "y1", "x2", "y2", "found", "begins", "cut_from"),
    *("chosen_x", "chosen_y"),
)
_LONGEST_GAP = 86_400.0  # of a gap: a day of zeros, 30 electrodes at 500 Hz, is 10 GB


@dataclass(frozen=True)
class Opening:
    """What came from one opening of a stream or device, in order.

    first: how much of the modality had come before. values: (n, channels) as sent; of
    video the rows that `FRAME_COLUMNS` names. stamps: (n,) seconds, not smoothed.
    """

    modality: str
    stream: XdfStream
    first: int
    values: np.ndarray
    stamps: np.ndarray

    def montage(self) -> ChannelMap:
        """From the EEG's columns to the electrodes. Raises XdfError if not recorded."""
        try:
            return ChannelMap.from_values(json.loads(self.stream.said("eav_montage")))
        except ValueError as error:
            raise XdfError(
                f"EEG stream {self.stream.name!r} does not say which channel is which "
                f"electrode ({error}); recordings of eav-live --record do"
            ) from error


@dataclass(frozen=True)
class RecordedPrediction:
    """What was predicted of the window that ends at `t`, seconds.

    probabilities: (5,) by answer ("fused", "eeg", "audio", "video", "smoothed"), None
    where absent; NaN for an emotion that the model did not know. present: modalities in
    the window. counts: how much of each modality the recording had by then.
    interpolated: electrodes that were computed. backend: what computed the model, "" if
    that was not recorded. label, state, label_set: what was decided, as in a live
    `Prediction`; anew: smoothing began with this window. adapting: how far the model
    was adapted, if it adapted. truth: of a replayed trial. age_s: when it was put out,
    minus t. states, reasons, infer_s, fusion, coverage: as in a live `Prediction`.
    dimensions: by modality, what was read beside the classes by then, and `t`, seconds,
    of which window. Empty, None, False and NaN in recordings that do not say.
    """

    t: float
    probabilities: dict[str, np.ndarray | None]
    present: tuple[str, ...]
    counts: dict[str, int]
    interpolated: tuple[str, ...] = ()
    backend: str = ""
    label: str | None = None
    state: str | None = None
    label_set: tuple[str, ...] | None = None
    anew: bool = False
    adapting: dict[str, Any] | None = None
    truth: str | None = None
    age_s: float = math.nan
    infer_s: float = math.nan
    states: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    fusion: str = ""
    coverage: float | None = None
    dimensions: Mapping[str, Mapping[str, float] | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Marker:
    """One marker: text, usually JSON; stamp in seconds; the stream it came from."""

    stamp: float
    text: str
    stream: str

    def as_object(self) -> dict[str, Any]:
        """The JSON object it is, or an empty one."""
        return parsed_object(self.text)


@dataclass(frozen=True)
class SessionFile:
    """One recorded session. settings: what the session ran with, if it says so.

    person: code of who was recorded, None if the file does not say. events: what the
    recorder noted itself, such as states of the streams.
    """

    file: XdfFile
    settings: dict[str, Any]
    person: str | None
    openings: dict[str, list[Opening]]
    predictions: list[RecordedPrediction] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)
    events: list[Marker] = field(default_factory=list)

    @property
    def synthetic(self) -> bool:
        """Whether any of it is of a person that does not exist."""
        return any(s.said("eav_replay") == "synthetic" for s in self.file.streams)

    def frames(self) -> Iterator[tuple[Opening, int, np.ndarray]]:
        """Every frame: its opening, its row there, and its image (h, w, 3) uint8 RGB.

        A frames' file that is not there or ends early is said and passed over.
        """
        for opening in self.openings["video"]:
            yield from _frames_of(self.clip(opening), opening)

    def clip(self, opening: Opening) -> Path:
        """The file in which the frames of an opening lie."""
        # A name, not a path: nothing outside the recording's folder is opened.
        return self.file.path.with_name(Path(opening.stream.said("file")).name)


def read_session(path: Path) -> SessionFile:
    """Read a recording whole, but for its frames. Raises XdfError."""
    file = read_xdf(path)
    noted = _markers(file, {EVENTS_NAME})
    events = [marker.as_object() for marker in noted]
    started = [e for e in events if e.get("event") == "session_start"]
    settings = started[0].get("settings") if started else None
    return SessionFile(
        file=file,
        settings=as_object(settings),
        person=_person(file),
        openings=_openings(file, events),
        predictions=_predictions(file),
        markers=_session_markers(file),
        events=noted,
    )


def _person(file: XdfFile) -> str | None:
    try:
        return str(json.loads(file.said("eav_consent"))["person"])
    except (ValueError, KeyError, TypeError):
        return None


def _openings(file: XdfFile, events: list[dict[str, Any]]) -> dict[str, list[Opening]]:
    by_number = {stream.number: stream for stream in file.streams}
    begun: dict[str, list[tuple[XdfStream, int]]] = {m: [] for m in MODALITIES}
    for event in events:
        if event.get("event") == "opened" and event.get("modality") in begun:
            stream = by_number.get(event.get("stream", -1))
            if stream is not None and isinstance(event.get("at"), int):
                begun[event["modality"]].append((stream, event["at"]))
    for stream in file.streams:
        modality = KINDS.get(stream.kind)
        if modality is not None and not begun[modality] and len(stream.stamps):
            begun[modality].append((stream, 0))
    return {m: _cut(m, opened) for m, opened in begun.items()}


def _cut(modality: str, opened: list[tuple[XdfStream, int]]) -> list[Opening]:
    """Deal the samples of the streams out to the openings that they came from."""
    taken: dict[int, int] = {}
    openings = []
    for i, (stream, first) in enumerate(opened):
        begin = taken.get(stream.number, 0)
        last = opened[i + 1][1] if i + 1 < len(opened) else None
        end = len(stream.stamps) if last is None else begin + last - first
        taken[stream.number] = end
        openings.append(
            Opening(
                modality,
                stream,
                first,
                stream.values[begin:end],
                stream.stamps[begin:end],
            )
        )
    return openings


def _predictions(file: XdfFile) -> list[RecordedPrediction]:
    predictions, decisions = file.named(PREDICTIONS_NAME), file.named(DECISIONS_NAME)
    if not predictions or predictions[0].values.shape[1:] != (len(PREDICTION_COLUMNS),):
        return []
    rows, stamps = predictions[0].values, predictions[0].stamps
    texts: list[Any] = decisions[0].values[:, 0].tolist() if decisions else []
    found = []
    # The last row may lack its decision, if the program was killed in between.
    for row, t, text in zip(rows, stamps.tolist(), texts, strict=False):
        more = Marker(t, str(text), "").as_object()
        answers = {}
        for i, answer in enumerate(ANSWERS):
            p = row[i * N_EMOTIONS : (i + 1) * N_EMOTIONS]
            answers[answer] = None if np.isnan(p).all() else p
        adapting = more.get("adapting")
        found.append(
            RecordedPrediction(
                t,
                answers,
                present=tuple(more.get("present") or ()),
                counts=as_object(more.get("recorded")),
                interpolated=tuple(more.get("interpolated") or ()),
                backend=str(more.get("backend") or ""),
                label=more.get("label"),
                state=more.get("state"),
                label_set=None if more.get("set") is None else tuple(more["set"]),
                anew=bool(more.get("anew")),
                adapting=adapting if isinstance(adapting, dict) else None,
                truth=more.get("truth"),
                age_s=_seconds(more.get("age_s")),
                infer_s=_seconds(more.get("infer_s")),
                states=as_object(more.get("states")),
                reasons=as_object(more.get("reasons")),
                fusion=str(more.get("fusion") or ""),
                coverage=more.get("coverage"),
                dimensions=as_object(more.get("dimensions")),
            )
        )
    return found


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _session_markers(file: XdfFile) -> list[Marker]:
    """Markers of the session and of the streams it recorded, in order of time."""
    names = {s.name for s in file.streams if s.values.dtype == object}
    return _markers(file, names - {EVENTS_NAME, DECISIONS_NAME})


def _markers(file: XdfFile, names: set[str]) -> list[Marker]:
    found = [
        Marker(stamp, str(row[0]), stream.name)
        for stream in file.streams
        if stream.name in names and stream.values.dtype == object
        for row, stamp in zip(stream.values, stream.stamps.tolist(), strict=True)
        if len(row)
    ]
    return sorted(found, key=lambda marker: marker.stamp)


def _frames_of(
    path: Path, opening: Opening
) -> Iterator[tuple[Opening, int, np.ndarray]]:
    if opening.stream.name != FRAMES_NAME or opening.values.shape[1:] != (
        len(FRAME_COLUMNS),
    ):
        return
    indices = opening.values[:, 0].astype(np.int64)
    row = 0
    try:
        for index, (_, frame) in enumerate(iter_frames(path)):
            while row < len(indices) and indices[row] < index:
                row += 1
            if row == len(indices):
                return
            if indices[row] == index:
                yield opening, row, rgb(frame)
    except MediaError as error:
        log.warning("%s", error)


@dataclass(frozen=True)
class Stretch:
    """Samples without a gap: smoothed stamps (n,), rate, values (n, channels)."""

    times: np.ndarray
    rate: float
    values: np.ndarray

    def cut(self, begin: float, seconds: float, margin: float = 0.0) -> slice | None:
        """Which samples are [begin, begin + seconds); None unless all are there."""
        # By the stamps around, not by counting from the first: a device's clock drifts
        # by a tenth of a second in an hour.
        half = 0.5 / self.rate
        start = int(np.searchsorted(self.times, begin - half))
        stop = start + round(seconds * self.rate)
        late = start == 0 and self.times[0] > begin + half
        if late or stop > len(self.values):
            return None
        more = round(margin * self.rate)
        return slice(max(0, start - more), min(len(self.values), stop + more))


def stretches(opening: Opening) -> Iterator[Stretch]:
    """The stretches of one opening; none if it has no even rate or no samples."""
    rate = opening.stream.rate
    if rate <= 0 or not len(opening.stamps):
        return
    times, starts = StampSmoother(rate).smooth(opening.stamps)
    edges = sorted({0, *starts, len(times)})
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        yield Stretch(times[start:stop], rate, opening.values[start:stop])


def eeg_stretches(openings: Iterable[Opening]) -> list[Stretch]:
    """Those of the EEG, values (n, 30) float32 µV. Raises XdfError: see `montage`."""
    found = []
    for opening in openings:
        montage = opening.montage()
        for stretch in stretches(opening):
            eeg_uv = montage.apply(stretch.values)
            found.append(Stretch(stretch.times, stretch.rate, eeg_uv))
    return found


def on_one_grid(
    stretches: Sequence[Stretch], what: str
) -> tuple[np.ndarray, list[int]]:
    """One or more stretches in order as evenly spaced samples, zeros in the gaps.

    what: the beginning of a message. Returns values (n, channels) float64 and the
    sample at which each stretch begins. Raises InputRefused if their rates differ or a
    gap is longer than a day.
    """
    rates = sorted({stretch.rate for stretch in stretches})
    if len(rates) > 1:
        raise InputRefused(
            f"{what} changed its rate ({', '.join(f'{r:g}' for r in rates)} Hz), and "
            "here there is only one; arrays() gives the samples with their times"
        )
    begins = [0]
    for before, after in pairwise(stretches):
        gap = float(after.times[0] - before.times[-1]) - 1 / before.rate
        if gap > _LONGEST_GAP:
            raise InputRefused(
                f"{what} pauses for {gap / 3600:.0f} hours, which is more than can be "
                "filled; arrays() gives the samples with their times"
            )
        # A clock that was set back leaves no room between: they follow each other.
        begins.append(begins[-1] + len(before.times) + max(0, round(gap * before.rate)))
    last = stretches[-1]
    values = np.zeros((begins[-1] + len(last.times), last.values.shape[1]))
    for begin, stretch in zip(begins, stretches, strict=True):
        values[begin : begin + len(stretch.times)] = stretch.values
    return values, begins
