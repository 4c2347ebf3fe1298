"""What all benches share: figures as JSON and as lines to read."""

import json

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
