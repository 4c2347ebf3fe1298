"""Hours of a session in minutes, with its window: does the memory stay level?

Time is moved by hand as quickly as the computer follows (`simulated`). Every window is
recognized, written as JSON and shown; the dashboard is painted at every hop, its views
in turn.
"""

import logging
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PySide6.QtWidgets import QApplication

from benchmarks.live.simulated import SimulatedPerson, SimulatedRun, SimulatedSession
from benchmarks.live.soak.figures import MAX_WARM_UP, memory_figures
from benchmarks.live.speed.material import demo_material
from eav_live.logs.lines import Lines, as_json
from eav_live.recognition.pace import return_large_blocks
from eav_live.replay.demo import demo_subject
from eav_live.ui import theme
from eav_live.ui.dashboard import Dashboard
from eav_live.ui.window import begin_qt
from eav_offline.common.errors import InputRefused

log = logging.getLogger(__name__)
LEVEL = 0.02  # share of its size that memory may have grown in the second half
_LOOK_SECONDS = 10.0  # of simulated time, between looks at the memory
_CHUNK_SECONDS = 0.1  # in which samples come
_TURN_SECONDS = 60.0  # of simulated time, between views of the EEG
_LEAST_MINUTES = 3 * MAX_WARM_UP / 60  # start, middle, end


def bench_simulated(minutes: float, hop: float) -> dict[str, Any]:
    """Let `minutes` pass in a session with a dashboard.

    Returns figures ready for JSON, see docs/benchmarks.md. Raises InputRefused if the
    time is too short to judge.
    """
    if minutes < _LEAST_MINUTES:
        raise InputRefused(
            f"--minutes {minutes:g} is too short to judge memory by; give "
            f"{_LEAST_MINUTES:g} or more"
        )
    begin_qt()
    return_large_blocks()  # as the program does
    person = SimulatedPerson(demo_material(demo_subject()), _CHUNK_SECONDS)
    session = SimulatedSession(person, hop)
    with tempfile.TemporaryDirectory(prefix="eav-bench-") as folder:
        written = Path(folder) / "estimates.jsonl"
        lines = Lines(written.open("w", encoding="utf-8"), partial(as_json, None))
        session.subscribe(lines.write)
        window = Dashboard(session, running=SimulatedRun(session))
        window.resize(theme.BASE_WIDTH, theme.BASE_HEIGHT)
        window.show()
        window._timer.stop()  # painted once a hop, below
        memory = _watch(session, window, minutes * 60)
        history = window.timeline.plot.history
        points = len(history.points) + len(history.older)
        failed = window.failed
        window.close()
        lines.close()
        size = written.stat().st_size
    figures = {
        "simulated_minutes": minutes,
        "hop_s": hop,
        "predictions": session.n_predictions,
        "timeline_points": points,
        "json_mb": round(size / 1e6, 1),
        **level_figures(memory),
        **memory_figures(memory),
    }
    return figures | {"passed": figures["level"] and not failed}


def level_figures(memory: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Resident MB after the warm-up, in the middle and at the end; is that level?

    memory: (seconds, bytes). The median of five minutes each.
    """
    times, size = np.array(memory).T
    times = times - times[0]
    spots = {
        "start": (MAX_WARM_UP, 2 * MAX_WARM_UP),
        "middle": (times[-1] / 2 - MAX_WARM_UP / 2, times[-1] / 2 + MAX_WARM_UP / 2),
        "end": (times[-1] - MAX_WARM_UP, times[-1]),
    }
    mb = {
        name: float(np.median(size[(times >= first) & (times <= last)])) / 1e6
        for name, (first, last) in spots.items()
    }
    figures = {f"resident_{name}_mb": round(value, 1) for name, value in mb.items()}
    return figures | {"level": mb["end"] <= (1 + LEVEL) * mb["middle"]}


def _watch(
    session: SimulatedSession, window: Dashboard, seconds: float
) -> list[tuple[float, float]]:
    process, memory = psutil.Process(), []
    begun = session.clock()
    looked = turned = -np.inf
    while (passed := session.clock() - begun) < seconds:
        session.pass_time(session.hop)
        window.refresh()
        QApplication.processEvents()
        if passed - turned >= _TURN_SECONDS:
            turned = passed
            window.traces.keys["V"]()
        if passed - looked >= _LOOK_SECONDS:
            looked = passed
            memory.append((passed, float(process.memory_info().rss)))
        if round(passed / session.hop) % round(600 / session.hop) == 0:
            log.info("%.0f minutes, %.0f MB", passed / 60, memory[-1][1] / 1e6)
    return memory
