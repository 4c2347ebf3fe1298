"""How fast faces are cropped, against MTCNN on every frame, and whether they are those.

The plain loop is what the dataset's release does: facenet-pytorch's MTCNN on each kept
frame, one after another. Ours is what `eav-offline prepare` does. Both decode the same
clips in the same run, in turn.
"""

import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch

from benchmarks.measure import Stopwatch, side_by_side, torch_threads
from eav_offline.common.errors import InputRefused
from eav_offline.common.pool import Workers
from eav_offline.core.labels import EMOTIONS
from eav_offline.data.media import iter_frames, rgb
from eav_offline.data.prepared import start_face_worker
from eav_offline.data.recording import Recording, track_faces
from eav_offline.data.synthetic.video import write_clip
from eav_offline.preprocess.face import (
    FaceTracker,
    FrameThinner,
    box_iou,
    center_box,
    crop_face,
)
from eav_offline.preprocess.mtcnn import MTCNN_FACTOR, MTCNN_MIN_FACE, MTCNN_THRESHOLDS

if TYPE_CHECKING:  # seconds of imports, where only the bench's rest is wanted
    from facenet_pytorch import MTCNN

_PEOPLE_SEEDS = (31, 32)  # of the synthetic people, who are in no other bench
_CLIPS_EACH = 4
_TRIED = 10  # frames
LEAST_SPEEDUP, LEAST_MEDIAN_IOU = 5.0, 0.9
SAME_PLACE_IOU = 0.3
FACE_SIDE = 56  # pixels, of the release's crops
VIDEO_SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm")
_BLACK = np.zeros((480, 640, 3), np.uint8)
_COUNTED = (
    *("frames", "faces_found_plain", "faces_found_ours"),
    *("faces_lost", "other_face"),
)


@dataclass(frozen=True)
class ClipFaces:
    """What one way found in a clip, and the processor time it took.

    boxes: for each kept frame (n, 4) pixels, largest face first; ours has one row at
        most. cpu_s: seconds, of all threads. process: number of the one that did it.
    """

    boxes: list[np.ndarray]
    cpu_s: float
    process: int


_Workers: TypeAlias = Workers[Path | None, tuple[Path | None, ClipFaces]]


def bench_prepare(
    clips: Sequence[Path] = (),
    repeats: int = 3,
    jobs: int = 2,
    threads: int | None = None,
) -> dict[str, Any]:
    """Crop the faces of `clips` in both ways, `repeats` times in turn.

    clips: video files, and folders to search for some; none: clips of two synthetic
    people, written for the purpose. jobs: processes of our way. threads: of the
    plain loop, which is one process; None: as many as PyTorch takes by itself, or one
    if that is faster, as it is where other programs take the cores.

    Returns, ready for JSON, `speedup` (median over the repeats), `median_iou` and
    `p10_iou` of our box with the plain loop's, over the frames in which both find a
    face; `faces_lost`, the frames in which the plain loop finds a face and ours no face
    or one at a place where the plain loop has none; `other_face`, those in which ours
    is another face that the plain loop sees too; and `passed`.
    Raises InputRefused if there is no clip, and MediaError if one cannot be decoded.
    """
    with ExitStack() as stack:
        if clips:
            files = find_clips(clips)
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            files = _write_people(Path(folder), jobs)
        detector = release_detector()
        threads = threads or _faster_threads(detector, files[0])
        stack.enter_context(torch_threads(threads))
        start = FaceTracker if jobs == 1 else start_face_worker
        workers: _Workers = stack.enter_context(Workers(jobs, start, _ours))
        startup_s = _warm_up(workers, jobs)
        turns = [Stopwatch() for _ in range(repeats)]
        for watch in turns:
            with watch.of("plain"):
                plain = {path: _plain(detector, path) for path in files}
            with watch.of("ours"):
                ours = {path: faces for path, faces in workers.map(files) if path}
    if not any(faces.boxes for faces in plain.values()):
        raise InputRefused("the clips hold no frames; give others")
    per_clip = [compare(path.name, plain[path], ours[path]) for path in files]
    plain_s, ours_s = ([turn.seconds[w] for turn in turns] for w in ("plain", "ours"))
    figures = summarize(per_clip, plain_s, ours_s)
    return {
        "synthetic": not clips,
        **figures,
        "cpu_ms_per_frame_plain": _cpu_ms(plain.values()),
        "cpu_ms_per_frame_ours": _cpu_ms(ours.values()),
        "startup_s": startup_s,
        "repeats": repeats,
        "clips": per_clip,
        "environment": {"jobs": jobs, "threads_of_plain_loop": threads},
    }


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
            f"{' '.join(VIDEO_SUFFIXES)} are looked for"
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


def plain_loop(
    detector: "MTCNN", images: Iterable[np.ndarray]
) -> tuple[list[np.ndarray], np.ndarray]:
    """Boxes and crops of `ClipFaces` as the dataset's release makes them.

    images: (height, width, 3) uint8 RGB. A frame without a face takes the crop before
    it, and the picture's center if there is none.
    """
    boxes: list[np.ndarray] = []
    crops: list[np.ndarray] = []
    for image in images:
        found, _ = detector.detect(image)  # the largest face first
        boxes.append(np.zeros((0, 4)) if found is None else found.astype(np.float64))
        if found is not None:
            crops.append(crop_face(image, found[0], FACE_SIDE))
        elif crops:
            crops.append(crops[-1])
        else:
            crops.append(crop_face(image, center_box(image), FACE_SIDE))
    return boxes, np.array(crops, dtype=np.uint8)


def _faster_threads(detector: "MTCNN", clip: Path) -> int:
    """PyTorch's number of threads or one, whichever takes the plain loop less time."""
    images = [image for _, image, _ in itertools.islice(kept_frames(clip), _TRIED)]
    seconds = {}
    for threads in {1, torch.get_num_threads()}:
        watch = Stopwatch()
        with torch_threads(threads):
            plain_loop(detector, images[:1])  # the first call sets up much
            with watch.of("loop"):
                plain_loop(detector, images)
        seconds[threads] = watch.seconds["loop"]
    return min(seconds, key=lambda threads: seconds[threads])


def _plain(detector: "MTCNN", path: Path) -> ClipFaces:
    began = time.process_time()
    boxes, _ = plain_loop(detector, (image for _, image, _ in kept_frames(path)))
    return ClipFaces(boxes, time.process_time() - began, os.getpid())


def _ours(tracker: FaceTracker, path: Path | None) -> tuple[Path | None, ClipFaces]:
    """In a worker: the faces of one clip, or of a black frame for None."""
    began = time.process_time()
    tracker.reset()
    if path is None:
        faces = [tracker.update(_BLACK, 0.0)]
    else:
        whole = Recording(path.name, np.inf, None, 0.0, (), None, 0.0, path)
        faces = track_faces(whole, tracker) or []
    boxes = [face.box[None] if face.found else np.zeros((0, 4)) for face in faces]
    for face in faces:  # as the plain loop does
        crop_face(face.image, face.box, FACE_SIDE)
    return path, ClipFaces(boxes, time.process_time() - began, os.getpid())


def _warm_up(workers: _Workers, jobs: int) -> float:
    """Wait until every process has loaded its networks; returns the seconds it took."""
    began = time.perf_counter()
    there: set[int] = set()
    while len(there) < jobs:
        there |= {faces.process for _, faces in workers.map([None] * 2 * jobs)}
    return time.perf_counter() - began


def _write_people(folder: Path, jobs: int) -> list[Path]:
    work = [
        (folder / f"person{seed}_{trial}.mp4", seed, trial)
        for seed in _PEOPLE_SEEDS
        for trial in range(1, _CLIPS_EACH + 1)
    ]
    side_by_side(_write_person, work, jobs)
    return [path for path, _, _ in work]


def _write_person(item: tuple[Path, int, int]) -> None:
    path, seed, trial = item
    shown = np.random.default_rng([seed, trial]).integers(len(EMOTIONS), size=4)
    write_clip(path, seed, 1, trial, shown, speaking=True)


def _cpu_ms(clips: Iterable[ClipFaces]) -> float:
    clips = list(clips)
    frames = sum(len(faces.boxes) for faces in clips)
    return sum(faces.cpu_s for faces in clips) / frames * 1e3


def compare(name: str, plain: ClipFaces, ours: ClipFaces) -> dict[str, Any]:
    """Frames, finds and losses of one clip, and the `ious` of each pair of boxes."""
    ious, lost, other = [], 0, 0
    for there, here in zip(plain.boxes, ours.boxes, strict=True):
        if len(there) == 0:
            continue
        overlaps = [box_iou(here[0], box) for box in there] if len(here) else [0.0]
        if max(overlaps) <= SAME_PLACE_IOU:
            lost += 1
        elif overlaps[0] <= SAME_PLACE_IOU:
            other += 1
        if len(here):
            ious.append(overlaps[0])
    return {
        "name": name,
        "frames": len(plain.boxes),
        "faces_found_plain": sum(len(boxes) > 0 for boxes in plain.boxes),
        "faces_found_ours": sum(len(boxes) > 0 for boxes in ours.boxes),
        "faces_lost": lost,
        "other_face": other,
        "ious": ious,
    }


def summarize(
    per_clip: Sequence[dict[str, Any]],
    plain_s: Sequence[float],
    ours_s: Sequence[float],
) -> dict[str, Any]:
    """The figures over all clips.

    per_clip: of `compare`. plain_s, ours_s: seconds of each repeat over all clips.
    """
    totals = {name: sum(clip[name] for clip in per_clip) for name in _COUNTED}
    ious = [iou for clip in per_clip for iou in clip["ious"]]
    median, p10 = np.quantile(ious, [0.5, 0.1]).tolist() if ious else (None, None)
    speedups = [p / o for p, o in zip(plain_s, ours_s, strict=True)]
    speedup = statistics.median(speedups)
    return {
        "speedup": speedup,
        "speedup_range": [min(speedups), max(speedups)],
        "median_iou": median,
        "p10_iou": p10,
        **totals,
        "frames_per_second_plain": totals["frames"] / statistics.median(plain_s),
        "frames_per_second_ours": totals["frames"] / statistics.median(ours_s),
        "passed": speedup >= LEAST_SPEEDUP
        and (median is None or median >= LEAST_MEDIAN_IOU)
        and totals["faces_lost"] == 0,
    }
