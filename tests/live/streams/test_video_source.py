"""Video from LSL and files: the frames that offline keeps, and what goes wrong."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pylsl
import pytest
from source_helpers import Clock, NoFaces, connect, pull_until

from eav_live.recognition.predictions import StreamState
from eav_live.streams.frames import BacklogGuard, FrameKeeper
from eav_live.streams.video import FileVideo, LslVideo, frame_time
from eav_offline.common.errors import SourceRefused
from eav_offline.core.window import FaceFrame
from eav_offline.data.media import iter_frames, rgb
from eav_offline.data.recording import Recording, track_faces


def write_video(path: Path, n: int = 45, rate: int = 30, size: int = 64) -> None:
    """A bright box that moves over noise."""
    rng = np.random.default_rng(4)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, rate)
        for i in range(n):
            image = rng.integers(0, 60, (size, size, 3), dtype=np.uint8)
            image[8:24, i % 40 : i % 40 + 16] = 230
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = i
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def kept_offline(path: Path, seconds: float) -> list[FaceFrame]:
    recording = Recording("clip", seconds, None, 0.0, (), None, 0.0, path)
    faces = track_faces(recording, NoFaces())  # type: ignore[arg-type]
    assert faces is not None
    return faces


def same_frames(live: list[FaceFrame], offline: list[FaceFrame], t0: float) -> None:
    assert len(live) == len(offline)
    for a, b in zip(live, offline, strict=True):
        assert a.time - t0 == pytest.approx(b.time, abs=1e-9)
        assert np.array_equal(a.image, b.image)


def test_a_video_file_keeps_the_frames_that_offline_keeps(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path)
    clock, tracker = Clock(), NoFaces()
    source = FileVideo(path, clock, tracker)
    for _ in range(60):
        source.pull()
        clock.now += 0.04
    same_frames(source.ring.until(9e9), kept_offline(path, 9.0), 1000.0)
    assert tracker.resets == 1
    assert source.health(clock.now).state is StreamState.LOST
    assert source.detail == "file ended"


@pytest.mark.lsl
def test_video_over_lsl_keeps_the_frames_that_offline_keeps(
    tmp_path: Path, stream_name: str
) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path)
    info = pylsl.StreamInfo(stream_name, "VideoRaw", 64 * 64 * 3, 30, "int8", "video")
    info.desc().append_child_value("width", "64")
    info.desc().append_child_value("height", "64")
    outlet = pylsl.StreamOutlet(info, 1, 2)
    source = LslVideo(stream_name, tracker=NoFaces())
    connect(source)
    t0 = pylsl.local_clock() - 2.0
    last = 0.0
    for time_s, frame in iter_frames(path):
        outlet.push_chunk(rgb(frame).reshape(1, -1).view(np.int8), [t0 + time_s])
        last = t0 + time_s
    pull_until(source, lambda: source.ring.newest == last)
    same_frames(source.ring.until(9e9), kept_offline(path, 9.0), t0)
    source.stop()


def open_video(name: str) -> pylsl.StreamOutlet:
    """Frames of 4x4 pixels."""
    info = pylsl.StreamInfo(name, "VideoRaw", 48, 30, "int8", name)
    info.desc().append_child_value("width", "4")
    info.desc().append_child_value("height", "4")
    return pylsl.StreamOutlet(info)


@pytest.mark.lsl
def test_a_sender_that_is_five_seconds_behind_is_late_and_not_lost(
    stream_name: str,
) -> None:
    outlet = open_video(stream_name)
    ahead = Clock(0.0)
    source = LslVideo(
        stream_name, clock=lambda: pylsl.local_clock() + ahead.now, tracker=NoFaces()
    )
    connect(source)
    outlet.push_chunk(np.zeros((1, 48), np.int8), pylsl.local_clock() - 5)
    pull_until(source, lambda: source.ring.newest is not None)
    health = source.health(source.clock())
    assert health.state is StreamState.LATE
    assert "samples come late by 5." in health.notice
    ahead.now = 3.5  # and nothing came
    health = source.health(source.clock())
    assert (health.state, health.notice) == (StreamState.LOST, "")
    source.stop()


@pytest.mark.lsl
def test_video_of_another_shape_than_its_header_is_refused(stream_name: str) -> None:
    info = pylsl.StreamInfo(stream_name, "VideoRaw", 100, 30, "int8", "video")
    info.desc().append_child_value("width", "64")
    outlet = pylsl.StreamOutlet(info, 1, 2)
    source = LslVideo(stream_name, tracker=NoFaces())
    with pytest.raises(SourceRefused, match="width x height x 3 was expected"):
        connect(source)
    source.stop()
    del outlet


def test_a_failing_tracker_leaves_the_picture() -> None:
    class Broken(NoFaces):
        def update(self, image: np.ndarray, time: float) -> FaceFrame:
            raise RuntimeError("no network")

    keeper = FrameKeeper(Broken())
    image = np.zeros((32, 32, 3), np.uint8)
    keeper.take(1.0, lambda: image)
    frame = keeper.ring.newest_frame
    assert frame is not None
    assert frame.image is image
    assert not frame.found


def test_a_gap_between_frames_starts_the_tracker_anew() -> None:
    tracker = NoFaces()
    keeper = FrameKeeper(tracker)
    image = np.zeros((32, 32, 3), np.uint8)
    for t in [0.0, 0.2, 0.4, 1.2, 1.4]:
        keeper.take(t, lambda: image)
    assert tracker.resets == 2
    assert [f.time for f in keeper.ring.until(9.0)] == [1.2, 1.4]


def test_a_backlog_is_skipped_in_one_piece() -> None:
    guard = BacklogGuard()
    behind = [0.5, 1.9, 2.1, 1.5, 0.2, 0.05, 1.0]
    skipped = [guard.skip(b) for b in behind]
    assert skipped == [False, False, True, True, True, False, False]


def test_the_drivers_stamp_is_used_only_on_this_clock() -> None:
    assert frame_time(100.0, 99.96) == 99.96
    assert frame_time(100.0, 0.0) == 100.0
    assert frame_time(100.0, 1.7e9) == 100.0
