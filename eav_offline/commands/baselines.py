"""What `train` has to say of baselines, and the command that averages runs."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from eav_offline.commands.options import AddCommand, add_json, output_folder
from eav_offline.common.errors import InputRefused
from eav_offline.core.model_names import BASELINES, FEATURES, NETWORKS

if TYPE_CHECKING:
    from eav_offline.config import Config

MODELS = ("eeg", "audio", "video", "ambt", *BASELINES)  # that `train` knows


def register(add: AddCommand) -> None:
    """Add the commands of this module."""
    average = add("average", _average, "average what several runs say, as a run")
    average.add_argument(
        "runs",
        nargs="+",
        metavar="RUN[:OUTPUT]",
        help="a run, and which of its outputs: eeg, audio, video, averaged or fused "
        "(default)",
    )
    average.add_argument("--out", type=Path, required=True, metavar="RUN")
    add_json(average)


def add_baseline(train: argparse.ArgumentParser) -> None:
    """`--epochs`, and a list of the names."""
    group = train.add_argument_group(
        "baselines",
        f"MODEL may also be a network ({', '.join(NETWORKS)}) or a logistic "
        f"regression of features ({', '.join(FEATURES)}); see docs/baselines.md",
    )
    group.add_argument(
        "--epochs", type=int, metavar="N", help="of a network, instead of its authors'"
    )


def stages_of(
    options: argparse.Namespace, config: "Config"
) -> tuple[tuple[str, ...], "Config"]:
    """The stages to train, and the configuration with the baseline named, if one is.

    Raises InputRefused for an option that the model named does not have.
    """
    from eav_offline.config import STAGES
    from eav_offline.models.baselines.settings import with_baseline

    name = options.model
    if options.epochs is not None and name not in NETWORKS:
        raise InputRefused(
            f"--epochs is of baseline networks ({', '.join(NETWORKS)}); those of the "
            "transformers stand in the configuration"
        )
    if options.epochs is not None and options.epochs < 1:
        raise InputRefused(f"--epochs is {options.epochs}; give 1 or more")
    if name is None:
        return STAGES, config
    if name not in BASELINES:
        return (name,), config
    return (BASELINES[name],), with_baseline(config, name, options.epochs)


def _average(options: argparse.Namespace) -> int:
    from eav_offline.common.console import write_json
    from eav_offline.runs.averaging import average_runs, parse_member

    members = [parse_member(text) for text in options.runs]
    results = average_runs(members, output_folder(options.out))
    write_json(options.json, results)
    if options.json != "-":
        if results["demo"]:
            sys.stdout.write(
                "Synthetic people: these figures say nothing of real ones.\n"
            )
        for name, figures in results["modalities"].items():
            sys.stdout.write(
                f"{name:<6} accuracy {figures['accuracy']:.1%}, macro-F1 "
                f"{figures['macro_f1']:.1%}, {figures['n_windows']} windows\n"
            )
    return 0
