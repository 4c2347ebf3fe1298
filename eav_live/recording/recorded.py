"""A recording's outline as a session: what came of each modality, and what was said."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eav_live.recognition.predictions import STREAM_NAMES
from eav_live.streams import STALE_SECONDS
from eav_offline.common.files import as_object, parsed_object
from eav_offline.core.labels import MODALITIES
from eav_offline.core.window import FRAME_PERIOD
from eav_offline.data.sessions.outline import StreamOutline, XdfOutline, gap_seconds
from eav_offline.data.sessions.session import (
    DECISIONS_NAME,
    EVENTS_NAME,
    FRAMES_NAME,
    KINDS,
    MARKERS_NAME,
    PREDICTIONS_NAME,
)

_RATE_SECONDS = 2.0  # a chunk more or less would be a fault in a shorter stream
_OWN = (PREDICTIONS_NAME, DECISIONS_NAME, EVENTS_NAME, MARKERS_NAME)


class Recorded:
    """A recording's outline as a session: streams by modality, events, settings.

    begin, end: seconds, of everything that has a stamp. first_sample: of the stream
    that came first. stopped: the session's own end is in it. lost: arrivals that were
    not recorded, as it says itself. lanes: the streams of each modality, and others.
    """

    def __init__(self, outline: XdfOutline) -> None:
        self.outline = outline
        events = [parsed_object(text) for text in outline.texts(EVENTS_NAME)]
        starts = [e for e in events if e.get("event") == "session_start"]
        ends = [e for e in events if e.get("event") == "session_end"]
        settings = starts[0].get("settings") if starts else None
        self.ours = any(s.name == EVENTS_NAME for s in outline.streams)
        self.settings: dict[str, Any] = as_object(settings)
        self.stopped = bool(ends)
        self.lost = int(ends[0].get("lost") or 0) if ends else 0
        self.lanes = _lanes(outline.streams)
        spans = [span for s in outline.streams if (span := span_of([s]))]
        self.begin = min((begin for begin, _ in spans), default=0.0)
        self.end = max((end for _, end in spans), default=0.0)
        sent = [lane for lane in self.lanes.values() if not may_pause(lane)]
        firsts = [span[0] for lane in sent if (span := span_of(lane))]
        self.first_sample = min(firsts, default=self.begin)

    @property
    def expected(self) -> dict[str, str]:
        """The source of each modality that the session was to record."""
        asked = dict(self.settings.get("streams") or {})
        named = {m: str(s) for m, s in asked.items() if s not in (None, "none")}
        return {m: "its preset" for m in self.must.get("streams") or ()} | named

    @property
    def must(self) -> dict[str, Any]:
        """The table [must] that the session ran with, if any."""
        config = self.settings.get("config") or {}
        return dict(config.get("must") or {})

    @property
    def n_windows(self) -> int:
        """Windows that were looked at, whether or not anything was said of them."""
        return len(self.outline.texts(DECISIONS_NAME))

    @property
    def n_estimates(self) -> int:
        """Windows of which something was said."""
        said = map(parsed_object, self.outline.texts(DECISIONS_NAME))
        return sum(bool(one.get("present")) for one in said)

    def heard(self, name: str) -> bool:
        """Whether anything came of the stream of that name."""
        return any(s.n for s in self.outline.streams if s.name == name)

    def marker_names(self) -> Iterator[str]:
        """What was marked: an event's name, a trial of a replay, or the text itself."""
        for stream in self.outline.streams:
            if stream.name not in (EVENTS_NAME, DECISIONS_NAME):
                for text in stream.texts:
                    said = parsed_object(text)
                    name = said.get("mark") or said.get("event") or said.get("note")
                    yield str(name or ("trial" if "trial" in said else text))


def _lanes(streams: Iterable[StreamOutline]) -> dict[str, list[StreamOutline]]:
    lanes: dict[str, list[StreamOutline]] = {}
    for stream in streams:
        modality = stream.said("eav_modality") or KINDS.get(stream.kind, "")
        what = modality if modality in MODALITIES else stream.name
        if stream.name not in _OWN:
            lanes.setdefault(what, []).append(stream)
    return lanes


@dataclass(frozen=True)
class Lane:
    """What came of one modality, or of one further stream, however often it was opened.

    n: samples or frames. begin, end: seconds since the recording's first stamp. stated,
    measured: Hz, without the gaps; None if irregular or too short. gaps, gap_s: how
    many and how long in all. offset_s: how far apart the clocks were found, at the
    least and the most; None if not compared.
    """

    what: str
    name: str
    n: int
    begin: float
    end: float
    stated: float | None
    measured: float | None
    gaps: int
    gap_s: float
    offset_s: tuple[float, float] | None


def lane_of(what: str, streams: Sequence[StreamOutline], session: Recorded) -> Lane:
    """What came of a modality (or another stream) in a session."""
    longest = max(streams, key=lambda s: s.n)
    offsets = np.concatenate([s.offsets[:, 1] for s in streams])
    gaps = np.zeros((0, 2)) if may_pause(streams) else gaps_of(streams)
    begin, end = span_of(streams) or (session.begin, session.begin)
    return Lane(
        title(what),
        longest.name,
        sum(s.n for s in streams),
        begin - session.begin,
        end - session.begin,
        longest.rate or None,
        measured_rate(longest),
        len(gaps),
        float(gaps[:, 1].sum()),
        (float(offsets.min()), float(offsets.max())) if len(offsets) else None,
    )


def may_pause(streams: Iterable[StreamOutline]) -> bool:
    """Whether nothing follows from a pause, as in markers."""
    return all(s.rate <= 0 and s.name != FRAMES_NAME for s in streams)


def gaps_of(streams: Sequence[StreamOutline]) -> np.ndarray:
    """Begin and length (k, 2), seconds, of the gaps in what streams send together."""
    rates = [s.rate for s in streams if s.rate > 0]
    step = 1 / min(rates) if rates else FRAME_PERIOD
    least = gap_seconds(min(rates)) if rates else STALE_SECONDS
    stretches = np.concatenate([on_one_clock(s) for s in streams])
    stretches = stretches[np.argsort(stretches[:, 0], kind="stable")]
    covered = np.maximum.accumulate(stretches[:, 1])
    steps = stretches[1:, 0] - covered[:-1]
    at = np.flatnonzero(steps > least)
    return np.column_stack([covered[at], steps[at] - step])


def measured_rate(stream: StreamOutline) -> float | None:
    """Samples a second between the gaps, Hz; None of what is irregular or short."""
    begin, end, n = stream.stretches.T
    seconds = float((end - begin).sum())
    if stream.rate <= 0 or seconds < _RATE_SECONDS:
        return None
    return float((n - 1).sum()) / seconds


def span_of(streams: Iterable[StreamOutline]) -> tuple[float, float] | None:
    """The first and the last stamp, seconds; None if there is none."""
    spans = [on_one_clock(s) for s in streams if s.n]
    if not spans:
        return None
    return min(s[:, 0].min() for s in spans), max(s[:, 1].max() for s in spans)


def title(what: str) -> str:
    """What a modality is called where people read it."""
    return STREAM_NAMES.get(what, what)


def on_one_clock(stream: StreamOutline) -> np.ndarray:
    """Begins and ends (k, 2), seconds, about on the recording computer's clock."""
    offset = np.median(stream.offsets[:, 1]) if len(stream.offsets) else 0.0
    return stream.stretches[:, :2] + offset
