"""A cache's arrays: checksums, the key of their numbers, and what decides them."""

import json
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from planted_cache import SETTINGS, write_cache

from eav_offline.core import labels, window
from eav_offline.data.cache import (
    PreparedError,
    array_layout,
    changed_data,
    content_key,
    data_identity,
    open_prepared,
    read_meta,
    require_recipe,
    verify,
    why_prepare,
    write_meta,
)
from eav_offline.data.recipe import make_recipe, recipe_key
from eav_offline.preprocess import audio, eeg, face, mtcnn
from eav_offline.runs.split import training_data

NAMES = (*array_layout(SETTINGS), "index")


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cache(tmp_path_factory.mktemp("content") / "cache", [1], n_trials=15)


@pytest.fixture
def cache(planted: Path, tmp_path: Path) -> Path:
    """To be spoilt."""
    return Path(shutil.copytree(planted, tmp_path / "elsewhere"))


def overwrite(path: Path, at: int = -800, n_bytes: int = 400) -> None:
    """Some bytes in the middle of an array, as a bad disk or a slip would."""
    with path.open("r+b") as file:
        file.seek(at, 2)
        file.write(bytes(255 - byte for byte in path.read_bytes()[at:][:n_bytes]))


def key_of(cache: Path) -> str:
    return content_key(read_meta(cache / "subject01"))


# The content key


@pytest.mark.parametrize("name", NAMES)
def test_the_content_key_changes_with_any_number(cache: Path, name: str) -> None:
    before, folder = key_of(cache), cache / "subject01"
    array = np.load(folder / f"{name}.npy")
    last = array[-1:].view(np.uint8).reshape(-1)
    last[-1] ^= 1
    np.save(folder / f"{name}.npy", array)
    write_meta(folder, read_meta(folder))
    assert key_of(cache) != before


def test_the_content_key_depends_on_numbers_alone(planted: Path, cache: Path) -> None:
    folder = cache / "subject01"
    eeg_uv = np.load(folder / "eeg.npy")
    with (folder / "eeg.npy").open("wb") as file:  # headed as another NumPy might
        np.lib.format.write_array(file, eeg_uv, version=(2, 0))
    assert (folder / "eeg.npy").read_bytes() != (
        planted / "subject01" / "eeg.npy"
    ).read_bytes()
    later = {"versions": {"numpy": "9.0"}, "root": "copy", "source": "of other names"}
    write_meta(folder, {**read_meta(folder), **later})
    assert key_of(cache) == key_of(planted)


def test_a_change_of_shape_alone_changes_the_key(cache: Path) -> None:
    before, folder = key_of(cache), cache / "subject01"
    np.save(folder / "eeg.npy", np.load(folder / "eeg.npy").swapaxes(1, 2).copy())
    swapped = np.load(folder / "eeg.npy").reshape(30, 30, 500)
    np.save(folder / "eeg.npy", swapped)
    write_meta(folder, read_meta(folder))
    once = key_of(cache)
    np.save(folder / "eeg.npy", swapped.reshape(30, 500, 30))  # the very same bytes
    write_meta(folder, read_meta(folder))
    assert len({before, once, key_of(cache)}) == 3


def test_a_change_of_data_is_worded_with_both_values(cache: Path) -> None:
    before = data_identity([open_prepared(cache, 1)])
    assert changed_data(before, before) == ""
    now = {"1": {**before["1"], "content": "new"}}
    assert changed_data(before, now) == (
        f"subject 1: content {before['1']['content']} expected, new found"
    )
    now = {"1": {**before["1"], "source": "moved"}}
    assert "source {'planted': 1} before, moved now" in changed_data(
        before, now, "before", "now"
    )
    assert "content none expected" in changed_data({}, before)


def test_of_many_changed_people_some_are_named_and_the_rest_counted() -> None:
    now = {str(n): {"content": "a", "source": "b"} for n in range(1, 43)}
    text = changed_data({}, now)
    assert "subject 3:" in text
    assert text.endswith("; and 39 more")


# Damage


@pytest.mark.parametrize("name", NAMES)
def test_a_file_cut_short_is_refused_when_it_is_opened(cache: Path, name: str) -> None:
    path = cache / "subject01" / f"{name}.npy"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(size - 40)
    message = f"{name}.npy is damaged .{size - 40} bytes found, {size} expected"
    with pytest.raises(PreparedError, match=message):
        open_prepared(cache, 1)


@pytest.mark.parametrize("name", ["eeg", "faces", "index"])
def test_overwritten_bytes_are_found_before_anything_is_learned(
    cache: Path, name: str
) -> None:
    training_data([open_prepared(cache, 1)], [cache])  # whole, and known to be
    path = cache / "subject01" / f"{name}.npy"
    overwrite(path, -60, 20)
    subject = open_prepared(cache, 1)
    with pytest.raises(PreparedError, match=f"{name}.npy is damaged .checksum"):
        training_data([subject], [cache])


def test_files_that_were_verified_are_not_read_again(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eav_offline.data import cache as module

    subject = open_prepared(cache, 1)
    verify(subject)
    monkeypatch.setattr(module, "_checksum", None)  # any call would fail
    verify(subject)


def test_a_meta_without_checksums_is_refused(cache: Path) -> None:
    path = cache / "subject01" / "meta.json"
    meta = json.loads(path.read_text())
    del meta["files"]["wave"]
    path.write_text(json.dumps(meta))
    with pytest.raises(PreparedError, match=r"meta\.json is damaged"):
        open_prepared(cache, 1)


def test_whole_subjects_need_no_preparing_and_others_say_why(cache: Path) -> None:
    source = {"planted": 1}
    assert why_prepare(cache, 1, source) is None
    assert why_prepare(cache, 2, source) == ""
    assert why_prepare(cache, 1, "other") == "its files have changed"
    overwrite(cache / "subject01" / "log_mel.npy")
    assert "log_mel.npy is damaged" in str(why_prepare(cache, 1, source))
    (cache / "subject01" / "meta.json").write_text("{")
    assert "meta.json is damaged" in str(why_prepare(cache, 1, source))
    require_recipe(cache, make_recipe(SETTINGS, "speaking"))  # nothing to contradict it


# The recipe

MODULES = {"window": window, "labels": labels}
MODULES |= {"eeg": eeg, "audio": audio, "face": face, "mtcnn": mtcnn}
# The networks' layout comes with their weights, which the pinned package holds.
CONSTANTS = [
    (module, name)
    for module, constants in {
        "window": ("WINDOW_SECONDS", "CONTEXT_SECONDS", "EEG_RATE", "EEG_BAND")
        + ("EEG_CHANNELS", "AUDIO_RATE", "FRAME_RATE"),
        "labels": ("EMOTIONS", "TASKS", "MODALITIES"),
        "eeg": ("FILTER_ORDER", "_RESAMPLER_REACH", "_RESAMPLER_WINDOW"),
        "audio": ("N_MELS", "FRAME_SAMPLES", "HOP_SAMPLES", "FFT_SAMPLES")
        + ("MEL_RANGE", "PRE_EMPHASIS", "LOG_FLOOR"),
        "face": ("MIN_FACE", "MIN_CONFIDENCE", "SEARCH_FRAMES", "FOLLOWED_SIZES")
        + ("NEIGHBORHOOD", "FRAME_GAP_SECONDS", "_SAME_FACE_IOU")
        + ("_LESS_THAN_LARGEST",),
        "mtcnn": ("MTCNN_THRESHOLDS", "MTCNN_FACTOR", "MTCNN_MIN_FACE", "_CELL")
        + ("_STRIDE", "_COARSE", "_SAME_LEVEL", "_SAME_FACE"),
    }.items()
    for name in constants
]


def changed(value: object) -> object:
    return (*value, "more") if isinstance(value, tuple) else f"{value} changed"


@pytest.mark.parametrize(("module", "name"), CONSTANTS)
def test_every_constant_is_in_the_recipes_key(
    module: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = recipe_key(make_recipe(SETTINGS, "speaking"))
    value = getattr(MODULES[module], name)
    monkeypatch.setattr(MODULES[module], name, changed(value))
    assert recipe_key(make_recipe(SETTINGS, "speaking")) != before


def own_constants(module: ModuleType) -> set[str]:
    """Upper-case names that a module's text gives a value to."""
    import ast
    import inspect

    names = set()
    for node in ast.parse(inspect.getsource(module)).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            each = target.elts if isinstance(target, ast.Tuple) else [target]
            names |= {x.id for x in each if isinstance(x, ast.Name)}
    return {name for name in names if name.isupper()}


@pytest.mark.parametrize("module", MODULES)
def test_a_constant_added_to_preprocessing_is_in_the_recipe_by_itself(
    module: str,
) -> None:
    part = {"audio": "log_mel", "mtcnn": "detector"}.get(module, module)
    found = make_recipe(SETTINGS, "speaking")[part].keys()
    lacking = own_constants(MODULES[module]) - found
    # What reads EAV's file names, what draws emotions, the bands that baselines and
    # views make of a window, and the networks' layouts, which come with their weights.
    layouts = {"PROPOSE", "REFINE", "OUTPUT"}
    assert lacking <= layouts | {"_MEDIA_NAME", "EMOTION_COLORS", "EEG_BANDS"}


def test_a_cache_of_another_filter_order_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = write_cache(tmp_path / "cache", [1], n_trials=1)
    folder = cache / "subject01"
    recipe = make_recipe(SETTINGS, "speaking")
    stored = {**read_meta(folder), "recipe": recipe, "key": recipe_key(recipe)}
    write_meta(folder, stored)
    monkeypatch.setattr(eeg, "FILTER_ORDER", 4)
    with pytest.raises(PreparedError, match=r"eeg\.FILTER_ORDER 5 there and 4 now"):
        require_recipe(cache, make_recipe(SETTINGS, "speaking"))
