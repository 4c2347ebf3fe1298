"""From options to a session: which sources, which model, one clock."""

import argparse
import logging
import os
from pathlib import Path

import torch
from pylsl import local_clock

from eav_live.config import LiveConfig
from eav_live.demo import asset
from eav_live.predictions import Smoother
from eav_live.recognizer import Recognizer
from eav_live.session import Session
from eav_live.sources import Source
from eav_live.sources.audio import FileAudio, LslAudio, Microphone
from eav_live.sources.eeg import LslEeg
from eav_live.sources.markers import ReplayTruth
from eav_live.sources.video import Camera, FileVideo, LslVideo
from eav_offline.console import existing
from eav_offline.errors import InputRefused

log = logging.getLogger(__name__)


def build_session(options: argparse.Namespace, config: LiveConfig) -> Session:
    """The session that the options of `eav-live` describe, not started yet.

    Raises InputRefused for an option, file or checkpoint that cannot be used.
    """
    # The models, the face tracker and the window share the cores.
    torch.set_num_threads(max(1, (os.cpu_count() or 2) // 2))
    model = model_file(options)
    if options.model is None and not options.demo:
        log.warning(
            "No --model given: using the demo model, which was trained on "
            "synthetic people and is not valid for real ones"
        )
    recognizer = Recognizer.load(model, "cuda" if torch.cuda.is_available() else "cpu")
    sources = build_sources(options, config)
    if not sources:
        raise InputRefused("every stream is 'none'; name at least one")
    eeg = sources.get("eeg")
    truth = None
    if isinstance(eeg, LslEeg):
        truth = ReplayTruth(lambda: eeg.stream_name)
    return Session(
        sources,
        recognizer,
        clock=local_clock,
        hop=options.hop,
        smoother=Smoother(options.smoothing),
        truth=truth,
    )


def build_sources(options: argparse.Namespace, config: LiveConfig) -> dict[str, Source]:
    """The sources that the options name, by modality, not started yet.

    Raises InputRefused for an option that cannot be understood.
    """
    sources: dict[str, Source] = {}
    if options.eeg_stream is not None and options.eeg_stream != "none":
        sources["eeg"] = LslEeg(
            options.eeg_stream,
            max_missing=options.max_missing,
            rename=config.eeg.rename,
            labels=config.eeg.labels,
        )
    audio = _audio_source(options.audio)
    if audio is not None:
        sources["audio"] = audio
    video = _video_source(options.video)
    if video is not None:
        sources["video"] = video
    return sources


def model_file(options: argparse.Namespace) -> Path:
    """The checkpoint that the options ask for."""
    return options.model or asset("demo.safetensors")


def _audio_source(text: str) -> Source | None:
    kind, _, rest = text.partition(":")
    if kind == "none":
        return None
    if kind == "mic":
        return Microphone(int(rest) if rest.isdigit() else rest or None)
    if kind == "lsl" and rest:
        return LslAudio(rest)
    if kind == "file" and rest:
        return FileAudio(existing(rest, "--audio"))
    raise InputRefused(
        f"--audio {text!r} is unknown; give mic, mic:DEVICE, lsl:NAME, file:PATH "
        "or none"
    )


def _video_source(text: str) -> Source | None:
    kind, _, rest = text.partition(":")
    if kind == "none":
        return None
    if kind == "camera":
        return Camera(int(rest) if rest.isdigit() else rest or 0)
    if kind == "lsl" and rest:
        return LslVideo(rest)
    if kind == "file" and rest:
        return FileVideo(existing(rest, "--video"))
    raise InputRefused(
        f"--video {text!r} is unknown; give camera, camera:INDEX, lsl:NAME, "
        "file:PATH or none"
    )
