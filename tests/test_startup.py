"""What a command imports before it has anything to do."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "PySide6",
    "av",
    "cv2",
    "distributed",
    "matplotlib",
    "mne",
    "mne_lsl",
    "numpy",
    "onnxruntime",
    "pydantic",
    "pylsl",
    "pyqtgraph",
    "scipy",
    "sklearn",
    "sounddevice",
    "torch",
}
REPOSITORY = Path(__file__).resolve().parents[1]
MOST_MODULES = 160  # an interpreter that did nothing has some forty

_ASK_FOR_HELP = """
import contextlib, importlib, io, json, sys
program, main, *arguments = sys.argv[1:]
call = getattr(importlib.import_module(program), main)
with contextlib.redirect_stdout(io.StringIO()) as text:
    try:
        call([*arguments, "--help"])
    except SystemExit:
        pass
assert "usage" in text.getvalue()
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize(
    "command",
    [
        "eav_live.cli main",
        "eav_live.cli main collect",
        "eav_live.cli main doctor",
        "eav_live.cli main review",
        "eav_live.cli replay_main",
        "eav_offline.cli main",
        "eav_offline.cli main train",
    ],
)
def test_help_comes_without_heavy_libraries(command: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", _ASK_FOR_HELP, *command.split()],
        capture_output=True,
        text=True,
        check=True,
    )
    modules = {name.strip('" []\n') for name in answer.stdout.split(",")}
    assert {name.split(".")[0] for name in modules} & HEAVY == set()
    assert len(modules) < MOST_MODULES


def test_a_replay_does_not_wait_for_torch() -> None:
    asked = (
        "import sys, eav_live.replay.files, eav_live.replay.session, "
        "eav_offline.data.eav.subject, eav_offline.data.synthetic.people; "
        "sys.exit(' '.join({'torch', 'sklearn', 'pandas'} & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", asked], check=True)


def test_streams_do_not_wait_for_torch() -> None:
    asked = (
        "import sys, eav_live.session.opening; "
        "sys.exit(' '.join({'torch', 'scipy.signal'} & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", asked], check=True)


_UNTIL_THE_WINDOW = """
import json, sys
from eav_live import cli
from eav_live.ui import program
program.run_program = lambda *arguments, **more: print(json.dumps(sorted(sys.modules)))
cli.main(sys.argv[1:])
"""


def test_a_window_that_records_and_is_controlled_stands_before_models_are_there(
    tmp_path: Path,
) -> None:
    consent = ["--person", "P01", "--consent-by", "AB", "--log", "x.log"]
    arguments = ["--record", "x.xdf", *consent, "--control", "127.0.0.1:0"]
    answer = subprocess.run(
        [sys.executable, "-c", _UNTIL_THE_WINDOW, "--eeg-stream", "none", *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    imported = set(json.loads(answer.stdout.splitlines()[-1]))
    assert "eav_live.running" in imported
    assert not imported & {"av", "cv2", "mne_lsl", "pylsl", "scipy", "torch"}


def test_every_bench_can_be_imported_first(monkeypatch: pytest.MonkeyPatch) -> None:
    # As by `./dev bench NAME`: a circle of imports shows by one of its ends alone.
    names = [
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
        for path in sorted((REPOSITORY / "benchmarks").rglob("*.py"))
        if not path.name.startswith("__")
    ]
    assert "benchmarks.offline.sureness" in names
    for name in names:
        for other in [m for m in sys.modules if m.split(".")[0] == "benchmarks"]:
            monkeypatch.delitem(sys.modules, other)
        importlib.import_module(name)
