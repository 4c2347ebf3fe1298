"""States of frozen modules for one phase: from disk, or made in every step."""

import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from eav_offline.config import STAGES, Config
from eav_offline.data.window_set import WindowSet
from eav_offline.models import Batch
from eav_offline.training.augmentation import augment
from eav_offline.training.runtime import Runtime
from eav_offline.training.states import FrozenStates, Recipe

log = logging.getLogger(__name__)

# Rows of a window set, an epoch and random numbers -> states of those windows.
StatesOf = Callable[[np.ndarray, int, torch.Generator], Mapping[str, Tensor]]


@contextmanager
def states_for(
    compute: Callable[[Batch], Mapping[str, Tensor]],
    weights: list[nn.Module],
    recipe: Recipe,
    sets: tuple[WindowSet, WindowSet | None],
    stage: str,
    config: Config,
    runtime: Runtime,
) -> Iterator[tuple[StatesOf, StatesOf]]:
    """States of the training and of the watched windows, from disk or made anew."""
    settings = config.train.stage(stage)
    windows, watched = sets
    variants = settings.variants if settings.augment else min(1, settings.variants)
    recipe = replace(
        recipe,
        variants=variants,
        seed=(config.train.seed, STAGES.index(stage)),
        half=config.train.half_states,
    )

    def made(batch: Batch) -> Mapping[str, Tensor]:
        with runtime.autocast():
            return {m: x.float() for m, x in compute(batch).items()}

    def afresh(some: WindowSet | None, change: bool) -> StatesOf:
        @torch.no_grad()
        def states_of(
            rows: np.ndarray, epoch: int, random: torch.Generator
        ) -> Mapping[str, Tensor]:
            assert some is not None
            batch = some.batch(rows, recipe.modalities, recipe.frames)
            if change:
                batch = augment(batch, random)
            return made(batch.to(runtime.device))

        return states_of

    if variants == 0:
        log.info("%s: frozen states are computed in every step (variants = 0)", stage)
        yield afresh(windows, settings.augment), afresh(watched, False)
        return
    if settings.augment and variants == 1:
        log.info(
            "%s: the frozen states are of unchanged inputs; to learn from changed ones "
            "set variants to 2 or more, or to 0 to change them anew in every step",
            stage,
        )
    with _folder(runtime) as folder:
        # The first process computes, the others read.
        found: list[FrozenStates | None] = []
        for turn in (runtime.rank == 0, runtime.rank != 0):
            if turn:
                for some, one in ((windows, recipe), (watched, _plain(recipe))):
                    found.append(
                        None
                        if some is None or len(some) == 0
                        else FrozenStates(
                            folder, some, one, weights, made, runtime.device
                        )
                    )
            runtime.wait()

        def kept(states: FrozenStates | None) -> StatesOf:
            def states_of(
                rows: np.ndarray, epoch: int, random: torch.Generator
            ) -> Mapping[str, Tensor]:
                assert states is not None
                return states.at(rows, epoch)

            return states_of

        yield kept(found[0]), kept(found[1])


def _plain(recipe: Recipe) -> Recipe:
    return replace(recipe, variants=1)


@contextmanager
def _folder(runtime: Runtime) -> Iterator[Path]:
    if runtime.states is not None:
        yield runtime.states
        return
    with tempfile.TemporaryDirectory(prefix="eav-states-") as folder:
        yield Path(folder)
