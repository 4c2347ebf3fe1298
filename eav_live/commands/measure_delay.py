"""`eav-live measure-delay`: how late each device's stamps are."""

import argparse
import logging
import random
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from eav_live.commands.options import (
    MOST_SECONDS,
    add_shared,
    add_stream_options,
    number,
    session_options,
    whole,
)
from eav_offline.common.errors import InputRefused

if TYPE_CHECKING:
    from eav_live.options import SessionOptions
    from eav_live.session.intake import Intake
    from eav_live.streams import Arrival
    from eav_live.streams.delay import Delay, Signal
    from eav_live.streams.source import Source

log = logging.getLogger(__name__)

_PATIENCE = 8.0  # seconds for streams and devices to begin
_AFTER_SECONDS = 1.5  # for the response to the last event
_CLICK_INTERVAL = (1.6, 2.2)  # seconds, uneven
_NAMES = {"eeg": "EEG channel", "audio": "Voice", "video": "Face"}


def parser() -> argparse.ArgumentParser:
    """The options of a measurement."""
    options = argparse.ArgumentParser(
        prog="eav-live measure-delay",
        description="Find the delays of microphone, camera and EEG from clicks and "
        "flashes, or from the markers of a stream.",
        epilog="The screen flashes about every two seconds: keep it from people with "
        "photosensitive epilepsy. Exit status: 0 all delays found, 1 not all, 2 input "
        "refused, 130 Ctrl-C.",
    )
    add_stream_options(options)
    group = options.add_argument_group("events")
    group.add_argument(
        "--eeg-channel",
        metavar="LABEL",
        help="trigger or photodiode channel of --eeg-stream, or its number from 1 on",
    )
    group.add_argument(
        "--eeg-event",
        choices=("flash", "click"),
        default="flash",
        help="what that channel shows (default: flash)",
    )
    group.add_argument(
        "--events",
        metavar="N",
        type=whole(5, 10_000),
        default=30,
        help="how many (default 30)",
    )
    group.add_argument(
        "--markers",
        metavar="NAME",
        help="play nothing: take the stamps of this LSL stream of type Markers",
    )
    group.add_argument(
        "--marker", metavar="TEXT", help="only markers of this text (default: all)"
    )
    group.add_argument(
        "--duration",
        metavar="S",
        type=number(1, MOST_SECONDS, "seconds"),
        default=120.0,
        help="with --markers: end after S seconds (default 120)",
    )
    how = options.add_argument_group("devices (the delays said there are left out)")
    add_shared(how, "--config", "--preset")
    options.add_argument("--json", metavar="PATH|-", help="write the delays as JSON")
    return options


def main(options: argparse.Namespace) -> int:
    """Measure, and say what to write into live.toml."""
    streams = session_options(options)
    if options.eeg_channel is not None and streams.eeg_stream in (None, "none"):
        raise InputRefused("--eeg-channel needs --eeg-stream NAME")
    from eav_live.streams.delay import Signal, find_delay
    from eav_offline.common.console import DONE, FAILED, write_json

    signals = {name: Signal() for name in _NAMES}
    intake = _streams(streams, options.eeg_channel, signals)
    if not intake.sources:
        raise InputRefused(
            "nothing to measure; give --audio, --video, or --eeg-stream with "
            "--eeg-channel"
        )
    intake.start()
    try:
        missing = _missing(intake)
        for name, detail in missing.items():
            sys.stdout.write(f"{_NAMES[name]}: left out, {detail}\n")
        if len(missing) == len(intake.sources):
            raise InputRefused("none of the streams and devices began; see above")
        if options.markers is not None:
            marked = _follow_markers(options)
            events = dict.fromkeys(intake.sources, marked)
        else:
            there = [name for name in intake.sources if name not in missing]
            flashes, clicks = _stimulate(options, there)
            eeg = flashes if options.eeg_event == "flash" else clicks
            events = {"eeg": eeg, "audio": clicks, "video": flashes}
        threading.Event().wait(_AFTER_SECONDS)
    finally:
        intake.stop()
    delays = {
        name: find_delay(events[name], *signals[name].read())
        for name in intake.sources
        if name not in missing
    }
    for name, delay in delays.items():
        sys.stdout.write(_line(name, delay, len(events[name])))
    sys.stdout.write(_settings(delays))
    write_json(
        options.json,
        {"delays": {name: _as_json(delay) for name, delay in delays.items()}},
    )
    found = all(delay is not None and delay.is_reliable for delay in delays.values())
    return DONE if found and not missing else FAILED


def _streams(
    options: "SessionOptions", channel: str | None, signals: Mapping[str, "Signal"]
) -> "Intake":
    """Sources without the configured delays, each filling its signal."""
    from pylsl import local_clock

    from eav_live.session.intake import Intake
    from eav_live.streams.chosen import audio_source, video_source
    from eav_live.streams.delay import BrightnessMeter, ChannelReader

    now, config = {"delay_ms": 0.0}, options.config
    undelayed = {
        "audio": config.audio.model_copy(update=now),
        "video": config.video.model_copy(update=now),
    }
    options = replace(options, config=config.model_copy(update=undelayed))
    sources: dict[str, Source] = {}
    if channel is not None:
        assert options.eeg_stream is not None
        sources["eeg"] = ChannelReader(options.eeg_stream, channel, signals["eeg"])
    if (audio := audio_source(options)) is not None:
        audio.listen(lambda a: signals["audio"].add(a.stamps, a.values[:, 0]))
        sources["audio"] = audio
    if (video := video_source(options)) is not None:
        video.give_frames_to(BrightnessMeter(signals["video"]))
        sources["video"] = video
    return Intake(sources, local_clock)


def _missing(streams: "Intake") -> dict[str, str]:
    """Those that did not begin within some seconds, and why."""
    from eav_live.recognition.predictions import StreamState

    waiting = (StreamState.CONNECTING, StreamState.REFUSED, StreamState.LOST)
    healths = streams.wait_until(lambda h: h.state not in waiting, _PATIENCE)
    return {name: h.detail for name, h in healths.items() if h.state in waiting}


def _follow_markers(options: argparse.Namespace) -> list[float]:
    """Stamps of the markers that come, until there are enough or time is over."""
    from eav_live.streams.markers import ReplayTruth

    stamps: list[float] = []
    enough = threading.Event()

    def take(marker: "Arrival") -> None:
        if options.marker in (None, str(marker.values[0, 0])):
            stamps.append(float(marker.stamps[0]))
        if len(stamps) >= options.events:
            enough.set()

    markers = ReplayTruth(lambda: None, named=options.markers)
    markers.listen(take)
    markers.start()
    try:
        enough.wait(options.duration)
    finally:
        markers.stop()
    if not stamps:
        raise InputRefused(
            f"--markers {options.markers}: no marker came in {options.duration:g} s; "
            "give the full name of a stream of type Markers that is sending"
        )
    return sorted(stamps)


def _stimulate(
    options: argparse.Namespace, there: list[str]
) -> tuple[list[float], list[float]]:
    """Flash and click as far as it is possible here. Returns when."""
    from pylsl import local_clock

    from eav_live.streams.loudspeaker import ClickPlayer

    clicker = None
    if "audio" in there or options.eeg_event == "click":
        clicker = ClickPlayer()
    wants_flash = "video" in there or ("eeg" in there and options.eeg_event == "flash")
    flashes: list[float] = []
    try:
        if wants_flash:
            from eav_live.doctor.display import find_display
            from eav_live.ui.flash import flash_screen

            _, trouble = find_display()
            if trouble:
                raise InputRefused(f"{trouble}; flashes need a screen: see --markers")
            play = clicker.play if clicker is not None else _nothing
            flashes = flash_screen(options.events, local_clock, play)
        elif clicker is not None:
            pause = threading.Event()
            for _ in range(options.events):
                pause.wait(random.uniform(*_CLICK_INTERVAL))
                clicker.play()
            pause.wait(_AFTER_SECONDS)
    finally:
        if clicker is not None:
            clicker.stop()
    return flashes, clicker.times if clicker is not None else []


def _nothing() -> None:
    """What a flash sets off where there is no loudspeaker."""


def _line(name: str, delay: "Delay | None", n_events: int) -> str:
    if delay is None:
        return f"{_NAMES[name]}: nothing seen of {n_events} events; louder, nearer?\n"
    doubt = "" if delay.is_reliable else "  (too few or too scattered: measure again)"
    return (
        f"{_NAMES[name]}: {1000 * delay.median_s:.1f} ms, "
        f"± {1000 * delay.uncertainty_s:.1f} ms, single events spread "
        f"{1000 * delay.spread_s:.1f} ms, {delay.n_found} of {n_events} events "
        f"found{doubt}\n"
    )


def _settings(delays: Mapping[str, "Delay | None"]) -> str:
    """The lines for live.toml."""
    lines = [
        f"\n[{name}]\ndelay_ms = {1000 * delay.median_s:.1f}\n"
        for name, delay in delays.items()
        if delay is not None and delay.is_reliable
    ]
    return "\nFor live.toml:\n" + "".join(lines) if lines else ""


def _as_json(delay: "Delay | None") -> dict[str, float | int | bool] | None:
    if delay is None:
        return None
    return {
        "delay_ms": round(1000 * delay.median_s, 3),
        "uncertainty_ms": round(1000 * delay.uncertainty_s, 3),
        "spread_ms": round(1000 * delay.spread_s, 3),
        "found": delay.n_found,
        "events": delay.n_events,
        "reliable": delay.is_reliable,
    }
