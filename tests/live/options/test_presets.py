"""Options of a session under a name."""

from pathlib import Path

import pytest

from eav_live import cli
from eav_live.commands import live
from eav_live.options import SessionOptions
from eav_live.options.presets import (
    PresetRefused,
    preset_file,
    presets_folder,
    save_preset,
)
from eav_offline.common.errors import InputRefused


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    assert tmp_path in presets_folder().parents
    return presets_folder()


def given(*words: str) -> SessionOptions:
    return live.session_options(live.parser("").parse_args(words))


def test_what_is_saved_is_the_same_session_again_and_options_win(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("lab.toml").write_text('[eeg]\nbad = ["T7"]\n[video]\ndevice = 2\n')
    Path("a.wav").touch()
    words = ("--config", "lab.toml", "--eeg-stream", "Amp", "--hop", "0.2")
    words += ("--model", "runs/s1", "--audio", "file:a.wav")
    assert cli.main([*words, "--save-preset", "lab1"]) == 0
    assert "eav-live --preset lab1" in capsys.readouterr().out
    monkeypatch.chdir("/")
    again = given("--preset", "lab1")
    assert (again.eeg_stream, again.hop) == ("Amp", 0.2)
    assert again.model == str(tmp_path / "runs/s1")
    assert again.audio == f"file:{tmp_path / 'a.wav'}"
    assert again.config.eeg.bad == ("T7",)
    assert again.config.video.device == 2
    assert given("--preset", "lab1", "--hop", "1").hop == 1
    assert given("--preset", str(preset_file("lab1"))) == again


def test_a_preset_holds_what_is_not_the_default_and_no_streams_of_the_demos(
    folder: Path,
) -> None:
    assert save_preset("x", SessionOptions(demo=True)).read_text() == (
        "[session]\ndemo = true\n"
    )
    assert SessionOptions.from_toml(save_preset("y", SessionOptions())) == (
        SessionOptions()
    )


def test_an_unknown_preset_is_refused_with_those_there_are(folder: Path) -> None:
    with pytest.raises(PresetRefused, match="is unknown; there are none so far in"):
        preset_file("lab1")
    for name in ("lab1", "home"):
        save_preset(name, SessionOptions())
    with pytest.raises(PresetRefused, match=r"did you mean lab1\? there are home, lab"):
        given("--preset", "lab")
    with pytest.raises(PresetRefused, match=r"no\.toml: there is no such file"):
        given("--preset", "no.toml")
    with pytest.raises(InputRefused, match="give one of them"):
        given("--preset", "lab1", "--config", "x.toml")


@pytest.mark.parametrize("name", ["", "../x", "a b", "-x", "x" * 65])
def test_what_is_no_name_is_refused(name: str, folder: Path) -> None:
    with pytest.raises(PresetRefused, match="cannot be used; give up to 64 letters"):
        save_preset(name, SessionOptions())
    assert not folder.exists()
