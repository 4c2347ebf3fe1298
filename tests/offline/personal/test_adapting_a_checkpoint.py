"""From a cache to a checkpoint for one person, and back through the command."""

import json
from pathlib import Path

import pytest
from planted_cache import quick_config, write_cache

from eav_offline import load
from eav_offline.cli import main
from eav_offline.data.people import open_subjects
from eav_offline.runs.split import train_pooled


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of two planted people and an EEG model of them."""
    place = tmp_path_factory.mktemp("adapting")
    cache = write_cache(place / "cache", (1, 2))
    train_pooled(
        open_subjects([cache]), [cache], place / "run", quick_config(), ["eeg"]
    )
    return place


def test_training_says_what_its_people_look_like(place: Path) -> None:
    population = load(place / "run").population
    assert population is not None
    assert population.eeg_covariance.shape == (30, 30)
    assert float(population.by_modality["eeg"].spread.min()) > 0


def test_a_person_of_a_cache_is_calibrated_to(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = place / "P01.safetensors"
    asked = ["adapt", str(place / "run"), "--data", str(place / "cache")]
    asked += ["--subject", "2", "--person", "P02", "--out", str(out), "--json", "-"]
    assert main(asked) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["n_clips"] == 15
    assert 0 <= told["before"]["value"] <= 1
    made = load(out)
    assert made.model.personal.person == "P02"
    assert made.model.personal.alignment is not None
    assert made.card.adapted == "P02: 15 labeled clips"


def test_whom_of_several_people_has_to_be_said(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["adapt", str(place / "run"), "--data", str(place / "cache")]
    assert main([*asked, "--unlabeled", "--out", str(place / "none")]) == 2
    assert "say with --subject whom to adapt to" in capsys.readouterr().err
    assert not (place / "none").exists()
