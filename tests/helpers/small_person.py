"""A synthetic person filmed small, for tests: drawn in a quarter of the time.

EEG and sound are what `write_subjects` writes. Clips have a quarter of the pixels, and
ten poses a second, each shown three times: rate, length and faces are as ever.
"""

import io
from pathlib import Path
from unittest.mock import patch

import av
import numpy as np

from eav_offline.common.files import write_atomically
from eav_offline.common.opencv import cv2
from eav_offline.data.synthetic import people, video

SIZE = (320, 240)
SHOWN = 3  # times each picture


def write_small_subject(root: Path, n_trials: int, seed: int) -> Path:
    """`write_subjects` with small clips; returns the folder of subject 1."""
    with patch.object(people, "write_clip", _write_small_clip):
        people.write_subjects(root, 1, n_trials=n_trials, seed=seed, jobs=1)
    return root / "subject1"


def _write_small_clip(
    path: Path,
    seed: int,
    subject: int,
    trial: int,
    expressed: np.ndarray,
    speaking: bool,
    cue: np.ndarray = video.NO_CUE,
    strangeness: float = 0.0,
) -> None:
    noise = video._NoisePlane(video.random_stream(seed, subject, video.VIDEO, trial, 1))
    pictures = video.render_frames(
        seed, subject, trial, expressed, speaking, cue, SHOWN, strangeness
    )
    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as container:
        stream = container.add_stream(
            "libx264", rate=video.VIDEO_RATE, options=video._ENCODER
        )
        (stream.width, stream.height), stream.pix_fmt = SIZE, "yuv420p"
        for number, picture in enumerate(pictures):
            small = cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)
            planes = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2YUV_I420), np.uint8)
            noise.add(planes[: SIZE[1]])
            for again in range(SHOWN):
                frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
                frame.pts = SHOWN * number + again
                container.mux(stream.encode(frame))
        container.mux(stream.encode())
    write_atomically(path, content.getbuffer())
