"""Where the newest window ends, what is in it, and why something is not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from eav_live.windows.rings import FrameRing, SampleRing
from eav_offline.core.labels import MODALITIES
from eav_offline.core.window import (
    CONTEXT_SECONDS,
    WINDOW_SECONDS,
    RawWindow,
    nearest_frames,
)
from eav_offline.preprocess.memory import column_grid

MAX_LAG_SECONDS = 1.0  # a stream further behind than this is left out of the window


@dataclass(frozen=True)
class Rings:
    """The rings of a session; None where a stream is off or not connected yet."""

    eeg: SampleRing | None
    audio: SampleRing | None
    video: FrameRing | None


# EEG (30, samples), µV, and what it becomes: None if there is no help, else as long as
# it was or shorter at the beginning, with the electrodes that were computed.
Mend = Callable[[np.ndarray], tuple[np.ndarray | None, tuple[str, ...]]]


@dataclass(frozen=True)
class LiveWindow:
    """The window and, for each modality it lacks, why in a few words.

    interpolated: electrodes that were mended.
    """

    raw: RawWindow
    reasons: dict[str, str]
    interpolated: tuple[str, ...] = ()

    @property
    def present(self) -> tuple[str, ...]:
        """The modalities that are there."""
        parts = (self.raw.eeg_uv, self.raw.audio, self.raw.frames)
        there = zip(MODALITIES, parts, strict=True)
        return tuple(m for m, part in there if part is not None)

    def without(self, reasons: Mapping[str, str]) -> "LiveWindow":
        """The window without these modalities, and why."""
        raw = self.raw
        if "eeg" in reasons:
            raw = replace(raw, eeg_uv=None)
        if "audio" in reasons:
            raw = replace(raw, audio=None)
        if "video" in reasons:
            raw = replace(raw, frames=None)
        return LiveWindow(raw, {**self.reasons, **reasons}, self.interpolated)


def newest_end(rings: Rings, now: float) -> float | None:
    """The time the next window can end at, seconds: the oldest newest sample.

    Streams whose newest sample is over a second old have no say; a stream that lags
    less holds the others back, so that one window shows one moment. None if no stream
    is fresh. A stamp ahead of `now` counts as `now`.

    With sound, windows end on a grid of 10 ms of its samples, so that they share their
    log-mel columns.
    """
    newest = [
        min(ring.newest, now)
        for ring in (rings.eeg, rings.audio, rings.video)
        if ring is not None and ring.newest is not None
    ]
    fresh = [t for t in newest if now - t <= MAX_LAG_SECONDS]
    if not fresh:
        return None
    t_end = min(fresh)
    grid = None if rings.audio is None else column_grid(rings.audio.rate)
    if rings.audio is not None and grid is not None:
        t_end = rings.audio.grid_end(t_end, grid)
    return t_end


def cut_window(
    rings: Rings, t_end: float, now: float, mend: Mend | None = None
) -> LiveWindow:
    """Cut [t_end - 5, t_end) from every ring that covers it.

    mend: makes good electrodes of bad ones, see `mend_electrodes`.

    Each modality takes only what follows its last gap; the EEG with up to ten seconds
    before the window, as a recorded trial does (`eav_offline.data.recording.cut`).
    """
    reasons: dict[str, str] = {}
    mended: list[str] = []

    def make_good(eeg_uv: np.ndarray) -> np.ndarray | None:
        if mend is None:
            return eeg_uv
        good, electrodes = mend(eeg_uv)
        mended.extend(electrodes)
        return good

    eeg, eeg_rate = _samples(
        rings.eeg, "eeg", t_end, now, CONTEXT_SECONDS, reasons, make_good
    )
    audio, audio_rate = _samples(rings.audio, "audio", t_end, now, 0.0, reasons)
    frames = None
    if rings.video is None or rings.video.newest is None:
        reasons["video"] = "no frames"
    elif now - rings.video.newest > MAX_LAG_SECONDS:
        reasons["video"] = _stale(now - rings.video.newest)
    else:
        kept = rings.video.until(t_end)
        chosen = nearest_frames(np.array([f.time for f in kept]), t_end)
        if chosen is None:
            filled = t_end - kept[0].time if kept else 0.0
            gap = filled >= WINDOW_SECONDS  # long enough, but not without holes
            reasons["video"] = "pictures are missing" if gap else _filling(filled)
        else:
            frames = tuple(kept[i] for i in chosen)
    raw = RawWindow(
        t_end=t_end,
        eeg_uv=eeg,
        eeg_rate=eeg_rate,
        audio=None if audio is None else audio[0],
        audio_rate=audio_rate,
        frames=frames,
    )
    return LiveWindow(raw, reasons, tuple(mended))


def _samples(
    ring: SampleRing | None,
    modality: str,
    t_end: float,
    now: float,
    context: float,
    reasons: dict[str, str],
    make_good: Callable[[np.ndarray], np.ndarray | None] | None = None,
) -> tuple[np.ndarray | None, float]:
    if ring is None or ring.newest is None:
        reasons[modality] = "no data"
        return None, 0.0
    if now - ring.newest > MAX_LAG_SECONDS:
        reasons[modality] = _stale(now - ring.newest)
        return None, ring.rate
    stretch = ring.until(t_end, WINDOW_SECONDS + context)
    if stretch is None:
        reasons[modality] = _filling(0.0)
        return None, ring.rate
    values: np.ndarray | None = np.ascontiguousarray(stretch.values.T)
    if values is not None and make_good is not None:
        values = make_good(values)
    if values is None:
        reasons[modality] = "too many bad electrodes"
        return None, ring.rate
    if values.shape[1] < round(WINDOW_SECONDS * ring.rate):
        reasons[modality] = _filling(values.shape[1] / ring.rate)
        return None, ring.rate
    if not np.isfinite(values.sum(dtype=np.float64)):
        reasons[modality] = "samples that are not numbers"
        return None, ring.rate
    return values, ring.rate


def _filling(seconds: float) -> str:
    return f"collecting {max(0.0, seconds):.1f} of {WINDOW_SECONDS:.0f} s"


def _stale(age: float) -> str:
    return f"newest data {age:.1f} s old"
