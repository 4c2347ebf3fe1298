import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from benchmarks.__main__ import main, parser
from benchmarks.offline.prepare import (
    ClipFaces,
    compare,
    find_clips,
    plain_loop,
    summarize,
)
from eav_offline.common.errors import InputRefused
from eav_offline.data.synthetic.face import FaceRenderer
from eav_offline.data.synthetic.portrait import random_look
from eav_offline.data.synthetic.video import clip_poses

NOBODY = np.zeros((0, 4))
LEFT = np.array([[100.0, 100, 200, 200]])
NEARLY_LEFT = np.array([[100.0, 100, 200, 190]])  # overlaps LEFT by 0.9
RIGHT = np.array([[400.0, 100, 500, 200]])
BOTH = np.concatenate([LEFT, RIGHT])  # LEFT counts as the largest


def faces(*boxes: np.ndarray) -> ClipFaces:
    return ClipFaces(list(boxes), 0.1, 1)


def clip_figures(**changed: Any) -> dict[str, Any]:
    figures = compare("clip", faces(LEFT, LEFT), faces(LEFT, NEARLY_LEFT))
    return {**figures, **changed}


@pytest.mark.parametrize(
    ("plain", "ours", "lost", "other"),
    [
        (LEFT, NEARLY_LEFT, 0, 0),
        (LEFT, NOBODY, 1, 0),
        (LEFT, RIGHT, 1, 0),
        (BOTH, RIGHT, 0, 1),
        (NOBODY, LEFT, 0, 0),
        (NOBODY, NOBODY, 0, 0),
    ],
)
def test_a_face_is_lost_where_ours_has_none_of_the_plain_loops_faces(
    plain: np.ndarray, ours: np.ndarray, lost: int, other: int
) -> None:
    figures = compare("clip", faces(plain), faces(ours))
    assert (figures["faces_lost"], figures["other_face"]) == (lost, other)


def test_overlap_is_with_the_plain_loops_largest_face_where_both_find_one() -> None:
    plain = faces(LEFT, LEFT, NOBODY, BOTH)
    ours = faces(NEARLY_LEFT, NOBODY, LEFT, RIGHT)
    figures = compare("clip", plain, ours)
    assert figures["ious"] == pytest.approx([0.9, 0.0])
    assert (figures["faces_found_plain"], figures["faces_found_ours"]) == (3, 3)


def test_speedup_is_the_median_of_the_repeats() -> None:
    figures = summarize([clip_figures()], [6.0, 8.0, 30.0], [1.0, 1.0, 1.0])
    assert figures["speedup"] == pytest.approx(8.0)
    assert figures["speedup_range"] == pytest.approx([6.0, 30.0])
    assert figures["frames_per_second_plain"] == pytest.approx(2 / 8.0)
    assert figures["median_iou"] == pytest.approx(0.95)
    assert figures["passed"]


@pytest.mark.parametrize(
    ("changed", "plain_s"),
    [({"faces_lost": 1}, 8.0), ({"ious": [0.89]}, 8.0), ({}, 4.9)],
)
def test_a_lost_face_a_poor_overlap_or_a_slow_run_fails(
    changed: dict[str, Any], plain_s: float
) -> None:
    assert not summarize([clip_figures(**changed)], [plain_s], [1.0])["passed"]


def test_a_folder_is_searched_for_videos_and_each_is_taken_once(tmp_path: Path) -> None:
    for name in ("b.MP4", "a.mpg", "notes.md", "deep/c.mov"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_clips([tmp_path / "b.MP4", tmp_path])
    names = [path.relative_to(tmp_path).as_posix() for path in found]
    assert names == ["b.MP4", "a.mpg", "deep/c.mov"]


def test_clips_that_are_not_there_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"gone\.mp4"):
        find_clips([tmp_path / "gone.mp4"])
    with pytest.raises(InputRefused, match="no video there"):
        find_clips([tmp_path])


@pytest.mark.parametrize("option", ["--repeats", "--jobs", "--threads"])
def test_counts_below_one_are_refused(option: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(["prepare", option, "0"])


def test_the_plain_loop_repeats_the_crop_where_it_finds_no_face() -> None:
    class EverySecondFrame:
        calls = 0

        def detect(self, image: np.ndarray) -> tuple[np.ndarray | None, None]:
            self.calls += 1
            return (LEFT if self.calls % 2 else None), None

    images = [np.full((480, 640, 3), shade, np.uint8) for shade in (10, 20, 30)]
    boxes, crops = plain_loop(EverySecondFrame(), images)
    assert [len(found) for found in boxes] == [1, 0, 1]
    assert crops[:, 0, 0, 0].tolist() == [10, 10, 30]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second and a half of a synthetic face."""
    path = tmp_path_factory.mktemp("clips") / "face.mp4"
    renderer = FaceRenderer(random_look(np.random.default_rng(3)))
    poses = clip_poses(3, 1, 2, np.array([3, 1, 2, 4]), True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.bit_rate = 640, 480, 4_000_000
        for pose in poses[:48:6]:
            picture = av.VideoFrame.from_ndarray(renderer.draw(pose), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def test_the_bench_measures_both_ways_on_the_same_frames(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "figures.json"
    words = ["--clips", str(clip), "--repeats", "1", "--jobs", "1", "--threads", "1"]
    options = parser().parse_args(["prepare", *words, "--json", str(out)])
    options.command(options)
    figures = json.loads(out.read_text())
    assert figures["frames"] == 8
    assert figures["faces_found_plain"] == figures["faces_found_ours"] == 8
    assert figures["faces_lost"] == 0
    assert figures["median_iou"] >= 0.85
    assert figures["speedup"] > 1.0
    assert figures["environment"]["threads_of_plain_loop"] == 1
    assert {"python", "machine", "cores", "load_average_before"} <= set(
        figures["environment"]
    )
    assert "face.mp4" in capsys.readouterr().out


@pytest.mark.slow
def test_real_talking_heads_keep_their_faces(
    test_data: Callable[[str], Path], tmp_path: Path
) -> None:
    clips = [str(path) for path in sorted(test_data("face_clips").glob("*.mpg"))]
    out = tmp_path / "figures.json"
    # How fast depends on what else the computer does; the exit code may say so.
    main(["prepare", "--clips", *clips, "--threads", "1", "--repeats", "1",
          "--jobs", "2", "--json", str(out)])  # fmt: skip
    figures = json.loads(out.read_text())
    assert figures["faces_lost"] == 0
    assert figures["median_iou"] >= 0.9
    assert figures["faces_found_ours"] == figures["frames"] == 60
