"""Several caches train together: people of two datasets, kept apart."""

import json
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from planted import planted_subject
from planted_cache import quick_config, write_cache, write_planted

from eav_offline.cli import main
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS
from eav_offline.data.cache import PreparedError, subject_folder
from eav_offline.data.people import list_people, open_subjects
from eav_offline.models.baselines.settings import with_baseline
from eav_offline.runs.split import evaluate_run, train_pooled, training_data
from eav_offline.runs.study import StudySettings, jobs, run_study
from eav_offline.training.run_folder import RunFolder
from eav_offline.training.runtime import TrainingError

BANDS = with_baseline(quick_config(), "eeg-bands")
EVERYBODY = [1, 2, 10_001, 10_002]
CALMNESS = EMOTIONS.index("calmness")


def change_recipe(cache: Path, number: int, **recipe: object) -> None:
    path = subject_folder(cache, number) / "meta.json"
    meta = json.loads(path.read_text())
    meta["recipe"] |= recipe
    meta |= {key: x for key, x in recipe.items() if key == "dataset"}
    path.write_text(json.dumps(meta))


def write_free(cache: Path, *numbers: int) -> Path:
    """A cache of another dataset, whose people are never calm."""
    for number in numbers:
        subject = planted_subject(15, number, seed=5)
        kept = subject.emotion != CALMNESS
        for column in fields(subject)[2:]:
            setattr(subject, column.name, getattr(subject, column.name)[kept])
        write_planted(cache, subject)
        change_recipe(cache, number, dataset="free")
    return cache


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two caches of two people each, and a run of all four."""
    root = tmp_path_factory.mktemp("made")
    caches = [write_cache(root / "a", [1, 2]), write_free(root / "b", 1, 2)]
    train_pooled(open_subjects(caches), caches, root / "run", BANDS, ["eeg"])
    return root


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "place"))


def caches_of(place: Path) -> list[Path]:
    return [place / "a", place / "b"]


def test_the_people_of_each_cache_have_numbers_of_their_own(made: Path) -> None:
    assert list_people(caches_of(made)) == EVERYBODY
    people = open_subjects(caches_of(made), [2, 10_002])
    assert [one.subject for one in people] == [2, 10_002]
    assert [one.folder.parent for one in people] == caches_of(made)
    with pytest.raises(InputRefused, match=r"no prepared subject 10003 .*1, 2, 10001"):
        open_subjects(caches_of(made), [10_003])


def test_a_run_says_which_caches_it_is_of(made: Path) -> None:
    run = RunFolder(made / "run")
    stored = run.split()
    assert stored.about["caches"] == ["../a", "../b"]
    assert sorted(stored.subjects) == EVERYBODY
    assert {n: one.get("dataset") for n, one in stored.data.items()} == {
        "1": None,
        "2": None,
        "10001": "free",
        "10002": "free",
    }
    assert sorted(run.results().by_subject) == EVERYBODY
    # What one dataset lacks is known from the other, and divided within it alone.
    assert run.results().knows == EMOTIONS


def test_a_run_of_several_caches_is_scored_again(place: Path, made: Path) -> None:
    known = RunFolder(made / "run").results()
    assert evaluate_run(place / "run").modalities == known.modalities
    for name in ("a", "b"):
        (place / name).rename(place / f"moved-{name}")
    moved = [place / "moved-a", place / "moved-b"]
    assert evaluate_run(place / "run", moved).modalities == known.modalities
    with pytest.raises(PreparedError, match=r"10001 is number 1 of data set 2.*order"):
        evaluate_run(place / "run", moved[:1])


def test_caches_in_another_order_are_other_data(place: Path) -> None:
    turned = caches_of(place)[::-1]
    with pytest.raises(InputRefused):
        evaluate_run(place / "run", turned)
    with pytest.raises(TrainingError):
        train_pooled(open_subjects(turned), turned, place / "run", BANDS, ["eeg"])


def test_another_dataset_in_a_cache_is_named(place: Path) -> None:
    change_recipe(place / "b", 1, dataset="another")
    with pytest.raises(InputRefused, match="subject 10001: dataset free expected, ano"):
        evaluate_run(place / "run")


def test_caches_of_other_settings_are_refused(place: Path) -> None:
    change_recipe(place / "b", 2, task="both")
    with pytest.raises(PreparedError, match=r"different settings \(task None and both"):
        open_subjects(caches_of(place))
    assert len(open_subjects(caches_of(place), [1, 10_001])) == 2


def test_one_person_in_two_caches_is_refused(place: Path) -> None:
    shutil.copytree(place / "a", place / "copy")
    caches = [place / "a", place / "copy"]
    with pytest.raises(PreparedError, match=r"are both subject 1 of eav.*one person"):
        open_subjects(caches)
    with pytest.raises(PreparedError, match="one person"):
        open_subjects([place / "a", place / "a"])
    people = open_subjects(caches, [1, 10_002])  # two different ones
    data = training_data(people, caches)
    assert sorted(data.split["subjects"]) == ["1", "10002"]


def test_people_of_all_caches_are_left_out_in_turn(place: Path) -> None:
    settings = StudySettings(caches_of(place), place / "study", BANDS, ("eeg",))
    study = run_study(jobs(EVERYBODY, "loso"), settings)
    assert [job["status"] for job in study["jobs"]] == ["done"] * 4
    assert study["n_subjects"] == 4
    fold = RunFolder(place / "study" / "loso10002" / "seed0").split().fold
    assert fold is not None
    assert (fold.train, fold.test) == ((1, 2, 10_001), (10_002,))
    again = run_study(jobs(EVERYBODY, "loso"), settings)
    assert [job["status"] for job in again["jobs"]] == ["kept"] * 4


def test_the_command_takes_several_caches(place: Path) -> None:
    config = place / "tiny.toml"
    shutil.copy(place / "run" / "config.toml", config)
    told = ["--data", str(place / "a"), "--data", str(place / "b")]
    command = ["train", "eeg-bands", *told, "--config", str(config)]
    chosen = ["--subjects", "1,10001", "--out", str(place / "new"), "--device", "cpu"]
    assert main([*command, *chosen]) == 0
    assert sorted(RunFolder(place / "new").split().subjects) == [1, 10_001]
    assert main(["evaluate", str(place / "new"), *told, "--device", "cpu"]) == 0
    assert np.isfinite(RunFolder(place / "new").results().modalities["eeg"].accuracy)
