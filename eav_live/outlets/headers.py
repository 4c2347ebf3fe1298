"""The LSL streams of a replay: which there are, and what their headers say."""

import logging
import threading
import time
from dataclasses import dataclass, replace

import pylsl

from eav_offline.data.media import MediaError, VideoInfo, video_info
from eav_offline.data.recording import Recording

log = logging.getLogger(__name__)

_BUFFER_SECONDS = 10  # of samples, for a reader that pauses
_VIDEO_BUFFER_SECONDS = 2  # a frame is a megabyte
_CONSUMER_POLL_SECONDS = 0.05


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
        return None not in (self.channels, self.audio_rate, self.video)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to publish."""
        return self.channels is None and self.audio_rate is None and self.video is None

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


class Outlets:
    """The open outlets of a replay; they close when this is forgotten.

    A source id made of the name alone lets a restarted replay be the same stream.
    """

    def __init__(self, plan: StreamPlan, name: str, note: str) -> None:
        self._plan = plan
        self._name = name
        self._note = note
        self.names: list[str] = []
        self.eeg: pylsl.StreamOutlet | None = None
        self.audio: pylsl.StreamOutlet | None = None
        self.video: pylsl.StreamOutlet | None = None
        if plan.channels is not None:
            self.eeg = self._open_eeg(plan.channels)
        if plan.audio_rate is not None:
            self.audio = self._open_audio(plan.audio_rate)
        if plan.video is not None:
            self.video = self._open_video(plan.video)
        markers = self._info("-Markers", "Markers", 1, pylsl.IRREGULAR_RATE, "string")
        self.markers = self._open(markers, 0, _BUFFER_SECONDS)

    def fits_eeg(self, recording: Recording) -> bool:
        """Whether the recording's EEG is what the stream's header promises."""
        there = (recording.channels, recording.eeg_rate)
        return self._fits(
            recording, "EEG", there, (self._plan.channels, self._plan.eeg_rate)
        )

    def fits_audio(self, recording: Recording) -> bool:
        """Whether the recording's sound is what the stream's header promises."""
        return self._fits(
            recording, "sound", recording.audio_rate, self._plan.audio_rate
        )

    def fits_video(self, recording: Recording) -> bool:
        """Whether the recording's video is what the stream's header promises."""
        assert recording.video is not None
        if self._plan.video is None:
            return False
        try:
            info = video_info(recording.video)
        except MediaError as error:
            log.warning("%s", error)
            return False
        size = (self._plan.video.width, self._plan.video.height)
        return self._fits(recording, "video", (info.width, info.height), size)

    def wait_for_consumers(self, seconds: float, stop: threading.Event) -> None:
        """Wait until EEG, sound and video are all read, at most `seconds`."""
        outlets = [o for o in (self.eeg, self.audio, self.video) if o is not None]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not stop.is_set():
            if all(outlet.have_consumers() for outlet in outlets):
                return
            stop.wait(_CONSUMER_POLL_SECONDS)

    def _fits(
        self, recording: Recording, what: str, found: object, expected: object
    ) -> bool:
        if found != expected:
            log.warning(
                "%s: its %s (%s) differs from the stream's (%s) and is left out",
                recording.name,
                what,
                found,
                expected,
            )
        return found == expected

    def _open_eeg(self, labels: tuple[str, ...]) -> pylsl.StreamOutlet:
        info = self._info("", "EEG", len(labels), self._plan.eeg_rate, "float32")
        kinds = self._plan.channel_kinds or ("EEG",) * len(labels)
        channels = info.desc().append_child("channels")
        for label, kind in zip(labels, kinds, strict=True):
            channel = channels.append_child("channel")
            channel.append_child_value("label", label)
            channel.append_child_value("type", kind)
            channel.append_child_value("unit", "microvolts")
        return self._open(info, 0, _BUFFER_SECONDS)

    def _open_audio(self, rate: float) -> pylsl.StreamOutlet:
        info = self._info("-Audio", "Audio", 1, rate, "float32")
        channel = info.desc().append_child("channels").append_child("channel")
        channel.append_child_value("label", "mono")
        channel.append_child_value("type", "Audio")
        return self._open(info, 0, _BUFFER_SECONDS)

    def _open_video(self, video: VideoInfo) -> pylsl.StreamOutlet:
        n_bytes = video.width * video.height * 3
        info = self._info("-Video", "VideoRaw", n_bytes, video.rate, "int8")
        desc = info.desc()
        desc.append_child_value("width", str(video.width))
        desc.append_child_value("height", str(video.height))
        desc.append_child_value("rate", f"{video.rate:g}")
        desc.append_child_value("format", "RGB")
        return self._open(info, 1, _VIDEO_BUFFER_SECONDS)

    def _info(
        self, suffix: str, kind: str, n: int, rate: float, sample_format: str
    ) -> pylsl.StreamInfo:
        name = f"{self._name}{suffix}"
        info = pylsl.StreamInfo(
            name, kind, n, rate, sample_format, f"eav-replay {name} {kind}"
        )
        info.desc().append_child_value("eav_replay", self._note)
        return info

    def _open(
        self, info: pylsl.StreamInfo, chunk: int, buffer_s: int
    ) -> pylsl.StreamOutlet:
        self.names.append(info.name())
        return pylsl.StreamOutlet(info, chunk, buffer_s)
