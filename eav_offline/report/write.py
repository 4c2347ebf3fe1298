"""Writes a report: the page, and the CSV files beside it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eav_offline.errors import InputRefused
from eav_offline.files import write_atomically
from eav_offline.report.collect import Unreadable, read_runs
from eav_offline.report.groups import group_runs
from eav_offline.report.page import page
from eav_offline.report.tables import models_csv, output_rows, subjects_csv, subsets_csv

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Written:
    """What was written, and from what."""

    page: Path
    tables: tuple[Path, ...]
    n_runs: int
    models: tuple[str, ...]
    unreadable: tuple[Unreadable, ...]


def write_report(
    places: Sequence[Path],
    out: Path,
    sizes: Mapping[str, Mapping[str, Any]] | None = None,
) -> Written:
    """Report on all runs in `places` and below.

    out: the page, such as report.html; report_models.csv, report_subjects.csv and
    report_subsets.csv are written beside it. sizes: the `model` section of known
    configurations by name, such as compact, for the models' names. Raises InputRefused
    if there is no run that can be read, or if `out` cannot be written.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise InputRefused(f"--out {out} is no page: give a name that ends in .html")
    runs, unreadable = read_runs(places)
    models = group_runs(
        runs, {name: dict(size) for name, size in (sizes or {}).items()}
    )
    log.info("%d runs of %d models", len(runs), len(models))
    rows = output_rows(models)
    tables = {
        out.with_name(f"{out.stem}_{name}.csv"): text
        for name, text in (
            ("models", models_csv(rows)),
            ("subjects", subjects_csv(models)),
            ("subsets", subsets_csv(models)),
        )
    }
    html = page(models, rows, unreadable, [path.name for path in tables])
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        for path, text in {**tables, out: html}.items():
            write_atomically(path, text)
    except OSError as error:
        raise InputRefused(f"--out {out} cannot be written: {error}") from error
    return Written(
        page=out,
        tables=tuple(tables),
        n_runs=len(runs),
        models=tuple(model.name for model in models),
        unreadable=tuple(unreadable),
    )
