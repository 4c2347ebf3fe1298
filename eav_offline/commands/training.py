"""Commands on models: train, evaluate."""

import argparse
import sys
from pathlib import Path
from typing import Any

from eav_offline.commands.options import (
    AddCommand,
    add_config,
    add_device,
    add_json,
    add_subjects,
    compact_config,
    device,
    folder,
    open_subjects,
)


def register(add: AddCommand) -> None:
    """Add the commands of this module."""
    train = add("train", _train, "train the three models, then AMBT")
    train.add_argument(
        "model", nargs="?", choices=("eeg", "audio", "video", "ambt"), metavar="MODEL"
    )
    train.add_argument("--data", type=Path, required=True, metavar="CACHE")
    add_subjects(train)
    add_config(train)
    train.add_argument("--out", type=Path, required=True, metavar="RUN")
    train.add_argument("--seed", type=int, metavar="S", help="instead of the config's")
    train.add_argument(
        "--train-windows",
        type=int,
        metavar="W",
        help="of 80 a class, as the papers count: 56 or 40 (default: 70 %% of trials)",
    )
    add_device(train)
    add_json(train)

    evaluate = add("evaluate", _evaluate, "score a run on its test trials again")
    evaluate.add_argument("run", type=Path, metavar="RUN")
    evaluate.add_argument("--data", type=Path, metavar="CACHE", help="if it has moved")
    add_device(evaluate)
    add_json(evaluate)


def _train(options: argparse.Namespace) -> int:
    from eav_offline.config import STAGES, load_config
    from eav_offline.console import ProgressBar, write_json
    from eav_offline.runs import training_data
    from eav_offline.training import train

    config = load_config(options.config or compact_config())
    if options.seed is not None:
        config = config.with_seed(options.seed)
    data = training_data(
        open_subjects(options.data, options.subjects),
        train_windows=options.train_windows,
        validation=config.train.select == "validation",
        cache=options.data,
    )
    stages = STAGES if options.model is None else (options.model,)
    with ProgressBar("Training") as progress:
        results = train(
            stages, data, config, options.out, progress.stage, device(options.device)
        )
    write_json(options.json, results)
    if options.json != "-":
        _show(results)
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from eav_offline.console import write_json
    from eav_offline.runs import evaluate_run

    results = evaluate_run(folder(options.run), options.data, device(options.device))
    write_json(options.json, results)
    if options.json != "-":
        _show(results)
    return 0


def _show(results: dict[str, Any]) -> None:
    if results["demo"]:
        sys.stdout.write("Synthetic people: these figures say nothing of real ones.\n")
    for name, figures in results["modalities"].items():
        low, high = figures["interval"]
        sys.stdout.write(
            f"{name:<6} accuracy {figures['accuracy']:.1%} (95 % by trial "
            f"{low:.1%}-{high:.1%}), macro-F1 {figures['macro_f1']:.1%}, "
            f"{figures['n_windows']} windows\n"
        )
