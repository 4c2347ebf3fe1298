"""A model as a folder and on the hub: the same bits again, and a card to read."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import numpy as np
import pytest
import torch
import yaml
from huggingface_hub import constants, errors
from readme import snippet

from eav_live.recognition.assets import asset
from eav_live.recognition.recognizer import Recognizer
from eav_offline.checkpoint.hub import WeightsError
from eav_offline.common.errors import InputRefused
from eav_offline.core.window import RawWindow

MODEL = "owner/name"


@pytest.fixture(scope="module")
def people() -> Recognizer:
    return Recognizer.load(asset("people.safetensors"))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A hub of files in a folder. asked: every question to it; there: its files."""
    hub = SimpleNamespace(asked=[], there=tmp_path / "hub", private=None)
    cache = str(tmp_path / "hf")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", cache)

    def about(url: str, **_: Any) -> None:
        hub.asked.append(url.rpartition("/")[2])
        if not (hub.there / hub.asked[-1]).is_file():
            raise errors.EntryNotFoundError(url)

    def download(model: str, name: str, **_: Any) -> str:
        assert model == MODEL
        hub.asked.append(name)
        return str(hub.there / name)

    def create(self: object, model: str, private: bool, exist_ok: bool) -> None:
        hub.private = private

    def upload(self: object, repo_id: str, folder_path: str, **_: Any) -> None:
        shutil.copytree(folder_path, hub.there)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", about)
    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", create)
    monkeypatch.setattr(huggingface_hub.HfApi, "upload_folder", upload)
    return hub


def assert_same(found: Recognizer, wanted: Recognizer) -> None:
    """Bit by bit, and the same answer."""
    mine, theirs = found.checkpoint, wanted.checkpoint
    for one, other in (
        (mine.model.state_dict(), theirs.model.state_dict()),
        (mine.population.tensors(), theirs.population.tensors()),  # type: ignore[union-attr]
    ):
        assert one.keys() == other.keys()
        for name, tensor in one.items():
            assert torch.equal(tensor, other[name]), name
            assert tensor.dtype == other[name].dtype
    for field in ("config", "preprocess", "demo", "card", "sureness", "member_configs"):
        assert getattr(mine, field) == getattr(theirs, field), field
    assert mine.model.fusing == theirs.model.fusing
    sound = np.random.default_rng(1).normal(0, 0.1, 80_000).astype(np.float32)
    window = RawWindow(5.0, None, 500.0, sound, 16_000.0, None)
    np.testing.assert_array_equal(
        found.recognize(window).fused, wanted.recognize(window).fused
    )


def test_a_folder_gives_the_same_bits_again(people: Recognizer, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    people.save_pretrained(folder)
    found = Recognizer.from_pretrained(folder)
    assert_same(found, people)
    assert found.name == "shared"
    found.save_pretrained(tmp_path / "again")
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (
        folder / "model.safetensors"
    ).read_bytes()


def test_what_is_pushed_comes_back_the_same(
    people: Recognizer, hub: SimpleNamespace
) -> None:
    assert people.push_to_hub(MODEL) == f"https://huggingface.co/{MODEL}"
    assert hub.private is True
    assert_same(Recognizer.from_pretrained(MODEL), people)
    assert hub.asked[0] == "model.safetensors"


def test_the_lines_of_the_page_do_it(
    hub: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs/s1").mkdir(parents=True)
    shutil.copy(asset("people.safetensors"), "runs/s1/model.safetensors")
    names: dict[str, Any] = {}
    exec(snippet("push_to_hub"), names)
    assert names["recognizer"].name == "s1"
    assert (hub.there / "README.md").is_file()


def test_the_readme_is_the_models_card(people: Recognizer, tmp_path: Path) -> None:
    people.save_pretrained(tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    _, head, body = text.split("---\n", 2)
    about = yaml.safe_load(head)
    card = people.card
    assert card is not None
    assert about["license_name"] == card.license
    assert {"audio", "video"} <= set(about["tags"])
    for title, lines in card.sections():
        assert f"## {title}\n" in body
        assert all(line in body for line in lines)
    assert "not what a person feels" in body
    said = json.loads((tmp_path / "config.json").read_text())
    assert said["library_name"] == "eav-live"


def test_nothing_is_asked_of_the_hub_for_what_is_here(
    people: Recognizer, hub: SimpleNamespace, tmp_path: Path
) -> None:
    people.save_pretrained(tmp_path / "here")
    Recognizer.from_pretrained(tmp_path / "here")
    Recognizer.from_pretrained(str(tmp_path / "here" / "model.safetensors"))
    for wrong in (tmp_path, "nowhere", "a/b/c", "", "../x", tmp_path / "none"):
        with pytest.raises(InputRefused, match="nor a name on the hub"):
            Recognizer.from_pretrained(wrong)
    assert hub.asked == []


def test_a_folder_without_a_model_is_not_taken_for_a_name_on_the_hub(
    hub: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs/s1").mkdir(parents=True)
    with pytest.raises(InputRefused, match="runs/s1 is no folder with a model"):
        Recognizer.from_pretrained("runs/s1")
    assert hub.asked == []


def test_without_a_network_it_is_said_what_to_fetch(
    hub: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(url: str, **_: Any) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", offline)
    with pytest.raises(WeightsError) as said:
        Recognizer.from_pretrained(MODEL)
    text = str(said.value)
    assert text.startswith(f"{MODEL}: no such folder or file here")
    assert "(Network is unreachable)" in text
    assert "fetch model.safetensors, config.json and README.md" in text


def test_what_the_hub_does_not_take_is_said(
    people: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object, *_: Any, **__: Any) -> None:
        raise errors.LocalTokenNotFoundError("no token")

    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", refuse)
    with pytest.raises(WeightsError, match=r"not uploaded.*no token.*hf auth login"):
        people.push_to_hub(MODEL)


def test_one_persons_model_and_one_without_a_card_are_not_published(
    people: Recognizer, hub: SimpleNamespace
) -> None:
    bare = replace(people.checkpoint, card=None)
    with pytest.raises(InputRefused, match="has no card"):
        Recognizer(bare, "bare").push_to_hub(MODEL)
    with pytest.raises(InputRefused, match="give owner/name"):
        people.push_to_hub("people")
    mine = Recognizer.load(asset("people.safetensors"))
    mine.checkpoint.model.personal = SimpleNamespace()  # type: ignore[assignment]
    with pytest.raises(InputRefused, match="adapted to one person"):
        mine.push_to_hub(MODEL)
    assert not hub.there.exists()


def test_thresholds_of_another_fusing_are_not_passed_on(tmp_path: Path) -> None:
    asked = Recognizer.load(asset("demo.safetensors"))
    assert asked.sureness is not None
    other = next(h for h in ("mean", "calibrated") if h != asked.fusion)
    asked.fuse(other)
    asked.save_pretrained(tmp_path)
    found = Recognizer.from_pretrained(tmp_path)
    assert (found.fusion, found.sureness) == (other, None)
