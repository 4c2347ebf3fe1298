"""Stamps: exact ones stay, jitter goes, and a step is a gap at once."""

import numpy as np
import pytest
from source_helpers import RATE

from eav_live.streams.clock import RateMeter
from eav_offline.core.stamps import StampSmoother


def test_exact_stamps_pass_unchanged() -> None:
    stamps = 54_321.123 + np.arange(60_000) / RATE
    smoothed, starts = StampSmoother(RATE).smooth(stamps)
    np.testing.assert_allclose(smoothed, stamps, rtol=0, atol=1e-9)
    assert starts == [0]


def test_exact_stamps_of_sound_pass_unchanged() -> None:
    stamps = 987_654.3 + np.arange(5 * 44_100) / 44_100
    smoothed, _ = StampSmoother(44_100).smooth(stamps)
    np.testing.assert_allclose(smoothed, stamps, rtol=0, atol=1e-9)


def test_chunk_sizes_do_not_change_smoothed_stamps() -> None:
    rng = np.random.default_rng(1)
    stamps = 100 + np.arange(5000) / RATE + 0.004 * rng.random(5000)
    stamps[3000:] += 2.0
    whole, _ = StampSmoother(RATE).smooth(stamps)
    smoother = StampSmoother(RATE)
    parts = [
        smoother.smooth(part)[0] for part in np.split(stamps, [1, 7, 50, 51, 2999])
    ]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=0, atol=1e-9)


def test_arrival_jitter_is_smoothed_away() -> None:
    rng = np.random.default_rng(2)
    true = 100 + np.arange(30_000) / RATE
    jittered = true + np.repeat(0.01 * rng.random(1500), 20)  # a chunk arrives at once
    smoothed, starts = StampSmoother(RATE).smooth(jittered)
    settled = slice(10_000, None)
    assert starts == [0]
    # White jitter of chunks at 25 Hz leaves a sixth through a loop of 0.1 Hz.
    left = np.std((smoothed - true)[settled]) / np.std((jittered - true)[settled])
    assert left < 0.2
    assert (np.diff(smoothed) > 0).all()


def test_a_drifting_crystal_is_followed() -> None:
    stamps = 100 + np.arange(60_000) / (RATE * 1.0002)
    smoothed, _ = StampSmoother(RATE).smooth(stamps)
    assert np.abs(smoothed - stamps)[10_000:].max() < 1e-4


@pytest.mark.parametrize("step", [2.0, 0.06, -0.06, -30.0])
def test_a_step_restarts_the_smoother_at_once(step: float) -> None:
    stamps = 100 + np.arange(2000) / RATE
    stamps[1000:] += step
    smoothed, starts = StampSmoother(RATE).smooth(stamps)
    assert starts == [0, 1000]
    np.testing.assert_allclose(smoothed, stamps, rtol=0, atol=1e-9)


def test_rate_is_measured_from_arrivals() -> None:
    meter = RateMeter()
    assert meter.rate(0.0) is None
    for i in range(200):
        meter.count(0.02 * i, 10)
    assert meter.rate(4.0) == pytest.approx(500.0)
    assert meter.rate(60.0) == 0.0
