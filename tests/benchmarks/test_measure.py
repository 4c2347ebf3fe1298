"""What all benches share: figures as JSON and as lines to read."""

import inspect
import json
from importlib import import_module

import pytest

from benchmarks.__main__ import BENCHES, parser
from benchmarks.live.speed.run import SpeedOptions
from benchmarks.measure import lines, without_nan


def test_what_was_not_measured_is_null_in_json() -> None:
    figures = without_nan({"a": float("nan"), "b": [{"c": float("nan")}]})
    assert json.dumps(figures, allow_nan=False) == '{"a": null, "b": [{"c": null}]}'


def test_figures_of_the_same_names_stand_in_one_table() -> None:
    figures = {
        "sets": {
            "emodb": {"accuracy": 0.5, "interval": [0.25, 0.75]},
            "ravdess": {"accuracy": 1.0, "interval": None},
        },
        "passed": True,
        "by_person": {"1": {"accuracy": 7}},
        "targets": [{"what": "age", "met": False}],
        "environment": {"cores": 2},
    }
    assert [line.split() for line in lines(figures)] == [
        ["passed"],
        ["yes"],
        [],
        ["sets:"],
        ["accuracy", "interval"],
        ["emodb", "0.5", "[0.250,", "0.750]"],
        ["ravdess", "1", "-"],
        [],
        ["targets:"],
        ["1"],
        ["what", "age"],
        ["met", "no"],
        [],
    ]


@pytest.mark.parametrize("name", BENCHES)
def test_every_bench_takes_the_options_that_it_has(name: str) -> None:
    _, where, options = BENCHES[name]
    needed = ["--data", "."] if options.get("--data", {}).get("required") else []
    given = vars(parser().parse_args([name, *needed]))
    for other in ("command", "verbose", "json"):
        del given[other]
    module, _, function = where.partition(":")
    taken = getattr(import_module(f"benchmarks.{module}"), function)
    taken = SpeedOptions if name == "live-speed" else taken
    inspect.signature(taken).bind(**given)
