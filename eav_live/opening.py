"""From options to a session: which sources, which model, one clock."""

import argparse
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import torch
from pylsl import local_clock
from threadpoolctl import threadpool_limits

from eav_live.demo import asset
from eav_live.options import AudioDevice, LiveConfig, VideoDevice
from eav_live.recognition.pace import return_large_blocks
from eav_live.recognition.predictions import Smoother
from eav_live.recognition.recognizer import Recognizer
from eav_live.session import Session
from eav_live.streams import Source
from eav_live.streams.audio import FileAudio, LslAudio, Microphone
from eav_live.streams.eeg import LslEeg
from eav_live.streams.markers import ReplayTruth
from eav_live.streams.video import Camera, FileVideo, LslVideo
from eav_live.windows.quality import QualityWatch
from eav_offline.backends import choose_backend, make_backend, remembered_backend
from eav_offline.checkpoint import Checkpoint
from eav_offline.common.console import existing
from eav_offline.common.errors import InputRefused
from eav_offline.core.electrodes import CONFIG_HINT, reference_note

log = logging.getLogger(__name__)

LARGE_MODEL = 20_000_000  # parameters; the compact size has under a million


def build_session(options: argparse.Namespace, config: LiveConfig) -> Session:
    """The session that the options of `eav-live` describe, not started yet.

    Raises InputRefused for an option, file or checkpoint that cannot be used.
    """
    return_large_blocks()
    model = model_file(options)
    if options.model is None and not options.demo:
        log.warning(
            "No --model given: using the demo model, which was trained on "
            "synthetic people and is not valid for real ones"
        )
    recognizer = _recognizer(model, options.backend)
    sources = build_sources(options, config, recognizer.checkpoint)
    if not sources:
        raise InputRefused("every stream is 'none'; name at least one")
    eeg = sources.get("eeg")
    truth = None
    if isinstance(eeg, LslEeg):
        truth = ReplayTruth(lambda: eeg.stream_name, lambda: eeg.stream_host)
    return Session(
        sources,
        recognizer,
        clock=local_clock,
        hop=options.hop,
        smoother=Smoother(options.smoothing),
        truth=truth,
        watch=QualityWatch(
            config.quality,
            max_bad=options.max_missing,
            line_hz=config.eeg.line_hz,
            faces=recognizer.checkpoint.preprocess.faces,
        ),
    )


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
    except Exception:  # the thread's last line of defence; eager goes on
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
    options: argparse.Namespace,
    config: LiveConfig,
    checkpoint: Checkpoint | None = None,
) -> dict[str, Source]:
    """The sources that the options name, by modality, not started yet.

    checkpoint: the model whose reference the amplifier's is compared with.
    Raises InputRefused for an option that cannot be understood.
    """
    sources: dict[str, Source] = {}
    if options.eeg_stream is not None and not options.eeg_stream.strip():
        raise InputRefused("--eeg-stream is empty; give a stream's name, or none")
    if options.eeg_stream is not None and options.eeg_stream != "none":
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


def model_file(options: argparse.Namespace) -> Path:
    """The checkpoint that the options ask for."""
    return options.model or asset("demo.safetensors")


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
    if kind == "mic":
        device = int(rest) if rest.isdigit() else rest or config.device
        return Microphone(device, delay_s=delay_s)
    if kind == "lsl" and rest:
        return LslAudio(rest, delay_s=delay_s)
    if kind == "file" and rest:
        return FileAudio(existing(rest, "--audio"))
    raise InputRefused(
        f"--audio {text!r} is unknown; give mic, mic:DEVICE, lsl:NAME, file:PATH "
        "or none"
    )


def _video_source(text: str, config: VideoDevice) -> Source | None:
    kind, _, rest = text.partition(":")
    delay_s = config.delay_ms / 1e3
    if kind == "none":
        return None
    if kind == "camera":
        device = int(rest) if rest.isdigit() else rest or config.device
        return Camera(device, config.width, config.height, delay_s=delay_s)
    if kind == "lsl" and rest:
        return LslVideo(rest, delay_s=delay_s)
    if kind == "file" and rest:
        return FileVideo(existing(rest, "--video"))
    raise InputRefused(
        f"--video {text!r} is unknown; give camera, camera:INDEX, lsl:NAME, "
        "file:PATH or none"
    )
