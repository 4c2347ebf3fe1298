"""From a subject on disk to a run and back: prepare, split, train, evaluate again."""

import json
from pathlib import Path

import pytest
from planted import tiny_config

from eav_offline.data.cache import PreparedSubject, open_prepared
from eav_offline.data.prepared import prepare_root
from eav_offline.errors import InputRefused
from eav_offline.preprocess import PreprocessSettings
from eav_offline.runs import evaluate_run, training_data
from eav_offline.training import train

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def cache(synthetic_subject: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All ten trials: the listening ones have EEG only."""
    out = tmp_path_factory.mktemp("runs") / "cache"
    settings = PreprocessSettings(face_size=tiny_config().model.video.side)
    prepare_root(synthetic_subject.parent, out, settings=settings, task="both", jobs=1)
    return out


@pytest.fixture(scope="module")
def subject(cache: Path) -> PreparedSubject:
    return open_prepared(cache, 1)


@pytest.fixture(scope="module")
def run(cache: Path, subject: PreparedSubject) -> Path:
    out = cache.parent / "run"
    train(["eeg"], training_data([subject], cache), tiny_config(), out)
    return out


def test_listening_windows_lack_sound_and_speaking_ones_nothing(
    subject: PreparedSubject,
) -> None:
    assert subject.synthetic
    assert subject.present[subject.task == 1].all()
    listening = subject.present[subject.task == 0]
    assert listening[:, 0].all()
    assert not listening[:, 1].any()


def test_every_trial_is_in_one_part_of_the_split(
    cache: Path, subject: PreparedSubject
) -> None:
    data = training_data([subject], cache)
    assert data.test is not None
    train_trials = set(data.train.trial_keys.tolist())
    assert not train_trials & set(data.test.trial_keys.tolist())
    assert len(data.train) + len(data.test) == len(subject)


def test_evaluating_again_gives_the_figures_of_the_training(run: Path) -> None:
    written = json.loads((run / "results.json").read_text())
    again = evaluate_run(run, None)
    assert again["modalities"] == written["modalities"]
    assert again["n_windows"] == written["n_windows"] == 20
    assert set(written["by_position"]["eeg"]) == {"0", "1", "2", "3"}
    assert written["demo"] is True


def test_a_cache_that_has_moved_is_named(
    run: Path, cache: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    moved.symlink_to(cache)
    assert evaluate_run(run, moved)["n_windows"] == 20
    with pytest.raises(InputRefused, match="empty"):
        evaluate_run(run, tmp_path / "empty")


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no finished run"):
        evaluate_run(tmp_path, None)
