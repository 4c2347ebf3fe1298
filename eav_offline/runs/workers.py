"""Where workers come from: processes on this computer, a scheduler, a SLURM queue."""

import contextlib
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import nn

from eav_offline.common.errors import InputRefused, explain_faults
from eav_offline.common.pool import ctrl_c_held
from eav_offline.config import Config
from eav_offline.models.parameters import build_empty, count
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
    # Forked from a process that has imported all; other systems' libraries cannot.
    "distributed.worker.multiprocessing-method": (
        "forkserver" if sys.platform == "linux" else "spawn"
    ),
}
# The last is what torch imports for the first optimizer, a third of the time.
_IMPORTED = ["distributed", "accelerate", "eav_offline.runs.study", "torch._dynamo"]
# Settings of workers, which read them from their environment.
_QUIET = {"DASK_LOGGING__DISTRIBUTED": "critical", "DASK_LOGGING__BOKEH": "critical"}
PROCESS_BYTES = 1.0e9  # Python with PyTorch, this program and pages of data it reads
MEMORY_SHARE = 0.8  # of what is free; the rest is for the cache of prepared windows
LAYER_VALUES = 17  # kept for the way back, a token, layer and channel (without scores)


class SlurmConfig(BaseModel):
    """What `--scheduler slurm:FILE.toml` may say; unknown keys are refused.

    cores, memory: of one worker, which does one job at a time. gpus: of one worker.
    interface: the network interface by which nodes reach the computer that the command
    runs on. directives: further `#SBATCH` lines. prologue: shell lines before the
    worker starts. logs: folder for what the queue writes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    queue: str | None = None
    account: str | None = None
    walltime: str = "04:00:00"
    cores: int = Field(4, ge=1)
    memory: str = "8GB"
    gpus: int = Field(0, ge=0)
    workers: int = Field(8, ge=1)
    interface: str | None = None
    directives: tuple[str, ...] = ()
    prologue: tuple[str, ...] = ()
    logs: Path | None = None


@dataclass(frozen=True)
class Plan:
    """How jobs are to be done.

    scheduler: None for this computer, an address, or "slurm" with its configuration.
    workers: processes of this computer, one is this process itself; of the queue,
    workers asked for. threads: of torch, in each. gpus: devices of this computer that
    workers take in turn.
    """

    scheduler: str | SlurmConfig | None
    workers: int
    threads: int | None
    gpus: tuple[int, ...] = ()


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
    from distributed.utils import get_mp_context

    folder = tempfile.mkdtemp(prefix="eav-offline-")
    shared = {"OMP_NUM_THREADS": str(plan.threads or 1)}
    get_mp_context()  # sets a list of its own, once
    multiprocessing.set_forkserver_preload(_IMPORTED)
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
    from dask_jobqueue import SLURMCluster
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


def make_plan(
    n_jobs: int,
    scheduler: str | None = None,
    workers: int | None = None,
    threads: int | None = None,
    device: str = "auto",
    job_bytes: float = PROCESS_BYTES,
) -> Plan:
    """Decide on workers.

    scheduler, workers, threads: as asked for, None as is best. On this computer that
    is one worker a GPU; without one, as many as cores and free memory allow if a job
    takes `job_bytes`, no more than there are jobs, and the cores shared out among them.
    Raises InputRefused if what is asked for cannot be.
    """
    if workers is not None and workers < 1:
        raise InputRefused(f"--jobs is {workers}; give 1 or more")
    if scheduler is not None:
        if scheduler == "slurm" or scheduler.startswith("slurm:"):
            slurm = read_slurm(scheduler.partition(":")[2] or None)
            return Plan(
                slurm, min(n_jobs, workers or slurm.workers), threads or slurm.cores
            )
        if "://" not in scheduler:
            raise InputRefused(
                f"--scheduler {scheduler}: expected an address such as "
                "tcp://host:8786, or slurm, or slurm:FILE.toml"
            )
        return Plan(scheduler, workers or n_jobs, threads)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    cores = cores or os.cpu_count() or 1
    gpus: tuple[int, ...] = ()
    if device in ("auto", "cuda") and torch.cuda.is_available():
        gpus = tuple(range(torch.cuda.device_count()))
    if workers is None:
        free = psutil.virtual_memory().available * MEMORY_SHARE
        most = len(gpus) or max(1, cores // (threads or 1))
        workers = max(1, min(most, int(free / job_bytes)))
    workers = min(workers, n_jobs)
    if workers > 1 and threads is None:
        threads = max(1, cores // workers)
    return Plan(None, workers, threads, gpus)


def job_memory(config: Config, stages: Sequence[str]) -> float:
    """About how many bytes a training job needs at most, data in files apart.

    The process, all weights, gradients and two moments of what trains, and what the
    layers keep for the way back, in 32 bits. Precision and the graphics card's own
    memory are left out.
    """
    model = build_empty(config.model, config.model.fusion.variant)
    encoders = model.by_modality
    most = 0.0
    for stage in stages:
        settings = config.train.stage(stage)
        windows = -(-settings.batch // settings.accumulate)
        faces = {"video": settings.frames}
        if stage == "ambt":
            trains = 0 if model.ambt is None else count(model.ambt)
            kept = sum(
                _values(encoder, config.model.fusion.layers) * faces.get(m, 1)
                for m, encoder in encoders.items()
            )
        else:
            encoder = encoders[stage]
            trains = count(encoder)
            n_layers = len(getattr(encoder, "blocks", ()))
            kept = _values(encoder, n_layers) * faces.get(stage, 1)
        most = max(most, 12.0 * trains + 4.0 * LAYER_VALUES * windows * kept)
    return PROCESS_BYTES + 4.0 * count(model) + most


def _values(encoder: nn.Module, n_layers: int) -> int:
    """Tokens times channels times layers; published networks have too few to count."""
    positions = getattr(encoder, "positions", None)
    return 0 if positions is None else positions.numel() * n_layers


def read_slurm(path: str | None) -> SlurmConfig:
    """Read the file of `--scheduler slurm:FILE`. Raises InputRefused."""
    if path is None:
        return SlurmConfig.model_validate({})
    try:
        return SlurmConfig.model_validate(tomllib.loads(Path(path).read_text("utf-8")))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputRefused(
            f"--scheduler slurm:{path} cannot be read: {error}"
        ) from error
    except ValidationError as error:
        raise InputRefused(f"{path}: {explain_faults(error, SlurmConfig)}") from error
