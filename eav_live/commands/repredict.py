"""`eav-live repredict`: whether a recording's predictions can be made again from it."""

import argparse
import hashlib
import logging
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from eav_offline.errors import InputRefused
from eav_offline.files import checkpoint_file

if TYPE_CHECKING:
    from eav_live.backends import Backend
    from eav_live.recognizer import Recognizer

log = logging.getLogger(__name__)

TOLERANCE = 1e-4


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="eav-live repredict",
        description="Predict again at the recorded window ends and compare with what "
        "was recorded.",
        epilog="Exit status: 0 equal to 1e-4, 1 not, 2 input refused, 130 Ctrl-C.",
    )
    options.add_argument("recording", metavar="FILE.xdf", type=Path)
    options.add_argument(
        "--model",
        metavar="RUN|FILE",
        type=checkpoint_file,
        help="the checkpoint that was used",
    )
    options.add_argument(
        "--faces",
        choices=("again", "recorded"),
        default="again",
        help="find the faces again (default), or take the recorded ones, which is "
        "faster",
    )
    options.add_argument("--json", metavar="PATH|-", help="write every window's result")
    options.add_argument("-v", "--verbose", action="store_true")
    return options


def main(options: argparse.Namespace) -> int:
    """Compare all windows; say the largest difference."""
    from eav_live.baseline_recognizer import load_recognizer
    from eav_live.demo import asset
    from eav_live.recognizer import Recognizer
    from eav_live.recording.again import predict_again
    from eav_offline.console import DONE, FAILED, existing, write_json
    from eav_offline.data.session_file import read_session
    from eav_offline.preprocess.face import FaceTracker

    session = read_session(existing(str(options.recording), "FILE.xdf"))
    if not session.said:
        raise InputRefused(
            f"{options.recording} holds no predictions; give a recording of eav-live "
            "--record"
        )
    model = options.model or asset("demo.safetensors")
    _require_model(session.settings, model)
    tracker = FaceTracker() if options.faces == "again" else None
    recognizer = load_recognizer(model)
    transformers = type(recognizer) is Recognizer  # others have one way only
    backends = partial(_backend, recognizer, model) if transformers else None
    everything = list(predict_again(session, recognizer, tracker, backends))
    # Windows of which nothing was or is said agree without proving anything.
    results = [one for one in everything if one.answered]
    n_silent = len(everything) - len(results)
    if not results:
        raise InputRefused(
            f"{options.recording}: nothing was said of any of its {n_silent} windows"
        )
    worst = max(one.difference for one in results)
    n_equal = sum(one.difference <= TOLERANCE for one in results)
    write_json(
        options.json,
        {
            "windows": len(results),
            "windows_without_answer": n_silent,
            "equal": n_equal,
            "largest_difference": worst,
            "differences": [[one.recorded.t, one.difference] for one in results],
        },
    )
    if options.json != "-":
        sys.stdout.write(
            f"{n_equal} of {len(results)} windows equal to {TOLERANCE:g}; largest "
            f"difference {worst:.2g}; {n_silent} more had no answer\n"
        )
    return DONE if n_equal == len(results) else FAILED


def _backend(recognizer: "Recognizer", model: Path, name: str) -> "Backend":
    """What computed the model then, or PyTorch where this computer lacks it."""
    from eav_live.backends import EagerBackend, available_backends, make_backend

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


def _require_model(settings: dict[str, object], model: Path) -> None:
    recorded = settings.get("model")
    if not isinstance(recorded, dict):
        raise InputRefused("the recording does not say which model was used")
    if not model.is_file():
        raise InputRefused(f"--model {model}: there is no such file")
    with model.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != recorded.get("sha256"):
        raise InputRefused(
            f"the recording was made with the model {recorded.get('name')} (SHA-256 "
            f"{str(recorded.get('sha256'))[:12]}...), {model} is another "
            f"({digest[:12]}...); give the right one with --model"
        )
