"""Fitting one stage: an encoder by itself, or AMBT on top of frozen encoders."""

import copy
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eav_offline.augmentation import augment
from eav_offline.config import STAGES, Config, StageConfig
from eav_offline.data.window_set import WindowSet
from eav_offline.errors import InputRefused
from eav_offline.labels import MODALITIES
from eav_offline.models import Recogniser
from eav_offline.models.ambt import fuse_logits
from eav_offline.models.layers import Encoder
from eav_offline.window import N_FRAMES

_STATISTICS_WINDOWS = 2000  # more would not move a mean; keeps large pools quick
_EVALUATION_BATCH = 64
_LEAST_WINDOWS = 2  # batch statistics need two
_GRADIENT_LIMIT = 1.0

# (stage, epochs done, epochs in all, training loss)
Progress = Callable[[str, int, int, float], None]


class TrainingError(InputRefused, ValueError):
    """The data or the run given cannot be trained on; the message says why."""


def fit_encoder(
    model: Recogniser,
    modality: str,
    windows: WindowSet,
    watched: WindowSet | None,
    config: Config,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Train one encoder on the windows that have its modality; returns its history.

    watched: validation windows, or None. Raises TrainingError if there is too little
    to learn from.
    """
    encoder = model.by_modality[modality]
    device = next(encoder.parameters()).device
    settings = config.train.stage(modality)
    windows = windows.with_modality(modality)
    if watched is not None:
        watched = watched.with_modality(modality)
    if len(windows) < _LEAST_WINDOWS:
        raise TrainingError(
            f"{len(windows)} training windows have {modality}, at least "
            f"{_LEAST_WINDOWS} are needed: prepare more trials, or train the other "
            "modalities by name"
        )
    _fit_scale(encoder, modality, windows)
    random = torch.Generator().manual_seed(config.train.seed)

    def loss_of(rows: np.ndarray) -> tuple[Tensor, Tensor]:
        frames = None
        if modality == "video":
            frames = torch.randperm(N_FRAMES, generator=random)[
                : settings.frames
            ].numpy()
        batch = windows.batch(rows, [modality], frames)
        if settings.augment:
            batch = augment(batch, random)
        logits = encoder(batch.to(device).parts[modality])
        truth = torch.from_numpy(windows.emotion[rows]).to(device)
        smoothing = config.train.label_smoothing
        loss = F.cross_entropy(logits, truth, label_smoothing=smoothing)
        return loss, logits.argmax(1) == truth

    def logits_of(rows: np.ndarray) -> Tensor:
        assert watched is not None
        batch = watched.batch(rows, [modality]).to(device)
        return encoder(batch.parts[modality])

    loop = _Loop(modality, encoder, settings, config, progress)
    return loop.run(len(windows), loss_of, watched, logits_of)


def fit_ambt(
    model: Recogniser,
    windows: WindowSet,
    watched: WindowSet | None,
    config: Config,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Train AMBT's own parts on frozen encoders; returns the history.

    What lies below fusion never changes here, so it is computed once, without
    augmentation, and kept in memory (compact size: 0.2 MB a window).
    """
    ambt = model.ambt
    assert ambt is not None
    device = next(ambt.parameters()).device
    settings = config.train.ambt
    encoders = model.by_modality
    model.encoders.requires_grad_(False)
    ambt.copy_heads(encoders)
    frames = np.linspace(0, N_FRAMES - 1, settings.frames).round().astype(int)
    states, present = _states_of(model, windows, frames)
    random = torch.Generator().manual_seed(config.train.seed)
    truths = torch.from_numpy(windows.emotion)

    def loss_of(rows: np.ndarray) -> tuple[Tensor, Tensor]:
        here = _drop_modalities(present[rows], config.train.modality_dropout, random)
        here = here.to(device)
        below = {m: x[rows].to(device) for m, x in states.items()}
        fused, branches = model.fused(below, here)
        truth = truths[rows].to(device)
        smoothing = config.train.label_smoothing
        losses = [F.cross_entropy(fused, truth, label_smoothing=smoothing)]
        for i, m in enumerate(MODALITIES):
            if m in branches and bool(here[:, i].any()):
                of_present = branches[m][here[:, i]], truth[here[:, i]]
                losses.append(F.cross_entropy(*of_present, label_smoothing=smoothing))
        return torch.stack(losses).mean(), fused.argmax(1) == truth

    def logits_of(rows: np.ndarray) -> Tensor:
        assert watched is not None
        batch = watched.batch(rows).to(device)
        branches = ambt(encoders, model.states(batch), batch.present)
        return fuse_logits(branches, batch.present)

    try:
        loop = _Loop("ambt", ambt, settings, config, progress, frozen=model.encoders)
        return loop.run(len(windows), loss_of, watched, logits_of)
    finally:
        model.encoders.requires_grad_(True)


class _Loop:
    """Epochs over shuffled rows with AdamW, a warm-up and a cosine."""

    def __init__(
        self,
        stage: str,
        module: nn.Module,
        settings: StageConfig,
        config: Config,
        progress: Progress | None,
        frozen: nn.Module | None = None,
    ) -> None:
        self.stage, self.module, self.settings = stage, module, settings
        self.frozen = frozen
        self.select = config.train.select
        self.progress = progress
        # Own numbers for each stage: its weights do not depend on which others ran.
        self.seed = [config.train.seed, STAGES.index(stage)]
        self.optimizer = torch.optim.AdamW(
            _decay_groups(module, settings.weight_decay), lr=settings.learning_rate
        )

    def run(
        self,
        n: int,
        loss_of: Callable[[np.ndarray], tuple[Tensor, Tensor]],
        watched: WindowSet | None,
        logits_of: Callable[[np.ndarray], Tensor],
    ) -> list[dict[str, Any]]:
        shuffle = np.random.default_rng(self.seed)
        epochs = self.settings.epochs
        n_steps = epochs * math.ceil(n / self.settings.batch)
        history: list[dict[str, Any]] = []
        best, best_loss, step = None, math.inf, 0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(sum(self.seed) * 1000 + 1)  # for dropout
            for epoch in range(1, epochs + 1):
                began = time.perf_counter()
                self.module.train()
                if self.frozen is not None:
                    self.frozen.eval()  # no dropout, no drift of batch statistics
                total, right = 0.0, 0
                for rows in _batches(shuffle.permutation(n), self.settings.batch):
                    rate = self.settings.learning_rate * self._schedule(step / n_steps)
                    for group in self.optimizer.param_groups:
                        group["lr"] = rate
                    loss, correct = loss_of(rows)
                    self.optimizer.zero_grad(set_to_none=True)
                    loss.backward()
                    nn.utils.clip_grad_norm_(self.module.parameters(), _GRADIENT_LIMIT)
                    self.optimizer.step()
                    total += float(loss.detach()) * len(rows)
                    right += int(correct.sum())
                    step += 1
                row: dict[str, Any] = {
                    "stage": self.stage,
                    "epoch": epoch,
                    "learning_rate": f"{rate:.3g}",
                    "train_loss": round(total / n, 4),
                    "train_accuracy": round(right / n, 4),
                }
                row |= self._watch(watched, logits_of)
                history.append(
                    {**row, "seconds": round(time.perf_counter() - began, 2)}
                )
                if self.select == "validation" and row["validation_loss"] < best_loss:
                    best_loss = row["validation_loss"]
                    best = copy.deepcopy(self.module.state_dict())
                if self.progress is not None:
                    self.progress(self.stage, epoch, epochs, total / n)
        if best is not None:
            self.module.load_state_dict(best)
        self.module.eval()
        return history

    def _schedule(self, done: float) -> float:
        warmup = self.settings.warmup
        if done < warmup:
            return (done + 1e-3) / (warmup + 1e-3)
        return 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup)))

    @torch.no_grad()
    def _watch(
        self, watched: WindowSet | None, logits_of: Callable[[np.ndarray], Tensor]
    ) -> dict[str, float | str]:
        if watched is None or len(watched) == 0:
            return {"validation_loss": "", "validation_accuracy": ""}
        self.module.eval()
        rows = _batches(np.arange(len(watched)), _EVALUATION_BATCH)
        logits = torch.cat([logits_of(some).cpu() for some in rows])
        truth = torch.from_numpy(watched.emotion)
        return {
            "validation_loss": round(float(F.cross_entropy(logits, truth)), 4),
            "validation_accuracy": round(
                float((logits.argmax(1) == truth).float().mean()), 4
            ),
        }


def _fit_scale(encoder: Encoder, modality: str, windows: WindowSet) -> None:
    axes = encoder.scale_axes
    if axes is None:
        return
    rows = np.arange(0, len(windows), max(1, len(windows) // _STATISTICS_WINDOWS))
    n, total, square = 0, np.zeros(()), np.zeros(())
    for some in _batches(rows, _EVALUATION_BATCH):
        x = windows.array(modality, some).astype(np.float64)
        total, square = total + x.sum(axes), square + (x**2).sum(axes)
        n += x.size
    n //= total.size
    mean = total / n
    deviation = np.sqrt(np.maximum(square / n - mean**2, 0))
    encoder.fit_scale(torch.as_tensor(mean), torch.as_tensor(deviation))


@torch.inference_mode()
def _states_of(
    model: Recogniser, windows: WindowSet, frames: np.ndarray
) -> tuple[dict[str, Tensor], Tensor]:
    """States below fusion of all windows, on the CPU, zero where absent."""
    model.eval()
    device = next(model.parameters()).device
    states: dict[str, Tensor] = {}
    for rows in _batches(np.arange(len(windows)), _EVALUATION_BATCH):
        for m, x in model.states(windows.batch(rows, frames=frames).to(device)).items():
            if m not in states:
                states[m] = torch.zeros(len(windows), *x.shape[1:])
            states[m][rows] = x.cpu()
    # Tensors made in inference mode cannot take part in autograd.
    return {m: x.clone() for m, x in states.items()}, torch.from_numpy(windows.present)


def _drop_modalities(present: Tensor, chance: float, random: torch.Generator) -> Tensor:
    """Leave modalities out at random, but always leave one that is there."""
    kept = present & (torch.rand(present.shape, generator=random) >= chance)
    return torch.where(kept.any(1, keepdim=True), kept, present)


def _decay_groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weights decay; biases, norms, scales, tokens and positions do not."""
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in module.named_parameters():
        is_weight = parameter.ndim >= 2 and name.endswith("weight")
        (matrices if is_weight else others).append(parameter)
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


def _batches(rows: np.ndarray, size: int) -> Iterator[np.ndarray]:
    yield from np.array_split(rows, math.ceil(len(rows) / size))
