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

DEMO_PEOPLE_SEED = 1  # the demo's own person is drawn from another (`eav_live.demo`)
DEFAULT_OUT = Path(__file__).resolve().parents[2] / "assets" / "demo.safetensors"


def main(argv: Sequence[str] | None = None) -> int:
    """Write people, prepare them, train on them, copy the checkpoint to its place."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=8, metavar="N")
    parser.add_argument("--trials", type=int, default=40, metavar="T")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--work", type=Path, help="keep everything there, and resume")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(argv)
    from eav_offline.common.console import configure_logging, run

    configure_logging(verbose=False)
    return run(lambda: _make(options))


def _make(options: argparse.Namespace) -> int:
    from eav_offline.common.console import ProgressBar
    from eav_offline.common.files import checkpoint_file
    from eav_offline.config import load_config
    from eav_offline.core.model_names import STAGES
    from eav_offline.data.cache import open_prepared
    from eav_offline.data.prepared import prepare_root
    from eav_offline.data.synthetic.people import write_subjects
    from eav_offline.runs.split import training_data
    from eav_offline.training.train import train

    with tempfile.TemporaryDirectory(prefix="eav-demo-model-") as scratch:
        work = options.work or Path(scratch)
        people, cache, out = work / "people", work / "cache", work / "run"
        numbers = range(1, options.people + 1)
        if not (work / "written").exists():
            with ProgressBar("Synthetic people") as progress:
                write_subjects(
                    people,
                    options.people,
                    options.trials,
                    DEMO_PEOPLE_SEED,
                    progress=progress,
                    jobs=options.jobs,
                )
            (work / "written").touch()
        with ProgressBar("Preparing") as progress:
            prepare_root(
                people, cache, subjects=numbers, jobs=options.jobs, progress=progress
            )
        data = training_data([open_prepared(cache, n) for n in numbers], cache)
        with ProgressBar("Training") as progress:
            results = train(STAGES, data, load_config("compact"), out, progress.stage)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(checkpoint_file(out), options.out)
    accuracy = {m: f.accuracy for m, f in results.modalities.items()}
    sys.stdout.write(json.dumps({"out": str(options.out), "accuracy": accuracy}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
