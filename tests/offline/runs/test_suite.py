"""All runs of the published tables: planned, estimated, made once, reported."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from planted_cache import quick_config, write_cache

from eav_offline.cli import main
from eav_offline.common.errors import InputRefused
from eav_offline.config import to_toml
from eav_offline.core.model_names import STUDIED
from eav_offline.data.splits import SplitError
from eav_offline.runs import suite
from eav_offline.runs.study import StudySettings
from eav_offline.runs.suite import Estimate, _Tried, estimate, plan_blocks, spoken


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cache(tmp_path_factory.mktemp("suite") / "cache", (1, 2, 3, 4))


@pytest.fixture
def settings(cache: Path, tmp_path: Path) -> StudySettings:
    torch.set_num_threads(1)
    return StudySettings([cache], tmp_path / "out", quick_config(), validation=True)


def test_every_model_is_made_under_every_protocol(settings: StudySettings) -> None:
    blocks = plan_blocks([1, 2, 3, 4], settings, seeds=range(2), folds=2)
    made = {block.name for block in blocks}
    # Without public weights, nothing reads faces with a published network.
    names = set(STUDIED) - {"video-vit"}
    assert made == {f"{p}/{model}" for p in ("within", "kfold") for model in names}
    sizes = {block.name: len(block.work) for block in blocks}
    assert sizes["within/eegnet"] == 8
    assert sizes["kfold/ambt-concat"] == 4
    by_name = {block.name: block.settings for block in blocks}
    assert by_name["kfold/ambt-concat"].config.model.fusion.variant == "concat"
    assert by_name["within/scnn"].stages == ("audio",)


def test_public_weights_go_to_the_models_that_take_them(
    settings: StudySettings,
) -> None:
    with_weights = replace(settings, options={"weights": {"video": "faces"}})
    by_name = {b.name: b for b in plan_blocks([1, 2, 3], with_weights, folds=3)}
    assert by_name["within/video-vit"].settings.options["weights"] == {"video": "faces"}
    assert by_name["within/ambt-mean"].settings.options["weights"] == {"video": "faces"}
    assert by_name["within/eegnet"].settings.options["weights"] == {}


@pytest.mark.parametrize(
    ("people", "folds", "cure"),
    [
        ([1, 2], None, "give --folds 2 or"),
        ([1], None, "--protocols within"),
        ([1, 2], 2, "--protocols within"),
        ([1, 2, 3], 2, "more --folds"),
    ],
)
def test_too_few_people_are_refused_with_the_options_that_help(
    people: list[int], folds: int | None, cure: str, settings: StudySettings
) -> None:
    with pytest.raises(SplitError, match=cure):
        plan_blocks(people, settings, folds=folds)
    assert plan_blocks(people, settings, protocols=["within"])


def test_the_command_makes_all_runs_once_and_reports_them(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, out = tmp_path / "config.toml", tmp_path / "study"
    config.write_text(to_toml(quick_config()))
    command = ["study", "--data", str(cache), "--config", str(config)]
    command += ["--out", str(out), "--models", "ambt-mean,audio-logmel"]
    command += ["--subjects", "1,2", "--protocols", "within", "--seeds", "1"]
    command += ["--jobs", "1", "--device", "cpu"]
    assert main([*command, "--plan", "--json", "-"]) == 0
    told = capsys.readouterr()
    planned = json.loads(told.out)
    assert planned["n_runs"] == 4
    assert planned["seconds"] > 0
    assert planned["n_bytes"] > 0
    assert planned["scratch"] > 0  # AMBT's states
    assert "4 runs to make: about" in told.err
    assert not out.exists()
    assert main([*command, "--json", str(tmp_path / "figures.json")]) == 0
    assert (out / "report.html").is_file()
    figures = json.loads((tmp_path / "figures.json").read_text())
    fused = figures["within/ambt-mean"]
    assert fused["n_subjects"] == 2
    assert {job["status"] for job in fused["jobs"]} == {"done"}
    assert {"nearest_trial", "drift"} >= fused["no_signal"].keys() != set()
    assert "nearest training trial" in (out / "report.html").read_text("utf-8")
    capsys.readouterr()
    assert main([*command, "--plan", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["n_runs"] == 0


def test_what_is_finished_is_not_estimated(
    settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = plan_blocks([1, 2], settings, ["audio-logmel", "eegnet"], ["within"])
    monkeypatch.setattr(suite, "_try_out", lambda block: _Tried(0.5, 7.0, 100.0))
    whole = estimate(blocks)
    assert whole.n_runs == 4
    assert whole.n_bytes == 400
    # The states of one worker's largest run: 30 windows, of which 70 % train.
    assert whole.scratch == pytest.approx(7.0 * 0.7 * 30)
    done = settings.out / "within/eegnet/subject01/seed0"
    done.mkdir(parents=True)
    (done / "results.json").write_text("{}")
    left = estimate(blocks)
    assert left.n_runs == 3
    assert left.seconds == pytest.approx(0.75 * whole.seconds)


def test_a_disk_too_small_is_said_before_anything_is_made(
    settings: StudySettings, tmp_path: Path
) -> None:
    blocks = plan_blocks([1, 2], settings, ["eegnet"], ["within"])
    with pytest.raises(InputRefused, match="larger disk"):
        spoken(blocks, Estimate(3600.0, 1e18, 2), 1, tmp_path)
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(InputRefused, match="larger disk"):  # of three at a time
        spoken(blocks, Estimate(3600.0, 1.0, 2, free / 2), 3, tmp_path)
    assert "about 2.0 hours with 1 worker" in spoken(
        blocks, Estimate(7200.0, 1e6, 2), 1, tmp_path
    )
