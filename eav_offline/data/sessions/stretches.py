"""Samples without a gap: stamps smoothed, and parted, as a live session does."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from eav_offline.core.stamps import StampSmoother
from eav_offline.data.sessions.session import Opening


@dataclass(frozen=True)
class Stretch:
    """Samples without a gap: smoothed stamps (n,), rate, values (n, channels)."""

    times: np.ndarray
    rate: float
    values: np.ndarray

    def cut(self, begin: float, seconds: float, margin: float = 0.0) -> slice | None:
        """Which samples are [begin, begin + seconds); None unless all are there."""
        # By the stamps around, not by counting from the first: a device's clock drifts
        # by a tenth of a second in an hour.
        half = 0.5 / self.rate
        start = int(np.searchsorted(self.times, begin - half))
        stop = start + round(seconds * self.rate)
        late = start == 0 and self.times[0] > begin + half
        if late or stop > len(self.values):
            return None
        more = round(margin * self.rate)
        return slice(max(0, start - more), min(len(self.values), stop + more))


def stretches(opening: Opening) -> Iterator[Stretch]:
    """The stretches of one opening; none if it has no even rate or no samples."""
    rate = opening.stream.rate
    if rate <= 0 or not len(opening.stamps):
        return
    times, starts = StampSmoother(rate).smooth(opening.stamps)
    edges = sorted({0, *starts, len(times)})
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        yield Stretch(times[start:stop], rate, opening.values[start:stop])


def eeg_stretches(openings: Iterable[Opening]) -> list[Stretch]:
    """Those of the EEG, values (n, 30) float32 µV. Raises XdfError: see `montage`."""
    found = []
    for opening in openings:
        montage = opening.montage()
        for stretch in stretches(opening):
            eeg_uv = montage.apply(stretch.values)
            found.append(Stretch(stretch.times, stretch.rate, eeg_uv))
    return found
