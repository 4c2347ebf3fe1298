"""What computing frozen states once saves: an epoch with and without the cache."""

import logging
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from eav_offline.config import Config, StageConfig
from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.core.window import EEG_SAMPLES, N_CHANNELS, N_FRAMES
from eav_offline.data.dataset import LabeledWindows
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.models import EmotionModel
from eav_offline.preprocess.audio import N_MEL_FRAMES, N_MELS
from eav_offline.training.runtime import Runtime
from eav_offline.training.stages import fit_ambt, fit_encoder
from eav_offline.training.train import new_model

log = logging.getLogger(__name__)

EPOCHS = 2
LEAST_HEAD_SPEEDUP, LEAST_AMBT_SPEEDUP, MOST_LOSS_DIFFERENCE = 20.0, 1.7, 1e-3


def bench_train(
    config: Config, n_windows: int = 8, device: str = "cpu"
) -> dict[str, Any]:
    """Train heads and AMBT on random windows, each with the cache and without.

    The weights are random: neither time nor agreement depends on what they say. Both
    ways see the same batches. Returns, ready for JSON, `head_speedup` (video, the
    largest encoder), `audio_head_speedup`, `ambt_speedup`, the seconds behind them,
    `fill_seconds` (computing the states, once), `bytes_per_window`,
    `max_loss_difference` over all epochs and stages, and `passed`.
    """
    windows = _noise(n_windows, config.model.video.side)
    model = new_model(config, MODALITIES, fusion=True).to(device).eval()
    _read_something(model)
    figures: dict[str, Any] = {}
    differences = []
    for stage in ("audio", "video", "ambt"):
        cached = _train(model, stage, windows, config, device, variants=1)
        plain = _train(model, stage, windows, config, device, variants=0)
        name = "ambt" if stage == "ambt" else f"{stage}_head"
        figures |= {
            f"{name}_epoch_s": round(cached["epoch_s"], 4),
            f"{name}_epoch_without_cache_s": round(plain["epoch_s"], 4),
            f"{name}_speedup": round(plain["epoch_s"] / cached["epoch_s"], 2),
            f"{name}_fill_s": round(cached["seconds"] - sum(cached["epochs"]), 2),
            f"{name}_bytes_per_window": cached["n_bytes"] // n_windows,
        }
        differences += np.abs(np.subtract(cached["losses"], plain["losses"])).tolist()
        log.info("%s: %s", name, figures[f"{name}_speedup"])
    figures["head_speedup"] = figures["video_head_speedup"]
    figures["max_loss_difference"] = max(differences)
    figures["passed"] = (
        figures["head_speedup"] >= LEAST_HEAD_SPEEDUP
        and figures["ambt_speedup"] >= LEAST_AMBT_SPEEDUP
        and figures["max_loss_difference"] <= MOST_LOSS_DIFFERENCE
    )
    return figures | {
        "windows": n_windows,
        "epochs": EPOCHS,
        "environment": {"device": device},
    }


def _train(
    model: EmotionModel,
    stage: str,
    windows: WindowSet,
    config: Config,
    device: str,
    variants: int,
) -> dict[str, Any]:
    """A few epochs from the same weights; seconds of the quickest epoch and losses."""
    head = stage != "ambt"
    changed = {
        "epochs": 0 if head else EPOCHS,
        "head_epochs": EPOCHS if head else 0,
        "variants": variants,
        "augment": False,
        "warmup": 0.0,
    }
    settings = StageConfig.model_validate(
        {**config.train.stage(stage).model_dump(), **changed}
    )
    train = config.train.model_copy(update={stage: settings})
    config = config.model_copy(update={"train": train})
    before = {name: x.clone() for name, x in model.state_dict().items()}
    losses: list[float] = []
    with tempfile.TemporaryDirectory(prefix="eav-bench-") as folder:
        runtime = Runtime(
            device=torch.device(device),
            states=Path(folder),
            progress=lambda stage, done, total, loss: losses.append(loss),
        )
        began = time.perf_counter()
        if head:
            history = fit_encoder(model, stage, windows, None, config, runtime)
        else:
            history = fit_ambt(model, windows, None, config, runtime)
        seconds = time.perf_counter() - began
        n_bytes = sum(path.stat().st_size for path in Path(folder).rglob("*.npy"))
    model.load_state_dict(before)
    epochs = [row["seconds"] for row in history]
    return {
        "epoch_s": min(epochs),
        "epochs": epochs,
        "seconds": seconds,
        "losses": losses,
        "n_bytes": n_bytes,
    }


def _read_something(model: EmotionModel) -> None:
    """Heads begin at zero; with random ones losses depend on the states."""
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for encoder in model.by_modality.values():
            weight = encoder.head[1].weight
            drawn = torch.randn(weight.shape, generator=random)  # type: ignore[arg-type]
            weight.copy_(0.05 * drawn)  # type: ignore[operator]


def _noise(n: int, side: int) -> WindowSet:
    """Windows of noise, those of one person."""
    random = np.random.default_rng(0)
    noise = random.standard_normal
    faces = random.integers(0, 256, (n, N_FRAMES, side // 8, side // 8, 3))
    person = LabeledWindows(
        subject=1,
        eeg=10 * noise((n, N_CHANNELS, EEG_SAMPLES)).astype(np.float32),
        log_mel=(noise((n, N_MEL_FRAMES, N_MELS)) - 6).astype(np.float32),
        faces=faces.repeat(8, 2).repeat(8, 3).astype(np.uint8),
        trial=np.arange(n),
        position=np.arange(n),
        emotion=np.arange(n) % N_EMOTIONS,
        present=np.ones((n, len(MODALITIES)), dtype=bool),
        synthetic=True,
    )
    return window_set([person])
