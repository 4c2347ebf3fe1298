"""A recording's streams once more, fed into rings as the sources fed them."""

from collections.abc import Collection, Mapping
from functools import partial

import numpy as np

from eav_live.streams import audio as audio_source
from eav_live.streams import eeg as eeg_source
from eav_live.streams import frames as frame_source
from eav_live.streams.clock import feed
from eav_live.streams.frames import Tracker
from eav_live.windows.cut import Mend, Rings
from eav_live.windows.rings import FrameRing, SampleRing
from eav_offline.core.electrodes import MAX_MISSING, ChannelMap, mend_electrodes
from eav_offline.core.stamps import StampSmoother
from eav_offline.core.window import N_CHANNELS, FaceFrame
from eav_offline.data.sessions.session import Opening, SessionFile


class Again:
    """The streams of a recording, as far as they have been fed.

    tracker: finds the faces again; None takes those that were recorded.
    """

    def __init__(self, session: SessionFile, tracker: Tracker | None = None) -> None:
        self._eeg = _Samples(
            session.openings["eeg"], N_CHANNELS, eeg_source.RING_SECONDS
        )
        self._audio = _Samples(session.openings["audio"], 1, audio_source.RING_SECONDS)
        self._video = _Frames(session, tracker)
        max_bad = session.settings.get("max_missing")
        self._max_bad = max_bad if isinstance(max_bad, int) else MAX_MISSING

    def feed(self, counts: Mapping[str, int]) -> None:
        """Feed until so much of each modality has been fed in all."""
        self._eeg.feed(counts.get("eeg", 0))
        self._audio.feed(counts.get("audio", 0))
        self._video.feed(counts.get("video", 0))

    def rings(self, present: Collection[str]) -> Rings:
        """The rings of these modalities."""
        return Rings(
            self._eeg.ring if "eeg" in present else None,
            self._audio.ring if "audio" in present else None,
            self._video.ring if "video" in present else None,
        )

    @property
    def interpolated(self) -> tuple[str, ...]:
        """Electrodes that the amplifier lacked."""
        montage = self._eeg.montage
        return () if montage is None else montage.interpolated

    def mending(self, bad: Collection[str]) -> Mend:
        """Makes good electrodes of those that are bad or were not there."""
        return partial(_mend, tuple(bad), self._eeg, self._max_bad)


class _Samples:
    """Feeds recorded samples into a ring, as a source does."""

    def __init__(self, openings: list[Opening], width: int, seconds: float) -> None:
        self.ring: SampleRing | None = None
        self.montage: ChannelMap | None = None
        self._openings = list(openings)
        self._width = width
        self._seconds = seconds
        self._opening: Opening | None = None
        self._next = 0  # in the opening
        self._smoother: StampSmoother | None = None

    def feed(self, until: int) -> None:
        """Feed samples until `until` of the modality have been fed in all."""
        while True:
            if self._opening is None or self._next == len(self._opening.stamps):
                if not self._openings or self._openings[0].first >= until:
                    return
                self._begin(self._openings.pop(0))
            opening = self._opening
            assert opening is not None
            end = min(until - opening.first, len(opening.stamps))
            if end > self._next:
                self._store(opening, slice(self._next, end))
                self._next = end
            if end < len(opening.stamps) or not self._openings:
                return

    def _begin(self, opening: Opening) -> None:
        rate = opening.stream.rate
        self._opening, self._next = opening, 0
        self._smoother = StampSmoother(rate)
        if self.ring is None or self.ring.rate != rate:
            self.ring = SampleRing(rate, self._width, self._seconds)
        if self._width == N_CHANNELS:
            self.montage = opening.montage()

    def _store(self, opening: Opening, part: slice) -> None:
        assert self.ring is not None
        assert self._smoother is not None
        values = opening.values[part]
        if self.montage is not None:
            values = self.montage.apply(values)
        feed(self.ring, self._smoother, opening.stamps[part], values)


class _Frames:
    """Feeds recorded frames into a ring, as a source does."""

    def __init__(self, session: SessionFile, tracker: Tracker | None) -> None:
        self.ring: FrameRing | None = None
        self._coming = session.frames()
        self._waiting: tuple[Opening, int, np.ndarray] | None = None
        self._tracker = tracker
        self._faces: dict[int, np.ndarray] = {}  # what faces are still cut from

    def feed(self, until: int) -> None:
        """Feed frames until `until` of them have been fed in all."""
        while True:
            if self._waiting is None:
                self._waiting = next(self._coming, None)
            if self._waiting is None:
                return
            opening, row, image = self._waiting
            if opening.first + row >= until:
                return
            self._waiting = None
            if self.ring is None:
                self.ring = FrameRing(frame_source.RING_SECONDS)
            time = float(opening.stamps[row])
            begins = bool(opening.values[row, 6])
            face = (self._recorded if self._tracker is None else self._found)(
                opening.values[row], image, time, begins
            )
            self.ring.append(face, begins)

    def _found(
        self, row: np.ndarray, image: np.ndarray, time: float, begins: bool
    ) -> FaceFrame:
        assert self._tracker is not None
        if begins:
            self._tracker.reset()
        if np.isfinite(row[8:10]).all():
            self._tracker.choose(float(row[8]), float(row[9]))
        return self._tracker.update(image, time)

    def _recorded(
        self, row: np.ndarray, image: np.ndarray, time: float, begins: bool
    ) -> FaceFrame:
        index, cut_from = int(row[0]), int(row[7])
        if cut_from == index or begins:
            self._faces = {index: image}
        shown = self._faces.get(cut_from, image)
        return FaceFrame(time, shown, row[1:5].astype(np.float32), bool(row[5]))


def _mend(
    bad: tuple[str, ...], feeder: _Samples, max_bad: int, eeg_uv: np.ndarray
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    assert feeder.montage is not None
    missing = feeder.montage.interpolated
    return mend_electrodes(eeg_uv, bad, missing, max_bad)
