"""The real program on the replayed demo, watched from outside: `eav-live --demo`.

The session with its window is one process, the replay another; this one only looks at
how much processor time and memory the first takes, and reads the timings it wrote.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks.live.speed import everything
from benchmarks.live.speed.figures import live_figures
from eav_live.logs.timings import MADE, WINDOW

log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.5
_PATIENCE = 180.0  # seconds beyond the session's own time: to load, and a first compile


def run_live(
    arguments: Sequence[str], seconds: float, all_panels: bool = False
) -> dict[str, Any]:
    """Run `eav-live --demo` with these options for so long, and measure it.

    all_panels: with all that it has open, see `everything`.

    Returns the figures of `live_figures`, `window_s` (something is seen) and
    `first_prediction_s`, both from the command on,
    `cpu_share` (of all cores, from the first estimate on), `cpu_cores`, `memory_mb` (at
    the end) and `memory_highest_mb`. Raises RuntimeError if the program fails.
    """
    environment = dict(os.environ)
    environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(prefix="eav-bench-") as folder:
        timings, errors = Path(folder) / "timings.jsonl", Path(folder) / "stderr.txt"
        program = everything.__name__ if all_panels else "eav_live"
        command = [sys.executable, "-m", program, "--demo", *arguments]
        if all_panels:
            command += everything.options(Path(folder))
        # The first window needs five seconds, which are not of those asked for.
        command += ["--duration", str(seconds + 5.0), "--timings", str(timings)]
        command += ["--log", str(Path(folder) / "eav-live.log")]
        with errors.open("w", encoding="utf-8") as written:
            began = time.time()
            process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=written, env=environment
            )
            try:
                looks = _watch(process, began + seconds + _PATIENCE)
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.wait(10)
        said = errors.read_text(encoding="utf-8", errors="replace").strip()
        if process.returncode != 0 or not timings.exists():
            raise RuntimeError(
                f"{' '.join(command[3:])} ended with status {process.returncode}: "
                f"{said[-1000:] or 'it said nothing'}"
            )
        lines = [json.loads(line) for line in timings.read_text("utf-8").splitlines()]
    return {**live_figures(lines), **process_figures(lines, looks, began)}


def process_figures(
    lines: Sequence[dict[str, Any]],
    looks: Sequence[tuple[float, float, float]],
    began: float,
) -> dict[str, Any]:
    """Start-up, processor time and memory.

    looks: (time of day, seconds of processor time so far, resident bytes). began: time
    of day of the command.
    """
    first = next(
        m["wall"] for m in lines if m["what"] == MADE and m["fused"] is not None
    )
    after = [look for look in looks if look[0] >= first]
    cores = os.cpu_count() or 1
    figures: dict[str, Any] = {"first_prediction_s": round(first - began, 2)}
    for line in lines:
        if line["what"] == WINDOW:
            figures["window_s"] = round(line["wall"] - began, 2)
    if len(after) >= 2:
        used = (after[-1][1] - after[0][1]) / (after[-1][0] - after[0][0])
        figures |= {"cpu_share": round(used / cores, 4), "cpu_cores": round(used, 3)}
    if after:
        figures["memory_mb"] = round(after[-1][2] / 1e6)
        figures["memory_highest_mb"] = round(max(look[2] for look in after) / 1e6)
    return figures


def _watch(
    process: subprocess.Popen[bytes], deadline: float
) -> list[tuple[float, float, float]]:
    looks: list[tuple[float, float, float]] = []
    watched = psutil.Process(process.pid)
    while process.poll() is None and time.time() < deadline:
        try:
            with watched.oneshot():
                used, held = watched.cpu_times(), watched.memory_info().rss
        except psutil.Error:  # it ended just now
            break
        looks.append((time.time(), used.user + used.system, float(held)))
        try:
            process.wait(_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        log.error("eav-live did not end in time and is stopped")
    return looks
