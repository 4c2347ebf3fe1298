"""Where workers come from: processes on this computer, a scheduler, a SLURM queue."""

import contextlib
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import torch

from eav_offline.cluster_plan import Plan, SlurmConfig
from eav_offline.common.errors import InputRefused
from eav_offline.common.pool import ctrl_c_held
from eav_offline.runs.jobs import Cluster

log = logging.getLogger(__name__)

CONNECT_SECONDS = 20.0
WORKER_LOST_TIMES = 3

# Dask's own words are for its authors; what users need to know is logged here.
_SETTINGS = {
    "distributed.scheduler.allowed-failures": WORKER_LOST_TIMES - 1,
    "distributed.scheduler.worker-saturation": 1.0,  # a loss harms one task alone
    "distributed.scheduler.work-stealing": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    # A thread that computes holds the interpreter for seconds on a busy computer.
    "distributed.scheduler.worker-ttl": "10 minutes",
    "distributed.comm.timeouts.connect": "60s",
}
# Settings of workers, which read them from their environment.
_QUIET = {"DASK_LOGGING__DISTRIBUTED": "critical", "DASK_LOGGING__BOKEH": "critical"}


@contextlib.contextmanager
def open_cluster(plan: Plan) -> Iterator[Cluster | None]:
    """Workers according to a plan, None if this process does it all.

    Processes that are ours end with the context, at once if it is left by an error.
    Raises InputRefused if a scheduler does not answer.
    """
    if plan.scheduler is None and plan.workers == 1:
        if plan.threads is not None:
            torch.set_num_threads(plan.threads)
        yield None
        return
    os.environ.update({k: v for k, v in _QUIET.items() if k not in os.environ})
    import dask

    with dask.config.set(_SETTINGS):
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        if plan.scheduler is None:
            opened = _here(plan)
        elif isinstance(plan.scheduler, str):
            opened = _elsewhere(plan, plan.scheduler)
        else:
            opened = _queued(plan, plan.scheduler)
        with opened as cluster:
            yield cluster


@contextlib.contextmanager
def _here(plan: Plan) -> Iterator[Cluster]:
    from distributed import Client, Nanny, Scheduler, SpecCluster

    folder = tempfile.mkdtemp(prefix="eav-offline-")
    shared = {"OMP_NUM_THREADS": str(plan.threads or 1)}
    workers = {}
    for i in range(plan.workers):
        pinned = {}
        if plan.gpus:
            pinned = {"CUDA_VISIBLE_DEVICES": _gpu(plan.gpus[i % len(plan.gpus)])}
        workers[i] = {
            "cls": Nanny,
            "options": {
                "nthreads": 1,
                "memory_limit": 0,  # Dask would end whoever exceeds an equal share
                "env": {**_QUIET, **shared, **pinned},
                "host": "127.0.0.1",
                "local_directory": folder,
                "dashboard": False,
                "silence_logs": logging.CRITICAL,
            },
        }
    scheduler = {
        "cls": Scheduler,
        "options": {
            "host": "127.0.0.1",
            "port": 0,
            "dashboard": False,
            "dashboard_address": "127.0.0.1:0",
        },
    }
    log.info(
        "%d worker processes, %s threads each%s",
        plan.workers,
        plan.threads,
        f", on {len(plan.gpus)} GPUs" if plan.gpus else "",
    )
    try:
        with ctrl_c_held():  # it would end workers with a traceback each
            cluster = SpecCluster(
                scheduler=scheduler, workers=workers, silence_logs=logging.CRITICAL
            )
            client = Client(cluster, set_as_default=False)
        try:
            yield Cluster(client, plan.workers, plan.threads)
        finally:
            with ctrl_c_held(), contextlib.suppress(Exception):
                cluster.sync(_end, list(cluster.workers.values()))
                client.close(timeout=2)
                cluster.close(timeout=5)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _end(nannies: list[Any]) -> None:
    """End workers now: what they compute cannot be asked to stop."""
    import asyncio

    pids = [nanny.pid for nanny in nannies]
    closing = [asyncio.ensure_future(nanny.close()) for nanny in nannies]
    await asyncio.sleep(0)  # now they are closing, and start nothing in its place
    for pid in pids:
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    await asyncio.gather(*closing, return_exceptions=True)


def _gpu(number: int) -> str:
    """A device of ours by the name that the driver has for it."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    return (
        visible[number].strip()
        if number < len(visible) and any(visible)
        else str(number)
    )


@contextlib.contextmanager
def _elsewhere(plan: Plan, address: str) -> Iterator[Cluster]:
    from distributed import Client

    try:
        with ctrl_c_held():
            client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputRefused(
            f"--scheduler {address} does not answer ({error}); start it with "
            "`dask scheduler` and its workers with `dask worker --nthreads 1`"
        ) from error
    try:
        found = client.scheduler_info(n_workers=-1)["workers"].values()
        if not found:
            log.warning("%s has no workers yet; waiting for some", address)
        if any(worker["nthreads"] > 1 for worker in found):
            log.warning(
                "Workers with several threads do one job at a time here; start them "
                "with `dask worker --nthreads 1 --nworkers N`"
            )
        log.info("%d workers at %s", len(found), address)
        yield Cluster(client, len(found) or None, plan.threads)
    finally:
        with ctrl_c_held(), contextlib.suppress(Exception):
            client.close(timeout=5)


@contextlib.contextmanager
def _queued(plan: Plan, slurm: SlurmConfig) -> Iterator[Cluster]:
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError as error:
        raise InputRefused(
            "--scheduler slurm needs dask-jobqueue: pip install 'eav-live[slurm]'"
        ) from error
    from distributed import Client

    if shutil.which("sbatch") is None:
        raise InputRefused(
            "--scheduler slurm: there is no sbatch here; run the command on a computer "
            "of the cluster"
        )
    directives = list(slurm.directives)
    if slurm.gpus:
        directives.append(f"--gres=gpu:{slurm.gpus}")
    # What a job may take is SLURM's to say; Dask would pause or end it earlier.
    free = {
        f"DASK_DISTRIBUTED__WORKER__MEMORY__{what}": "False"
        for what in ("TARGET", "SPILL", "PAUSE", "TERMINATE")
    }
    exports = {**_QUIET, **free, "OMP_NUM_THREADS": str(plan.threads)}
    with ctrl_c_held():
        cluster = SLURMCluster(
            queue=slurm.queue,
            account=slurm.account,
            walltime=slurm.walltime,
            cores=1,  # threads of Dask, which are jobs at a time
            processes=1,
            memory=slurm.memory,
            job_cpu=slurm.cores,
            job_extra_directives=directives,
            job_script_prologue=[
                *(f"export {name}={value}" for name, value in exports.items()),
                *slurm.prologue,
            ],
            worker_extra_args=["--no-dashboard"],
            log_directory=None if slurm.logs is None else str(slurm.logs),
            local_directory="${TMPDIR:-/tmp}",
            interface=slurm.interface,
            python=sys.executable,
            scheduler_options={"dashboard": False},
            silence_logs="critical",
        )
        client = Client(cluster, set_as_default=False)
    try:
        cluster.scale(plan.workers)
        log.info("%d workers asked of SLURM", plan.workers)
        yield Cluster(client, plan.workers, plan.threads)
    finally:
        with ctrl_c_held(), contextlib.suppress(Exception):
            cluster.scale(0)
            client.close(timeout=2)
            cluster.close(timeout=10)
