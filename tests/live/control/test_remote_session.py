"""The whole program under remote control: the demo, its socket, the file on disk."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from eav_live.recording.verifying import verify
from eav_offline.data.sessions.session import read_session

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "psychopy_style.py"


@pytest.mark.slow
@pytest.mark.lsl
@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent as a signal")
def test_the_demo_is_recorded_from_afar_and_the_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "P01.xdf"
    words = ["--demo", "--headless", "--control", "127.0.0.1:0", "--duration", "60"]
    words += ["--record", str(path), "--person", "P01", "--consent-by", "me"]
    program = subprocess.Popen(
        [sys.executable, "-m", "eav_live", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert program.stdout is not None
        port = ""
        for line in program.stdout:
            port = _port(line) or port
            if "from eeg+audio+video" in line:
                break
        assert not path.exists()  # until somebody starts it
        example = [sys.executable, str(EXAMPLE), port]
        told = subprocess.run(example, capture_output=True, text=True, timeout=60)
        assert told.returncode == 0, told.stderr
        program.send_signal(signal.SIGINT)
        program.communicate(timeout=30)
    finally:
        program.kill()
        program.wait()
    assert program.returncode == 130
    wanted = [f"stimulus {i}" for i in range(3)]
    assert not verify(path, wanted).faults
    assert read_session(path).predictions


def _port(line: str) -> str:
    found = re.search(r"Remote control listens on \S+:(\d+)", line)
    return found[1] if found else ""
