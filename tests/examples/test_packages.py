"""Packages of one's own: those of examples/, installed and used, and faulty ones."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from installing import EXAMPLES, install, write_info
from planted import tiny_config
from planted_cache import write_cache

from eav_live import cli as live
from eav_live.options import SessionOptions
from eav_live.recognition.recognizer import Recognizer
from eav_offline import cli as offline
from eav_offline.checkpoint.file import CheckpointError
from eav_offline.checkpoint.file import load as load_checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.common.plugins import MODELS, offered, offered_names
from eav_offline.config import load_config, to_toml
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.model_names import BASELINES
from eav_offline.core.window import RawWindow
from eav_offline.data.cache import open_prepared
from eav_offline.data.dataset import Fault
from eav_offline.data.datasets import check_dataset, open_dataset, which_dataset
from eav_offline.data.eav.files import DatasetError, TrialError
from eav_offline.models.baselines.settings import choose_stages, with_baseline

TOYS = sorted(path.parent for path in EXAMPLES.glob("*/pyproject.toml"))
Install = Callable[[Path], None]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose packages count as installed; what was found is found anew."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    offered.cache_clear()
    yield folder
    offered.cache_clear()


@pytest.fixture
def toys(site: Path) -> Path:
    for toy in TOYS:
        install(toy, site)
    return site


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cache(tmp_path_factory.mktemp("cache"), [1])


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "tiny.toml"
    path.write_text(to_toml(tiny_config()))
    return path


@pytest.fixture
def run(toys: Path, cache: Path, config: Path, tmp_path: Path) -> Path:
    """The toy model, trained by its name."""
    out = tmp_path / "run"
    words = ["train", "toy-filters", "--data", str(cache), "--out", str(out)]
    assert offline.main([*words, "--config", str(config), "--epochs", "2"]) == 0
    return out


def test_the_toys_are_three_of_one_page_each() -> None:
    assert [toy.name for toy in TOYS] == ["toy_dataset", "toy_model", "toy_stream"]
    for toy in TOYS:
        (module,) = toy.glob("*.py")
        code = [x for x in module.read_text().splitlines() if x.strip()]
        assert len(code) <= 55, module


def test_a_packages_model_is_trained_by_name_and_known_again(run: Path) -> None:
    checkpoint = load_checkpoint(run)
    assert checkpoint.config.baseline is not None
    assert checkpoint.config.baseline.name == "toy-filters"
    assert type(checkpoint.model.by_modality["eeg"]).__name__ == "ToyFilters"
    eeg_uv = np.random.default_rng(1).normal(0, 20, (30, 7500)).astype(np.float32)
    window = RawWindow(0.0, eeg_uv, 500.0, None, 16_000.0, None)
    answer = Recognizer.load(run).recognize(window).fused
    assert answer is not None
    assert answer.sum() == pytest.approx(1.0, abs=1e-5)


def test_a_packages_model_reads_a_packages_stream_live(
    run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "estimates.jsonl"
    words = ["--eeg-stream", "toy:10", "--audio", "none", "--video", "none"]
    words += ["--headless", "--model", str(run), "--json", str(out)]
    assert live.main([*words, "--hop", "0.2", "--duration", "5.5"]) == 0
    said = [json.loads(line) for line in out.read_text().splitlines()]
    (*_, last) = said
    assert last["present"] == ["eeg"]
    assert set(last["fused"]) == set(EMOTIONS)


def test_a_packages_corpus_is_told_checked_and_prepared(
    toys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips, out = tmp_path / "clips", tmp_path / "cache"
    clips.mkdir()
    sound = np.random.default_rng(1).normal(0, 0.1, 40_000).astype(np.float32)
    for name in ("p01_joy_1", "p01_calm_2", "p02_rage_1", "p02_awe_1"):
        soundfile.write(clips / f"{name}.wav", sound, 16_000)
    assert which_dataset(clips) == "toy-clips"
    assert offline.main(["check", str(clips)]) == 0
    (clips / "p02_fury_1.wav").write_bytes(b"")
    assert offline.main(["check", str(clips), "--dataset", "toy-clips"]) == 1
    assert "Toy clips has no emotion fury" in capsys.readouterr().out
    words = ["prepare", str(clips), "--out", str(out), "--faces", "off"]
    assert offline.main([*words, "--jobs", "1"]) == 0
    windows = [open_prepared(out, n) for n in (1, 2)]
    told = [EMOTIONS[i] for one in windows for i in one.emotion]
    assert sorted(told) == ["anger", "calmness", "happiness"]


def test_a_dataset_that_is_no_collection_of_clips_is_read_trial_by_trial(
    site: Path, tmp_path: Path
) -> None:
    write_info(site, "ours", {"eav_live.datasets": {"ours": f"{__name__}:Ours"}})
    assert open_dataset(tmp_path, "ours").subjects() == [1, 2]
    assert check_dataset(tmp_path, name="ours") == [
        Fault(1, 2, "too-short", "four seconds"),
        Fault(2, None, "no-files", "nothing there"),
    ]
    with pytest.raises(DatasetError, match="has no subject 3"):
        check_dataset(tmp_path, [3], "ours")


class Ours:
    """A dataset of one's own."""

    name, labels = "ours", {"joy": "happiness"}

    def __init__(self, root: Path) -> None:
        self.root = root

    def subjects(self) -> list[int]:
        return [1, 2]

    def open_subject(self, number: int) -> "Ours":
        if number == 2:
            raise DatasetError("no-files", "nothing there")
        return self

    def trials(self, task: str) -> list[int]:
        return [1, 2]

    def recording(self, trial: int) -> None:
        if trial == 2:
            raise TrialError("too-short", "four seconds")


# What does not fit


def test_a_checkpoint_of_a_package_that_is_gone_says_so(run: Path, toys: Path) -> None:
    for info in toys.glob("*.dist-info/entry_points.txt"):
        info.unlink()
    offered.cache_clear()
    with pytest.raises(CheckpointError, match="toy-filters is no baseline.* offers it"):
        load_checkpoint(run)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("no_such_module:X", "ours offers mine .* cannot be loaded: ModuleNotFound"),
        ("json:nothing", "cannot be loaded: AttributeError"),
        ("json:loads", "is no encoder whose modality is one of eeg, audio, video"),
        (f"{__name__}:NoEncoder", "is no Encoder"),
        (f"{__name__}:BadTraining", "mine.training: unknown key epohcs; did you mean"),
    ],
)
def test_what_is_no_model_is_refused_by_its_package(
    site: Path, value: str, said: str
) -> None:
    write_info(site, "ours", {MODELS: {"mine": value}})
    with pytest.raises(InputRefused, match=said):
        _built("mine")


def _built(name: str) -> None:
    """Make the model that is trained by this name."""
    from eav_offline.training.train import new_model

    stages, config = choose_stages(name, load_config("compact"))
    new_model(config, stages, False)


class NoEncoder:
    modality = "eeg"


class BadTraining(NoEncoder):
    training = {"epohcs": 3}


def test_two_packages_of_one_name_are_told_apart_by_uninstalling(site: Path) -> None:
    for name in ("ours", "theirs"):
        write_info(site, name, {MODELS: {"mine": f"{name}:X"}})
    with pytest.raises(InputRefused, match="ours and theirs both offer mine"):
        with_baseline(load_config("compact"), "mine")


def test_a_package_cannot_take_the_name_of_our_own(
    site: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_info(site, "ours", {MODELS: {"eegnet": "json:loads"}})
    with caplog.at_level(logging.WARNING):
        assert offered_names(MODELS, BASELINES) == []
    assert "ours offers eegnet" in caplog.text
    _built("eegnet")


def test_a_model_that_nobody_offers_is_refused_with_what_there_is(
    toys: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["train", "toy-filter", "--data", str(tmp_path), "--out", "x"]
    with pytest.raises(SystemExit):
        offline.main(words)
    assert "did you mean toy-filters?" in capsys.readouterr().err


def test_a_packages_training_is_over_the_configurations(toys: Path) -> None:
    config = load_config("compact")
    _, told = choose_stages("toy-filters", config)
    assert (told.train.eeg.epochs, told.train.eeg.batch) == (20, 32)
    assert told.train.eeg.learning_rate == config.train.eeg.learning_rate
    assert told.train.audio == config.train.audio
    assert choose_stages("toy-filters", config, 3)[1].train.eeg.epochs == 3


def test_a_stream_of_a_package_is_meant_with_its_colon_only(toys: Path) -> None:
    from eav_live.streams.chosen import eeg_source

    names = ("toy", "toys:1", "toy:10")
    made = [eeg_source(SessionOptions(eeg_stream=name)) for name in names]
    assert [type(one).__name__ for one in made] == ["LslEeg", "LslEeg", "ToyEeg"]
    with pytest.raises(InputRefused, match="give toy:HERTZ"):
        eeg_source(SessionOptions(eeg_stream="toy:loud"))


def test_a_stream_of_eeg_is_no_camera(toys: Path) -> None:
    from eav_live.streams.chosen import audio_source, video_source

    for source, options in (
        (audio_source, {"audio": "toy:10"}),
        (video_source, {"video": "toy:10"}),
    ):
        with pytest.raises(InputRefused, match="is no EEG"):
            source(SessionOptions(**options))
    with pytest.raises(InputRefused, match="or toy:..."):
        SessionOptions(audio="toi:10")
