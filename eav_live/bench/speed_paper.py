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

from eav_offline.checkpoint import Checkpoint
from eav_offline.config import Config, load_config
from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.models import Recogniser, collate
from eav_offline.preprocess import Inputs, PreprocessSettings

log = logging.getLogger(__name__)

FIT_FRAMES = 5  # pictures of each window that the heads are fitted to
LOGIT_SPREAD = 2.0  # over windows, of fused logits: confident, but not all alike
_COMPONENTS = 6  # along which windows differ most; noise is in the others
_RIDGE = 1e-2


def random_checkpoint(config: Config | Path | None = None, seed: int = 0) -> Checkpoint:
    """Random encoders and AMBT of a configuration, by default the `paper` one.

    The heads say nothing yet: see `fit_heads`.
    """
    if not isinstance(config, Config):
        config = load_config(config or "paper")
    before = torch.random.get_rng_state()
    torch.manual_seed(seed)
    try:
        model = Recogniser(config.model, MODALITIES, fusion=True)
    finally:
        torch.random.set_rng_state(before)
    settings = PreprocessSettings(face_size=config.model.video.side)
    meta = {"training": "none: random encoders, heads fitted to synthetic windows"}
    return Checkpoint(model.eval(), config, settings, demo=True, meta=meta)


@torch.inference_mode()
def fit_heads(
    model: Recogniser, windows: Sequence[Inputs], emotion: np.ndarray
) -> None:
    """Fit all heads, those of the encoders and AMBT's, to tell `emotion` (n,).

    Ridge regression on the few directions in which the windows' features differ most.
    Then AMBT's heads are scaled so that fused logits have a deviation of
    `LOGIT_SPREAD` over the windows.
    """
    if model.ambt is None:
        raise ValueError("the model has no AMBT whose heads could be fitted")
    heads = {m: (model.by_modality[m].head, model.ambt.heads[m]) for m in MODALITIES}
    features: dict[str, tuple[list[Tensor], list[Tensor]]] = {
        m: ([], []) for m in MODALITIES
    }
    hooks = [
        head.register_forward_pre_hook(_collect(features[m][which]))
        for m in MODALITIES
        for which, head in enumerate(heads[m])
    ]
    try:
        for i, window in enumerate(windows):
            batch = collate([few_pictures(window)])
            states = model.states(batch)
            model.fused(states, batch.present, model.alone(states))
            log.info("Fitting heads: %d of %d windows", i + 1, len(windows))
    finally:
        for hook in hooks:
            hook.remove()
    fused = torch.zeros(len(windows), N_EMOTIONS)
    for m in MODALITIES:
        for which, head in enumerate(heads[m]):
            x = torch.stack(features[m][which])
            fit_linear(_linear(head), x, emotion)
            if which == 1:
                fused += _linear(head)(x) / len(MODALITIES)
    spread = float(fused.std(0).mean())
    for m in MODALITIES:
        linear = _linear(model.ambt.heads[m])
        linear.weight.mul_(LOGIT_SPREAD / spread)
        linear.bias.mul_(LOGIT_SPREAD / spread)


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


def few_pictures(window: Inputs) -> Inputs:
    """The window with every fifth of its pictures."""
    assert window.faces is not None
    step = max(1, len(window.faces) // FIT_FRAMES)
    return Inputs(window.eeg, window.log_mel, window.faces[::step], None)


def _collect(into: list[Tensor]) -> Any:
    def note(module: nn.Module, arguments: tuple[Tensor]) -> None:
        (x,) = arguments
        into.append(x.reshape(-1, x.shape[-1]).mean(0).clone())

    return note


def _linear(head: nn.Module) -> nn.Linear:
    linear = list(head.children())[-1]
    assert isinstance(linear, nn.Linear)
    return linear
