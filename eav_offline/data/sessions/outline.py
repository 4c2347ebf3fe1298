"""What a recording holds, without its values: streams, stamps, texts, where it ends.

`read_xdf` reads a file whole, sample by sample: minutes and gigabytes for an hour with
sound. Looking whether an hour is all there takes the stamps alone, and of them no more
is kept than where they are unbroken.
"""

import io
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, cast
from xml.etree import ElementTree

import numpy as np

from eav_offline.core.stamps import SAMPLE_GAP_SECONDS
from eav_offline.data.sessions.xdf import (
    BOUNDARY,
    BYTES,
    MAGIC,
    XdfError,
    chunk_head,
    integer,
    no_xdf,
)

_HEADER, _SAMPLES, _CLOCK_OFFSET, _FOOTER = 2, 3, 4, 6
_TAGS = range(1, 7)
_LOOK_AHEAD = 64  # samples within which the next stamp is looked for at once
_STAMP = np.dtype("<f8")


@dataclass
class StreamOutline:
    """One stream. rate: Hz as stated, 0 if irregular. header: its XML.

    stretches: (k, 3) begin and end, seconds on the sender's clock as recorded, and how
    many samples, of each stretch without a step of more than `gap_seconds`; of an
    irregular stream every sample is one. texts: of a stream of text, the first channel.
    offsets: (k, 2) seconds: when the clocks were compared,
    and what puts a stamp on the recording computer's. stated: how many samples the
    footer counts, None without one.
    """

    number: int
    name: str
    kind: str
    rate: float
    header: ElementTree.Element
    stretches: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    texts: list[str] = field(default_factory=list)
    offsets: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    stated: int | None = None

    @property
    def n(self) -> int:
        """Samples in all."""
        return int(self.stretches[:, 2].sum())

    def said(self, name: str) -> str:
        """An entry of the header's desc; empty if it is not there."""
        return self.header.findtext(f"desc/{name}") or ""


@dataclass(frozen=True)
class XdfOutline:
    """A file. size: its bytes. damaged: those that belong to no whole chunk.

    cut: whether the damage is at its end.
    """

    path: Path
    streams: tuple[StreamOutline, ...]
    size: int
    damaged: int
    cut: bool

    def texts(self, name: str) -> list[str]:
        """All texts of the streams of that name."""
        return [text for s in self.streams if s.name == name for text in s.texts]


def gap_seconds(rate: float) -> float:
    """The least step between stamps, seconds, that is a gap at this rate, Hz."""
    return max(SAMPLE_GAP_SECONDS, 1.5 / rate)


def read_outline(path: Path) -> XdfOutline:
    """Read all but the values. What is damaged is passed over and counted.

    Raises XdfError if the file is no XDF or cannot be opened.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise no_xdf(path)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return _outline(path, content)
    except OSError as error:
        raise XdfError(f"{path} cannot be read: {error}") from error


def _outline(path: Path, content: mmap.mmap) -> XdfOutline:
    readers: dict[int, _Reader] = {}
    damaged, cut = 0, False
    for tag, begin, end in _chunks(content):
        try:
            if tag is None:
                raise struct.error("no chunk")
            _take(tag, content[begin:end], readers)
        except (struct.error, LookupError, ValueError, ElementTree.ParseError):
            damaged += end - begin
            cut = end == len(content)
    streams = tuple(reader.finish() for reader in readers.values())
    return XdfOutline(path, streams, len(content), damaged, cut)


def _chunks(content: mmap.mmap) -> Iterator[tuple[int | None, int, int]]:
    """Tag, begin and end of each chunk's content; of what is none, no tag.

    After damage it goes on behind the next boundary, which is there for that.
    """
    at = len(MAGIC)
    while at < len(content):
        content.seek(at)
        try:
            length, tag = chunk_head(cast(BinaryIO, content)) or (-1, 0)
            begin = content.tell()
        except struct.error:
            length, tag, begin = -1, 0, at
        end = begin + length
        if length < 0 or end > len(content) or tag not in _TAGS:
            mark = content.find(BOUNDARY, at)
            end = len(content) if mark < 0 else mark + len(BOUNDARY)
            yield None, at, end
        else:
            yield tag, begin, end
        at = end


def _take(tag: int, body: bytes, readers: "dict[int, _Reader]") -> None:
    if tag not in (_HEADER, _SAMPLES, _CLOCK_OFFSET, _FOOTER):
        return
    number = struct.unpack_from("<I", body)[0]
    if tag == _HEADER:
        readers[number] = _Reader(number, ElementTree.fromstring(body[4:]))
    elif tag == _SAMPLES:
        readers[number].samples(body[4:])
    elif tag == _CLOCK_OFFSET:
        readers[number].offsets.append(struct.unpack("<dd", body[4:]))
    else:
        stated = ElementTree.fromstring(body[4:]).findtext("sample_count")
        readers[number].outline.stated = int(stated or 0)


class _Reader:
    """Takes the chunks of one stream."""

    def __init__(self, number: int, header: ElementTree.Element) -> None:
        rate = float(header.findtext("nominal_srate") or 0)
        name, kind = (header.findtext(tag) or "" for tag in ("name", "type"))
        self.outline = StreamOutline(number, name, kind, rate, header)
        self.offsets: list[tuple[float, ...]] = []
        self._stretches: list[list[float]] = []
        self._gap = gap_seconds(rate) if rate > 0 else 0.0
        self._last = 0.0  # stamp of a sample
        self._step = 1 / rate if rate > 0 else 0.0
        form = (header.findtext("channel_format") or "").encode()
        self._n_channels = int(header.findtext("channel_count") or 0)
        self._width = self._n_channels * BYTES.get(form, 1)
        self._is_text = form == b"string"

    def samples(self, body: bytes) -> None:
        """Take a chunk of samples."""
        file = io.BytesIO(body)
        n = integer(file, file.read(1)[0])
        if self._is_text:
            stamps = self._texts(file, n)
        else:
            stamps = self._stamps_of(
                np.frombuffer(body, np.uint8, offset=file.tell()), n
            )
        if n:
            self._last = float(stamps[-1])
            self._lengthen(stamps)

    def finish(self) -> StreamOutline:
        """All that was taken."""
        stretches = np.array(self._stretches, dtype=float)
        self.outline.stretches = stretches.reshape(-1, 3)
        self.outline.offsets = np.array(self.offsets, dtype=float).reshape(-1, 2)
        return self.outline

    def _lengthen(self, stamps: np.ndarray) -> None:
        """Go on with the newest stretch, and begin another at each gap."""
        before = self._stretches[-1][1] if self._stretches else -np.inf
        steps = np.abs(np.diff(stamps, prepend=before))
        # Of an irregular stream each sample is a stretch, also those of one time.
        gaps = steps > self._gap if self.outline.rate > 0 else steps >= 0
        cuts = np.flatnonzero(gaps).tolist()
        if not cuts or cuts[0] > 0:
            stop = cuts[0] if cuts else len(stamps)
            self._stretches[-1][1] = float(stamps[stop - 1])
            self._stretches[-1][2] += stop
        for start, stop in pairwise([*cuts, len(stamps)]):
            begin, end = float(stamps[start]), float(stamps[stop - 1])
            self._stretches.append([begin, end, stop - start])

    def _stamps_of(self, rows: np.ndarray, n: int) -> np.ndarray:
        """Stamps (n,) of samples, each of which has one or is a step after the last."""
        bare = 1 + self._width
        n_stamped, rest = divmod(len(rows) - n * bare, _STAMP.itemsize)
        if rest or not 0 <= n_stamped <= n:
            raise ValueError(f"{len(rows)} bytes are not {n} samples")
        if n_stamped == n:
            stamped = rows.reshape(n, bare + _STAMP.itemsize)
            return np.ascontiguousarray(stamped[:, 1:9]).view(_STAMP)[:, 0]
        evenly = _evenly_stamped(rows, n, bare)
        if evenly is not None:
            k, stamps = evenly
            return stamps + self._step * k
        return self._one_by_one(rows, n, bare)

    def _one_by_one(self, rows: np.ndarray, n: int, bare: int) -> np.ndarray:
        """Stamps (n,) of samples whose stamps come anyhow."""
        stamps = np.empty(n)
        at = k = 0
        while k < n:
            flags = rows[at : at + bare * min(_LOOK_AHEAD, n - k) : bare]
            found = np.flatnonzero(flags)
            run = int(found[0]) if len(found) else len(flags)
            stamps[k : k + run] = self._last + self._step * np.arange(1, run + 1)
            at, k = at + run * bare, k + run
            if len(found):
                stamps[k] = rows[at + 1 : at + 9].view(_STAMP)[0]
                at, k = at + bare + _STAMP.itemsize, k + 1
            self._last = float(stamps[k - 1])
        return stamps

    def _texts(self, file: io.BytesIO, n: int) -> np.ndarray:
        stamps = np.empty(n)
        for k in range(n):
            stamped = file.read(1) != b"\0"
            (self._last,) = (
                struct.unpack("<d", file.read(8)) if stamped else (self._last,)
            )
            stamps[k] = self._last
            row = [
                file.read(integer(file, file.read(1)[0]))
                for _ in range(self._n_channels)
            ]
            self.outline.texts.append(row[0].decode(errors="replace"))
        return stamps


def _evenly_stamped(
    rows: np.ndarray, n: int, bare: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """For each of n samples how many it follows the last stamp by, and that stamp.

    Ours state a stamp every so many samples, and so are read without a loop; None for
    what does otherwise. bare: bytes of a sample without a stamp.
    """
    size = _STAMP.itemsize
    following = np.flatnonzero(rows[bare + size :: bare][:_LOOK_AHEAD])
    every = 1 + int(following[0]) if len(following) else n
    k = np.arange(n)
    at = k * bare + size * -(-k // every)
    if at[-1] + bare > len(rows) or not ((rows[at] != 0) == (k % every == 0)).all():
        return None
    stamped = rows[at[::every, None] + np.arange(1, 1 + size)].view(_STAMP)[:, 0]
    return k % every, np.repeat(stamped, every)[:n]
