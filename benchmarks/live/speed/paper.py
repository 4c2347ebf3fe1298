"""A checkpoint of the `paper` size whose answers differ between windows.

Its encoders are random: published weights may not be at hand, and neither time nor the
agreement of two ways of computing depends on what they know. Only the heads are fitted,
in closed form, to windows of a synthetic person, so that probabilities move with what
is in the window and a difference between two ways can show.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.live.simulated import Feeder
from benchmarks.live.speed.material import Material
from benchmarks.live.speed.stages import all_three, slide
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.config import Config, load_config
from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.core.window import WINDOW_SECONDS
from eav_offline.models import EmotionModel, collate
from eav_offline.preprocess import Inputs, PreprocessSettings, prepare

log = logging.getLogger(__name__)
_FIT_HOP = 1.5  # seconds between windows that heads are fitted to
_FIT_FRAMES = 5  # pictures of each of them
_LOGIT_SPREAD = 2.0  # over windows, of fused logits: confident, but not all alike
_COMPONENTS = 6  # along which windows differ most; noise is in the others
_RIDGE = 1e-2


def random_checkpoint(config: Config | Path | None = None, seed: int = 0) -> Checkpoint:
    """Random encoders and AMBT of a configuration, by default the `paper` one.

    The heads say nothing yet: see `fit_heads`.
    """
    if not isinstance(config, Config):
        config = load_config(config or "paper")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = EmotionModel(config.model, MODALITIES, fusion=True)
    settings = PreprocessSettings(face_size=config.model.video.side)
    meta = {"training": "none: random encoders, heads fitted to synthetic windows"}
    return Checkpoint(model.eval(), config, settings, demo=True, meta=meta)


def fitting_windows(
    material: Material, checkpoint: Checkpoint, n: int
) -> tuple[list[Inputs], np.ndarray]:
    """About `n` windows that show one emotion each, as many of each, and which (n,)."""
    wanted = max(1, n // N_EMOTIONS)
    count = np.zeros(N_EMOTIONS, dtype=int)
    windows, emotion = [], []
    most = int((material.seconds - WINDOW_SECONDS) / _FIT_HOP)
    for one in slide(Feeder(material), _FIT_HOP, most, first=WINDOW_SECONDS + 0.1):
        shown = _emotion_within(material, one.now - WINDOW_SECONDS, one.now)
        if shown is None or count[shown] >= wanted or not all_three(one.raw):
            continue
        windows.append(prepare(one.raw, checkpoint.preprocess))
        emotion.append(shown)
        count[shown] += 1
        if count.min() >= wanted:
            break
    if len(windows) < 2:
        raise InputRefused(
            f"{material.name} shows no emotion for five seconds on end; heads of the "
            "paper size cannot be fitted to it"
        )
    return windows, np.array(emotion)


def _emotion_within(material: Material, begins: float, ends: float) -> int | None:
    """The one emotion shown throughout; None if there is none, or another too."""
    shown = [e for at, e in material.course if at <= begins][-1:]
    changes = any(begins < at < ends for at, _ in material.course)
    return shown[0] if shown and not changes and ends <= material.seconds else None


@torch.inference_mode()
def fit_heads(
    model: EmotionModel, windows: Sequence[Inputs], emotion: np.ndarray
) -> None:
    """Fit all heads, those of the encoders and AMBT's, to tell `emotion` (n,).

    Ridge regression on the few directions in which the windows' features differ most.
    Then AMBT's heads are scaled so that fused logits have a deviation of 2 over the
    windows.
    """
    if model.ambt is None:
        raise ValueError("the model has no AMBT whose heads could be fitted")
    joint = [model.ambt.heads[m] for m in MODALITIES]
    heads = [*(model.by_modality[m].head for m in MODALITIES), *joint]
    features: dict[nn.Module, list[Tensor]] = {head: [] for head in heads}

    def note(head: nn.Module, arguments: tuple[Tensor]) -> None:
        (x,) = arguments
        features[head].append(x.reshape(-1, x.shape[-1]).mean(0).clone())

    hooks = [head.register_forward_pre_hook(note) for head in heads]
    try:
        for i, window in enumerate(windows):
            batch = collate([_few_pictures(window)])
            states = model.states(batch)
            model.fused(states, batch.present, model.alone(states))
            log.info("Fitting heads: %d of %d windows", i + 1, len(windows))
    finally:
        for hook in hooks:
            hook.remove()
    logits = {}
    for head in heads:
        x = torch.stack(features[head])
        fit_linear(_linear(head), x, emotion)
        logits[head] = _linear(head)(x)
    fused = torch.stack([logits[head] for head in joint]).mean(0)
    for head in joint:
        for weights in _linear(head).parameters():
            weights.mul_(_LOGIT_SPREAD / float(fused.std(0).mean()))


def fit_linear(linear: nn.Linear, x: Tensor, emotion: np.ndarray) -> None:
    """Fit a linear map to one-hot classes; x: (windows, features)."""
    mean = x.mean(0)
    _, size, ways = torch.linalg.svd(x - mean, full_matrices=False)
    kept = min(_COMPONENTS, int((size > 1e-4 * size[0]).sum()))
    ways = ways[:kept].T * (len(x) ** 0.5 / size[:kept])  # whitening, (features, kept)
    z = (x - mean) @ ways
    wanted = torch.eye(N_EMOTIONS)[torch.from_numpy(emotion)]
    wanted = wanted - wanted.mean(0)
    scores = torch.linalg.solve(
        z.T @ z + _RIDGE * len(x) * torch.eye(kept), z.T @ wanted
    )
    linear.weight.copy_((ways @ scores).T)
    linear.bias.copy_(-mean @ ways @ scores)


def spread_figures(fused: np.ndarray) -> dict[str, Any]:
    """How much fused probabilities (n, 5) differ between windows."""
    winners = np.bincount(fused.argmax(1), minlength=N_EMOTIONS) / max(1, len(fused))
    return {
        "windows": len(fused),
        "mean_deviation": float(fused.std(0).mean()),
        "mean_highest": float(fused.max(1).mean()),
        "winners": [round(float(share), 3) for share in winners],
    }


def _few_pictures(window: Inputs) -> Inputs:
    """The window with every fifth of its pictures."""
    assert window.faces is not None
    step = max(1, len(window.faces) // _FIT_FRAMES)
    return Inputs(window.eeg, window.log_mel, window.faces[::step], None)


def _linear(head: nn.Module) -> nn.Linear:
    linear = list(head.children())[-1]
    assert isinstance(linear, nn.Linear)
    return linear
