"""What finding faces costs, and whether MTCNN on every frame finds more of them."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from facenet_pytorch import MTCNN

from benchmarks.live.speed.figures import percentiles
from eav_offline.common.errors import InputRefused
from eav_offline.core.window import FRAME_RATE
from eav_offline.data.media import iter_frames, rgb
from eav_offline.preprocess.face import FaceTracker, FrameThinner
from eav_offline.preprocess.mtcnn import (
    MTCNN_FACTOR,
    MTCNN_MIN_FACE,
    MTCNN_THRESHOLDS,
)

_SUFFIXES = frozenset((".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"))


def face_figures(clips: Sequence[Path]) -> dict[str, Any]:
    """Find faces in the kept frames of `clips` (files and folders), in both ways.

    The plain way is facenet-pytorch's MTCNN on each frame for itself, with the settings
    of the dataset's release. Returns frames found in by each, and by clip.
    Raises InputRefused if there is no clip, MediaError if one cannot be decoded.
    """
    files = [
        file
        for path in clips
        for file in (sorted(path.iterdir()) if path.is_dir() else [path])
        if file.suffix.lower() in _SUFFIXES
    ]
    if not files:
        raise InputRefused(
            f"--clips {' '.join(map(str, clips))}: no video there; files ending in "
            f"{' '.join(sorted(_SUFFIXES))} are looked for"
        )
    plain = MTCNN(
        min_face_size=MTCNN_MIN_FACE,
        thresholds=list(MTCNN_THRESHOLDS),
        factor=MTCNN_FACTOR,
        select_largest=True,
    )
    tracker = FaceTracker()
    tracker.update(np.zeros((480, 640, 3), np.uint8), 0.0)  # the first sets up much
    ours_s: list[float] = []
    plain_s: list[float] = []
    per_clip = {}
    for file in files:
        found = [0, 0]
        n, thinner = 0, FrameThinner()
        for at, frame in iter_frames(file):
            if not thinner.keep(at):
                continue
            if thinner.restarted:
                tracker.reset()
            image = rgb(frame)
            n += 1
            begun = time.perf_counter()
            found[0] += tracker.update(image, at).found
            between = time.perf_counter()
            found[1] += plain.detect(image)[0] is not None
            ours_s.append(between - begun)
            plain_s.append(time.perf_counter() - between)
        per_clip[file.name] = {"frames": n, "found": found[0], "found_plain": found[1]}
    return {
        "frames": len(ours_s),
        "found": sum(clip["found"] for clip in per_clip.values()),
        "found_plain": sum(clip["found_plain"] for clip in per_clip.values()),
        "frame_ms": percentiles(ours_s, 1e3),
        "frame_plain_ms": percentiles(plain_s, 1e3),
        "share_of_a_core": round(FRAME_RATE * float(np.mean(ours_s)), 4),
        "clips": per_clip,
    }
