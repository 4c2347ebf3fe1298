"""Fitting one stage: an encoder by itself, or AMBT on top of frozen encoders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eav_offline.config import Config, StageConfig
from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.core.window import N_FRAMES
from eav_offline.data.window_set import WindowSet
from eav_offline.models import Batch, EmotionModel
from eav_offline.models.ambt import Ambt, fuse_logits
from eav_offline.models.layers import Encoder
from eav_offline.training.augmentation import augment, mix
from eav_offline.training.loop import (
    EVALUATION_BATCH,
    BatchOf,
    History,
    Task,
    run_phase,
    split,
)
from eav_offline.training.runtime import Runtime, TrainingError
from eav_offline.training.states import Recipe, StatesOf, states_for

_STATISTICS_WINDOWS = 2000  # more would not move a mean; keeps large pools quick
_LEAST_WINDOWS = 2  # batch statistics need two
_MESSAGE_WINDOWS, _MESSAGE_BATCH = 256, 16  # from which messages take their scale


def fit_encoder(
    model: EmotionModel,
    modality: str,
    windows: WindowSet,
    watched: WindowSet | None,
    config: Config,
    runtime: Runtime | None = None,
) -> History:
    """Train one encoder on the windows that have its modality; returns its history.

    In the first phase, if there is one, only the head learns, from features that the
    frozen rest made once. watched: validation windows, or None. Raises TrainingError
    if there is too little to learn from.
    """
    encoder = model.by_modality[modality]
    runtime = runtime or Runtime(device=next(encoder.parameters()).device)
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
    stage = _EncoderStage(encoder, modality, windows, watched, config, runtime)
    history: History = []
    for phase in _phases(settings, runtime, modality):
        history = stage.fit_head() if phase == "head" else stage.fit_all(history)
    return history


def fit_ambt(
    model: EmotionModel,
    windows: WindowSet,
    watched: WindowSet | None,
    config: Config,
    runtime: Runtime | None = None,
) -> History:
    """Train AMBT's own parts on frozen encoders; returns the history.

    What lies below fusion never changes here, so it is computed once and kept on disk
    (paper size: 8.5 MB a window). In the first phase, if there is one, the heads learn,
    in the second all else.
    """
    ambt = model.ambt
    assert ambt is not None
    runtime = runtime or Runtime(device=next(ambt.parameters()).device)
    settings = config.train.ambt
    encoders = model.by_modality
    modalities = tuple(encoders)
    frames = _frames(settings)
    journal = runtime.journal
    if journal is None or not journal.has_begun("ambt"):
        ambt.copy_heads(encoders)
    model.encoders.requires_grad_(False)
    model.encoders.eval()
    history: History = []
    try:
        with states_for(
            model.states,
            [model.encoders],
            Recipe(modalities, frames),
            (windows, watched),
            "ambt",
            config,
            runtime,
        ) as (states_of, watched_states):
            if journal is None or not journal.has_begun("ambt"):
                _fit_messages(ambt, encoders, windows, states_of, runtime)
            for phase in _phases(settings, runtime, "ambt"):
                ambt.requires_grad_(phase == "all")
                ambt.heads.requires_grad_(phase == "head")
                step = _FusionStep(ambt, encoders, _criterion(windows, config))
                chance = config.train.modality_dropout if phase == "all" else 0.0
                task = Task(
                    stage="ambt",
                    phase=phase,
                    step=step,
                    module=ambt,
                    batch_of=_fusion_batches(windows, states_of, chance, runtime),
                    n=len(windows),
                    watched=watched,
                    logits_of=_fusion_logits(watched, watched_states, step, runtime),
                    frozen=[model.encoders],
                )
                history = run_phase(task, config, runtime, history)
    finally:
        model.encoders.requires_grad_(True)
        ambt.requires_grad_(True)
    return history


class _EncoderStep(nn.Module):
    def __init__(self, encoder: nn.Module, criterion: nn.Module) -> None:
        super().__init__()
        self.encoder, self.criterion = encoder, criterion

    def forward(self, x: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.encoder(x).float()
        likeliest = truth if truth.ndim == 1 else truth.argmax(1)  # of mixed windows
        return self.criterion(logits, truth), (logits.argmax(1) == likeliest).sum()


class _FrameHead(nn.Module):
    """Logits (B, 5) of features (B, frames, n), as `Encoder.from_states` ends."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, features: Tensor) -> Tensor:
        return self.head(features).mean(1)


class _FusionStep(nn.Module):
    """The encoders are used, not trained, and so are no part of the module."""

    def __init__(
        self, ambt: Ambt, encoders: Mapping[str, Encoder], criterion: nn.Module
    ) -> None:
        super().__init__()
        self.ambt, self.criterion = ambt, criterion
        object.__setattr__(self, "encoders", dict(encoders))

    def forward(
        self, states: Mapping[str, Tensor], present: Tensor, truth: Tensor
    ) -> tuple[Tensor, Tensor]:
        branches = self.ambt(self.encoders, states, present)
        fused = fuse_logits(branches, present).float()
        losses = [self.criterion(fused, truth)]
        for i, m in enumerate(MODALITIES):
            here = present[:, i]
            if m in branches and bool(here.any()):
                losses.append(self.criterion(branches[m][here].float(), truth[here]))
        return torch.stack(losses).mean(), (fused.argmax(1) == truth).sum()


@dataclass(frozen=True)
class _EncoderStage:
    """What both phases of an encoder's training share."""

    encoder: Encoder
    modality: str
    windows: WindowSet
    watched: WindowSet | None
    config: Config
    runtime: Runtime

    def fit_head(self) -> History:
        encoder, m = self.encoder.eval(), self.modality
        part, head = encoder.part(m), _FrameHead(encoder.head)

        def features_of(batch: Batch) -> dict[str, Tensor]:
            return {m: encoder.frame_features(encoder.below_fusion(batch.parts[part]))}

        # All but the head decides the features.
        frozen = nn.ModuleList([x for n, x in encoder.named_children() if n != "head"])
        direct = nn.ParameterList(p for _, p in encoder.named_parameters(recurse=False))
        with states_for(
            features_of,
            [frozen, direct, _buffers(encoder)],
            Recipe((part,), _frames(self.config.train.stage(m))),
            (self.windows, self.watched),
            m,
            self.config,
            self.runtime,
        ) as (features, watched_features):

            def batch_of(
                rows: np.ndarray, epoch: int, random: torch.Generator
            ) -> tuple[Tensor, Tensor]:
                truth = torch.from_numpy(self.windows.emotion[rows])
                return features(rows, epoch, random)[m], truth.to(self.runtime.device)

            def logits_of(rows: np.ndarray) -> Tensor:
                return head(watched_features(rows, 0, torch.Generator())[m])

            return self._run("head", head, batch_of, logits_of, [])

    def fit_all(self, history: History) -> History:
        settings = self.config.train.stage(self.modality)
        part, device = self.encoder.part(self.modality), self.runtime.device

        def batch_of(
            rows: np.ndarray, epoch: int, random: torch.Generator
        ) -> tuple[Tensor, Tensor]:
            frames = None
            if self.modality == "video":
                drawn = torch.randperm(N_FRAMES, generator=random)
                frames = drawn[: settings.frames].numpy()
            batch = self.windows.batch(rows, [part], frames)
            if settings.augment:
                batch = augment(batch, random, settings.warp)
            x, truth = batch.parts[part], torch.from_numpy(self.windows.emotion[rows])
            if settings.mixup:
                x, truth = mix(x, truth, settings.mixup, N_EMOTIONS, random)
            return x.to(device), truth.to(device)

        def logits_of(rows: np.ndarray) -> Tensor:
            assert self.watched is not None
            batch = self.watched.batch(rows, [part]).to(device)
            return self.encoder(batch.parts[part])

        return self._run("all", self.encoder, batch_of, logits_of, history)

    def _run(
        self,
        phase: str,
        learns: nn.Module,
        batch_of: BatchOf,
        logits_of: Callable[[np.ndarray], Tensor],
        history: History,
    ) -> History:
        task = Task(
            stage=self.modality,
            phase=phase,
            step=_EncoderStep(learns, _criterion(self.windows, self.config)),
            module=self.encoder,
            batch_of=batch_of,
            n=len(self.windows),
            watched=self.watched,
            logits_of=logits_of,
        )
        return run_phase(task, self.config, self.runtime, history)


def _fusion_batches(
    windows: WindowSet, states_of: StatesOf, chance: float, runtime: Runtime
) -> BatchOf:
    present = torch.from_numpy(windows.present)
    truths = torch.from_numpy(windows.emotion)

    def batch_of(
        rows: np.ndarray, epoch: int, random: torch.Generator
    ) -> tuple[Mapping[str, Tensor], Tensor, Tensor]:
        here = _drop_modalities(present[rows], chance, random).to(runtime.device)
        states = states_of(rows, epoch, random)
        return states, here, truths[rows].to(runtime.device)

    return batch_of


@torch.no_grad()
def _fit_messages(
    ambt: Ambt,
    encoders: Mapping[str, Encoder],
    windows: WindowSet,
    states_of: StatesOf,
    runtime: Runtime,
) -> None:
    """Give what each message is made of the scale of the training windows."""
    scales = {
        (layer.number, m): module
        for layer in ambt.layers
        for m, module in layer.scale.items()
    }
    seen: dict[tuple[int, str], list[Tensor]] = {key: [] for key in scales}
    hooks = [
        module.register_forward_pre_hook(
            lambda _, x, key=key: seen[key].append(x[0].flatten(0, -2))
        )
        for key, module in scales.items()
    ]
    step = max(1, len(windows) // _MESSAGE_WINDOWS)
    for rows in split(np.arange(0, len(windows), step), _MESSAGE_BATCH):
        present = torch.from_numpy(windows.present[rows]).to(runtime.device)
        states = states_of(rows, 0, torch.Generator())
        ambt(encoders, states, present)
        for (_, m), parts in seen.items():  # rows of absent windows hold nothing
            here = present[:, MODALITIES.index(m)]
            if parts and m in states:
                n = len(parts[-1]) // len(here)
                parts[-1] = parts[-1][here.repeat_interleave(n)]
    for hook in hooks:
        hook.remove()
    for key, module in scales.items():
        rows_seen = torch.cat(seen[key]) if seen[key] else torch.empty(0)
        if len(rows_seen) > 1:
            module.fit(rows_seen)  # type: ignore[operator]


def _fusion_logits(
    watched: WindowSet | None, states_of: StatesOf, step: _FusionStep, runtime: Runtime
) -> Callable[[np.ndarray], Tensor]:
    def logits_of(rows: np.ndarray) -> Tensor:
        assert watched is not None
        present = torch.from_numpy(watched.present[rows]).to(runtime.device)
        states = states_of(rows, 0, torch.Generator())
        branches = step.ambt(step.encoders, states, present)
        return fuse_logits(branches, present)

    return logits_of


def _phases(settings: StageConfig, runtime: Runtime, stage: str) -> list[str]:
    journal = runtime.journal
    past = journal is not None and journal.epoch_of(stage, "all") is not None
    head = ["head"] if settings.head_epochs and not past else []
    return [*head, "all"] if settings.epochs else head


def _frames(settings: StageConfig) -> np.ndarray:
    return np.linspace(0, N_FRAMES - 1, settings.frames).round().astype(int)


def _buffers(encoder: Encoder) -> nn.Module:
    """The encoder's own buffers, such as its scale, as a module to hash."""
    holder = nn.Module()
    for name, buffer in encoder.named_buffers(recurse=False):
        holder.register_buffer(name, buffer)
    return holder


def _criterion(windows: WindowSet, config: Config) -> nn.Module:
    weight = None
    if config.train.class_weights:
        count = np.bincount(windows.emotion, minlength=N_EMOTIONS)
        share = np.where(count > 0, len(windows) / (N_EMOTIONS * count.clip(1)), 0.0)
        weight = torch.tensor(share, dtype=torch.float32)
    smoothing = config.train.label_smoothing
    return _CrossEntropy(weight, smoothing)


class _CrossEntropy(nn.Module):
    weight: Tensor | None

    def __init__(self, weight: Tensor | None, smoothing: float) -> None:
        super().__init__()
        self.smoothing = smoothing
        self.register_buffer("weight", weight, persistent=False)

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        weight = None if self.weight is None else self.weight.to(logits.device)
        return F.cross_entropy(
            logits, truth, weight=weight, label_smoothing=self.smoothing
        )


def _fit_scale(encoder: Encoder, modality: str, windows: WindowSet) -> None:
    axes = encoder.scale_axes
    if axes is None:
        return
    rows = np.arange(0, len(windows), max(1, len(windows) // _STATISTICS_WINDOWS))
    n, total, square = 0, np.zeros(()), np.zeros(())
    for some in split(rows, EVALUATION_BATCH):
        x = windows.array(modality, some).astype(np.float64)
        total, square = total + x.sum(axes), square + (x**2).sum(axes)
        n += x.size
    n //= total.size
    mean = total / n
    deviation = np.sqrt(np.maximum(square / n - mean**2, 0))
    encoder.fit_scale(torch.as_tensor(mean), torch.as_tensor(deviation))


def _drop_modalities(present: Tensor, chance: float, random: torch.Generator) -> Tensor:
    """Leave modalities out at random, but always leave one that is there."""
    kept = present & (torch.rand(present.shape, generator=random) >= chance)
    return torch.where(kept.any(1, keepdim=True), kept, present)
