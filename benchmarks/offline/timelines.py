"""Voices that go on: emotions in a row, windows that slide over them, and decisions.

Beside the program's exponential smoothing stands a hidden Markov model whose states are
the emotions: it stays in one for the mean time that others did, learned from them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.offline.voices import KNOWS, Utterances
from eav_offline.core.labels import EMOTIONS, N_EMOTIONS
from eav_offline.core.sureness import Decider, State, Sureness, Thresholds, label_sets
from eav_offline.core.window import AUDIO_RATE, AUDIO_SAMPLES, WINDOW_SECONDS
from eav_offline.models.baselines.features import speech_statistics
from eav_offline.preprocess.audio import log_mel

_LIVE_SECONDS, _HOP = 60.0, 1.0
_MEAN_DWELL, _LEAST_DWELL = 12.0, 4.0  # seconds in an emotion, of live courses
_TRIALS, _TRIAL_SECONDS = 4, 20.0  # of cued ones: EAV's, cut into windows end to end
Answer = Callable[[np.ndarray], np.ndarray]  # features (n, 207) -> chances (n, 5)


@dataclass(frozen=True)
class Timeline:
    """One person's windows in order. t: ends, seconds; emotion: at the window's end.

    chances: (n, 5). part: (n,), another number where all begins anew.
    """

    person: int
    t: np.ndarray
    emotion: np.ndarray
    chances: np.ndarray
    part: np.ndarray

    @property
    def dwell(self) -> float:
        """Mean seconds for which an emotion stayed, counted in windows."""
        hop = float(np.diff(self.t).min())
        new = (np.diff(self.emotion) != 0) | (np.diff(self.part) != 0)
        return hop * len(self.t) / (1 + int(new.sum()))


def in_time(said: Utterances, person: int, answer: Answer) -> Timeline:
    """Emotions that change when they like, each second a window."""
    rng = np.random.default_rng([11, person])
    course: list[tuple[int, float]] = []
    seconds = 0.0
    while seconds < _LIVE_SECONDS:
        others = [e for e in range(len(KNOWS)) if not course or e != course[-1][0]]
        stay = _LEAST_DWELL + rng.exponential(_MEAN_DWELL - _LEAST_DWELL)
        course.append((int(rng.choice(others)), stay))
        seconds += stay
    sound = np.concatenate([_speech(said, person, e, s, rng) for e, s in course])
    ends = np.arange(WINDOW_SECONDS, _LIVE_SECONDS, _HOP)
    changes = np.cumsum([stay for _, stay in course])
    at = np.searchsorted(changes, ends, side="left")
    emotion = np.array([course[i][0] for i in at])
    chances = answer(_features(sound, ends))
    return Timeline(person, ends, emotion, chances, np.zeros(len(ends), int))


def cued(said: Utterances, person: int, answer: Answer) -> Timeline:
    """Trials of 20 s, a random order of emotions, cut into windows end to end."""
    rng = np.random.default_rng([12, person])
    order = rng.permutation(np.tile(np.arange(len(KNOWS)), _TRIALS // len(KNOWS)))
    sound = np.concatenate(
        [_speech(said, person, int(e), _TRIAL_SECONDS, rng) for e in order]
    )
    ends = np.arange(1, 1 + len(sound) // AUDIO_SAMPLES) * WINDOW_SECONDS
    trial = ((ends - WINDOW_SECONDS / 2) // _TRIAL_SECONDS).astype(int)
    chances = answer(_features(sound, ends))
    return Timeline(person, ends, order[trial], chances, trial)


def _speech(
    said: Utterances, person: int, emotion: int, seconds: float, rng: Any
) -> np.ndarray:
    """A person's clips of an emotion one after the other, with pauses."""
    rows = np.flatnonzero((said.person == person) & (said.emotion == emotion))
    n, parts = round(seconds * AUDIO_RATE), list[np.ndarray]()
    while sum(len(part) for part in parts) < n:
        parts.append(said.waves[int(rng.choice(rows))])
        parts.append(np.zeros(int(rng.uniform(0.2, 0.8) * AUDIO_RATE)))
    return np.concatenate(parts)[:n]


def _features(sound: np.ndarray, ends: np.ndarray) -> np.ndarray:
    stops = np.round(ends * AUDIO_RATE).astype(int)
    mels = [log_mel(sound[s - AUDIO_SAMPLES : s], AUDIO_RATE) for s in stops]
    return speech_statistics(np.stack(mels))


class StickyFilter:
    """The forward filter of a hidden Markov model that stays where it is.

    It leaves an emotion after `dwell` seconds on average, for any other alike. A window
    counts for what of it is new, hop / 5 s, or overlapping windows would be evidence
    several times over.
    """

    def __init__(self, dwell: float, hop: float) -> None:
        n = len(KNOWS)
        leaves = 1 - np.exp(-hop / dwell)
        self._moves = np.full((n, n), leaves / (n - 1))
        np.fill_diagonal(self._moves, 1 - leaves)
        self._weight = min(1.0, hop / WINDOW_SECONDS)

    def decided(self, chances: np.ndarray) -> np.ndarray:
        """Decisions (n,) by windows' probabilities (n, 5) up to each."""
        belief, said = np.full(len(KNOWS), 1 / len(KNOWS)), []
        for p in chances[:, : len(KNOWS)]:
            belief = (belief @ self._moves) * np.maximum(p, 1e-6) ** self._weight
            belief /= belief.sum()
            said.append(int(belief.argmax()))
        return np.array(said)


def followed(
    learned: Sequence[Timeline], told: Sequence[Timeline], least: float
) -> dict[str, float]:
    """Shares of right decisions on the people `told`; dwell is learned from others."""
    dwell = float(np.mean([one.dwell for one in learned]))
    rows = [_decided(one, dwell, least) for one in told]
    parts = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    decided = ~parts["undecided"]
    shares = {name: float(part.mean()) for name, part in parts.items()}
    shares["accuracy_decided"] = float(parts["exponential"][decided].mean())
    return shares | {"dwell_s": dwell}


def _decided(line: Timeline, dwell: float, least: float) -> dict[str, np.ndarray]:
    """What was right (n,) of a timeline, by each way."""
    n, hop = len(line.t), float(np.diff(line.t).min())
    parts = [line.chances[line.part == part] for part in np.unique(line.part)]
    hmm = np.concatenate([StickyFilter(dwell, hop).decided(part) for part in parts])
    audio = Thresholds(n=1, least={0.9: least})
    sureness = Sureness(source="other people", people=1, by_modalities={"audio": audio})
    decider, plain, before = Decider(sureness=sureness), Decider(), None
    smoothed, undecided = np.empty((n, N_EMOTIONS)), np.zeros(n, bool)
    said = np.empty(n, int)
    for i, (p, t, part) in enumerate(zip(line.chances, line.t, line.part, strict=True)):
        if part != before:
            decider.reset()
            plain.reset()
            before = part
        known = np.where(np.arange(N_EMOTIONS) < len(KNOWS), p, np.nan)
        one = decider.update(known, float(t), ("audio",))
        smoothed[i], undecided[i] = one.smoothed, one.state is State.UNDECIDED
        label = plain.update(known, float(t), ("audio",)).label
        said[i] = EMOTIONS.index(str(label))
    row = np.arange(n)
    raw = np.nanargmax(line.chances, 1)
    ways = {"raw": raw, "exponential": said, "hmm": hmm, "true": line.emotion}
    changes = {
        f"changes_{way}": _changes(one, line.part) * 60 / hop
        for way, one in ways.items()
    }
    return changes | {
        "raw": raw == line.emotion,
        "exponential": said == line.emotion,
        "hmm": hmm == line.emotion,
        "undecided": undecided,
        "coverage": label_sets(smoothed, least)[row, line.emotion],
        "coverage_raw": label_sets(line.chances, least)[row, line.emotion],
    }


def _changes(said: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Whether a decision is another than the one before, (n,) bool."""
    new = (np.diff(said) != 0) & (np.diff(part) == 0)
    return np.concatenate([[False], new])
