"""Options of commands that do many jobs, and the workers they stand for."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eav_offline.cluster_plan import Plan


def add_scaling(parser: argparse.ArgumentParser) -> None:
    """`--jobs N`, `--scheduler WHERE`, `--threads N`."""
    group = parser.add_argument_group("many runs at a time")
    group.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="workers (default: as many as cores, memory and GPUs allow); 1: none but "
        "this process",
    )
    group.add_argument(
        "--scheduler",
        metavar="tcp://HOST:PORT|slurm[:FILE]",
        help="workers of a Dask scheduler, or of a SLURM queue (docs/cluster.md)",
    )
    group.add_argument(
        "--threads", type=int, metavar="N", help="of the CPU, in each (default: shared)"
    )


def plan_of(
    options: argparse.Namespace, n_jobs: int, job_bytes: float | None = None
) -> "Plan":
    """The workers that the options ask for; job_bytes: memory that a job takes."""
    from eav_offline.cluster_plan import PROCESS_BYTES, make_plan

    return make_plan(
        n_jobs,
        options.scheduler,
        options.jobs,
        options.threads,
        options.device,
        PROCESS_BYTES if job_bytes is None else job_bytes,
    )


def device_for(plan: "Plan", name: str) -> str:
    """`--device`, left open where workers have devices of their own."""
    from eav_offline.commands.options import device

    return device(name) if plan.scheduler is None else name
