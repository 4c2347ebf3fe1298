"""Whose a face is: the network is dlib's, and faces come to it upright."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from eav_live.recognition.assets import asset
from eav_offline.common.opencv import cv2
from eav_offline.core.window import FaceFrame
from eav_offline.personal.faceprint import EYES, FacePrints, turned_away
from eav_offline.preprocess.face import FaceTracker

# What dlib 20.0.1 says of `ramps()` and its mirror image, the first of 128 numbers.
DLIB = (
    (-0.06618, 0.11995, 0.07711, 0.00529, -0.04753, -0.04832, -0.08537, -0.0191),
    (-0.0675, 0.13157, 0.03792, -0.03016, -0.07353, -0.03732, -0.07115, -0.01737),
)
ONE_PERSON = 0.6
prints = FacePrints(asset("faces.safetensors"))


def ramps() -> np.ndarray:
    y, x = np.mgrid[:150, :150]
    picture = np.stack([x + y // 2, 255 - x, (x * y) // 90], axis=2)
    return picture.clip(0, 255).astype(np.uint8)


def test_the_network_says_what_dlib_says() -> None:
    both = np.stack([ramps(), ramps()[:, ::-1]]).transpose(0, 3, 1, 2)
    with torch.inference_mode():
        said = prints._network(torch.from_numpy(both).float()).numpy()
    assert said.shape == (2, 128)
    np.testing.assert_allclose(said[:, :8], DLIB, atol=1e-3)


@pytest.fixture
def photo(test_data: Callable[[str], Path]) -> np.ndarray:
    picture = cv2.imread(str(test_data("photos/skimage_astronaut.png")))
    return np.asarray(picture)[:, :, ::-1].copy()


def found(image: np.ndarray) -> FaceFrame:
    frame = FaceTracker().update(image, 0.0)
    assert frame.found
    return frame


def test_a_face_is_brought_upright_from_wherever_it_is(photo: np.ndarray) -> None:
    """Turned, larger and elsewhere, it is the same face with its eyes in place."""
    moved = cv2.getRotationMatrix2D((224, 117), 20, 1.6) + [[0, 0, 90], [0, 0, 140]]
    frames = [found(photo), found(cv2.warpAffine(photo, moved, (640, 480)))]
    faces = [prints.aligned(frame.image, frame.box) for frame in frames]
    for face in faces:
        assert face is not None
        marks = prints._marks.landmarks(
            (
                torch.from_numpy(cv2.resize(face, (48, 48))).permute(2, 0, 1)[None]
                - 127.5
            )
            / 128
        )[0, :2]
        eyes = [complex(*mark) * 150 for mark in marks.tolist()]
        assert np.abs(np.array(eyes) - EYES).max() < 12  # of 53 between them
    one, other = (prints.of(frame) for frame in frames)
    assert one is not None
    assert other is not None
    assert np.linalg.norm(one - other) < ONE_PERSON / 2


def test_a_face_that_is_turned_away_says_nothing() -> None:
    eye, other = 10 + 10j, 60 + 20j  # the head is inclined
    across = other - eye
    for along, away in ((0.5, False), (0.25, False), (0.75, False), (0.1, True)):
        for up in (0.3j, 0.6j):
            assert turned_away(eye, other, eye + (along + up) * across) is away
    assert turned_away(eye, eye, eye)
