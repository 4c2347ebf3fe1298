"""Recorded samples at any moment: in a ring as a source fills it, or as one stretch.

Only what is shown is smoothed and scaled; the recording itself is not copied.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from eav_live.streams.clock import feed
from eav_live.windows.rings import SampleRing
from eav_offline.core.electrodes import ChannelMap, map_channels
from eav_offline.core.stamps import SAMPLE_GAP_SECONDS, StampSmoother
from eav_offline.core.window import N_CHANNELS
from eav_offline.data.sessions.session import Opening
from eav_offline.data.sessions.xdf import XdfStream

RING_SECONDS = 10.0  # what the panels show, and two for their filter to settle
_PIECE_SECONDS = 0.5  # that are fed at once
_FULL_SCALE = {"int8": 2.0**7, "int16": 2.0**15, "int32": 2.0**31}

Span = tuple[float, float]  # seconds, from and to


@dataclass(frozen=True)
class _Piece:
    """Part of an opening in which the stamps (n,) ascend, but for their jitter."""

    stream: XdfStream
    stamps: np.ndarray
    values: np.ndarray  # (n, channels) as recorded

    @property
    def rate(self) -> float:
        return self.stream.rate

    def between(self, since: float, until: float) -> slice:
        start, stop = np.searchsorted(self.stamps, [since, until])
        return slice(int(start), int(stop))


class SampleTrack:
    """The EEG or the sound of a recording.

    ring: what a source's ring would hold at the moment last asked for; None before.
    """

    def __init__(self, openings: Sequence[Opening]) -> None:
        self.ring: SampleRing | None = None
        self._pieces = [piece for opening in openings for piece in _pieces(opening)]
        self._smoothers: dict[int, StampSmoother] = {}
        self._now = -np.inf

    @property
    def empty(self) -> bool:
        """Whether nothing was recorded."""
        return not self._pieces

    def show(self, t: float) -> None:
        """Bring the ring to the moment `t`, seconds: a little on, or from anew."""
        if self.empty:
            return
        if self.ring is None or not self._now <= t <= self._now + RING_SECONDS:
            self._smoothers.clear()
            self.ring, self._now = None, t - RING_SECONDS
        for number, piece in enumerate(self._pieces):
            self._feed(number, piece, piece.between(self._now, t))
        if self.ring is None:  # in a gap
            self.ring = SampleRing(self._pieces[0].rate, self._width(), RING_SECONDS)
        self._now = t

    def spans(self) -> list[Span]:
        """When there is data, from the first to the last stamp without a gap."""
        found = []
        for piece in self._pieces:
            breaks = np.flatnonzero(np.diff(piece.stamps) > SAMPLE_GAP_SECONDS)
            edges = [0, *(breaks + 1).tolist(), len(piece.stamps)]
            found += [
                (float(piece.stamps[start]), float(piece.stamps[stop - 1]))
                for start, stop in zip(edges[:-1], edges[1:], strict=True)
            ]
        return joined(found)

    def levels(self, seconds: float) -> tuple[np.ndarray, np.ndarray]:
        """How strong the signal is: moments (n,), and a standard deviation (n,) each.

        seconds: between moments; of several channels it is their median.
        """
        times, levels = [], []
        for piece in self._pieces:
            step = max(2, round(seconds * piece.rate))
            for start in range(0, len(piece.stamps) - step + 1, step):
                part = slice(start, start + step)
                spread = np.nanstd(self._scaled(piece, part), axis=0)
                times.append(float(piece.stamps[start]))
                levels.append(float(np.median(spread)))
        return np.array(times), np.array(levels)

    def _feed(self, number: int, piece: _Piece, part: slice) -> None:
        if part.start >= part.stop:
            return
        if self.ring is None or self.ring.rate != piece.rate:
            self.ring = SampleRing(piece.rate, self._width(), RING_SECONDS)
        if number not in self._smoothers:
            self._smoothers[number] = StampSmoother(piece.rate)
            self.ring.mark_gap()
        for some in _parts(part, round(_PIECE_SECONDS * piece.rate)):
            values = self._scaled(piece, some)
            feed(self.ring, self._smoothers[number], piece.stamps[some], values)

    def _width(self) -> int:
        raise NotImplementedError

    def _scaled(self, piece: _Piece, part: slice) -> np.ndarray:
        raise NotImplementedError


class EegTrack(SampleTrack):
    """The EEG as the session had it: 30 electrodes in µV."""

    def __init__(self, openings: Sequence[Opening]) -> None:
        """Raises InputRefused if no telling which channel is which electrode."""
        self._maps = {o.stream.number: _montage(o) for o in openings}
        super().__init__(openings)

    def _width(self) -> int:
        return N_CHANNELS

    def _scaled(self, piece: _Piece, part: slice) -> np.ndarray:
        return self._maps[piece.stream.number].apply(piece.values[part])


class SoundTrack(SampleTrack):
    """The sound: one channel in [-1, 1]."""

    @property
    def rate(self) -> float:
        """Hz."""
        return self._pieces[0].rate

    def blocks(
        self, since: float, until: float, seconds: float
    ) -> Iterator[np.ndarray]:
        """Sound (n,) float32 between two moments, in pieces of so many seconds.

        Sample follows sample, for stamps jitter; silence is where there is none.
        """
        size = round(seconds * self.rate)
        at = since
        for piece, whole in self._stretches(since, until):
            first = float(piece.stamps[whole.start])
            if first < at - SAMPLE_GAP_SECONDS:
                continue  # the sender's clock had jumped back
            if first - at > SAMPLE_GAP_SECONDS:
                yield from _silence(round((first - at) * self.rate), size)
            for some in _parts(whole, size):
                yield self._scaled(piece, some)[:, 0]
            at = float(piece.stamps[whole.stop - 1]) + 1 / self.rate
        yield from _silence(round((until - at) * self.rate), size)

    def _stretches(self, since: float, until: float) -> Iterator[tuple[_Piece, slice]]:
        """What lies between two moments, each part without a gap."""
        half = 0.5 / self.rate
        for piece in self._pieces:
            part = piece.between(since - half, until - half)
            if part.start >= part.stop or piece.rate != self.rate:
                continue
            steps = np.diff(piece.stamps[part])
            breaks = part.start + np.flatnonzero(steps > SAMPLE_GAP_SECONDS) + 1
            edges = [part.start, *breaks.tolist(), part.stop]
            for start, stop in zip(edges[:-1], edges[1:], strict=True):
                yield piece, slice(start, stop)

    def _width(self) -> int:
        return 1

    def _scaled(self, piece: _Piece, part: slice) -> np.ndarray:
        values = piece.values[part]
        scale = _FULL_SCALE.get(values.dtype.name, 1.0)
        return (values.mean(axis=1, keepdims=True) / scale).astype(np.float32)


def joined(spans: Sequence[Span]) -> list[Span]:
    """Spans in order of time, those that touch or overlap made one."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first - found[-1][1] <= SAMPLE_GAP_SECONDS:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _pieces(opening: Opening) -> Iterator[_Piece]:
    """Cut where the sender's clock jumped back."""
    if not len(opening.stamps) or opening.stream.rate <= 0:
        return
    jumps = np.flatnonzero(np.diff(opening.stamps) < -SAMPLE_GAP_SECONDS) + 1
    edges = [0, *jumps.tolist(), len(opening.stamps)]
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        stamps, values = opening.stamps[start:stop], opening.values[start:stop]
        yield _Piece(opening.stream, stamps, values)


def _parts(whole: slice, size: int) -> Iterator[slice]:
    for start in range(whole.start, whole.stop, max(1, size)):
        yield slice(start, min(start + size, whole.stop))


def _silence(n: int, size: int) -> Iterator[np.ndarray]:
    for some in _parts(slice(0, n), size):
        yield np.zeros(some.stop - some.start, dtype=np.float32)


def _montage(opening: Opening) -> ChannelMap:
    """As recorded or, of other recorders, found by the channels' labels."""
    if opening.stream.said("eav_montage"):
        return opening.montage()
    name = f"EEG stream {opening.stream.name!r}"
    return map_channels(opening.stream.channels, stream=name)
