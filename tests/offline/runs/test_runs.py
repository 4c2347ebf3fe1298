"""From prepared subjects to a run and back: split, train, evaluate again."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from agreement import assert_figures_agree
from planted import tiny_config
from planted_cache import quick_config, write_cache
from unsearched import no_search

from eav_offline.checkpoint.file import load
from eav_offline.common.errors import InputRefused
from eav_offline.core.model_names import STAGES
from eav_offline.data.cache import PreparedSubject, open_prepared
from eav_offline.data.prepared import prepare_root
from eav_offline.data.splits import SubjectFold
from eav_offline.preprocess import PreprocessSettings
from eav_offline.runs.split import (
    evaluate_run,
    held_out_data,
    training_data,
)
from eav_offline.training.run_folder import RunFolder, RunUnreadable
from eav_offline.training.runtime import TrainingError
from eav_offline.training.train import TrainingData, train

pytestmark = pytest.mark.timeout(240)
FOLD = SubjectFold(train=(1, 3), test=(4,), validation=(2,))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def recorded(
    synthetic_subject: Path, tmp_path_factory: pytest.TempPathFactory
) -> PreparedSubject:
    """All ten trials from files on disk: the listening ones have EEG only."""
    cache = tmp_path_factory.mktemp("recorded") / "cache"
    settings = PreprocessSettings(face_size=tiny_config().model.video.side)
    root = synthetic_subject.parent
    with no_search():
        prepare_root(root, cache, settings=settings, task="both", jobs=1)
    return open_prepared(cache, 1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cache of four people and runs within and across them."""
    root = tmp_path_factory.mktemp("place")
    cache = write_cache(root / "cache", [1, 2, 3, 4])
    within, held_out = root / "runs" / "within", root / "runs" / "held-out"
    one = [open_prepared(cache, 1)]
    data = training_data(one, [cache], validation=True, run=within)
    train(STAGES, data, quick_config(), within)
    data = held_out_data(everybody(cache), [cache], FOLD, held_out)
    train(["eeg"], data, quick_config(), held_out)
    return root


def everybody(cache: Path) -> list[PreparedSubject]:
    return [open_prepared(cache, number) for number in (1, 2, 3, 4)]


@pytest.fixture
def copied(place: Path, tmp_path: Path) -> Path:
    """The runs, to be spoilt, beside the cache."""
    shutil.copytree(place / "runs", tmp_path / "runs")
    (tmp_path / "cache").symlink_to(place / "cache")
    return tmp_path / "runs"


def change_split(run: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what split.json and results.json say of the split."""
    split = json.loads((run / "split.json").read_text())
    change(split)
    (run / "split.json").write_text(json.dumps(split))
    results = json.loads((run / "results.json").read_text())
    (run / "results.json").write_text(json.dumps({**results, "split": split}))


def parts(data: TrainingData) -> list[set[int]]:
    assert data.test is not None
    sets = [data.train, data.validation, data.test]
    return [set() if part is None else set(part.trial_keys.tolist()) for part in sets]


def test_listening_windows_lack_sound_and_speaking_ones_nothing(
    recorded: PreparedSubject,
) -> None:
    assert recorded.synthetic
    assert recorded.present[recorded.task == 1].all()
    listening = recorded.present[recorded.task == 0]
    assert listening[:, 0].all()
    assert not listening[:, 1].any()


def test_every_trial_is_in_one_part_of_the_split(recorded: PreparedSubject) -> None:
    data = training_data([recorded], [Path("cache")])
    train_trials, _, test_trials = parts(data)
    assert not train_trials & test_trials
    assert data.test is not None
    assert len(data.train) + len(data.test) == len(recorded)


def test_validation_is_set_aside_though_nothing_is_chosen_on_it(place: Path) -> None:
    one = [open_prepared(place / "cache", 1)]
    plain = parts(training_data(one, [place / "cache"]))
    watched = parts(training_data(one, [place / "cache"], validation=True))
    assert plain[1] == set()
    assert watched[1]
    assert watched[0] | watched[1] == plain[0]
    assert watched[2] == plain[2]


def test_whole_people_are_left_out(place: Path) -> None:
    data = held_out_data(everybody(place / "cache"), [place / "cache"], FOLD)
    assert data.validation is not None
    assert data.test is not None
    assert set(data.train.subject.tolist()) == {1, 3}
    assert set(data.validation.subject.tolist()) == {2}
    assert set(data.test.subject.tolist()) == {4}
    assert [len(data.train), len(data.validation), len(data.test)] == [60, 30, 30]
    assert data.split["windows"] == {"train": 60, "validation": 30, "test": 30}


def test_people_outside_the_fold_are_not_used(place: Path) -> None:
    fold = SubjectFold(train=(1,), test=(4,))
    data = held_out_data(everybody(place / "cache"), [place / "cache"], fold)
    assert set(data.split["subjects"]) == {"1", "4"}
    assert data.validation is None


def test_a_fold_of_people_who_are_not_there_is_refused(place: Path) -> None:
    with pytest.raises(InputRefused, match=r"subjects \[9\]"):
        held_out_data(
            everybody(place / "cache"), place / "cache", SubjectFold((1,), (9,))
        )


@pytest.mark.parametrize("name", ["within", "held-out"])
def test_evaluating_again_gives_every_figure_of_the_training(
    place: Path, name: str
) -> None:
    run = place / "runs" / name
    written = json.loads((run / "results.json").read_text())
    again = json.loads(json.dumps(evaluate_run(run).as_json()))
    assert_figures_agree(again, {key: written[key] for key in again})
    assert again["modalities"]["eeg"]["nll_scaled"] is not None
    assert again["demo"] is True


def test_windows_of_a_run_are_counted_by_position(place: Path) -> None:
    results = evaluate_run(place / "runs" / "within").as_json()
    assert set(results["by_position"]["eeg"]) == {"0", "1"}
    assert results["n_windows"] == 10
    assert results["n_trials"] == 5


def test_a_run_without_first_windows_neither_trains_nor_is_scored_on_them(
    place: Path, tmp_path: Path
) -> None:
    config = quick_config(first_windows=False)
    data = training_data([open_prepared(place / "cache", 1)], [place / "cache"])
    results = train(STAGES, data, config, tmp_path / "run").as_json()
    with np.load(tmp_path / "run" / "predictions.npz") as said:
        assert set(said["position"]) == {1}
    assert results["n_windows"] == len(data.test) / 2  # two windows a trial
    counts = load(tmp_path / "run" / "model.safetensors").meta["training"]
    assert counts["train_windows"] == len(data.train) / 2
    assert results["first_windows"]["fused"]["only"]["n_windows"] == 0
    again = evaluate_run(tmp_path / "run", [place / "cache"]).as_json()
    assert again["n_windows"] == results["n_windows"]
    for name, scores in results["modalities"].items():
        found = again["modalities"][name]
        assert found["accuracy"] == scores["accuracy"]
        assert found["nll"] == pytest.approx(scores["nll"], rel=1e-5)  # float32
    # Its encoders go with no fusion that learns from other windows.
    with pytest.raises(TrainingError, match="another configuration"):
        train(["ambt"], data, quick_config(), tmp_path / "run")


def test_trials_of_one_window_cannot_do_without_the_first(
    place: Path, tmp_path: Path
) -> None:
    data = training_data([open_prepared(place / "cache", 1)], [place / "cache"])
    first = data.train.subset(data.train.position == 0)
    with pytest.raises(TrainingError, match="every trial has one only"):
        train(
            ["eeg"],
            replace(data, train=first),
            quick_config(first_windows=False),
            tmp_path / "run",
        )


def test_a_cache_that_moves_with_its_runs_is_found(copied: Path) -> None:
    stored = RunFolder(copied / "within").split()
    assert stored.about["caches"] == ["../../cache"]
    assert stored.caches == ((copied.parent / "cache").resolve(),)
    assert evaluate_run(copied / "within").n_windows == 10


def test_without_a_run_the_cache_is_stored_with_its_whole_path(place: Path) -> None:
    data = training_data([open_prepared(place / "cache", 1)], [place / "cache"])
    assert data.split["caches"] == [str((place / "cache").resolve())]


def test_a_cache_that_has_moved_may_be_named(
    copied: Path, place: Path, tmp_path: Path
) -> None:
    (tmp_path / "cache").unlink()
    with pytest.raises(InputRefused, match="cache"):
        evaluate_run(copied / "within")
    assert evaluate_run(copied / "within", [place / "cache"]).n_windows == 10


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no finished run"):
        evaluate_run(tmp_path)


def test_a_trial_in_two_parts_is_found_out_on_loading(copied: Path) -> None:
    def tear(split: dict[str, Any]) -> None:
        mine = split["subjects"]["1"]
        mine["test"].append(mine["train"][0])

    change_split(copied / "within", tear)
    with pytest.raises(RunUnreadable, match="more than one part of the split"):
        evaluate_run(copied / "within")


def test_a_person_in_two_parts_of_a_fold_is_found_out(copied: Path) -> None:
    change_split(copied / "held-out", lambda split: split["fold"]["train"].append(4))
    with pytest.raises(
        RunUnreadable, match=r"subjects \[4\] are in more than one part"
    ):
        evaluate_run(copied / "held-out")


def test_a_person_who_trains_and_tests_by_trials_is_found_out(copied: Path) -> None:
    def mix(split: dict[str, Any]) -> None:
        mine = split["subjects"]["1"]
        mine["test"] = [mine["train"].pop()]

    change_split(copied / "held-out", mix)
    with pytest.raises(RunUnreadable, match="subject 1 has trials in the test part"):
        evaluate_run(copied / "held-out")


def test_a_person_the_fold_does_not_know_is_found_out(copied: Path) -> None:
    change_split(copied / "held-out", lambda split: split["fold"]["train"].remove(3))
    with pytest.raises(RunUnreadable, match=r"subjects \[1, 2, 4\]"):
        evaluate_run(copied / "held-out")


def test_a_held_out_split_without_its_fold_is_refused(copied: Path) -> None:
    change_split(copied / "held-out", lambda split: split.pop("fold"))
    with pytest.raises(RunUnreadable, match="contradict"):
        evaluate_run(copied / "held-out")


def test_results_of_another_split_are_refused(copied: Path) -> None:
    run = copied / "within"
    split = json.loads((run / "split.json").read_text())
    split["subjects"]["1"]["test"].pop()
    (run / "split.json").write_text(json.dumps(split))
    with pytest.raises(RunUnreadable, match="is not the split of results.json"):
        evaluate_run(run)


def test_a_cache_of_fewer_trials_is_refused(copied: Path, tmp_path: Path) -> None:
    fewer = write_cache(tmp_path / "fewer", [1], n_trials=12)
    with pytest.raises(InputRefused, match=r"lacks trials \[13, 14, 15\]"):
        evaluate_run(copied / "within", [fewer])


def test_a_cache_of_other_windows_is_refused(copied: Path) -> None:
    change_split(copied / "within", lambda split: split["windows"].update(test=11))
    with pytest.raises(InputRefused, match="prepare the same files again"):
        evaluate_run(copied / "within")
