"""`import eav_offline`: what a notebook calls, and that asking for it costs nothing."""

import doctest
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch
from planted_cache import write_cache
from readme import snippet
from unsearched import no_search

import eav_offline
from eav_offline.checkpoint.file import CheckpointError
from eav_offline.cli import main
from eav_offline.common.errors import InputRefused
from eav_offline.core.window import EEG_SAMPLES, N_CHANNELS, RawWindow
from eav_offline.data.cache import open_prepared
from eav_offline.preprocess import Inputs


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, synthetic_subject: Path) -> Path:
    """A folder with a dataset, a cache of planted windows and a run."""
    torch.set_num_threads(1)
    place = tmp_path_factory.mktemp("notebook")
    (place / "EAV").symlink_to(synthetic_subject.parent)
    write_cache(place / "cache", (1,))
    eav_offline.train(
        place / "cache", place / "runs" / "bands", models="eeg-bands", device="cpu"
    )
    return place


@pytest.mark.parametrize("name", eav_offline.__all__)
def test_the_example_of_each_function_is_true(
    name: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    call = getattr(eav_offline, name)
    (example,) = doctest.DocTestFinder(recurse=False).find(
        call, name, globs=dict(vars(eav_offline))
    )
    assert example.examples
    told: list[str] = []
    with no_search():
        doctest.DocTestRunner().run(example, out=told.append)
    assert "".join(told) == ""


def test_the_notebook_of_the_readme_prepares_trains_and_predicts(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "EAV").symlink_to(place / "EAV")
    monkeypatch.chdir(tmp_path)
    # The person has a trial an emotion, too few to train on, and the four stages would
    # take minutes: a baseline on the planted windows goes the same way in a second.
    train = eav_offline.train

    def quick(data: str, out: str, **options: object) -> object:
        assert (Path(data) / "subject01").is_dir()
        options |= {"models": "eeg-bands", "device": "cpu"}
        return train(place / "cache", out, **options)

    monkeypatch.setattr(eav_offline, "train", quick)
    eeg = np.random.default_rng(0).normal(0, 10, (N_CHANNELS, EEG_SAMPLES))
    window = Inputs(eeg.astype(np.float32), None, None, None)
    names = {"windows": [window, window]}
    with no_search():
        exec(snippet("eav_offline.train"), names)
    assert names["said"].fused.shape == (2, 5)
    assert names["results"].n_windows > 0


def test_raw_windows_are_prepared_as_the_model_wants_them(place: Path) -> None:
    model = eav_offline.load(place / "runs" / "bands")
    noise = np.random.default_rng(0).normal(0, 10, (N_CHANNELS, 7500))
    raw = RawWindow(
        t_end=5.0,
        eeg_uv=noise.astype(np.float32),
        eeg_rate=500.0,
        audio=None,
        audio_rate=16_000.0,
        frames=None,
    )
    said = eav_offline.predict(model, [raw] * 33)
    assert said.fused.shape == (33, 5)
    np.testing.assert_allclose(said.fused[32], said.fused[0], atol=1e-6)  # its batch
    assert np.isnan(said.by_modality["audio"]).all()


def test_a_subject_and_its_windows_one_by_one_are_told_alike(place: Path) -> None:
    model = eav_offline.load(place / "runs" / "bands")
    subject = open_prepared(place / "cache", 1)
    whole = eav_offline.predict(model, subject)
    single = eav_offline.predict(model, [subject.inputs(i) for i in range(3)])
    np.testing.assert_allclose(whole.fused[:3], single.fused, atol=1e-5)
    assert whole.by_modality.keys() == single.by_modality.keys()


def test_a_subject_that_was_prepared_otherwise_is_refused(place: Path) -> None:
    model = eav_offline.load(place / "runs" / "bands")
    other = replace(
        model, preprocess=replace(model.preprocess, eeg_reference="average")
    )
    with pytest.raises(CheckpointError, match="prepare the data that way"):
        eav_offline.predict(other, open_prepared(place / "cache", 1))


def test_no_windows_are_refused(place: Path) -> None:
    with pytest.raises(ValueError, match="no windows"):
        eav_offline.predict(eav_offline.load(place / "runs" / "bands"), [])


def test_absent_modalities_leave_nothing_to_tell(place: Path) -> None:
    model = eav_offline.load(place / "runs" / "bands")
    eeg = np.zeros((N_CHANNELS, EEG_SAMPLES), np.float32)
    nothing, something = Inputs(None, None, None, None), Inputs(eeg, None, None, None)
    said = eav_offline.predict(model, [nothing, something])
    assert np.isnan(said.fused).all(1).tolist() == [True, False]


@pytest.mark.parametrize("models", ["eegnett", ["eeg", "scnn"], ["scnn", "eegnet"]])
def test_models_that_cannot_be_trained_together_are_refused(
    models: str | list[str], place: Path
) -> None:
    with pytest.raises(InputRefused, match="give some of eeg, audio, video, ambt"):
        eav_offline.train(place / "cache", place / "none", models=models)
    assert not (place / "none").exists()


def test_a_seed_is_told_in_the_results(place: Path) -> None:
    results = eav_offline.train(
        place / "cache", place / "seeded", models="eeg-bands", seed=7, device="cpu"
    )
    assert results.seed == 7


def test_a_subject_that_is_not_there_is_refused(place: Path) -> None:
    with pytest.raises(InputRefused, match="no prepared subject 4"):
        eav_offline.train(place / "cache", place / "none", subjects=[1, 4])


def test_importing_it_imports_nothing_heavy() -> None:
    ask = "import sys, eav_offline; print(*{m.split('.')[0] for m in sys.modules})"
    told = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=True
    )
    heavy = {"numpy", "torch", "pydantic", "scipy", "sklearn", "rich", "cv2", "av"}
    assert not heavy & set(told.stdout.split())


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert eav_offline.__version__ == version("eav-live")
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"eav-offline {eav_offline.__version__}\n"


def test_the_package_can_be_run_as_a_module() -> None:
    command = [sys.executable, "-m", "eav_offline", "--version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout == f"eav-offline {eav_offline.__version__}\n"


def test_its_types_are_for_others_too() -> None:
    assert (Path(eav_offline.__file__).parent / "py.typed").is_file()
