"""A training run on disk: nothing else reads or writes these files.

    RUN/model.safetensors   weights, and what must be known to use them (`checkpoint`)
        config.toml         the whole configuration
        split.json          which trials train, validate and test, and of which data
        history.csv         a line for each epoch
        predictions.npz     what was said of each test window
        results.json        the figures; written last: whoever finds it finds the rest

What a run was made from is compared in one way, `MadeFrom`, wherever one is gone on
with, kept, averaged or scored again.
"""

import csv
import io
import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from eav_offline.checkpoint.file import Checkpoint, load, save_checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import ARRAY_ERRORS, MODEL_FILE, write_atomically
from eav_offline.config import Config, load_config, to_toml
from eav_offline.core.labels import N_EMOTIONS
from eav_offline.data.cache import changed_data
from eav_offline.data.splits import (
    HELD_OUT,
    Split,
    SplitError,
    SubjectFold,
    split_alone,
)
from eav_offline.evaluation.results import FORMAT, OUTPUTS, Results

_CONFIG, _SPLIT, _HISTORY = "config.toml", "split.json", "history.csv"
_PREDICTIONS, _RESULTS = "predictions.npz", "results.json"
INDEX = ("subject", "trial", "position", "emotion")  # of predictions
PARTS = ("train", "validation", "test")

# What values of another kind than was written raise in being used.
_OF_OTHER_KINDS = (LookupError, TypeError, ValueError, AttributeError, OSError)

log = logging.getLogger(__name__)


class RunUnreadable(InputRefused):
    """A folder that is no whole run. reason: why, without saying where it lies."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(folder, reason)
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"{self.args[0]} is no finished run: {self.reason}; give a folder that "
            "eav-offline train --out wrote, or delete this one and train the run again"
        )


@dataclass(frozen=True)
class MadeFrom:
    """What decides the outcome of a run, as plain values.

    settings: by what people call them. data: `cache.data_identity` of the windows.
    """

    settings: Mapping[str, Any]
    data: Mapping[str, Any]

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> "MadeFrom":
        """From values that JSON can hold, "data" among them; tuples become lists."""
        plain = json.loads(json.dumps(about))
        return cls(plain, dict(plain.pop("data", {})))

    @classmethod
    def run(
        cls,
        config: Config,
        split: Mapping[str, Any],
        more: Mapping[str, Any] | None = None,
    ) -> "MadeFrom":
        """Of a configuration, what split.json says, and what else decides."""
        return cls.of(
            {
                "configuration": config.model_dump(mode="json"),
                **(more or {}),
                "split": split_alone(split),
                "data": split.get("data", {}),
            }
        )

    def other(self, now: "MadeFrom") -> list[str]:
        """The settings that are not the same now."""
        return [k for k, x in self.settings.items() if x != now.settings.get(k)]

    def changed(self, now: "MadeFrom") -> str:
        """How the data have changed since, in words; "" if they have not."""
        return changed_data(self.data, now.data)

    def check(self, now: "MadeFrom", folder: Path) -> str:
        """The answer of `changed`. Raises InputRefused if a setting is another."""
        other = self.other(now)
        if other:
            raise InputRefused(
                f"{folder} holds a run of another {' and '.join(other)}; give another "
                "--out"
            )
        return self.changed(now)


@dataclass(frozen=True)
class StoredSplit:
    """What split.json says, checked: nothing is in two parts.

    about: as it is written. data: what the windows were, as `cache.data_identity` says.
    caches: where the prepared subjects were. subjects: the trials of each. fold: whom
    it leaves out, None within subjects.
    """

    about: dict[str, Any]
    data: dict[str, Any]
    caches: tuple[Path, ...]
    subjects: dict[int, Split]
    fold: SubjectFold | None

    @classmethod
    def of(cls, about: dict[str, Any], run: Path) -> "StoredSplit":
        """Raises SplitError if a trial or a person is where it should not be.

        Also KeyError, TypeError, AttributeError, OSError and ValueError for values of
        another kind.
        """
        if not isinstance(about.get("data"), dict):
            raise SplitError("it does not say which data it is of, in `data`")
        people = about.get("fold")
        fold = None if people is None else SubjectFold.from_json(people)
        if (about.get("kind") == HELD_OUT) != (fold is not None):
            raise SplitError("its kind and its fold contradict each other")
        splits = {int(n): Split.from_json(p) for n, p in about["subjects"].items()}
        if fold is not None:
            _check_fold(fold, splits)
        caches = tuple((run / cache).resolve() for cache in about["caches"])
        return cls(about, about["data"], caches, splits, fold)


def _check_fold(fold: SubjectFold, splits: Mapping[int, Split]) -> None:
    """Raise SplitError unless each subject's trials are where the fold has them."""
    members: dict[str, Collection[int]] = {p: getattr(fold, p) for p in PARTS}
    listed = {n for numbers in members.values() for n in numbers}
    if listed != splits.keys():
        raise SplitError(
            f"its fold is of subjects {sorted(listed)}, its trials are of "
            f"{sorted(splits)}"
        )
    for number, split in splits.items():
        for part in PARTS:
            if getattr(split, part) and number not in members[part]:
                raise SplitError(
                    f"subject {number} has trials in the {part} part, which the fold "
                    "does not put there"
                )


@dataclass(frozen=True)
class Predictions:
    """What a run said of each test window, in the order of its test trials.

    subject, trial, position, emotion: (n,) int. probabilities: (n, 5) of each output,
    NaN where its modality is absent.
    """

    subject: np.ndarray
    trial: np.ndarray
    position: np.ndarray
    emotion: np.ndarray
    probabilities: dict[str, np.ndarray]


@dataclass(frozen=True)
class RunFolder:
    """Reads and writes a run. What cannot be read raises RunUnreadable."""

    path: Path

    @classmethod
    def below(cls, place: Path) -> list["RunFolder"]:
        """Finished runs in a folder and below it, in the order of their paths."""
        return [cls(file.parent) for file in sorted(place.rglob(_RESULTS))]

    @property
    def finished(self) -> bool:
        """Whether a run was written here to its end."""
        return (self.path / _RESULTS).is_file()

    @property
    def has_model(self) -> bool:
        """Whether there is a checkpoint."""
        return (self.path / MODEL_FILE).is_file()

    def checkpoint(self, device: str = "cpu") -> Checkpoint:
        """The trained model. Raises CheckpointError as `checkpoint.file.load` does."""
        return load(self.path / MODEL_FILE, device)

    def config(self) -> Config:
        """The configuration."""
        try:
            return load_config(self.path / _CONFIG)
        except InputRefused as error:
            raise self.unreadable(f"{_CONFIG}: {error}") from error

    def results(self) -> Results:
        """The figures, of this version's format and on some test windows."""
        stored = self.read_json(_RESULTS)
        if stored.get("format") != FORMAT:
            raise self.unreadable(
                f"{_RESULTS} is of format {stored.get('format', 'unnumbered')}, "
                f"expected {FORMAT}: train again with this version"
            )
        if stored.get("n_windows") == 0:
            raise self.unreadable("it was not tested: its split has no test windows")
        try:
            return Results.of(stored)
        except ValueError as error:
            raise self.unreadable(f"{_RESULTS}: {error}") from error

    def about_split(self) -> dict[str, Any]:
        """What split.json says, to be compared, not relied on."""
        return self.read_json(_SPLIT)

    def split(self) -> StoredSplit:
        """The split, which is also that of the results if there are any."""
        about = self.about_split()
        if self.finished and self.read_json(_RESULTS).get("split") != about:
            raise self.unreadable(
                f"{_SPLIT} is not the split of {_RESULTS}: one of them was changed"
            )
        try:
            return StoredSplit.of(about, self.path)
        except _OF_OTHER_KINDS as error:
            raise self.unreadable(f"{_SPLIT} is not to be trusted: {error}") from error

    def made_from(self) -> MadeFrom:
        """What decided this run; see `MadeFrom.run`."""
        return MadeFrom.run(self.config(), self.split().about)

    def predictions(self) -> Predictions:
        """What was said of the test windows."""
        arrays = self.read_arrays(_PREDICTIONS)
        said = {k: arrays[f"p_{k}"] for k in OUTPUTS if f"p_{k}" in arrays}
        try:
            index = {k: arrays[k] for k in INDEX}
        except KeyError as error:
            raise self.unreadable(f"{_PREDICTIONS} is damaged: {error}") from error
        n = index["emotion"].size
        if any(column.shape != (n,) for column in index.values()) or any(
            rows.shape != (n, N_EMOTIONS) for rows in said.values()
        ):
            raise self.unreadable(f"{_PREDICTIONS}: its arrays do not fit each other")
        return Predictions(**index, probabilities=said)

    def history(self) -> list[dict[str, str]]:
        """A row for each epoch: stage, phase, losses and accuracies, as text."""
        try:
            with (self.path / _HISTORY).open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
        except (OSError, ValueError, csv.Error) as error:
            raise self.unreadable(f"{_HISTORY} cannot be read: {error}") from error
        if any(not row.get("stage") for row in rows):
            raise self.unreadable(f"{_HISTORY} names no stage of some epochs")
        return rows

    def made_with(self) -> dict[str, Any]:
        """`preprocess` and public `weights`, as the checkpoint describes itself.

        Runs may have been copied without their weights: then it is empty.
        """
        try:
            with safe_open(self.path / MODEL_FILE, framework="numpy") as file:
                about = json.loads(file.metadata()["eav_live"])
            # Of a folder only its name: where it lay is nobody's business.
            weights = {
                m: PurePath(place).name
                for m, place in about["meta"].get("weights", {}).items()
            }
            return {"preprocess": dict(about["preprocess"]), "weights": weights}
        except (SafetensorError, *_OF_OTHER_KINDS):
            log.debug("%s: its preprocessing is not reported", self.path / MODEL_FILE)
            return {}

    def write_history(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write history.csv; the columns are all keys of all rows."""
        text = io.StringIO()
        names = list(dict.fromkeys(name for row in rows for name in row))
        names = names or ["stage", "phase", "epoch"]
        writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(self.path / _HISTORY, text.getvalue())

    def write(
        self,
        checkpoint: Checkpoint,
        results: Results,
        predictions: Mapping[str, np.ndarray],
        history: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Write all of a run, each file whole or not at all."""
        self.write_history(history)
        save_checkpoint(self.path / MODEL_FILE, checkpoint)
        self.write_config(checkpoint.config)
        self.write_json(_SPLIT, results.split)
        self.write_arrays(_PREDICTIONS, predictions)
        self.write_json(_RESULTS, results.as_json())

    def write_config(self, config: Config) -> None:
        """Write config.toml."""
        write_atomically(self.path / _CONFIG, to_toml(config))

    def read_json(self, name: str) -> dict[str, Any]:
        """The JSON object in a file."""
        try:
            value = json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise self.unreadable(f"{name} is missing") from error
        except (OSError, ValueError, RecursionError) as error:
            raise self.unreadable(f"{name} is damaged: {error}") from error
        if not isinstance(value, dict):
            raise self.unreadable(f"{name} holds no JSON object")
        return value

    def write_json(self, name: str, value: object) -> None:
        """Write a file of JSON."""
        write_atomically(self.path / name, json.dumps(value, indent=1))

    def read_arrays(self, name: str) -> dict[str, np.ndarray]:
        """The arrays in an .npz file; pickles are not loaded."""
        try:
            with np.load(self.path / name, allow_pickle=False) as arrays:
                return {key: arrays[key] for key in arrays.files}
        except FileNotFoundError as error:
            raise self.unreadable(f"{name} is missing") from error
        except (*ARRAY_ERRORS, AttributeError) as error:
            raise self.unreadable(f"{name} is damaged: {error}") from error

    def write_arrays(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Write arrays as an .npz file."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # numpy's stub
        write_atomically(self.path / name, buffer.getvalue())

    def unreadable(self, reason: str) -> RunUnreadable:
        """The error that this folder is no whole run, for this reason."""
        return RunUnreadable(self.path, reason)
