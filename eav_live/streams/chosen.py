"""The streams that a session's options name, as sources that are not started yet."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from eav_live.options import OWN_SOURCES, SessionOptions
from eav_live.streams.audio import FileAudio, LslAudio, Microphone
from eav_live.streams.eeg import LslEeg
from eav_live.streams.mne_stream import MneLslEeg
from eav_live.streams.source import SampleSource, Source
from eav_live.streams.video import Camera, FileVideo, LslVideo, Video
from eav_offline.common.plugins import STREAMS, load_offered, not_fit, offered_names

if TYPE_CHECKING:
    import mne_lsl

_Source = TypeVar("_Source", bound=Source)


def eeg_source(
    options: SessionOptions, handed: "mne_lsl.stream.StreamLSL | None" = None
) -> SampleSource | None:
    """The source of EEG; None for none. handed: a stream of mne-lsl that is it."""
    config = options.config.eeg
    if handed is not None:
        return MneLslEeg(
            handed,
            max_missing=options.max_missing,
            rename=config.rename,
            bad=config.bad,
            delay_s=config.delay_ms / 1e3,
        )
    if options.eeg_stream is None or options.eeg_stream == "none":
        return None
    if (source := offered_samples("eeg", options.eeg_stream)) is not None:
        return source
    return LslEeg(
        options.eeg_stream,
        max_missing=options.max_missing,
        rename=config.rename,
        labels=config.labels,
        bad=config.bad,
        rate=config.rate,
        delay_s=config.delay_ms / 1e3,
    )


def audio_source(options: SessionOptions) -> SampleSource | None:
    """The source of sound; None for none."""
    config = options.config.audio
    delay_s = config.delay_ms / 1e3
    return _source(
        options.audio,
        partial(LslAudio, delay_s=delay_s),
        FileAudio,
        partial(offered_samples, "audio"),
        partial(Microphone, delay_s=delay_s),
        config.device,
    )


def video_source(options: SessionOptions) -> Video | None:
    """The source of frames; None for none."""
    config = options.config.video
    delay_s = config.delay_ms / 1e3
    return _source(
        options.video,
        partial(LslVideo, delay_s=delay_s),
        FileVideo,
        offered_video,
        partial(Camera, width=config.width, height=config.height, delay_s=delay_s),
        config.device,
    )


def _source(
    text: str,
    of_stream: Callable[[str], _Source],
    of_file: Callable[[Path], _Source],
    offered: Callable[[str], _Source | None],
    of_device: Callable[[Any], _Source],
    usual: int | str | None,
) -> _Source | None:
    kind, _, rest = text.partition(":")
    match kind:
        case "none":
            return None
        case "lsl":
            return of_stream(rest)
        case "file":
            return of_file(Path(rest).expanduser())
    if (source := offered(text)) is not None:
        return source
    return of_device(int(rest) if rest.isdigit() else rest or usual)


def offered_samples(modality: str, text: str) -> SampleSource | None:
    """The source of EEG or sound that a text names; None if no package offers it.

    What a package offers (an entry point of `eav_live.streams`) is called with the
    modality that is wanted and the text behind the colon of `--eeg-stream KIND:TEXT`,
    and returns a source that is not started yet. Raises PluginError if what is offered
    is no such source, InputRefused if it refuses.
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
