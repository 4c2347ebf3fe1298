"""Real or synthetic clips, and plain MTCNN on them: the yardstick of face finding."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measure import Stopwatch, percentiles
from eav_offline.common.errors import InputRefused
from eav_offline.core.window import FRAME_RATE
from eav_offline.data.media import iter_frames, rgb
from eav_offline.preprocess.face import FaceTracker, FrameThinner
from eav_offline.preprocess.mtcnn import (
    MTCNN_FACTOR,
    MTCNN_MIN_FACE,
    MTCNN_THRESHOLDS,
)

if TYPE_CHECKING:  # seconds of imports, where only the bench's rest is wanted
    from facenet_pytorch import MTCNN

FACE_SIDE = 56  # pixels, of the release's crops
VIDEO_SUFFIXES = frozenset(
    (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm")
)
BLACK = np.zeros((480, 640, 3), np.uint8)


def find_clips(paths: Sequence[Path]) -> list[Path]:
    """The videos among `paths` and in the folders among them, in order.

    Raises InputRefused if a path does not exist or there is no video.
    """
    clips: list[Path] = []
    for path in paths:
        if path.is_dir():
            below = (p for p in path.rglob("*") if p.suffix.lower() in VIDEO_SUFFIXES)
            clips += sorted(below)
        elif path.is_file():
            clips.append(path)
        else:
            raise InputRefused(f"--clips {path}: there is no such file or folder")
    if not clips:
        raise InputRefused(
            f"--clips {' '.join(map(str, paths))}: no video there; files ending in "
            f"{' '.join(sorted(VIDEO_SUFFIXES))} are looked for"
        )
    return list(dict.fromkeys(clips))


def release_detector() -> "MTCNN":
    """facenet-pytorch's MTCNN with the settings of the dataset's release."""
    from facenet_pytorch import MTCNN

    return MTCNN(
        image_size=FACE_SIDE,
        margin=0,
        min_face_size=MTCNN_MIN_FACE,
        thresholds=list(MTCNN_THRESHOLDS),
        factor=MTCNN_FACTOR,
        select_largest=True,
    )


def kept_frames(path: Path) -> Iterator[tuple[float, np.ndarray, bool]]:
    """Of the frames that are kept, five a second: seconds, (height, width, 3) uint8
    RGB, and whether what was followed before is gone. Raises MediaError.
    """
    thinner = FrameThinner()
    for at, frame in iter_frames(path):
        if thinner.keep(at):
            yield at, rgb(frame), thinner.restarted


def face_figures(clips: Sequence[Path]) -> dict[str, Any]:
    """Find faces in the kept frames of `clips` (files and folders), in both ways.

    Returns frames found in by each, and by clip. Raises InputRefused if there is no
    clip, MediaError if one cannot be decoded.
    """
    plain, tracker = release_detector(), FaceTracker()
    tracker.update(BLACK, 0.0)  # the first sets up much
    ours_s: list[float] = []
    plain_s: list[float] = []
    per_clip = {}
    for file in find_clips(clips):
        one = {"frames": 0, "found": 0, "found_plain": 0}
        for at, image, restarted in kept_frames(file):
            if restarted:
                tracker.reset()
            watch = Stopwatch()
            with watch.of("ours"):
                one["found"] += tracker.update(image, at).found
            with watch.of("plain"):
                one["found_plain"] += plain.detect(image)[0] is not None
            one["frames"] += 1
            ours_s.append(watch.seconds["ours"])
            plain_s.append(watch.seconds["plain"])
        per_clip[file.name] = one
    totals = ("frames", "found", "found_plain")
    return {
        **{key: sum(clip[key] for clip in per_clip.values()) for key in totals},
        "frame_ms": percentiles(ours_s, 1e3),
        "frame_plain_ms": percentiles(plain_s, 1e3),
        "share_of_a_core": round(FRAME_RATE * float(np.mean(ours_s)), 4),
        "clips": per_clip,
    }
