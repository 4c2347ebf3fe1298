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
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import MODALITIES, TASKS
from eav_offline.core.window import AUDIO_RATE, EEG_RATE
from eav_offline.data.cache import (
    INDEX_DTYPE,
    array_layout,
    make_recipe,
    recipe_key,
    require_recipe,
    subject_folder,
    write_meta,
)
from eav_offline.data.dataset import fingerprint
from eav_offline.data.prepare_summary import PrepareSummary
from eav_offline.data.released_files import (
    FACE_SIZE,
    PARTS,
    ReleasedError,
    find_released,
    read_released,
)
from eav_offline.data.splits import WINDOWS_PER_TRIAL
from eav_offline.data.synthetic.people import is_synthetic
from eav_offline.preprocess import RELEASED_FEATURES, PreprocessSettings
from eav_offline.preprocess.audio import log_mel
from eav_offline.versions import package_versions

log = logging.getLogger(__name__)

SETTINGS = PreprocessSettings(face_size=FACE_SIZE, origin=RELEASED_FEATURES)

_EEG_BAND = (0.5, 45.0)  # Hz, fifth order, causal, over all trials end to end
_FILTER_ORDER = 5
Progress = Callable[[int, int], None]  # files read, files in all


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
    ReleasedError if there are no files or a subject asked for has none, and
    PreparedError if `out` is a cache of another kind.
    """
    files = find_released(folder)
    absent = sorted(set(subjects or ()) - files.keys())
    if absent:
        raise ReleasedError(
            f"{folder} has no file of subject {', '.join(map(str, absent))}; it has "
            f"those of {', '.join(map(str, files))}"
        )
    wanted = {n: f for n, f in files.items() if subjects is None or n in subjects}
    recipe = released_recipe()
    require_recipe(out, recipe)
    try:
        synthetic = is_synthetic(folder)
    except ValueError as error:
        raise ReleasedError(str(error)) from error
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
    files: dict[str, Path],
    final: Path,
    about: dict[str, Any],
    summary: PrepareSummary,
) -> Iterator[int]:
    """Write one subject's folder; yields how many of its files are read."""
    partial = final.with_name(f"{final.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        writer = _Writer(partial)
        for step, (modality, path) in enumerate(files.items(), start=1):
            writer.add(modality, path)
            yield step
        order = writer.finish()
        lacking = [m for m in MODALITIES if m not in files]
        if lacking:
            log.warning(
                "Subject %d: no file of %s; its windows lack it",
                about["subject"],
                " and ".join(lacking),
            )
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


class _Writer:
    """Puts one file after the other into the arrays of a subject's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._labels: dict[str, np.ndarray] = {}
        self._first: Path | None = None
        self._order: ReleasedOrder | None = None

    def add(self, modality: str, path: Path) -> None:
        values, labels = read_released(path, modality)
        if self._order is None:
            self._labels, self._first = labels, path
            try:
                self._order = released_order(labels)
            except ReleasedError as error:
                raise ReleasedError(f"{path}: {error}") from error
        for part in PARTS:
            if not np.array_equal(labels[part], self._labels[part]):
                raise ReleasedError(
                    f"{path} has other {part} labels than {self._first}, so its "
                    "windows are not of the same moments; take both from one release"
                )
        order = self._order
        name = {"eeg": "eeg", "audio": "wave", "video": "faces"}[modality]
        array = self._array(name)
        for part in PARTS:
            array[order.rows[part]] = values[part]
        if modality == "audio":
            mels = self._array("log_mel")
            for row, wave in enumerate(array):
                mels[row] = log_mel(wave, AUDIO_RATE)
        if modality == "video":
            # Where the authors' tracker saw nobody is not in the files.
            self._array("face_found")[:] = True
        order.index["present"][:, MODALITIES.index(modality)] = True

    def finish(self) -> ReleasedOrder:
        assert self._order is not None
        np.save(self._folder / "index.npy", self._order.index)
        for name in array_layout(SETTINGS):
            if not (self._folder / f"{name}.npy").is_file():
                self._array(name)  # of an absent modality: zeros, which take no room
        return self._order

    def _array(self, name: str) -> np.ndarray:
        assert self._order is not None
        shape, dtype = array_layout(SETTINGS)[name]
        return np.lib.format.open_memmap(
            self._folder / f"{name}.npy", "w+", dtype, (len(self._order.index), *shape)
        )
