"""Recording: all of it, exactly, after whatever end; nothing without consent."""

import argparse
import errno
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import pyxdf
from recorded import (
    CONSENT,
    T0,
    FakeSession,
    audio_arrival,
    eeg_arrival,
    frame_arrival,
    recorder,
)
from source_helpers import wait_for

from eav_live.commands import live
from eav_live.commands.live import consent_for
from eav_live.options.config import LiveConfig
from eav_live.outlets.headers import StreamHeader
from eav_live.recognition.predictions import (
    Prediction,
    Reading,
    StreamHealth,
    StreamState,
)
from eav_live.recording.consent import Consent, ConsentRefused, obtain_consent
from eav_live.recording.frame_file import FrameFile
from eav_live.recording.paths import RecordingRefused
from eav_live.recording.recorder import Recorder
from eav_live.recording.xdf_writer import WholeFile, XdfWriter
from eav_live.review.estimates import as_prediction
from eav_offline.common.console import DONE, FAILED
from eav_offline.common.errors import InputRefused
from eav_offline.core.electrodes import Channel
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.data.media import iter_frames, rgb
from eav_offline.data.sessions.session import read_session
from eav_offline.data.sessions.xdf import XdfError, read_xdf


def picture(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def noise_uv(n: int, seed: int = 0) -> np.ndarray:
    return (40 * np.random.default_rng(seed).standard_normal((30, n))).astype(
        np.float32
    )


def prediction(t: float, present: tuple[str, ...] = ("eeg", "audio")) -> Prediction:
    p = np.array([0.1, 0.2, 0.3, 0.25, 0.15])
    return Prediction(
        t=t,
        fused=p,
        smoothed=p[::-1],
        by_modality={m: p if m in present else None for m in ("eeg", "audio", "video")},
        present=present,
        states=dict.fromkeys(("eeg", "audio", "video"), StreamState.LIVE),
        label="anger",
        truth=None,
        infer_s=0.1,
        age_s=0.2,
        hop_s=0.5,
    )


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "int32"])
def test_values_and_stamps_come_back_exactly(tmp_path: Path, dtype: str) -> None:
    rng = np.random.default_rng(1)
    values = (1000 * rng.standard_normal((4000, 3))).astype(dtype)
    stamps = 123456.789 + np.arange(4000) / 500
    stamps[1000:] += 2.0  # a gap
    stamps[2000:2100] += rng.normal(0, 1e-3, 100)  # jitter
    stamps[3000:] -= 3600  # a clock that jumped
    with WholeFile(tmp_path / "a.xdf") as file:
        writer = XdfWriter(file, {})
        channels = tuple(Channel(f"c{i}", "EEG", "microvolts") for i in range(3))
        number = writer.add_stream(StreamHeader("Amp", "EEG", dtype, 500.0, channels))
        for begin in range(0, 4000, 37):
            part = slice(begin, begin + 37)
            writer.samples(number, values[part], stamps[part])
        writer.clock_offsets(123460.0)
        writer.finish()
    streams, _ = pyxdf.load_xdf(tmp_path / "a.xdf", dejitter_timestamps=False)
    np.testing.assert_array_equal(streams[0]["time_series"], values)
    assert np.abs(streams[0]["time_stamps"] - stamps).max() < 1e-8
    assert streams[0]["footer"]["info"]["sample_count"] == ["4000"]
    described = streams[0]["info"]["desc"][0]["channels"][0]["channel"]
    assert [c["label"][0] for c in described] == ["c0", "c1", "c2"]
    assert {c["unit"][0] for c in described} == {"microvolts"}


def test_an_hour_of_counted_stamps_does_not_drift(tmp_path: Path) -> None:
    stamps = 98765.4321 + np.arange(3600 * 128) / 128.1
    with WholeFile(tmp_path / "a.xdf") as file:
        writer = XdfWriter(file, {})
        header = StreamHeader("A", "EEG", "int8", 128.1, (Channel("x"),))
        number = writer.add_stream(header)
        for part in np.array_split(stamps, 3600):
            values = np.zeros((len(part), 1), dtype=np.int8)
            writer.samples(number, values, part)
    found = read_xdf(tmp_path / "a.xdf").streams[0].stamps
    assert np.abs(found - stamps).max() < 1e-8
    assert (tmp_path / "a.xdf").stat().st_size < 3 * len(stamps)


def test_stamps_are_put_on_one_clock_by_the_files_offsets_and_left_as_they_are(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(3)
    stamps = 500 + np.arange(200) / 100 + rng.uniform(0, 2e-3, 200)
    with WholeFile(tmp_path / "a.xdf") as file:
        writer = XdfWriter(file, {})
        header = StreamHeader("Amp", "EEG", "float32", 100.0, (Channel("x"),))
        number = writer.add_stream(header)
        writer.samples(number, np.zeros((200, 1), dtype=np.float32), stamps)
        for t in (500.0, 501.0, 502.0):  # as LabRecorder notes a sender's other clock
            content = struct.pack("<HIdd", 4, number, t, -123.25)
            file.write(struct.pack("<BB", 1, len(content)) + content)
        writer.finish()
    found = read_xdf(tmp_path / "a.xdf").streams[0].stamps
    np.testing.assert_allclose(found, stamps - 123.25, atol=1e-6)


def test_a_file_that_is_there_is_not_opened_for_writing(tmp_path: Path) -> None:
    path = tmp_path / "a.xdf"
    path.write_text("precious")
    with pytest.raises(FileExistsError):
        WholeFile(path)
    assert path.read_text() == "precious"


def test_frames_come_back_bit_by_bit(tmp_path: Path) -> None:
    file = FrameFile(tmp_path / "a.mkv", (64, 48))
    times = [100.0, 100.2, 100.43, 99.0, 100.8]  # a clock that jumps back
    for i, t in enumerate(times):
        assert file.add(picture(i), t) == i
    file.close()
    file.close()
    found = list(iter_frames(tmp_path / "a.mkv"))
    assert len(found) == 5
    for i, (_, frame) in enumerate(found):
        np.testing.assert_array_equal(rgb(frame), picture(i))
    assert [round(t, 3) for t, _ in found[:3]] == [0.0, 0.2, 0.43]
    with av.open(str(tmp_path / "a.mkv")) as container:
        packets = [p for p in container.demux(video=0) if p.size]
        assert all(packet.is_keyframe for packet in packets)


def test_a_session_is_recorded_whole(tmp_path: Path) -> None:
    session = FakeSession()
    eeg, sound = noise_uv(500), np.linspace(-1, 1, 8000, dtype=np.float32)
    with recorder(tmp_path / "s.xdf", session, {"max_missing": 2}) as made:
        session.sources["eeg"].offer(eeg_arrival(eeg[:, :200], T0))
        session.sources["audio"].offer(audio_arrival(sound, T0, 8000))
        session.sources["video"].offer(frame_arrival(picture(0), T0, True))
        session.sources["video"].offer(frame_arrival(picture(1), T0 + 0.2))
        read = {"audio": Reading(T0 + 0.1, {"arousal": 0.25}), "video": None}
        session.say(replace(prediction(T0 + 0.4), dimensions=read))
        session.sources["eeg"].offer(eeg_arrival(eeg[:, 200:], T0 + 0.4))
        made.mark({"event": "trial_start", "trial": 1}, T0 + 0.5)
    assert made.status.written == {"eeg": 500, "audio": 8000, "video": 2, "markers": 1}
    found = read_session(tmp_path / "s.xdf")
    assert found.person == "P01"
    assert found.settings == {"max_missing": 2}
    (opening,) = found.openings["eeg"]
    back = opening.montage().apply(opening.values).T
    np.testing.assert_allclose(back, eeg, atol=1e-4)
    np.testing.assert_array_equal(found.openings["audio"][0].values[:, 0], sound)
    for (_, row, image), seed in zip(found.frames(), (0, 1), strict=True):
        assert row == seed
        np.testing.assert_array_equal(image, picture(seed))
    (said,) = found.predictions
    assert said.t == T0 + 0.4
    assert said.present == ("eeg", "audio")
    assert said.counts == {"eeg": 200, "audio": 8000, "video": 2}
    np.testing.assert_array_equal(
        said.probabilities["fused"], [0.1, 0.2, 0.3, 0.25, 0.15]
    )
    assert said.probabilities["video"] is None
    assert as_prediction(said, 0.5, demo=True).dimensions == read
    assert found.markers[0].as_object() == {"event": "trial_start", "trial": 1}


def test_a_stream_that_is_opened_again_is_told_from_the_one_before(
    tmp_path: Path,
) -> None:
    session = FakeSession()
    with recorder(tmp_path / "s.xdf", session):
        offer = session.sources["eeg"].offer
        offer(eeg_arrival(noise_uv(100, 1), T0, opening=1))
        offer(eeg_arrival(noise_uv(50, 2), T0 + 9, opening=2))
        offer(eeg_arrival(noise_uv(70, 3), T0 + 20, rate=250.0, opening=3))
        offer(eeg_arrival(noise_uv(30, 4), T0 + 30, opening=4))
    openings = read_session(tmp_path / "s.xdf").openings["eeg"]
    assert [(o.first, len(o.stamps)) for o in openings] == [
        (0, 100),
        (100, 50),
        (150, 70),
        (220, 30),
    ]
    assert [o.stream.rate for o in openings] == [500, 500, 250, 500]
    assert openings[0].stream.number == openings[3].stream.number
    assert openings[3].stamps[0] == T0 + 30


def test_frames_of_another_size_go_to_another_file(tmp_path: Path) -> None:
    session = FakeSession()
    with recorder(tmp_path / "s.xdf", session):
        session.sources["video"].offer(frame_arrival(picture(0), T0))
        session.sources["video"].offer(frame_arrival(picture(1, 32, 32), T0 + 1))
    assert (tmp_path / "s-2.mkv").exists()
    images = [image for _, _, image in read_session(tmp_path / "s.xdf").frames()]
    np.testing.assert_array_equal(images[0], picture(0))
    np.testing.assert_array_equal(images[1], picture(1, 32, 32))


def test_changes_of_state_are_recorded_as_events(tmp_path: Path) -> None:
    session = FakeSession()
    with recorder(tmp_path / "s.xdf", session) as made:
        wait_for(lambda: "eeg" in made._health)
        session.state = StreamState.LOST
        wait_for(lambda: made._health["eeg"]["state"] == "lost")
    events = read_xdf(tmp_path / "s.xdf").named("EAV-Live Events")[0].values[:, 0]
    states = [e["state"] for e in map(json.loads, events) if e.get("modality") == "eeg"]
    assert states == ["live", "lost"]


_CHILD = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
import numpy as np
from recorded import *
session = FakeSession()
made = recorder(Path(sys.argv[1]), session)
made.start()
n = 0
while True:
    t = T0 + n / 10
    session.sources["eeg"].offer(eeg_arrival(np.full((30, 50), n, "f4"), t))
    session.sources["audio"].offer(audio_arrival(np.zeros(800, "f4"), t, 8000))
    if n % 2 == 0:
        image = np.full((48, 64, 3), n % 256, np.uint8)
        session.sources["video"].offer(frame_arrival(image, t, n == 0))
    n += 1
    sys.stdout.write(f"{{n}}\\n")
    sys.stdout.flush()
    time.sleep(0.1)
"""


def test_a_killed_program_loses_two_seconds_at_most(tmp_path: Path) -> None:
    path = tmp_path / "s.xdf"
    script = _CHILD.format(tests=str(Path(__file__).parents[2] / "helpers"))
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        n = 0
        for line in child.stdout:
            n = int(line)
            if n == 30:
                child.send_signal(signal.SIGKILL)
                break
        n = max([n, *map(int, child.stdout.read().split())])
    arrived = n / 10  # seconds
    streams, _ = pyxdf.load_xdf(path, dejitter_timestamps=False)
    lengths = {s["info"]["name"][0]: len(s["time_stamps"]) for s in streams}
    assert lengths["Amp"] / 500 >= arrived - 2
    assert lengths["Mic"] / 8000 >= arrived - 2
    found = read_session(path)
    images = [image for _, _, image in found.frames()]
    assert len(images) / 5 >= arrived - 2
    assert all(image[0, 0, 0] == 2 * i for i, image in enumerate(images))
    (opening,) = found.openings["eeg"]
    last = opening.montage().apply(opening.values)[-1, 0]
    assert last == pytest.approx(lengths["Amp"] / 50 - 1, rel=1e-5)


class FullDisk(WholeFile):
    """Takes nothing while it is full."""

    full = False

    def write(self, data) -> int:  # type: ignore[no-untyped-def]
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def test_a_full_disk_is_said_and_nothing_is_lost_once_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eav_live.recording.recorder.RETRY_SECONDS", 0.05)
    monkeypatch.setattr(FullDisk, "full", False)
    session = FakeSession()
    with recorder(tmp_path / "s.xdf", session, open_file=FullDisk) as made:
        session.sources["eeg"].offer(eeg_arrival(noise_uv(100, 1), T0))
        wait_for(lambda: made.status.written.get("eeg") == 100)
        FullDisk.full = True
        session.sources["eeg"].offer(eeg_arrival(noise_uv(100, 2), T0 + 0.2))
        wait_for(lambda: made.status.error == "No space left on device")
        assert made.status.text == (
            "NOT recording to s.xdf: No space left on device",
            False,
        )
        session.sources["eeg"].offer(eeg_arrival(noise_uv(100, 3), T0 + 0.4))
        FullDisk.full = False
        wait_for(lambda: not made.status.error)
        assert made.status.text == ("recording to s.xdf", True)
    assert "No space left on device" in caplog.text
    (opening,) = read_session(tmp_path / "s.xdf").openings["eeg"]
    assert len(opening.stamps) == 300
    assert made.status.lost == 0
    assert made.whole


def test_frames_that_a_full_disk_refused_are_written_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eav_live.recording.recorder.RETRY_SECONDS", 0.05)
    monkeypatch.setattr("eav_live.recording.frame_file.WholeFile", FullDisk)
    monkeypatch.setattr(FullDisk, "full", False)
    session = FakeSession()
    with recorder(tmp_path / "s.xdf", session) as made:
        offer = session.sources["video"].offer
        for i in range(3):
            offer(frame_arrival(picture(i), T0 + i / 5))
        wait_for(lambda: made.status.written.get("video") == 3)
        FullDisk.full = True
        offer(frame_arrival(picture(3), T0 + 0.6))
        wait_for(lambda: made.status.error == "No space left on device")
        FullDisk.full = False
        wait_for(lambda: made.status.written.get("video") == 4)
        offer(frame_arrival(picture(4), T0 + 0.8))
    found = read_session(tmp_path / "s.xdf")
    rows = sum(len(o.stamps) for o in found.openings["video"])
    images = [image for _, _, image in found.frames()]
    assert rows == 5
    np.testing.assert_array_equal(images[-1], picture(4))
    np.testing.assert_array_equal(images[-2], picture(3))
    # The newest before may have been on its way to the disk.
    assert len(images) >= 4


def test_a_disk_that_stays_full_does_not_hold_up_the_end_and_the_loss_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(FullDisk, "full", False)
    session = FakeSession()
    made = recorder(tmp_path / "s.xdf", session, open_file=FullDisk)
    made.start()
    session.sources["eeg"].offer(eeg_arrival(noise_uv(100), T0))
    wait_for(lambda: made.status.written.get("eeg") == 100)
    FullDisk.full = True
    session.sources["eeg"].offer(eeg_arrival(noise_uv(100), T0 + 0.2))
    wait_for(lambda: bool(made.status.error))
    session.sources["eeg"].offer(eeg_arrival(noise_uv(100), T0 + 0.4))
    session.say(prediction(T0 + 0.5))
    made.stop()
    assert not [t for t in threading.enumerate() if t.name == "recording"]
    (opening,) = read_session(tmp_path / "s.xdf").openings["eeg"]
    assert len(opening.stamps) == 100
    assert not made.whole
    (said,) = [r.message for r in caplog.records if "is not whole" in r.message]
    assert "200 EEG samples between 0.2 and 0.6 s" in said
    assert "1 predictions between 0.5 and 0.5 s" in said
    assert "No space left on device" in said
    assert "it holds 100 of eeg" in said
    assert "Recorded to" not in caplog.text


class SlowDisk(WholeFile):
    """Takes everything, after a while."""

    def write(self, data) -> int:  # type: ignore[no-untyped-def]
        time.sleep(0.05)
        return super().write(data)


def test_a_slow_disk_is_waited_for_as_long_as_it_takes_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eav_live.recording.recorder._STOP_SECONDS", 1.0)
    session = FakeSession()
    made = recorder(tmp_path / "s.xdf", session, open_file=SlowDisk)
    for i in range(40):  # 2 s of writing and more, and nobody writes yet
        session.sources["eeg"].offer(eeg_arrival(noise_uv(100), T0 + i / 5))
    made.start()
    made.stop()
    assert made.whole
    assert len(read_session(tmp_path / "s.xdf").openings["eeg"][0].stamps) == 4000


@pytest.mark.parametrize("full", [True, False])
def test_a_session_whose_recording_lost_something_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    monkeypatch.setattr("eav_live.recording.recorder.RETRY_SECONDS", 0.05)
    monkeypatch.setattr(FullDisk, "full", False)
    made: list[Recorder] = []

    def make_recorder(path, consent, session, settings, hold):  # type: ignore[no-untyped-def]
        assert not hold
        made.append(Recorder(path, consent, session, {}, open_file=FullDisk))
        FullDisk.full = full
        return made[0]

    monkeypatch.setattr("eav_live.recording.recorder.Recorder", make_recorder)
    monkeypatch.setattr(live, "_wait", lambda session, *more: DONE)
    monkeypatch.setattr("eav_live.running.outcome", lambda status, session: status)
    nothing = ("--audio", "none", "--video", "none", "--headless")
    path = tmp_path / "s.xdf"
    options = session_options(
        *nothing, "--record", str(path), "--person", "P01", "--consent-by", "me"
    )
    monkeypatch.setattr(
        "eav_live.session.opening.open_session", lambda *a, **k: StillSession()
    )
    monkeypatch.setattr("eav_live.session.opening.session_settings", lambda *more: {})
    run = live._run_session(options, live.session_options(options))
    assert run == (FAILED if full else DONE)
    assert made[0].whole != full


class StillSession(FakeSession):
    """One that may be run, and does nothing."""

    stopped, hop, model_line = False, 0.5, "m"

    def start(self) -> None: ...

    def stop(self) -> None: ...


def test_a_write_that_fails_midway_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = WholeFile(tmp_path / "a")
    file.write(b"whole")
    real = os.write

    def half(handle: int, data: memoryview) -> int:
        if len(data) <= 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space"):
        file.write(b"never to be seen")
    monkeypatch.undo()
    file.write(b", and on")
    file.close()
    assert (tmp_path / "a").read_bytes() == b"whole, and on"


def test_a_backlog_is_bounded_and_its_loss_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("eav_live.recording.backlog.MAX_BYTES", 60_000)
    session = FakeSession()
    made = recorder(tmp_path / "s.xdf", session)
    for i in range(10):  # 25 kB each, and nobody writes yet
        session.sources["eeg"].offer(eeg_arrival(noise_uv(100), T0 + i / 5))
    made.start()
    made.stop()
    assert made.status.lost == 8
    assert "8 arrivals were not recorded" in caplog.text
    assert len(read_session(tmp_path / "s.xdf").openings["eeg"][0].stamps) == 200


@pytest.mark.parametrize("there", ["s.xdf", "s.mkv", "s.consent.json"])
def test_nothing_is_ever_overwritten(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("precious")
    with pytest.raises(RecordingRefused, match="never overwritten.*choose another"):
        recorder(tmp_path / "s.xdf", FakeSession())
    assert [p.name for p in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "precious"


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingRefused, match="cannot be written"):
        recorder(tmp_path / "file" / "s.xdf", FakeSession())


def test_the_consent_lies_beside_the_recording_and_in_it(tmp_path: Path) -> None:
    with recorder(tmp_path / "s.xdf", FakeSession()):
        beside = json.loads((tmp_path / "s.consent.json").read_text())
        assert beside["person"] == "P01"
        assert beside["text"] == CONSENT.text
    assert json.loads(read_xdf(tmp_path / "s.xdf").said("eav_consent")) == beside


def session_options(*arguments: str) -> argparse.Namespace:
    return live.parser("").parse_args(["--eeg-stream", "x", *arguments])


def consented(*arguments: str) -> Consent | None:
    options = session_options(*arguments)
    return consent_for(options, live.session_options(options))


def test_without_consent_nothing_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eav_offline.common.console.terminal", lambda: None)
    with pytest.raises(ConsentRefused, match="--consent CONSENT.toml"):
        consented("--record", "a.xdf")


def test_consent_names_the_streams_that_are_on() -> None:
    consent = consented(
        *("--record", "a.xdf", "--person", "P7", "--consent-by", "AB"),
        *("--video", "none"),
    )
    assert consent is not None
    assert consent.what == ("EEG", "voice")
    assert consent.text == LiveConfig().consent.text


def test_consent_without_a_recording_is_refused() -> None:
    with pytest.raises(InputRefused, match="give --record"):
        consented("--person", "P1", "--consent-by", "me")
    assert consented("--person", "P1") is None  # whose model it is, no consent


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('person = "P01"\nby = "me"\n', "does not say agreed"),
        ('person = "P01"\nagreed = true\n', "lacks person or by"),
        ('person = "P 01"\nby = "me"\nagreed = true\n', "no code"),
        ('person = "P01"\nby = "me"\nagreed = true\nx = 1\n', "unknown key x"),
        ("person = ", "cannot be read"),
    ],
)
def test_a_consent_file_that_says_too_little_is_refused(
    tmp_path: Path, content: str, said: str
) -> None:
    path = tmp_path / "consent.toml"
    path.write_text(content)
    with pytest.raises(ConsentRefused, match=said):
        obtain_consent(["EEG"], "text", file=path)


def test_at_the_terminal_only_yes_is_consent() -> None:
    def ask(answers: list[str]):  # type: ignore[no-untyped-def]
        return lambda question: answers.pop(0)

    agreed = obtain_consent(["EEG"], "text", ask=ask(["P01", "yes", "AB"]))
    assert (agreed.person, agreed.by, agreed.how) == ("P01", "AB", "terminal")
    with pytest.raises(ConsentRefused, match="did not agree"):
        obtain_consent(["EEG"], "text", ask=ask(["P01", "sure", "AB"]))


def test_a_file_cut_off_anywhere_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    session = FakeSession()
    with recorder(tmp_path / "s.xdf", session):
        for i in range(20):
            session.sources["eeg"].offer(eeg_arrival(noise_uv(50), T0 + i / 10))
    content = (tmp_path / "s.xdf").read_bytes()
    lengths = []
    for size in np.linspace(4, len(content), 40).astype(int):
        (tmp_path / "cut.xdf").write_bytes(content[:size])
        file = read_xdf(tmp_path / "cut.xdf")
        found = [len(s.stamps) for s in file.streams if s.name == "Amp"]
        lengths.append(found[0] if found else 0)
    assert lengths == sorted(lengths)
    assert lengths[-1] == 1000


@pytest.mark.parametrize("content", [b"", b"XDF", b"no xdf at all", b"\0" * 100])
def test_what_is_no_xdf_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.xdf").write_bytes(content)
    with pytest.raises(XdfError, match="no XDF file"):
        read_xdf(tmp_path / "a.xdf")


def test_a_chunk_that_claims_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    with WholeFile(tmp_path / "a.xdf") as file:
        writer = XdfWriter(file, {})
        number = writer.add_stream(
            StreamHeader("A", "EEG", "float32", 500.0, (Channel("x"),))
        )
        writer.samples(number, np.zeros((3, 1), "f4"), np.arange(3.0))
    content = bytearray((tmp_path / "a.xdf").read_bytes())
    place = content.rindex(b"\x04\x03\x00\x00\x00") + 1
    content[place : place + 4] = (2**31).to_bytes(4, "little")
    (tmp_path / "a.xdf").write_bytes(content)
    with pytest.raises(XdfError, match="claims 2147483648 samples"):
        read_xdf(tmp_path / "a.xdf")


@pytest.mark.qt
def test_the_dashboard_says_that_and_whether_it_records(qtbot) -> None:  # type: ignore[no-untyped-def]
    from eav_live.ui.dashboard import Dashboard

    class Shown(FakeSession):
        model_name, demo, hop, error, first_live = "m", False, 0.5, None, None
        knows, card, model_line, preprocess = EMOTIONS, None, "m", None
        sources: dict[str, object] = {}
        eeg = audio = video = None

        def __init__(self) -> None:
            super().__init__()
            self.sources = {}

        def health(self) -> dict[str, StreamHealth]:
            return dict.fromkeys(MODALITIES, StreamHealth(StreamState.OFF))

        def stop(self) -> None: ...

    class Saying:
        text = ("recording to s.xdf", True)
        mark = None

    window = Dashboard(Shown())  # type: ignore[arg-type]
    window.watch_recording(Saying(), None)  # type: ignore[arg-type]
    qtbot.addWidget(window)
    assert "recording to s.xdf" in window.recording.text()
    Saying.text = ("NOT recording to s.xdf: No space left on device", False)
    window._texts_at = -1.0
    window.refresh()
    assert "No space left" in window.recording.text()
