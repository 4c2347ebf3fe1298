"""Make the demo's checkpoint anew: `python -m benchmarks.offline.demo_model`.

It is trained on synthetic people only, all of them other people than the one the demo
replays, and is therefore worth nothing for real ones.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eav_offline.data.dataset import LabeledWindows
    from eav_offline.data.window_set import WindowSet

DEMO_PEOPLE_SEED = 1  # the demo's own person has another: `eav_live.replay.demo`
DEFAULT_OUT = Path(__file__).resolve().parents[2] / "assets" / "demo.safetensors"


def main(argv: Sequence[str] | None = None) -> int:
    """Write people, prepare them, train on them, copy the checkpoint to its place."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=8, metavar="N")
    parser.add_argument("--trials", type=int, default=40, metavar="T")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--work", type=Path, help="keep everything there, and resume")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    change = parser.add_mutually_exclusive_group()
    change.add_argument(
        "--card", action="store_true", help="change nothing of --out but its card"
    )
    change.add_argument(
        "--sureness",
        action="store_true",
        help="change nothing of --out but its thresholds; else as it was made",
    )
    options = parser.parse_args(argv)
    from eav_offline.common.console import configure_logging, run

    configure_logging(verbose=False)
    if options.card:
        return run(lambda: _card(options.out))
    return run(lambda: (_sureness if options.sureness else _make)(options))


def _card(path: Path) -> int:
    """Say what the file itself tells; what its results were is not in it."""
    from eav_offline.checkpoint.card import DataSet
    from eav_offline.checkpoint.file import load, put_card
    from eav_offline.evaluation.model_card import trained_card

    checkpoint = load(path)
    people = checkpoint.meta["training"]["subjects"]
    learned_from = DataSet(name="synthetic people", people=people, synthetic=True)
    put_card(path, trained_card(checkpoint, (learned_from,)))
    return 0


def _sureness(options: argparse.Namespace) -> int:
    """Calibrate the model that is there on the trials that were left out of its fit."""
    from eav_offline.checkpoint.file import load, put_sureness
    from eav_offline.evaluation.conformal import calibrate, source_of

    with tempfile.TemporaryDirectory(prefix="eav-demo-model-") as scratch:
        train, validation, _ = _parts(options, options.work or Path(scratch))
        sureness = calibrate(
            load(options.out), validation, source_of(train, validation)
        )
        put_sureness(options.out, sureness)
    about = None if sureness is None else sureness.as_json()
    sys.stdout.write(json.dumps({"out": str(options.out), "sureness": about}) + "\n")
    return 0


def _make(options: argparse.Namespace) -> int:
    from eav_offline.common.console import ProgressBar
    from eav_offline.common.files import checkpoint_file
    from eav_offline.config import load_config
    from eav_offline.core.model_names import STAGES
    from eav_offline.data.splits import WITHIN
    from eav_offline.preprocess import PreprocessSettings
    from eav_offline.training.train import TrainingData, train

    with tempfile.TemporaryDirectory(prefix="eav-demo-model-") as scratch:
        work = options.work or Path(scratch)
        train_windows, validation, test = _parts(options, work)
        settings, split = PreprocessSettings(), {"kind": WITHIN}
        data = TrainingData(train_windows, validation, test, settings, split)
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


def _parts(
    options: argparse.Namespace, work: Path
) -> "tuple[WindowSet, WindowSet, WindowSet]":
    """Windows of training, validation and test trials, the same in every call."""
    from benchmarks.measure import side_by_side
    from eav_offline.common.console import ProgressBar
    from eav_offline.data.splits import within_subject
    from eav_offline.data.window_set import window_set

    work.mkdir(parents=True, exist_ok=True)
    asked = [(work, n, options.trials) for n in range(1, options.people + 1)]
    with ProgressBar("Synthetic people") as progress:
        people = side_by_side(_person, asked, options.jobs, progress)
    splits = {
        one.subject: within_subject(one.trial, one.emotion, validation=True)
        for one in people
    }
    train, validation, test = (
        window_set(people, {n: getattr(s, part) for n, s in splits.items()})
        for part in ("train", "validation", "test")
    )
    return train, validation, test


def _person(asked: tuple[Path, int, int]) -> "LabeledWindows":
    from benchmarks.offline.drawn import drawn_windows

    work, number, n_trials = asked
    file = work / f"subject{number}-{n_trials}.npz"
    return drawn_windows(file, DEMO_PEOPLE_SEED, number, n_trials)


if __name__ == "__main__":
    sys.exit(main())
