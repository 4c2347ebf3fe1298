"""Estimates on a line of time: which holds at a moment, and where two lines differ."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eav_live.recognition.predictions import Prediction, Reading, StreamState
from eav_live.review.samples import Span
from eav_offline.core.labels import EMOTIONS, MODALITIES, N_EMOTIONS
from eav_offline.core.sureness import State
from eav_offline.data.sessions.session import RecordedPrediction

_LEAST_HOLD = 2.0  # seconds; as long as the dashboard's timeline joins estimates
_UNDECIDED = -1


@dataclass(frozen=True)
class Trial:
    """From when to when a trial lasted, seconds, and its label, of `EMOTIONS`."""

    begin: float
    end: float
    emotion: str


class Lane:
    """Estimates in order of time. hop: seconds between them."""

    def __init__(self, estimates: Sequence[Prediction], hop: float) -> None:
        self.estimates = sorted(estimates, key=lambda one: one.t)
        self.times = np.array([one.t for one in self.estimates])
        self.hop = hop
        self.hold = max(_LEAST_HOLD, 3 * hop)

    def at(self, t: float) -> Prediction | None:
        """The newest estimate at the moment `t`; None if the last is long past."""
        i = int(np.searchsorted(self.times, t, side="right")) - 1
        if i < 0 or t - self.times[i] > self.hold:
            return None
        return self.estimates[i]

    def shares(self, edges: np.ndarray) -> np.ndarray:
        """Smoothed probabilities (n, 5), the mean between edges (n + 1,), seconds.

        Where no estimate ends between two edges, the one that holds; NaN without any.
        """
        n = len(edges) - 1
        values = np.full((len(self.estimates) + 1, N_EMOTIONS), np.nan)
        for i, one in enumerate(self.estimates):
            if one.fused is not None:
                values[i] = one.fused if one.smoothed is None else one.smoothed
        holding = self._holding((edges[:-1] + edges[1:]) / 2)
        shares = values[holding]
        within = np.searchsorted(edges, self.times, side="right") - 1
        there = (within >= 0) & (within < n) & ~np.isnan(values[:-1]).all(axis=1)
        count = np.bincount(within[there], minlength=n)[:n]
        for k in range(N_EMOTIONS):
            weights = values[:-1][there, k]
            total = np.bincount(within[there], weights, minlength=n)[:n]
            shares[count > 0, k] = total[count > 0] / count[count > 0]
        return shares

    def decisions(self, edges: np.ndarray) -> np.ndarray:
        """Index (n,) of the emotion decided for between edges (n + 1,); -1 for none."""
        return self._named(edges, [one.label for one in self.estimates])

    def truths(self, edges: np.ndarray) -> np.ndarray:
        """As `decisions`: what the replayed trial was labeled."""
        return self._named(edges, [one.truth for one in self.estimates])

    @property
    def has_truth(self) -> bool:
        """Whether any estimate is of a trial with a label."""
        return any(one.truth is not None for one in self.estimates)

    def _named(self, edges: np.ndarray, names: Sequence[str | None]) -> np.ndarray:
        numbers = [EMOTIONS.index(n) if n in EMOTIONS else _UNDECIDED for n in names]
        middles = (edges[:-1] + edges[1:]) / 2
        return np.array([*numbers, _UNDECIDED])[self._holding(middles)]

    def _holding(self, t: np.ndarray) -> np.ndarray:
        """Index (n,) of the estimate that holds at each moment; -1 for none."""
        if not len(self.times):
            return np.full(len(t), -1)
        i = np.searchsorted(self.times, t, side="right") - 1
        held = (i >= 0) & (t - self.times[np.maximum(i, 0)] <= self.hold)
        return np.where(held, i, -1)


def differences(
    lane: Lane, names: Sequence[str | None], other: Sequence[str | None]
) -> list[Span]:
    """When the decisions of a lane differ: from the window's end that shows it on.

    names, other: of each estimate of the lane, what is said; None says nothing.
    """
    spans: list[Span] = []
    apart = False
    for t, one, two in zip(lane.times.tolist(), names, other, strict=True):
        before, apart = apart, one is not None and two is not None and one != two
        if apart and before and t - spans[-1][1] <= lane.hold:
            spans[-1] = (spans[-1][0], t)
        elif apart:
            spans.append((t, t))
    return spans


def labels_between(trials: Sequence[Trial], edges: np.ndarray) -> np.ndarray:
    """Index (n,) of the label of the trial between edges (n + 1,); -1 without one."""
    found = np.full(len(edges) - 1, _UNDECIDED)
    middles = (edges[:-1] + edges[1:]) / 2
    for trial in trials:
        within = (middles >= trial.begin) & (middles < trial.end)
        found[within] = EMOTIONS.index(trial.emotion)
    return found


def as_prediction(past: RecordedPrediction, hop: float, demo: bool) -> Prediction:
    """A recorded estimate as the panels show a live one."""
    answers = past.probabilities
    return Prediction(
        t=past.t,
        fused=answers.get("fused"),
        smoothed=answers.get("smoothed"),
        by_modality={m: answers.get(m) for m in MODALITIES},
        present=past.present,
        states={m: _state(past.states.get(m)) for m in MODALITIES},
        label=past.label,
        truth=past.truth,
        age_s=past.age_s,
        infer_s=past.infer_s,
        hop_s=hop,
        interpolated=past.interpolated,
        demo=demo,
        backend=past.backend,
        fusion=past.fusion,
        reasons=dict(past.reasons),
        state=None if past.state is None else State(past.state),
        label_set=past.label_set,
        coverage=past.coverage,
        dimensions={m: Reading.of(one) for m, one in past.dimensions.items()},
    )


def _state(text: object) -> StreamState:
    try:
        return StreamState(str(text))
    except ValueError:
        return StreamState.OFF
