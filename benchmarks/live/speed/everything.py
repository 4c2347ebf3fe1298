"""`eav-live` with all that it has open: what `live-speed --all-panels` watches.

    python -m benchmarks.live.speed.everything OPTIONS

The participant's window stands beside the dashboard, and one view and panel after
another comes up, as no hand would turn them over; who starts it has it record, publish
and write lines too.
"""

import sys
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer

from eav_live.replay.demo import keep_lsl_on_this_computer

_TURN_SECONDS = 2.0  # that a view is seen


def options(folder: Path) -> list[str]:
    """What has `eav-live` do all that it can beside showing; files go into `folder`."""
    return [
        *("--participant-screen", "window", "--publish", "EAV-Bench"),
        *("--json", str(folder / "estimates.jsonl")),
        *("--record", str(folder / "session.xdf"), "--person", "SYN"),
        *("--consent-by", "nobody: a drawn person"),
    ]


def open_everything() -> None:
    """Have the dashboard open its views and panels by itself, in turn."""
    from eav_live.ui import dashboard
    from eav_live.ui.panels.eeg.view import HEAD, MEASURES, SPECTRUM, TRACES

    class Everything(dashboard.Dashboard):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            assert self.controls is not None
            self._turns = cycle(self._all())
            self._turning = QTimer(self)
            self._turning.timeout.connect(lambda: next(self._turns)())
            self._turning.start(round(1000 * _TURN_SECONDS))

        def _all(self) -> list[Callable[[], object]]:
            assert self.controls is not None

            def head(measure: str) -> None:
                self.traces.show_view(HEAD)
                self.traces.measure.setCurrentIndex(MEASURES.index(measure))

            def leave() -> None:
                assert self.controls is not None
                self.card.hide()
                self.controls.keys.hide()
                self.note()  # the line for one

            return [
                self.controls.acknowledge,  # the notice, or nothing is estimated
                *(partial(head, measure) for measure in MEASURES),
                partial(self.traces.show_view, SPECTRUM),
                partial(self.traces.show_view, TRACES),
                self.controls.toggle_keys,
                self.card.toggle,
                leave,
                partial(self.timeline.plot.zoom, -1),
            ]

    dashboard.Dashboard = Everything  # type: ignore[misc]


def main() -> int:
    """The program. Returns its exit status."""
    keep_lsl_on_this_computer()  # before anything imports pylsl
    open_everything()
    from eav_live.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(main())
