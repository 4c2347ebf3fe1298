"""The training bench: both ways learn the same, and it says what it measured."""

import pytest
import torch
from planted import tiny_config

from benchmarks.offline.train import MOST_LOSS_DIFFERENCE, bench_train


@pytest.fixture(scope="module")
def figures() -> dict:
    torch.set_num_threads(1)
    return bench_train(tiny_config(), n_windows=10)


def test_cached_and_computed_states_give_the_same_losses(figures: dict) -> None:
    assert 0 <= figures["max_loss_difference"] <= MOST_LOSS_DIFFERENCE


def test_speedups_are_ratios_of_the_seconds_beside_them(figures: dict) -> None:
    for name in ("audio_head", "video_head", "ambt"):
        seconds = figures[f"{name}_epoch_s"], figures[f"{name}_epoch_without_cache_s"]
        assert figures[f"{name}_speedup"] == pytest.approx(
            seconds[1] / seconds[0], rel=0.05, abs=0.01
        )
    assert figures["head_speedup"] == figures["video_head_speedup"]


def test_a_window_takes_the_bytes_of_its_states(figures: dict) -> None:
    # Tokens of 16 in 16 bits: sound 7, faces 5 of two frames; EEG 65 of 10 in 32.
    states = 2 * 16 * (7 + 2 * 5) + 4 * 65 * 10
    assert states <= figures["ambt_bytes_per_window"] <= states + 100  # headers
