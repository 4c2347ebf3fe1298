"""Reading XDF files: through pyxdf, after a look at their chunks, with plain errors.

Stamps are put on one clock by the file's clock offsets and otherwise left as they are:
pyxdf's dejitter, like LSL's, would hide a gap.
"""

import io
import logging
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from eav_offline.common.errors import InputRefused
from eav_offline.core.electrodes import Channel

MAGIC = b"XDF:"
_STREAM_HEADER, _SAMPLES = 2, 3
BOUNDARY = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")
_SCAN_BYTES = 1 << 26
BYTES = {b"double64": 8, b"float32": 4, b"int64": 8, b"int32": 4, b"int16": 2}


class XdfError(InputRefused):
    """A file that is no XDF or cannot be read; the message says what to do."""


@dataclass(frozen=True)
class XdfStream:
    """One stream.

    number: its identity in the file. rate: Hz as stated, 0 if irregular. values: (n,
    channels) as recorded; of text an object array. stamps: (n,) float64 seconds.
    about: the header's desc as nested dictionaries of lists.
    """

    number: int
    name: str
    kind: str
    rate: float
    channels: tuple[Channel, ...]
    values: np.ndarray
    stamps: np.ndarray
    source_id: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)

    def said(self, name: str) -> str:
        """An entry of desc as text; empty if it is not there."""
        return _text(self.about, name)


@dataclass(frozen=True)
class XdfFile:
    """A whole file. about: the file header's entries. truncated: it ends mid-chunk."""

    path: Path
    streams: tuple[XdfStream, ...]
    about: Mapping[str, Any]
    truncated: bool

    def named(self, name: str) -> list[XdfStream]:
        """The streams of that name."""
        return [stream for stream in self.streams if stream.name == name]

    def said(self, name: str) -> str:
        """An entry of the file's header as text; empty if it is not there."""
        return _text(self.about, name)


def read_xdf(path: Path) -> XdfFile:
    """Read a file whole. One that was cut off is read as far as it goes.

    Raises XdfError naming file and cause.
    """
    whole, size = _look_over(path)
    import pyxdf

    quiet = logging.getLogger("pyxdf.pyxdf")
    level, quiet.level = quiet.level, logging.CRITICAL
    try:
        with io.BufferedReader(_Beginning(path, whole), 1 << 20) as file:
            found, header = pyxdf.load_xdf(file, dejitter_timestamps=False)
        streams = tuple(_stream(one) for one in found)
    except Exception as error:  # pyxdf raises what its parsing happens to raise
        raise XdfError(
            f"{path} cannot be read as XDF ({type(error).__name__}: {error}); it is "
            "damaged, so copy it again from where it was recorded"
        ) from error
    finally:
        quiet.level = level
    about = ((header or {}).get("info") or {}) if isinstance(header, dict) else {}
    return XdfFile(path, streams, about, whole != size)


def file_header(path: Path) -> str:
    """The text of a file's header chunk, without reading the rest. Raises XdfError."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if file.read(4) != MAGIC:
                raise no_xdf(path)
            length, tag = chunk_head(file) or (0, 0)
            if tag != 1 or length > size:
                raise no_xdf(path)
            return file.read(length).decode("utf-8", "replace")
    except OSError as error:
        raise XdfError(f"{path} cannot be read: {error}") from error


class _Beginning(io.RawIOBase):
    """The first bytes of a file, as if it ended there."""

    def __init__(self, path: Path, size: int) -> None:
        super().__init__()
        self._file = path.open("rb", buffering=0)
        self._size = size

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        """Read what there is."""
        room = min(len(buffer), max(0, self._size - self._file.tell()))
        data = self._file.read(room) or b""
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a position; returns it."""
        return self._file.seek(offset, whence)

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        super().close()


def _look_over(path: Path) -> tuple[int, int]:
    """Walk over the chunks; where the last whole one ends, and the file's size.

    A chunk that claims more samples than it has bytes would have a reader allocate
    what it says. Raises XdfError.
    """
    widths: dict[int, int] = {}
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if file.read(4) != MAGIC:
                raise no_xdf(path)
            whole = file.tell()
            try:
                while (head := chunk_head(file)) is not None:
                    length, tag = head
                    end = file.tell() + length
                    if length < 0 or end > size:
                        break
                    _check_chunk(path, file, length, tag, widths)
                    file.seek(end)
                    whole = end
            except struct.error:
                pass
            file.seek(whole)
            # A reader finds its way again at the next mark, if there is one.
            damaged_within = whole != size and BOUNDARY in file.read(_SCAN_BYTES)
            return (size if damaged_within else whole), size
    except OSError as error:
        raise XdfError(f"{path} cannot be read: {error}") from error


def chunk_head(file: BinaryIO) -> tuple[int, int] | None:
    """Bytes of content and tag of the next chunk; None at the file's end.

    Raises struct.error for what is no head.
    """
    n_bytes = file.read(1)
    if not n_bytes:
        return None
    length = integer(file, n_bytes[0])
    (tag,) = struct.unpack("<H", file.read(2))
    return length - 2, tag


def integer(file: BinaryIO, n_bytes: int) -> int:
    """The number that follows in so many bytes. Raises struct.error."""
    layout = {1: "<B", 4: "<I", 8: "<Q"}.get(n_bytes)
    if layout is None:
        raise struct.error("no length of 1, 4 or 8 bytes")
    value: int = struct.unpack(layout, file.read(n_bytes))[0]
    return value


def _check_chunk(
    path: Path, file: BinaryIO, length: int, tag: int, widths: dict[int, int]
) -> None:
    """Refuse a chunk of more samples than it has room for.

    widths: bytes of a sample at the least, by stream; filled from the headers.
    """
    if tag not in (_STREAM_HEADER, _SAMPLES) or length < 4:
        return
    (number,) = struct.unpack("<I", file.read(4))
    if tag == _STREAM_HEADER:
        xml = file.read(length - 4)
        channels = re.search(rb"<channel_count>\s*(\d+)", xml)
        layout = re.search(rb"<channel_format>\s*(\w+)", xml)
        size = BYTES.get(layout[1] if layout else b"", 1)
        # And the byte that says whether a stamp follows.
        widths[number] = 1 + size * int(channels[1] if channels else 1)
        return
    n = integer(file, (file.read(1) or b"\0")[0])
    if n * widths.get(number, 1) > length:
        raise XdfError(
            f"{path} is damaged: a chunk of {length} bytes claims {n} samples; copy "
            "the file again from where it was recorded"
        )


def _stream(found: Mapping[str, Any]) -> XdfStream:
    info = found["info"]
    about = info.get("desc") or [{}]
    about = about[0] if isinstance(about[0], dict) else {}
    values = found["time_series"]
    n_channels = int(info["channel_count"][0])
    if isinstance(values, list):
        array = np.empty((len(values), n_channels), dtype=object)
        for i, row in enumerate(values):
            array[i] = row
        values = array
    return XdfStream(
        number=int(info["stream_id"]),
        name=_text(info, "name"),
        kind=_text(info, "type"),
        rate=float(info["nominal_srate"][0]),
        channels=_channels(about, n_channels),
        values=values,
        stamps=np.asarray(found["time_stamps"], dtype=np.float64),
        source_id=_text(info, "source_id"),
        about=about,
    )


def _channels(about: Mapping[str, Any], n: int) -> tuple[Channel, ...]:
    try:
        described = about["channels"][0]["channel"]
    except (KeyError, IndexError, TypeError):
        described = []
    if len(described) != n:
        described = [{}] * n
    return tuple(
        Channel(_text(c, "label"), _text(c, "type"), _text(c, "unit"), _factor(c))
        for c in described
    )


def _factor(channel: Mapping[str, Any]) -> float:
    try:
        return float(_text(channel, "scaling_factor") or 1.0)
    except ValueError:
        return 1.0


def _text(entries: Any, name: str) -> str:
    """The first entry of that name; pyxdf gives a list of each."""
    if not isinstance(entries, Mapping):
        return ""
    value = entries.get(name)
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, str) else ""


def no_xdf(path: Path) -> XdfError:
    """What to raise of a file that is something else."""
    return XdfError(
        f"{path} is no XDF file: it does not begin with XDF:. Give a recording of "
        "eav-live --record or of LabRecorder"
    )
