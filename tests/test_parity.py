"""Live equals offline: windows from real LSL streams against the recording's own."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mne
import numpy as np
import pytest

from eav_live.replay.files import files_playlist
from eav_live.replay.replay import Playlist, Replay
from eav_live.streams.audio import LslAudio
from eav_live.streams.eeg import LslEeg
from eav_live.streams.video import LslVideo
from eav_live.windows.cut import Rings, cut_window
from eav_offline.core.window import EEG_CHANNELS, FaceFrame, RawWindow
from eav_offline.data.eav.subject import open_subject
from eav_offline.data.recording import Recording, cut, track_faces
from eav_offline.preprocess import Inputs, PreprocessSettings, prepare
from eav_offline.preprocess.face import FaceTracker

pytestmark = [pytest.mark.lsl, pytest.mark.timeout(240)]

TRIAL_ENDS = (5.0, 6.1, 7.35, 10.0, 12.5, 15.0, 18.604, 20.0)
CONTINUOUS_ENDS = (15.0, 16.3, 17.5)
CONSUMERS_SECONDS = 30.0


@dataclass
class Replayed:
    """A recording, what came of it over LSL, and where it began on LSL's clock."""

    recording: Recording
    faces: list[FaceFrame] | None
    rings: Rings
    t0: float


class Subscriber:
    """One recording replayed in a thread, and the three sources that listen."""

    def __init__(self, playlist: Playlist, name: str) -> None:
        self.recording = playlist.recordings[0]()
        self.eeg = LslEeg(name)
        self.audio = LslAudio(f"{name}-Audio")
        self.video = LslVideo(f"{name}-Video")
        # The whole recording, to look at any of its windows afterwards.
        self.video.ring.keep(60.0)
        self._stop = threading.Event()
        replay = Replay(playlist, name, wait_for_consumers_s=CONSUMERS_SECONDS)
        self._thread = threading.Thread(target=replay.run, args=(self._stop,))

    def start(self) -> None:
        for source in (self.eeg, self.audio, self.video):
            source.start()
        self._thread.start()

    def finish(self) -> Replayed:
        self._thread.join(90)
        assert not self._thread.is_alive()
        faces = track_faces(self.recording, FaceTracker())
        # The last frames may still be on their way through the face tracker.
        rings = Rings(self.eeg.ring, self.audio.ring, self.video.ring)
        assert rings.eeg is not None
        times, _ = rings.eeg.latest(1000)
        return Replayed(self.recording, faces, rings, float(times[0]))

    def stop(self) -> None:
        self._stop.set()
        for source in (self.eeg, self.audio, self.video):
            source.stop()
        self._thread.join(10)


@pytest.fixture(scope="module")
def replayed(
    synthetic_subject: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Replayed]]:
    """A trial, and a continuous recording from files, both over LSL at once."""
    subject = open_subject(synthetic_subject)
    trial = subject.trials("speaking")[0]
    folder = tmp_path_factory.mktemp("continuous")
    rng = np.random.default_rng(5)
    steps = rng.standard_normal((30, 9000)) * 2e-6
    info = mne.create_info(list(EEG_CHANNELS), 500.0, "eeg")
    eeg_file = folder / "rest_eeg.fif"
    raw = mne.io.RawArray(np.cumsum(steps, axis=1), info, verbose="error")
    raw.save(eeg_file, verbose="error")
    media = sorted((synthetic_subject / "Video").glob("*Speaking*.mp4"))[1]
    subscribers = {
        "trial": Subscriber(
            Playlist([lambda: subject.recording(trial)]), "Parity-Trial"
        ),
        "continuous": Subscriber(
            files_playlist(eeg_file, media, loop=False), "Parity-Continuous"
        ),
    }
    try:
        for subscriber in subscribers.values():
            subscriber.start()
        yield {name: s.finish() for name, s in subscribers.items()}
    finally:
        for subscriber in subscribers.values():
            subscriber.stop()


def both(replayed: Replayed, t_end: float) -> tuple[RawWindow, RawWindow]:
    """The window as it was live, and as it is offline."""
    now = replayed.t0 + t_end
    live = cut_window(replayed.rings, now, now).raw
    return live, cut(replayed.recording, replayed.faces, t_end)


def assert_equal_inputs(live: Inputs, offline: Inputs) -> None:
    assert live.present == offline.present
    if offline.eeg is not None:
        assert live.eeg is not None
        error = np.abs(live.eeg - offline.eeg).max() / np.abs(offline.eeg).max()
        assert error <= 1e-5
    if offline.log_mel is not None:
        assert live.log_mel is not None
        assert np.abs(live.log_mel - offline.log_mel).max() <= 1e-4
    if offline.faces is not None:
        # A box that is rounded the other way moves its crop by a pixel.
        apart = live.faces.astype(int) - offline.faces
        assert np.abs(apart).mean() < 1
        np.testing.assert_array_equal(live.face_found, offline.face_found)


@pytest.mark.parametrize("t_end", TRIAL_ENDS)
def test_windows_of_a_trial_are_the_same_live_and_offline(
    replayed: dict[str, Replayed], t_end: float
) -> None:
    live, offline = both(replayed["trial"], t_end)
    assert_equal_inputs(prepare(live), prepare(offline))
    assert prepare(offline).present == ("eeg", "audio", "video")


@pytest.mark.parametrize("t_end", CONTINUOUS_ENDS)
def test_windows_of_a_continuous_recording_have_full_context(
    replayed: dict[str, Replayed], t_end: float
) -> None:
    live, offline = both(replayed["continuous"], t_end)
    assert live.eeg_uv is not None
    assert live.eeg_uv.shape == (30, 7500)
    assert_equal_inputs(prepare(live), prepare(offline))
    assert "video" in prepare(offline).present


def test_a_notch_is_the_same_live_and_offline(replayed: dict[str, Replayed]) -> None:
    live, offline = both(replayed["trial"], 12.5)
    settings = PreprocessSettings(notch_hz=50)
    assert_equal_inputs(prepare(live, settings), prepare(offline, settings))


@pytest.mark.parametrize("t_end", [5.0, 12.5, 20.0])
def test_the_same_25_frames_are_taken(
    replayed: dict[str, Replayed], t_end: float
) -> None:
    live, offline = both(replayed["trial"], t_end)
    assert live.frames is not None
    assert offline.frames is not None
    assert len(live.frames) == 25
    for ours, theirs in zip(live.frames, offline.frames, strict=True):
        assert ours.time - replayed["trial"].t0 == pytest.approx(theirs.time, abs=1e-6)
        np.testing.assert_array_equal(ours.image, theirs.image)
        np.testing.assert_allclose(ours.box, theirs.box, rtol=0, atol=1 / 8)


def test_nothing_is_lost_between_recording_and_ring(
    replayed: dict[str, Replayed],
) -> None:
    trial = replayed["trial"]
    assert trial.rings.eeg is not None
    assert trial.rings.audio is not None
    _, eeg = trial.rings.eeg.latest(1000)
    np.testing.assert_array_equal(eeg.T, trial.recording.eeg_uv)
    _, audio = trial.rings.audio.latest(1000)
    np.testing.assert_array_equal(audio[:, 0], trial.recording.audio)
    assert trial.rings.eeg.gaps == trial.rings.audio.gaps == 0
