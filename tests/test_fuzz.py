"""Damaged and hostile files: every reader refuses them clearly or reads what is whole.

Valid files are cut off, overwritten and spoiled in their values; what was drawn is the
same in every run. Anything but a refusal (`InputRefused`) fails the test.
"""

import json
import os
import pickle
import random
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import soundfile
import torch
from eav_layout import write_mp4
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planted_cache import quick_config, write_cache
from recorded import FakeSession, audio_arrival, eeg_arrival, recorder
from report_runs import write_run
from scipy import io

from eav_live.collect.script import load_script
from eav_live.options import SessionOptions
from eav_live.recording.consent import _from_file as read_consent_form
from eav_offline.checkpoint.file import load as load_checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.config import load_config
from eav_offline.core.labels import encode_label_rows
from eav_offline.data.cache import open_prepared
from eav_offline.data.eav import files as eav_files
from eav_offline.data.eav.files import DatasetError, read_variable
from eav_offline.data.media import iter_frames, read_audio, rgb, video_info
from eav_offline.data.sessions.importing import import_sessions
from eav_offline.data.sessions.session import read_session
from eav_offline.report.runs import read_runs
from eav_offline.training.pretrained import read_published

REPO = Path(__file__).resolve().parents[1]

fuzz = settings(
    max_examples=int(os.environ.get("EAV_FUZZ_EXAMPLES", "30")),  # more, now and then
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def spoilt(data: bytes, seed: int) -> bytes:
    """The file cut off, overwritten, or longer or shorter in the middle."""
    draw = random.Random(seed)
    how = draw.choice(["cut", "flip", "overwrite", "insert", "remove", "random"])
    # Headers are short; half of the damage is done to the first kilobyte.
    at = draw.randrange(min(len(data), 1024) if draw.random() < 0.5 else len(data))
    some = draw.randbytes(draw.choice([1, 4, 8, 64]))
    if how == "cut":
        return data[:at]
    if how == "flip":
        return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]
    if how == "overwrite":
        return data[:at] + some + data[at + len(some) :]
    if how == "insert":
        return data[:at] + some + data[at:]
    if how == "remove":
        return data[:at] + data[at + len(some) :]
    return draw.randbytes(draw.choice([0, 1, 5, 500]))


def refuses_or_reads(read: Callable[[], object]) -> None:
    try:
        read()
    except InputRefused as refusal:
        said = str(refusal)
    else:
        return
    assert len(said) > 20


# Files of the dataset


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Small valid files by name."""
    folder = tmp_path_factory.mktemp("valid")
    eeg = np.random.default_rng(1).normal(0, 20, (200, 30, 4)).astype(np.float32)
    emotion, task = np.arange(12) % 5, np.arange(12) % 2
    label = encode_label_rows(emotion, task)
    io.savemat(folder / "v5.mat", {"seg1": eeg})
    io.savemat(folder / "packed.mat", {"seg1": eeg}, do_compression=True)
    with h5py.File(folder / "v73.mat", "w", userblock_size=512) as file:
        file["seg1"] = eeg.T
        file.create_dataset("label", data=label.T, chunks=True, compression="gzip")
    io.savemat(folder / "label.mat", {"label": label})
    sound = np.sin(np.arange(8000) / 9).astype(np.float32)
    soundfile.write(folder / "sound.wav", sound, 16_000, subtype="PCM_16")
    write_mp4(folder / "clip.mp4", 20)
    write_mp4(folder / "clip.mkv", 20)
    write_xdf(folder / "session.xdf")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def write_xdf(path: Path) -> None:
    session = FakeSession()
    made = recorder(path, session)
    made.start()
    for second in range(3):
        t = 5000.0 + second
        session.sources["eeg"].offer(eeg_arrival(np.ones((30, 500), "f4"), t))
        session.sources["audio"].offer(audio_arrival(np.ones(800, "f4"), t, 800.0))
    made.mark({"event": "trial_start", "trial": 1}, 5000.0)
    made.stop()


NOTHING = eav_files.SubjectFiles({}, {}, [], [], [], ())


def read_mat(path: Path) -> None:
    name, _ = eav_files.find_eeg(path)
    eav_files.read_eeg(path, name)


def read_video(path: Path) -> None:
    video_info(path)
    for _, frame in iter_frames(path):
        rgb(frame)


READERS: dict[str, Callable[[Path], object]] = {
    "v5.mat": read_mat,
    "packed.mat": read_mat,
    "v73.mat": read_mat,
    "label.mat": lambda path: eav_files.read_labels(path, NOTHING),
    "sound.wav": read_audio,
    "clip.mp4": read_video,
    "clip.mkv": read_video,
    "session.xdf": read_session,
}


@pytest.mark.parametrize("name", READERS)
@fuzz
@given(seed=st.integers(0, 10**9))
def test_damaged_files_of_data_are_refused(
    name: str, seed: int, valid: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(spoilt(valid[name], seed))
    refuses_or_reads(lambda: READERS[name](path))


@pytest.mark.parametrize("name", READERS)
def test_undamaged_files_are_read(
    name: str, valid: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(valid[name])
    READERS[name](path)


@pytest.mark.filterwarnings("ignore:overflow encountered")
@fuzz
@given(seed=st.integers(0, 10**9))
def test_damaged_recordings_make_no_subject_and_no_other_error(
    seed: int, valid: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("import")
    path = folder / "session.xdf"
    path.write_bytes(spoilt(valid["session.xdf"], seed))
    with pytest.raises(InputRefused):
        import_sessions([path], folder / "out", 1)


# Bombs


@pytest.mark.parametrize("compressed", [False, True])
def test_a_v5_mat_that_declares_more_than_it_holds_is_refused(
    tmp_path: Path, compressed: bool
) -> None:
    path = tmp_path / "bomb.mat"
    io.savemat(path, {"seg1": np.zeros((2, 3, 4))})
    data = path.read_bytes()
    sizes = np.array([2, 3, 4], "<i4").tobytes()
    bomb = np.array([100_000, 30, 200_000], "<i4").tobytes()
    assert data.count(sizes) == 1
    data = data.replace(sizes, bomb)
    if compressed:
        import zlib

        packed = zlib.compress(data[128:])
        data = data[:128] + np.array([15, len(packed)], "<u4").tobytes() + packed
    path.write_bytes(data)
    with pytest.raises(DatasetError, match=r"declares .* bytes"):
        read_variable(path, "seg1")


def test_a_v73_mat_that_declares_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset(
            "seg1", (200_000, 30, 100_000), "f8", chunks=(1, 30, 1000), fillvalue=1.0
        )
    assert path.stat().st_size < 100_000
    with pytest.raises(DatasetError, match=r"declares .* bytes"):
        read_variable(path, "seg1")


# Code in files


class Code:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self.path),)


def pickled(path: Path, mark: Path) -> None:
    path.write_bytes(pickle.dumps({"seg1": Code(mark)}))


def torch_pickled(path: Path, mark: Path) -> None:
    torch.save({"model": Code(mark)}, path)


def numpy_pickled(path: Path, mark: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.array([Code(mark)], dtype=object), allow_pickle=True)


WRITERS = {"pickle": pickled, "torch": torch_pickled, "numpy": numpy_pickled}


@pytest.mark.parametrize("written_by", WRITERS)
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("model.safetensors", load_checkpoint),
        ("weights.bin", lambda path: read_published(str(path.parent), "--weights")),
        ("s1_eeg.mat", read_mat),
        ("s1_eeg_label.mat", lambda path: eav_files.read_labels(path, NOTHING)),
        ("session.xdf", read_session),
        ("sound.wav", read_audio),
        ("clip.mp4", read_video),
        ("live.toml", SessionOptions.from_toml),
        ("compact.toml", load_config),
        ("script.toml", load_script),
        ("consent.toml", read_consent_form),
    ],
)
def test_code_in_a_file_is_refused_and_not_run(
    name: str, read: Callable[[Path], object], written_by: str, tmp_path: Path
) -> None:
    mark, path = tmp_path / "it-ran", tmp_path / name
    WRITERS[written_by](path, mark)
    with pytest.raises(InputRefused):
        read(path)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["index.npy", "eeg.npy", "meta.json"])
def test_code_in_a_prepared_cache_is_refused_and_not_run(
    name: str, tmp_path: Path
) -> None:
    cache, mark = write_cache(tmp_path / "cache", [1], 5), tmp_path / "it-ran"
    numpy_pickled(cache / "subject01" / name, mark)
    with pytest.raises(InputRefused):
        open_prepared(cache, 1)
    assert not mark.exists()


# What the project itself writes


@pytest.fixture(scope="module")
def checkpoint() -> bytes:
    return (REPO / "assets" / "demo.safetensors").read_bytes()


@fuzz
@given(seed=st.integers(0, 10**9))
def test_damaged_checkpoints_are_refused(
    seed: int, checkpoint: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(spoilt(checkpoint, seed))
    refuses_or_reads(lambda: load_checkpoint(path))


@pytest.mark.parametrize("share", [0.001, 0.5, 0.999])
def test_a_checkpoint_that_was_cut_off_says_so(
    share: float, checkpoint: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(checkpoint[: round(len(checkpoint) * share)])
    with pytest.raises(InputRefused, match="damaged"):
        load_checkpoint(path)


@fuzz
@given(seed=st.integers(0, 10**9))
def test_damaged_prepared_caches_are_refused(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cache = write_cache(tmp_path_factory.mktemp("cache"), [1], 5)
    names = ["meta.json", "index.npy", "eeg.npy", "face_found.npy"]
    path = cache / "subject01" / random.Random(seed).choice(names)
    path.write_bytes(spoilt(path.read_bytes(), seed))

    def read() -> None:
        subject = open_prepared(cache, 1)
        for i in range(len(subject)):
            subject.inputs(i)

    refuses_or_reads(read)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(string.ascii_letters + "é\0\n", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(string.ascii_lowercase, max_size=4), inner)
    ),
    max_leaves=4,
)


def replaced(value: Any, draw: random.Random, new: Any) -> Any:
    """The JSON value with one part of it, anywhere, replaced by `new`."""
    if isinstance(value, dict) and value and draw.random() < 0.85:
        key = draw.choice(sorted(value))
        return {**value, key: replaced(value[key], draw, new)}
    if isinstance(value, list) and value and draw.random() < 0.85:
        i = draw.randrange(len(value))
        return [*value[:i], replaced(value[i], draw, new), *value[i + 1 :]]
    return new


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "run", quick_config())


def run_files() -> list[str]:
    return ["results.json", "predictions.npz", "split.json", "history.csv"]


@pytest.mark.parametrize("name", run_files())
@fuzz
@given(seed=st.integers(0, 10**9))
def test_damaged_runs_are_listed_as_unreadable(name: str, seed: int, run: Path) -> None:
    path = run / name
    if not path.is_file():
        pytest.skip(f"a run has no {name}")
    whole = path.read_bytes()
    try:
        path.write_bytes(spoilt(whole, seed))
        refuses_or_reads(lambda: read_runs([run]))
    finally:
        path.write_bytes(whole)


@fuzz
@given(seed=st.integers(0, 10**9), new=values)
def test_results_with_values_of_another_kind_are_listed_as_unreadable(
    seed: int, new: Any, run: Path
) -> None:
    path = run / "results.json"
    whole = path.read_text()
    try:
        changed = replaced(json.loads(whole), random.Random(seed), new)
        path.write_text(json.dumps(changed))
        refuses_or_reads(lambda: read_runs([run]))
    finally:
        path.write_text(whole)


@fuzz
@given(seed=st.integers(0, 10**9), new=values)
def test_a_caches_meta_with_values_of_another_kind_is_refused(
    seed: int, new: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cache = write_cache(tmp_path_factory.mktemp("cache"), [1], 5)
    path = cache / "subject01" / "meta.json"
    changed = replaced(json.loads(path.read_text()), random.Random(seed), new)
    path.write_text(json.dumps(changed))
    refuses_or_reads(lambda: open_prepared(cache, 1))


# What people edit

TEXTS: dict[str, tuple[Path, Callable[[Path], object]]] = {
    "live.toml": (REPO / "configs" / "live.toml", SessionOptions.from_toml),
    "compact.toml": (REPO / "configs" / "compact.toml", load_config),
    "paper.toml": (REPO / "configs" / "paper.toml", load_config),
    "pilot.toml": (REPO / "assets" / "collect" / "pilot.toml", load_script),
}


@pytest.mark.parametrize("name", TEXTS)
@fuzz
@given(seed=st.integers(0, 10**9))
def test_damaged_settings_are_refused(name: str, seed: int, tmp_path: Path) -> None:
    original, read = TEXTS[name]
    path = tmp_path / name
    path.write_bytes(spoilt(original.read_bytes(), seed))
    refuses_or_reads(lambda: read(path))


@pytest.mark.parametrize("name", TEXTS)
@fuzz
@given(seed=st.integers(0, 10**9), new=values)
def test_settings_with_values_of_another_kind_are_refused(
    name: str, seed: int, new: Any, tmp_path: Path
) -> None:
    original, read = TEXTS[name]
    draw = random.Random(seed)
    lines = original.read_text().splitlines()
    i = draw.choice([i for i, line in enumerate(lines) if "=" in line])
    key = lines[i].split("=")[0].lstrip("# ").strip()
    lines[i] = f"{key} = {json.dumps(new)}"
    path = tmp_path / name
    path.write_text("\n".join(lines))
    refuses_or_reads(lambda: read(path))


@pytest.mark.parametrize("name", TEXTS)
def test_unknown_keys_are_refused_with_key_and_file(name: str, tmp_path: Path) -> None:
    original, read = TEXTS[name]
    path = tmp_path / name
    path.write_text(f"__import__ = 'os'\n{original.read_text()}")
    with pytest.raises(InputRefused, match=rf"{name}.*__import__"):
        read(path)
