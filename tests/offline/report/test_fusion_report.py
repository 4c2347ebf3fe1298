"""The report's comparison of AMBT with what would do without its exchange."""

import json
from pathlib import Path

import pytest
from planted import tiny_config
from report_runs import write_run

from eav_offline.report import write_report
from eav_offline.report.comparing import exchange_in_words, fusion_figure
from eav_offline.report.groups import group_runs
from eav_offline.report.runs import read_runs

SENTENCE = "The exchange adds nothing here: 95.0 against 95.0 %."


def ways(ambt: float, off: float, mean: float) -> dict[str, dict[str, object]]:
    accuracy = {"ambt": ambt, "exchange_off": off, "mean": mean}
    return {
        way: {"accuracy": a, "nll": 1.0, "ambt_gains": ambt - a, "interval": None}
        for way, a in accuracy.items()
    }


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two runs of AMBT, the exchange of which helps in one and costs in the other."""
    for seed, (ambt, off) in enumerate(((0.8, 0.6), (0.5, 0.7))):
        run = write_run(tmp_path / f"seed{seed}", tiny_config(seed=seed))
        file = run / "results.json"
        results = json.loads(file.read_text())
        results["fusion"] = {
            "ways": ways(ambt, off, 0.55),
            "exchange_matrix": {"eeg": {"audio": {"logits": 0.5, "decisions": 0.1}}},
            "sentence": SENTENCE,
        }
        file.write_text(json.dumps(results))
    return tmp_path


def test_several_runs_are_told_by_their_means(runs: Path) -> None:
    (model,) = group_runs(read_runs([runs])[0], {})
    told = exchange_in_words(model)
    assert "AMBT reaches 65.0%, 65.0% with its exchange off" in told
    assert "plain mean of the encoders reaches 55.0%" in told
    assert "gains in 1 runs and costs in 1" in told
    drawing = fusion_figure(model)
    assert drawing is not None
    assert "AMBT 65.0%" in drawing.alt


def test_the_comparison_is_the_pages_first_chart(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "seed1").rename(tmp_path / "elsewhere")
    page = write_report([tmp_path / "seed0"], tmp_path / "report.html").page.read_text()
    assert SENTENCE in page
    first = page.index("<img")
    assert page.index('<section id="fusion">') < first < page.index('id="comparisons"')


def test_runs_without_fusion_have_no_such_section(tmp_path: Path) -> None:
    write_run(tmp_path / "run", tiny_config())
    page = write_report([tmp_path / "run"], tmp_path / "report.html").page.read_text()
    assert 'id="fusion"' not in page
