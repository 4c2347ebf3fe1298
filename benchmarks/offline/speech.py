"""The audio encoder on real speech of unknown speakers, beside linear models."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import GroupKFold

from benchmarks.offline.contest import (
    Answers,
    encoder_answers,
    joined,
    linear_answers,
    new_model,
    summary,
    table_of,
)
from eav_offline.common.files import package_versions
from eav_offline.config import Config
from eav_offline.core.labels import N_EMOTIONS
from eav_offline.data.clips import ClipFolder, read_speakers
from eav_offline.data.corpora import RAVDESS
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.models.baselines.features import log_mel_statistics

TRAINING_ACTORS = tuple(range(1, 16))
TEST_ACTORS = (16, 17, 18)  # no setting was tuned on them
SEEDS = tuple(range(5))
CROSS_VALIDATION_FOLDS = 6
OURS, BASELINE = "audio encoder", "log-mel statistics + logistic regression"
AST, AST_TUNED = "frozen AST + logistic regression", "audio encoder from AST"
_EMBEDDING_BATCH = 8


def bench_speech(
    folder: Path,
    config: Config,
    seeds: Sequence[int] = SEEDS,
    cross_validate: bool = False,
    weights: str | None = None,
    weights_config: Config | None = None,
) -> dict[str, Any]:
    """Train on actors 1-15 of RAVDESS, test on 16-18; returns figures for JSON.

    cross_validate: also leave out every speaker once, in six folds of all 18. weights,
    weights_config: a published AST and the configuration of its size; its frozen
    embeddings with logistic regression, and the encoder trained from them, join in.
    """
    clips = ClipFolder(folder, RAVDESS)
    speakers = read_speakers(clips, (*TRAINING_ACTORS, *TEST_ACTORS))
    windows = window_set(speakers)
    contest = _Contest(windows, config, seeds, weights, weights_config)
    test = np.isin(windows.subject, TEST_ACTORS)
    answers = contest.answers(~test, test)
    figures: dict[str, Any] = {
        "synthetic": False,
        "n_training_windows": int((~test).sum()),
        "n_test_windows": int(test.sum()),
        "seeds": list(seeds),
        "test": summary(answers, OURS, BASELINE, "accuracy"),
    }
    if cross_validate:
        answers = contest.cross_validated()
        figures["cross_validation"] = summary(answers, OURS, BASELINE, "accuracy")
    figures["beats_baseline"] = (
        figures["test"]["contenders"][OURS]["accuracy"]
        > figures["test"]["contenders"][BASELINE]["accuracy"]
    )
    return figures | {"versions": package_versions()}


def table(figures: Mapping[str, Any]) -> Iterable[str]:
    for part in ("test", "cross_validation"):
        if part in figures:
            yield from table_of(part.replace("_", "-"), figures[part])


class _Contest:
    def __init__(
        self,
        windows: WindowSet,
        config: Config,
        seeds: Sequence[int],
        weights: str | None,
        weights_config: Config | None,
    ) -> None:
        self.windows, self.config, self.seeds = windows, config, seeds
        self.weights, self.weights_config = weights, weights_config or config
        log_mel = windows.array("audio", np.arange(len(windows)))
        self.statistics = log_mel_statistics(log_mel)
        self.embeddings = None
        if weights is not None:
            self.embeddings = _embeddings(windows, self.weights_config, weights)

    def answers(self, train: np.ndarray, test: np.ndarray) -> dict[str, Answers]:
        """What each contender says of test windows (n,) bool."""
        windows, task = self.windows, ("audio", self.windows, train, test)
        found = {
            OURS: encoder_answers(*task, self.config, self.seeds, N_EMOTIONS),
            BASELINE: linear_answers(self.statistics, windows, train, test),
        }
        if self.embeddings is not None:
            found[AST] = linear_answers(self.embeddings, windows, train, test)
            found[AST_TUNED] = encoder_answers(
                *task, self.weights_config, self.seeds, N_EMOTIONS, self.weights
            )
        return found

    def cross_validated(self) -> dict[str, Answers]:
        """The same over folds of speakers, each of whom is left out once."""
        windows = self.windows
        folds = GroupKFold(CROSS_VALIDATION_FOLDS).split(
            self.statistics, windows.emotion, windows.subject
        )
        parts = []
        for _, left_out in folds:
            test = np.zeros(len(windows), dtype=bool)
            test[left_out] = True
            parts.append(self.answers(~test, test))
        return {name: joined([part[name] for part in parts]) for name in parts[0]}


@torch.inference_mode()
def _embeddings(windows: WindowSet, config: Config, weights: str) -> np.ndarray:
    """What the published transformer makes of each window, (n, dim)."""
    encoder = new_model("audio", config, 0, weights).by_modality["audio"].eval()
    parts = []
    for start in range(0, len(windows), _EMBEDDING_BATCH):
        rows = np.arange(start, min(start + _EMBEDDING_BATCH, len(windows)))
        tokens = encoder.below_fusion(torch.from_numpy(windows.array("audio", rows)))
        tokens = tokens.flatten(0, 1)
        for block in encoder.fusion_blocks:
            tokens = block(tokens)
        parts.append(encoder.features(tokens).numpy())
    return np.concatenate(parts)
