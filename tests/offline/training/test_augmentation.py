"""Random changes of sound and mixed windows."""

import numpy as np
import pytest
import torch
from planted import planted_subject, tiny_config
from pydantic import ValidationError

from eav_offline.data.window_set import window_set
from eav_offline.models import Batch, EmotionModel
from eav_offline.training.augmentation import augment, mix, warp_mel
from eav_offline.training.stages import fit_encoder


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_warp_of_nothing_leaves_the_picture_as_it_is() -> None:
    x = torch.randn(2, 498, 128)
    torch.testing.assert_close(warp_mel(x, seeded(0), 0.0), x, atol=1e-3, rtol=0)


def test_a_warp_moves_a_band_by_no_more_than_it_may() -> None:
    x = torch.zeros(40, 498, 128)
    x[:, :, 60] = 1
    places = warp_mel(x, seeded(0), 0.1).mean(1).argmax(1)
    # 60 bands stretched by a tenth, and a shift of 0.03 of 127.
    furthest = 60 * (np.exp(0.1) - 1) + 0.03 * 127 * np.exp(0.1) + 1
    assert len(places.unique()) > 5
    assert (places - 60).abs().max() <= furthest


def test_a_warp_is_asked_for() -> None:
    x = torch.randn(4, 498, 128)
    batch = Batch({"audio": x}, torch.tensor([[False, True, False]] * 4))
    plain = augment(batch, seeded(1)).parts["audio"]
    again = augment(batch, seeded(1), warp=0.0).parts["audio"]
    warped = augment(batch, seeded(1), warp=0.1).parts["audio"]
    assert torch.equal(plain, again)
    assert not torch.allclose(plain, warped)


def test_a_mixed_window_and_its_classes_have_the_same_shares() -> None:
    truth = torch.tensor([0, 1, 2, 3])
    x = torch.eye(5)[truth]  # each window is its class, written as a picture
    mixed, shares = mix(x, truth, 1.0, 5, seeded(3))
    torch.testing.assert_close(mixed, shares)
    torch.testing.assert_close(shares.sum(1), torch.ones(4))
    assert ((shares > 0.01) & (shares < 0.99)).any()


def test_faces_stay_bytes_when_mixed() -> None:
    x = torch.full((2, 3, 4, 4, 3), 200, dtype=torch.uint8)
    mixed, _ = mix(x, torch.tensor([0, 1]), 0.4, 5, seeded(0))
    assert mixed.dtype == torch.uint8
    assert (mixed.int() - 200).abs().max() <= 1


def test_a_model_learns_from_mixed_and_warped_windows() -> None:
    stage = {"epochs": 8, "batch": 20, "learning_rate": 3e-3}
    config = tiny_config(audio={**stage, "warp": 0.02, "mixup": 0.4, "augment": True})
    windows = window_set([planted_subject()])
    model = EmotionModel(config.model, ["audio"], fusion=False)
    history = fit_encoder(model, "audio", windows, windows, config)
    assert history[-1]["validation_accuracy"] > 0.5


def test_keys_that_would_do_nothing_are_refused() -> None:
    stage = {"epochs": 1, "learning_rate": 1e-3}
    with pytest.raises(ValidationError, match=r"eeg\.warp: only audio"):
        tiny_config(eeg={**stage, "warp": 0.1})
    with pytest.raises(ValidationError, match=r"ambt\.mixup: only single"):
        tiny_config(ambt={**stage, "mixup": 0.4})
