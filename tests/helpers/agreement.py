"""Whether results that were computed twice agree.

BLAS adds in an order of its own: by processor, by number of threads, and by where an
array happens to lie in memory. So the same program need not give the same bits twice,
even on one computer. Training carries the difference on, and where a gradient is
nothing but rounding Adam makes steps of it: two runs are compared in what they answer,
not weight by weight.
"""

from collections.abc import Mapping, Sequence
from csv import DictReader
from pathlib import Path

import numpy as np
import pytest

from eav_offline.data.window_set import WindowSet
from eav_offline.evaluation.assess import window_probabilities
from eav_offline.models import EmotionModel

ANSWER = 1e-4  # of a probability; rounding stays below 1e-6 over tens of steps
LOSS = 2e-4  # the history has four decimals: one unit in the last place, and room


def assert_figures_agree(found: object, expected: object, where: str = "") -> None:
    """Compare nested mappings and lists: numbers within `ANSWER`, the rest exactly."""
    if isinstance(expected, Mapping):
        assert isinstance(found, Mapping), where
        assert found.keys() == expected.keys(), where
        for key, value in expected.items():
            assert_figures_agree(found[key], value, f"{where}/{key}")
    elif isinstance(expected, Sequence) and not isinstance(expected, str):
        assert isinstance(found, Sequence), where
        assert len(found) == len(expected), where
        for i, value in enumerate(expected):
            assert_figures_agree(found[i], value, f"{where}/{i}")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=ANSWER, abs=ANSWER), where
    else:
        assert found == expected, where


def assert_models_agree(
    one: EmotionModel, other: EmotionModel, windows: WindowSet
) -> None:
    """Compare the probabilities that two models give `windows`."""
    found, expected = (window_probabilities(m, windows) for m in (one, other))
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(
            found[name], expected[name], rtol=0, atol=ANSWER, err_msg=name
        )


def assert_runs_agree(one: Path, other: Path) -> None:
    """Compare the test predictions and the histories of two runs."""
    with (
        np.load(one / "predictions.npz") as found,
        np.load(other / "predictions.npz") as expected,
    ):
        assert found.keys() == expected.keys()
        for name in expected:
            np.testing.assert_allclose(
                found[name], expected[name], rtol=0, atol=ANSWER, err_msg=name
            )
    here, there = _history(one), _history(other)
    assert [row["stage"] for row in here] == [row["stage"] for row in there]
    losses = [[float(row["train_loss"]) for row in rows] for rows in (here, there)]
    assert losses[0] == pytest.approx(losses[1], rel=0, abs=LOSS)


def _history(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open() as file:
        return list(DictReader(file))
