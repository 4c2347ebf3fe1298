"""Sources that installed packages add, by entry points of `eav_live.streams`.

What a package offers is called with the modality that is wanted ("eeg", "audio",
"video") and the text behind the colon of `--eeg-stream KIND:TEXT`, and returns a source
that is not started yet.
"""

from eav_live.options import OWN_SOURCES
from eav_live.streams.source import SampleSource
from eav_live.streams.video import Video
from eav_offline.common.plugins import STREAMS, load_offered, not_fit, offered_names


def offered_samples(modality: str, text: str) -> SampleSource | None:
    """The source of EEG or sound that a text names; None if no package offers it.

    Raises PluginError if what is offered is no such source, InputRefused if it refuses.
    """
    made = _made(modality, text)
    if made is None:
        return None
    if not isinstance(made, SampleSource) or made.modality != modality:
        raise not_fit(STREAMS, _kind(text), f"source of {modality}")
    return made


def offered_video(text: str) -> Video | None:
    """The source of frames that a text names. See `offered_samples`."""
    made = _made("video", text)
    if made is None or isinstance(made, Video):
        return made
    raise not_fit(STREAMS, _kind(text), "source of frames")


def _made(modality: str, text: str) -> object:
    kind, colon, argument = text.partition(":")
    # The name of an LSL stream may be that of a package; with a colon it is meant.
    if not colon or kind not in offered_names(STREAMS, OWN_SOURCES):
        return None
    return load_offered(STREAMS, kind)(modality, argument)


def _kind(text: str) -> str:
    return text.partition(":")[0]
