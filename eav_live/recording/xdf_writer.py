"""Writing XDF 1.0, chunk by whole chunk, as LabRecorder does.

The format: https://github.com/sccn/xdf/wiki/Specifications. Nothing is held back: a
chunk is with the operating system when the call returns, so that a killed program
loses none of what it wrote.

The streams of a recording: their names, their columns, their headers.

`eav_offline.data.sessions.xdf` and `eav_offline.data.sessions.session` read what is
named here.
"""

import io
import json
import os
import struct
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from eav_live.outlets.headers import FORMATS, StreamHeader
from eav_live.recognition.predictions import Prediction, sureness_json
from eav_live.streams import Arrival
from eav_offline.core.electrodes import Channel
from eav_offline.data.sessions.session import (
    ANSWERS,
    DECISIONS_NAME,
    EVENTS_NAME,
    FRAME_COLUMNS,
    FRAMES_NAME,
    MARKERS_NAME,
    PREDICTION_COLUMNS,
    PREDICTIONS_NAME,
)

# By which a reader finds its way again in a damaged file; the specification's.
BOUNDARY = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")
_MAGIC = b"XDF:"
_FILE_HEADER, _STREAM_HEADER, _SAMPLES, _CLOCK_OFFSET, _BOUNDARY, _FOOTER = range(1, 7)
# A stamp is left out where the reader's own count (last stamp + 1 / rate) is as good.
_STEP_TOLERANCE = 1e-10  # seconds: a few roundings of a clock that shows 10^5 s
_STAMP_EVERY = 50  # samples, so that roundings do not add up: 5 ns at most


class _Stream:
    """A stream as far as it is written."""

    def __init__(self, header: StreamHeader) -> None:
        self.header = header
        self.n_samples = 0
        self.first: float | None = None
        self.last: float | None = None
        self.offsets: list[tuple[float, float]] = []


class WholeFile(io.FileIO):
    """A new file without a buffer, every write of which is whole or not there.

    Raises FileExistsError if there is one of its name: recordings are never
    overwritten.
    """

    def __init__(self, path: Path) -> None:
        # Nobody else's business on a shared computer.
        super().__init__(str(path), "x+", opener=partial(os.open, mode=0o600))

    def write(self, data) -> int:  # type: ignore[no-untyped-def]
        """Append or replace `data`; raises OSError with the file as it was before."""
        begin, end = self.tell(), os.fstat(self.fileno()).st_size
        rest = memoryview(data).cast("B")
        n = len(rest)
        try:
            while len(rest):
                rest = rest[os.write(self.fileno(), rest) :]
        except OSError:
            if begin >= end:
                self.truncate(begin)
                self.seek(begin)
            raise
        return n

    def sync(self) -> None:
        """See that a loss of power spares what was written."""
        os.fsync(self.fileno())


class XdfWriter:
    """One XDF file. Every method may raise OSError, and has then written nothing."""

    def __init__(self, file: io.RawIOBase, about: Mapping[str, object]) -> None:
        """file: new and empty. about: further entries of the file's header."""
        self._file = file
        self._streams: list[_Stream] = []
        info = ElementTree.Element("info")
        _add(info, {"version": "1.0", "datetime": _now(), **about})
        self._file.write(_MAGIC + _chunk(_FILE_HEADER, _xml(info)))

    def add_stream(self, header: StreamHeader) -> int:
        """Begin a stream; returns its number in the file."""
        number = len(self._streams) + 1
        info = ElementTree.Element("info")
        _add(
            info,
            {
                "name": header.name,
                "type": header.kind,
                "channel_count": str(len(header.channels)),
                "channel_format": FORMATS[header.dtype],
                "nominal_srate": repr(float(header.rate)),
                "source_id": header.source_id,
                "hostname": header.hostname,
                "uid": str(uuid.uuid4()),
                "version": "1.1",
                "created_at": "0",
                "session_id": "default",
                "desc": _description(header),
            },
        )
        self._file.write(_chunk(_STREAM_HEADER, struct.pack("<I", number) + _xml(info)))
        self._streams.append(_Stream(header))
        return number

    def samples(self, number: int, values: np.ndarray, stamps: np.ndarray) -> None:
        """Append samples. values: (n, channels); stamps: (n,) seconds."""
        n = len(stamps)
        if n == 0:
            return
        stream = self._streams[number - 1]
        stamps = np.asarray(stamps, dtype=np.float64)
        if values.dtype == object:
            body = _text_samples(values, stamps)
        else:
            body = _number_samples(values, stamps, stream.header.rate)
        head = struct.pack("<IBI", number, 4, n)
        self._file.write(_chunk(_SAMPLES, head + body))
        stream.n_samples += n
        stream.first = float(stamps[0]) if stream.first is None else stream.first
        stream.last = float(stamps[-1])

    def clock_offsets(self, now: float) -> None:
        """Note that every stream's stamps are on this computer's clock, at `now`."""
        chunks = [
            _chunk(_CLOCK_OFFSET, struct.pack("<Idd", number, now, 0.0))
            for number in range(1, len(self._streams) + 1)
        ]
        self._file.write(b"".join(chunks))
        for stream in self._streams:
            stream.offsets.append((now, 0.0))

    def boundary(self) -> None:
        """A mark from which a damaged file can be read on."""
        self._file.write(_chunk(_BOUNDARY, BOUNDARY))

    def finish(self) -> None:
        """Write the streams' footers; nothing may follow."""
        chunks = []
        for number, stream in enumerate(self._streams, 1):
            info = ElementTree.Element("info")
            if stream.first is not None:
                _add(
                    info,
                    {
                        "first_timestamp": repr(stream.first),
                        "last_timestamp": repr(stream.last),
                    },
                )
            _add(info, {"sample_count": str(stream.n_samples)})
            offsets = ElementTree.SubElement(info, "clock_offsets")
            for time, value in stream.offsets:
                offset = ElementTree.SubElement(offsets, "offset")
                _add(offset, {"time": repr(time), "value": repr(value)})
            chunks.append(_chunk(_FOOTER, struct.pack("<I", number) + _xml(info)))
        self._file.write(b"".join(chunks))


def _chunk(tag: int, content: bytes) -> bytes:
    length = len(content) + 2  # the tag counts
    if length < 256:
        return struct.pack("<BBH", 1, length, tag) + content
    return struct.pack("<BIH", 4, length, tag) + content


def _number_samples(values: np.ndarray, stamps: np.ndarray, rate: float) -> bytes:
    """Each sample: 8 and its stamp, or 0 where it can be counted; then its values."""
    n = len(stamps)
    explicit = np.ones(n, dtype=bool)
    if rate > 0:
        step = 1.0 / rate
        explicit[1:] = np.abs(np.diff(stamps) - step) > _STEP_TOLERANCE
        explicit[::_STAMP_EVERY] = True
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    content = little.view(np.uint8).reshape(n, -1)
    rows = np.empty((n, 9 + content.shape[1]), dtype=np.uint8)
    rows[:, 0] = np.where(explicit, 8, 0)
    rows[:, 1:9] = stamps.astype("<f8").view(np.uint8).reshape(n, 8)
    rows[:, 9:] = content
    wanted = np.ones(rows.shape, dtype=bool)
    wanted[~explicit, 1:9] = False
    return rows[wanted].tobytes()


def _text_samples(values: np.ndarray, stamps: np.ndarray) -> bytes:
    parts = []
    for row, stamp in zip(values, stamps.tolist(), strict=True):
        parts.append(struct.pack("<Bd", 8, stamp))
        for text in row:
            data = str(text).encode()
            parts.append(struct.pack("<BI", 4, len(data)) + data)
    return b"".join(parts)


def _description(header: StreamHeader) -> dict[str, object]:
    channels = [
        {
            "label": c.label,
            "type": c.kind,
            "unit": c.unit,
            "scaling_factor": repr(float(c.scaling)),
        }
        for c in header.channels
    ]
    return {
        "channels": {"channel": channels},
        # Stamps are on the recording computer's clock and were not smoothed.
        "synchronization": {
            "can_drop_samples": "true" if header.rate == 0 else "false"
        },
        **header.about,
    }


def _add(parent: ElementTree.Element, entries: Mapping[str, object]) -> None:
    for name, value in entries.items():
        several = value if isinstance(value, list) else [value]
        for one in several:
            child = ElementTree.SubElement(parent, name)
            if isinstance(one, Mapping):
                _add(child, one)
            else:
                child.text = _printable(str(one))


def _printable(text: str) -> str:
    # XML has no place for control characters, and a reader would refuse the file.
    return "".join(c for c in text if c >= " " or c in "\t\n")


def _xml(element: ElementTree.Element) -> bytes:
    return b'<?xml version="1.0"?>' + ElementTree.tostring(element)


def _now() -> str:
    return datetime.now(UTC).astimezone().isoformat(timespec="seconds")


def _columns(names: tuple[str, ...], kind: str) -> tuple[Channel, ...]:
    return tuple(Channel(name, kind) for name in names)


def _text(name: str) -> StreamHeader:
    return StreamHeader(name, "Markers", "object", 0.0, _columns(("json",), "Markers"))


# Probabilities by answer and emotion at the end of each window; NaN where absent.
PREDICTIONS = StreamHeader(
    PREDICTIONS_NAME,
    "Predictions",
    "float64",
    0.0,
    _columns(PREDICTION_COLUMNS, "Probability"),
)
DECISIONS = _text(DECISIONS_NAME)  # the rest of what was said of each window
EVENTS = _text(EVENTS_NAME)  # states of the streams, and the session's settings
MARKERS = _text(MARKERS_NAME)  # of the session itself, such as trials


def source_header(arrival: Arrival, dtype: str, part: str) -> StreamHeader:
    """The header of the stream that an arrival belongs to. part: file of frames."""
    origin = arrival.origin
    about: dict[str, object] = {
        "eav_modality": arrival.modality,
        "eav_replay": origin.note,
    }
    name, kind, channels, rate = origin.name, origin.kind, origin.channels, origin.rate
    if arrival.modality == "video":
        assert origin.size is not None
        about |= {
            "file": part,
            "width": str(origin.size[0]),
            "height": str(origin.size[1]),
            "source_name": origin.name,
        }
        name, kind, rate = FRAMES_NAME, "Frames", 0.0
        channels = _columns(FRAME_COLUMNS, "Frame")
    elif origin.montage is not None:
        about["eav_montage"] = json.dumps(origin.montage.as_values())
    return StreamHeader(
        name=name,
        kind=kind,
        dtype=dtype,
        rate=rate,
        channels=channels,
        source_id=origin.source_id,
        hostname=origin.hostname,
        about=about,
    )


def stream_key(arrival: Arrival) -> object:
    """What two arrivals must share to be of one stream in the file."""
    origin = arrival.origin
    return (
        arrival.modality,
        origin.name,
        origin.rate,
        origin.channels,
        origin.size,
        origin.note,
    )


def prediction_values(prediction: Prediction) -> np.ndarray:
    """One row (1, 25) of the stream of predictions."""
    return prediction.stacked(ANSWERS)[None, :]


def decision(prediction: Prediction, counts: Mapping[str, int]) -> dict[str, object]:
    """What else was said of a window. counts: recorded of each modality before it."""
    return {
        "label": prediction.label,
        **sureness_json(prediction),
        "anew": prediction.anew,
        "truth": prediction.truth,
        "present": list(prediction.present),
        "reasons": dict(prediction.reasons),
        "states": {m: str(state) for m, state in prediction.states.items()},
        "interpolated": list(prediction.interpolated),
        "age_s": round(prediction.age_s, 6),
        "infer_s": round(prediction.infer_s, 6),
        "backend": prediction.backend,
        "fusion": prediction.fusion,
        "adapting": prediction.adapting,
        "dimensions": prediction.dimensions_json(),
        "recorded": dict(counts),
    }


def text_value(value: Mapping[str, object]) -> np.ndarray:
    """One row (1, 1) of a stream of text."""
    return np.array([[json.dumps(value)]], dtype=object)
