"""What a session says about a window, its smoothing, and when a decision changes."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from eav_offline.labels import EMOTIONS, MODALITIES, N_EMOTIONS


class StreamState(StrEnum):
    """How a stream is doing, judged by its time stamps."""

    OFF = "off"  # not asked for
    CONNECTING = "connecting"  # looked for, never seen so far
    LIVE = "live"
    LATE = "late"  # newest sample older than a second
    LOST = "lost"  # newest sample older than three seconds, or the sender is gone
    REFUSED = "refused"  # there, but unusable: `detail` says why


@dataclass(frozen=True)
class StreamHealth:
    """One stream as the dashboard shows it.

    name: what the user asked for. detail: one line, such as why it was refused.
    age_s: seconds since the newest sample's stamp, None before the first.
    filled_s: seconds of unbroken data up to the newest sample (a window needs five).
    rate: measured samples (or frames) a second, None before it is known.
    gaps: breaks seen so far. returns: times the stream came back after a loss.
    """

    state: StreamState
    name: str = ""
    detail: str = ""
    age_s: float | None = None
    filled_s: float = 0.0
    rate: float | None = None
    gaps: int = 0
    returns: int = 0


@dataclass(frozen=True)
class Prediction:
    """Probabilities (5,) over `EMOTIONS` for the window that ends at `t`, LSL seconds.

    fused: of all modalities present; None if there was none. smoothed: running average
        of `fused`. by_modality: of each modality alone, None where absent.
    present: modalities in the window. states: of each stream when it was cut.
    reasons: for a modality left out, why, in a few words.
    interpolated: electrodes computed from their neighbours.
    label: the decision after smoothing; truth: of a replayed trial, else None.
    age_s: time it was put out minus `t`. infer_s: preparing and models together.
    hop_s: seconds since the window before. demo: the model knows synthetic people only.
    """

    t: float
    fused: np.ndarray | None
    smoothed: np.ndarray | None
    by_modality: dict[str, np.ndarray | None]
    present: tuple[str, ...]
    states: dict[str, StreamState]
    label: str | None
    truth: str | None
    age_s: float
    infer_s: float
    hop_s: float
    interpolated: tuple[str, ...] = ()
    demo: bool = False
    reasons: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The object `eav-live --json` writes, one a line."""
        return {
            "t": self.t,
            "fused": _named(self.fused),
            **{m: _named(self.by_modality.get(m)) for m in MODALITIES},
            "smoothed": _named(self.smoothed),
            "present": list(self.present),
            "states": {name: str(state) for name, state in self.states.items()},
            "interpolated": list(self.interpolated),
            "label": self.label,
            "truth": self.truth,
            "age_s": round(self.age_s, 4),
            "infer_s": round(self.infer_s, 4),
            "hop_s": round(self.hop_s, 4),
            "demo": self.demo,
        }


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
        """Begin anew, as after a gap: what was before says nothing of what follows."""
        self._average: np.ndarray | None = None
        self._t = 0.0
        self._decision: int | None = None

    def update(self, fused: np.ndarray, t: float) -> tuple[np.ndarray, str]:
        """Take the probabilities (5,) of the window that ends at `t`, seconds.

        Returns the smoothed probabilities and the emotion decided on.
        """
        if self._average is None or self._time_constant <= 0 or t < self._t:
            self._average = fused.astype(np.float64)
        else:
            keep = float(np.exp(-(t - self._t) / self._time_constant))
            self._average = keep * self._average + (1 - keep) * fused
        self._t = t
        margin = self._margin if self._time_constant > 0 else 0.0
        best = int(self._average.argmax())
        if (
            self._decision is None
            or self._average[best] > self._average[self._decision] + margin
        ):
            self._decision = best
        return self._average.copy(), EMOTIONS[self._decision]


def _named(probabilities: np.ndarray | None) -> dict[str, float] | None:
    if probabilities is None:
        return None
    return {EMOTIONS[i]: round(float(probabilities[i]), 6) for i in range(N_EMOTIONS)}
