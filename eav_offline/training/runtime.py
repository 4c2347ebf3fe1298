"""Where a training run computes, and what it leaves on disk on its way."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from eav_offline.common.errors import InputRefused
from eav_offline.training.journal import Journal

if TYPE_CHECKING:
    from accelerate import Accelerator

# (stage, epochs done, epochs in all, training loss)
Progress = Callable[[str, int, int, float], None]


class TrainingError(InputRefused, ValueError):
    """The data or the run given cannot be trained on; the message says why."""


@dataclass
class Runtime:
    """Where a run computes, and what it leaves on disk on its way.

    accelerator: of the `accelerate` library; None makes one for this process.
    states: folder of frozen states, None for one that goes when the stage is done.
    journal: what an interrupted run goes on from; None keeps nothing.
    on_history: called with the stage's history after every epoch.
    max_steps: each phase is one epoch of so many optimizer steps, to try a
    configuration out.
    """

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    accelerator: "Accelerator | None" = None
    states: Path | None = None
    journal: Journal | None = None
    progress: Progress | None = None
    on_history: Callable[[list[dict[str, Any]]], None] | None = None
    max_steps: int | None = None

    @property
    def rank(self) -> int:
        """Number of this process among those that train together."""
        return self.accelerator.process_index if self.accelerator else 0

    @property
    def world(self) -> int:
        """How many processes train together."""
        return self.accelerator.num_processes if self.accelerator else 1

    def wait(self) -> None:
        """Until every process is here."""
        if self.accelerator is not None:
            self.accelerator.wait_for_everyone()

    def autocast(self) -> contextlib.AbstractContextManager[None]:
        """In which frozen modules compute in the run's precision."""
        if self.accelerator is None:
            return contextlib.nullcontext()
        return self.accelerator.autocast()


def best_device() -> str:
    """The torch device to use here: a GPU if there is one."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def choose_device(name: str) -> str:
    """The torch device that a name stands for; "auto" takes a GPU if there is one.

    Raises InputRefused for one that this computer does not have.
    """
    if name == "auto":
        return best_device()
    n_gpus, mps = torch.cuda.device_count(), torch.backends.mps.is_available()
    there = {"cpu", *(f"cuda:{n}" for n in range(n_gpus))}
    there |= {"cuda"} if n_gpus else set()
    there |= {"mps"} if mps else set()
    if name not in there:
        raise InputRefused(
            f"device {name}: PyTorch finds {', '.join(sorted(there))} on this "
            "computer; give one of them, or auto"
        )
    return name


def make_accelerator(
    precision: str, device: str, some_unused: bool = True
) -> "Accelerator":
    """Processes as `accelerate launch` or `torchrun` started them, or this one.

    precision: fp32, bf16 or fp16. some_unused: parameters may be without gradient, as
    AMBT's adapters of a modality that is absent from a batch. Raises TrainingError if
    the device lacks the precision.
    """
    from accelerate import Accelerator, DistributedDataParallelKwargs
    from accelerate.state import AcceleratorState

    if precision != "fp32" and device == "cpu":
        raise TrainingError(
            f'train.precision = "{precision}" needs a GPU; on a CPU it is many times '
            'slower than "fp32"'
        )
    # One process may train several runs; what the library keeps of the first, the
    # precision above all, would be refused for the second.
    AcceleratorState._reset_state()
    return Accelerator(
        cpu=device == "cpu",
        mixed_precision="no" if precision == "fp32" else precision,
        device_placement=False,
        kwargs_handlers=[
            DistributedDataParallelKwargs(find_unused_parameters=some_unused)
        ],
    )
