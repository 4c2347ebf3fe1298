"""What training runs have shown, on one self-contained page and in tables beside it.

How its figures are drawn (`drawing`), and the page's head and style, serve other pages
too: those import nothing that reads runs, and this module only when it writes.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eav_offline.common.console import counted
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import write_atomically

if TYPE_CHECKING:
    from eav_offline.report.runs import Unreadable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Written:
    """What was written, and from what."""

    page: Path
    tables: tuple[Path, ...]
    n_runs: int
    models: tuple[str, ...]
    unreadable: "tuple[Unreadable, ...]"


def write_report(
    places: Sequence[Path],
    out: Path,
    sizes: Mapping[str, Mapping[str, Any]] | None = None,
) -> Written:
    """Report on all runs in `places` and below.

    out: the page, such as report.html; report_models.csv, report_subjects.csv and
    report_subsets.csv are written beside it. sizes: the `model` section of known
    configurations by name, such as compact, for the models' names. Zero-shot runs
    have a section of the page, or a page without tables if there is nothing else.
    Raises InputRefused if there is no run that can be read, or if `out` cannot be
    written.
    """
    from eav_offline.report.groups import group_runs
    from eav_offline.report.page import page, zero_shot_page
    from eav_offline.report.runs import read_runs
    from eav_offline.report.tables import (
        models_csv,
        output_rows,
        subjects_csv,
        subsets_csv,
    )
    from eav_offline.report.zero_shot import read_zero_shot, zero_shot_section
    from eav_offline.training.run_folder import RunFolder

    if out.suffix.lower() not in (".html", ".htm"):
        raise InputRefused(f"--out {out} is no page: give a name that ends in .html")
    zero_shot, left_out = read_zero_shot(places)
    section = zero_shot_section(zero_shot, left_out)
    if zero_shot and not any(map(RunFolder.below, places)):
        synthetic = all(run.results["demo"] for run in zero_shot)
        _write(out, {out: zero_shot_page(synthetic, section)})
        return Written(out, (), len(zero_shot), ("zero-shot EEG",), tuple(left_out))
    runs, unreadable = read_runs(places)
    models = group_runs(
        runs, {name: dict(size) for name, size in (sizes or {}).items()}
    )
    log.info("%s of %s", counted(len(runs), "run"), counted(len(models), "model"))
    rows = output_rows(models)
    tables = {
        out.with_name(f"{out.stem}_{name}.csv"): text
        for name, text in (
            ("models", models_csv(rows)),
            ("subjects", subjects_csv(models)),
            ("subsets", subsets_csv(models)),
        )
    }
    names = [path.name for path in tables]
    _write(out, {**tables, out: page(models, rows, unreadable, names, section)})
    return Written(
        page=out,
        tables=tuple(tables),
        n_runs=len(runs),
        models=tuple(model.name for model in models),
        unreadable=tuple(unreadable),
    )


def _write(out: Path, files: Mapping[Path, str]) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            write_atomically(path, text)
    except OSError as error:
        raise InputRefused(f"--out {out} cannot be written: {error}") from error
