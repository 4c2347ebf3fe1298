"""A model's card travels with it, and states nothing that nobody measured."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from planted import planted_subject, tiny_config
from planted_cache import write_planted

from benchmarks.offline.people_model import people_card
from eav_live.recognition.assets import DEMO_MODEL, PEOPLE_MODEL, asset
from eav_offline.checkpoint.card import (
    NOT_STATED,
    SYNTHETIC_ONLY,
    Card,
    DataSet,
    model_line,
)
from eav_offline.checkpoint.file import CheckpointError, load, save_checkpoint
from eav_offline.cli import main
from eav_offline.config import Config
from eav_offline.core.labels import EMOTIONS
from eav_offline.data.cache import PreparedSubject, open_prepared
from eav_offline.data.splits import SubjectFold
from eav_offline.evaluation.model_card import trained_card
from eav_offline.models.baselines.settings import with_baseline
from eav_offline.runs.averaging import Member, average_runs
from eav_offline.runs.split import held_out_data, training_data
from eav_offline.training.run_folder import RunFolder
from eav_offline.training.train import train

FACE = Card(what="a network", reads=("video",), knows=EMOTIONS[:4])


def written(cache: Path, number: int, synthetic: bool = False) -> PreparedSubject:
    """A person in the cache, of fifteen trials."""
    write_planted(cache, replace(planted_subject(15, number), synthetic=synthetic))
    return open_prepared(cache, number)


def bands() -> Config:
    return with_baseline(tiny_config(), "eeg-bands")


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was trained on subject 2 and tested on subject 1."""
    root = tmp_path_factory.mktemp("held-out")
    cache = root / "cache"
    people = [written(cache, number) for number in (1, 2)]
    fold = SubjectFold(train=(2,), test=(1,))
    data = held_out_data(people, [cache], fold, root / "run")
    train(["eeg"], data, bands(), root / "run")
    return root / "run"


def card_of(run: Path) -> Card:
    card = RunFolder(run).checkpoint().card
    assert card is not None
    return card


def test_the_card_of_a_run_has_the_figures_of_its_results(held_out: Path) -> None:
    card, results = card_of(held_out), RunFolder(held_out).results()
    assert (card.reads, card.knows) == (("eeg",), EMOTIONS)
    assert {one.output: one.value for one in card.figures} == {
        name: scores.accuracy for name, scores in results.modalities.items()
    }
    (eeg, *_) = card.figures
    assert eeg.interval == tuple(results.modalities["eeg"].interval)
    assert eeg.interval_by == "trial"  # of the one person tested, and so it is called
    assert eeg.chance == pytest.approx(0.2)


def test_the_card_counts_whom_the_model_was_trained_on_not_whom_it_was_tested_on(
    held_out: Path,
) -> None:
    card = card_of(held_out)
    assert [(one.name, one.people) for one in card.data] == [("EAV", 1)]
    assert "1 person it was not trained on" in card.shown
    assert card.protocol.startswith("leave subjects out")
    assert card.line == f"EEG; {card.shown}; voice and face not used"


def test_a_model_tested_on_its_own_people_claims_no_others(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    data = training_data([written(cache, 1)], [cache], run=tmp_path / "run")
    train(["eeg"], data, bands(), tmp_path / "run")
    card = card_of(tmp_path / "run")
    assert "later trials of the 1 person it was trained on" in card.shown
    assert card.figures[0].line.endswith("windows, 1 person")
    assert "Of people it was not trained on nothing was tested." in card.failures


def test_a_model_of_synthetic_people_is_shown_for_nobody_real(tmp_path: Path) -> None:
    drawn = written(tmp_path / "cache", 1, synthetic=True)
    data = training_data([drawn], [tmp_path / "cache"], run=tmp_path / "run")
    train(["eeg"], data, bands(), tmp_path / "run")
    card = card_of(tmp_path / "run")
    assert card.data == (DataSet(name="synthetic people", people=1, synthetic=True),)
    assert "not valid for real people" in card.line
    assert "not valid for real people" in model_line("fine", card, demo=True)


def test_what_was_not_tested_is_not_stated(held_out: Path) -> None:
    card = trained_card(RunFolder(held_out).checkpoint())
    assert (card.shown, card.figures, card.data) == ("not tested", (), ())
    stated = dict(card.sections())
    for title in ("Learned from", "Tested", "Accuracy", "Known failures", "License"):
        assert stated[title] == [NOT_STATED]


def test_the_license_of_the_data_stands_on_the_card(held_out: Path) -> None:
    bound = DataSet(name="ravdess", license="CC BY-NC-SA 4.0")
    card = trained_card(RunFolder(held_out).checkpoint(), [bound])
    assert card.license == "not stated; ravdess is under CC BY-NC-SA 4.0"


def test_the_card_of_an_average_has_its_own_figures_and_the_data_of_its_members(
    held_out: Path, tmp_path: Path
) -> None:
    members = [Member(held_out, "fused"), Member(held_out, "eeg")]
    results = average_runs(members, tmp_path / "mean")
    card = card_of(tmp_path / "mean")
    assert card.what.startswith("the mean of the probabilities of 2 models: eeg-bands")
    assert card.data == card_of(held_out).data
    said = {one.output: one.value for one in card.figures}
    assert said["fused"] == results.modalities["fused"].accuracy


def test_another_card_leaves_all_else_as_it_was(held_out: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes((held_out / "model.safetensors").read_bytes())
    before = load(path)
    save_checkpoint(path, replace(before, card=FACE))
    after = load(path)
    assert after.card == FACE
    assert (after.config, after.preprocess) == (before.config, before.preprocess)
    assert after.meta == before.meta
    weights = after.model.state_dict()
    for name, tensor in before.model.state_dict().items():
        assert tensor.equal(weights[name])


def test_a_card_that_says_something_unknown_is_refused(
    held_out: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes((held_out / "model.safetensors").read_bytes())
    unknown = FACE.model_copy(update={"reads": ("smell",)})
    save_checkpoint(path, replace(load(path), card=unknown))
    with pytest.raises(CheckpointError, match="expected some of eeg, audio, video"):
        load(path)


def test_the_command_prints_the_card_and_its_values(
    held_out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["card", str(held_out), "--json", str(tmp_path / "card.json")]) == 0
    assert "Known failures\n" in capsys.readouterr().out
    stored = json.loads((tmp_path / "card.json").read_text())
    assert Card.model_validate(stored) == card_of(held_out)


def test_the_command_says_that_a_checkpoint_has_no_card(
    held_out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plain.safetensors"
    path.write_bytes((held_out / "model.safetensors").read_bytes())
    save_checkpoint(path, replace(load(path), card=None))
    assert main(["card", str(path)]) == 0
    assert f"{path} has no card" in capsys.readouterr().out


def test_the_line_names_what_is_read_and_what_is_not() -> None:
    both = FACE.model_copy(update={"reads": ("audio", "video"), "shown": "German"})
    assert model_line("people", both, False) == (
        "people: face and voice; German; EEG not used"
    )
    assert model_line("any", None, True) == SYNTHETIC_ONLY


def test_the_shipped_cards_are_those_that_the_commands_write() -> None:
    people, demo = load(asset(PEOPLE_MODEL)), load(asset(DEMO_MODEL))
    assert people.card is not None
    assert demo.card is not None
    assert people.card.failures == people_card(people).failures
    long = asset("people.md").read_text(encoding="utf-8")
    for one in people.card.figures:
        low, high = one.interval or (0, 0)
        assert f"{one.value:.3f} ({low:.3f}-{high:.3f})" in long
    learned_from = [DataSet(name="synthetic people", people=8, synthetic=True)]
    assert demo.card == trained_card(demo, learned_from)
