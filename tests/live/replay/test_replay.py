"""The replay: what is sent is what was recorded, stamped by index, at true pace."""

import json
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pylsl
import pytest
from source_helpers import wait_for

from eav_live.outlets.headers import StreamPlan
from eav_live.replay import TRIAL_GAP_SECONDS
from eav_live.replay.files import files_playlist, read_eeg, recording_from_files
from eav_live.replay.replay import Playlist, Replay, ReplayRefused
from eav_live.replay.session import _trial_end
from eav_live.replay.tracks import (
    MarkerTrack,
    SampleTrack,
    VideoTrack,
    file_frames,
    video_seconds,
)
from eav_live.streams import Arrival
from eav_live.streams.audio import LslAudio
from eav_live.streams.eeg import LslEeg
from eav_live.streams.markers import ReplayTruth
from eav_live.windows.rings import SampleRing
from eav_offline.core.window import EEG_CHANNELS
from eav_offline.data.media import MediaError, iter_frames, rgb
from eav_offline.data.recording import Recording
from eav_offline.data.sessions.session import Marker

RATE = 500.0
AUDIO_RATE = 8000
SECONDS = 1.0
SIZE = 32


class Sent:
    """An outlet that keeps what is pushed, and when."""

    def __init__(self) -> None:
        self.values: list[np.ndarray] = []
        self.stamps: list[float] = []

    def push_chunk(self, values: np.ndarray, stamps: list[float]) -> None:
        assert len(values) == len(stamps)
        self.values.extend(np.array(values))
        self.stamps.extend(stamps)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of pictures at 30 Hz with 0.9 s of sound."""
    path = tmp_path_factory.mktemp("media") / "clip.mp4"
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=30)
        video.width = video.height = SIZE
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = Fraction(1, 30)
        sound = container.add_stream("aac", rate=44_100, layout="mono")
        for i in range(30):
            image = rng.integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = i
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        wave = 0.1 * rng.standard_normal((1, 39_690)).astype(np.float32)
        block = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        block.rate = 44_100
        container.mux(sound.encode(block))
        container.mux(sound.encode(None))
    return path


def trial(number: int = 1, listening: bool = False, **changes: Any) -> Recording:
    rng = np.random.default_rng(number)
    n = round(SECONDS * RATE)
    values: dict[str, Any] = dict(
        name=f"subject1 trial {number:03d}",
        seconds=SECONDS,
        eeg_uv=(50 * rng.standard_normal((30, n))).astype(np.float32),
        eeg_rate=RATE,
        channels=EEG_CHANNELS,
        audio=None
        if listening
        else rng.uniform(-1, 1, round(SECONDS * AUDIO_RATE)).astype(np.float32),
        audio_rate=float(AUDIO_RATE),
        video=None,
        emotion=2,
        task="listening" if listening else "speaking",
        trial=number,
    )
    return Recording(**(values | changes))


class Listener:
    """Reads one stream of a replay, exactly as it comes."""

    def __init__(self, name: str) -> None:
        found = pylsl.resolve_byprop("name", name, minimum=1, timeout=5.0)
        assert found, f"no stream {name}"
        self._inlet = pylsl.StreamInlet(found[0], max_buflen=60, recover=False)
        self.header = self._inlet.info(5.0)
        self._inlet.open_stream(5.0)
        self.values: list[Any] = []
        self.stamps: list[float] = []
        self.arrivals: list[float] = []

    def read(self, until: Callable[[], bool]) -> None:
        deadline = pylsl.local_clock() + 20.0
        while not until():
            assert pylsl.local_clock() < deadline, f"{len(self.stamps)} samples came"
            values, stamps = self._inlet.pull_chunk(0.05, min_samples=1, as_numpy=True)
            self.values.extend(values)
            self.stamps.extend(stamps)
            self.arrivals.extend([pylsl.local_clock()] * len(stamps))


@pytest.fixture
def run() -> Iterator[Callable[[Replay], threading.Event]]:
    """Runs replays in threads and ends them."""
    running: list[tuple[threading.Event, threading.Thread]] = []

    def start(replay: Replay) -> threading.Event:
        stop = threading.Event()
        thread = threading.Thread(target=replay.run, args=(stop,), daemon=True)
        thread.start()
        running.append((stop, thread))
        return stop

    yield start
    for stop, thread in running:
        stop.set()
        thread.join(5.0)
        assert not thread.is_alive()


# One stream


def test_every_sample_is_stamped_by_its_index() -> None:
    outlet, values = Sent(), np.arange(1000, dtype=np.float32)[:, None]
    track = SampleTrack(outlet, values, RATE, t0=70_000.1)
    for now in [70_000.0, 70_000.1, 70_000.13, 70_000.9, 70_005.0]:
        track.push_until(now)
        assert all(stamp <= now for stamp in outlet.stamps)
    assert np.array_equal(outlet.values, values)
    assert outlet.stamps == (70_000.1 + np.arange(1000) / RATE).tolist()


def test_the_last_sample_is_sent_when_the_recording_is_over() -> None:
    for t0 in np.random.default_rng(0).uniform(0, 1e6, 200):
        outlet = Sent()
        SampleTrack(outlet, np.zeros((10_000, 1)), RATE, t0).push_until(t0 + 20.0)
        assert len(outlet.stamps) == 10_000


def test_short_material_is_repeated_with_continuous_stamps() -> None:
    outlet, values = Sent(), np.arange(70, dtype=np.float32)[:, None]
    track = SampleTrack(outlet, values, RATE, t0=10.0, wrap=True)
    track.push_until(10.3)
    track.push_until(10.5)
    assert outlet.stamps == (10.0 + np.arange(250) / RATE).tolist()
    assert np.array_equal(np.ravel(outlet.values), np.arange(250) % 70)


def test_a_start_in_the_middle_keeps_the_grid() -> None:
    outlet, values = Sent(), np.arange(1000, dtype=np.float32)[:, None]
    SampleTrack(outlet, values, RATE, t0=10.0, offset=0.7).push_until(11.0)
    assert outlet.stamps[0] == 10.0 + 350 / RATE
    assert outlet.values[0] == 350


def push_all(track: VideoTrack, outlet: Sent, n: int, now: float) -> None:
    pause = threading.Event()
    for _ in range(500):
        track.push_until(now)
        if len(outlet.stamps) >= n:
            break
        pause.wait(0.01)
    track.close()


def test_frames_are_sent_byte_by_byte_at_their_own_times(clip: Path) -> None:
    outlet = Sent()
    push_all(VideoTrack(outlet, file_frames(clip, t0=5.0)), outlet, 30, 100.0)
    decoded = [(time, rgb(frame)) for time, frame in iter_frames(clip)]
    assert outlet.stamps == [5.0 + time for time, _ in decoded]
    for sent, (_, image) in zip(outlet.values, decoded, strict=True):
        assert sent.dtype == np.int8
        assert np.array_equal(sent.view(np.uint8).reshape(image.shape), image)


def test_no_frame_is_sent_before_its_time(clip: Path) -> None:
    outlet = Sent()
    push_all(VideoTrack(outlet, file_frames(clip, t0=5.0)), outlet, 7, 5.21)
    assert len(outlet.stamps) == 7
    assert max(outlet.stamps) <= 5.21


def test_repeated_video_goes_on_in_even_steps(clip: Path) -> None:
    outlet = Sent()
    track = VideoTrack(outlet, file_frames(clip, t0=5.0, offset=0.5, wrap=True))
    push_all(track, outlet, 75, 8.0 - 1e-6)
    stamps = outlet.stamps[:75]
    np.testing.assert_allclose(stamps, 5.5 + np.arange(75) / 30, atol=1e-6)
    assert np.array_equal(outlet.values[15], outlet.values[45])


def test_sound_that_is_repeated_is_as_long_as_its_picture(clip: Path) -> None:
    assert video_seconds(clip) == pytest.approx(1.0, abs=1e-6)
    once, _ = recording_from_files(None, clip)
    assert once.audio is not None
    assert len(once.audio) < 42_000  # as the file has it
    looped, _ = recording_from_files(None, clip, loop=True)
    assert looped.audio is not None
    assert len(looped.audio) == 44_100


# Whole replays over LSL


@pytest.mark.lsl
def test_eeg_sound_and_frames_arrive_as_recorded(
    stream_name: str, run: Callable[[Replay], threading.Event], clip: Path
) -> None:
    recording = trial(video=clip)
    replay = Replay(
        Playlist([lambda: recording]), stream_name, wait_for_consumers_s=10.0
    )
    eeg = Listener(stream_name)
    audio = Listener(f"{stream_name}-Audio")
    video = Listener(f"{stream_name}-Video")
    run(replay)
    eeg.read(lambda: len(eeg.stamps) == 500)
    audio.read(lambda: len(audio.stamps) == AUDIO_RATE)
    video.read(lambda: len(video.stamps) == 30)
    assert recording.eeg_uv is not None
    assert recording.audio is not None
    t0 = eeg.stamps[0]
    assert np.array_equal(np.array(eeg.values).T, recording.eeg_uv)
    assert eeg.stamps == (t0 + np.arange(500) / RATE).tolist()
    assert np.array_equal(np.array(audio.values)[:, 0], recording.audio)
    assert audio.stamps == (t0 + np.arange(AUDIO_RATE) / AUDIO_RATE).tolist()
    for sent, stamp, (time, frame) in zip(
        video.values, video.stamps, iter_frames(clip), strict=True
    ):
        assert stamp == t0 + time
        assert np.array_equal(sent.view(np.uint8).reshape(SIZE, SIZE, 3), rgb(frame))


@pytest.mark.lsl
def test_headers_say_what_the_streams_carry(stream_name: str, clip: Path) -> None:
    replay = Replay(Playlist([lambda: trial(video=clip)]), stream_name)
    eeg = Listener(stream_name).header
    assert (eeg.type(), eeg.nominal_srate()) == ("EEG", RATE)
    assert eeg.get_channel_labels() == list(EEG_CHANNELS)
    assert set(eeg.get_channel_types()) == {"EEG"}
    assert set(eeg.get_channel_units()) == {"microvolts"}
    video = Listener(f"{stream_name}-Video").header
    assert video.type() == "VideoRaw"
    assert video.channel_format() == pylsl.cf_int8
    assert video.channel_count() == SIZE * SIZE * 3
    stated = [video.desc().child_value(k) for k in ("width", "height", "rate")]
    assert stated == ["32", "32", "30"]
    assert Listener(f"{stream_name}-Audio").header.type() == "Audio"
    markers = Listener(f"{stream_name}-Markers").header
    assert (markers.type(), markers.nominal_srate()) == ("Markers", 0)
    assert markers.desc().child_value("eav_replay") == "recorded"
    del replay


@pytest.mark.lsl
def test_trials_are_separated_in_stamps_and_announced(
    stream_name: str, run: Callable[[Replay], threading.Event]
) -> None:
    trials = [trial(1, listening=True), trial(2)]
    replay = Replay(
        Playlist([lambda: trials[0], lambda: trials[1]]),
        stream_name,
        wait_for_consumers_s=10.0,
    )
    eeg, markers = Listener(stream_name), Listener(f"{stream_name}-Markers")
    audio = Listener(f"{stream_name}-Audio")
    run(replay)
    eeg.read(lambda: len(eeg.stamps) == 1000)
    # A running trial's marker comes again each second, with the stamp it had.
    markers.read(lambda: len(set(markers.stamps)) == 2)
    audio.read(lambda: len(audio.stamps) == AUDIO_RATE)
    step = eeg.stamps[500] - eeg.stamps[499]
    assert step == pytest.approx(TRIAL_GAP_SECONDS + 1 / RATE, abs=0.05)
    assert eeg.arrivals[500] - eeg.arrivals[499] > 0.5 * TRIAL_GAP_SECONDS
    assert list(dict.fromkeys(markers.stamps)) == [eeg.stamps[0], eeg.stamps[500]]
    assert audio.stamps[0] == eeg.stamps[500]  # a listening trial has no sound
    second = json.loads(markers.values[-1][0])
    assert second["trial"] == 2
    assert second["task"] == "speaking"
    assert second["emotion"] == "anger"
    assert second["seconds"] == SECONDS


@pytest.mark.lsl
def test_no_stamp_lies_in_the_future_and_the_pace_is_true(
    stream_name: str, run: Callable[[Replay], threading.Event]
) -> None:
    silent = Playlist([lambda: trial(audio=None)])
    replay = Replay(silent, stream_name, wait_for_consumers_s=10.0)
    eeg = Listener(stream_name)
    run(replay)
    eeg.read(lambda: len(eeg.stamps) == 500)
    age = np.array(eeg.arrivals) - np.array(eeg.stamps)
    assert age.min() >= 0
    assert np.median(age) < 0.2
    assert eeg.arrivals[-1] - eeg.arrivals[0] > 0.9 * SECONDS


@pytest.mark.lsl
def test_the_truth_of_a_replayed_trial_is_known(
    stream_name: str, run: Callable[[Replay], threading.Event]
) -> None:
    replay = Replay(Playlist([trial]), stream_name, wait_for_consumers_s=10.0)
    truth = ReplayTruth(lambda: stream_name)
    truth.start()
    pause = threading.Event()
    while not replay.outlets.markers.have_consumers():
        pause.wait(0.02)
    eeg, audio = Listener(stream_name), Listener(f"{stream_name}-Audio")
    run(replay)
    eeg.read(lambda: len(eeg.stamps) > 100)
    t0 = eeg.stamps[0]
    for _ in range(200):
        if truth.at(t0 + 0.5):
            break
        pause.wait(0.02)
    assert truth.at(t0 + 0.5) == "anger"
    assert truth.at(t0 - 0.1) is None
    assert truth.at(t0 + SECONDS + 0.5) is None
    truth.stop()
    del audio


@pytest.mark.lsl
def test_a_reader_that_comes_in_mid_trial_learns_which_it_is(
    stream_name: str, run: Callable[[Replay], threading.Event]
) -> None:
    silent = Playlist([lambda: trial(audio=None)])
    replay = Replay(silent, stream_name, wait_for_consumers_s=10.0)
    eeg = Listener(stream_name)
    run(replay)
    eeg.read(lambda: len(eeg.stamps) > 100)
    markers = Listener(f"{stream_name}-Markers")
    markers.read(lambda: len(markers.stamps) == 1)
    assert markers.stamps == [eeg.stamps[0]]


@pytest.mark.lsl
def test_a_second_reader_learns_of_the_running_trial_and_the_first_of_one_trial(
    stream_name: str, run: Callable[[Replay], threading.Event]
) -> None:
    seconds = 8.0
    eeg_uv = np.zeros((30, round(seconds * RATE)), np.float32)
    playlist = Playlist([lambda: trial(eeg_uv=eeg_uv, audio=None, seconds=seconds)])
    replay = Replay(playlist, stream_name, wait_for_consumers_s=10.0)
    first, second = (ReplayTruth(lambda: stream_name) for _ in range(2))
    told: list[Arrival] = []
    first.listen(told.append)
    first.start()
    wait_for(replay.outlets.markers.have_consumers)
    eeg = Listener(stream_name)
    run(replay)
    wait_for(lambda: bool(told))
    second.start()
    eeg.read(lambda: len(eeg.stamps) > 0)
    t0 = eeg.stamps[0]
    wait_for(lambda: second.at(t0 + 0.5) == "anger", seconds)
    first.stop()
    second.stop()
    assert [float(arrival.stamps[0]) for arrival in told] == [t0]


class Outlet:
    """Notes what is pushed."""

    def __init__(self) -> None:
        self.pushed: list[tuple[str, float]] = []

    def have_consumers(self) -> bool:
        return True

    def push_sample(self, values: list[str], stamp: float) -> None:
        self.pushed.append((values[0], stamp))


def test_a_recorded_sessions_running_trial_is_said_again_each_second() -> None:
    text = json.dumps({"trial": 1, "emotion": "anger", "seconds": 3.0})
    markers = [Marker(10.0, text, "m"), Marker(11.5, "click", "m")]
    outlet = Outlet()
    moved = [(m.stamp + 100.0, m.text, _trial_end(m) + 100.0) for m in markers]
    track = MarkerTrack(outlet, moved)  # type: ignore[arg-type]
    for tick in range(60):
        track.push_until(110.0 + tick / 10)
    again = (text, 110.0)  # the stamp tells that it is the same trial
    assert outlet.pushed == [again, again, ("click", 111.5), again]


@pytest.mark.lsl
def test_start_skips_trials_and_seconds(
    stream_name: str, run: Callable[[Replay], threading.Event]
) -> None:
    trials = [trial(1), trial(2)]
    playlist = Playlist([lambda: trials[0], lambda: trials[1]])
    replay = Replay(playlist, stream_name, start=1.6, wait_for_consumers_s=10.0)
    eeg, audio = Listener(stream_name), Listener(f"{stream_name}-Audio")
    run(replay)
    eeg.read(lambda: len(eeg.stamps) == 200)
    assert trials[1].eeg_uv is not None
    assert np.array_equal(np.array(eeg.values).T, trials[1].eeg_uv[:, 300:])
    del audio


@pytest.mark.lsl
def test_a_loop_begins_again_after_the_last_trial(
    stream_name: str, run: Callable[[Replay], threading.Event]
) -> None:
    playlist = Playlist([trial], repeat=True)
    replay = Replay(playlist, stream_name, start=0.8, wait_for_consumers_s=10.0)
    eeg, audio = Listener(stream_name), Listener(f"{stream_name}-Audio")
    run(replay)
    eeg.read(lambda: len(eeg.stamps) >= 200)
    assert np.array_equal(eeg.values[100], trial().eeg_uv[:, 0])  # type: ignore[index]
    del audio


@pytest.mark.lsl
def test_a_damaged_trial_is_passed_over(
    stream_name: str, run: Callable[[Replay], threading.Event]
) -> None:
    def damaged() -> Recording:
        raise MediaError("002.mp4 is truncated")

    playlist = Playlist([damaged, lambda: trial(3)])
    replay = Replay(playlist, stream_name, wait_for_consumers_s=10.0)
    eeg, audio = Listener(stream_name), Listener(f"{stream_name}-Audio")
    run(replay)
    eeg.read(lambda: len(eeg.stamps) == 500)
    assert np.array_equal(eeg.values[0], trial(3).eeg_uv[:, 0])  # type: ignore[index]
    del audio


def test_a_start_behind_the_end_is_refused(stream_name: str) -> None:
    replay = Replay(Playlist([trial]), stream_name, start=7.0)
    with pytest.raises(ReplayRefused, match="--start 7 lies behind the end"):
        replay.run(threading.Event())


def test_nothing_to_publish_is_refused(stream_name: str) -> None:
    empty = trial(eeg_uv=None, audio=None)
    with pytest.raises(ReplayRefused, match="none of the recordings"):
        Replay(Playlist([lambda: empty]), stream_name)


def test_streams_are_planned_from_the_first_trials_that_have_them() -> None:
    plan = StreamPlan().extended(trial(1, listening=True))
    assert plan.audio_rate is None
    assert plan.extended(trial(2)).audio_rate == AUDIO_RATE


# Files


def test_volts_become_microvolts_and_triggers_stay_out(tmp_path: Path) -> None:
    import mne

    names = ["EEG Fp1", "EEG Cz", "ECG ECG", "Status"]
    info = mne.create_info(names, 250.0, ["eeg", "eeg", "eeg", "stim"])
    data = np.arange(4 * 500).reshape(4, 500) * 1e-6
    mne.io.RawArray(data, info, verbose="error").save(
        tmp_path / "x_raw.fif", verbose="error"
    )
    uv, rate, labels, kinds = read_eeg(tmp_path / "x_raw.fif")
    assert labels == ("EEG Fp1", "EEG Cz", "ECG ECG")
    assert kinds == ("EEG", "EEG", "ECG")
    assert rate == 250.0
    np.testing.assert_allclose(uv, data[:3] * 1e6, rtol=1e-5)


def test_a_file_that_is_no_recording_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "notes.edf").write_text("nothing")
    with pytest.raises(ReplayRefused, match=r"--eeg: .*notes\.edf cannot be read"):
        files_playlist(tmp_path / "notes.edf", None)
    with pytest.raises(ReplayRefused, match=r"--media: .*notes\.edf"):
        files_playlist(None, tmp_path / "notes.edf")


@pytest.mark.lsl
def test_a_real_recording_with_a_talking_head_is_replayed_and_understood(
    stream_name: str,
    run: Callable[[Replay], threading.Event],
    test_data: Callable[[str], Path],
) -> None:
    edf = test_data("eegmat_edf/Subject00_1.edf")
    head = test_data("face_clips/bbaf2n.mpg")
    replay = Replay(files_playlist(edf, head, loop=True), stream_name)
    eeg = LslEeg(stream_name, max_missing=11)
    audio = LslAudio(f"{stream_name}-Audio")
    for source in (eeg, audio):
        source.start()
    run(replay)

    def filled(ring: SampleRing | None, seconds: float) -> bool:
        return ring is not None and ring.filled >= seconds

    pause = threading.Event()
    for _ in range(600):
        if filled(eeg.ring, 4.0) and filled(audio.ring, 4.0):  # the clip has 3 s
            break
        pause.wait(0.05)
    health = eeg.health(pylsl.local_clock())
    for source in (eeg, audio):
        source.stop()
    assert len(eeg.interpolated) == 11, health.detail
    assert "FC5" in eeg.interpolated
    assert eeg.ring is not None
    assert audio.ring is not None
    assert audio.ring.filled >= 4.0
    uv, _, labels, kinds = read_eeg(edf)
    assert kinds[labels.index("ECG ECG")] == "ECG"
    times, values = eeg.ring.latest(2.0)
    assert np.allclose(np.diff(times), 1 / RATE, atol=1e-6)
    t7 = uv[labels.index("EEG T3")]
    newest = values[-500:, EEG_CHANNELS.index("T7")]
    windows = np.lib.stride_tricks.sliding_window_view(t7, 500)
    assert np.abs(windows - newest).max(axis=1).min() == 0.0
