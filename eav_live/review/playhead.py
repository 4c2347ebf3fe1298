"""Where a review is: a moment that is played on, moved, or moved to what is next."""

from collections.abc import Callable, Iterable
from time import perf_counter

SPEEDS = (0.5, 1.0, 2.0, 4.0)
_SAME_SECONDS = 0.02  # nearer than that is where we are


class Playhead:
    """A moment between `begin` and `end`, seconds, that moves while it plays.

    clock: seconds, of which `speed` times as many pass.
    """

    def __init__(
        self, begin: float, end: float, clock: Callable[[], float] = perf_counter
    ) -> None:
        self.begin, self.end = begin, end
        self.speed = 1.0
        self.playing = False
        self._clock = clock
        self._t, self._since = begin, clock()

    @property
    def t(self) -> float:
        """The moment, seconds; at the end it stays."""
        if not self.playing:
            return self._t
        passed = self.speed * (self._clock() - self._since)
        return min(self._t + passed, self.end)

    @property
    def at_end(self) -> bool:
        """Whether there is nothing left to play."""
        return self.t >= self.end

    def seek(self, t: float) -> None:
        """Go to a moment, or to the nearest one that was recorded."""
        self._t, self._since = min(max(t, self.begin), self.end), self._clock()

    def play(self) -> None:
        """Go on, at the end from the beginning."""
        self.seek(self.begin if self.at_end else self.t)
        self.playing = True

    def pause(self) -> None:
        """Stay here."""
        self.seek(self.t)
        self.playing = False

    def change_speed(self, steps: int) -> None:
        """Play faster (+1) or slower (-1) by a step of `SPEEDS`."""
        place = SPEEDS.index(self.speed) + steps
        self.seek(self.t)
        self.speed = SPEEDS[min(max(place, 0), len(SPEEDS) - 1)]

    def jump(self, targets: Iterable[float], direction: int) -> bool:
        """Go to the next of the moments (direction 1) or to the one before (-1).

        Returns whether there was one.
        """
        away = [t for t in targets if direction * (t - self.t) > _SAME_SECONDS]
        if not away:
            return False
        self.seek(min(away) if direction > 0 else max(away))
        return True
