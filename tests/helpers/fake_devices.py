"""A sound card and a camera without hardware, which tests plug in and pull out."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from eav_offline.common.opencv import cv2


class FakeSoundCard:
    """Stands in for the module sounddevice, with one microphone at 8 kHz.

    Like PortAudio it lists devices once and again only after `_initialize`; a
    microphone that is pulled out calls back no more.
    """

    class PortAudioError(Exception):
        pass

    def __init__(self, rate: float = 8000.0, plugged: bool = True) -> None:
        self.rate = rate
        self.plugged = plugged
        self.rescans = 0
        self.opened: list[SimpleNamespace] = []
        self._listed = plugged
        self._connected = 0  # index of the stream that the microphone feeds

    def plug(self, plugged: bool) -> None:
        """Plug the microphone in, or pull it out."""
        self.plugged = plugged
        self._connected = len(self.opened)  # what was open stays dead

    def speak(self, block: np.ndarray) -> bool:
        """Call back with (frames,) float32; whether anyone listens."""
        if not self.plugged or len(self.opened) <= self._connected:
            return False
        times = SimpleNamespace(inputBufferAdcTime=0.0, currentTime=0.0)
        self.opened[-1].callback(block[:, None], len(block), times, None)
        return True

    def query_devices(
        self, device: object = None, kind: str | None = None
    ) -> dict[str, object]:
        """The microphone's entry."""
        if not self._listed:
            raise self.PortAudioError("Error querying device -1")
        return dict(
            name="desk", index=0, default_samplerate=self.rate, max_input_channels=1
        )

    def InputStream(self, **settings: object) -> SimpleNamespace:
        """An open stream; it fails as PortAudio does if the device has gone."""
        if not self.plugged:
            raise self.PortAudioError("Device unavailable")
        stream = SimpleNamespace(
            start=lambda: None, close=lambda ignore_errors: None, **settings
        )
        self.opened.append(stream)
        return stream

    def _terminate(self) -> None:
        self.rescans += 1

    def _initialize(self) -> None:
        self._listed = self.plugged


class FakeCamera:
    """Stands in for cv2.VideoCapture: `camera` is the cable, each call an opening."""

    def __init__(
        self,
        clock: Callable[[], float],
        plugged: bool = True,
        image: np.ndarray | None = None,
    ) -> None:
        self.plugged = plugged
        self.corrupt = False  # frames come, and cannot be decoded
        self.image = np.zeros((48, 64, 3), np.uint8) if image is None else image
        self.asked: dict[int, float] = {}
        self.openings: list[object] = []
        self._clock = clock
        self._connected = 0

    def __call__(self, device: int | str) -> SimpleNamespace:
        self.openings.append(device)
        mine = len(self.openings)

        def there() -> bool:
            return self.plugged and mine > self._connected

        def get(what: int) -> float:
            if what == cv2.CAP_PROP_POS_MSEC:
                return 1e3 * self._clock()
            return self.asked.get(what, 0.0)

        def retrieve() -> tuple[bool, np.ndarray | None]:
            return (False, None) if self.corrupt else (True, self.image[..., ::-1])

        return SimpleNamespace(
            isOpened=there,
            grab=there,
            retrieve=retrieve,
            get=get,
            set=lambda what, value: self.asked.__setitem__(what, value),
            release=lambda: None,
        )

    def plug(self, plugged: bool) -> None:
        """Plug the camera in, or pull it out."""
        self.plugged = plugged
        self._connected = len(self.openings)
