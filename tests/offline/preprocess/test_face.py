from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from eav_offline.common.opencv import cv2
from eav_offline.data.synthetic.face import FaceRenderer
from eav_offline.data.synthetic.portrait import random_look
from eav_offline.data.synthetic.video import clip_poses
from eav_offline.preprocess.face import SEARCH_FRAMES, FaceTracker, box_iou
from eav_offline.preprocess.mtcnn import (
    OUTPUT,
    PROPOSE,
    REFINE,
    FaceDetector,
    Layout,
    face_sizes,
    load_network,
    suppress,
)

IMAGE = np.zeros((480, 640, 3), np.uint8)
WHOLE = (0, 0, 640, 480)
FACE = (200.0, 100.0, 300.0, 220.0)
NEAR = (210.0, 100.0, 310.0, 220.0)
BESIDE = (400.0, 100.0, 520.0, 244.0)  # 1.44 times the area of FACE
CLOSE_UP = (340.0, 60.0, 600.0, 360.0)  # 6.5 times
SURE, DOUBTFUL = 0.99, 0.8


class ScriptedDetector:
    """Sees what is put into `faces`: boxes and how probable each is."""

    def __init__(self) -> None:
        self.faces: list[tuple[tuple[float, ...], float]] = []
        self.regions: list[tuple[int, ...]] = []

    def detect(
        self, image: np.ndarray, region: tuple[int, ...], sizes: Sequence[float]
    ) -> tuple[np.ndarray, np.ndarray]:
        self.regions.append(region)
        left, top, right, bottom = region
        inside = [
            (box, probability)
            for box, probability in self.faces
            if box[0] >= left and box[1] >= top and box[2] <= right and box[3] <= bottom
        ]
        boxes = np.array([box for box, _ in inside]).reshape(-1, 4)
        return boxes, np.array([probability for _, probability in inside])


@pytest.fixture
def detector() -> ScriptedDetector:
    return ScriptedDetector()


@pytest.fixture
def tracker(detector: ScriptedDetector, monkeypatch: pytest.MonkeyPatch) -> FaceTracker:
    monkeypatch.setattr(
        "eav_offline.preprocess.mtcnn.FaceDetector", lambda device: detector
    )
    return FaceTracker()


@pytest.fixture
def one_torch_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_sure_find_is_looked_for_where_it_was(
    tracker: FaceTracker, detector: ScriptedDetector
) -> None:
    detector.faces = [(FACE, SURE)]
    tracker.update(IMAGE, 0.0)
    tracker.update(IMAGE, 0.2)
    assert detector.regions == [WHOLE, (130, 40, 370, 280)]


def test_after_a_doubtful_find_the_whole_frame_is_searched(
    tracker: FaceTracker, detector: ScriptedDetector
) -> None:
    detector.faces = [(FACE, DOUBTFUL)]
    assert tracker.update(IMAGE, 0.0).found
    tracker.update(IMAGE, 0.2)
    assert detector.regions == [WHOLE, WHOLE]


def test_a_face_that_has_left_its_place_is_searched_for_in_the_whole_frame(
    tracker: FaceTracker, detector: ScriptedDetector
) -> None:
    detector.faces = [(FACE, SURE)]
    tracker.update(IMAGE, 0.0)
    detector.faces = [(BESIDE, SURE)]
    face = tracker.update(IMAGE, 0.2)
    np.testing.assert_array_equal(face.box, BESIDE)
    assert detector.regions[1:] == [(130, 40, 370, 280), WHOLE]


def test_the_whole_frame_is_searched_every_five_seconds(
    tracker: FaceTracker, detector: ScriptedDetector
) -> None:
    detector.faces = [(FACE, SURE)]
    for i in range(2 * SEARCH_FRAMES + 1):
        tracker.update(IMAGE, 0.2 * i)
    searched = [i for i, region in enumerate(detector.regions) if region == WHOLE]
    assert searched == [0, SEARCH_FRAMES, 2 * SEARCH_FRAMES]


@pytest.mark.parametrize(("other", "followed"), [(BESIDE, FACE), (CLOSE_UP, CLOSE_UP)])
def test_a_face_is_left_only_for_one_of_twice_its_area(
    tracker: FaceTracker,
    detector: ScriptedDetector,
    other: tuple[float, ...],
    followed: tuple[float, ...],
) -> None:
    detector.faces = [(FACE, SURE)]
    tracker.update(IMAGE, 0.0)
    detector.faces.append((other, SURE))
    for i in range(1, SEARCH_FRAMES + 1):
        face = tracker.update(IMAGE, 0.2 * i)
    np.testing.assert_array_equal(face.box, followed)


def test_a_frame_without_a_face_repeats_the_last_one_and_says_so(
    tracker: FaceTracker, detector: ScriptedDetector
) -> None:
    detector.faces = [(NEAR, SURE)]
    tracker.update(IMAGE, 0.0)
    detector.faces = []
    face = tracker.update(np.ones_like(IMAGE), 0.2)
    assert not face.found
    assert face.image is IMAGE
    np.testing.assert_array_equal(face.box, NEAR)


def test_reset_forgets_the_face(
    tracker: FaceTracker, detector: ScriptedDetector
) -> None:
    detector.faces = [(FACE, SURE)]
    tracker.update(IMAGE, 0.0)
    tracker.reset()
    detector.faces = []
    assert tracker.update(IMAGE, 0.2).image is IMAGE
    assert detector.regions == [WHOLE, WHOLE]


def test_the_sizes_searched_for_are_steps_of_the_release() -> None:
    steps = [20 / 0.709**k for k in range(12)]
    assert face_sizes(40, 150) == pytest.approx([s for s in steps if 40 <= s <= 150])


def test_of_overlapping_boxes_the_most_probable_is_kept() -> None:
    boxes = np.array([[0.0, 0, 10, 10], [1.0, 0, 11, 10], [50.0, 50, 60, 60]])
    probabilities = np.array([0.7, 0.9, 0.8])
    assert suppress(boxes, probabilities, 0.5).tolist() == [1, 2]
    assert suppress(boxes, probabilities, 0.9).tolist() == [1, 2, 0]


def test_a_small_box_within_a_large_one_goes_by_the_smaller_area() -> None:
    boxes = np.array([[0.0, 0, 100, 100], [10.0, 10, 20, 20]])
    probabilities = np.array([0.9, 0.8])
    assert suppress(boxes, probabilities, 0.7).tolist() == [0, 1]
    assert suppress(boxes, probabilities, 0.7, of_smaller=True).tolist() == [0]


@pytest.mark.usefixtures("one_torch_thread")
def test_boxes_agree_with_the_release_frame_by_frame() -> None:
    renderer = FaceRenderer(random_look(np.random.default_rng(3)))
    poses = clip_poses(3, 1, 2, np.array([3, 1, 2, 4]), True)
    release, tracker = _release(), FaceTracker()
    overlaps = []
    for i, pose in enumerate(poses[:120:6]):
        image = renderer.draw(pose)
        boxes, _ = release.detect(image)
        overlaps.append(box_iou(tracker.update(image, 0.2 * i).box, boxes[0]))
    assert np.median(overlaps) >= 0.9
    assert min(overlaps) >= 0.7


@pytest.mark.usefixtures("one_torch_thread")
def test_every_face_of_a_group_is_found_as_by_the_release(
    test_data: Callable[[str], Path],
) -> None:
    photo = cv2.imread(str(test_data("photos/pyfeat_multi_face.jpg")))
    assert photo is not None
    height = round(640 * photo.shape[0] / photo.shape[1])
    image = cv2.resize(photo[..., ::-1], (640, height), interpolation=cv2.INTER_AREA)
    expected, _ = _release().detect(image)
    sizes = face_sizes(20, height)
    boxes, _ = FaceDetector().detect(image, (0, 0, 640, height), sizes)
    assert len(expected) == 5
    for face in expected:
        assert max(box_iou(box, face) for box in boxes) >= 0.8


@pytest.mark.usefixtures("one_torch_thread")
def test_a_region_gives_boxes_in_pixels_of_the_whole_picture() -> None:
    renderer = FaceRenderer(random_look(np.random.default_rng(3)))
    image = renderer.draw(clip_poses(3, 1, 2, np.array([3, 1, 2, 4]), True)[0])
    detector, sizes = FaceDetector(), face_sizes(60, 300)
    whole, _ = detector.detect(image, (0, 0, 640, 480), sizes)
    part, _ = detector.detect(image, (90, 20, 600, 470), sizes)
    assert box_iou(whole[0], part[0]) >= 0.85


def test_no_size_or_no_picture_gives_no_face() -> None:
    detector = FaceDetector()
    for region, sizes in ((WHOLE, []), ((0, 0, 30, 30), [56.4]), (WHOLE, [56.4])):
        boxes, probabilities = detector.detect(IMAGE, region, sizes)
        assert boxes.shape == (0, 4)
        assert probabilities.shape == (0,)


def _release() -> Any:
    from facenet_pytorch import MTCNN  # seconds, which other tests need not wait

    return MTCNN(min_face_size=20, thresholds=[0.6, 0.7, 0.7], factor=0.709)


@pytest.mark.parametrize(
    ("layout", "theirs", "side"),
    [(PROPOSE, "PNet", 61), (REFINE, "RNet", 24), (OUTPUT, "ONet", 48)],
)
def test_networks_are_those_of_facenet_pytorch(
    layout: Layout, theirs: str, side: int
) -> None:
    import facenet_pytorch

    generator = torch.Generator().manual_seed(side)
    x = 2 * torch.rand(5, 3, side, side, generator=generator) - 1
    with torch.inference_mode():
        shifts, chances = load_network(layout)(x)
        answers = getattr(facenet_pytorch, theirs)()(x)
    torch.testing.assert_close(shifts, answers[0])
    torch.testing.assert_close(chances, answers[-1])
    if layout is OUTPUT:
        with torch.inference_mode():
            marks = load_network(layout).landmarks(x)
        torch.testing.assert_close(marks[:, :, 0], answers[1][:, :5])
        torch.testing.assert_close(marks[:, :, 1], answers[1][:, 5:])
