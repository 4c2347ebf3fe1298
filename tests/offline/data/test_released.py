"""The authors' pickles become a cache that trains, and that live refuses."""

import json
import logging
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from eav_layout import write_subject
from planted import tiny_config

from eav_live.recognition.recognizer import Recognizer
from eav_offline.checkpoint.file import CheckpointError, load
from eav_offline.cli import main
from eav_offline.data.cache import PreparedError, open_prepared
from eav_offline.data.eav.pickles import PickleRefused, load_arrays
from eav_offline.data.eav.released import (
    ReleasedError,
    import_features,
    released_order,
)
from eav_offline.data.prepared import prepare_root
from eav_offline.data.splits import within_subject
from eav_offline.preprocess import RELEASED_FEATURES
from eav_offline.preprocess.audio import log_mel
from eav_offline.runs.split import evaluate_run, training_data
from eav_offline.training.train import train

SHAPES = {"eeg": (30, 500), "aud": (80_000,), "vis": (25, 56, 56, 3)}
TRIALS = {"train": 2, "test": 1}  # of each class; EAV has 14 and 6


def classes(trials: int) -> np.ndarray:
    return np.repeat(np.arange(5), 4 * trials)


def window(kind: str, part: str, row: int) -> np.ndarray:
    """Noise whose mean tells part and row."""
    random = np.random.default_rng([len(part), row])
    if kind == "vis":
        return np.full(SHAPES[kind], row + 100 * (part == "test"), np.uint8)
    noise = random.uniform(-0.1, 0.1, SHAPES[kind])
    return noise.astype(np.float32) if kind == "aud" else 100 * noise + row


def write_pickle(folder: Path, kind: str, protocol: int = 4, subject: int = 1) -> Path:
    parts = []
    for part, trials in TRIALS.items():
        rows = 5 * 4 * trials
        parts.append(np.stack([window(kind, part, row) for row in range(rows)]))
        parts.append(classes(trials))
    path = folder / f"subject_{subject:02d}_{kind}.pkl"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(parts, protocol=protocol))
    return path


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("released")
    for kind, protocol in (("eeg", 2), ("aud", 4), ("vis", 5)):
        write_pickle(folder, kind, protocol)
    return folder


@pytest.fixture(scope="module")
def cache(released, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("cache")
    assert import_features(released, out).windows == {1: 60}
    return out


def some(released: Path, tmp_path: Path, *kinds: str) -> Path:
    folder = tmp_path / "some"
    folder.mkdir()
    for kind in kinds:
        shutil.copy(released / f"subject_01_{kind}.pkl", folder)
    return folder


def spoil(path: Path, item: int, change) -> None:
    parts = load_arrays(path)
    parts[item] = change(parts[item])
    path.write_bytes(pickle.dumps(parts))


def test_every_window_keeps_its_values_and_its_class(cache):
    subject = open_prepared(cache, 1)
    # Trials of a class: two that train, then the one that tests.
    assert subject.trial.tolist() == np.repeat(np.arange(1, 16), 4).tolist()
    assert subject.emotion.tolist() == np.repeat(np.arange(5), 12).tolist()
    assert subject.position.tolist() == [0, 1, 2, 3] * 15
    assert subject.present.all()
    for row, (part, released_row) in {0: ("train", 0), 8: ("test", 0)}.items():
        eeg, wave = window("eeg", part, released_row), window("aud", part, released_row)
        np.testing.assert_allclose(subject.eeg[row], eeg, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(subject.wave[row], wave)
        np.testing.assert_allclose(
            subject.log_mel[row], log_mel(wave, 16_000), atol=1e-4
        )
        assert np.all(subject.faces[row] == window("vis", part, released_row))


def test_the_offset_of_filtered_eeg_is_not_known(cache):
    assert np.isnan(open_prepared(cache, 1).offset).all()


def test_splitting_within_the_subject_gives_the_released_parts(cache):
    subject = open_prepared(cache, 1)
    kept = subject.meta["released_split"]
    split = within_subject(subject.trial, subject.emotion)
    assert list(split.train) == kept["train"]
    assert list(split.test) == kept["test"]


def test_with_eavs_counts_56_windows_a_class_give_the_released_parts():
    order = released_order({"train": classes(14), "test": classes(6)})
    for windows in (56, None):
        split = within_subject(
            order.index["trial"], order.index["emotion"], train_windows=windows
        )
        assert list(split.train) == order.trials["train"]
        assert list(split.test) == order.trials["test"]
    assert len(order.trials["train"]) == 70


def test_a_second_import_leaves_a_subject_as_it_is(released, cache):
    assert import_features(released, cache).unchanged == [1]


def test_a_damaged_subject_is_imported_again(released, tmp_path):
    folder, out = some(released, tmp_path, "eeg"), tmp_path / "cache"
    import_features(folder, out)
    path = out / "subject01" / "eeg.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:5000] + b"\xff" * 400 + whole[5400:])
    summary = import_features(folder, out)
    assert "eeg.npy is damaged" in summary.again[1]
    assert path.read_bytes() == whole
    assert import_features(folder, out).unchanged == [1]


def test_where_nothing_was_imported_no_training_is_recommended(
    released, tmp_path, capsys
):
    folder = some(released, tmp_path, "eeg")
    for path in folder.glob("*.pkl"):
        path.write_bytes(b"no features")
    assert main(["import-features", str(folder), "--out", str(tmp_path / "c")]) == 1
    told = capsys.readouterr().out
    assert "refused" in told
    assert "eav-offline train" not in told


def test_missing_files_leave_a_modality_absent(released, tmp_path, caplog):
    folder = some(released, tmp_path, "eeg", "aud")
    with caplog.at_level(logging.WARNING):
        import_features(folder, tmp_path / "cache")
    subject = open_prepared(tmp_path / "cache", 1)
    assert subject.present.all(axis=0).tolist() == [True, True, False]
    assert "no file of video" in caplog.text


def test_files_whose_labels_disagree_are_refused(released, tmp_path):
    folder = some(released, tmp_path, "eeg", "aud")
    spoil(folder / "subject_01_aud.pkl", 1, lambda y: y[::-1])
    summary = import_features(folder, tmp_path / "cache")
    assert "other train labels" in summary.refused[1]
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("item", "change", "message"),
    [
        (0, lambda x: x[:, :29], r"\(windows, 30, 500\)"),
        (0, lambda x: np.where(x > 39, np.nan, x), "no number"),
        (0, lambda x: x[:-1], "train_y has shape"),
        (0, lambda x: x.astype(int), "expected float"),
        (1, lambda y: 2 * y + 1, "EAV's label rows"),
        (1, lambda y: np.roll(y, 2), "four by four"),
    ],
)
def test_other_contents_are_refused_by_file(released, tmp_path, item, change, message):
    folder = some(released, tmp_path, "eeg")
    spoil(folder / "subject_01_eeg.pkl", item, change)
    summary = import_features(folder, tmp_path / "cache")
    with pytest.raises(ReleasedError, match=message):
        raise ReleasedError(summary.refused[1])
    assert "subject_01_eeg.pkl" in summary.refused[1]


def test_sound_in_whole_numbers_is_refused(released, tmp_path):
    folder = some(released, tmp_path, "aud")
    spoil(folder / "subject_01_aud.pkl", 2, lambda x: x * 32768)
    assert "full scale" in import_features(folder, tmp_path / "cache").refused[1]


def test_a_harmful_file_refuses_its_subject_and_not_the_others(released, tmp_path):
    folder = some(released, tmp_path, "eeg")
    (folder / "subject_02_eeg.pkl").write_bytes(b"cos\nsystem\n(Vfalse\ntR.")
    summary = import_features(folder, tmp_path / "cache")
    assert "os.system" in summary.refused[2]
    assert summary.windows == {1: 60}
    with pytest.raises(PickleRefused):
        load_arrays(folder / "subject_02_eeg.pkl")


def test_a_folder_without_released_files_is_refused(tmp_path):
    with pytest.raises(ReleasedError, match="holds no released features"):
        import_features(tmp_path, tmp_path / "cache")


def test_subjects_prepared_from_recordings_stay_out_of_such_a_cache(cache, tmp_path):
    write_subject(tmp_path / "subject1")
    with pytest.raises(PreparedError, match="other settings.*origin"):
        prepare_root(tmp_path, cache, jobs=1)


def test_a_model_of_released_features_trains_and_live_refuses_it(
    released, tmp_path, capsys
):
    folder = some(released, tmp_path, "eeg", "aud")
    out, run = tmp_path / "cache", tmp_path / "run"
    assert main(["import-features", str(folder), "--out", str(out)]) == 0
    assert "--train-windows 56" in capsys.readouterr().out
    data = training_data([open_prepared(out, 1)], [out], run=run)
    results = train(["eeg", "audio"], data, tiny_config(), run, max_steps=1)
    assert results.n_windows == 20
    assert not results.demo
    assert evaluate_run(run).n_windows == 20
    assert load(run / "model.safetensors").preprocess.origin == RELEASED_FEATURES
    with pytest.raises(CheckpointError, match=r"released.*0\.5-45 Hz.*prepare"):
        Recognizer.load(run / "model.safetensors")


def test_features_of_synthetic_people_are_marked_as_such(released, tmp_path):
    folder = some(released, tmp_path, "eeg")
    (folder / "SYNTHETIC.json").write_text(json.dumps({"synthetic": True}))
    import_features(folder, tmp_path / "cache")
    assert open_prepared(tmp_path / "cache", 1).synthetic
