"""Whose voice is it? How far a stretch of speech is from what is known of a speaker.

Both are means of `speech_statistics`. Along the axes of `Speakers` a speaker's windows
are spread alike, whatever they say and feel, and people differ by what was found among
others: the two-covariance form of probabilistic linear discriminant analysis (Ioffe
2006). docs/new-person.md has what it is worth.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from eav_offline.models.baselines.features import N_SPEECH_FEATURES
from eav_offline.models.personal import OwnVoice

STRETCH = 3  # windows that do not overlap, of which the mean is judged: 15 s
# Windows of one person resemble each other: so many independent ones are those known
# of a speaker worth, and those of a stretch. They and the floor were chosen on EmoDB
# and on RAVDESS's actors 1 to 6.
_WORTH_KNOWN, _WORTH_HEARD = 8.0, 1.5
_LEAST_BETWEEN = 0.3  # few people were there to learn in what speakers differ


@dataclass(frozen=True)
class Known:
    """A speaker, and how strange their own stretches may be. mean: (n,)."""

    speakers: "Speakers"
    mean: np.ndarray
    most: float

    def strange(self, heard: np.ndarray) -> np.ndarray:
        """Whether stretches, means (..., n) of `STRETCH` windows, are hardly theirs."""
        return self.speakers.strangeness(self.mean, heard) > self.most


@dataclass(frozen=True)
class Speakers:
    """How voices differ within a speaker and between speakers.

    mean: (n,) over speakers. axes: (n, n), bring deviations from it where a speaker's
    windows have the covariance 1. between: (n,) variances of speakers' means there.
    most: the strangeness of a speaker's own stretches that 2 % of them exceed.
    """

    mean: np.ndarray
    axes: np.ndarray
    between: np.ndarray
    most: float = float("inf")

    @classmethod
    def fitted(cls, features: np.ndarray, person: np.ndarray) -> "Speakers":
        """By windows (m, n) of several people and days; person: (m,)."""
        from sklearn.covariance import LedoitWolf

        x, people = features.astype(np.float64), np.unique(person)
        means = np.stack([x[person == one].mean(0) for one in people])
        rest = x - means[np.searchsorted(people, person)]
        within = LedoitWolf(assume_centered=True).fit(rest).covariance_
        whitening = np.linalg.cholesky(np.linalg.inv(within))
        center = means.mean(0)
        values, vectors = np.linalg.eigh(
            np.cov((means - center) @ whitening, rowvar=False)
        )
        return cls(center, whitening @ vectors, np.maximum(values, 0.0))

    def strangeness(self, known: np.ndarray, heard: np.ndarray) -> np.ndarray:
        """Twice the evidence that stretches are another speaker's, in nats: (...).

        known: (n,) mean of some twenty windows of a speaker. heard: (..., n) means of
        `STRETCH` windows. 0 where either is as likely.
        """
        between = self.between + _LEAST_BETWEEN
        theirs, there = (known - self.mean) @ self.axes, (heard - self.mean) @ self.axes
        expected = between / (between + 1 / _WORTH_KNOWN) * theirs
        if_same = between / (between * _WORTH_KNOWN + 1) + 1 / _WORTH_HEARD
        if_other = between + 1 / _WORTH_HEARD
        same = np.square(there - expected) / if_same + np.log(if_same)
        other = np.square(there) / if_other + np.log(if_other)
        return np.asarray((same - other).sum(-1))

    def knowing(self, voice: OwnVoice) -> "Known":
        """One speaker, by windows of one day or more.

        Whose voice in one mood is stranger than others' own stretches are, as a noisy
        microphone makes it, may be so strange from then on.
        """
        x, most = voice.features.astype(np.float64), self.most
        moods = np.stack([voice.day, voice.emotion], axis=1)
        for mood in np.unique(moods, axis=0):
            alike = np.flatnonzero((moods == mood).all(axis=1))
            for i in range(0, len(alike) - STRETCH + 1, STRETCH):
                mine = alike[i : i + STRETCH]
                others = np.delete(x, mine, axis=0)
                if len(others):
                    heard = x[mine].mean(0)
                    found = self.strangeness(others.mean(0), heard)
                    most = max(most, float(found))
        return Known(self, np.asarray(x.mean(0)), most)

    def save(self, path: Path) -> None:
        """Write what `load` reads."""
        arrays = {
            "mean": self.mean,
            "axes": self.axes,
            "between": self.between,
            "most": np.array(self.most),
        }
        save_file({n: x.astype(np.float32) for n, x in arrays.items()}, path)

    @classmethod
    def load(cls, path: Path) -> "Speakers":
        """What `save` wrote."""
        arrays = {n: x.astype(np.float64) for n, x in load_file(path).items()}
        assert arrays["mean"].shape == (N_SPEECH_FEATURES,)
        most = float(arrays.pop("most"))
        return cls(**arrays, most=most)
