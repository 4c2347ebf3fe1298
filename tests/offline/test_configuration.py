"""What configuration files may say, and the words when they say something else."""

from pathlib import Path

import pytest
from planted import tiny_config

from eav_live.collect.script import ScriptError, load_script
from eav_live.options.config import LiveConfigError, read_live_config
from eav_live.recording.consent import ConsentRefused, obtain_consent
from eav_offline.common.errors import InputRefused
from eav_offline.config import SHIPPED, ConfigError, load_config, to_toml
from eav_offline.runs.workers import read_slurm


def refusal(path: Path, *change: str) -> str:
    """What is said of the tiny configuration with one text replaced by another."""
    text = to_toml(tiny_config())
    assert change[0] in text
    path.write_text(text.replace(*change, 1))
    with pytest.raises(ConfigError) as refused:
        load_config(path)
    return str(refused.value)


def test_a_misspelt_key_brings_the_right_one(tmp_path: Path) -> None:
    said = refusal(tmp_path / "a.toml", "heads", "haeds")
    assert "unknown key model.eeg.haeds; did you mean heads?" in said


def test_a_key_like_no_other_is_only_named(tmp_path: Path) -> None:
    said = refusal(tmp_path / "a.toml", "seed = 0", "seed = 0\nzzz = 1")
    assert "unknown key train.zzz; remove it or correct its spelling" in said


def test_sizes_that_do_not_fit_are_told_without_the_whole_model(tmp_path: Path) -> None:
    said = refusal(tmp_path / "a.toml", "heads = 1", "heads = 3")
    assert "is no multiple of" in said
    assert "heads 3" in said
    assert "{" not in said
    assert len(said.removeprefix(str(tmp_path))) < 100


def test_no_message_points_to_the_pages_of_a_library(tmp_path: Path) -> None:
    live, slurm = tmp_path / "live.toml", tmp_path / "slurm.toml"
    live.write_text("[quality]\nflat_vu = 1\nmin_face = 7\n")
    slurm.write_text('coers = 4\nworkers = "many"\n')
    with pytest.raises(LiveConfigError) as refused:
        read_live_config(live)
    assert "quality.flat_vu; did you mean flat_uv?" in str(refused.value)
    assert "quality.min_face = 7: " in str(refused.value)
    assert "http" not in str(refused.value)
    with pytest.raises(InputRefused) as said:
        read_slurm(str(slurm))
    assert "coers; did you mean cores?" in str(said.value)
    assert "http" not in str(said.value)


def test_a_misspelt_key_in_a_list_of_sections_brings_the_right_one(
    tmp_path: Path,
) -> None:
    script = tmp_path / "script.toml"
    script.write_text(
        'title = "T"\n[[blocks]]\nname = "A"\n[[blocks.trials]]\ntask = "speaking"\n'
        'emotoin = "anger"\nemotion = "anger"\ntext = "No!"\n'
    )
    with pytest.raises(ScriptError, match=r"blocks\.1\.trials\.1\.emotoin; did you m"):
        load_script(script)


def test_a_misspelt_key_of_a_consent_brings_the_right_one(tmp_path: Path) -> None:
    consent = tmp_path / "consent.toml"
    consent.write_text('preson = "P01"\nby = "me"\nagreed = true\n')
    with pytest.raises(ConsentRefused, match=r"key preson; did you mean person\?"):
        obtain_consent(["EEG"], "text", file=consent)


def test_a_file_means_its_base_and_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('base = "compact"\n[train.eeg]\nepochs = 3\n')
    (tmp_path / "ours.toml").write_text('base = "mine.toml"\n[train]\nseed = 5\n')
    found, compact = load_config(tmp_path / "ours.toml"), load_config("compact")
    assert (found.train.eeg.epochs, found.train.seed) == (3, 5)
    assert found.model == compact.model
    eeg = compact.train.eeg.model_copy(update={"epochs": 3})
    assert found.train == compact.train.model_copy(update={"eeg": eeg, "seed": 5})
    assert "base" not in to_toml(found)


def test_a_base_that_leads_back_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('base = "b.toml"')
    (tmp_path / "b.toml").write_text('base = "./a.toml"')
    with pytest.raises(ConfigError, match=r"base = '\./a\.toml' leads back"):
        load_config(tmp_path / "a.toml")


def test_every_shipped_configuration_has_a_name() -> None:
    folder = Path(__file__).parents[2] / "configs"
    assert {path.stem for path in folder.glob("*.toml")} == {*SHIPPED, "live"}
    for name in SHIPPED:
        assert load_config(name) == load_config(folder / f"{name}.toml")


def test_an_unknown_name_brings_the_right_one() -> None:
    with pytest.raises(ConfigError, match=r"did you mean paper\?"):
        load_config("papr")
