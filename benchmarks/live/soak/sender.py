"""One marked stream of a recording, repeated for ever, that goes wrong when told to.

Runs in a process of its own, so that it can be killed. Lines on stdin are orders,
`KIND SECONDS`, see `Trouble`; lines on stdout are answers: `streaming T` when the first
samples went out and `over T` when a fault has ended, T on LSL's clock. It ends when
stdin closes.

What can go wrong with a stream between its amplifier and us, done on purpose.
"""

import argparse
import logging
import math
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import pylsl

from benchmarks.live.soak.marks import mark_eeg, mark_picture, mark_sound
from eav_live.outlets import headers
from eav_live.replay.tracks import video_seconds
from eav_offline.core.electrodes import Channel
from eav_offline.data.media import iter_frames, rgb, video_info
from eav_offline.data.recording import Recording

log = logging.getLogger(__name__)
TICK_SECONDS = 0.02
Mark = Callable[[np.ndarray, np.ndarray, float], None]
Chunk = tuple[np.ndarray, np.ndarray]  # values (n, channels), stamps (n,) seconds
CLOCK_SECONDS = 3600.0
LOST_SHARE = 0.1
JITTER_SECONDS = 0.01  # standard deviation of a chunk's stamps
BAD_ELECTRODES = 3


class _Track(Protocol):
    def due(self, now: float) -> Iterator[tuple[np.ndarray, np.ndarray]]: ...


class SampleLoop:
    """Evenly sampled values (n, channels) repeated without end, with marks."""

    def __init__(self, values: np.ndarray, rate: float, t0: float, mark: Mark) -> None:
        self._values = np.ascontiguousarray(values, dtype=np.float32)
        self._rate = rate
        self._t0 = t0
        self._mark = mark
        self._next = 0

    def due(self, now: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The samples whose time has come by `now`, with their stamps."""
        stop = math.floor((now - self._t0) * self._rate)
        if stop <= self._next:
            return
        indices = np.arange(self._next, stop)
        self._next = stop
        values = self._values[indices % len(self._values)]
        stamps = self._t0 + indices / self._rate
        self._mark(values, stamps, self._rate)
        yield values, stamps


class FrameLoop:
    """The frames of a file repeated without end, with marks."""

    def __init__(self, path: Path, t0: float) -> None:
        self._t0 = t0
        self._frames = self._endless(path)
        self._next = next(self._frames)

    def due(self, now: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The frames whose time has come by `now`, as (1, bytes) and a stamp each."""
        while self._next[0] <= now:
            stamp, image = self._next
            mark_picture(image, stamp)
            yield image.reshape(1, -1).view(np.int8), np.array([stamp])
            self._next = next(self._frames)

    def _endless(self, path: Path) -> Iterator[tuple[float, np.ndarray]]:
        period, begin = video_seconds(path), self._t0
        while True:
            for offset, frame in iter_frames(path):
                yield begin + offset, np.array(rgb(frame))
            begin += period


class Sender:
    """Pushes one track through its trouble into an outlet."""

    def __init__(
        self, outlet: pylsl.StreamOutlet, track: _Track, rng: np.random.Generator
    ) -> None:
        self.trouble = Trouble(rng)
        self._outlet = outlet
        self._track = track
        self.sent = 0

    def push(self, now: float) -> None:
        """Push everything whose time has come by `now`."""
        for values, stamps in self._track.due(now):
            for part, times in self.trouble.spoil(values, stamps):
                self._outlet.push_chunk(part, times.tolist())
                self.sent += len(times)


def open_outlet(
    kind: str, name: str, recording: Recording, rate: float | None, missing: int
) -> pylsl.StreamOutlet:
    """The outlet of one stream; see `_parser` for what may be wrong with it."""
    about, source_id = {"eav_replay": "synthetic"}, f"eav-soak {name}"
    if kind == "video":
        assert recording.video is not None
        video = video_info(recording.video)
        about |= {"width": str(video.width), "height": str(video.height)}
        header = headers.StreamHeader(
            name,
            "VideoRaw",
            "int8",
            video.rate,
            source_id=source_id,
            about=about | {"format": "RGB"},
            n_values=video.width * video.height * 3,
        )
        return headers.open_outlet(header)
    eeg = kind == "eeg"
    labels = recording.channels[missing:] if eeg else ("mono",)
    true_rate = recording.eeg_rate if eeg else recording.audio_rate
    lsl_type, unit = ("EEG", "microvolts") if eeg else ("Audio", "")
    channels = tuple(Channel(label, lsl_type, unit) for label in labels)
    return headers.open_outlet(
        headers.StreamHeader(
            name, lsl_type, "float32", rate or true_rate, channels, source_id, "", about
        )
    )


def open_track(kind: str, recording: Recording, t0: float, missing: int) -> _Track:
    """The endless track of one stream that begins at `t0`."""
    if kind == "video":
        assert recording.video is not None
        return FrameLoop(recording.video, t0)
    if kind == "audio":
        assert recording.audio is not None
        sound = recording.audio[:, None]
        return SampleLoop(sound, recording.audio_rate, t0, mark_sound)
    assert recording.eeg_uv is not None
    # Around zero, or every repetition would begin with a step in the electrodes.
    eeg_uv = recording.eeg_uv[missing:] - recording.eeg_uv[missing:].mean(
        axis=1, keepdims=True
    )
    # With electrodes missing the stream is refused, and marks would be misplaced.
    mark: Mark = mark_eeg if missing == 0 else lambda values, times, rate: None
    return SampleLoop(eeg_uv.T, recording.eeg_rate, t0, mark)


def _parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="soak sender")
    options.add_argument("kind", choices=("eeg", "audio", "video"))
    options.add_argument("subject", type=Path)
    options.add_argument("name")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument(
        "--declare", type=float, help="a rate that is not the true one"
    )
    options.add_argument("--missing", type=int, default=0, help="leave out electrodes")
    return options


def main(argv: Sequence[str]) -> int:
    """Send until stdin closes."""
    from eav_offline.data.eav.subject import open_subject

    options = _parser().parse_args(argv)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the bench ends its senders
    subject = open_subject(options.subject)
    recording = subject.recording(subject.trials("speaking")[0])
    outlet = open_outlet(
        options.kind, options.name, recording, options.declare, options.missing
    )
    track = open_track(
        options.kind, recording, pylsl.local_clock() + TICK_SECONDS, options.missing
    )
    sender = Sender(outlet, track, np.random.default_rng(options.seed))
    orders: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    said = False
    while True:
        now = pylsl.local_clock()
        while not orders.empty():
            order = orders.get()
            if order is None:
                return 0
            kind, _, seconds = order.partition(" ")
            sender.trouble.begin(kind, float(seconds), now)
        if sender.trouble.ends(now):
            _say("over", now)
        sender.push(now)
        if sender.sent and not said:
            said = True
            _say("streaming", now)
        time.sleep(TICK_SECONDS)


def _listen(orders: "queue.Queue[str | None]") -> None:
    for line in sys.stdin:
        orders.put(line.strip())
    orders.put(None)


def _say(what: str, now: float) -> None:
    sys.stdout.write(f"{what} {now!r}\n")
    sys.stdout.flush()


@dataclass
class Trouble:
    """Spoils the chunks of one stream on their way to the outlet, one kind at a time.

    kinds: paused (silence), burst (held back and sent at once), jitter (stamps of
    chunks scatter by 10 ms), ahead and behind (stamps an hour off), loss (a tenth of
    the samples missing), nan (three channels are not numbers), garbage (random bytes).
    """

    rng: np.random.Generator
    kind: str | None = None
    _until: float = -np.inf
    _held: list[Chunk] = field(default_factory=list)

    def begin(self, kind: str, seconds: float, now: float) -> None:
        """Spoil what is sent from `now` on for so many seconds."""
        if kind not in SPOILERS:
            raise ValueError(f"{kind!r} is none of {', '.join(SPOILERS)}")
        self.kind, self._until = kind, now + seconds

    def ends(self, now: float) -> bool:
        """Whether what was begun is over at `now`; true once."""
        if self.kind is None or now < self._until:
            return False
        self.kind = None
        return True

    def spoil(self, values: np.ndarray, stamps: np.ndarray) -> list[Chunk]:
        """What to send instead of this chunk: nothing, it, or more."""
        if self.kind == "burst":
            self._held.append((values, stamps))
            return []
        held, self._held = self._held, []
        if self.kind is None:
            return [*held, (values, stamps)]
        spoiled = SPOILERS[self.kind](values, stamps, self.rng)
        return [*held, spoiled] if len(spoiled[1]) else held


def _loss(v: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> Chunk:
    kept = rng.random(len(t)) >= LOST_SHARE
    return np.ascontiguousarray(v[kept]), t[kept]


def _nan(v: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> Chunk:
    v = v.copy()
    v[:, :BAD_ELECTRODES] = np.nan
    return v, t


def _garbage(v: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> Chunk:
    return np.frombuffer(rng.bytes(v.nbytes), v.dtype).reshape(v.shape), t


SPOILERS: dict[str, Callable[[np.ndarray, np.ndarray, np.random.Generator], Chunk]] = {
    "paused": lambda v, t, rng: (v[:0], t[:0]),
    "burst": lambda v, t, rng: (v, t),  # held back instead, see `Trouble.spoil`
    "jitter": lambda v, t, rng: (v, t + rng.normal(0.0, JITTER_SECONDS)),
    "ahead": lambda v, t, rng: (v, t + CLOCK_SECONDS),
    "behind": lambda v, t, rng: (v, t - CLOCK_SECONDS),
    "loss": _loss,
    "nan": _nan,
    "garbage": _garbage,
}
