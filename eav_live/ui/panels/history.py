"""What was estimated in a session: all of it, ever coarser the longer it takes."""

import csv
from bisect import insort
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from eav_live.recognition.predictions import Prediction
from eav_offline.common.files import naming
from eav_offline.core.labels import EMOTIONS
from eav_offline.data.sessions.estimates import FIRST_COLUMNS

FINE_SECONDS = 180.0  # for so long every estimate is kept as it was
MAX_POINTS = 4000  # of those, 20 a second; a bound that holds whatever the hop
MAX_MARKS = 1000  # of all, so that a program may mark every stimulus
MAX_OLDER = 2000  # of all before them: two hours in steps of four seconds
_LEAST_STEP = 1.0  # seconds; older estimates within it become one point
_SMOOTHED = tuple(f"smoothed_{emotion}" for emotion in EMOTIONS)
COLUMNS = (*FIRST_COLUMNS, *_SMOOTHED, "from_t", "n_estimates", "model")


@dataclass(frozen=True)
class TimelinePoint:
    """One estimate, or several that became one.

    t, first: seconds, of the newest and of the oldest of them. values: (5,) their mean
    smoothed probabilities, None if no one had any. n: how many had some. person: code
    of whom they are, if it is known. The others are those of the newest.
    """

    t: float
    values: np.ndarray | None
    label: str | None
    truth: str | None
    first: float
    n: int
    present: tuple[str, ...] = ()
    interpolated: tuple[str, ...] = ()
    person: str | None = None

    def joined(self, later: "TimelinePoint") -> "TimelinePoint":
        """This and a later one as one."""
        values = later.values if self.values is None else self.values
        n = self.n + later.n
        if self.values is not None and later.values is not None:
            values = (self.n * self.values + later.n * later.values) / n
        return replace(later, values=values, first=self.first, n=n)


class History:
    """Every estimate of the last three minutes, and all before in steps.

    points: the last three minutes, oldest first. older: what was before them. step:
    seconds of an older point, doubled whenever there are too many. marks: times,
    seconds, and names, in order of time. person: code of whom the next estimates are,
    None while nobody has said so.
    """

    def __init__(self) -> None:
        self.points: deque[TimelinePoint] = deque()
        self.older: list[TimelinePoint] = []
        self.marks: list[tuple[float, str]] = []
        self.step = _LEAST_STEP
        self.person: str | None = None

    def __len__(self) -> int:
        return len(self.points) + len(self.older)

    @property
    def begin(self) -> float | None:
        """When the first estimate was made, seconds."""
        if not self:
            return None
        return (self.older or self.points)[0].first

    def add(self, prediction: Prediction) -> None:
        """Append a prediction, and join what is no longer new."""
        if self.points and prediction.t < self.points[-1].t:
            # Another clock, as after a restart of the sender.
            self.points.clear()
            self.older.clear()
            self.marks.clear()
            self.step = _LEAST_STEP
        self.points.append(one_point(prediction, self.person))
        oldest = prediction.t - FINE_SECONDS
        while self.points[0].t < oldest or len(self.points) > MAX_POINTS:
            self._take(self.points.popleft())
        if len(self.older) > MAX_OLDER:
            self._coarsen()

    def mark(self, t: float, text: str) -> None:
        """Note what was marked at `t`, seconds."""
        insort(self.marks, (t, text))
        del self.marks[:-MAX_MARKS]

    def between(self, first: float, last: float) -> list[TimelinePoint]:
        """The points in a span, seconds, with the nearest beyond each of its ends."""
        points = [*self.older, *self.points]
        times = np.array([point.t for point in points])
        low = max(0, int(np.searchsorted(times, first)) - 1)
        return points[low : int(np.searchsorted(times, last)) + 1]

    def _take(self, point: TimelinePoint) -> None:
        if self.older and self._same_step(self.older[-1], point):
            self.older[-1] = self.older[-1].joined(point)
        else:
            self.older.append(point)

    def _coarsen(self) -> None:
        self.step *= 2
        points, self.older = self.older, []
        for point in points:
            self._take(point)

    def _same_step(self, one: TimelinePoint, other: TimelinePoint) -> bool:
        same = one.first // self.step == other.t // self.step
        return same and one.person == other.person


def runs(points: Iterable[TimelinePoint], gap: float) -> list[list[TimelinePoint]]:
    """Runs of points with probabilities and without a break longer than `gap`."""
    found: list[list[TimelinePoint]] = []
    last: TimelinePoint | None = None
    for point in points:
        if point.values is not None:
            broken = last is None or last.values is None or point.first - last.t > gap
            if broken:
                found.append([])
            found[-1].append(point)
        last = point
    return found


def stretches(
    points: list[TimelinePoint], name: str, hop: float, gap: float
) -> list[tuple[float, float, str]]:
    """From when to when, seconds, a decision ("label") or a "truth" held.

    A point stands for the time since the one before, or for a `hop` after a `gap`.
    """
    found: list[tuple[float, float, str]] = []
    pairs = pairwise([None, *points])
    for before, point in pairs:
        said = getattr(point, name)
        if point is None or said is None:
            continue
        joined = before is not None and point.first - before.t <= gap
        start = before.t if joined and before else point.first - hop
        if joined and found and found[-1][1] == start and found[-1][2] == said:
            found[-1] = (found[-1][0], point.t, said)
        else:
            found.append((start, point.t, said))
    return found


def write_csv(
    points: Sequence[TimelinePoint], path: Path, model: str, person: str | None
) -> None:
    """Write a row for each point, oldest first.

    By the code of the person `eav-live forget` finds the file. Estimates from before
    anybody said who it is are taken for the first person's, or else for `person`'s.
    Overwrites nothing: raises FileExistsError. Raises OSError.
    """
    named = (point.person for point in points if point.person is not None)
    first = next(named, person)
    with naming(path), path.open("x", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        for point in points:
            person = point.person or first or ""
            table.writerow(_row(point) | {"person": person, "model": model})


def one_point(prediction: Prediction, person: str | None) -> TimelinePoint:
    """An estimate, of the person of this code, as a point of its own."""
    values = prediction.smoothed if prediction.fused is not None else None
    return TimelinePoint(
        t=prediction.t,
        values=values,
        label=prediction.label,
        truth=prediction.truth,
        first=prediction.t,
        n=0 if values is None else 1,
        present=prediction.present,
        interpolated=prediction.interpolated,
        person=person,
    )


def _row(point: TimelinePoint) -> dict[str, object]:
    values = np.full(len(EMOTIONS), np.nan) if point.values is None else point.values
    shares = ["" if np.isnan(v) else round(float(v), 6) for v in values]
    return {
        "t": point.t,
        "label": point.label or "",
        "truth": point.truth or "",
        "present": "+".join(point.present),
        "interpolated": "+".join(point.interpolated),
        **dict(zip(_SMOOTHED, shares, strict=True)),
        "from_t": point.first,
        "n_estimates": point.n,
    }
