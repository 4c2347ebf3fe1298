"""What can go wrong with a stream between its amplifier and us, done on purpose."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

Chunk = tuple[np.ndarray, np.ndarray]  # values (n, channels), stamps (n,) seconds

CLOCK_SECONDS = 3600.0
LOST_SHARE = 0.1
JITTER_SECONDS = 0.01  # standard deviation of a chunk's stamps
BAD_ELECTRODES = 3


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


def _paused(v: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> Chunk:
    return v[:0], t[:0]


def _jitter(v: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> Chunk:
    return v, t + rng.normal(0.0, JITTER_SECONDS)


def _ahead(v: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> Chunk:
    return v, t + CLOCK_SECONDS


def _behind(v: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> Chunk:
    return v, t - CLOCK_SECONDS


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
    "paused": _paused,
    "burst": _paused,  # held back instead, see `Trouble.spoil`
    "jitter": _jitter,
    "ahead": _ahead,
    "behind": _behind,
    "loss": _loss,
    "nan": _nan,
    "garbage": _garbage,
}
