"""What can be connected here, as it comes and goes, and why something cannot be used.

EEG streams are opened by the very source that a session has, so that what it would
refuse is known, with its cure, before it is chosen.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pylsl

from eav_live.recognition.predictions import STREAMING, StreamState
from eav_live.streams import devices
from eav_live.streams.audio import MIN_AUDIO_RATE, Microphone, portaudio, rescan
from eav_live.streams.eeg import LslEeg
from eav_live.streams.preview import Preview
from eav_offline.common.errors import SourceRefused
from eav_offline.core.window import N_CHANNELS

log = logging.getLogger(__name__)

_LEVEL_SECONDS = 0.5  # of sound, for its level
_SOUND_SECONDS = 5.0  # between looks for other microphones; the level pauses then
_CAMERAS_SECONDS = 5.0  # between looks at which there are
_TYPES = ("eeg", "")  # of streams that may be EEG, in small letters
_SLOW = (
    f"sound at {MIN_AUDIO_RATE:g} Hz or more is needed; have its program send the "
    "sound itself, and state its rate"
)
_DARK = (
    "there is a camera that gives no picture; close other programs that use it, or "
    "allow this one to (on Linux: membership of the group video)"
)
_ALIKE = (
    "another stream has the same name, computer and source id; stop one of them, or "
    "give it another name"
)


class Survey:
    """Looks, again and again. `look`, `level` and `picture` are called by a thread
    each, what says what is wanted by any.
    """

    def __init__(
        self,
        find_streams: Callable[[], list[devices.StreamInfo]] = devices.streams,
        sound: Any = None,
        find_cameras: Callable[
            [list[int]], Sequence[devices.CameraInfo]
        ] = lambda numbers: devices.cameras(numbers=numbers),
        camera_numbers: Callable[[], list[int]] = devices.camera_numbers,
        preview: Callable[[str], Preview] = Preview,
    ) -> None:
        """sound: stands in for the module sounddevice."""
        self._find_streams, self._sound = find_streams, sound
        self._find_cameras, self._camera_numbers = find_cameras, camera_numbers
        self._make_preview = preview
        self._eeg: dict[str, LslEeg] = {}
        self._mappings: dict[str, dict[str, Any]] = {}  # as somebody wants them
        self._applied: dict[str, dict[str, Any] | None] = {}  # as streams are read
        self._shown: str | None = None
        self._preview: Preview | None = None
        self._wanted: int | None = None
        self._microphone: tuple[int, Microphone] | None = None
        self._numbers: list[int] | None = None
        self._cameras: Sequence[devices.CameraInfo] = ()
        self._cameras_at = -float("inf")
        self._sound_at = -float("inf")
        self._lock = threading.Lock()
        self._camera_lock = threading.Lock()

    def listen_to(self, microphone: int | None) -> None:
        """Measure the level of this one, by PortAudio's number; None of none."""
        self._wanted = microphone

    def show(self, option: str | None) -> None:
        """Have pictures of this camera or file, "camera:2" or "file:PATH", or none."""
        self._shown = option

    def map_electrodes(self, handle: str, settings: dict[str, Any]) -> None:
        """Judge a stream as a session does that reads it so; see `mapping_settings`."""
        self._mappings[handle] = settings

    def look(self) -> dict[str, Any]:
        """What is there now, as plain values; takes about a second.

        streams: of each, what `eav-live devices` says, and of what may be EEG the
        electrodes of 30 that it has, the labels of its header, its fault, what is to be
        noticed, and by which `mapping` that was judged.
        """
        streams = self._find_streams()
        self._follow(streams)
        microphones, trouble = self._microphones()
        return {
            "streams": [self._stream(info) for info in streams],
            "microphones": microphones,
            "microphones_error": trouble,
            "cameras": [asdict(camera) for camera in self._known_cameras()],
            "cameras_error": _DARK if self._numbers and not self._cameras else "",
        }

    def level(self) -> dict[str, Any]:
        """Which microphone is listened to, and its level, dB of full scale."""
        self._switch()
        if self._microphone is None:
            return {"microphone": None}
        index, source = self._microphone
        found: dict[str, Any] = {"microphone": index, "level_db": None, "fault": ""}
        if source.ring is None:
            found["fault"] = source.detail
            return found
        _, values = source.ring.latest(_LEVEL_SECONDS)
        if len(values):
            power = float(np.mean(np.square(values)))
            found["level_db"] = 10 * float(np.log10(max(power, 1e-12)))
        return found

    def picture(self) -> dict[str, Any] | None:
        """The next picture of what is shown, see `Preview`; None while none is due."""
        with self._camera_lock:
            if self._preview is not None and self._preview.option != self._shown:
                self._close_preview()
            if self._preview is None and self._shown is not None:
                self._preview = self._make_preview(self._shown)
            return None if self._preview is None else self._preview.picture()

    def close(self) -> None:
        """Let go of all streams and devices."""
        self.listen_to(None)
        self._switch()
        self.show(None)
        self.picture()
        for source in self._eeg.values():
            source.stop()
        self._eeg.clear()

    def _follow(self, streams: Sequence[devices.StreamInfo]) -> None:
        """Read what may be EEG, and nothing that has gone."""
        there = {s.handle for s in streams if s.handle and _may_be_eeg(s)}
        otherwise = {h for h, m in self._applied.items() if m != self._mappings.get(h)}
        for gone in self._eeg.keys() & otherwise | self._eeg.keys() - there:
            self._eeg.pop(gone).stop()
        for come in there - self._eeg.keys():
            settings = self._mappings.get(come)
            self._applied[come] = settings
            self._eeg[come] = LslEeg(come, **(settings or {}))
            self._eeg[come].start()

    def _stream(self, info: devices.StreamInfo) -> dict[str, Any]:
        told = asdict(info) | {"electrodes": None, "fault": "", "notice": ""}
        told |= {"labels": [], "mapping": None}
        if not info.handle:
            return told | {"fault": _ALIKE}
        if info.kind.casefold() == "audio" and info.rate < MIN_AUDIO_RATE:
            return told | {"fault": _SLOW}
        source = self._eeg.get(info.handle)
        if source is None:
            return told
        told["labels"] = list(source.header_labels)
        told["mapping"] = self._applied[info.handle]
        health = source.health(pylsl.local_clock())
        if health.state is StreamState.REFUSED:
            return told | {"fault": health.detail}
        if health.state in STREAMING:
            told["electrodes"] = N_CHANNELS - len(source.interpolated)
            lacks = ", ".join(source.interpolated)
            interpolated = f"computed from their neighbors: {lacks}" if lacks else ""
            # With a wrong rate it would be left out, until that is mended.
            notices = (interpolated, health.fault, health.notice)
            told["notice"] = "; ".join(filter(None, notices))
        return told

    def _microphones(self) -> tuple[list[dict[str, Any]], str]:
        with self._lock:
            try:
                sound = self._sound or portaudio()
                if pylsl.local_clock() - self._sound_at > _SOUND_SECONDS:
                    self._let_go()  # PortAudio looks anew only with nothing open
                    rescan(sound)
                    self._sound_at = pylsl.local_clock()
                found = devices.microphones(sound)
            except SourceRefused as refusal:
                return [], str(refusal)
        return [asdict(microphone) for microphone in found], ""

    def _switch(self) -> None:
        """Listen to the microphone that is wanted now, and to no other."""
        listened = None if self._microphone is None else self._microphone[0]
        if self._wanted == listened:
            return
        with self._lock:
            self._let_go()
            if self._wanted is not None:
                source = Microphone(self._wanted, portaudio=self._sound)
                source.start()
                self._microphone = self._wanted, source

    def _let_go(self) -> None:
        if self._microphone is not None:
            self._microphone[1].stop()
            self._microphone = None

    def _close_preview(self) -> None:
        if self._preview is not None:
            self._preview.close()
            self._preview = None

    def _known_cameras(self) -> Sequence[devices.CameraInfo]:
        """The cameras; opened only when others are listed than before."""
        now = pylsl.local_clock()
        if now - self._cameras_at > _CAMERAS_SECONDS:
            self._cameras_at = now
            numbers = self._camera_numbers()
            if numbers != self._numbers:
                self._numbers = numbers
                with self._camera_lock:  # no camera is opened twice
                    self._close_preview()
                    self._cameras = self._find_cameras(numbers)
        return self._cameras


def _may_be_eeg(info: devices.StreamInfo) -> bool:
    return info.kind.casefold() in _TYPES
