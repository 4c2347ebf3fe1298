"""Do the electrodes sit where their names say?

What neighbors on a head record is alike, whatever the reference: a cap whose plugs or
labels are mixed up shows no such order, nor does a signal that is no EEG. The rank
correlation of distance and likeness is that of Mantel's test (1967).
"""

from collections import deque
from collections.abc import Collection

import numpy as np

from eav_offline.core.electrodes import PLACES
from eav_offline.core.window import EEG_CHANNELS

STRETCHES = 5  # of four seconds, by which it is told
_FORGOTTEN_SECONDS = 60.0
_LEAST_ELECTRODES = 12
# docs/new-person.md, "Whose electrodes": right ones lie below, mixed ones above.
_MIXED, _RIGHT = -0.38, -0.42


class ElectrodeMap:
    """Follows whether likeness falls with distance, by stretches that do not overlap.

    mixed: whether it does not; False until twenty seconds were seen. order: the rank
    correlation, -1 to 1, None until then.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[float, np.ndarray]] = deque(maxlen=STRETCHES)
        self.mixed = False
        self.order: float | None = None

    def look(
        self, alike: np.ndarray, now: float, seconds: float, unfit: Collection[str]
    ) -> bool:
        """Take in a stretch that ends at `now`; returns `mixed`.

        alike: (30, 30) sums of products. seconds: its length. unfit: electrodes that
        are bad now, or computed from others.
        """
        if self._seen and abs(now - self._seen[-1][0]) < seconds:
            return self.mixed
        recent = [x for x in self._seen if abs(now - x[0]) < _FORGOTTEN_SECONDS]
        used = np.array([name not in unfit for name in EEG_CHANNELS])
        recent.append((now, _correlation(alike, used)))
        self._seen = deque(recent, maxlen=STRETCHES)
        if len(self._seen) < STRETCHES or used.sum() < _LEAST_ELECTRODES:
            self.mixed, self.order = False, None
            return False
        seen = np.stack([x for _, x in self._seen])[:, used][:, :, used]
        self.order = _order(np.nanmean(seen, axis=0), PLACES[used])
        self.mixed = self.order > (_RIGHT if self.mixed else _MIXED)
        return self.mixed


def _correlation(products: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Of all to the mean of those that are `used`, so that the reference is no matter.

    products: (30, 30). used: (30,) bool. NaN in the rows and columns of others.
    """
    centering = np.eye(len(used)) - used / used.sum()
    products = centering @ products @ centering.T
    size = np.sqrt(np.maximum(products.diagonal(), 1e-12))
    size[~used] = np.nan
    return products / np.outer(size, size)


def _order(alike: np.ndarray, places: np.ndarray) -> float:
    """Spearman's correlation, over pairs, of likeness and distance."""
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    pairs = np.triu_indices(len(places), 1)
    ranks = [x[pairs].argsort().argsort() for x in (alike, apart)]
    return float(np.corrcoef(ranks)[0, 1])
