"""Results belong to the data they were computed from: whatever takes them compares."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from planted import planted_subject
from planted_cache import quick_config, write_cache, write_planted

from eav_offline.cli import main
from eav_offline.common.errors import InputRefused
from eav_offline.config import Config, to_toml
from eav_offline.data.cache import content_key, open_prepared, read_meta
from eav_offline.data.splits import SubjectFold
from eav_offline.data.window_set import window_set
from eav_offline.models.baselines.settings import with_baseline
from eav_offline.runs.averaging import Member, average_runs
from eav_offline.runs.jobs import JobEvent
from eav_offline.runs.rescoring import find_runs, rescore_runs
from eav_offline.runs.split import evaluate_run, held_out_data, training_data
from eav_offline.runs.study import (
    StudySettings,
    jobs,
    run_study,
    study_table,
)
from eav_offline.runs.task import JobSettings
from eav_offline.training.journal import JournalError
from eav_offline.training.runtime import TrainingError
from eav_offline.training.states import Recipe, _key
from eav_offline.training.train import TrainingData, train
from eav_offline.zero_shot.space import SpaceSettings
from eav_offline.zero_shot.study import (
    ZeroShotJob,
    ZeroShotSettings,
    run_zero_shot,
    zero_shot_table,
)

pytestmark = pytest.mark.timeout(240)
BANDS = with_baseline(quick_config(), "eeg-bands")
RIEMANN = with_baseline(quick_config(), "eeg-riemann")
WORK = jobs([1, 2], "within")
ZERO = ZeroShotJob("subject01/seed0", 1, ((3,),), 0)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of two people; a run of each of two baselines, and a study."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("made")
    write_cache(root / "cache", [1, 2])
    for name, config in (("bands", BANDS), ("riemann", RIEMANN)):
        train(["eeg"], data_of(root, name), config, root / name)
    run_study(WORK, settings_of(root))
    return root


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "place"))


def data_of(root: Path, name: str) -> TrainingData:
    cache = root / "cache"
    return training_data([open_prepared(cache, 1)], [cache], run=root / name)


def settings_of(root: Path, **options: Any) -> StudySettings:
    return StudySettings(
        [root / "cache"], root / "study", BANDS, stages=("eeg",), options=options
    )


def change_data(root: Path, number: int = 1) -> tuple[str, str]:
    """Prepare a subject from other recordings; returns content keys before and after.

    Trials, emotions and settings stay as they are.
    """
    folder = root / "cache" / f"subject{number:02d}"
    before = content_key(read_meta(folder))
    shutil.rmtree(folder)
    other = planted_subject(15, number, seed=7)
    other.eeg[:] = np.random.default_rng(7).normal(0, 10, other.eeg.shape)
    write_planted(root / "cache", other)
    return before, content_key(read_meta(folder))


def change_source(root: Path) -> tuple[str, str]:
    """Nothing but where the recordings came from."""
    path = root / "cache" / "subject01" / "meta.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "source": "others"}))
    return "{'planted': 1}", "others"


CHANGES = pytest.mark.parametrize("change", [change_data, change_source])
Change = Callable[[Path], tuple[str, str]]


def told(pair: tuple[str, str]) -> str:
    """How a refusal gives both values."""
    before, now = (text.replace("{", r"\{").replace("}", r"\}") for text in pair)
    return f"{before} expected, {now} found"


def stamps(*folders: Path) -> dict[str, int]:
    return {
        str(path): path.stat().st_mtime_ns
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# Train, evaluate, average


def test_the_split_says_which_data_it_is_of(made: Path) -> None:
    for text in ("split.json", "results.json"):
        stored = json.loads((made / "bands" / text).read_text())
        assert stored.get("split", stored)["data"] == {
            "1": {
                "source": {"planted": 1},
                "content": content_key(read_meta(made / "cache" / "subject01")),
            }
        }


@CHANGES
def test_training_into_a_run_of_other_data_is_refused(
    place: Path, change: Change
) -> None:
    pair = change(place)
    before = stamps(place / "bands")
    with pytest.raises(TrainingError, match=told(pair) + r".*another --out"):
        train(["eeg"], data_of(place, "bands"), BANDS, place / "bands")
    assert stamps(place / "bands") == before


def test_a_stage_is_not_added_to_encoders_of_other_data(place: Path) -> None:
    run, config = place / "steps", quick_config()
    train(["eeg"], data_of(place, "steps"), config, run)
    pair = change_data(place)
    for anew in (False, True):  # anew would lose the encoder that is there
        with pytest.raises(TrainingError, match=told(pair)):
            train(["audio"], data_of(place, "steps"), config, run, anew=anew)


@CHANGES
def test_evaluating_on_other_data_is_refused(place: Path, change: Change) -> None:
    pair = change(place)
    with pytest.raises(InputRefused, match=told(pair) + r".*--data"):
        evaluate_run(place / "bands")


def test_a_copy_of_the_cache_is_the_same_data(place: Path, made: Path) -> None:
    shutil.move(place / "cache", place / "moved")
    found = evaluate_run(place / "bands", [place / "moved"])
    assert found.modalities == evaluate_run(made / "bands").modalities
    settings = StudySettings([place / "moved"], place / "study", BANDS, ("eeg",))
    assert [job["status"] for job in run_study(WORK, settings)["jobs"]] == ["kept"] * 2


def test_overwritten_bytes_are_found_by_evaluating(place: Path) -> None:
    with (place / "cache" / "subject01" / "eeg.npy").open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff" * 400)
    with pytest.raises(InputRefused, match=r"eeg\.npy is damaged"):
        evaluate_run(place / "bands")
    outcome = run_study(WORK, settings_of(place))["jobs"]
    assert [job["status"] for job in outcome] == ["failed", "kept"]
    assert "eeg.npy is damaged" in outcome[0]["error"]


def test_a_split_that_does_not_say_its_data_is_refused(place: Path) -> None:
    for name in ("split.json", "results.json"):
        path = place / "bands" / name
        stored = json.loads(path.read_text())
        del stored.get("split", stored)["data"]
        path.write_text(json.dumps(stored))
    with pytest.raises(InputRefused, match="does not say which data.*train the run"):
        evaluate_run(place / "bands")


def members(place: Path) -> list[Member]:
    return [Member(place / name, "fused") for name in ("bands", "riemann")]


@CHANGES
def test_runs_of_different_data_are_not_averaged(place: Path, change: Change) -> None:
    before, now = change(place)
    shutil.rmtree(place / "riemann")
    train(["eeg"], data_of(place, "riemann"), RIEMANN, place / "riemann")
    with pytest.raises(InputRefused) as refused:
        average_runs(members(place), place / "mean")
    assert f"{before} in the first, {now} in the second" in str(refused.value)
    assert not (place / "mean").exists()


def test_an_average_is_tied_to_its_members_data(place: Path) -> None:
    average_runs(members(place), place / "mean")
    assert evaluate_run(place / "mean").n_windows
    pair = change_data(place)
    with pytest.raises(InputRefused, match=told(pair)):
        evaluate_run(place / "mean")


def held_out(place: Path, name: str, train_on: int) -> Path:
    fold = SubjectFold(train=(train_on,), test=(3,))
    cache = place / "cache"
    people = [open_prepared(cache, n) for n in (1, 2, 3)]
    train(
        ["eeg"], held_out_data(people, [cache], fold, place / name), BANDS, place / name
    )
    return place / name


def test_runs_of_different_folds_are_not_averaged(place: Path) -> None:
    write_cache(place / "cache", [3])
    runs = [held_out(place, f"without{n}", n) for n in (1, 2)]
    with pytest.raises(InputRefused, match="different splits"):
        average_runs([Member(run, "fused") for run in runs], place / "mean")
    # The same trials in the same parts, but not leaving out whom the other does.
    same = Path(shutil.copytree(runs[0], place / "same"))
    for name in ("split.json", "results.json"):
        stored = json.loads((same / name).read_text())
        split = stored.get("split", stored)
        del split["fold"]
        split["kind"] = "within-subject"
        (same / name).write_text(json.dumps(stored))
    with pytest.raises(InputRefused, match="different splits"):
        average_runs([Member(runs[0], "fused"), Member(same, "fused")], place / "mean")


# Studies


@CHANGES
def test_a_study_makes_runs_of_other_data_anew(place: Path, change: Change) -> None:
    before, now = change(place)
    first, second = run_study(WORK, settings_of(place))["jobs"]
    assert (first["status"], second["status"]) == ("done", "kept")
    assert f"{before} expected, {now} found" in first["changed"]
    assert "changed" not in second
    again = run_study(WORK, settings_of(place))
    assert [job["status"] for job in again["jobs"]] == ["kept", "kept"]
    assert "anew" not in study_table(again)


def test_figures_made_anew_are_those_of_a_fresh_study(place: Path) -> None:
    change_data(place)
    change_data(place, 2)
    anew = run_study(WORK, settings_of(place))
    assert "2 of 2 runs were made anew, their data have changed" in study_table(anew)
    fresh = StudySettings([place / "cache"], place / "fresh", BANDS, ("eeg",))
    assert anew["modalities"] == run_study(WORK, fresh)["modalities"]


def test_jobs_of_a_cluster_compare_too(place: Path) -> None:
    pair = change_data(place)
    scored = rescore_runs(find_runs(place / "study"), JobSettings())
    assert [job["status"] for job in scored["jobs"]] == ["failed", "done"]
    assert told(pair) in scored["jobs"][0]["error"]
    study = run_study(WORK, settings_of(place))
    assert [job["status"] for job in study["jobs"]] == ["done", "kept"]
    assert told(pair) in study["jobs"][0]["changed"]
    log = (place / "study" / WORK[0].name / "log.txt").read_text()
    assert "is made anew" in log


# Going on after an interruption


def interrupt(root: Path, name: str, config: Config) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(["eeg"], data_of(root, name), config, root / name, stop)
    assert (root / name / "resume" / "epoch.pt").is_file()


@CHANGES
def test_an_interrupted_run_does_not_go_on_with_other_data(
    place: Path, change: Change
) -> None:
    config = quick_config()
    interrupt(place, "begun", config)
    pair = change(place)
    with pytest.raises(JournalError, match=told(pair) + r".*delete .*resume"):
        train(["eeg"], data_of(place, "begun"), config, place / "begun")


def test_an_interrupted_run_goes_on_though_its_cache_has_moved(place: Path) -> None:
    config = quick_config()
    interrupt(place, "begun", config)
    shutil.move(place / "cache", place / "moved")
    there = [open_prepared(place / "moved", 1)]
    data = training_data(there, [place / "moved"], run=place / "begun")
    seen: list[object] = []
    train(["eeg"], data, config, place / "begun", lambda *now: seen.append(now))
    assert seen == []  # its one epoch was behind it


def test_a_study_begins_an_interrupted_run_of_other_data_anew(place: Path) -> None:
    shutil.rmtree(place / "study")
    name = f"study/{WORK[0].name}"
    interrupt(place, name, quick_config())
    pair = change_data(place)
    settings = StudySettings(
        [place / "cache"], place / "study", quick_config(), ("eeg",)
    )
    seen: list[JobEvent] = []
    (outcome,) = run_study(WORK[:1], settings, watch=seen.append)["jobs"]
    assert outcome["status"] == "done"
    assert told(pair) in outcome["changed"]
    assert "epoch" in [event.kind for event in seen]  # it was trained again
    assert not (place / name / "resume").exists()


# States and zero-shot


def test_frozen_states_are_of_the_very_numbers(place: Path) -> None:
    write_cache(place / "cache", [3], n_trials=40)
    recipe = Recipe(("eeg",), np.arange(2))

    def key() -> str:
        return _key(window_set([open_prepared(place / "cache", 3)]), recipe, [])

    before = key()
    assert key() == before
    shutil.rmtree(place / "cache" / "subject03")
    other = planted_subject(40, 3)
    other.eeg[1, 0, 0] += 1  # of a window that is not looked at
    write_planted(place / "cache", other)
    assert key() != before


@CHANGES
def test_a_zero_shot_run_of_other_data_is_made_anew(
    place: Path, change: Change
) -> None:
    settings = ZeroShotSettings(
        [place / "cache"],
        place / "zero",
        quick_config(),
        maps=False,
        space=SpaceSettings(steps=5),
    )
    assert run_zero_shot(ZERO, settings)["status"] == "done"
    assert run_zero_shot(ZERO, settings)["status"] == "kept"
    pair = change(place)
    again = run_zero_shot(ZERO, settings)
    assert again["status"] == "done"
    assert told(pair).replace("\\", "") in again["changed"]
    study = {"demo": True, "mode": "", "n_subjects": 1, "held_out": {}, "average": {}}
    table = zero_shot_table({**study, "jobs": [again]})
    assert "1 of 1 runs were made anew" in table
    assert run_zero_shot(ZERO, settings)["status"] == "kept"


# The command line


def test_every_command_compares(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = place / "quick.toml"
    config.write_text(to_toml(quick_config()))
    data = ["--data", str(place / "cache"), "--config", str(config), "--device", "cpu"]
    out = [str(place / name) for name in ("a", "b", "people", "zero")]
    one = ["--subjects", "1"]
    calls = {
        "train": ["train", "eeg-bands", *data, *one, "--out", out[0]],
        "study": ["train", "eeg-bands", *data, *one, "--protocol", "within"]
        + ["--out", out[2]],
        "zero-shot": ["zero-shot", *data, "--subjects", "1", "--unseen", "Anger"]
        + ["--out", out[3]],
    }
    other = ["train", "eeg-riemann", *data, *one, "--out", out[1]]
    assert [main(call) for call in calls.values()] == [0, 0, 0]
    before, now = change_data(place)
    capsys.readouterr()
    values = f"content {before} expected, {now} found"
    calls["evaluate"] = ["evaluate", out[0]]
    for refused in ("train", "evaluate"):
        assert main(calls[refused]) == 2
        assert values in capsys.readouterr().err
    for anew in ("study", "zero-shot"):
        assert main(calls[anew]) == 0
        assert values in capsys.readouterr().out
    assert main(other) == 0
    assert main(["average", *out[:2], "--out", str(place / "mean")]) == 2
    assert f"{before} in the first, {now} in the second" in capsys.readouterr().err


def test_an_empty_cache_is_no_data_to_train_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cache").mkdir()
    words = ["--data", str(tmp_path / "cache"), "--out", str(tmp_path / "run")]
    for command in (["train"], ["train", "--protocol", "within"], ["zero-shot"]):
        assert main([*command, *words]) == 2
        assert "has no prepared subject" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
