"""The panel of a recording's whole length: what is on its timeline, and which part."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from eav_live.review.estimates import Lane
from eav_live.review.reader import SessionReader
from eav_live.review.samples import Span
from eav_live.ui import theme
from eav_live.ui.panels.card import Card
from eav_live.ui.panels.history import one_point
from eav_live.ui.panels.session_timeline import Overview, SessionTimeline, Strip, Track
from eav_live.ui.panels.timeline import save_timeline
from eav_live.ui.panels.timeline_rows import Flags, Legend
from eav_live.ui.words import stream_name, tr
from eav_offline.core.labels import MODALITIES

if TYPE_CHECKING:
    from eav_live.review.anew import AnewResult

LEAST_SECONDS = 10.0  # shown at once
_LEVEL_SECONDS = {"eeg": 0.5, "audio": 0.1}  # between two levels of a stream
_AHEAD = 0.1  # of what is shown, where it begins anew


class RecordingView(Card):
    """The timeline and the part of the recording that is on it."""

    def __init__(self, reader: SessionReader) -> None:
        super().__init__(tr("Recording"))
        self.timeline = SessionTimeline()
        self.timeline.begin = self.timeline.moment = reader.begin
        self.timeline.turned.connect(self.zoom)
        self.timeline.resized.connect(self.show_overview)
        self.set_body(self.timeline)
        self._legend = Legend()
        self.header.addWidget(self._legend)
        self._reader = reader
        self._view = (reader.begin, max(reader.end, reader.begin + 1.0))
        self._anew: Lane | None = None
        self._apart: Sequence[Span] = ()
        self._shown, self._model = reader.recorded, reader.model_name
        nothing = (np.zeros(0), np.zeros(0))
        self._levels = {
            "eeg": reader.eeg.levels(_LEVEL_SECONDS["eeg"]),
            "audio": reader.sound.levels(_LEVEL_SECONDS["audio"]),
            "video": nothing,
        }

    def show_anew(self, result: "AnewResult", foremost: bool) -> None:
        """Show estimates made anew and where they part from those recorded.

        foremost: the probabilities are theirs too.
        """
        self._anew, self._apart = result.lane, result.apart
        self._shown = result.lane if foremost else self._reader.recorded
        self._model = result.model if foremost else self._reader.model_name
        self.show_overview()

    def export(self) -> None:
        """Save the estimates that are shown as a table and the timeline as a picture.

        They lie beside the recording.
        """
        reader = self._reader
        person = reader.session.person
        points = [one_point(one, person) for one in self._shown.estimates]
        save_timeline(self, points, reader.path.parent, self._model, person)

    def show_overview(self) -> None:
        """Paint everything anew."""
        edges = np.linspace(*self._view, self.timeline.n_columns + 1)
        self.timeline.show_overview(
            Overview(
                edges=edges,
                shares=self._shown.shares(edges),
                strips=self._strips(edges),
                apart=self._apart,
                tracks=self._tracks(),
                flags=self._flags(),
            )
        )

    def go_to(self, t: float) -> None:
        """Put the cursor at the moment `t`, seconds, and scroll to where it is."""
        first, last = self._view
        if not first <= t <= last:
            self._look_at(t - _AHEAD * (last - first), last - first)
        self.timeline.set_moment(t)

    def zoom(self, steps: int) -> None:
        """Show half as much (+1) or twice as much (-1); the cursor stays in place."""
        first, last = self._view
        whole = max(self._reader.seconds, 1.0)
        seconds = (last - first) * 0.5**steps
        seconds = min(max(seconds, min(LEAST_SECONDS, whole)), whole)
        t = self.timeline.moment
        share = min(max((t - first) / (last - first), 0.0), 1.0)
        self._look_at(t - share * seconds, seconds)

    def set_scale(self, scale: float) -> None:
        super().set_scale(scale)
        self._legend.set_scale(scale)

    def restyle(self) -> None:
        self._legend.restyle()
        self.show_overview()
        super().restyle()

    def _look_at(self, first: float, seconds: float) -> None:
        latest = max(self._reader.begin, self._reader.end - seconds)
        first = min(max(first, self._reader.begin), latest)
        self._view = (first, first + seconds)
        self.show_overview()

    def _strips(self, edges: np.ndarray) -> list[Strip]:
        recorded = self._reader.recorded
        strips = []
        if recorded.estimates or self._anew is None:
            strips.append(Strip(tr("decision"), recorded.decisions(edges)))
        if self._anew is not None:
            strips.append(Strip(tr("anew"), self._anew.decisions(edges)))
        if self._reader.has_truth:
            strips.append(Strip(tr("truth"), self._reader.truths(edges)))
        return strips

    def _tracks(self) -> list[Track]:
        spans = self._reader.spans
        there = [m for m in MODALITIES if spans[m]]
        lost: dict[str, list[Span]] = {m: [] for m in there}
        for loss in self._reader.losses:
            lost[loss.modality].append((loss.first, loss.last))
        return [
            Track(stream_name(m), spans[m], lost[m], *self._levels[m]) for m in there
        ]

    def _flags(self) -> list[Flags]:
        marks = [(mark.t, mark.text) for mark in self._reader.marks]
        noted = [(one.t, one.text) for one in self._reader.annotations]
        return [
            Flags(tr("markers"), theme.AMBER, marks),
            Flags(tr("notes"), theme.GOOD, noted),
        ]
