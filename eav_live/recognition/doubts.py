"""Which of three modalities contradicts the two others, and has done so for a while.

A stream may look alive and be wrong: another face, a television, electrodes under each
other's names. What it says has then nothing to do with what the others say.
"""

from collections.abc import Mapping

import numpy as np

from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.core.window import WINDOW_SECONDS

CONTRADICTS = "contradicts the two others"
# Chosen on synthetic people; docs/new-person.md has what it is worth.
_ANYTHING = 0.05  # share of a modality's answer that means nothing even if it is right
_CHANGES_SECONDS = 60.0  # on average, until a stream goes wrong, or is right again


class Doubts:
    """Follows the answers of a session, by what four explanations of them are worth.

    Either all modalities speak of one emotion, or one of them of nothing that the two
    others speak of. Which holds now changes seldom (a hidden Markov chain). Each window
    weighs by how much of it is new. Of two modalities nobody can tell which is wrong.
    """

    def __init__(self) -> None:
        self._chances = np.eye(1 + len(MODALITIES))[0]  # all are right; one is wrong
        self._t: float | None = None

    @property
    def modality(self) -> str | None:
        """The one that is more likely wrong than not; None without any."""
        wrong = self._chances[1:]
        return MODALITIES[int(wrong.argmax())] if wrong.max() > 0.5 else None

    def update(
        self,
        alone: Mapping[str, np.ndarray | None],
        t: float,
        temperatures: Mapping[str, float],
    ) -> None:
        """Take in what each modality says, (5,), of the window that ends at `t`.

        temperatures: by modality, what calibrates its logits; 1 for those without.
        """
        since = WINDOW_SECONDS if self._t is None else max(0.0, t - self._t)
        self._t = t
        change = -np.expm1(-since / _CHANGES_SECONDS)
        right, wrong = self._chances[0], self._chances[1:].sum()
        self._chances *= 1 - change
        self._chances[0] += change * wrong
        self._chances[1:] += change * right / len(MODALITIES)
        said = {
            m: _softened(p, temperatures.get(m, 1.0))
            for m in MODALITIES
            if (p := alone.get(m)) is not None
        }
        if len(said) < len(MODALITIES):
            return
        likely = [_agreement(list(said.values()))]
        likely += [_agreement([p for n, p in said.items() if n != m]) for m in said]
        new = min(1.0, since / WINDOW_SECONDS)
        self._chances *= np.array(likely) ** new
        self._chances /= self._chances.sum()


def _softened(chances: np.ndarray, temperature: float) -> np.ndarray:
    """Calibrated, with what is not known (NaN) as unlikely as what is ruled out."""
    calibrated = np.nan_to_num(chances) ** (1 / temperature)
    calibrated /= calibrated.sum()
    return (1 - _ANYTHING) * calibrated + _ANYTHING / N_EMOTIONS


def _agreement(answers: list[np.ndarray]) -> float:
    """How much likelier answers are of one emotion than of one each."""
    return float(np.prod(N_EMOTIONS * np.stack(answers), axis=0).mean())
