"""The command `eav-offline zero-shot`."""

import argparse
import sys
from pathlib import Path

from eav_offline.commands.options import (
    AddCommand,
    add_config,
    add_device,
    add_json,
    compact_config,
    device,
    open_subjects,
)


def register(add: AddCommand) -> None:
    """Add the commands of this module."""
    zero = add(
        "zero-shot", _zero_shot, "recognise an emotion whose EEG was never learned from"
    )
    zero.add_argument("--data", type=Path, required=True, metavar="CACHE")
    zero.add_argument(
        "--subject",
        "--subjects",
        dest="subjects",
        metavar="1,3-5",
        help="each by itself; default: all",
    )
    zero.add_argument(
        "--unseen",
        default="all",
        metavar="EMOTION",
        help="Happiness; Anger,Happiness (together); all (default): each of the five "
        "in turn; pairs: each two; none: EEG sees all classes",
    )
    zero.add_argument("--out", type=Path, default=Path("zero-shot"), metavar="DIR")
    zero.add_argument(
        "--strict",
        action="store_true",
        help="sound and face do not train on the held-out class either",
    )
    zero.add_argument("--seed", type=int, metavar="S", help="instead of the config's")
    zero.add_argument("--train-windows", type=int, metavar="W", help="as in train")
    zero.add_argument("--threads", type=int, metavar="N", help="of the CPU")
    add_config(zero)
    add_device(zero)
    add_json(zero)


def _zero_shot(options: argparse.Namespace) -> int:
    import torch

    from eav_offline.config import load_config
    from eav_offline.console import FAILED, ProgressBar, write_json
    from eav_offline.report.zero_shot import write_figures
    from eav_offline.zero_shot.study import (
        ZeroShotSettings,
        attempt_zero_shot,
        parse_unseen,
        write_zero_shot_study,
        zero_shot_jobs,
        zero_shot_table,
    )

    config = load_config(options.config or compact_config())
    seed = config.train.seed if options.seed is None else options.seed
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    unseen = parse_unseen(options.unseen)
    people = [one.subject for one in open_subjects(options.data, options.subjects)]
    settings = ZeroShotSettings(
        cache=options.data,
        out=options.out,
        config=config,
        strict=options.strict,
        train_windows=options.train_windows,
        device=device(options.device),
    )
    outcomes = []
    with ProgressBar("Training") as progress:
        for job in zero_shot_jobs(people, unseen, [seed]):
            outcomes.append(attempt_zero_shot(job, settings, progress.stage))
            study = write_zero_shot_study(outcomes, settings)
            if outcomes[-1]["status"] == "done":
                write_figures(options.out / job.name)
    write_json(options.json, study)
    if options.json != "-":
        sys.stdout.write(zero_shot_table(study))
    return FAILED if any(one["status"] == "failed" for one in outcomes) else 0
