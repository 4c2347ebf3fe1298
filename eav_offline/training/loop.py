"""Epochs: batches in parts, schedules, mixed precision, processes, and going on again.

Every epoch draws its random numbers from (seed, stage, phase, epoch) alone. With the
weights and the optimizer of the epoch before, an interrupted run therefore goes on to
the very weights of an uninterrupted one.
"""

import contextlib
import copy
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eav_offline.config import Config, StageConfig
from eav_offline.core.model_names import STAGES
from eav_offline.data.window_set import WindowSet
from eav_offline.training.runtime import Runtime, TrainingError, make_accelerator

log = logging.getLogger(__name__)

EVALUATION_BATCH = 64
PHASES = ("head", "all")
_GRADIENT_LIMIT = 1.0
# Rows, an epoch and random numbers -> what a step is called with.
BatchOf = Callable[[np.ndarray, int, torch.Generator], tuple[Any, ...]]
History = list[dict[str, Any]]  # a row an epoch


@dataclass
class Task:
    """What one phase of a stage optimizes.

    step: called as `step(*batch_of(rows, epoch, random))`, returns the mean loss and
    how many windows were right; its parameters that require gradients train.
    module: what is kept of it (an encoder, or AMBT). frozen: modules that stay in eval
    mode. logits_of: (rows) of the watched windows -> (n, 5).
    """

    stage: str
    phase: str
    step: nn.Module
    module: nn.Module
    batch_of: BatchOf
    n: int
    watched: WindowSet | None
    logits_of: Callable[[np.ndarray], Tensor]
    frozen: Sequence[nn.Module] = ()


def run_phase(
    task: Task, config: Config, runtime: Runtime, history: History
) -> History:
    """Train one phase; returns the stage's history, a row an epoch, with its own rows.

    history: of the phase before. The module ends in eval mode, holding the last epoch,
    or the best on the watched windows if `train.select` says so. Raises TrainingError
    when memory runs out or the loss is no number.
    """
    try:
        return _Phase(task, config, runtime, history).run()
    except RuntimeError as error:
        if not _is_out_of_memory(error):
            raise
        settings = config.train.stage(task.stage)
        raise TrainingError(
            f"out of memory in stage {task.stage} with {settings.batch} windows in "
            f"{settings.accumulate} parts: raise train.{task.stage}.accumulate (same "
            "result, smaller parts), lower its frames, or set train.precision to "
            f'"bf16" on a GPU ({str(error).splitlines()[0]})'
        ) from error


class _Phase:
    def __init__(
        self, task: Task, config: Config, runtime: Runtime, history: History
    ) -> None:
        self.task, self.runtime = task, runtime
        self.select = config.train.select
        self.settings = settings = config.train.stage(task.stage)
        head = task.phase == "head"
        self.epochs = settings.head_epochs if head else settings.epochs
        if runtime.max_steps is not None:
            self.epochs = 1
        self.rate = settings.head_learning_rate if head else settings.learning_rate
        self.seed = [
            config.train.seed,
            STAGES.index(task.stage),
            PHASES.index(task.phase),
        ]
        self.accelerator = runtime.accelerator or make_accelerator(
            config.train.precision, runtime.device.type
        )
        if settings.batch // settings.accumulate < runtime.world:
            raise TrainingError(
                f"train.{task.stage}: {settings.batch} windows in "
                f"{settings.accumulate} parts leave some of {runtime.world} processes "
                "without one; raise batch or lower accumulate"
            )
        self.parameters = [p for p in task.step.parameters() if p.requires_grad]
        self.step, self.optimizer = self.accelerator.prepare(
            task.step, _optimizer(task.step, settings, self.rate)
        )
        self.best: dict[str, Tensor] | None = None
        self.best_loss = math.inf
        self.average: dict[str, Tensor] | None = None
        if settings.average:
            self.average = copy.deepcopy(task.module.state_dict())
        self.history = list(history)

    def run(self) -> History:
        begin = self._go_on() + 1
        with torch.random.fork_rng(devices=[]):
            for epoch in range(begin, self.epochs + 1):
                self._epoch(epoch)
        chosen = self.best if self.best is not None else self.average
        if chosen is not None:
            self.task.module.load_state_dict(chosen)
        self.task.module.eval()
        self.accelerator.free_memory()
        return self.history

    def _epoch(self, epoch: int) -> None:
        task, settings = self.task, self.settings
        began = time.perf_counter()
        numbers = np.random.SeedSequence([*self.seed, epoch]).generate_state(2)
        shuffle = np.random.default_rng([*self.seed, epoch])
        random = torch.Generator().manual_seed(int(numbers[0]))
        torch.manual_seed(int(numbers[1]) + self.runtime.rank)  # for dropout
        task.step.train()
        for module in task.frozen:
            module.eval()  # no dropout, no drift of batch statistics
        batches = list(split(shuffle.permutation(task.n), settings.batch))
        per_epoch = len(batches)
        batches = batches[: self.runtime.max_steps]
        total, right, seen = 0.0, 0, 0
        for i, rows in enumerate(batches):
            done = ((epoch - 1) * per_epoch + i) / (self.epochs * per_epoch)
            rate = self.rate * _schedule(settings, done)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            loss, correct = self._optimize(rows, epoch, random)
            total, right, seen = total + loss, right + correct, seen + len(rows)
            self._follow((epoch - 1) * per_epoch + i + 1)
        with self._averaged():
            watched = self._watch()
            loss_there = watched["validation_loss"]
            if self.select == "validation" and float(loss_there) < self.best_loss:
                self.best_loss = float(loss_there)
                self.best = copy.deepcopy(task.module.state_dict())
        row: dict[str, Any] = {
            "stage": task.stage,
            "phase": task.phase,
            "epoch": epoch,
            "learning_rate": f"{rate:.3g}",
            "train_loss": round(total / seen, 4),
            "train_accuracy": round(right / seen, 4),
            **watched,
        }
        row["seconds"] = round(time.perf_counter() - began, 4)
        self.history.append(row)
        if self.runtime.rank != 0:
            return
        if self.runtime.journal is not None:
            self._keep(epoch)
        if self.runtime.on_history is not None:
            self.runtime.on_history(self.history)
        if self.runtime.progress is not None:
            head, rest = (
                epochs if self.runtime.max_steps is None else min(1, epochs)
                for epochs in (settings.head_epochs, settings.epochs)
            )
            before, in_all = (head if task.phase == "all" else 0), head + rest
            self.runtime.progress(task.stage, before + epoch, in_all, total / seen)

    def _optimize(
        self, rows: np.ndarray, epoch: int, random: torch.Generator
    ) -> tuple[float, int]:
        """One optimizer step; returns the summed loss and the number of hits."""
        world = self.runtime.world
        parts = np.array_split(rows, min(self.settings.accumulate, len(rows)))
        self.optimizer.zero_grad(set_to_none=True)
        sums = torch.zeros(2, dtype=torch.float64)
        for part in parts:
            mine = part[self.runtime.rank :: world]
            weight = len(mine) * world / len(rows)
            if len(mine) == 0:  # fewer windows left than processes
                mine, weight = part[:1], 0.0
            inputs = self.task.batch_of(mine, epoch, random)
            last = part is parts[-1]
            with self._gradients_stay_here(not last):
                loss, correct = self.step(*inputs)
                self.accelerator.backward(loss * weight)
            found = float(loss.detach())
            if not math.isfinite(found):
                raise TrainingError(
                    f"the loss of stage {self.task.stage} became {found} in epoch "
                    f"{epoch}; lower its learning_rate, raise its warmup, or, with "
                    'train.precision = "fp16", take "bf16". What was trained up to '
                    "the epoch before is kept"
                )
            if weight:
                sums += torch.tensor([found * len(mine), float(correct)])
        self.accelerator.clip_grad_norm_(self.parameters, _GRADIENT_LIMIT)
        self.optimizer.step()
        if world > 1:
            sums = self.accelerator.reduce(sums.to(self.runtime.device)).cpu()
        return float(sums[0]), int(sums[1])

    @torch.no_grad()
    def _follow(self, n_steps: int) -> None:
        """Take the weights after so many steps into their running mean."""
        if self.average is None:
            return
        # The first weights are random ones, to be forgotten soon.
        decay = min(self.settings.average, n_steps / (n_steps + 9))
        for name, value in self.task.module.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, 1 - decay)
            else:
                self.average[name].copy_(value)

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[None]:
        """In which the module has the weights that would be kept now."""
        if self.average is None:
            yield
            return
        trained = copy.deepcopy(self.task.module.state_dict())
        self.task.module.load_state_dict(self.average)
        try:
            yield
        finally:
            self.task.module.load_state_dict(trained)

    def _gradients_stay_here(self, local: bool) -> Any:
        # Processes exchange gradients once a step, with the last part.
        if local and self.runtime.world > 1:
            return self.accelerator.no_sync(self.step)
        return contextlib.nullcontext()

    @torch.no_grad()
    def _watch(self) -> dict[str, float | str]:
        watched = self.task.watched
        if watched is None or len(watched) == 0:
            return {"validation_loss": "", "validation_accuracy": ""}
        self.task.step.eval()
        with self.accelerator.autocast():
            logits = torch.cat(
                [
                    self.task.logits_of(rows).float().cpu()
                    for rows in split(np.arange(len(watched)), EVALUATION_BATCH)
                ]
            )
        truth = torch.from_numpy(watched.emotion)
        hits = (logits.argmax(1) == truth).float().mean()
        return {
            "validation_loss": round(float(F.cross_entropy(logits, truth)), 4),
            "validation_accuracy": round(float(hits), 4),
        }

    def _keep(self, epoch: int) -> None:
        assert self.runtime.journal is not None
        scaler = self.accelerator.scaler
        self.runtime.journal.keep_epoch(
            self.task.stage,
            self.task.phase,
            epoch,
            {
                "module": self.task.module.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "scaler": scaler.state_dict() if scaler is not None else {},
                "best": self.best,
                "best_loss": self.best_loss,
                "average": self.average,
            },
            self.history,
        )

    def _go_on(self) -> int:
        """Take up an interrupted phase; returns the number of epochs behind it."""
        journal = self.runtime.journal
        kept = journal.epoch_of(self.task.stage, self.task.phase) if journal else None
        if kept is None:
            return 0
        tensors = kept.tensors
        self.task.module.load_state_dict(tensors["module"])
        self.optimizer.load_state_dict(tensors["optimizer"])
        if self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(tensors["scaler"])
        self.best, self.best_loss = tensors["best"], tensors["best_loss"]
        if self.average is not None:
            here = self.task.module.state_dict()
            kept_mean = tensors["average"]
            self.average = {n: x.to(here[n].device) for n, x in kept_mean.items()}
        self.history = list(kept.history)
        done = (self.task.stage, kept.epoch, self.epochs)
        log.info("going on with %s after epoch %d of %d", *done)
        return kept.epoch


def split(rows: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Parts of nearly equal length, at most `size` each."""
    yield from np.array_split(rows, math.ceil(len(rows) / size))


def _optimizer(
    module: nn.Module, settings: StageConfig, rate: float
) -> torch.optim.Optimizer:
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return kind(_decay_groups(module, settings.weight_decay), lr=rate)


def _decay_groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weights decay; biases, norms, scales, tokens and positions do not."""
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            is_weight = parameter.ndim >= 2 and name.endswith("weight")
            (matrices if is_weight else others).append(parameter)
    groups = [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def _schedule(settings: StageConfig, done: float) -> float:
    """Share of the learning rate after a share `done` of a phase's steps."""
    warmup = settings.warmup
    if done < warmup:
        return (done + 1e-3) / (warmup + 1e-3)
    if settings.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup)))


def _is_out_of_memory(error: RuntimeError) -> bool:
    # On a CPU torch raises a plain RuntimeError.
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)
