"""Sound from a microphone, from LSL or from a file, mono, in one ring."""

import logging
import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pylsl

from eav_live.streams import LOST_SECONDS, Origin
from eav_live.streams.lsl import LslInlet
from eav_live.streams.source import RETRY_SECONDS, FileSource, LslSource, SampleSource
from eav_offline.common.errors import SourceRefused
from eav_offline.core.electrodes import Channel
from eav_offline.data.media import MediaError, read_audio

log = logging.getLogger(__name__)

RING_SECONDS = 60.0
MIN_AUDIO_RATE = 8000.0  # Hz: what is slower is no sound but a feature of it
BLOCK_SECONDS = 0.02
SILENT_SECONDS = 1.5  # without a block, of fifty a second: the device is gone

_MONO = (Channel("mono", "Audio"),)  # what is kept of any number of channels

_FULL_SCALE = {
    pylsl.cf_int8: 2.0**7,
    pylsl.cf_int16: 2.0**15,
    pylsl.cf_int32: 2.0**31,
    pylsl.cf_float32: 1.0,
    pylsl.cf_double64: 1.0,
}


class _Sound(SampleSource):
    """What the three kinds of sound share: a ring of one channel in [-1, 1]."""

    kind, modality, ring_seconds = "audio", "audio", RING_SECONDS

    def _prepare(self, rate: float, origin: Origin | None = None) -> None:
        origin = origin or Origin("Audio", self.name, rate, _MONO)
        self._prepare_ring(origin, 1)

    def _store_mono(self, mono: np.ndarray, stamps: np.ndarray) -> None:
        self._store(mono[:, None], stamps, mono[:, None])


class LslAudio(LslSource, _Sound):
    """The stream of type Audio whose name is, or begins with, `name`."""

    def __init__(
        self,
        name: str,
        clock: Callable[[], float] = pylsl.local_clock,
        delay_s: float = 0.0,
    ) -> None:
        """delay_s: from a sound to its stamp."""
        super().__init__(name, clock)
        self._inlet = LslInlet("Audio", name, clock, delay_s=delay_s)
        self.detail = self._inlet.waiting_for()

    def pull(self) -> bool:
        """Connect if need be, and take what has arrived."""
        received = self._receive(max_samples=16384)
        if received is None:
            return False
        values, stamps = received
        assert self._inlet.header is not None
        scale = _FULL_SCALE[self._inlet.header.channel_format()]
        # Beyond stereo, channels are rarely the same voice.
        mono = values[:, :2].mean(axis=1, dtype=np.float64) / scale
        self._store_mono(mono.astype(np.float32), stamps)
        return True

    def _accept(self) -> None:
        header = self._inlet.header
        assert header is not None
        label, rate = self._inlet.label(), header.nominal_srate()
        if rate < MIN_AUDIO_RATE:
            raise SourceRefused(
                f"{label} runs at {rate:g} Hz; sound at {MIN_AUDIO_RATE:g} Hz or more "
                "was expected (0 means that the sender states no rate)."
            )
        if header.channel_format() not in _FULL_SCALE:
            raise SourceRefused(
                f"{label} has an unknown sample format; float32, double64, int8, "
                "int16 or int32 was expected."
            )
        self._prepare(rate, self._inlet.origin(_MONO))
        self.detail = f"{label} at {rate:g} Hz"

    def _fault(self) -> str:
        if self._ring is None or not self._inlet.is_open:
            return ""
        return self._stamp_rate.fault(self._ring.rate)


class FileAudio(FileSource, _Sound):
    """A sound file, played into the ring at its true pace; it ends with the file."""

    idle_s = BLOCK_SECONDS

    def __init__(
        self, path: Path, clock: Callable[[], float] = pylsl.local_clock
    ) -> None:
        super().__init__(str(path), clock)
        self._path = path
        self._samples: np.ndarray | None = None
        self._next = 0

    def pull(self) -> bool:
        """Take the samples that are due."""
        if self._samples is None:
            try:
                self._samples, rate = read_audio(self._path)
            except MediaError as error:
                raise SourceRefused(str(error)) from error
            self._prepare(rate)
            self.detail = f"file {self._path.name} at {rate:g} Hz"
        assert self._ring is not None
        rate = self._ring.rate
        due = min(int((self.clock() - self.begin) * rate), len(self._samples))
        if due <= self._next:
            return False
        stamps = self.begin + np.arange(self._next, due) / rate
        self._store_mono(self._samples[self._next : due], stamps)
        self._next = due
        if due == len(self._samples):
            self.detail = "file ended"
        return True

    def close(self) -> None:
        """Nothing to let go of: the file was read whole."""

    def _connected(self) -> bool:
        return self._samples is not None and self._next < len(self._samples)


class Microphone(_Sound):
    """A sound card's input through PortAudio; comes back when it was unplugged."""

    def __init__(
        self,
        device: int | str | None = None,
        clock: Callable[[], float] = pylsl.local_clock,
        delay_s: float = 0.0,
        portaudio: Any = None,
    ) -> None:
        """device: PortAudio's number or a part of its name; None is the default one.
        delay_s: from a sound to its stamp. portaudio: what stands in for the module
        sounddevice.
        """
        super().__init__("microphone" if device is None else str(device), clock)
        self._device = device
        self._delay_s = delay_s
        self._portaudio = portaudio
        self._stream: Any = None
        self._heard = 0.0
        self._dropped = 0
        self._tried = False
        # Two seconds: if the thread sleeps longer, the newest blocks are the loss.
        self._blocks: queue.Queue[tuple[float, np.ndarray]] = queue.Queue(
            round(2 / BLOCK_SECONDS)
        )
        self._rate = 0.0

    def pull(self) -> bool:
        """Open the device if need be, and take what its callback has left."""
        if self._stream is None and not self._open():
            self.idle_s = RETRY_SECONDS
            return False
        self.idle_s = 0.0
        try:
            blocks = [self._blocks.get(timeout=0.1)]
        except queue.Empty:
            if self.clock() - self._heard > SILENT_SECONDS:
                self._lost("the microphone fell silent; is it still connected?")
                self.close()
            return False
        while not self._blocks.empty():
            blocks.append(self._blocks.get_nowait())
        self._heard = self.clock()
        for begin, mono in blocks:
            begin -= self._delay_s
            self._store_mono(mono, begin + np.arange(len(mono)) / self._rate)
        if self._dropped:
            log.info("microphone: %d blocks lost to a busy computer", self._dropped)
            self._dropped = 0
        return True

    def close(self) -> None:
        """Close the device."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close(ignore_errors=True)

    def capture(self, block: np.ndarray, frames: int, time: Any, status: Any) -> None:
        """PortAudio's callback: copy, stamp, return. block: (frames, channels)."""
        begin = capture_time(
            self.clock(), frames / self._rate, time.inputBufferAdcTime, time.currentTime
        )
        try:
            self._blocks.put_nowait((begin, block.mean(axis=1, dtype=np.float32)))
        except queue.Full:
            self._dropped += 1

    def _open(self) -> bool:
        sound = self._library()
        try:
            if self._tried:
                # PortAudio lists devices once; one plugged in since is not among them.
                rescan(sound)
            self._tried = True
            device = sound.query_devices(self._device, "input")
            self._rate = float(device["default_samplerate"])
            stream = sound.InputStream(
                device=self._device,
                samplerate=self._rate,
                channels=min(2, device["max_input_channels"]),
                blocksize=round(self._rate * BLOCK_SECONDS),
                dtype="float32",
                callback=self.capture,
            )
            self._prepare(self._rate)
            try:
                stream.start()
            except sound.PortAudioError:
                stream.close(ignore_errors=True)
                raise
        except (sound.PortAudioError, ValueError) as error:
            self.detail = (
                f"no microphone opens ({error}). Connect one, or use --audio "
                "mic:DEVICE (`eav-live devices` lists them), lsl:NAME, file:PATH or "
                "none."
            )
            return False
        self._stream, self._heard = stream, self.clock()
        self.detail = f"{device['name']} at {self._rate:g} Hz"
        return True

    def _library(self) -> Any:
        if self._portaudio is None:
            self._portaudio = portaudio()
        return self._portaudio

    def _connected(self) -> bool:
        return self._stream is not None


def capture_time(
    now: float, seconds: float, adc_time: float, current_time: float
) -> float:
    """When a block's first sample was captured, on the clock that `now` is from.

    seconds: the block's length. adc_time, current_time: PortAudio's, on a clock of its
    own; host interfaces that do not know them give 0, and then the block is taken to
    have ended just now.
    """
    age = current_time - adc_time
    if adc_time <= 0 or not 0 <= age < LOST_SECONDS:
        age = seconds
    return now - age


def portaudio(who: str = "the microphone needs") -> Any:
    """The module sounddevice. Raises SourceRefused where PortAudio is missing."""
    try:
        # Without PortAudio importing it raises, and everything else still works.
        import sounddevice
    except OSError as error:
        raise SourceRefused(
            f"{who} the PortAudio library ({error}). On Debian or "
            "Ubuntu: sudo apt-get install libportaudio2. Or use --audio none."
        ) from error
    return sounddevice


def rescan(sound: Any) -> None:
    """Have PortAudio look for devices anew; no stream of it may be open."""
    try:
        sound._terminate()
    except sound.PortAudioError:
        log.debug("PortAudio was not running")  # starting it failed the last time
    sound._initialize()
