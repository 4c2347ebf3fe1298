"""One marked stream of a recording, repeated for ever, that goes wrong when told to.

Runs in a process of its own, so that it can be killed. Lines on stdin are orders,
`KIND SECONDS`, see `Trouble`; lines on stdout are answers: `streaming T` when the first
samples went out and `over T` when a fault has ended, T on LSL's clock. It ends when
stdin closes.
"""

import argparse
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pylsl

from benchmarks.live.soak.marks import mark_eeg, mark_picture, mark_sound
from eav_live.outlets.headers import StreamHeader, StreamPlan, open_outlet
from eav_live.replay.tracks import (
    TICK_SECONDS,
    SampleTrack,
    Track,
    VideoTrack,
    file_frames,
)
from eav_offline.core.labels import MODALITIES
from eav_offline.data.eav.subject import open_subject
from eav_offline.data.recording import Recording

Mark = Callable[[np.ndarray, np.ndarray], None]
Chunk = tuple[np.ndarray, np.ndarray]  # values (n, channels), stamps (n,) seconds
CLOCK_SECONDS = 3600.0
LOST_SHARE = 0.1
JITTER_SECONDS = 0.01  # standard deviation of a chunk's stamps
BAD_ELECTRODES = 3


class SpoiledOutlet:
    """An outlet that marks what is pushed, and sends it as its trouble lets it."""

    def __init__(self, header: StreamHeader, mark: Mark, seed: int) -> None:
        self.trouble = Trouble(np.random.default_rng(seed))
        self.sent = 0
        self._outlet = open_outlet(header)
        self._mark = mark

    def push_chunk(self, values: np.ndarray, stamps: Sequence[float]) -> None:
        """As of an LSL outlet."""
        values, times = np.array(values), np.array(stamps)
        self._mark(values, times)
        for part, at in self.trouble.spoil(values, times):
            self._outlet.push_chunk(part, at.tolist())
            self.sent += len(at)


def open_track(
    options: argparse.Namespace, recording: Recording, t0: float
) -> tuple[SpoiledOutlet, Track]:
    """The outlet and the endless track of one stream that begins at `t0`."""
    plan = StreamPlan().extended(recording)
    kinds = dict(zip(MODALITIES, plan.headers(options.name, "synthetic"), strict=True))
    header = kinds[options.kind]
    assert header is not None
    if options.declare is not None:
        header = replace(header, rate=options.declare)
    make = partial(SpoiledOutlet, header, seed=options.seed)
    if options.kind == "video":
        assert plan.video is not None
        assert recording.video is not None
        shape = (plan.video.height, plan.video.width, 3)
        out = make(
            mark=lambda row, at: mark_picture(row.view(np.uint8).reshape(shape), at[0])
        )
        return out, VideoTrack(out, file_frames(recording.video, t0, wrap=True))
    if options.kind == "audio":
        assert recording.audio is not None
        rate, values = recording.audio_rate, recording.audio[:, None]
        out = make(mark=partial(mark_sound, rate=rate))
    else:
        assert recording.eeg_uv is not None
        # Around zero, or every repetition would begin with a step in the electrodes.
        eeg_uv = recording.eeg_uv - recording.eeg_uv.mean(axis=1, keepdims=True)
        rate, values = recording.eeg_rate, eeg_uv.T
        # With electrodes missing the stream is refused, and a mark is misplaced.
        out = make(mark=partial(mark_eeg, rate=rate))
    return out, SampleTrack(out, values, rate, t0, wrap=True)


def _options(argv: Sequence[str]) -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="soak sender")
    options.add_argument("kind", choices=MODALITIES)
    options.add_argument("subject", type=Path)
    options.add_argument("name", help="of a replay: NAME, NAME-Audio, NAME-Video")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument(
        "--declare", type=float, help="a rate that is not the true one"
    )
    options.add_argument("--missing", type=int, default=0, help="leave out electrodes")
    return options.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """Send until stdin closes."""
    options = _options(argv)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the bench ends its senders
    subject = open_subject(options.subject)
    recording = subject.recording(subject.trials("speaking")[0])
    assert recording.eeg_uv is not None
    recording = replace(
        recording,
        eeg_uv=recording.eeg_uv[options.missing :],
        channels=recording.channels[options.missing :],
    )
    outlet, track = open_track(options, recording, pylsl.local_clock() + TICK_SECONDS)
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
            outlet.trouble.begin(kind, float(seconds), now)
        if outlet.trouble.ends(now):
            _say("over", now)
        track.push_until(now)
        if outlet.sent and not said:
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
