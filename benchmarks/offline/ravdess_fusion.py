"""Whether fusion gains on real people: faces and voices of the same RAVDESS clips.

What was published of them is features: action units and expressions (py-feat) of the
face, prosody and cepstra of the voice, a mean and a spread over a clip. Small encoders
of those, and AMBT over them, are trained and tested by the project's own stages.
"""

import csv
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import GroupKFold, cross_val_predict
from torch import Tensor, nn

from benchmarks.measure import real_data, torch_threads
from benchmarks.offline.contest import Answers, by_person, compare, fitted_linear
from eav_offline.common.errors import InputRefused
from eav_offline.config import Config, load_config
from eav_offline.core.labels import EMOTIONS, MODALITIES, N_EMOTIONS
from eav_offline.core.window import N_FRAMES
from eav_offline.data.corpora import RAVDESS
from eav_offline.data.dataset import speech_windows
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.evaluation.ablation import BranchLogits, mean_probabilities
from eav_offline.evaluation.assess import window_probabilities
from eav_offline.evaluation.metrics import fit_temperature
from eav_offline.models import EmotionModel
from eav_offline.models.ambt import Ambt
from eav_offline.models.layers import Block, Encoder, make_head
from eav_offline.training.stages import fit_ambt, fit_encoder

log = logging.getLogger(__name__)

FILES = {"audio": "audio_summary.csv", "video": "video_summary.csv"}
FOLDS, INNER_FOLDS = 6, 3  # of all actors, and of those that are not tested
PREPARED = ("raw", "standardized")
AMBT, CUT = "AMBT", "AMBT, exchange cut"
# Of the regressions and of the encoders: what is said alone and together.
_NAMES = {"video": "face", "audio": "voice", "mean": "mean", "calibrated": "calibrated"}
_RIVALS = (CUT, "encoders: mean", "encoders: calibrated", "regression: mean")
_ABOUT = ("file", "emotion", "intensity", "actor", "gender")  # columns, not features
_MOST_MISSING = 0.5  # of a feature's values; two of the voice's lack more
_LEAST_DEVIATION = 1e-6
# Fixed before any actor was tested; the rest is as in the compact size.
_DIM, _HEADS, _MLP_RATIO, _LAYER_SCALE, _DROPOUT = 16, 2, 2.0, 0.05, 0.3
_ENCODER = {"epochs": 20, "learning_rate": 3e-3, "frames": 1, "augment": False}
Chances = dict[str, np.ndarray]  # (n, 5), by modality or by contender


def bench_ravdess_fusion(data: Path | None = None, seeds: int = 5) -> dict[str, Any]:
    """Leave actors out, with each seed in other folds; returns JSON's values.

    Under `raw` and `standardized` (each feature less its mean over the actor's
    unlabeled clips, over its deviation) scores of every contender: face and voice
    alone, and the plain and the calibrated mean of their probabilities, by logistic
    regression and by small encoders; on the encoders AMBT, and AMBT with branches that
    do not hear each other. `ambt_minus`: AMBT's balanced accuracy less that of others,
    by actor. The temperatures and the strength of the regressions are chosen on actors
    left out within the training folds, all else is fixed. Raises InputRefused.
    """
    clips = read_clips(data or real_data("ravdess_av_features"))
    figures: dict[str, Any] = {
        "synthetic": False,
        "seeds": seeds,
        "clips": len(clips.emotion),
        "people": len(np.unique(clips.actor)),
    }
    with torch_threads(1):
        for prepared in PREPARED:
            said = []
            for seed in range(seeds):
                said.append(decisions(clips, prepared == "standardized", seed))
                log.info("%s: seed %d of %d", prepared, seed + 1, seeds)
            figures[prepared] = scores(clips, said)
    return figures


@dataclass(frozen=True)
class Clips:
    """Features (n, k) by modality, NaN where missing; actor, emotion: (n,)."""

    features: Chances
    actor: np.ndarray
    emotion: np.ndarray

    def standardized(self) -> "Clips":
        """Each feature less its mean over an actor's clips, over its deviation."""
        features = {m: by_person(x, self.actor) for m, x in self.features.items()}
        return replace(self, features=features)

    def filled(self, train: np.ndarray) -> "Clips":
        """With the mean of the training rows where a feature is missing."""
        features = {
            m: np.where(np.isnan(x), np.nanmean(x[train], axis=0), x)
            for m, x in self.features.items()
        }
        return replace(self, features=features)

    def windows(self) -> WindowSet:
        """As the stages of training read them, row for row; there is no EEG.

        The face's features stand in each of a window's frames.
        """
        present = [m in self.features for m in MODALITIES]
        people = []
        for one in np.unique(self.actor):
            rows = self.actor == one
            read = {m: x[rows].astype(np.float32) for m, x in self.features.items()}
            person = speech_windows(int(one), read["audio"], self.emotion[rows])
            faces = np.repeat(read["video"][:, None], N_FRAMES, axis=1)
            there = np.tile(present, (len(faces), 1))
            people.append(replace(person, faces=faces, present=there))
        return window_set(people)


def read_clips(folder: Path) -> Clips:
    """The clips of our five emotions that have both face and voice, actor by actor.

    folder: has video_summary.csv and audio_summary.csv, a row a clip, named in the
    column "file" as RAVDESS's are. Raises InputRefused if one is missing or none fits.
    """
    tables = {m: _read(folder / name) for m, name in FILES.items()}
    kept = sorted(
        (int(row["actor"]), clip)
        for clip, row in tables["video"].items()
        if clip in tables["audio"] and RAVDESS.labels.get(row["emotion"])
    )
    if not kept:
        raise InputRefused(
            f"{folder} has no clip of {', '.join(EMOTIONS)} in both "
            f"{' and '.join(FILES.values())}; expected columns {', '.join(_ABOUT)} and "
            "features, a row a clip"
        )
    words = [RAVDESS.labels[tables["video"][clip]["emotion"]] for _, clip in kept]
    features = {}
    for m, rows in tables.items():
        x = np.stack([_numbers(rows[clip]) for _, clip in kept])
        features[m] = x[:, np.isnan(x).mean(0) <= _MOST_MISSING]
    return Clips(
        features,
        np.array([actor for actor, _ in kept]),
        np.array([EMOTIONS.index(word) for word in words if word]),
    )


def _read(path: Path) -> dict[str, dict[str, str]]:
    """Rows by what a clip's name says after the modality."""
    if not path.is_file():
        raise InputRefused(
            f"{path} is missing; give a folder with {' and '.join(FILES.values())}"
        )
    with path.open(newline="", encoding="utf-8") as file:
        return {Path(row["file"]).stem[3:]: row for row in csv.DictReader(file)}


def _numbers(row: Mapping[str, str]) -> np.ndarray:
    cells = (cell for name, cell in row.items() if name not in _ABOUT)
    return np.array([float(cell) if cell else np.nan for cell in cells])


class FeatureTokens(Encoder):
    """(B, n) or (B, frames, n), alike in all frames -> one token, then attention."""

    n_before, n_read = 0, 1
    dim = n_features = _DIM
    mean: Tensor
    deviation: Tensor

    def __init__(self, n: int, layers: int, scale_axes: tuple[int, ...]) -> None:
        super().__init__()
        self.scale_axes = scale_axes
        self.register_buffer("mean", torch.zeros(n))
        self.register_buffer("deviation", torch.ones(n))
        self.drop = nn.Dropout(_DROPOUT)
        self.embed = nn.Linear(n, _DIM)
        self.blocks = nn.ModuleList(
            Block(_DIM, _HEADS, _MLP_RATIO, _DROPOUT, _LAYER_SCALE, 1e-6)
            for _ in range(layers)
        )
        self.head = make_head(_DIM, _DROPOUT)

    def fit_scale(self, mean: Tensor, deviation: Tensor) -> None:
        """Take each feature's statistics, (n,), of the training data."""
        self.mean.copy_(mean)
        self.deviation.copy_(deviation.clamp_min(_LEAST_DEVIATION))

    def below_fusion(self, x: Tensor) -> Tensor:
        """(B, n) or (B, frames, n) -> (B, 1, 1, dim)."""
        x = x.reshape(len(x), -1, x.shape[-1])[:, :1]
        return self.embed(self.drop((x - self.mean) / self.deviation))[:, None]

    def features(self, tokens: Tensor) -> Tensor:
        """(N, 1, dim) -> (N, dim)."""
        return tokens[:, 0]


def decisions(clips: Clips, standardized: bool, seed: int) -> dict[str, np.ndarray]:
    """What each contender says of every clip, (n,), by those without its actor."""
    if standardized:
        clips = clips.standardized()
    folds, config = _folds(FOLDS, seed), _config(seed)
    said: dict[str, np.ndarray] = {}
    for train, test in folds.split(clips.emotion, groups=clips.actor):
        filled = clips.filled(train)
        for name, chances in _fold(filled, train, test, config).items():
            answers = said.setdefault(name, np.full(len(clips.emotion), -1))
            answers[test] = chances.argmax(1)
    return said


def scores(clips: Clips, said: Sequence[Mapping[str, np.ndarray]]) -> dict[str, Any]:
    """Scores of every contender, and of AMBT beside its rivals; ready for JSON.

    said: of each seed, see `decisions`.
    """
    answers = {
        name: Answers(np.stack([one[name] for one in said]), clips.emotion, clips.actor)
        for name in said[0]
    }
    return {
        "contenders": {name: one.scores() for name, one in answers.items()},
        "ambt_minus": {
            rival: compare(answers[AMBT], answers[rival], "balanced_accuracy")
            for rival in _RIVALS
        },
    }


def _fold(clips: Clips, train: np.ndarray, test: np.ndarray, config: Config) -> Chances:
    """Probabilities (n, 5) of the test rows by contender."""
    truth, actor = clips.emotion[train], clips.actor[train]
    inner = _folds(INNER_FOLDS, config.train.seed)
    alone, left_out = {}, {}
    for m, x in clips.features.items():
        linear = fitted_linear(x[train], truth, actor, balanced=True)
        alone[m] = linear.predict_proba(x[test])
        left_out[m] = cross_val_predict(
            linear, x[train], truth, groups=actor, cv=inner, method="predict_proba"
        )
    found = _together("regression", alone, left_out, truth)

    windows = clips.windows()
    left_out = {m: np.empty((len(train), N_EMOTIONS)) for m in clips.features}
    for fit, rest in inner.split(train, groups=actor):
        model = _trained(clips, windows.subset(train[fit]), config)
        chances = window_probabilities(model, windows.subset(train[rest]))
        for m in left_out:
            left_out[m][rest] = chances[m]
    model = _trained(clips, windows.subset(train), config)
    tested = windows.subset(test)
    chances = window_probabilities(model, tested)
    alone = {m: chances[m] for m in clips.features}
    found |= _together("encoders", alone, left_out, truth)
    fit_ambt(model, windows.subset(train), None, config)
    branches = BranchLogits.of(model.eval(), tested)
    found[CUT] = branches.fused(branches.deaf)
    found[AMBT] = branches.fused(branches.heard)
    return found


def _folds(n: int, seed: int) -> GroupKFold:
    return GroupKFold(n, shuffle=True, random_state=seed)


def _together(of: str, alone: Chances, left_out: Chances, truth: np.ndarray) -> Chances:
    """What modalities say alone, and their means; left_out: of training rows."""
    temperatures = {m: fit_temperature(truth, p) for m, p in left_out.items()}
    said = alone | {
        "mean": mean_probabilities(alone),
        "calibrated": mean_probabilities(alone, temperatures),
    }
    return {f"{of}: {name}": said[key] for key, name in _NAMES.items()}


def _trained(clips: Clips, windows: WindowSet, config: Config) -> EmotionModel:
    """Encoders of face and voice, and AMBT untrained; nobody asks the EEG's encoder."""
    layers = config.model.fusion.layers
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.train.seed)
        model = EmotionModel(config.model, (), fusion=False)
        for m in MODALITIES:
            n = clips.features[m].shape[1] if m in clips.features else 1
            axes = (0, 1) if m == "video" else (0,)
            model.encoders[m] = FeatureTokens(n, layers, axes)
        model.ambt = Ambt(config.model.fusion, model.by_modality)
    for m in clips.features:
        fit_encoder(model, m, windows, None, config)
    return model.eval()


def _config(seed: int) -> Config:
    config = load_config("compact")
    encoder = config.train.audio.model_copy(update=_ENCODER)
    ambt = config.train.ambt.model_copy(update={"frames": 1, "augment": False})
    update = {"audio": encoder, "video": encoder, "ambt": ambt, "class_weights": True}
    train = config.train.model_copy(update=update)
    return config.model_copy(update={"train": train}).with_seed(seed)
