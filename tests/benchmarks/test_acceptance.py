"""Full-size acceptance on synthetic people; an hour or more on two cores."""

from pathlib import Path

import pytest

from benchmarks.offline.synthetic import NAMES, bench_synthetic
from eav_offline.config import load_config


@pytest.mark.slow
@pytest.mark.timeout(4 * 3600)
def test_what_can_be_learned_is_learned_and_nothing_else(tmp_path: Path) -> None:
    figures = bench_synthetic(load_config("compact"), work=tmp_path)
    for name in NAMES:
        assert figures["accuracy"][name] > (0.8 if name == "fused" else 0.6)
        low, high = figures["null_interval"][name]
        assert low <= 0.2 <= high
    assert figures["passed"]
