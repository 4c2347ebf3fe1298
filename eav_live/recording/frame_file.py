"""The kept frames of a session in a Matroska file: FFV1, every frame for itself."""

import logging
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from eav_live.recording.paths import frames_path
from eav_live.recording.xdf_writer import WholeFile
from eav_offline.core.window import FRAME_RATE

log = logging.getLogger(__name__)

# A cluster is written when the next begins: with every frame, however small it is.
_MUXER = {"flush_packets": "1", "cluster_time_limit": "1"}  # ms
_TIME_BASE = Fraction(1, 1000)  # Matroska's; exact stamps are in the XDF file


class FrameFile:
    """One new file of frames of one size, exactly as they were captured.

    A frame is on disk when the next one is added: Matroska writes a cluster whole,
    and a frame that needs no other begins one. Raises FileExistsError if there is a
    file of that name.
    """

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        """size: (width, height), pixels."""
        self.path = path
        self.n_frames = 0
        self.whole = True  # the newest frame waits for the next, or for the end
        self._file = WholeFile(path)
        self._container = av.open(
            self._file, "w", format="matroska", options=_MUXER, buffer_size=4096
        )
        stream = self._container.add_stream("ffv1", rate=FRAME_RATE)
        stream.width, stream.height = size
        # RGB with a byte of padding: without loss, unlike any YUV.
        stream.pix_fmt = "bgr0"
        stream.time_base = _TIME_BASE
        stream.codec_context.time_base = _TIME_BASE
        stream.codec_context.gop_size = 1
        stream.codec_context.options = {"level": "3", "slicecrc": "1"}
        self._stream = stream
        self._first = 0.0
        self._last = -1

    def add(self, image: np.ndarray, stamp: float) -> int:
        """Append a frame (height, width, 3) uint8 RGB; returns its index in the file.

        stamp: seconds; a clock that jumped back does not reorder the frames. Raises
        OSError if it cannot be written; the file takes no more frames then.
        """
        if self.n_frames == 0:
            self._first = stamp
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame = frame.reformat(format="bgr0")
        frame.pts = max(self._last + 1, round((stamp - self._first) / _TIME_BASE))
        frame.time_base = _TIME_BASE
        self._container.mux(self._stream.encode(frame))
        self._last = frame.pts
        self.n_frames += 1
        return self.n_frames - 1

    def close(self) -> None:
        """End the file. May be called twice; never raises."""
        if self._file.closed:
            return
        try:
            self._container.mux(self._stream.encode(None))
            self._container.close()
        except (OSError, av.FFmpegError) as error:
            self.whole = False
            log.error("%s is not ended properly: %s", self.path, error)
        finally:
            self._file.close()


class FrameFiles:
    """FILE.mkv, then FILE-2.mkv and so on: a file holds frames of one size.

    index: of the newest frame in its file, whose name is `name`. whole: no file's last
    frame was refused by the disk.
    """

    def __init__(self, recording: Path) -> None:
        """recording: FILE.xdf, beside which they lie."""
        self.index = -1
        self.whole = True
        self._recording = recording
        self._number = 0
        self._file: FrameFile | None = None
        self._size = (0, 0)
        self._cut: tuple[np.ndarray | None, int] = (None, -1)
        self._newest: np.ndarray | None = None

    @property
    def name(self) -> str:
        """Of the file that frames go to now; empty before the first."""
        return self._file.path.name if self._file is not None else ""

    def path(self, number: int) -> Path:
        """Where a file lies, counting from 1."""
        return frames_path(self._recording, number)

    def add(self, image: np.ndarray, stamp: float) -> None:
        """Append a frame (height, width, 3) uint8 RGB, captured at `stamp`, seconds.

        Raises OSError if it cannot be written; the next one begins another file.
        """
        size = (image.shape[1], image.shape[0])
        if self._file is None or self._size != size:
            self.close()
            number = self._number + 1
            while self.path(number).exists():
                number += 1
            self._file = FrameFile(self.path(number), size)
            self._size, self._number = size, number
        try:
            self.index = self._file.add(image, stamp)
            self._newest = image
        except OSError:
            self.close()
            raise

    def index_of(self, image: np.ndarray) -> int:
        """The index of the frame that a face was cut from; -1 if it is elsewhere.

        It is the newest frame or, while no face is found, the one it was last.
        """
        if image is self._newest:
            self._cut = (image, self.index)
        return self._cut[1] if self._cut[0] is image else -1

    def close(self) -> None:
        """End the file, if there is one; one without a frame leaves nothing behind."""
        file, self._file = self._file, None
        self._cut, self._newest = (None, -1), None
        if file is None:
            return
        file.close()
        self.whole &= file.whole or file.n_frames == 0
        if file.n_frames == 0:
            file.path.unlink(missing_ok=True)
            self._number -= 1
