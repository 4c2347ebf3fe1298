"""What `bench prepare` makes of the faces that both ways found: losses and overlap."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eav_offline.preprocess.face import box_iou

LEAST_SPEEDUP, LEAST_MEDIAN_IOU = 5.0, 0.9
SAME_PLACE_IOU = 0.3


@dataclass(frozen=True)
class ClipFaces:
    """What one way found in a clip, and the processor time it took.

    boxes: for each kept frame (n, 4) pixels, largest face first; ours has one row at
        most. crops: (frames, 56, 56, 3) uint8. cpu_s: seconds, of all threads.
    process: number of the process that did it.
    """

    boxes: list[np.ndarray]
    crops: np.ndarray
    cpu_s: float
    process: int


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
    totals = {
        name: sum(clip[name] for clip in per_clip)
        for name in (
            *("frames", "faces_found_plain", "faces_found_ours"),
            *("faces_lost", "other_face"),
        )
    }
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


def table(figures: dict[str, Any]) -> str:
    """The figures of `bench_prepare` for a person to read."""
    lines = [f"{'clip':<28}{'frames':>8}{'plain':>7}{'ours':>7}{'lost':>6}{'IoU':>8}"]
    for clip in figures["clips"]:
        iou = f"{np.median(clip['ious']):.3f}" if clip["ious"] else "-"
        lines.append(
            f"{clip['name'][-27:]:<28}{clip['frames']:>8}{clip['faces_found_plain']:>7}"
            f"{clip['faces_found_ours']:>7}{clip['faces_lost']:>6}{iou:>8}"
        )
    low, high = figures["speedup_range"]
    environment = figures["environment"]
    lines += [
        f"plain loop {figures['frames_per_second_plain']:.1f} frames a second, ours "
        f"{figures['frames_per_second_ours']:.1f}: {figures['speedup']:.1f} times "
        f"({low:.1f}-{high:.1f})",
        f"on {environment['cores']} cores; threads of the plain loop: "
        f"{environment['threads_of_plain_loop']}; our processes: "
        f"{environment['jobs']}, started in {figures['startup_s']:.1f} s",
        f"processor time a frame: plain {figures['cpu_ms_per_frame_plain']:.1f} ms, "
        f"ours {figures['cpu_ms_per_frame_ours']:.1f} ms",
    ]
    if figures["median_iou"] is not None:
        lines.append(
            f"IoU of the boxes: median {figures['median_iou']:.3f}, tenth percentile "
            f"{figures['p10_iou']:.3f}"
        )
    lines.append(
        f"faces lost {figures['faces_lost']}, another face followed in "
        f"{figures['other_face']} of {figures['frames']} frames"
    )
    return "\n".join(lines) + "\n"
