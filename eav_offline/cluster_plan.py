"""How many workers do a study's jobs, with how many threads, on which devices."""

import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import nn

from eav_offline.common.errors import InputRefused, explain_faults
from eav_offline.config import Config
from eav_offline.models.parameters import build_empty, count

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
