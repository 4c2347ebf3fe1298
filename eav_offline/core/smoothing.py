"""Fused probabilities smoothed over time, live and in the evaluation alike."""

import numpy as np

from eav_offline.core.labels import EMOTIONS
from eav_offline.core.window import WINDOW_SECONDS

_SHARES_NOTHING = WINDOW_SECONDS + 1e-6  # seconds; windows that just meet go on


class Smoother:
    """Average fused probabilities over time and change the decision with reluctance.

    time_constant: seconds; 0 switches smoothing off. margin: how much likelier another
    emotion must be than the one shown before the decision changes.
    """

    def __init__(self, time_constant: float = 1.5, margin: float = 0.05) -> None:
        self._time_constant = time_constant
        self._margin = margin
        self.reset()

    def reset(self) -> None:
        """Begin anew, as with a new trial: what was before says nothing of it."""
        self._average: np.ndarray | None = None
        self._t = 0.0
        self._decision: int | None = None
        self.n_taken = 0  # windows since it began

    def hold(self, emotion: str | None) -> None:
        """Hold on to another decision from now on; None: to none."""
        self._decision = None if emotion is None else EMOTIONS.index(emotion)

    def update(self, fused: np.ndarray, t: float) -> tuple[np.ndarray, str]:
        """Take the probabilities (5,) of the window that ends at `t`, seconds.

        NaN for an emotion that the model does not know, in every window or in none; it
        stays NaN and is never decided on.
        After a gap, where the window shares nothing with the one before and does not
        even follow it, or where the clock went back, smoothing begins anew.
        Returns the smoothed probabilities and the emotion decided on.
        """
        if not 0 <= t - self._t <= _SHARES_NOTHING:
            self.reset()
        if self._average is None or self._time_constant <= 0:
            self._average = fused.astype(np.float64)
        else:
            keep = float(np.exp(-(t - self._t) / self._time_constant))
            self._average = keep * self._average + (1 - keep) * fused
        self._t = t
        self.n_taken += 1
        margin = self._margin if self._time_constant > 0 else 0.0
        best = int(np.nanargmax(self._average))
        if (
            self._decision is None
            or self._average[best] > self._average[self._decision] + margin
        ):
            self._decision = best
        return self._average.copy(), EMOTIONS[self._decision]
