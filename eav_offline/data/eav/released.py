"""The features that EAV's authors gave out, as a cache of their own kind.

`subject_XX_eeg.pkl`, `_aud.pkl` and `_vis.pkl` each hold [train_x, train_y, test_x,
test_y]: windows of five seconds of the Speaking trials, of each class the first trials
to train and the last to test, and the classes 0 to 4. Trials are found again because a
trial's four windows follow each other and a class's trials are in order; the numbers
that EAV gave them are not in the files, so they are numbered anew, class by class.

Not prepared as `preprocess.prepare` does it: the EEG was filtered to 0.5-45 Hz over
all trials glued end to end, and faces were cropped frame by frame. A model of these
windows cannot be run live. Only the log-mel is made here, from the sound that the
files hold.
"""

import logging
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eav_offline.common.errors import InputRefused
from eav_offline.common.files import package_versions
from eav_offline.core.labels import EMOTIONS, MODALITIES, N_EMOTIONS, TASKS
from eav_offline.core.window import (
    AUDIO_RATE,
    AUDIO_SAMPLES,
    EEG_RATE,
    EEG_SAMPLES,
    N_CHANNELS,
    N_FRAMES,
)
from eav_offline.data.cache import (
    INDEX_DTYPE,
    array_layout,
    require_recipe,
    subject_folder,
    write_meta,
)
from eav_offline.data.dataset import fingerprint, is_synthetic, require_subjects
from eav_offline.data.eav.pickles import load_arrays
from eav_offline.data.prepared import PrepareSummary
from eav_offline.data.recipe import make_recipe, recipe_key
from eav_offline.data.splits import WINDOWS_PER_TRIAL
from eav_offline.preprocess import RELEASED_FEATURES, PreprocessSettings
from eav_offline.preprocess.audio import log_mel

log = logging.getLogger(__name__)
FACE_SIZE = 56  # pixels
SETTINGS = PreprocessSettings(face_size=FACE_SIZE, origin=RELEASED_FEATURES)
_EEG_BAND = (0.5, 45.0)  # Hz, fifth order, causal, over all trials end to end
_FILTER_ORDER = 5
Progress = Callable[[int, int], None]  # files read, files in all
PARTS = ("train", "test")
_ARRAY = {"eeg": "eeg", "audio": "wave", "video": "faces"}  # of the cache
_ENDINGS = {"eeg": "eeg", "aud": "audio", "vis": "video"}
_FILE = re.compile(r"^subject_0*([1-9]\d*)_(eeg|aud|vis)\.pkl$", re.IGNORECASE)
_SHAPES = {
    "eeg": (N_CHANNELS, EEG_SAMPLES),
    "audio": (AUDIO_SAMPLES,),
    "video": (N_FRAMES, FACE_SIZE, FACE_SIZE, 3),
}
_LOUDEST = (
    4.0  # sound in [-1, 1]; resampling may overshoot, whole numbers go far beyond
)


@dataclass(frozen=True)
class ReleasedOrder:
    """Where each window goes, and what is known of it.

    index: (n,) of `INDEX_DTYPE`, by trial and position, `present` not yet filled in.
    rows: by part ("train", "test") the place in `index` of each of its windows.
    trials: by part its trial numbers, ascending.
    """

    index: np.ndarray
    rows: dict[str, np.ndarray]
    trials: dict[str, list[int]]


def import_features(
    folder: Path,
    out: Path,
    subjects: Collection[int] | None = None,
    progress: Progress | None = None,
) -> PrepareSummary:
    """Import subjects (all, if None) from a folder of released files into a cache.

    The files may lie in folders below `folder`. A modality whose file is not there is
    absent from the subject's windows. A subject already there from the same files, and
    whole, is left as it is; one that cannot be used is logged and left out. Raises
    ReleasedError if there are no files, DatasetError if a subject asked for has none,
    and PreparedError if `out` is a cache of another kind.
    """
    files = find_released(folder)
    require_subjects(subjects, files, folder)
    wanted = {n: f for n, f in files.items() if subjects is None or n in subjects}
    recipe = released_recipe()
    require_recipe(out, recipe)
    synthetic = is_synthetic(folder)
    summary = PrepareSummary()
    total, done = sum(map(len, wanted.values())), 0
    for number, by_modality in wanted.items():
        source = fingerprint(by_modality.values())
        final = subject_folder(out, number)
        if summary.needs(out, number, source):
            about = {
                "key": recipe_key(recipe),
                "recipe": recipe,
                "subject": number,
                "synthetic": synthetic,
                "person": None,
                "source": source,
                "root": folder.resolve().name,
            }
            try:
                for step in _import_subject(by_modality, final, about, summary):
                    if progress is not None:
                        progress(done + step, total)
            except InputRefused as error:
                summary.refused[number] = str(error)
                log.error("Subject %d is refused: %s", number, error)
        done += len(by_modality)
        if progress is not None:
            progress(done, total)
    return summary


def released_recipe() -> dict[str, Any]:
    """What decides the numbers of such a cache; no other cache has the same."""
    recipe = make_recipe(SETTINGS, "speaking")
    recipe["eeg"] = [EEG_RATE, list(_EEG_BAND), _FILTER_ORDER, "over glued trials"]
    recipe["face"] = recipe["detector"] = "faces as released"
    return recipe


def released_order(labels: dict[str, np.ndarray]) -> ReleasedOrder:
    """Find the trials of windows again from the classes of both parts.

    labels: by part, (n,) classes 0 to 4. Raises ReleasedError unless every four
    windows, from the first on, are of one class.
    """
    groups: list[tuple[int, str, int]] = []  # class, part, first row
    for part in PARTS:
        y = labels[part]
        torn = len(y) % WINDOWS_PER_TRIAL or not np.all(
            y.reshape(-1, WINDOWS_PER_TRIAL) == y[::WINDOWS_PER_TRIAL, None]
        )
        if torn:
            raise ReleasedError(
                f"the {part} windows do not come four by four of one class (there are "
                f"{len(y)}), so trials cannot be told apart; a trial would be in "
                "both parts. Take the files as released, with 56 and 24 windows a class"
            )
        groups += [
            (int(y[row]), part, row) for row in range(0, len(y), WINDOWS_PER_TRIAL)
        ]
    most = max(Counter(emotion for emotion, _, _ in groups).values())
    counted: Counter[int] = Counter()
    numbered: list[tuple[int, int, str, int]] = []
    for emotion, part, row in groups:
        counted[emotion] += 1
        trial = emotion * most + counted[emotion]
        numbered.append((trial, emotion, part, row))
    numbered.sort()
    index = np.zeros(len(numbered) * WINDOWS_PER_TRIAL, INDEX_DTYPE)
    index["offset"] = np.nan  # only filtered EEG was released
    rows = {part: np.zeros(len(labels[part]), np.int64) for part in PARTS}
    trials: dict[str, list[int]] = {part: [] for part in PARTS}
    for place, (trial, emotion, part, row) in enumerate(numbered):
        here = np.arange(WINDOWS_PER_TRIAL) + place * WINDOWS_PER_TRIAL
        index["trial"][here] = trial
        index["position"][here] = np.arange(WINDOWS_PER_TRIAL)
        index["emotion"][here] = emotion
        rows[part][row : row + WINDOWS_PER_TRIAL] = here
        trials[part].append(trial)
    index["task"] = TASKS.index("speaking")
    return ReleasedOrder(index, rows, trials)


def _import_subject(
    files: dict[str, Path], final: Path, about: dict[str, Any], summary: PrepareSummary
) -> Iterator[int]:
    """Write one subject's folder; yields how many of its files are read."""
    partial = final.with_name(f"{final.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        first = next(iter(files.values()))
        order, labels, arrays = None, {}, {}
        for step, (modality, path) in enumerate(files.items(), start=1):
            values, found = read_released(path, modality)
            if order is None:
                order, labels = _order_of(path, found), found
                # Of an absent modality they stay zeros, which take no room.
                arrays = _new_arrays(partial, len(order.index))
            for part in PARTS:
                if not np.array_equal(found[part], labels[part]):
                    raise ReleasedError(
                        f"{path} has other {part} labels than {first}, so its "
                        "windows are not of the same moments; take both from one "
                        "release"
                    )
                arrays[_ARRAY[modality]][order.rows[part]] = values[part]
            if modality == "audio":
                for row, wave in enumerate(arrays["wave"]):
                    arrays["log_mel"][row] = log_mel(wave, AUDIO_RATE)
            if modality == "video":
                # Where the authors' tracker saw nobody is not in the files.
                arrays["face_found"][:] = True
            order.index["present"][:, MODALITIES.index(modality)] = True
            yield step
        assert order is not None
        np.save(partial / "index.npy", order.index)
        lacking = [m for m in MODALITIES if m not in files]
        if lacking:
            log.warning(
                "Subject %d: no file of %s; its windows lack it",
                about["subject"],
                " and ".join(lacking),
            )
        arrays.clear()  # written, and no longer mapped
        about = {
            **about,
            "n_trials": len(order.trials["train"]) + len(order.trials["test"]),
            "released_split": order.trials,
            "versions": package_versions(),
        }
        write_meta(partial, about)
        shutil.rmtree(final, ignore_errors=True)
        os.replace(partial, final)
        summary.windows[about["subject"]] = len(order.index)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _order_of(path: Path, labels: dict[str, np.ndarray]) -> ReleasedOrder:
    try:
        return released_order(labels)
    except ReleasedError as error:
        raise ReleasedError(f"{path}: {error}") from error


def _new_arrays(folder: Path, n: int) -> dict[str, np.ndarray]:
    return {
        name: np.lib.format.open_memmap(
            folder / f"{name}.npy", "w+", dtype, (n, *shape)
        )
        for name, (shape, dtype) in array_layout(SETTINGS).items()
    }


class ReleasedError(InputRefused):
    """Files that are not the released features; the message says what was expected."""


def find_released(folder: Path) -> dict[int, dict[str, Path]]:
    """The released files by subject and modality, ascending.

    Raises ReleasedError if there are none, or two of one subject and modality.
    """
    found: dict[int, dict[str, Path]] = {}
    for path in sorted([*folder.glob("*.pkl"), *folder.glob("*/*.pkl")]):
        match = _FILE.match(path.name)
        if match is None:
            continue
        modality = _ENDINGS[match[2].lower()]
        before = found.setdefault(int(match[1]), {}).setdefault(modality, path)
        if before != path:
            raise ReleasedError(
                f"{before} and {path} are both {modality} of subject {match[1]}; keep "
                "one of them"
            )
    if not found:
        raise ReleasedError(
            f"{folder} holds no released features; expected subject_01_eeg.pkl, "
            "subject_01_aud.pkl and subject_01_vis.pkl, and so on, in it or in folders "
            "of it"
        )
    return dict(sorted(found.items()))


def read_released(
    path: Path, modality: str
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Windows and classes by part, checked. Raises ReleasedError, PickleRefused."""
    items = load_arrays(path)
    if len(items) != 4:
        raise ReleasedError(
            f"{path} holds {len(items)} arrays, expected train_x, train_y, test_x and "
            "test_y"
        )
    values = {"train": items[0], "test": items[2]}
    labels = {"train": items[1], "test": items[3]}
    for part in PARTS:
        _check_windows(path, part, modality, values[part])
        labels[part] = _checked_labels(path, part, labels[part], len(values[part]))
    return values, labels


def _check_windows(path: Path, part: str, modality: str, x: np.ndarray) -> None:
    expected = _SHAPES[modality]
    kinds = "u" if modality == "video" else "f"
    right = x.dtype.kind in kinds and (modality != "video" or x.dtype == np.uint8)
    if x.ndim == 0 or x.shape[1:] != expected or not right or len(x) == 0:
        raise ReleasedError(
            f"{path}: the {part} windows are {x.dtype} {x.shape}, expected "
            f"{'uint8' if modality == 'video' else 'float'} (windows, "
            f"{', '.join(map(str, expected))})"
        )
    if modality == "video":
        return
    if not np.isfinite(x).all():
        raise ReleasedError(
            f"{path}: the {part} windows hold values that are no number"
        )
    if modality == "audio" and np.abs(x).max() > _LOUDEST:
        raise ReleasedError(
            f"{path}: the sound reaches {np.abs(x).max():g}, expected about 1 at most; "
            "divide by the full scale of its numbers"
        )


def _checked_labels(path: Path, part: str, y: np.ndarray, n: int) -> np.ndarray:
    if y.shape != (n,):
        raise ReleasedError(
            f"{path}: {part}_y has shape {y.shape}, expected one class for each of the "
            f"{n} windows"
        )
    emotion = y.astype(np.int64)
    found = sorted(set(emotion.tolist()))
    if not np.array_equal(emotion, y) or found[0] < 0 or found[-1] >= N_EMOTIONS:
        raise ReleasedError(
            f"{path}: {part}_y holds the classes {found}, expected 0 to 4 "
            f"({', '.join(EMOTIONS)}). Odd numbers up to 9 are EAV's label rows; a "
            "loader that leaves them so drops three classes of five"
        )
    return emotion
