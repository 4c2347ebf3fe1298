"""What a camera or a file shows, while somebody chooses: small pictures, no faces."""

import base64
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from eav_offline.common.errors import InputRefused
from eav_offline.common.opencv import cv2
from eav_offline.data.media import has_audio, iter_frames, rgb, video_info

WIDTH = 320  # pixels
FILE_SECONDS = 10.0  # that are shown of a file
_RETRY_SECONDS = 1.0
_GRABBED = 3  # frames of a camera for each that is shown, so that none grows old


class Preview:
    """option: "camera:INDEX" or "file:PATH". Opened by the first `picture`."""

    def __init__(
        self, option: str, open_device: Callable[..., Any] = cv2.VideoCapture
    ) -> None:
        self.option = option
        self._kind, _, self._rest = option.partition(":")
        self._open_device = open_device
        self._capture: Any = None
        self._frames: Iterator[tuple[float, Any]] | None = None
        self._begun = self._tried = -float("inf")
        self._over = False

    def picture(self) -> dict[str, Any] | None:
        """The next one as `video`, `jpeg` (base64) and `fault`; None while none is due.

        Waits for a camera as long as it takes.
        """
        if self._over or time.monotonic() - self._tried < _RETRY_SECONDS:
            return None
        try:
            image = self._of_camera() if self._kind == "camera" else self._of_file()
        except InputRefused as refusal:
            self.close()
            self._tried = time.monotonic()
            return {"video": self.option, "jpeg": "", "fault": str(refusal)}
        if image is None:
            return None
        height, width = image.shape[:2]
        small = cv2.resize(image, (WIDTH, max(1, round(WIDTH * height / width))))
        jpeg = base64.b64encode(cv2.imencode(".jpg", small)[1].tobytes()).decode()
        return {"video": self.option, "jpeg": jpeg, "fault": ""}

    def close(self) -> None:
        """Let go of the camera or the file."""
        capture, self._capture, self._frames = self._capture, None, None
        if capture is not None:
            capture.release()

    def _of_camera(self) -> np.ndarray:
        if self._capture is None:
            self._capture = self._open_device(int(self._rest))
        grabbed = all(self._capture.grab() for _ in range(_GRABBED))
        ok, image = self._capture.retrieve() if grabbed else (False, None)
        if not ok or image is None:
            raise InputRefused(
                f"camera {self._rest} gives no picture. Close other programs that use "
                "it, or allow this one to (on Linux: membership of the group video)."
            )
        return image

    def _of_file(self) -> np.ndarray | None:
        if self._frames is None:
            self._begun = time.monotonic()
            self._frames = iter_frames(Path(self._rest).expanduser())
        due = time.monotonic() - self._begun
        newest = None
        for offset, frame in self._frames:
            newest = frame
            if offset >= due:
                break
        else:
            self._over = True
        if due > FILE_SECONDS:
            self._over = True
        if self._over:
            self.close()  # what was shown last stays
        return None if newest is None else cv2.cvtColor(rgb(newest), cv2.COLOR_RGB2BGR)


def look_at_file(path: str) -> dict[str, Any]:
    """What a session can read of a file, as plain values.

    voice, face: why it cannot read that, and what to do; empty if it can. about: the
    picture's size and length.
    """
    told = {"file": path, "voice": "", "face": "", "about": ""}
    file = Path(path).expanduser()
    try:
        if not has_audio(file):
            told["voice"] = "this file has no sound; choose another"
    except InputRefused as refusal:
        return told | {"voice": str(refusal), "face": str(refusal)}
    try:
        info = video_info(file)
        told["about"] = f"{info.width}x{info.height}, {info.seconds:.0f} s"
    except InputRefused:
        told["face"] = "this file has no picture; choose another"
    return told
