"""The command `eav-offline zero-shot`."""

import argparse
from itertools import combinations
from pathlib import Path

from eav_offline.commands.options import (
    AddCommand,
    add_config,
    add_data,
    add_device,
    add_json,
    add_scaling,
    add_subjects,
    answer,
    device_for,
    look_first,
    number_from,
    open_subjects,
    plan_of,
    seed_range,
)
from eav_offline.common.errors import InputRefused


def register(add: AddCommand) -> None:
    zero = add(
        "zero-shot", _zero_shot, "recognize an emotion whose EEG was never learned from"
    )
    add_data(zero)
    add_subjects(zero)
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
    zero.add_argument(
        "--seed", type=number_from(0), metavar="S", help="instead of the config's"
    )
    zero.add_argument(
        "--seeds", type=number_from(1), metavar="N", help="from S on, one by one"
    )
    zero.add_argument(
        "--train-windows", type=number_from(1), metavar="W", help="as in train"
    )
    add_config(zero)
    add_device(zero)
    add_scaling(zero)
    add_json(zero)


def _zero_shot(options: argparse.Namespace) -> int:
    from eav_offline.common.console import FAILED
    from eav_offline.config import load_config

    config, unseen = load_config(options.config), parse_unseen(options.unseen)
    look_first(options)
    people = [one.subject for one in open_subjects(options.data, options.subjects)]
    from eav_offline.core.model_names import STAGES
    from eav_offline.report.zero_shot import write_figures
    from eav_offline.runs.jobs import Board, JobEvent
    from eav_offline.runs.task import DONE
    from eav_offline.runs.workers import job_memory, open_cluster
    from eav_offline.zero_shot.study import (
        ZeroShotSettings,
        run_zero_shot_study,
        zero_shot_jobs,
        zero_shot_table,
    )

    first = config.train.seed if options.seed is None else options.seed
    work = zero_shot_jobs(people, unseen, seed_range(first, options.seeds))
    plan = plan_of(options, len(work), job_memory(config, STAGES))
    settings = ZeroShotSettings(
        caches=options.data,
        out=options.out,
        config=config,
        strict=options.strict,
        train_windows=options.train_windows,
        device=device_for(plan, options.device),
    )
    with Board(len(work)) as board, open_cluster(plan) as cluster:

        def watch(event: JobEvent) -> None:
            if event.kind == DONE:
                write_figures(options.out / event.name)
            board(event)

        study = run_zero_shot_study(work, settings, cluster, watch)
    answer(options, study, zero_shot_table(study))
    return FAILED if any(one["status"] == "failed" for one in study["jobs"]) else 0


def parse_unseen(text: str) -> tuple[tuple[int, ...], ...]:
    """`Happiness`, `Anger,Happiness` (together), `all`, `pairs` or `none`.

    Classes by their numbers, as sets to be held out. all: each class by itself; pairs:
    each two. Raises InputRefused for
    anything else.
    """
    from eav_offline.core.labels import EMOTIONS, N_EMOTIONS

    words = [word.strip().lower() for word in text.split(",")]
    if words == ["none"]:
        return ((),)
    if words == ["all"]:
        return tuple((c,) for c in range(N_EMOTIONS))
    if words == ["pairs"]:
        return tuple(combinations(range(N_EMOTIONS), 2))
    unknown = [word for word in words if word not in EMOTIONS]
    if unknown:
        raise InputRefused(
            f"--unseen {text}: {', '.join(map(repr, unknown))} is no emotion; give "
            f"some of {', '.join(EMOTIONS)}, or all, pairs or none"
        )
    return (tuple(sorted({EMOTIONS.index(word) for word in words})),)
