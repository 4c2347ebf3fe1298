"""Finds training runs and reads them; one that cannot be read is listed, not fatal."""

import csv
import json
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from eav_offline.common.errors import InputRefused
from eav_offline.common.files import ARRAY_ERRORS
from eav_offline.config import Config, load_config
from eav_offline.core.labels import N_EMOTIONS
from eav_offline.core.model_names import AVERAGE, STAGES
from eav_offline.data.splits import Split, SubjectFold
from eav_offline.evaluation.results import FORMAT, OUTPUTS, Results
from eav_offline.training.train import (
    CONFIG_FILE,
    HISTORY_FILE,
    MODEL_FILE,
    PREDICTIONS_FILE,
    RESULTS_FILE,
    SPLIT_FILE,
)

STUDY_FILE = "study.json"

log = logging.getLogger(__name__)


class RunUnreadable(Exception):
    """Why a folder is left out of the report."""


@dataclass(frozen=True)
class Epoch:
    """A line of history.csv; a figure that was not taken is NaN."""

    stage: str
    phase: str
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float


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
class Run:
    """One training run as it lies on disk.

    name: its folder, for people to read. text: the protocol in the words of its split;
    splits: the trials of each subject; fold: whom it leaves out, None within subjects.
    made_with: what else decides the model, `preprocess` and public `weights`, as its
    checkpoint has them; empty if the checkpoint is not there.
    """

    name: str
    folder: Path
    results: Results
    predictions: Predictions
    history: tuple[Epoch, ...]
    config: Config
    text: str
    splits: dict[int, Split]
    fold: SubjectFold | None
    made_with: dict[str, Any]

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that were trained, in training order."""
        trained = {epoch.stage for epoch in self.history}
        return tuple(stage for stage in STAGES if stage in trained)


@dataclass(frozen=True)
class Unreadable:
    """A folder with a results.json that the report leaves out, and why."""

    name: str
    reason: str


def read_runs(places: Sequence[Path]) -> tuple[list[Run], list[Unreadable]]:
    """All runs in these folders and below them, in the order of their names.

    Raises InputRefused if a folder does not exist or if no run can be read.
    """
    runs: list[Run] = []
    unreadable: list[Unreadable] = []
    for name, folder in _folders(places).items():
        try:
            runs.append(_read(name, folder))
        except RunUnreadable as reason:
            log.warning("%s is left out: %s", folder, reason)
            unreadable.append(Unreadable(name, str(reason)))
    if runs:
        unreadable += _failed(places)
    else:
        where = ", ".join(str(place) for place in places)
        found = "; ".join(f"{u.name}: {u.reason}" for u in unreadable[:5])
        raise InputRefused(
            f"{where}: "
            + (f"no run can be read ({found})" if found else "no results.json in it")
            + "; give folders that eav-offline train --out wrote, or one above them"
        )
    return runs, unreadable


def _folders(places: Sequence[Path]) -> dict[str, Path]:
    """Every folder with results, once, under a name that tells it from the others."""
    found: dict[Path, str] = {}
    for place in places:
        if not place.is_dir():
            raise InputRefused(f"{place} is not a folder; give one that holds runs")
        for file in sorted(place.rglob(RESULTS_FILE)):
            folder = file.parent.resolve()
            below = file.parent.relative_to(place).as_posix()
            top = place.resolve().name
            found.setdefault(folder, top if below == "." else f"{top}/{below}")
    names: dict[str, Path] = {}
    for folder, name in found.items():
        unique, n = name, 2
        while unique in names:
            unique, n = f"{name} ({n})", n + 1
        names[unique] = folder
    return names


def _failed(places: Sequence[Path]) -> list[Unreadable]:
    """Runs of studies that ended in an error: what is missing must be seen."""
    failed = []
    for file in sorted({f.resolve() for p in places for f in p.rglob(STUDY_FILE)}):
        try:
            jobs = json.loads(file.read_text(encoding="utf-8"))["jobs"]
            failed += [
                Unreadable(
                    f"{file.parent.name}/{job['name']}", f"failed: {job['error']}"
                )
                for job in jobs
                if job["status"] == "failed"
            ]
        except (OSError, ValueError, KeyError, TypeError) as error:
            failed.append(Unreadable(f"{file.parent.name}/{STUDY_FILE}", str(error)))
    return failed


def _read(name: str, folder: Path) -> Run:
    stored = _object(folder / RESULTS_FILE)
    results = _results(stored)
    predictions = _predictions(folder / PREDICTIONS_FILE)
    _same_windows(results, predictions)
    about = _object(folder / SPLIT_FILE)
    if stored.get("split") != about:
        raise RunUnreadable(
            "split.json is not the split of results.json: one of them was changed"
        )
    splits, fold = _split(about, predictions)
    try:
        config = load_config(folder / CONFIG_FILE)
    except InputRefused as error:
        raise RunUnreadable(f"config.toml: {error}") from error
    return Run(
        name=name,
        folder=folder,
        results=results,
        predictions=predictions,
        history=_history(folder / HISTORY_FILE, trained=not is_average(config)),
        config=config,
        text=str(about.get("protocol", "not recorded")),
        splits=splits,
        fold=fold,
        made_with=_made_with(folder / MODEL_FILE),
    )


def _object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunUnreadable(f"{path.name} is missing") from error
    except (OSError, ValueError) as error:
        raise RunUnreadable(f"{path.name} is damaged: {error}") from error
    if not isinstance(value, dict):
        raise RunUnreadable(f"{path.name} holds no JSON object")
    return value


def _results(stored: dict[str, Any]) -> Results:
    if stored.get("format") != FORMAT:
        raise RunUnreadable(
            f"{RESULTS_FILE} is of format {stored.get('format', 'unnumbered')}, "
            f"expected {FORMAT}: train again with this version"
        )
    if stored.get("n_windows") == 0:
        raise RunUnreadable("it was not tested: its split has no test windows")
    try:
        return Results.of(stored)
    except ValueError as error:
        raise RunUnreadable(f"{RESULTS_FILE}: {error}") from error


def _predictions(path: Path) -> Predictions:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            probabilities = {
                name: arrays[f"p_{name}"] for name in OUTPUTS if f"p_{name}" in arrays
            }
            found = Predictions(
                subject=arrays["subject"],
                trial=arrays["trial"],
                position=arrays["position"],
                emotion=arrays["emotion"],
                probabilities=probabilities,
            )
    except FileNotFoundError as error:
        raise RunUnreadable(f"{path.name} is missing") from error
    except ARRAY_ERRORS as error:
        raise RunUnreadable(f"{path.name} is damaged: {error}") from error
    n = len(found.emotion)
    columns = (found.subject, found.trial, found.position, found.emotion)
    if any(column.shape != (n,) for column in columns) or any(
        rows.shape != (n, N_EMOTIONS) for rows in found.probabilities.values()
    ):
        raise RunUnreadable(f"{path.name}: its arrays do not fit each other")
    return found


def _same_windows(results: Results, predictions: Predictions) -> None:
    """Refuse predictions that give other accuracies than the results name."""
    for name, scores in results.modalities.items():
        if name not in OUTPUTS:
            continue
        if name not in predictions.probabilities:
            raise RunUnreadable(f"predictions.npz has no probabilities p_{name}")
        rows = predictions.probabilities[name]
        known = ~np.isnan(rows).any(1)
        right = rows[known].argmax(1) == predictions.emotion[known]
        accuracy = float(right.mean()) if len(right) else math.nan
        if not math.isclose(accuracy, scores.accuracy, abs_tol=1e-6):
            raise RunUnreadable(
                f"predictions.npz gives {name} an accuracy of {accuracy:.4f}, "
                f"results.json says {scores.accuracy:.4f}: they are of two trainings"
            )


def _split(
    about: dict[str, Any], predictions: Predictions
) -> tuple[dict[int, Split], SubjectFold | None]:
    """The trials of each subject, and the fold; refused if test trials trained."""
    try:
        splits = {
            int(number): Split.from_json(parts)
            for number, parts in about["subjects"].items()
        }
        people = about.get("fold")
        fold = None if people is None else SubjectFold.from_json(people)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunUnreadable(f"split.json is not to be trusted: {error}") from error
    if fold is not None:
        trained = {n for n, split in splits.items() if split.train or split.validation}
        if trained & set(fold.test):
            raise RunUnreadable(
                "split.json: subjects both train and test, though it leaves people out"
            )
    for number in np.unique(predictions.subject):
        tested = set(predictions.trial[predictions.subject == number].tolist())
        if int(number) not in splits or not tested <= set(splits[int(number)].test):
            raise RunUnreadable(
                f"predictions.npz has trials of subject {number} that split.json does "
                "not name as test trials"
            )
    return splits, fold


def _made_with(path: Path) -> dict[str, Any]:
    """Preprocessing and public weights, from the description a checkpoint begins with.

    Runs may have been copied without their weights, so nothing here is needed.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads(file.metadata()["eav_live"])
        # Of a folder only its name: where it lay is nobody's business.
        weights = {
            m: PurePath(place).name
            for m, place in about["meta"].get("weights", {}).items()
        }
        return {"preprocess": dict(about["preprocess"]), "weights": weights}
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError):
        log.debug("%s cannot be read; its preprocessing is not reported", path)
        return {}


def is_average(config: Config) -> bool:
    """Whether the run is an average of others, with nothing trained."""
    return config.baseline is not None and config.baseline.name == AVERAGE


def _history(path: Path, trained: bool) -> tuple[Epoch, ...]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        epochs = tuple(
            Epoch(
                row["stage"],
                row.get("phase") or "",
                *(
                    _number(row.get(f"{part}_{what}"))
                    for part in ("train", "validation")
                    for what in ("loss", "accuracy")
                ),
            )
            for row in rows
        )
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise RunUnreadable(f"{path.name} cannot be read: {error}") from error
    if trained and not any(epoch.stage in STAGES for epoch in epochs):
        raise RunUnreadable(f"{path.name} names none of {', '.join(STAGES)}")
    return epochs


def _number(text: str | None) -> float:
    return float(text) if text else math.nan
