"""Make the demo's checkpoint anew: `python -m benchmarks.offline.demo_model`.

It is trained on synthetic people only, all of them other people than the one the demo
replays, and is therefore worth nothing for real ones.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import ROOT, side_by_side, working_folder
from benchmarks.offline.drawn import drawn_windows
from eav_offline.common.console import ProgressBar, configure_logging, run
from eav_offline.common.files import checkpoint_file
from eav_offline.config import load_config
from eav_offline.core.model_names import STAGES
from eav_offline.data.dataset import LabeledWindows
from eav_offline.data.splits import WITHIN, within_subject
from eav_offline.data.window_set import window_set
from eav_offline.preprocess import PreprocessSettings
from eav_offline.training.train import TrainingData, train

DEMO_PEOPLE_SEED = 1  # the demo's own person has another: `eav_live.replay.demo`
DEFAULT_OUT = ROOT / "assets" / "demo.safetensors"


def main(argv: Sequence[str] | None = None) -> int:
    """Draw people, train on them, copy the checkpoint to its place."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=8, metavar="N")
    parser.add_argument("--trials", type=int, default=40, metavar="T")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--work", type=Path, help="keep everything there, and resume")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(argv)
    configure_logging(verbose=False)
    return run(lambda: _make(options))


def _make(options: argparse.Namespace) -> int:
    with working_folder(options.work) as work:
        data = _data(work, options.people, options.trials, options.jobs)
        with ProgressBar("Training") as progress:
            config, out = load_config("compact"), work / "run"
            results = train(STAGES, data, config, out, progress.stage)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(checkpoint_file(out), options.out)
    accuracy = {m: f.accuracy for m, f in results.modalities.items()}
    about = {"out": str(options.out), "accuracy": accuracy, "fuse": results.fuse_reason}
    if results.fusion is not None:
        about["ways"] = {way: s.accuracy for way, s in results.fusion.ways.items()}
    sys.stdout.write(json.dumps(about) + "\n")
    return 0


def _data(work: Path, n_people: int, n_trials: int, jobs: int) -> TrainingData:
    """Windows of training, validation and test trials, the same in every call."""
    asked = [(work, number, n_trials) for number in range(1, n_people + 1)]
    with ProgressBar("Synthetic people") as progress:
        people = side_by_side(_person, asked, jobs, progress)
    splits = {
        one.subject: within_subject(one.trial, one.emotion, validation=True)
        for one in people
    }
    train, validation, test = (
        window_set(people, {n: getattr(s, part) for n, s in splits.items()})
        for part in ("train", "validation", "test")
    )
    settings, split = PreprocessSettings(), {"kind": WITHIN}
    return TrainingData(train, validation, test, settings, split)


def _person(asked: tuple[Path, int, int]) -> LabeledWindows:
    work, number, n_trials = asked
    file = work / f"subject{number}-{n_trials}.npz"
    return drawn_windows(file, DEMO_PEOPLE_SEED, number, n_trials)


if __name__ == "__main__":
    sys.exit(main())
