"""A face that is not the person's is left out, after three looks and no sooner."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from eav_live.options.config import QualitySettings
from eav_live.windows.cut import Rings
from eav_live.windows.quality import ANOTHER_FACE, QualityWatch
from eav_live.windows.rings import FrameRing
from eav_live.windows.whose_face import EVERY_SECONDS, FaceWatch, face_prints
from eav_offline.core.window import FRAME_PERIOD, FaceFrame
from eav_offline.data.media import iter_frames, rgb
from eav_offline.models.personal import OwnFace
from eav_offline.preprocess.face import FaceTracker, FrameThinner

HEADS = ("bbaf2n", "lbbc2a")  # of GRID: the person, and another
N = 128


@cache
def tracked(path: Path) -> list[FaceFrame]:
    """The faces of a clip, five a second."""
    tracker, thinner = FaceTracker(), FrameThinner()
    return [tracker.update(rgb(f), t) for t, f in iter_frames(path) if thinner.keep(t)]


@pytest.fixture
def heads(test_data: Callable[[str], Path]) -> list[list[FaceFrame]]:
    """Fifteen pictures of the person, and of the other."""
    return [tracked(test_data(f"face_clips/{name}.mpg")) for name in HEADS]


@pytest.fixture
def known(heads: list[list[FaceFrame]]) -> OwnFace:
    """The person, by the first pictures."""
    numbers = [face_prints().of(frame) for frame in heads[0][:3]]
    return OwnFace(np.mean(numbers, axis=0, keepdims=True))


def watched(watch: FaceWatch, frames: list[FaceFrame], every: float) -> list[bool]:
    """What is said of pictures that come so many seconds apart."""
    return [watch.look(replace(f, time=every * i)) for i, f in enumerate(frames)]


def test_a_stranger_is_noticed_after_the_third_look_and_the_person_never(
    heads: list[list[FaceFrame]], known: OwnFace
) -> None:
    own, strange = (frames[8:12] for frames in heads)
    assert not any(watched(FaceWatch(known), own, EVERY_SECONDS))
    said = watched(FaceWatch(known), strange, EVERY_SECONDS)
    assert said == [False, False, True, True]
    # Pictures between two looks are none.
    assert not any(watched(FaceWatch(known), heads[1][:15], 0.25))


def test_the_person_is_believed_again(
    heads: list[list[FaceFrame]], known: OwnFace
) -> None:
    mixed = heads[1][8:11] + heads[0][8:10]
    assert watched(FaceWatch(known), mixed, EVERY_SECONDS)[2:] == [True, True, False]


def away(distance: float) -> np.ndarray:
    """The face so far from one that is all zeros."""
    return np.eye(N, dtype=np.float32)[0] * np.float32(distance)


@pytest.fixture
def watch() -> FaceWatch:
    return FaceWatch(OwnFace(np.zeros((1, N), np.float32)))


def taken(watch: FaceWatch, distances: list[float], begin: float = 0.0) -> list[bool]:
    return [watch.take(away(d), begin + 2.0 * i) for i, d in enumerate(distances)]


def test_one_look_is_none_and_what_wavers_does_not_flicker(watch: FaceWatch) -> None:
    assert not any(taken(watch, [0.3, 0.9, 0.3, 0.59, 0.9, 0.3]))
    said = taken(watch, [0.61, 0.61, 0.57, 0.57, 0.57, 0.54, 0.54, 0.57], 20.0)
    assert said[1:7] == [True, True, True, True, True, False]


def test_after_a_minute_without_a_face_nobody_is_a_stranger(watch: FaceWatch) -> None:
    assert taken(watch, [0.9, 0.9, 0.9])[-1]
    assert watch.take(away(0.1), 63.0)  # the other was here still
    assert not watch.take(away(0.9), 130.0)
    assert taken(watch, [0.9, 0.9], 132.0) == [False, True]


def test_whoever_looks_as_on_any_day_is_the_person(watch: FaceWatch) -> None:
    days = OwnFace(np.stack([away(-0.5), away(0.5)]))
    looks = [0.5, -0.5, 0.9, 0.5, -0.5]
    assert not any(taken(FaceWatch(days), looks))
    assert any(taken(FaceWatch(OwnFace(days.days[:1])), looks))


def test_such_a_face_counts_as_absent_unless_it_may_be_anyones(
    heads: list[list[FaceFrame]], known: OwnFace
) -> None:
    ring = FrameRing(60.0)
    for i in range(60):  # twelve seconds
        frame = heads[1][i % 15]
        ring.append(replace(frame, time=i * FRAME_PERIOD), i == 0)
    for limits, faces, why in (
        (QualitySettings(), True, ANOTHER_FACE),
        (QualitySettings(own_face=False), True, ""),
        (QualitySettings(), False, ""),  # the model looks at whole frames
    ):
        watch = QualityWatch(limits, faces=faces, face=known)
        for t in (5.0, 7.1, 9.2, 11.3):
            quality = watch.judge(Rings(None, None, ring), t)["video"]
        assert (quality.good, quality.why) == (not why, why)
