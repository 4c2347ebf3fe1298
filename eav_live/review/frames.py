"""The kept frames of a recording: any one of them, without reading those before.

Each lies in its file at a time that follows from the recorded stamps, so that no index
of the file is needed. Those that were recorded are each decoded for itself; those of
another's clips need the ones before them.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import av
import numpy as np

from eav_live.review.samples import Span, joined
from eav_offline.core.window import FaceFrame
from eav_offline.data.media import rgb
from eav_offline.data.sessions.session import FRAME_COLUMNS, FRAMES_NAME, Opening

log = logging.getLogger(__name__)

SHOWN_SECONDS = 1.0  # a frame stands until the next one, but no longer than that
_AHEAD = 1000  # ms: so little is rather decoded than jumped over
_ROUNDING = 0.6  # ms, of the time of a frame in a clip
FindFace = Callable[[np.ndarray, float], FaceFrame]
_COLUMN = {name: i for i, name in enumerate(FRAME_COLUMNS)}


class FrameTrack:
    """The frames of a recording. Close it, or use it in a `with` statement."""

    def __init__(
        self,
        openings: Sequence[Opening],
        clip: Callable[[Opening], Path],
        find: FindFace | None = None,
    ) -> None:
        """clip: the file of an opening's frames. find: finds the face in the frame of
        a moment, seconds, if none were recorded.
        """
        openings = [o for o in openings if _is_ours(o)]
        self._find = find
        self._files: dict[Path, _FrameFile] = {}
        parts = []
        for opening in openings:
            path = clip(opening)
            if path not in self._files:
                self._files[path] = _FrameFile(path, opening.stream.stamps)
            parts.append([path] * len(opening.stamps))
        self._paths = [path for part in parts for path in part]
        rows = [opening.values for opening in openings]
        self._rows = np.concatenate([np.zeros((0, len(FRAME_COLUMNS))), *rows])
        self._times = np.concatenate([np.zeros(0), *(o.stamps for o in openings)])
        self._order = np.argsort(self._times, kind="stable")
        self._shown: tuple[int, FaceFrame | None] = (-1, None)

    @property
    def empty(self) -> bool:
        """Whether no frame was recorded."""
        return not len(self._times)

    def at(self, t: float) -> FaceFrame | None:
        """The newest frame at the moment `t`, seconds; None where there is none.

        Its box is the one recorded with it, of an earlier frame while no face is found.
        """
        place = int(np.searchsorted(self._times[self._order], t, side="right")) - 1
        if place < 0:
            return None
        row = int(self._order[place])
        if t - self._times[row] > SHOWN_SECONDS:
            return None
        if self._shown[0] != row:
            self._shown = (row, self._read(row))
        return self._shown[1]

    def spans(self) -> list[Span]:
        """When there are frames, none of them longer than a second from the next."""
        times = self._times[self._order]
        if not len(times):
            return []
        breaks = np.diff(times) > SHOWN_SECONDS
        begins = self._rows[self._order, _COLUMN["begins"]][1:] > 0
        edges = np.flatnonzero(breaks | begins) + 1
        bounds = [0, *edges.tolist(), len(times)]
        return joined(
            [
                (float(times[start]), float(times[stop - 1]))
                for start, stop in zip(bounds[:-1], bounds[1:], strict=True)
            ]
        )

    def close(self) -> None:
        """Let go of the files. May be called twice."""
        for file in self._files.values():
            file.close()

    def _read(self, row: int) -> FaceFrame | None:
        said = self._rows[row]
        image = self._files[self._paths[row]].read(int(said[_COLUMN["frame"]]))
        if image is None:
            return None
        if self._find is not None:
            return self._find(image, float(self._times[row]))
        box = said[_COLUMN["x1"] : _COLUMN["y2"] + 1].astype(np.float32)
        found = bool(said[_COLUMN["found"]])
        return FaceFrame(float(self._times[row]), image, box, found)


class _FrameFile:
    """One file of frames, opened when the first frame of it is asked for."""

    def __init__(self, path: Path, stamps: np.ndarray) -> None:
        """stamps: (n,) seconds, of all its frames in order."""
        self._path = path
        self._ms = _milliseconds(stamps)
        self._container: av.container.InputContainer | None = None
        self._coming: Iterator[av.VideoFrame] = iter(())
        self._last = -1  # index of the frame that was decoded last
        self._broken = False

    def read(self, index: int) -> np.ndarray | None:
        """The frame (height, width, 3) uint8 RGB; None if the file has it no more."""
        if self._broken or not 0 <= index < len(self._ms):
            return None
        try:
            return self._decode(index)
        except (av.FFmpegError, OSError, ValueError, StopIteration) as error:
            log.warning("%s: frame %d cannot be read: %s", self._path, index, error)
            self.close()
            self._broken = not self._path.exists()
            return None

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        if self._container is not None:
            self._container.close()
        self._container, self._last = None, -1

    def _decode(self, index: int) -> np.ndarray:
        if self._container is None:
            self._container = av.open(str(self._path))
            self._coming = self._container.decode(video=0)
        stream = self._container.streams.video[0]
        unit, start = 1000 * float(stream.time_base or 1), stream.start_time or 0
        wanted = int(self._ms[index])
        on = self._last >= 0 and 0 < wanted - self._ms[self._last] <= _AHEAD
        if not on:
            self._container.seek(start + round(wanted / unit), stream=stream)
            self._coming = self._container.decode(stream)
        frame = next(self._coming)
        while frame.pts is None or (frame.pts - start) * unit < wanted - _ROUNDING:
            frame = next(self._coming)
        self._last = index
        return rgb(frame)


def _is_ours(opening: Opening) -> bool:
    columns = opening.values.shape[1:] == (len(FRAME_COLUMNS),)
    return opening.stream.name == FRAMES_NAME and columns


def _milliseconds(stamps: np.ndarray) -> np.ndarray:
    """Where the frames of a file are in it: see `FrameFile` of the recorder."""
    if not len(stamps):
        return np.zeros(0, dtype=np.int64)
    pts = np.round(1000 * (stamps - stamps[0])).astype(np.int64)
    # Never before the one that came earlier, whatever the clock did.
    counted = np.arange(len(pts))
    return np.maximum.accumulate(pts - counted) + counted
