"""From options to a session: which sources, which model, one clock."""

import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from pylsl import local_clock
from threadpoolctl import threadpool_limits

from eav_live.config import AudioDevice, VideoDevice
from eav_live.demo import DemoReplay, asset, keep_lsl_on_this_computer
from eav_live.options import OptionRefused, SessionOptions
from eav_live.recognition.pace import return_large_blocks
from eav_live.recognition.predictions import Smoother
from eav_live.recognition.recognizer import Recognizer
from eav_live.session import Intake, Session
from eav_live.streams import Source
from eav_live.streams.audio import FileAudio, LslAudio, Microphone
from eav_live.streams.eeg import LslEeg
from eav_live.streams.markers import ReplayTruth
from eav_live.streams.video import Camera, FileVideo, LslVideo
from eav_live.windows.quality import QualityWatch
from eav_offline.backends import choose_backend, make_backend, remembered_backend
from eav_offline.checkpoint import Checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import checkpoint_file
from eav_offline.core.electrodes import CONFIG_HINT, reference_note

log = logging.getLogger(__name__)

LARGE_MODEL = 20_000_000  # parameters; the compact size has under a million


def open_session(options: SessionOptions | None = None, **keywords: Any) -> Session:
    """The session that the options describe, not started yet.

    options: all of them; keywords: fields of `SessionOptions`, in place of those.
    `with` starts and stops the session; looping over it waits for the predictions of
    its windows, each a `Prediction` of probabilities (5,), and skips those that come
    while the loop is busy. `session.subscribe(callback)` is told all of them.

    Raises InputRefused for an option, file or checkpoint that cannot be used.

    >>> from eav_live import open_session
    >>> streams = {"audio": "lsl:EAV-Replay-Audio", "video": "lsl:EAV-Replay-Video"}
    >>> with open_session(eeg_stream="EAV-Replay", **streams) as session:
    ...     for prediction in session:
    ...         if "eeg" in prediction.present:
    ...             break
    >>> prediction.label, prediction.smoothed.shape  # doctest: +ELLIPSIS
    ('...', (5,))
    """
    options = replace(options or SessionOptions(), **keywords)
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


def _open(options: SessionOptions, aside: Sequence[DemoReplay] = ()) -> Session:
    return_large_blocks()
    model = model_file(options)
    if options.model is None and not options.demo:
        log.warning(
            "No --model given: using the demo model, which was trained on "
            "synthetic people and is not valid for real ones"
        )
    recognizer = _recognizer(model, options.backend)
    sources = _some_sources(options, recognizer.checkpoint)
    return Session(
        sources,
        recognizer,
        clock=local_clock,
        hop=options.hop,
        smoother=Smoother(options.smoothing),
        truth=markers_beside(sources),
        watch=QualityWatch(
            options.config.quality,
            max_bad=options.max_missing,
            line_hz=options.config.eeg.line_hz,
            faces=recognizer.checkpoint.preprocess.faces,
        ),
        aside=aside,
    )


def open_intake(options: SessionOptions) -> Intake:
    """The streams of a collecting session, not started yet. Raises InputRefused."""
    share_cores()
    sources = _some_sources(options)
    return Intake(
        sources,
        local_clock,
        markers=markers_beside(sources),
        watch=QualityWatch(
            options.config.quality,
            max_bad=options.max_missing,
            line_hz=options.config.eeg.line_hz,
        ),
    )


def markers_beside(sources: Mapping[str, Source]) -> ReplayTruth | None:
    """The markers that a replay or a trigger sends beside the EEG, if there is EEG."""
    eeg = sources.get("eeg")
    if not isinstance(eeg, LslEeg):
        return None
    return ReplayTruth(lambda: eeg.stream_name, lambda: eeg.stream_host)


def _recognizer(model: Path, backend: str) -> Recognizer:
    recognizer = Recognizer.load(model)
    share_cores(recognizer.checkpoint)
    if not recognizer.takes_backends:  # one that no backend computes
        if backend not in ("auto", "eager"):
            raise InputRefused(
                f"--backend {backend}: {model.name} is no transformer; leave it out"
            )
        gpu = torch.cuda.is_available()
        return Recognizer.load(model, "cuda") if gpu else recognizer
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


def _choose(recognizer: Recognizer, model: Path) -> None:
    try:
        backend, _ = choose_backend(recognizer.checkpoint, model)
        recognizer.use(backend)
    except Exception:  # the thread's last line of defense; eager goes on
        log.exception("No other backend than eager PyTorch")


def share_cores(checkpoint: Checkpoint | None = None) -> None:
    """Leave half of the cores: models, face tracker and window run side by side.

    A large model gets them all: its threads yield to the others
    (`eav_live.recognition.pace`), and every core is wanted to keep up with the hop.
    """
    n_cores = os.cpu_count() or 2
    size = 0
    if checkpoint is not None:
        size = sum(parameter.numel() for parameter in checkpoint.model.parameters())
    torch.set_num_threads(n_cores if size > LARGE_MODEL else max(1, n_cores // 2))
    single_blas_thread()


def single_blas_thread() -> None:
    """Have NumPy and SciPy multiply on the thread that asks.

    What is multiplied in a hop is small, and waiting for a second thread, which another
    one keeps off the core, took twenty milliseconds now and then.
    """
    threadpool_limits(1, user_api="blas")


def build_sources(
    options: SessionOptions, checkpoint: Checkpoint | None = None
) -> dict[str, Source]:
    """The sources that the options name, by modality, not started yet.

    checkpoint: the model whose reference the amplifier's is compared with.
    """
    config = options.config
    sources: dict[str, Source] = {}
    if options.eeg_stream not in (None, "none"):
        sources["eeg"] = LslEeg(
            options.eeg_stream,
            max_missing=options.max_missing,
            rename=config.eeg.rename,
            labels=config.eeg.labels,
            bad=config.eeg.bad,
            rate=config.eeg.rate,
            delay_s=config.eeg.delay_ms / 1e3,
            reference=_reference_check(config.eeg.reference, checkpoint),
        )
    audio = _audio_source(options.audio, config.audio)
    if audio is not None:
        sources["audio"] = audio
    video = _video_source(options.video, config.video)
    if video is not None:
        sources["video"] = video
    return sources


def _some_sources(
    options: SessionOptions, checkpoint: Checkpoint | None = None
) -> dict[str, Source]:
    sources = build_sources(options, checkpoint)
    if not sources:
        raise InputRefused("every stream is 'none'; name at least one")
    return sources


def model_file(options: SessionOptions) -> Path:
    """The checkpoint that the options ask for."""
    if options.model is None:
        return asset("demo.safetensors")
    return checkpoint_file(options.model)


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


def _audio_source(text: str, config: AudioDevice) -> Source | None:
    kind, _, rest = text.partition(":")
    delay_s = config.delay_ms / 1e3
    if kind == "none":
        return None
    if kind == "lsl":
        return LslAudio(rest, delay_s=delay_s)
    if kind == "file":
        return FileAudio(Path(rest).expanduser())
    device = int(rest) if rest.isdigit() else rest or config.device
    return Microphone(device, delay_s=delay_s)


def _video_source(text: str, config: VideoDevice) -> Source | None:
    kind, _, rest = text.partition(":")
    delay_s = config.delay_ms / 1e3
    if kind == "none":
        return None
    if kind == "lsl":
        return LslVideo(rest, delay_s=delay_s)
    if kind == "file":
        return FileVideo(Path(rest).expanduser())
    device = int(rest) if rest.isdigit() else rest or config.device
    return Camera(device, config.width, config.height, delay_s=delay_s)
