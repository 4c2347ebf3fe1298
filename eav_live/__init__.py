"""Live emotion recognition from EEG over LSL, a microphone and a camera.

`open_session` runs a model on live streams, `Recognizer` on arrays; `read_session`
hands a recording to MNE, pandas and NumPy.
"""

from importlib import import_module

TYPE_CHECKING = False  # as of `typing`, which would load a dozen more modules
if TYPE_CHECKING:
    from eav_live.options import SessionOptions
    from eav_live.recognition.predictions import Prediction
    from eav_live.recognition.recognizer import Recognizer
    from eav_live.session.opening import open_session
    from eav_offline.data.sessions.analysis import read_session

__all__ = ["Prediction", "Recognizer", "SessionOptions", "open_session", "read_session"]

_PLACES = {
    "open_session": "eav_live.session.opening",
    "SessionOptions": "eav_live.options",
    "Prediction": "eav_live.recognition.predictions",
    "Recognizer": "eav_live.recognition.recognizer",
    "read_session": "eav_offline.data.sessions.analysis",
}


def __getattr__(name: str) -> object:
    """Load what a name stands for when it is first used: torch takes seconds."""
    if name not in _PLACES:
        raise AttributeError(f"module 'eav_live' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
