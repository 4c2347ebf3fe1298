"""From options to a session: which streams, which model, one clock.

Streams need neither PyTorch nor a model, which take seconds to be there.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pylsl import local_clock

from eav_live.options import OptionRefused, SessionOptions, demo_name
from eav_live.recognition.assets import DEMO_MODEL, PEOPLE_MODEL, asset
from eav_live.recognition.pace import return_large_blocks, share_cores
from eav_live.recognition.people import Person
from eav_live.replay.demo import DemoReplay, keep_lsl_on_this_computer
from eav_live.session.inference import DimensionReader, Session
from eav_live.session.intake import Intake
from eav_live.streams.chosen import audio_source, eeg_source, video_source
from eav_live.streams.markers import ReplayTruth
from eav_live.streams.source import ReferenceCheck
from eav_live.windows.quality import QualityWatch
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import checkpoint_file, file_digest
from eav_offline.core.electrodes import CONFIG_HINT, reference_note
from eav_offline.core.labels import MODALITIES
from eav_offline.core.sureness import Decider

if TYPE_CHECKING:
    import mne_lsl

    from eav_live.recognition.recognizer import Recognizer
    from eav_offline.checkpoint.file import Checkpoint

log = logging.getLogger(__name__)


def open_session(
    options: SessionOptions | None = None,
    *,
    eeg: "mne_lsl.stream.StreamLSL | None" = None,
    at_once: bool = False,
    **keywords: Any,
) -> Session:
    """The session that the options describe, not started yet.

    options: all of them; keywords: fields of `SessionOptions`, in place of those.
    eeg: a connected stream of mne-lsl instead of `eeg_stream`, with the filters and the
    reference that were set on it; it stays the caller's, and connected, afterwards.
    at_once: start streams and devices before the model is read, so that the first
    window is full by the time that the model is there. Files wait for it.
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
        return _open(_named_after(eeg, options), at_once, eeg=eeg)
    options = options.with_eeg_decided()
    if options.eeg_stream is None:
        raise OptionRefused("eeg_stream", "is missing; give a stream's name, or none")
    if not options.demo:
        return _open(options, at_once)
    keep_lsl_on_this_computer()
    replay = DemoReplay(demo_name())  # begins while the model is read
    try:
        return _open(options, at_once, (replay,))
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
    at_once: bool,
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
    intake = _some(_streams(options, eeg))
    if at_once:
        intake.start_early()
    try:
        recognizer = _recognizer(model, options)
        _judge_for(recognizer.checkpoint, intake, options)
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
    except BaseException:
        intake.stop()
        raise


def _dimension_readers(options: SessionOptions) -> list[DimensionReader]:
    """What is read beside the model. Raises InputRefused for what nobody agreed to."""
    if not options.dimension_models:
        return []
    from eav_offline.checkpoint.experts import dimensions
    from eav_offline.checkpoint.experts.building import agree
    from eav_offline.checkpoint.experts.finding import find_dimensions

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


def _decider(options: SessionOptions, recognizer: "Recognizer") -> Decider:
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
    return _some(build_intake(options))


def _recognizer(model: Path, options: SessionOptions) -> "Recognizer":
    import torch

    from eav_offline.backends import make_backend, remembered_backend

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


def _loaded(model: Path, device: str, options: SessionOptions) -> "Recognizer":
    from eav_live.recognition.recognizer import Recognizer

    recognizer = Recognizer.load(model, device, adapting=options.adapt)
    if options.fuse is not None:
        recognizer.fuse(options.fuse)
    return recognizer


def _choose(recognizer: "Recognizer", model: Path) -> None:
    from eav_offline.backends import choose_backend

    try:
        backend, _ = choose_backend(recognizer.checkpoint, model)
        recognizer.use(backend)
    except Exception:  # the thread's last line of defense; eager goes on
        log.exception("No other backend than eager PyTorch")


def build_intake(
    options: SessionOptions, checkpoint: "Checkpoint | None" = None
) -> Intake:
    """The streams that the options name, not started yet, and what judges them.

    checkpoint: the model that they are for, see `_judge_for`.
    """
    intake = _streams(options)
    _judge_for(checkpoint, intake, options)
    return intake


def _streams(
    options: SessionOptions, handed: "mne_lsl.stream.StreamLSL | None" = None
) -> Intake:
    """The streams, and the markers that a replay or a trigger sends beside the EEG.

    Without EEG there are those markers only that there must be. handed: a stream of
    mne-lsl that is the EEG.
    """
    eeg = eeg_source(options, handed)
    audio, video = audio_source(options), video_source(options)
    named = {"eeg": eeg, "audio": audio, "video": video}
    markers, other = None, options.config.must.markers
    if eeg is not None or other is not None:
        markers = ReplayTruth(
            lambda: None if eeg is None else eeg.stream_name,
            lambda: None if eeg is None else eeg.stream_host,
            other,
        )
    sources = {m: source for m, source in named.items() if source is not None}
    return Intake(sources, local_clock, markers)


def _judge_for(
    checkpoint: "Checkpoint | None", intake: Intake, options: SessionOptions
) -> None:
    """Judge the streams by what the model needs, which may be read after they start.

    It says whether there must be faces and speech, and whose, and which reference the
    amplifier's is compared with. None: everything may be needed.
    """
    reads = MODALITIES if checkpoint is None else checkpoint.modalities
    faces = "video" in (*reads, *options.dimension_models) or options.config.must.face
    if intake.video is not None and not faces:
        intake.video.spare_faces()
    # A model that reads the picture as it is needs no face in it.
    if checkpoint is not None and "video" in reads:
        faces = faces and checkpoint.preprocess.faces
    mine = None if checkpoint is None else checkpoint.model.personal
    intake.watch = QualityWatch(
        options.config.quality,
        max_bad=options.max_missing,
        line_hz=options.config.eeg.line_hz,
        faces=faces,
        voices=checkpoint is None or not checkpoint.demo,
        voice=None if mine is None else mine.voice,
        face=None if mine is None else mine.face,
    )
    if checkpoint is not None and intake.eeg is not None:
        intake.eeg.compare_reference(_reference_check(options, checkpoint))


def _some(intake: Intake) -> Intake:
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
    options: SessionOptions, checkpoint: "Checkpoint"
) -> ReferenceCheck:
    def check(header: str) -> str:
        averaged = checkpoint.preprocess.eeg_reference == "average"
        stated, trained = options.config.eeg.reference, checkpoint.eeg_reference
        return reference_note(stated, header, trained, averaged, CONFIG_HINT)

    return check
