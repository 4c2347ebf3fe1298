"""Studies: which runs they consist of, what is kept, and the figures over people."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from planted import planted_subject
from planted_cache import quick_config, write_cache, write_planted

from eav_offline.common.errors import InputRefused
from eav_offline.data.splits import SplitError
from eav_offline.evaluation.results import Results
from eav_offline.evaluation.statistics import summarize
from eav_offline.runs import study as study_module
from eav_offline.runs.study import (
    PROTOCOLS,
    Job,
    StudySettings,
    job_data,
    jobs,
    run_job,
    run_study,
    study_table,
    write_study,
)

PEOPLE = (1, 2, 3)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cache(tmp_path_factory.mktemp("study") / "cache", PEOPLE)


def settings_of(cache: Path, out: Path, **changes: Any) -> StudySettings:
    return StudySettings([cache], out, quick_config(), stages=("eeg",), **changes)


@pytest.fixture(scope="module")
def studied(
    cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[StudySettings, dict[str, Any]]:
    """Two people, a model for each, two seeds."""
    torch.set_num_threads(1)
    settings = settings_of(cache, tmp_path_factory.mktemp("studied") / "out")
    return settings, run_study(jobs([1, 2], "within", seeds=[0, 1]), settings)


def test_within_is_a_run_for_each_person_and_seed() -> None:
    made = jobs([2, 1], "within", seeds=[0, 5])
    assert [job.name for job in made] == [
        "subject01/seed0",
        "subject02/seed0",
        "subject01/seed5",
        "subject02/seed5",
    ]
    assert made[3] == Job("subject02/seed5", (2,), None, 5)


def test_kfold_tests_everybody_once_under_every_seed() -> None:
    made = jobs(range(1, 43), "kfold", 7, seeds=[0, 1])
    assert made[0].name == "fold1of7/seed0"
    assert len(made) == 14
    for seed in (0, 1):
        folds = [job.fold for job in made if job.seed == seed]
        assert sorted(s for f in folds if f for s in f.test) == list(range(1, 43))
    # Who is tested together is drawn anew: it matters as much as the seed.
    assert [job.fold for job in made[:7]] != [job.fold for job in made[7:]]


def test_loso_leaves_each_person_out_once() -> None:
    made = jobs(PEOPLE, "loso")
    assert [job.name for job in made] == [
        "loso01/seed0",
        "loso02/seed0",
        "loso03/seed0",
    ]
    assert [job.fold.test for job in made if job.fold] == [(1,), (2,), (3,)]
    assert all(job.subjects == PEOPLE for job in made)


def test_pooled_is_one_run_of_everybody() -> None:
    assert jobs(PEOPLE, "pooled") == [Job("pooled/seed0", PEOPLE, None, 0)]


def test_a_general_model_is_chosen_and_tested_on_others_than_it_learns_from() -> None:
    (job,) = jobs(range(1, 15), "cross-subject")
    assert job.name == "cross-subject/seed0"
    assert job.fold is not None
    parts = [job.fold.train, job.fold.validation, job.fold.test]
    assert [len(part) for part in parts] == [11, 1, 2]
    assert sorted(sum(parts, ())) == list(range(1, 15))


def test_whoever_a_general_model_learns_from_counts_alike(tmp_path: Path) -> None:
    for number, n_trials in ((1, 15), (2, 20), (3, 15), (4, 30)):
        write_planted(tmp_path, planted_subject(n_trials, number))
    (job,) = jobs(range(1, 5), "cross-subject", folds=4)
    data = job_data(job, settings_of(tmp_path, tmp_path / "out"))
    assert data.validation is not None
    assert set(data.validation.subject.tolist()).isdisjoint(data.train.subject)
    people, counts = np.unique(data.train.subject, return_counts=True)
    assert len(people) == 2
    assert counts[0] == counts[1]
    rows = set(zip(data.train.subject.tolist(), data.train.row.tolist(), strict=True))
    of = {1: 30, 2: 40, 3: 30, 4: 60}
    assert len(rows) == sum(of[p] for p in people.tolist())  # nothing is left out


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(SplitError, match="within, kfold, loso"):
        jobs(PEOPLE, "random")


def test_nobody_is_no_study() -> None:
    with pytest.raises(SplitError, match="at least one subject"):
        jobs([], "within")


def test_jobs_and_settings_travel_to_other_processes(cache: Path) -> None:
    job, settings = jobs(PEOPLE, "loso")[1], settings_of(cache, Path("out"))
    assert pickle.loads(pickle.dumps(job)) == job
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_window_is_in_two_parts_of_a_job(cache: Path, protocol: str) -> None:
    settings = settings_of(cache, Path("out"), validation=True)
    for job in jobs(PEOPLE, protocol, folds=3):
        data = job_data(job, settings)
        assert data.validation is not None
        assert data.test is not None
        parts = [data.train, data.validation, data.test]
        keys = [set(part.trial_keys.tolist()) for part in parts]
        assert all(keys)
        assert sum(map(len, keys)) == len(set().union(*keys))
        if job.fold is not None:
            people = [set(part.subject.tolist()) for part in parts]
            assert sum(map(len, people)) == len(set().union(*people)) == 3


def test_choosing_the_epoch_on_validation_sets_a_part_aside(cache: Path) -> None:
    config = quick_config(select="validation")
    settings = StudySettings([cache], Path("out"), config, ("eeg",))
    assert job_data(jobs([1], "within")[0], settings).validation is not None


def test_each_run_lies_under_its_name_with_its_seed(
    studied: tuple[StudySettings, dict[str, Any]],
) -> None:
    settings, study = studied
    assert [job["status"] for job in study["jobs"]] == ["done"] * 4
    for name, seed in [("subject01/seed0", 0), ("subject02/seed1", 1)]:
        results = json.loads((settings.out / name / "results.json").read_text())
        assert results["seed"] == seed
        assert list(results["by_subject"]) == [str(int(name[7:9]))]


def test_study_json_is_what_is_returned(
    studied: tuple[StudySettings, dict[str, Any]],
) -> None:
    settings, study = studied
    assert json.loads((settings.out / "study.json").read_text()) == study


def test_the_mean_is_over_people_of_their_mean_over_seeds(
    studied: tuple[StudySettings, dict[str, Any]],
) -> None:
    settings, study = studied
    accuracy = {
        (person, seed): json.loads(
            (settings.out / f"subject0{person}/seed{seed}/results.json").read_text()
        )["modalities"]["eeg"]["accuracy"]
        for person in (1, 2)
        for seed in (0, 1)
    }
    people = [(accuracy[p, 0] + accuracy[p, 1]) / 2 for p in (1, 2)]
    found = study["modalities"]["eeg"]["accuracy"]
    assert found["mean"] == pytest.approx(np.mean(people))
    assert found["sd"] == pytest.approx(np.std(people, ddof=1))
    assert found["n_subjects"] == study["n_subjects"] == 2


def test_finished_runs_are_kept(
    studied: tuple[StudySettings, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, study = studied

    def never(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(study_module, "train", never)
    again = run_study(jobs([1, 2], "within", seeds=[0, 1]), settings)
    assert [job["status"] for job in again["jobs"]] == ["kept"] * 4
    assert again["modalities"] == study["modalities"]  # sums of the numbers kept


def test_a_run_that_lacks_a_stage_is_not_finished(
    studied: tuple[StudySettings, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, _ = studied
    asked: list[object] = []

    def trained(stages: object, *_: object, **__: object) -> Results:
        asked.append(stages)
        return Results.model_construct(demo=True, by_subject={})

    monkeypatch.setattr(study_module, "train", trained)
    more = StudySettings(
        settings.caches, settings.out, settings.config, stages=("eeg", "audio")
    )
    assert run_job(jobs([1], "within")[0], more)["status"] == "done"
    assert asked == [("eeg", "audio")]


def test_a_finished_run_of_another_configuration_is_not_taken(
    studied: tuple[StudySettings, dict[str, Any]],
) -> None:
    settings, _ = studied
    other = StudySettings(
        settings.caches, settings.out, quick_config(label_smoothing=0.3), ("eeg",)
    )
    with pytest.raises(InputRefused, match="another configuration"):
        run_job(jobs([1], "within")[0], other)


def test_a_finished_run_of_another_split_is_not_taken(
    studied: tuple[StudySettings, dict[str, Any]],
) -> None:
    settings, _ = studied
    other = settings_of(settings.caches[0], settings.out, validation=True)
    with pytest.raises(InputRefused, match="another split"):
        run_job(jobs([1], "within")[0], other)


def test_a_study_with_other_options_is_not_continued(
    cache: Path, tmp_path: Path
) -> None:
    write_study([], settings_of(cache, tmp_path, options={"max_steps": 1}))
    same = {"max_steps": 1, "states": tmp_path / "states", "weights": {}}
    run_study([], settings_of(cache, tmp_path, options=same))
    with pytest.raises(InputRefused, match="max_steps"):
        run_study([], settings_of(cache, tmp_path))


def test_a_failing_run_does_not_stop_the_rest(cache: Path, tmp_path: Path) -> None:
    settings = settings_of(cache, tmp_path)
    work = jobs([9, 2], "within")  # nobody has the number 9
    study = run_study([work[1], work[0]], settings)
    assert [job["status"] for job in study["jobs"]] == ["failed", "done"]
    assert "no subject 9" in study["jobs"][0]["error"]
    assert study["n_subjects"] == 1
    assert "1 of 2 runs failed" in study_table(study)


def test_an_unforeseen_error_is_in_the_summary(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(study_module, "train", broken)
    study = run_study(jobs([1], "within"), settings_of(cache, tmp_path))
    assert study["jobs"][0]["error"] == "RuntimeError: the disk is on fire"
    assert study["modalities"] == {}


def test_options_reach_the_training(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, object] = {}

    def trained(*_: object, **options: object) -> Results:
        given.update(options)
        return Results.model_construct(demo=True, by_subject={})

    monkeypatch.setattr(study_module, "train", trained)
    run_job(
        jobs([1], "within")[0], settings_of(cache, tmp_path, options={"max_steps": 2})
    )
    assert given == {"max_steps": 2, "anew": True}


def person(accuracy: float, auc: float | None = 0.5) -> dict[str, Any]:
    figures = dict.fromkeys(
        ("accuracy", "balanced_accuracy", "macro_f1", "nll", "ece"), accuracy
    )
    worse = {**figures, "accuracy": accuracy - 0.1}
    return {
        "modalities": {"eeg": {**worse, "auc": auc}, "fused": {**figures, "auc": auc}},
        "subsets": {"eeg": worse},
        "n_windows": 120,
    }


def test_outputs_are_compared_over_people() -> None:
    runs = [{str(n): person(0.5 + 0.01 * n)} for n in range(1, 9)]
    (pair,) = summarize(runs)["comparisons"]
    assert (pair["first"], pair["second"], pair["n_subjects"]) == ("eeg", "fused", 8)
    assert pair["difference"] == pytest.approx(-0.1)
    assert pair["p_holm"] == pytest.approx(2 / 256)


def test_a_figure_nobody_has_is_left_out() -> None:
    found = summarize([{"1": person(0.5, auc=None), "2": person(0.7)}])
    assert found["modalities"]["eeg"]["auc"]["n_subjects"] == 1
    assert found["modalities"]["eeg"]["auc"]["sd"] is None
    assert found["modalities"]["eeg"]["accuracy"]["n_subjects"] == 2
    assert found["subsets"]["eeg"]["accuracy"]["mean"] == pytest.approx(0.5)


def test_the_table_tells_mean_and_deviation_over_people() -> None:
    found = summarize([{"1": person(0.5), "2": person(0.7)}])
    text = study_table({**found, "jobs": [], "demo": True})
    assert "Synthetic people" in text
    assert "fused     accuracy 60.0 ± 14.1 %" in text
    assert "2 people" in text
