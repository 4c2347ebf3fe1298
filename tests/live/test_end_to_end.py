"""The commands as a user runs them: any amplifier, a lost replay, refused input."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pylsl
import pytest
from scipy import signal as dsp
from source_helpers import RATE, connect, open_eeg, pull_until

from eav_live import cli as live_cli
from eav_live.recognition.assets import asset
from eav_live.recognition.recognizer import Recognizer
from eav_live.streams.eeg import LslEeg
from eav_live.windows.cut import Rings, cut_window
from eav_offline import cli as offline_cli
from eav_offline.core.window import EEG_CHANNELS
from eav_offline.data.eav.subject import open_subject

SECONDS = 8.0
DEMO = str(asset("demo.safetensors"))


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load(asset("demo.safetensors"))


@pytest.fixture(scope="module")
def eeg_uv(synthetic_subject: Path) -> np.ndarray:
    """(samples, 30) float32 µV of a synthetic person at 500 Hz."""
    subject = open_subject(synthetic_subject)
    recording = subject.recording(subject.trials("speaking")[2])
    assert recording.eeg_uv is not None
    return recording.eeg_uv.T[: round(SECONDS * RATE)]


def probabilities(
    recognizer: Recognizer,
    outlet: pylsl.StreamOutlet,
    name: str,
    samples: np.ndarray,
    rate: float,
    max_missing: int | None = None,
) -> np.ndarray:
    """Send samples (n, channels) and recognize the window at their end."""
    source = LslEeg(name, max_missing=max_missing)
    try:
        connect(source)
        outlet.wait_for_consumers(5)
        t0 = pylsl.local_clock() - SECONDS - 1
        outlet.push_chunk(
            np.ascontiguousarray(samples, dtype=np.float32),
            (t0 + np.arange(len(samples)) / rate).tolist(),
        )
        assert source.ring is not None
        ring = source.ring
        pull_until(source, lambda: ring.filled > SECONDS - 1.5 / rate)
        window = cut_window(Rings(ring, None, None), t0 + SECONDS, t0 + SECONDS)
        recognized = recognizer.recognize(window.raw).fused
        assert recognized is not None
        return recognized
    finally:
        source.stop()


@pytest.fixture
def plain(recognizer: Recognizer, eeg_uv: np.ndarray, stream_name: str) -> np.ndarray:
    """What the model says of the stream as the model wants it."""
    outlet = open_eeg(f"{stream_name}-plain")
    return probabilities(recognizer, outlet, f"{stream_name}-plain", eeg_uv, RATE)


@pytest.mark.lsl
def test_shuffled_channels_trigger_and_volts_change_nothing(
    recognizer: Recognizer, eeg_uv: np.ndarray, plain: np.ndarray, stream_name: str
) -> None:
    order = np.random.default_rng(1).permutation(30)
    labels = [*(EEG_CHANNELS[i] for i in order), "triggerStream"]
    samples = np.hstack([eeg_uv[:, order] * 1e-6, np.full((len(eeg_uv), 1), 3.0)])
    outlet = open_eeg(stream_name, labels, units=["volts"] * 30 + ["code"])
    found = probabilities(recognizer, outlet, stream_name, samples, RATE)
    assert np.abs(found - plain).max() <= 1e-3


@pytest.mark.lsl
def test_a_thousand_hertz_give_nearly_the_same(
    recognizer: Recognizer, eeg_uv: np.ndarray, plain: np.ndarray, stream_name: str
) -> None:
    # Around its first sample, so that the electrode's offset makes no edge.
    doubled = dsp.resample_poly(eeg_uv - eeg_uv[:1], 2, 1, axis=0) + eeg_uv[:1]
    outlet = open_eeg(stream_name, rate=1000.0)
    found = probabilities(recognizer, outlet, stream_name, doubled, 1000.0)
    assert np.abs(found - plain).max() <= 0.05


@pytest.mark.lsl
def test_a_missing_electrode_is_computed_and_hardly_matters(
    recognizer: Recognizer, eeg_uv: np.ndarray, plain: np.ndarray, stream_name: str
) -> None:
    kept = [i for i, label in enumerate(EEG_CHANNELS) if label != "Cz"]
    outlet = open_eeg(stream_name, [EEG_CHANNELS[i] for i in kept])
    found = probabilities(recognizer, outlet, stream_name, eeg_uv[:, kept], RATE)
    assert np.abs(found - plain).max() <= 0.25
    assert found.sum() == pytest.approx(1.0, abs=1e-5)


def run(command: str, *arguments: str, **options: object) -> subprocess.Popen[str]:
    """Start `eav-live`, `eav-replay` or `eav-offline` as installed."""
    program = Path(sys.executable).with_name(command)
    return subprocess.Popen(
        [str(program), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )


def finish(process: subprocess.Popen[str], seconds: float = 60) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


@pytest.mark.lsl
@pytest.mark.timeout(300)
def test_a_killed_replay_is_missed_and_taken_up_again(
    synthetic_subject: Path, stream_name: str
) -> None:
    """Lamps tell the loss, nothing is glued, and all three streams return."""
    replay_command = [str(synthetic_subject), "--name", stream_name, "--loop"]
    live = run(
        "eav-live",
        *("--eeg-stream", stream_name, "--headless", "--json", "-", "--model", DEMO),
        *("--audio", f"lsl:{stream_name}-Audio"),
        *("--video", f"lsl:{stream_name}-Video", "--duration", "220"),
    )
    replay = run("eav-replay", *replay_command)
    try:
        assert live.stdout is not None

        def next_with(wanted: Callable[[dict], bool]) -> dict:  # type: ignore[type-arg]
            for line in live.stdout:  # type: ignore[union-attr]
                prediction = json.loads(line)
                if wanted(prediction):
                    return prediction
            raise AssertionError(live.stderr.read())  # type: ignore[union-attr]

        everything = ["eeg", "audio", "video"]
        first = next_with(lambda p: p["present"] == everything)
        assert set(first["states"].values()) == {"live"}
        assert first["truth"] is not None
        assert sum(first["fused"].values()) == pytest.approx(1.0, abs=1e-4)
        assert first["demo"] is True
        replay.send_signal(signal.SIGKILL)
        replay.wait(10)
        replay = run("eav-replay", *replay_command)
        again = next_with(
            lambda p: p["present"] == everything and p["t"] > first["t"] + 6
        )
        assert set(again["states"].values()) == {"live"}
        live.send_signal(signal.SIGINT)
        status, _, log = finish(live)
        assert status == 130, log
        assert "lost" in log
        assert "Traceback" not in log
    finally:
        for process in (live, replay):
            process.kill()
            process.communicate()


@pytest.mark.parametrize(
    ("main", "arguments", "said"),
    [
        (live_cli.main, ["--headless", "--model", DEMO], "which EEG stream"),
        (live_cli.main, ["--eeg-stream", "x", "--model", "no.safetensors"], "no.safe"),
        (live_cli.main, ["--eeg-stream", "x", "--hop", "0"], "--hop: 0 cannot"),
        (live_cli.main, ["--eeg-stream", "x", "--audio", "line"], "--audio 'line'"),
        (live_cli.replay_main, [], "nothing to replay"),
        (live_cli.replay_main, ["nowhere"], "no such file or folder"),
        (offline_cli.main, ["check", "nowhere"], "not a folder"),
        (offline_cli.main, ["synth", "out", "--trials", "7"], "multiple of 10"),
    ],
)
def test_refused_input_ends_with_status_2_and_a_reason(
    main: Callable[[list[str]], int],
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    log = capsys.readouterr().err
    assert said in log
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("eav-live", ["--headless", "--model", DEMO]),
        ("eav-replay", ["nowhere"]),
        ("eav-offline", ["data", "--nonsense"]),
    ],
)
def test_a_refusal_is_the_exit_status_of_the_program(
    command: str, arguments: list[str], tmp_path: Path
) -> None:
    status, _, log = finish(run(command, *arguments, cwd=tmp_path, env=os.environ))
    assert status == 2, log
    assert "error: " in log
    assert "Traceback" not in log


def test_how_to_get_the_dataset_is_said() -> None:
    status, out, _ = finish(run("eav-offline", "data"))
    assert status == 0
    assert "10205702" in out
