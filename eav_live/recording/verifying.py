"""Is a recording all there? Every stream, its gaps and rate, its frames, its end.

A fault says what was found, what was expected and what to do about it.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from eav_live.recognition.predictions import STREAM_NAMES
from eav_live.recording.recorded import (
    Lane,
    Recorded,
    gaps_of,
    lane_of,
    may_pause,
    measured_rate,
    span_of,
    title,
)
from eav_live.replay import TRIAL_GAP_SECONDS
from eav_live.streams import LOST_SECONDS
from eav_offline.core.stamps import SAMPLE_GAP_SECONDS
from eav_offline.data.media import MediaError, packet_times
from eav_offline.data.sessions.outline import StreamOutline, XdfOutline, read_outline
from eav_offline.data.sessions.session import FRAMES_NAME
from eav_offline.data.sessions.xdf import XdfError

log = logging.getLogger(__name__)

NOT_LOOKED = "%s was not looked through; `eav-live verify` does"
RATE_TOLERANCE = 0.02  # of the stated rate, as live
_BEGINS_SECONDS = 30.0  # after the first one, in which the other devices get going
_OFFSETS_SECONDS = 10.0  # recorders compare clocks every five
_LONGEST, _MOST = 40, 20  # letters of a marker, and markers, that are told
_CABLE = "look at its cable, battery and network, and record again if the part matters"
_AGAIN = "copy it again from where it was recorded, if there is a longer one"


@dataclass(frozen=True)
class Fault:
    """Something wrong with a recording. where: the stream or file."""

    where: str
    found: str
    expected: str
    to_do: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found}; expected {self.expected}. {self.to_do}."


@dataclass(frozen=True)
class Verification:
    """What was found in a recording.

    seconds: from its first stamp to its last. windows: that were recognized;
    n_estimates: those of which something was said. frames: in each Matroska file.
    markers: how often each came.
    """

    path: Path
    seconds: float
    lanes: tuple[Lane, ...]
    windows: int
    n_estimates: int
    frames: Mapping[str, int] = field(default_factory=dict)
    markers: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    @property
    def summary(self) -> str:
        """One short sentence."""
        if self.faults:
            n = len(self.faults)
            return f"{self.path} has {n} fault{'' if n == 1 else 's'}"
        names = [lane.what for lane in self.lanes]
        streams = [name for name in STREAM_NAMES.values() if name in names] or names
        what = ", ".join(streams) or "nothing"
        return f"{self.path} is whole: {self.seconds:.1f} s of {what}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"path": str(self.path), "ok": not self.faults}


def verify(path: Path, markers: Sequence[str] = ()) -> Verification:
    """Look whether a recording is all there.

    markers: names that must have been marked, besides those of [must] in the settings
    that the file holds. The streams that are expected are those of its settings too; of
    another recorder's file, those it holds.
    Raises XdfError if it is no XDF.
    """
    outline = read_outline(path)
    session = Recorded(outline)
    faults = list(_cut_short(outline, session))
    faults += _not_there(session)
    for modality, streams in session.lanes.items():
        faults += _stream_faults(modality, streams, session)
    frames, of_frames = _frames(path, session.lanes.get("video", ()))
    said = Counter(session.marker_names())
    faults += of_frames
    faults += _marker_faults(said, [*markers, *session.must.get("marks", ())])
    faults += _estimate_faults(session)
    return Verification(
        path,
        session.end - session.begin,
        tuple(lane_of(what, s, session) for what, s in session.lanes.items()),
        session.n_windows,
        session.n_estimates,
        frames,
        dict(said),
        tuple(faults),
    )


def verify_at_end(path: Path) -> str:
    """Look at a recording that has just ended, and say in the log how it is.

    Returns the same: a sentence, and each fault after it.

    Whatever goes wrong is said too, and nothing raised: the session is over. Ctrl-C
    leaves it out.
    """
    try:
        found = verify(path)
    except KeyboardInterrupt:
        log.warning(NOT_LOOKED, path)
    except Exception:  # must not cost the session its exit status
        log.exception("%s cannot be looked through", path)
    else:
        for fault in found.faults:
            log.error("%s", fault)
        log.log(logging.ERROR if found.faults else logging.INFO, "%s", found.summary)
        faults = f": {' '.join(map(str, found.faults))}" if found.faults else ""
        return f"{found.summary}{faults}"
    return f"{path} was not looked through"


def _cut_short(outline: XdfOutline, session: Recorded) -> Iterator[Fault]:
    """The file itself: damaged, not ended, or with losses that it states."""
    name, seconds = outline.path.name, session.end - session.begin
    if outline.damaged:
        how = "breaks off in the middle of a chunk" if outline.cut else "is damaged"
        yield Fault(
            name,
            f"it {how}, {outline.damaged} of {outline.size} bytes cannot be read; what "
            f"is whole lasts {seconds:.1f} s",
            "whole chunks to its end",
            f"Use what is whole, or {_AGAIN}",
        )
    unended = [s for s in outline.streams if s.stated is None]
    if unended or (session.ours and not session.stopped):
        yield Fault(
            name,
            f"it was not ended properly and stops after {seconds:.1f} s",
            "the end of the session and a footer for each stream",
            "The program was killed or the disk was full: use what is there, or "
            f"{_AGAIN}",
        )
    if session.lost:
        yield Fault(
            name,
            f"{session.lost} arrivals were not written",
            "none lost",
            "The disk was full or too slow: free some room, or record elsewhere",
        )


def _not_there(session: Recorded) -> Iterator[Fault]:
    for modality, source in session.expected.items():
        if modality not in session.lanes:
            yield Fault(
                title(modality),
                "no such stream was recorded",
                f"one from {source}",
                "Check the device with `eav-live doctor` before the next session",
            )
    markers = session.must.get("markers")
    if markers is not None and not session.heard(markers):
        yield Fault(
            f"markers {markers}",
            "no marker of this stream was recorded",
            "some, since the session had to have it",
            "Check that the program that sends them was running",
        )


def _stream_faults(
    what: str, streams: Sequence[StreamOutline], session: Recorded
) -> Iterator[Fault]:
    where = title(what)
    for stream in streams:
        n = stream.n
        if n == 0:
            yield Fault(
                where,
                f"the stream {stream.name!r} is empty",
                "samples",
                "See that its sender sends before the recording begins",
            )
        elif stream.stated is not None and n < stream.stated:
            yield Fault(
                where,
                f"{n} samples can be read",
                f"the {stream.stated} of its footer",
                f"The file is damaged: {_AGAIN}",
            )
        yield from _rate_faults(where, stream)
        yield from _offset_faults(where, stream)
    span = span_of(streams)
    if span is not None and not may_pause(streams):
        gaps = gaps_of(streams)
        if all(stream.said("eav_replay") for stream in streams):  # trial after trial
            usual = np.abs(gaps[:, 1] - TRIAL_GAP_SECONDS) < SAMPLE_GAP_SECONDS
            gaps = gaps[~usual]
        yield from _gap_faults(where, gaps, session)
        yield from _end_faults(where, span, session)


def _rate_faults(where: str, stream: StreamOutline) -> Iterator[Fault]:
    measured = measured_rate(stream)
    if measured is None or abs(measured / stream.rate - 1) <= RATE_TOLERANCE:
        return
    yield Fault(
        where,
        f"{measured:.2f} samples a second",
        f"{stream.rate:g} to {RATE_TOLERANCE:.0%}",
        "Samples were lost or the stated rate is wrong: correct it at the sender, or "
        "give `rate` under [eeg] of live.toml",
    )


def _offset_faults(where: str, stream: StreamOutline) -> Iterator[Fault]:
    offsets = stream.offsets[:, 1]
    if len(offsets) == 0:
        begin, end = span_of([stream]) or (0.0, 0.0)
        if end - begin > 2 * _OFFSETS_SECONDS:
            yield Fault(
                where,
                "its clock was never compared with the recording computer's",
                f"a comparison every {_OFFSETS_SECONDS:g} s or oftener",
                "Its stamps may not fit the other streams': compare a common event",
            )
        return
    jump = float(np.abs(np.diff(offsets)).max(initial=0.0))
    if jump > SAMPLE_GAP_SECONDS:
        yield Fault(
            where,
            f"its clock jumped by {jump:.3g} s against the recording computer's",
            f"steps under {SAMPLE_GAP_SECONDS:g} s",
            "Its sender was restarted or its clock was set: treat the parts apart",
        )


def _gap_faults(where: str, gaps: np.ndarray, session: Recorded) -> Iterator[Fault]:
    if len(gaps):
        first, longest = gaps[0, 0] - session.begin, gaps[:, 1].max()
        yield Fault(
            where,
            f"{len(gaps)} gap{'' if len(gaps) == 1 else 's'} of {gaps[:, 1].sum():.2f} "
            f"s in all, the first at {first:.1f} s, the longest {longest:.2f} s",
            "none",
            f"Windows across a gap are not recognized: {_CABLE}",
        )


def _end_faults(
    where: str, span: tuple[float, float], session: Recorded
) -> Iterator[Fault]:
    late, missing = span[0] - session.first_sample, session.end - span[1]
    if late > _BEGINS_SECONDS:
        yield Fault(
            where,
            f"it begins {late:.1f} s after the stream that came first",
            f"at most {_BEGINS_SECONDS:g} s",
            "Wait until all lamps are green before the session begins",
        )
    if missing > LOST_SECONDS:
        yield Fault(
            where,
            f"it ends {missing:.1f} s before the recording does",
            "both to end together",
            f"It was lost: {_CABLE}",
        )


def _frames(
    recording: Path, streams: Sequence[StreamOutline]
) -> tuple[dict[str, int], list[Fault]]:
    """Frames in each Matroska file, and where they are not as many as their stamps."""
    stamped: Counter[str] = Counter()
    for stream in streams:
        if stream.name == FRAMES_NAME:
            # A name, not a path: nothing outside the recording's folder is opened.
            stamped[Path(stream.said("file")).name] += stream.n
    found, faults = {}, []
    for name, n in stamped.items():
        try:
            found[name] = len(packet_times(recording.with_name(name))[0])
        except MediaError as error:
            found[name] = 0
            log.debug("%s", error)
        if found[name] != n:
            there = recording.with_name(name).exists()
            faults.append(
                Fault(
                    name,
                    f"{found[name]} frames" if there else "there is no such file",
                    f"{n}, one for each stamp in {recording.name}",
                    "Put it beside the recording again" if not there else _AGAIN,
                )
            )
    return found, faults


def _marker_faults(said: Mapping[str, int], wanted: Sequence[str]) -> Iterator[Fault]:
    for name in wanted:
        if name not in said:
            yield Fault(
                "markers",
                f"{name!r} was never marked ({in_short(said)})",
                "it at least once",
                "Check that the program that marks was running and its stream recorded",
            )


def in_short(markers: Iterable[str]) -> str:
    """Markers in a line of a terminal: each may be a document, and each another one."""
    lines = (" ".join(marker.split()) for marker in markers)
    told = [s if len(s) <= _LONGEST else f"{s[: _LONGEST - 1]}\u2026" for s in lines]
    more = [f"{len(told) - _MOST} more"] if len(told) > _MOST else []
    return ", ".join([*told[:_MOST], *more]) or "none"


def _estimate_faults(session: Recorded) -> Iterator[Fault]:
    if "model" not in session.settings or session.n_estimates:
        return
    n = session.n_windows
    yield Fault(
        "estimates",
        f"none in {n} windows",
        "one a window",
        "See in the log why nothing was recognized; `eav-live repredict` makes them "
        "again from what was recorded",
    )


def recordings(path: Path) -> list[Path]:
    """The recording, or those of a folder. Raises XdfError if there is none."""
    if not path.is_dir():
        return [path]
    found = sorted(path.glob("*.xdf"))
    if not found:
        raise XdfError(
            f"{path} holds no recording; give FILE.xdf, or the folder it lies in"
        )
    return found
