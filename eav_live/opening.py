"""From options to a session: which sources, which model, one clock."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from pylsl import local_clock

from eav_live.demo import (
    DEMO_MODEL,
    PEOPLE_MODEL,
    DemoReplay,
    asset,
    keep_lsl_on_this_computer,
)
from eav_live.intake import Intake
from eav_live.options import OWN_SOURCES, OptionRefused, SessionOptions
from eav_live.people import Person
from eav_live.recognition.pace import return_large_blocks, share_cores
from eav_live.recognition.recognizer import Recognizer
from eav_live.session import DimensionReader, Session
from eav_live.streams.audio import FileAudio, LslAudio, Microphone
from eav_live.streams.eeg import LslEeg
from eav_live.streams.markers import ReplayTruth
from eav_live.streams.mne_stream import MneLslEeg
from eav_live.streams.source import SampleSource
from eav_live.streams.video import Camera, FileVideo, LslVideo, Video
from eav_live.windows.quality import QualityWatch
from eav_offline.backends import choose_backend, make_backend, remembered_backend
from eav_offline.checkpoint import Checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import checkpoint_file, file_digest
from eav_offline.common.plugins import STREAMS, load_offered, not_fit, offered_names
from eav_offline.core.electrodes import CONFIG_HINT, reference_note
from eav_offline.sureness import Decider

if TYPE_CHECKING:
    import mne_lsl

log = logging.getLogger(__name__)


def open_session(
    options: SessionOptions | None = None,
    *,
    eeg: "mne_lsl.stream.StreamLSL | None" = None,
    **keywords: Any,
) -> Session:
    """The session that the options describe, not started yet.

    options: all of them; keywords: fields of `SessionOptions`, in place of those.
    eeg: a connected stream of mne-lsl instead of `eeg_stream`, with the filters and the
    reference that were set on it; it stays the caller's, and connected, afterwards.
    `with` starts and stops the session; looping over it waits for the predictions of
    its windows, each a `Prediction` of probabilities (5,), and skips those that come
    while the loop is busy. `session.subscribe(callback)` is told all of them.

    Raises InputRefused for an option, file or checkpoint that cannot be used.

    >>> from eav_live import open_session
    >>> streams = {"audio": "lsl:EAV-Replay-Audio", "video": "lsl:EAV-Replay-Video"}
    >>> with open_session(eeg_stream="EAV-Replay", **streams) as session:
    ...     for prediction in session:
    ...         if "video" in prediction.present:
    ...             break
    >>> prediction.state.value, prediction.smoothed.shape  # doctest: +ELLIPSIS
    ('...', (5,))
    """
    options = replace(options or SessionOptions(), **keywords)
    if eeg is not None:
        return _open(_named_after(eeg, options), eeg=eeg)
    options = options.with_eeg_decided()
    if options.eeg_stream is None:
        raise OptionRefused("eeg_stream", "is missing; give a stream's name, or none")
    if not options.demo:
        return _open(options)
    keep_lsl_on_this_computer()
    replay = DemoReplay(options.eeg_stream)  # begins while the model is read
    try:
        return _open(options, (replay,))
    except BaseException:
        replay.stop()
        raise


def _named_after(
    eeg: "mne_lsl.stream.StreamLSL", options: SessionOptions
) -> SessionOptions:
    """The options with the stream's name, for the record. Raises OptionRefused."""
    if options.eeg_stream is not None:
        raise OptionRefused("eeg", "is given beside eeg_stream or demo; give one")
    if isinstance(eeg, str) or not hasattr(eeg, "add_callback"):
        raise OptionRefused(
            "eeg", f"= {eeg!r} is no stream of mne-lsl; for a name give eeg_stream"
        )
    return replace(options, eeg_stream=eeg.name or "mne-lsl")


def _open(
    options: SessionOptions,
    owned: Sequence[DemoReplay] = (),
    eeg: "mne_lsl.stream.StreamLSL | None" = None,
) -> Session:
    return_large_blocks()
    model = model_file(options)
    if options.person is not None and options.model is None and not options.demo:
        log.info("%s", _of_person(options.person, model))
    if model == asset(PEOPLE_MODEL):
        log.info(
            "No --model given: using the embedded model of real people, which reads "
            "voice and face; %s says what it is worth. It reads no EEG: for that give "
            "--eeg-stream NAME and a --model that does, such as one of this person's "
            "own session (eav-live collect)",
            asset("people.md"),
        )
    recognizer = _recognizer(model, options)
    intake = _some_streams(options, recognizer.checkpoint, eeg)
    return Session(
        intake.sources,
        recognizer,
        intake.clock,
        hop=options.hop,
        decider=_decider(options, recognizer),
        markers=intake.markers,
        watch=intake.watch,
        owned=owned,
        dimensions=_dimension_readers(options),
    )


def _dimension_readers(options: SessionOptions) -> list[DimensionReader]:
    """What is read beside the model. Raises InputRefused for what nobody agreed to."""
    if not options.dimension_models:
        return []
    from eav_offline.experts import dimensions
    from eav_offline.experts.building import agree
    from eav_offline.experts.finding import find_dimensions

    readers: list[DimensionReader] = []
    for modality, source in options.dimension_models.items():
        expert = find_dimensions(modality, source)
        agree(expert, ask=None, yes=False)
        readers.append(dimensions.DimensionReader(expert.fetched()))
        log.info("%s", expert.as_text())
    return readers


def _of_person(code: str, model: Path) -> str:
    if model == Person(code).model:
        return f"Recognizing with the model of {code}'s calibration; --model wins"
    return (
        f"{code} has no model of their own so far; eav-live calibrate --person {code} "
        "makes one in four minutes"
    )


def _decider(options: SessionOptions, recognizer: Recognizer) -> Decider:
    sureness = recognizer.sureness
    if sureness is None:
        log.info(
            "%s has no thresholds for how it fuses: the likeliest emotion is always "
            "decided on (docs/sureness.md)",
            recognizer.name,
        )
    else:
        log.info("%s", sureness.line(options.coverage))
    return Decider(options.smoothing, sureness, options.coverage)


def open_intake(options: SessionOptions) -> Intake:
    """The streams of a collecting session, not started yet. Raises InputRefused."""
    share_cores()
    return _some_streams(options)


def _recognizer(model: Path, options: SessionOptions) -> Recognizer:
    backend = options.backend
    recognizer = _loaded(model, "cpu", options)
    share_cores(recognizer.checkpoint)
    if not recognizer.takes_backends:  # one that no backend computes
        if backend not in ("auto", "eager"):
            raise InputRefused(
                f"--backend {backend}: {model.name} is no transformer; leave it out"
            )
        if torch.cuda.is_available():
            return _loaded(model, "cuda", options)
        return recognizer
    if backend != "auto":
        recognizer.backend = make_backend(backend, recognizer.checkpoint, model)
        return recognizer
    known = remembered_backend(recognizer.checkpoint, model)
    if known is not None:
        recognizer.backend = known[0]
        return recognizer
    # The first windows need not wait for the contest: PyTorch computes them.
    threading.Thread(
        target=_choose, args=(recognizer, model), name="backend", daemon=True
    ).start()
    return recognizer


def _loaded(model: Path, device: str, options: SessionOptions) -> Recognizer:
    recognizer = Recognizer.load(model, device, adapting=options.adapt)
    if options.fuse is not None:
        recognizer.fuse(options.fuse)
    return recognizer


def _choose(recognizer: Recognizer, model: Path) -> None:
    try:
        backend, _ = choose_backend(recognizer.checkpoint, model)
        recognizer.use(backend)
    except Exception:  # the thread's last line of defense; eager goes on
        log.exception("No other backend than eager PyTorch")


def build_intake(
    options: SessionOptions,
    checkpoint: Checkpoint | None = None,
    handed: "mne_lsl.stream.StreamLSL | None" = None,
) -> Intake:
    """The streams that the options name, not started yet.

    With the markers that a replay or a trigger sends beside the EEG, if there is EEG,
    or with those that there must be.
    checkpoint: the model whose reference the amplifier's is compared with, and which
    says whether faces and speech are needed. handed: a stream of mne-lsl that is the
    EEG.
    """
    mine = None if checkpoint is None else checkpoint.model.personal
    eeg = eeg_source(options, checkpoint, handed)
    audio, video = audio_source(options), video_source(options)
    named = {"eeg": eeg, "audio": audio, "video": video}
    markers, other = None, options.config.must.markers
    if eeg is not None or other is not None:
        markers = ReplayTruth(
            lambda: None if eeg is None else eeg.stream_name,
            lambda: None if eeg is None else eeg.stream_host,
            other,
        )
    return Intake(
        {m: source for m, source in named.items() if source is not None},
        local_clock,
        markers,
        QualityWatch(
            options.config.quality,
            max_bad=options.max_missing,
            line_hz=options.config.eeg.line_hz,
            faces=checkpoint is None or checkpoint.preprocess.faces,
            voices=checkpoint is None or not checkpoint.demo,
            voice=None if mine is None else mine.voice,
        ),
    )


def _some_streams(
    options: SessionOptions,
    checkpoint: Checkpoint | None = None,
    eeg: "mne_lsl.stream.StreamLSL | None" = None,
) -> Intake:
    intake = build_intake(options, checkpoint, eeg)
    if not intake.sources:
        raise InputRefused("every stream is 'none'; name at least one")
    return intake


def model_file(options: SessionOptions) -> Path:
    """The checkpoint that the options ask for, or one in its place.

    That is the person's own, if one was kept, and else the embedded one.
    """
    if options.model is not None:
        return checkpoint_file(options.model)
    if options.demo:
        return asset(DEMO_MODEL)
    kept = None if options.person is None else Person(options.person).model
    return kept or asset(PEOPLE_MODEL)


def eeg_source(
    options: SessionOptions,
    checkpoint: Checkpoint | None = None,
    handed: "mne_lsl.stream.StreamLSL | None" = None,
) -> SampleSource | None:
    """The source of EEG that the options name; None for none. See `build_intake`."""
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
        reference=_reference_check(config.reference, checkpoint),
    )


def session_settings(options: SessionOptions, session: Session) -> dict[str, object]:
    """What it takes to predict again from a recording, and who said what."""
    recognizer = session.recognizer
    return {
        "model": {
            "name": recognizer.name,
            "sha256": file_digest(model_file(options)),
            "demo": recognizer.demo,
            "knows": list(recognizer.knows),
            "preprocess": asdict(recognizer.checkpoint.preprocess),
        },
        "hop_s": session.hop,
        "smoothing_s": options.smoothing,
        "coverage": options.coverage,
        "adapt": options.adapt,
        **options.as_settings(),
    }


def _reference_check(
    stated: str | None, checkpoint: Checkpoint | None
) -> Callable[[str], str] | None:
    if checkpoint is None:
        return None

    def check(header: str) -> str:
        averaged = checkpoint.preprocess.eeg_reference == "average"
        trained = checkpoint.eeg_reference
        return reference_note(stated, header, trained, averaged, CONFIG_HINT)

    return check


def audio_source(options: SessionOptions) -> SampleSource | None:
    """The source of sound that the options name; None for none."""
    kind, _, rest = options.audio.partition(":")
    config = options.config.audio
    delay_s = config.delay_ms / 1e3
    match kind:
        case "none":
            return None
        case "lsl":
            return LslAudio(rest, delay_s=delay_s)
        case "file":
            return FileAudio(Path(rest).expanduser())
    if (source := offered_samples("audio", options.audio)) is not None:
        return source
    device = int(rest) if rest.isdigit() else rest or config.device
    return Microphone(device, delay_s=delay_s)


def video_source(options: SessionOptions) -> Video | None:
    """The source of frames that the options name; None for none."""
    kind, _, rest = options.video.partition(":")
    config = options.config.video
    delay_s = config.delay_ms / 1e3
    match kind:
        case "none":
            return None
        case "lsl":
            return LslVideo(rest, delay_s=delay_s)
        case "file":
            return FileVideo(Path(rest).expanduser())
    if (source := offered_video(options.video)) is not None:
        return source
    device = int(rest) if rest.isdigit() else rest or config.device
    return Camera(device, config.width, config.height, delay_s=delay_s)


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
