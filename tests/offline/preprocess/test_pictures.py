"""Pictures on their way to the model: their colors, and what a trial's crops are of."""

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from eav_live.streams.video import Camera
from eav_offline.common.opencv import cv2
from eav_offline.data.prepared import prepare_trial
from eav_offline.data.recording import Recording, cut, track_faces
from eav_offline.preprocess import PreprocessSettings, prepare
from eav_offline.preprocess.face import FaceTracker

RED = (220, 20, 30)
SETTINGS = PreprocessSettings(face_size=16)
FACE = np.array([[16.0, 12.0, 40.0, 36.0]])


class Spotlight:
    """A detector that sees a face in light pictures."""

    def detect(
        self, image: np.ndarray, region: tuple[int, ...], sizes: Sequence[float]
    ) -> tuple[np.ndarray, np.ndarray]:
        n = int(image.mean() > 128)
        return FACE[:n], np.full(n, 0.99)


@pytest.fixture
def tracker(monkeypatch: pytest.MonkeyPatch) -> FaceTracker:
    monkeypatch.setattr(
        "eav_offline.preprocess.mtcnn.FaceDetector", lambda device: Spotlight()
    )
    return FaceTracker()


def trial_of(path: Path, color: Sequence[int], seconds: float = 5.0) -> Recording:
    """A trial whose video is of one color throughout, five frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        image = np.empty((48, 64, 3), np.uint8)
        image[:] = color
        for _ in range(round(5 * seconds)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return Recording(
        path.stem, seconds, None, 500, (), None, 16_000, path, 0, "speaking", 1
    )


def test_a_red_video_gives_crops_that_are_red_in_the_first_channel(
    tmp_path: Path, tracker: FaceTracker
) -> None:
    trial = trial_of(tmp_path / "red.mp4", RED)
    faces = prepare(cut(trial, track_faces(trial, tracker), 5.0), SETTINGS).faces
    assert faces is not None
    assert faces.shape == (25, 16, 16, 3)
    # Compression moves a color by a few levels.
    np.testing.assert_allclose(faces.mean((0, 1, 2)), RED, atol=8)
    cached = prepare_trial(trial, SETTINGS, tracker)["faces"]
    np.testing.assert_allclose(cached.mean((0, 1, 2, 3)), RED, atol=8)


class RedCamera:
    """OpenCV's capture, which gives pictures as blue, green, red."""

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def get(self, what: int) -> float:
        return {cv2.CAP_PROP_FRAME_WIDTH: 64.0, cv2.CAP_PROP_FRAME_HEIGHT: 48.0}.get(
            what, 0.0
        )

    def set(self, what: int, value: float) -> None:
        pass

    def grab(self) -> bool:
        return True

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, np.full((48, 64, 3), RED[::-1], np.uint8)

    def release(self) -> None:
        pass


def test_a_camera_on_red_gives_frames_that_are_red_in_the_first_channel(
    tracker: FaceTracker,
) -> None:
    camera = Camera(
        clock=lambda: 1.0, tracker=tracker, open_device=lambda _: RedCamera()
    )
    assert camera.pull()
    frame = camera.ring.newest_frame
    assert frame is not None
    assert frame.image[0, 0].tolist() == list(RED)


def test_a_trials_crops_do_not_depend_on_the_trial_before(
    tmp_path: Path, tracker: FaceTracker
) -> None:
    light = trial_of(tmp_path / "light.mp4", (230, 230, 230))
    dark = trial_of(tmp_path / "dark.mp4", (20, 20, 20))  # nobody is seen in it
    alone = prepare_trial(dark, SETTINGS, tracker)
    before = prepare_trial(light, SETTINGS, tracker)
    after = prepare_trial(dark, SETTINGS, tracker)
    assert before["face_found"].all()
    assert not after["face_found"].any()
    assert before["faces"].mean() > 200 > 50 > alone["faces"].mean()
    np.testing.assert_array_equal(after["faces"], alone["faces"])
