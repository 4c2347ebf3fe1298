"""The doctor: what it finds, what it advises, and that nothing missing upsets it."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pylsl
import pytest
from source_helpers import RATE, eeg_like, open_eeg

from eav_live.commands import doctor as command
from eav_live.doctor import Check, Status, computer, display, network, streams
from eav_live.doctor.streams import check_streams, judge, level_db
from eav_live.recognition.assets import asset
from eav_live.recognition.predictions import StreamHealth, StreamState
from eav_live.session.intake import Intake
from eav_live.streams.eeg import LslEeg
from eav_live.windows.rings import FrameRing, SampleRing
from eav_offline.checkpoint.file import load, save_checkpoint
from eav_offline.core.electrodes import reference_note
from eav_offline.core.window import EEG_CHANNELS, N_CHANNELS, FaceFrame
from eav_offline.models.layers import KnownOnly


class FakeSource:
    """A source whose ring and state are given."""

    interpolated: tuple[str, ...] = ()

    def __init__(
        self, ring: SampleRing | FrameRing, health: StreamHealth | None = None
    ) -> None:
        self.ring = ring
        self.answer = health or live("Voice")
        self.running = False

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False

    def health(self, now: float) -> StreamHealth:
        return self.answer


def alone(modality: str, source: FakeSource) -> Intake:
    return Intake({modality: source}, lambda: 0.0)  # type: ignore[dict-item]


def live(detail: str, **more: object) -> StreamHealth:
    return StreamHealth(StreamState.LIVE, "x", detail, filled_s=5.0, rate=500.0, **more)  # type: ignore[arg-type]


def sound(samples: np.ndarray) -> SampleRing:
    ring = SampleRing(16000, 1, 10)
    ring.extend(np.arange(len(samples)) / 16000, samples[:, None].astype("f4"))
    return ring


def picture(found: bool) -> FrameRing:
    ring = FrameRing(10)
    image, box = np.zeros((8, 8, 3), np.uint8), np.zeros(4, np.float32)
    for i in range(5):
        ring.append(FaceFrame(i / 5, image, box, found), i == 0)
    return ring


NOISE = np.random.default_rng(1).standard_normal(32000)


# Microphone and camera


@pytest.mark.parametrize(
    ("samples", "status", "said"),
    [
        (0.05 * NOISE, Status.OK, "-26 dB"),
        (0 * NOISE, Status.WARNING, "silent"),
        (1e-3 * NOISE, Status.WARNING, "quiet"),
        (np.clip(NOISE, -1, 1), Status.WARNING, "clipped"),
    ],
)
def test_the_microphones_level_is_judged(
    samples: np.ndarray, status: Status, said: str
) -> None:
    check = judge(
        alone("audio", FakeSource(sound(samples))), "audio", live("Mic at 16000 Hz")
    )
    assert (check.name, check.status) == ("Voice", status)
    assert said in check.found
    assert bool(check.cure) == (status is not Status.OK)


def test_a_sines_level_is_3_db_below_its_peak() -> None:
    sine = 0.1 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    assert level_db(sine) == pytest.approx(-23.01, abs=0.01)


@pytest.mark.parametrize(("found", "status"), [(True, "ok"), (False, "warning")])
def test_a_camera_that_shows_no_face_is_a_warning(found: bool, status: str) -> None:
    check = judge(
        alone("video", FakeSource(picture(found))), "video", live("camera 0, 640x480")
    )
    assert check.status == status


def test_what_does_not_begin_is_a_failure_with_the_sources_own_advice() -> None:
    told = "camera 0 does not open. Connect one, or use --video none."
    gone = StreamHealth(StreamState.CONNECTING, "camera 0", told)
    check = judge(alone("video", FakeSource(picture(False))), "video", gone)
    assert check == Check(
        "Face",
        Status.FAILURE,
        "camera 0 does not open",
        "Connect one, or use --video none.",
    )


def test_sources_are_stopped_even_if_one_never_begins() -> None:
    waiting = StreamHealth(StreamState.CONNECTING, "x", "looking for x")
    sources = {
        "audio": FakeSource(sound(0.05 * NOISE)),
        "video": FakeSource(picture(True), waiting),
    }
    checks = check_streams(Intake(sources, lambda: 0.0), patience=0.1, seconds=0.1)
    assert [check.status for check in checks] == [Status.OK, Status.FAILURE]
    assert not any(source.running for source in sources.values())


# EEG


def test_flat_and_interpolated_electrodes_are_named() -> None:
    values = eeg_like(1000)
    values[:, EEG_CHANNELS.index("Cz")] = 3.0
    ring = SampleRing(RATE, N_CHANNELS, 10)
    ring.extend(np.arange(1000) / RATE, values)
    source = FakeSource(ring)
    source.interpolated = ("Oz",)
    detail = "EEG stream 'x' at 500 Hz; interpolated: Oz"
    check = judge(alone("eeg", source), "eeg", live(detail))
    assert check.status is Status.WARNING
    assert "flat: Cz" in check.found
    assert check.found.count("interpolated: Oz") == 1
    assert "See to Cz (gel, plug)" in check.cure
    assert "map its labels" in check.cure


def test_each_trouble_of_the_eeg_has_its_own_cure() -> None:
    ring = SampleRing(RATE, N_CHANNELS, 10)
    ring.extend(np.arange(1000) / RATE, eeg_like(1000))
    note = reference_note(None, "", "FCz", False, "live.toml")
    check = judge(
        alone("eeg", FakeSource(ring)), "eeg", live("EEG stream 'x'", notice=note)
    )
    assert check.status is Status.WARNING
    assert check.found.endswith("is not known (the model was trained with FCz)")
    assert check.cure == "Give it as `reference` under [eeg] in live.toml"
    check = judge(alone("eeg", FakeSource(ring)), "eeg", live("EEG stream 'x'", gaps=2))
    assert "2 gaps" in check.found
    assert "gel" not in check.cure
    assert "cable" in check.cure


@pytest.mark.lsl
def test_labels_that_are_not_the_models_are_a_failure_that_names_them(
    stream_name: str,
) -> None:
    outlet = open_eeg(stream_name, [f"Ch{i}" for i in range(30)])
    assert outlet is not None
    source = LslEeg(stream_name)
    [check] = check_streams(Intake({"eeg": source}, pylsl.local_clock), patience=5)
    assert check.status is Status.FAILURE
    assert "Fp1" in check.found + check.cure
    assert "live.toml" in check.found + check.cure


# LSL


@pytest.mark.lsl
def test_discovery_finds_a_stream_of_its_own_and_reads_it() -> None:
    assert network.check_discovery().status is Status.OK


def test_without_discovery_the_settings_to_write_and_their_file_are_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(network.pylsl, "resolve_bypred", lambda *a, **k: [])
    monkeypatch.delenv("LSLAPICFG")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    check = network.check_discovery()
    assert check.status is Status.FAILURE
    assert "KnownPeers = {127.0.0.1}" in check.cure
    assert str(tmp_path / "lsl_api" / "lsl_api.cfg") in check.cure
    assert "16571" in check.cure


def _unreachable() -> bool:
    raise OSError(101, "Network is unreachable")


@pytest.mark.parametrize("echo", [lambda: False, _unreachable])
def test_blocked_multicast_is_a_warning_with_known_peers(
    echo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = tmp_path / "mine.cfg"
    settings.write_text("[lab]\nSessionID = ours\n")
    monkeypatch.setenv("LSLAPICFG", str(settings))
    check = network.check_multicast(echo)
    assert check.status is Status.WARNING
    assert "KnownPeers = {ADDRESS}" in check.cure
    assert str(settings) in check.cure


def test_multicast_is_not_asked_for_where_lsl_keeps_to_this_computer() -> None:
    check = network.check_multicast(_unreachable)  # the tests' own settings
    assert check.status is Status.OK
    assert "ResolveScope = machine" in check.found


def test_settings_that_are_not_there_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSLAPICFG", "/nowhere/lsl_api.cfg")
    assert network.check_library().status is Status.WARNING


# Model, speed, display


def test_a_model_that_is_none_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(b"not a checkpoint")
    check, recognizer = computer.check_model(tmp_path / "m.safetensors", True)
    assert check.status is Status.FAILURE
    assert recognizer is None


def test_what_a_model_does_not_know_is_said(tmp_path: Path) -> None:
    demo = load(asset("demo.safetensors"))
    demo.model.known = KnownOnly(["neutral", "anger", "happiness"])
    save_checkpoint(tmp_path / "m.safetensors", demo)
    check, _ = computer.check_model(tmp_path / "m.safetensors", True)
    assert "it does not know sadness and calmness" in check.found


@pytest.mark.parametrize(("hop", "status"), [(30.0, "ok"), (1e-4, "warning")])
def test_speed_is_held_against_the_hop(
    hop: float, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computer, "_WINDOWS", 1)
    model, recognizer = computer.check_model(asset("demo.safetensors"), False)
    assert model.status is Status.WARNING  # the demo model
    assert recognizer is not None
    check = computer.check_speed(recognizer, hop)
    assert check.status == status
    words = r"sustains a hop of (\S+) s; asked for is one of (\S+) s"
    told = re.search(words, check.found)
    assert told is not None
    assert float(told[2]) == hop
    assert (float(told[1]) <= hop) == (status == "ok")
    assert ("--hop" in check.cure) == (status == "warning")


def test_no_display_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert computer.check_display().status is Status.WARNING


@pytest.mark.qt
def test_a_display_that_opens_a_window_is_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    check = computer.check_display()
    assert check.status is Status.OK
    assert "offscreen" in check.found


def test_a_display_that_qt_cannot_open_is_a_failure_with_the_packages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = subprocess.CompletedProcess([], 134, "", "qt.qpa: no xcb\nmore\n")
    monkeypatch.setattr(display.subprocess, "run", lambda *a, **k: refused)
    check = computer.check_display()
    assert check.status is Status.FAILURE
    assert "no xcb" in check.found
    assert "libxcb-cursor0" in check.cure


# The command


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computer, "_WINDOWS", 1)
    monkeypatch.setattr(streams, "PATIENCE", 0.2)


def run(*arguments: str) -> int:
    return command.main(command.parser().parse_args(arguments))


@pytest.mark.lsl
@pytest.mark.usefixtures("quick")
def test_an_amplifier_that_is_not_there_is_a_failure_and_the_status_1(
    stream_name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "doctor.json"
    only_eeg = ("--eeg-stream", stream_name, "--audio", "none", "--video", "none")
    assert run(*only_eeg, "--json", str(report), "--hop", "60") == 1
    told = json.loads(report.read_text())
    assert told["ok"] is False
    eeg = next(check for check in told["checks"] if check["name"] == "EEG")
    assert eeg["status"] == "failure"
    assert "amplifier's LSL program" in eeg["cure"]
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("failure  EEG") for line in lines)


@pytest.mark.lsl
@pytest.mark.usefixtures("quick")
def test_warnings_alone_leave_the_status_0(
    capsys: pytest.CaptureFixture[str],
) -> None:
    nothing = ("--eeg-stream", "none", "--audio", "none", "--video", "none")
    assert run(*nothing, "--json", "-", "--hop", "60") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert told["warnings"] >= 1


def test_speed_is_that_of_a_sliding_window() -> None:
    """One window again and again would be all remembered."""
    windows = computer._windows(0.5)
    first, second = next(windows), next(windows)
    assert first.frames is not None
    assert second.frames is not None
    shared = {id(f.image) for f in first.frames} & {id(f.image) for f in second.frames}
    assert len(shared) in (22, 23)  # two or three of 25 are new
    assert first.audio is not None
    np.testing.assert_array_equal(first.audio[24000:], second.audio[:-24000])
