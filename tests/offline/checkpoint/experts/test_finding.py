"""Finding published models: what is refused, what is asked, what is said offline."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from published_models import restate, write_voice

from eav_offline.checkpoint.experts.building import agree, kept_experts
from eav_offline.checkpoint.experts.finding import Expert, Wanted, find
from eav_offline.checkpoint.hub import WeightsError
from eav_offline.cli import main
from eav_offline.common.errors import InputRefused

HUB_ID = "someone/some-model"


@pytest.fixture
def copy(face: Path, tmp_path: Path) -> Path:
    """A folder that may be changed."""
    return shutil.copytree(face, tmp_path / "copy")


@pytest.fixture
def hub(face: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A hub that has one model. fetched: names of the files it gave."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    given = SimpleNamespace(fetched=[], folder=face)

    def download(model: str, name: str, **_: Any) -> str:
        if not (given.folder / name).is_file():
            raise huggingface_hub.errors.EntryNotFoundError(name)
        given.fetched.append(name)
        return str(given.folder / name)

    def about(url: str, **_: Any) -> SimpleNamespace:
        if not (given.folder / url.rpartition("/")[2]).is_file():
            raise huggingface_hub.errors.EntryNotFoundError(url)
        return SimpleNamespace(size=343_000_000)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", about)
    return given


def answering(answers: list[str], asked: list[str]) -> Callable[[str], str]:
    def ask(question: str) -> str:
        asked.append(question)
        return answers.pop(0)

    return ask


def one(source: Path | str, modality: str = "video") -> Expert:
    return find([Wanted(modality, str(source))])[0]


def test_the_table_and_the_license_are_told(face: Path) -> None:
    text = one(face).as_text()
    assert "license apache-2.0" in text
    assert "joy      happiness" in text
    assert "disgust  (left out)" in text


def test_a_folder_that_lacks_a_file_names_all_that_are_needed(copy: Path) -> None:
    (copy / "preprocessor_config.json").unlink()
    with pytest.raises(WeightsError, match=r"lacks preprocessor_config\.json; put"):
        one(copy)


def test_weights_that_could_run_code_are_not_read(copy: Path) -> None:
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(WeightsError, match="can run code"):
        one(copy)


def test_networks_whose_code_is_not_in_transformers_are_refused(copy: Path) -> None:
    restate(copy, architectures=["ViTForSomethingElse"])
    with pytest.raises(WeightsError, match="is a ViTForSomethingElse"):
        one(copy)
    restate(copy, model_type="swin")
    with pytest.raises(WeightsError, match="of the kind 'swin', expected vit"):
        one(copy)


def test_an_estimator_of_dimensions_is_refused_by_that_name(tmp_path: Path) -> None:
    names = ("arousal", "dominance", "valence")
    folder = write_voice(tmp_path / "voice", "Wav2Vec2", names)
    restate(folder, architectures=["Wav2Vec2ForSpeechClassification"])
    with pytest.raises(InputRefused, match="dimensions"):
        one(folder, "audio")


def test_a_voice_at_another_rate_is_refused(voice: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(voice, tmp_path / "copy")
    restate(folder, "preprocessor_config.json", sampling_rate=8000)
    with pytest.raises(WeightsError, match="sound at 8000 Hz"):
        one(folder, "audio")


def test_two_models_without_two_emotions_in_common_are_refused(
    face: Path, tmp_path: Path
) -> None:
    voice = write_voice(tmp_path / "voice", names=("calm", "sad", "fear"))
    with pytest.raises(InputRefused, match="sadness in common"):
        find([Wanted("video", str(face)), Wanted("audio", str(voice))])


def test_a_name_that_is_no_folder_and_no_hub_id_is_refused() -> None:
    with pytest.raises(WeightsError, match="no such folder"):
        one("nowhere/at/all")


def test_offline_the_message_says_what_to_fetch_and_where_to_put_it(
    hub: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise huggingface_hub.errors.OfflineModeIsEnabled("offline mode is enabled")

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", offline)
    with pytest.raises(WeightsError) as caught:
        one(HUB_ID)
    for part in (
        "config.json, preprocessor_config.json and model.safetensors",
        f"https://huggingface.co/{HUB_ID}/tree/main",
        "--face-model FOLDER",
    ):
        assert part in str(caught.value)


def test_only_small_files_come_before_the_answer(hub: SimpleNamespace) -> None:
    expert = one(HUB_ID)
    assert sorted(hub.fetched) == [
        "README.md",
        "config.json",
        "preprocessor_config.json",
    ]
    assert (expert.license, expert.card) == (
        "apache-2.0",
        f"https://huggingface.co/{HUB_ID}",
    )
    assert expert.fetched().weights == hub.folder / "model.safetensors"


def test_a_hub_model_without_safe_weights_is_refused(
    hub: SimpleNamespace, copy: Path
) -> None:
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    hub.folder = copy
    with pytest.raises(WeightsError, match="can run code"):
        one(HUB_ID)


def test_a_card_without_a_license_is_told_to_have_none(
    hub: SimpleNamespace, copy: Path
) -> None:
    hub.folder = copy
    for text in ("no head", "---\nlicense: [\n---\n"):
        (copy / "README.md").write_text(text)
        assert one(HUB_ID).license == "not stated"
    (copy / "README.md").unlink()
    assert one(HUB_ID).license == "not stated"


def test_the_license_is_asked_for_once(hub: SimpleNamespace) -> None:
    asked: list[str] = []
    expert = one(HUB_ID)
    agree(expert, answering(["yes"], asked), yes=False)
    agree(expert, answering([], asked), yes=False)
    assert len(asked) == 1
    assert "apache-2.0" in asked[0]
    assert f"https://huggingface.co/{HUB_ID}" in asked[0]
    assert "343 MB" in asked[0]


def test_no_is_not_remembered_and_nothing_is_downloaded(hub: SimpleNamespace) -> None:
    asked: list[str] = []
    expert = one(HUB_ID)
    for answer in ("no", ""):
        with pytest.raises(InputRefused, match="is not downloaded"):
            kept_experts([expert], answering([answer], asked))
    assert len(asked) == 2
    assert "model.safetensors" not in hub.fetched


def test_a_license_that_changed_is_asked_for_again(hub: SimpleNamespace) -> None:
    from dataclasses import replace

    asked: list[str] = []
    expert = one(HUB_ID)
    agree(expert, answering(["yes"], asked), yes=False)
    agree(replace(expert, license="other"), answering(["yes"], asked), yes=False)
    assert len(asked) == 2


def test_where_nobody_can_answer_yes_must_be_given(hub: SimpleNamespace) -> None:
    expert = one(HUB_ID)
    with pytest.raises(InputRefused, match="give --yes"):
        agree(expert, None, yes=False)
    agree(expert, None, yes=True)
    agree(expert, None, yes=False)  # it was remembered


def test_a_session_finds_the_checkpoint_that_another_wrote(
    face: Path, voice: Path
) -> None:
    both = find([Wanted("video", str(face)), Wanted("audio", str(voice))])
    path = kept_experts(both, None)
    written = path.stat().st_mtime_ns
    assert kept_experts(both, None) == path
    assert path.stat().st_mtime_ns == written
    counts = {"joy": "none"}
    other = find([Wanted("video", str(face), counts), Wanted("audio", str(voice))])
    assert kept_experts(other, None) != path


def test_the_command_writes_a_checkpoint_and_says_what_counts_as_what(
    face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "experts.safetensors"
    asked = ["experts", "--face-model", str(face), "--out", str(out), "--json", "-"]
    assert main([*asked, "--face-classes", "joy=none"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["video"]["classes"]["joy"] == ""
    assert told["video"]["classes"]["happy"] == "happiness"
    assert out.is_file()
    assert main(["card", str(out)]) == 0
    assert "joy left out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "x.safetensors"], "give --face-model"),
        (["--out", "x.safetensors", "--face-classes", "a=anger"], "give it too"),
        (["--out", "here/x.safetensors"], "no folder here"),
        (["--out", "x.bin"], "such as experts.safetensors"),
    ],
)
def test_what_makes_no_checkpoint_is_refused(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["experts", *arguments]) == 2
    assert words in capsys.readouterr().err
