"""Sound for people: of listening trials, clicks at known times, of a recording."""

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import av.filter
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


class RecordedSound:
    """Plays recorded sound from any moment on, slower or faster at the same pitch."""

    def __init__(self, sound: Any = None) -> None:
        """sound: what stands in for the module sounddevice, in tests.

        Raises SourceRefused if there is no loudspeaker.
        """
        self._module = sound or portaudio("sound needs")
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        try:
            self._module.query_devices(None, "output")
        except (self._module.PortAudioError, ValueError) as error:
            raise SourceRefused(
                f"no loudspeaker is there ({error}); connect one to hear the recording"
            ) from error

    def play(self, blocks: Iterator[np.ndarray], rate: float, speed: float) -> None:
        """Begin to play, instead of what is played now.

        blocks: (n,) float32 in [-1, 1] each, asked for as they are needed, in a thread.
        rate: of them, Hz. speed: 0.5 to 4.
        """
        self.stop()
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run,
            args=(stretched(blocks, round(rate), speed), rate, self._stopping),
            name="loudspeaker",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Be silent. May be called twice."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(1.0)
            self._thread = None

    def _run(
        self, blocks: Iterator[np.ndarray], rate: float, stopping: threading.Event
    ) -> None:
        try:
            with self._module.OutputStream(
                samplerate=rate, channels=1, dtype="float32"
            ) as stream:
                for block in blocks:
                    if stopping.is_set():
                        stream.abort()
                        return
                    stream.write(block[:, None])
        except Exception as error:  # PortAudio's own; silence harms no review
            log.warning("The recording's sound stopped: %s", error)


def stretched(
    blocks: Iterator[np.ndarray], rate: int, speed: float
) -> Iterator[np.ndarray]:
    """Sound (n,) float32 `speed` times as fast at the same pitch, by FFmpeg's atempo.

    rate: Hz. speed: at least 0.5.
    """
    if speed == 1.0:
        yield from blocks
        return
    graph = av.filter.Graph()
    source = graph.add_abuffer(format="flt", sample_rate=rate, layout="mono")
    last = source
    while speed != 1.0:
        step = min(speed, 2.0)  # one filter leaves samples out above that
        tempo = graph.add("atempo", f"{step:g}")
        last.link_to(tempo)
        last, speed = tempo, speed / step
    sink = graph.add("abuffersink")
    last.link_to(sink)
    graph.configure()
    n = 0
    for block in blocks:
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(block[None], np.float32), "flt", "mono"
        )
        frame.sample_rate, frame.pts = rate, n
        n += len(block)
        graph.push(frame)
        yield from _ready(graph)
    graph.push(None)
    yield from _ready(graph)


def _ready(graph: av.filter.Graph) -> Iterator[np.ndarray]:
    while True:
        try:
            yield graph.pull().to_ndarray()[0]
        except (av.BlockingIOError, av.EOFError):
            return
