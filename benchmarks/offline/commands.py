"""The benches of preparing, training and what was learned."""

import argparse
import sys
from pathlib import Path

from eav_offline.commands.options import (
    AddCommand,
    add_config,
    add_device,
    add_jobs,
    add_json,
    device,
)
from eav_offline.common.files import existing_folder


def register(add: AddCommand) -> None:
    """Add the benches of this module."""
    synthetic = add("synthetic", _synthetic, "accuracy on synthetic people")
    synthetic.add_argument("--work", type=Path, metavar="DIR", help="keep and resume")
    synthetic.add_argument("--trials", type=int, default=200, metavar="T")
    synthetic.add_argument("--null-subjects", type=int, default=3, metavar="N")
    synthetic.add_argument("--null-seeds", type=int, default=5, metavar="K")
    synthetic.add_argument("--effect", type=float, metavar="E", help="of the first")
    add_config(synthetic)
    add_jobs(synthetic)
    add_json(synthetic)

    train = add("train", _training, "epochs with and without cached frozen states")
    train.add_argument("--windows", type=int, default=8, metavar="N")
    add_config(train, "paper")
    add_device(train)
    add_json(train)

    prepare = add("prepare", _prepare, "face crops a second against plain MTCNN")
    prepare.add_argument(
        "--clips",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE_OR_DIR",
        help="videos; default: clips of two synthetic people",
    )
    prepare.add_argument("--repeats", type=int, default=3, metavar="N")
    prepare.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="of the plain loop; default: PyTorch's number or 1, what is faster",
    )
    add_jobs(prepare)
    add_json(prepare)

    speech = add("speech", _speech, "real speech of unknown speakers (RAVDESS)")
    _add_recordings(speech, "speech")
    speech.add_argument(
        "--cross-validate", action="store_true", help="also leave every speaker out"
    )
    speech.add_argument(
        "--audio-weights", metavar="DIR", help="published AST, to set beside"
    )
    eegmat = add("eegmat", _eegmat, "real EEG of unknown people, rest or arithmetic")
    _add_recordings(eegmat, "eegmat")

    zero = add(
        "zero-shot", _zero, "unseen EEG classes with and without a shared structure"
    )
    zero.add_argument("--people", type=int, default=8, metavar="N")
    zero.add_argument("--trials", type=int, default=10, metavar="T", help="of a class")
    zero.add_argument("--strict", action="store_true", help="see zero-shot --strict")
    add_jobs(zero)
    add_json(zero)


def _add_recordings(parser: argparse.ArgumentParser, config: str) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    add_config(parser, config)
    parser.add_argument("--seeds", type=int, default=5, metavar="K")
    add_json(parser)


def _synthetic(options: argparse.Namespace) -> int:
    from benchmarks.offline.synthetic import bench_synthetic
    from eav_offline.common.console import FAILED, write_json
    from eav_offline.config import load_config

    figures = bench_synthetic(
        load_config(options.config),
        work=options.work,
        n_trials=options.trials,
        null_subjects=options.null_subjects,
        null_seeds=options.null_seeds,
        effect=options.effect,
        jobs=options.jobs,
    )
    write_json(options.json, figures)
    if options.json != "-":
        for name in figures["accuracy"]:
            low, high = figures["null_interval"][name]
            sys.stdout.write(
                f"{name:<6} accuracy {figures['accuracy'][name]:.1%} of "
                f"{figures['attainable'][name]:.1%} attainable; without effect "
                f"{figures['null_accuracy'][name]:.1%} [{low:.1%}, {high:.1%}]\n"
            )
    return 0 if figures["passed"] else FAILED


def _training(options: argparse.Namespace) -> int:
    from benchmarks.offline.train import bench_train
    from eav_offline.common.console import FAILED, write_json
    from eav_offline.config import load_config

    figures = bench_train(
        load_config(options.config),
        n_windows=options.windows,
        device=device(options.device),
    )
    write_json(options.json, figures)
    if options.json != "-":
        for name in ("audio_head", "video_head", "ambt"):
            sys.stdout.write(
                f"{name:<10} epoch {figures[f'{name}_epoch_s']:.3f} s, without cache "
                f"{figures[f'{name}_epoch_without_cache_s']:.3f} s: "
                f"{figures[f'{name}_speedup']:.1f} times; filled once in "
                f"{figures[f'{name}_fill_s']:.1f} s, "
                f"{figures[f'{name}_bytes_per_window'] / 1e6:.2f} MB a window\n"
            )
        difference = figures["max_loss_difference"]
        sys.stdout.write(f"largest difference of losses {difference:.1e}\n")
    return 0 if figures["passed"] else FAILED


def _prepare(options: argparse.Namespace) -> int:
    from benchmarks.offline.prepare import bench_prepare, table
    from eav_offline.common.console import FAILED, write_json

    figures = bench_prepare(
        options.clips, options.repeats, options.jobs, options.threads
    )
    write_json(options.json, figures)
    if options.json != "-":
        sys.stdout.write(table(figures))
    return 0 if figures["passed"] else FAILED


def _speech(options: argparse.Namespace) -> int:
    from benchmarks.offline.contest import table
    from benchmarks.offline.speech import bench_speech
    from eav_offline.common.console import FAILED, write_json
    from eav_offline.config import load_config

    weights = options.audio_weights
    figures = bench_speech(
        existing_folder(options.data),
        load_config(options.config),
        seeds=range(options.seeds),
        cross_validate=options.cross_validate,
        weights=weights,
        weights_config=load_config("paper") if weights else None,
    )
    write_json(options.json, figures)
    if options.json != "-":
        for part in ("test", "cross_validation"):
            if part in figures:
                sys.stdout.write(table(part.replace("_", "-"), figures[part]))
    return 0 if figures["beats_baseline"] else FAILED


def _eegmat(options: argparse.Namespace) -> int:
    from benchmarks.offline.contest import table
    from benchmarks.offline.eegmat import bench_eegmat
    from eav_offline.common.console import write_json
    from eav_offline.config import load_config

    figures = bench_eegmat(
        existing_folder(options.data),
        load_config(options.config),
        seeds=range(options.seeds),
    )
    write_json(options.json, figures)
    if options.json != "-":
        for part in ("plain", "standardized"):
            sys.stdout.write(table(part, figures[part]))
        sys.stdout.write(
            f"rest is {figures['majority_share']:.1%} of the windows; always saying it "
            "has a balanced accuracy of 0.500\n"
        )
    return 0


def _zero(options: argparse.Namespace) -> int:
    from benchmarks.offline.zero_shot import bench_zero_shot, zero_shot_bench_table
    from eav_offline.common.console import FAILED, write_json

    figures = bench_zero_shot(
        options.people, options.strict, options.trials, options.jobs
    )
    write_json(options.json, figures)
    if options.json != "-":
        sys.stdout.write(zero_shot_bench_table(figures))
    return 0 if figures["passed"] else FAILED
