"""What is minimized and what is said, against formulas written out here.

Heads of zero weight and known bias give logits that are known whatever a window holds.
"""

import numpy as np
import pytest
import torch
from planted import planted_subject, tiny_config

from eav_offline.config import Config
from eav_offline.core.labels import MODALITIES
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.evaluation.assess import assess
from eav_offline.models import EmotionModel, predict
from eav_offline.preprocess import Inputs
from eav_offline.training.stages import fit_ambt, fit_encoder
from eav_offline.training.train import new_model

LOGITS = {
    "eeg": np.array([3.0, 0.0, -2.0, 1.0, 0.5]),
    "audio": np.array([-1.0, 2.0, 0.0, -3.0, 4.0]),
    "video": np.array([0.0, -4.0, 2.5, 1.0, -0.5]),
}
FUSED = sum(LOGITS.values()) / 3
# A history tells a loss with four digits behind the point.
ROUNDED = 1e-4


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return logits - np.log(np.exp(logits).sum())


def cross_entropy(logits: np.ndarray, truth: np.ndarray, smoothing: float = 0) -> float:
    log_p = log_softmax(logits)
    return float(np.mean(-(1 - smoothing) * log_p[truth] - smoothing * log_p.mean()))


def windows() -> WindowSet:
    """Twelve windows: two of each class, and four of the second and third in all."""
    return window_set([planted_subject(6)])


def one_step(**train: object) -> Config:
    """One epoch of one batch, so that the loss told is that of the first weights."""
    stage = {"epochs": 1, "batch": 12, "learning_rate": 1e-4, "augment": False}
    seen = {**stage, "frames": 2}
    rest = {"label_smoothing": 0.0, "modality_dropout": 0.0, **train}
    return tiny_config(eeg=stage, audio=stage, video=seen, ambt=seen, **rest)


def averaged(*logits: np.ndarray) -> np.ndarray:
    """Logits of the mean of the probabilities."""
    return np.log(np.mean([np.exp(log_softmax(x)) for x in logits], axis=0))


def decided(config: Config, fusion: bool) -> EmotionModel:
    model = new_model(config, MODALITIES, fusion)
    with torch.no_grad():
        heads = {m: [model.by_modality[m].head] for m in MODALITIES}
        if model.ambt is not None:
            for m in MODALITIES:
                heads[m].append(model.ambt.heads[m])
        for m, logits in LOGITS.items():
            for head in heads[m]:
                head[-1].weight.zero_()
                head[-1].bias.copy_(torch.from_numpy(logits))
    return model.eval()


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_an_encoder_minimizes_the_cross_entropy_of_its_logits(
    modality: str, smoothing: float
) -> None:
    config, some = one_step(label_smoothing=smoothing), windows()
    (row,) = fit_encoder(decided(config, False), modality, some, some, config)
    expected = cross_entropy(LOGITS[modality], some.emotion, smoothing)
    assert float(row["train_loss"]) == pytest.approx(expected, abs=ROUNDED)


def test_rare_classes_are_weighed_up_by_how_rare_they_are() -> None:
    config, some = one_step(class_weights=True), windows()
    (row,) = fit_encoder(decided(config, False), "eeg", some, None, config)
    count = np.bincount(some.emotion, minlength=5)
    assert count.min() < count.max()
    # Every class has the same share in the weighted mean.
    by_class = [cross_entropy(LOGITS["eeg"], np.array([c])) for c in range(5)]
    expected = float(np.mean(by_class))
    assert float(row["train_loss"]) == pytest.approx(expected, abs=ROUNDED)


def test_fusion_minimizes_the_mean_of_its_loss_and_those_of_the_branches() -> None:
    config, some = one_step(), windows()
    (row,) = fit_ambt(decided(config, True), some, None, config)
    of = [cross_entropy(x, some.emotion) for x in (FUSED, *LOGITS.values())]
    assert max(of) - min(of) > 0.5  # leaving any of them out would show
    assert float(row["train_loss"]) == pytest.approx(np.mean(of), abs=ROUNDED)


def test_a_branch_is_judged_on_windows_that_have_its_modality() -> None:
    subject = planted_subject(6)
    subject.present[:, 1] = False
    subject.present[3:5, 1] = True  # sound in two windows only
    config, some = one_step(), window_set([subject])
    (row,) = fit_ambt(decided(config, True), some, None, config)
    truth, heard = some.emotion, some.present[:, 1]
    deaf = (LOGITS["eeg"] + LOGITS["video"]) / 2
    fused = (
        cross_entropy(FUSED, truth[heard]) * 2 + cross_entropy(deaf, truth[~heard]) * 10
    ) / 12
    branches = [
        cross_entropy(LOGITS["eeg"], truth),
        cross_entropy(LOGITS["audio"], truth[heard]),
        cross_entropy(LOGITS["video"], truth),
    ]
    expected = np.mean([fused, *branches])
    assert float(row["train_loss"]) == pytest.approx(expected, abs=ROUNDED)


def test_dropping_modalities_always_leaves_one() -> None:
    # Of twelve windows two or three would otherwise be left with nothing to fuse.
    config, some = one_step(modality_dropout=0.6), windows()
    (row,) = fit_ambt(decided(config, True), some, None, config)
    assert np.isfinite(float(row["train_loss"]))


@pytest.mark.parametrize("fusion", [False, True])
def test_probabilities_are_the_softmax_of_the_logits_once(fusion: bool) -> None:
    config, some = one_step(), windows()
    model = decided(config, fusion)
    one = planted_subject(1)
    found = np.ones(25, dtype=bool)
    live = predict(model, [Inputs(one.eeg[0], one.log_mel[0], one.faces[0], found)])
    assessment = assess(model, some)
    scored = assessment.predictions
    # Branches that may hear each other add logits up, encoders by themselves chances.
    fused = FUSED if fusion else averaged(*LOGITS.values())
    for name, logits in {**LOGITS, "fused": fused}.items():
        chances = np.exp(log_softmax(logits))
        said = live.fused if name == "fused" else live.by_modality[name]
        np.testing.assert_allclose(said[0], chances, atol=1e-5)
        np.testing.assert_allclose(
            scored[f"p_{name}"], np.tile(chances, (12, 1)), atol=1e-5
        )
        expected = cross_entropy(logits, some.emotion)
        figures = assessment.results.as_json()["modalities"][name]
        assert figures["nll"] == pytest.approx(expected, abs=1e-4)
    pair = (LOGITS["eeg"] + LOGITS["audio"]) / 2
    if not fusion:
        pair = averaged(LOGITS["eeg"], LOGITS["audio"])
    np.testing.assert_allclose(
        scored["p_subset_eeg+audio"][0], np.exp(log_softmax(pair)), atol=1e-5
    )
