"""One new person at a time: what is right by nothing, by adaptation, by labels."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from eav_offline.checkpoint.file import Checkpoint
from eav_offline.config import load_config
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.core.sureness import Sureness
from eav_offline.evaluation.statistics import bootstrap_by_subject, mean_sd
from eav_offline.models import EmotionModel
from eav_offline.models.ambt import Fusing
from eav_offline.models.baselines.classifiers import Linear
from eav_offline.models.personal import Personal, Population, affine_head
from eav_offline.personal.adaptation import Adaptation
from eav_offline.personal.calibration import Clips, calibrate_clips
from eav_offline.personal.reading import Features, spread_of
from eav_offline.preprocess import PreprocessSettings

NOTHING, UNLABELED = "nothing", "unlabeled"
DRAWS = 5
TESTED = 1 / 3  # of a person's clips
UNLABELED_WINDOWS = 24  # two minutes
Found = dict[str, dict[int, list[float]]]  # accuracies by way and person, one a draw


@dataclass(frozen=True)
class Way:
    """What is known of a person, and clips that it was not made of, as it reads them.

    layer: None if the model stays as it was. rows: where the clips are among all.
    """

    name: str
    layer: Personal | None
    sureness: Sureness | None
    test: Clips
    rows: np.ndarray


# Rows of the clips that EEG is aligned by -> the model that aligns, and what it reads.
Align = Callable[[np.ndarray], tuple[Checkpoint, Clips]]


def ways(
    checkpoint: Checkpoint,
    clips: Clips,
    person: int,
    labels: Sequence[int],
    draws: int = DRAWS,
    trial: np.ndarray | None = None,
    align: Align | None = None,
) -> Iterator[Way]:
    """Every way in several draws, each judged on clips that it was not made of.

    trial: (n,), of which clips are parts, if they are; none is on both sides.
    """
    trial = clips.clip if trial is None else trial
    align = align or (lambda rows: (checkpoint, clips))
    for pool, test in draws_of(clips.emotion, clips.clip, trial, person, draws):
        before = take(clips, test)
        yield Way(NOTHING, None, checkpoint.sureness, before, test)
        few = pool[:UNLABELED_WINDOWS]
        base, read = align(few)
        layer = unlabeled(base, take(read, few).features)
        if layer is None or not layer.heads:  # it waits
            yield Way(UNLABELED, None, checkpoint.sureness, before, test)
        else:
            shown = take(read, test)
            yield Way(UNLABELED, layer, checkpoint.sureness, shown, test)
        for n in labels:
            if n <= len(pool):
                few = pool[:n]
                base, read = align(few)
                made = calibrate_clips(
                    checkpoint,
                    take(read, few),
                    str(person),
                    take(clips, few).features,
                    base,
                ).checkpoint
                own = made.model.personal
                yield Way(f"{n} labels", own, made.sureness, take(read, test), test)


def draws_of(
    emotion: np.ndarray, clip: np.ndarray, trial: np.ndarray, person: int, draws: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows to learn from, emotions taking turns, and rows to judge by, of each draw.

    emotion, clip, trial: (n,); of a clip one window is taken, and no trial is on both
    sides.
    """
    for draw in range(draws):
        order = _stratified(emotion, clip, np.random.default_rng([draw, person]))
        trials = list(dict.fromkeys(trial[order].tolist()))
        tested = np.isin(trial[order], trials[: round(TESTED * len(trials))])
        yield order[~tested], order[tested]


def add_person(
    found: Found,
    checkpoint: Checkpoint,
    clips: Clips,
    person: int,
    labels: Sequence[int],
) -> None:
    """Score every way on clips that it was not made of, in several draws."""
    for way in ways(checkpoint, clips, person, labels):
        score = accuracy(checkpoint, way.layer, way.test)
        found.setdefault(way.name, {}).setdefault(person, []).append(score)


def unlabeled(checkpoint: Checkpoint, features: Features) -> Personal | None:
    """The layer after these windows, in their order."""
    adaptation = Adaptation(checkpoint)
    for i in range(len(features)):
        adaptation.feed(
            {m: x[i] for m, x in features.by_modality.items() if features.has(m, i)}
        )
    return adaptation.personal


def accuracy(checkpoint: Checkpoint, layer: Personal | None, clips: Clips) -> float:
    """Balanced over emotions, of the fused answers; without AMBT, which needs more."""
    said = chances(checkpoint, layer, clips)
    return balanced(clips.emotion, said)


def chances(
    checkpoint: Checkpoint,
    layer: Personal | None,
    clips: Clips,
    present: np.ndarray | None = None,
) -> np.ndarray:
    """Fused probabilities (n, 5), without AMBT. present: (n, 3), instead of theirs."""
    model, logits = checkpoint.model, {}
    for m, x in clips.features.by_modality.items():
        features = torch.from_numpy(x)
        if layer is not None and m in layer.heads:
            logits[m] = layer.logits(m, features)
        else:
            weight, bias = affine_head(model.heads()[m])
            logits[m] = model.known(features @ weight.T + bias)
    own = model.fusing if model.fusing.how != "ambt" else _averaged(model.fusing)
    fusing = own if layer is None else layer.fusing(own)
    there = torch.from_numpy(clips.features.present if present is None else present)
    return np.asarray(fusing.average(logits, there).exp().numpy())


def balanced(emotion: np.ndarray, chances: np.ndarray) -> float:
    """Share that is right (n,), (n, 5), every emotion that is there counting alike."""
    right = chances.argmax(1) == emotion
    there = np.unique(emotion)
    return float(np.mean([right[emotion == one].mean() for one in there]))


def take(clips: Clips, rows: np.ndarray) -> Clips:
    """Some windows."""
    features = clips.features
    return Clips(
        replace(
            features,
            by_modality={m: x[rows] for m, x in features.by_modality.items()},
            present=features.present[rows],
        ),
        clips.emotion[rows],
        clips.clip[rows],
    )


def one_modality(modality: str, x: np.ndarray) -> Features:
    """Features (n, features) of windows that have nothing else."""
    present = np.zeros((len(x), len(MODALITIES)), dtype=bool)
    present[:, MODALITIES.index(modality)] = True
    return Features({modality: x.astype(np.float32)}, present)


def summary(found: Found, first: str = NOTHING) -> dict[str, Any]:
    """Means over people by way, and what each gains on the first, with intervals.

    Gains are of the people that both ways have. worst_gain: the least of a person.
    """
    by_way = {
        way: {person: float(np.mean(scores)) for person, scores in of.items()}
        for way, of in found.items()
    }
    ways = {}
    for way, of in by_way.items():
        values = list(of.values())
        gains = [of[person] - by_way[first][person] for person in of]
        ways[way] = {
            "accuracy": mean_sd(values)[0],
            "interval": bootstrap_by_subject(values),
            "gain": mean_sd(gains)[0],
            "gain_interval": bootstrap_by_subject(gains),
            "worst_gain": float(min(gains)),
            "by_person": of,
        }
    return {"n_people": len(by_way[first]), "ways": ways}


def gain_by_group(
    found: Found, way: str, groups: Mapping[str, Sequence[int]]
) -> dict[str, float]:
    """What a way gains on nothing, mean over the people of each group."""
    gains = {p: np.mean(s) - np.mean(found[NOTHING][p]) for p, s in found[way].items()}
    return {
        name: float(np.mean([gains[p] for p in of if p in gains]))
        for name, of in groups.items()
    }


def _averaged(fusing: Fusing) -> Fusing:
    how = "calibrated" if fusing.temperatures else "mean"
    return replace(fusing, how=how)


def _stratified(
    emotion: np.ndarray, clip: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Rows in an order in which emotions take turns, one window a clip."""
    _, first = np.unique(clip, return_index=True)
    mixed = random.permutation(first)
    turns: dict[int, int] = {}
    keys = []
    for row in mixed:
        shown = int(emotion[row])
        turns[shown] = turns.get(shown, 0) + 1
        keys.append((turns[shown], random.random()))
    order = sorted(range(len(mixed)), key=lambda i: keys[i])
    return mixed[order]


def one_modality_clips(modality: str, x: np.ndarray, emotion: np.ndarray) -> Clips:
    """Clips of a window each, of which there are these features alone."""
    return Clips(one_modality(modality, x), emotion, np.arange(len(x)))


def linear_checkpoint(
    modality: str, head: Linear, x: np.ndarray, emotion: np.ndarray, person: np.ndarray
) -> Checkpoint:
    """A model of this head, fitted to labeled features (n, k) of these people.

    Its encoder is never asked: features are read by the bench itself.
    """
    config = load_config("compact")
    knows = tuple(EMOTIONS[i] for i in np.unique(emotion))
    model = EmotionModel(config.model, (modality,), False, None, knows).eval()
    model.encoders[modality].head = nn.Sequential(head)
    line = affine_head(model.heads()[modality])
    spread = spread_of(x.astype(np.float32), person, emotion, *line, knows)
    settings, population = PreprocessSettings(), Population({modality: spread})
    return Checkpoint(model, config, settings, demo=True, population=population)
