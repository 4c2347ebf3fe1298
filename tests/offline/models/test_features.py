"""Features of linear models, on signals whose answer is known."""

import numpy as np
import pytest

from eav_offline.core.window import EEG_BANDS
from eav_offline.models.baselines.features import (
    log_band_power,
    log_mel_statistics,
)

pytestmark = pytest.mark.numeric

RATE = 100


@pytest.mark.parametrize(
    ("hertz", "band"),
    [(2, "delta"), (6, "theta"), (10, "alpha"), (20, "beta"), (40, "gamma")],
)
def test_a_tone_has_its_power_in_its_band(hertz: float, band: str) -> None:
    time = np.arange(5 * RATE) / RATE
    tone = 10 * np.sin(2 * np.pi * hertz * time)
    power = log_band_power(tone[None, None], RATE)[0, 0]
    assert list(EEG_BANDS)[int(power.argmax())] == band
    others = np.delete(power, power.argmax())
    assert power.max() - others.max() > np.log(20)


def test_band_power_is_the_mean_density_of_white_noise() -> None:
    noise = np.random.default_rng(0).normal(0, 3, (40, 2, 5 * RATE))
    power = np.exp(log_band_power(noise, RATE)).mean(axis=(0, 1))
    # The variance of 9 µV² is spread evenly over 0-50 Hz.
    np.testing.assert_allclose(power, 9 / 50, rtol=0.06)


def test_a_flat_electrode_has_a_finite_power() -> None:
    assert np.isfinite(log_band_power(np.zeros((1, 2, 500)))).all()


def test_a_signal_shorter_than_a_segment_is_refused() -> None:
    with pytest.raises(ValueError, match=r"150 samples at 100 Hz.*2 s"):
        log_band_power(np.zeros((1, 2, 150)))


def test_a_louder_window_differs_in_the_means_only() -> None:
    quiet = np.random.default_rng(0).normal(-6, 1, (3, 50, 8))
    difference = log_mel_statistics(quiet + 2) - log_mel_statistics(quiet)
    np.testing.assert_allclose(difference[:, :8], 2, atol=1e-5)
    np.testing.assert_allclose(difference[:, 8:], 0, atol=1e-5)


def test_change_counts_where_deviation_is_the_same() -> None:
    slow = np.repeat([0.0, 1.0], 20)[None, :, None]
    fast = np.tile([0.0, 1.0], 20)[None, :, None]
    mean, deviation, change = (log_mel_statistics(fast) - log_mel_statistics(slow))[0]
    assert mean == deviation == 0
    assert change > 0.8
