"""Do the model, its speed on this computer, and the display suffice?"""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from eav_live.doctor import Check, failure, ok, warning
from eav_live.doctor.display import NO_DISPLAY, find_display
from eav_live.options import HOP
from eav_live.recognition.recognizer import Recognizer
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.window import (
    CONTEXT_SECONDS,
    FRAME_RATE,
    N_CHANNELS,
    N_FRAMES,
    WINDOW_SECONDS,
    FaceFrame,
    RawWindow,
)
from eav_offline.preprocess.face import center_box

_WINDOWS = 7  # timed, after one that does not count
_PATIENCE = 20.0  # seconds of timing, for a model that needs many of them
_EEG_RATE, _SOUND_RATE = 500.0, 48_000.0  # Hz, what most devices have
_PICTURE = (480, 640, 3)

_QT_PACKAGES = (
    "libegl1 libgl1 libfontconfig1 libdbus-1-3 libxkbcommon-x11-0 libxcb-cursor0 "
    "libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 "
    "libxcb-shape0 libxcb-xkb1"
)


def check_model(path: Path, given: bool) -> tuple[Check, Recognizer | None]:
    """Whether the checkpoint loads. given: it was named, and is not embedded."""
    try:
        recognizer = Recognizer.load(path)
    except (InputRefused, OSError) as error:
        found, _, advice = str(error).partition("; ")
        return failure("Model", found, advice or "give another --model FILE"), None
    told = f"{path.name}: {', '.join(recognizer.checkpoint.modalities)}"
    unknown = [name for name in EMOTIONS if name not in recognizer.knows]
    told += f"; it does not know {' and '.join(unknown)}" if unknown else ""
    told += "" if given else "; it is the embedded one, taken without --model"
    if recognizer.demo:
        return warning(
            "Model",
            f"{told}; it knows synthetic people only",
            "for real people train one (`eav-offline train`) and give it as --model",
        ), recognizer
    return ok("Model", told), recognizer


def check_speed(recognizer: Recognizer, hop: float) -> Check:
    """Which hop this computer sustains with all modalities, against the one asked for.

    hop: seconds; as much of each window is new as with it.
    """
    windows = _windows(hop)
    took: list[float] = []
    end = time.perf_counter() + _PATIENCE
    while len(took) <= _WINDOWS and (len(took) < 2 or time.perf_counter() < end):
        raw = next(windows)
        begun = time.perf_counter()
        recognizer.recognize(raw)
        took.append(time.perf_counter() - begun)
    median = float(np.median(took[1:]))
    sustained = max(HOP.least, np.ceil(100 * median) / 100)
    if median <= hop:
        sustained = min(sustained, hop)
    told = (
        f"{1000 * median:.0f} ms a window (median of {len(took) - 1}): sustains a hop "
        f"of {sustained:g} s; asked for is one of {hop:g} s"
    )
    if median > hop:
        return warning(
            "Speed",
            f"{told}, so only every {np.ceil(median / hop):.0f}th window that is due "
            "will be made",
            f"give --hop {sustained:g} or more, take a compact model, or close other "
            "programs",
        )
    return ok("Speed", told)


def check_display() -> Check:
    """Whether a window opens."""
    screen, trouble = find_display()
    if not trouble:
        return ok("Display", screen)
    if trouble == NO_DISPLAY:
        return warning(
            "Display",
            f"{trouble}; predictions will be shown in the terminal",
            "run on a desktop, or under xvfb-run",
        )
    return failure(
        "Display",
        f"{trouble}; predictions will be shown in the terminal",
        "log in on the desktop itself, or correct DISPLAY or WAYLAND_DISPLAY; if they "
        f"are right, on Debian or Ubuntu: sudo apt-get install {_QT_PACKAGES}",
    )


def _windows(hop: float) -> Iterator[RawWindow]:
    """Windows like live ones with all modalities, each `hop` seconds after the last.

    What is in them does not matter, only that as much of it is new as it is live.
    """
    rng = np.random.default_rng(1)
    n_eeg = round((WINDOW_SECONDS + CONTEXT_SECONDS) * _EEG_RATE)
    eeg = (20 * rng.standard_normal((N_CHANNELS, n_eeg))).astype(np.float32)
    n_sound, moved = round(WINDOW_SECONDS * _SOUND_RATE), round(hop * 100) / 100
    sound = (0.05 * rng.standard_normal(n_sound)).astype(np.float32)
    image = rng.integers(0, 255, _PICTURE, dtype=np.uint8)
    box = center_box(image)

    def frame(number: int) -> FaceFrame:
        return FaceFrame(number / FRAME_RATE, np.roll(image, number, 1), box, True)

    frames: dict[int, FaceFrame] = {}
    for t_end in itertools.count(WINDOW_SECONDS, max(moved, 0.01)):
        newest = round(t_end * FRAME_RATE)
        numbers = range(newest - N_FRAMES, newest)
        frames = {number: frames.get(number) or frame(number) for number in numbers}
        yield RawWindow(
            t_end=t_end,
            eeg_uv=eeg,
            eeg_rate=_EEG_RATE,
            audio=sound,
            audio_rate=_SOUND_RATE,
            frames=tuple(frames.values()),
        )
        sound = np.roll(sound, -round(moved * _SOUND_RATE))
