"""Fitting beside a window: a thread, what it has made, or why it could not."""

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from eav_live.calibrate.clips import labeled_windows
from eav_offline.checkpoint import load
from eav_offline.common.errors import InputRefused
from eav_offline.personal.calibration import Calibrated, calibrate

log = logging.getLogger(__name__)


def fit(recordings: Sequence[Path], model: Path, person: str) -> Calibrated:
    """A model for the person, from the clips in their recordings.

    Raises InputRefused if there is too little to learn from, or nothing to adapt.
    """
    checkpoint = load(model)
    clips = labeled_windows(recordings, checkpoint)
    if not clips.inputs:
        raise InputRefused(
            f"no clip in {', '.join(path.name for path in recordings)} can be learned "
            "from: nothing of it was fit to be recognized; look at microphone, camera "
            "and light, and record again"
        )
    return calibrate(checkpoint, clips.inputs, clips.emotion, clips.clip, person)


class Fitting:
    """Runs once, in a thread that ends with the program: what it reads is on disk.

    result: None while it runs. error: why there is none; empty if all is well.
    """

    def __init__(self, make: Callable[[], Calibrated]) -> None:
        self.result: Calibrated | None = None
        self.error = ""
        self._make = make
        self._thread = threading.Thread(target=self._run, name="fitting", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is at work."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.result = self._make()
        except InputRefused as error:
            self.error = str(error)
        except Exception as error:  # the thread's last line of defense
            log.exception("Nothing was fitted")
            self.error = f"stopped: {error}"
