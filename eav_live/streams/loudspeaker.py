"""Sound for the person: what listening trials play, clicks at times that are known."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pylsl

from eav_live.streams.audio import BLOCK_SECONDS, portaudio
from eav_offline.common.errors import SourceRefused
from eav_offline.data.media import read_audio

log = logging.getLogger(__name__)

_CLICK_SECONDS = 0.004
_CLICK_HZ = 2000.0  # what loudspeakers and microphones of any kind pass
_LOUDNESS = 0.6


class Loudspeaker:
    """Plays one file at a time, in the background.

    Files are decoded beforehand, so that a sound begins when it is asked for.
    """

    def __init__(self, files: set[Path]) -> None:
        """Raises MediaError for a file that holds no sound."""
        self._sounds: dict[Path, tuple[np.ndarray, float]] = {
            path: read_audio(path) for path in sorted(files)
        }
        self._playing = False

    def play(self, path: Path) -> None:
        """Begin to play. Raises SourceRefused if there is no device that can."""
        sound, rate = self._sounds[path]
        try:
            import sounddevice

            sounddevice.play(sound, rate)
        except Exception as error:  # PortAudio's own, or OSError where it is missing
            raise SourceRefused(
                f"{path.name} cannot be played ({error}); connect loudspeakers or "
                "headphones, and see that PortAudio is installed"
            ) from error
        self._playing = True

    def stop(self) -> None:
        """Be silent. May be called twice."""
        if not self._playing:
            return
        self._playing = False
        import sounddevice

        try:
            sounddevice.stop()
        except sounddevice.PortAudioError as error:
            log.warning("The loudspeaker did not stop: %s", error)


class ClickPlayer:
    """A loudspeaker that clicks when asked to; `times` says when each click sounded.

    times: seconds on the session's clock at which, by PortAudio's account, the first
    sample left the converter.
    """

    def __init__(
        self,
        clock: Callable[[], float] = pylsl.local_clock,
        sound: Any = None,
    ) -> None:
        """sound: what stands in for the module sounddevice, in tests.

        Raises SourceRefused if there is no loudspeaker.
        """
        sound = sound or portaudio("clicks need")
        self.times: list[float] = []
        self._clock = clock
        self._due = threading.Event()
        try:
            device = sound.query_devices(None, "output")
            rate = float(device["default_samplerate"])
            t = np.arange(round(_CLICK_SECONDS * rate)) / rate
            # A cosine: it is loudest with its first sample.
            click = _LOUDNESS * np.cos(2 * np.pi * _CLICK_HZ * t)
            self._click = click.astype(np.float32)
            self._stream = sound.OutputStream(
                samplerate=rate,
                channels=min(2, int(device["max_output_channels"])),
                blocksize=round(rate * BLOCK_SECONDS),
                dtype="float32",
                callback=self.fill,
            )
            self._stream.start()
        except (sound.PortAudioError, ValueError) as error:
            raise SourceRefused(
                f"no loudspeaker opens ({error}). Connect one, or leave sound out "
                "with --audio none."
            ) from error

    def play(self) -> None:
        """Click as soon as possible. Returns at once."""
        self._due.set()

    def stop(self) -> None:
        """Close the loudspeaker. May be called twice."""
        self._stream.close(ignore_errors=True)

    def fill(self, block: np.ndarray, frames: int, time: Any, status: Any) -> None:
        """PortAudio's callback. block: (frames, channels), to be filled."""
        block.fill(0.0)
        if not self._due.is_set():
            return
        self._due.clear()
        n = min(len(self._click), frames)
        block[:n] = self._click[:n, None]
        ahead = time.outputBufferDacTime - time.currentTime
        self.times.append(self._clock() + max(0.0, ahead))
