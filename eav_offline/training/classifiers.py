"""Fitting logistic regressions on features by scikit-learn, on training data alone."""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from eav_offline.checkpoint.hub import WeightsError
from eav_offline.config import BaselineConfig
from eav_offline.core.labels import N_EMOTIONS
from eav_offline.data.window_set import WindowSet
from eav_offline.evaluation.metrics import nll
from eav_offline.models import EmotionModel
from eav_offline.models.baselines.classifiers import (
    FaceEmbeddings,
    FeatureEncoder,
    Linear,
)
from eav_offline.models.baselines.networks import ResNet50
from eav_offline.training.pretrained import load_video, read_published
from eav_offline.training.runtime import TrainingError

# Inverse strengths of regularization, among which cross-validation chooses.
STRENGTHS = (1e-4, 1e-3, 1e-2, 0.1, 1.0)
_FOLDS = 5
_BATCH = 16
_ABSENT_CLASS = -30.0  # logit of an emotion that no training window has

log = logging.getLogger(__name__)


def fit_features(
    model: EmotionModel, modality: str, windows: WindowSet, watched: WindowSet | None
) -> list[dict[str, Any]]:
    """Fit a feature model on the windows that have its modality; returns its history.

    The history is one row; `strength` in it is the inverse regularization that won a
    cross-validation by whole trials of the training windows. watched: validation
    windows, which decide nothing. Raises TrainingError if there is too little to learn
    from.
    """
    encoder = model.by_modality[modality]
    assert isinstance(encoder, FeatureEncoder)
    began = time.perf_counter()
    encoder.eval()
    windows = windows.with_modality(modality)
    classes = np.unique(windows.emotion)
    if len(classes) < 2:
        raise TrainingError(
            f"the training windows with {modality} show {len(classes)} emotions, at "
            "least 2 are needed: prepare more trials"
        )

    def sample(n: int) -> np.ndarray:
        rows = np.arange(0, len(windows), max(1, len(windows) // n))
        return windows.array(modality, rows)

    encoder.fit_reference(sample)
    x, truth = _vectors(encoder, modality, windows), windows.emotion
    if not np.isfinite(x).all():
        raise TrainingError(
            f"features of {modality} are not all numbers; run eav-offline check on the "
            "recordings and prepare them again"
        )
    strength = fit_linear(encoder.classifier, x, truth, windows.trial_keys)
    row: dict[str, Any] = {
        "stage": modality,
        "phase": "all",
        "epoch": 1,
        "learning_rate": "",
        **_scores("train", encoder, x, truth),
        "validation_loss": "",
        "validation_accuracy": "",
        "strength": strength,
    }
    if watched is not None:
        watched = watched.with_modality(modality)
        if len(watched):
            there = _vectors(encoder, modality, watched)
            row |= _scores("validation", encoder, there, watched.emotion)
    row["seconds"] = round(time.perf_counter() - began, 4)
    return [row]


def fit_linear(
    classifier: Linear,
    x: np.ndarray,
    truth: np.ndarray,
    trials: np.ndarray,
    strengths: Sequence[float] = STRENGTHS,
) -> float:
    """Fit standardization and logistic regression; returns the strength chosen.

    x: (n, features); truth, trials: (n,); windows of one trial are never on both sides
    of a fold. strengths: to choose from. With one of them, or with fewer than two
    trials of some emotion, there is nothing to choose by, and the middle is taken.
    """
    # Seconds, which training of transformers need not wait.
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folds = min(_FOLDS, *(len(np.unique(trials[truth == k])) for k in np.unique(truth)))
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    if folds < 2 or len(strengths) == 1:
        pipeline.set_params(logisticregression__C=strengths[len(strengths) // 2])
        fitted = pipeline.fit(x, truth)
    else:
        search = GridSearchCV(
            pipeline,
            {"logisticregression__C": strengths},
            scoring="neg_log_loss",
            cv=StratifiedGroupKFold(folds),
        )
        fitted = search.fit(x, truth, groups=trials).best_estimator_
    scaler, regression = fitted[0], fitted[1]
    weight, bias = regression.coef_, regression.intercept_
    if len(weight) == 1:  # two classes share one line, the second is above it
        weight, bias = np.vstack([0 * weight, weight]), np.append(0.0, bias)
    all_weights = np.zeros((N_EMOTIONS, x.shape[1]))
    all_biases = np.full(N_EMOTIONS, _ABSENT_CLASS)
    all_weights[regression.classes_], all_biases[regression.classes_] = weight, bias
    with torch.no_grad():
        classifier.mean.copy_(torch.from_numpy(scaler.mean_))
        classifier.deviation.copy_(torch.from_numpy(scaler.scale_))
        classifier.weight.copy_(torch.from_numpy(all_weights))
        classifier.bias.copy_(torch.from_numpy(all_biases))
    return float(regression.C)


def load_baseline(
    model: EmotionModel, baseline: BaselineConfig, weights: Mapping[str, str]
) -> None:
    """Fill the part of a baseline that is published, if it has one.

    weights: by modality, see `training.train`. Raises WeightsError if they do not fit,
    if the baseline takes none, or if it is nothing without them.
    """
    encoder = model.by_modality[baseline.modality]
    source = weights.get(baseline.modality)
    if isinstance(encoder, FaceEmbeddings):
        if source is None:
            raise WeightsError(
                f"{baseline.name} reads faces with a published ViT and is nothing "
                "without one; give --video-weights DIR|ID and the configuration of its "
                "size, such as configs/paper.toml"
            )
        log.info("%s reads with %s", baseline.name, load_video(encoder.vit, source))
    elif isinstance(encoder, ResNet50):
        if source is None:
            log.warning(
                "resnet50 begins at random, not from ImageNet as published: give "
                "--video-weights FILE with torchvision's resnet50 weights"
            )
        else:
            load_resnet(encoder, source)
    elif source is not None:
        raise WeightsError(f"{baseline.name} begins at random: it takes no weights")


def load_resnet(encoder: ResNet50, source: str) -> None:
    """Fill the trunk with torchvision's ImageNet weights; their classifier is left out.

    source: a .safetensors file or a file of tensors as torchvision publishes them
    (resnet50-*.pth), which is read without running anything in it. Raises WeightsError
    if they do not fit.
    """
    found = read_published(source, "--video-weights").tensors
    wanted = encoder.trunk.state_dict()
    found = {n: x for n, x in found.items() if not n.startswith("fc.")}
    counters = {n for n in wanted if n.endswith("num_batches_tracked")}
    lacking = sorted(wanted.keys() - found.keys() - counters)
    unknown = sorted(found.keys() - wanted.keys())
    misfits = [
        n for n, x in found.items() if n in wanted and x.shape != wanted[n].shape
    ]
    if lacking or unknown or misfits:
        raise WeightsError(
            f"{source} is not torchvision's resnet50: it lacks {lacking[:3]}, has the "
            f"unknown {unknown[:3]}, and {misfits[:3]} in another shape; give the file "
            "that torchvision publishes (ResNet50_Weights)"
        )
    encoder.trunk.load_state_dict(found, strict=False)


@torch.inference_mode()
def _vectors(encoder: FeatureEncoder, modality: str, windows: WindowSet) -> np.ndarray:
    device = encoder.classifier.bias.device
    parts = []
    for start in range(0, len(windows), _BATCH):
        rows = np.arange(start, min(start + _BATCH, len(windows)))
        x = torch.from_numpy(windows.array(modality, rows)).to(device)
        parts.append(encoder.vectors(x).float().cpu().numpy())
    return np.concatenate(parts)


@torch.inference_mode()
def _scores(
    part: str, encoder: FeatureEncoder, x: np.ndarray, truth: np.ndarray
) -> dict[str, float]:
    vectors = torch.from_numpy(x).to(encoder.classifier.bias.device)
    chances = encoder.classifier(vectors).softmax(-1).cpu().numpy()
    hits = chances.argmax(1) == truth
    return {
        f"{part}_loss": round(nll(truth, chances), 4),
        f"{part}_accuracy": round(float(hits.mean()), 4),
    }
