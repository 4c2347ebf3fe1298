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
from eav_live.streams.audio import Microphone, portaudio, rescan
from eav_live.streams.eeg import LslEeg
from eav_offline.common.errors import SourceRefused
from eav_offline.core.window import N_CHANNELS

log = logging.getLogger(__name__)

_LEVEL_SECONDS = 0.5  # of sound, for its level
_SOUND_SECONDS = 5.0  # between looks for other microphones; the level pauses then
_CAMERAS_SECONDS = 5.0  # between looks at which there are
_TYPES = ("eeg", "")  # of streams that may be EEG, in small letters
_ALIKE = (
    "another stream has the same name, computer and source id; stop one of them, or "
    "give it another name"
)


class Survey:
    """Looks, again and again. `look` is called by one thread, `listen_to` by any."""

    def __init__(
        self,
        find_streams: Callable[[], list[devices.StreamInfo]] = devices.streams,
        sound: Any = None,
        find_cameras: Callable[
            [list[int]], Sequence[devices.CameraInfo]
        ] = lambda numbers: devices.cameras(numbers=numbers),
        camera_numbers: Callable[[], list[int]] = devices.camera_numbers,
    ) -> None:
        """sound: stands in for the module sounddevice."""
        self._find_streams, self._sound = find_streams, sound
        self._find_cameras, self._camera_numbers = find_cameras, camera_numbers
        self._eeg: dict[str, LslEeg] = {}
        self._wanted: int | None = None
        self._microphone: tuple[int, Microphone] | None = None
        self._numbers: list[int] | None = None
        self._cameras: Sequence[devices.CameraInfo] = ()
        self._cameras_at = -float("inf")
        self._sound_at = -float("inf")
        self._lock = threading.Lock()

    def listen_to(self, microphone: int | None) -> None:
        """Measure the level of this one, by PortAudio's number; None of none."""
        self._wanted = microphone

    def look(self) -> dict[str, Any]:
        """What is there now, as plain values; takes about a second.

        streams: of each, what `eav-live devices` says, and of what may be EEG the
        electrodes of 30 that it has, its fault and what is to be noticed.
        """
        streams = self._find_streams()
        self._follow(streams)
        microphones, trouble = self._microphones()
        return {
            "streams": [self._stream(info) for info in streams],
            "microphones": microphones,
            "microphones_error": trouble,
            "cameras": [asdict(camera) for camera in self._known_cameras()],
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

    def close(self) -> None:
        """Let go of all streams and devices."""
        self.listen_to(None)
        self._switch()
        for source in self._eeg.values():
            source.stop()
        self._eeg.clear()

    def _follow(self, streams: Sequence[devices.StreamInfo]) -> None:
        """Read what may be EEG, and nothing that has gone."""
        there = {s.handle for s in streams if s.handle and _may_be_eeg(s)}
        for gone in self._eeg.keys() - there:
            self._eeg.pop(gone).stop()
        for come in there - self._eeg.keys():
            self._eeg[come] = LslEeg(come)
            self._eeg[come].start()

    def _stream(self, info: devices.StreamInfo) -> dict[str, Any]:
        told = asdict(info) | {"electrodes": None, "fault": "", "notice": ""}
        if not info.handle:
            return told | {"fault": _ALIKE}
        source = self._eeg.get(info.handle)
        if source is None:
            return told
        health = source.health(pylsl.local_clock())
        if health.state is StreamState.REFUSED:
            return told | {"fault": health.detail}
        if health.state in STREAMING:
            told["electrodes"] = N_CHANNELS - len(source.interpolated)
            lacks = ", ".join(source.interpolated)
            interpolated = f"{lacks} are interpolated" if lacks else ""
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

    def _known_cameras(self) -> Sequence[devices.CameraInfo]:
        """The cameras; opened only when others are listed than before."""
        now = pylsl.local_clock()
        if now - self._cameras_at > _CAMERAS_SECONDS:
            self._cameras_at = now
            numbers = self._camera_numbers()
            if numbers != self._numbers:
                self._numbers = numbers
                self._cameras = self._find_cameras(numbers)
        return self._cameras


def _may_be_eeg(info: devices.StreamInfo) -> bool:
    return info.kind.casefold() in _TYPES
