"""Clicks through the loudspeaker, at times that are known afterwards."""

import importlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pylsl

from eav_offline.common.errors import SourceRefused

_BLOCK_SECONDS = 0.02
_CLICK_SECONDS = 0.004
_CLICK_HZ = 2000.0  # what loudspeakers and microphones of any kind pass
_LOUDNESS = 0.6


class ClickPlayer:
    """A loudspeaker that clicks when asked to; `times` says when each click sounded.

    times: seconds on the session's clock at which, by PortAudio's account, the first
    sample left the converter.
    """

    def __init__(
        self,
        clock: Callable[[], float] = pylsl.local_clock,
        portaudio: Any = None,
    ) -> None:
        """portaudio: what stands in for the module sounddevice, in tests.

        Raises SourceRefused if there is no loudspeaker.
        """
        if portaudio is None:
            try:
                portaudio = importlib.import_module("sounddevice")
            except OSError as error:
                raise SourceRefused(
                    f"clicks need the PortAudio library ({error}). On Debian or "
                    "Ubuntu: sudo apt-get install libportaudio2."
                ) from error
        self.times: list[float] = []
        self._clock = clock
        self._due = threading.Event()
        try:
            device = portaudio.query_devices(None, "output")
            rate = float(device["default_samplerate"])
            t = np.arange(round(_CLICK_SECONDS * rate)) / rate
            # A cosine: it is loudest with its first sample.
            click = _LOUDNESS * np.cos(2 * np.pi * _CLICK_HZ * t)
            self._click = click.astype(np.float32)
            self._stream = portaudio.OutputStream(
                samplerate=rate,
                channels=min(2, int(device["max_output_channels"])),
                blocksize=round(rate * _BLOCK_SECONDS),
                dtype="float32",
                callback=self.fill,
            )
            self._stream.start()
        except (portaudio.PortAudioError, ValueError) as error:
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
