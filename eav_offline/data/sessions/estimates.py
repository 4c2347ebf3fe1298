"""The estimates of a recorded session as one table, a row for each window."""

import csv
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from eav_offline.common.errors import with_extras
from eav_offline.common.files import private_files, write_atomically
from eav_offline.core.labels import N_EMOTIONS
from eav_offline.data.sessions.session import (
    ANSWERS,
    PREDICTION_COLUMNS,
    RecordedPrediction,
    SessionFile,
)

# The person first: by that `eav-live forget` finds the files.
FIRST_COLUMNS = ("person", "t", "label", "truth", "present", "interpolated")
PARQUET_KEY = "eav_live_export"  # in the footer, for the same reason
COLUMNS = (*FIRST_COLUMNS, *PREDICTION_COLUMNS, "model", "backend", "age_s")


def probabilities(session: SessionFile) -> np.ndarray:
    """(windows, 25) float64, columns as `PREDICTION_COLUMNS`; NaN where absent."""
    rows = [_row(prediction) for prediction in session.predictions]
    return np.array(rows).reshape(len(rows), len(PREDICTION_COLUMNS))


def rows(session: SessionFile) -> Iterator[dict[str, Any]]:
    """One dictionary over `COLUMNS` a window; None or NaN where nothing is known."""
    model = session.settings.get("model")
    name = model.get("name") if isinstance(model, dict) else None
    for one in session.predictions:
        yield {
            "person": session.person,
            "t": one.t,
            "label": one.label,
            "truth": one.truth,
            "present": "+".join(one.present),
            "interpolated": "+".join(one.interpolated),
            **dict(zip(PREDICTION_COLUMNS, _row(one).tolist(), strict=True)),
            "model": name,
            "backend": one.backend or None,
            "age_s": one.age_s,
        }


@private_files()
def write_csv(session: SessionFile, path: Path) -> int:
    """Write the table, an empty field for what is not known; returns its rows.

    Readable by its owner only. Raises OSError naming the file.
    """
    found, text = list(rows(session)), io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    for row in found:
        table.writerow({name: _field(value) for name, value in row.items()})
    write_atomically(path, text.getvalue())
    return len(found)


@private_files()
@with_extras()
def write_parquet(session: SessionFile, path: Path) -> int:
    """Write the same table as Parquet, null for what is not known; returns its rows.

    Readable by its owner only. Raises OSError naming the file, and InputRefused without
    pyarrow.
    """
    import pyarrow
    from pyarrow import parquet

    numbers = {"t", "age_s", *PREDICTION_COLUMNS}
    kinds = {
        n: pyarrow.float64() if n in numbers else pyarrow.string() for n in COLUMNS
    }
    about = {PARQUET_KEY: json.dumps({"person": session.person})}
    schema = pyarrow.schema(list(kinds.items()), metadata=about)
    found = [{n: _value(v) for n, v in row.items()} for row in rows(session)]
    with pyarrow.BufferOutputStream() as stream:
        parquet.write_table(pyarrow.Table.from_pylist(found, schema), stream)
        write_atomically(path, memoryview(stream.getvalue()))
    return len(found)


def _row(one: RecordedPrediction) -> np.ndarray:
    nothing = np.full(N_EMOTIONS, np.nan)
    found = (one.probabilities[answer] for answer in ANSWERS)
    return np.concatenate([nothing if p is None else p for p in found])


def _value(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value


def _field(value: object) -> object:
    known = _value(value)
    return "" if known is None else known
