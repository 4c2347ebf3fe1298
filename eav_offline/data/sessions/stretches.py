"""Samples without a gap: stamps smoothed, and parted, as a live session does."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from eav_offline.common.errors import InputRefused
from eav_offline.core.stamps import StampSmoother
from eav_offline.data.sessions.session import Opening

_MOST_SECONDS = 86_400.0  # of a gap: a day of zeros, 30 electrodes at 500 Hz, is 10 GB


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


def on_one_grid(
    stretches: Sequence[Stretch], what: str
) -> tuple[np.ndarray, list[int]]:
    """One or more stretches in order as evenly spaced samples, zeros in the gaps.

    what: the beginning of a message. Returns values (n, channels) float64 and the
    sample at which each stretch begins. Raises InputRefused if their rates differ or a
    gap is longer than a day.
    """
    rates = sorted({stretch.rate for stretch in stretches})
    if len(rates) > 1:
        raise InputRefused(
            f"{what} changed its rate ({', '.join(f'{r:g}' for r in rates)} Hz), and "
            "here there is only one; arrays() gives the samples with their times"
        )
    begins = [0]
    for before, after in pairwise(stretches):
        gap = float(after.times[0] - before.times[-1]) - 1 / before.rate
        if gap > _MOST_SECONDS:
            raise InputRefused(
                f"{what} pauses for {gap / 3600:.0f} hours, which is more than can be "
                "filled; arrays() gives the samples with their times"
            )
        # A clock that was set back leaves no room between: they follow each other.
        begins.append(begins[-1] + len(before.times) + max(0, round(gap * before.rate)))
    last = stretches[-1]
    values = np.zeros((begins[-1] + len(last.times), last.values.shape[1]))
    for begin, stretch in zip(begins, stretches, strict=True):
        values[begin : begin + len(stretch.times)] = stretch.values
    return values, begins
