"""Rings and windows: gaps, staleness, where a window ends, live against offline."""

import numpy as np
import pytest

from eav_live.windows.cut import Rings, cut_window, newest_end
from eav_live.windows.rings import FrameRing, SampleRing
from eav_offline.core.window import FaceFrame, nearest_frames, window_times
from eav_offline.data.recording import Recording, cut

IMAGE = np.zeros((4, 4, 3), dtype=np.uint8)
BOX = np.array([0, 0, 4, 4], dtype=np.float32)


def filled_ring(
    rate: float, t0: float, n: int, width: int = 1, chunk: int = 10
) -> SampleRing:
    ring = SampleRing(rate, width, 60)
    values = np.arange(n * width, dtype=np.float32).reshape(n, width)
    for i in range(0, n, chunk):
        times = t0 + np.arange(i, min(n, i + chunk)) / rate
        ring.extend(times, values[i : i + chunk])
    return ring


def filled_frames(t0: float, n: int, begins: tuple[int, ...] = (0,)) -> FrameRing:
    ring = FrameRing(60)
    for i in range(n):
        ring.append(FaceFrame(t0 + i / 5, IMAGE, BOX, True), i in begins)
    return ring


def test_ring_returns_the_samples_before_the_end() -> None:
    stretch = filled_ring(100, 50.0, 1000).until(55.0, 2.0)
    assert stretch is not None
    assert stretch.values[:, 0].tolist() == list(range(300, 500))
    assert stretch.first == pytest.approx(53.0)


@pytest.mark.parametrize("chunk", [1, 7, 64, 1000])
def test_chunk_sizes_do_not_matter(chunk: int) -> None:
    stretch = filled_ring(100, 0.0, 1000, chunk=chunk).until(9.0, 5.0)
    assert stretch is not None
    assert stretch.values[:, 0].tolist() == list(range(400, 900))


def test_ring_forgets_what_is_older_than_its_length() -> None:
    ring = SampleRing(100, 1, 10)
    for i in range(1000):
        times = (i * 10 + np.arange(10)) / 100
        ring.extend(times, np.full((10, 1), i, dtype=np.float32))
    times, values = ring.latest(1000)
    assert times[-1] == pytest.approx(99.99)
    assert 10 <= len(times) / 100 <= 20
    stretch = ring.until(99.0, 5.0)
    assert stretch is not None
    assert len(stretch.values) == 500
    np.testing.assert_array_equal(np.diff(times) > 0, True)


def test_samples_before_a_gap_are_not_joined_to_those_after_it() -> None:
    ring = filled_ring(100, 0.0, 600)
    ring.extend(6.06 + np.arange(200) / 100, np.zeros((200, 1), dtype=np.float32))
    assert ring.gaps == 1
    stretch = ring.until(8.0, 5.0)
    assert stretch is not None
    assert stretch.first == pytest.approx(6.06)
    assert ring.filled == pytest.approx(2.0)
    before = ring.until(6.0, 5.0)
    assert before is not None
    assert len(before.values) == 500


def test_gaps_survive_the_move_to_the_front_of_the_ring() -> None:
    ring = SampleRing(100, 1, 4)
    t = 0.0
    for _ in range(40):  # one gap every second, far beyond the ring's room
        ring.extend(t + np.arange(100) / 100, np.zeros((100, 1), dtype=np.float32))
        t += 1.5
        assert ring.filled == pytest.approx(1.0)


def test_a_step_back_in_time_empties_the_ring() -> None:
    ring = filled_ring(100, 100.0, 600)
    ring.extend(20.0 + np.arange(10) / 100, np.ones((10, 1), dtype=np.float32))
    assert ring.until(105.0, 1.0) is None
    assert ring.newest == pytest.approx(20.09)
    assert ring.filled == pytest.approx(0.1)


def test_a_marked_gap_separates_though_stamps_run_on() -> None:
    ring = filled_ring(100, 0.0, 600)
    ring.mark_gap()
    ring.extend(6.0 + np.arange(10) / 100, np.ones((10, 1), dtype=np.float32))
    assert ring.filled == pytest.approx(0.1)


def test_a_window_that_has_not_arrived_yet_is_none() -> None:
    assert filled_ring(100, 0.0, 600).until(6.1, 5.0) is None


def test_window_ends_at_the_oldest_newest_sample() -> None:
    rings = Rings(
        filled_ring(100, 0.0, 1000), filled_ring(1000, 0.0, 9800), filled_frames(0, 50)
    )
    assert newest_end(rings, 10.0) == pytest.approx(9.79)  # on the sound's 10 ms grid


def test_a_stale_stream_does_not_hold_the_others_back() -> None:
    rings = Rings(filled_ring(100, 0.0, 1000), filled_ring(1000, 0.0, 8000), None)
    assert newest_end(rings, 10.0) == pytest.approx(9.99)
    window = cut_window(rings, 9.99, 10.0)
    assert window.raw.audio is None
    assert "2.0 s old" in window.reasons["audio"]


def test_nothing_fresh_means_no_window() -> None:
    assert newest_end(Rings(filled_ring(100, 0, 100), None, None), 20.0) is None
    assert newest_end(Rings(None, None, None), 20.0) is None


def test_a_stream_short_of_five_seconds_is_left_out_and_says_so() -> None:
    rings = Rings(filled_ring(100, 6.0, 400), None, filled_frames(0.0, 50))
    window = cut_window(rings, 9.99, 10.0)
    assert window.raw.eeg_uv is None
    assert window.reasons["eeg"] == "collecting 4.0 of 5 s"
    assert window.raw.frames is not None


def test_numbers_that_are_not_are_left_out() -> None:
    ring = SampleRing(100, 1, 60)
    values = np.zeros((1000, 1), dtype=np.float32)
    values[900] = np.nan
    ring.extend(np.arange(1000) / 100, values)
    window = cut_window(Rings(ring, None, None), 9.9, 10.0)
    assert window.raw.eeg_uv is None
    assert "not numbers" in window.reasons["eeg"]


def test_eeg_comes_with_the_ten_seconds_before_its_window() -> None:
    # They settle the filter; sound needs none. Docs: window, "up to ten seconds".
    eeg, audio = filled_ring(100, 0.0, 3000), filled_ring(1000, 0.0, 30_000)
    live = cut_window(Rings(eeg, audio, None), 20.0, 20.0).raw
    assert live.eeg_uv is not None
    assert live.audio is not None
    assert live.eeg_uv[0].tolist() == list(range(500, 2000))
    assert live.audio.tolist() == list(range(15_000, 20_000))
    whole = np.arange(3000, dtype=np.float32)[None]
    sound = np.arange(30_000, dtype=np.float32)
    recording = Recording("one", 30.0, whole, 100, ("Fp1",), sound, 1000, None)
    offline = cut(recording, None, 20.0)
    np.testing.assert_array_equal(offline.eeg_uv, live.eeg_uv)
    np.testing.assert_array_equal(offline.audio, live.audio)
    early = cut(recording, None, 7.0)  # as much as there is
    assert early.eeg_uv is not None
    assert early.eeg_uv.shape[1] == 700


def test_frames_before_a_gap_are_not_used() -> None:
    ring = filled_frames(0.0, 50, begins=(0, 30))
    assert len(ring.until(10.0)) == 20
    assert ring.gaps == 1
    window = cut_window(Rings(None, None, ring), 9.9, 10.0)
    assert window.raw.frames is None


def test_long_enough_pictures_with_holes_are_not_said_to_be_collected() -> None:
    late = cut_window(Rings(None, None, filled_frames(0.0, 50)), 10.3, 10.3)
    assert late.raw.frames is None
    assert late.reasons["video"] == "pictures are missing"
    short = cut_window(Rings(None, None, filled_frames(0.0, 10)), 2.0, 2.0)
    assert short.reasons["video"] == "collecting 2.0 of 5 s"


def test_frames_are_the_nearest_and_ties_go_to_the_earlier() -> None:
    times = np.arange(100) / 5
    np.testing.assert_array_equal(nearest_frames(times, 5.0), np.arange(25))
    # 5.5 wants 0.5, 0.7 ...: half-way, and rounding noise must not decide.
    for noise in (-1e-9, 0.0, 1e-9):
        np.testing.assert_array_equal(
            nearest_frames(times, 5.5 + noise), np.arange(2, 27)
        )


def test_frames_that_do_not_reach_over_the_window_are_refused() -> None:
    assert nearest_frames(np.arange(20) / 5, 5.0) is None
    assert nearest_frames(np.zeros(0), 5.0) is None
    assert len(window_times(5.0)) == 25


@pytest.mark.parametrize("t_end", [5.0, 7.5, 10.0, 13.333, 19.998])
def test_live_rings_give_the_windows_of_the_recording(t_end: float) -> None:
    rng = np.random.default_rng(0)
    eeg = rng.standard_normal((30, 10_000)).astype(np.float32)
    audio = rng.standard_normal(882_000).astype(np.float32)
    recording = Recording(
        name="test",
        seconds=20.0,
        eeg_uv=eeg,
        eeg_rate=500.0,
        channels=(),
        audio=audio,
        audio_rate=44_100.0,
        video=None,
    )
    faces = [FaceFrame(i / 5, IMAGE, BOX, True) for i in range(100)]
    t0 = 123_456.789  # where the stretch begins on the streams' clock
    eeg_ring, audio_ring = SampleRing(500, 30, 60), SampleRing(44_100, 1, 60)
    eeg_ring.extend(t0 + np.arange(10_000) / 500, eeg.T)
    audio_ring.extend(t0 + np.arange(882_000) / 44_100, audio[:, None])
    frames = FrameRing(60)
    for i, face in enumerate(faces):
        frames.append(FaceFrame(t0 + face.time, IMAGE, BOX, True), i == 0)
    live = cut_window(Rings(eeg_ring, audio_ring, frames), t0 + t_end, t0 + 20.1).raw
    offline = cut(recording, faces, t_end)
    np.testing.assert_array_equal(live.eeg_uv, offline.eeg_uv)
    np.testing.assert_array_equal(live.audio, offline.audio)
    assert live.frames is not None
    assert offline.frames is not None
    np.testing.assert_allclose(
        [f.time - t0 for f in live.frames],
        [f.time for f in offline.frames],
        atol=1e-6,
    )


def test_a_ring_of_another_rate_goes_on_counting_gaps() -> None:
    before = filled_ring(500, 0.0, 100)
    before.extend(np.array([2.0]), np.zeros((1, before.width), "f4"))
    after = SampleRing(250, before.width, 5)
    after.follow(before)
    assert (before.gaps, after.gaps) == (1, 2)
