"""A line of each prediction, as JSON or for people, into a file or the terminal."""

import json
import logging
import math
import sys
from collections.abc import Callable
from typing import IO

from eav_live.recognition.predictions import Prediction
from eav_offline.core.labels import EMOTIONS

log = logging.getLogger(__name__)


class Lines:
    """Writes a line of each prediction. error: why it no longer does, said once.

    what: is written, for the log.
    """

    def __init__(
        self,
        stream: IO[str],
        line: Callable[[Prediction], str | None],
        what: str = "estimates",
    ) -> None:
        self.error: OSError | None = None
        self._stream = stream
        self._line = line
        self._what = what

    def write(self, prediction: Prediction) -> None:
        """Write a prediction's line; a subscriber of the session."""
        line = self._line(prediction)
        if line is not None:
            self.put(line)

    def put(self, line: str) -> None:
        """Write a line of another kind."""
        if self.error is not None:
            return
        try:
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except OSError as error:
            self.error = error
            log.error("The %s can no longer be written: %s", self._what, error.strerror)

    def close(self) -> None:
        """Close the file, if it is one."""
        if self._stream is sys.stdout:
            return
        try:
            self._stream.close()
        except OSError as error:  # the rest of a line that was refused before
            self.error = error


def as_json(person: str | None, prediction: Prediction) -> str:
    """One JSON object, with whose estimate it is, for `eav-live forget`.

    person: a code; not known without a recording.
    """
    return json.dumps({"person": person} | prediction.as_json())


def as_text(prediction: Prediction) -> str | None:
    """What a person reads in the terminal; None while there is nothing to say."""
    said = prediction.label or prediction.state
    if prediction.smoothed is None or said is None:
        return None
    share = max(p for p in prediction.smoothed.tolist() if not math.isnan(p))
    if prediction.label is not None:
        share = float(prediction.smoothed[EMOTIONS.index(prediction.label)])
    held = ", held" if prediction.state == "held" else ""
    truth = f"  truth {prediction.truth}" if prediction.truth else ""
    demo = "  (demo model: not valid for real people)" if prediction.demo else ""
    return (
        f"{prediction.t:.2f}  {said:<9} {share:4.0%}{held}  from "
        f"{'+'.join(prediction.present)}  {prediction.age_s * 1000:.0f} ms old"
        f"{truth}{demo}"
    )
