"""States of frozen modules: computed once, kept on disk, read through the page cache.

    STATES/KEY/video.0.npy    one array for each modality and variant, a row a window
               progress.json  windows done, so that an interrupted computation goes on

KEY names everything the numbers depend on: the weights, the windows, the frames, the
variants and their seed. What is there under a key is therefore what would be computed.
"""

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from eav_offline.common.errors import InputRefused
from eav_offline.config import Config
from eav_offline.core.model_names import STAGES
from eav_offline.data.cache import PreparedSubject, content_key
from eav_offline.data.window_set import WindowSet
from eav_offline.models import Batch
from eav_offline.training.augmentation import augment
from eav_offline.training.runtime import Runtime

log = logging.getLogger(__name__)
_BATCH = 16  # windows computed at a time: 400 faces at paper size
_SAMPLE = 32  # windows whose content goes into the key
_DISK_MARGIN = 1 << 30  # bytes left free for everything else
# Rows of a window set, an epoch and random numbers -> states of those windows.
StatesOf = Callable[[np.ndarray, int, torch.Generator], Mapping[str, Tensor]]


class StatesError(InputRefused):
    """The states do not fit on the disk; the message says what to do."""


@dataclass(frozen=True)
class Recipe:
    """What is computed for each window, apart from the windows and the weights.

    modalities: read from the windows. frames: indices of the faces. variants: arrays
    kept; all but the first of changed inputs. seed: of those changes. half: 16 bits
    for sound and faces; EEG states are small and keep 32.
    """

    modalities: tuple[str, ...]
    frames: np.ndarray
    variants: int = 1
    seed: tuple[int, ...] = (0,)
    half: bool = True


class FrozenStates:
    """States by modality, (n, ...) for n windows, mapped from disk.

    compute: Batch -> states by modality, each (B, ...), on the batch's device; it must
    depend on `weights` alone. Filled on creation, unless they are there. Raises
    StatesError if the disk is too small.
    """

    def __init__(
        self,
        folder: Path,
        windows: WindowSet,
        recipe: Recipe,
        weights: Sequence[nn.Module],
        compute: Callable[[Batch], Mapping[str, Tensor]],
        device: torch.device,
    ) -> None:
        self.windows, self.recipe = windows, recipe
        self.device = device
        self._compute = compute
        self._key = _key(windows, recipe, weights)
        self._arrays: dict[tuple[str, int], np.ndarray] = {}
        self.folder = folder / self._key
        self._fill()

    def at(self, rows: np.ndarray, epoch: int = 0) -> dict[str, Tensor]:
        """States (len(rows), ...) float32 of the variant whose turn it is."""
        variant = epoch % self.recipe.variants
        return {
            m: torch.from_numpy(array[rows]).to(self.device).float()
            for (m, v), array in self._arrays.items()
            if v == variant
        }

    @property
    def n_bytes(self) -> int:
        """On disk, all variants together."""
        return sum(array.nbytes for array in self._arrays.values())

    @torch.no_grad()
    def _fill(self) -> None:
        n = len(self.windows)
        progress = self.folder / "progress.json"
        done = json.loads(progress.read_text()) if progress.is_file() else 0
        self.folder.mkdir(parents=True, exist_ok=True)
        total = n * self.recipe.variants
        for at in range(done, total, _BATCH):
            # A batch may end one variant and begin the next; each part by itself.
            for variant in range(at // n, min(at + _BATCH - 1, total - 1) // n + 1):
                first = max(at, variant * n) - variant * n
                last = min(at + _BATCH, (variant + 1) * n) - variant * n
                self._write(np.arange(first, last), variant)
            for array in self._arrays.values():
                array.flush()  # type: ignore[attr-defined]
            unfinished = progress.with_suffix(".unfinished")
            unfinished.write_text(json.dumps(min(at + _BATCH, total)))
            os.replace(unfinished, progress)
        for path in self.folder.glob("*.npy"):
            m, number = path.stem.rsplit(".", 1)
            self._arrays[m, int(number)] = np.load(path, mmap_mode="r")

    def _write(self, rows: np.ndarray, variant: int) -> None:
        recipe = self.recipe
        batch = self.windows.batch(rows, recipe.modalities, recipe.frames)
        if variant:
            seed = [*recipe.seed, variant, int(rows[0])]
            numbers = np.random.SeedSequence(seed).generate_state(1)
            batch = augment(batch, torch.Generator().manual_seed(int(numbers[0])))
        for m, states in self._compute(batch.to(self.device)).items():
            array = self._array(m, variant, tuple(states.shape[1:]))
            array[rows] = states.float().cpu().numpy()
            if array.dtype == np.float16 and not np.isfinite(array[rows]).all():
                raise StatesError(
                    f"states of {m} leave the range of 16 bits; set "
                    "train.half_states = false"
                )

    def _array(self, m: str, variant: int, shape: tuple[int, ...]) -> np.ndarray:
        if (m, variant) not in self._arrays:
            path = self.folder / f"{m}.{variant}.npy"
            half = self.recipe.half and m != "eeg"
            dtype = np.dtype(np.float16 if half else np.float32)
            whole = (len(self.windows), *shape)
            if path.is_file():
                array = np.lib.format.open_memmap(path, "r+")
            else:
                self._require_space(int(np.prod(whole)) * dtype.itemsize)
                array = np.lib.format.open_memmap(path, "w+", dtype, whole)
            self._arrays[m, variant] = array
        return self._arrays[m, variant]

    def _require_space(self, n_bytes: int) -> None:
        free = shutil.disk_usage(self.folder).free
        if n_bytes + _DISK_MARGIN > free:
            raise StatesError(
                f"the frozen states need {n_bytes / 1e9:.1f} GB in {self.folder}, "
                f"{free / 1e9:.1f} GB are free: give --states FOLDER on a larger disk, "
                "fewer frames or variants, or set variants = 0 to compute them in "
                "every step"
            )


def _key(windows: WindowSet, recipe: Recipe, weights: Sequence[nn.Module]) -> str:
    digest = hashlib.blake2b(digest_size=12)
    about = [recipe.modalities, recipe.frames.tolist(), recipe.variants, recipe.half]
    digest.update(repr([*about, recipe.seed if recipe.variants > 1 else 0]).encode())
    for module in weights:
        for name, tensor in module.state_dict().items():
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    for column in (windows.subject, windows.trial, windows.position, windows.present):
        digest.update(np.ascontiguousarray(column).tobytes())
    for source in windows.sources:
        if isinstance(source, PreparedSubject):
            meta = source.meta
            told = [meta["key"], meta["source"], content_key(meta)]
            digest.update(repr(told).encode())
    step = max(1, len(windows) // _SAMPLE)
    for row in range(0, len(windows), step):
        for m in recipe.modalities:
            digest.update(windows.array(m, np.array([row])).tobytes())
    return digest.hexdigest()


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
        plain = replace(recipe, variants=1)
        for turn in (runtime.rank == 0, runtime.rank != 0):
            if turn:
                for some, one in ((windows, recipe), (watched, plain)):
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


@contextmanager
def _folder(runtime: Runtime) -> Iterator[Path]:
    if runtime.states is not None:
        yield runtime.states
        return
    with tempfile.TemporaryDirectory(prefix="eav-states-") as folder:
        yield Path(folder)
