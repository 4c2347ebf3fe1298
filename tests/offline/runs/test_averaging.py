"""Averages of runs: which runs may stand in one mean."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from planted import tiny_config
from planted_cache import write_cache

from eav_offline.common.errors import InputRefused
from eav_offline.data.cache import open_prepared
from eav_offline.data.splits import SubjectFold
from eav_offline.models.baselines.settings import with_baseline
from eav_offline.runs.averaging import Member, average_runs
from eav_offline.runs.split import held_out_data
from eav_offline.training.train import train

FOLDS = {
    "few": SubjectFold(train=(2,), test=(1,)),
    "many": SubjectFold(train=(2, 3), test=(1,)),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two runs that leave out the same person, and train on others."""
    root = tmp_path_factory.mktemp("averaging")
    cache = write_cache(root / "cache", [1, 2, 3], n_trials=5)
    people = [open_prepared(cache, number) for number in (1, 2, 3)]
    for name, fold in FOLDS.items():
        data = held_out_data(people, [cache], fold, root / name)
        train(["eeg"], data, with_baseline(tiny_config(), "eeg-bands"), root / name)
    return {name: root / name for name in FOLDS}


def test_runs_of_two_folds_are_not_averaged_though_they_test_the_same_person(
    runs: dict[str, Path], tmp_path: Path
) -> None:
    tested = [np.load(run / "predictions.npz")["subject"] for run in runs.values()]
    np.testing.assert_array_equal(*tested)
    members = [Member(run, "fused") for run in runs.values()]
    with pytest.raises(InputRefused, match="different splits"):
        average_runs(members, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_the_fold_counts_though_the_trials_of_everybody_are_the_same(
    runs: dict[str, Path], tmp_path: Path
) -> None:
    """Somebody without a trial validates in one fold and trains in the other."""
    members = []
    for part in ("train", "validation"):
        run = shutil.copytree(runs["few"], tmp_path / part)
        about = json.loads((run / "split.json").read_text())
        about["fold"][part] = [*about["fold"][part], 7]
        about["subjects"]["7"] = {"train": [], "validation": [], "test": []}
        results = json.loads((run / "results.json").read_text())
        (run / "split.json").write_text(json.dumps(about))
        (run / "results.json").write_text(json.dumps({**results, "split": about}))
        members.append(Member(run, "fused"))
    with pytest.raises(InputRefused, match="different splits"):
        average_runs(members, tmp_path / "mean")


def test_runs_of_one_fold_are_averaged(runs: dict[str, Path], tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(runs["few"], again)
    members = [Member(runs["few"], "fused"), Member(again, "fused")]
    average_runs(members, tmp_path / "mean")
    said = [np.load(r / "predictions.npz") for r in (runs["few"], tmp_path / "mean")]
    np.testing.assert_allclose(said[1]["p_fused"], said[0]["p_fused"], atol=1e-6)
