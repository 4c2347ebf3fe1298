"""The audio encoder on real speech of unknown speakers, beside a linear model."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.offline.contest import encoder_answers, linear_answers, summary
from eav_offline.common.files import package_versions
from eav_offline.config import Config, load_config
from eav_offline.core.labels import N_EMOTIONS
from eav_offline.core.window import AUDIO_RATE
from eav_offline.data.clips import ClipFolder
from eav_offline.data.corpora import RAVDESS
from eav_offline.data.dataset import LabeledWindows, require_subjects, speech_windows
from eav_offline.data.window_set import window_set
from eav_offline.models.baselines.features import log_mel_statistics
from eav_offline.preprocess.audio import log_mel
from eav_offline.training.pretrained import load_audio
from eav_offline.training.train import new_model

TRAINING_ACTORS = tuple(range(1, 16))
TEST_ACTORS = (16, 17, 18)  # no setting was tuned on them
AST = "frozen AST + logistic regression"
OURS, BASELINE = "audio encoder", "log-mel statistics + logistic regression"


def bench_speech(
    data: Path, config: Config, seeds: int = 5, audio_weights: str | None = None
) -> dict[str, Any]:
    """Train on actors 1-15 of RAVDESS, test on 16-18; returns figures for JSON.

    audio_weights: a published AST, whose frozen embeddings with logistic regression
    join in. Raises InputRefused if an actor is missing.
    """
    clips = ClipFolder(data, RAVDESS)
    actors = (*TRAINING_ACTORS, *TEST_ACTORS)
    require_subjects(actors, clips.subjects(), data)
    windows = window_set([read_speaker(clips, n) for n in actors])
    sound = windows.array("audio", np.arange(len(windows)))
    test = np.isin(windows.subject, TEST_ACTORS)
    of = (windows, ~test, test)
    answers = {
        OURS: encoder_answers("audio", *of, config, range(seeds), N_EMOTIONS),
        BASELINE: linear_answers(log_mel_statistics(sound), *of),
    }
    if audio_weights is not None:
        answers[AST] = linear_answers(_embeddings(sound, audio_weights), *of)
    found = summary(answers, OURS, BASELINE, "accuracy")
    ours, theirs = (found["contenders"][one]["accuracy"] for one in (OURS, BASELINE))
    return {
        "synthetic": False,
        "n_training_windows": int((~test).sum()),
        "n_test_windows": int(test.sum()),
        "seeds": list(range(seeds)),
        "test": found,
        "beats_baseline": ours > theirs,
        "passed": ours > theirs,
        "versions": package_versions(),
    }


@torch.inference_mode()
def _embeddings(log_mel: np.ndarray, weights: str) -> np.ndarray:
    """What the published transformer makes of each window, (n, dim)."""
    model = new_model(load_config("paper"), ["audio"], fusion=False).eval()
    encoder = model.by_modality["audio"]
    load_audio(encoder, weights)  # type: ignore[arg-type]
    found = []
    for one in torch.from_numpy(log_mel):
        tokens = encoder.below_fusion(one[None]).flatten(0, 1)
        for block in encoder.fusion_blocks:
            tokens = block(tokens)
        found.append(encoder.features(tokens).numpy())
    return np.concatenate(found)


def read_speaker(clips: ClipFolder, number: int) -> LabeledWindows:
    """An actor's utterances, each one window, trimmed and centered."""
    actor = clips.open_subject(number)
    spoken = [actor.recording(trial) for trial in actor.trials("speaking")]
    heard = [(s.emotion, s.audio) for s in spoken if s.audio is not None]
    mels = [log_mel(sound, AUDIO_RATE) for _, sound in heard]
    emotion = np.array([emotion for emotion, _ in heard])
    return speech_windows(number, np.stack(mels), emotion)
