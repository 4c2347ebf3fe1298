"""From cues to a model: collect, import, prepare, train, and the model loads live."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest
from collect_helpers import FakeSource as Stream
from collect_helpers import load_script
from planted import tiny_config
from recorded import CONSENT, audio_arrival, eeg_arrival, frame_arrival
from source_helpers import Clock, wait_for

from eav_live.collect.running import Collecting
from eav_live.recognition.recognizer import Recognizer
from eav_live.recording.recorder import Recorder
from eav_live.replay.replay import Playlist, Replay
from eav_live.session.intake import Intake
from eav_offline.cli import main as offline
from eav_offline.config import to_toml
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.window import EEG_CHANNELS
from eav_offline.data.eav.subject import open_subject
from eav_offline.data.media import iter_frames, rgb
from eav_offline.data.recording import Recording
from eav_offline.data.sessions.session import read_session

FACES = ("--faces", "off", "--face-size", "16")  # looking for them takes long
SHRINK = 4  # and so does writing large frames
ROUNDS = 2  # trials of each emotion: one to train on, one to test


def script(folder: Path, instructions_s: float = 0.0) -> Path:
    """Speaking trials of all emotions, in class order, as often as `ROUNDS`."""
    page = 'instructions = "Speak."' if instructions_s else ""
    lines = [
        *('title = "Short"', page, f"instructions_s = {instructions_s}"),
        *("countdown_s = 1", "rest_s = 1", "[[blocks]]", 'name = "All"'),
        f"repeat = {ROUNDS}",
    ]
    for emotion in EMOTIONS:
        lines += ["[[blocks.trials]]", 'task = "speaking"', f'emotion = "{emotion}"']
        lines += ['text = "Speak."']
    path = folder / "short.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def trials_by_emotion(subject: Path) -> dict[str, Recording]:
    person = open_subject(subject)
    recordings = [person.recording(t) for t in person.trials("speaking")]
    return {EMOTIONS[r.emotion]: r for r in recordings if r.emotion is not None}


def train(folder: Path, recording: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Import, prepare and train as a user does. Returns the checkpoint."""
    people, cache, run = folder / "people", folder / "cache", folder / "run"
    config = folder / "tiny.toml"
    config.write_text(to_toml(tiny_config()), encoding="utf-8")
    for command in (
        ["import", str(recording), "--out", str(people), "--subject", "1"],
        ["prepare", str(people), "--out", str(cache), "--jobs", "1", *FACES],
        ["train", "--data", str(cache), "--out", str(run), "--config", str(config)],
    ):
        assert offline(command) == 0, capsys.readouterr().err
    return run / "model.safetensors"


class Person:
    """Sends what a recording holds of each trial that runs, tick by tick."""

    def __init__(self, trials: dict[str, Recording]) -> None:
        self.streams = {"eeg": Stream(), "audio": Stream(), "video": Stream()}
        self._trials = trials
        self._frames = {
            emotion: [
                np.ascontiguousarray(rgb(frame)[::SHRINK, ::SHRINK])
                for k, (_, frame) in enumerate(iter_frames(trial.video))
                if k % 6 == 0 and k < 600
            ]
            for emotion, trial in trials.items()
            if trial.video is not None
        }
        self.sent = 0  # fifths of a second

    def send_until(self, now: float, began: float, emotion: str, into: float) -> None:
        """Fifths of a second up to `now`; those of a trial are `into` it, seconds."""
        trial = self._trials[emotion]
        assert trial.eeg_uv is not None
        assert trial.audio is not None
        rate = trial.audio_rate
        while began + (self.sent + 1) / 5 <= now + 1e-9:
            t = began + self.sent / 5
            k = round(5 * max(0.0, into - (now - t))) % 100
            eeg = trial.eeg_uv[:, 100 * k : 100 * k + 100]
            start = round(k * rate / 5)
            sound = trial.audio[start : start + round(rate / 5)]
            self._offer("eeg", eeg_arrival(eeg, t, note="synthetic"))
            self._offer("audio", audio_arrival(sound, t, rate))
            image = self._frames[emotion][k]
            self._offer("video", frame_arrival(image, t, self.sent == 0))
            self.sent += 1

    def _offer(self, modality: str, arrival: object) -> None:
        for listener in self.streams[modality].listeners:
            listener(arrival)  # type: ignore[arg-type]


def kept_up(recorder: Recorder, person: Person) -> bool:
    return recorder.status.written.get("video", 0) >= person.sent - 50


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_collected_session_becomes_a_model_that_runs_live(
    tmp_path: Path, synthetic_subject: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a fake clock, with the second trial repeated half-way through."""
    loaded = load_script(script(tmp_path))
    person, clock = Person(trials_by_emotion(synthetic_subject)), Clock(5000.0)
    intake = Intake(person.streams, clock)
    path = tmp_path / "P01.xdf"
    began = clock.now
    with Recorder(path, CONSENT, intake, {"collect": loaded.as_json()}) as recorder:
        session = Collecting(loaded, intake, recorder)
        course = session.course
        while not course.finished:
            session.tick()
            left = course.left(clock.now) if course.phase == "trial" else 20.0
            into = 20.0 - (20.0 if left is None else left)
            person.send_until(clock.now, began, course.trial.emotion, into)
            if course.trial.number == 2 and course.attempt == 1 and into > 8:
                session.repeat()
            # Time goes faster here than a disk can write.
            wait_for(partial(kept_up, recorder, person), 60)
            clock.now += 0.2
    read = read_session(path)
    assert read.settings["collect"]["plan"][1]["emotion"] == "sadness"
    events = [marker.as_object()["event"] for marker in read.markers]
    assert events.count("trial_start") == 5 * ROUNDS + 1
    checkpoint = train(tmp_path, path, capsys)
    imported = json.loads((tmp_path / "people/subject1/IMPORTED.json").read_text())
    assert [t["recorded_as"] for t in imported["trials"]] == [*range(1, 11)]
    subject = open_subject(tmp_path / "people/subject1")
    expected = trials_by_emotion(synthetic_subject)["sadness"].eeg_uv
    found = subject.recording(2).eeg_uv
    assert expected is not None
    assert found is not None
    # The repeated attempt, from its first sample but for the tick of the clock.
    shift = range(0, 300, 100)
    errors = [np.abs(found[:, :5000] - expected[:, s : s + 5000]).max() for s in shift]
    assert min(errors) < 1e-2
    recognizer = Recognizer.load(checkpoint)
    assert recognizer.demo  # synthetic people stay marked on the whole way


# The same over LSL, in real time: minutes.


def whole_session(trials: dict[str, Recording], folder: Path) -> Recording:
    """Rounds of trials without a break between, as one recording with one video."""
    order = [trials[emotion] for emotion in EMOTIONS] * (ROUNDS + 1)
    video = folder / "session.mp4"
    with av.open(str(video), "w") as container:
        stream = container.add_stream(
            "libx264", rate=30, options={"preset": "ultrafast"}
        )
        for n, trial in enumerate(order):
            assert trial.video is not None
            for k, (_, frame) in enumerate(iter_frames(trial.video)):
                if k >= 600:
                    break
                image = np.ascontiguousarray(rgb(frame)[::SHRINK, ::SHRINK])
                if n == k == 0:
                    stream.height, stream.width = image.shape[:2]
                made = av.VideoFrame.from_ndarray(image, format="rgb24")
                made.pts = 600 * n + k
                container.mux(stream.encode(made))
        container.mux(stream.encode(None))
    first = order[0]
    return Recording(
        name="session",
        seconds=20.0 * len(order),
        eeg_uv=np.hstack([t.eeg_uv for t in order if t.eeg_uv is not None]),
        eeg_rate=first.eeg_rate,
        channels=EEG_CHANNELS,
        audio=np.concatenate([t.audio for t in order if t.audio is not None]),
        audio_rate=first.audio_rate,
        video=video,
    )


@pytest.fixture
def person_on_lsl(
    synthetic_subject: Path, tmp_path: Path, stream_name: str
) -> Iterator[str]:
    """The name of an EEG stream, with sound and video beside it."""
    session = whole_session(trials_by_emotion(synthetic_subject), tmp_path)
    stop = threading.Event()
    replay = Replay(
        Playlist([lambda: session], note="synthetic"),
        stream_name,
        wait_for_consumers_s=60,
    )
    thread = threading.Thread(target=replay.run, args=(stop,))
    thread.start()
    yield stream_name
    stop.set()
    thread.join()


@pytest.mark.slow
@pytest.mark.lsl
@pytest.mark.qt
@pytest.mark.timeout(900)
def test_the_command_collects_over_lsl_what_a_model_is_trained_on(
    person_on_lsl: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sessions"
    out.mkdir()
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("eav-live")), "collect"),
            *(str(script(tmp_path, instructions_s=1.0)), "--out", str(out)),
            *("--person", "P07", "--consent-by", "me"),
            *("--eeg-stream", person_on_lsl),
            *("--audio", f"lsl:{person_on_lsl}-Audio"),
            *("--video", f"lsl:{person_on_lsl}-Video"),
            *("--markers", f"{person_on_lsl}-Cues"),
        ],
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "10 of 10 trials" in done.stdout
    assert "--subjects 7" in done.stdout
    (recording,) = out.glob("P07-*.xdf")
    checkpoint = train(tmp_path, recording, capsys)
    imported = json.loads((tmp_path / "people/subject1/IMPORTED.json").read_text())
    assert len(imported["trials"]) == 10
    assert not imported["left_out"]
    Recognizer.load(checkpoint)


@pytest.mark.lsl
@pytest.mark.qt
def test_ctrl_c_ends_a_session_with_its_markers_on_disk(
    tmp_path: Path, stream_name: str
) -> None:
    """Before the streams are there: nothing is collected, nothing hangs."""
    process = subprocess.Popen(
        [
            *(str(Path(sys.executable).with_name("eav-live")), "collect"),
            *(str(script(tmp_path)), "--out", str(tmp_path)),
            *("--person", "P07", "--consent-by", "me"),
            *("--eeg-stream", stream_name, "--audio", "none", "--video", "none"),
            *("--markers", f"{stream_name}-Cues"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if "Recording to" in line:
                break
        pause = threading.Event()
        pause.wait(1.0)  # the window takes over the signals once it is there
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert "0 of 10 trials" in out
    (recording,) = tmp_path.glob("P07-*.xdf")
    assert read_session(recording).person == "P07"
