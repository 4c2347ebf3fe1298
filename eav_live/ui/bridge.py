"""Between the session's threads and Qt: what the window reads, one queued signal."""

from collections.abc import Callable, Mapping
from typing import Protocol

from PySide6.QtCore import QObject, Qt, Signal

from eav_live.recognition.predictions import Prediction, StreamHealth
from eav_live.streams import Source


class LiveSession(Protocol):
    """All that the dashboard knows of a session.

    sources: "eeg", "audio", "video"; an absent key is a stream not asked for.
    hop: seconds from window to window. demo: the model knows synthetic people only.
    error: why recognition was given up, None while it goes on. first_live: when the
    first stream was live, seconds on its clock; None before.
    """

    @property
    def sources(self) -> Mapping[str, Source]: ...

    @property
    def hop(self) -> float: ...

    @property
    def model_name(self) -> str: ...

    @property
    def demo(self) -> bool: ...

    @property
    def error(self) -> BaseException | None: ...

    @property
    def first_live(self) -> float | None: ...

    def health(self) -> Mapping[str, StreamHealth]: ...

    def subscribe(self, callback: Callable[[Prediction], None]) -> None: ...

    def clock(self) -> float: ...

    def stop(self) -> None: ...


class Bridge(QObject):
    """Carries predictions from the inference thread to Qt's."""

    predicted = Signal(object)

    def __init__(
        self, session: LiveSession, show: Callable[[Prediction], None]
    ) -> None:
        """Subscribe; `show` is then called in Qt's thread."""
        super().__init__()
        self._open = True
        self.predicted.connect(show, Qt.ConnectionType.QueuedConnection)
        session.subscribe(self.receive)

    def receive(self, prediction: Prediction) -> None:
        """Take a prediction in any thread; `predicted` follows in Qt's."""
        if self._open:
            self.predicted.emit(prediction)

    def close(self) -> None:
        """Drop what still comes: the window is going."""
        self._open = False
