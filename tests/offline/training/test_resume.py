"""Interrupted training goes on to the very result of an uninterrupted run."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from agreement import assert_figures_agree, assert_runs_agree
from planted import planted_subject, tiny_config
from test_training import data_of

from eav_offline.config import Config
from eav_offline.core.model_names import STAGES
from eav_offline.training.journal import FOLDER, JournalError
from eav_offline.training.runtime import TrainingError
from eav_offline.training.train import train


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def staged(**train: object) -> Config:
    """Two phases a stage, with everything random that there is."""
    stage = {
        "head_epochs": 2,
        "epochs": 2,
        "batch": 20,
        "learning_rate": 1e-3,
        "augment": True,
        "frames": 2,
        "variants": 2,
    }
    return tiny_config(
        eeg=stage,
        audio=stage,
        video=stage,
        ambt=stage,
        select="validation",
        **train,
    )


KILLED = [("eeg", 1), ("video", 2), ("video", 3), ("ambt", 3)]  # after these epochs


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run; beside it, as `STAGE-EPOCH`, what kill -9 would have left of it."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("whole") / "run"

    def keep(stage: str, done: int, *_: object) -> None:
        if (stage, done) in KILLED:
            shutil.copytree(out, out.parent / f"{stage}-{done}")

    train(STAGES, data_of(planted_subject(), validation=True), staged(), out, keep)
    return out


@pytest.mark.parametrize(("stage", "epoch"), KILLED)
def test_a_run_that_was_killed_goes_on_to_the_same_answers(
    tmp_path: Path, uninterrupted: Path, stage: str, epoch: int
) -> None:
    shutil.copytree(
        uninterrupted.parent / f"{stage}-{epoch}", tmp_path, dirs_exist_ok=True
    )
    assert not (tmp_path / "results.json").exists()
    seen = []
    train(
        STAGES,
        data_of(planted_subject(), validation=True),
        staged(),
        tmp_path,
        lambda now, done, total, loss: seen.append((now, done)),
    )
    # Nothing that was finished runs again.
    first = (stage, epoch + 1) if epoch < 4 else (STAGES[STAGES.index(stage) + 1], 1)
    assert seen[0] == first
    assert_runs_agree(tmp_path, uninterrupted)
    assert_figures_agree(results(tmp_path), results(uninterrupted))


def results(run: Path) -> dict[str, Any]:
    return {**json.loads((run / "results.json").read_text()), "timings": None}


def test_a_finished_run_leaves_nothing_to_go_on_from(uninterrupted: Path) -> None:
    assert not (uninterrupted / FOLDER).exists()


def interrupted(out: Path, config: Config) -> None:
    """Leave a run behind after its first epoch."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(["audio"], data_of(planted_subject()), config, out, stop)


def test_going_on_with_something_else_is_refused(tmp_path: Path) -> None:
    config = tiny_config()
    interrupted(tmp_path, config)
    with pytest.raises(JournalError, match="interrupted run of another configuration"):
        train(["audio"], data_of(planted_subject()), config.with_seed(3), tmp_path)
    assert train(["audio"], data_of(planted_subject()), config, tmp_path).n_windows


def test_a_damaged_journal_says_what_to_delete(tmp_path: Path) -> None:
    interrupted(tmp_path, tiny_config())
    kept = tmp_path / FOLDER / "epoch.pt"
    kept.write_bytes(kept.read_bytes()[:500])
    with pytest.raises(JournalError, match="is damaged .* delete"):
        train(["audio"], data_of(planted_subject()), tiny_config(), tmp_path)


def test_code_in_a_journal_is_not_executed(tmp_path: Path) -> None:
    interrupted(tmp_path, tiny_config())
    torch.save(Bomb(tmp_path / "bang"), tmp_path / FOLDER / "epoch.pt")
    with pytest.raises(JournalError, match="is damaged"):
        train(["audio"], data_of(planted_subject()), tiny_config(), tmp_path)
    assert not (tmp_path / "bang").exists()


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def test_a_loss_that_is_no_number_ends_with_advice(tmp_path: Path) -> None:
    subject = planted_subject()
    subject.log_mel[:20] = float("nan")
    with pytest.raises(TrainingError, match="loss of stage audio became nan.*lower"):
        train(["audio"], data_of(subject), tiny_config(), tmp_path)


def test_running_out_of_memory_ends_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eav_offline.models.encoders import AudioEncoder

    def huge(self: AudioEncoder, x: torch.Tensor) -> torch.Tensor:
        return torch.empty(1 << 60)  # the allocator's own refusal

    monkeypatch.setattr(AudioEncoder, "below_fusion", huge)
    with pytest.raises(TrainingError, match=r"out of memory .* train\.audio\.accumul"):
        train(["audio"], data_of(planted_subject()), tiny_config(), tmp_path)


def test_half_precision_without_a_gpu_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="needs a GPU"):
        train(
            ["eeg"], data_of(planted_subject()), tiny_config(precision="bf16"), tmp_path
        )
