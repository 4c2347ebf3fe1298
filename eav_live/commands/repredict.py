"""`eav-live repredict`: a recording's predictions again, or those of another model."""

import argparse
import json
import logging
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from eav_live.commands.options import checkpoint_file
from eav_offline.common.errors import InputRefused

if TYPE_CHECKING:
    from eav_live.recognition.recognizer import Recognizer
    from eav_live.recording.repredicting import Reprediction
    from eav_offline.backends import Backend
    from eav_offline.data.sessions.session import SessionFile

log = logging.getLogger(__name__)

TOLERANCE = 1e-4
_TOLD = 10  # windows that differ


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="eav-live repredict",
        description="Predict again at the recorded window ends. By the model that was "
        "used then, all must equal what was recorded; any other model's predictions "
        "are only written.",
        epilog="Exit status: 0 done, and equal to 1e-4 if by the same model; 1 not; 2 "
        "input refused; 130 Ctrl-C.",
    )
    options.add_argument("recording", metavar="FILE.xdf", type=Path)
    options.add_argument(
        "--model",
        metavar="RUN|FILE",
        type=checkpoint_file,
        help="the checkpoint that was used, or any other",
    )
    options.add_argument(
        "--faces",
        choices=("again", "recorded"),
        default="again",
        help="find the faces again (default), or take the recorded ones, which is "
        "faster, and done where the recording began later than its session",
    )
    options.add_argument(
        "--json", metavar="PATH|-", help="write one JSON object a window"
    )
    return options


def main(options: argparse.Namespace) -> int:
    """Predict all windows, write them, and compare those of the same model."""
    from eav_live.recognition.pace import share_cores
    from eav_live.recognition.recognizer import Recognizer
    from eav_live.recording.repredicting import (
        is_same_model,
        joined_late,
        reaches_back,
        recorded_model,
        repredict,
    )
    from eav_offline.common.console import DONE, ProgressBar, existing, open_json
    from eav_offline.data.sessions.session import read_session
    from eav_offline.preprocess.face import FaceTracker

    session = read_session(existing(str(options.recording), "FILE.xdf"))
    model = options.model or recorded_model(session)
    recognizer = Recognizer.load(model)
    share_cores(recognizer.checkpoint)  # as live; more threads than that only spin
    if not session.predictions:
        raise InputRefused(
            f"{options.recording} holds no predictions; give a recording of eav-live "
            "--record"
        )
    same = is_same_model(session.settings, model)
    # Where a face was sought depends on all frames before, which such a one lacks.
    again = options.faces == "again" and not joined_late(session)
    tracker = FaceTracker() if again else None
    # Other recognizers have one way only, and another model need not go the same.
    alike = same and recognizer.takes_backends
    backends = partial(_backend, recognizer, model) if alike else None
    stream = None if options.json is None else open_json(options.json)
    results = []
    line = _Line(session, recognizer, same)
    with ProgressBar("Predicting again, windows") as progress:
        for one in repredict(session, recognizer, tracker, backends):
            results.append(one)
            if stream is not None:
                stream.write(json.dumps(line.of(one)) + "\n")
            progress(len(results), len(session.predictions))
    if stream is not None:
        stream.flush()
        if stream is not sys.stdout:
            stream.close()
    whole = [one for one in results if not reaches_back(session, one.recorded)]
    if same and len(whole) < len(results):
        out = sys.stderr if options.json == "-" else sys.stdout
        out.write(
            f"{len(results) - len(whole)} windows reach back to before the recording "
            "began, and are not compared\n"
        )
        if not whole:
            return DONE
    return _sum_up(options, whole if same else results, recognizer.name, same)


def _sum_up(
    options: argparse.Namespace, everything: "list[Reprediction]", name: str, same: bool
) -> int:
    """Say how it went. Returns the exit status."""
    from eav_offline.common.console import DONE, FAILED

    # Windows of which nothing was or is said agree without proving anything.
    results = [one for one in everything if one.answered]
    n_silent = len(everything) - len(results)
    if not results:
        raise InputRefused(
            f"{options.recording}: nothing was said of any of its {n_silent} windows"
        )
    out = sys.stderr if options.json == "-" else sys.stdout
    silent = f"{n_silent} more had no answer\n"
    if not same:
        n_alike = sum(one.decides_alike for one in results)
        out.write(
            f"{len(results)} windows predicted by {name}, not the recording's model: "
            f"the fused answer is the same emotion in {n_alike}; {silent}"
        )
        return DONE
    worst = max(one.difference for one in results)
    unequal = [one for one in results if one.difference > TOLERANCE]
    out.write(
        f"{len(results) - len(unequal)} of {len(results)} windows equal to "
        f"{TOLERANCE:g}; largest difference {worst:.2g}; {silent}"
    )
    for one in unequal[:_TOLD]:
        out.write(f"differs by {one.difference:.2g}: window {one.recorded.t:.2f}\n")
    if len(unequal) > _TOLD:
        out.write(f"and {len(unequal) - _TOLD} more; --json has them all\n")
    return FAILED if unequal else DONE


class _Line:
    """What --json says of a window, as `eav-live --json` does, smoothed anew."""

    def __init__(
        self, session: "SessionFile", recognizer: "Recognizer", same: bool
    ) -> None:
        from eav_live.recording.repredicting import recorded_decider

        self._decider = recorded_decider(session.settings, recognizer)
        self._person, self._model, self._same = session.person, recognizer.name, same

    def of(self, one: "Reprediction") -> dict[str, object]:
        """The object. difference: from what was recorded; null by another model."""
        from eav_live.recognition.predictions import named, sureness_json
        from eav_live.recording.repredicting import decide_again

        decision = decide_again(self._decider, one)
        return {
            "person": self._person,
            "t": one.recorded.t,
            **{answer: named(p) for answer, p in one.now.items()},
            "smoothed": named(None if decision is None else decision.smoothed),
            "label": None if decision is None else decision.label,
            **sureness_json(decision),
            "present": list(one.recorded.present),
            "interpolated": list(one.recorded.interpolated),
            "model": self._model,
            # 1 is as far as probabilities can be apart; JSON knows no infinity.
            "difference": min(one.difference, 1.0) if self._same else None,
        }


def _backend(recognizer: "Recognizer", model: Path, name: str) -> "Backend":
    """What computed the model then, or PyTorch where this computer lacks it."""
    from eav_offline.backends import EagerBackend, available_backends, make_backend

    plain = name.partition("+")[0]
    if plain not in available_backends():
        log.warning(
            "The predictions were computed by %s, which this computer does not have; "
            "PyTorch's own may differ from it by more than %g",
            name,
            TOLERANCE,
        )
        return EagerBackend(recognizer.checkpoint.model)
    return make_backend(name, recognizer.checkpoint, model)
