"""The runs of a report; one that cannot be read is listed, not fatal."""

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from eav_offline.common.errors import InputRefused
from eav_offline.config import Config
from eav_offline.core.model_names import AVERAGE, STAGES
from eav_offline.evaluation.results import OUTPUTS, Results
from eav_offline.runs.study import STUDY_FILE
from eav_offline.training.run_folder import (
    Predictions,
    RunFolder,
    RunUnreadable,
    StoredSplit,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Epoch:
    """A line of history.csv.

    figures: `train_loss`, `train_accuracy`, `validation_loss`, `validation_accuracy`,
    NaN where not taken.
    """

    stage: str
    phase: str
    figures: Mapping[str, float]

    @classmethod
    def of(cls, row: Mapping[str, str]) -> "Epoch":
        """Raises ValueError if a figure is none."""
        names = map("_".join, product(("train", "validation"), ("loss", "accuracy")))
        figures = {name: float(row.get(name) or math.nan) for name in names}
        return cls(row["stage"], row.get("phase") or "", figures)


@dataclass(frozen=True)
class Run:
    """One training run as it lies on disk.

    name: its folder, for people to read. made_with: what else decides the model,
    `preprocess` and public `weights`; empty if its checkpoint is not there.
    """

    name: str
    folder: Path
    results: Results
    predictions: Predictions
    history: tuple[Epoch, ...]
    config: Config
    split: StoredSplit
    made_with: dict[str, Any]

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that were trained, in training order."""
        trained = {epoch.stage for epoch in self.history}
        return tuple(stage for stage in STAGES if stage in trained)

    @property
    def protocol(self) -> str:
        """The protocol in the words of its split."""
        return str(self.split.about.get("protocol", "not recorded"))

    @property
    def is_average(self) -> bool:
        """Whether it is an average of others, with nothing trained."""
        return self.config.baseline is not None and self.config.baseline.name == AVERAGE


@dataclass(frozen=True)
class Unreadable:
    """A folder with results that the report leaves out, and why."""

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
        except RunUnreadable as error:
            log.warning("%s is left out: %s", folder.path, error.reason)
            unreadable.append(Unreadable(name, error.reason))
    if runs:
        return runs, [*unreadable, *_failed(places)]
    where = ", ".join(str(place) for place in places)
    found = "; ".join(f"{u.name}: {u.reason}" for u in unreadable[:5])
    raise InputRefused(
        f"{where}: "
        + (f"no run can be read ({found})" if found else "no results.json in it")
        + "; give folders that eav-offline train --out wrote, or one above them"
    )


def _folders(places: Sequence[Path]) -> dict[str, RunFolder]:
    """Every folder with results, once, under a name that tells it from the others."""
    found: dict[Path, str] = {}
    for place in places:
        if not place.is_dir():
            raise InputRefused(f"{place} is not a folder; give one that holds runs")
        for run in RunFolder.below(place):
            below = run.path.relative_to(place).as_posix()
            top = place.resolve().name
            name = top if below == "." else f"{top}/{below}"
            found.setdefault(run.path.resolve(), name)
    names: dict[str, RunFolder] = {}
    for folder, name in found.items():
        unique, n = name, 2
        while unique in names:
            unique, n = f"{name} ({n})", n + 1
        names[unique] = RunFolder(folder)
    return names


def _failed(places: Sequence[Path]) -> list[Unreadable]:
    """Runs of studies that ended in an error: what is missing must be seen."""
    failed = []
    for file in sorted({f.resolve() for p in places for f in p.rglob(STUDY_FILE)}):
        study = file.parent.name
        try:
            failed += [
                Unreadable(f"{study}/{job['name']}", f"failed: {job['error']}")
                for job in json.loads(file.read_text(encoding="utf-8"))["jobs"]
                if job["status"] == "failed"
            ]
        except (OSError, ValueError, KeyError, TypeError) as error:
            failed.append(Unreadable(f"{study}/{STUDY_FILE}", str(error)))
    return failed


def _read(name: str, folder: RunFolder) -> Run:
    run = Run(
        name=name,
        folder=folder.path,
        results=folder.results(),
        predictions=folder.predictions(),
        split=folder.split(),
        config=folder.config(),
        history=_history(folder),
        made_with=folder.made_with(),
    )
    if not run.stages and not run.is_average:
        raise folder.unreadable(f"history.csv names none of {', '.join(STAGES)}")
    reason = _contradiction(run)
    if reason:
        raise folder.unreadable(f"predictions.npz {reason}")
    return run


def _history(folder: RunFolder) -> tuple[Epoch, ...]:
    try:
        return tuple(map(Epoch.of, folder.history()))
    except ValueError as error:
        raise folder.unreadable(f"history.csv cannot be read: {error}") from error


def _contradiction(run: Run) -> str:
    """What predictions say against results and split; "" if nothing."""
    said = run.predictions
    for name, scores in run.results.modalities.items():
        if name not in OUTPUTS:
            continue
        if name not in said.probabilities:
            return f"has no probabilities p_{name}"
        rows = said.probabilities[name]
        known = ~np.isnan(rows).any(1)
        right = rows[known].argmax(1) == said.emotion[known]
        accuracy = float(right.mean()) if len(right) else math.nan
        if not math.isclose(accuracy, scores.accuracy, abs_tol=1e-6):
            return (
                f"gives {name} an accuracy of {accuracy:.4f}, results.json says "
                f"{scores.accuracy:.4f}: they are of two trainings"
            )
    splits = run.split.subjects
    for number in np.unique(said.subject):
        tested = set(said.trial[said.subject == number].tolist())
        if int(number) not in splits or not tested <= set(splits[int(number)].test):
            return (
                f"has trials of subject {number} that split.json does not name as "
                "test trials"
            )
    return ""
