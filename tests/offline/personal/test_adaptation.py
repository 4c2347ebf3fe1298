"""Without labels a person's features are brought onto what the model knows."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from strangers import STRANGER, accuracy, heard, voice_checkpoint

from eav_offline.checkpoint.file import Checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.core.window import EEG_SAMPLES, N_CHANNELS
from eav_offline.models.personal import Population, aligning, covariance
from eav_offline.personal.adaptation import LEAST_WINDOWS, Adaptation, believed
from eav_offline.personal.calibration import with_personal

MIXED = np.tile(np.arange(4), 12)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return voice_checkpoint()


def fed(checkpoint: Checkpoint, emotion: np.ndarray, seed: int = 0) -> Adaptation:
    adaptation = Adaptation(checkpoint)
    for x in STRANGER.shown(emotion, seed):
        adaptation.feed({"audio": x})
    return adaptation


def test_standardization_recovers_a_shifted_person(checkpoint: Checkpoint) -> None:
    layer = fed(checkpoint, np.tile(MIXED, 3)).personal
    assert layer is not None
    x = STRANGER.shown(np.tile(np.arange(4), 100), seed=1)
    truth = np.tile(np.arange(4), 100)
    before = accuracy(checkpoint, x, truth)
    after = accuracy(with_personal(checkpoint, layer), x, truth)
    assert before < 0.75
    assert after > max(0.9, before + 0.2)


def test_a_mean_moves_as_far_as_the_windows_say() -> None:
    off = np.array([0.0, 0.1, -0.5, 3.0])
    mean, deviation = believed(16, off, np.ones(4), np.zeros(4), np.ones(4))
    np.testing.assert_allclose(mean, [0.0, 0.0, -0.375, 3 - 1 / 48], atol=1e-6)
    np.testing.assert_allclose(deviation, 1.0)


def test_the_more_is_seen_the_further_it_goes(checkpoint: Checkpoint) -> None:
    population = checkpoint.population.by_modality["audio"].mean.numpy()
    x = STRANGER.shown(np.tile(np.arange(4), 200), seed=5).mean(0)
    gaps = []
    for n in (12, 120):
        head = fed(checkpoint, np.resize(MIXED, n)).personal.heads["audio"]
        there = head.scale.numpy() * x + head.shift.numpy()
        gaps.append(np.linalg.norm(there - population) / np.linalg.norm(x - population))
    few, many = gaps
    assert 0.7 < few < 0.9
    assert many < 0.35


def test_one_emotion_alone_is_not_subtracted_away(checkpoint: Checkpoint) -> None:
    for emotion in range(4):
        adaptation = fed(checkpoint, np.full(60, emotion))
        assert adaptation.personal is None
        assert adaptation.waiting == (
            "Adapting to this person: waiting for more varied expressions (voice)"
        )


def test_what_was_learned_stays_while_one_emotion_goes_on(
    checkpoint: Checkpoint,
) -> None:
    adaptation = fed(checkpoint, MIXED)
    before = adaptation.personal
    for x in STRANGER.shown(np.full(400, 2), seed=3):
        adaptation.feed({"audio": x})
    assert adaptation.waiting is not None
    assert "more varied" in adaptation.waiting
    assert adaptation.personal is not None
    shown = STRANGER.shown(MIXED, seed=4)
    assert accuracy(with_personal(checkpoint, adaptation.personal), shown, MIXED) > 0.6
    assert before is not None


def test_a_minute_is_waited_for(checkpoint: Checkpoint) -> None:
    adaptation = fed(checkpoint, MIXED[: LEAST_WINDOWS - 1])
    assert adaptation.personal is None
    assert adaptation.waiting is not None
    assert "11 of 12 windows seen" in adaptation.waiting


def test_windows_that_overlap_are_one(checkpoint: Checkpoint) -> None:
    adaptation = Adaptation(checkpoint)
    for i, x in enumerate(STRANGER.shown(MIXED, 0)):
        adaptation.feed({"audio": x}, t=100 + 0.5 * i)
    assert adaptation.n_taken == 5  # 24 seconds
    adaptation.feed({"audio": STRANGER.shown(MIXED, 0)[0]}, t=20.0)  # the clock jumped
    assert adaptation.n_taken == 6


def test_frozen_it_stays_and_undone_it_begins_anew(checkpoint: Checkpoint) -> None:
    adaptation = fed(checkpoint, MIXED)
    layer = adaptation.personal
    adaptation.freeze()
    assert adaptation.waiting == "Adaptation is frozen"
    assert not adaptation.feed({"audio": STRANGER.shown(MIXED, 5)[0]})
    assert adaptation.personal is layer
    adaptation.freeze(False)
    assert adaptation.feed({"audio": STRANGER.shown(MIXED, 5)[0]})
    assert adaptation.personal is not layer
    adaptation.reset()
    assert adaptation.personal is None
    assert (adaptation.n_taken, adaptation.resets) == (0, 1)


def test_the_state_goes_on_where_it_was(checkpoint: Checkpoint) -> None:
    adaptation, other = fed(checkpoint, MIXED), Adaptation(checkpoint)
    other.restore(json.loads(json.dumps(adaptation.state())))
    for x in STRANGER.shown(MIXED, seed=6):
        adaptation.feed({"audio": x})
        other.feed({"audio": x})
    mine, theirs = adaptation.personal, other.personal
    assert mine is not None
    assert theirs is not None
    for name, tensor in mine.tensors().items():
        np.testing.assert_allclose(tensor, theirs.tensors()[name], rtol=1e-6)
    assert adaptation.state() == other.state()


def test_broken_numbers_are_passed_over(checkpoint: Checkpoint) -> None:
    adaptation = Adaptation(checkpoint)
    assert not adaptation.feed({"audio": np.full(40, np.nan)})
    assert adaptation.n_taken == 0


def test_a_model_that_knows_nothing_of_its_people_says_so(
    checkpoint: Checkpoint,
) -> None:
    with pytest.raises(InputRefused, match="train it again"):
        Adaptation(replace(checkpoint, population=None))


def test_aligned_eeg_has_the_covariance_of_the_population() -> None:
    random = np.random.default_rng(0)
    eeg = random.normal(0, 10, (20, N_CHANNELS, EEG_SAMPLES))
    mixing = random.normal(0, 0.2, (N_CHANNELS, N_CHANNELS)) + 3 * np.eye(N_CHANNELS)
    mine = np.einsum("cd,ndt->nct", mixing, eeg)
    wanted = torch.from_numpy(covariance(eeg)).float()
    matrix = aligning(Population({}, wanted), covariance(mine)).numpy()
    np.testing.assert_allclose(
        covariance(np.einsum("cd,ndt->nct", matrix, mine)), wanted, atol=2.0
    )
    assert heard(np.zeros((2, 40), "f4")).eeg_covariance is None
