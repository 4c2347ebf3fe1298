"""What a session says about its streams and about a window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from eav_offline.core.labels import EMOTIONS, MODALITIES, N_EMOTIONS
from eav_offline.core.sureness import Decision, State


class StreamState(StrEnum):
    """How a stream is doing, judged by what arrives and by its time stamps."""

    OFF = "off"  # not asked for
    CONNECTING = "connecting"  # looked for, never seen so far
    LIVE = "live"
    RETURNED = "returned"  # live again since a moment ago, after a loss
    LATE = "late"  # newest sample older than a second
    LOST = "lost"  # nothing arrived for three seconds, or the sender is gone
    REFUSED = "refused"  # there, but unusable: `detail` says why


STREAMING = (StreamState.LIVE, StreamState.RETURNED)
STREAM_NAMES = {"eeg": "EEG", "audio": "Voice", "video": "Face"}  # as users read them


@dataclass(frozen=True)
class Quality:
    """Whether what a stream carries is fit to be recognized, and why not.

    good: False leaves the modality out of the window. why: in a few words; empty while
    good. electrodes: of the EEG, those that are bad now and what is wrong with each.
    measures: what was measured, such as "line_hz", "speech", "face" (0 to 1).
    """

    good: bool = True
    why: str = ""
    electrodes: Mapping[str, str] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class StreamHealth:
    """One stream as the dashboard shows it.

    name: what the user asked for. detail: one line, such as why it was refused.
    age_s: seconds since the newest sample's stamp, None before the first.
    filled_s: seconds of unbroken data up to the newest sample (a window needs five).
    rate: measured samples (or frames) a second, None before it is known.
    gaps: breaks seen so far. returns: times the stream came back after a loss.
    clock_steps: times the sender's clock jumped. fault: why the stream is left out
    though it is live, such as a wrong rate; empty if nothing is wrong. notice: what
    the user should know though nothing is left out.
    quality: None while it is not judged.
    """

    state: StreamState
    name: str = ""
    detail: str = ""
    age_s: float | None = None
    filled_s: float = 0.0
    rate: float | None = None
    gaps: int = 0
    returns: int = 0
    clock_steps: int = 0
    fault: str = ""
    notice: str = ""
    quality: Quality | None = None


@dataclass(frozen=True)
class Reading:
    """Dimensions, name -> 0 to 1, of the window that ends at `t`, LSL seconds."""

    t: float
    values: Mapping[str, float]

    @classmethod
    def of(cls, table: Mapping[str, float] | None) -> "Reading | None":
        """What `as_json` made, which may be None."""
        if table is None:
            return None
        return cls(table["t"], {n: v for n, v in table.items() if n != "t"})

    def as_json(self) -> dict[str, float]:
        """The values and `t` in one table."""
        return {"t": self.t} | {name: round(v, 4) for name, v in self.values.items()}


@dataclass(frozen=True)
class Prediction:
    """Probabilities (5,) over `EMOTIONS` for the window that ends at `t`, LSL seconds.

    An emotion that the model does not know is NaN, always; the others sum to 1.

    fused: of all modalities present; None if there was none. smoothed: running average
        of `fused`. by_modality: of each modality alone, None where absent.
    present: modalities in the window. states: of each stream when it was cut.
    reasons: for a modality left out, why, in a few words.
    interpolated: electrodes computed from their neighbors.
    label: the decision after smoothing, None while there is none or it is left open;
        truth: of a replayed trial, else None.
    state: what the decision is; None if there is nothing to decide from. label_set: the
        emotions that are in at `coverage`; both None without thresholds for what is
        present, and `set_reason` says why. anew: smoothing began with this window.
    age_s: time it was put out minus `t`. infer_s: preparing and models together.
    hop_s: seconds since the window before. demo: the model knows synthetic people only.
    behind: windows take longer than the hop asked for, which is stretched to that.
    backend: what computed the model. fusion: how the fused answer was made, "ambt",
        "mean" or "calibrated". quality: of each stream that was judged. adapting: while
        the model adapts to the person, how far it was (`Recognition`).
    dimensions: by modality, what a model beside this one estimated last, of this or an
        earlier window; None where absent. Nothing is computed from it.
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
    behind: bool = False
    backend: str = ""
    fusion: str = ""
    reasons: dict[str, str] = field(default_factory=dict)
    quality: dict[str, Quality] = field(default_factory=dict)
    state: State | None = None
    label_set: tuple[str, ...] | None = None
    coverage: float | None = None
    anew: bool = False
    adapting: dict[str, Any] | None = None
    set_reason: str | None = None
    dimensions: Mapping[str, Reading | None] = field(default_factory=dict)

    def stacked(self, answers: Sequence[str]) -> np.ndarray:
        """Probabilities (5 n,) float64 of n answers; NaN where absent or not known.

        answers: of "fused", "smoothed" and the modalities.
        """
        known = {"fused": self.fused, "smoothed": self.smoothed, **self.by_modality}
        absent = np.full(N_EMOTIONS, np.nan)
        there = (known.get(answer) for answer in answers)
        return np.concatenate([absent if p is None else p for p in there])

    def dimensions_json(self) -> dict[str, dict[str, float] | None]:
        """Dimensions by modality, as JSON and recordings do."""
        return {
            m: None if one is None else one.as_json()
            for m, one in self.dimensions.items()
        }

    def as_json(self) -> dict[str, object]:
        """The object `eav-live --json` writes, one a line."""
        return {
            "t": self.t,
            "fused": named(self.fused),
            **{m: named(self.by_modality.get(m)) for m in MODALITIES},
            "smoothed": named(self.smoothed),
            "present": list(self.present),
            "states": {name: str(state) for name, state in self.states.items()},
            "interpolated": list(self.interpolated),
            "label": self.label,
            **sureness_json(self),
            "truth": self.truth,
            "age_s": round(self.age_s, 4),
            "infer_s": round(self.infer_s, 4),
            "hop_s": round(self.hop_s, 4),
            "demo": self.demo,
            "behind": self.behind,
            "backend": self.backend,
            "fusion": self.fusion,
            "adapting": self.adapting,
            "dimensions": self.dimensions_json(),
            "reasons": dict(self.reasons),
            "quality": {
                name: {
                    "good": quality.good,
                    "electrodes": dict(quality.electrodes),
                    **{k: round(v, 3) for k, v in quality.measures.items()},
                }
                for name, quality in self.quality.items()
            },
        }


def sureness_json(said: Prediction | Decision | None) -> dict[str, object]:
    """State, set and coverage or why there is none, as JSON and recordings do."""
    state = None if said is None or said.state is None else str(said.state)
    inside = None if said is None or said.label_set is None else list(said.label_set)
    coverage = None if said is None else said.coverage
    reason = None if said is None else said.set_reason
    return {"state": state, "set": inside, "coverage": coverage, "set_reason": reason}


def named(probabilities: np.ndarray | None) -> dict[str, float | None] | None:
    """Probabilities (5,) by emotion, for JSON; None for what is not known (NaN)."""
    if probabilities is None:
        return None
    return {
        emotion: None if np.isnan(p) else round(float(p), 6)
        for emotion, p in zip(EMOTIONS, probabilities, strict=True)
    }
