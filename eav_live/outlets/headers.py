"""Headers of LSL streams, and the outlets that have them."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pylsl

from eav_offline.core.electrodes import Channel
from eav_offline.data.media import MediaError, VideoInfo, video_info
from eav_offline.data.recording import Recording

log = logging.getLogger(__name__)

BUFFER_SECONDS = 10  # of samples, for a reader that pauses
_VIDEO_BUFFER_SECONDS = 2  # a frame is a megabyte
_CONSUMER_POLL_SECONDS = 0.05
# LSL's and XDF's names of numpy's types; "object" is text.
FORMATS = {
    "float32": "float32",
    "float64": "double64",
    "int8": "int8",
    "int16": "int16",
    "int32": "int32",
    "int64": "int64",
    "object": "string",
}
_WORDS = {"eeg": "EEG", "audio": "sound", "video": "video"}
# What the streams of a replay NAME are called, and their LSL types.
_REPLAYED = {
    "eeg": ("", "EEG"),
    "audio": ("-Audio", "Audio"),
    "video": ("-Video", "VideoRaw"),
    "markers": ("-Markers", "Markers"),
}


@dataclass(frozen=True)
class StreamHeader:
    """What a stream's header says, over LSL or in an XDF file.

    dtype: of the values, a key of `FORMATS`. rate: Hz, 0 if irregular. about: further
    entries of desc, text or nested. n_values: of a sample whose channels are not
    described, such as the bytes of a frame.
    """

    name: str
    kind: str
    dtype: str
    rate: float
    channels: tuple[Channel, ...] = ()
    source_id: str = ""
    hostname: str = ""
    about: Mapping[str, object] = field(default_factory=dict)
    n_values: int = 0


def open_outlet(
    header: StreamHeader, buffer_s: int = BUFFER_SECONDS
) -> pylsl.StreamOutlet:
    """An outlet with this header, open until nobody refers to it.

    buffer_s: seconds that are kept for a reader that pauses; of frames two.
    """
    n = header.n_values or len(header.channels)
    info = pylsl.StreamInfo(
        header.name,
        header.kind,
        n,
        header.rate,
        FORMATS[header.dtype],
        header.source_id,
    )
    _append(info.desc(), header.about)
    channels = info.desc().append_child("channels")
    for c in header.channels:
        scaling = "" if c.scaling == 1 else repr(float(c.scaling))
        said = {"label": c.label, "type": c.kind, "unit": c.unit}
        said["scaling_factor"] = scaling
        channel = channels.append_child("channel")
        _append(channel, {key: text for key, text in said.items() if text})
    if header.kind == "VideoRaw":
        return pylsl.StreamOutlet(info, 1, _VIDEO_BUFFER_SECONDS)
    return pylsl.StreamOutlet(info, 0, buffer_s)


def replay_header(
    name: str,
    modality: str,
    note: str,
    rate: float = 0.0,
    dtype: str = "float32",
    channels: tuple[Channel, ...] = (),
    n_values: int = 0,
    size: tuple[int, int] | None = None,
) -> StreamHeader:
    """The header of the EEG, audio, video or markers of the replay `name`.

    A source id made of the name alone lets a restarted replay be the same stream.
    note: what is said of the material, such as "synthetic". size: (width, height) of
    frames. The rest: see `StreamHeader`.
    """
    suffix, kind = _REPLAYED[modality]
    about = {"eav_replay": note}
    if size is not None:
        width, height = size
        about |= {"width": str(width), "height": str(height), "rate": f"{rate:g}"}
        about["format"] = "RGB"
        n_values, dtype = width * height * 3, "int8"
    full = f"{name}{suffix}"
    source_id = f"eav-replay {full} {kind}"
    return StreamHeader(
        full, kind, dtype, rate, channels, source_id, about=about, n_values=n_values
    )


def markers_header(name: str, note: str) -> StreamHeader:
    """The header of the markers of the replay `name`."""
    return replay_header(name, "markers", note, dtype="object", n_values=1)


def _append(parent: Any, entries: Mapping[str, object]) -> None:
    for name, value in entries.items():
        if isinstance(value, Mapping):
            _append(parent.append_child(name), value)
        else:
            parent.append_child_value(name, str(value))


@dataclass(frozen=True)
class StreamPlan:
    """What the streams carry; None where there is no such stream.

    channel_kinds: LSL types of the EEG channels; None makes all of them EEG.
    """

    channels: tuple[str, ...] | None = None
    channel_kinds: tuple[str, ...] | None = None
    eeg_rate: float = 0.0
    audio_rate: float | None = None
    video: VideoInfo | None = None

    @property
    def is_complete(self) -> bool:
        """Whether nothing more can be learned from another recording."""
        return all(self.contents.values())

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to publish."""
        return not any(self.contents.values())

    @property
    def contents(self) -> dict[str, object]:
        """By modality, what must be the same in all that a stream carries; or None."""
        video = self.video
        return {
            "eeg": None if self.channels is None else (self.channels, self.eeg_rate),
            "audio": self.audio_rate,
            "video": None if video is None else (video.width, video.height),
        }

    def extended(self, recording: Recording) -> "StreamPlan":
        """This plan with the streams that it lacked and `recording` has."""
        plan = self
        if plan.channels is None and recording.eeg_uv is not None:
            plan = replace(
                plan, channels=recording.channels, eeg_rate=recording.eeg_rate
            )
        if plan.audio_rate is None and recording.audio is not None:
            plan = replace(plan, audio_rate=recording.audio_rate)
        if plan.video is None and recording.video is not None:
            try:
                plan = replace(plan, video=video_info(recording.video))
            except MediaError as error:
                log.warning("%s", error)
        return plan

    def headers(
        self, name: str, note: str
    ) -> tuple[StreamHeader | None, StreamHeader | None, StreamHeader | None]:
        """Of EEG, sound and video of the replay `name`; see `replay_header`."""
        eeg = audio = video = None
        if self.channels is not None:
            kinds = self.channel_kinds or ("EEG",) * len(self.channels)
            channels = tuple(
                Channel(label, kind, "microvolts")
                for label, kind in zip(self.channels, kinds, strict=True)
            )
            eeg = replay_header(name, "eeg", note, self.eeg_rate, channels=channels)
        if self.audio_rate is not None:
            mono = (Channel("mono", "Audio"),)
            audio = replay_header(name, "audio", note, self.audio_rate, channels=mono)
        if self.video is not None:
            size = (self.video.width, self.video.height)
            video = replay_header(name, "video", note, self.video.rate, size=size)
        return eeg, audio, video


class Outlets:
    """The open outlets of a replay; they close when this is forgotten."""

    def __init__(self, plan: StreamPlan, name: str, note: str) -> None:
        self._plan = plan
        headers = plan.headers(name, note)
        self.eeg, self.audio, self.video = (
            None if header is None else open_outlet(header) for header in headers
        )
        markers = markers_header(name, note)
        self.markers = open_outlet(markers)
        there = [header for header in headers if header is not None]
        self.names = [header.name for header in (*there, markers)]

    def fitted_by(self, recording: Recording) -> set[str]:
        """The streams, by modality, whose headers hold for a recording too."""
        promised = self._plan.contents
        fitted = set()
        for modality, found in StreamPlan().extended(recording).contents.items():
            if found is not None and found == promised[modality]:
                fitted.add(modality)
            elif found is not None:
                log.warning(
                    "%s: its %s (%s) differs from the stream's (%s) and is left out",
                    recording.name,
                    _WORDS[modality],
                    found,
                    promised[modality],
                )
        return fitted

    def wait_for_consumers(self, seconds: float, stop: threading.Event) -> None:
        """Wait until EEG, sound and video are all read, at most `seconds`."""
        outlets = [o for o in (self.eeg, self.audio, self.video) if o is not None]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not stop.is_set():
            if all(outlet.have_consumers() for outlet in outlets):
                return
            stop.wait(_CONSUMER_POLL_SECONDS)
