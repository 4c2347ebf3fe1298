"""A small model of voices, people that it knows, and one whom it does not."""

from dataclasses import dataclass

import numpy as np
import torch

from eav_offline.checkpoint.file import Checkpoint
from eav_offline.config import BaselineConfig, load_config
from eav_offline.core.labels import EMOTIONS
from eav_offline.models import EmotionModel
from eav_offline.models.baselines.classifiers import Linear
from eav_offline.models.personal import Population
from eav_offline.personal.reading import Features, spread_of
from eav_offline.preprocess import PreprocessSettings

N_FEATURES = 40
KNOWS = EMOTIONS[:4]
EFFECT = 1.4


@dataclass(frozen=True)
class Person:
    """Whose features are shifted and stretched."""

    shift: np.ndarray
    gain: np.ndarray

    @classmethod
    def drawn(cls, seed: int, size: float) -> "Person":
        random = np.random.default_rng([7, seed])
        return cls(
            random.normal(0, size, N_FEATURES),
            np.exp(random.normal(0, size / 8, N_FEATURES)),
        )

    def shown(self, emotion: np.ndarray, seed: int) -> np.ndarray:
        """Features (n, N_FEATURES) float32 of windows of these emotions."""
        centers = np.random.default_rng(0).normal(0, 1, (5, N_FEATURES))
        noise = np.random.default_rng([8, seed]).normal(
            0, 1, (len(emotion), N_FEATURES)
        )
        x = EFFECT / 2 * centers[emotion] + noise
        return (x * self.gain + self.shift).astype(np.float32)


KNOWN = [Person.drawn(i, 0.3) for i in range(8)]
STRANGER = Person.drawn(99, 3.0)


def voice_checkpoint() -> Checkpoint:
    """A model of four emotions in the voices of eight people."""
    emotion = np.tile(np.arange(4), 20)
    x = np.concatenate([one.shown(emotion, i) for i, one in enumerate(KNOWN)])
    truth = np.tile(emotion, len(KNOWN))
    person = np.repeat(np.arange(len(KNOWN)), len(emotion))
    baseline = BaselineConfig(name="audio-speech")
    config = load_config("compact").model_copy(update={"baseline": baseline})
    model = EmotionModel(config.model, ("audio",), False, config.baseline, KNOWS)
    head = Linear(N_FEATURES)
    centers = np.stack([x[truth == k].mean(0) for k in range(4)])
    weight = np.concatenate([centers, np.zeros((1, N_FEATURES))])
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(weight))
        head.bias.copy_(torch.from_numpy(-np.square(weight).sum(1) / 2))
    model.encoders["audio"].head = torch.nn.Sequential(head)
    model.eval()
    spread = spread_of(x, person, truth, head.weight, head.bias, KNOWS)
    settings = PreprocessSettings()
    population = Population({"audio": spread})
    return Checkpoint(model, config, settings, demo=True, population=population)


def heard(x: np.ndarray) -> Features:
    """Features of windows with a voice alone."""
    present = np.tile([False, True, False], (len(x), 1))
    return Features({"audio": x}, present)


def accuracy(checkpoint: Checkpoint, x: np.ndarray, emotion: np.ndarray) -> float:
    """Of the voice, by whatever layer the checkpoint has."""
    model, features = checkpoint.model, torch.from_numpy(x)
    if model.personal is None:
        logits = model.known(model.heads()["audio"](features))
    else:
        logits = model.personal.logits("audio", features)
    return float((logits.detach().argmax(1).numpy() == emotion).mean())
